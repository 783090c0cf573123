"""Preview of documents without a model: key sentences, key terms, outline."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QPoint, QRect, Qt, Signal
from PySide6.QtGui import QKeyEvent, QResizeEvent
from PySide6.QtWidgets import QAbstractButton, QBoxLayout, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from app.core.errors.app_error import AppError
from app.features.summarize.overview import DocumentOverview, FirstLook
from app.features.summarize.summary_messages import DIGEST_WORDS
from app.features.summarize.summary_result import SummarizedDocument, Summary, SummaryOptions
from app.ui.i18n import tr
from app.ui.screen_reader import read_as
from app.ui.shared_labels import CANCEL, READ_ALOUD
from app.ui.shell.notify import Notify
from app.ui.summarize.digest_outline import SIDE_PX, WIDE_PX, DigestOutline
from app.ui.summarize.statements import WholeStatementView
from app.ui.summarize.summary_texts import Chip, ShownStatement
from app.ui.summarize.term_chips import KeyTerms
from app.ui.theme import Theme
from app.ui.widgets.buttons import IconButton, text_button
from app.ui.widgets.labels import plain_label
from app.ui.widgets.layouts import drop_margins, fill_layout, name_widgets
from app.ui.widgets.timers import new_timer
from app.ui.work.doing import JobEstimates

if TYPE_CHECKING:
    from app.bootstrap import Fireside

DIGEST_PERCENT = "Finding key sentences, {percent} %"
DIGEST_CANCELLED = "Canceled. You can still summarize without key sentences."

CACHED_PREVIEWS = 4
TICK_MS = 1_000

Key = tuple[tuple[int, ...], SummaryOptions]


class FirstLooks(JobEstimates):
    """Compute previews on a thread and cache the last. `seen` carries the document ids and a `FirstLook`."""

    def __init__(
        self,
        app: Fireside,
        notify: Notify,
        parent: QWidget,
        *,
        on_seen: Callable[[tuple[Any, ...], Any], object],
        on_share: Callable[[tuple[Any, ...], float], object],
    ) -> None:
        super().__init__(parent)
        self.on_share = on_share
        """Progress of a slow preview: document ids and share done, 0 to 1."""
        self.on_seen, self._app, self._notify = on_seen, app, notify
        self._cache: dict[Key, FirstLook] = {}
        self._wanted: Key = ((), SummaryOptions())
        self._share = 0.0
        # The thread only stores its progress; the timer shows it at a readable rate.
        self._tick = new_timer(self, TICK_MS, self._on_tick, repeats=True)
        self.estimated.connect(self._on_seen)
        self.failed.connect(self._on_not_seen)

    def look_at(self, document_ids: Sequence[int], wish: SummaryOptions) -> None:
        """Request a preview. Only the newest request is answered, at once if it is cached."""
        # Nothing else in a wish changes the sentences.
        key = tuple(document_ids), SummaryOptions(wish.length, wish.form)
        if key == self._wanted and self.is_busy:
            return
        self.stop()
        self._wanted = key
        if key in self._cache:
            self.on_seen(key[0], self._cache[key])
        elif key[0]:
            self._share = 0.0
            self.start_estimate(lambda cancel: self._app.summaries.first_look(key[0], wish, cancel, self._note_share))
            self._tick.start()

    def stop(self) -> None:
        super().stop()
        self._tick.stop()

    def _note_share(self, share: float) -> None:
        self._share = share

    def _on_tick(self) -> None:
        if not self.is_busy:
            self._tick.stop()
        elif self._share:
            self.on_share(self._wanted[0], self._share)

    def _on_seen(self, found: FirstLook) -> None:
        # The oldest entry goes, or an earlier one of the same key, so that this one counts as the newest.
        self._cache.pop(next(iter(self._cache)) if len(self._cache) >= CACHED_PREVIEWS else self._wanted, None)
        self._cache[self._wanted] = found
        self.on_seen(self._wanted[0], found)

    def _on_not_seen(self, error: BaseException) -> None:
        # Errors of a document are reported by the estimate; here only defects are.
        if not isinstance(error, AppError):
            self._notify.error(error)


class DigestPart(QWidget):
    """Preview widget, filled by `show_look`.

    `opened` carries a `Chip`; `copy_wanted` and `save_wanted` the preview as a `Summary`.
    """

    opened = Signal(object)
    left = Signal()
    """Escape was pressed."""
    copy_wanted = Signal(object)
    save_wanted = Signal(object, QPoint)
    """The `Summary`, and the position for the menu of formats."""
    moved = Signal(QRect)
    """Rectangle in this widget to scroll into view."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._summary: Summary | None = None
        self.words = plain_label(kind="muted", wraps=True)
        self.cancel = text_button(tr(CANCEL), "plain")
        self.look = text_button(tr("Find key sentences"), "plain")
        self.read_view: Callable[[QWidget], object] | None = None
        """Reads a text aloud, where there is something that does."""
        self.aloud = IconButton(
            theme, "speaker-high", tr(READ_ALOUD), size_px=18,
            on_click=lambda: self.read_view and self.read_view(self.sentences),
        )  # fmt: skip
        self.copy = IconButton(
            theme, "copy", tr("Copy the sentences"), size_px=18, on_click=lambda: self.copy_wanted.emit(self._summary)
        )
        self.save = read_as(text_button(tr("Save…"), "plain", on_click=self._on_save), has_menu=True)
        self.save.setToolTip(tr("As Markdown, a Word document, a web page, PDF or JSON"))
        self.sentences = WholeStatementView(theme)
        self.sentences.setAccessibleName(tr("Sentences of the document"))
        self.terms = KeyTerms(
            theme,
            on_written=lambda: QWidget.setTabOrder(self.terms.order(self.sentences), self.outline),
            on_moved=lambda rect: self.moved.emit(self._here(self.terms, rect)),
        )
        self._outline_head = QLabel(tr("Outline"))
        self._outline_head.setProperty("kind", "muted")
        self.outline = DigestOutline(theme)
        self._lay_out()
        for part in (self.sentences, self.terms, self.outline):
            part.opened.connect(partial(self._open, part))
            part.left.connect(self.left)
        self.sentences.moved.connect(lambda rect: self.moved.emit(self._here(self.sentences, rect)))
        # New chips are at the end of Qt's tab order.
        theme.changed.connect(self._arrange)
        name_widgets(digest_words=self.words, copy_digest=self.copy, save_digest=self.save, digest=self.sentences)
        name_widgets(cancel_digest=self.cancel, look_for_digest=self.look, read_digest=self.aloud)
        self.hide()

    def _lay_out(self) -> None:
        top = fill_layout(QHBoxLayout(), (self.words, 1))
        for button in self._buttons:
            top.addWidget(button)
        self._side = QWidget()
        side = fill_layout(drop_margins(QVBoxLayout(self._side)), self.terms)
        outline = QVBoxLayout()
        fill_layout(outline, self._outline_head, self.outline)
        fill_layout(side, outline, 1)
        self._row = QBoxLayout(QBoxLayout.Direction.LeftToRight)
        self._row.addWidget(self.sentences, 1, Qt.AlignmentFlag.AlignTop)
        self._row.addWidget(self._side)
        column = QVBoxLayout(self)
        fill_layout(column, top, self._row)
        theme = self._theme
        theme.dress(self.words, font="small")
        theme.dress(self.cancel, self.look, self.save, font="control")
        theme.dress(self._outline_head, font="group")
        theme.dress(column, margins=(0, 10, 0, 0), spacing=4)
        theme.dress(top, spacing=10)
        theme.dress(side, spacing=16)
        theme.dress(outline, spacing=4)
        self._arrange()

    @property
    def _buttons(self) -> tuple[QAbstractButton, ...]:
        return self.cancel, self.look, self.aloud, self.copy, self.save

    @property
    def summary(self) -> Summary | None:
        """The preview as a summary; None before there is one."""
        return self._summary

    def show_waiting(self, words: str) -> None:
        """Show a message until the preview is there; "" hides the widget."""
        self._fill(words, None, [], (), ())

    def show_share(self, share: float) -> None:
        """Show progress from 0 to 1. A preview of another length stays visible meanwhile."""
        if self._summary is None:
            self.words.setText(tr(DIGEST_PERCENT, percent=round(share * 100)))
            self.cancel.show()

    def show_cancelled(self) -> None:
        """Say that the preview was cancelled and offer to start it again."""
        # The focused button is about to be hidden.
        had_keyboard = self.cancel.hasFocus()
        self.show_waiting(tr(DIGEST_CANCELLED))
        self.look.show()
        if had_keyboard:
            self.look.setFocus(Qt.FocusReason.OtherFocusReason)

    def show_look(self, look: FirstLook, shown: Sequence[ShownStatement]) -> None:
        """Show a preview; `shown` are its statements with their chips."""
        has_any = bool(shown) or any(overview.terms or overview.headings for overview in look.overviews)
        words = tr(DIGEST_WORDS) if shown else tr("No key sentences found. Here are key words and headings.")
        self._fill(words if has_any else "", look.summary, shown, look.summary.documents, look.overviews)

    def forget_open(self) -> None:
        """Clear the mark on the chip whose source was open."""
        self.sentences.forget_open()
        self.terms.forget_open()

    def show_open(self) -> None:
        """Scroll to the chip whose source is open, which moved as the document panel took some width."""
        if self.terms.open_chip is not None:
            chip = self.terms.open_chip
            self.moved.emit(self._here(chip, chip.rect()))
        elif self.sentences.open_chip is not None:
            self.moved.emit(self._here(self.sentences, self.sentences.place_of(self.sentences.open_chip[0])))

    def _fill(
        self,
        words: str,
        summary: Summary | None,
        shown: Sequence[ShownStatement],
        documents: Sequence[SummarizedDocument],
        overviews: Sequence[DocumentOverview],
    ) -> None:
        self._summary = summary
        self.words.setText(words)
        form = summary.wish.form if summary is not None else SummaryOptions().form
        self.sentences.show_statements(shown, form)
        self.sentences.setVisible(bool(shown))
        self.terms.show_terms(documents, overviews)
        self.outline.show_headings(documents, overviews)
        self._outline_head.setVisible(not self.outline.isHidden())
        for button in (self.copy, self.save):
            button.setVisible(bool(shown))
        self.aloud.setVisible(bool(shown) and self.read_view is not None)
        for button in (self.cancel, self.look):
            button.hide()
        self._side.setVisible(not (self.terms.isHidden() and self.outline.isHidden()))
        self.setVisible(bool(words))
        self._arrange()

    def _open(self, part: QWidget, chip: Chip) -> None:
        """Open a source and clear the mark of the one before."""
        if part is not self.sentences:
            self.sentences.forget_open()
        if part is not self.terms:
            self.terms.forget_open()
        self.opened.emit(chip)

    def _on_save(self) -> None:
        self.save_wanted.emit(self._summary, self.save.mapToGlobal(QPoint(0, self.save.height())))

    def _here(self, part: QWidget, rect: QRect) -> QRect:
        return QRect(part.mapTo(self, rect.topLeft()), rect.size())

    def _arrange(self) -> None:
        """Put terms and outline next to the sentences if there is room, else below."""
        px = self._theme.px
        is_wide = self.width() >= px(WIDE_PX) and not self.sentences.isHidden()
        self._row.setDirection(QBoxLayout.Direction.LeftToRight if is_wide else QBoxLayout.Direction.TopToBottom)
        self._row.setSpacing(px(28 if is_wide else 18))
        # As good as no limit.
        self._side.setMaximumWidth(px(SIDE_PX) if is_wide else 1 << 20)
        self._side.setMinimumWidth(px(SIDE_PX) if is_wide else 0)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        # Enter presses the focused button; the page around it would start the summary.
        focused = next((button for button in self._buttons if button is self.focusWidget()), None)
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and focused is not None:
            focused.click()
        elif event.key() == Qt.Key.Key_Escape:
            self.left.emit()
        else:
            super().keyPressEvent(event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._arrange()
