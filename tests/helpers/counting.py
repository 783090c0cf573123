"""How much work something is, counted instead of timed: it comes out the same on a machine that has no time."""

from __future__ import annotations

import gc
import inspect
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

from app.core.child import Child
from app.engine.client import EngineClient
from app.store.database import Database


def lines_run(work: Callable[[], object]) -> int:
    """How many lines of Python this thread goes through; what C does for it (patterns, sorting) is not among them."""
    count = 0

    def on_event(frame: FrameType, event: str, argument: Any) -> Any:
        nonlocal count
        count += event == "line"
        return on_event

    before = sys.gettrace()
    sys.settrace(on_event)
    try:
        work()
    finally:
        sys.settrace(before)
    return count


def count_objects(kind: type) -> int:
    """Count the objects of exactly this class that something still holds."""
    gc.collect()
    return sum(type(found) is kind for found in gc.get_objects())


def thousand_steps(database: Database, work: Callable[[], object]) -> int:
    """How many thousand instructions SQLite's machine goes through; a row that is looked at is five to twenty."""
    count = 0

    def on_thousand() -> int:
        nonlocal count
        count += 1
        return 0

    connection = database._connection
    connection.set_progress_handler(on_thousand, 1000)
    try:
        work()
    finally:
        connection.set_progress_handler(None, 0)
    return count


@contextmanager
def engines_started() -> Iterator[list[str]]:
    """A line for each engine child that is started meanwhile."""
    before, started = Child.popen, []

    class Counted(before):  # type: ignore[valid-type, misc]
        def __init__(self, command: list[str], *more: Any, **options: Any) -> None:
            if "--engine-worker" in command:
                started.append(" ".join(command))
            super().__init__(command, *more, **options)

    Child.popen = Counted
    try:
        yield started
    finally:
        Child.popen = before


@contextmanager
def generators_passed() -> Iterator[set[int]]:
    """How many generators an event of a request passes, from what the engine's child says to who runs them."""
    before, passed = EngineClient.generate_many, set[int]()

    def counted(self: EngineClient, *request: Any, **options: Any) -> Iterator[Any]:
        for told in before(self, *request, **options):
            # This frame stands in the place of the engine's own; what that is nested in is below it.
            frame: FrameType | None = inspect.currentframe()
            above = 0
            while frame is not None:
                above += bool(frame.f_code.co_flags & inspect.CO_GENERATOR)
                frame = frame.f_back
            passed.add(above)
            yield told

    EngineClient.generate_many = counted  # type: ignore[method-assign]
    try:
        yield passed
    finally:
        EngineClient.generate_many = before  # type: ignore[method-assign]
