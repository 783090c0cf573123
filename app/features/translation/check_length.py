"""Whether a translation is as long as one of such a text is, learnt from what was translated so far."""

from __future__ import annotations

from collections import deque
from statistics import median

from app.language.names import base

LEAST_SHARE, MOST_SHARE = 0.4, 2.5
"""Of the length that is expected, in characters."""
SHORT = 25
"""A shorter text may become anything but very long."""
MOST_OF_SHORT, MORE_THAN_SHORT = 4, 20
LEAST_LEARNT = 20
MOST_LEARNT = 500
_DENSITY = {"zh": 0.33, "yue": 0.33, "ja": 0.45, "ko": 0.55, "he": 0.8, "ar": 0.85, "fa": 0.9, "th": 0.9}
"""How many characters a language takes for what English says in one, roughly."""


class Lengths:
    """What is expected for a pair of languages; it learns from translations without other faults."""

    def __init__(self, source: str, target: str) -> None:
        self._guess = _DENSITY.get(base(target), 1.0) / _DENSITY.get(base(source), 1.0)
        self._seen: deque[float] = deque(maxlen=MOST_LEARNT)

    @property
    def expected(self) -> float:
        """Characters of a translation for one of the source."""
        return median(self._seen) if len(self._seen) >= LEAST_LEARNT else self._guess

    def learn(self, source: str, target: str) -> None:
        """A translation that is as it should be."""
        size = _size(source)
        if size >= SHORT:
            self._seen.append(_size(target) / size)

    def fault(self, source: str, target: str) -> str:
        """ "short" or "long" where it is too much so; "" where it will do."""
        size = _size(source) * self.expected
        share = _size(target) / max(1.0, size)
        if _size(source) < SHORT:
            return "long" if _size(target) > MOST_OF_SHORT * size + MORE_THAN_SHORT else ""
        return "short" if share < LEAST_SHARE else "long" if share > MOST_SHARE else ""


def _size(text: str) -> int:
    return len("".join(text.split()))
