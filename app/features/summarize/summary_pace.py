"""Estimate a summary's time: beforehand from speeds measured here, then from the sections read."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from app.core.events import CancelToken, ModelElsewhere, ModelLoaded
from app.engine.contract import Engine
from app.features.summarize.summary_result import (
    KIND,
    Estimate,
    InputDocument,
    Merging,
    Method,
    Planned,
    SectionRead,
    SummaryEvent,
    SummaryOptions,
    Writing,
)
from app.features.work.asking import FIRST_WINDOW, TaskRests
from app.features.work.pace import MeasuredSpeeds, WorkClock
from app.features.work.task_engines import TaskEngines
from app.store.jobs import JobTable

if TYPE_CHECKING:
    from app.features.summarize.method import MethodChoice
    from app.features.summarize.sections import TokenBudgets


SECTIONS_A_MERGE = 8
TELLING_SHARE = 0.1
"""From this share of a write-up on, its own pace is used."""


def model_file(model: ModelLoaded) -> str:
    """Return the name speeds are stored under."""
    return Path(model.path).name


class SummaryPace:
    """Pace of a summary in seconds.

    The clock stops while it waits and for stored sections. `expected_s` is the total estimate, None without one;
    `side_by_side` is the number of sections read in parallel.
    """

    def __init__(
        self, expected_s: float | None = None, side_by_side: int = 1, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.expected_s = expected_s
        # The engine begins no more than its first window at once.
        self._side_by_side = min(side_by_side, FIRST_WINDOW)
        self._clock = WorkClock(clock)
        self._sections, self._done, self._fresh = 0, 0, 0
        self._read_after_s = 0.0
        self._written_since_s, self._written, self._attempt = 0.0, 0.0, 0
        self._tail = 0.0
        """Duration of merges and write-up, in sections."""

    @property
    def worked_s(self) -> float:
        return self._clock.worked_s

    @property
    def is_fresh(self) -> bool:
        """True if every section so far was read in this run."""
        return self._fresh == self._done

    def take_event(self, event: SummaryEvent) -> None:
        """Update the pace with an event of the pipeline."""
        match event:
            case Planned(sections=sections):
                # Planned again (what did not go in one pass goes in sections), the time until then says nothing.
                self._clock.start()
                # Planned again: one pass failed, so its time says nothing about sections.
                self._sections, self._written_since_s, self._written = sections, 0.0, 0.0
                self._tail = 1.0 + (sections // SECTIONS_A_MERGE if sections > 1 else 0)
            case TaskRests(reason=reason):
                self._clock.set_resting(is_resting=bool(reason))
            case SectionRead():
                self._done = event.done
                if event.was_kept:
                    self._forget_time()
                else:
                    self._fresh += 1
                    self._read_after_s = self.worked_s
            case Merging(done=done, merges=merges):
                self._tail = 1.0 + max(0, merges - done)
            case Writing(share=share, attempt=attempt):
                # A second attempt begins at zero; the first one's pace isn't its own.
                if attempt != self._attempt:
                    self._written_since_s = 0.0
                self._written_since_s = self._written_since_s or self.worked_s
                self._written, self._attempt, self._tail = share, attempt, 1.0

    def seconds_left(self) -> float | None:
        """Estimate the seconds left; None before there is a measure."""
        if not self._clock.has_begun:
            return None
        if self._written >= TELLING_SHARE:
            since_s = self.worked_s - self._written_since_s
            return max(1.0, since_s * (1 - self._written) / self._written)
        # Nothing was measured in this run yet, so the estimate from before counts.
        if not self._fresh:
            return None if self.expected_s is None else max(1.0, self.expected_s - self.worked_s)
        begun_together = min(self._side_by_side, self._fresh + self._sections - self._done)
        section_s = self._read_after_s / max(self._fresh, begun_together)  # the others of the first lot are near
        left = section_s * (self._sections - self._done + self._tail)
        # Time goes on between two events, so the figure keeps falling.
        since_s = self.worked_s - max(self._read_after_s, self._written_since_s)
        return max(1.0, left - since_s)

    def _forget_time(self) -> None:
        """Restart the clock after stored sections: they come at once and say nothing about the rest."""
        # Only before the first fresh section: later the clock has measured something.
        if not self._fresh and self._clock.has_begun and not self._clock.is_resting:
            self._clock.start()


ANSWERED_SHARE = 0.7
"""Share of an answer's token limit that is typically used."""
COUNTED_CHARACTERS_A_SECOND = 400_000
"""Of a document whose sentences are chosen by counting words, on a slow machine."""


def counting_seconds(documents: Sequence[InputDocument]) -> float:
    """Return the longest time counting takes, in seconds."""
    characters = sum(len(block.text) for document in documents for block in document.blocks)
    return max(1.0, characters / COUNTED_CHARACTERS_A_SECOND)


class SummaryEstimates:
    """From any thread. What was measured holds as long as the program runs; `inputs` makes documents of their ids."""

    def __init__(
        self,
        inputs: Callable[[Sequence[int]], list[InputDocument]],
        engines: TaskEngines,
        jobs: JobTable,
        choice: MethodChoice,
    ) -> None:
        self._inputs, self._engines, self._choice = inputs, engines, choice
        self._speeds = MeasuredSpeeds(KIND, jobs, seconds="worked_s")
        self._budgets: dict[str, TokenBudgets] = {}

    def estimate(self, document_ids: Sequence[int], wish: SummaryOptions, cancel: CancelToken) -> Estimate | None:
        """Estimate the cost, see `app.features.summarize.summaries.SummaryJobs.estimate`."""
        from app.features.summarize.digest import has_sentences
        from app.features.summarize.summarize import plan_reading  # the window lists summaries without these

        documents = self._inputs(document_ids)
        # Tokens need a loaded model, which an extract does without.
        if self._choice.choose_method(documents)(wish) is Method.DIGEST and any(map(has_sentences, documents)):
            return None if cancel.cancelled else Estimate(None, 0, counting_seconds(documents), ())
        with self._engines.open_engine(cancel, may_ask=False) as engine:
            # No room for the tab's model, or cancelled: no question is asked for an estimate.
            if engine is None or engine.loaded is None:
                return None
            loaded = engine.loaded
            planned = plan_reading(documents, wish, engine, cancel, earlier=self._choice.earlier_score(documents))
            if planned is None:
                return None
            tokens, sections = planned.tokens, max(1, len(planned.sections))
            if planned.method is Method.DIGEST:
                return Estimate(tokens, 0, counting_seconds(documents), planned.by_document)
            if not self._measure_model(engine, loaded, cancel):
                return None
        seconds = self.estimate_seconds(model_file(loaded), tokens, sections, wish)
        return Estimate(tokens, sections, seconds, planned.by_document, isinstance(loaded, ModelElsewhere))

    def estimate_seconds(self, model: str, tokens: int, sections: int, wish: SummaryOptions) -> float | None:
        """Estimate the seconds for a model (file name); None without a measurement here."""
        # Whole summaries on this computer tell more than a short probe.
        if (earlier := self._speeds.earlier_speed(model)) is not None:
            return tokens / earlier
        speed, budgets = self._speeds.probed_speed(model), self._budgets.get(model)
        if speed is None or budgets is None:
            return None
        read, written = float(tokens), float(budgets.writing_tokens(wish.length, wish.language))
        if sections > 1:
            # Each section's points are written once and read once more by merges.
            points, merges = sections * budgets.points * ANSWERED_SHARE, sections // SECTIONS_A_MERGE
            read += points + merges * budgets.merged
            written += points + merges * budgets.merged
        return read / speed.reading + written / speed.writing

    def _measure_model(self, engine: Engine, loaded: ModelLoaded, cancel: CancelToken) -> bool:
        """Measure a short read and write, once for each model without a summary here; False when cancelled."""
        from app.features.summarize.sections import budgets_for

        model = model_file(loaded)
        # A probe takes seconds, and a finished summary measures better.
        if self._speeds.earlier_speed(model) is None and self._speeds.probe_speed(model, engine, cancel) is not None:
            self._budgets[model] = budgets_for(loaded)
        return not cancel.cancelled
