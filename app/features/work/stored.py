"""What every kind of stored job offers: listed, found, renamed, stopped, gone on with, deleted and taken back."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from typing import Generic, Protocol, TypeVar

from app.core.events import CancelToken
from app.core.settings import Settings
from app.features.work.engines import TaskEngines
from app.features.work.queue import QUEUED, RUNNING, Event, JobQueue, Worked, Working
from app.features.work.turns import Turns
from app.store.jobs import Job, Jobs

Row = TypeVar("Row")


class Searched(Protocol):
    """The texts of a kind of job."""

    def search(self, query: str) -> set[int]:
        """The jobs that have every word of a query."""

    def documents_of(self, job_ids: Sequence[int]) -> dict[int, tuple[int, ...]]:
        """The documents of each of these jobs."""


class StoredJobs(ABC, Generic[Row, Event]):
    """All jobs of a kind; from any thread. Owns no thread: `run` is a generator for the one that works.

    Writes may raise DiskFull or FolderNotWritable, and KeyError for a job that does not exist. Jobs in the state
    `unlisted` are not finished with being put together.
    """

    def __init__(
        self,
        kind: str,
        jobs: Jobs,
        texts: Searched,
        engines: TaskEngines,
        settings: Callable[[], Settings],
        *,
        turns: Turns | None,
        unlisted: str,
    ) -> None:
        self._kind, self._jobs, self._searched, self._unlisted = kind, jobs, texts, unlisted
        self.engines = engines
        self._queue: JobQueue[Event] = JobQueue(
            kind,
            jobs,
            engines,
            turns or Turns(),
            stays_awake=lambda: settings().summaries.stay_awake,
            begin=self._begun,
            documents_of=lambda job_id: texts.documents_of([job_id]).get(job_id, ()),
        )

    @abstractmethod
    def _begun(self, job: Job) -> Working[Event]:
        """The work of a job; see `JobQueue`."""

    @abstractmethod
    def _rows(self, jobs: Sequence[Job]) -> list[Row]:
        """Jobs as they are listed."""

    def find(self, query: str = "") -> list[Row]:
        """Those at work or waiting in their order, then the newest first.

        With a query those with every word of it in the title, the documents' names or the text.
        """
        jobs = [self._queue.settled(job) for job in self._jobs.find(self._kind) if job.state != self._unlisted]
        if query.strip():
            found = self._searched.search(query)
            jobs = [job for job in jobs if job.id in found]
        waiting = [job for job in jobs if job.state in (RUNNING, QUEUED)]
        waiting.sort(key=lambda job: job.state != RUNNING)
        rest = [job for job in jobs if job.state not in (RUNNING, QUEUED)]
        rest.sort(key=lambda job: (job.created_at, job.id), reverse=True)
        return self._rows([*waiting, *rest])

    def get(self, job_id: int) -> Row | None:
        """One of them; None where it is deleted."""
        job = self._job(job_id)
        return None if job is None else self._rows([job])[0]

    def rename(self, job_id: int, title: str) -> None:
        self._jobs.update(job_id, title=title.strip())

    def delete(self, job_id: int) -> None:
        """Stops it and takes it out of the list; it goes for good, with its files, when the trash does."""
        self._queue.delete(job_id)

    def restore(self, job_id: int) -> None:
        """Takes a deletion back; one that was at work or waiting waits for its turn again."""
        self._jobs.restore(job_id)

    @property
    def at_work(self) -> int | None:
        return self._queue.at_work

    def seconds_left(self, job_id: int) -> float | None:
        """About how much longer the one at work takes, by its pace; None for others, and where nothing tells it yet."""
        return self._queue.seconds_left(job_id)

    def stop(self, job_id: int) -> None:
        """Ends the work on it at once; what is there is kept, and `resume` goes on."""
        self._queue.stop(job_id)

    def resume(self, job_id: int) -> None:
        """Queues a paused or failed one again."""
        self._queue.resume(job_id)

    def run(self, cancel: CancelToken) -> Iterator[Worked[Event]]:
        """Works off the queue until nothing waits in it; one that fails does not keep the next from its turn.

        Cancelled (the program quits), the one at work stays queued. One caller at a time. While other long work has
        its turn, nothing comes.
        """
        yield from self._queue.run(cancel)

    def close(self) -> None:
        """The program quits: what `run` has cancelled goes on the next time. Safe to call twice."""
        self.engines.close()

    def _job(self, job_id: int) -> Job | None:
        job = self._jobs.get(job_id)
        return self._queue.settled(job) if job is not None and job.kind == self._kind else None
