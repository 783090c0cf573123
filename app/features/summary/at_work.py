"""One summary while it is worked on, attempt after attempt: its steps, and how far it has come, are kept."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import replace
from typing import Any, Protocol

from app.core.events import CancelToken, ModelLoaded
from app.core.wire import to_json
from app.engine.contract import Engine
from app.features.summary.pace import Pace, counting_seconds, model_file
from app.features.summary.result import (
    Coverage,
    InputDocument,
    Method,
    Planned,
    SectionRead,
    Steps,
    Summarized,
    SummarizedDocument,
    Summary,
    SummaryEvent,
    Wish,
    wish_from_json,
    writing_language,
)
from app.features.work.queue import Working
from app.store.jobs import Job, Jobs, SummaryStore


class Summarize(Protocol):
    """As `app.features.summary.summarize.summarize`."""

    def __call__(
        self, documents: Sequence[InputDocument], wish: Wish, engine: Engine, steps: Steps, cancel: CancelToken
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

    def attempt(self, engine: Engine, model: ModelLoaded, cancel: CancelToken) -> Generator[SummaryEvent, None, None]:
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


# The finished steps of a summary: kept in the store, or in memory for the terminal.


class KeptSteps:
    """As the pipeline asks for it; see `app.features.summary.summarize.Steps`. `kept` counts the new ones."""

    def __init__(self, store: SummaryStore, job_id: int) -> None:
        self._store, self._job_id = store, job_id
        self.kept = 0

    def find(self, key: str) -> Any | None:
        """What was kept under a key; None without it."""
        return self._store.find_step(self._job_id, key)

    def keep(self, key: str, value: Any) -> None:
        """Keeps a finished step; it is on the disk when this returns."""
        self._store.keep_step(self._job_id, key, value)
        self.kept += 1


# Finished steps of a summary that is not kept: the terminal's.


class MemorySteps:
    """Gone with the process."""

    def __init__(self) -> None:
        self._kept: dict[str, Any] = {}

    def find(self, key: str) -> Any | None:
        """What was kept under a key."""
        return self._kept.get(key)

    def keep(self, key: str, value: Any) -> None:
        """Keeps it until the process ends."""
        self._kept[key] = value


# Stores how far a summary has come: its progress with every section, all that there is of it now and then.


SAVE_EVERY_S = 1.0
TIMES_ITS_COST = 50.0
"""What is stored is all that there is so far: of a long book that takes a while, and is done less often."""

Expect = Callable[[str, int, int, Wish], float | None]
"""How many seconds a model (the name of its file) takes for so many tokens in so many sections."""


class Record:
    """One attempt at one summary. `close` belongs at its end, however that comes."""

    def __init__(
        self,
        job: Job,
        jobs: Jobs,
        store: SummaryStore,
        *,
        partial: Partial,
        model: str,
        side_by_side: int = 1,
        expect: Expect,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.pace = Pace(side_by_side=side_by_side, clock=clock)
        self._job_id, self._partial, self._model = job.id, partial, model
        self._jobs, self._store, self._expect, self._clock = jobs, store, expect, clock
        self._progress: dict[str, Any] = dict(job.progress)
        before = store.result(job.id) or {}
        self._read_before = int(before.get("sections_read", 0)) if before.get("is_partial") else 0
        self._saved_at_s, self._every_s = clock(), SAVE_EVERY_S
        self._has_news = False
        self.is_complete = False
        """Whether the whole summary is there and stored."""

    def take(self, event: SummaryEvent) -> None:
        """One more event of the pipeline."""
        self.pace.take(event)
        match event:
            case Planned(sections=sections, tokens=tokens):
                self.pace.expected_s = self._expect(self._model, tokens, sections, self._partial.wish)
                if sections != self._progress.get("sections"):
                    self._read_before = 0
                self._progress |= {"sections": sections, "tokens": tokens, "sections_read": self._read_before}
                self._save_progress()
            case SectionRead():
                self._partial.add(event)
                self._progress["sections_read"] = max(event.done, self._read_before)
                self._save_progress()
                self._has_news = self._has_news or not event.was_kept
                if self._has_news and self._clock() - self._saved_at_s >= self._every_s:
                    self._save(self._partial_summary())
            case Summarized(summary=summary):
                self._save(summary)
                if not summary.is_partial:
                    self._note_speed(summary)
                    self.is_complete = True

    def close(self) -> None:
        """Keeps what was not kept yet."""
        if self._has_news:
            self._save(self._partial_summary())

    def _partial_summary(self) -> Summary:
        return self._partial.summary(int(self._progress.get("sections", 0)), self.pace.worked_s)

    def _save(self, summary: Summary) -> None:
        """What an earlier attempt had read and this one has not come to yet is not given up for less."""
        begun_s, self._has_news = self._clock(), False
        self._saved_at_s = begun_s
        if summary.is_partial and (summary.sections_read < self._read_before or not summary.statements):
            return
        self._store.keep_result(self._job_id, to_json(summary), searched_text(summary))
        self._saved_at_s = self._clock()
        self._every_s = max(SAVE_EVERY_S, TIMES_ITS_COST * (self._saved_at_s - begun_s))

    def _note_speed(self, summary: Summary) -> None:
        """For the next estimate; a summary that used steps of another one, or no model, says nothing of its speed."""
        self._progress["sections_read"] = max(summary.sections_read, self._progress.get("sections_read", 0))
        if self.pace.is_fresh and self.pace.worked_s > 0 and summary.method is Method.MODEL:
            self._progress |= {"model_file": self._model, "worked_s": self.pace.worked_s}
        self._save_progress()

    def _save_progress(self) -> None:
        self._jobs.update(self._job_id, progress=self._progress)


# What there is of a summary while it is being made: the points of the sections that were read, as statements.


class Partial:
    """Grows with every section; `title` is the summary's, `model` the name of the file that writes it."""

    def __init__(self, documents: Sequence[InputDocument], wish: Wish, title: str, model: str) -> None:
        self.wish = wish
        self._documents, self._title, self._model = documents, title, model
        self._language = writing_language(documents, wish)
        self._coverage = tuple(_nothing_read(one) for one in documents)
        self._sections: list[SectionRead] = []

    def add(self, event: SectionRead) -> None:
        """One more section."""
        self._sections.append(event)
        self._coverage = event.coverage or self._coverage

    def summary(self, sections: int, seconds: float) -> Summary:
        """As it stands, in the order of the documents: sections that are read together end in any order."""
        documents = tuple(
            SummarizedDocument(one.id, one.name, one.title, one.unit, coverage)
            for one, coverage in zip(self._documents, self._coverage, strict=True)
        )
        read = sorted(self._sections, key=_place)
        failed = sum(one.has_failed for one in read)
        found = (point for one in read for point in one.points)
        points = tuple(replace(point, paragraph=place) for place, point in enumerate(found))
        return Summary(
            self._title, documents, points, self.wish, self._language, self._model, sections,
            len(read) - failed, failed, is_partial=True, seconds=seconds,
        )  # fmt: skip


def searched_text(summary: Summary) -> str:
    """What a summary is found by, besides its title and the names of its documents."""
    groups = dict.fromkeys(statement.group for statement in summary.statements if statement.group)
    return "\n".join([*groups, *(statement.text for statement in summary.statements)])


def _place(section: SectionRead) -> tuple[int, int, int]:
    """Where it is in its document, which need not have pages."""
    blocks = [anchor.block_id for point in section.points for anchor in point.anchors]
    return section.document, section.first_page or 0, min(blocks, default=0)


def _nothing_read(document: InputDocument) -> Coverage:
    pages = {block.page for block in document.blocks if block.page is not None and block.text.strip()}
    unread = tuple(sorted(pages))
    return Coverage(
        len(document.blocks), 0, document.pages, 0, document.pages_without_text, unread, document.picture_pages
    )
