"""Reading an answer with a screen reader: Down and Up go from part to part of the turn that has the keyboard.

In a table Right and Left go from cell to cell of a row, and then Down and Up stay in the column.
"""

from __future__ import annotations

from collections.abc import Iterator

from PySide6.QtCore import QObject, Qt
from PySide6.QtGui import QAccessible, QAccessibleInterface, QKeyEvent
from PySide6.QtWidgets import QApplication

from app.ui.chat.transcript import ChatTranscript
from app.ui.chat.turn import TurnView
from app.ui.screen_reader import forget_focus, tell_focus
from app.ui.text.keyboard_walk import is_plain

READ_ROLES = {
    QAccessible.Role.Heading,
    QAccessible.Role.Paragraph,
    QAccessible.Role.ListItem,
    QAccessible.Role.BlockQuote,
    QAccessible.Role.Table,
    QAccessible.Role.Row,
}
"""Roles of what is read as a whole; links and cells are in it, and rows follow their table."""
STEPS = {Qt.Key.Key_Down: 1, Qt.Key.Key_Up: -1}
CELL_STEPS = {Qt.Key.Key_Right: 1, Qt.Key.Key_Left: -1}


class PartSteps(QObject):
    """Moves what screen readers are told has the keyboard; without one these keys scroll, as everywhere."""

    def __init__(self, transcript: ChatTranscript) -> None:
        super().__init__(transcript)
        self._transcript = transcript
        self._turn: TurnView | None = None
        self._at = self._column = -1
        """Number of the part, and of the cell in a row; -1 is the turn or the row as a whole."""
        transcript.maker.key_pressed.connect(self._on_key)
        QApplication.instance().focusChanged.connect(self._on_focus_changed)  # type: ignore[union-attr]

    def _on_focus_changed(self) -> None:
        self._turn, self._at, self._column = None, -1, -1
        forget_focus()

    def _on_key(self, event: QKeyEvent) -> None:
        """Go a part on for Down or back for Up, in a row a cell on for Right or back for Left; accept only these."""
        key, turn = Qt.Key(event.key()), QApplication.focusWidget()
        if not QAccessible.isActive() or not is_plain(event) or not isinstance(turn, TurnView):
            return
        parts = list(read_parts(turn))
        if key in STEPS:
            step = STEPS[key]
            self._at = min(max(self._at + step, -1) if turn is self._turn else max(step - 1, -1), len(parts) - 1)
            self._turn = turn
        elif key in CELL_STEPS and turn is self._turn and self._cells(parts):
            step = CELL_STEPS[key] * (-1 if is_mirrored(self._cells(parts)) else 1)
            self._column = min(max(self._column + step, -1), len(self._cells(parts)) - 1)
        else:
            return
        event.accept()
        cells = self._cells(parts)
        self._column = min(self._column, len(cells) - 1)
        part = parts[self._at] if self._at >= 0 else QAccessible.queryAccessibleInterface(turn)
        part = cells[self._column] if self._column >= 0 else part
        tell_focus(part)
        place = self._transcript.column.mapFromGlobal(part.rect().center())
        self._transcript.ensureVisible(
            place.x(), place.y(), 0, part.rect().height() // 2 + self._transcript.theme.px(40)
        )

    def _cells(self, parts: list[QAccessibleInterface]) -> list[QAccessibleInterface]:
        """Return the cells of the row that is read; none of anything else."""
        part = parts[self._at] if 0 <= self._at < len(parts) else None
        is_row = part is not None and part.role() == QAccessible.Role.Row
        return [part.child(number) for number in range(part.childCount())] if part is not None and is_row else []


def is_mirrored(cells: list[QAccessibleInterface]) -> bool:
    """Return whether a row begins at its right end."""
    return cells[0].rect().x() > cells[-1].rect().x()


def read_parts(turn: TurnView) -> Iterator[QAccessibleInterface]:
    """Yield what is read of a turn, in its order: headings, paragraphs, items, rows of tables, lines of code."""
    waiting = [QAccessible.queryAccessibleInterface(turn)]
    while waiting:
        node = waiting.pop()
        if node.state().invisible:
            continue
        if node.role() in READ_ROLES:
            yield node
        if node.role() in READ_ROLES - {QAccessible.Role.Table}:
            continue
        children = (node.child(number) for number in range(node.childCount()))
        waiting += reversed([child for child in children if child is not None])
