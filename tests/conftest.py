"""Rules for every test: a fresh home, no unannounced warnings in the log, nothing left running."""

from __future__ import annotations

import faulthandler
import gc
import logging
import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Generator, Iterator
from itertools import count
from pathlib import Path

import pytest
from _pytest.faulthandler import fault_handler_stderr_fd_key
from hypothesis import HealthCheck, settings
from hypothesis.internal.conjecture import providers
from pytestqt.qtbot import QtBot

from app.core.child import Child
from app.core.paths import AppPaths, starter_model
from app.engine.computer import JsonCache
from app.engine.memory_speed import machine_key
from app.features.models import machine_speed
from tests.helpers import ready_database, warm
from tests.helpers.fake_hub import FakeHub
from tests.helpers.program import Program

pytest_plugins = ["tests.helpers.workers", "tests.helpers.late"]
PROC = Path("/proc")
NUMBERS = count()
POOL_OF_A_LOOP = "asyncio_"
"""Of a server that lives through a file's tests, one more thread begins whenever another has not yet said that it is
free. They end with their loop, whose own thread is looked for.
"""
HANGS_S, WATCHED_S = 660, 60
"""Where even pytest-timeout cannot end a test, because a thread waits for a lock and keeps the interpreter, the process
ends with a traceback. The clock of that is a thread, so it is set anew once a minute and not, as pytest's own, by each
of eleven thousand tests, which waits for the end of the last one's clock.
"""
CLOCK_SET_S = pytest.StashKey[float]()
ENDS_S = 30
"""A limit for what never ends; a thread or child that was told to may take its time on a machine at work."""

if os.environ.get("QT_QPA_PLATFORM", "offscreen") == "offscreen":
    # As large as the X server's that other tests run on: by itself it is too small for the window as drawn.
    os.environ["QT_QPA_PLATFORM"] = f"offscreen:configfile={Path(__file__).parent / 'data' / 'offscreen.json'}"

# The language of whoever runs them is not that of the tests.
for name in ("LANGUAGE", "LC_ALL", "LC_MESSAGES"):
    os.environ.pop(name, None)
os.environ["LANG"] = "C.UTF-8"

# What is compiled once serves every process of every run; without, each spends fifteen seconds of a processor on it.
sys.dont_write_bytecode = False
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

# Only what never comes takes so long; five seconds are not enough for a machine at work.
for wait in (QtBot.waitActive, QtBot.waitExposed, QtBot.waitSignal, QtBot.waitSignals, QtBot.waitUntil):
    wait.__kwdefaults__ = (wait.__kwdefaults__ or {}) | {"timeout": 60_000}

# Machines are noisy, so no example has a deadline. `make test` looks shortly, and at the same examples each time, since
# chance says nothing of a change; `make test-all` thoroughly, and at others each time.
settings.register_profile(
    "quick", max_examples=12, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile("thorough", parent=settings.get_profile("quick"), max_examples=300, derandomize=False)
settings.load_profile(PROFILE := os.environ.get("HYPOTHESIS_PROFILE", "quick"))
if (
    PROFILE == "quick"
):  # every value that stands in the code is looked for in all of it, for which 25 are too few to gain
    providers._get_local_constants = lambda: providers._local_constants


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """What a test logged goes to the process that reports as UTF-8, which names of files may not be."""
    report = yield
    report.sections = [(name, text.encode("utf-8", "replace").decode()) for name, text in report.sections]
    return report


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Some things need a window system, such as popups that keep the keyboard: without one a test says nothing."""
    if item.get_closest_marker("display") and os.environ["QT_QPA_PLATFORM"].startswith("offscreen"):
        pytest.skip("needs a display: QT_QPA_PLATFORM=xcb")
    _set_clock(item)


def _set_clock(item: pytest.Item) -> None:
    """Have the process end where a test never does; see `HANGS_S`."""
    stash = item.config.stash
    own = item.get_closest_marker("timeout")
    hangs_s = max(HANGS_S, own.args[0] + WATCHED_S if own else 0)
    if hangs_s > HANGS_S or time.monotonic() - stash.get(CLOCK_SET_S, -WATCHED_S) > WATCHED_S:
        stash[CLOCK_SET_S] = time.monotonic()
        faulthandler.dump_traceback_later(hangs_s, exit=True, file=stash[fault_handler_stderr_fd_key])


def pytest_sessionfinish() -> None:
    """What comes after the last test may take its time."""
    faulthandler.cancel_dump_traceback_later()


def pytest_collection_finish() -> None:
    """What ten thousand tests were read into stays to the end: the collector need not walk through it after each."""
    gc.collect()
    gc.freeze()


@pytest.fixture
def tmp_path(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """As pytest's own, which looks for the next number through the folders of all tests before: a millisecond each."""
    name = re.sub(r"\W", "_", request.node.name)[:24]
    folder = tmp_path_factory.getbasetemp() / f"{name}-{next(NUMBERS)}"
    folder.mkdir(mode=0o700)
    return folder


@pytest.fixture(autouse=True)
def fresh_home(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Everything the program writes for a person goes into this test's own folder, which is made by what writes."""
    if "tmp_path" in request.fixturenames:
        folder: Path = request.getfixturevalue("tmp_path")
    else:
        folder = request.getfixturevalue("tmp_path_factory").getbasetemp() / f"without-{next(NUMBERS)}"
    home = folder / "home"
    monkeypatch.setenv("FIRESIDE_HOME", str(home))
    for name in ("FIRESIDE_ENGINE_SCRIPT", "FIRESIDE_TIMING"):
        monkeypatch.delenv(name, raising=False)
    return home


@pytest.fixture(scope="session", autouse=True)
def quick_starts() -> Iterator[None]:
    """The program and its children begin warm, and new databases with their schema: all that is quicker about them.

    See `tests.helpers.warm` and `tests.helpers.ready_database`.
    """
    Child.popen = Program.popen = warm.Process
    warm.see_one_core()
    with ready_database.begin_as_copies():
        yield
    Child.popen = Program.popen = subprocess.Popen
    warm.close()


@pytest.fixture
def fast_machine(fresh_home: Path) -> None:
    """This computer is known to read 100 GB of weights a second, so that nothing depends on the one that tests."""
    folder = AppPaths.from_environment().cache
    folder.mkdir(parents=True, exist_ok=True)
    speed = {machine_speed.TAKEN: 100e9, machine_speed.PROBED: 100e9}
    JsonCache(folder / machine_speed.FILE).put(machine_key(), speed)


@pytest.fixture(autouse=True)
def rules(
    request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> Iterator[None]:
    """What holds for every test, and what its marks change; one fixture, for each costs time eleven thousand times."""
    is_marked = request.node.get_closest_marker
    if is_marked("cold_children"):
        monkeypatch.setattr(Child, "popen", subprocess.Popen)
        monkeypatch.setattr(Program, "popen", subprocess.Popen)
    gc.disable()  # as in the window: widgets in a cycle are destroyed on no other thread (`garbage_collection`)
    threads, children = set(threading.enumerate()), _children()
    yield
    due = [n for n, (count, most) in enumerate(zip(gc.get_count(), gc.get_threshold(), strict=True)) if count > most]
    if due:
        gc.collect(due[-1])
    _look_for_what_runs(threads, children)
    if not is_marked("logs_warnings"):
        loud = [r for phase in ("setup", "call") for r in caplog.get_records(phase) if r.levelno >= logging.WARNING]
        assert not loud, "unannounced in the log: " + "; ".join(f"{r.name}: {r.getMessage()}" for r in loud)


@pytest.fixture(scope="session")
def starter() -> Path:
    """The real starter model; set-up makes it, so its absence is a failure."""
    path = starter_model()
    assert path is not None, "resources/models is empty: run `make setup`"
    return path


def _look_for_what_runs(threads_before: set[threading.Thread], children_before: set[int]) -> None:
    """A thread or a child process that outlives its test fails it, by name."""
    for thread in set(threading.enumerate()) - threads_before:
        if thread.name.startswith(POOL_OF_A_LOOP):
            continue
        thread.join(timeout=ENDS_S)
        assert not thread.is_alive(), f"left running: thread {thread.name}"
    # What a killed child had started comes to us (see `tests.helpers.warm`) and may take a moment to leave, as threads.
    ends_s = time.monotonic() + ENDS_S
    while (left := _children() - children_before) and time.monotonic() < ends_s:
        time.sleep(0.05)
    assert not left, f"left running: {[_command_line(pid) for pid in left]}"
    warm.bury()


def _children() -> set[int]:
    """Direct children of this process that are not zombies (Linux; elsewhere nothing is checked)."""
    return {pid for pid in warm.children() - warm.pids() if _is_running(pid)}


def _is_running(pid: int) -> bool:
    try:
        state = (PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state not in ("Z", "X")


def _command_line(pid: int) -> str:
    try:
        return (PROC / str(pid) / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except OSError:
        return f"process {pid}"


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeHub]:
    """A Hub of our own, whose address is in the environment."""
    with FakeHub() as running:
        monkeypatch.setenv("HF_ENDPOINT", running.url)
        yield running
