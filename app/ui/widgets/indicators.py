"""How something is or how far it has come, at a glance: a dot and a thin line."""

from __future__ import annotations

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent
from PySide6.QtWidgets import QProgressBar, QWidget

from app.ui.theme import Theme


class StatusDot(QWidget):
    """Filled, or a ring for something that is not there."""

    def __init__(self, theme: Theme, token: str = "muted", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme, self._token, self._filled = theme, token, True
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        theme.dress(self, size=(8, 8))

    def show_state(self, token: str, *, filled: bool = True) -> None:
        """The colour's name, and whether the dot is full."""
        self._token, self._filled = token, filled
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


# A thin line that fills: how far something is; for screen readers a progress bar with its percent.


STEPS = 1000


class ProgressLine(QProgressBar):
    """Drawn in the muted tone, without a text: the words beside it hold the numbers."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self.setRange(0, STEPS)
        self.setTextVisible(False)
        theme.dress(self, height=12)

    def show_share(self, done: int, total: int) -> None:
        """How much of the whole is there."""
        self.setValue(min(STEPS, done * STEPS // total) if total > 0 else 0)

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: ARG002
        tokens = self._theme.tokens
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        high = self._theme.px(6)
        track = QRectF(0, self.height() - high, self.width(), high)
        painter.setBrush(QColor(tokens.line))
        painter.drawRoundedRect(track, high / 2, high / 2)
        wide = track.width() * self.value() / STEPS
        if self.value() == 0:
            return
        filled = QRectF(track.left(), track.top(), max(wide, high), high)
        if self.layoutDirection() == Qt.LayoutDirection.RightToLeft:
            filled.moveRight(track.right())
        painter.setBrush(QColor(tokens.muted))
        painter.drawRoundedRect(filled, high / 2, high / 2)
