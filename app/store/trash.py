"""Trash of all kinds: list and restore deleted items, and erase them from indexes and journal.

Deleting only sets a time. Items with `GONE` are not listed and go with the next purge, so a program that ends in the
middle of one continues it at its next start.

FTS5 deletes by adding a mark; the words and their places stay in older segments of the index, from which the text could
be rebuilt. Its option `secure-delete` removes an entry at once, which is right for one message but takes 40 times as
long for a book. So it is on in general, and off from a large deletion until the index is merged: the option's state
also records, with the index, that there is something to merge.
"""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Iterable, Sequence
from pathlib import Path

from app.core.lazy_dataclasses import dataclass
from app.core.paths import disk_problem
from app.store import sqlite_access
from app.store.database import Database, read_copy
from app.store.message_rows import mark_deleted, settle_leaf
from app.store.recovery import full_text_indexes

log = logging.getLogger(__name__)

CHAT, MESSAGE, PROJECT, ASSISTANT, MEMORY, TAG, PROMPT, SUMMARY, TRANSLATION, PAGE = (
    "chat", "message", "project", "assistant", "memory", "tag", "prompt", "summary", "translation", "page",
)  # fmt: skip
GONE = 0.0
"""Deletion time of items that can't be restored any more."""
WORDS_CHARACTERS = 200


@dataclass(frozen=True)
class TrashedItem:
    """A deleted item; `deleted_at` in seconds since 1970. `within` is a message's chat."""

    kind: str
    id: int
    title: str
    deleted_at: float
    within: str = ""


@dataclass(frozen=True)
class DoomedRow:
    """A row about to be purged; `mark`, such as its time of creation, tells it from another of its number."""

    table: str
    id: int
    mark: float | bytes


_TABLES = {
    CHAT: ("conversations", "title"),
    PROJECT: ("projects", "name"),
    ASSISTANT: ("assistants", "name"),
    MEMORY: ("memories", "text"),
    TAG: ("tags", "name"),
    PROMPT: ("prompts", "name"),
    PAGE: ("pages", "CASE WHEN title <> '' THEN title ELSE text END"),
    SUMMARY: ("jobs", "title"),
    TRANSLATION: ("jobs", "title"),
}
# SQL conditions, beside that the row is deleted.
_LISTED = {
    SUMMARY: "kind = 'summary'",
    TRANSLATION: "kind = 'translation'",
    MEMORY: "NOT EXISTS (SELECT 1 FROM projects p WHERE p.id = project_id AND p.deleted_at IS NOT NULL)",
}
"""Conditions of listed rows. Memories of a deleted project aren't listed: they are restored with it."""


MEMORY_TABLE = "translation_memory"
_MARKS = dict.fromkeys(
    ("conversations", "messages", "jobs", "pages", "assistants", "projects", "memories", "prompts"), "created_at"
) | {"tags": "0"}  # a tag has no time
"""Tables with deleted rows, and what tells rows of one number apart."""


class TrashStore:
    """Trash of all kinds. Thread-safe. Writes may raise DiskFull or FolderNotWritable and then store nothing."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def list_items(self) -> list[TrashedItem]:
        """Return items that can be restored, last deleted first. Messages only of existing chats."""
        with self._database.reading() as connection:
            found = [row for kind in _TABLES for row in _read_rows(connection, kind)]
            found += _read_messages(connection)
        return sorted(found, key=lambda item: item.deleted_at, reverse=True)

    def give_up(self, kind: str, number: int) -> None:
        """Make an item unrestorable; a message with all its descendants."""
        with self._database.transaction() as connection:
            if kind == MESSAGE:
                connection.execute(
                    "WITH RECURSIVE below (id) AS (SELECT ? UNION ALL"
                    " SELECT m.id FROM below b JOIN messages m ON m.parent_id = b.id)"
                    f" UPDATE messages SET deleted_at = {GONE}"
                    " WHERE id IN (SELECT id FROM below) AND deleted_at IS NOT NULL",
                    (number,),
                )
            else:
                table, _ = _TABLES[kind]
                connection.execute(
                    f"UPDATE {table} SET deleted_at = {GONE} WHERE id = ? AND deleted_at IS NOT NULL", (number,)
                )

    def give_up_all(self) -> None:
        """Make all items of all kinds unrestorable; the next purge removes them."""
        with self._database.transaction() as connection:
            for table in ("messages", *dict.fromkeys(table for table, _ in _TABLES.values())):
                connection.execute(f"UPDATE {table} SET deleted_at = {GONE} WHERE deleted_at IS NOT NULL")

    def list_doomed(self, before: float) -> list[DoomedRow]:
        """Return the rows that a purge of what was deleted before a moment (seconds since 1970) removes."""
        with self._database.reading() as connection:
            return [
                DoomedRow(table, row[0], row[1])
                for table, mark in _MARKS.items()
                for row in connection.execute(f"SELECT id, {mark} FROM {table} WHERE deleted_at < ?", (before,))
            ]

    def doom(self, rows: Iterable[DoomedRow]) -> None:
        """Make rows unrestorable that the database this one is a copy of is about to purge."""
        with self._database.transaction() as connection:
            for row in rows:
                if not _holds_row(connection, row):
                    continue
                if row.table == MEMORY_TABLE:  # which has no trash
                    connection.execute(f"DELETE FROM {MEMORY_TABLE} WHERE id = ?", (row.id,))
                    continue
                if row.table == "messages":
                    mark_deleted(connection, row.id, GONE)
                    query = "SELECT conversation_id FROM messages WHERE id = ?"
                    settle_leaf(connection, connection.execute(query, (row.id,)).fetchone()[0])
                # Also what is in the trash here, with its own time.
                connection.execute(f"UPDATE {row.table} SET deleted_at = {GONE} WHERE id = ?", (row.id,))


def find_doomed(copy: Path, rows: Sequence[DoomedRow]) -> list[DoomedRow]:
    """Return which of the rows a copy has; all of them if it can't be read."""
    try:
        with read_copy(copy) as connection:
            return [row for row in rows if _holds_row(connection, row)]
    except sqlite_access.SQLITE_ERRORS as error:
        log.info("%s cannot be read: %s", copy.name, error)
        return list(rows)


def _holds_row(connection: sqlite3.Connection, row: DoomedRow) -> bool:
    """Return whether a copy has the same row, not only one of its number: a restored copy gives out numbers again."""
    query = f"SELECT 1 FROM {row.table} WHERE id = ? AND {(_MARKS | {MEMORY_TABLE: 'key'})[row.table]} = ?"
    return connection.execute(query, (row.id, row.mark)).fetchone() is not None


def _read_rows(connection: sqlite3.Connection, kind: str) -> list[TrashedItem]:
    table, title = _TABLES[kind]
    rows = connection.execute(
        f"SELECT id, substr(trim({title}), 1, {WORDS_CHARACTERS}), deleted_at FROM {table}"
        f" WHERE deleted_at > {GONE} AND {_LISTED.get(kind, 'true')}"
    )
    return [TrashedItem(kind, row[0], _one_line(row[1]), row[2]) for row in rows]


def _read_messages(connection: sqlite3.Connection) -> list[TrashedItem]:
    rows = connection.execute(
        f"SELECT m.id, substr(m.text, 1, {WORDS_CHARACTERS}), m.deleted_at, c.title FROM messages m"
        " JOIN conversations c ON c.id = m.conversation_id"
        # Only the message that was deleted itself: those below it come back with it.
        f" WHERE m.deleted_with = m.id AND m.deleted_at > {GONE} AND c.deleted_at IS NULL"
        " AND (m.text <> '' OR m.thinking <> '')"  # of a failed answer that was tried again nothing is left
    )
    return [TrashedItem(MESSAGE, row[0], _one_line(row[1]), row[2], row[3]) for row in rows]


def _one_line(text: str) -> str:
    return " ".join(text.split())


CAN_DELETE_SECURELY = sqlite3.sqlite_version_info >= (3, 42)
"""Otherwise the parts are merged at every start."""
MERGED_PAGES = 200
"""Index pages merged per transaction; others wait for the database at most that long."""
BACKUP_KEPT_S = 7 * 24 * 3600.0
"""A week of use shows whether an upgrade went well."""
DAMAGED_KEPT_S = 30 * 24 * 3600.0
"""As long as what a restore replaced: such a file holds what was deleted since."""


def leave_traces(connection: sqlite3.Connection, index: str) -> None:
    """Let this transaction delete from an index quickly, by marks only; call `erase_traces` afterwards."""
    _set_secure(connection, index, is_on=False)


def erase_traces(database: Database) -> None:
    """Remove deleted text from every index and the journal. Slow after many deletions: not for the window's thread.

    An interrupted run is continued by the next call. May raise DiskFull or FolderNotWritable.
    """
    # Which indexes have something to merge is noted in the indexes themselves, so an end in between loses nothing.
    with database.reading() as connection:
        indexes = [index for index in full_text_indexes(connection) if not _is_secure(connection, index)]
    while indexes:
        with database.transaction() as connection:
            indexes = [index for index in indexes if _goes_on(connection, index)]
    database.empty_journal()


def list_backups(path: Path) -> list[Path]:
    """Return the backups that migrations of a database left beside it."""
    return sorted(path.parent.glob(f"{path.name}.before-v*"))


def remove_old_backups(database: Database, now_s: float) -> None:
    """Delete backups of migrations older than a week and damaged files put aside 30 days ago, once every page of the
    current database is verified.

    May raise FolderNotWritable.
    """
    path = database.path
    old = [copy for copy in list_backups(path) if now_s - copy.stat().st_mtime > BACKUP_KEPT_S]
    # By the time of the renaming: the file itself may not have been written for long.
    damaged = path.parent.glob(f"{path.name}.damaged-*")
    old += [copy for copy in damaged if now_s - copy.stat().st_ctime > DAMAGED_KEPT_S]
    if not old or not database.is_sound():
        return
    for copy in old:
        try:
            copy.unlink(missing_ok=True)
        except OSError as error:
            raise disk_problem(error, path.parent) from error
        log.info("%s is not needed any more and was deleted", copy.name)


def _goes_on(connection: sqlite3.Connection, index: str) -> bool:
    """Merge some of an index; return whether more is left."""
    # First what has begun, then all into one; a negative number starts that (FTS5, "merge").
    if _merge_index(connection, index, MERGED_PAGES) or _merge_index(connection, index, -MERGED_PAGES):
        return True
    _set_secure(connection, index, is_on=True)
    return False


def _merge_index(connection: sqlite3.Connection, index: str, pages: int) -> bool:
    """Merge pages of an index; return whether there was anything. Negative `pages` start merging all into one, positive
    continue.
    """
    before = connection.total_changes
    connection.execute(f"INSERT INTO {index} ({index}, rank) VALUES ('merge', ?)", (pages,))
    # FTS5's documentation: fewer than two changes mean that nothing was left to do.
    return connection.total_changes - before >= 2


def _is_secure(connection: sqlite3.Connection, index: str) -> bool:
    row = connection.execute(f"SELECT v FROM {index}_config WHERE k = 'secure-delete'").fetchone()
    return row is not None and bool(row[0])


def _set_secure(connection: sqlite3.Connection, index: str, *, is_on: bool) -> None:
    if CAN_DELETE_SECURELY and _is_secure(connection, index) != is_on:
        connection.execute(f"INSERT INTO {index} ({index}, rank) VALUES ('secure-delete', ?)", (int(is_on),))
