"""Statements of a summary with citation chips: written, painted, navigated by keys, copied."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from math import ceil

from PySide6.QtCore import QMimeData, QPointF, QRect, QSize, Qt, Signal
from PySide6.QtGui import QFocusEvent, QKeyEvent, QResizeEvent, QTextCursor
from PySide6.QtWidgets import QFrame, QWidget

from app.features.summarize.summary_result import Form
from app.ui.i18n import tr
from app.ui.summarize.statement_ground import StatementEdit
from app.ui.summarize.statement_text import StatementRange, StatementText, plain
from app.ui.summarize.summary_texts import Chip, ShownStatement
from app.ui.text.formats import selected_text
from app.ui.text.keyboard_walk import ENTER, is_plain, row_after, step_aside
from app.ui.theme import EDGE_PX, READING_PX, Theme
from app.ui.widgets.labels import announce
from app.ui.widgets.layouts import column_inset


class StatementView(StatementEdit):
    """List of statements.

    Arrow keys move between statements and chips, Enter opens a source; `opened` carries a `Chip`.
    """

    opened = Signal(object)
    place_changed = Signal(int, int)
    """Keys moved to a statement and one of its chips."""
    left = Signal()
    """Escape was pressed."""

    edge_px: float = EDGE_PX
    """Left margin in unscaled pixels."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(theme, parent)
        self._theme = theme
        self._statements: list[ShownStatement] = []
        self._below: tuple[str, list[ShownStatement]] = ("", [])  # heading and statements of the second list
        self._form = Form.BULLETS
        self._plain = ""
        self._text = StatementText(self.document(), theme)
        self.setObjectName("statements")
        self.setProperty("kind", "bare")
        self.setAccessibleName(tr("Statements"))
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setReadOnly(True)
        # Dropped files are the window's.
        self.setAcceptDrops(False)
        self.setUndoRedoEnabled(False)
        self.setTabChangesFocus(True)
        # Without the keyboard flag there is no caret; Ctrl+A and Ctrl+C still work.
        self.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.viewport().setAutoFillBackground(False)
        self.document().setDocumentMargin(0)
        theme.changed.connect(self._on_theme_changed)
        self._on_theme_changed()

    @property
    def ranges(self) -> list[StatementRange]:
        return self._text.ranges

    @property
    def below(self) -> int:
        """Number of statements in the second list, below the first."""
        return len(self._below[1])

    def show_statements(self, shown: Sequence[ShownStatement], form: Form) -> None:
        """Replace all statements, drop the second list and scroll to the top."""
        self._statements, self._form, self._plain, self._below = list(shown), form, "", ("", [])
        self.current, self.chip, self.open_chip = -1, 0, None
        self._write()
        self.verticalScrollBar().setValue(0)

    def add(self, shown: Sequence[ShownStatement], below: Sequence[ShownStatement] = ()) -> None:
        """Append statements and replace the second list.

        A view scrolled to the end stays there, unless the reader is in the second list.
        """
        bar = self.verticalScrollBar()
        is_at_end = bar.value() >= bar.maximum() and not self._below[1]
        self._statements += shown
        self._below = (self._below[0], list(below))
        with self._keep_reading_position():
            self._text.leave_below()
            self._text.add(shown, self._form)
            self._text.add_below(*self._below)
        if is_at_end:
            bar.setValue(bar.maximum())

    def show_below(self, words: str, shown: Sequence[ShownStatement]) -> None:
        """Replace the second list, under the heading `words`; the reader's place stays."""
        if self._below == (words, list(shown)):
            return
        self._below = (words, list(shown))
        with self._keep_reading_position():
            self._text.leave_below()
            self._text.add_below(*self._below)

    @contextmanager
    def _keep_reading_position(self) -> Iterator[None]:
        """Keep the scroll position and the current statement across a rebuild, as far as both still exist."""
        before, bar = self.ranges, self.verticalScrollBar()
        # Where the first visible statements are; by identity, as equal ones may occur twice.
        tops = {
            id(statement_range.shown): self.ground.rect_of(statement_range).top()
            for statement_range in before[max(0, self.ground.number_at(QPointF())) :][:8]
        }
        was_at = bar.value()
        numbers = (self.current, self.open_chip[0] if self.open_chip else -1)
        places = [(id(before[number].shown) if 0 <= number < len(before) else 0) for number in numbers]
        yield
        after = {id(statement_range.shown): number for number, statement_range in enumerate(self.ranges)}
        self.current = after.get(places[0], -1)
        number = after.get(places[1])
        self.open_chip = (number, self.open_chip[1]) if number is not None and self.open_chip else None
        stays = next((number for number in tops if number in after), 0)
        self.document().size()  # completes the layout, so that the scroll bar reaches the end
        if stays and was_at:
            bar.setValue(bar.value() + round(self.ground.rect_of(self.ranges[after[stays]]).top() - tops[stays]))
        self.viewport().update()

    def show_plain(self, text: str) -> None:
        """Show text that is still being generated; a view at its end stays there."""
        bar = self.verticalScrollBar()
        is_at_end = bar.value() >= bar.maximum()
        before = bar.value()
        self._statements, self._plain, self._below, self.current = [], text, ("", []), -1
        self._write()
        bar.setValue(bar.maximum() if is_at_end else before)

    def go_to(self, number: int, chip: int = 0) -> None:
        """Move the keyboard position to a statement and chip, scroll there and announce it."""
        if not 0 <= number < len(self.ranges):
            return
        is_other = number != self.current
        self.current, self.chip = number, chip
        self._bring_into_view(number)
        shown = self.ranges[number].shown
        announce(self, shown.spoken if is_other else shown.chips[chip].spoken if shown.chips else shown.spoken)
        self.viewport().update()
        self.place_changed.emit(number, chip)

    def mark_open(self, number: int, chip: int = 0) -> None:
        """Mark a chip whose source is shown; keys go on from there."""
        self.open_chip = (number, chip)
        self.viewport().update()

    @property
    def _place(self) -> int:
        """Statement from which keys go on: the current one, else the one whose source is shown; -1 for none."""
        return self.current if self.current >= 0 or self.open_chip is None else self.open_chip[0]

    def _bring_into_view(self, number: int) -> None:
        rect = self.ground.statement_rect(number)
        bar, page = self.verticalScrollBar(), self.viewport().height()
        if rect.top() < 0:
            bar.setValue(bar.value() + round(rect.top()) - self._theme.px(12))
        elif rect.bottom() > page:
            bar.setValue(bar.value() + min(round(rect.bottom()) - page, round(rect.top())) + self._theme.px(12))

    def open_place(self, number: int, chip: int = 0) -> None:
        """Open a chip's source, as a click on it does."""
        chips: tuple[Chip, ...] = self.ranges[number].shown.chips if 0 <= number < len(self.ranges) else ()
        if 0 <= chip < len(chips):
            self.current, self.chip = number, chip
            self.mark_open(number, chip)
            self.opened.emit(chips[chip])

    def forget_open(self) -> None:
        """Clear the mark on the chip whose source was open."""
        self.open_chip = None
        self.viewport().update()

    def _write(self) -> None:
        self._text.clear()
        if self._plain:
            self._text.write_plain(self._plain)
        else:
            self._text.add(self._statements, self._form)
            self._text.add_below(*self._below)
        # Writing moved the text cursor to the end, and the view would follow it.
        cursor = self.textCursor()
        cursor.movePosition(QTextCursor.MoveOperation.Start)
        self.setTextCursor(cursor)
        self.viewport().update()

    def _on_theme_changed(self) -> None:
        before = self.verticalScrollBar().value()
        self._write()
        self._fit_width()
        self.verticalScrollBar().setValue(before)

    def _fit_width(self) -> None:
        px = self._theme.px
        if edge := px(self.edge_px):
            edge += column_inset(self._theme, self.width())
        sides = (edge, max(self.width() - edge - px(READING_PX), edge))
        left, right = sides[::-1] if self.isRightToLeft() else sides
        self.setViewportMargins(left, 0, right, 0)

    def createMimeDataFromSelection(self) -> QMimeData:
        data = QMimeData()
        data.setText(plain(selected_text(self.textCursor())))
        return data

    def keyPressEvent(self, event: QKeyEvent) -> None:
        current = self.ranges[self.current] if self.current >= 0 else None
        if event.key() == Qt.Key.Key_Escape:
            self.left.emit()
        elif not is_plain(event) or not self.ranges:
            super().keyPressEvent(event)
        elif (row := row_after(event, self._place, len(self.ranges) - 1)) is not None:
            self.go_to(row)
        elif current is not None and (side := step_aside(event, is_rtl=current.is_right_to_left)):
            self.go_to(self.current, min(max(self.chip + side, 0), max(0, len(current.shown.chips) - 1)))
        elif event.key() in (*ENTER, Qt.Key.Key_Space):
            self.open_place(max(self.current, 0), self.chip)
        else:
            super().keyPressEvent(event)

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        by_keys = event.reason() in (Qt.FocusReason.TabFocusReason, Qt.FocusReason.BacktabFocusReason)
        if by_keys and self.ranges:
            self.go_to(max(self._place, 0), self.chip)

    def sizeHint(self) -> QSize:
        return self.minimumSizeHint()  # takes the remaining room without squeezing others

    def resizeEvent(self, event: QResizeEvent) -> None:
        # Before Qt lays out the text, which the margins make narrower.
        self._fit_width()
        super().resizeEvent(event)


class WholeStatementView(StatementView):
    """Statement view as high as its text, for use inside a scroll area."""

    moved = Signal(QRect)
    """The current statement moved; the scroll area should show this rectangle."""
    edge_px = 0.0

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(theme, parent)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.document().documentLayout().documentSizeChanged.connect(self._grow)

    def place_of(self, number: int) -> QRect:
        """Return a statement's rectangle in this widget's coordinates, not the viewport's."""
        return self.ground.statement_rect(number).toAlignedRect().translated(self.viewport().pos())

    def _bring_into_view(self, number: int) -> None:
        self.moved.emit(self.place_of(number))

    def _grow(self) -> None:
        self.setFixedHeight(ceil(self.document().size().height()))
