"""Formulas on paper, drawn as vectors at any size."""

from __future__ import annotations

from PySide6.QtCore import QByteArray, QRect, QRectF, QSizeF
from PySide6.QtGui import QFontMetrics, QPainter, QPyTextObject, QTextDocument, QTextFormat
from PySide6.QtSvg import QSvgRenderer

from app.ui.paper.sheets import Sheets
from app.ui.text import formula

SOURCE, COLOUR = QTextFormat.Property.UserProperty.value + 1, QTextFormat.Property.UserProperty.value + 2
FORMULA_TIMES = 1.08
DEEP_EM = 0.6


class PaperFormulas(QPyTextObject):
    """Draw typeset formulas inline at any size, as vectors."""

    def __init__(self, sheets: Sheets) -> None:
        super().__init__()
        self._sheets = sheets
        self._known: dict[tuple[str, str], QSvgRenderer] = {}

    def add_formula(self, source: str, drawing: formula.FormulaDrawing, color: str) -> None:
        """Register an inline formula in a colour, before it is laid out."""
        if (source, color) not in self._known:
            # WORKAROUND: else Qt's PDF engine paints a line around each letter, with a pen that has no brush
            svg = drawing.svg.replace(formula.INK, color).replace("fill=", 'stroke-width="0" fill=')
            self._known[source, color] = QSvgRenderer(QByteArray(svg.encode()))

    def forget(self) -> None:
        """Drop the formulas of the text before, which is painted."""
        self._known.clear()

    def hangs_deep(self, format_: QTextFormat) -> bool:
        """Return whether a formula would come too close to the next line and needs extra space below."""
        _, box, scale = self._measures(format_)
        em = self._sheets.pt(format_.toCharFormat().font().pointSizeF())
        return (box.y() + box.height()) * scale > DEEP_EM * em

    def intrinsicSize(self, _document: QTextDocument, _position: int, format_: QTextFormat) -> QSizeF:
        _, box, scale = self._measures(format_)
        ascent, descent = -box.y() * scale, (box.y() + box.height()) * scale
        if not self.hangs_deep(format_):
            return QSizeF(box.width() * scale, ascent)  # the part below the line has room there
        x_height = self._x_height(format_)
        return QSizeF(box.width() * scale, max(2 * ascent - x_height / 2, 2 * descent + x_height / 2))

    def drawObject(
        self, painter: QPainter, rect: QRectF | QRect, _document: QTextDocument, _position: int, format_: QTextFormat
    ) -> None:
        drawn, box, scale = self._measures(format_)
        top = rect.y()
        if self.hangs_deep(format_):
            top += rect.height() / 2 + self._x_height(format_) / 4 + box.y() * scale
        drawn.render(painter, QRectF(rect.x(), top, box.width() * scale, box.height() * scale))

    def _measures(self, format_: QTextFormat) -> tuple[QSvgRenderer, QRectF, float]:
        """Return a formula's renderer, its box around the baseline, and its scale."""
        drawn = self._known[str(format_.property(SOURCE)), str(format_.property(COLOUR))]
        box, font = drawn.viewBoxF(), format_.toCharFormat().font()
        scale = self._sheets.pt(font.pointSizeF() * FORMULA_TIMES) / formula.DRAWN_PX
        room = self._sheets.width / max(1.0, box.width()), self._sheets.height / 2 / max(1.0, box.height())
        return drawn, box, min(scale, *room)

    @staticmethod
    def _x_height(format_: QTextFormat) -> float:
        """Return the x-height by which Qt centres inline objects: the screen's, whatever the paper's units."""
        return float(QFontMetrics(format_.toCharFormat().font()).xHeight())
