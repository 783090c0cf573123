"""Reading an answer with a screen reader: Down and Up go from part to part of the turn that has the keyboard."""

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
    QAccessible.Role.Row,
}
"""Roles of what is read as a whole; links and cells are in it."""


class PartSteps(QObject):
    """Moves what screen readers are told has the keyboard; without one these keys scroll, as everywhere."""

    def __init__(self, transcript: ChatTranscript) -> None:
        super().__init__(transcript)
        self._transcript = transcript
        self._turn: TurnView | None = None
        self._at = -1
        """Number of the part; -1 is the turn as a whole."""
        transcript.maker.key_pressed.connect(self._on_key)
        QApplication.instance().focusChanged.connect(self._on_focus_changed)  # type: ignore[union-attr]

    def _on_focus_changed(self) -> None:
        self._turn, self._at = None, -1
        forget_focus()

    def _on_key(self, event: QKeyEvent) -> None:
        """Go a part on for Down or back for Up, accepting only these."""
        step = {Qt.Key.Key_Down: 1, Qt.Key.Key_Up: -1}.get(Qt.Key(event.key()), 0)
        turn = QApplication.focusWidget()
        if not QAccessible.isActive() or not step or not is_plain(event) or not isinstance(turn, TurnView):
            return
        event.accept()
        parts = list(read_parts(turn))
        self._at = min(max(self._at + step, -1) if turn is self._turn else max(step - 1, -1), len(parts) - 1)
        self._turn = turn
        part = parts[self._at] if self._at >= 0 else QAccessible.queryAccessibleInterface(turn)
        tell_focus(part)
        place = self._transcript.column.mapFromGlobal(part.rect().center())
        self._transcript.ensureVisible(
            place.x(), place.y(), 0, part.rect().height() // 2 + self._transcript.theme.px(40)
        )


def read_parts(turn: TurnView) -> Iterator[QAccessibleInterface]:
    """Yield what is read of a turn, in its order: headings, paragraphs, items, rows of tables, lines of code."""
    waiting = [QAccessible.queryAccessibleInterface(turn)]
    while waiting:
        node = waiting.pop()
        if node.state().invisible:
            continue
        if node.role() in READ_ROLES:
            yield node
            continue
        children = (node.child(number) for number in range(node.childCount()))
        waiting += reversed([child for child in children if child is not None])
