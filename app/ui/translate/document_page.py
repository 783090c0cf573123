"""A translated document: header, options, state and segments."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QFrame, QVBoxLayout, QWidget

from app.documents.segments import Content
from app.features.files_to_read import FileToRead, Stage
from app.features.translate.translation_events import DRAFT, Row, StoredTranslation, TranslationEstimate
from app.ui.document.document_files import short_name
from app.ui.i18n import tr
from app.ui.shared_labels import APPLY_GLOSSARY
from app.ui.shell.tab_spec import UiContext
from app.ui.text.search_row import TextSearchRow
from app.ui.theme import EDGE_PX, TOP_PX, Theme
from app.ui.translate.document_job import DocumentJob, Drafts
from app.ui.translate.language_row import Able, LanguageChoice
from app.ui.translate.needs_model import NeedsModel
from app.ui.translate.row_layout import Link
from app.ui.translate.row_search import CellHit, RowSearch
from app.ui.translate.segment_table import SegmentTable
from app.ui.translate.translation_saving import TranslationSaving
from app.ui.translate.translation_texts import (
    Remedy,
    stopped_words,
    with_term,
)
from app.ui.widgets.layouts import fill_layout, scrolled
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
        self.saving = TranslationSaving(translations, notify, self)
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
        inner = QVBoxLayout(self.card)
        theme.dress(inner, margins=(2, 6, 2, 6), spacing=0)
        fill_layout(inner, self.search, (self.segments, 1))
        inside = QWidget()  # in a low window all but the foot scrolls
        inside.setObjectName("page")
        rows = QVBoxLayout(inside)
        for widget in (self.head, self.bar, self.state, self.pictures):
            rows.addWidget(widget)
        fill_layout(rows, (self.card, 1), self.needs)
        column = QVBoxLayout(self)
        fill_layout(column, (scrolled(inside), 1), self.foot)
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
        self.saving.progressed.connect(self._on_saving)

    def edit(self, segment_id: int, content: Content) -> None:
        self._keep_row(lambda number: self._translations.segments.edit_segment(number, segment_id, content))

    def accept(self, segment_id: int) -> None:
        self._keep_row(lambda number: self._translations.segments.accept(number, segment_id))

    def go_to_flagged(self, after: int) -> None:
        """Go to the next flagged segment after a segment's id, wrapping around at the end."""
        if (stored := self._job.stored) is None:
            return
        with self._notify.guard():
            found = self._translations.segments.next_flagged(stored.id, after)
            if found is None:
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
        row = self.segments.rows.row(segment_id - 1)
        if row is None or row.translated is None:
            return
        content = with_term(row.translated.content, wanted)
        if content is not None:
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
        stored = self._job.stored
        if stored is None or translation_id != stored.id:
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


# Header of a translated document: title, and buttons for glossary, flags and saving.


NARROW_PX = 760
"""Width below which the save button omits the file name."""
TITLE_PX = 130
"""Room for the title below which the buttons move to a second line."""
MOST_NAME = 34
SMALL_PX, SMALL_TITLE_PX = 440, 70


class DocumentHead(QWidget):
    """Header of a translation; its texts are set from outside, its buttons emit."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._saved, self._is_partial, self._progress = "", False, ""
        self._terms = self._flags = 0
        self.title = ElidedLabel()
        self.title.setObjectName("translation_title")
        self.glossary = text_button(tr(GLOSSARY), "plain")
        self.glossary.setCheckable(True)
        self.flagged = text_button(tr(NEXT_FLAGGED), "plain")
        self.flagged.setToolTip(tr("{name} ({keys})", name=tr(NEXT_FLAGGED), keys="F8"))
        self.save = text_button(tr(SAVE), "plain")
        self.forms = IconButton(theme, "caret-down", tr("Save in another format"), size_px=16)
        self._buttons = QWidget()
        self._flow = FlowLayout(self._buttons, is_at_end=True)
        for button in (self.glossary, self.flagged, self.save, self.forms):
            self._flow.addWidget(button)
        self._row = QBoxLayout(QBoxLayout.Direction.LeftToRight, self)
        self._row.addWidget(self.title, 1)
        self._row.addWidget(self._buttons)
        theme.dress(self._row, self._flow, margins=(0, 0, 0, 0), spacing=10)
        theme.dress(self.title, font=(21, 600))
        for button, name in ((self.glossary, "book-bookmark"), (self.flagged, "flag"), (self.save, "download-simple")):
            # A push button puts its text four pixels from the icon; a wider icon adds space.
            theme.dress(button, font=(13.5, 500), glyph=(name, "muted", 15), glyph_size=(24, 15))
        name_widgets(open_glossary=self.glossary, next_flagged=self.flagged, save=self.save, save_as=self.forms)

    def show_title(self, title: str) -> None:
        self.title.setText(title)
        self.title.setAccessibleName(title)

    def show_terms(self, count: int, *, is_open: bool) -> None:
        self._terms = count
        self._show_counts()
        self.glossary.setChecked(is_open)

    def show_flagged(self, count: int) -> None:
        """Show the number of flagged segments; 0 hides the button."""
        self._flags = count
        self._show_counts()
        self.flagged.setVisible(count > 0)

    def show_saving(self, name: str, *, is_partial: bool, can_save: bool) -> None:
        """Show what saving will write: the named file, complete or partial."""
        self._saved, self._is_partial = name, is_partial
        self._show_save()
        self.save.setToolTip(name)
        for button in (self.save, self.forms):
            button.setVisible(can_save)
        self._arrange()

    def show_progress(self, words: str) -> None:
        """Show the progress of saving; "" when it is finished."""
        self._progress = words
        self._show_save()
        for button in (self.save, self.forms):
            button.setEnabled(not words)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._show_save()
        self._show_counts()
        self._arrange()

    def _show_counts(self) -> None:
        """Show counts as icon and number if narrow; tooltips and screen readers keep the words."""
        is_small = self.width() < self._theme.px(SMALL_PX)
        for button, name, count in (
            (self.glossary, tr(GLOSSARY), self._terms),
            (self.flagged, tr(NEXT_FLAGGED), self._flags),
        ):
            words = f"{name} · {count:,}" if count else name
            _label(button, words)
            if is_small:
                button.setText(f"{count:,}" if count else "")
        self.glossary.setToolTip(self.glossary.accessibleName() if is_small else "")

    def _show_save(self) -> None:
        name = self._saved
        short = name if len(name) <= MOST_NAME else f"{name[: MOST_NAME // 2]}…{name[-MOST_NAME // 2 + 1 :]}"
        label = tr(SAVE) if self.width() < self._theme.px(NARROW_PX) else tr("Save {name}", name=short)
        _label(self.save, self._progress or (tr(SAVE_PARTIAL) if self._is_partial else label))

    def _arrange(self) -> None:
        is_narrow = self.width() < self._flow.sizeHint().width() + self._theme.px(
            SMALL_TITLE_PX if self.width() < self._theme.px(SMALL_PX) else TITLE_PX
        )
        to = QBoxLayout.Direction.TopToBottom if is_narrow else QBoxLayout.Direction.LeftToRight
        # Setting a direction lays out the row again, which resizes it again.
        if self._row.direction() != to:
            self._row.setDirection(to)


def _label(button: QPushButton, text: str) -> None:
    # Qt takes a single & as the mark of a shortcut.
    button.setText(text.replace("&", "&&"))
    button.setAccessibleName(text)


# Second line of a translated document: languages, form of address, progress, Stop.


NARROW_BAR_PX = 860
LINE_PX = 140
CHOICE_SHARE, PROGRESS_SHARE = 3, 2
"""Shares of the width, so that two long language names and the form of address fit on a line."""


class DocumentBar(QWidget):
    """Options of a translation, or its progress; `stop` is handled by the page."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._is_at_work, self._is_draft = False, True
        self.choice = LanguageChoice(theme)
        self.choice.swap.hide()  # a document's source language is fixed
        self.line = ProgressStripe(theme)
        self.line.setAccessibleName(tr("Translation progress"))
        self.words = plain_label(kind="muted")
        self.stop = text_button(tr(STOP), "quiet")
        self.stop.setToolTip(tr("Stop and keep the work so far"))
        self._progress = QWidget()
        line = QHBoxLayout(self._progress)
        line.addWidget(self.line, 1)
        line.addWidget(self.words)
        line.addWidget(self.stop)
        self._row = QBoxLayout(QBoxLayout.Direction.LeftToRight, self)
        self._row.addWidget(self.choice, CHOICE_SHARE)
        self._row.addWidget(self._progress, PROGRESS_SHARE)
        theme.dress(self._row, margins=(0, 0, 0, 0), spacing=10)
        theme.dress(line, margins=(0, 0, 0, 0), spacing=12)
        theme.dress(self.line, least_width=LINE_PX)
        theme.dress(self.words, font=(13.5, 400))
        theme.dress(self.stop, font=(13.5, 500))
        name_widgets(work_words=self.words, stop_work=self.stop)

    def offer(self, able: Able) -> None:
        self.choice.offer(able)
        self._show_domain()

    def show_work(self, words: str, done: int, segments: int) -> None:
        """Show a queued or running translation; options are locked meanwhile."""
        self._is_draft = False
        self._show(words, is_at_work=True)
        self.line.show_share(done, segments)

    def show_rest(self, words: str, *, is_draft: bool) -> None:
        self._is_draft = is_draft
        self._show(words, is_at_work=False)

    def _show(self, words: str, *, is_at_work: bool) -> None:
        self.words.setText(words)
        self.words.setVisible(bool(words))
        self.line.setVisible(is_at_work)
        self.stop.setVisible(is_at_work)
        self._is_at_work = is_at_work
        self._show_domain()
        self._progress.setVisible(is_at_work or bool(words))
        # Without progress the options get the whole width.
        self._row.setStretchFactor(self._progress, PROGRESS_SHARE if is_at_work else 0)

    def _show_domain(self) -> None:
        """Show the subject area after the start only if one is set; while running, the progress takes its room."""
        self.choice.show_small(is_small=not self._is_draft)
        if self._is_at_work:
            self.choice.domain.hide()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._arrange()

    def _arrange(self) -> None:
        is_narrow = self.width() < self._theme.px(NARROW_BAR_PX)
        to = QBoxLayout.Direction.TopToBottom if is_narrow else QBoxLayout.Direction.LeftToRight
        if self._row.direction() != to:
            self._row.setDirection(to)
        self._show_domain()


# Foot of a draft: amount, estimated time, Translate.


class DraftFoot(QWidget):
    """Start buttons of drafts: all added together, or only the open one."""

    begun = Signal(bool)
    """True to start all of the batch."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.words = plain_label(wraps=True)
        self.note = plain_label(kind="muted", wraps=True)
        self.one = text_button(tr("Only this one"), "quiet")
        self.one.clicked.connect(lambda: self.begun.emit(False))
        self.button = text_button(tr(TRANSLATE), "primary")
        self.button.clicked.connect(lambda: self.begun.emit(True))
        labels = QVBoxLayout()
        labels.addWidget(self.words)
        labels.addWidget(self.note)
        row = QHBoxLayout(self)
        row.addLayout(labels, 1)
        row.addWidget(self.one, 0, Qt.AlignmentFlag.AlignBottom)
        row.addWidget(self.button, 0, Qt.AlignmentFlag.AlignBottom)
        theme.dress(row, margins=(EDGE_PX, 4, EDGE_PX, 16), spacing=12)
        theme.dress(labels, spacing=2)
        theme.dress(self.words, self.one, font=(14, 500))
        theme.dress(self.note, font=(13, 400))
        theme.dress(self.button, font=(14, 600))
        name_widgets(draft_words=self.words, draft_note=self.note, begin_one=self.one, begin=self.button)

    def show_drafts(
        self,
        drafts: Sequence[StoredTranslation],
        estimate: TranslationEstimate | None,
        *,
        is_counting: bool,
        problem: str,
    ) -> None:
        """Show drafts, the open one first. `problem` says why there is no estimate."""
        self.words.setText(draft_words(drafts, estimate))
        note = problem or (tr(COUNTING) if is_counting and estimate is None else "")
        if not note and estimate is not None and estimate.seconds is None:
            note = tr("A time estimate appears after the first segments.")
        notes = [part for part in (note, layout_words(drafts[0]) if drafts else "") if part]
        self.note.setText(" ".join(notes))
        self.note.setVisible(bool(notes))
        count = len(drafts)
        label = tr(TRANSLATE_DOCUMENTS, count=count) if count > 1 else tr(TRANSLATE)
        self.button.setText(label)
        self.button.setAccessibleName(label)
        self.one.setVisible(count > 1)

    def show_can(self, can_begin: bool) -> None:
        """Enable the buttons if a model and a target language are set."""
        for button in (self.button, self.one):
            button.setEnabled(can_begin)


# Files being read for a translation: name, progress, error, Cancel.


class FileLine(QFrame):
    """File being read: name, state, and a button with its one action."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.setProperty("kind", "card")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.name = ElidedLabel()
        self.words = plain_label(wraps=True)
        self.button = text_button("", "quiet")
        labels = QVBoxLayout()
        labels.addWidget(self.name)
        labels.addWidget(self.words)
        row = QHBoxLayout(self)
        row.addLayout(labels, 1)
        row.addWidget(self.button)
        theme.dress(labels, spacing=2)
        theme.dress(row, margins=(16, 10, 10, 10))
        theme.dress(self.name, font=(14, 500))
        theme.dress(self.words, font=(13, 400))
        theme.dress(self.button, font=(13.5, 500))
        name_widgets(file_words=self.words, file_button=self.button)

    def show_file(self, file: FileToRead) -> None:
        # Only its scanned pages are missing, so this is no error to the user.
        waits = file.document is not None and file.stage is Stage.FAILED
        is_failed = file.stage is Stage.FAILED and not waits
        words = {
            Stage.FAILED: tr("Waiting until its picture pages are read") if waits else file.error,
            Stage.LOCKED: tr(NEEDS_PASSWORD),
            Stage.READING: tr(LOOKING_FOR_TEXT, count=segments_words(file.page)),
        }.get(file.stage, tr(WAITING))
        self.name.setText(file.name)
        self.words.setText(words)
        set_mark(self.words, "kind", "danger" if is_failed else "muted")
        self.button.setText(tr(REMOVE) if file.stage is Stage.FAILED else tr(CANCEL))
        self.button.setAccessibleName(f"{self.button.text()}: {short_name(file.name)}")
        self.setAccessibleName(f"{file.name}: {words}")


class TranslationDraftPage(QWidget):
    """Page of files that aren't translations yet, with a line each, and the question about scanned pages."""

    models_wanted = Signal()

    def __init__(self, theme: Theme, drafts: Drafts) -> None:
        super().__init__()
        self._theme, self._drafts, files = theme, drafts, drafts.files
        self._files = files
        self.pictures = PicturesLine(theme)
        self.pictures.models_wanted.connect(self.models_wanted)
        self.leave = text_button(tr("Skip these pages"), "quiet")
        self.leave.clicked.connect(drafts.leave_pictures)
        if drafts.pictures is not None:
            self.pictures.watch(drafts.pictures)
            drafts.pictures.changed.connect(self.show_files)
        self.lines: list[FileLine] = []
        self._shown: list[FileToRead] = []
        self._title = plain_label(wraps=True)
        inner = QWidget()
        inner.setObjectName("page")
        self._column = QVBoxLayout(inner)
        self._column.addWidget(self._title)
        self._column.addWidget(self.pictures)
        self._column.addWidget(self.leave, 0, Qt.AlignmentFlag.AlignLeading)
        self._column.addStretch(1)
        column = QVBoxLayout(self)
        column.addWidget(scrolled(inner))
        theme.dress(column, margins=(0, 0, 0, 0))
        theme.dress(self._column, margins=(EDGE_PX, TOP_PX, EDGE_PX, 16), spacing=10)
        theme.dress(self._title, font=(21, 600))
        files.changed.connect(self.show_files)
        files.moved.connect(lambda _one: self.show_files())
        self.show_files()

    def show_files(self) -> None:
        # Replacing the lines with each event would take the focus from their buttons.
        if self._shown != self._files.files:
            self._write()
        for line, to_read in zip(self.lines, self._shown, strict=True):
            line.show_file(to_read)
        documents = [
            to_translate.document for to_translate in self._drafts.with_pictures if to_translate.document is not None
        ]
        self.pictures.show_documents(documents)
        pictures = self._drafts.pictures
        is_seeing = pictures is not None and any(map(pictures.is_reading, documents))
        # Without a text layer, nothing would be left to translate.
        self.leave.setVisible(
            bool(documents) and not is_seeing and any(document.info.get("words") for document in documents)
        )
        if self._files.is_reading or is_seeing:
            self._title.setText(tr("Reading the documents…"))
        else:
            self._title.setText(tr("Pages to read first") if documents else tr("Couldn’t be read"))

    def _write(self) -> None:
        for line in self.lines:
            self._column.removeWidget(line)
            line.hide()
            line.deleteLater()
        self._shown, self.lines = list(self._files.files), []
        for to_read in self._shown:
            line = FileLine(self._theme)
            line.button.clicked.connect(partial(self._files.remove, to_read))
            self._column.insertWidget(self._column.count() - 1, line)  # before the stretch
            self.lines.append(line)
