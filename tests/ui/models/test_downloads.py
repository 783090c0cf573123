"""The downloads: in their groups, every state in words, and what each button asks of the queue."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from PySide6.QtCore import Qt, QThread
from pytestqt.qtbot import QtBot

from app.core.errors.hub_errors import DownloadFailed, HubUnreachable, NotEnoughDisk
from app.features.error_messages import sentence_for
from app.hub.download import Download, DownloadRequest
from app.hub.model_files import RemoteFile
from app.ui.model_texts import (
    HOURS_AND_MINUTES_LEFT,
    HOURS_LEFT,
    MINUTES_LEFT,
    OVER_A_DAY_LEFT,
    PAUSED,
    SPEED_KB,
    SPEED_MB,
    UNDER_A_MINUTE_LEFT,
    left_words,
    speed_words,
)
from app.ui.models.download_rows import (
    MODEL_DOWNLOADED,
    MODEL_NOT_FETCHED,
    DownloadWatch,
)
from app.ui.models.model_card import together
from app.ui.models.storage import STORAGE
from app.ui.shared_labels import CANCEL, DOWNLOADS, REMOVE_FROM_LIST, RESUME, TRY_AGAIN, USE_IN_CHAT, USE_IT
from app.ui.shell.desktop import TaskBar
from tests.helpers.desks.window import Frame
from tests.helpers.tiny_models import make_tiny
from tests.ui.models.stand_in import GB, LARGE, QWEN, SMALL, TRANSLATOR, Pages, download
from tests.ui.shell.test_desktop import Noted


def open_page(pages: Pages, qtbot: QtBot, count: int) -> None:
    pages.show("downloads")
    qtbot.waitUntil(lambda: len(pages.cards("downloads")) == count)


def buttons(pages: Pages, name: str) -> list[str]:
    return [button.text() for button in pages.card(name).buttons.values() if not button.isHidden()]


def facts(pages: Pages, name: str) -> str:
    return pages.card(name).facts.text().translate({0xA0: " ", 0x2011: "-"})


def test_what_the_queue_holds_shows_in_its_groups_as_after_a_restart(pages: Pages, qtbot: QtBot) -> None:
    for one in (
        download(1, QWEN, "done"),
        download(2, SMALL, "paused", 0.5),
        download(3, TRANSLATOR, "running", 0.38),
    ):
        pages.queue.items[one.id] = one
    open_page(pages, qtbot, 3)
    assert [card.name.text() for card in pages.cards("downloads")] == ["Hy-MT2 1.8B", "Qwen3.5 2B", "Qwen3.5 9B"]
    assert facts(pages, "Hy-MT2 1.8B") == "418 MB of 1.1 GB · 11 MB/s · about 1 min left"
    assert pages.card("Hy-MT2 1.8B").source.text() == "balanced (Q4_K_M) · tencent/Hy-MT2-1.8B-GGUF"
    assert facts(pages, "Qwen3.5 2B") == f"{PAUSED} · 650 MB of 1.3 GB"
    assert buttons(pages, "Qwen3.5 2B") == [RESUME, CANCEL]
    assert buttons(pages, "Qwen3.5 9B") == [USE_IN_CHAT, REMOVE_FROM_LIST]
    assert pages.link("downloads").text() == f"{DOWNLOADS} · 2"


PHASES: list[tuple[dict[str, object], str]] = [
    ({"phase": "connecting"}, "Connecting · 650 MB of 1.3 GB"),
    ({"phase": "checking"}, "Checking existing files · 650 MB of 1.3 GB"),
    ({"phase": "verifying"}, "Verifying the Hub’s checksum · 650 MB of 1.3 GB"),
    (
        {"phase": "waiting", "wait_s": 8.2, "problem": "HubUnreachable"},
        "No answer from the Hub. Retrying in 8 s · 650 MB of 1.3 GB",
    ),
    (
        {"phase": "waiting", "wait_s": 60, "problem": "HubBusy"},
        "The Hub is busy. Retrying in 60 s · 650 MB of 1.3 GB",
    ),
    ({"bytes_per_s": 0.0, "left_s": None}, "650 MB of 1.3 GB"),
]


def test_every_phase_in_words(pages: Pages, qtbot: QtBot) -> None:
    pages.queue.items[1] = download(1, SMALL, "running", 0.5)
    open_page(pages, qtbot, 1)
    for changes, words in PHASES:
        pages.queue.put(download(1, SMALL, "running", 0.5, **changes))
        qtbot.waitUntil(lambda words=words: facts(pages, "Qwen3.5 2B") == words)


def test_pause_resume_cancel_and_remove_reach_the_queue(pages: Pages, qtbot: QtBot) -> None:
    pages.queue.items = {1: download(1, SMALL, "running", 0.5), 2: download(2, QWEN, "done")}
    open_page(pages, qtbot, 2)
    for name, key, after in (
        ("Qwen3.5 2B", "pause", 2),
        ("Qwen3.5 2B", "resume", 2),
        ("Qwen3.5 2B", "cancel", 1),
        ("Qwen3.5 9B", "remove", 0),
    ):
        button = pages.card(name).buttons[key]
        qtbot.waitUntil(button.isVisible)
        qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
        qtbot.waitUntil(lambda key=key: key in [call for call, _ in pages.queue.calls])
        qtbot.waitUntil(lambda after=after: len(pages.cards("downloads")) == after)
    assert pages.empty("downloads").isVisible()


def test_a_failure_is_said_with_what_helps(pages: Pages, qtbot: QtBot) -> None:
    shown: list[str] = []
    pages.notify.actions["storage"] = lambda: shown.append("storage")
    pages.queue.items = {
        1: download(1, LARGE, "failed", error=NotEnoughDisk("/models", 15 * GB, 9 * GB)),
        2: download(2, QWEN, "failed", 0.2, error=HubUnreachable("huggingface.co", "offline")),
    }
    open_page(pages, qtbot, 2)
    card = pages.card("Gemma 4 26B A4B")
    assert "15.0 GB" in card.problem.text()
    assert buttons(pages, "Gemma 4 26B A4B") == [STORAGE, TRY_AGAIN, CANCEL]
    qtbot.mouseClick(card.buttons["act"], Qt.MouseButton.LeftButton)
    assert shown == ["storage"]
    assert buttons(pages, "Qwen3.5 9B") == [TRY_AGAIN, CANCEL]
    qtbot.mouseClick(pages.card("Qwen3.5 9B").buttons["retry"], Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: pages.queue.calls == [("resume", 2)])


def test_progress_moves_the_row_and_keeps_the_focus(pages: Pages, qtbot: QtBot) -> None:
    pages.queue.items[1] = download(1, SMALL, "running", 0.5)
    open_page(pages, qtbot, 1)
    pages.window.activateWindow()
    card = pages.card("Qwen3.5 2B")
    card.buttons["cancel"].setFocus()
    pages.queue.put(download(1, SMALL, "running", 0.75))
    qtbot.waitUntil(lambda: card.progress.value() == 750)
    pages.queue.put(download(2, TRANSLATOR, "queued"))
    qtbot.waitUntil(lambda: len(pages.cards("downloads")) == 2)
    assert pages.card("Qwen3.5 2B") is card
    assert card.buttons["cancel"].hasFocus()
    pages.queue.put(download(1, SMALL, "done"))
    qtbot.waitUntil(lambda: buttons(pages, "Qwen3.5 2B") == [USE_IN_CHAT, REMOVE_FROM_LIST])
    assert card.hasFocus()


def test_a_finished_one_is_used_and_keys_do_the_same_as_the_buttons(pages: Pages, qtbot: QtBot) -> None:
    pages.queue.items = {1: download(1, SMALL, "done"), 2: download(2, QWEN, "running", 0.1)}
    open_page(pages, qtbot, 2)
    pages.window.activateWindow()
    running, done = pages.card("Qwen3.5 9B"), pages.card("Qwen3.5 2B")
    running.setFocus()
    qtbot.keyClick(running, Qt.Key.Key_Down)
    qtbot.waitUntil(done.hasFocus)
    qtbot.keyClick(done, Qt.Key.Key_Return)
    assert pages.loader.loaded == [Path(f"/models/{SMALL.repo}/{SMALL.file}")]
    qtbot.keyClick(done, Qt.Key.Key_Delete)
    qtbot.waitUntil(lambda: pages.queue.calls == [("remove", 1)])


def test_numbers_in_words() -> None:
    assert [speed_words(speed) for speed in (30_400, 420_000, 9.94e6, 11.4e6)] == [
        SPEED_KB.format(speed=30),
        SPEED_MB.format(speed="0.4"),
        SPEED_MB.format(speed="9.9"),
        SPEED_MB.format(speed=11),
    ]
    assert [left_words(left_s) for left_s in (3, 70, 59.4 * 60, 3600, 5520, 90_000)] == [
        UNDER_A_MINUTE_LEFT,
        MINUTES_LEFT.format(minutes=1),
        MINUTES_LEFT.format(minutes=59),
        HOURS_LEFT.format(hours=1),
        HOURS_AND_MINUTES_LEFT.format(hours=1, minutes=30),
        OVER_A_DAY_LEFT,
    ]


def test_a_short_fact_stays_in_one_piece_and_a_long_name_breaks_where_a_reader_would() -> None:
    assert (
        together("Apache 2.0 · unsloth/Qwen3.5-2B-GGUF") == "Apache\u00a02.0\u00a0· unsloth/Qwen3.5\u20112B\u2011GGUF"
    )
    assert together("somebody-long/a-model-of-a-long-name") == (
        "somebody-\u200blong/\u200ba-\u200bmodel-\u200bof-\u200ba-\u200blong-\u200bname"
    )


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

    @property
    def download_changed(self) -> Queue:
        return self

    @property
    def list_changed(self) -> Any:
        return SimpleNamespace(listen=self.listen_to_list)

    def listen(self, listener: Callable[[Download], object]) -> Callable[[], None]:
        self.listener = listener
        return lambda: setattr(self, "listener", None)

    def listen_to_list(self, listener: Callable[[None], object]) -> Callable[[], None]:
        self.list_listener = listener
        return lambda: None

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
    buttons = [button for notice in frame.notify.bar.notices for button in notice.buttons]
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


def test_the_end_is_told_and_the_model_can_be_used(
    watched: Watched, frame: Frame, qtbot: QtBot, tmp_path: Path
) -> None:
    path = make_tiny("llama", tmp_path / "Qwen3.5-9B-Q4_K_M.gguf")
    watched.queue.say(replace(BEGUN, done_bytes=900))
    done = replace(BEGUN, state="done", done_bytes=1000, paths=(str(path),))
    watched.queue.say(done)
    qtbot.waitUntil(lambda: frame.notices == [MODEL_DOWNLOADED.format(name="Qwen3.5 9B")])
    assert watched.desktop.told == [("Fireside", MODEL_DOWNLOADED.format(name="Qwen3.5 9B"))]
    assert watched.desktop.bars[-1] is None
    watched.queue.say(done)  # said again, as by a rename
    press(frame, USE_IT)
    qtbot.waitUntil(lambda: frame.loader.state == "ready")
    assert frame.loader.path == path
    assert frame.notices == []
    assert len(watched.desktop.told) == 1


def test_a_failure_is_told_with_a_way_to_try_again(watched: Watched, frame: Frame, qtbot: QtBot) -> None:
    watched.queue.say(BEGUN)
    watched.queue.say(replace(BEGUN, state="failed", error=DownloadFailed("a.gguf", "x")))
    qtbot.waitUntil(lambda: bool(frame.notices))
    sentence = sentence_for(DownloadFailed("a.gguf", "x"))
    assert frame.notices == [str(sentence)]
    assert watched.desktop.told == [(MODEL_NOT_FETCHED.format(name="Qwen3.5 9B"), sentence.text)]
    press(frame, TRY_AGAIN)
    assert watched.queue.retried == [1]


def test_old_failures_and_finished_ones_are_not_told_at_start(watched: Watched, frame: Frame, qtbot: QtBot) -> None:
    watched.queue.say(replace(BEGUN, state="failed", error=DownloadFailed("a.gguf", "x")))
    watched.queue.say(replace(BEGUN, id=2, state="done"))
    watched.queue.say(replace(BEGUN, id=3, done_bytes=10))
    qtbot.waitUntil(lambda: watched.desktop.bars == [0.01])
    assert frame.notices == []
    assert QThread.currentThread().isMainThread()
