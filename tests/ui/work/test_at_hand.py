"""The model at hand of a tab, and what is asked while it is released."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

from PySide6.QtCore import QObject
from pytestqt.qtbot import QtBot

from app.ui.work.at_hand import ModelAtHand


@contextmanager
def open_engine(_cancel: object) -> Iterator[Any]:
    yield SimpleNamespace(loaded=None)


def test_a_model_that_was_put_to_sleep_is_no_longer_held_for_what_would_not_wake_it(qtbot: QtBot) -> None:
    parent = QObject()
    hand = ModelAtHand(lambda: cast(Any, SimpleNamespace(open_engine=open_engine)), parent)
    hand.wake(Path("model.gguf"))
    qtbot.waitUntil(lambda: hand.state == "ready", timeout=60_000)
    assert hand.has_model
    hand.sleep()
    assert not hand.has_model, "a count that comes now would load it again"
    qtbot.waitUntil(lambda: hand.state == "asleep", timeout=60_000)
    hand.wake(Path("model.gguf"))
    assert hand.has_model
    hand.sleep()
    qtbot.waitUntil(lambda: hand.state == "asleep", timeout=60_000)
