"""Stores what becomes of each segment as it comes, and how far the translation is."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Any

from app.core.wire import to_json
from app.documents.segments import Segment
from app.features.translation.pace import Pace
from app.features.translation.result import (
    Origin,
    SegmentDone,
    TermsFound,
    Translated,
    TranslationEnded,
    TranslationEvent,
    TranslationPlanned,
)
from app.features.translation.stored import source_language_of
from app.store.jobs import Job, Jobs
from app.store.translations import Outcome, TranslationStore

SAVE_EVERY_S = 1.0
MOST_WAITING = 500
_CHEAP = (Origin.MEMORY, Origin.SKIPPED)
"""Made again in no time: these are stored many at once."""


class Record:
    """One attempt at one translation. `close` belongs at its end, however that comes.

    `is_wanted` says whether the wish is still this one, and holds it as long as its block lasts: what was made for
    another one is not stored.
    """

    def __init__(
        self,
        job: Job,
        jobs: Jobs,
        store: TranslationStore,
        *,
        open_segments: Sequence[Segment],
        model: str,
        is_wanted: Callable[[], AbstractContextManager[bool]],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.pace = Pace({segment.id: len(segment.text) for segment in open_segments}, clock)
        self._job, self._jobs, self._store, self._model, self._clock = job, jobs, store, model, clock
        self._is_wanted = is_wanted
        self._progress: dict[str, Any] = dict((jobs.get(job.id) or job).progress)
        self._worked_before_s = float(self._progress.get("worked_s", 0.0))
        self._waiting: list[Outcome] = []
        self._saved_at_s = clock()
        self._tokens = 0
        self.steps = 0
        """Segments that the model translated and that are stored."""
        self.is_complete = False
        """Whether the pipeline came to its end, and all of it is stored."""

    def take(self, event: TranslationEvent) -> None:
        """One more event of the pipeline."""
        self.pace.take(event)
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
                if is_dear or len(self._waiting) >= MOST_WAITING or self._clock() - self._saved_at_s >= SAVE_EVERY_S:
                    self._save()
            case TermsFound(terms=terms):  # stored with the next step: after a crash they are found again
                self._progress["terms"] = [[term.source, term.target] for term in terms]
            case TranslationEnded(is_partial=is_partial):
                self._save()
                if not is_partial and self._tokens:  # for the next estimate
                    self._progress |= {"tokens": self._tokens, "timed_s": round(self.pace.worked_s, 3)}
                self._save_progress()
                self.is_complete = not is_partial

    def close(self) -> None:
        """Keeps what was not kept yet."""
        self._save()
        self._save_progress()

    def _note_source(self, language: str) -> None:
        with self._is_wanted() as is_wanted:
            job = self._jobs.get(self._job.id)
            if is_wanted and job is not None and language and not source_language_of(job):
                self._jobs.update(job.id, spec=job.spec | {"source_language": language})

    def _save(self) -> None:
        self._saved_at_s = self._clock()
        if self._waiting:
            with self._is_wanted() as is_wanted:
                if is_wanted:
                    self._store.keep(self._job.id, self._waiting, never_over=(Origin.EDITED,))
            self._waiting = []

    def _save_progress(self) -> None:
        self._progress["worked_s"] = round(self._worked_before_s + self.pace.worked_s, 3)
        self._jobs.update(self._job.id, progress=self._progress)


def outcome_of(translated: Translated) -> Outcome:
    """As the store has it."""
    is_flagged = bool(translated.flags) and not translated.accepted
    return Outcome(translated.id, to_json(translated), translated.origin.value, is_flagged)
