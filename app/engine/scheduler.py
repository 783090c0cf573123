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

    `most_tokens` limits what they hold together: see `app.engine.model_shape.tokens_side_by_side`.
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
