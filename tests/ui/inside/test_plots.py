"""Plots: points with their line, a map of shares, both saved, copied and told to screen readers."""

from __future__ import annotations

import csv
import math
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QPointF, QSize, Qt
from PySide6.QtGui import QColor, QGuiApplication, QImage, QPainter
from PySide6.QtSvg import QSvgRenderer
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QMenu
from pytestqt.qtbot import QtBot

from app.features.inside.model_comparison import FittedLine
from app.ui.inside.maps import HeatMap, share_colour
from app.ui.inside.plots import (
    Plot,
    PlotButtons,
    PlotPoint,
    ScatterPlot,
    as_image,
    as_svg,
    log_range,
    log_ticks,
    percent,
    short_number,
)
from app.ui.shell.notify import Notify
from app.ui.theme import Theme
from tests.helpers.desks.desk import Desk

SMOOTH = Qt.TransformationMode.SmoothTransformation
POINTS = (PlotPoint("Starter", 135e6, 1.02), PlotPoint("Tiny", 1.5e6, 2.4), PlotPoint("Large", 1.7e9, 0.71))


@pytest.fixture
def points(theme: Theme, qtbot: QtBot) -> ScatterPlot:
    plot = ScatterPlot(theme, "Loss against parameters", "parameters", "bits per byte")
    qtbot.addWidget(plot)
    plot.resize(500, 340)
    plot.show()
    line = FittedLine(0.18, 3.4, 0.02)
    plot.show_points(
        POINTS, line=line.loss_at, band=lambda x: (0.9 * line.loss_at(x), 1.1 * line.loss_at(x)), words="A line."
    )
    return plot


@pytest.fixture
def shares(theme: Theme, qtbot: QtBot) -> HeatMap:
    heat = HeatMap(theme, "Attention", lambda row, column: f"{row} looks at {column}")
    qtbot.addWidget(heat)
    heat.resize(360, 360)
    heat.show()
    cells = np.array([[1, np.nan, np.nan], [0.25, 0.75, np.nan], [0.04, 0.0, 0.96]], np.float32)
    heat.show_shares(cells, ("the", "cat", "sat"), ("the", "cat", "sat"), "What looks at what.")
    return heat


def pixels(image: QImage) -> np.ndarray:
    """Each colour that occurs, as red, green and blue."""
    image = image.convertToFormat(QImage.Format.Format_RGB32)
    every = np.frombuffer(image.constBits(), np.uint8).reshape(-1, 4)
    return np.unique(every[:, 2::-1].astype(int), axis=0)


def grey(image: QImage) -> np.ndarray:
    """How light each pixel is, 0 to 255."""
    image = image.convertToFormat(QImage.Format.Format_RGB32)
    return np.frombuffer(image.constBits(), np.uint8).reshape(-1, 4)[:, :3].mean(axis=1)


def svg_image(data: bytes, size: QSize) -> QImage:
    renderer = QSvgRenderer(data)
    assert renderer.isValid()
    assert renderer.viewBox().size() == size
    image = QImage(size, QImage.Format.Format_RGB32)
    image.fill(QColor("magenta"))
    painter = QPainter(image)
    renderer.render(painter)
    painter.end()
    return image


def test_points_are_told_to_screen_readers_with_their_numbers(points: ScatterPlot) -> None:
    assert points.accessibleDescription() == (
        "3 points. Starter: 135 M parameters, 1.02 bits per byte. Tiny: 1.5 M parameters, 2.4 bits per byte. "
        "Large: 1.7 B parameters, 0.71 bits per byte. A line."
    )


def test_arrows_go_from_point_to_point_by_size(points: ScatterPlot, qtbot: QtBot) -> None:
    points.setFocus()
    seen: list[int] = []
    points.pointed.connect(seen.append)
    for _ in range(4):
        QTest.keyClick(points, Qt.Key.Key_Right)
    QTest.keyClick(points, Qt.Key.Key_Left)
    assert seen == [1, 0, 2, 0]


def test_the_mouse_finds_the_point_below_it(points: ScatterPlot, qtbot: QtBot) -> None:
    found = {points.point_at(QPointF(x, y)) for x in range(0, 500, 8) for y in range(0, 340, 8)}
    assert found == {-1, 0, 1, 2}


@pytest.mark.parametrize("bad", [0.0, -1.0, math.nan, math.inf])
def test_what_has_no_logarithm_is_left_out(points: ScatterPlot, bad: float) -> None:
    points.show_points([*POINTS, PlotPoint("Broken", 5e6, bad)])
    QTest.keyClick(points, Qt.Key.Key_End)
    assert {points.point_at(QPointF(x, y)) for x in range(0, 500, 8) for y in range(0, 340, 8)} == {-1, 0, 1, 2}


@pytest.mark.parametrize("name", ["points", "shares"])
def test_a_saved_picture_can_be_opened_and_is_not_empty(name: str, request: pytest.FixtureRequest) -> None:
    widget = request.getfixturevalue(name)
    plot: Plot = widget.plot if isinstance(widget, HeatMap) else widget
    png = as_image(plot)
    assert png.size() == 2 * plot.picture_size()
    svg = svg_image(as_svg(plot), plot.picture_size())
    for image in (png, svg):
        found = pixels(image)
        assert len(found) > 10
        assert [255, 0, 255] not in found.tolist()
    assert np.abs(grey(png.scaled(svg.size(), mode=SMOOTH)) - grey(svg)).mean() < 2


@pytest.mark.slow
def test_a_large_map_is_saved_sharp_and_small(shares: HeatMap, theme: Theme) -> None:
    names = [f"token {number}" for number in range(256)]
    shares.show_shares(np.eye(256, dtype=np.float32), names, names)
    data = as_svg(shares.plot)
    assert len(data) < 1_000_000
    found = pixels(svg_image(data, shares.plot.picture_size()))
    assert np.abs(found - share_colour(theme, 1.0).toTuple()[:3]).max(axis=1).min() <= 1


def test_numbers_are_copied_as_csv(points: ScatterPlot, shares: HeatMap, theme: Theme, qtbot: QtBot) -> None:
    for plot, expected in (
        (points, ["name", "parameters", "bits per byte", "line"]),
        (shares.plot, ["", "the", "cat", "sat"]),
    ):
        buttons = PlotButtons(theme, Notify(theme), plot)
        qtbot.addWidget(buttons)
        buttons.copy.click()
        rows = list(csv.reader(QGuiApplication.clipboard().text().splitlines()))
        assert rows[0] == expected
        assert len(rows) == 4
    assert rows[2] == ["cat", "0.25", "0.75", ""]


@pytest.mark.parametrize("ending", [".png", ".svg"])
def test_a_picture_is_saved_where_the_person_says(
    shares: HeatMap, theme: Theme, qtbot: QtBot, tmp_path: Path, ending: str
) -> None:
    notify = Notify(theme)
    buttons = PlotButtons(theme, notify, shares.plot)
    qtbot.addWidget(buttons)
    buttons.show()
    desk = Desk(buttons, notify=notify)
    file = tmp_path / f"heads{ending}"
    desk.click(buttons.save)
    menu = buttons.findChild(QMenu)
    desk.choose(menu, ending[1:].upper())
    desk.choose_file(file, "save_picture")
    desk.wait(lambda: desk.notices)
    assert desk.notices == [f"Saved as {file.name}."]
    data = file.read_bytes()
    image = QImage.fromData(data) if ending == ".png" else svg_image(data, shares.plot.picture_size())
    assert len(pixels(image)) > 10


def test_what_cannot_be_saved_is_told_and_can_be_tried_again(
    shares: HeatMap, theme: Theme, qtbot: QtBot, tmp_path: Path
) -> None:
    notify = Notify(theme)
    buttons = PlotButtons(theme, notify, shares.plot)
    qtbot.addWidget(buttons)
    desk = Desk(buttons, notify=notify)
    file = tmp_path / "gone" / "heads.svg"
    buttons.ask_where(".svg")
    desk.choose_file(file, "save_picture")
    desk.wait(lambda: desk.notices)
    assert str(file.parent) in desk.notices[0]
    assert not file.exists()


def test_arrows_move_the_frame_and_what_it_is_on_is_told(shares: HeatMap) -> None:
    shares.setFocus()
    seen: list[tuple[int, int]] = []
    shares.pointed.connect(lambda row, column: seen.append((row, column)))
    for key in (Qt.Key.Key_End, Qt.Key.Key_Up, Qt.Key.Key_Left, Qt.Key.Key_Down, Qt.Key.Key_Down):
        QTest.keyClick(shares, key)
    assert seen == [(2, 2), (1, 2), (1, 1), (2, 1)]


def test_a_large_map_is_whole_at_first_and_follows_the_frame_when_it_is_larger(shares: HeatMap) -> None:
    names = [f"token {number}" for number in range(256)]
    shares.show_shares(np.tri(256, dtype=np.float32) / 256, names, names)
    shares.resize(360, 360)  # the map before was lower
    assert shares.verticalScrollBar().maximum() == shares.horizontalScrollBar().maximum() == 0
    shares.setFocus()
    for _ in range(4):
        QTest.keyClick(shares, Qt.Key.Key_Plus)
    assert shares.verticalScrollBar().maximum() > 0
    shares.go_to(255, 255)
    assert shares.viewport().rect().contains(shares.place_of(255, 255))
    shares.go_to(0, 0)
    assert shares.cell_at(shares.place_of(0, 0)) == (0, 0)


def test_no_share_is_no_colour_and_the_more_the_stronger(theme: Theme) -> None:
    accent = QColor(theme.tokens.accent)
    far = [abs(share_colour(theme, share / 10).green() - accent.green()) for share in range(11)]
    assert far == sorted(far, reverse=True)
    assert far[-1] == 0
    assert share_colour(theme, 0.0) == QColor(theme.tokens.surface)


@pytest.mark.parametrize(
    ("value", "text"), [(0.951, "0.951"), (12_000, "12 k"), (134_515_008, "135 M"), (999_900_000, "1 B"), (7e9, "7 B")]
)
def test_numbers_are_short(value: float, text: str) -> None:
    assert short_number(value) == text


@pytest.mark.parametrize("span", [(0.7, 0.75), (0.7, 2.4), (1e6, 2e6), (1.5e6, 1.7e9), (1e3, 1e12), (3.0, 3.0)])
def test_every_axis_has_a_few_round_numbers(span: tuple[float, float]) -> None:
    low, high = log_range([math.log10(value) for value in span])
    assert low < math.log10(span[0]) <= math.log10(span[1]) < high
    ticks = log_ticks(low, high)
    assert 2 <= len(ticks) <= 8
    assert all(low <= math.log10(tick) <= high for tick in ticks)
    assert len({short_number(tick) for tick in ticks}) == len(ticks)


def test_a_percentage_has_a_decimal_where_that_says_more(qapp: QApplication) -> None:
    assert [percent(share) for share in (0.5, 0.0999, 0.0123, 0)] == ["50", "10", "1.2", "0.0"]
