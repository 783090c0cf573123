"""Stores how far a summary has come: its progress with every section, all that there is of it now and then."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from app.core.events import ModelLoaded
from app.features.summary.pace import Pace
from app.features.summary.partial import Partial, searched_text
from app.features.summary.result import Planned, SectionRead, Summarized, Summary, SummaryEvent, Wish, summary_to_fields
from app.store.jobs import Job, Jobs, SummaryStore

SAVE_EVERY_S = 1.0
TIMES_ITS_COST = 50.0
"""What is stored is all that there is so far: of a long book that takes a while, and is done less often."""

Expect = Callable[[str, int, int, Wish], float | None]
"""How many seconds a model (the name of its file) takes for so many tokens in so many sections."""


def model_file(model: ModelLoaded) -> str:
    """What speeds are remembered by."""
    return Path(model.path).name


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
        self._store.keep_result(self._job_id, summary_to_fields(summary), searched_text(summary))
        self._saved_at_s = self._clock()
        self._every_s = max(SAVE_EVERY_S, TIMES_ITS_COST * (self._saved_at_s - begun_s))

    def _note_speed(self, summary: Summary) -> None:
        """For the next estimate; a summary that used steps of another one says nothing of the model's speed."""
        self._progress["sections_read"] = max(summary.sections_read, self._progress.get("sections_read", 0))
        if self.pace.is_fresh and self.pace.worked_s > 0:
            self._progress |= {"model_file": self._model, "worked_s": self.pace.worked_s}
        self._save_progress()

    def _save_progress(self) -> None:
        self._jobs.update(self._job_id, progress=self._progress)
