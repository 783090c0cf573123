"""What was deleted is gone: out of the full-text indexes, the journal, and the copies that upgrades leave.

FTS5 deletes by adding a note; the words and their places stay in older parts of the index, from which the text can be
rebuilt. Its option `secure-delete` takes an entry out at once, which is right for one message and takes 40 times as
long for a book. So it is on in general, off from where much is deleted until the parts of the index were merged: what
the option says is also the note, kept with the index, that there is something to merge.
"""

from __future__ import annotations

import logging
import sqlite3

from app.core.paths import disk_problem
from app.store.database import Database
from app.store.recovery import full_text_indexes

log = logging.getLogger(__name__)

CAN_DELETE_SECURELY = sqlite3.sqlite_version_info >= (3, 42)
"""Otherwise the parts are merged at every start."""
MERGED_PAGES = 200
"""Of the index in one transaction; others wait for the database no longer than that takes."""
BACKUP_KEPT_S = 7 * 24 * 3600.0
"""A week of use shows whether an upgrade went well."""


def leave_traces(connection: sqlite3.Connection, index: str) -> None:
    """What this transaction deletes is only noted in an index, quickly; `erase_traces` is to follow."""
    _set_secure(connection, index, is_on=False)


def erase_traces(database: Database) -> None:
    """Takes what was deleted out of every index and out of the journal; slow after much was, for a thread of its own.

    What is stopped half-way is taken up by the next call. May raise DiskFull or FolderNotWritable.
    """
    with database.reading() as connection:
        indexes = [index for index in full_text_indexes(connection) if not _is_secure(connection, index)]
    while indexes:
        with database.transaction() as connection:
            indexes = [index for index in indexes if _goes_on(connection, index)]
    database.empty_journal()


def remove_old_backups(database: Database, now_s: float) -> None:
    """Deletes the copies that upgrades left a week ago or earlier, once every page of the database that is used now was
    found to be sound. May raise FolderNotWritable.
    """
    path = database.path
    copies = path.parent.glob(f"{path.name}.before-v*")
    old = [copy for copy in copies if now_s - copy.stat().st_mtime > BACKUP_KEPT_S]
    if not old or not database.is_sound():
        return
    for copy in old:
        try:
            copy.unlink(missing_ok=True)
        except OSError as error:
            raise disk_problem(error, path.parent) from error
        log.info("%s is not needed any more and was deleted", copy.name)


def _goes_on(connection: sqlite3.Connection, index: str) -> bool:
    """Merges some more of an index; whether that was not yet all."""
    if _merges(connection, index, MERGED_PAGES) or _merges(connection, index, -MERGED_PAGES):
        return True
    _set_secure(connection, index, is_on=True)
    return False


def _merges(connection: sqlite3.Connection, index: str, pages: int) -> bool:
    """Whether there was something to merge; below 0 begins to make one part of all, above goes on with it."""
    before = connection.total_changes
    connection.execute(f"INSERT INTO {index} ({index}, rank) VALUES ('merge', ?)", (pages,))
    return connection.total_changes - before >= 2


def _is_secure(connection: sqlite3.Connection, index: str) -> bool:
    row = connection.execute(f"SELECT v FROM {index}_config WHERE k = 'secure-delete'").fetchone()
    return row is not None and bool(row[0])


def _set_secure(connection: sqlite3.Connection, index: str, *, is_on: bool) -> None:
    if CAN_DELETE_SECURELY and _is_secure(connection, index) != is_on:
        connection.execute(f"INSERT INTO {index} ({index}, rank) VALUES ('secure-delete', ?)", (int(is_on),))
