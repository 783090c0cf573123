"""Generators on threads: every event once and in order, exactly one end, nothing left behind."""

from __future__ import annotations

import gc
import threading
import weakref
from collections.abc import Iterator

import pytest
from PySide6.QtCore import QObject
from pytestqt.exceptions import capture_exceptions
from pytestqt.qtbot import QtBot

from app.core.events import CancelToken
from app.ui.shell import tasks
from app.ui.shell.tasks import BackgroundTask


class Witness:
    """Writes down what a task tells, and on which thread."""

    def __init__(self, task: BackgroundTask) -> None:
        self.events: list[object] = []
        self.ends: list[object] = []
        self.threads: set[str] = set()
        task.event.connect(self._on_event)
        task.finished.connect(lambda: self.ends.append("finished"))
        task.failed.connect(self.ends.append)

    def _on_event(self, event: object) -> None:
        self.events.append(event)
        self.threads.add(threading.current_thread().name)


@pytest.fixture
def parent(qtbot: QtBot) -> QObject:
    return QObject()


def test_events_come_in_order_on_the_windows_thread_then_finished_once(qtbot: QtBot, parent: QObject) -> None:
    def count(token: CancelToken) -> Iterator[object]:
        yield from range(5000)

    task = tasks.run(count, parent)
    witness = Witness(task)
    with qtbot.waitSignal(task.finished):
        pass
    assert witness.events == list(range(5000))
    assert witness.ends == ["finished"]
    assert witness.threads == {threading.main_thread().name}
    assert task.done
    assert not len(tasks.running)


def test_an_exception_comes_as_failed_after_the_events(qtbot: QtBot, parent: QObject) -> None:
    problem = ValueError("no")

    def fail(token: CancelToken) -> Iterator[object]:
        yield 1
        raise problem

    task = tasks.run(fail, parent)
    witness = Witness(task)
    with qtbot.waitSignal(task.failed):
        pass
    assert witness.events == [1]
    assert witness.ends == [problem]


def test_what_has_failed_keeps_nothing_that_its_listeners_hold(qtbot: QtBot, parent: QObject) -> None:
    class Held:
        """Of a temporary chat, say."""

    def fail(token: CancelToken) -> Iterator[object]:
        raise ValueError("no")
        yield

    def run_to_the_end() -> weakref.ref[Held]:
        held, task = Held(), tasks.run(fail, parent)
        task.failed.connect(lambda _: held)
        qtbot.waitUntil(lambda: task.done)
        return weakref.ref(held)

    there = run_to_the_end()
    gc.collect()
    assert there() is None


@pytest.mark.parametrize("is_abandoned", [False, True])
def test_a_task_is_gone_after_its_end_though_its_listeners_know_it(
    qtbot: QtBot, parent: QObject, *, is_abandoned: bool
) -> None:
    def run_to_the_end() -> weakref.ref[BackgroundTask]:
        task = tasks.run(lambda _: iter([1]), parent, on_end=lambda: task.cancel())  # noqa: PLW0108 - it is to know the task
        if is_abandoned:
            task.abandon()
        qtbot.waitUntil(lambda: task.done)
        return weakref.ref(task)

    there = run_to_the_end()

    def is_gone() -> bool:
        gc.collect()
        return there() is None

    qtbot.waitUntil(is_gone)


def test_a_failure_nobody_listens_to_reaches_the_hook(qtbot: QtBot, parent: QObject) -> None:
    def fail(token: CancelToken) -> Iterator[object]:
        raise ValueError("no")
        yield

    with capture_exceptions() as caught:
        task = tasks.run(fail, parent)
        qtbot.waitUntil(lambda: task.done)
    assert [type(value) for _, value, _ in caught] == [ValueError]


def test_cancel_is_seen_by_the_work_whose_last_event_still_comes(qtbot: QtBot, parent: QObject) -> None:
    begun = threading.Event()

    def wait(token: CancelToken) -> Iterator[object]:
        begun.set()
        while not token.cancelled:
            threading.Event().wait(0.001)
        yield "last"

    task = tasks.run(wait, parent)
    witness = Witness(task)
    assert begun.wait(5)
    with qtbot.waitSignal(task.finished):
        task.cancel()
    assert witness.events == ["last"]


def test_the_thread_is_gone_when_the_end_is_told(qtbot: QtBot, parent: QObject) -> None:
    seen: list[threading.Thread] = []

    def work(token: CancelToken) -> Iterator[object]:
        seen.append(threading.current_thread())
        yield 1

    alive: list[bool] = []
    task = tasks.run(work, parent)
    task.finished.connect(lambda: alive.append(seen[0].is_alive()))
    with qtbot.waitSignal(task.finished):
        pass
    assert alive == [False]


def test_events_of_a_busy_time_wake_the_window_once(qtbot: QtBot, parent: QObject) -> None:
    """While the window is busy, thousands of events must not become thousands of queued calls."""
    told = threading.Event()

    def burst(token: CancelToken) -> Iterator[object]:
        yield from range(3000)
        told.set()

    task = tasks.run(burst, parent)
    wakes: list[int] = []
    task._signals.woken.connect(lambda: wakes.append(1))  # queued like the delivery itself
    witness = Witness(task)
    assert told.wait(5)  # the window is busy here: no event loop runs
    with qtbot.waitSignal(task.finished):
        pass
    assert len(witness.events) == 3000
    assert len(wakes) < 300


def test_a_parent_that_goes_away_cancels_and_silences(qtbot: QtBot) -> None:
    parent = QObject()
    stopped = threading.Event()

    def wait(token: CancelToken) -> Iterator[object]:
        while not token.cancelled:
            yield 1
            threading.Event().wait(0.001)
        stopped.set()

    task = tasks.run(wait, parent)
    witness = Witness(task)
    del parent
    qtbot.waitUntil(lambda: task.done)
    assert stopped.is_set()
    assert witness.ends == []


def test_stopping_all_ends_every_task_and_lets_none_start(qtbot: QtBot) -> None:
    some = tasks.Tasks()
    parent = QObject()

    def wait(token: CancelToken) -> Iterator[object]:
        while not token.cancelled:
            threading.Event().wait(0.001)
        yield "stopped"

    witnesses = [Witness(some.run(wait, parent)) for _ in range(3)]
    assert some.stop_all(5)
    assert [witness.ends for witness in witnesses] == [["finished"]] * 3
    late = some.run(wait, parent)
    assert not late.done
    assert not len(some)


def test_signals_by_the_thousand_do_not_end_the_process(qtbot: QtBot, parent: QObject) -> None:
    """PySide6 6.12.0 gave away a reference to True with every signal; see app/ui/__init__.py."""
    seen: list[str] = []
    parent.objectNameChanged.connect(seen.append)
    for number in range(5000):
        parent.objectNameChanged.emit(str(number))
    assert len(seen) == 5000


def test_a_round_that_is_asked_for_meanwhile_follows_even_one_that_failed(qtbot: QtBot, parent: QObject) -> None:
    go_on, told = threading.Event(), list[object]()

    def work(token: CancelToken) -> Iterator[object]:
        is_first = not go_on.is_set()
        yield "begun"
        go_on.wait(10)
        if is_first:
            raise ValueError("no")

    rounds = tasks.RepeatedTask(
        work,
        parent,
        on_event=told.append,
        on_failed=lambda error: told.append(str(error)),
        on_over=lambda: told.append(rounds.is_running),
    )
    rounds.start()
    qtbot.waitUntil(lambda: told == ["begun"])
    rounds.start()
    rounds.start()
    go_on.set()
    qtbot.waitUntil(lambda: told[-1] is False)
    assert told == ["begun", "no", True, "begun", False]


def test_rounds_that_are_stopped_begin_no_other(qtbot: QtBot, parent: QObject) -> None:
    told: list[object] = []

    def work(token: CancelToken) -> Iterator[object]:
        yield "begun"
        while not token.cancelled:
            threading.Event().wait(0.01)
        yield "stopped"

    rounds = tasks.RepeatedTask(work, parent, on_event=told.append, on_over=lambda: told.append(rounds.is_running))
    rounds.start()
    qtbot.waitUntil(lambda: told == ["begun"])
    rounds.start()
    rounds.stop()
    qtbot.waitUntil(lambda: told[-1] is False)
    assert told == ["begun", "stopped", False]
