"""What a person hears of downloads wherever they are in the window."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from PySide6.QtCore import QThread
from PySide6.QtWidgets import QPushButton
from pytestqt.qtbot import QtBot

from app.core.errors import DownloadFailed
from app.hub.download import Download, DownloadRequest
from app.hub.files import RemoteFile
from app.ui.models.downloads import DownloadWatch
from app.ui.shell.desktop import TaskBar
from tests.helpers.desks.window import Frame
from tests.helpers.tiny_models import make_tiny
from tests.ui.shell.test_desktop import Noted

REQUEST = DownloadRequest("unsloth/Qwen3.5-9B-GGUF", "c0ffee", "Qwen3.5 9B", (RemoteFile("a.gguf", 1000),))
BEGUN = Download(1, REQUEST, "running", "downloading", 0, 1000, 0.0, None, 0.0, None, (), 0)


@dataclass
class Queue:
    """Stands in for the models and their queue: says what it is told to, on a thread of its own."""

    items: list[Download] = field(default_factory=list)
    retried: list[int] = field(default_factory=list)
    listener: Callable[[Download], object] | None = None

    @property
    def downloads(self) -> Queue:
        return self

    def all(self) -> list[Download]:
        return self.items

    def resume(self, number: int) -> None:
        self.retried.append(number)

    def listen(self, listener: Callable[[Download], object]) -> Callable[[], None]:
        self.listener = listener
        return lambda: setattr(self, "listener", None)

    def say(self, download: Download) -> None:
        assert self.listener is not None
        thread = threading.Thread(target=self.listener, args=(download,))
        thread.start()
        thread.join()


@dataclass
class Watched:
    queue: Queue
    desktop: Noted
    watch: DownloadWatch


@pytest.fixture
def watched(frame: Frame, qtbot: QtBot) -> Iterator[Watched]:
    queue, desktop = Queue(), Noted()
    bar = TaskBar(frame.window, lambda _: desktop)
    watch = DownloadWatch(queue, frame.theme, frame.notify, frame.loader, task_bar=bar)  # type: ignore[arg-type]
    qtbot.waitUntil(frame.window.isActiveWindow)
    frame.window.hide()  # the person is elsewhere
    qtbot.waitUntil(lambda: not frame.window.isActiveWindow())
    yield Watched(queue, desktop, watch)
    watch.close()


def press(frame: Frame, text: str) -> None:
    buttons = frame.notify.bar.findChildren(QPushButton)
    next(button for button in buttons if button.text() == text).click()


def test_the_bar_shows_all_that_runs_together(watched: Watched, qtbot: QtBot) -> None:
    watched.queue.say(replace(BEGUN, done_bytes=500))
    qtbot.waitUntil(lambda: watched.desktop.bars == [0.5])
    watched.queue.say(replace(BEGUN, id=2, state="queued", total_bytes=3000))
    qtbot.waitUntil(lambda: watched.desktop.bars[-1] == 0.12)
    watched.queue.say(replace(BEGUN, id=2, state="paused", total_bytes=3000))
    qtbot.waitUntil(lambda: watched.desktop.bars[-1] == 0.5)
    watched.queue.say(replace(BEGUN, state="removed"))
    qtbot.waitUntil(lambda: watched.desktop.bars[-1] is None)
    assert watched.desktop.told == []


def test_what_ran_before_the_window_came_counts(frame: Frame, qtbot: QtBot) -> None:
    queue, desktop = Queue([replace(BEGUN, done_bytes=300)]), Noted()
    bar = TaskBar(frame.window, lambda _: desktop)
    watch = DownloadWatch(queue, frame.theme, frame.notify, frame.loader, task_bar=bar)  # type: ignore[arg-type]
    assert desktop.bars == [0.3]
    watch.close()
    assert desktop.bars == [0.3, None]
    assert queue.listener is None


def test_the_end_is_told_and_the_model_can_be_used(
    watched: Watched, frame: Frame, qtbot: QtBot, tmp_path: Path
) -> None:
    path = make_tiny("llama", tmp_path / "Qwen3.5-9B-Q4_K_M.gguf")
    watched.queue.say(replace(BEGUN, done_bytes=900))
    done = replace(BEGUN, state="done", done_bytes=1000, paths=(str(path),))
    watched.queue.say(done)
    qtbot.waitUntil(lambda: frame.notices == ["Qwen3.5 9B is here."])
    assert watched.desktop.told == [("Fireside", "Qwen3.5 9B is here.")]
    assert watched.desktop.bars[-1] is None
    watched.queue.say(done)  # said again, as by a rename
    press(frame, "Use it")
    qtbot.waitUntil(lambda: frame.loader.state == "ready")
    assert frame.loader.path == path
    assert frame.notices == []
    assert len(watched.desktop.told) == 1


def test_a_failure_is_told_with_a_way_to_try_again(watched: Watched, frame: Frame, qtbot: QtBot) -> None:
    watched.queue.say(BEGUN)
    watched.queue.say(replace(BEGUN, state="failed", error=DownloadFailed("a.gguf", "x")))
    qtbot.waitUntil(lambda: bool(frame.notices))
    assert frame.notices == ["a.gguf could not be fetched. What was fetched so far is kept."]
    assert watched.desktop.told == [("Qwen3.5 9B was not fetched", "a.gguf could not be fetched.")]
    press(frame, "Try again")
    assert watched.queue.retried == [1]


def test_old_failures_and_finished_ones_are_not_told_at_start(watched: Watched, frame: Frame, qtbot: QtBot) -> None:
    watched.queue.say(replace(BEGUN, state="failed", error=DownloadFailed("a.gguf", "x")))
    watched.queue.say(replace(BEGUN, id=2, state="done"))
    watched.queue.say(replace(BEGUN, id=3, done_bytes=10))
    qtbot.waitUntil(lambda: watched.desktop.bars == [0.01])
    assert frame.notices == []
    assert QThread.currentThread().isMainThread()
