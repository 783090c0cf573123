"""Number of threads that write: as many as pay off, found from the time per token while others use the machine.

Barriers between threads make a computation as slow as its slowest thread, so one busy program beside it can make two
threads slower than one. Nothing on the system says which count is best just now; the time per token does. So the
controller stays with a count, tries a neighbour now and then for a few tokens (hill climbing), moves when that was
faster, and looks at once when tokens suddenly take longer. What trials in vain may cost is bounded, and told. Pure: no
clock, no library.
"""

from __future__ import annotations

import statistics
from collections import deque

BETTER = 0.95  # a neighbour must need less than this share of the time to be worth a move
WORSE = 1.25  # a first token this much slower ends a trial at once
SUDDENLY = 1.3  # tokens that take this many times their usual time are a reason to look at once
TRIAL = 3
RECENT = 5
USUAL = 48
FIRST_GAP, LONGEST_GAP = 6, 160  # tokens between trials: more after each that changed nothing
MOST_LOST, MOST_LOST_SUDDENLY = 0.005, 0.05
"""Share of the time of the last tokens that trials in vain may have cost when another begins, by what it begins of."""
WAYS_BACK = 2  # trials in vain that a move allows at once
HORIZON = 400
"""Tokens over which that is counted; what is longer ago counts less and less."""


class ThreadController:
    """Choose among `counts` (ascending): `count` is asked before a computation, `record_time` told after it."""

    def __init__(self, counts: list[int], start: int) -> None:
        self._counts = counts
        self._at = counts.index(start)
        self._gap = FIRST_GAP
        self._since = 0
        self._direction = -1
        self._times: deque[float] = deque(maxlen=USUAL)
        self._trial_at: int | None = None
        self._tried: list[float] = []
        self._recent_s = self._recent_lost_s = self._lost_s = 0.0
        self.total_s = 0.0
        """Seconds recorded."""

    @property
    def lost_share(self) -> float:
        """Share of all recorded time by which trials in vain were slower than the settled count."""
        return self._lost_s / self.total_s if self.total_s else 0.0

    @property
    def count(self) -> int:
        """Threads for the next computation, which may be a trial."""
        return self._counts[self._at if self._trial_at is None else self._trial_at]

    @property
    def settled(self) -> int:
        """Best number of threads so far, without a trial that is going on."""
        return self._counts[self._at]

    def record_time(self, seconds: float) -> None:
        """Record the time of the last computation, done with `count` threads."""
        self.total_s += seconds
        self._recent_s += seconds - self._recent_s / HORIZON
        self._recent_lost_s -= self._recent_lost_s / HORIZON
        if self._trial_at is None:
            self._times.append(seconds)
            self._since += 1
            # Not at each token: a median over a few more would be the same.
            is_due = self._since >= self._gap and self._may_lose(MOST_LOST)
            if is_due or (self._since % TRIAL == 0 and self._may_lose(MOST_LOST_SUDDENLY) and self._is_sudden()):
                self._begin_trial()
            return
        self._tried.append(seconds)
        # A bad neighbour costs one token, not three.
        if len(self._tried) >= TRIAL or seconds > WORSE * self._recent_median():
            self._end_trial()

    def _may_lose(self, share: float) -> bool:
        return self._recent_lost_s <= share * self._recent_s

    def _is_sudden(self) -> bool:
        return len(self._times) > RECENT and self._recent_median() > SUDDENLY * statistics.median(self._times)

    def _recent_median(self) -> float:
        return statistics.median(list(self._times)[-RECENT:]) if self._times else float("inf")

    def _begin_trial(self) -> None:
        self._since = 0
        if not 0 <= self._at + self._direction < len(self._counts):
            self._direction = -self._direction
        neighbour = self._at + self._direction
        if 0 <= neighbour < len(self._counts):
            self._trial_at, self._tried = neighbour, []

    def _end_trial(self) -> None:
        assert self._trial_at is not None
        if statistics.median(self._tried) < BETTER * self._recent_median():
            self._at = self._trial_at
            # Times with another number of threads say nothing about this one.
            self._times.clear()
            self._times.extend(self._tried)
            # A move may have been an error of the moment: there is something to spend on the way back.
            self._recent_lost_s = -WAYS_BACK * self._recent_median()
            at_the_end = not 0 <= self._at + self._direction < len(self._counts)
            self._gap = 4 * FIRST_GAP if at_the_end else FIRST_GAP  # the way back was just found worse
        else:
            lost_s = max(0.0, sum(self._tried) - len(self._tried) * self._recent_median())
            self._lost_s += lost_s
            # At most a token: what took even longer did so of something else, and must not keep it from trying again.
            self._recent_lost_s += min(lost_s, self._recent_median())
            self._direction = -self._direction
            self._gap = min(2 * self._gap, LONGEST_GAP)
        self._trial_at = None


def thread_counts(most: int) -> list[int]:
    """Return thread counts worth trying up to `most`: dense where one more is a large share, sparser above."""
    counts = {1, most}
    step = 1
    while step < most:
        counts.add(step)
        # One more of eight threads changes little, so steps grow.
        step += max(1, step // 3)
    return sorted(counts)
