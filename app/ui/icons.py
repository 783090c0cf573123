"""Phosphor glyphs as icons, rendered from the font at any size and resolution."""

from __future__ import annotations

import re
from functools import cache, lru_cache

from PySide6.QtCore import QByteArray, QPoint, QPointF, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFont, QFontDatabase, QFontMetricsF, QIcon, QIconEngine, QPainter, QPen, QPixmap
from PySide6.QtSvg import QSvgRenderer

from app.core.paths import resource_path

DISABLED_OPACITY = 0.45
WINDOW_SIZES_PX = (16, 32, 64)
AT_WORK, AROUND_IT = "#F0793F", "#FFFFFF"
"""Colours of the mark for running work, visible on any background."""


SIDEBAR = "sidebar"
"""Stands for the one glyph that the shipped version of the font lacks, and that is painted."""


@lru_cache(maxsize=512)
def icon(name: str, color: str, size_px: int = 20) -> QIcon:
    """Return a glyph as an icon in one colour; a small square if the name or font is missing."""
    return QIcon(_GlyphEngine(name, color, size_px))


def glyph(name: str) -> tuple[str, str]:
    """Return a glyph's character and font family, for use in text; a square if it is missing."""
    found, family = _glyph(name), _family()
    return (found, family) if found and family else ("\u25a1", "")


@cache
def left_bearing(name: str, size_px: int) -> float:
    """Return how far from the left of its square a glyph begins."""
    font = QFont(_family())
    font.setPixelSize(size_px)
    return QFontMetricsF(font).tightBoundingRect(_glyph(name)).left() if _glyph(name) else 0.0


class _GlyphEngine(QIconEngine):
    """Icon engine that renders a glyph for each requested size and pixel ratio, so that nothing is scaled."""

    def __init__(self, name: str, color: str, size_px: int) -> None:
        super().__init__()
        self._name, self._color, self._size_px = name, color, size_px
        self._glyph = _glyph(name)
        # A page of a long chat asks for the same glyphs at every paint.
        self._drawn: dict[tuple[int, int, QIcon.Mode], QPixmap] = {}

    def clone(self) -> QIconEngine:
        return _GlyphEngine(self._name, self._color, self._size_px)

    def iconName(self) -> str:
        return self._name

    def actualSize(self, size: QSize, mode: QIcon.Mode, state: QIcon.State) -> QSize:  # noqa: ARG002
        return size if size.isValid() else QSize(self._size_px, self._size_px)

    def pixmap(self, size: QSize, mode: QIcon.Mode, state: QIcon.State) -> QPixmap:
        if size.isEmpty():
            return QPixmap()  # a button without any room
        key = (size.width(), size.height(), mode)
        if (drawn := self._drawn.get(key)) is None:
            drawn = self._drawn[key] = QPixmap(size)
            drawn.fill(Qt.GlobalColor.transparent)
            painter = QPainter(drawn)
            self.paint(painter, QRect(QPoint(0, 0), size), mode, state)
            painter.end()
        return drawn

    def paint(self, painter: QPainter, rect: QRect, mode: QIcon.Mode, state: QIcon.State) -> None:  # noqa: ARG002
        painter.save()
        painter.setRenderHints(QPainter.RenderHint.Antialiasing | QPainter.RenderHint.TextAntialiasing)
        if mode == QIcon.Mode.Disabled:
            painter.setOpacity(DISABLED_OPACITY)
        painter.setPen(QColor(self._color))
        family = _family()
        if self._glyph == SIDEBAR:
            _paint_sidebar(painter, rect.toRectF(), self._color)
        elif self._glyph and family:
            font = QFont(family)
            font.setPixelSize(max(1, min(rect.width(), rect.height())))
            # Hinting would move the thin strokes of small glyphs off their grid.
            font.setHintingPreference(QFont.HintingPreference.PreferNoHinting)
            painter.setFont(font)
            painter.drawText(rect, Qt.AlignmentFlag.AlignCenter, self._glyph)
        else:
            edge = max(2, rect.width() // 4)
            painter.drawRoundedRect(rect.adjusted(edge, edge, -edge, -edge), 2, 2)
        painter.restore()


def _paint_sidebar(painter: QPainter, rect: QRectF, color: str) -> None:
    """Paint Phosphor's later glyph of a window with a column, on its grid of 256."""
    edge = min(rect.width(), rect.height())
    unit, left, top = edge / 256, rect.center().x() - edge / 2, rect.center().y() - edge / 2
    painter.setPen(QPen(QColor(color), 16 * unit))
    painter.drawRoundedRect(QRectF(left + 32 * unit, top + 48 * unit, 192 * unit, 160 * unit), 8 * unit, 8 * unit)
    painter.drawLine(QPointF(left + 88 * unit, top + 48 * unit), QPointF(left + 88 * unit, top + 208 * unit))


@cache
def _glyph(name: str) -> str:
    if name == "sidebar-simple":
        return SIDEBAR
    # Kept as text: a dictionary of all 9,000 names takes ten times as much memory.
    found = re.search(rf'"{re.escape(name)}": *"0x([0-9a-f]+)"', _charmap())
    return chr(int(found[1], 16)) if found else ""


@cache
def _charmap() -> str:
    try:
        return resource_path("icons/phosphor-charmap.json").read_text("utf-8")
    except (OSError, ValueError):
        return ""  # set-up has not run; a drawn fallback is used


@cache
def _family() -> str:
    number = QFontDatabase.addApplicationFont(str(resource_path("icons/phosphor.ttf")))
    families = QFontDatabase.applicationFontFamilies(number) if number >= 0 else []
    return families[0] if families else ""


def app_icon(sizes_px: tuple[int, ...] = WINDOW_SIZES_PX, *, is_at_work: bool = False) -> QIcon:
    """Return the program's icon, rendered from its SVG file for each size."""
    renderer = QSvgRenderer(QByteArray(resource_path("icons/fireside.svg").read_bytes()))
    drawn = QIcon()
    # Drawn in each size, as a scaled bitmap would be blurred.
    for size_px in sizes_px:
        pixmap = QPixmap(size_px, size_px)
        pixmap.fill(Qt.GlobalColor.transparent)
        painter = QPainter(pixmap)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        renderer.render(painter, QRectF(0, 0, size_px, size_px))
        if is_at_work:
            _paint_dot(painter, size_px)
        painter.end()
        drawn.addPixmap(pixmap)
    return drawn


def _paint_dot(painter: QPainter, size_px: int) -> None:
    radius = size_px * 0.2
    middle = QPointF(size_px * 0.78, size_px * 0.78)
    painter.setPen(Qt.PenStyle.NoPen)
    for colour, edge in ((AROUND_IT, radius * 1.3), (AT_WORK, radius)):
        painter.setBrush(QColor(colour))
        painter.drawEllipse(middle, edge, edge)
