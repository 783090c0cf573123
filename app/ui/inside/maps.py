"""Attention drawings: a heat map of weights, and text with arcs between tokens."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QEvent, QPoint, QPointF, QRect, QRectF, QSize, Qt, QTimer, Signal
from PySide6.QtGui import (
    QAccessible,
    QColor,
    QFocusEvent,
    QFontMetrics,
    QHelpEvent,
    QImage,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPainterPath,
    QPaintEvent,
    QPen,
    QResizeEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QAbstractScrollArea, QFrame, QScrollArea, QSizePolicy, QToolTip, QWidget

from app.core.events import TokenSeen
from app.features.inside.patterns import word_of
from app.language.scripts import is_right_to_left
from app.ui.focus_ring import has_ring
from app.ui.i18n import tr
from app.ui.inside.plots import WORD_PERCENT, percent
from app.ui.screen_reader import SpokenPart, read_as
from app.ui.shared_labels import ATTENTION
from app.ui.text.keyboard_walk import step_aside
from app.ui.theme import Theme
from app.ui.widgets.labels import announce, plain_tip

if TYPE_CHECKING:
    import numpy as np

    Floats = np.ndarray[Any, np.dtype[np.float32]]


LABEL_PX, LEAST_LABEL_PX = 88, 40
LEGEND_STEPS = 48
CELL_PX = 26
"""Largest automatic cell size."""
LETTERS_PX = 11.5
TIGHT = 0.85
"""Share of the line height from name to name. Names are rarely capitals, so rows may be this close."""
MAP_ZOOMS = (1.0, 1.5, 2.0, 3.0, 4.0, 6.0, 8.0, 12.0, 16.0)
MOST_SHAPES = 64 * 64
"""Limit of cells saved as vector shapes; more would make files of megabytes, and are saved as pixels."""
HIDDEN = 0
"""Colour index of empty cells."""
Cell = tuple[int, int]
"""Row and column."""
NO_CELL: Cell = (-1, -1)
NO_MOST_PX = (1 << 24) - 1
"""Qt's own greatest size of a widget."""


class ShareMap:
    """A `Plot` of shares from 0 to 1 by named rows and columns; NaN cells are empty.

    Colours follow the square root, so that small shares are visible.
    """

    def __init__(self, theme: Theme, title: str) -> None:
        self._theme, self.title = theme, title
        self.rows: tuple[str, ...] = ()
        self.columns: tuple[str, ...] = ()
        self._shares: Floats | None = None
        self._image = QImage()

    def set(self, shares: Floats | None, rows: Sequence[str], columns: Sequence[str]) -> None:
        """Set an array [row, column] with its names; None clears it."""
        self._shares, self.rows, self.columns = shares, tuple(rows), tuple(columns)
        # An indexed image: another theme replaces 256 colours and no pixel.
        self._image = QImage() if shares is None else share_image(shares)
        self.recolour()

    def recolour(self) -> None:
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
        """Cell size in a saved image: readable names, within a maximum width."""
        return max(self._theme.px(4), min(self._theme.px(18), self._theme.px(1200) // max(1, len(self.columns))))

    @property
    def line_px(self) -> int:
        """Distance of names so that each is readable."""
        return round(TIGHT * QFontMetrics(self._theme.fonts.text(LETTERS_PX)).height())

    def names_size(self) -> QSize:
        """Return the size of the row names (width) and column names (height)."""
        metrics, px = QFontMetrics(self._theme.fonts.text(LETTERS_PX)), self._theme.px
        sizes = [
            min(px(LABEL_PX), max((metrics.horizontalAdvance(name) for name in names), default=0)) + px(14)
            for names in (self.rows, self.columns)
        ]
        # The corner between the names holds the legend, so both have a least size.
        return QSize(*(max(px(LEAST_LABEL_PX), size) for size in sizes))

    def size_with(self, cell: int) -> QSize:
        """Return the total size with cells of `cell` pixels."""
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
        """Paint the part inside `room`, starting at `origin`, with a frame around the cell `framed`."""
        if self._shares is None:
            return
        painter.setLayoutDirection(Qt.LayoutDirection.LeftToRight)  # "100 %" is written left to right in every language
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
            painter.drawImage(whole.topLeft(), self._image.scaled(whole.size()))  # scaled here: viewers would smooth it
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
        # One rectangle a cell: viewers smooth an image of few pixels when they scale it.
        for row in range(self._image.height()):
            for column in range(self._image.width()):
                if self._image.pixelIndex(column, row) != HIDDEN:
                    place = QRect(whole.x() + column * cell, whole.y() + row * cell, cell, cell)
                    painter.fillRect(place, self._image.pixelColor(column, row))

    def _paint_names(self, painter: QPainter, whole: QRect, inside: QRect, cell: int, framed: Cell) -> None:
        """Paint as many names as fit; those of the framed cell always."""
        metrics, px = QFontMetrics(self._theme.fonts.text(LETTERS_PX)), self._theme.px
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
                # The frame's own name is always shown; names this near would run into it.
                is_near = at >= 0 and number != at and abs(number - at) * cell < high
                if not begin - 1 <= middle <= end + 1 or is_near or (number % step and number != at):
                    continue
                painter.setFont(self._theme.fonts.text(LETTERS_PX, 700 if number == at else 400))
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
        """Paint the colour scale in the corner without names."""
        theme, wide = self._theme, labels.width() - self._theme.px(12)
        bar = QRectF(theme.px(4), theme.px(4), wide, theme.px(7))
        for step in range(LEGEND_STEPS):
            part = QRectF(
                bar.left() + bar.width() * step / LEGEND_STEPS,
                bar.top(),
                # Half a pixel of overlap, or gaps between the steps show as lines.
                bar.width() / LEGEND_STEPS + 0.5,
                bar.height(),
            )
            # Squared, as colours follow the square root: so the scale is even.
            painter.fillRect(part, share_colour(theme, (step / (LEGEND_STEPS - 1)) ** 2))
        painter.setPen(QColor(theme.tokens.outline))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRect(bar)
        painter.setFont(theme.font("caption"))
        painter.setPen(QColor(theme.tokens.muted))
        below = QRectF(bar.left(), bar.bottom() + 1, bar.width(), theme.px(15))
        for text, side in (("0", Qt.AlignmentFlag.AlignLeft), ("100 %", Qt.AlignmentFlag.AlignRight)):
            painter.drawText(below, side | Qt.AlignmentFlag.AlignAbsolute | Qt.AlignmentFlag.AlignTop, text)


class HeatMap(QAbstractScrollArea):
    """Scrollable `ShareMap`: arrows move a frame over the cells, + and - zoom.

    `words` describes a cell (row, column) in the tooltip and to screen readers.
    """

    pointed = Signal(int, int)
    """Frame or mouse moved to another cell: row and column."""
    chosen = Signal(int, int)
    """A cell was clicked, or confirmed by Enter: row and column."""

    def __init__(self, theme: Theme, title: str, words: Callable[[int, int], str]) -> None:
        super().__init__()
        self._theme, self._words = theme, words
        self.plot = ShareMap(theme, title)
        self.zoom = 1.0
        """1.0 fits the map into the window, as long as it stays readable."""
        self.current = (0, 0)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAccessibleName(title)
        read_as(self, QAccessible.Role.Table)
        self.viewport().setAutoFillBackground(False)
        self.viewport().setMouseTracking(True)
        theme.dress(self, least_height=120)
        theme.changed.connect(self._on_theme_changed)

    def show_shares(self, shares: Floats, rows: Sequence[str], columns: Sequence[str], summary: str = "") -> None:
        """Show an array [row, column]; `summary` describes it to screen readers."""
        # The same text at another head: zoom and frame stay, so that heads can be compared at one place.
        if (self.plot.rows, self.plot.columns) != (tuple(rows), tuple(columns)):
            self.zoom, self.current = 1.0, (max(0, len(rows) - 1), 0)
        self.plot.set(shares, rows, columns)
        self.setAccessibleDescription(summary)
        self._fit_cells()

    def clear(self) -> None:
        self.plot.set(None, (), ())
        self.setAccessibleDescription("")
        self._fit_cells()

    def zoom_by(self, steps: int) -> None:
        """Zoom in (1) or out (-1), keeping the frame visible."""
        # Zooms are a fixed list, so in and out lead back to the same size.
        at = MAP_ZOOMS.index(self.zoom) + steps
        self.zoom = MAP_ZOOMS[min(max(at, 0), len(MAP_ZOOMS) - 1)]
        self._fit_cells()
        self._reveal()

    def _cell(self) -> int:
        """Return the cell size: fit all, or only the width if cells became unreadably small."""
        room = self.viewport().size() - self.plot.names_size()
        wide, high = room.width() / max(1, len(self.plot.columns)), room.height() / max(1, len(self.plot.rows))
        # Never so low that names of rows overlap: then the map is scrolled.
        fit = min(wide, max(high, self.plot.line_px), self._theme.px(CELL_PX))
        return max(1, int(max(1.0, fit) * self.zoom))

    def _origin(self) -> QPoint:
        return QPoint(self.horizontalScrollBar().value(), self.verticalScrollBar().value())

    def _fit_cells(self) -> None:
        # No higher than the largest cells need, so that the words below follow the map.
        beside = self.plot.names_size()
        wide = (self.viewport().width() - beside.width()) / max(1, len(self.plot.columns))
        largest = max(1, int(max(1.0, min(wide, self._theme.px(CELL_PX))) * self.zoom))
        bar_px = self.horizontalScrollBar().sizeHint().height()
        most = max(self.minimumHeight(), self.plot.size_with(largest).height() + bar_px)
        self.setMaximumHeight(most if self.plot.rows else NO_MOST_PX)
        cell, room = self._cell(), self.viewport().size()
        wanted = self.plot.size_with(cell)
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
        """Return row and column at a viewport point, or None."""
        names, cell = self.plot.names_size(), self._cell()
        inside = place - QPoint(names.width(), names.height())
        if inside.x() < 0 or inside.y() < 0:
            return None
        at = inside + self._origin()
        row, column = at.y() // cell, at.x() // cell
        return (row, column) if row < len(self.plot.rows) and column < len(self.plot.columns) else None

    def place_of(self, row: int, column: int) -> QPoint:
        """Return the centre of a cell in the viewport."""
        names, cell = self.plot.names_size(), self._cell()
        corner = QPoint(names.width() + column * cell, names.height() + row * cell)
        return corner + QPoint(cell // 2, cell // 2) - self._origin()

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: ARG002
        painter = QPainter(self.viewport())
        framed = self.current if self.hasFocus() and self.plot.rows else NO_CELL
        self.plot.paint(painter, self._cell(), self._origin(), self.viewport().size(), framed=framed)
        if has_ring(self):
            painter.setPen(QPen(QColor(self._theme.tokens.focus), 1))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(self.viewport().rect().adjusted(0, 0, -1, -1), 4, 4)

    def spoken_count(self) -> int:
        return len(self.plot.rows) * len(self.plot.columns)

    def spoken_part(self, number: int) -> SpokenPart:
        row, column = divmod(number, len(self.plot.columns))
        cell = QRect(QPoint(0, 0), QSize(self._cell(), self._cell()))
        cell.moveCenter(self.place_of(row, column) + self.viewport().pos())
        is_current = (row, column) == self.current
        return SpokenPart(QAccessible.Role.Cell, self._words(row, column), cell, is_selected=is_current)

    def go_to(self, row: int, column: int) -> None:
        """Move the frame to a cell, clamped to the map, and read that cell to screen readers."""
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
        zooms = {Qt.Key.Key_Plus: 1, Qt.Key.Key_Equal: 1, Qt.Key.Key_Minus: -1}  # the key of + without Shift
        # Shift is part of + on many keyboards; keys of the number pad carry a modifier of their own.
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
        if (cell := self.cell_at(event.position().toPoint())) is not None:
            self.go_to(*cell)
            self.chosen.emit(*cell)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if (cell := self.cell_at(event.position().toPoint())) is not None:
            self.pointed.emit(*cell)

    def viewportEvent(self, event: QEvent) -> bool:
        # Tooltips of a scroll area are asked of its viewport.
        if isinstance(event, QHelpEvent):
            cell = self.cell_at(event.pos())
            QToolTip.showText(event.globalPos(), plain_tip(self._words(*cell)) if cell else "", self)
            return True
        return super().viewportEvent(event)

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Scroll the map if it can scroll, else the page."""
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
        self._fit_cells()

    def _on_theme_changed(self) -> None:
        self.plot.recolour()
        self._fit_cells()


def share_image(shares: Floats) -> QImage:
    """Return an indexed image with a pixel per share; colours come from `share_colours`."""
    import numpy as np

    rows, columns = shares.shape
    strength = np.sqrt(np.clip(np.nan_to_num(shares, nan=0.0), 0.0, 1.0))
    # Level 0 is left for empty cells; shares have 1 to 255.
    levels = np.where(np.isnan(shares), HIDDEN, 1 + np.rint(254 * strength)).astype(np.uint8)
    wide = (columns + 3) // 4 * 4  # QImage pads lines to four bytes
    padded = np.zeros((rows, wide), np.uint8)
    padded[:, :columns] = levels
    # The copy owns its bytes; the first image only points into ones that go now.
    return QImage(padded.tobytes(), columns, rows, wide, QImage.Format.Format_Indexed8).copy()


def share_colours(theme: Theme) -> list[int]:
    """Return the theme's colour table for `share_image`."""
    return [0, *(share_colour(theme, (level / 254) ** 2).rgb() for level in range(255))]


def share_colour(theme: Theme, share: float) -> QColor:
    """Return the colour of a share from 0 to 1: surface to accent, by its square root."""
    least, most = QColor(theme.tokens.surface), QColor(theme.tokens.accent)
    strength = math.sqrt(min(max(share, 0.0), 1.0))
    ends = ((least.red(), most.red()), (least.green(), most.green()), (least.blue(), most.blue()))
    return QColor(*(round(begin + (end - begin) * strength) for begin, end in ends))


MOST_ARCS = 12
LEAST_SHARE = 0.01
WORDS_PX = 14.0
LINE_PX, ABOVE_PX = 26, 26
"""Height of a token line, and of the space for arcs above it."""
SINGLE_ABOVE_PX = 72
"""The same where all tokens stand in one line."""
PICTURE_PX = 720
"""Width of a saved picture, whose lines wrap."""
EDGE_PX = 4


class ArcsDrawing:
    """A `Plot` of tokens in one line, with arcs from the current one; a saved picture has several lines.

    A token's background and its arc's width show its share.
    """

    def __init__(self, theme: Theme) -> None:
        self._theme, self.title = theme, tr(ATTENTION)
        self._tokens: tuple[TokenSeen, ...] = ()
        self.words: tuple[str, ...] = ()
        self.shares: Floats | None = None
        """Array [from token, to token]."""
        self.is_mirrored = False
        """True for right-to-left text."""
        self.current = 0

    def set(self, tokens: Sequence[TokenSeen]) -> None:
        """Set another text, without shares."""
        self._tokens, self.shares, self.words = tuple(tokens), None, tuple(map(word_of, tokens))
        # Joined before decoding, as a token may be half a character.
        self.is_mirrored = is_right_to_left(b"".join(token.data for token in tokens).decode("utf-8", "replace"))

    def table(self) -> list[list[str | float]]:
        assert self.shares is not None
        row = self.shares[self.current]
        found: list[list[str | float]] = [
            [tr("token"), tr("text"), tr("share of {word}", word=self.words[self.current])]
        ]
        return found + [[str(at), self.words[at], float(row[at])] for at in range(self.current + 1)]

    def picture_size(self) -> QSize:
        width = self._theme.px(PICTURE_PX)
        places = self.places(width)
        return QSize(width, (places[-1].bottom() if places else 0) + self._theme.px(8))

    def paint_picture(self, painter: QPainter) -> None:
        painter.fillRect(QRect(QPoint(), self.picture_size()), QColor(self._theme.tokens.background))
        self.paint(painter, self.places(self._theme.px(PICTURE_PX)), ABOVE_PX)

    def line_size(self) -> QSize:
        """Return the size of all tokens in one line."""
        px = self._theme.px
        widths = self._widths()
        return QSize(2 * px(EDGE_PX) + sum(gap + wide for gap, wide in widths), px(SINGLE_ABOVE_PX + LINE_PX + 8))

    def line_places(self, width: int) -> list[QRect]:
        """Return the rectangle of each token in one line, in a room that is at least as wide."""
        px, found = self._theme.px, []
        x, y, high = px(EDGE_PX), px(SINGLE_ABOVE_PX), px(LINE_PX)
        for gap, wide in self._widths():
            x += gap
            found.append(QRect(width - x - wide if self.is_mirrored else x, y, wide, high))
            x += wide
        return found

    def _widths(self) -> list[tuple[int, int]]:
        """Return the gap before each token, and its width."""
        px, metrics = self._theme.px, QFontMetrics(self._theme.font("row"))
        # A token that begins with a blank begins a word.
        return [
            (px(6 if token.data[:1].isspace() else 2), metrics.horizontalAdvance(word) + px(10))
            for token, word in zip(self._tokens, self.words, strict=True)
        ]

    def places(self, width: int) -> list[QRect]:
        """Return the rectangle of each token in lines of a width."""
        px = self._theme.px
        high, above, edge = px(LINE_PX), px(ABOVE_PX), px(EDGE_PX)
        x, y, found = edge, above, []
        for number, (token, (gap, full)) in enumerate(zip(self._tokens, self._widths(), strict=True)):
            wide = min(full, width - 2 * edge)
            x += gap if x > edge else 0
            if x + wide > width - edge and x > edge:
                x, y = edge, y + high + above
            found.append(QRect(width - x - wide if self.is_mirrored else x, y, wide, high))
            x += wide
            if token.data.endswith(b"\n") and number + 1 < len(self._tokens):
                x, y = edge, y + high + above
        return found

    def paint(self, painter: QPainter, places: Sequence[QRect], above_px: int, *, has_focus: bool = False) -> None:
        """Paint tokens at their places, and arcs into `above_px` (unscaled) above each line."""
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if not places or self.shares is None:
            return
        row = self.shares[self.current]
        for number, place in enumerate(places):
            self._paint_token(painter, number, QRectF(place), float(row[number]), has_focus=has_focus)
        best = sorted(range(self.current + 1), key=lambda at: -float(row[at]))[:MOST_ARCS]
        for number in reversed(best):
            if row[number] >= LEAST_SHARE:
                ends = QRectF(places[self.current]), QRectF(places[number])
                self._paint_arc(painter, *ends, float(row[number]), above_px)

    def _paint_token(self, painter: QPainter, number: int, rect: QRectF, share: float, *, has_focus: bool) -> None:
        tokens, px = self._theme.tokens, self._theme.px
        is_current, is_later = number == self.current, number > self.current
        back = QColor(tokens.selection)
        # The square root makes small shares visible, as in the map.
        back.setAlphaF(min(1.0, share**0.5))
        painter.setPen(Qt.PenStyle.NoPen)
        # Later tokens can't be attended to, so they have no ground.
        for colour in () if is_later else (QColor(tokens.surface), back):
            painter.setBrush(colour)
            painter.drawRoundedRect(rect, px(5), px(5))
        if is_current:
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(QPen(QColor(tokens.focus if has_focus else tokens.text), px(1.5)))
            painter.drawRoundedRect(rect.adjusted(1, 1, -1, -1), px(5), px(5))
        painter.setFont(self._theme.font("strong" if is_current else "row"))
        painter.setPen(QColor(tokens.muted if is_later else tokens.text))
        room = rect.adjusted(px(3), 0, -px(3), 0).toRect()
        word = painter.fontMetrics().elidedText(self.words[number], Qt.TextElideMode.ElideRight, room.width())
        painter.drawText(room, Qt.AlignmentFlag.AlignCenter, word)

    def _paint_arc(self, painter: QPainter, start: QRectF, end: QRectF, share: float, above_px: int) -> None:
        px = self._theme.px
        colour = QColor(self._theme.tokens.accent)
        colour.setAlphaF(0.35 + 0.6 * min(1.0, share) ** 0.5)
        begin = QPointF(start.center().x(), start.top())
        path = QPainterPath(begin)
        # A token that attends to itself: a loop above it.
        if start == end:
            out, up = px(9), px(ABOVE_PX - 8)
            path.cubicTo(begin + QPointF(-out, -up), begin + QPointF(out, -up), begin)
        # In one line: an arc above the words between.
        elif start.top() == end.top():
            goal = QPointF(end.center().x(), end.top())
            # The curve's top is at three quarters of this height, and must stay in the gap between the lines.
            high = min(px(above_px - 4) * 4 / 3, px(8) + abs(goal.x() - begin.x()) / 3)
            path.cubicTo(begin - QPointF(0, high), goal - QPointF(0, high), goal)
        # To an earlier line: from the top of this token to the bottom of that one.
        else:
            goal = QPointF(end.center().x(), end.bottom())
            way = min(begin.y() - goal.y(), 3.0 * px(LINE_PX)) / 2 + px(6)
            path.cubicTo(begin - QPointF(0, way), goal + QPointF(0, way), goal)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        pen = QPen(colour, px(1) + px(4) * share)
        pen.setCapStyle(Qt.PenCapStyle.RoundCap)
        painter.setPen(pen)
        painter.drawPath(path)


class LineScroll(QScrollArea):
    """Scroll area of a drawing in one line: the wheel scrolls sideways."""

    def __init__(self, inside: QWidget) -> None:
        super().__init__(widgetResizable=True)
        self._inside = inside
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.viewport().setAutoFillBackground(False)
        self.setWidget(inside)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def sizeHint(self) -> QSize:
        high = self._inside.sizeHint().height() + self.horizontalScrollBar().sizeHint().height()
        return QSize(super().sizeHint().width(), high)

    def minimumSizeHint(self) -> QSize:
        return QSize(super().minimumSizeHint().width(), self.sizeHint().height())

    def wheelEvent(self, event: QWheelEvent) -> None:
        bar, step = self.horizontalScrollBar(), event.angleDelta()
        if bar.maximum():
            bar.setValue(bar.value() - (step.x() or step.y()))
        else:
            event.ignore()


class TokenArcs(QWidget):
    """`ArcsDrawing` with navigation: Left, Right or a click chooses a token."""

    def __init__(self, theme: Theme, *, choose: Callable[[int], object]) -> None:
        super().__init__()
        self.choose, self._theme = choose, theme
        self.plot = ArcsDrawing(theme)
        self._places: list[QRect] = []
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAccessibleName(tr("Tokens of the text"))
        read_as(self, QAccessible.Role.List)
        theme.changed.connect(self._lay_out)

    def show_tokens(self, tokens: Sequence[TokenSeen]) -> None:
        self.plot.set(tokens)
        self._lay_out()

    def show_shares(self, shares: Floats, title: str) -> None:
        """Set the shares as an array [from token, to token]."""
        self.plot.shares, self.plot.title = shares, title
        self.update()

    def mark(self, token: int, words: str) -> None:
        """Choose the token whose arcs are shown; `words` describe them to screen readers."""
        self.plot.current = token
        self.setAccessibleDescription(words)
        self.update()

    def sizeHint(self) -> QSize:
        return self.plot.line_size()

    def minimumSizeHint(self) -> QSize:
        return self.plot.line_size()

    def _lay_out(self) -> None:
        self._places = self.plot.line_places(max(self.width(), self.plot.line_size().width()))
        self.updateGeometry()
        self.update()

    def token_at(self, place: QPoint) -> int:
        return next((number for number, rect in enumerate(self._places) if rect.contains(place)), -1)

    def rect_of(self, token: int) -> QRect:
        return self._places[token]

    def spoken_count(self) -> int:
        return len(self._places)

    def spoken_part(self, number: int) -> SpokenPart:
        is_current = number == self.plot.current
        return SpokenPart(
            QAccessible.Role.ListItem, self.plot.words[number], self.rect_of(number), is_selected=is_current
        )

    def reveal(self) -> None:
        parent = self.parentWidget()
        # In a scroll area the parent is the viewport.
        area = parent.parentWidget() if parent is not None else None
        if isinstance(area, QScrollArea) and self.plot.current < len(self._places):
            place = self._places[self.plot.current]
            area.ensureVisible(place.center().x(), place.center().y(), place.width(), 0)

    def _choose(self, token: int) -> None:
        if (token := min(max(token, 0), len(self._places) - 1)) >= 0 and token != self.plot.current:
            self.choose(token)
            self.reveal()
            # Whoever heard `chosen` has set the description of the new token by now.
            announce(self, self.accessibleDescription())

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: ARG002
        self.plot.paint(QPainter(self), self._places, SINGLE_ABOVE_PX, has_focus=self.hasFocus())

    def keyPressEvent(self, event: QKeyEvent) -> None:
        current, key = self.plot.current, Qt.Key(event.key())
        if step := step_aside(event, is_rtl=self.plot.is_mirrored):
            self._choose(current + step)
        elif key in (Qt.Key.Key_Home, Qt.Key.Key_End):
            self._choose(0 if key == Qt.Key.Key_Home else len(self._places) - 1)
        else:
            super().keyPressEvent(event)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if (token := self.token_at(event.position().toPoint())) >= 0:
            self._choose(token)

    def event(self, event: QEvent) -> bool:
        if isinstance(event, QHelpEvent) and event.type() == QEvent.Type.ToolTip:
            token, shares, tip = self.token_at(event.pos()), self.plot.shares, ""
            if shares is not None and 0 <= token <= self.plot.current:
                share = percent(float(shares[self.plot.current, token]))
                tip = tr(WORD_PERCENT, word=self.plot.words[token], percent=share)
            QToolTip.showText(event.globalPos(), plain_tip(tip), self)
            return True
        return super().event(event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._places = self.plot.line_places(max(self.width(), self.plot.line_size().width()))
        # The area learns of the new width after this event.
        QTimer.singleShot(0, self, self.reveal)

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        self.reveal()
