"""Attention in the window: the numbers of the engine as arcs, map and thumbnails, in words, as pictures and as CSV."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtSvg import QSvgRenderer
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from app.core.child import own_command
from app.core.errors.request_errors import ModelNotInspectable
from app.core.events import CancelToken, TokenSeen
from app.engine.client import EngineClient
from app.features.error_messages import sentence_for
from app.features.inside.patterns import ALONE, REPEATED, AttentionMap, AttentionTarget, HeadPattern, repeats_of
from app.ui.inside.attention import (
    ATTENTION_OF_HEAD,
    CANNOT_SEE_LATER,
    HEADS,
    HEADS_SUMMARY,
    LOOKS_AT,
    LOOKS_AT_PERCENT,
    MAP,
    MEAN_LABEL,
    AttentionView,
    kinds_in_words,
    largest_in_words,
    largest_of,
)
from app.ui.inside.plots import COPY_AS_CSV, as_image, as_svg
from app.ui.shell.tab_spec import UiContext
from tests.helpers.desks.desk import Desk
from tests.helpers.engine import load
from tests.helpers.texts import start_of
from tests.helpers.tiny_models import make_tiny

TEXT = "one two three four"


@pytest.fixture
def view(ui: UiContext, engine: EngineClient, qtbot: QtBot) -> AttentionView:
    view = AttentionView(ui, lambda _: nullcontext(engine))  # type: ignore[arg-type, return-value]
    qtbot.addWidget(view)
    view.resize(380, 600)
    view.show()
    return view


@pytest.fixture
def desk(view: AttentionView, ui: UiContext) -> Desk:
    desk = Desk(view, notify=ui.notify)
    view.look_at(TEXT)
    desk.wait(lambda: view.seen is not None)
    return desk


def test_a_text_is_shown_with_its_last_token_chosen(view: AttentionView, desk: Desk) -> None:
    assert view.sentence.text() == ALONE[AttentionTarget.EVEN]
    assert view.largest.text() == LOOKS_AT.format(word="four", others="“one” 25 %, “two” 25 %.")
    assert view.kinds.text() == HEADS_SUMMARY.format(count=4, what="4 look at everything evenly")
    assert view.cut.isHidden()


def test_the_keyboard_goes_from_token_to_token(view: AttentionView, desk: Desk) -> None:
    view.arcs.setFocus()
    desk.press(Qt.Key.Key_Left)
    assert view.largest.text() == LOOKS_AT.format(word="three", others="“one” 33 %, “two” 33 %.")
    assert view.arcs.accessibleDescription() == view.largest.text()
    desk.press(Qt.Key.Key_Home, Qt.Key.Key_Left)
    assert view.largest.text() == LOOKS_AT.format(word="one", others="itself 100 %.")


def test_layer_and_head_are_chosen_by_keys(view: AttentionView, desk: Desk) -> None:
    view.layer_field.number.setFocus()
    desk.press(Qt.Key.Key_Up, Qt.Key.Key_Up)
    view.head_field.number.setFocus()
    assert view.head_field.number.text() == MEAN_LABEL
    desk.press(Qt.Key.Key_Up, Qt.Key.Key_Up)
    assert (view.layer, view.head) == (1, 1)
    assert view.map.plot.title == ATTENTION_OF_HEAD.format(layer=1, head=1)


def test_a_thumbnail_opens_its_head_as_a_map(view: AttentionView, desk: Desk) -> None:
    desk.click(desk.button("Show as: All heads"))
    cell = view.heads.visualRect(view.heads.heads.index(1, 0)).center()
    desk.click_at(view.heads, cell)
    assert (view.layer, view.head) == (1, 0)
    assert view.map.isVisible()
    assert view.map.current == (3, 0)


def test_a_cell_of_the_map_is_told_in_words(view: AttentionView, desk: Desk) -> None:
    view.show_as(MAP)
    view.map.setFocus()
    desk.press(Qt.Key.Key_Right)
    assert view.cell.text() == LOOKS_AT_PERCENT.format(looking="four", looked="two", percent=25)
    desk.press(Qt.Key.Key_Up, Qt.Key.Key_Up, Qt.Key.Key_Up, Qt.Key.Key_Right)
    assert view.cell.text() == CANNOT_SEE_LATER.format(looking="one", looked="three")


def test_everything_is_saved_and_copied(view: AttentionView, desk: Desk) -> None:
    for way, first, lines in (
        (MAP, ["", "one", "two", "three", "four"], 5),
        (HEADS, ["layer", "head", "pattern", "share", "first"], 5),
    ):
        view.show_as(way)
        desk.click(desk.button(COPY_AS_CSV))
        rows = list(csv.reader(QGuiApplication.clipboard().text().splitlines()))
        assert rows[0] == first
        assert len(rows) == lines
    for plot in (view.arcs.plot, view.map.plot, view.heads):
        assert as_image(plot).size() == 2 * plot.picture_size()
        renderer = QSvgRenderer(as_svg(plot))
        assert renderer.isValid()
        assert renderer.viewBox().size() == plot.picture_size()


def test_a_model_without_attention_says_so(ui: UiContext, qtbot: QtBot, tmp_path: Path) -> None:
    client = EngineClient(own_command("--engine-worker"), tmp_path / "engine")
    load(client, make_tiny("mamba", tmp_path / "mamba.gguf"))
    view = AttentionView(ui, lambda _: nullcontext(client))  # type: ignore[arg-type, return-value]
    qtbot.addWidget(view)
    view.show()
    view.look_at("abcabc")
    desk = Desk(view)
    desk.wait(lambda: not view.is_looking)
    assert view.state.text == str(sentence_for(ModelNotInspectable("mamba.gguf", "attention")))
    assert not view.drawings.isVisible()
    client.close()


def test_a_tab_with_a_model_of_its_own_has_that_one_looked_into(
    ui: UiContext, qtbot: QtBot, engine: EngineClient
) -> None:
    held: list[str] = []

    @contextmanager
    def opened(_cancel: CancelToken) -> Iterator[EngineClient]:
        held.append("opened")
        yield engine
        held.append("let go")

    view = AttentionView(ui, opened)
    view.is_chats = False
    qtbot.addWidget(view)
    view.look_at(TEXT)
    Desk(view).wait(lambda: view.seen is not None and not view.is_looking)
    assert held == ["opened", "let go"]


@pytest.mark.model
@pytest.mark.slow
def test_the_starters_heads_are_found(ui: UiContext, qtbot: QtBot, tmp_path: Path, starter: Path) -> None:
    client = EngineClient(own_command("--engine-worker"), tmp_path / "engine")
    load(client, starter)
    view = AttentionView(ui, lambda _: nullcontext(client))  # type: ignore[arg-type, return-value]
    qtbot.addWidget(view)
    view.look_at(
        "The old lighthouse keeper saw the ship in the storm. The keeper lit the lamp, and the ship turned away."
    )
    desk = Desk(view)
    desk.wait(lambda: view.seen is not None)
    assert view.sentence.text().startswith("Mostly looks at the token before")
    view.choose_head(24, 0)
    assert "first token" in view.sentence.text()
    view.choose_head(8, 0)
    assert view.sentence.text().startswith(start_of(REPEATED[AttentionTarget.SAME]))
    client.close()


def test_only_thumbnails_that_are_seen_are_made(view: AttentionView) -> None:
    tokens = tuple(TokenSeen(number, b" a") for number in range(8))
    shares = np.broadcast_to(np.tri(8, dtype=np.float32) / 8, (30, 9, 8, 8))
    patterns = ((HeadPattern(AttentionTarget.EVEN),) * 9,) * 30
    view._show(AttentionMap(tokens, tuple(range(30)), shares, repeats_of(tokens), patterns, True))
    view.show_as(HEADS)
    view.grab()
    model = view.heads.heads
    made = len(model._images)
    assert 9 <= made < 9 * 30
    view.heads.setFocus()
    QTest.keyClick(view.heads, Qt.Key.Key_End, Qt.KeyboardModifier.ControlModifier)
    view.grab()
    assert len(model._images) > made
    assert model.image(29, 8).pixelIndex(7, 0) == 0, "above the diagonal is nothing"


def test_a_thumbnail_of_a_long_text_keeps_what_stands_out() -> None:
    shares = np.zeros((256, 256), np.float32)
    shares[200, 7] = 1
    small = largest_of(shares, 48)
    assert small.shape == (48, 48)
    assert small.max() == 1
    assert np.argwhere(small).tolist() == [[200 * 48 // 256, 7 * 48 // 256]]


def test_one_head_of_a_kind_looks_and_several_look() -> None:
    kinds = (AttentionTarget.EVEN, AttentionTarget.SAME, AttentionTarget.SAME)
    (words,) = kinds_in_words([[HeadPattern(kind) for kind in kinds]])
    what = "2 find the same word earlier on, 1 looks at everything evenly"
    assert words == HEADS_SUMMARY.format(count=3, what=what)


def test_the_two_largest_are_named() -> None:
    tokens = [TokenSeen(number, f" w{number}".encode()) for number in range(8)]
    row = np.array([0.02, 0.4, 0.03, 0.2, 0.1, 0.05, 0.15, 0.05], np.float32)
    assert largest_in_words(row, tokens, 7) == (LOOKS_AT.format(word="w7", others="“w1” 40 %, “w3” 20 %."))


def test_two_hundred_and_fifty_six_tokens_keep_the_text_readable(ui: UiContext, qtbot: QtBot) -> None:
    view = AttentionView(ui, lambda _: nullcontext(None))  # type: ignore[arg-type, return-value]
    qtbot.addWidget(view)
    view.resize(380, 600)
    tokens = tuple(TokenSeen(number, f" word{number}".encode()) for number in range(256))
    even = np.tri(256, dtype=np.float32) / np.arange(1, 257)[:, None].astype(np.float32)
    patterns = ((HeadPattern(AttentionTarget.EVEN),),)
    view.show()
    view._show(AttentionMap(tokens, (0,), even[None, None], repeats_of(tokens), patterns, True))
    rects = [view.arcs.rect_of(number) for number in range(256)]
    assert len({rect.top() for rect in rects}) == 1, "one line, in which no arc crosses a word"
    assert not any(a.intersects(b) for a, b in pairwise(rects))
    qtbot.waitUntil(lambda: all(view.arcs.rect().contains(rect) for rect in rects))
    last = view.arcs.rect_of(255).center()
    qtbot.waitUntil(lambda: view.arcs.visibleRegion().contains(last))
    QTest.keyClick(view.arcs, Qt.Key.Key_Home)
    assert view.arcs.visibleRegion().contains(view.arcs.rect_of(0).center())
    saved = view.arcs.plot.picture_size()
    assert saved.width() < 800, "a picture has lines again"
    assert saved.height() > 1000
