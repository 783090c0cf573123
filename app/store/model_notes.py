"""Notes on model files: label, last use, and sha256 once computed."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path
from typing import Any

from app.core.lazy_dataclasses import dataclass
from app.core.visible import clean_text
from app.store.database import Database


@dataclass(frozen=True)
class ModelNote:
    """Notes on one file, which may be gone. `label` is the user's name for it, "" for none.

    `sha256` applies to a file with `size_bytes` and `mtime_ns` only. Times are seconds since 1970, None for never.
    """

    path: Path
    label: str = ""
    origin: str = ""
    added_at: float | None = None
    used_at: float | None = None
    sha256: str = ""
    size_bytes: int = 0
    mtime_ns: int = 0


_COLUMNS = "path, label, origin, added_at, used_at, sha256, size_bytes, mtime_ns"


class ModelNotes:
    """Notes by path; from any thread. Writes may raise DiskFull or FolderNotWritable."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def update_note(
        self,
        path: Path | str,
        *,
        label: str | None = None,
        origin: str | None = None,
        added_at: float | None = None,
        used_at: float | None = None,
        sha256: str | None = None,
        size_bytes: int | None = None,
        mtime_ns: int | None = None,
    ) -> None:
        """Save the notes that are given; None leaves one as it is."""
        given: dict[str, Any] = {
            "label": None if label is None else clean_text(label),
            "origin": origin,
            "added_at": added_at,
            "used_at": used_at,
            "sha256": sha256,
            "size_bytes": size_bytes,
            "mtime_ns": mtime_ns,
        }
        values = {name: value for name, value in given.items() if value is not None}
        names = ", ".join(["path", *values])
        # A path alone is a note, too: the file was seen.
        changes = ", ".join(f"{name} = excluded.{name}" for name in values) or "path = excluded.path"
        with self._database.transaction() as connection:
            connection.execute(
                f"INSERT INTO models ({names}) VALUES (:path{''.join(f', :{name}' for name in values)})"
                f" ON CONFLICT (path) DO UPDATE SET {changes}",
                {**values, "path": os.fsencode(path)},
            )

    def get(self, path: Path | str) -> ModelNote | None:
        """Return the notes on a file, or None if there are none."""
        with self._database.reading() as connection:
            row = connection.execute(f"SELECT {_COLUMNS} FROM models WHERE path = ?", (os.fsencode(path),)).fetchone()
        return None if row is None else _read_note(row)

    def all(self) -> list[ModelNote]:
        """Return all notes by path, also of files that are gone."""
        with self._database.reading() as connection:
            rows = connection.execute(f"SELECT {_COLUMNS} FROM models ORDER BY path").fetchall()
        return [_read_note(row) for row in rows]

    def forget(self, path: Path | str) -> None:
        with self._database.transaction() as connection:
            connection.execute("DELETE FROM models WHERE path = ?", (os.fsencode(path),))


def _read_note(row: sqlite3.Row) -> ModelNote:
    return ModelNote(**{**dict(row), "path": Path(os.fsdecode(row["path"]))})
