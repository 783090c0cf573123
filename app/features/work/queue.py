"""The stored jobs of a kind: listed, found, renamed, deleted and taken back; and worked off one at a time.

What a person says meanwhile (stop, go on, delete) holds at once. States of a job here (a kind may have others beside
them):

    queued    waits for its turn
    running   is being worked on; after a crash or a restart it is queued again
    paused    stopped by the person, also by the network’s switch, or without room for its model; what is there is kept
    done, failed
"""

from __future__ import annotations

import logging
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from typing import Any, Generic, Protocol, TypeVar

from app.core.errors import AppError, DocumentStaysHere, EngineStopped, ModelReplaced, NetworkOff, NoRoomForModel
from app.core.events import CancelToken, LinkedToken, ModelLoaded
from app.core.settings import Settings
from app.engine.contract import Engine
from app.features.work.engines import TaskEngines
from app.features.work.turns import QueueTurns
from app.store.jobs import Job, JobTable

log = logging.getLogger(__name__)

_WAITS = NoRoomForModel | DocumentStaysHere | NetworkOff
"""Nothing went wrong: the person, or the room that there is, says when to go on."""
QUEUED, RUNNING, PAUSED, DONE, FAILED = "queued", "running", "paused", "done", "failed"
TRIES = 2
"""Attempts without a single new step before an engine that ends is given up."""

Event = TypeVar("Event")


class JobAttempt(ABC, Generic[Event]):
    """One job while it is worked on, attempt after attempt."""

    record: Any
    """How the last attempt is stored: `is_complete` says that it came to its end, `pace` how fast it is; or None."""

    @property
    @abstractmethod
    def steps(self) -> int:
        """New steps that are kept: more of them say that it leads somewhere."""

    def without_engine(self, cancel: CancelToken) -> Iterator[Event]:  # noqa: ARG002
        """What no model is asked for, before one is loaded; complete after it, the job needs none."""
        yield from ()

    @abstractmethod
    def attempt(self, engine: Engine, model: ModelLoaded, cancel: CancelToken) -> Generator[Event, None, None]:
        """Goes on from what is kept; what it came to is stored when it is closed, however that comes."""

    @property
    def is_complete(self) -> bool:
        """Whether the last attempt came to its end, and the result is stored."""
        return self.record is not None and bool(self.record.is_complete)

    def seconds_left(self) -> float | None:
        """About how much longer; None where nothing tells it yet."""
        left_s: float | None = self.record.pace.seconds_left() if self.record is not None else None
        return left_s


@dataclass(frozen=True)
class JobEvent(Generic[Event]):
    """Something happened in one job. `event` None: its row has changed (state, error, title), look again."""

    id: int
    event: Event | None


class JobQueue(Generic[Event]):
    """From any thread; `run` has one caller at a time. Kinds that share `turns` have one job at work between them.

    `begin` gives the work of a job, before an engine is there; it raises an AppError where nothing can come of it.
    `documents_of` tells which documents a job would send to where its model runs.
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
        self._stays_awake, self._begin, self._documents_of = stays_awake, begin, documents_of
        self._lock = threading.Lock()
        self._at_work: tuple[int, CancelToken] | None = None
        self._working: JobAttempt[Event] | None = None
        self._unwritten: dict[int, tuple[str, AppError | None]] = {}
        """How jobs ended where that could not be stored: the disk is full, say. They are not at work any more."""

    @property
    def at_work(self) -> int | None:
        at_work = self._at_work
        return at_work[0] if at_work else None

    def settled_job(self, job: Job) -> Job:
        """The job as it is, also where the store could not be told how its work ended."""
        ended = self._unwritten.get(job.id)
        return job if ended is None or job.state != RUNNING else replace(job, state=ended[0], error=ended[1])

    def seconds_left(self, job_id: int) -> float | None:
        """About how much longer the one at work takes; None for others, and where nothing tells it yet."""
        working = self._working
        return working.seconds_left() if working is not None and self.at_work == job_id else None

    def stop(self, job_id: int) -> None:
        """It waits for `resume`; the work on it ends."""
        with self._lock:
            if self._job_state(job_id) in (QUEUED, RUNNING):
                self._jobs.update(job_id, state=PAUSED)
            self._end_work_on(job_id)

    def resume(self, job_id: int) -> None:
        """It waits for its turn again."""
        with self._lock:
            if self._job_state(job_id) in (PAUSED, FAILED):
                self._jobs.update(job_id, state=QUEUED)
                self._unwritten.pop(job_id, None)

    def begin_again(self, job_id: int) -> None:
        """The work on it, if any, ends, and it waits for its turn."""
        with self._lock:
            self._jobs.update(job_id, state=QUEUED)
            self._unwritten.pop(job_id, None)
            self._end_work_on(job_id)

    def delete(self, job_id: int) -> None:
        """The work on it ends; brought back, it would go on."""
        with self._lock:
            state = self._job_state(job_id)
            if not state:
                raise KeyError(job_id)
            if state == RUNNING:
                self._jobs.update(job_id, state=QUEUED)
            self._jobs.delete(job_id)
            self._end_work_on(job_id)

    def run(self, cancel: CancelToken) -> Iterator[JobEvent[Event]]:
        """Works off the queue until nothing waits in it; a job that fails does not keep the next from its turn.

        Cancelled (the program quits), the one at work stays queued. While another kind has the turn, nothing comes.
        """
        while self._turns.wait_for_turn(self._kind, self._next_place, cancel):
            try:
                yield from self._run_turn(cancel)
            finally:
                self._turns.give_back()

    def _run_turn(self, cancel: CancelToken) -> Iterator[JobEvent[Event]]:
        with self._engines.hold_engine(cancel), keep_awake(self._stays_awake) as look:
            while not cancel.cancelled and (job := self._take_job(stop := LinkedToken(cancel))) is not None:
                try:
                    yield JobEvent(job.id, None)
                    for event in self._carry_out(job, stop):
                        look()
                        yield JobEvent(job.id, event)
                finally:
                    self._let_go(job.id)
                yield JobEvent(job.id, None)
                if not self._turns.goes_on(self._kind, self._next_place):
                    return

    def _next_place(self) -> float | None:
        job = next(iter(self._jobs.find(self._kind, (QUEUED,))), None)
        return None if job is None else job.place

    def _take_job(self, stop: CancelToken) -> Job | None:
        with self._lock:
            job = next(iter(self._jobs.find(self._kind, (QUEUED,))), None)
            if job is not None:
                self._jobs.update(job.id, state=RUNNING)
                self._at_work = (job.id, stop)
        return job

    def _let_go(self, job_id: int) -> None:
        """What has not ended otherwise waits for its turn: the program quits."""
        with self._lock:
            self._at_work, self._working = None, None
            if self._job_state(job_id) == RUNNING:
                self._write_end(job_id, QUEUED)

    def _carry_out(self, job: Job, stop: CancelToken) -> Iterator[Event]:
        try:
            yield from self._attempt_repeatedly(job, stop)
        except AppError as error:
            if stop.cancelled:  # the engine ends with the program
                return
            log.info("%s %d ended with %s", self._kind, job.id, type(error).__name__)
            self._end_job(job.id, PAUSED if isinstance(error, _WAITS) else FAILED, error)
        except Exception:
            self._end_job(job.id, FAILED)  # a defect: it must not come up again at every start
            raise

    def _attempt_repeatedly(self, job: Job, stop: CancelToken) -> Iterator[Event]:
        """Goes on where the engine ended, or lost its model, as long as that leads anywhere."""
        working, tries = self._begin(job), 0
        self._working = working
        while True:
            steps = working.steps
            try:
                yield from self._attempt_once(job, working, stop)
                return
            except (EngineStopped, ModelReplaced):
                tries = 1 if working.steps > steps else tries + 1
                if tries >= TRIES or stop.cancelled:
                    raise

    def _attempt_once(self, job: Job, working: JobAttempt[Event], stop: CancelToken) -> Iterator[Event]:
        yield from working.without_engine(stop)
        if not working.is_complete and not stop.cancelled:
            with self._engines.open_engine(stop) as engine:
                if engine is None:
                    return
                yield from self._attempt_with_engine(job, engine, working, stop)
        if working.is_complete or not stop.cancelled:  # or it would have its turn again and again
            self._end_job(job.id, DONE)

    def _attempt_with_engine(
        self, job: Job, engine: Engine, working: JobAttempt[Event], stop: CancelToken
    ) -> Iterator[Event]:
        model = engine.loaded
        if model is None:
            raise EngineStopped(None, "it ended right after the model was loaded")
        self._engines.let_out(self._documents_of(job.id), model)
        with closing(working.attempt(engine, model, stop)) as events:
            for event in events:
                yield event
                if engine.loaded is not None and engine.loaded.path != model.path and not working.is_complete:
                    raise ModelReplaced  # between two asks, which the engine does not tell

    def _end_job(self, job_id: int, state: str, error: AppError | None = None) -> None:
        """A result that is complete counts, also where it was stopped meanwhile; anything else where nothing was said.

        What waits for its turn by then is to be worked on again: there may be more to do than there was.
        """
        with self._lock:
            before = self._job_state(job_id)
            if before == RUNNING or (before == PAUSED and state == DONE):
                self._write_end(job_id, state, error)

    def _write_end(self, job_id: int, state: str, error: AppError | None = None) -> None:
        """What cannot be stored is known as long as the program runs; at the next start the job waits for its turn."""
        try:
            self._jobs.update(job_id, state=state, error=error)
        except AppError as problem:
            log.info("%s %d is %s, which could not be stored", self._kind, job_id, state)
            self._unwritten[job_id] = (state, error) if state in (PAUSED, FAILED) else (FAILED, problem)

    def _end_work_on(self, job_id: int) -> None:
        if self._at_work is not None and self._at_work[0] == job_id:
            self._at_work[1].cancel()

    def _job_state(self, job_id: int) -> str:
        job = self._jobs.get(job_id)
        return self.settled_job(job).state if job is not None and job.kind == self._kind else ""


# Keeps the computer from going to sleep while long work goes on, as long as it has mains power.


LOOK_EVERY_S = 10.0
ANSWER_TIMEOUT_S = 3.0


@contextmanager
def keep_awake(
    wanted: Callable[[], bool],
    *,
    has_mains: Callable[[], bool] | None = None,
    clock: Callable[[], float] = time.monotonic,
) -> Iterator[Callable[[], None]]:
    """Asks the system not to sleep meanwhile, where `wanted` says so.

    What it gives is to be called now and then: every ten seconds it looks whether that still holds. Work goes on where
    the system cannot be asked.
    """
    keeper, has_mains, looked_at_s = _AwakeKeeper(), has_mains or has_mains_power, clock()

    def look() -> None:
        nonlocal looked_at_s
        if clock() - looked_at_s >= LOOK_EVERY_S:
            looked_at_s = clock()
            keeper.switch(on=wanted() and has_mains())

    keeper.switch(on=wanted() and has_mains())
    try:
        yield look
    finally:
        keeper.switch(on=False)


def has_mains_power() -> bool:
    """Whether the computer is plugged in, or has no battery; also where nothing tells."""
    import psutil

    try:
        battery = psutil.sensors_battery()
    except (AttributeError, OSError, RuntimeError, ValueError):  # not on this system, or files that make no sense
        return True
    return battery is None or battery.power_plugged is not False


class _AwakeKeeper:
    """A thread that holds the request: wakepy wants one, and a system's bus that hangs must not hold up the work."""

    def __init__(self) -> None:
        self._end: threading.Event | None = None
        self._thread: threading.Thread | None = None

    def switch(self, *, on: bool) -> None:
        """Makes the request or takes it back; returns when that has happened, or takes too long."""
        if on and self._end is None:
            self._end, asked = threading.Event(), threading.Event()
            self._thread = threading.Thread(target=_hold_request, args=(asked, self._end), name="awake", daemon=True)
            self._thread.start()
            asked.wait(ANSWER_TIMEOUT_S)
        elif not on and self._end is not None and self._thread is not None:
            self._end.set()
            self._thread.join(ANSWER_TIMEOUT_S)
            self._end, self._thread = None, None


def _hold_request(asked: threading.Event, end: threading.Event) -> None:
    try:
        from wakepy import keep

        logging.getLogger("wakepy").setLevel(logging.WARNING)  # it tells the long story of each try
        with keep.running(on_fail="pass") as mode:
            if not mode.active:
                log.info("the system cannot be asked to stay awake")
            asked.set()
            end.wait()
    except Exception as error:  # noqa: BLE001 - a courtesy: whatever goes wrong, the work goes on
        log.info("the system could not be asked to stay awake: %r", error)
    finally:
        asked.set()


Row = TypeVar("Row")


class JobTexts(Protocol):
    """The texts of a kind of job."""

    def search_text(self, query: str) -> set[int]:
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
        jobs: JobTable,
        texts: JobTexts,
        engines: TaskEngines,
        settings: Callable[[], Settings],
        *,
        turns: QueueTurns | None,
        unlisted: str,
    ) -> None:
        self._kind, self._jobs, self._searched, self._unlisted = kind, jobs, texts, unlisted
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
        """The work of a job; see `JobQueue`."""

    @abstractmethod
    def _stored_rows(self, jobs: Sequence[Job]) -> list[Row]:
        """Jobs as they are listed."""

    def find(self, query: str = "") -> list[Row]:
        """Those at work or waiting in their order, then the newest first.

        With a query those with every word of it in the title, the documents' names or the text.
        """
        jobs = [self._queue.settled_job(job) for job in self._jobs.find(self._kind) if job.state != self._unlisted]
        if query.strip():
            found = self._searched.search_text(query)
            jobs = [job for job in jobs if job.id in found]
        waiting = [job for job in jobs if job.state in (RUNNING, QUEUED)]
        waiting.sort(key=lambda job: job.state != RUNNING)
        rest = [job for job in jobs if job.state not in (RUNNING, QUEUED)]
        rest.sort(key=lambda job: (job.created_at, job.id), reverse=True)
        return self._stored_rows([*waiting, *rest])

    def get(self, job_id: int) -> Row | None:
        """One of them; None where it is deleted."""
        job = self._job(job_id)
        return None if job is None else self._stored_rows([job])[0]

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

    def run(self, cancel: CancelToken) -> Iterator[JobEvent[Event]]:
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
        return self._queue.settled_job(job) if job is not None and job.kind == self._kind else None
