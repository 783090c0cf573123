"""The queue of summaries: what one of them is while it is worked on."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Sequence
from typing import Protocol

from app.core.errors import DocumentGone
from app.core.events import CancelToken, ModelLoaded
from app.engine.client import EngineClient
from app.features.documents import Documents
from app.features.summary.record import Expect, Partial, Record, model_file
from app.features.summary.result import InputDocument, Steps, SummaryEvent, Wish, wish_from_json
from app.features.summary.steps import KeptSteps
from app.features.summary.stored import KIND, inputs_of
from app.features.work.engines import TaskEngines
from app.features.work.queue import JobQueue
from app.features.work.turns import Turns
from app.store.jobs import Job, Jobs, SummaryStore


class Summarize(Protocol):
    """As `app.features.summary.summarize.summarize`."""

    def __call__(
        self, documents: Sequence[InputDocument], wish: Wish, engine: EngineClient, steps: Steps, cancel: CancelToken
    ) -> Iterator[SummaryEvent]:
        """The events of one summary."""


class Queue(JobQueue[SummaryEvent]):
    """See `JobQueue`. `expect` tells seconds from what was measured."""

    def __init__(
        self,
        jobs: Jobs,
        store: SummaryStore,
        documents: Documents,
        engines: TaskEngines,
        turns: Turns,
        *,
        expect: Expect,
        stays_awake: Callable[[], bool],
        summarize: Summarize,
    ) -> None:
        super().__init__(KIND, jobs, engines, turns, stays_awake)
        self._store, self._documents, self._expect, self._summarize = store, documents, expect, summarize

    def begin(self, job: Job) -> _AtWork:
        """Reads the documents; raises DocumentGone where there are none."""
        documents = inputs_of(self._documents, self._store.documents_of([job.id])[job.id])
        if not documents:
            raise DocumentGone(job.title)
        return _AtWork(job, documents, self._jobs, self._store, expect=self._expect, summarize=self._summarize)


class _AtWork:
    """One summary; see `Working`."""

    def __init__(
        self,
        job: Job,
        documents: Sequence[InputDocument],
        jobs: Jobs,
        store: SummaryStore,
        *,
        expect: Expect,
        summarize: Summarize,
    ) -> None:
        self._job, self._documents = job, documents
        self._jobs, self._store, self._expect, self._summarize = jobs, store, expect, summarize
        self._kept = KeptSteps(store, job.id)
        self._record: Record | None = None

    @property
    def steps(self) -> int:
        return self._kept.kept

    @property
    def is_complete(self) -> bool:
        return self._record is not None and self._record.is_complete

    def seconds_left(self) -> float | None:
        return self._record.pace.seconds_left() if self._record is not None else None

    def attempt(
        self, engine: EngineClient, model: ModelLoaded, cancel: CancelToken
    ) -> Generator[SummaryEvent, None, None]:
        job, wish = self._job, wish_from_json(self._job.spec.get("wish", {}))
        record = Record(
            job,
            self._jobs,
            self._store,
            partial=Partial(self._documents, wish, job.title, model_file(model)),
            model=model_file(model),
            side_by_side=model.sequences,
            expect=self._expect,
        )
        self._record = record
        try:
            for event in self._summarize(self._documents, wish, engine, self._kept, cancel):
                record.take(event)
                yield event
        finally:
            record.close()
