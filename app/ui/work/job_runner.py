"""Work through the queue of a kind of jobs on a thread and emit their events."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, Protocol, TypeVar

from PySide6.QtCore import QObject, Signal

from app.core.catalogue import CountedTexts
from app.core.errors.app_error import AppError
from app.core.lazy_dataclasses import dataclass
from app.features.work.queue import QUEUED, RUNNING, JobEvent, StoredJobs
from app.ui.i18n import Translatable, tr
from app.ui.shell import tasks
from app.ui.shell.notify import Notify

INTERACTIVE = "interactive"
"""Reason of a pause: a chat is running. Any other reason is memory."""


class JobProgress(Protocol):
    """Progress of a running job, collected from its events."""

    @property
    def rests(self) -> str:
        """Reason of a pause, as in `TaskRests`; "" while running."""

    def take_event(self, event: Any, /) -> None:
        """Update the progress with an event; called on the window's thread."""


Progress = TypeVar("Progress", bound=JobProgress)


@dataclass(frozen=True)
class RunnerWords:
    """Untranslated texts of a runner.

    `of_several` takes {number} and {count}; the others announce finished and failed jobs, with {count} and {problems}.
    """

    busy: Translatable
    of_several: Translatable
    paused: Translatable
    waits: Translatable
    done: Translatable
    problem: Translatable
    several_done: CountedTexts
    several_problems: CountedTexts


class JobRunner(QObject, Generic[Progress]):
    """Run queued jobs on a thread; `start` also picks up jobs from an earlier session. Ends with its parent."""

    happened = Signal(int, object)
    """Id of a job and one of its events."""
    row_changed = Signal(int)
    """Id of a job whose state, title or error changed."""
    state_changed = Signal(str)
    """Text for the status line; "" when idle."""
    ended = Signal()
    """The queue is empty and the model was released."""

    def __init__(
        self,
        jobs: StoredJobs[Any, Any],
        new_progress: Callable[[], Progress],
        words: RunnerWords,
        notify: Notify,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._jobs, self._new_progress, self.words, self._notify = jobs, new_progress, words, notify
        self._rounds = tasks.RepeatedTask(
            jobs.run, self, on_event=self._on_worked, on_failed=self._on_failed, on_over=self._on_over
        )
        self._progress: dict[int, Progress] = {}
        self._at_work: int | None = None
        self._last_job_id: int | None = None
        self._batch: list[int] = []
        self.state = ""

    @property
    def is_running(self) -> bool:
        return self._rounds.is_running

    def start(self) -> None:
        """Start on the queue; if already running, check it once more."""
        self._rounds.start()

    def stop(self) -> None:
        """Stop the thread; the current job stays queued for the next start."""
        self._rounds.stop()

    def progress_of(self, job_id: int) -> Progress | None:
        """Return the progress of a job; None if it isn't running."""
        return self._progress.get(job_id)

    def _on_worked(self, worked: JobEvent[Any]) -> None:
        self._last_job_id = worked.id
        # Without an event, only the job's row has changed.
        if worked.event is None:
            self._read_row(worked.id)
            self.row_changed.emit(worked.id)
            return
        if worked.id not in self._progress:
            self._progress[worked.id] = self._new_progress()
        progress, was_at_work = self._progress[worked.id], self._at_work
        rested = progress.rests
        progress.take_event(worked.event)
        self._at_work = worked.id
        if progress.rests != rested or was_at_work != worked.id:
            self._show_queue()
        self.happened.emit(worked.id, worked.event)

    def _read_row(self, job_id: int) -> None:
        stored = None
        with self._notify.guard():
            stored = self._jobs.get(job_id)
        if stored is not None and stored.state == RUNNING:
            self._at_work = job_id
            self._progress.setdefault(job_id, self._new_progress())
        else:
            self._progress.pop(job_id, None)
            self._at_work = None if self._at_work == job_id else self._at_work
        self._show_queue()

    def _show_queue(self) -> None:
        """Update the state text, and emit it if it has changed."""
        # Between two jobs the last text stays, as the queue goes on.
        if self._at_work is None and self.is_running:
            return
        state = self._busy_words(self._at_work) if self._at_work is not None else ""
        if state != self.state:
            self.state = state
            self.state_changed.emit(state)

    def _busy_words(self, at_work: int) -> str:
        progress, words = self._progress.get(at_work), self.words
        if progress is not None and progress.rests:
            return tr(words.paused if progress.rests == INTERACTIVE else words.waits)
        number, count = self._queue_place(at_work)
        return tr(words.of_several, number=number, count=count) if count > 1 else tr(words.busy)

    def _queue_place(self, at_work: int) -> tuple[int, int]:
        """Return the position of the current job and the count of jobs since the queue was last empty."""
        try:
            waiting = [job.id for job in self._jobs.find() if job.state in (QUEUED, RUNNING)]
        except AppError:
            waiting = []
        over = [number for number in self._batch if number not in waiting]
        self._batch = over + [job_id for job_id in waiting if job_id not in over]
        if at_work not in self._batch:
            return 1, 1
        return self._batch.index(at_work) + 1, len(self._batch)

    def _on_over(self) -> None:
        self._forget()
        # It was started again meanwhile.
        if self.is_running:
            return
        self._batch = []
        self._show_queue()
        self.ended.emit()

    def _forget(self) -> None:
        self._at_work, self._last_job_id = None, None
        self._progress.clear()

    def _on_failed(self, error: BaseException) -> None:
        """Report a defect, mark its job as failed, and continue with the next."""
        self._notify.error(error)
        failed = self._last_job_id  # one that failed before its row was first read was never seen running
        self._forget()
        if failed is not None:
            self.row_changed.emit(failed)
            self.start()
