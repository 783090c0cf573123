"""Markdown that is as high as its text, for pages that scroll as a whole."""

from __future__ import annotations

from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QWidget

from app.ui.text.links import ask_to_open
from app.ui.text.text_body import MessageBody
from app.ui.theme import Theme


class MarkdownCard(QWidget):
    """Body of Markdown with its own height; a column narrower than the card stands at its beginning."""

    most_px: int | None = None
    """The widest that lines may be, as a design size; None takes the whole width."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self.body = MessageBody(theme, self)
        self.body.link_clicked.connect(self.open_link)
        self.body.fold_toggled.connect(self._arrange)
        theme.changed.connect(self._arrange_again)

    def open_link(self, href: str) -> None:
        """Show the whole address before the browser opens it."""
        ask_to_open(href, self)

    def _arrange(self, *, is_again: bool = False) -> None:
        width = self.width() if self.most_px is None else min(self.width(), self._theme.px(self.most_px))
        height = self.body.arrange(width, is_again=is_again)
        x = self.width() - width if self.isRightToLeft() else 0
        self.body.setGeometry(x, 0, width, height)
        self.setFixedHeight(height)

    def _arrange_again(self) -> None:
        self._arrange(is_again=True)

    def resizeEvent(self, event: QResizeEvent) -> None:
        # A new height comes from `_arrange` itself; only another width lays the text out anew.
        if event.size().width() != event.oldSize().width():
            self._arrange()
        super().resizeEvent(event)
