"""Who asks a server just now, over all engines of the program: what somebody waits for goes before a job.

A server does not say how many answers it writes side by side, and more of them wait in its own queue, where nobody can
be let past. So it is seen by whose words come in turn, and until then it counts as one that writes a single answer.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

LEAST_TURNS = 8
"""So often words of an answer come after another one's before the two count as written side by side: where one ends and
the next begins, a thread that is late mixes a few.
"""


class Callers:
    """Of one server; from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._awaited = 0
        self._turns: dict[object, int] = {}
        self._last: object = None
        self._side_by_side = 1

    @contextmanager
    def awaited(self, answers: int) -> Iterator[None]:
        """As long as this lasts, somebody waits for so many answers."""
        with self._lock:
            self._awaited += answers
        try:
            yield
        finally:
            with self._lock:
                self._awaited -= answers

    @property
    def places(self) -> int | None:
        """How many requests of jobs leave room for who waits; None where nobody does."""
        with self._lock:
            return max(0, self._side_by_side - self._awaited) if self._awaited else None

    @property
    def writes_one(self) -> bool:
        """Whether no two answers were seen being written side by side."""
        return self._side_by_side == 1

    def begin(self) -> None:
        """It may be another server by now, or one with other settings."""
        with self._lock:
            self._side_by_side = 1

    def wrote(self, request: object) -> None:
        """Words of this request's answer came."""
        with self._lock:
            if self._last is request:
                return
            self._last = request
            self._turns[request] = self._turns.get(request, 0) + 1
            writing = sum(turns >= LEAST_TURNS for turns in self._turns.values())
            self._side_by_side = max(self._side_by_side, writing)

    def is_writing(self, request: object) -> bool:
        return request in self._turns

    def ended(self, request: object) -> None:
        with self._lock:
            self._turns.pop(request, None)
