"""`pytest --late SEED`: what children and threads tell is heard late, as on a machine that does much else.

Tests that assert what comes a moment after what they waited for fail with it, and so does a window into whose
gaps a quick person can fall. The seed says when something is late.
"""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from itertools import chain, repeat
from typing import BinaryIO
from weakref import WeakKeyDictionary

import pytest

from app.core.child import Child
from app.core.events import CancelToken
from app.ui.shell.tasks import Task, Work

LATE_S = (0.0, 0.0, 0.15)
MOST = 5
"""No more of one child or thread is late: a long answer would take minutes."""


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--late", type=int, metavar="SEED", help="what children and threads tell is heard late")


def pytest_configure(config: pytest.Config) -> None:
    if (seed := config.getoption("late")) is not None:
        chance = random.Random(seed)
        _tasks_are_late(chance)
        _children_are_late(chance)


def _tasks_are_late(chance: random.Random) -> None:
    """Before they begin, after their first events, and before their end."""
    start = Task.start

    def start_late(task: Task) -> None:
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

    Task.start = start_late  # type: ignore[method-assign]


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
