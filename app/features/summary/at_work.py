"""One summary while it is worked on, attempt after attempt."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import replace
from typing import Protocol

from app.core.events import CancelToken, ModelLoaded
from app.engine.client import EngineClient
from app.features.summary.estimate import counting_seconds
from app.features.summary.record import Expect, Partial, Record, model_file
from app.features.summary.result import InputDocument, Method, Steps, SummaryEvent, Wish, wish_from_json
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
    """One summary; see `Working`. `expect` tells seconds from what was measured, `weights` those of the model to come.

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
        weights: Callable[[], float],
        summarize: Summarize | None,
    ) -> None:
        self._job, self._documents, self._wish = job, documents, wish_from_json(job.spec.get("wish", {}))
        self._jobs, self._store, self._expect, self._summarize = jobs, store, expect, summarize
        self._weights = weights
        self._kept = KeptSteps(store, job.id)
        self.record: Record | None = None

    @property
    def steps(self) -> int:
        return self._kept.kept

    def without_engine(self, cancel: CancelToken) -> Iterator[SummaryEvent]:
        from app.features.summary.budgets import method_for  # the window lists summaries without these
        from app.features.summary.summarize import by_counting

        if self._summarize is None and method_for(self._wish, self._weights()) is Method.DIGEST:
            seconds = counting_seconds(self._documents)
            record = self._recording("", expect=lambda *_: seconds)
            yield from self._recorded(record, by_counting(self._documents, self._wish, cancel))
            if not record.is_complete:
                self._wish = replace(self._wish, method=Method.MODEL)  # there was nothing to choose

    def attempt(
        self, engine: EngineClient, model: ModelLoaded, cancel: CancelToken
    ) -> Generator[SummaryEvent, None, None]:
        from app.features.summary.summarize import summarize

        record = self._recording(model_file(model), expect=self._expect, side_by_side=model.sequences)
        pipeline = self._summarize or summarize
        yield from self._recorded(record, pipeline(self._documents, self._wish, engine, self._kept, cancel))

    def _recording(self, model: str, *, expect: Expect, side_by_side: int = 1) -> Record:
        partial = Partial(self._documents, self._wish, self._job.title, model)
        self.record = Record(
            self._job,
            self._jobs,
            self._store,
            partial=partial,
            model=model,
            side_by_side=side_by_side,
            expect=expect,
        )
        return self.record

    @staticmethod
    def _recorded(record: Record, events: Iterator[SummaryEvent]) -> Generator[SummaryEvent, None, None]:
        try:
            for event in events:
                record.take(event)
                yield event
        finally:
            record.close()
