"""Two or more ways of doing the same, measured in turns: what the machine does meanwhile, it does to all of them."""

from __future__ import annotations

import statistics
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from run import Row

ALTERNATIONS = 9
EQUAL = 0.95
"""A ratio from here on counts as equal on a machine with neighbours."""
EQUAL_TIME = 1.05
"""The same where less is better."""

T = TypeVar("T")


@dataclass(frozen=True)
class Answer:
    """One answer as its consumer saw it, whichever engine gave it."""

    text: str
    first_s: float
    """From the request to the first text."""
    decode_s: float
    """From the first text to the end."""
    prompt_tokens: int
    reused_tokens: int
    generated_tokens: int

    @property
    def tokens_per_s(self) -> float:
        """Writing speed: tokens after the first."""
        return (self.generated_tokens - 1) / self.decode_s

    @property
    def prompt_tokens_per_s(self) -> float:
        """Reading speed; the first token's own time is part of it."""
        return (self.prompt_tokens - self.reused_tokens) / self.first_s


def in_turns(ways: Sequence[Callable[[int], T]], rounds: int = ALTERNATIONS) -> list[list[T]]:
    """Calls every way with the number of each round, in an order that is turned round each time."""
    results: list[list[T]] = [[] for _ in ways]
    for number in range(rounds):
        order = range(len(ways)) if number % 2 == 0 else range(len(ways) - 1, -1, -1)
        for index in order:
            results[index].append(ways[index](number))
    return results


def compared(
    name: str,
    ours: Sequence[float],
    theirs: Sequence[float],
    unit: str,
    *,
    at_least: float | None = None,
    at_most: float | None = None,
    note: str = "",
) -> Row:
    """The medians side by side, and the ratio of every round. `note` is told with the spread."""
    ratios = tuple(one / other for one, other in zip(ours, theirs, strict=True))
    spread = "; ".join(filter(None, (f"{span(ours)} against {span(theirs)}, {len(ratios)} rounds", note)))
    return Row(
        name,
        round(statistics.median(ours), 3),
        unit,
        round(statistics.median(theirs), 3),
        spread,
        ratios,
        at_least,
        at_most,
    )


def span(values: Sequence[float]) -> str:
    """The smallest and the largest."""
    digits = 3 if max(values) < 10 else 1
    return f"{min(values):.{digits}f} to {max(values):.{digits}f}"


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest of `values` that at least `share` of them do not exceed (nearest rank)."""
    ordered = sorted(values)
    rank = -int(-share * len(ordered) // 1)
    return ordered[max(rank, 1) - 1]


def progress(text: str) -> None:
    """Where a long measurement is, for the person who waits."""
    print(f"  {text}", file=sys.stderr, flush=True)
