"""Bar of parts, each as wide as its share of the whole; a reader finds each with its words."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from PySide6.QtCore import QRectF
from PySide6.QtGui import QAccessible, QColor, QPainterPath, QPaintEvent
from PySide6.QtWidgets import QWidget

from app.ui.screen_reader import SpokenPart, read_as
from app.ui.theme import Theme, smooth_painter

BAR_PX, LEAST_PX = 10, 3


class BarPart(NamedTuple):
    """A part of the whole: its size in any unit, and what a reader says of it."""

    size: int
    words: str


class PartsBar(QWidget):
    """Rounded bar of parts, from the leading edge on; what is left keeps the colour of the track.

    `tint` returns the colour of a part by its number.
    """

    def __init__(self, theme: Theme, name: str, tint: Callable[[int], QColor]) -> None:
        super().__init__()
        self._theme, self._tint = theme, tint
        self._parts: Sequence[BarPart] = ()
        self._whole = 0
        self.setAccessibleName(name)
        read_as(self, QAccessible.Role.List)
        theme.dress(self, height=BAR_PX)

    def show_parts(self, parts: Sequence[BarPart], whole: int) -> None:
        """Replace the parts; `whole` is the size of the bar in their unit."""
        self._parts, self._whole = parts, whole
        self.update()

    def spoken_count(self) -> int:
        return len(self._parts)

    def spoken_part(self, number: int) -> SpokenPart:
        return SpokenPart(QAccessible.Role.ListItem, self._parts[number].words, self._places()[number].toAlignedRect())

    def _places(self) -> list[QRectF]:
        """Return the rectangle of each part, empty where there is nothing of it."""
        places, x = list[QRectF](), 0.0
        for part in self._parts:
            # However small, what is there is seen.
            share = self.width() * part.size / self._whole if self._whole else 0.0
            wide = max(self._theme.px(LEAST_PX), share) if share else 0.0
            left = self.width() - x - wide if self.isRightToLeft() else x
            places.append(QRectF(left, 0, wide, self.height()))
            x += wide
        return places

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = smooth_painter(self)
        path = QPainterPath()
        path.addRoundedRect(QRectF(self.rect()), self.height() / 2, self.height() / 2)
        painter.setClipPath(path)
        painter.fillRect(self.rect(), QColor(self._theme.tokens.line))
        for number, place in enumerate(self._places()):
            if not place.isEmpty():
                painter.fillRect(place, self._tint(number))
