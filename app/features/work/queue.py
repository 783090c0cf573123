"""Stored jobs of a kind: list, find, rename, delete, restore, and run one at a time.

Stop, resume and delete take effect at once. States of a job here (a kind may have further ones):

    queued    waiting for its turn
    running   is being worked on; after a crash or a restart it is queued again
    paused    stopped by the user, also by the network’s switch, or without room for its model; what is there is kept
    done, failed
"""

from __future__ import annotations

import logging
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing
from typing import Any, Generic, Protocol, TypeVar

from app.core.errors.app_error import AppError
from app.core.errors.engine_errors import EngineStopped
from app.core.errors.hub_errors import NetworkOff
from app.core.errors.model_errors import ModelReplaced, NoRoomForModel
from app.core.errors.server_errors import DocumentStaysHere
from app.core.events import CancelToken, LinkedToken, ModelLoaded
from app.core.lazy_dataclasses import dataclass, replace
from app.core.settings import Settings
from app.engine.contract import Engine
from app.features.work.keep_awake import keep_awake
from app.features.work.task_engines import TaskEngines
from app.features.work.turns import QueueTurns
from app.store.jobs import Job, JobTable

log = logging.getLogger(__name__)

_WAITS = NoRoomForModel | DocumentStaysHere | NetworkOff
"""Errors that pause rather than fail: the user or free memory decides when to resume."""
QUEUED, RUNNING, PAUSED, DONE, FAILED = "queued", "running", "paused", "done", "failed"
TRIES = 2
"""Attempts without a single new step before an engine that ends is given up."""

Event = TypeVar("Event")


class JobAttempt(ABC, Generic[Event]):
    """A job while it runs, attempt after attempt."""

    record: Any
    """The last attempt's record, or None: `is_complete` once it finished, `pace` for its speed."""

    @property
    @abstractmethod
    def steps(self) -> int:
        """Number of new steps stored; if it grows, another attempt is worth it."""

    def without_engine(self, cancel: CancelToken) -> Iterator[Event]:  # noqa: ARG002
        """Do what needs no model, before one is loaded. If that completes the job, no model is loaded."""
        return no_events()

    @abstractmethod
    def attempt(self, engine: Engine, model: ModelLoaded, cancel: CancelToken) -> Generator[Event, None, None]:
        """Resume from stored steps."""

    def take_event(self, event: Event) -> None:
        """Store what an event brings, before anybody is told."""
        if self.record is not None:
            self.record.take_event(event)

    def close(self) -> None:
        """Store whatever isn't stored yet; called after an attempt, whatever its outcome."""
        if self.record is not None:
            self.record.close()

    @property
    def is_complete(self) -> bool:
        """True if the last attempt finished and its result is stored."""
        return self.record is not None and bool(self.record.is_complete)

    def seconds_left(self) -> float | None:
        """Estimate the seconds left; None before there is a measure."""
        left_s: float | None = self.record.pace.seconds_left() if self.record is not None else None
        return left_s


def no_events() -> Generator[Any, None, None]:
    """Return the events of a job that has nothing to do."""
    yield from ()


@dataclass(frozen=True)
class JobEvent(Generic[Event]):
    """Something happened in one job. `event` None: its row has changed (state, error, title), look again."""

    id: int
    event: Event | None


class JobQueue(Generic[Event]):
    """Queue of jobs of one kind, from any thread; `run` has one caller at a time.

    Kinds that share `turns` run one job between them. `begin` creates a job's attempt before an engine exists, and
    raises AppError if it can't run. `documents_of` lists the documents a job would send to a remote model.
    """

    def __init__(
        self,
        kind: str,
        jobs: JobTable,
        engines: TaskEngines,
        turns: QueueTurns,
        *,
        stays_awake: Callable[[], bool],
        begin: Callable[[Job], JobAttempt[Event]],
        documents_of: Callable[[int], Sequence[int]] = lambda _id: (),
    ) -> None:
        self._kind, self._jobs, self._engines, self._turns = kind, jobs, engines, turns
        self._stays_awake, self._begin_attempt, self._documents_of = stays_awake, begin, documents_of
        self._lock = threading.Lock()
        self._at_work: tuple[int, CancelToken] | None = None
        self._working: JobAttempt[Event] | None = None
        self._unsaved_ends: dict[int, tuple[str, AppError | None]] = {}
        """Final states that couldn't be stored (disk full, say); these jobs no longer run."""

    @property
    def at_work(self) -> int | None:
        at_work = self._at_work
        return at_work[0] if at_work else None

    def settled_job(self, job: Job) -> Job:
        """Return the job in its true state, even if its end couldn't be stored."""
        ended = self._unsaved_ends.get(job.id)
        return job if ended is None or job.state != RUNNING else replace(job, state=ended[0], error=ended[1])

    def seconds_left(self, job_id: int) -> float | None:
        """Estimate seconds left of the running job; None for others, or before there is a measure."""
        working = self._working
        return working.seconds_left() if working is not None and self.at_work == job_id else None

    def stop(self, job_id: int) -> None:
        """Stop a job, which then waits for `resume`."""
        with self._lock:
            # Stored before the work is told, so that a crash in between doesn't begin it again.
            if self._job_state(job_id) in (QUEUED, RUNNING):
                self._jobs.update(job_id, state=PAUSED)
            self._end_work_on(job_id)

    def resume(self, job_id: int) -> None:
        """Queue a paused or failed job again."""
        with self._lock:
            if self._job_state(job_id) in (PAUSED, FAILED):
                # Its earlier end no longer counts.
                self._jobs.update(job_id, state=QUEUED)
                self._unsaved_ends.pop(job_id, None)

    def begin_again(self, job_id: int) -> None:
        """Stop a job if it runs, and queue it again."""
        with self._lock:
            self._jobs.update(job_id, state=QUEUED)
            self._unsaved_ends.pop(job_id, None)
            self._end_work_on(job_id)

    def delete(self, job_id: int) -> None:
        """Delete a job and stop it if it runs; restored, it resumes."""
        with self._lock:
            if not (state := self._job_state(job_id)):
                raise KeyError(job_id)
            # Queued, so that it goes on when it is restored.
            if state == RUNNING:
                self._jobs.update(job_id, state=QUEUED)
            self._jobs.delete(job_id)
            self._end_work_on(job_id)

    def run(self, cancel: CancelToken) -> Iterator[JobEvent[Event]]:
        """Work through the queue until it is empty; a failed job doesn't block the next.

        Cancelled (the program quits), the running job stays queued. Waits while another kind has the turn.
        """
        while self._turns.wait_for_turn(self._kind, self._next_place, cancel):
            try:
                with self._engines.hold_engine(cancel), keep_awake(self._stays_awake) as look:
                    has_turn = True
                    # Taken under the lock, so that a stop never falls between choosing and beginning.
                    while has_turn and not cancel.cancelled and (job := self._take_job(stop := LinkedToken(cancel))):
                        try:
                            yield JobEvent(job.id, None)
                            for event in self._carry_out(job, stop):
                                look()
                                yield JobEvent(job.id, event)
                        finally:
                            # Also when whoever runs the queue stops listening.
                            self._release_job(job.id)
                        yield JobEvent(job.id, None)
                        # Another kind's earlier job goes first, even in the middle of this queue.
                        has_turn = self._turns.goes_on(self._kind, self._next_place)
            finally:
                self._turns.give_back()

    def _next_place(self) -> float | None:
        job = next(iter(self._jobs.find(self._kind, (QUEUED,))), None)
        return None if job is None else job.place

    def _take_job(self, stop: CancelToken) -> Job | None:
        with self._lock:
            if (job := next(iter(self._jobs.find(self._kind, (QUEUED,))), None)) is not None:
                self._jobs.update(job.id, state=RUNNING)
                self._at_work = (job.id, stop)
        return job

    def _release_job(self, job_id: int) -> None:
        """Release the running job; if it hasn't ended otherwise, queue it again, because the program quits."""
        with self._lock:
            self._at_work, self._working = None, None
            # Still running here means that nobody ended it: the program quits.
            if self._job_state(job_id) == RUNNING:
                self._write_end(job_id, QUEUED)

    def _carry_out(self, job: Job, stop: CancelToken) -> Iterator[Event]:
        """Retry when the engine ended or lost its model, as long as attempts make progress."""
        tries = 0
        try:
            working = self._working = self._begin_attempt(job)
            while True:
                steps = working.steps
                try:
                    for event in working.without_engine(stop):
                        working.take_event(event)
                        yield event
                    # Done without a model, none is loaded.
                    if not working.is_complete and not stop.cancelled:
                        with self._engines.open_engine(stop) as engine:
                            if engine is None:
                                return
                            model = self._allowed_model(job, engine)
                            with closing(working), closing(working.attempt(engine, model, stop)) as events:
                                for event in events:
                                    working.take_event(event)
                                    yield event
                                    if not working.is_complete:
                                        _require_same_model(engine, model)
                    if working.is_complete or not stop.cancelled:  # or it would have its turn again and again
                        self._end_job(job.id, DONE)
                    return
                except (EngineStopped, ModelReplaced):
                    # Each new step shows that going on helps; without one the engine's end is the job's doing.
                    tries = 1 if working.steps > steps else tries + 1
                    if tries >= TRIES or stop.cancelled:
                        raise
        except AppError as error:
            if stop.cancelled:  # the engine ends with the program
                return
            log.info("%s %d ended with %s", self._kind, job.id, type(error).__name__)
            self._end_job(job.id, PAUSED if isinstance(error, _WAITS) else FAILED, error)
        except Exception:
            self._end_job(job.id, FAILED)  # a defect: it must not come up again at every start
            raise

    def _allowed_model(self, job: Job, engine: Engine) -> ModelLoaded:
        """Return the loaded model, which may be sent the job's documents."""
        # The child may end between loading and this line.
        if (model := engine.loaded) is None:
            raise EngineStopped(None, "it ended right after the model was loaded")
        # Asked before a single word of the documents is sent.
        self._engines.let_out(self._documents_of(job.id), model)
        return model

    def _end_job(self, job_id: int, state: str, error: AppError | None = None) -> None:
        """Store a job's end: a complete result counts even if it was stopped meanwhile.

        Other ends only if the user did nothing. A job queued again meanwhile stays queued, as there may be more to
        do.
        """
        with self._lock:
            # A complete result counts even where somebody stopped it at the last moment.
            if (before := self._job_state(job_id)) == RUNNING or (before == PAUSED and state == DONE):
                self._write_end(job_id, state, error)

    def _write_end(self, job_id: int, state: str, error: AppError | None = None) -> None:
        """Store a job's final state.

        If that fails, remember it until the program ends; at the next start the job is queued again.
        """
        try:
            self._jobs.update(job_id, state=state, error=error)
        except AppError as problem:
            log.info("%s %d is %s, which could not be stored", self._kind, job_id, state)
            # A job that could not be stored as done isn't shown as working any more.
            self._unsaved_ends[job_id] = (state, error) if state in (PAUSED, FAILED) else (FAILED, problem)

    def _end_work_on(self, job_id: int) -> None:
        if self._at_work is not None and self._at_work[0] == job_id:
            self._at_work[1].cancel()

    def _job_state(self, job_id: int) -> str:
        job = self._jobs.get(job_id)
        return self.settled_job(job).state if job is not None and job.kind == self._kind else ""


def _require_same_model(engine: Engine, model: ModelLoaded) -> None:
    """Raise ModelReplaced if another model came in between two requests, which the engine doesn't tell."""
    if engine.loaded is not None and engine.loaded.path != model.path:
        raise ModelReplaced


Row = TypeVar("Row")


class JobTexts(Protocol):
    """Searchable texts of jobs of one kind."""

    def search_text(self, query: str) -> set[int]:
        """Return the ids of jobs that have every word of a query."""

    def documents_of(self, job_ids: Sequence[int]) -> dict[int, tuple[int, ...]]:
        """Return the ids of each job's documents."""


class StoredJobs(ABC, Generic[Row, Event]):
    """All jobs of a kind; from any thread. Owns no thread: `run` is a generator for the one that works.

    Writes may raise DiskFull or FolderNotWritable, and KeyError for a job that does not exist. Jobs in the state
    `unlisted` are not finished with being put together.
    """

    def __init__(
        self,
        kind: str,
        jobs: JobTable,
        texts: JobTexts,
        engines: TaskEngines,
        settings: Callable[[], Settings],
        *,
        turns: QueueTurns | None,
        unlisted: str,
    ) -> None:
        self._kind, self._jobs, self._searched, self._hidden_state = kind, jobs, texts, unlisted
        self.engines = engines
        self._queue: JobQueue[Event] = JobQueue(
            kind,
            jobs,
            engines,
            turns or QueueTurns(),
            stays_awake=lambda: settings().summaries.stay_awake,
            begin=self._job_at_work,
            documents_of=lambda job_id: texts.documents_of([job_id]).get(job_id, ()),
        )

    @abstractmethod
    def _job_at_work(self, job: Job) -> JobAttempt[Event]:
        """Create a job's attempt; see `JobQueue`."""

    @abstractmethod
    def _stored_rows(self, jobs: Sequence[Job]) -> list[Row]:
        """Turn jobs into rows of the list."""

    def find(self, query: str = "") -> list[Row]:
        """List running and queued jobs in order, then the rest, newest first.

        With a query, only those that have all its words in title, document names or text.
        """
        jobs = [self._queue.settled_job(job) for job in self._jobs.find(self._kind) if job.state != self._hidden_state]
        if query.strip():
            found = self._searched.search_text(query)
            jobs = [job for job in jobs if job.id in found]
        waiting = [job for job in jobs if job.state in (RUNNING, QUEUED)]
        # Stable, so that the queue's order stays.
        waiting.sort(key=lambda job: job.state != RUNNING)
        rest = [job for job in jobs if job.state not in (RUNNING, QUEUED)]
        rest.sort(key=lambda job: (job.created_at, job.id), reverse=True)
        return self._stored_rows([*waiting, *rest])

    def get(self, job_id: int) -> Row | None:
        """Return one row; None if it is deleted."""
        job = self._job(job_id)
        return None if job is None else self._stored_rows([job])[0]

    def rename(self, job_id: int, title: str) -> None:
        self._jobs.update(job_id, title=title.strip())

    def delete(self, job_id: int) -> None:
        """Stop a job and move it to the trash; it is purged, with its files, when the trash is."""
        self._queue.delete(job_id)

    def restore(self, job_id: int) -> None:
        """Undo a deletion; a job that was running or queued is queued again."""
        self._jobs.restore(job_id)

    @property
    def at_work(self) -> int | None:
        return self._queue.at_work

    def seconds_left(self, job_id: int) -> float | None:
        """Estimate seconds left of the running job by its pace; None for others, or before there is a measure."""
        return self._queue.seconds_left(job_id)

    def stop(self, job_id: int) -> None:
        """Stop a job at once and keep what it has; `resume` continues it."""
        self._queue.stop(job_id)

    def resume(self, job_id: int) -> None:
        """Queue a paused or failed job again."""
        self._queue.resume(job_id)

    def run(self, cancel: CancelToken) -> Iterator[JobEvent[Event]]:
        """Work through the queue until it is empty; a failed job doesn't block the next.

        Cancelled (the program quits), the running job stays queued. One caller at a time. Waits while other long work
        has its turn.
        """
        return self._queue.run(cancel)

    def _job(self, job_id: int) -> Job | None:
        job = self._jobs.get(job_id)
        return self._queue.settled_job(job) if job is not None and job.kind == self._kind else None
