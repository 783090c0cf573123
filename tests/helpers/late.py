"""`pytest --late SEED`: what children, threads, servers and the store tell comes late, as on a busy machine.

Tests that assert what comes a moment after what they waited for fail with it, and so does a window into whose
gaps a quick person can fall. The seed says when something is late.
"""

from __future__ import annotations

import random
import socketserver
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import chain, repeat
from typing import Any, BinaryIO
from weakref import WeakKeyDictionary

import pytest

from app.core.child import Child
from app.core.events import CancelToken
from app.store.database import Database
from app.ui.shell.tasks import BackgroundTask, Work

LATE_S = (0.0, 0.0, 0.15)
SELDOM_LATE_S = (*(0.0,) * 19, 0.15)
MOST = 5
"""No more of one child or thread is late: a long answer would take minutes."""


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--late", type=int, metavar="SEED", help="what children, threads and servers tell comes late")


def pytest_configure(config: pytest.Config) -> None:
    if (seed := config.getoption("late")) is not None:
        chance = random.Random(seed)
        _tasks_are_late(chance)
        _children_are_late(chance)
        _threads_are_late(chance)
        _servers_are_late(chance)
        _the_store_is_late(chance)


def _tasks_are_late(chance: random.Random) -> None:
    """Before they begin, after their first events, and before their end."""
    start = BackgroundTask.start

    def start_late(task: BackgroundTask) -> None:
        task._work = late(task._work, [chance.choice(LATE_S) for _ in range(MOST)])
        start(task)

    def late(work: Work, waits_s: list[float]) -> Work:
        def run(cancel: CancelToken) -> Iterator[object]:
            time.sleep(waits_s[0])
            for wait_s, event in zip(chain(waits_s[1:-1], repeat(0.0)), work(cancel), strict=False):
                yield event
                time.sleep(wait_s)
            time.sleep(waits_s[-1])

        return run

    BackgroundTask.start = start_late  # type: ignore[method-assign]


def _children_are_late(chance: random.Random) -> None:
    """With their first lines."""
    heard: WeakKeyDictionary[Child, int] = WeakKeyDictionary()
    next_line = Child._next_line

    def next_line_late(child: Child, lines: BinaryIO) -> bytes:
        line = next_line(child, lines)
        heard[child] = heard.get(child, 0) + 1
        if heard[child] <= MOST:
            time.sleep(chance.choice(LATE_S))
        return line

    Child._next_line = next_line_late  # type: ignore[method-assign]


def _threads_are_late(chance: random.Random) -> None:
    """All of them, those that answer a request included: before they begin, and before they end."""
    run = threading.Thread.run

    def run_late(thread: threading.Thread) -> None:
        time.sleep(chance.choice(LATE_S))
        try:
            run(thread)
        finally:
            time.sleep(chance.choice(LATE_S))

    threading.Thread.run = run_late  # type: ignore[method-assign]


def _servers_are_late(chance: random.Random) -> None:
    """The tests' own, with the first pieces of a connection, each of which comes as two."""
    sent: WeakKeyDictionary[Any, int] = WeakKeyDictionary()
    writer: Any = socketserver._SocketWriter  # type: ignore[attr-defined]
    write = writer.write

    def write_late(connection: Any, piece: bytes) -> int:
        sent[connection] = sent.get(connection, 0) + 1
        if sent[connection] > MOST:
            return int(write(connection, piece))
        halves = piece[: len(piece) // 2], piece[len(piece) // 2 :]
        for half in halves:
            time.sleep(chance.choice(LATE_S))
            write(connection, half)
        return len(piece)

    writer.write = write_late


def _the_store_is_late(chance: random.Random) -> None:
    """Now and then, before what was written is there for others."""
    begun = Database.transaction

    @contextmanager
    def transaction_late(database: Database) -> Iterator[sqlite3.Connection]:
        with begun(database) as connection:
            yield connection
            time.sleep(chance.choice(SELDOM_LATE_S))

    Database.transaction = transaction_late  # type: ignore[method-assign, assignment]
