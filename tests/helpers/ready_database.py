"""New databases begin as copies of one that the program made, which is most of what opening a new one costs.

Only in the process that runs tests: the program's own processes make theirs, and so do the tests of the store.
"""

from __future__ import annotations

import functools
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from unittest.mock import patch

from app.store import database
from app.store.migrations import MIGRATIONS, Migrations

OPENED, MIGRATED = database._open_ready, database.migrate_file
IN_MEMORY = Path(":memory:")


@functools.cache
def _new_file() -> bytes:
    """Of an empty database, as it lies on the disk once it is closed."""
    with TemporaryDirectory(prefix="fireside-new-") as folder:
        path = Path(folder) / "new.db"
        path.touch()
        OPENED(path, MIGRATIONS).close()
        return path.read_bytes()


@functools.cache
def _new_pages() -> sqlite3.Connection:
    """The same in memory, to be copied from by whatever thread."""
    pages = sqlite3.connect(IN_MEMORY, isolation_level=None, check_same_thread=False)
    database._set_up(pages)
    MIGRATED(pages, IN_MEMORY)
    return pages


def open_copied(path: Path, migrations: Migrations) -> sqlite3.Connection:
    """As the store opens a file; a new one has its schema before."""
    if migrations is MIGRATIONS and path.stat().st_size == 0:
        path.write_bytes(_new_file())
    return OPENED(path, migrations)


def migrate_copied(connection: sqlite3.Connection, path: Path, *migrations: Any) -> None:
    """As the store migrates; what is in memory and empty gets its schema at once."""
    if path == IN_MEMORY and not connection.execute("PRAGMA schema_version").fetchone()[0]:
        _new_pages().backup(connection)
    MIGRATED(connection, path, *migrations)


@contextmanager
def begin_as_copies() -> Iterator[None]:
    """New databases of this process have their schema at once."""
    with patch.object(database, "_open_ready", open_copied), patch.object(database, "migrate_file", migrate_copied):
        yield
