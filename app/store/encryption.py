"""Copies of databases with and without encryption, made while nobody else has the original open."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from itertools import zip_longest
from pathlib import Path

from app.core.errors.database_errors import DatabaseDamaged
from app.core.errors.lock_errors import LockChangeBlocked
from app.core.paths import private_opener
from app.store import sqlite_access
from app.store.database import problem_of_error
from app.store.sqlite_access import connect_file, key_literal

Connection = sqlite3.Connection


@contextmanager
def held_alone(path: Path, key: bytes) -> Iterator[sqlite3.Connection]:
    """Open a database so that no other process can, with its journal merged. Raises LockChangeBlocked."""
    with closing(connect_file(path, "rw", key=key)) as connection:
        try:
            connection.execute("PRAGMA busy_timeout = 0")
            # Only the one who is alone may leave the write-ahead log; in the other mode one lock keeps all others out.
            if connection.execute("PRAGMA journal_mode = DELETE").fetchone()[0] != "delete":
                raise LockChangeBlocked
            connection.execute("PRAGMA locking_mode = EXCLUSIVE")
            connection.execute("BEGIN EXCLUSIVE")
            connection.execute("COMMIT")
        except sqlite_access.OPERATIONAL_ERRORS as error:
            raise problem_of_error(error, path) or LockChangeBlocked from error
        yield connection


def copy_database(connection: sqlite3.Connection, target: Path, key: bytes) -> None:
    """Copy an open database into a new file, encrypted with `key`, or open where that is empty; then compare both.

    Raises DatabaseDamaged if the original can't be read whole, DiskFull or FolderNotWritable.
    """
    open(target, "wb", opener=private_opener).close()
    try:
        connection.execute(f"ATTACH DATABASE ? AS other KEY {key_literal(key) if key else repr('')}", (str(target),))
        # Synced as a whole by the caller.
        connection.execute("PRAGMA other.synchronous = OFF")
        connection.execute("PRAGMA other.journal_mode = MEMORY")
        connection.execute("SELECT sqlcipher_export('other')")
        version = connection.execute("PRAGMA main.user_version").fetchone()[0]
        connection.execute(f"PRAGMA other.user_version = {version}")
        connection.execute("DETACH DATABASE other")
        # Attached anew, so that what was written is read and not what is remembered of it.
        connection.execute(f"ATTACH DATABASE ? AS other KEY {key_literal(key) if key else repr('')}", (str(target),))
        is_whole = _has_same_rows(connection)
        connection.execute("DETACH DATABASE other")
    except sqlite_access.SQLITE_ERRORS + (OSError,) as error:
        raise problem_of_error(error, target) or DatabaseDamaged(str(target)) from error
    if not is_whole:
        raise DatabaseDamaged(str(target))


def copy_file_database(source: Path, target: Path, source_key: bytes, target_key: bytes) -> None:
    """Copy a database that nobody writes to, such as a daily copy; as `copy_database`."""
    held = source_key or target_key  # only SQLCipher can attach the other one
    with closing(connect_file(source, "ro", key=held)) as connection:
        copy_database(connection, target, target_key)


def move_paths(database: Path, key: bytes, old: Path, new: Path) -> None:
    """Replace a folder at the beginning of the paths of documents."""
    with closing(connect_file(database, "rw", key=key)) as connection:
        beginning = os.fsencode(old) + os.fsencode(os.sep)
        if not connection.execute("SELECT 1 FROM sqlite_schema WHERE name = 'documents'").fetchone():
            return
        rows = connection.execute("SELECT id, path FROM documents").fetchall()
        for number, path in rows:
            if bytes(path).startswith(beginning):
                moved = os.fsencode(new / os.fsdecode(bytes(path)[len(beginning) :]))
                connection.execute("UPDATE documents SET path = ? WHERE id = ?", (moved, number))


def _has_same_rows(connection: sqlite3.Connection) -> bool:
    """Return whether both attached databases have the same tables with the same rows in the same order."""
    tables = _read_tables(connection, "main")
    if tables != _read_tables(connection, "other"):
        return False
    before, connection.text_factory = connection.text_factory, bytes  # whatever is no UTF-8 is compared, too
    try:
        return all(_has_same_content(connection, name) for name in tables)
    finally:
        connection.text_factory = before


def _has_same_content(connection: sqlite3.Connection, table: str) -> bool:
    # In the order of the table itself: an index that both could be read by may be in another one.
    mine, copied = (
        map(tuple, connection.execute(f'SELECT * FROM {schema}."{table}" NOT INDEXED')) for schema in ("main", "other")
    )
    return all(row == other for row, other in zip_longest(mine, copied))


def _read_tables(connection: sqlite3.Connection, schema: str) -> dict[str, str]:
    return dict(
        connection.execute(
            f"SELECT name, coalesce(sql, '') FROM {schema}.sqlite_schema"
            " WHERE type = 'table' AND rootpage > 0 AND name NOT LIKE 'sqlite_stat%'"
        ).fetchall()
    )
