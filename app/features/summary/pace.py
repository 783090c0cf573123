"""How long a summary has worked, and how much longer it will, by the sections it has read itself."""

from __future__ import annotations

import time
from collections.abc import Callable

from app.features.summary.result import Merging, Planned, SectionRead, SummaryEvent, Writing
from app.features.work.asking import FIRST_WINDOW, Rests
from app.features.work.pace import WorkClock

SECTIONS_A_MERGE = 8


class Pace:
    """Times are seconds. While it rests, and for sections that an earlier run had read, the clock does not count.

    `expected_s` is what was estimated for all of it, None where nothing was; so many sections are read `side_by_side`.
    """

    def __init__(
        self, expected_s: float | None = None, side_by_side: int = 1, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.expected_s = expected_s
        self._side_by_side = min(side_by_side, FIRST_WINDOW)
        self._clock = WorkClock(clock)
        self._sections, self._done, self._fresh = 0, 0, 0
        self._read_after_s = 0.0
        self._written_since_s = 0.0
        self._tail = 0.0
        """How many times as long as a section the merges and the write-up take."""

    @property
    def worked_s(self) -> float:
        """How long it has worked."""
        return self._clock.worked_s

    @property
    def is_fresh(self) -> bool:
        """Whether every section so far was read in this run."""
        return self._fresh == self._done

    def take(self, event: SummaryEvent) -> None:
        """One more event of the pipeline."""
        match event:
            case Planned(sections=sections):
                # Planned again (what did not go in one pass goes in sections), the time until then says nothing.
                self._clock.start()
                self._sections, self._written_since_s = sections, 0.0
                self._tail = 1.0 + (sections // SECTIONS_A_MERGE if sections > 1 else 0)
            case Rests(reason=reason):
                self._clock.rest(is_resting=bool(reason))
            case SectionRead():
                self._done = event.done
                if event.was_kept:
                    self._forget_time()
                else:
                    self._fresh += 1
                    self._read_after_s = self.worked_s
            case Merging(done=done, merges=merges):
                self._tail = 1.0 + max(0, merges - done)
            case Writing():
                self._written_since_s = self._written_since_s or self.worked_s
                self._tail = 1.0

    def seconds_left(self) -> float | None:
        """About how much longer; None where nothing tells it yet."""
        if not self._clock.has_begun:
            return None
        if not self._fresh:
            return None if self.expected_s is None else max(1.0, self.expected_s - self.worked_s)
        begun_together = min(self._side_by_side, self._fresh + self._sections - self._done)
        section_s = self._read_after_s / max(self._fresh, begun_together)  # the others of the first lot are near
        left = section_s * (self._sections - self._done + self._tail)
        since_s = self.worked_s - max(self._read_after_s, self._written_since_s)
        return max(1.0, left - since_s)

    def _forget_time(self) -> None:
        """Kept sections come first and at once: the time until then says nothing of those to come."""
        if not self._fresh and self._clock.has_begun and not self._clock.is_resting:
            self._clock.start()
