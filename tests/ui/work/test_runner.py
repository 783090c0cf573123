"""The queue of a kind of jobs in the window: what the status line says of it, and what happens when one fails."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from app.core.errors.app_error import AppError
from app.core.events import CancelToken
from app.features.work.asking import TaskRests
from app.features.work.queue import JobEvent
from app.ui.shell.notify import Notify
from app.ui.shell.tab_spec import EndOfWork
from app.ui.summarize import summarize_tab, summary_texts
from app.ui.theme import Theme
from app.ui.translate import translate_tab, translation_texts
from app.ui.work.job_runner import JobRunner
from app.ui.work.job_tab import JobEnds

WAIT_S = 10


@dataclass
class Row:
    id: int
    state: str = "queued"
    error: AppError | None = None

    @property
    def title(self) -> str:
        return f"Document {self.id}"


@dataclass
class Queue:
    """Two jobs, of which a test says what happens: the rows as they become, and events."""

    steps: list[tuple[int, Any]] = field(default_factory=list)
    rows: dict[int, Row] = field(default_factory=lambda: {1: Row(1), 2: Row(2)})
    taken: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))
    """Released when the window has taken a step: it looks at rows as they are then."""

    def get(self, number: int) -> Row | None:
        return self.rows.get(number)

    def find(self) -> list[Row]:
        return list(self.rows.values())

    def run(self, cancel: CancelToken) -> Iterator[JobEvent[Any]]:
        while self.steps and not cancel.cancelled:
            number, what = self.steps.pop(0)
            if isinstance(what, Exception):
                raise what
            if isinstance(what, str):
                self.rows[number].state = what
            yield JobEvent(number, None if isinstance(what, str) else what)
            assert self.taken.acquire(timeout=WAIT_S)


KINDS: dict[str, tuple[Any, Callable[[], Any], Callable[[str], Any], str]] = {
    "summary": (summarize_tab.RUNNER_WORDS, summary_texts.SummaryProgress, TaskRests, "Summariz Summary"),
    "translation": (
        translate_tab.RUNNER_WORDS,
        translation_texts.TranslationProgress,
        TaskRests,
        "Translat Translation",
    ),
}


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def notify(qtbot: QtBot, qapp: QApplication) -> Notify:
    notify = Notify(Theme("light"))
    qtbot.addWidget(notify.bar)
    return notify


def run(kind: str, queue: Queue, notify: Notify, qtbot: QtBot) -> tuple[list[str], list[int]]:
    """Works it off; what the status line said, and which rows were others."""
    words, progress, _, _ = KINDS[kind]
    runner: JobRunner[Any] = JobRunner(queue, progress, words, notify)  # type: ignore[arg-type]
    states: list[str] = []
    changed: list[int] = []
    runner.state_changed.connect(states.append)
    runner.row_changed.connect(changed.append)
    runner.row_changed.connect(lambda _number: queue.taken.release())
    runner.happened.connect(lambda _number, _event: queue.taken.release())
    runner.start()
    qtbot.waitUntil(lambda: not runner.is_running and not queue.steps)
    return states, changed


def test_the_status_line_says_which_of_how_many_and_why_it_rests(kind: str, notify: Notify, qtbot: QtBot) -> None:
    rests = KINDS[kind][2]
    queue = Queue(
        [
            (1, "running"), (1, rests("interactive")), (1, rests("")), (1, rests("memory")), (1, rests("")),
            (1, "done"), (2, "running"), (2, rests("")), (2, "done"),
        ]
    )  # fmt: skip
    states, changed = run(kind, queue, notify, qtbot)
    verb, noun = KINDS[kind][3].split()
    assert states == [
        f"{verb}ing 1 of 2", f"{noun} paused while you chat", f"{verb}ing 1 of 2", f"{noun} waiting for memory",
        f"{verb}ing 1 of 2", f"{verb}ing 2 of 2", "",
    ]  # fmt: skip
    assert changed == [1, 1, 2, 2]


@pytest.mark.parametrize(
    ("ends", "end"),
    [
        (["done"], EndOfWork("Your {one} is ready.", "Document 1", 1)),
        (["failed"], EndOfWork("A {one} stopped with a problem.", "Document 1", 1)),
        (["done", "done"], EndOfWork("2 {all} are ready.", "Document 1, Document 2", 2)),
        (["failed", "done"], EndOfWork("1 of 2 {all} stopped with a problem.", "Document 1, Document 2", 1)),
        (["paused", "done"], EndOfWork("Your {one} is ready.", "Document 2", 2)),
        (["paused"], None),
    ],
)
def test_what_came_of_the_queue_is_told_once(
    kind: str, notify: Notify, qtbot: QtBot, ends: list[str], end: EndOfWork | None
) -> None:
    steps = [(job, state) for job, end in enumerate(ends, start=1) for state in ("running", end)]
    queue = Queue(list(steps), {job: Row(job) for job in range(1, len(ends) + 1)})
    runner: JobRunner[Any] = JobRunner(queue, KINDS[kind][1], KINDS[kind][0], notify)  # type: ignore[arg-type]
    told: list[EndOfWork] = []
    JobEnds(queue, runner, runner.words).told.connect(told.append)  # type: ignore[arg-type]
    runner.row_changed.connect(lambda _number: queue.taken.release())
    with qtbot.waitSignal(runner.ended):
        runner.start()
    every = {"summary": "summaries", "translation": "translations"}[kind]
    assert told == ([] if end is None else [replace(end, words=end.words.format(one=kind, all=every))])


def test_one_alone_is_not_counted(kind: str, notify: Notify, qtbot: QtBot) -> None:
    queue = Queue([(1, "running"), (1, "done")], {1: Row(1)})
    states, _ = run(kind, queue, notify, qtbot)
    assert states == [f"{KINDS[kind][3].split()[0]}ing", ""]


@pytest.mark.parametrize("seen", ["running", "failed"])
def test_a_defect_in_one_is_told_and_the_others_keep_their_turn(
    kind: str, seen: str, notify: Notify, qtbot: QtBot, caplog: pytest.LogCaptureFixture
) -> None:
    """Also when it has failed before the window looks at its row for the first time."""
    queue = Queue([(1, seen), (1, RuntimeError("a defect")), (2, "running"), (2, "done")])
    _, changed = run(kind, queue, notify, qtbot)
    assert changed == [1, 1, 2, 2]
    assert notify.bar.notices
    caplog.clear()
