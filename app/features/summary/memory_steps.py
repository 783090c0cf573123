"""Finished steps of a summary that is not kept: the terminal's."""

from __future__ import annotations

from typing import Any


class MemorySteps:
    """Gone with the process."""

    def __init__(self) -> None:
        self._kept: dict[str, Any] = {}

    def find(self, key: str) -> Any | None:
        """What was kept under a key."""
        return self._kept.get(key)

    def keep(self, key: str, value: Any) -> None:
        """Keeps it until the process ends."""
        self._kept[key] = value
