"""What is painted is found by screen readers as parts of its view, and the arrow keys choose one of them and say it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QRect, QSizeF, Qt
from PySide6.QtGui import QAccessible, QAccessibleInterface, QColor
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from app.core.events import TokenSeen
from app.documents.blocks import Block, BlockKind, BlockPlace, LineBox
from app.ui.document.document_page import PagePaper
from app.ui.document.document_text import said_parts
from app.ui.inside.flow import TokenFlow, TokenPiece
from app.ui.inside.maps import HeatMap, TokenArcs
from app.ui.inside.plots import PlotPoint, ScatterPlot
from app.ui.screen_reader import SpokenView, install_interfaces
from app.ui.theme import Theme
from app.ui.widgets.parts_bar import BarPart, PartsBar
from tests.helpers.accessible_tree import Role, announcements, name_of

WORDS = ("the", "cat", "sat")
Make = Callable[[Theme], QWidget]


def token_flow(theme: Theme) -> QWidget:
    flow = TokenFlow(theme, "Three words")
    flow.resize(400, 120)
    flow.show_pieces(TokenPiece(word, "#FFFFFF") for word in WORDS)
    flow.pointed.connect(lambda token: flow.announce_token(WORDS[token % 3]))
    return flow


def token_arcs(theme: Theme) -> QWidget:
    arcs = TokenArcs(theme, choose=lambda token: arcs.mark(token, WORDS[token]))
    arcs.resize(400, 200)
    arcs.show_tokens([TokenSeen(place, word.encode()) for place, word in enumerate(WORDS)])
    arcs.mark(0, WORDS[0])
    return arcs


def heat_map(theme: Theme) -> QWidget:
    heat = HeatMap(theme, "Words by words", lambda row, column: f"{WORDS[row]} looks at {WORDS[column]}")
    heat.resize(360, 360)
    heat.show_shares(np.eye(3, dtype=np.float32), WORDS, WORDS)
    heat.go_to(0, 0)
    return heat


def scatter_plot(theme: Theme) -> QWidget:
    plot = ScatterPlot(theme, "Loss by size", "weights", "bits a byte")
    plot.resize(500, 340)
    plot.show_points([PlotPoint(word, 10.0 ** (6 + place), 2.0 - place / 4) for place, word in enumerate(WORDS)])
    return plot


MOVED = (token_flow, token_arcs, heat_map, scatter_plot)


def shown(make: Make, theme: Theme, qtbot: QtBot) -> QWidget:
    install_interfaces()
    view = make(theme)
    qtbot.addWidget(view)
    view.show()
    qtbot.waitExposed(view)
    return view


def parts_of(view: QWidget) -> list[QAccessibleInterface]:
    node = QAccessible.queryAccessibleInterface(view)
    assert node is not None and isinstance(view, SpokenView)
    own = node.childCount() - view.spoken_count()
    return [node.child(number) for number in range(own, node.childCount())]


def around(view: QWidget) -> QRect:
    return QRect(view.mapToGlobal(QPoint(0, 0)), view.size())


@pytest.mark.parametrize("make", MOVED)
def test_parts_have_their_words_and_lie_where_they_are_painted(make: Make, theme: Theme, qtbot: QtBot) -> None:
    view = shown(make, theme, qtbot)
    parts = parts_of(view)
    names = [name_of(part) for part in parts]
    assert len(set(names)) == len(parts) == (9 if make is heat_map else 3)
    assert all(any(word in name for word in WORDS) for name in names), names
    places = [part.rect() for part in parts]
    assert all(around(view).contains(place) for place in places)
    centres = [place.center().toTuple() for place in places]
    assert len(set(centres)) == len(parts)
    assert not any(part.state().offscreen for part in parts)


@pytest.mark.parametrize("make", MOVED)
def test_arrow_chooses_a_part_and_says_it(make: Make, theme: Theme, qtbot: QtBot) -> None:
    view = shown(make, theme, qtbot)
    view.setFocus()
    with announcements() as heard:
        for _ in range(2):
            QTest.keyClick(view, Qt.Key.Key_Right)
    chosen = [name_of(part) for part in parts_of(view) if part.state().selected]
    assert len(chosen) == 1
    assert heard[-1] == chosen[0]
    assert len(set(heard)) == len(heard) > 0
    assert all(part.state().selectable for part in parts_of(view))


@pytest.mark.parametrize("is_mirrored", [False, True])
def test_parts_of_a_bar_are_as_wide_as_their_share(is_mirrored: bool, theme: Theme, qtbot: QtBot) -> None:
    def make(theme: Theme) -> QWidget:
        bar = PartsBar(theme, "Disk", lambda _number: QColor("black"))
        bar.setLayoutDirection(Qt.LayoutDirection.RightToLeft if is_mirrored else Qt.LayoutDirection.LeftToRight)
        bar.resize(400, 10)
        bar.show_parts([BarPart(300, "Models: 300"), BarPart(0, "Jobs: 0"), BarPart(50, "States: 50")], 400)
        return bar

    view = shown(make, theme, qtbot)
    models, jobs, states = parts_of(view)
    assert [name_of(part) for part in (models, jobs, states)] == ["Models: 300", "Jobs: 0", "States: 50"]
    assert (models.rect().width(), jobs.rect().width(), states.rect().width()) == (300, 0, 50)
    assert (models.rect().left() < states.rect().left()) is not is_mirrored
    assert name_of(QAccessible.queryAccessibleInterface(view)) == "Disk"


def test_paragraphs_of_a_page_lie_where_they_are_printed(theme: Theme, qtbot: QtBot) -> None:
    def make(theme: Theme) -> QWidget:
        paper = PagePaper(theme)
        paper.resize(200, 400)
        paper.show_picture(None, QSizeF(100, 200))
        box = LineBox(2, 10, 20, 60, 30, 0, 9)
        placed = Block(1, BlockKind.PARAGRAPH, "The lease", 2, place=BlockPlace(boxes=(box,)))
        paper.show_said(2, said_parts([placed, Block(2, BlockKind.PARAGRAPH, "Somewhere", 2)], None))
        return paper

    view = shown(make, theme, qtbot)
    placed, unplaced = parts_of(view)
    assert (name_of(placed), name_of(unplaced)) == ("The lease", "Somewhere")
    assert (placed.role(), placed.rect()) == (
        Role.Paragraph,
        QRect(20, 40, 100, 20).translated(view.mapToGlobal(QPoint(0, 0))),
    )
    assert unplaced.rect() == around(view)
