"""How the room on a disk is divided: a bar of tones, and the swatch of one tone for the row that it belongs to."""

from __future__ import annotations

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPainterPath, QPaintEvent
from PySide6.QtWidgets import QWidget

from app.ui.theme import Theme

TONES = (0.9, 0.7, 0.54, 0.4, 0.29, 0.2)
"""How much of the text's colour each part has; the disk's free room has the line's."""
LEAST_PX = 3


def tone(theme: Theme, number: int) -> QColor:
    """The colour of a part."""
    share = TONES[number]
    over, under = QColor(theme.tokens.text), QColor(theme.tokens.surface)
    return QColor(
        round(over.red() * share + under.red() * (1 - share)),
        round(over.green() * share + under.green() * (1 - share)),
        round(over.blue() * share + under.blue() * (1 - share)),
    )


class SpaceBar(QWidget):
    """Parts in bytes from the leading edge, then what is free."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._parts: list[int] = []
        self._free = 0
        theme.changed.connect(self._on_theme_changed)
        self._on_theme_changed()

    def show_parts(self, parts: list[int], free_bytes: int) -> None:
        """At most as many parts as there are tones."""
        self._parts, self._free = parts, free_bytes
        self.update()

    def _on_theme_changed(self) -> None:
        self.setFixedHeight(self._theme.px(10))
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: ARG002
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        path = QPainterPath()
        path.addRoundedRect(QRectF(self.rect()), self.height() / 2, self.height() / 2)
        painter.setClipPath(path)
        painter.fillRect(self.rect(), QColor(self._theme.tokens.line))
        whole = sum(self._parts) + self._free
        mirrored = self.layoutDirection() == Qt.LayoutDirection.RightToLeft
        x = 0.0
        for number, size in enumerate(self._parts):
            if not size or not whole:
                continue
            wide = max(self._theme.px(LEAST_PX), self.width() * size / whole)
            left = self.width() - x - wide if mirrored else x
            painter.fillRect(QRectF(left, 0, wide, self.height()), tone(self._theme, number))
            x += wide


class Swatch(QWidget):
    """A small square in the tone of a part."""

    def __init__(self, theme: Theme, number: int) -> None:
        super().__init__()
        self._theme, self._number = theme, number
        theme.changed.connect(self._on_theme_changed)
        self._on_theme_changed()

    def _on_theme_changed(self) -> None:
        self.setFixedSize(QSize(self._theme.px(10), self._theme.px(10)))
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: ARG002
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(tone(self._theme, self._number))
        painter.drawRoundedRect(QRectF(self.rect()), 2.5, 2.5)
