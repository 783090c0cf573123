"""Works off the queue of summaries on a thread, and passes on what happens in each of them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from app.core.errors import AppError
from app.core.events import CancelToken
from app.features.summaries import StoredSummary
from app.features.summary.result import SummaryEvent
from app.features.work.queue import Worked
from app.ui.shell import tasks
from app.ui.shell.i18n import tr
from app.ui.shell.notify import Notify
from app.ui.summarize.progress import Progress
from app.ui.summarize.summary_texts import rest_words

if TYPE_CHECKING:
    from app.bootstrap import Fireside


class SummaryRunner(QObject):
    """Runs while something waits; `start` looks for what a former run left. It ends with its parent."""

    happened = Signal(int, object)
    """A summary's id and its `SummaryEvent`."""
    row_changed = Signal(int)
    """A summary's row is another one: its state, its title, what went wrong."""
    state_changed = Signal(str)
    """For the status line; "" when nothing is at work."""
    ended = Signal()
    """Nothing waits any more, and what the work had in memory has gone."""

    def __init__(self, app: Fireside, notify: Notify, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._app, self._notify = app, notify
        self._task: tasks.Task | None = None
        self._is_asked_again = False
        self._progress: dict[int, Progress] = {}
        self._at_work: int | None = None
        self._batch: list[int] = []
        self.state = ""

    @property
    def is_running(self) -> bool:
        """Whether the thread is there."""
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
        """Ends the thread; the summary at work stays in the queue."""
        if self._task is not None:
            self._is_asked_again = False
            self._task.cancel()

    def progress_of(self, summary_id: int) -> Progress | None:
        """How far the one at work is; None for any other."""
        return self._progress.get(summary_id)

    def _work(self, cancel: CancelToken) -> Iterator[Worked[SummaryEvent]]:
        # The queue's parts are loaded here, on the thread.
        yield from self._app.summaries.run(cancel)

    def _on_worked(self, worked: Worked[SummaryEvent]) -> None:
        if worked.event is None:
            self._look_at_row(worked.id)
            self.row_changed.emit(worked.id)
            return
        if worked.id not in self._progress:
            self._progress[worked.id] = Progress()
        progress, was_at_work = self._progress[worked.id], self._at_work
        rested = progress.rests
        progress.take(worked.event)
        self._at_work = worked.id
        if progress.rests != rested or was_at_work != worked.id:
            self._tell()
        self.happened.emit(worked.id, worked.event)

    def _look_at_row(self, summary_id: int) -> None:
        stored = self._row(summary_id)
        if stored is not None and stored.state == "running":
            self._at_work = summary_id
            self._progress.setdefault(summary_id, Progress())
        else:
            self._progress.pop(summary_id, None)
            self._at_work = None if self._at_work == summary_id else self._at_work
        self._tell()

    def _row(self, summary_id: int) -> StoredSummary | None:
        try:
            return self._app.summaries.get(summary_id)
        except AppError as error:
            self._notify.error(error)
            return None

    def _tell(self) -> None:
        """Where the queue is, in words."""
        state = ""
        if self._at_work is not None:
            progress = self._progress.get(self._at_work)
            state = self._busy_words(progress)
        if state != self.state:
            self.state = state
            self.state_changed.emit(state)

    def _busy_words(self, progress: Progress | None) -> str:
        if progress is not None and progress.rests == "interactive":
            return tr("Summary paused while you chat")
        if progress is not None and progress.rests:
            return tr("Summary {why}", why=rest_words(progress.rests))
        number, count = self._place()
        return tr("Summarizing {number} of {count}", number=number, count=count) if count > 1 else tr("Summarizing")

    def _place(self) -> tuple[int, int]:
        """Which of how many this one is, of all that were in the queue since it was last empty."""
        try:
            waiting = [one.id for one in self._app.summaries.find() if one.state in ("queued", "running")]
        except AppError:
            waiting = []
        over = [one for one in self._batch if one not in waiting]
        self._batch = over + [one for one in waiting if one not in over]
        if self._at_work not in self._batch:
            return 1, 1
        return self._batch.index(self._at_work) + 1, len(self._batch)

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
