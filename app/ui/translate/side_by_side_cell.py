"""One text laid out in a width: how high it is, what is where in it, and its drawing."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QTextCharFormat, QTextLayout, QTextOption

from app.language.scripts import is_right_to_left
from app.ui.translate.side_by_side_text import Written, from_units, units


class Cell:
    """`is_rtl` None: as its first letter says; `is_at_right` whatever it is. Positions are characters of Python."""

    def __init__(
        self,
        written: Written,
        width_px: float,
        pitch_px: float,
        *,
        is_rtl: bool | None = None,
        is_at_right: bool = False,
    ) -> None:
        self.written = written
        self._layout = QTextLayout(written.text, written.font)
        self._layout.setFormats(written.formats)
        option = QTextOption()
        option.setWrapMode(QTextOption.WrapMode.WrapAtWordBoundaryOrAnywhere)
        runs_left = is_right_to_left(written.text) if is_rtl is None else is_rtl
        option.setTextDirection(Qt.LayoutDirection.RightToLeft if runs_left else Qt.LayoutDirection.LeftToRight)
        side = Qt.AlignmentFlag.AlignRight if runs_left or is_at_right else Qt.AlignmentFlag.AlignLeft
        option.setAlignment(side | Qt.AlignmentFlag.AlignAbsolute)
        self._layout.setTextOption(option)
        self._layout.setCacheEnabled(True)
        self.height_px = self._lay_out(max(1.0, width_px), pitch_px)

    def _lay_out(self, width_px: float, pitch_px: float) -> float:
        top = 0.0
        self._layout.beginLayout()
        while True:
            line = self._layout.createLine()
            if not line.isValid():
                break
            line.setLineWidth(width_px)
            high = max(pitch_px, line.height())
            line.setPosition(QPointF(0, top + (high - line.height()) / 2))
            top += high
        self._layout.endLayout()
        return top

    def paint(self, painter: QPainter, at: QPointF, marked: list[tuple[int, int, str]]) -> None:
        """Draws it; `marked` are stretches with the colour behind them."""
        painter.setPen(QColor(Qt.GlobalColor.black))  # of what has no colour of its own: nothing
        self._layout.draw(painter, at, [self._range(*one) for one in marked])

    def position_at(self, point: QPointF) -> int:
        """The place between two characters that is nearest."""
        count = self._layout.lineCount()
        for number in range(count):
            line = self._layout.lineAt(number)
            if point.y() < line.y() + line.height() or number == count - 1:
                return from_units(self.written.text, line.xToCursor(point.x()))
        return 0

    def rect_of(self, start: int, end: int) -> list[QRectF]:
        """Around the letters of a stretch, one rectangle a line."""
        text = self.written.text
        first, last = units(text[:start]), units(text[:end])
        found = []
        for number in range(self._layout.lineCount()):
            line = self._layout.lineAt(number)
            begin, stop = max(first, line.textStart()), min(last, line.textStart() + line.textLength())
            if begin < stop:
                one, other = line.cursorToX(begin)[0], line.cursorToX(stop)[0]  # type: ignore[index]
                found.append(QRectF(min(one, other), line.y(), abs(other - one), line.height()))
        return found

    def _range(self, start: int, end: int, color: str) -> QTextLayout.FormatRange:
        text = self.written.text
        one = QTextLayout.FormatRange()
        one.start = units(text[:start])
        one.length = units(text[start:end])
        look = QTextCharFormat()
        look.setBackground(QColor(color))
        one.format = look
        return one
