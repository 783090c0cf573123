"""The bottom line in words."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from app.core.events import ModelLoaded, Placed
from app.core.settings import load_settings
from app.features.models.model_messages import short_count
from app.ui.chat.chat_tab import ONE_MESSAGE_WAITS
from app.ui.shell.status_line import (
    CPU_ONE_THREAD,
    CPU_THREADS,
    GPU_LAYERS,
    LAYERS_ON_OTHER_COMPUTERS,
    NETWORK_OFF,
    NETWORK_ON,
    StatusLine,
    device_text,
)
from app.ui.theme import Theme
from tests.helpers.clipping import clipped_texts
from tests.helpers.desks.window import Frame

ON_CPU = ModelLoaded("a.gguf", "a", 100, 8192, 32768, True, 30, 0, "CPU", 2)


@pytest.mark.parametrize(
    ("count", "text"),
    [(0, "0"), (950, "950"), (1200, "1.2k"), (2000, "2k"), (8192, "8k"), (10_240, "10k"), (10_200, "10.2k")],
)
def test_token_counts_are_short(count: int, text: str) -> None:
    assert short_count(count) == text


def test_the_device_is_told_as_it_is() -> None:
    assert device_text(ON_CPU) == CPU_THREADS.format(count=2)
    assert device_text(replace(ON_CPU, threads=1)) == CPU_ONE_THREAD
    on_gpu = replace(ON_CPU, gpu_layers=30, device="Radeon 780M")
    assert device_text(on_gpu) == GPU_LAYERS.format(name="Radeon 780M", some=30, all=30)
    parts = tuple(Placed(name, 10, 1) for name in ("CPU", "10.0.0.7:50052", "10.0.0.7:50052 #2"))
    shared = replace(ON_CPU, gpu_layers=20, device="10.0.0.7:50052 + 10.0.0.7:50052 #2", placement=parts)
    assert device_text(shared) == LAYERS_ON_OTHER_COMPUTERS.format(computers="10.0.0.7:50052", some=20, all=30)


def test_the_gauge_says_used_and_size(qtbot: QtBot) -> None:
    line = StatusLine(Theme("light"))
    qtbot.addWidget(line)
    line.resize(800, 30)
    line.show()
    assert not line.gauge.isVisible()
    line.show_model(ON_CPU)
    line.gauge.show_used(1200)
    line.show_waiting(ONE_MESSAGE_WAITS)
    assert line.gauge.isVisible()
    assert line.gauge.accessibleName() == "Context 1.2k of 8k"
    line.gauge.show_used(25)
    assert not line.gauge.isVisible(), "an empty chat with its instructions"
    assert clipped_texts(line) == []
    line.show_model(None)
    assert not line.device.isVisible()
    assert not line.gauge.isVisible()


@pytest.mark.parametrize("zoom", [1.0, 3.0])
def test_in_a_narrow_window_nothing_in_the_line_overlaps(qtbot: QtBot, zoom: float) -> None:
    window = QWidget()
    qtbot.addWidget(window)
    line = StatusLine(Theme("light", zoom=zoom))
    line.setParent(window)
    line.show_model(ON_CPU)
    line.gauge.show_used(1200)
    window.resize(round(800 * zoom), line.height())
    window.show()
    full_px = line.gauge.width()
    parts = (line.device, line.gauge, line.network)
    left = []
    for width_px in (800, *range(460, 360, -7), 320, 260, 160):
        line.resize(round(width_px * zoom), line.height())
        assert clipped_texts(window) == []
        shown = [part for part in parts if part.isVisible()]
        assert all(not a.geometry().intersects(b.geometry()) for a, b in pairwise(shown))
        assert line.rect().contains(shown[-1].geometry())
        has_bar = line.gauge in shown and line.gauge.width() > full_px - 64 * zoom
        left.append(len(shown) + has_bar)
    assert left == sorted(left, reverse=True)
    assert (left[0], left[-1]) == (4, 1)


def test_the_networks_switch_says_how_it_is_and_is_pressed_by_keyboard(frame: Frame, qtbot: QtBot) -> None:
    switch = frame.network_switch
    assert (switch.text(), switch.accessibleName()) == (NETWORK_ON, NETWORK_ON)
    switch.setFocus(Qt.FocusReason.TabFocusReason)
    qtbot.keyClick(switch, Qt.Key.Key_Space)
    assert switch.accessibleName() == NETWORK_OFF
    assert not load_settings(frame.paths.settings)[0].network.allowed
    qtbot.mouseClick(switch, Qt.MouseButton.LeftButton)
    assert switch.text() == NETWORK_ON
    assert load_settings(frame.paths.settings)[0].network.allowed
    assert clipped_texts(frame.status_line) == []
