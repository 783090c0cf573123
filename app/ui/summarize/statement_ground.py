"""Geometry of statements and chips, and what is painted behind the words: frames, signs, bullets, chips."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator

from PySide6.QtCore import QEvent, QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QMouseEvent, QPainter, QPainterPath, QPaintEvent, QPen, QTextLine
from PySide6.QtWidgets import QTextEdit, QWidget

from app.ui.focus_ring import has_ring
from app.ui.summarize.statement_text import MARGIN_PX, TEXT_PX, StatementRange
from app.ui.text.line_ranges import ranges_by_line
from app.ui.theme import Theme, smooth_painter
from app.ui.widgets.labels import plain_tip


class StatementGround:
    """Paint frames, chips and bullets behind the text, in viewport coordinates."""

    def __init__(self, view: StatementEdit, theme: Theme) -> None:
        self._view, self._theme = view, theme
        self._hovered: tuple[int, int] | None = None

    def hover(self, chip: tuple[int, int] | None) -> None:
        """Set the chip under the pointer, as (statement, chip), or None."""
        if chip != self._hovered:
            self._hovered = chip
            self._view.viewport().update()

    def paint(self, area: QRectF) -> None:
        """Paint chips, bullets and frames inside `area` of the viewport."""
        view = self._view
        painter = smooth_painter(view.viewport())
        has_keys = has_ring(view)
        # The frame of the statement before may reach into the area.
        for number in range(max(0, self.number_at(area.topLeft()) - 1), len(view.ranges)):
            statement_range = view.ranges[number]
            box = self._box_of(statement_range)
            # Only what is visible, so that hundreds of statements scroll as fast as a few.
            if box.top() > area.bottom():
                break
            if statement_range.shown.is_flagged:
                self._paint_flag(painter, statement_range, box)
            if statement_range.is_marked:
                self._paint_sign(painter, statement_range)
            self._paint_chips(painter, number, statement_range, is_current=has_keys and number == view.current)
            if has_keys and number == view.current:
                self._paint_ring(painter, statement_range, box)
        painter.end()

    def statement_rect(self, number: int) -> QRectF:
        return self.rect_of(self._view.ranges[number])

    def chip_rect(self, number: int, chip: int) -> QRectF:
        return self._chip(self._view.ranges[number], chip)

    def chip_at(self, point: QPointF) -> tuple[int, int] | None:
        """Return the numbers of statement and chip at a point, or None."""
        last = self.number_at(point)
        # The nearest cursor position may be in the statement that begins behind the chip.
        for number in range(max(0, last - 1), last + 1):
            for place in range(len(self._view.ranges[number].chips)):
                if self.chip_rect(number, place).contains(point):
                    return number, place
        return None

    def number_at(self, point: QPointF) -> int:
        """Return the last statement that begins at or before a point; -1 if there is none."""
        position = self._view.cursorForPosition(point.toPoint()).position()
        return bisect_right(self._view.ranges, position, key=lambda statement_range: statement_range.start) - 1

    def rect_of(self, statement_range: StatementRange) -> QRectF:
        """Return the bounding rectangle of a statement's lines; items take the full width."""
        rects = [rect for _, rect in self._lines(statement_range.start, statement_range.end)]
        around = QRectF()
        for rect in rects:
            around = around.united(rect)
        if not statement_range.is_inline:
            around.setLeft(0)
            around.setRight(self._view.viewport().width())
        return around

    def _chip(self, statement_range: StatementRange, place: int) -> QRectF:
        start, end = statement_range.chips[place]
        # Nothing in a chip can be broken, so it is on one line.
        _, rect = next(self._lines(start, end), (None, QRectF()))
        px = self._theme.px
        return rect.adjusted(0, -px(0.5), 0, px(1.5))

    def _box_of(self, statement_range: StatementRange) -> QRectF:
        side, high = (self._theme.px(3), self._theme.px(2)) if statement_range.is_inline else (0, self._theme.px(8))
        return self.rect_of(statement_range).adjusted(-side, -high, side, high)

    def _paint_flag(self, painter: QPainter, statement_range: StatementRange, box: QRectF) -> None:
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(self._theme.tokens.bubble))
        px = self._theme.px
        if not statement_range.is_inline:
            painter.drawRoundedRect(box, px(8), px(8))
            return
        for _, rect in self._lines(statement_range.start, statement_range.end):
            painter.drawRoundedRect(rect.adjusted(-px(2), -px(2), px(2), px(3)), px(4), px(4))

    def _paint_ring(self, painter: QPainter, statement_range: StatementRange, box: QRectF) -> None:
        """Paint the keyboard focus around a statement or chip."""
        px, path = self._theme.px, QPainterPath()
        if statement_range.is_inline:
            for _, rect in self._lines(statement_range.start, statement_range.end):
                path.addRect(rect.adjusted(-px(2), -px(4), px(2), px(5)))
            # One outline around lines that touch, instead of a frame for each.
            path = path.simplified()
        else:
            path.addRoundedRect(box.adjusted(1, 1, -1, -1), px(8), px(8))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(QPen(QColor(self._theme.tokens.focus), 1))
        painter.drawPath(path)

    def _paint_sign(self, painter: QPainter, statement_range: StatementRange) -> None:
        """Paint a bullet, or an exclamation mark if the statement contradicts its source."""
        line, rect = next(self._lines(statement_range.start, statement_range.start + 1), (None, QRectF()))
        if line is None:
            return
        px, tokens = self._theme.px, self._theme.tokens
        edge = self._view.viewport().width() - px(MARGIN_PX) if statement_range.is_right_to_left else 0
        middle = edge + px(MARGIN_PX) / 2 - (-px(2) if statement_range.is_right_to_left else px(2))
        if statement_range.shown.is_flagged:
            painter.setFont(self._theme.fonts.text(TEXT_PX, 700))
            painter.setPen(QColor(tokens.warning))
            room = QRectF(middle - px(MARGIN_PX) / 2, rect.top(), px(MARGIN_PX), rect.height())
            painter.drawText(room, Qt.AlignmentFlag.AlignCenter, "!")
        else:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(tokens.muted))
            size = px(2.5)
            painter.drawEllipse(QPointF(middle, rect.center().y() + px(1)), size, size)

    def _paint_chips(
        self, painter: QPainter, number: int, statement_range: StatementRange, *, is_current: bool
    ) -> None:
        tokens, px = self._theme.tokens, self._theme.px
        for place in range(len(statement_range.chips)):
            rect = self._chip(statement_range, place)
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
        """Yield each text line in a range with the rectangle of its covered characters."""
        document = self._view.document()
        layout = document.documentLayout()
        metrics = QFontMetricsF(self._theme.font("body"))
        up = self._view.verticalScrollBar().value()
        block = document.findBlock(start)
        while block.isValid() and block.position() < end:
            origin, at = layout.blockBoundingRect(block).topLeft(), block.position()
            for line, left, width in ranges_by_line(block.layout(), start - at, min(end - at, block.length() - 1)):
                # As high as the letters, while the line is higher.
                top = origin.y() - up + line.y() + line.ascent() - metrics.ascent()
                yield line, QRectF(origin.x() + left, top, width, metrics.ascent() + metrics.descent())
            block = block.next()


class StatementEdit(QTextEdit):
    """Text of statements: their chips are painted behind the words, react to the pointer and are clicked."""

    current: int = -1
    """Statement at the keyboard position; -1 if there is none."""
    chip: int = 0
    """Its chip at the keyboard position."""
    open_chip: tuple[int, int] | None = None
    """Statement and chip whose source is open."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.ground = StatementGround(self, theme)
        self._pressed: QPointF | None = None
        # The pointer changes over chips, also while no button is pressed.
        self.viewport().setMouseTracking(True)

    @property
    def ranges(self) -> list[StatementRange]:
        """Ranges of the statements in the text document, in order."""
        raise NotImplementedError

    def open_place(self, number: int, chip: int = 0) -> None:
        """Open a chip's source, as a click on it does."""
        raise NotImplementedError

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self._pressed = event.position()
        super().mousePressEvent(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        super().mouseMoveEvent(event)
        found = self.ground.chip_at(event.position())
        shape = Qt.CursorShape.PointingHandCursor if found else Qt.CursorShape.IBeamCursor
        self.viewport().setCursor(shape)
        self.ground.hover(found)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        super().mouseReleaseEvent(event)
        found = self.ground.chip_at(event.position())
        if event.button() != Qt.MouseButton.LeftButton or found is None or self._pressed is None:
            return
        if self.ground.chip_at(self._pressed) == found:  # a click, not a selection that ends there
            self.open_place(*found)

    def viewportEvent(self, event: QEvent) -> bool:
        # For the viewport these events come here only, not to the handlers of their own.
        if event.type() == QEvent.Type.Leave:
            self.ground.hover(None)
        elif event.type() == QEvent.Type.ToolTip:
            found = self.ground.chip_at(QPointF(event.pos()))  # type: ignore[attr-defined]
            chip = self.ranges[found[0]].shown.chips[found[1]] if found else None
            self.viewport().setToolTip(plain_tip(chip.spoken) if chip else "")
        return super().viewportEvent(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        # Behind the text, which Qt paints next.
        self.ground.paint(QRectF(event.rect()))
        super().paintEvent(event)
