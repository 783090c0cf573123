"""What is done with stored jobs in the window; what goes wrong is told."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, TypeVar

from PySide6.QtCore import QObject, Signal

from app.core.errors import AppError
from app.features.work.stored import StoredJobs
from app.ui.shell.notify import Notify

Row = TypeVar("Row")
Result = TypeVar("Result")


class Doing(QObject, Generic[Row]):
    """`gone` is said of a job, or of something of it, that is not there any more."""

    row_changed = Signal(int)
    """A job's row is another one."""
    queued = Signal()
    """Something waits in the queue."""

    def __init__(self, jobs: StoredJobs[Row, Any], notify: Notify, gone: str, parent: QObject) -> None:
        super().__init__(parent)
        self._jobs, self._notify, self._gone = jobs, notify, gone

    def result_of(self, do: Callable[[], Result]) -> Result | None:
        """Does something that is stored, and returns what that returns; None where it went wrong."""
        try:
            return do()
        except AppError as error:
            self._notify.error(error)
        except KeyError:
            self._notify.mention(self._gone)
        return None

    def try_to(self, do: Callable[[], object]) -> bool:
        """The same; whether it was done."""

        def done() -> bool:
            do()
            return True

        return self.result_of(done) is not None

    def get(self, job_id: int) -> Row | None:
        """A job as it is stored; None where there is none."""
        return self.result_of(lambda: self._jobs.get(job_id))

    def known(self, job_id: int) -> Row | None:
        """The same; that there is none is told."""
        row = self.get(job_id)
        if row is None:
            self._notify.mention(self._gone)
        return row

    def stop(self, job_id: int) -> None:
        """What is done is kept."""
        self.try_to(lambda: self._jobs.stop(job_id))
        self.row_changed.emit(job_id)

    def go_on(self, job_id: int) -> None:
        """Queues one again that was stopped or failed."""
        if self.try_to(lambda: self._jobs.resume(job_id)):
            self.queued.emit()
            self.row_changed.emit(job_id)

    def rename(self, job_id: int, title: str) -> None:
        """Another title."""
        if self.try_to(lambda: self._jobs.rename(job_id, title)):
            self.row_changed.emit(job_id)
