"""A descriptor for parts that are built when they are first used."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any, Generic, TypeVar

Part = TypeVar("Part")


class LazyPart(Generic[Part]):
    """Build a part on first access, from any thread; what builds it imports its modules only then."""

    def __init__(self, make: Callable[[Any], Part]) -> None:
        self._make, self._lock = make, threading.RLock()

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    def __get__(self, owner: Any, kind: type) -> Part:
        with self._lock:
            if self._name not in owner.__dict__:
                owner.__dict__[self._name] = self._make(owner)  # from now on it is found there, without coming here
            part: Part = owner.__dict__[self._name]
            return part
