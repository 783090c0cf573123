"""A translation while it is worked on, attempt after attempt: what is stored of each, and how long all of it takes."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol

from app.core.events import CancelToken, ModelElsewhere, ModelLoaded
from app.core.json_forms import to_json
from app.core.wire import from_json
from app.documents.segments import Segment
from app.engine.contract import Engine
from app.features.translate.translation_events import (
    KIND,
    MemoryLookup,
    Row,
    SegmentDone,
    SegmentGrows,
    TermsFound,
    Translated,
    TranslationEnded,
    TranslationEstimate,
    TranslationEvent,
    TranslationPlanned,
    TranslationSource,
    TranslationWish,
    searched_text,
    source_language_of,
    wish_of,
)
from app.features.translate.translation_memory import KeptWords
from app.features.work.asking import TaskRests
from app.features.work.pace import MeasuredSpeeds, WorkClock
from app.features.work.queue import JobAttempt, no_events
from app.features.work.task_engines import TaskEngines
from app.store.jobs import Job, JobTable
from app.store.translation_store import SegmentOutcome, StoredSegment, TranslationStore


class Translate(Protocol):
    """Signature of `app.features.translate.translate.translate`, so that tests can replace it."""

    def __call__(
        self,
        segments: Sequence[Segment],
        wish: TranslationWish,
        engine: Engine,
        memory: MemoryLookup,
        cancel: CancelToken,
        *,
        done: Mapping[int, Translated],
    ) -> Generator[TranslationEvent, None, None]:
        """Yield the events of one translation."""


class RunningTranslation(JobAttempt[TranslationEvent]):
    """Job of one translation; see `JobAttempt`.

    Options and segments may change, but not while `changing` is held. `translate` None is the program's own pipeline.
    """

    def __init__(
        self,
        job_id: int,
        jobs: JobTable,
        store: TranslationStore,
        words: KeptWords,
        *,
        changing: threading.Lock,
        translate: Translate | None,
    ) -> None:
        self._job_id, self._jobs, self._store, self._kept_words = job_id, jobs, store, words
        self._changing, self._translate = changing, translate or _own_pipeline()
        self._earlier_steps = 0
        self._job: Job | None = None
        """The job as it was when the last attempt began."""
        self.record: TranslationAttempt | None = None

    @property
    def steps(self) -> int:
        return self._earlier_steps + (self.record.steps if self.record is not None else 0)

    def attempt(
        self, engine: Engine, model: ModelLoaded, cancel: CancelToken
    ) -> Generator[TranslationEvent, None, None]:
        store = self._store
        documents = self._read_documents()  # before the segments: those of other documents are not taken for theirs
        if (job := self._jobs.get(self._job_id)) is None:  # deleted: the cancel is on its way
            return no_events()
        rows = [row_of(stored_segment) for stored_segment in store.every_segment(job.id)]
        # The detected language is kept: detecting again could find another and miss the memory.
        wish = replace(self._kept_words.whole_wish(job), source=source_language_of(job))
        self._earlier_steps, self._job = self.steps, job
        self.record = TranslationAttempt(
            job,
            self._jobs,
            store,
            open_segments=[row.segment for row in rows if row.translated is None],
            model=Path(model.path).name,
            # Results for an older wish or document that come late are not stored.
            is_wanted=lambda: self._is_wanted(wish_of(job), documents),
        )
        done = {row.segment.id: row.translated for row in rows if row.translated is not None}
        memory = self._kept_words.memory_for(wish, wish.source, Path(model.path))
        return self._translate([row.segment for row in rows], wish, engine, memory, cancel, done=done)

    def close(self) -> None:
        super().close()
        job, store = self._job, self._store
        # Also after a stop: the search finds what is there.
        if job is not None:
            store.keep_result(job.id, store.read_result(job.id) or {}, searched_text(job, store.every_segment(job.id)))

    @contextmanager
    def _is_wanted(self, wish: TranslationWish, documents: tuple[int, ...]) -> Iterator[bool]:
        """Yield whether these are still the job's, holding them unchanged within the block."""
        # Held while storing, so that a wish can't change between the question and the row.
        with self._changing:
            job = self._jobs.get(self._job_id)
            yield job is None or (wish_of(job) == wish and self._read_documents() == documents)

    def _read_documents(self) -> tuple[int, ...]:
        """Return the ids of the documents its segments were read from."""
        return self._store.documents_of([self._job_id])[self._job_id]


def _own_pipeline() -> Translate:
    from app.features.translate.translate import translate_segments  # the window lists translations without it

    return translate_segments


def row_of(stored: StoredSegment) -> Row:
    """Pair a segment with its translation. Raises KeyError, TypeError or ValueError for data of another version."""
    # Text of an older version is asked again rather than shown wrongly.
    target = None if stored.target is None else from_json(Translated, stored.target)
    return Row(from_json(Segment, stored.source), target)


SAVE_EVERY_S = 1.0
MOST_WAITING = 500
_CHEAP = (TranslationSource.MEMORY, TranslationSource.SKIPPED)
"""Made again in no time: these are stored many at once."""


class TranslationAttempt:
    """Store one attempt at one translation. Call `close` at its end, whatever the outcome.

    `is_wanted` tells whether wish and segments are still the same, and locks them within its block: results for
    others aren't stored.
    """

    def __init__(
        self,
        job: Job,
        jobs: JobTable,
        store: TranslationStore,
        *,
        open_segments: Sequence[Segment],
        model: str,
        is_wanted: Callable[[], AbstractContextManager[bool]],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.pace = TranslationPace({segment.id: len(segment.text) for segment in open_segments}, clock)
        self._job, self._jobs, self._store, self._model, self._clock = job, jobs, store, model, clock
        self._is_wanted = is_wanted
        self._progress: dict[str, Any] = dict((jobs.get(job.id) or job).progress)
        self._worked_before_s = float(self._progress.get("worked_s", 0.0))
        self._waiting: list[SegmentOutcome] = []
        self._saved_at_s = clock()
        self._tokens = 0
        self.steps = 0
        """Segments that the model translated and that are stored."""
        self.is_complete = False
        """True if the pipeline finished and everything is stored."""

    def take_event(self, event: TranslationEvent) -> None:
        self.pace.take_event(event)
        match event:
            case TranslationPlanned():
                self._tokens = event.tokens
                self._progress |= {"model_file": self._model, "known": event.known, "terms": []}
                self._note_source(event.source)
                self._save_progress()
            case SegmentDone(translated=translated):
                self._waiting.append(outcome_of(translated))
                is_dear = translated.origin not in _CHEAP
                self.steps += is_dear
                # What took the model seconds is saved at once; what comes from the memory may be found there again.
                if is_dear or len(self._waiting) >= MOST_WAITING or self._clock() - self._saved_at_s >= SAVE_EVERY_S:
                    self._save_waiting()
            case TermsFound(terms=terms):  # stored with the next step: after a crash they are found again
                self._progress["terms"] = [[term.source, term.target] for term in terms]
            case TranslationEnded(is_partial=is_partial):
                self._save_waiting()
                if not is_partial and self._tokens:  # for the next estimate
                    # Only a whole run tells how long its tokens take.
                    self._progress |= {"tokens": self._tokens, "timed_s": round(self.pace.worked_s, 3)}
                self._save_progress()
                self.is_complete = not is_partial

    def close(self) -> None:
        """Store whatever isn't stored yet."""
        self._save_waiting()
        self._save_progress()

    def _note_source(self, language: str) -> None:
        with self._is_wanted() as is_wanted:
            job = self._jobs.get(self._job.id)
            if is_wanted and job is not None and language and not source_language_of(job):
                self._jobs.update(job.id, spec=job.spec | {"source_language": language})

    def _save_waiting(self) -> None:
        self._saved_at_s = self._clock()
        if self._waiting:
            with self._is_wanted() as is_wanted:
                if is_wanted:
                    # The person may have written this segment while the model was asked about it.
                    self._store.save_outcomes(self._job.id, self._waiting, never_over=(TranslationSource.EDITED,))
            self._waiting = []

    def _save_progress(self) -> None:
        self._progress["worked_s"] = round(self._worked_before_s + self.pace.worked_s, 3)
        self._jobs.update(self._job.id, progress=self._progress)


def outcome_of(translated: Translated) -> SegmentOutcome:
    is_flagged = bool(translated.flags) and not translated.accepted
    return SegmentOutcome(translated.id, to_json(translated), translated.origin.value, is_flagged)


LEAST_WRITTEN = 60
"""Characters of growing segments needed before they count for the pace."""
_BY_THE_MODEL = (TranslationSource.MODEL, TranslationSource.KEPT)


class TranslationPace:
    """Pace of a translation in seconds; the clock stops while it waits.

    `lengths` has the characters of each open segment.

    Segments differ in length and known ones come at once, so the pace is that of text written by the model, growing
    segments included. Segments of one prompt grow in parallel and finish together: the first took as long as all of
    them. The time for the first prompts counts little while little is written.
    """

    def __init__(self, lengths: Mapping[int, int], clock: Callable[[], float] = time.monotonic) -> None:
        self._lengths_left = dict(lengths)
        self._characters_left = sum(self._lengths_left.values())
        self._written = 0
        self._growing: dict[int, int] = {}
        self._read_s: float | None = None
        self._clock = WorkClock(clock)

    @property
    def worked_s(self) -> float:
        return self._clock.worked_s

    def take_event(self, event: TranslationEvent) -> None:
        match event:
            case TranslationPlanned():
                # Planned again, the clock goes on: what was worked until then counts.
                if not self._clock.has_begun:
                    self._clock.start()
            case TaskRests(reason=reason):
                self._clock.set_resting(is_resting=bool(reason))
            # The first prompt is read before anything grows; that time comes once.
            case SegmentGrows(id=id_, text=text) if id_ in self._lengths_left:
                if self._read_s is None:
                    self._read_s = self.worked_s
                # A translation may grow longer than its source, which is all that is counted.
                self._growing[id_] = min(len(text), self._lengths_left[id_])
            case SegmentDone(translated=translated):
                self._growing.pop(translated.id, None)
                length = self._lengths_left.pop(translated.id, 0)
                self._characters_left -= length
                # Segments from the memory come at once and would make the model look fast.
                self._written += length if translated.origin in _BY_THE_MODEL else 0

    def seconds_left(self) -> float | None:
        """Estimate the seconds left; None before there is a measure."""
        growing = sum(self._growing.values())
        if not (self._written or growing >= LEAST_WRITTEN) or not self._clock.has_begun:
            return None
        written, left = self._written + growing, self._characters_left - growing
        # The time for the first prompts counts by what is left, little at the end.
        taken_s = self.worked_s - (self._read_s or 0.0) * left / (written + left)
        return max(1.0, taken_s / written * left)


PROMPT_SHARE = 1.5
"""A prompt's overhead as a share of its text: rules, markup, context."""
COUNT_AT_ONCE = 500


class TranslationEstimates:
    """From any thread. What was measured holds as long as the program runs."""

    def __init__(self, engines: TaskEngines, jobs: JobTable) -> None:
        self._engines = engines
        self._speeds = MeasuredSpeeds(KIND, jobs, seconds="timed_s")

    def estimate_rows(
        self, rows: Sequence[Row], memory_of: Callable[[Path], MemoryLookup], cancel: CancelToken
    ) -> TranslationEstimate | None:
        """Estimate the cost;

        `memory_of` returns a model's memory. None when cancelled, or if another model has the place. Raises the
        engine's errors.
        """
        left = [row.segment for row in rows if row.is_open]
        if not left:
            return TranslationEstimate(len(rows), len(rows), 0, 0.0)
        # An estimate puts no model in the place of another.
        with self._engines.open_engine(cancel, may_ask=False) as engine:
            if engine is None or engine.loaded is None:
                return None
            model = Path(engine.loaded.path)
            memory = memory_of(model)
            # The memory may know them by now: drafts of the same text share it.
            left = [
                segment
                for segment in left
                if not cancel.cancelled and memory.find_step(segment.content, segment.context) is None
            ]
            tokens = _count_tokens(left, engine, cancel)
            seconds = self._estimate_seconds(model.name, tokens, engine, cancel) if left else 0.0
            is_elsewhere = isinstance(engine.loaded, ModelElsewhere)
        if cancel.cancelled:
            return None
        return TranslationEstimate(len(rows), len(rows) - len(left), tokens, seconds, is_elsewhere)

    def _estimate_seconds(self, model: str, tokens: int, engine: Engine, cancel: CancelToken) -> float | None:
        if (earlier := self._speeds.earlier_speed(model)) is not None:
            return tokens / earlier
        speed = self._speeds.probe_speed(model, engine, cancel)
        # A probe knows reading and writing apart; a prompt repeats rules and context beside its text.
        return None if speed is None else tokens * (1 + PROMPT_SHARE) / speed.reading + tokens / speed.writing


def _count_tokens(segments: Sequence[Segment], engine: Engine, cancel: CancelToken) -> int:
    count = 0
    # Counted in pieces, so that a cancel counts.
    for first in range(0, len(segments), COUNT_AT_ONCE):
        if cancel.cancelled:
            break
        count += sum(
            engine.count_texts([segment.text for segment in segments[first : first + COUNT_AT_ONCE]], cancel=cancel)
        )
    return count
