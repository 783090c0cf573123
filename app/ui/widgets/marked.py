"""A few lines of plain text with some words marked, painted where a row has its place for them."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QPointF, QRect, Qt
from PySide6.QtGui import QColor, QFont, QPainter, QTextCharFormat, QTextLayout, QTextOption

from app.language.names import is_right_to_left
from app.ui.theme import Tokens

Marks = Sequence[tuple[int, int]]


def paint_marked(
    painter: QPainter,
    room: QRect,
    text: str,
    marks: Marks,
    *,
    colour: str,
    tokens: Tokens,
    is_mirrored: bool,
    lines: int = 1,
) -> None:
    """In the painter's font, from the top of `room` on, shortened where the lines end; `marks` count characters."""
    layout = _laid_out(text, marks, painter.font(), room.width(), tokens=tokens, is_mirrored=is_mirrored)
    if layout.lineCount() > lines:
        last = layout.lineAt(lines - 1)
        shown = _units_cut(text, last.textStart() + last.textLength())
        while shown:
            shown = shown[:-1].rstrip()
            inside = [(start, min(end, len(shown))) for start, end in marks if start < len(shown)]
            layout = _laid_out(
                f"{shown}…", inside, painter.font(), room.width(), tokens=tokens, is_mirrored=is_mirrored
            )
            if layout.lineCount() <= lines:
                break
    painter.setPen(QColor(colour))
    layout.draw(painter, QPointF(room.topLeft()))


def _laid_out(text: str, marks: Marks, font: QFont, width: int, *, tokens: Tokens, is_mirrored: bool) -> QTextLayout:
    layout = QTextLayout(text, font)
    side = Qt.AlignmentFlag.AlignRight if is_mirrored else Qt.AlignmentFlag.AlignLeft
    option = QTextOption(side | Qt.AlignmentFlag.AlignAbsolute)
    is_right = is_right_to_left(text)
    option.setTextDirection(Qt.LayoutDirection.RightToLeft if is_right else Qt.LayoutDirection.LeftToRight)
    option.setWrapMode(QTextOption.WrapMode.WrapAtWordBoundaryOrAnywhere)
    layout.setTextOption(option)
    formats = []
    for start, end in marks:
        one = QTextLayout.FormatRange()
        one.start, one.length = _units(text[:start]), _units(text[start:end])
        look = QTextCharFormat()
        look.setBackground(QColor(tokens.mark))
        look.setForeground(QColor(tokens.text))
        one.format = look
        formats.append(one)
    layout.setFormats(formats)
    layout.beginLayout()
    y = 0.0
    while (line := layout.createLine()).isValid():
        line.setLineWidth(width)
        line.setPosition(QPointF(0, y))
        y += line.height()
    layout.endLayout()
    return layout


def _units(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode("utf-16-le", "surrogatepass")) // 2


def _units_cut(text: str, units: int) -> str:
    return text.encode("utf-16-le", "surrogatepass")[: 2 * units].decode("utf-16-le", "ignore")
