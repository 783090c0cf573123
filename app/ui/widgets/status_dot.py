"""A small round dot in a colour of the theme; the word beside it says the same."""

from __future__ import annotations

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent
from PySide6.QtWidgets import QWidget

from app.ui.theme import Theme


class StatusDot(QWidget):
    """Filled, or a ring for something that is not there."""

    def __init__(self, theme: Theme, token: str = "muted", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme, self._token, self._filled = theme, token, True
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        theme.changed.connect(self._on_theme_changed)
        self._on_theme_changed()

    def show_state(self, token: str, *, filled: bool = True) -> None:
        """The colour's name, and whether the dot is full."""
        self._token, self._filled = token, filled
        self.update()

    def _on_theme_changed(self) -> None:
        self.setFixedSize(QSize(self._theme.px(8), self._theme.px(8)))
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: ARG002
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        color = QColor(getattr(self._theme.tokens, self._token))
        inside = QRectF(self.rect()).adjusted(1, 1, -1, -1)
        painter.setPen(color)
        if self._filled:
            painter.setBrush(color)
        painter.drawEllipse(inside)
