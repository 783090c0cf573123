"""The README of a repository as text: characters only, nothing is fetched, a link opens after it was shown whole."""

from __future__ import annotations

from PySide6.QtCore import QTimer
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QWidget

from app.ui.models.card_text import readable
from app.ui.shell.i18n import tr
from app.ui.text.body import Body
from app.ui.text.links import ask_to_open
from app.ui.text.markdown import Block, read
from app.ui.theme import Theme

BLOCKS_A_TURN = 12
MEASURE_PX = 700


def read_card(card: str) -> list[Block]:
    """The blocks to show; takes a while for a long card, so it is called on a thread of its own."""
    text, is_long = readable(card)
    blocks = read(text)
    return [*blocks, *read(tr("*The card goes on; its page on the Hub has all of it.*"))] if is_long else blocks


class CardView(QWidget):
    """As high as its text. Long cards are written in turns, so that the window is never away for long."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._blocks: list[Block] = []
        self._shown = 0
        self._revision = 0
        self.setAccessibleName(tr("Card"))
        self.body = Body(theme, self)
        self.body.link_clicked.connect(lambda href: ask_to_open(href, self))
        self.body.fold_toggled.connect(self._arrange)
        self._later = QTimer(self, singleShot=True, interval=0)
        self._later.timeout.connect(self._show_more)
        theme.changed.connect(lambda: self._arrange(is_again=True))

    @property
    def is_complete(self) -> bool:
        """Whether everything is shown."""
        return self._shown >= len(self._blocks)

    def show_blocks(self, blocks: list[Block]) -> None:
        """Shows a card that has been read; an empty list empties the view."""
        self._blocks, self._shown = blocks, 0
        self._revision += 1
        self._show_more()

    def _show_more(self) -> None:
        self._shown = min(self._shown + BLOCKS_A_TURN, len(self._blocks))
        self.body.set_blocks(self._blocks[: self._shown], [], self._revision)
        self._arrange()
        if not self.is_complete:
            self._later.start()

    def _arrange(self, *, is_again: bool = False) -> None:
        width = min(self.width(), self._theme.px(MEASURE_PX))
        height = self.body.arrange(width, is_again=is_again)
        x = self.width() - width if self.isRightToLeft() else 0
        self.body.setGeometry(x, 0, width, height)
        self.setFixedHeight(height)

    def resizeEvent(self, event: QResizeEvent) -> None:
        if event.size().width() != event.oldSize().width():
            self._arrange()
        super().resizeEvent(event)
