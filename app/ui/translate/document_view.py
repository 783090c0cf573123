"""Documents in the Translate tab: dropped, put together, translated, looked through, edited, saved."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import QFocusEvent, QHideEvent, QResizeEvent
from PySide6.QtWidgets import QSplitter, QStackedWidget, QVBoxLayout, QWidget

from app.core.errors import AppError
from app.features.translation.result import (
    SegmentDone,
    SegmentGrows,
    TermsFound,
    TranslationEnded,
    TranslationEvent,
    TranslationWish,
)
from app.features.translation.stored import DRAFT, Row, StoredTranslation
from app.features.work.queue import DONE, QUEUED, RUNNING
from app.ui.shell.i18n import tr
from app.ui.shell.notify import Notify
from app.ui.theme import Theme
from app.ui.translate.document_actions import DocumentActions
from app.ui.translate.document_drafts import DocumentDrafts
from app.ui.translate.document_find import Searched
from app.ui.translate.document_page import DocumentPage
from app.ui.translate.document_terms import DocumentTerms
from app.ui.translate.draft_page import DraftPage
from app.ui.translate.glossary_panel import GlossaryPanel
from app.ui.translate.running import TranslationRunner
from app.ui.translate.saving import TranslationSaving
from app.ui.translate.text_capability import Capability
from app.ui.translate.translation_texts import done_words, is_rtl, name_of, title_of, without_terms, work_words

if TYPE_CHECKING:
    from app.bootstrap import Fireside

AT_WORK = (QUEUED, RUNNING)
REFRESH_MS = 400
SEGMENTS_PER_MS = 50
"""Counting those of a very long document takes longer: it is done less often."""
TICK_MS = 5_000
PANEL_PX, LEAST_PX, NARROW_PX = 380, 300, 740


class StoredRows:
    """The rows of one translation, from any thread."""

    def __init__(self, app: Fireside, stored: StoredTranslation) -> None:
        self._app, self._id, self.count = app, stored.id, stored.segments

    def rows(self, start: int, count: int) -> list[Row]:
        """Rows from a segment on."""
        return self._app.translations.rows(self._id, start, count)


class DocumentTranslationView(QWidget):
    """Shows one translation of a document, or the files that are on their way to become some."""

    list_changed = Signal()
    """Rows of the list are others: new, further, over."""
    shown_changed = Signal(object)
    """The id of the translation that is shown now; None for none."""
    model_wanted = Signal()

    def __init__(
        self, app: Fireside, theme: Theme, notify: Notify, runner: TranslationRunner, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._app, self._theme, self._notify, self.runner = app, theme, notify, runner
        self.stored: StoredTranslation | None = None
        self._places: dict[int, tuple[int, int]] = {}
        self._pending: TranslationWish | None = None
        self.page = DocumentPage(app, theme, notify)
        self.glossary = GlossaryPanel(theme, notify)
        self.saving = TranslationSaving(app, notify, self)
        self.drafts = DocumentDrafts(self, app, theme, notify)
        self.reading = DraftPage(theme, self.drafts.files)
        self.doing = DocumentActions(self, app, notify)
        self.terms = DocumentTerms(self, app, theme, notify)
        self.pages = QStackedWidget()
        self.pages.addWidget(self.reading)
        self.pages.addWidget(self.page)
        self._side = QWidget()
        self._side_column = QVBoxLayout(self._side)
        self._side_column.addWidget(self.glossary)
        self._side.hide()
        self._splitter = QSplitter(Qt.Orientation.Horizontal)
        self._splitter.setObjectName("document_splitter")
        self._splitter.setHandleWidth(1)
        self._splitter.addWidget(self.pages)
        self._splitter.addWidget(self._side)
        self._splitter.setStretchFactor(0, 1)
        for place in (0, 1):
            self._splitter.setCollapsible(place, False)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self._splitter)
        # Counts and times are looked up once in a while, not with each of many segments a second.
        self._soon = QTimer(self, singleShot=True, interval=REFRESH_MS)
        self._soon.timeout.connect(self.refresh)
        self._tick = QTimer(self, interval=TICK_MS)
        self._tick.timeout.connect(self._show_work)
        self._connect()
        theme.changed.connect(self._on_theme_changed)
        self._on_theme_changed()

    def _connect(self) -> None:
        page = self.page
        self.setFocusProxy(page)
        page.head.glossary_wanted.connect(lambda: self.show_glossary(is_open=not self.is_glossary_open))
        page.bar.choice.changed.connect(self._on_choice)
        page.segments.rows.failed.connect(self._notify.error)
        self.glossary.closed.connect(lambda: self.show_glossary(is_open=False))
        self.saving.progressed.connect(self._on_saving)
        self.runner.happened.connect(self._on_happened)
        self.runner.row_changed.connect(self._on_row_changed)
        self.runner.ended.connect(self.refresh)

    # What is shown.

    def show_translation(self, translation_id: int) -> None:
        """A translation as it is now, where it was left."""
        stored = self.get(translation_id)
        if stored is None:
            self._notify.mention(tr("This translation is not there any more."))
            self.shown_changed.emit(None)
            return
        if self.stored is not None and self.stored.id == translation_id:
            self._show(stored)
            self.pages.setCurrentWidget(self.page)
            return
        self._leave_place()
        self.stored, self._pending = stored, None
        self.terms.show_found()
        self.drafts.forget_estimate()
        self.drafts.capability.look()
        self._show_rows(stored)
        self._show(stored)
        self.pages.setCurrentWidget(self.page)
        if translation_id in self._places:
            self.page.segments.go_to_place(self._places[translation_id])
        self.shown_changed.emit(translation_id)

    def add_files(self, paths: Sequence[str | Path]) -> None:
        """Files and folders that somebody dropped: each becomes a translation."""
        if paths:
            self._leave_place()
            self.stored = None
            self.pages.setCurrentWidget(self.reading)
            self.drafts.add(paths)

    def refresh(self) -> None:
        """The counts, the state and the choices are looked up again."""
        if self.stored is not None and (stored := self.get(self.stored.id)) is not None:
            self._show(stored)

    @property
    def is_glossary_open(self) -> bool:
        """Whether the panel at the right is there."""
        return not self._side.isHidden()

    def show_glossary(self, *, is_open: bool) -> None:
        """The panel at the right; the keyboard goes along."""
        focus = self.glossary.focusWidget()
        had_focus = focus is not None and focus.hasFocus()
        self._side.setVisible(is_open)
        self._arrange()
        self.terms.show()
        if is_open:
            self.glossary.take_keyboard()
        elif had_focus:
            self.page.segments.setFocus(Qt.FocusReason.OtherFocusReason)

    def get(self, translation_id: int) -> StoredTranslation | None:
        """A translation as it is stored; what goes wrong is told."""
        try:
            return self._app.translations.get(translation_id)
        except AppError as error:
            self._notify.error(error)
            return None

    @property
    def capability(self) -> Capability:
        """What the tab's model can do."""
        return self.drafts.capability

    @property
    def pending(self) -> TranslationWish | None:
        """What was chosen for a translation that was made otherwise; None where nothing was."""
        return self._pending

    def _show(self, stored: StoredTranslation) -> None:
        before = self.stored
        self.stored = stored
        page, is_draft = self.page, stored.state == DRAFT
        if before is None or _columns(before) != _columns(stored):
            self._show_rows(stored)
        page.head.show_title(title_of(stored))
        page.head.show_flagged(stored.flagged)
        name = self.saving.name_of(stored)
        page.head.show_saving(name, is_partial=stored.done < stored.segments, can_save=bool(name) and not is_draft)
        page.bar.choice.show_detected(stored.source_language)
        if self._pending is None and page.bar.choice.wish != without_terms(stored.wish):
            page.bar.choice.show_wish(stored.wish)
        page.state.show_state(stored, is_other_wish=self._pending is not None)
        self._show_work()
        self.drafts.show()
        self.terms.show()

    def _show_rows(self, stored: StoredTranslation) -> None:
        source, target = stored.source_language, stored.wish.target
        names = (name_of(source) or tr("Original"), name_of(target))
        rows = StoredRows(self._app, stored)
        segments = self.page.segments
        place = segments.place if segments.rows.rowCount() == stored.segments else (0, 0)
        segments.show_source(rows, names, (is_rtl(source), is_rtl(target)))
        segments.go_to_place(place)
        self.page.set_searched(Searched(rows))
        progress = self.runner.progress_of(stored.id)
        for number, text in progress.growing.items() if progress is not None else ():
            segments.rows.grow(number, text)

    def _show_work(self) -> None:
        stored = self.stored
        if stored is None:
            return
        if stored.state in AT_WORK:
            progress = self.runner.progress_of(stored.id)
            done, rests = (max(progress.done, stored.done), progress.rests) if progress else (stored.done, "")
            left_s = self._app.translations.seconds_left(stored.id)
            words = work_words(stored, done, stored.segments, rests, left_s)
            self.page.bar.show_work(words, done, stored.segments)
        else:
            words = done_words(stored) if stored.state == DONE else ""
            self.page.bar.show_rest(words, is_draft=stored.state == DRAFT)
        is_at_work = stored.state == RUNNING and self.isVisible()
        (self._tick.start if is_at_work else self._tick.stop)()

    def _leave_place(self) -> None:
        """What is shown goes; where it was is kept, and what was typed."""
        if self.stored is None:
            return
        self.page.segments.close_editor()
        self._places[self.stored.id] = self.page.segments.place
        self.drafts.estimating.stop()

    # Other choices.

    def _on_choice(self) -> None:
        """Drafts take a choice at once, all of them that were dropped together; others wait for "Apply"."""
        stored, wish = self.stored, self.page.bar.choice.wish
        if stored is None:
            return
        self.doing.remember(wish, is_target_chosen=self.page.bar.choice.is_target_chosen)
        if stored.state == DRAFT:
            if self.doing.change(self.drafts.batch, wish):
                self.drafts.forget_estimate()
                self.refresh()
            return
        self._pending = wish if wish != without_terms(stored.wish) else None
        self.page.state.show_state(stored, is_other_wish=self._pending is not None)
        self._show_work()
        self.terms.show()

    def forget_pending(self) -> None:
        """What was chosen holds now."""
        self._pending = None

    # What happens.

    def _on_happened(self, translation_id: int, event: TranslationEvent) -> None:
        if self.stored is None or translation_id != self.stored.id:
            return
        rows = self.page.segments.rows
        if isinstance(event, SegmentGrows):
            rows.grow(event.id, event.text)
            return
        if isinstance(event, SegmentDone):
            rows.put(event.translated)
        elif isinstance(event, TermsFound):
            self.terms.show_found(event.terms)
        elif isinstance(event, TranslationEnded):
            rows.still()
        if not self._soon.isActive():
            self._soon.start(max(REFRESH_MS, self.stored.segments // SEGMENTS_PER_MS))

    def _on_row_changed(self, translation_id: int) -> None:
        if self.stored is None or translation_id != self.stored.id:
            return
        before = self.stored.state
        self.refresh()
        if before != self.stored.state:
            self.page.segments.rows.still()
            self.page.segments.rows.forget()
            if self.stored.state == DONE:
                self.page.segments.say(tr("The translation is ready. {facts}", facts=done_words(self.stored)))

    def _on_saving(self, translation_id: int, segments: int) -> None:
        stored = self.stored
        if stored is None or translation_id != stored.id:
            return
        percent = 100 * segments // max(1, stored.segments)
        self.page.head.show_progress(tr("Saving… {percent} %", percent=percent) if segments >= 0 else "")
        if segments < 0:
            self.refresh()

    # The window.

    def leave(self) -> None:
        """The window closes: what was typed is kept, nothing is counted any more."""
        self._leave_place()
        self._tick.stop()
        self._soon.stop()

    def _arrange(self) -> None:
        """In a narrow window the glossary takes the document's place."""
        is_open = self.is_glossary_open
        is_narrow = is_open and self.width() < self._theme.px(NARROW_PX)
        self.pages.setHidden(is_narrow)
        if is_open and not is_narrow:
            width = min(self._theme.px(PANEL_PX), self.width() - self._theme.px(LEAST_PX))
            self._splitter.setSizes([self.width() - width, width])

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._arrange()

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        self.page.segments.setFocus(event.reason())

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self._tick.stop()

    def _on_theme_changed(self) -> None:
        margin = self._theme.px(12)
        self._side_column.setContentsMargins(margin, margin, margin, self._theme.px(16))
        self._side.setMinimumWidth(self._theme.px(LEAST_PX))
        # Not both beside each other: where these have no room, one takes the other's place.
        self._splitter.setMinimumWidth(self._theme.px(LEAST_PX))


def _columns(stored: StoredTranslation) -> tuple[str, str, int]:
    """By what the rows are others."""
    return stored.source_language, stored.wish.target, stored.segments
