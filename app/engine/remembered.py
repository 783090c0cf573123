"""What was found out about loading models on this computer: a small file, whose loss costs a second measurement."""

from __future__ import annotations

import contextlib
import hashlib
import json
from pathlib import Path
from typing import Any

from app.core.paths import opener

MOST_ENTRIES = 200
UNFINISHED = ".part"


def key_of(*facts: object) -> str:
    """A name for facts that must all be the same for an entry to be of use."""
    return hashlib.sha256(json.dumps(facts, default=str).encode()).hexdigest()[:32]


class Remembered:
    """Entries (JSON objects) by key. Nobody is told when the file cannot be read or written: it is only a shortcut."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def find(self, key: str) -> dict[str, Any] | None:
        """An entry, or None."""
        return self._read().get(key)

    def put(self, key: str, entry: dict[str, Any]) -> None:
        """Adds or replaces an entry; beyond `MOST_ENTRIES` the one put longest ago goes."""
        entries = self._read()
        entries.pop(key, None)
        entries[key] = entry
        self._write(dict(list(entries.items())[-MOST_ENTRIES:]))

    def forget(self, key: str) -> None:
        """Removes an entry."""
        entries = self._read()
        if entries.pop(key, None) is not None:
            self._write(entries)

    def _read(self) -> dict[str, dict[str, Any]]:
        """All entries; none from a missing or damaged file."""
        try:
            entries = json.loads(self._path.read_text("utf-8"))
        except (OSError, ValueError, RecursionError):
            return {}
        if not isinstance(entries, dict):
            return {}
        return {key: entry for key, entry in entries.items() if isinstance(entry, dict)}

    def _write(self, entries: dict[str, dict[str, Any]]) -> None:
        scratch = self._path.with_name(self._path.name + UNFINISHED)
        with contextlib.suppress(OSError):
            with open(scratch, "w", encoding="utf-8", opener=opener) as file:
                json.dump(entries, file, indent=1)
            scratch.replace(self._path)
