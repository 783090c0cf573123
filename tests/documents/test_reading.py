"""Reading by the real child: in order, with a pulse, cancelled, killed, stopped and gone with its parent."""

from __future__ import annotations

import json
import logging
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import psutil
import pytest

from app.core.child import CHECKOUT, SilenceWatch, running_children
from app.core.errors.document_errors import DocumentReaderFailed, DocumentTooDemanding, DocumentUnreadable
from app.core.errors.engine_errors import ProtocolViolation
from app.core.events import CancelToken
from app.documents import limits, read_document
from app.documents.limits import LIMITS_VARIABLE
from app.documents.protocol import BlocksRead, Done, Draw, Drawn, Found, Read, Segments
from tests.helpers.documents import (
    GOES_ROUND,
    WAITS_FOR_A_PROGRAM,
    WAITS_FOR_ITSELF,
    WORDS,
    Hanging,
    Readings,
    good_pdf,
    long_text,
    look_by_look,
    only_child,
    read,
)
from tests.helpers.program import is_gone, wait_until


@pytest.fixture
def work(tmp_path: Path) -> Path:
    """Where children work."""
    return tmp_path / "work"


@pytest.fixture
def long(tmp_path: Path) -> Path:
    """A text that takes seconds to read."""
    return long_text(tmp_path / "long.txt", 40_000_000)


@pytest.fixture
def good(tmp_path: Path) -> Path:
    """A text that takes none."""
    path = tmp_path / "good.txt"
    path.write_text(WORDS)
    return path


@pytest.fixture
def readings(work: Path) -> Iterator[Readings]:
    """Readings that end with the test."""
    with closing(Readings(work)) as readings:
        yield readings


def test_text_is_counted_once_more_where_it_arrives(
    good: Path, tmp_path: Path, work: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    long = long_text(tmp_path / "long.txt", 1_000_000)
    at: Any = {"folder": work, "cancel": CancelToken()}
    monkeypatch.setattr(limits, "PLAIN_SHARE", 0)  # here, not in the child
    monkeypatch.setattr(limits, "TEXT_SHARE", 0)
    monkeypatch.setattr(limits, "FREE_CHARACTERS", 200_000)
    for ask in (read_document.read(Read(str(long)), **at), read_document.find_segments(Segments(str(long)), **at)):
        with closing(ask), pytest.raises(DocumentUnreadable) as caught:
            list(ask)
        assert caught.value.reason == "inflates"
    assert read(good, work).text == WORDS


def test_a_file_is_read_by_a_child(good: Path, work: Path) -> None:
    result = read(good, work)
    assert (result.text, result.done.language, result.found.format) == (WORDS, "en", "text")
    assert list(work.iterdir()) == []


def test_the_childs_situation_is_raised(work: Path, tmp_path: Path) -> None:
    with pytest.raises(DocumentUnreadable) as caught:
        read(tmp_path / "gone.txt", work)
    assert vars(caught.value) == {"path": str(tmp_path / "gone.txt"), "reason": "missing"}


def test_the_first_event_is_what_was_found_and_the_last_is_done(good: Path, readings: Readings) -> None:
    events = readings.events(good)
    assert isinstance(next(event for event in events if event != BlocksRead(())), Found)
    assert isinstance(list(events)[-1], Done)


def test_something_comes_five_times_a_second(long: Path, readings: Readings, monkeypatch: pytest.MonkeyPatch) -> None:
    events, pid = readings.wait_for_first(long)
    os.kill(pid, signal.SIGSTOP)
    look_by_look(monkeypatch)
    waited_s: list[float] = []
    pulses = 0
    while pulses < 5:
        asked_s = time.monotonic()
        event = next(events)
        waited_s.append(time.monotonic() - asked_s)
        pulses += event == BlocksRead(())
    assert max(waited_s) < 0.4
    os.kill(pid, signal.SIGCONT)
    events.close()


def test_a_cancelled_reading_ends_before_all_is_read(long: Path, readings: Readings, work: Path, good: Path) -> None:
    cancel = CancelToken()
    events, pid = readings.wait_for_first(long, cancel)
    cancel.cancel()
    assert not any(isinstance(event, Done) for event in events)
    assert is_gone(pid)
    assert read(good, work).text == WORDS


def test_a_reading_is_cancelled_before_it_began(good: Path, readings: Readings) -> None:
    cancel = CancelToken()
    cancel.cancel()
    assert list(readings.events(good, cancel)) == []


def test_a_stopped_child_is_cancelled_too(long: Path, readings: Readings) -> None:
    cancel = CancelToken()
    events, pid = readings.wait_for_first(long, cancel)
    os.kill(pid, signal.SIGSTOP)
    cancel.cancel()
    list(events)
    assert is_gone(pid)


def test_a_reading_that_nobody_goes_on_with_leaves_nothing(long: Path, readings: Readings, work: Path) -> None:
    events, pid = readings.wait_for_first(long)
    events.close()
    assert is_gone(pid)
    assert list(work.iterdir()) == []


@pytest.mark.parametrize("number", [signal.SIGSEGV, signal.SIGABRT, signal.SIGKILL, signal.SIGTERM])
def test_a_child_that_dies_is_told_and_the_next_one_works(
    long: Path, readings: Readings, work: Path, good: Path, number: signal.Signals
) -> None:
    events, pid = readings.wait_for_first(long)
    os.kill(pid, number)
    with pytest.raises(DocumentReaderFailed) as caught:
        list(events)
    assert (caught.value.path, caught.value.exit_code) == (str(long), -number)
    assert WORDS[:20] not in caught.value.detail
    assert read(good, work).text == WORDS


def test_a_child_that_says_nothing_is_ended(
    long: Path, readings: Readings, work: Path, good: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(LIMITS_VARIABLE, json.dumps({"silence_s": 1.5}))
    events, pid = readings.wait_for_first(long)
    os.kill(pid, signal.SIGSTOP)
    with pytest.raises(DocumentTooDemanding) as caught:
        list(events)
    assert caught.value.limit == "time"
    assert is_gone(pid)
    monkeypatch.delenv(LIMITS_VARIABLE)
    assert read(good, work).text == WORDS


@pytest.mark.parametrize(
    "then", [WAITS_FOR_ITSELF, pytest.param(GOES_ROUND, marks=pytest.mark.slow)], ids=["waits for itself", "goes round"]
)
def test_a_child_that_hangs_inside_its_reading_is_found_silent(
    good: Path, readings: Readings, monkeypatch: pytest.MonkeyPatch, then: str
) -> None:
    monkeypatch.setattr(read_document, "own_command", Hanging(then))
    events, _ = readings.wait_for_first(good)
    watch, wait = SilenceWatch(), threading.Event()
    for _ in range(60):
        next(events)
        wait.wait(0.3)  # several beats: a child that lives is not silent then
        if silent := watch.find_silent():
            break
    assert [(child.work, child.subject) for child in silent] == [("document", "good.txt")]
    silent[0].give_up()
    with pytest.raises(DocumentTooDemanding) as caught:
        list(events)
    assert caught.value.limit == "time"


@pytest.mark.slow
def test_a_child_that_waits_for_a_program_which_computes_is_never_found_silent(
    good: Path, readings: Readings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(read_document, "own_command", Hanging(WAITS_FOR_A_PROGRAM))
    events, _ = readings.wait_for_first(good)
    watch = SilenceWatch()
    (child,) = running_children()
    lives = child.life_check()
    for _ in range(20):
        wait_until(lambda: next(events) and lives(), "a sign of life")
        assert watch.find_silent() == []


def test_who_takes_events_slowly_does_not_make_the_child_silent(
    long: Path, readings: Readings, work: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(LIMITS_VARIABLE, json.dumps({"silence_s": 3.0}))  # a busy machine starts it slowly
    events, pid = readings.wait_for_first(long)
    process = psutil.Process(pid)
    worked: list[tuple[float, float]] = []

    def is_waiting_for_us() -> bool:
        worked.append((sum(process.cpu_times()[:2]), time.monotonic()))
        since_s = next(at_s for used_s, at_s in worked if used_s == worked[-1][0])
        return worked[-1][1] - since_s > 3.2  # no work for so long: the pipe is full

    wait_until(is_waiting_for_us, "the child to wait")
    monkeypatch.delenv(LIMITS_VARIABLE)
    assert next(event for event in events if isinstance(event, BlocksRead) and event.blocks).blocks[0].id > 1
    events.close()


@pytest.mark.slow
def test_a_long_text_takes_its_time_and_does_not_gather_in_the_parent(
    long: Path, readings: Readings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(LIMITS_VARIABLE, json.dumps({"silence_s": 3.0}))  # less than it takes in all
    own = psutil.Process()
    before = own.memory_info().rss
    most = 0
    for event in readings.events(long):
        if isinstance(event, BlocksRead):
            most = max(most, own.memory_info().rss)
    assert most - before < 100_000_000


def test_a_child_at_its_memory_limit_is_told_so(tmp_path: Path, work: Path, good: Path) -> None:
    path = tmp_path / "words.txt"
    path.write_text(WORDS)
    with pytest.raises(DocumentTooDemanding) as caught:
        read(path, work, memory_bytes=30_000_000)
    assert caught.value.limit == "memory"
    assert read(good, work).text == WORDS


class _Garbage:
    """A command that speaks no event."""

    def __call__(self, flag: str) -> list[str]:
        return [sys.executable, "-c", "import sys; print('garbage', flush=True); sys.stdin.read()"]


def test_a_child_that_speaks_garbage_is_ended(good: Path, work: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(read_document, "own_command", _Garbage())
    with pytest.raises(ProtocolViolation):
        read(good, work)


@pytest.mark.cold_children  # the system tells the environment that a process began with
def test_a_password_is_in_no_log_and_no_command_line(
    tmp_path: Path, readings: Readings, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    caplog.set_level(logging.DEBUG)
    path = good_pdf(tmp_path / "good.pdf", 2)
    told: list[str] = []
    for event in readings.events(path, password="SeCrEtWoRd"):
        told.append(repr(event))
        if isinstance(event, Found):
            told.append(Path(f"/proc/{only_child()}/cmdline").read_text())
            told.append(Path(f"/proc/{only_child()}/environ").read_text())
    assert "SeCrEtWoRd" not in "\n".join(told) + caplog.text
    assert "--document-worker" in "\n".join(told)


PARENT = """
import sys
from pathlib import Path
import psutil
from app.core.events import CancelToken
from app.documents.protocol import BlocksRead, Read
from app.documents.read_document import read
for event in read(Read(sys.argv[1]), folder=Path(sys.argv[2]), cancel=CancelToken()):
    if isinstance(event, BlocksRead) and event.blocks:
        print(psutil.Process().children()[0].pid, flush=True)
        sys.stdin.read()
"""


def test_a_child_goes_with_its_killed_parent(long: Path, work: Path) -> None:
    command = [sys.executable, "-c", PARENT, str(long), str(work)]
    with subprocess.Popen(command, cwd=CHECKOUT, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        parent.kill()
        parent.wait(20)
        wait_until(lambda: is_gone(pid), "the child to leave")
    assert list(work.iterdir()) == []


# Drawing


def test_pages_are_drawn_one_after_another_by_one_child(tmp_path: Path, work: Path) -> None:
    path = good_pdf(tmp_path / "good.pdf", 3)
    with closing(read_document.PageRenderer(work)) as drawing:
        pids = set()
        for page in (1, 3, 2):
            (drawn,) = drawing.draw(Draw(str(path), page, 0.5), CancelToken())
            assert (drawn.page, drawn.width_pt, drawn.height_pt) == (page, 595, 842)
            assert (drawn.width, drawn.height) in {(297, 421), (298, 421)}
            pids.add(only_child())
        assert len(pids) == 1
    assert is_gone(pids.pop())


def test_another_file_gets_another_child(tmp_path: Path, work: Path) -> None:
    with closing(read_document.PageRenderer(work)) as drawing:
        pids = []
        for name in ("one.pdf", "two.pdf"):
            list(drawing.draw(Draw(str(good_pdf(tmp_path / name)), 1, 0.1), CancelToken()))
            pids.append(only_child())
        assert pids[0] != pids[1]
        assert is_gone(pids[0])


def test_a_page_that_is_not_there_is_told_and_the_next_one_is_drawn(tmp_path: Path, work: Path) -> None:
    path = good_pdf(tmp_path / "good.pdf")
    with closing(read_document.PageRenderer(work)) as drawing:
        for page in (0, 2, -1):
            with pytest.raises(DocumentUnreadable) as caught:
                list(drawing.draw(Draw(str(path), page, 1), CancelToken()))
            assert caught.value.reason == "not_drawn"
        assert len(list(drawing.draw(Draw(str(path), 1, 1), CancelToken()))) == 1


def test_a_child_that_died_in_between_is_replaced(tmp_path: Path, work: Path) -> None:
    path = good_pdf(tmp_path / "good.pdf")
    with closing(read_document.PageRenderer(work)) as drawing:
        list(drawing.draw(Draw(str(path), 1, 0.1), CancelToken()))
        pid = only_child()
        os.kill(pid, signal.SIGSEGV)
        wait_until(lambda: is_gone(pid), "the child to end")
        wait_until(lambda: not drawing.running, "its end to be heard")
        assert len(list(drawing.draw(Draw(str(path), 1, 0.1), CancelToken()))) == 1


def test_a_drawing_is_cancelled_and_closed_at_once(tmp_path: Path, work: Path) -> None:
    path = good_pdf(tmp_path / "good.pdf")
    drawing, got = read_document.PageRenderer(work), queue.SimpleQueue[list[Drawn]]()
    list(drawing.draw(Draw(str(path), 1, 0.1), CancelToken()))
    for end in ("cancel", "close"):
        if end == "close":
            list(drawing.draw(Draw(str(path), 1, 0.1), CancelToken()))
        pid, cancel = only_child(), CancelToken()
        os.kill(pid, signal.SIGSTOP)

        def draw(cancel: CancelToken = cancel) -> None:
            got.put(list(drawing.draw(Draw(str(path), 1, 0.1), cancel)))

        thread = threading.Thread(target=draw)
        thread.start()
        if end == "cancel":
            cancel.cancel()
        else:
            drawing.close()
        assert got.get(timeout=20) == []
        thread.join()
        assert is_gone(pid)
