"""A translated document: header, options, state and segments."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QFrame, QVBoxLayout, QWidget

from app.documents.segments import Content
from app.features.translate.glossary import with_term
from app.features.translate.translation_events import DRAFT, Row, StoredTranslation
from app.ui.i18n import tr
from app.ui.shared_labels import APPLY_GLOSSARY
from app.ui.shell.tab_spec import UiContext
from app.ui.text.search_row import TextSearchRow
from app.ui.theme import EDGE_PX, TOP_PX, WIDE_PX
from app.ui.translate.document_head import DocumentBar, DocumentHead
from app.ui.translate.document_job import DocumentJob, Drafts
from app.ui.translate.language_row import Able
from app.ui.translate.needs_model import NeedsModel
from app.ui.translate.row_layout import Link
from app.ui.translate.row_search import CellHit, RowSearch
from app.ui.translate.segment_table import SegmentTable
from app.ui.translate.translation_draft import DraftFoot
from app.ui.translate.translation_saving import TranslationSaving
from app.ui.translate.translation_texts import Remedy, stopped_words
from app.ui.widgets.layouts import ColumnRow, fill_layout, scrolled
from app.ui.work.job_tab import StateBar
from app.ui.work.picture_reading import CHANGED_SINCE, PicturesLine

if TYPE_CHECKING:
    from app.features.models.collection import ModelCollection
    from app.features.translate.translation_jobs import TranslationJobs


STOPPED_AT = "Stopped: {words}"
NOTHING_LEFT_TO_REVIEW = "Nothing left to review."
TRANSLATE_WHAT_CHANGED = "Translate what changed"


CONTROL = Qt.KeyboardModifier.ControlModifier
LEAST_PX = 84


class DocumentPage(QWidget):
    """Page of a translation. Actions on segments and saving are its own, those on the whole are the view's."""

    kept = Signal()
    """A segment changed, and with it the counts."""

    def __init__(self, translations: TranslationJobs, models: ModelCollection, ui: UiContext, job: DocumentJob) -> None:
        super().__init__()
        theme, notify = ui.theme, ui.notify
        self._notify, self._job, self._translations = notify, job, translations
        self.saving = TranslationSaving(translations, notify, self, on_progress=self._on_saving)
        self.head = DocumentHead(theme)
        self.bar = DocumentBar(theme)
        self.state = StateBar(theme, notify)
        self.pictures = PicturesLine(theme)
        self.search = TextSearchRow(theme)
        self.search.field.setAccessibleName(tr("Search in both columns"))
        self.search.hide()
        self.segments = SegmentTable(theme)
        self.foot = DraftFoot(theme)
        # Notices float over the end of the page, where the buttons of a draft are.
        notify.bar.stand_above(self.foot)
        self.needs = NeedsModel(models, ui)
        self.card = QFrame()
        self.card.setObjectName("segments_card")
        inner = theme.dress(QVBoxLayout(self.card), margins=(2, 6, 2, 6), spacing=0)
        fill_layout(inner, self.search, (self.segments, 1))
        inside, middle = QWidget(), QWidget()  # in a low window all but the foot scrolls
        inside.setObjectName("page")
        ColumnRow(theme, middle, inside, most_px=WIDE_PX)
        rows = QVBoxLayout(middle)
        for widget in (self.head, self.bar, self.state, self.pictures):
            rows.addWidget(widget)
        fill_layout(rows, (self.card, 1), self.needs)
        column = QVBoxLayout(self)
        fill_layout(column, (scrolled(inside), 1), ColumnRow(theme, self.foot, most_px=WIDE_PX))
        theme.dress(self.segments, least_height=LEAST_PX)
        theme.dress(rows, margins=(EDGE_PX, TOP_PX, EDGE_PX, 16), spacing=12)
        theme.dress(column, margins=(0, 0, 0, 0), spacing=0)
        self.setFocusProxy(self.segments)
        self.search.failed.connect(notify.error)
        self.search.hits_changed.connect(self._show_hits)
        self.search.chosen.connect(self._on_chosen)
        self.search.left.connect(self.end_search)
        self._connect()

    def _connect(self) -> None:
        segments = self.segments
        segments.rows.failed.connect(self._notify.error)
        segments.edited.connect(self.edit)
        segments.accepted.connect(self.accept)
        segments.next_wanted.connect(self.go_to_flagged)
        segments.remedy_wanted.connect(self.follow_link)
        self.head.flagged.clicked.connect(lambda: self.go_to_flagged(segments.current + 1))
        self.head.save.clicked.connect(lambda: self._save(self.saving.ask))
        self.head.forms.clicked.connect(self._show_forms)

    def edit(self, segment_id: int, content: Content) -> None:
        self._keep_row(lambda number: self._translations.segments.edit_segment(number, segment_id, content))

    def accept(self, segment_id: int) -> None:
        self._keep_row(lambda number: self._translations.segments.accept(number, segment_id))

    def go_to_flagged(self, after: int) -> None:
        """Go to the next flagged segment after a segment's id, wrapping around at the end."""
        if (stored := self._job.stored) is None:
            return
        with self._notify.guard():
            if (found := self._translations.segments.next_flagged(stored.id, after)) is None:
                self._notify.mention(tr(NOTHING_LEFT_TO_REVIEW))
            else:
                self.segments.close_editor()
                self.segments.go_to(found - 1)

    def follow_link(self, segment_id: int, link: Link) -> None:
        """Apply the remedy of a flag that was clicked."""
        if link.remedy is Remedy.KEEP:
            self.accept(segment_id)
        elif link.remedy is Remedy.USE_TERM:
            self._use_term(segment_id, link.shown.flag.wanted)
        elif (stored := self._job.stored) is not None:
            number = stored.id
            if self._job.doing.try_to(lambda: self._translations.translate_again(number, segment_id)):
                self._keep_row(lambda number: self._translations.segments.read_row(number, segment_id))
                self._job.queued.emit()

    def _use_term(self, segment_id: int, wanted: str) -> None:
        """Insert a glossary term; if its place is unclear, open the editor with it at the end, for the user to move."""
        if (row := self.segments.rows.row(segment_id - 1)) is None or row.translated is None:
            return
        if (content := with_term(row.translated.content, wanted)) is not None:
            self.edit(segment_id, content)
            return
        self.segments.edit_row(segment_id - 1)
        if self.segments.editor is not None:
            self.segments.editor.offer(wanted)

    def _keep_row(self, do: Callable[[int], Row]) -> None:
        stored = self._job.stored
        row = self._job.doing.result_of(lambda: do(stored.id)) if stored is not None else None
        if row is not None:
            self.segments.rows.put_row(row)
            self.kept.emit()

    def show_saving(self, stored: StoredTranslation) -> None:
        name = self.saving.name_of(stored)
        is_partial = stored.done < stored.segments
        self.head.show_saving(name, is_partial=is_partial, can_save=bool(name) and stored.state != DRAFT)
        self.head.aloud.setVisible(self.segments.read_from is not None and stored.done > 0)

    def _save(self, ask: Callable[[StoredTranslation], object]) -> None:
        shown = self._job.stored
        # Text that is still being typed is part of what will be saved.
        self.segments.close_editor()
        if shown is not None and (stored := self._job.doing.known(shown.id)) is not None:
            ask(stored)

    def _show_forms(self) -> None:
        button = self.head.forms
        below = button.mapToGlobal(button.rect().bottomLeft())
        self._save(lambda stored: self.saving.menu(stored).popup(below))

    def _on_saving(self, translation_id: int, segments: int) -> None:
        if (stored := self._job.stored) is None or translation_id != stored.id:
            return
        percent = 100 * segments // max(1, stored.segments)
        self.head.show_progress(tr("Saving… {percent} %", percent=percent) if segments >= 0 else "")
        if segments < 0:
            self.kept.emit()

    def show_state(self, stored: StoredTranslation) -> None:
        """Show why the translation is incomplete or outdated: pending options, a changed document, or scanned pages."""
        if self._job.pending is not None and stored.state != DRAFT:
            words = tr("The settings changed. Only what they affect is translated again.")
            self.state.show_words(words, tr(APPLY_GLOSSARY))
            return
        if self._job.offers_again:
            words = f"{tr(CHANGED_SINCE)} {tr('Earlier translations are kept.')}"
            again = tr("Reload the document") if stored.state == DRAFT else tr(TRANSLATE_WHAT_CHANGED)
            self.state.show_words(words, again)
            return
        kept = stopped_words(stored)
        self.state.show_ended(
            stored,
            failed=tr("The translation failed."),
            kept=kept if stored.done else "",
            stopped=tr(STOPPED_AT, words=kept),
        )

    def show_estimate(self, drafts: Drafts) -> None:
        """Show the estimate of the drafts, if it is known."""
        self.foot.show_drafts(
            drafts.batch, drafts.estimate, is_counting=drafts.estimating.is_busy, problem=drafts.problem
        )

    def show_able(self, able: Able, stored: StoredTranslation) -> None:
        """Show the languages the model supports, or offer another model for a draft it can't translate."""
        self.bar.offer(able)
        can = able.can(stored.source_language, stored.wish.target)
        self.foot.show_can(can)
        is_needed = stored.state == DRAFT and not can
        # Looked for once, not with each refresh of the page.
        if is_needed and self.needs.isHidden():
            self.needs.find_model(able.missing(stored.source_language, stored.wish.target))
        self.needs.setVisible(is_needed)

    def set_searched(self, searched: RowSearch | None) -> None:
        self.end_search()
        self.search.set_document(searched)

    def begin_search(self) -> None:
        """Open the search; its first hit is looked for from the current row on."""
        self.search.begin(max(1, self.segments.current + 1))

    def end_search(self) -> None:
        had_focus = self.search.close_search()
        self._show_hits()
        # Otherwise the keyboard would stay with a hidden field.
        if had_focus:
            self.segments.setFocus(Qt.FocusReason.OtherFocusReason)

    def _show_hits(self, chosen: CellHit | None = None) -> None:
        hits: dict[tuple[int, int], list[tuple[int, int, bool]]] = {}
        for hit in self.search.hits:
            hits.setdefault((hit.block_id - 1, hit.column), []).append((hit.start, hit.end, hit == chosen))
        self.segments.hits = hits
        self.segments.viewport().update()

    def _on_chosen(self, hit: CellHit) -> None:
        self._show_hits(hit)
        self.segments.go_to(hit.block_id - 1)
        self.segments.announce_text(self.segments.rows.spoken(hit.block_id - 1, hit.column))

    def _does(self, event: QKeyEvent) -> bool:
        """Handle keys of the page wherever its focus is; return whether it was one."""
        is_search = event.key() == Qt.Key.Key_F and event.modifiers() == CONTROL
        return is_search or event.key() in (Qt.Key.Key_F3, Qt.Key.Key_F8)

    def event(self, event: QEvent) -> bool:
        # The window uses these keys for other things.
        if event.type() == QEvent.Type.ShortcutOverride and isinstance(event, QKeyEvent) and self._does(event):
            event.accept()
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if not self._does(event):
            super().keyPressEvent(event)
        elif event.key() == Qt.Key.Key_F:
            self.begin_search()
        elif event.key() == Qt.Key.Key_F8:
            self.segments.next_wanted.emit(self.segments.current + 1)
        elif (job := self.search.key_job(event)) is not None:
            job()
