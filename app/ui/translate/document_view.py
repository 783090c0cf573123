"""Documents in the Translate tab: added, translated, reviewed, compared, edited, saved."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QHideEvent, QShowEvent
from PySide6.QtWidgets import QStackedWidget, QVBoxLayout, QWidget

from app.features.translate.translation_events import (
    BLOCKS,
    DRAFT,
    SegmentDone,
    SegmentGrows,
    StoredTranslation,
    TermsFound,
    TranslationEnded,
    TranslationEvent,
)
from app.features.work.queue import DONE, QUEUED, RUNNING
from app.ui.document.document_panel import DocumentPanel
from app.ui.i18n import tr
from app.ui.shell.tab_spec import UiContext
from app.ui.translate.document_job import DocumentJob, Drafts
from app.ui.translate.document_page import DocumentPage
from app.ui.translate.glossary_panel import GlossaryPane, GlossaryPanel, MemoryFiles
from app.ui.translate.language_row import LastWish
from app.ui.translate.row_reading import RowReading
from app.ui.translate.row_search import RowSearch
from app.ui.translate.rows import RowSource
from app.ui.translate.translation_draft import TranslationDraftPage
from app.ui.translate.translation_texts import (
    TranslationProgress,
    done_words,
    is_rtl,
    name_of,
    title_of,
    without_terms,
    work_words,
)
from app.ui.widgets.layouts import drop_margins, fill_layout
from app.ui.widgets.timers import new_timer
from app.ui.work.job_runner import JobRunner
from app.ui.work.picture_reading import PicturesLine

if TYPE_CHECKING:
    from app.features.models.collection import ModelCollection
    from app.features.shown_document import TextHighlight
    from app.features.translate.translation_jobs import TranslationJobs


AT_WORK = (QUEUED, RUNNING)
REFRESH_MS = 400
SEGMENTS_PER_MS = 50
"""Slower counting, in a very long document, is done less often."""
TICK_MS = 5_000


class DocumentTranslationView(QWidget):
    """View of a document's translation, or of files being read for one."""

    list_changed = Signal()
    """Rows of the list changed."""
    shown_changed = Signal(object)
    """Id of the translation now shown, or None."""

    def __init__(
        self,
        translations: TranslationJobs,
        models: ModelCollection,
        last: LastWish,
        ui: UiContext,
        runner: JobRunner[TranslationProgress],
    ) -> None:
        super().__init__()
        theme, notify, words = ui.theme, ui.notify, translations.words
        self._translations, self._last, self._theme, self._notify = translations, last, theme, notify
        self.runner = runner
        self._positions: dict[
            int, tuple[int, int]
        ] = {}  # scroll positions by translation id, for this run of the program
        self._heard_state = ""
        """State as reported by the events: the store may be ahead of those still queued."""
        self.job = DocumentJob(translations, notify, self, on_begun=self._on_begun)
        self.page = DocumentPage(translations, models, ui, self.job)
        self.glossary = GlossaryPanel(theme, notify)
        self.glossary.memory = MemoryFiles(notify, self, words.import_tmx, words.export_tmx)
        self.drafts = Drafts(
            translations,
            last,
            ui,
            self.job,
            self,
            on_added=self._on_added,
            on_emptied=lambda: self.shown_changed.emit(None),
            on_estimate=lambda: self.page.show_estimate(self.drafts),
        )
        self.reading = TranslationDraftPage(theme, self.drafts, show_models=ui.go.open_models)
        self.pages = QStackedWidget()
        fill_layout(self.pages, self.reading, self.page)
        self._glossary_pane = GlossaryPane(theme, self.pages, self.page.segments.setFocus)
        self._glossary_pane.column.addWidget(self.glossary)
        self.document = DocumentPanel(theme, notify, self._glossary_pane, self.page.segments.setFocus)
        self.scanned = ScannedDocument(translations, ui, self.job, self.page.pictures, self.document)
        fill_layout(drop_margins(QVBoxLayout(self)), self.document)
        # Counts and times are updated by a timer, as many segments a second may arrive.
        self._refresh_later = new_timer(self, REFRESH_MS, self.refresh)
        self._tick = new_timer(self, TICK_MS, self._show_work, repeats=True)
        if ui.reading is not None:
            RowReading(ui.reading, self.page, self.job)
        self._connect()

    def _connect(self) -> None:
        page = self.page
        self.setFocusProxy(page)
        page.head.glossary.clicked.connect(lambda: self.show_glossary(is_open=not self.is_glossary_open))
        page.bar.choice.changed.connect(self._on_choice)
        page.bar.stop.clicked.connect(self.job.stop)
        page.state.go_on.clicked.connect(self.job.go_on)
        page.foot.begun.connect(self.drafts.begin)
        page.kept.connect(self.refresh)
        page.needs.model_came.connect(self.drafts.capability.check_model)
        self.glossary.closed.connect(lambda: self.show_glossary(is_open=False))
        self.glossary.changed.connect(self._on_terms)
        self.glossary.changed_elsewhere.connect(self.job.change_terms)
        self.glossary.apply.clicked.connect(self.job.apply)
        self.glossary.memory_wanted.connect(self._show_memory)
        page.pictures.opened.connect(lambda *_: self.show_glossary(is_open=False))
        self.job.renewed.connect(page.segments.rows.forget)
        self.job.renewed.connect(self.drafts.forget_estimate)
        for signal in (self.job.changed, self.job.queued):
            signal.connect(self.refresh)
            signal.connect(self.list_changed)
        self.job.queued.connect(self.runner.start)
        self.drafts.able_changed.connect(page.needs.hide)
        self.drafts.able_changed.connect(self._show_draft)
        self.runner.happened.connect(self._on_happened)
        self.runner.row_changed.connect(self._on_row_changed)
        self.runner.ended.connect(self.refresh)

    def show_translation(self, translation_id: int) -> None:
        """Show a translation at the place where it was left."""
        if (stored := self.job.doing.known(translation_id)) is None:
            self.shown_changed.emit(None)
            return
        # Shown already: rows and position stay as they are.
        if self.job.stored is not None and self.job.stored.id == translation_id:
            self._show(stored)
            self.pages.setCurrentWidget(self.page)
            return
        self._leave_place()
        self.job.stored, self.job.pending, self._heard_state = stored, None, stored.state
        self.glossary.show_found(self.job.found_terms())
        self.drafts.forget_estimate()
        self.drafts.capability.check_model()
        self._show_rows(stored)
        self._show(stored)
        self.pages.setCurrentWidget(self.page)
        if translation_id in self._positions:
            self.page.segments.go_to_place(self._positions[translation_id])
        self.shown_changed.emit(translation_id)

    def add_files(self, paths: Sequence[str | Path]) -> None:
        """Add dropped files and folders, each file as a translation."""
        if paths:
            self._leave_place()
            # No translation is open while files are read, so the first that is read is shown.
            self.job.stored = None
            self.pages.setCurrentWidget(self.reading)
            self.drafts.add(paths)

    def refresh(self) -> None:
        """Reload counts, state and options of the open translation from the store."""
        if self.job.stored is not None and (stored := self.job.doing.get(self.job.stored.id)) is not None:
            self._show(stored)

    @property
    def is_glossary_open(self) -> bool:
        return self._glossary_pane.is_pane_open

    def show_glossary(self, *, is_open: bool) -> None:
        """Open the glossary panel and focus it, or close it."""
        if is_open:
            self.document.close_document()  # both would leave the segments too little room
            self._glossary_pane.open_pane()
        else:
            self._glossary_pane.close_pane()
        self._show_terms()
        if is_open:
            self.glossary.take_keyboard()

    def _show(self, stored: StoredTranslation) -> None:
        before = self.job.stored
        self.job.stored = stored
        page = self.page
        if before is None or _columns(before) != _columns(stored):
            self._show_rows(stored)
        page.head.show_title(title_of(stored))
        page.head.show_flagged(stored.flagged)
        page.show_saving(stored)
        page.bar.choice.show_detected(stored.source_language)
        # Options that are chosen but not applied stay in the bar.
        if self.job.pending is None and page.bar.choice.wish != without_terms(stored.wish):
            page.bar.choice.show_wish(stored.wish)
        self.page.show_state(stored)
        self._show_work()
        self._show_draft()
        self._show_terms()
        self.scanned.show(stored)

    def _show_rows(self, stored: StoredTranslation) -> None:
        source, target = stored.source_language, stored.wish.target
        names = (name_of(source) or tr("Original"), name_of(target))
        rows = RowSource(stored.segments, partial(self._translations.segments.read_rows, stored.id))
        segments = self.page.segments
        place = segments.place if segments.rows.rowCount() == stored.segments else (0, 0)
        segments.show_source(rows, names, (is_rtl(source), is_rtl(target)))
        segments.go_to_place(place)
        self.page.set_searched(RowSearch(rows))
        progress = self.runner.progress_of(stored.id)
        # The store has finished segments only; text in progress is known to the runner.
        for number, text in progress.growing.items() if progress is not None else ():
            segments.rows.grow(number, text)

    def _show_draft(self) -> None:
        """Show a draft's buttons, the model's languages, and an offer if they don't suffice."""
        stored, page = self.job.stored, self.page
        is_draft = stored is not None and stored.state == DRAFT
        page.foot.setVisible(is_draft)
        if not is_draft:
            page.needs.hide()
            self.drafts.forget_estimate()
        if (able := self.drafts.capability.able) is None or stored is None:
            page.foot.show_can(False)
        else:
            page.show_able(able, stored)
        if is_draft:
            self.drafts.estimate_drafts()
            self.page.show_estimate(self.drafts)

    def _show_terms(self) -> None:
        """Show the number of terms, and all of them if the panel is open."""
        terms = self.job.terms() if self.job.stored is not None else None
        if terms is None:
            return
        (source, target), is_open = self.job.pair, self.is_glossary_open
        self.page.head.show_terms(len(terms), is_open=is_open)
        if is_open:
            names = (name_of(source) or tr("Original"), name_of(target))
            self.glossary.show_terms(terms, names, (source, target))
            self.glossary.show_apply(self.job.can_follow_terms)

    def _show_work(self) -> None:
        if (stored := self.job.stored) is None:
            return
        if stored.state in AT_WORK:
            progress = self.runner.progress_of(stored.id)
            # The store may be ahead of events still in Qt's queue, and the other way around.
            done, rests = (max(progress.done, stored.done), progress.rests) if progress else (stored.done, "")
            left_s = self._translations.seconds_left(stored.id)
            words = work_words(stored, done, stored.segments, rests, left_s)
            self.page.bar.show_work(words, done, stored.segments)
        else:
            words = done_words(stored) if stored.state == DONE else ""
            self.page.bar.show_rest(words, is_draft=stored.state == DRAFT)
        is_at_work = stored.state == RUNNING and self.isVisible()
        (self._tick.start if is_at_work else self._tick.stop)()

    def _leave_place(self) -> None:
        """Leave the translation, saving its position and typed text."""
        if self.job.stored is None:
            return
        self.page.segments.close_editor()
        self._positions[self.job.stored.id] = self.page.segments.place
        self.drafts.estimating.stop()

    def _on_choice(self) -> None:
        """Apply options to drafts at once, to the whole batch; others wait for "Apply"."""
        stored, wish = self.job.stored, self.page.bar.choice.wish
        if stored is None:
            return
        self._last.keep_choice(self.page.bar.choice)
        if stored.state == DRAFT:
            if self.drafts.change(wish):
                self.drafts.forget_estimate()
                self.refresh()
            return
        self.job.pending = wish if wish != without_terms(stored.wish) else None
        self.page.show_state(stored)
        self._show_work()
        self._show_terms()

    def _on_terms(self) -> None:
        """Store terms at once; a finished document is updated on request."""
        if self.job.keep_terms(self.glossary.pair, self.glossary.terms.terms):
            self.drafts.forget_estimate()
            self._show_draft()
            self._show_terms()

    def _show_memory(self) -> None:
        from app.ui.settings.translation_memory import MemoryDialog  # not needed at start

        shown = self.job.stored.id if self.job.stored is not None else None
        MemoryDialog(self._translations, self._theme, self._notify, self, shown).open()

    def _on_happened(self, translation_id: int, event: TranslationEvent) -> None:
        if self.job.stored is None or translation_id != self.job.stored.id:
            return
        rows = self.page.segments.rows
        # Text in progress changes no counts.
        if isinstance(event, SegmentGrows):
            rows.grow(event.id, event.text)
            return
        if isinstance(event, SegmentDone):
            rows.set_translated(event.translated)
        elif isinstance(event, TermsFound):
            self.glossary.show_found(event.terms)
        elif isinstance(event, TranslationEnded):
            rows.drop_growing()
        if not self._refresh_later.isActive():
            self._refresh_later.start(max(REFRESH_MS, self.job.stored.segments // SEGMENTS_PER_MS))

    def _on_row_changed(self, translation_id: int) -> None:
        if self.job.stored is None or translation_id != self.job.stored.id:
            return
        before = self._heard_state
        self.refresh()
        self._heard_state = self.job.stored.state
        if before != self.job.stored.state:
            self.page.segments.rows.drop_growing()
            self.page.segments.rows.forget()
            if self.job.stored.state == DONE:
                self.page.segments.announce_text(
                    tr("The translation is ready. {facts}", facts=done_words(self.job.stored))
                )

    def _on_begun(self) -> None:
        self.page.segments.rows.forget()
        self.page.segments.setFocus()

    def _on_added(self, stored: StoredTranslation) -> None:
        self.list_changed.emit()
        if (shown := self.job.stored) is None:
            self.show_translation(stored.id)
        elif self.drafts.has(shown):
            self.drafts.forget_estimate()
            self._show_draft()

    def close_view(self) -> None:
        """Save typed text, stop estimates and close the document before the window closes."""
        self._leave_place()
        self.document.close_document()
        self._tick.stop()
        self._refresh_later.stop()

    def showEvent(self, event: QShowEvent) -> None:
        self._theme.dress_again(self)
        super().showEvent(event)

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self._tick.stop()


def _columns(stored: StoredTranslation) -> tuple[str, str, int]:
    """Key that changes whenever the rows must be rebuilt."""
    return stored.source_language, stored.wish.target, stored.segments


class ScannedDocument(QObject):
    """Scanned pages of the translation's document: `line` reports on them, `panel` shows pages next to the segments.

    A draft with nothing translated follows its document automatically.
    """

    def __init__(
        self, translations: TranslationJobs, ui: UiContext, job: DocumentJob, line: PicturesLine, panel: DocumentPanel
    ) -> None:
        super().__init__(panel)
        self._translations, self._job, self._line, self.panel = translations, job, line, panel
        self._shown = 0
        line.opened.connect(self._open)
        line.models_wanted.connect(ui.go.open_models)
        if (pictures := ui.pictures) is not None:
            line.watch(pictures)
            panel.renewed.connect(lambda _documents, *ids: pictures.renewed.emit(*ids))
            pictures.renewed.connect(self._on_renewed)

    def show(self, stored: StoredTranslation) -> None:
        """Show the document of a translation, new or the same."""
        if stored.id != self._shown:
            self._shown = stored.id
            self.panel.close_document()
        if stored.format != BLOCKS:
            self._line.show_documents([])
            return
        document = self._job.doing.result_of(lambda: self._translations.source_document(stored.id))
        self._line.show_documents([document] if document is not None else [])
        if stored.state == DRAFT and not stored.done and self._job.is_outdated:
            self._job.take_again()

    def _open(self, document_id: int, mark: TextHighlight | None) -> None:
        self.panel.open(self._translations.documents, document_id, mark)

    def _on_renewed(self, earlier_id: int, document_id: int) -> None:
        self.panel.take_over(self._translations.documents, earlier_id, document_id)
        self._job.changed.emit()
