"""Cycles of widgets are destroyed on the window's thread, whichever thread made the last object."""

from __future__ import annotations

import gc
import threading
from collections.abc import Iterator

import pytest
from PySide6.QtCore import QObject
from pytestqt.qtbot import QtBot

from app.ui.shell import garbage


class Knot:
    """Part of a cycle; tells on which thread it went."""

    def __init__(self, told: list[threading.Thread]) -> None:
        self.itself, self.told = self, told

    def __del__(self) -> None:
        self.told.append(threading.current_thread())


@pytest.fixture
def collector_as_before() -> Iterator[None]:
    was_on = gc.isenabled()
    yield
    if was_on:
        gc.enable()


def make_many() -> list[list[int]]:
    return [[number] for number in range(100_000)]


def test_another_thread_collects_nothing_and_the_windows_does(
    qtbot: QtBot, monkeypatch: pytest.MonkeyPatch, collector_as_before: None
) -> None:
    monkeypatch.setattr(garbage, "EVERY_MS", 20)
    parent = QObject()
    gc.enable()
    garbage.collect_on_this_thread(parent)
    told: list[threading.Thread] = []
    Knot(told)
    other = threading.Thread(target=make_many)
    other.start()
    other.join()
    assert told == []
    kept = make_many()  # now there are more than Python lets be
    qtbot.waitUntil(lambda: bool(told))
    assert told == [threading.main_thread()]
    assert kept
    parent.deleteLater()
