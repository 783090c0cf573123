"""Connections to SQLite files: the standard library's, or SQLCipher's while this process holds the key of a lock.

SQLCipher is imported only with a key. Its errors aren't those of the standard library, so whatever catches errors of
SQLite names the tuples of this module.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, cast
from urllib.parse import quote

BUSY_TIMEOUT_S = 5.0
"""Time to wait for another Fireside (window and terminal at once) to end its transaction."""
PLAIN_HEADER = b"SQLite format 3\0"
KEY_BYTES = 48
"""A key of 32 bytes for AES-256, and the salt of 16 that SQLCipher derives the key of its checksums with."""

SQLITE_ERRORS: tuple[type[sqlite3.Error], ...] = (sqlite3.Error,)
DATABASE_ERRORS: tuple[type[sqlite3.DatabaseError], ...] = (sqlite3.DatabaseError,)
OPERATIONAL_ERRORS: tuple[type[sqlite3.OperationalError], ...] = (sqlite3.OperationalError,)


class _HeldKey:
    """The key of this process's data; one process has one home."""

    key: bytes = b""


def hold_key(key: bytes) -> None:
    """Use the key for every file that is encrypted or new, until `drop_key`. Raises ImportError without SQLCipher."""
    load_sqlcipher()
    _HeldKey.key = key


def drop_key() -> None:
    """Forget the key; connections that are open stay so."""
    _HeldKey.key = b""


def has_key() -> bool:
    return bool(_HeldKey.key)


def held_key() -> bytes:
    return _HeldKey.key


def load_sqlcipher() -> Any:
    """Import SQLCipher's module and add its errors to those that are caught."""
    global SQLITE_ERRORS, DATABASE_ERRORS, OPERATIONAL_ERRORS  # noqa: PLW0603 - read anew by each `except`
    from sqlcipher3 import dbapi2 as module

    SQLITE_ERRORS = (sqlite3.Error, module.Error)
    DATABASE_ERRORS = (sqlite3.DatabaseError, module.DatabaseError)
    OPERATIONAL_ERRORS = (sqlite3.OperationalError, module.OperationalError)
    return module


def connect_file(path: Path, mode: str = "rwc", *, key: bytes | None = None) -> sqlite3.Connection:
    """Open a file: with a key by SQLCipher, which reads open files as well; `key` None uses the held one."""
    key = _HeldKey.key if key is None else key
    place = path.absolute().as_posix()
    # Bytes are quoted: a path may hold what is no UTF-8, or a question mark, which would begin the parameters.
    address = f"file://{'' if place.startswith('/') else '/'}{quote(os.fsencode(place))}?mode={mode}"
    # isolation_level None: transactions begin where `Database` says so, not where the module guesses.
    options: dict[str, Any] = {"timeout": BUSY_TIMEOUT_S, "isolation_level": None, "check_same_thread": False}
    if not key:
        connection: sqlite3.Connection = sqlite3.connect(address, uri=True, **options)
        return connection
    connection = cast("sqlite3.Connection", load_sqlcipher().connect(address, uri=True, **options))
    silence_log(connection)
    if not is_open_file(path):
        connection.execute(f"PRAGMA key = {key_literal(key)}")
    return connection


class ReopenedConnection:
    """A damaged file for reading: SQLCipher refuses everything after one page that it can't decrypt, so it is opened
    anew for whatever is asked after that.
    """

    def __init__(self, path: Path, set_up: Callable[[sqlite3.Connection], object]) -> None:
        self._path, self._set_up = path, set_up
        self._connection = self._open()

    def execute(self, sql: str, values: Sequence[Any] = ()) -> sqlite3.Cursor:
        try:
            return self._connection.execute(sql, values)
        except DATABASE_ERRORS:
            if not is_encrypted(self._path):
                raise
            self._connection.close()
            self._connection = self._open()
            return self._connection.execute(sql, values)

    def close(self) -> None:
        self._connection.close()

    def _open(self) -> sqlite3.Connection:
        connection = connect_file(self._path, "ro")
        self._set_up(connection)
        return connection


def silence_log(connection: sqlite3.Connection) -> None:
    """Keep SQLCipher from writing to standard error; what goes wrong is raised, too."""
    connection.execute("PRAGMA cipher_log_level = NONE")


def key_literal(key: bytes) -> str:
    """Return a key as SQL; bytes as hexadecimal digits, so nothing has to be escaped."""
    return f"\"x'{key.hex()}'\""


def is_open_file(path: Path) -> bool:
    """Return whether a file is a database that isn't encrypted."""
    try:
        with path.open("rb") as file:
            return file.read(len(PLAIN_HEADER)) == PLAIN_HEADER
    except OSError:
        return False


def is_encrypted(path: Path) -> bool:
    """Return whether this process would read a file through its key."""
    return has_key() and not is_open_file(path)


def row_class(connection: sqlite3.Connection) -> Any:
    """Return the class of rows that can be read by name; each module takes its own only."""
    return sqlite3.Row if isinstance(connection, sqlite3.Connection) else load_sqlcipher().Row
