"""Every text and icon of the window follows the zoom, up and back down."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from PySide6.QtWidgets import QStyle
from pytestqt.qtbot import QtBot

from tests.helpers.desks.window import Frame
from tests.helpers.zooming import not_following, sizes

VIEWS: dict[str, Callable[[Frame], None]] = {
    "chat": lambda frame: frame.show_tab("chat"),
    "summarize": lambda frame: frame.show_tab("summarize"),
    "translate": lambda frame: frame.show_tab("translate"),
    "models": lambda frame: frame.show_tab("models"),
}


@pytest.mark.parametrize("view", VIEWS)
def test_every_text_and_icon_follows_up_and_back_down(frame: Frame, qtbot: QtBot, view: str) -> None:
    frame.window.resize(1600, 1000)
    qtbot.waitExposed(frame.window)
    VIEWS[view](frame)
    before = sizes(frame.window)
    assert len(before) > 10
    frame.theme.zoom = 1.5
    larger = sizes(frame.window)
    assert not not_following(before, larger, 1.5)
    assert sum(place in larger for place in before) > 8
    frame.theme.zoom = 1.0
    assert not not_following(before, sizes(frame.window), 1.0)


@pytest.mark.parametrize("zoom", [1.0, 2.0, 1.0])
def test_the_glyphs_of_a_menu_follow(frame: Frame, zoom: float) -> None:
    frame.theme.zoom = zoom
    menu = frame.model_menu
    menu.ensurePolished()
    assert menu.style().pixelMetric(QStyle.PixelMetric.PM_SmallIconSize, None, menu) == frame.theme.px(16)
