"""The queue of translations: what one of them is while it is worked on."""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Protocol

from app.core.errors import DocumentGone
from app.core.events import CancelToken, ModelLoaded
from app.core.wire import from_json
from app.documents.segments import Segment
from app.engine.client import EngineClient
from app.features.translation.record import Record
from app.features.translation.result import (
    Memory,
    Translated,
    TranslationEvent,
    TranslationWish,
)
from app.features.translation.stored import KIND, Row, searched_text, source_language_of, wish_of
from app.features.work.engines import TaskEngines
from app.features.work.queue import JobQueue
from app.features.work.turns import Turns
from app.store.jobs import Job, Jobs
from app.store.translations import StoredSegment, TranslationStore


class Translate(Protocol):
    """As `app.features.translation.translate.translate`."""

    def __call__(
        self,
        segments: Sequence[Segment],
        wish: TranslationWish,
        engine: EngineClient,
        memory: Memory,
        cancel: CancelToken,
        *,
        done: Mapping[int, Translated],
    ) -> Iterator[TranslationEvent]:
        """The events of one translation."""


MemoryFor = Callable[[TranslationWish, str, Path], Memory]
"""The memory of a wish, a source language and a model."""


class Queue(JobQueue[TranslationEvent]):
    """See `JobQueue`. `wish_for` completes what a job's wish says by the glossary of its languages."""

    def __init__(
        self,
        jobs: Jobs,
        store: TranslationStore,
        engines: TaskEngines,
        turns: Turns,
        *,
        memory_for: MemoryFor,
        wish_for: Callable[[Job], TranslationWish],
        stays_awake: Callable[[], bool],
        translate: Translate,
    ) -> None:
        super().__init__(KIND, jobs, engines, turns, stays_awake)
        self.store, self.memory_for, self.wish_for, self._translate = store, memory_for, wish_for, translate
        self._changing = threading.Lock()

    def begin(self, job: Job) -> _AtWork:
        """Raises DocumentGone where it has no segments."""
        if not self.store.segment(job.id, 1):
            raise DocumentGone(job.title)
        return _AtWork(self, job.id, self._jobs, self._translate)

    @contextmanager
    def changing(self) -> Iterator[None]:
        """Within the block, no outcome of the work is stored."""
        with self._changing:
            yield

    @contextmanager
    def is_wanted(self, job_id: int, wish: TranslationWish) -> Iterator[bool]:
        """Whether a wish is still that of the job, which does not change within the block."""
        with self._changing:
            job = self._jobs.get(job_id)
            yield job is None or wish_of(job) == wish


class _AtWork:
    """One translation; see `Working`."""

    def __init__(self, queue: Queue, job_id: int, jobs: Jobs, translate: Translate) -> None:
        self._queue, self._job_id, self._jobs, self._translate = queue, job_id, jobs, translate
        self._record: Record | None = None
        self._earlier_steps = 0

    @property
    def steps(self) -> int:
        return self._earlier_steps + (self._record.steps if self._record is not None else 0)

    @property
    def is_complete(self) -> bool:
        return self._record is not None and self._record.is_complete

    def seconds_left(self) -> float | None:
        return self._record.pace.seconds_left() if self._record is not None else None

    def attempt(
        self, engine: EngineClient, model: ModelLoaded, cancel: CancelToken
    ) -> Generator[TranslationEvent, None, None]:
        job = self._jobs.get(self._job_id)
        if job is None:  # deleted: the cancel is on its way
            return
        store, wished = self._queue.store, wish_of(job)
        rows = [row_of(one) for one in store.every_segment(job.id)]
        wish = replace(self._queue.wish_for(job), source=source_language_of(job))
        self._earlier_steps = self.steps
        self._record = record = Record(
            job,
            self._jobs,
            store,
            open_segments=[row.segment for row in rows if row.translated is None],
            model=Path(model.path).name,
            is_wanted=lambda: self._queue.is_wanted(job.id, wished),
        )
        done = {row.segment.id: row.translated for row in rows if row.translated is not None}
        memory = self._queue.memory_for(wish, wish.source, Path(model.path))
        try:
            for event in self._translate([row.segment for row in rows], wish, engine, memory, cancel, done=done):
                record.take(event)
                yield event
        finally:
            record.close()
            store.keep_result(job.id, store.result(job.id) or {}, searched_text(job, store.every_segment(job.id)))


def row_of(stored: StoredSegment) -> Row:
    """A segment beside its translation; raises KeyError, TypeError or ValueError for what another version stored."""
    target = None if stored.target is None else from_json(Translated, stored.target)
    return Row(from_json(Segment, stored.source), target)


def with_the_pipeline(
    segments: Sequence[Segment],
    wish: TranslationWish,
    engine: EngineClient,
    memory: Memory,
    cancel: CancelToken,
    *,
    done: Mapping[int, Translated],
) -> Iterator[TranslationEvent]:
    """The program's own way; see `Translate`."""
    from app.features.translation.translate import translate  # the window lists translations without it

    yield from translate(segments, wish, engine, memory, cancel, done=done)
