"""Callbacks of whoever wants to hear of something."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

Told = TypeVar("Told")


class Listeners(Generic[Told]):
    """Callbacks, added and called from any thread."""

    def __init__(self) -> None:
        self._callbacks: list[Callable[[Told], object]] = []
        self._lock = threading.Lock()

    def listen(self, callback: Callable[[Told], object]) -> Callable[[], None]:
        with self._lock:
            self._callbacks.append(callback)

        def unlisten() -> None:
            with self._lock:
                # It may be removed while it is being called.
                if callback in self._callbacks:
                    self._callbacks.remove(callback)

        return unlisten

    def notify_all(self, told: Told) -> None:
        # Called outside the lock: a callback may add or remove one.
        with self._lock:
            callbacks = list(self._callbacks)
        for callback in callbacks:
            callback(told)
