"""The finished steps of a summary: kept in the store, or in memory for the terminal."""

from __future__ import annotations

from typing import Any

from app.store.jobs import SummaryStore


class KeptSteps:
    """As the pipeline asks for it; see `app.features.summary.summarize.Steps`. `kept` counts the new ones."""

    def __init__(self, store: SummaryStore, job_id: int) -> None:
        self._store, self._job_id = store, job_id
        self.kept = 0

    def find(self, key: str) -> Any | None:
        """What was kept under a key; None without it."""
        return self._store.find_step(self._job_id, key)

    def keep(self, key: str, value: Any) -> None:
        """Keeps a finished step; it is on the disk when this returns."""
        self._store.keep_step(self._job_id, key, value)
        self.kept += 1


# Finished steps of a summary that is not kept: the terminal's.


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
