"""SQLite connection behind one lock: opening, checking, migrating, and mapping errors."""

from __future__ import annotations

import errno
import logging
import os
import shutil
import sqlite3
import threading
import time
import unicodedata
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from operator import methodcaller
from pathlib import Path
from typing import cast

from app.core.errors.app_error import AppError
from app.core.errors.database_errors import DatabaseAltered, DatabaseDamaged, MigrationFailed
from app.core.errors.lock_errors import DatabaseNotEncrypted, DataLocked
from app.core.errors.saving_errors import DiskFailing, DiskFull, DiskReadOnly, FolderNotWritable
from app.core.paths import disk_problem, is_locked
from app.store import recovery, sqlite_access
from app.store.migrations import (
    MIGRATIONS,
    Migrations,
    back_up,
    check_version,
    migrate_file,
    schema_version,
    steps_up_to,
)
from app.store.schema import read_schema
from app.store.sqlite_access import BUSY_TIMEOUT_S, ReopenedConnection, connect_file, has_key, is_encrypted, row_class

log = logging.getLogger(__name__)

IN_MEMORY_IDS = 1 << 30
"""First id of in-memory databases, so that ids never collide with the file's; fits 32 bits, as Qt's signals need."""
LARGEST_IN_MEMORY_BYTES = 1 << 30
ALMOST_NOTHING_BYTES = 1_000_000
# SQLite counts such small files as empty; the smallest page is 512 bytes.
SMALLEST_BYTES = 512
RECOVERING, RECOVERED = ".recovering", ".recovered"

_PLACE_CODES = (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM)
# NOTADB: the beginning of the file is not SQLite's.
_DAMAGE_CODES = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


class Database:
    """The open file. Every statement runs inside `transaction` or `reading`, from any thread."""

    moved_aside: Path | None
    """New path of a damaged file, moved with its -wal and -shm; None if it was sound."""
    recovered: recovery.RecoveredParts | None
    """Contents recovered from the damaged file; None if nothing could be read."""

    def __init__(
        self,
        connection: sqlite3.Connection,
        path: Path,
        moved_aside: Path | None,
        recovered: recovery.RecoveredParts | None = None,
    ) -> None:
        self.path = path
        self.has_room = True
        """True if the disk had room for the journal; without it everything can be read, and writing says DiskFull."""
        self.is_closed = False
        self.moved_aside = moved_aside
        self.recovered = recovered
        self._connection = connection
        # The module's own check of threads is off (`check_same_thread`), since this lock orders them.
        self._lock = threading.Lock()

    @classmethod
    def open(cls, path: Path, migrations: Migrations = MIGRATIONS) -> Database:
        """Open or create the file. A damaged file is moved aside and what is readable is copied to a new one.

        Raises DataLocked, DatabaseNotEncrypted, DatabaseNewer, DatabaseOlder, DatabaseAltered, FolderNotWritable,
        DiskFull or MigrationFailed; the old file is then unchanged.
        """
        # Without the key an encrypted file looks like a damaged one.
        if not has_key() and is_locked(path.parent):
            raise DataLocked(str(path.parent))
        # Opened as it is, new words would be written unencrypted, and no daily copy could be made of it.
        if has_key() and is_locked(path.parent) and sqlite_access.is_open_file(path):
            raise DatabaseNotEncrypted(str(path))
        try:
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)  # chats are nobody else's business
            moved_aside = recovered = None
            # A recovery that was interrupted is finished before anything looks at the file.
            _finish_recovery(path)
            if not _is_usable(path, migrations):
                recovered = _recover_file(path, migrations)
                moved_aside = recovery.move_aside(path)
                _finish_recovery(path)
            if not path.exists():
                path.touch(mode=0o600)  # SQLite gives its journals the same
            return cls(_open_ready(path, migrations), path, moved_aside, recovered)
        except sqlite_access.SQLITE_ERRORS + (OSError,) as error:
            problem = problem_of_error(error, path)
            # On a full disk there is no room for a journal, but everything can still be read.
            if isinstance(problem, DiskFull) and (connection := _without_room(path, max(migrations))) is not None:
                database = cls(connection, path, None)
                database.has_room = False
                return database
            # Errors without a cause on the disk may come from tables that another program has changed.
            if problem is None and _is_altered(path, migrations):
                problem = DatabaseAltered(str(path))
            if problem is None:
                raise
            raise problem from error
        except MigrationFailed as error:
            if _is_altered(path, migrations):
                raise DatabaseAltered(str(path)) from error
            raise

    @classmethod
    def in_memory(cls, copied: Path | None = None) -> Database:
        """Return a database that lives as long as it is open, empty or a file's copy; nothing of it ever reaches a
        disk.

        It gives out no ids that the file gives out, so that what is said of one is never taken for the other. Raises
        DiskFull when the file cannot be copied, MigrationFailed when it cannot be brought to the newest schema.
        """
        connection = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
        # Sorts and temporary tables too: nothing of a temporary chat may reach the disk.
        connection.execute("PRAGMA temp_store = MEMORY")
        if copied is not None:
            _copy_without_room(copied, connection)
        _set_up(connection)
        migrate_file(connection, Path(":memory:"))
        # What AUTOINCREMENT gave out last is moved up, so that both databases never use the same id.
        for table in ("conversations", "messages", "documents", "attachments", "pages", "queued_messages"):
            connection.execute("DELETE FROM sqlite_sequence WHERE name = ?", (table,))
            connection.execute("INSERT INTO sqlite_sequence (name, seq) VALUES (?, ?)", (table, IN_MEMORY_IDS))
        return cls(connection, Path(":memory:"), None)

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Open a write transaction: commits at the end, rolls back on any exception.

        Raises DiskFull, FolderNotWritable or DatabaseDamaged; the connection stays usable.
        """
        # IMMEDIATE: a lock taken later in the transaction could fail with "busy" and lose what was done.
        with self._begin_transaction("BEGIN IMMEDIATE") as connection:
            yield connection

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """Open a read transaction: all statements see the same snapshot."""
        with self._begin_transaction("BEGIN") as connection:
            yield connection

    def is_sound(self) -> bool:
        """Check every page of the file. Takes a while, on a connection of its own, so nothing else waits.

        Raises DiskFailing and the like where the file can't be read just now, which says nothing about its content.
        """
        try:
            with closing(connect_file(self.path, "ro")) as check:
                return recovery.is_sound(check)
        except sqlite_access.OPERATIONAL_ERRORS as error:
            raise problem_of_error(error, self.path) or error from error
        except sqlite_access.DATABASE_ERRORS:
            return False  # a page so broken that the check itself ends at it

    def copy_to(self, target: Path) -> None:
        """Copy the database as of now while it stays in use.

        Raises DiskFull, FolderNotWritable or DatabaseDamaged, leaving no partial copy.
        """
        try:
            if self.path == Path(":memory:"):
                # A database in memory can only be copied through its own connection.
                with self._lock:
                    back_up(self._connection, target)
            else:
                with closing(connect_file(self.path, "ro")) as source:
                    back_up(source, target)
            with closing(connect_file(target, "rw")) as copy:
                copy.execute("PRAGMA journal_mode = DELETE")  # else whoever looks into it leaves files beside it
        except sqlite_access.SQLITE_ERRORS + (OSError,) as error:
            problem = problem_of_error(error, target)
            if problem is None:
                raise
            raise problem from error

    def empty_journal(self) -> None:
        """Checkpoint the WAL into the file and truncate it, unless another program is reading.

        Raises DiskFull, FolderNotWritable or DatabaseDamaged.
        """
        with self._lock:
            try:
                self._connection.execute("PRAGMA busy_timeout = 0")  # nobody here waits for the other program
                self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            except sqlite_access.SQLITE_ERRORS as error:
                problem = problem_of_error(error, self.path)
                # "Busy" is no failure: the next call empties it.
                if problem is not None:
                    raise problem from error
                log.info("the journal stays as it is: %s", error)
            finally:
                self._connection.execute(f"PRAGMA busy_timeout = {round(BUSY_TIMEOUT_S * 1000)}")

    def close(self) -> None:
        """Close the connection, which merges the WAL into the file; safe to call twice."""
        with self._lock:
            self.is_closed = True
            self._connection.close()

    @contextmanager
    def _begin_transaction(self, begin: str) -> Iterator[sqlite3.Connection]:
        # One connection for all threads: SQLite would make them wait for each other anyway.
        with self._lock:
            try:
                self._connection.execute(begin)
                yield self._connection
                self._connection.execute("COMMIT")
            except BaseException as error:  # also KeyboardInterrupt: an open transaction would keep all others out
                self._roll_back()
                problem = problem_of_error(error, self.path)
                # Refused statements name a missing column or table: the schema is not ours any more.
                is_refused = isinstance(error, sqlite_access.OPERATIONAL_ERRORS) and problem is None
                if is_refused and _is_altered(self.path, MIGRATIONS):
                    problem = DatabaseAltered(str(self.path))
                if problem is None:
                    raise
                raise problem from error

    def _roll_back(self) -> None:
        if self._connection.in_transaction:  # SQLite ends it by itself after some failures
            try:
                self._connection.execute("ROLLBACK")
            except sqlite_access.SQLITE_ERRORS as error:  # the first failure is the one to tell
                log.error("rollback failed: %s", error.sqlite_errorname)


def copied_schema(path: Path) -> int:
    """Return the schema version of a private copy; 0 if it isn't a sound database.

    Raises DatabaseNewer or DatabaseOlder.
    """
    try:
        # Read-only, so that a stranger's file is neither migrated nor given a journal.
        with closing(connect_file(path, "ro")) as copy:
            return max(0, check_version(copy, path, MIGRATIONS)) if recovery.is_sound(copy) else 0
    except sqlite_access.SQLITE_ERRORS:
        return 0


def prepare_copy(path: Path) -> None:
    """Migrate and check a private copy, and leave it as one file without a WAL.

    Raises DatabaseNewer, DatabaseOlder, DatabaseDamaged, DatabaseAltered, MigrationFailed, DiskFull or
    FolderNotWritable.
    """
    try:
        if copied_schema(path) < 1:
            raise DatabaseDamaged(str(path))
        with closing(connect_file(path, "rw")) as copy:
            _set_up(copy)
            # Nothing may differ, since triggers and views of a stranger would run here.
            if not _has_own_schema(copy, MIGRATIONS):
                raise DatabaseAltered(str(path))
            migrate_file(copy, Path(":memory:"))  # a copy needs no copy beside it
            recovery.rebuild_newer_indexes(copy)
            copy.execute("PRAGMA journal_mode = DELETE")
    except sqlite_access.SQLITE_ERRORS as error:
        raise problem_of_error(error, path) or DatabaseDamaged(str(path)) from error


@contextmanager
def open_copy(path: Path) -> Iterator[Database]:
    """Open a private copy, such as a snapshot, for changes; it stays one file without a WAL.

    Raises as `prepare_copy`.
    """
    prepare_copy(path)
    try:
        with closing(connect_file(path, "rw")) as connection:
            _set_up(connection)
            _set_up_writing(connection)
            yield Database(connection, path, None)
    except sqlite_access.SQLITE_ERRORS as error:
        raise problem_of_error(error, path) or DatabaseDamaged(str(path)) from error


@contextmanager
def read_copy(path: Path) -> Iterator[sqlite3.Connection]:
    """Open a private copy read-only, whatever its schema. Raises sqlite3.Error if it can't be read."""
    with closing(connect_file(path, "ro")) as connection:
        connection.row_factory = row_class(connection)
        yield connection


def _has_own_schema(connection: sqlite3.Connection, migrations: Migrations) -> bool:
    """Return whether a database has what the steps up to its version make of an empty one."""
    # The schema is made in memory by the same steps, so there is no second description of it to keep up.
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as new:
        _set_up(new)
        migrate_file(new, Path(":memory:"), steps_up_to(schema_version(connection), migrations))
        return read_schema(connection) == read_schema(new)


def _is_altered(path: Path, migrations: Migrations) -> bool:
    """Return whether a file has other tables than its schema's number says."""
    if path == Path(":memory:") or not _size_bytes(path):
        return False
    try:
        with closing(connect_file(path, "ro")) as check:
            return schema_version(check) < 0 or not _has_own_schema(check, migrations)
    except sqlite_access.SQLITE_ERRORS + (OSError,):
        return False


_COUNTED = {
    "chats": "conversations WHERE deleted_at IS NULL",
    "messages": "messages WHERE deleted_at IS NULL",
    "projects": "projects WHERE deleted_at IS NULL",
    "assistants": "assistants WHERE deleted_at IS NULL",
    "memories": "memories WHERE deleted_at IS NULL",
    "prompts": "prompts WHERE deleted_at IS NULL",
    "summaries": "jobs WHERE kind = 'summary' AND deleted_at IS NULL",
    "translations": "jobs WHERE kind = 'translation' AND deleted_at IS NULL",
    "pages": "pages WHERE deleted_at IS NULL",
}


def copied_counts(path: Path) -> dict[str, int]:
    """Count the items of each kind in a private copy."""
    with closing(connect_file(path, "ro")) as copy:
        return {
            name: int(copy.execute(f"SELECT count(*) FROM {where}").fetchone()[0]) for name, where in _COUNTED.items()
        }


def is_let_go(path: Path) -> bool:
    """Return whether no program has a database open; its journal is in it then."""
    if not _size_bytes(path):
        return True
    try:
        with closing(connect_file(path, "rw")) as connection:
            connection.execute("PRAGMA busy_timeout = 0")
            # only the one who is alone may leave the write-ahead log
            # "delete" is what SQLite answers when nobody else has the log open.
            return bool(connection.execute("PRAGMA journal_mode = DELETE").fetchone()[0] == "delete")
    except sqlite_access.DATABASE_ERRORS as error:
        return error.sqlite_errorcode & 0xFF in _DAMAGE_CODES


def fold_text(text: str) -> str:
    """Fold text for comparing regardless of case and Latin accents, in every script."""
    # NFKD twice: folding can make letters that are composed again.
    plain = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).casefold())
    return "".join(character for character in plain if not "\u0300" <= character <= "\u036f")


def _is_usable(path: Path, migrations: Migrations) -> bool:
    """Return whether the path holds a sound database of ours, or nothing."""
    if path.is_dir():  # some file systems give a folder no size; opening it says what is wrong
        return True
    size_bytes, wal_bytes = (_size_bytes(path.with_name(path.name + suffix)) for suffix in ("", "-wal"))
    if size_bytes < SMALLEST_BYTES:  # SQLite would take it as new, and delete the journal
        return size_bytes == wal_bytes == 0
    try:
        # Read-only: otherwise closing the last connection would delete the journal of a damaged file.
        # Only a first start that was killed leaves a -journal, which SQLite must be allowed to undo.
        with closing(
            connect_file(path, "rw" if _size_bytes(path.with_name(path.name + "-journal")) else "ro")
        ) as check:
            check.execute("BEGIN")  # one moment: another Fireside may be making the file just now
            found = check_version(check, path, migrations)
            if found < 0:
                raise DatabaseAltered(str(path))
            # The usual start checks little; only what was noted while working leads to a look at every page.
            if not recovery.is_suspect(path):
                return not recovery.is_damaged(check, path, found)
        with closing(connect_file(path)) as repair:
            return recovery.is_mended(repair, path)
    except sqlite_access.DATABASE_ERRORS as error:
        if error.sqlite_errorcode & 0xFF in _DAMAGE_CODES:
            return False
        raise


def _recover_file(path: Path, migrations: Migrations) -> recovery.RecoveredParts | None:
    """Copy what is readable of a damaged file into a complete new one next to it; None if nothing is."""
    if _size_bytes(path) < SMALLEST_BYTES:
        return None
    scratch, whole = (path.with_name(path.name + suffix) for suffix in (RECOVERING, RECOVERED))
    scratch.unlink(missing_ok=True)
    try:
        with closing(ReopenedConnection(path, _set_up_damaged)) as reopened:
            damaged = cast("sqlite3.Connection", reopened)
            version = _version_in(damaged, migrations)
            if version == 0:  # another program's
                return None
            scratch.touch(mode=0o600)
            with closing(connect_file(scratch)) as new:
                _set_up(new)
                # The schema that the file had, so that all rows fit; newer steps follow when it is opened.
                migrate_file(new, scratch, steps_up_to(version, migrations))
                # What is still in the journal is in no page of the file, so pages alone would show an old state.
                # Encrypted pages show nothing at all.
                is_whole = not (is_encrypted(path) or _size_bytes(path.with_name(path.name + "-wal")))
                found = recovery.recover_rows(damaged, new, path if is_whole else None)
    except sqlite_access.DATABASE_ERRORS as error:
        if error.sqlite_errorcode & 0xFF not in _DAMAGE_CODES:
            raise
        log.info("nothing of a damaged database can be read: %s", error)
        found = None
    if found is None or not found.rows:  # an empty new file would be taken for all that there was
        scratch.unlink(missing_ok=True)
        return None
    # The second name says that the copy is complete: a program killed before it begins again.
    scratch.replace(whole)
    return found


def _version_in(damaged: sqlite3.Connection, migrations: Migrations) -> int:
    """Return the schema of a damaged file; the newest where even that cannot be read."""
    with suppress(*sqlite_access.DATABASE_ERRORS):
        if (version := schema_version(damaged)) == 0 or version in migrations:
            return version
    return max(migrations)


def _finish_recovery(path: Path) -> None:
    """Give a recovered file its final name, also if the program ended just before doing so."""
    whole = path.with_name(path.name + RECOVERED)
    if whole.exists() and not path.exists():
        whole.replace(path)


def _size_bytes(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:  # another program may have just taken it away
        return 0


def _open_ready(path: Path, migrations: Migrations) -> sqlite3.Connection:
    connection = connect_file(path)
    try:
        _set_up(connection)
        _use_wal(connection)
        _set_up_writing(connection)
        migrate_file(connection, path, migrations)
        recovery.rebuild_newer_indexes(connection)
        connection.execute("BEGIN IMMEDIATE")  # says now, not at the first message, that nothing can be written
        connection.execute("ROLLBACK")
    except BaseException:
        connection.close()
        raise
    return connection


def _without_room(path: Path, version: int) -> sqlite3.Connection | None:
    """Open the file read-only on a full disk, if it needs no migration.

    The lock is exclusive, because SQLite could not create its shared-memory file.
    """
    if _size_bytes(path) < SMALLEST_BYTES:
        return None
    connection = connect_file(path, "rw")
    try:
        _set_up(connection)
        connection.execute("PRAGMA locking_mode = EXCLUSIVE")  # the index of the journal is then not on the disk
        if schema_version(connection) == version:
            _set_up_writing(connection)  # there may be room later
            return connection
    except sqlite_access.SQLITE_ERRORS as error:
        log.info("a database on a full disk cannot be read: %s", error)
    connection.close()
    return None


def _copy_without_room(path: Path, target: sqlite3.Connection) -> None:
    # It has to fit into memory, where there is no encryption to copy pages into.
    if _size_bytes(path) > LARGEST_IN_MEMORY_BYTES or is_encrypted(path):
        raise DiskFull(str(path.parent))
    try:
        with closing(connect_file(path, "rw")) as connection:
            connection.execute("PRAGMA locking_mode = EXCLUSIVE")
            connection.backup(target)
    except sqlite_access.SQLITE_ERRORS as error:
        log.info("a database on a full disk cannot be copied: %s", error)
        raise DiskFull(str(path.parent)) from error


def _set_up_writing(connection: sqlite3.Connection) -> None:
    # FULL syncs the log at every commit, so that a power cut costs what was not yet saved and nothing more.
    # NORMAL would be faster and could lose everything since the last checkpoint, about a thousand pages.
    connection.execute("PRAGMA synchronous = FULL")
    # Bytes; without it a journal keeps the size of the largest transaction for ever.
    connection.execute("PRAGMA journal_size_limit = 4000000")
    connection.execute("PRAGMA secure_delete = ON")  # for the full-text indexes see `erasing`


def _set_up_damaged(connection: sqlite3.Connection) -> None:
    _set_up(connection)
    connection.execute("PRAGMA writable_schema = ON")  # else nothing at all is read of a file that was cut


def _set_up(connection: sqlite3.Connection) -> None:
    connection.row_factory = row_class(connection)
    # One bad byte costs one character. Not a lambda: a long chat has tens of thousands of texts.
    connection.text_factory = methodcaller("decode", "utf-8", "replace")
    # For comparing regardless of case and accents in all scripts; SQLite knows ASCII only.
    connection.create_function("fold", 1, fold_text, deterministic=True)
    connection.execute("PRAGMA foreign_keys = ON")  # off by default, and per connection


def _use_wal(connection: sqlite3.Connection) -> None:
    deadline_s = time.monotonic() + BUSY_TIMEOUT_S
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite_access.OPERATIONAL_ERRORS as error:
            # Two programs making the same new file: SQLite does not wait by itself for this one statement.
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > deadline_s:
                raise
            time.sleep(0.01)


def problem_of_error(error: BaseException, path: Path) -> AppError | None:
    """Return the situation behind a failure of the disk or of the file; None for everything else."""
    if isinstance(error, OSError):
        return disk_problem(error, path.parent)
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF if isinstance(error, sqlite_access.SQLITE_ERRORS) else 0
    # SQLCipher gives no code where a copy fails.
    if isinstance(error, sqlite_access.SQLITE_ERRORS) and not hasattr(error, "sqlite_errorcode") and _is_full(path):
        return DiskFull(str(path.parent))
    return _problem_of_code(code, path)


def _problem_of_code(code: int, path: Path) -> AppError | None:
    folder = str(path.parent)
    # Some systems report a full disk as a general failure of reading and writing.
    if code == sqlite3.SQLITE_FULL or (code == sqlite3.SQLITE_IOERR and _is_full(path)):
        return DiskFull(folder)
    # Whatever SQLite, or a full-text index within it, makes of a disk that cannot even be read.
    if code in (*_PLACE_CODES, *_DAMAGE_CODES, sqlite3.SQLITE_IOERR) and _is_failing(path):
        return DiskFailing(folder)
    if code in _PLACE_CODES or code == sqlite3.SQLITE_IOERR:
        return DiskReadOnly(folder) if _is_read_only(path.parent) else FolderNotWritable(folder)
    if code in _DAMAGE_CODES:
        # The next start looks at every page, since this one can't say how much is lost.
        recovery.mark_suspect(path)
        return DatabaseDamaged(str(path))
    return None


def _is_failing(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            file.read(SMALLEST_BYTES)
    except OSError as error:
        return error.errno == errno.EIO
    return False


def _is_read_only(folder: Path) -> bool:
    try:
        return bool(os.statvfs(folder).f_flag & os.ST_RDONLY)
    # Windows has no such call, and there a folder that is gone says it elsewhere.
    except (AttributeError, OSError):
        return False


def _is_full(path: Path) -> bool:
    try:
        return shutil.disk_usage(path.parent).free < ALMOST_NOTHING_BYTES
    except OSError:
        return False


def open_database(path: Path) -> Database:
    """Open the database. On a full disk it is read-only; a new one, or the copy for an upgrade, is then in memory."""
    try:
        return Database.open(path)
    except DiskFull:
        has_chats = path.exists() and path.stat().st_size > 0
        return Database.in_memory(path if has_chats else None)
