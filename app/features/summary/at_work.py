"""One summary while it is worked on, attempt after attempt."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from typing import Protocol

from app.core.events import CancelToken, ModelLoaded
from app.engine.client import EngineClient
from app.features.summary.record import Expect, Partial, Record, model_file
from app.features.summary.result import InputDocument, Steps, SummaryEvent, Wish, wish_from_json
from app.features.summary.steps import KeptSteps
from app.features.work.queue import Working
from app.store.jobs import Job, Jobs, SummaryStore


class Summarize(Protocol):
    """As `app.features.summary.summarize.summarize`."""

    def __call__(
        self, documents: Sequence[InputDocument], wish: Wish, engine: EngineClient, steps: Steps, cancel: CancelToken
    ) -> Iterator[SummaryEvent]:
        """The events of one summary."""


class AtWork(Working[SummaryEvent]):
    """One summary; see `Working`. `expect` tells seconds from what was measured.

    `summarize` None is the program's own pipeline.
    """

    def __init__(
        self,
        job: Job,
        documents: Sequence[InputDocument],
        jobs: Jobs,
        store: SummaryStore,
        *,
        expect: Expect,
        summarize: Summarize | None,
    ) -> None:
        self._job, self._documents = job, documents
        self._jobs, self._store, self._expect, self._summarize = jobs, store, expect, summarize or _own_pipeline()
        self._kept = KeptSteps(store, job.id)
        self.record: Record | None = None

    @property
    def steps(self) -> int:
        return self._kept.kept

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
        self.record = record
        try:
            for event in self._summarize(self._documents, wish, engine, self._kept, cancel):
                record.take(event)
                yield event
        finally:
            record.close()


def _own_pipeline() -> Summarize:
    from app.features.summary.summarize import summarize  # the window lists summaries without it

    return summarize
