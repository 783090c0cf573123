"""A job that wants another model than the one in memory: both at once, one instead of the other, or not at all."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from app.features.model_sentences import Words, gigabytes

RESERVE_BYTES = 500_000_000
"""What stays free for everything else when two models share the memory."""


class Places(StrEnum):
    """Where a second model goes."""

    BOTH = "both"
    """Both fit at the same time."""
    SWAP = "swap"
    """The second takes the place of the first, and the first comes back after the job."""
    NO = "no"
    """The first stays; the job goes on without the second."""


@dataclass(frozen=True)
class Swap:
    """What a person is asked: may `wanted` take the place of `loaded` for this job? Sizes in bytes."""

    job: str
    loaded: str
    loaded_bytes: int
    wanted: str
    wanted_bytes: int
    free_bytes: int
    """Free beside the loaded model."""


def swap_words(swap: Swap) -> Words:
    """The question, for a dialog with the answers "Put to sleep" and "Not now"."""
    text = "This needs {wanted}, which takes {needed} GB, and {free} GB are free. Put {loaded} to sleep meanwhile?"
    values = {"needed": gigabytes(swap.wanted_bytes), "free": gigabytes(swap.free_bytes)}
    return Words(text, {"wanted": swap.wanted, "loaded": swap.loaded} | values)


class SecondModel:
    """Decides for each job; a person is asked at most once per job, and only where it makes a difference.

    `ask` blocks until the person has answered, so that `decide` belongs on the job's own thread.
    """

    def __init__(self, ask: Callable[[Swap], bool]) -> None:
        self._ask = ask
        self._answers: dict[str, bool] = {}

    def decide(self, swap: Swap) -> Places:
        """Where the second model goes. It is measured anew each time; only the person's answer is remembered."""
        room = swap.free_bytes - RESERVE_BYTES
        if swap.loaded_bytes <= 0 or swap.wanted_bytes <= room:
            return Places.BOTH
        if swap.wanted_bytes > room + swap.loaded_bytes:
            return Places.NO  # not even alone: there is nothing to ask
        if swap.job not in self._answers:
            self._answers[swap.job] = self._ask(swap)
        return Places.SWAP if self._answers[swap.job] else Places.NO

    def forget(self, job: str) -> None:
        """The job is over: the next one under its name asks again."""
        self._answers.pop(job, None)
