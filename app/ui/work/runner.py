"""Works off the queue of a kind of stored jobs on a thread, and passes on what happens in each of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

from PySide6.QtCore import QObject, Signal

from app.core.errors import AppError
from app.core.events import CancelToken
from app.features.work.queue import QUEUED, RUNNING, Worked
from app.features.work.stored import StoredJobs
from app.ui.i18n import tr
from app.ui.shell import tasks
from app.ui.shell.notify import Notify

INTERACTIVE = "interactive"
"""Why a job rests: the person chats. Any other reason is memory."""


class Progress(Protocol):
    """How far a job at work is, gathered from its events."""

    @property
    def rests(self) -> str:
        """Why the work waits; "" while it goes on."""

    def take(self, event: Any, /) -> None:
        """One more event."""


Told = TypeVar("Told", bound=Progress)


@dataclass(frozen=True)
class RunnerWords:
    """What the status line says, not translated yet; `of_several` has {number} and {count}."""

    busy: str
    of_several: str
    paused: str
    waits: str


class Runner(QObject, Generic[Told]):
    """Runs while something waits; `start` looks for what a former run left. It ends with its parent."""

    happened = Signal(int, object)
    """A job's id and one of its events."""
    row_changed = Signal(int)
    """A job's row is another one: its state, its title, what went wrong."""
    state_changed = Signal(str)
    """For the status line; "" when nothing is at work."""
    ended = Signal()
    """Nothing waits any more, and what the work had in memory has gone."""

    def __init__(
        self,
        jobs: StoredJobs[Any, Any],
        new_progress: Callable[[], Told],
        words: RunnerWords,
        notify: Notify,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._jobs, self._new_progress, self._words, self._notify = jobs, new_progress, words, notify
        self._task: tasks.Task | None = None
        self._is_asked_again = False
        self._progress: dict[int, Told] = {}
        self._at_work: int | None = None
        self._batch: list[int] = []
        self.state = ""

    @property
    def is_running(self) -> bool:
        return self._task is not None

    def start(self) -> None:
        """Goes on with what waits in the queue, if anything does; called again while it runs, it looks once more."""
        if self._task is not None:
            self._is_asked_again = True
            return
        self._is_asked_again = False
        self._task = tasks.run(self._work, self)
        self._task.event.connect(self._on_worked)
        self._task.finished.connect(self._on_ended)
        self._task.failed.connect(self._on_failed)

    def stop(self) -> None:
        """Ends the thread; the job at work stays in the queue."""
        if self._task is not None:
            self._is_asked_again = False
            self._task.cancel()

    def progress_of(self, job_id: int) -> Told | None:
        """How far the one at work is; None for any other."""
        return self._progress.get(job_id)

    def _work(self, cancel: CancelToken) -> Iterator[Worked[Any]]:
        # The queue's parts are loaded here, on the thread.
        yield from self._jobs.run(cancel)

    def _on_worked(self, worked: Worked[Any]) -> None:
        if worked.event is None:
            self._look_at_row(worked.id)
            self.row_changed.emit(worked.id)
            return
        if worked.id not in self._progress:
            self._progress[worked.id] = self._new_progress()
        progress, was_at_work = self._progress[worked.id], self._at_work
        rested = progress.rests
        progress.take(worked.event)
        self._at_work = worked.id
        if progress.rests != rested or was_at_work != worked.id:
            self._tell()
        self.happened.emit(worked.id, worked.event)

    def _look_at_row(self, job_id: int) -> None:
        stored = None
        with self._notify.guard():
            stored = self._jobs.get(job_id)
        if stored is not None and stored.state == RUNNING:
            self._at_work = job_id
            self._progress.setdefault(job_id, self._new_progress())
        else:
            self._progress.pop(job_id, None)
            self._at_work = None if self._at_work == job_id else self._at_work
        self._tell()

    def _tell(self) -> None:
        """Where the queue is, in words; between two of them it is still at work."""
        if self._at_work is None and self._task is not None:
            return
        state = self._busy_words(self._at_work) if self._at_work is not None else ""
        if state != self.state:
            self.state = state
            self.state_changed.emit(state)

    def _busy_words(self, at_work: int) -> str:
        progress, words = self._progress.get(at_work), self._words
        if progress is not None and progress.rests:
            return tr(words.paused if progress.rests == INTERACTIVE else words.waits)
        number, count = self._place(at_work)
        return tr(words.of_several, number=number, count=count) if count > 1 else tr(words.busy)

    def _place(self, at_work: int) -> tuple[int, int]:
        """Which of how many this one is, of all that were in the queue since it was last empty."""
        try:
            waiting = [one.id for one in self._jobs.find() if one.state in (QUEUED, RUNNING)]
        except AppError:
            waiting = []
        over = [one for one in self._batch if one not in waiting]
        self._batch = over + [one for one in waiting if one not in over]
        if at_work not in self._batch:
            return 1, 1
        return self._batch.index(at_work) + 1, len(self._batch)

    def _on_ended(self) -> None:
        self._task, self._at_work = None, None
        self._progress.clear()
        if self._is_asked_again:
            self.start()
            return
        self._batch = []
        self._tell()
        self.ended.emit()

    def _on_failed(self, error: BaseException) -> None:
        """A defect in one of them; it is marked as failed, and the others keep their turn."""
        self._notify.error(error)
        failed = self._at_work
        self._on_ended()
        if failed is not None:
            self.row_changed.emit(failed)
            self.start()


def rest_words(reason: str) -> str:
    return tr("paused while you chat") if reason == INTERACTIVE else tr("waits for memory")
