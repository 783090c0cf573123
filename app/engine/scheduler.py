"""Scheduling policy: interactive answers first, how many run in parallel, and how many threads. Pure.

A decode takes one token from every writing answer and a piece of one prompt being read. While an interactive answer
reads or writes, background ones pause. The user's prompts are read before API clients'.
"""

from __future__ import annotations

import statistics
import sys
from collections import defaultdict, deque
from collections.abc import Sequence
from typing import Protocol, TypeVar

MEASURES = 12
LEAST_MEASURES = 4
CLEARLY = 1.05  # fewer sequences are chosen only when they are clearly faster in sum


class AnswerRunner(Protocol):
    """What the policies have to know of an answer, whatever runs it."""

    @property
    def interactive(self) -> bool:
        """True if the user or an API client waits for it."""

    @property
    def is_outside(self) -> bool:
        """True for API clients, which yield to the local user."""

    @property
    def pending_tokens(self) -> int:
        """Tokens that its memory does not hold yet: one while it writes, more while it reads."""


R = TypeVar("R", bound=AnswerRunner)


def next_decode(runners: Sequence[R], batch_tokens: int, width: int = sys.maxsize) -> list[tuple[R, int]]:
    """Return the answers of the next decode, each with its count of tokens. At most `choose_width` background ones
    write.
    """
    interactive = [runner for runner in runners if runner.interactive]
    # Any interactive answer makes all background ones pause.
    chosen = interactive or list(runners)
    most = batch_tokens if interactive else min(width, batch_tokens)
    # What writes has one token pending, and is never held up by what is being read.
    writing = [(runner, 1) for runner in chosen if runner.pending_tokens == 1][:most]
    room = batch_tokens - len(writing)
    # The sort is stable, so requests of one kind are read in the order they came.
    in_turn = sorted(chosen, key=lambda runner: runner.is_outside)
    reading = next((runner for runner in in_turn if runner.pending_tokens > 1), None)
    if reading is None or room <= 0:
        return writing
    return [*writing, (reading, min(room, reading.pending_tokens))]


class ParallelismPolicy:
    """Number of background answers that write at once, learnt from the time of decodes with each number.

    `most_tokens` limits what they hold together: see `app.engine.fit.tokens_side_by_side`.
    """

    def __init__(self, most: int, best: int = 0, most_tokens: int = sys.maxsize) -> None:
        self._most = max(1, most)
        self._best = best
        self.most_tokens = most_tokens
        self.learnt = False
        self._times: dict[int, deque[float]] = defaultdict(lambda: deque(maxlen=MEASURES))

    @property
    def best(self) -> int:
        """Number with the highest total rate; the most possible until that is known."""
        return min(self._most, self._best or self._most)

    def choose_width(self, writing: int) -> int:
        """Return how many of the answers ready to write should: two may be slower in total than one."""
        rates = {n: rate for n, rate in self._token_rates().items() if n <= writing}
        if writing not in rates:
            # Not known yet: this decode will tell.
            return writing  # not known yet: now it will be
        return _clearly_fastest(rates, writing)

    def record_decode(self, answers: int, seconds: float) -> None:
        """Record the time of a decode with one token for each answer."""
        self._times[answers].append(seconds)
        rates = self._token_rates()
        # Measurements below the best number say nothing about more of them.
        if answers >= self.best and max(rates, default=0) >= self.best:
            found = _clearly_fastest(rates, max(rates))
            self.learnt = self.learnt or found != self._best
            self._best = found

    def _token_rates(self) -> dict[int, float]:
        return {n: n / statistics.median(times) for n, times in self._times.items() if len(times) >= LEAST_MEASURES}


def _clearly_fastest(rates: dict[int, float], usual: int) -> int:
    """Return the fastest number if it is clearly faster than the usual one."""
    fastest = max(rates, key=lambda n: rates[n])
    return fastest if rates[fastest] > CLEARLY * rates[usual] else usual


# How many threads write: as many as pay off, found from the measured time per token while others use the machine.
#
# Barriers between threads make a computation as slow as its slowest thread, so one busy program beside it can make two
# threads slower than one. Nothing on the system says which count is best just now; the time per token does. So the
# controller stays with a count, tries a neighbour now and then for a few tokens (hill climbing), moves when that was
# faster, and looks at once when tokens suddenly take longer. Pure: no clock, no library.


BETTER = 0.95  # a neighbour must need less than this share of the time to be worth a move
WORSE = 1.25  # a first token this much slower ends a trial at once
SUDDENLY = 1.3  # tokens that take this many times their usual time are a reason to look at once
TRIAL = 3
RECENT = 5
USUAL = 48
FIRST_GAP, LONGEST_GAP = 6, 160  # tokens between trials: more after each that changed nothing


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
        if self._trial_at is None:
            self._times.append(seconds)
            self._since += 1
            # Not at each token: a median over a few more would be the same.
            if self._since >= self._gap or (self._since % TRIAL == 0 and self._is_sudden()):
                self._begin_trial()
            return
        self._tried.append(seconds)
        # A bad neighbour costs one token, not three.
        if len(self._tried) >= TRIAL or seconds > WORSE * self._recent_median():
            self._end_trial()

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
            at_the_end = not 0 <= self._at + self._direction < len(self._counts)
            self._gap = 4 * FIRST_GAP if at_the_end else FIRST_GAP  # the way back was just found worse
        else:
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
