"""Works off the queued summaries, one at a time; what a person says meanwhile (stop, go on, delete) holds at once."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Protocol

from app.core.cancel import CancelToken
from app.core.errors import AppError, DocumentGone, EngineStopped, ModelReplaced, NoRoomForModel
from app.engine.client import EngineClient
from app.features.awake import awake
from app.features.documents import Documents
from app.features.summary.engines import SummaryEngines
from app.features.summary.events import InputDocument, Steps, SummaryEvent
from app.features.summary.inputs import inputs_of
from app.features.summary.kept_steps import KeptSteps
from app.features.summary.partial import Partial
from app.features.summary.record import Expect, Record, model_file
from app.features.summary.result import Wish, wish_from_fields
from app.features.summary.stored import DONE, FAILED, KIND, PAUSED, QUEUED, RUNNING, Worked
from app.store.jobs import Job, Jobs
from app.store.summaries import SummaryStore

log = logging.getLogger(__name__)

TRIES = 2
"""Attempts without a single new step before an engine that ends is given up."""


class Summarize(Protocol):
    """As `app.features.summarize.summarize`."""

    def __call__(
        self, documents: Sequence[InputDocument], wish: Wish, engine: EngineClient, steps: Steps, cancel: CancelToken
    ) -> Iterator[SummaryEvent]:
        """The events of one summary."""


class _Stop(CancelToken):
    """Set for one summary, or with the whole work."""

    def __init__(self, all_of_it: CancelToken) -> None:
        super().__init__()
        self._all_of_it = all_of_it

    @property
    def cancelled(self) -> bool:
        return super().cancelled or self._all_of_it.cancelled


class Queue:
    """From any thread; `run` has one caller at a time. `expect` tells seconds from what was measured."""

    def __init__(
        self,
        jobs: Jobs,
        store: SummaryStore,
        documents: Documents,
        engines: SummaryEngines,
        *,
        expect: Expect,
        stays_awake: Callable[[], bool],
        summarize: Summarize,
    ) -> None:
        self._jobs, self._store, self._documents, self._engines = jobs, store, documents, engines
        self._expect, self._stays_awake, self._summarize = expect, stays_awake, summarize
        self._lock = threading.Lock()
        self._at_work: tuple[int, _Stop] | None = None
        self._record: Record | None = None

    @property
    def at_work(self) -> int | None:
        """Which one is being worked on."""
        at_work = self._at_work
        return at_work[0] if at_work else None

    def seconds_left(self, job_id: int) -> float | None:
        """About how much longer the one at work takes; None for others, and where nothing tells it yet."""
        record = self._record
        return record.pace.seconds_left() if record is not None and self.at_work == job_id else None

    def stop(self, job_id: int) -> None:
        """It waits for `resume`; the work on it ends."""
        with self._lock:
            if self._state(job_id) in (QUEUED, RUNNING):
                self._jobs.update(job_id, state=PAUSED)
            self._end_work_on(job_id)

    def resume(self, job_id: int) -> None:
        """It waits for its turn again."""
        with self._lock:
            if self._state(job_id) in (PAUSED, FAILED):
                self._jobs.update(job_id, state=QUEUED)

    def delete(self, job_id: int) -> None:
        """The work on it ends; brought back, it would go on."""
        with self._lock:
            state = self._state(job_id)
            if not state:
                raise KeyError(job_id)
            if state == RUNNING:
                self._jobs.update(job_id, state=QUEUED)
            self._jobs.delete(job_id)
            self._end_work_on(job_id)

    def run(self, cancel: CancelToken) -> Iterator[Worked]:
        """See `app.features.summaries.Summaries.run`."""
        if not self._jobs.find(KIND, (QUEUED,)):
            return
        with self._engines.held(cancel), awake(self._stays_awake) as look:
            while not cancel.cancelled and (job := self._take(stop := _Stop(cancel))) is not None:
                try:
                    yield Worked(job.id, None)
                    for worked in self._carry_out(job, stop):
                        look()
                        yield worked
                finally:
                    self._let_go(job.id)
                yield Worked(job.id, None)

    def _take(self, stop: _Stop) -> Job | None:
        with self._lock:
            job = next(iter(self._jobs.find(KIND, (QUEUED,))), None)
            if job is not None:
                self._jobs.update(job.id, state=RUNNING)
                self._at_work = (job.id, stop)
        return job

    def _let_go(self, job_id: int) -> None:
        """What has not ended otherwise waits for its turn: the program quits."""
        with self._lock:
            self._at_work, self._record = None, None
            if self._state(job_id) == RUNNING:
                self._jobs.update(job_id, state=QUEUED)

    def _carry_out(self, job: Job, stop: _Stop) -> Iterator[Worked]:
        try:
            yield from self._attempts(job, stop)
        except AppError as error:
            if stop.cancelled:  # the engine ends with the program
                return
            log.info("summary %d ended with %s", job.id, type(error).__name__)
            self._end(job.id, PAUSED if isinstance(error, NoRoomForModel) else FAILED, error)
        except Exception:
            self._end(job.id, FAILED)  # a defect: it must not come up again at every start
            raise

    def _attempts(self, job: Job, stop: _Stop) -> Iterator[Worked]:
        """Goes on where the engine ended, or lost its model, as long as that leads anywhere."""
        documents = inputs_of(self._documents, self._store.documents_of([job.id])[job.id])
        if not documents:
            raise DocumentGone(job.title)
        steps, tries = KeptSteps(self._store, job.id), 0
        while True:
            kept = steps.kept
            try:
                yield from self._attempt(job, documents, steps, stop)
                return
            except (EngineStopped, ModelReplaced):
                tries = 1 if steps.kept > kept else tries + 1
                if tries >= TRIES or stop.cancelled:
                    raise

    def _attempt(self, job: Job, documents: Sequence[InputDocument], steps: KeptSteps, stop: _Stop) -> Iterator[Worked]:
        wish = wish_from_fields(job.spec.get("wish", {}))
        with self._engines.opened(stop) as engine:
            if engine is None:
                return
            model = engine.loaded
            if model is None:
                raise EngineStopped(None, "it ended right after the model was loaded")
            partial = Partial(documents, wish, job.title, model_file(model))
            record = Record(
                job,
                self._jobs,
                self._store,
                partial=partial,
                model=model_file(model),
                side_by_side=model.sequences,
                expect=self._expect,
            )
            self._record = record
            try:
                for event in self._summarize(documents, wish, engine, steps, stop):
                    record.take(event)
                    yield Worked(job.id, event)
                    if engine.loaded is not None and engine.loaded.path != model.path and not record.is_complete:
                        raise ModelReplaced  # between two asks, which the engine does not tell
            finally:
                record.close()
        if record.is_complete or not stop.cancelled:  # or it would have its turn again and again
            self._end(job.id, DONE)

    def _end(self, job_id: int, state: str, error: AppError | None = None) -> None:
        """A result that is complete counts, whatever was said meanwhile; anything else only where nothing was."""
        with self._lock:
            before = self._state(job_id)
            if before == RUNNING or (before and state == DONE):
                self._jobs.update(job_id, state=state, error=error)

    def _end_work_on(self, job_id: int) -> None:
        if self._at_work is not None and self._at_work[0] == job_id:
            self._at_work[1].cancel()

    def _state(self, job_id: int) -> str:
        job = self._jobs.get(job_id)
        return job.state if job is not None and job.kind == KIND else ""
