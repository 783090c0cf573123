"""Migration of a database file to the newest schema, in one transaction and after a backup."""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Callable, Mapping
from contextlib import closing
from pathlib import Path

from app.core.errors.database_errors import DatabaseNewer, DatabaseOlder, MigrationFailed
from app.core.synced_files import place_file
from app.store import sqlite_access
from app.store.schema import create_schema

log = logging.getLogger(__name__)

Migration = Callable[[sqlite3.Connection], None]
Migrations = Mapping[int, Migration]
"""Steps by the version that each makes, in order. The first makes the schema in an empty file; released ones stay."""

# The numbers begin where the program was before its first release, so that files of then open unchanged.
MIGRATIONS: Migrations = {12: create_schema}


def schema_version(connection: sqlite3.Connection) -> int:
    """Return the version of a file's schema; 0 for a new one."""
    # SQLite keeps this number in the header of the file, for the program's own use.
    version: int = connection.execute("PRAGMA user_version").fetchone()[0]
    return version


def steps_up_to(version: int, migrations: Migrations) -> Migrations:
    """Return the steps that make the schema of a version."""
    return {number: step for number, step in migrations.items() if number <= version}


def check_version(connection: sqlite3.Connection, path: Path, migrations: Migrations) -> int:
    """Return the version of a file's schema. Raises DatabaseNewer or DatabaseOlder if no step leads on from it."""
    found, oldest, newest = schema_version(connection), min(migrations, default=0), max(migrations, default=0)
    if found > newest:
        raise DatabaseNewer(str(path), found, newest)
    if 0 < found < oldest:
        raise DatabaseOlder(str(path), found, oldest)
    return found


def migrate_file(connection: sqlite3.Connection, path: Path, migrations: Migrations = MIGRATIONS) -> None:
    """Migrate the file in one transaction, after a backup next to it.

    Raises DatabaseNewer or DatabaseOlder with the file untouched, or MigrationFailed with the file as it was.
    """
    found, newest = check_version(connection, path, migrations), max(migrations, default=0)
    if found == newest:
        return
    if found > 0 and path.exists():  # a copy in memory is one already
        back_up(connection, path.with_name(f"{path.name}.before-v{newest}"))
    connection.execute("PRAGMA foreign_keys = OFF")  # steps may rebuild tables; checked as a whole before the commit
    connection.execute("BEGIN IMMEDIATE")
    try:
        found = schema_version(connection)  # another program may have migrated meanwhile
        for number, step in migrations.items():
            if number > found:
                _run_step(step, number, connection, path)
        connection.execute("COMMIT")
    # Whatever happens, the file is left as it was; the steps together are one transaction.
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
    connection.execute("PRAGMA foreign_keys = ON")


def back_up(connection: sqlite3.Connection, target: Path) -> None:
    """Copy through SQLite's backup API; the copy gets its name only when complete."""
    # A copy that was broken off must not look like a backup.
    scratch = target.with_name(target.name + ".part")
    scratch.unlink(missing_ok=True)
    try:
        scratch.touch(mode=0o600)
        with closing(sqlite_access.connect_file(scratch)) as copy:
            connection.backup(copy)
        place_file(scratch, target)
    except BaseException:
        scratch.unlink(missing_ok=True)
        raise


def _run_step(step: Migration, number: int, connection: sqlite3.Connection, path: Path) -> None:
    try:
        step(connection)
        # Checked after each step, so that the message names the step that is wrong.
        problem = connection.execute("PRAGMA foreign_key_check").fetchone()
    except sqlite_access.OPERATIONAL_ERRORS as error:
        if error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_ERROR:
            raise MigrationFailed(str(path), number, str(error)) from error
        raise  # the disk, not the step: `Database` says which
    except sqlite_access.SQLITE_ERRORS + (ArithmeticError, LookupError, TypeError, ValueError) as error:
        raise MigrationFailed(str(path), number, f"{type(error).__name__}: {error}") from error
    if problem is not None or not connection.in_transaction:
        raise MigrationFailed(str(path), number, "left its transaction or broken references")
    connection.execute(f"PRAGMA user_version = {number}")
    log.info("database schema is now %d", number)
