"""The statements of a summary with their chips, to be read, walked through by keys, selected and copied."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence

from PySide6.QtCore import QEvent, QMimeData, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QAccessible,
    QAccessibleAnnouncementEvent,
    QFocusEvent,
    QKeyEvent,
    QMouseEvent,
    QPaintEvent,
    QResizeEvent,
    QTextCursor,
)
from PySide6.QtWidgets import QFrame, QTextEdit, QWidget

from app.features.summary.result import Form
from app.ui.shell.i18n import tr
from app.ui.summarize.places import Chip
from app.ui.summarize.statement_paint import StatementPaint
from app.ui.summarize.statement_text import StatementText, Stretch, Told, plain
from app.ui.theme import EDGE_PX, READING_PX, Theme
from app.ui.widgets.plain_tip import plain_tip

STEPS = {Qt.Key.Key_Down: 1, Qt.Key.Key_Up: -1}


class StatementView(QTextEdit):
    """Arrow keys move between statements and their chips, Enter opens a place. `opened` carries a `Chip`."""

    opened = Signal(object)
    left = Signal()
    """Esc was pressed."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._told: list[Told] = []
        self._form = Form.BULLETS
        self._plain = ""
        self._text = StatementText(self.document(), theme)
        self._paint = StatementPaint(self, theme)
        self._pressed: QPointF | None = None
        self.current = -1
        """The statement that the keyboard is at; -1 for none."""
        self.chip = 0
        """Which of its chips."""
        self.open_chip: tuple[int, int] | None = None
        """The statement and the chip whose place is shown beside."""
        self.setObjectName("statements")
        self.setProperty("kind", "bare")
        self.setAccessibleName(tr("Statements"))
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setReadOnly(True)
        self.setAcceptDrops(False)
        self.setUndoRedoEnabled(False)
        self.setTabChangesFocus(True)
        # Without the flag for the keyboard there is no caret; Ctrl+A and Ctrl+C work all the same.
        self.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.viewport().setAutoFillBackground(False)
        self.viewport().setMouseTracking(True)
        self.document().setDocumentMargin(0)
        self.verticalScrollBar().rangeChanged.connect(self._fit)
        theme.changed.connect(self._on_theme_changed)
        self._on_theme_changed()

    @property
    def stretches(self) -> list[Stretch]:
        """Where the statements stand, in order."""
        return self._text.stretches

    def show_statements(self, told: Sequence[Told], form: Form) -> None:
        """Replaces everything, from the top."""
        self._told, self._form, self._plain = list(told), form, ""
        self.current, self.chip, self.open_chip = -1, 0, None
        self._write()
        self.verticalScrollBar().setValue(0)

    def add(self, told: Sequence[Told]) -> None:
        """More of them; whoever is at the end stays there."""
        bar = self.verticalScrollBar()
        is_at_end = bar.value() >= bar.maximum()
        self._told += told
        self._text.add(told, self._form)
        self.viewport().update()
        if is_at_end:
            bar.setValue(bar.maximum())

    def show_plain(self, text: str) -> None:
        """A text that is still being written."""
        bar = self.verticalScrollBar()
        is_at_end = bar.value() >= bar.maximum()
        before = bar.value()
        self._told, self._plain, self.current = [], text, -1
        self._write()
        bar.setValue(bar.maximum() if is_at_end else before)

    def go_to(self, number: int, chip: int = 0) -> None:
        """Moves the keyboard's place, brings it into view, and says it."""
        if not 0 <= number < len(self.stretches):
            return
        is_other = number != self.current
        self.current, self.chip = number, chip
        rect = self._paint.rect_of(self.stretches[number])
        bar, page = self.verticalScrollBar(), self.viewport().height()
        if rect.top() < 0:
            bar.setValue(bar.value() + round(rect.top()) - self._theme.px(12))
        elif rect.bottom() > page:
            bar.setValue(bar.value() + min(round(rect.bottom()) - page, round(rect.top())) + self._theme.px(12))
        told = self.stretches[number].told
        self._say(told.spoken if is_other else told.chips[chip].spoken if told.chips else told.spoken)
        self.viewport().update()

    def chip_rect(self, number: int, chip: int) -> QRectF:
        """Where a chip is, in the viewport."""
        return self._paint.chip_rect(self.stretches[number], chip)

    def statement_rect(self, number: int) -> QRectF:
        """Where a statement is, in the viewport."""
        return self._paint.rect_of(self.stretches[number])

    def chip_at(self, point: QPointF) -> tuple[int, int] | None:
        """The statement and the chip there."""
        last = self.number_at(point)
        for number in range(max(0, last - 1), last + 1):
            for place in range(len(self.stretches[number].chips)):
                if self.chip_rect(number, place).contains(point):
                    return number, place
        return None

    def number_at(self, point: QPointF) -> int:
        """The last statement that begins at or before a point of the viewport; -1 without any."""
        position = self.cursorForPosition(point.toPoint()).position()
        return bisect_right(self.stretches, position, key=lambda stretch: stretch.start) - 1

    def open_place(self, number: int, chip: int = 0) -> None:
        """Has the place of a chip shown beside, as a click on it does."""
        chips: tuple[Chip, ...] = self.stretches[number].told.chips if 0 <= number < len(self.stretches) else ()
        if 0 <= chip < len(chips):
            self.current, self.chip, self.open_chip = number, chip, (number, chip)
            self.viewport().update()
            self.opened.emit(chips[chip])

    def forget_open(self) -> None:
        """No place is shown beside any more."""
        self.open_chip = None
        self.viewport().update()

    def _write(self) -> None:
        self._text.clear()
        if self._plain:
            self._text.write_plain(self._plain)
        else:
            self._text.add(self._told, self._form)
        # What was written took the text cursor along to the end, and the view would follow it there.
        cursor = self.textCursor()
        cursor.movePosition(QTextCursor.MoveOperation.Start)
        self.setTextCursor(cursor)
        self.viewport().update()

    def _say(self, text: str) -> None:
        if QAccessible.isActive():
            QAccessible.updateAccessibility(QAccessibleAnnouncementEvent(self, text))

    def _on_theme_changed(self) -> None:
        before = self.verticalScrollBar().value()
        self._write()
        self._fit()
        self.verticalScrollBar().setValue(before)

    def _fit(self) -> None:
        px = self._theme.px
        bar, edge = self.verticalScrollBar(), px(EDGE_PX)
        taken = bar.sizeHint().width() if bar.maximum() > bar.minimum() else 0
        sides = (edge, max(0, max(self.width() - edge - px(READING_PX), edge) - taken))
        left, right = sides[::-1] if self.isRightToLeft() else sides
        self.setViewportMargins(left, 0, right, 0)

    def createMimeDataFromSelection(self) -> QMimeData:
        data = QMimeData()
        data.setText(plain(self.textCursor().selectedText()))
        return data

    def keyPressEvent(self, event: QKeyEvent) -> None:
        key, is_bare = (
            event.key(),
            event.modifiers()
            in (
                Qt.KeyboardModifier.NoModifier,
                Qt.KeyboardModifier.KeypadModifier,
            ),
        )
        last = len(self.stretches) - 1
        side = {Qt.Key.Key_Right: 1, Qt.Key.Key_Left: -1}.get(Qt.Key(key), 0)
        if key == Qt.Key.Key_Escape:
            self.left.emit()
        elif not is_bare or last < 0:
            super().keyPressEvent(event)
        elif key in STEPS:
            step = STEPS[Qt.Key(key)]
            self.go_to(min(max(self.current + step, 0), last))
        elif key == Qt.Key.Key_Home:
            self.go_to(0)
        elif key == Qt.Key.Key_End:
            self.go_to(last)
        elif side and self.current >= 0:
            side = -side if self.stretches[self.current].is_right_to_left else side
            most = len(self.stretches[self.current].told.chips) - 1
            self.go_to(self.current, min(max(self.chip + side, 0), max(0, most)))
        elif key in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space):
            self.open_place(max(self.current, 0), self.chip)
        else:
            super().keyPressEvent(event)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self._pressed = event.position()
        super().mousePressEvent(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        super().mouseMoveEvent(event)
        found = self.chip_at(event.position())
        shape = Qt.CursorShape.PointingHandCursor if found else Qt.CursorShape.IBeamCursor
        self.viewport().setCursor(shape)
        self._paint.hover(found)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        super().mouseReleaseEvent(event)
        found = self.chip_at(event.position())
        if event.button() != Qt.MouseButton.LeftButton or found is None or self._pressed is None:
            return
        if self.chip_at(self._pressed) == found:  # pressed and let go on it, not a selection that ends there
            self.open_place(*found)

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        by_keys = event.reason() in (Qt.FocusReason.TabFocusReason, Qt.FocusReason.BacktabFocusReason)
        if by_keys and self.stretches:
            self.go_to(max(self.current, 0), self.chip)

    def sizeHint(self) -> QSize:
        return self.minimumSizeHint()  # it takes what is left, and presses nothing together

    def resizeEvent(self, event: QResizeEvent) -> None:
        self._fit()
        super().resizeEvent(event)

    def viewportEvent(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Leave:
            self._paint.hover(None)
        elif event.type() == QEvent.Type.ToolTip:
            found = self.chip_at(QPointF(event.pos()))  # type: ignore[attr-defined]
            chip = self.stretches[found[0]].told.chips[found[1]] if found else None
            self.viewport().setToolTip(plain_tip(chip.spoken) if chip else "")
        return super().viewportEvent(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        """What lies behind the words, then the words."""
        self._paint.paint(QRectF(event.rect()))
        super().paintEvent(event)
