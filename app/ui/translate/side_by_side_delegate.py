"""Draws one cell of the table: its text, what is selected or found in it, and the flags below."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject, QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPen
from PySide6.QtWidgets import QStyledItemDelegate, QStyleOptionViewItem

from app.ui.theme import Theme
from app.ui.translate.side_by_side_model import SOURCE, Index
from app.ui.translate.side_by_side_rows import EDGE_PX, LaidRow, Link, Rows

Marked = Callable[[int, int], list[tuple[int, int, str]]]
"""Row and column: stretches of the text with the colour behind them."""


class CellDelegate(QStyledItemDelegate):
    """Draws what `Rows` laid out. `hovered` and `chosen` are links that look so."""

    def __init__(self, theme: Theme, rows: Rows, marked: Marked, parent: QObject) -> None:
        super().__init__(parent)
        self._theme, self._rows, self._marked = theme, rows, marked
        self.edited = -1
        """The row whose translation is in an editor."""
        self.hovered: tuple[int, Link] | None = None
        self.chosen: tuple[int, Link] | None = None

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        rect, number = option.rect, index.row()
        laid = self._rows.row(number)
        origin = QPointF(rect.left() + self._theme.px(EDGE_PX), rect.top() + laid.top_px)
        painter.save()
        painter.setClipRect(rect)
        if index.column() == SOURCE:
            laid.source.paint(painter, origin, self._marked(number, index.column()))
        elif number != self.edited:
            laid.target.paint(painter, origin, self._marked(number, index.column()))
            self._paint_flags(painter, origin, number, laid)
        painter.restore()

    def _paint_flags(self, painter: QPainter, origin: QPointF, number: int, laid: LaidRow) -> None:
        top = origin + QPointF(0, laid.target.height_px)
        for line in laid.flags:
            line.cell.paint(painter, top, [])
            for link in line.links:
                rects = [one.translated(top) for one in line.cell.rect_of(link.start, link.end)]
                if (number, link) == self.chosen:
                    self._paint_ring(painter, rects)
                elif (number, link) == self.hovered:
                    self._paint_underline(painter, rects)
            top += QPointF(0, line.cell.height_px)

    def _paint_ring(self, painter: QPainter, rects: list[QRectF]) -> None:
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(QColor(self._theme.tokens.focus), 1.5))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        px = self._theme.px
        for rect in rects:
            painter.drawRoundedRect(rect.adjusted(-px(3), 0, px(3), 0), px(4), px(4))

    def _paint_underline(self, painter: QPainter, rects: list[QRectF]) -> None:
        painter.setPen(QPen(QColor(self._theme.tokens.warning), 1))
        for rect in rects:
            painter.drawLine(rect.bottomLeft(), rect.bottomRight())
