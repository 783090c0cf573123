"""A map of shares: rows and columns with names, and a colour for each share."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QEvent, QPoint, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QFocusEvent,
    QFontMetrics,
    QHelpEvent,
    QImage,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QResizeEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QAbstractScrollArea, QFrame, QToolTip

from app.ui.theme import Theme
from app.ui.widgets.labels import announce, plain_tip

if TYPE_CHECKING:
    import numpy as np

    Floats = np.ndarray[Any, np.dtype[np.float32]]

LABEL_PX, LEAST_LABEL_PX = 88, 40
LEGEND_STEPS = 48
CELL_PX = 26
"""As large as a cell gets by itself."""
LETTERS_PX = 11.5
TIGHT = 0.85
"""Of a line's height: names in lines of capitals are rare, so that they may stand closer."""
MAP_ZOOMS = (1.0, 1.5, 2.0, 3.0, 4.0, 6.0, 8.0, 12.0, 16.0)
MOST_SHAPES = 64 * 64
"""So many cells are saved as shapes; more would make a file of megabytes, and are saved as a picture."""
HIDDEN = 0
"""The first colour of a map: nothing is there."""
Cell = tuple[int, int]
"""Row and column."""
NO_CELL: Cell = (-1, -1)


class ShareMap:
    """Shares from 0 to 1 as colours, by rows and columns that have names; NaN is left empty. A `Plot`.

    The square root of a share is its colour's strength, so that small ones are seen, too.
    """

    def __init__(self, theme: Theme, title: str) -> None:
        self._theme, self.title = theme, title
        self.rows: tuple[str, ...] = ()
        self.columns: tuple[str, ...] = ()
        self._shares: Floats | None = None
        self._image = QImage()

    def set(self, shares: Floats | None, rows: Sequence[str], columns: Sequence[str]) -> None:
        """An array of [row, column]; None for nothing."""
        self._shares, self.rows, self.columns = shares, tuple(rows), tuple(columns)
        self._image = QImage() if shares is None else share_image(shares)
        self.recolour()

    def recolour(self) -> None:
        """The theme has other colours."""
        if not self._image.isNull():
            self._image.setColorTable(share_colours(self._theme))

    def table(self) -> list[list[str | float]]:
        assert self._shares is not None
        found: list[list[str | float]] = [["", *self.columns]]
        for name, row in zip(self.rows, self._shares.tolist(), strict=True):
            found.append([name, *("" if math.isnan(share) else share for share in row)])
        return found

    def picture_size(self) -> QSize:
        return self.size_with(self._saved_cell) + QSize(1, 1)

    def paint_picture(self, painter: QPainter) -> None:
        size = self.picture_size()
        painter.fillRect(QRect(QPoint(), size), QColor(self._theme.tokens.background))
        self.paint(painter, self._saved_cell, QPoint(), size, is_saved=True)

    @property
    def _saved_cell(self) -> int:
        """Large enough for the names, as long as there are not too many."""
        return max(self._theme.px(4), min(self._theme.px(18), self._theme.px(1200) // max(1, len(self.columns))))

    @property
    def line_px(self) -> int:
        """From name to name, so that each can be read."""
        return round(TIGHT * QFontMetrics(self._theme.font(LETTERS_PX)).height())

    def names_size(self) -> QSize:
        """What the names take, at the left and above."""
        metrics, px = QFontMetrics(self._theme.font(LETTERS_PX)), self._theme.px
        sizes = [
            min(px(LABEL_PX), max((metrics.horizontalAdvance(name) for name in names), default=0)) + px(14)
            for names in (self.rows, self.columns)
        ]
        return QSize(*(max(px(LEAST_LABEL_PX), size) for size in sizes))

    def size_with(self, cell: int) -> QSize:
        """All of it, with cells of that edge."""
        return self.names_size() + QSize(cell * len(self.columns), cell * len(self.rows))

    def paint(
        self,
        painter: QPainter,
        cell: int,
        origin: QPoint,
        room: QSize,
        *,
        framed: Cell = NO_CELL,
        is_saved: bool = False,
    ) -> None:
        """What has room of it, from `origin` on; around `framed` stands a frame."""
        if self._shares is None:
            return
        painter.setLayoutDirection(Qt.LayoutDirection.LeftToRight)  # 100 % is written so in every language
        left, top = self.names_size().toTuple()
        whole = QRect(left - origin.x(), top - origin.y(), cell * len(self.columns), cell * len(self.rows))
        inside = QRect(left, top, room.width() - left, room.height() - top)
        painter.save()
        if not is_saved:
            painter.setClipRect(inside)
            painter.drawImage(whole, self._image)
        elif len(self.rows) * len(self.columns) <= MOST_SHAPES:
            self._paint_cells(painter, whole, cell)
        else:
            painter.drawImage(whole.topLeft(), self._image.scaled(whole.size()))  # else whoever opens it smooths it
        painter.setPen(QColor(self._theme.tokens.line))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRect(whole.adjusted(-1, -1, 0, 0))
        if framed != NO_CELL:
            row, column = framed
            frame = QRect(whole.x() + column * cell, whole.y() + row * cell, cell, cell)
            painter.setPen(QPen(QColor(self._theme.tokens.text), self._theme.px(1.5)))
            painter.drawRect(frame.adjusted(-2, -2, 1, 1))
        painter.restore()
        self._paint_names(painter, whole, inside, cell, framed)
        self._paint_legend(painter, self.names_size())

    def _paint_cells(self, painter: QPainter, whole: QRect, cell: int) -> None:
        """Each by itself: a picture of few pixels would be smoothed by who opens it."""
        for row in range(self._image.height()):
            for column in range(self._image.width()):
                if self._image.pixelIndex(column, row) != HIDDEN:
                    place = QRect(whole.x() + column * cell, whole.y() + row * cell, cell, cell)
                    painter.fillRect(place, self._image.pixelColor(column, row))

    def _paint_names(self, painter: QPainter, whole: QRect, inside: QRect, cell: int, framed: Cell) -> None:
        """As many names as have room; the frame's own ones are always there."""
        metrics, px = QFontMetrics(self._theme.font(LETTERS_PX)), self._theme.px
        high = self.line_px
        step = max(1, math.ceil(high / cell))
        room = (inside.left() - px(6), inside.top() - px(6))
        for names, at, begin, end, wide, is_row in (
            (self.rows, framed[0], inside.top(), inside.bottom(), room[0], True),
            (self.columns, framed[1], inside.left(), inside.right(), room[1], False),
        ):
            first = whole.y() if is_row else whole.x()
            for number, name in enumerate(names):
                middle = first + number * cell + cell // 2
                is_near = at >= 0 and number != at and abs(number - at) * cell < high
                if not begin - 1 <= middle <= end + 1 or is_near or (number % step and number != at):
                    continue
                painter.setFont(self._theme.font(LETTERS_PX, 700 if number == at else 400))
                painter.setPen(QColor(self._theme.tokens.text if number == at else self._theme.tokens.muted))
                text = painter.fontMetrics().elidedText(name, Qt.TextElideMode.ElideRight, wide)
                place = QRect(0, -metrics.height() // 2, wide, metrics.height())
                painter.save()
                painter.translate(QPoint(0, middle) if is_row else QPoint(middle, inside.top() - px(6)))
                painter.rotate(0 if is_row else -90)
                side = Qt.AlignmentFlag.AlignRight if is_row else Qt.AlignmentFlag.AlignLeft
                painter.drawText(place, side | Qt.AlignmentFlag.AlignAbsolute | Qt.AlignmentFlag.AlignVCenter, text)
                painter.restore()

    def _paint_legend(self, painter: QPainter, labels: QSize) -> None:
        """Which colour is how much, in the corner that no name needs."""
        theme, wide = self._theme, labels.width() - self._theme.px(12)
        bar = QRectF(theme.px(4), theme.px(4), wide, theme.px(7))
        for step in range(LEGEND_STEPS):
            part = QRectF(
                bar.left() + bar.width() * step / LEGEND_STEPS,
                bar.top(),
                bar.width() / LEGEND_STEPS + 0.5,
                bar.height(),
            )
            painter.fillRect(part, share_colour(theme, (step / (LEGEND_STEPS - 1)) ** 2))
        painter.setPen(QColor(theme.tokens.outline))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRect(bar)
        painter.setFont(theme.font(10.5))
        painter.setPen(QColor(theme.tokens.muted))
        below = QRectF(bar.left(), bar.bottom() + 1, bar.width(), theme.px(15))
        for text, side in (("0", Qt.AlignmentFlag.AlignLeft), ("100 %", Qt.AlignmentFlag.AlignRight)):
            painter.drawText(below, side | Qt.AlignmentFlag.AlignAbsolute | Qt.AlignmentFlag.AlignTop, text)


class HeatMap(QAbstractScrollArea):
    """A `ShareMap` to go through: arrows move a frame over the cells, + and - zoom.

    What a cell means is said by `words` (row and column) in a tip and to screen readers.
    """

    pointed = Signal(int, int)
    """The frame or the mouse is at another cell: row and column."""
    chosen = Signal(int, int)
    """A cell was clicked, or Enter pressed on it."""

    def __init__(self, theme: Theme, title: str, words: Callable[[int, int], str]) -> None:
        super().__init__()
        self._theme, self._words = theme, words
        self.plot = ShareMap(theme, title)
        self.zoom = 1.0
        """1.0 shows all of it in the room that is there, as long as it can be read."""
        self.current = (0, 0)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAccessibleName(title)
        self.viewport().setAutoFillBackground(False)
        self.viewport().setMouseTracking(True)
        theme.dress(self, least_height=200)
        theme.changed.connect(self._on_theme_changed)

    def show_shares(self, shares: Floats, rows: Sequence[str], columns: Sequence[str], summary: str = "") -> None:
        """Shows an array of [row, column]; `summary` is what screen readers hear of all of it."""
        if (self.plot.rows, self.plot.columns) != (tuple(rows), tuple(columns)):
            self.zoom, self.current = 1.0, (max(0, len(rows) - 1), 0)
        self.plot.set(shares, rows, columns)
        self.setAccessibleDescription(summary)
        self._fit()

    def clear(self) -> None:
        """Nothing is there any more."""
        self.plot.set(None, (), ())
        self.setAccessibleDescription("")
        self._fit()

    def zoom_by(self, steps: int) -> None:
        """One step larger (1) or smaller (-1); the frame stays in sight."""
        at = MAP_ZOOMS.index(self.zoom) + steps
        self.zoom = MAP_ZOOMS[min(max(at, 0), len(MAP_ZOOMS) - 1)]
        self._fit()
        self._reveal()

    def _cell(self) -> int:
        """All of it is seen; where that is too small to be read, all of its width, and the rest by scrolling."""
        room = self.viewport().size() - self.plot.names_size()
        wide, high = room.width() / max(1, len(self.plot.columns)), room.height() / max(1, len(self.plot.rows))
        fit = min(wide, max(high, self.plot.line_px), self._theme.px(CELL_PX))
        return max(1, int(max(1.0, fit) * self.zoom))

    def _origin(self) -> QPoint:
        return QPoint(self.horizontalScrollBar().value(), self.verticalScrollBar().value())

    def _fit(self) -> None:
        cell, room = self._cell(), self.viewport().size()
        beside, wanted = self.plot.names_size(), self.plot.size_with(cell)
        for bar, there, names, all_of_it in (
            (self.horizontalScrollBar(), room.width(), beside.width(), wanted.width()),
            (self.verticalScrollBar(), room.height(), beside.height(), wanted.height()),
        ):
            bar.setRange(0, max(0, all_of_it + 1 - there))
            bar.setPageStep(max(1, there - names))
            bar.setSingleStep(max(cell, self._theme.px(20)))
        self.viewport().update()

    def _reveal(self) -> None:
        cell, names, room = self._cell(), self.plot.names_size(), self.viewport().size()
        for bar, at, beside, there in (
            (self.horizontalScrollBar(), self.current[1], names.width(), room.width()),
            (self.verticalScrollBar(), self.current[0], names.height(), room.height()),
        ):
            least, most = (at + 1) * cell - (there - beside), at * cell
            bar.setValue(max(least, min(bar.value(), most)))

    def cell_at(self, place: QPoint) -> Cell | None:
        """Row and column under a place of the viewport."""
        names, cell = self.plot.names_size(), self._cell()
        inside = place - QPoint(names.width(), names.height())
        if inside.x() < 0 or inside.y() < 0:
            return None
        at = inside + self._origin()
        row, column = at.y() // cell, at.x() // cell
        return (row, column) if row < len(self.plot.rows) and column < len(self.plot.columns) else None

    def place_of(self, row: int, column: int) -> QPoint:
        """The middle of a cell in the viewport."""
        names, cell = self.plot.names_size(), self._cell()
        corner = QPoint(names.width() + column * cell, names.height() + row * cell)
        return corner + QPoint(cell // 2, cell // 2) - self._origin()

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: ARG002
        painter = QPainter(self.viewport())
        framed = self.current if self.hasFocus() and self.plot.rows else NO_CELL
        self.plot.paint(painter, self._cell(), self._origin(), self.viewport().size(), framed=framed)
        if self.hasFocus():
            painter.setPen(QPen(QColor(self._theme.tokens.focus), 1))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(self.viewport().rect().adjusted(0, 0, -1, -1), 4, 4)

    # From cell to cell.

    def go_to(self, row: int, column: int) -> None:
        """Moves the frame, as far as there are cells."""
        cell = (min(max(row, 0), len(self.plot.rows) - 1), min(max(column, 0), len(self.plot.columns) - 1))
        if not self.plot.rows or cell == self.current:
            return
        self.current = cell
        self._reveal()
        self.viewport().update()
        self.pointed.emit(*cell)
        announce(self, self._words(*cell))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        key, (row, column) = Qt.Key(event.key()), self.current
        moves = {Qt.Key.Key_Left: (0, -1), Qt.Key.Key_Right: (0, 1), Qt.Key.Key_Up: (-1, 0), Qt.Key.Key_Down: (1, 0)}
        zooms = {Qt.Key.Key_Plus: 1, Qt.Key.Key_Equal: 1, Qt.Key.Key_Minus: -1}
        if event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier & ~Qt.KeyboardModifier.ShiftModifier:
            super().keyPressEvent(event)
        elif key in moves:
            self.go_to(row + moves[key][0], column + moves[key][1])
        elif key in (Qt.Key.Key_Home, Qt.Key.Key_End):
            self.go_to(row, 0 if key == Qt.Key.Key_Home else len(self.plot.columns) - 1)
        elif key in zooms:
            self.zoom_by(zooms[key])
        elif key in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space) and self.plot.rows:
            self.chosen.emit(row, column)
        else:
            super().keyPressEvent(event)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        cell = self.cell_at(event.position().toPoint())
        if cell is not None:
            self.go_to(*cell)
            self.chosen.emit(*cell)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        cell = self.cell_at(event.position().toPoint())
        if cell is not None:
            self.pointed.emit(*cell)

    def viewportEvent(self, event: QEvent) -> bool:
        if isinstance(event, QHelpEvent):
            cell = self.cell_at(event.pos())
            QToolTip.showText(event.globalPos(), plain_tip(self._words(*cell)) if cell else "", self)
            return True
        return super().viewportEvent(event)

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Scrolls where there is something to scroll; else the page does."""
        if self.verticalScrollBar().maximum() or self.horizontalScrollBar().maximum():
            super().wheelEvent(event)
        else:
            event.ignore()

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        self._reveal()
        self.viewport().update()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self.viewport().update()

    def scrollContentsBy(self, dx: int, dy: int) -> None:  # noqa: ARG002
        self.viewport().update()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def _on_theme_changed(self) -> None:
        self.plot.recolour()
        self._fit()


def share_image(shares: Floats) -> QImage:
    """An image of one pixel a share, without its colours; see `share_colours`."""
    import numpy as np

    rows, columns = shares.shape
    strength = np.sqrt(np.clip(np.nan_to_num(shares, nan=0.0), 0.0, 1.0))
    levels = np.where(np.isnan(shares), HIDDEN, 1 + np.rint(254 * strength)).astype(np.uint8)
    wide = (columns + 3) // 4 * 4  # QImage wants its lines so
    padded = np.zeros((rows, wide), np.uint8)
    padded[:, :columns] = levels
    return QImage(padded.tobytes(), columns, rows, wide, QImage.Format.Format_Indexed8).copy()


def share_colours(theme: Theme) -> list[int]:
    """The colours of `share_image` in the theme's own."""
    return [0, *(share_colour(theme, (level / 254) ** 2).rgb() for level in range(255))]


def share_colour(theme: Theme, share: float) -> QColor:
    """The colour of a share from 0 to 1: from the surface to the accent, by its square root."""
    least, most = QColor(theme.tokens.surface), QColor(theme.tokens.accent)
    strength = math.sqrt(min(max(share, 0.0), 1.0))
    ends = ((least.red(), most.red()), (least.green(), most.green()), (least.blue(), most.blue()))
    return QColor(*(round(begin + (end - begin) * strength) for begin, end in ends))
