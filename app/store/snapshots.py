"""Daily copies of the database, the newest seven, and how each differs from today's."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Mapping
from datetime import date
from pathlib import Path

from app.core.errors.app_error import AppError
from app.core.errors.database_errors import DatabaseDamaged
from app.core.errors.saving_errors import DiskFull
from app.core.lazy_dataclasses import dataclass
from app.core.paths import disk_problem, make_folder
from app.core.synced_files import place_file
from app.store import sqlite_access
from app.store.database import Database, copied_counts, copied_schema, read_copy
from app.store.recovery import mark_suspect

KEPT = 7
ROOM_LEFT_BYTES = 200_000_000
"""Room that a daily copy leaves for what a person does next."""
_UNFINISHED = ".new"


@dataclass(frozen=True)
class SnapshotDifference:
    """What restoring a snapshot would bring back and take away: `counts` of what is in it by kind, titles of chats,
    pages, summaries and translations that only it has, and that only today's database has. `changed` counts those of
    both that were written to since.
    """

    counts: Mapping[str, int]
    only_there: tuple[str, ...]
    only_here: tuple[str, ...]
    changed: int


@dataclass(frozen=True)
class DatabaseSnapshot:
    """A daily copy: its day, and its file."""

    day: date
    path: Path


class SnapshotFolder:
    """The daily copies of a database; from any thread, though taking one may last seconds."""

    def __init__(self, folder: Path, database: Database, clock: Callable[[], float] = time.time) -> None:
        self._folder, self._database, self._clock = folder, database, clock
        self._has_failed = False

    def list_snapshots(self) -> list[DatabaseSnapshot]:
        return list_snapshots(self._folder)

    def is_due(self) -> bool:
        """Return whether today's copy is missing; never for a database that is not on the disk."""
        is_on_disk = self._database.has_room and self._database.path != Path(":memory:")
        return is_on_disk and not self._path_today().exists()

    def take_daily(self) -> DatabaseSnapshot | None:
        """Copy the database if that is due and there is something to copy, and delete the oldest copies.

        Raises DiskFull, FolderNotWritable or DatabaseDamaged, each run of the program once: nothing else depends on
        it. Existing copies are left then.
        """
        path = self._path_today()
        if not self.is_due():
            return None
        try:
            return DatabaseSnapshot(date.fromisoformat(path.stem), path) if self._copy_database(path) else None
        except (AppError, OSError) as error:
            # The next hour tries again, in silence.
            if self._has_failed:
                return None
            self._has_failed = True
            if isinstance(error, OSError):
                raise disk_problem(error, self._folder) from error
            raise

    def _path_today(self) -> Path:
        return self._folder / f"{date.fromtimestamp(self._clock()).isoformat()}.db"

    def _copy_database(self, path: Path) -> bool:
        make_folder(self._folder)
        scratch = path.with_name(path.name + _UNFINISHED)
        for left in self._folder.glob(f"*{_UNFINISHED}*"):  # of a run that was ended by force
            left.unlink(missing_ok=True)
        if shutil.disk_usage(self._folder).free < self._database.path.stat().st_size + ROOM_LEFT_BYTES:
            raise DiskFull(str(self._folder))
        try:
            # One read transaction on a connection of its own: copying page by page would begin again with each write.
            self._database.copy_to(scratch)
            if not copied_schema(scratch):
                mark_suspect(self._database.path)
                raise DatabaseDamaged(str(self._database.path))
            if not any(copied_counts(scratch).values()):
                return False
            place_file(scratch, path)
        finally:
            scratch.unlink(missing_ok=True)
        for snapshot in self.list_snapshots()[KEPT:]:
            snapshot.path.unlink(missing_ok=True)
        return True


def list_snapshots(folder: Path) -> list[DatabaseSnapshot]:
    """Return the daily copies in a folder, newest first; files with other names are no copies."""
    found = []
    for path in folder.glob("*.db"):
        try:
            found.append(DatabaseSnapshot(date.fromisoformat(path.stem), path))
        except ValueError:
            continue
    return sorted(found, key=lambda snapshot: snapshot.day, reverse=True)


def compare_snapshot(snapshot: Path, database: Path) -> SnapshotDifference:
    """Compare a copy with the database as it is. Raises DatabaseDamaged if the copy can't be read."""
    try:
        there, here = _read_titles(snapshot), _read_titles(database)
        counts = copied_counts(snapshot)
    except sqlite_access.SQLITE_ERRORS as error:
        raise DatabaseDamaged(str(snapshot)) from error
    return SnapshotDifference(
        counts,
        tuple(title for key, (title, _) in there.items() if key not in here),
        tuple(title for key, (title, _) in here.items() if key not in there),
        sum(there[key][1] != here[key][1] for key in there.keys() & here.keys()),
    )


def _read_titles(path: Path) -> dict[tuple[str, int, float], tuple[str, float]]:
    """Return titles and times of change, last changed first. A number is another's after a restore, so keys have the
    time of creation, too.
    """
    queries = {
        "chat": "SELECT id, created_at, title, updated_at FROM conversations WHERE deleted_at IS NULL",
        "page": "SELECT id, created_at, iif(title <> '', title, substr(text, 1, 80)), updated_at FROM pages"
        " WHERE deleted_at IS NULL",
        "job": "SELECT id, created_at, title, updated_at FROM jobs WHERE deleted_at IS NULL"
        " AND kind IN ('summary', 'translation')",
    }
    with read_copy(path) as connection:
        rows = [(kind, *row) for kind, query in queries.items() for row in connection.execute(query)]
    rows.sort(key=lambda row: row[4], reverse=True)
    return {
        (kind, number, created): (" ".join(title.split()), changed) for kind, number, created, title, changed in rows
    }
