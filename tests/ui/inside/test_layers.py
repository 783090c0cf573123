"""Layer by layer in the window: a grid of words with their probabilities, its last row the model's own."""

from __future__ import annotations

import csv
from contextlib import nullcontext

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtSvg import QSvgRenderer
from pytestqt.qtbot import QtBot

from app.core.events import Guess, TokenSeen
from app.engine.client import EngineClient
from app.ui.inside.layers import LAYER_GUESSES, OUTPUT_GUESSES, LayersView, LogitLens
from app.ui.inside.plots import COPY_AS_CSV, as_image, as_svg
from app.ui.shared_labels import FIRST_TOKENS_SHOWN
from app.ui.shell.tab_spec import UiContext
from tests.helpers.desks.desk import Desk

TOKENS = tuple(TokenSeen(number, word) for number, word in enumerate((b"The", b" cat", b" sat")))
GUESSES = (
    ((Guess(b" of", 0.02), Guess(b"\n", 0.01)), (Guess(b" s", 0.3),), (Guess(b".", 0.4),)),
    ((Guess(b" cat", 0.61), Guess(b" dog", 0.2)), (Guess(b" sat", 0.9),), (Guess(b" down", 0.55),)),
)


@pytest.fixture
def view(ui: UiContext, engine: EngineClient, qtbot: QtBot) -> LayersView:
    view = LayersView(ui, lambda _: nullcontext(engine))  # type: ignore[arg-type, return-value]
    qtbot.addWidget(view)
    view.resize(380, 600)
    view.show()
    return view


@pytest.fixture
def desk(view: LayersView, ui: UiContext) -> Desk:
    view._show(LogitLens(TOKENS, GUESSES, True))
    return Desk(view, notify=ui.notify)


def test_the_engines_words_are_shown(view: LayersView, ui: UiContext) -> None:
    desk = Desk(view, notify=ui.notify)
    view.look_at("one two")
    desk.wait(view.grid.isVisible)
    model = view.grid.lens
    assert [model.index(row, 1).data() for row in range(model.rowCount())] == ["two", "two"]
    assert view.cut.isHidden()


def test_arrows_go_from_cell_to_cell_and_tell_what_was_likely(view: LayersView, desk: Desk) -> None:
    view.grid.setFocus()
    desk.press(Qt.Key.Key_Left)
    assert view.cell.text() == OUTPUT_GUESSES.format(word="cat", guesses="“sat” 90 %. This is the actual next token")
    desk.press(Qt.Key.Key_Left, Qt.Key.Key_Up)
    assert view.cell.text() == LAYER_GUESSES.format(layer=0, word="The", guesses="“of” 2.0 %, “↵” 1.0 %")
    current = view.grid.currentIndex()
    assert current.data(Qt.ItemDataRole.AccessibleTextRole) == view.cell.text()


def test_a_longer_text_is_shown_from_its_beginning(view: LayersView, ui: UiContext) -> None:
    desk = Desk(view, notify=ui.notify)
    view.look_at("word " * 300)
    desk.wait(lambda: view.cut.text() == FIRST_TOKENS_SHOWN.format(count=64))
    assert view.grid.lens.columnCount() == 64


def test_the_grid_is_saved_and_copied(view: LayersView, desk: Desk) -> None:
    desk.click(desk.button(COPY_AS_CSV))
    rows = list(csv.reader(QGuiApplication.clipboard().text().splitlines()))
    assert rows[0] == ["layer", "token", "behind", "text", "probability"]
    assert rows[-1] == ["output", "2", " sat", " down", "0.55"]
    assert len(rows) == 1 + 4 + 4
    assert as_image(view.grid).size() == 2 * view.grid.picture_size()
    assert QSvgRenderer(as_svg(view.grid)).isValid()
