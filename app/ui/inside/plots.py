"""Plots that follow the theme, speak to screen readers, and can be saved as pictures or copied as numbers.

Scatter plots use pyqtgraph, imported with the first of them.
"""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from PySide6.QtCore import QBuffer, QEvent, QIODevice, QPoint, QPointF, QRect, QRectF, QSize, QSizeF, Qt, Signal
from PySide6.QtGui import (
    QAccessible,
    QColor,
    QFocusEvent,
    QFontMetrics,
    QGuiApplication,
    QImage,
    QImageWriter,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QResizeEvent,
)
from PySide6.QtWidgets import QFileDialog, QFrame, QHBoxLayout, QVBoxLayout, QWidget

from app.core.lazy_dataclasses import dataclass
from app.ui.i18n import tr, tr_count
from app.ui.locale_formats import format_decimal, format_significant
from app.ui.screen_reader import SpokenPart, read_as
from app.ui.shared_labels import COPIED
from app.ui.shell.desktop import copy_text
from app.ui.shell.notify import Notify
from app.ui.theme import Theme
from app.ui.widgets.buttons import IconButton
from app.ui.widgets.labels import announce
from app.ui.widgets.layouts import drop_margins, fill_layout
from app.ui.widgets.menus import Menu
from app.ui.work.doing import SavedFiles

if TYPE_CHECKING:
    import numpy as np

    Floats = np.ndarray[Any, np.dtype[np.float32]]

COPY_AS_CSV = "Copy the numbers as CSV"
POINT_COUNT = "{count} points."
WORD_PERCENT = "“{word}” {percent} %"

PNG_SCALE = 2
"""Pixels of a saved image per screen pixel."""
FORMATS = ((".png", "PNG"), (".svg", "SVG"))
# Characters that a file name may not have on Windows.
_NO_NAME = dict.fromkeys(map(ord, '<>:"/\\|?*\n\r\t'), " ")


class Plot(Protocol):
    """Something to save and copy: a widget, or a part of one."""

    title: str
    """Short title; also the name of saved files."""

    def picture_size(self) -> QSize:
        """Return the size of the whole plot in screen pixels."""

    def paint_picture(self, painter: QPainter) -> None:
        """Paint the whole plot with background from the origin, in the current colours."""

    def table(self) -> list[list[str | float]]:
        """Return the numbers; the first row names the columns."""


def prepare() -> None:
    """Import pyqtgraph ahead, on a thread, as that takes a third of a second."""
    import pyqtgraph  # noqa: F401


def as_csv(table: Sequence[Sequence[str | float]]) -> str:
    """Return a table as CSV; floats with six significant digits."""
    # Six digits: more would be noise of float32.
    out = io.StringIO()
    rows = ([f"{cell:.6g}" if isinstance(cell, float) else cell for cell in row] for row in table)  # in every language
    csv.writer(out, lineterminator="\n").writerows(rows)
    return out.getvalue()


def as_image(plot: Plot) -> QImage:
    """Return a plot's image at double resolution."""
    # Without an alpha channel, as every plot paints its own background.
    image = QImage(plot.picture_size() * PNG_SCALE, QImage.Format.Format_RGB32)
    image.setDevicePixelRatio(PNG_SCALE)
    image.fill(Qt.GlobalColor.white)
    painter = QPainter(image)
    plot.paint_picture(painter)
    painter.end()
    return image


def as_png(image: QImage) -> bytes:
    """Encode an image as PNG; works on any thread."""
    out = QBuffer()
    out.open(QIODevice.OpenModeFlag.WriteOnly)
    QImageWriter(out, b"png").write(image)
    return bytes(out.data().data())


def as_svg(plot: Plot) -> bytes:
    from PySide6.QtSvg import QSvgGenerator

    size = plot.picture_size()
    out = QBuffer()
    generator = QSvgGenerator()
    generator.setOutputDevice(out)
    generator.setSize(size)
    generator.setViewBox(QRect(QPoint(), size))
    generator.setResolution(round(QGuiApplication.primaryScreen().logicalDotsPerInch()))  # or recorded parts shrink
    generator.setTitle(plot.title)
    painter = QPainter(generator)
    plot.paint_picture(painter)
    painter.end()
    return bytes(out.data().data())


class PlotButtons(QWidget):
    """Buttons that save a plot and copy its numbers."""

    def __init__(self, theme: Theme, notify: Notify, plot: Plot) -> None:
        super().__init__()
        self._theme, self._notify, self._plot = theme, notify, plot
        self._files: PictureFiles | None = None
        self.save = IconButton(theme, "floppy-disk", tr("Save as a picture"), size_px=18, on_click=self.show_formats)
        read_as(self.save, has_menu=True)
        self.copy = IconButton(theme, "copy", tr(COPY_AS_CSV), size_px=18, on_click=self.copy_numbers)
        theme.dress(fill_layout(drop_margins(QHBoxLayout(self)), self.save, self.copy), spacing=2)

    def show_formats(self) -> None:
        menu = Menu(self, is_temporary=True)
        for ending, name in FORMATS:
            # Behind a tab Qt aligns text like a shortcut.
            menu.addAction(f"{name}\t{ending}", partial(self.ask_where, ending))
        menu.popup_at(self.save)

    def ask_where(self, ending: str) -> QFileDialog:
        """Ask for the file, offering the plot's title as its name, and save there."""
        if self._files is None:
            self._files = PictureFiles(self._notify, self.window())
        return self._files.ask(self._plot, ending)

    def copy_numbers(self) -> None:
        copy_text(as_csv(self._plot.table()))
        self.copy.show_done(tr(COPIED))


class PictureFiles(SavedFiles):
    """Save plots. Painting takes milliseconds on the window's thread; writing runs on another."""

    def ask(self, plot: Plot, ending: str) -> QFileDialog:
        """Ask for the file; a typed ending overrides the chosen format."""
        # Titles hold names of models; a file name may be neither long nor end with a dot.
        name = " ".join(plot.title.translate(_NO_NAME).split())[:80].strip(" .") or "plot"
        return self._ask_to_save(
            tr("Save the picture"),
            "save_picture",
            kind=dict(FORMATS)[ending],
            offered=f"{name}{ending}",
            take=lambda path: self.save(plot, path),
        )

    def save(self, plot: Plot, path: Path) -> None:
        """Save in the format of the file's ending, PNG if it is unknown."""
        # Painted here, since widgets may only be painted on the window's thread.
        data: bytes | QImage = as_svg(plot) if path.suffix.lower() == ".svg" else as_image(plot)

        def write() -> None:
            from app.features.work.saved_file import write_file  # imported only for saving

            with write_file(path) as file:
                file.write(data if isinstance(data, bytes) else as_png(data))

        self._write(path, write)


@dataclass(frozen=True)
class PlotPoint:
    """A named point; values of 0 or below can't be on a logarithmic axis and are left out."""

    name: str
    x: float
    y: float


Curve = Callable[[float], float]
Band = Callable[[float], tuple[float, float]]
CURVE_STEPS = 48
AROUND = 0.06
"""Padding, as a share of the range."""
LEAST_DECADES = 0.12
"""Minimum span of an axis; otherwise all its labels would be equal."""
MOST_TICKS = 6
NAME_PX = 150
FINER = ((1.0,), (1.0, 3.0), (1.0, 2.0, 5.0), (1.0, 1.5, 2.0, 3.0, 5.0, 7.0))


class ScatterPlot(QWidget):
    """Points on logarithmic axes with a fitted line and its band.

    Left and Right move between points, which are read by screen readers; the description lists all.
    """

    pointed = Signal(int)
    """Index of the point at the keyboard or mouse; -1 if there is none."""

    def __init__(self, theme: Theme, title: str, x_label: str, y_label: str) -> None:
        super().__init__()
        import pyqtgraph as pg

        self._pg, self._theme, self.title = pg, theme, title
        self._labels = (x_label, y_label)
        self.points: tuple[PlotPoint, ...] = ()
        self._line: Curve | None = None
        self._band: Band | None = None
        self.current = -1
        self._view = pg.PlotWidget(self)
        self._view.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._view.viewport().setFocusPolicy(Qt.FocusPolicy.NoFocus)
        read_as(self, QAccessible.Role.Chart)
        self._view.setFrameShape(QFrame.Shape.NoFrame)
        self._view.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)  # no dragging: the page scrolls
        self._area = self._view.getPlotItem()
        self._area.hideButtons()
        self._area.setMenuEnabled(False)
        fill_layout(drop_margins(QVBoxLayout(self)), self._view)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMouseTracking(True)
        self.setAccessibleName(title)
        theme.dress(self, least_height=240)
        theme.changed.connect(self._draw)
        self._draw()

    def show_points(
        self, points: Sequence[PlotPoint], *, line: Curve | None = None, band: Band | None = None, words: str = ""
    ) -> None:
        """Show points; `line` returns y for x, `band` the lower and upper y of the line's interval.

        `words` explain the line and end the description for screen readers.
        """
        self.points, self._line, self._band, self.current = tuple(points), line, band, -1
        said = [
            tr_count("{count} point.", POINT_COUNT, len(points)),
            *(f"{self.point_words(point)}." for point in points),
            words,
        ]
        self.setAccessibleDescription(" ".join(filter(None, said)))
        self._draw()

    def point_words(self, point: PlotPoint) -> str:
        """Return a text such as "Starter: 135 M parameters, 1.02 bits per byte"."""
        x_label, y_label = self._labels
        return f"{point.name}: {short_number(point.x)} {x_label}, {short_number(point.y)} {y_label}"

    def table(self) -> list[list[str | float]]:
        found: list[list[str | float]] = [["name", *self._labels]]
        found += [[point.name, float(point.x), float(point.y)] for point in self.points]
        if self._line is not None:
            found[0].append("line")
            for row, plot_point in zip(found[1:], self.points, strict=True):
                row.append(self._line(plot_point.x) if plot_point.x > 0 else math.nan)
        return found

    def picture_size(self) -> QSize:
        return self.size()

    def paint_picture(self, painter: QPainter) -> None:
        self._view.render(painter, QRectF(QPointF(), self._view.size().toSizeF()), self._view.viewport().rect())

    # Drawing. Coordinates on the plot are powers of ten.
    def _places(self) -> list[tuple[int, float, float]]:
        # NaN fails both comparisons; on a logarithmic axis 0 has no place.
        good = (point for point in enumerate(self.points) if 0 < point[1].x < math.inf and 0 < point[1].y < math.inf)
        return [(number, math.log10(plot_point.x), math.log10(plot_point.y)) for number, plot_point in good]

    def _draw(self) -> None:
        tokens = self._theme.tokens
        self._view.setBackground(tokens.background)
        self._area.clear()
        self._names: list[tuple[int, Any]] = []
        places = self._places()
        wide = log_range([x for _, x, _ in places])
        curve = self._curve(wide)
        high = log_range([y for _, _, y in places] + [y for _, y in curve])
        self._area.setRange(xRange=wide, yRange=high, padding=0)
        for side, label, ends in zip(("bottom", "left"), self._labels, (wide, high), strict=True):
            self._dress_axis(self._area.getAxis(side), label, ends)
        self._draw_line(curve, high)
        self._draw_points(places)
        self._shown_curve = curve
        self._place_names()

    def _dress_axis(self, axis: Any, label: str, ends: tuple[float, float]) -> None:
        tokens, theme = self._theme.tokens, self._theme
        axis.setPen(tokens.line)
        axis.setTextPen(tokens.muted)
        axis.setTickFont(theme.font("caption"))
        axis.setTicks([[(math.log10(value), short_number(value)) for value in log_ticks(*ends)], []])
        # Negative ticks point into the plot.
        axis.setStyle(tickLength=-theme.px(4), tickTextOffset=theme.px(6))
        # pyqtgraph would scale units once more, beside our k, M and B.
        axis.enableAutoSIPrefix(False)
        # pyqtgraph takes labels as HTML.
        axis.setLabel(escape(label), color=tokens.muted)
        axis.label.setFont(theme.font("caption"))
        axis.setGrid(40)  # opacity, of 255

    def _curve(self, wide: tuple[float, float]) -> list[tuple[float, float]]:
        if self._line is None or not self.points:
            return []
        xs = [wide[0] + (wide[1] - wide[0]) * step / CURVE_STEPS for step in range(CURVE_STEPS + 1)]
        found = [(x, self._line(10**x)) for x in xs]
        return [(x, math.log10(y)) for x, y in found if 0 < y < math.inf]

    def _draw_line(self, curve: list[tuple[float, float]], high: tuple[float, float]) -> None:
        pg, tokens = self._pg, self._theme.tokens
        if self._band is not None and curve:
            ends = [(x, *self._band(10**x)) for x, _ in curve]
            good = [(x, low, up) for x, low, up in ends if 0 < low <= up < math.inf]
            xs = [x for x, _, _ in good]
            edges = [  # clipped here, since a saved picture isn't clipped at the plot's edge
                pg.PlotCurveItem(xs, [min(max(math.log10(y), high[0]), high[1]) for y in side])
                for side in ([low for _, low, _ in good], [up for _, _, up in good])
            ]
            colour = QColor(tokens.selection)
            colour.setAlpha(110)
            self._area.addItem(pg.FillBetweenItem(*edges, brush=colour))
        if curve:
            pen = pg.mkPen(tokens.accent, width=self._theme.px(1.5), style=Qt.PenStyle.DashLine)
            self._area.addItem(pg.PlotCurveItem(*map(list, zip(*curve, strict=True)), pen=pen, antialias=True))

    def _draw_points(self, places: list[tuple[int, float, float]]) -> None:
        pg, tokens, theme = self._pg, self._theme.tokens, self._theme
        for number, x, y in places:
            is_current = number == self.current
            ring = pg.mkPen(tokens.text if is_current else tokens.background, width=theme.px(2))
            self._area.addItem(
                pg.ScatterPlotItem(
                    [x],
                    [y],
                    size=theme.px(14 if is_current else 11),
                    pen=ring,
                    brush=tokens.accent,
                    antialias=True,
                    useCache=False,  # drawn as vectors, so that a saved picture is sharp
                )
            )
            point = self.points[number]
            font = theme.font("group" if is_current else "small")
            short = QFontMetrics(font).elidedText(point.name, Qt.TextElideMode.ElideMiddle, theme.px(NAME_PX))
            name = pg.TextItem(color=tokens.text)
            name.setPlainText(f"{short}: {short_number(point.x)}, {short_number(point.y)}" if is_current else short)
            name.setFont(font)
            name.setPos(x, y)
            # Or the axes would grow until all names fit.
            self._area.addItem(name, ignoreBounds=True)
            self._names.append((number, name))

    def _place_names(self) -> None:
        """Place names next to their points, off the line and each other; the current one's first."""
        box, gap = self._area.getViewBox(), self._theme.px(9)
        room = QRectF(box.sceneBoundingRect())
        dots = {number: box.mapViewToScene(QPointF(x, y)) for number, x, y in self._places()}
        line = [box.mapViewToScene(QPointF(x, y)) for x, y in self._shown_curve]
        taken = [QRectF(dot.x() - gap / 2, dot.y() - gap / 2, gap, gap) for dot in [*dots.values(), *line]]
        for number, name in sorted(self._names, key=lambda named: named[0] != self.current):
            places = list(_places_beside(dots[number], name.boundingRect().size(), gap, room))
            free = (rect_f for rect_f in places if not any(rect_f.intersects(other) for other in taken))
            # A name over another one is still better than a point without.
            place = next(free, places[0])
            taken.append(place)
            name.setPos(box.mapSceneToView(place.topLeft()))

    def point_at(self, place: QPointF) -> int:
        """Return the point at a widget position; -1 if there is none."""
        box, near = self._area.getViewBox(), self._theme.px(12)
        scene = self._view.mapToScene(self._view.mapFrom(self, place.toPoint()))
        # In pixels of the window, as the two axes have different scales.
        far = [
            (math.dist(box.mapViewToScene(QPointF(x, y)).toTuple(), scene.toTuple()), number)
            for number, x, y in self._places()
        ]
        distance, number = min(far, default=(math.inf, -1))
        return number if distance <= near else -1

    def spoken_count(self) -> int:
        return len(self.points)

    def spoken_part(self, number: int) -> SpokenPart:
        box, around = self._area.getViewBox(), self._theme.px(12)
        dots = {placed: box.mapViewToScene(QPointF(x, y)) for placed, x, y in self._places()}
        place = QRect(0, 0, around, around)
        if number in dots:
            place.moveCenter(self._view.mapTo(self, self._view.mapFromScene(dots[number])))
        is_current, words = number == self.current, self.point_words(self.points[number])
        return SpokenPart(QAccessible.Role.ListItem, words, place, is_selected=is_current)

    def go_to(self, number: int) -> None:
        """Make a point current and announce its numbers."""
        if number != self.current:
            self.current = number
            self._draw()
            self.pointed.emit(number)
            if number >= 0:
                announce(self, self.point_words(self.points[number]))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        order = [number for number, _, _ in sorted(self._places(), key=lambda placed: placed[1])]
        steps = {Qt.Key.Key_Right: 1, Qt.Key.Key_Down: 1, Qt.Key.Key_Left: -1, Qt.Key.Key_Up: -1}
        if event.key() not in steps or not order:
            super().keyPressEvent(event)
            return
        step = steps[Qt.Key(event.key())]
        at = order.index(self.current) + step if self.current in order else (0 if step > 0 else len(order) - 1)
        self.go_to(order[min(max(at, 0), len(order) - 1)])

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        self.go_to(self.point_at(event.position()))

    def leaveEvent(self, event: QEvent) -> None:
        super().leaveEvent(event)
        self.go_to(-1)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self.go_to(-1)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._view.resize(self.size())  # laid out now, so that names find their points
        self._place_names()


def _places_beside(dot: QPointF, size: QSizeF, gap: float, room: QRectF) -> Iterator[QRectF]:
    """Yield positions for a name: at the sides, the corners, above and below, then further away."""
    wide, high = size.width(), size.height()
    # Farther away only if every place nearby is taken.
    for far in (0.0, 1.0, 2.0):
        beside = ((gap, -high / 2), (-gap - wide, -high / 2))
        corners = ((gap, -high - gap / 3), (-gap - wide, gap / 3), (gap, gap / 3), (-gap - wide, -high - gap / 3))
        for x, y in (*beside, *corners, (-wide / 2, -gap - high), (-wide / 2, gap)):
            place = QRectF(dot + QPointF(x, y + far * high * (1 if y > 0 else -1)), size)
            place.moveLeft(max(room.left(), min(place.left(), room.right() - wide)))
            place.moveTop(max(room.top(), min(place.top(), room.bottom() - high)))
            yield place


def short_number(value: float) -> str:
    """Format a number, such as 0.95, 12 k, 135 M or 1.5 B."""
    for least, unit in ((1e12, "T"), (1e9, "B"), (1e6, "M"), (1e3, "k")):
        # From here on three digits would be rounded to 1000 of the unit.
        if value >= 0.9995 * least:
            return f"{format_significant(value / least, 3)} {unit}"
    return format_significant(value, 3)


def log_range(logs: Sequence[float]) -> tuple[float, float]:
    """Return the ends of an axis for these powers of ten, with padding."""
    low, high = (min(logs), max(logs)) if logs else (0.0, 1.0)
    missing = max(0.0, LEAST_DECADES - (high - low)) / 2
    air = AROUND * (high - low + 2 * missing) + missing
    return low - air, high + air


def log_ticks(low: float, high: float) -> list[float]:
    """Return round numbers between two powers of ten, few enough to read."""
    most: list[float] = []
    # Ever finer steps, as long as their labels don't crowd the axis.
    for factors in FINER:
        found = [
            factor * 10.0**power
            for power in range(math.floor(low) - 1, math.ceil(high) + 1)
            for factor in factors
            if low <= power + math.log10(factor) <= high
        ]
        if len(found) > MOST_TICKS:
            break
        most = found
    # Ranges far below a decade have too few such numbers: there the steps are even.
    if len(most) >= 3:
        return most
    least, end = 10**low, 10**high
    rough = (end - least) / (MOST_TICKS - 1)
    power = 10 ** math.floor(math.log10(rough))
    step = next(factor * power for factor in (1, 2, 5, 10) if factor * power >= rough)
    return [step * number for number in range(math.ceil(least / step), math.floor(end / step) + 1)]


def percent(share: float) -> str:
    """Format a share as percent, with a decimal below 10."""
    # What would round to 10.0 % needs no decimal.
    return format_decimal(100 * share, 0) if share >= 0.0995 else format_decimal(100 * share, 1)
