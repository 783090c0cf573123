"""Who decodes next: interactive answers before background ones, and how many fit side by side. Pure.

A decode takes one token from every answer that writes, and a piece of one prompt that is still being read. While an
interactive answer reads or writes, background answers rest.
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


class Runner(Protocol):
    """What the scheduler wants to know of an answer."""

    @property
    def interactive(self) -> bool:
        """Whether somebody waits for it."""

    @property
    def pending_tokens(self) -> int:
        """Tokens that its memory does not hold yet: one while it writes, more while it reads."""


R = TypeVar("R", bound=Runner)


def next_decode(runners: Sequence[R], batch_tokens: int, width: int = sys.maxsize) -> list[tuple[R, int]]:
    """The answers of the next decode, each with how many of its tokens. At most `width` background ones write."""
    interactive = [runner for runner in runners if runner.interactive]
    chosen = interactive or list(runners)
    most = batch_tokens if interactive else min(width, batch_tokens)
    writing = [(runner, 1) for runner in chosen if runner.pending_tokens == 1][:most]
    room = batch_tokens - len(writing)
    reading = next((runner for runner in chosen if runner.pending_tokens > 1), None)
    if reading is None or room <= 0:
        return writing
    return [*writing, (reading, min(room, reading.pending_tokens))]


class SideBySide:
    """How many background answers write at once, learnt from the time each decode took with so many.

    `most_tokens` are what those side by side hold together at most: see `footprint.tokens_side_by_side`.
    """

    def __init__(self, most: int, best: int = 0, most_tokens: int = sys.maxsize) -> None:
        self._most = max(1, most)
        self._best = best
        self.most_tokens = most_tokens
        self.learnt = False
        self._times: dict[int, deque[float]] = defaultdict(lambda: deque(maxlen=MEASURES))

    @property
    def best(self) -> int:
        """The number with the highest rate in sum; the most possible as long as that is not known."""
        return min(self._most, self._best or self._most)

    def width(self, writing: int) -> int:
        """How many of those that could write should: two may be slower in sum than one, and then one goes alone."""
        rates = {n: rate for n, rate in self._rates().items() if n <= writing}
        if writing not in rates:
            return writing  # not known yet: now it will be
        return _clearly_fastest(rates, writing)

    def took(self, answers: int, seconds: float) -> None:
        """A decode with one token for each of so many answers took this long."""
        self._times[answers].append(seconds)
        rates = self._rates()
        if answers >= self.best and max(rates, default=0) >= self.best:
            found = _clearly_fastest(rates, max(rates))
            self.learnt = self.learnt or found != self._best
            self._best = found

    def _rates(self) -> dict[int, float]:
        return {n: n / statistics.median(times) for n, times in self._times.items() if len(times) >= LEAST_MEASURES}


def _clearly_fastest(rates: dict[int, float], usual: int) -> int:
    """The number with the highest rate, if that is clearly higher than the usual number's."""
    fastest = max(rates, key=lambda n: rates[n])
    return fastest if rates[fastest] > CLEARLY * rates[usual] else usual
