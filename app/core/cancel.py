"""The flag by which a person stops long work; the loop that owns the work reads it."""

from __future__ import annotations

import threading


class CancelToken:
    """Set once, from any thread; read by the loop that owns the work."""

    def __init__(self) -> None:
        self._event = threading.Event()

    def cancel(self) -> None:
        """Asks the work to end; it answers with a last event, not with an exception."""
        self._event.set()

    @property
    def cancelled(self) -> bool:
        """Whether somebody asked."""
        return self._event.is_set()
