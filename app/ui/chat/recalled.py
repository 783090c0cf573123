"""The line below a question that says which forgotten turns were shown to the model with it; it opens to them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QRect, Qt, Signal
from PySide6.QtWidgets import QPushButton, QVBoxLayout, QWidget

from app.core.events import Role
from app.store.conversations import StoredMessage
from app.ui.i18n import tr
from app.ui.theme import Theme
from app.ui.widgets.buttons import text_button
from app.ui.widgets.labels import plain_tip

GAP_PX = 4
CARET_PX = 13
WIDEST = 0.8
"""Of the width, as the bubble."""
MOST_CHARACTERS = 200


@dataclass(frozen=True)
class RecalledTurn:
    """The first message that was shown of a turn, and its beginning in one line."""

    message_id: int
    words: str


def turns_of(recalled: Sequence[StoredMessage]) -> list[RecalledTurn]:
    """The turns that messages are of, each by its question where that is among them."""
    found: list[RecalledTurn] = []
    for one in recalled:
        words = " ".join(one.text[: 4 * MOST_CHARACTERS].split())[:MOST_CHARACTERS]
        if one.role is Role.USER:
            found.append(RecalledTurn(one.id, tr("You: {words}", words=words)))
        elif not found or one.parent_id != found[-1].message_id:
            found.append(RecalledTurn(one.id, tr("Answer: {words}", words=words)))
    return found


class RecalledLine(QWidget):
    """Hidden where nothing was shown again. Closed until somebody opens it."""

    resized = Signal()
    message_wanted = Signal(int)
    """The person wants to see this message where it stands."""

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self._theme = theme
        self._turns: list[RecalledTurn] = []
        self._rows: list[QPushButton] = []
        self._line: QPushButton = text_button("", "quiet", self)
        self._line.setObjectName("recalled")
        self._line.setCheckable(True)
        self._line.toggled.connect(self._on_toggled)
        self._column = QVBoxLayout(self)
        self._column.setSpacing(0)
        self._column.addWidget(self._line, 0, Qt.AlignmentFlag.AlignTrailing)
        theme.dress(self._column, margins=(0, GAP_PX, 0, 0))
        theme.dress(self._line, font=(13, 500))
        theme.changed.connect(self._update)
        self.hide()

    @property
    def opener(self) -> QPushButton:
        """The line itself."""
        return self._line

    @property
    def is_open(self) -> bool:
        return self._line.isChecked()

    def show_turns(self, turns: Sequence[RecalledTurn]) -> bool:
        """Which turns were shown again; whether these are others than before."""
        if list(turns) == self._turns:
            return False
        self._turns = list(turns)
        if self.is_open:
            self._line.setChecked(False)
        self._update()
        self.setVisible(bool(turns))
        return True

    def place(self, width: int, top: int) -> int:
        """Below the bubble; returns where it ends."""
        if not self._turns:
            return top
        for row, turn in zip(self._rows, self._turns, strict=False):  # closed there are no rows
            room = int(width * WIDEST) - self._theme.px(24)
            row.setText(row.fontMetrics().elidedText(turn.words, Qt.TextElideMode.ElideRight, room).replace("&", "&&"))
        self._column.invalidate()
        height = self._column.totalSizeHint().height()
        self.setGeometry(QRect(0, top, width, height))
        return top + height

    def _on_toggled(self, is_open: bool) -> None:
        for row in self._rows:
            self._column.removeWidget(row)
            row.hide()
            row.deleteLater()
        self._rows = [self._row(turn) for turn in self._turns] if is_open else []
        self._update()
        self.resized.emit()

    def _row(self, turn: RecalledTurn) -> QPushButton:
        row = text_button("", "link", self)
        row.setObjectName("recalled_turn")
        row.setAccessibleName(turn.words)
        row.setAccessibleDescription(tr("Shows it where it stands"))
        row.setToolTip(plain_tip(turn.words))
        row.clicked.connect(lambda _=False: self.message_wanted.emit(turn.message_id))
        self._theme.dress(row, font=(13, 400))
        self._column.addWidget(row, 0, Qt.AlignmentFlag.AlignTrailing)
        row.show()
        return row

    def _update(self) -> None:
        count = len(self._turns)
        words = tr("{count} earlier turns were shown again", count=count)
        self._line.setText(tr("1 earlier turn was shown again") if count == 1 else words)
        self._line.setAccessibleName(self._line.text())
        self._line.setAccessibleDescription(tr("Hides them") if self.is_open else tr("Shows which"))
        self._line.setToolTip(tr("The model had forgotten them; this question is about them."))
        closed = "caret-left" if self.isRightToLeft() else "caret-right"
        self._theme.dress(self._line, glyph=("caret-down" if self.is_open else closed, "muted", CARET_PX))
