"""The window at rest keeps nothing of the texts it was busy with; while a task runs, all of it is kept."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest
from PySide6.QtCore import QObject
from pytestqt.qtbot import QtBot

from app.core.events import CancelToken
from app.language.text_cache import count_kept_texts
from app.language.words import word_stems
from app.ui.shell import tasks
from app.ui.shell.memory_rest import MemoryRest


@pytest.fixture
def parent(qtbot: QtBot) -> Iterator[QObject]:
    parent = QObject()
    MemoryRest(parent, rest_after_ms=0)
    yield parent
    parent.deleteLater()


def read_words(_token: CancelToken) -> Iterator[object]:
    yield word_stems("The harbour was dredged in spring.")


def test_texts_are_forgotten_after_the_last_task(qtbot: QtBot, parent: QObject) -> None:
    kept: list[int] = []
    tasks.run(read_words, parent, on_event=lambda _: kept.append(count_kept_texts()))
    qtbot.waitUntil(lambda: bool(kept) and count_kept_texts() == 0)
    assert kept[0] > 0


def test_texts_are_kept_while_another_task_runs(qtbot: QtBot, parent: QObject) -> None:
    may_end, ends = threading.Event(), []

    def wait(_token: CancelToken) -> Iterator[object]:
        may_end.wait()
        yield from ()

    tasks.run(wait, parent, on_end=lambda: ends.append("long"))
    tasks.run(read_words, parent, on_end=lambda: ends.append("short"))
    qtbot.waitUntil(lambda: ends == ["short"])
    for _ in range(20):
        qtbot.wait(1)
    assert count_kept_texts() > 0
    may_end.set()
    qtbot.waitUntil(lambda: ends == ["short", "long"] and count_kept_texts() == 0)
