"""Tests in several processes at a time, forked from the one that has read all tests.

pytest-xdist reads the eleven thousand in each process anew, and its processes talk about every step of each: together
half a minute of a processor. Here each takes the next tests whenever it has run those that it took, many at first and
one by one at the end, and sends what came of each in one message.
"""

from __future__ import annotations

import os
import sys
import traceback
import warnings
from collections.abc import Iterator, Sequence
from contextlib import suppress
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from typing import Any

import pytest

FORKING = get_context("fork")
SHARES = 8
"""So many times as often as there are processes what is left is divided: none ends long after the others."""
NONE = -1


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--workers", type=int, default=0, help="run the tests in so many processes, forked from this one")


def pytest_configure(config: pytest.Config) -> None:
    if config.option.workers:
        config.pluginmanager.register(Workers(config.option.workers))


class Workers:
    """`count` processes that run the tests; this one tells what they say."""

    def __init__(self, count: int) -> None:
        self._count = count
        self._taken = FORKING.Value("i", 0)
        self._running = FORKING.Array("i", count)
        self._doors: dict[Connection, tuple[int, int]] = {}
        self._told: set[int] = set()

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool | None:
        """In the place of pytest's own, which has the word where nothing is to be run."""
        if session.config.option.collectonly or session.testsfailed:
            return None
        while left := [index for index in range(len(session.items)) if index not in self._told]:  # some where one died
            self._run(session, left)
            if session.shouldfail:
                raise session.Failed(session.shouldfail)
            if session.shouldstop:
                raise session.Interrupted(session.shouldstop)
        return True

    def _run(self, session: pytest.Session, indices: Sequence[int]) -> None:
        self._taken.value = 0
        _folders(session).getbasetemp()  # by the process that says at its end that nobody needs it any more
        for number in range(min(self._count, len(indices))):
            self._fork(session, number, indices)
        while self._doors:
            for door in wait(list(self._doors)):
                assert isinstance(door, Connection)
                self._hear(session, door)
            if session.shouldfail or session.shouldstop:
                self._taken.value = len(indices)

    def _fork(self, session: pytest.Session, number: int, indices: Sequence[int]) -> None:
        ours, theirs = FORKING.Pipe(duplex=False)
        self._running[number] = NONE
        sys.stdout.flush()
        sys.stderr.flush()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # there are threads of NumPy's, which knows of forks
            process = os.fork()
        if process == 0:
            for door in (ours, *self._doors):
                door.close()
            self._work(session, number, indices, theirs)
        theirs.close()
        self._doors[ours] = number, process

    # In the process that tells.

    def _hear(self, session: pytest.Session, door: Connection) -> None:
        config = session.config
        try:
            index, reports = door.recv()
        except (EOFError, OSError):
            self._end(session, door)
            return
        made = config.hook.pytest_report_from_serializable
        self._tell(session, index, [made(config=config, data=report) for report in reports])

    def _end(self, session: pytest.Session, door: Connection) -> None:
        """A process is gone. If that was before its time, the test that it ran has failed."""
        number, process = self._doors.pop(door)
        door.close()
        code = os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])
        if code == 0:
            return
        index = self._running[number]
        assert index != NONE, f"a process that runs tests has ended: {code}"
        assert index not in self._told, (
            f"a process that runs tests has ended after {session.items[index].nodeid}: {code}"
        )
        item = session.items[index]
        says = f"the process that ran it has ended: {code}"
        self._tell(session, index, [pytest.TestReport(item.nodeid, item.location, {}, "failed", says, "call")])

    def _tell(self, session: pytest.Session, index: int, reports: Sequence[pytest.TestReport]) -> None:
        self._told.add(index)
        item = session.items[index]
        item.ihook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
        for report in reports:
            item.ihook.pytest_runtest_logreport(report=report)
        item.ihook.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)

    # In a process that runs tests.

    def _work(self, session: pytest.Session, number: int, indices: Sequence[int], door: Connection) -> None:
        """Never returns: what this process has from the other one is not its own to end."""
        code = 1
        try:
            listener = _Listener(session.config)
            folders = _folders(session)
            folders._basetemp = folders.getbasetemp() / str(os.getpid())
            folders._basetemp.mkdir(mode=0o700)
            with suppress(BrokenPipeError):  # nobody is there to be told
                for index, following in self._turns(indices):
                    self._running[number] = index
                    nextitem = None if following is None else session.items[following]
                    session.config.hook.pytest_runtest_protocol(item=session.items[index], nextitem=nextitem)
                    door.send((index, listener.take()))
                code = 0
        except BaseException:  # noqa: BLE001  whatever it is must not reach what was the other process
            traceback.print_exc(file=sys.__stderr__)
        finally:
            os._exit(code)

    def _turns(self, indices: Sequence[int]) -> Iterator[tuple[int, int | None]]:
        """Each test with the one that follows it, for which fixtures may be kept."""
        taken = self._take(indices)
        index = next(taken, None)
        while index is not None:
            following = next(taken, None)
            yield index, following
            index = following

    def _take(self, indices: Sequence[int]) -> Iterator[int]:
        while True:
            with self._taken.get_lock():
                first = self._taken.value
                self._taken.value = end = first + max((len(indices) - first) // (self._count * SHARES), 1)
            if first >= len(indices):
                return
            yield from indices[first:end]


def _folders(session: pytest.Session) -> pytest.TempPathFactory:
    folders: pytest.TempPathFactory = session.config._tmp_path_factory  # type: ignore[attr-defined]
    return folders


class _Listener:
    """Stands where the terminal's reporter stood, and keeps what came of a test until it is sent."""

    def __init__(self, config: pytest.Config) -> None:
        plugins = config.pluginmanager
        capture: Any = plugins.getplugin("capturemanager")
        capture.stop_global_capturing()  # into files that all would write to
        capture.start_global_capturing()
        reporter: Any = plugins.unregister(name="terminalreporter")
        self._tw = reporter._tw  # which pytest-timeout wants of it
        self._config = config
        self._reports: list[dict[str, Any]] = []
        plugins.register(self, "terminalreporter")

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Of each phase."""
        self._reports.append(self._config.hook.pytest_report_to_serializable(config=self._config, report=report))

    def take(self) -> list[dict[str, Any]]:
        """What came since the last time."""
        taken, self._reports = self._reports, []
        return taken
