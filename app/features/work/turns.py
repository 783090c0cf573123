"""Whose turn it is: one long job at a time over all kinds, in the order in which they were queued.

Apart from the queues, which take their time to import: the program that starts makes one of these.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

from app.core.events import CancelToken

LOOK_EVERY_S = 0.1

NextPlace = Callable[[], float | None]
"""The place of the next job of a kind in the common queue; None where none waits."""


class QueueTurns:
    """Turns shared by the queues of all kinds; from any thread. A queue that nobody runs doesn't block the others."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._waiting: dict[str, NextPlace] = {}
        self._at_work = ""

    def wait_for_turn(self, kind: str, next_place: NextPlace, cancel: CancelToken) -> bool:
        """Wait for a kind's turn; False if nothing of it waits any more, or cancelled."""
        with self._changed:
            self._waiting[kind] = next_place
            try:
                while not cancel.cancelled:
                    if (place := next_place()) is None:
                        return False
                    # Earlier jobs of another kind go first, if somebody runs that queue.
                    if not self._at_work and self._is_first(kind, place):
                        self._at_work = kind
                        return True
                    self._changed.wait(LOOK_EVERY_S)  # a cancel wakes nobody
                return False
            finally:
                del self._waiting[kind]

    def goes_on(self, kind: str, next_place: NextPlace) -> bool:
        """Return whether a kind keeps its turn between two jobs: no other kind has an earlier one waiting."""
        with self._changed:
            place = next_place()
            return place is not None and self._is_first(kind, place)

    def give_back(self) -> None:
        with self._changed:
            self._at_work = ""
            self._changed.notify_all()

    def _is_first(self, kind: str, place: float) -> bool:
        others = (next_place() for other, next_place in self._waiting.items() if other != kind)
        return all(other is None or place <= other for other in others)
