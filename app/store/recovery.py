"""A damaged database: whatever of it can be read goes into a new file, in which a person goes on.

Each table is read through its tree, a range of rows at a time and, where a page is damaged, row by row around it. Chats
and messages that their tree does not lead to any more are looked for on every page. Rows that make no sense are left
out. The damaged file itself is only read.
"""

from __future__ import annotations

import json
import logging
import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app.core.events import Role
from app.store.damage import full_text_indexes
from app.store.file_format import every_row
from app.store.messages import MessageState, settle_leaf

log = logging.getLogger(__name__)

RANGE = 500
"""Rows read at once; where one of them cannot be read, each is tried alone."""
MOST_FAILURES = 20_000
"""Single rows that cannot be read before a table is given up: its tree is broken at the root."""
MOST_ROWS = 10**8
"""More than any database of ours holds; what a damaged file says beyond that is no number of rows."""
RECOVERED_TITLE = "Recovered chat"
"""Of a chat whose messages could be read, but not its title."""
IRREPLACEABLE = ("conversations", "messages")
"""What a person wrote; a document can be read again."""
LATER = {"conversations": ("sampling",), "messages": ("thinking",)}
"""The first column that was added to a table later: rows from before are stored without it and what follows."""
_TYPES: dict[str, type | tuple[type, ...]] = {"INTEGER": int, "REAL": (int, float), "TEXT": str, "BLOB": bytes}
_JSON = {
    "sampling", "stats", "sources", "spec", "progress", "error", "info", "fields", "passages",
    ("job_steps", "value"), ("translation_segments", "source"), ("translation_segments", "target"),
}  # fmt: skip
_WORDS: dict[tuple[str, str], set[str]] = {
    ("messages", "role"): {role.value for role in Role},
    ("messages", "state"): {state.value for state in MessageState},
}


@dataclass(frozen=True)
class Recovered:
    """What was found in a damaged file: how many chats and messages, and of everything how many rows."""

    chats: int
    messages: int
    rows: int


def recover(damaged: sqlite3.Connection, new: sqlite3.Connection, pages: Path | None) -> Recovered:
    """Copies what can be read into `new`, which has the same schema and no rows, and mends what refers to lost rows.

    `pages` is the damaged file where all of it is in the file itself, and not in a journal. One transaction; nothing of
    the file is trusted. Raises sqlite3.Error for `new` alone.
    """
    new.execute("PRAGMA foreign_keys = OFF")
    new.execute("BEGIN IMMEDIATE")
    triggers = new.execute("SELECT name, sql FROM sqlite_schema WHERE type = 'trigger'").fetchall()
    for name, _ in triggers:  # the indexes are built at once at the end
        new.execute(f"DROP TRIGGER {name}")
    counts = {table: _copy(damaged, new, table) for table in _tables(new)}
    if pages is not None:
        for table in IRREPLACEABLE:
            if _read(damaged, f"SELECT count(*) FROM {table} NOT INDEXED") is None:
                counts[table] += _copy_from_pages(pages, new, table)
    for name, number in _read(damaged, "SELECT name, seq FROM sqlite_sequence") or ():  # ids that never come back
        new.execute("UPDATE sqlite_sequence SET seq = max(seq, ?) WHERE name = ?", (number, name))
    _mend_messages(new)
    _drop_loose_rows(new)
    for _, sql in triggers:
        new.execute(sql)
    for index in full_text_indexes(new):
        new.execute(f"INSERT INTO {index} ({index}) VALUES ('rebuild')")
    chats = new.execute("SELECT id FROM conversations").fetchall()
    for (chat,) in chats:
        settle_leaf(new, chat)
    new.execute("COMMIT")
    log.info("recovered from a damaged database: %s", ", ".join(f"{table} {count}" for table, count in counts.items()))
    return Recovered(len(chats), new.execute("SELECT count(*) FROM messages").fetchone()[0], sum(counts.values()))


def _tables(connection: sqlite3.Connection) -> list[str]:
    """The tables with content of their own."""
    shadows = tuple(f"{index}_" for index in full_text_indexes(connection))
    query = "SELECT name FROM sqlite_schema WHERE type = 'table' AND sql NOT LIKE 'CREATE VIRTUAL%' ORDER BY rowid"
    names = [row[0] for row in connection.execute(query)]
    return [name for name in names if not name.startswith(("sqlite_", *shadows))]


def _copy(damaged: sqlite3.Connection, new: sqlite3.Connection, table: str) -> int:
    columns = [(row[1], row[2]) for row in new.execute(f"PRAGMA table_info({table})")]
    names = ", ".join(name for name, _ in columns)
    insert = f"INSERT OR IGNORE INTO {table} ({names}) VALUES ({', '.join('?' * len(columns))})"
    keys = [row[1] for row in sorted(new.execute(f"PRAGMA table_info({table})"), key=lambda row: row[5]) if row[5]]
    has_rowid = "WITHOUT ROWID" not in _sql_of(new, table)
    rows = _by_rowid(damaged, table, names) if has_rowid else _by_key(damaged, table, names, keys)
    count = 0
    for row in rows:
        if all(_makes_sense(table, name, kind, value) for (name, kind), value in zip(columns, row, strict=True)):
            count += new.execute(insert, tuple(row)).rowcount
    return count


def _copy_from_pages(path: Path, new: sqlite3.Connection, table: str) -> int:
    """Rows that look like those of a table, wherever they are; those that are there already stay."""
    columns = new.execute(f"PRAGMA table_info({table})").fetchall()
    defaults = [new.execute(f"SELECT {row[4] or 'NULL'}").fetchone()[0] for row in columns]
    least = next((place for place, row in enumerate(columns) if row[1] in LATER.get(table, ())), len(columns))
    insert = f"INSERT OR IGNORE INTO {table} VALUES ({', '.join('?' * len(columns))})"
    count = 0
    for rowid, stored in every_row(path):
        if not least <= len(stored) <= len(columns) or stored[0] is not None:
            continue  # the id is the rowid, and stored nowhere else
        row = [rowid, *stored[1:], *defaults[len(stored) :]]
        if all(
            _makes_sense(table, name, kind, value) and (value is not None or not is_needed)
            for (_, name, kind, is_needed, _, _), value in zip(columns, row, strict=True)
        ):
            count += new.execute(insert, row).rowcount
    return count


def _sql_of(connection: sqlite3.Connection, table: str) -> str:
    return str(connection.execute("SELECT sql FROM sqlite_schema WHERE name = ?", (table,)).fetchone()[0])


def _makes_sense(table: str, name: str, kind: str, value: Any) -> bool:
    if value is None:
        return True  # where that cannot be, the new table refuses it
    if not isinstance(value, _TYPES[kind]):
        return False
    if (table, name) in _WORDS:
        return value in _WORDS[table, name]
    if name in _JSON or (table, name) in _JSON:
        try:
            json.loads(str(value))
        except (ValueError, RecursionError):
            return False
    return True


def _by_rowid(damaged: sqlite3.Connection, table: str, names: str) -> Iterator[Sequence[Any]]:
    query = f"SELECT {names} FROM {table} WHERE rowid BETWEEN ? AND ?"
    first, last, failures, is_lost = 1, _last_rowid(damaged, table), 0, False
    while first <= last and failures < MOST_FAILURES:
        found = _read(damaged, query, first, first + RANGE - 1)
        if found is None:
            # Behind a stretch that is lost as a whole, because the page above is, a few rows tell whether it goes on.
            probes = range(first, first + RANGE, RANGE // 5 if is_lost else 1)
            alone = [_read(damaged, query, each, each) for each in probes]
            if is_lost and any(rows is not None for rows in alone):
                alone = [_read(damaged, query, each, each) for each in range(first, first + RANGE)]
            failures += alone.count(None)
            is_lost = all(rows is None for rows in alone)
            found = [row for rows in alone for row in rows or ()]
        yield from found
        first += RANGE
        if not found:
            later = _read(damaged, f"SELECT min(rowid) FROM {table} WHERE rowid >= ?", first)
            first = max(first, later[0][0] or last + 1) if later else first


def _last_rowid(damaged: sqlite3.Connection, table: str) -> int:
    found = _read(damaged, f"SELECT max(rowid) FROM {table}")
    if found is None:  # the number that was given out last is noted elsewhere, too
        found = _read(damaged, "SELECT seq FROM sqlite_sequence WHERE name = ?", table)
    last = found[0][0] if found else RANGE * RANGE
    return min(last, MOST_ROWS) if isinstance(last, int) else 0


def _by_key(damaged: sqlite3.Connection, table: str, names: str, keys: Sequence[str]) -> Iterator[Sequence[Any]]:
    """From both ends up to what cannot be read; what is met twice is the same row."""
    for direction in ("", " DESC"):
        order = ", ".join(f"{key}{direction}" for key in keys)
        try:
            yield from damaged.execute(f"SELECT {names} FROM {table} ORDER BY {order}")
            return
        except sqlite3.DatabaseError as error:
            log.info("%s cannot be read to its end: %s", table, error)


def _read(damaged: sqlite3.Connection, query: str, *values: object) -> list[Any] | None:
    """The rows, or None where a page that they need is damaged."""
    try:
        return damaged.execute(query, values).fetchall()
    except sqlite3.DatabaseError:
        return None


def _mend_messages(new: sqlite3.Connection) -> None:
    """Chats whose own row was lost get one; a message whose question was lost goes below the one before it."""
    new.execute(
        "INSERT INTO conversations (id, title, system_prompt, model, created_at, updated_at)"
        " SELECT conversation_id, ?, '', '', min(created_at), max(created_at) FROM messages"
        " WHERE conversation_id NOT IN (SELECT id FROM conversations) GROUP BY conversation_id",
        (RECOVERED_TITLE,),
    )
    new.execute(
        "UPDATE messages SET parent_id = (SELECT max(before.id) FROM messages AS before"
        " WHERE before.conversation_id = messages.conversation_id AND before.id < messages.id"
        " AND before.deleted_at IS NULL)"
        " WHERE parent_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM messages AS parent"
        " WHERE parent.id = messages.parent_id AND parent.conversation_id = messages.conversation_id"
        " AND parent.id < messages.id)"
    )
    new.execute("UPDATE conversations SET leaf_id = NULL WHERE leaf_id NOT IN (SELECT id FROM messages)")


def _drop_loose_rows(new: sqlite3.Connection) -> None:
    """Whatever else refers to a lost row is of no use."""
    while loose := new.execute("PRAGMA foreign_key_check").fetchall():
        for table, rowid, _parent, number in loose:
            if rowid is not None:
                new.execute(f"DELETE FROM {table} WHERE rowid = ?", (rowid,))
                continue
            link = next(row for row in new.execute(f"PRAGMA foreign_key_list({table})") if row[0] == number)
            parent, column, key = link[2], link[3], link[4] or "id"
            new.execute(f"DELETE FROM {table} WHERE {column} NOT IN (SELECT {key} FROM {parent})")
