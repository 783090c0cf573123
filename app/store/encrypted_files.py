"""Files of a locked home, encrypted in a database of their own, with open copies in memory while they are needed.

An open copy lies in `AppPaths.unlocked`; its name there is its name here. All of this does nothing without a lock, so
that whoever stores a file need not know of one.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from app.core.paths import AppPaths, disk_problem, make_folder, private_opener
from app.store import sqlite_access
from app.store.database import problem_of_error

if TYPE_CHECKING:
    import sqlite3

PIECE_BYTES = 1 << 20
_TABLES = (
    "CREATE TABLE IF NOT EXISTS files (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, size_bytes INTEGER NOT NULL,"
    " mtime_ns INTEGER NOT NULL)",
    "CREATE TABLE IF NOT EXISTS pieces (file_id INTEGER NOT NULL REFERENCES files (id) ON DELETE CASCADE,"
    " number INTEGER NOT NULL, data BLOB NOT NULL, PRIMARY KEY (file_id, number))",
)


class EncryptedFiles:
    """The encrypted files of one home, from any thread. Methods raise DiskFull or FolderNotWritable."""

    def __init__(self, path: Path, key: bytes | None = None) -> None:
        """`key` None uses the one that this process holds."""
        self.path, self._key = path, key
        self._lock = threading.Lock()

    def keep_file(self, file: Path, name: str) -> None:
        """Encrypt a file under a name, in place of what had it, all or nothing."""
        with self._writing() as connection, file.open("rb") as source:
            connection.execute("DELETE FROM files WHERE name = ?", (name,))
            size = 0
            insert = "INSERT INTO files (name, size_bytes, mtime_ns) VALUES (?, 0, ?) RETURNING id"
            number_of_file = connection.execute(insert, (name, file.stat().st_mtime_ns)).fetchone()[0]
            number = 0
            while piece := source.read(PIECE_BYTES):
                connection.execute("INSERT INTO pieces VALUES (?, ?, ?)", (number_of_file, number, piece))
                size, number = size + len(piece), number + 1
            connection.execute("UPDATE files SET size_bytes = ? WHERE id = ?", (size, number_of_file))

    def copy_out(self, name: str, target: Path) -> bool:
        """Write an open copy, which gets its name when whole; return whether there is such a file."""
        with self._connected() as connection:
            row = connection.execute("SELECT id, mtime_ns FROM files WHERE name = ?", (name,)).fetchone()
            if row is None:
                return False
            try:
                make_folder(target.parent)
                scratch = target.with_name(f".{target.name}.{os.getpid()}-{threading.get_ident()}")
                with open(scratch, "wb", opener=private_opener) as out:
                    query = "SELECT data FROM pieces WHERE file_id = ? ORDER BY number"
                    for (piece,) in connection.execute(query, (row[0],)):
                        out.write(piece)
                os.utime(scratch, ns=(row[1], row[1]))
                scratch.replace(target)
            except OSError as error:
                raise disk_problem(error, target.parent) from error
            return True

    def list_names(self, beginning: str = "") -> dict[str, tuple[int, int]]:
        """Return size in bytes and time of change in ns by name."""
        with self._connected() as connection:
            rows = connection.execute(
                "SELECT name, size_bytes, mtime_ns FROM files WHERE substr(name, 1, ?) = ? ORDER BY name",
                (len(beginning), beginning),
            )
            return {row[0]: (row[1], row[2]) for row in rows}

    def forget(self, beginning: str) -> None:
        """Delete a file, or everything in a folder whose name ends in a slash."""
        with self._writing() as connection:
            connection.execute(
                "DELETE FROM files WHERE name = ? OR (substr(?, -1) = '/' AND substr(name, 1, ?) = ?)",
                (beginning, beginning, len(beginning), beginning),
            )

    @contextmanager
    def _connected(self) -> Iterator[sqlite3.Connection]:
        # One connection for each use: none is open when the lock changes, and none belongs to a thread.
        with self._lock:
            try:
                if not self.path.exists():
                    open(self.path, "wb", opener=private_opener).close()
                with closing(sqlite_access.connect_file(self.path, key=self._key)) as connection:
                    connection.execute("PRAGMA journal_mode = WAL")
                    connection.execute("PRAGMA synchronous = FULL")
                    connection.execute("PRAGMA foreign_keys = ON")
                    connection.execute("PRAGMA secure_delete = ON")
                    for table in _TABLES:
                        connection.execute(table)
                    yield connection
            except sqlite_access.SQLITE_ERRORS + (OSError,) as error:
                if (problem := problem_of_error(error, self.path)) is None:
                    raise
                raise problem from error

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        with self._connected() as connection:
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
                connection.execute("COMMIT")
            except BaseException:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise


class _UnlockedHome:
    """The home that this process has unlocked, if any."""

    files: EncryptedFiles | None = None
    place: Path | None = None


def use_encrypted_files(paths: AppPaths | None) -> None:
    """Tie the functions below to a home that is unlocked; None unties them."""
    _UnlockedHome.place = paths.unlocked if paths is not None else None
    is_open = paths is not None and paths.unlocked is not None
    _UnlockedHome.files = EncryptedFiles(paths.encrypted_files) if paths is not None and is_open else None


def store_file(path: Path) -> None:
    """Encrypt what was just written to an open copy. Without a lock the file is where it belongs already."""
    if (name := _name_of(path)) and _UnlockedHome.files is not None:
        _UnlockedHome.files.keep_file(path, name)


def fetch_file(path: Path) -> Path:
    """Make sure that there is an open copy of an encrypted file, if there is such a file; return the path."""
    if (name := _name_of(path)) and _UnlockedHome.files is not None and not path.exists():
        _UnlockedHome.files.copy_out(name, path)
    return path


def forget_file(path: Path) -> None:
    """Delete the encrypted file of an open copy, or all in its folder; the copy itself is the caller's."""
    if (name := _name_of(path)) and _UnlockedHome.files is not None:
        _UnlockedHome.files.forget(name)
        _UnlockedHome.files.forget(f"{name}/")


def stored_files(folder: Path) -> dict[Path, float]:
    """Return the encrypted files of a folder, as the paths of their open copies, with their times of change."""
    name, files, place = _name_of(folder), _UnlockedHome.files, _UnlockedHome.place
    if not name or files is None or place is None:
        return {}
    return {place / name: mtime_ns / 1e9 for name, (_, mtime_ns) in files.list_names(f"{name}/").items()}


def _name_of(path: Path) -> str:
    place = _UnlockedHome.place
    if place is not None:
        with suppress(ValueError):
            name = path.relative_to(place).as_posix()
            # What can be made again is never written to a disk, nor are pictures of temporary chats.
            return "" if name.startswith("cache/") else name
    return ""
