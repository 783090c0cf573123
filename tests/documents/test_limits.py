"""Limits of a child: what it sets itself, and the parent's watch over the memory of a process and its children."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator

import pytest

from app.core.child import CHECKOUT
from app.documents.limits import LIMITS_VARIABLE, DocumentLimits, ProcessMemoryWatch, limits_from

MB = 1_000_000
TAKES = (
    "import sys; taken = bytearray({size}); taken[::4096] = b"
    "'x' * len(taken[::4096]); print('here', flush=True); sys.stdin.read()"
)
WAIT_S = 20


@pytest.fixture
def started() -> Iterator[list[subprocess.Popen[str]]]:
    """Processes that end, with what they started, when they have nothing more to read."""
    processes: list[subprocess.Popen[str]] = []
    yield processes
    for process in processes:
        process.communicate()


def taking(started: list[subprocess.Popen[str]], program: str) -> subprocess.Popen[str]:
    """A process that has taken its memory."""
    process = subprocess.Popen(
        [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    started.append(process)
    assert process.stdout
    assert process.stdout.readline() == "here\n"
    return process


def test_the_environment_changes_some_limits() -> None:
    assert limits_from({}) == DocumentLimits()
    assert limits_from({LIMITS_VARIABLE: '{"silence_s": 2}'}) == DocumentLimits(silence_s=2)


def test_a_process_above_the_limit_is_ended(started: list[subprocess.Popen[str]]) -> None:
    process, over = taking(started, TAKES.format(size=200 * MB)), threading.Event()
    watch = ProcessMemoryWatch(process.pid, 150 * MB, over.set, 0.01)
    assert over.wait(WAIT_S)
    watch.close()
    assert watch.exceeded
    assert 200 * MB < watch.peak_bytes < 300 * MB
    assert watch.was_memory(-9, "")


def test_a_process_below_the_limit_is_left_alone(started: list[subprocess.Popen[str]]) -> None:
    process, over = taking(started, TAKES.format(size=20 * MB)), threading.Event()
    watch = ProcessMemoryWatch(process.pid, 500 * MB, over.set, 0.01)
    while not watch.peak_bytes:
        assert not over.wait(0.01)
    watch.close()
    assert not watch.exceeded
    assert 20 * MB < watch.peak_bytes < 100 * MB


def test_its_children_count(started: list[subprocess.Popen[str]], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.documents.limits.CHILDREN_EVERY_S", 0.0)
    child = TAKES.format(size=200 * MB)
    program = (
        "import subprocess, sys\n"
        f"child = subprocess.Popen([sys.executable, '-c', {child!r}], stdin=subprocess.PIPE)\n"
        "sys.stdin.read()\nchild.communicate()"
    )
    process, over = taking(started, program), threading.Event()
    watch = ProcessMemoryWatch(process.pid, 150 * MB, over.set, 0.01)
    assert over.wait(WAIT_S)
    watch.close()
    assert watch.exceeded


def test_a_process_that_is_gone_ends_the_watch() -> None:
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    watch = ProcessMemoryWatch(process.pid, 1, lambda: None, 0.01)
    watch.close()
    assert not watch.exceeded


@pytest.mark.parametrize(
    ("share", "exit_code", "words", "expected"),
    [
        (0.1, -11, "", False),
        (0.1, -6, "Fatal Python error: Aborted", False),
        (0.4, -6, "", True),
        (0.9, -11, "", True),
        (0.9, 0, "", False),
        (0.1, -6, "memory allocation of 17179869184 bytes failed", True),
        (0.1, -6, "terminating due to uncaught exception of type std::bad_alloc: std::bad_alloc", True),
    ],
)
def test_an_end_for_want_of_memory_is_told_from_others(
    share: float, exit_code: int, words: str, expected: bool
) -> None:
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    watch = ProcessMemoryWatch(process.pid, 1000, lambda: None, 0.01)
    watch.close()
    watch.peak_bytes = int(1000 * share)
    assert watch.was_memory(exit_code, words) is expected


@pytest.mark.skipif(sys.platform != "linux", reason="only here the address space has a limit")
def test_an_allocation_above_the_limit_fails_in_the_child() -> None:
    program = (
        "from app.documents.limits import limit_this_process\n"
        f"limit_this_process({300 * MB})\n"
        f"limit_this_process({900 * MB})\n"  # a limit is not raised again
        f"bytearray({100 * MB})\n"
        "try:\n"
        f"    bytearray({400 * MB})\n"
        "except MemoryError:\n"
        "    print('refused')\n"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=CHECKOUT, capture_output=True, text=True, check=True)
    assert done.stdout == "refused\n"
