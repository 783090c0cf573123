"""What lies behind and beside the words of statements: boxes, signs, bullets, chips, the keyboard's ring."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QPainter, QPainterPath, QPen, QTextBlock, QTextLine

from app.ui.summarize.statement_text import MARGIN_PX, TEXT_PX, Stretch
from app.ui.theme import Theme

if TYPE_CHECKING:
    from app.ui.summarize.statement_view import StatementView


class StatementPaint:
    """Only what is in view is looked at, so that hundreds of statements scroll as few do."""

    def __init__(self, view: StatementView, theme: Theme) -> None:
        self._view, self._theme = view, theme
        self._hovered: tuple[int, int] | None = None

    def hover(self, chip: tuple[int, int] | None) -> None:
        """The pointer is over this chip of this statement."""
        if chip != self._hovered:
            self._hovered = chip
            self._view.viewport().update()

    def paint(self, area: QRectF) -> None:
        """Everything that lies behind the words in this part of the viewport."""
        view = self._view
        painter = QPainter(view.viewport())
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        has_keys = view.hasFocus()
        for number in range(max(0, view.number_at(area.topLeft()) - 1), len(view.stretches)):
            stretch = view.stretches[number]
            box = self._box_of(stretch)
            if box.top() > area.bottom():
                break
            if stretch.told.is_flagged:
                self._paint_flag(painter, stretch, box)
            if stretch.is_marked:
                self._paint_sign(painter, stretch)
            self._paint_chips(painter, number, stretch, is_current=has_keys and number == view.current)
            if has_keys and number == view.current:
                self._paint_ring(painter, stretch, box)
        painter.end()

    def rect_of(self, stretch: Stretch) -> QRectF:
        """Around a statement's lines."""
        rects = [rect for _, rect in self._lines(stretch.start, stretch.end)]
        around = QRectF()
        for rect in rects:
            around = around.united(rect)
        if not stretch.is_inline:
            around.setLeft(0)
            around.setRight(self._view.viewport().width())
        return around

    def chip_rect(self, stretch: Stretch, place: int) -> QRectF:
        """Around a chip."""
        start, end = stretch.chips[place]
        _, rect = next(self._lines(start, end), (None, QRectF()))
        px = self._theme.px
        return rect.adjusted(0, -px(0.5), 0, px(1.5))

    def _box_of(self, stretch: Stretch) -> QRectF:
        side, high = (self._theme.px(3), self._theme.px(2)) if stretch.is_inline else (0, self._theme.px(8))
        return self.rect_of(stretch).adjusted(-side, -high, side, high)

    def _paint_flag(self, painter: QPainter, stretch: Stretch, box: QRectF) -> None:
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(self._theme.tokens.bubble))
        px = self._theme.px
        if not stretch.is_inline:
            painter.drawRoundedRect(box, px(8), px(8))
            return
        for _, rect in self._lines(stretch.start, stretch.end):
            painter.drawRoundedRect(rect.adjusted(-px(2), -px(2), px(2), px(3)), px(4), px(4))

    def _paint_ring(self, painter: QPainter, stretch: Stretch, box: QRectF) -> None:
        """Where the keyboard is."""
        px, path = self._theme.px, QPainterPath()
        if stretch.is_inline:
            for _, rect in self._lines(stretch.start, stretch.end):
                path.addRect(rect.adjusted(-px(2), -px(4), px(2), px(5)))
            path = path.simplified()
        else:
            path.addRoundedRect(box.adjusted(1, 1, -1, -1), px(8), px(8))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(QPen(QColor(self._theme.tokens.focus), 1))
        painter.drawPath(path)

    def _paint_sign(self, painter: QPainter, stretch: Stretch) -> None:
        """A bullet, or an exclamation mark where something is not as its page has it."""
        line, rect = next(self._lines(stretch.start, stretch.start + 1), (None, QRectF()))
        if line is None:
            return
        px, tokens = self._theme.px, self._theme.tokens
        edge = self._view.viewport().width() - px(MARGIN_PX) if stretch.is_right_to_left else 0
        middle = edge + px(MARGIN_PX) / 2 - (-px(2) if stretch.is_right_to_left else px(2))
        if stretch.told.is_flagged:
            painter.setFont(self._theme.font(TEXT_PX, 700))
            painter.setPen(QColor(tokens.warning))
            room = QRectF(middle - px(MARGIN_PX) / 2, rect.top(), px(MARGIN_PX), rect.height())
            painter.drawText(room, Qt.AlignmentFlag.AlignCenter, "!")
        else:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(tokens.muted))
            size = px(2.5)
            painter.drawEllipse(QPointF(middle, rect.center().y() + px(1)), size, size)

    def _paint_chips(self, painter: QPainter, number: int, stretch: Stretch, *, is_current: bool) -> None:
        tokens, px = self._theme.tokens, self._theme.px
        for place in range(len(stretch.chips)):
            rect = self.chip_rect(stretch, place)
            is_held = is_current and place == self._view.chip
            painter.setBrush(QColor(tokens.chip))
            if is_held:
                painter.setPen(QPen(QColor(tokens.focus), 2))
            elif (number, place) in (self._hovered, self._view.open_chip):
                painter.setPen(QPen(QColor(tokens.accent), 1))
            else:
                painter.setPen(Qt.PenStyle.NoPen)
            painter.drawRoundedRect(rect, px(4), px(4))

    def _lines(self, start: int, end: int) -> Iterator[tuple[QTextLine, QRectF]]:
        """The lines that a stretch of the text covers, each with the rectangle of its covered letters."""
        document = self._view.document()
        layout = document.documentLayout()
        metrics = QFontMetricsF(self._theme.font(TEXT_PX))
        up = self._view.verticalScrollBar().value()
        block = document.findBlock(start)
        while block.isValid() and block.position() < end:
            origin = layout.blockBoundingRect(block).topLeft()
            yield from self._lines_of(block, start, end, QPointF(origin.x(), origin.y() - up), metrics)
            block = block.next()

    @staticmethod
    def _lines_of(
        block: QTextBlock, start: int, end: int, origin: QPointF, metrics: QFontMetricsF
    ) -> Iterator[tuple[QTextLine, QRectF]]:
        text = block.layout()
        first, last = max(0, start - block.position()), min(end - block.position(), block.length() - 1)
        for number in range(text.lineCount()):
            line = text.lineAt(number)
            begin, stop = max(first, line.textStart()), min(last, line.textStart() + line.textLength())
            if begin >= stop:
                continue
            one, other = line.cursorToX(begin)[0], line.cursorToX(stop)[0]  # type: ignore[index]
            base = origin.y() + line.y() + line.ascent()
            left = origin.x() + min(one, other)
            yield line, QRectF(left, base - metrics.ascent(), abs(other - one), metrics.ascent() + metrics.descent())
