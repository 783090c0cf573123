"""Recovery of a damaged database: copy whatever is readable into a new file.

Each table is read through its tree, a range of rows at a time and, at damaged pages, row by row around them. Chats and
messages no longer reachable through their tree are searched on every page. Invalid rows are left out. The damaged file
is only read.
"""

from __future__ import annotations

import json
import logging
import sqlite3
import struct
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from app.core.events import Role
from app.core.lazy_dataclasses import dataclass
from app.store import sqlite_access
from app.store.message_rows import MessageState, settle_leaf

log = logging.getLogger(__name__)

INDEX_VERSION = 5 if sqlite3.sqlite_version_info >= (3, 42) else 4
"""Newest FTS5 format this SQLite reads: 5 came with the option `secure-delete`."""
SUFFIXES = ("-wal", "-shm", "-journal", "")  # the file itself last, see `move_aside`
ALWAYS_CHECKED_BYTES = 256_000_000
"""Size above which only suspect files are checked at start: measured, warm, 6 ms for 21 MB and 65 ms for 203 MB,
growing evenly.
"""


def is_damaged(connection: sqlite3.Connection, path: Path, version: int) -> bool:
    """Return whether the chats in an existing file can be read whole; a file of another program counts as damaged.

    Checking every page takes fifteen times as long, nearly all of it in the full-text index. So the usual start checks
    only the tables that cannot be made again; damage elsewhere is met while working and marks the file as suspect, and
    the next start then looks at everything. Raises sqlite3.DatabaseError when not even that can be read.
    """
    if version == 0:
        # Version 0 with tables is a database of somebody else's.
        return bool(connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0])
    if path.stat().st_size > ALWAYS_CHECKED_BYTES:
        return False
    return not all(is_sound(connection, table) for table in IRREPLACEABLE)


def is_mended(connection: sqlite3.Connection, path: Path) -> bool:
    """Rebuild a suspect file's indexes and check every page; if sound, it isn't suspect any more.

    Raises sqlite3.DatabaseError if the indexes can't be rebuilt either.
    """
    _mend_indexes(connection)
    sound = is_sound(connection)
    if sound:
        _marker_path(path).unlink(missing_ok=True)
    return sound


def is_sound(connection: sqlite3.Connection, what: str = "1") -> bool:
    """Return whether every page of a table, or by default of the file, is as it should be."""
    # quick_check leaves out comparing indexes with tables, which takes most of the time.
    return bool(connection.execute(f"PRAGMA quick_check({what})").fetchone()[0] == "ok")


def full_text_indexes(connection: sqlite3.Connection) -> list[str]:
    query = "SELECT name FROM sqlite_schema WHERE type = 'table' AND sql LIKE 'CREATE VIRTUAL TABLE%USING fts5%'"
    return [row[0] for row in connection.execute(query)]


def _mend_indexes(connection: sqlite3.Connection) -> None:
    """Rebuild full-text indexes that fail their integrity check: they hold no data of their own."""
    for index in full_text_indexes(connection):
        try:
            # rank 1: compare with the table that the index is of.
            connection.execute(f"INSERT INTO {index} ({index}, rank) VALUES ('integrity-check', 1)")
        except sqlite_access.DATABASE_ERRORS as error:
            log.info("%s is built anew: %s", index, error.sqlite_errorname)
            connection.execute(f"INSERT INTO {index} ({index}) VALUES ('rebuild')")


def rebuild_newer_indexes(connection: sqlite3.Connection) -> None:
    """Rebuild full-text indexes that a newer SQLite wrote in a format this one can't read."""
    for index in full_text_indexes(connection):
        try:
            row = connection.execute(f"SELECT v FROM {index}_config WHERE k = 'version'").fetchone()
        except sqlite_access.DATABASE_ERRORS as error:  # damage is met while working, and then mended
            log.info("%s does not tell its version: %s", index, error.sqlite_errorname)
            continue
        if row is not None and row[0] > INDEX_VERSION:
            log.info("%s is built anew: this SQLite does not read version %s", index, row[0])
            connection.execute("BEGIN IMMEDIATE")
            # Otherwise this SQLite would refuse to touch the index at all.
            connection.execute(f"UPDATE {index}_config SET v = ? WHERE k = 'version'", (INDEX_VERSION,))
            connection.execute(f"INSERT INTO {index} ({index}) VALUES ('rebuild')")
            connection.execute("COMMIT")


def move_aside(path: Path) -> Path:
    """Rename the file with its -wal and -shm; return the new name. Raises OSError if the folder isn't writable."""
    base = f"{path.name}.damaged-{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime())}"
    target, count = path.with_name(base), 1
    while any(target.with_name(target.name + suffix).exists() for suffix in SUFFIXES):
        count += 1
        target = path.with_name(f"{base}-{count}")
    for suffix in SUFFIXES:  # the file itself last: should the move stop half-way, it is tried again
        source = path.with_name(path.name + suffix)
        if source.exists():
            source.rename(target.with_name(target.name + suffix))
    _marker_path(path).unlink(missing_ok=True)
    log.info("a damaged database was moved to %s", target.name)
    return target


def mark_suspect(path: Path) -> None:
    """Remembers that damage was met while working, so that the next start looks at every page."""
    try:
        _marker_path(path).touch(mode=0o600)
    except OSError:
        log.error("no note could be left beside the damaged database")


def is_suspect(path: Path) -> bool:
    """Return whether damage was met since the file was last put aside."""
    return _marker_path(path).exists()


def _marker_path(path: Path) -> Path:
    return path.with_name(path.name + ".suspect")


Value = None | int | float | str | bytes
# First byte of a page, section 1.6.
LEAF_OF_TABLE = 13
HEADER_BYTES = 100
# SQLite's default, for a file whose beginning is gone.
USUAL_PAGE_BYTES = 4096
_INT_BYTES = {1: 1, 2: 2, 3: 3, 4: 4, 5: 6, 6: 8}
# Serial types 8 and 9 are the numbers 0 and 1 without any bytes.
_CONSTANTS: dict[int, Value] = {0: None, 8: 0, 9: 1}


def every_row(path: Path) -> Iterator[tuple[int, list[Value]]]:
    """Yield (rowid, stored values) of every row on any table's leaf page, unordered.

    The format is SQLite's own, https://www.sqlite.org/fileformat2.html: sections 1.6 (pages and cells) and 2.1
    (records). Nothing is trusted: a page that makes no sense ends where it stops making sense.
    """
    # As a whole: only files in trouble are read so, and overflow pages may be anywhere.
    data = path.read_bytes()
    page_bytes = _page_bytes(data)
    # Byte 20: how many bytes at the end of each page are kept for extensions.
    usable = page_bytes - (data[20] if data.startswith(b"SQLite format 3") else 0)
    for start in range(0, len(data) - page_bytes + 1, page_bytes):
        page = data[start : start + page_bytes]
        # The first page begins with the header of the file.
        head = HEADER_BYTES if start == 0 else 0
        if page[head] != LEAF_OF_TABLE:
            continue
        # A damaged count of cells would lead beyond the page: a cell needs a pointer of two bytes.
        for number in range(min(int.from_bytes(page[head + 3 : head + 5], "big"), usable // 2)):
            at = head + 8 + 2 * number
            try:
                rowid, payload = _read_cell(data, page, int.from_bytes(page[at : at + 2], "big"), usable, page_bytes)
                # Pages that were freed still hold rows; what makes no sense is left out, what does is checked again.
                yield rowid, _read_record(payload)
            except (IndexError, ValueError, struct.error):
                continue


def _page_bytes(data: bytes) -> int:
    # 65536 does not fit into two bytes and is written as 1.
    told = int.from_bytes(data[16:18], "big") if data.startswith(b"SQLite format 3") else 0
    told = 65536 if told == 1 else told
    return told if told >= 512 and not told & (told - 1) else USUAL_PAGE_BYTES


def _read_cell(data: bytes, page: bytes, at: int, usable: int, page_bytes: int) -> tuple[int, bytes]:
    size, at = _read_varint(page, at)
    rowid, at = _read_varint(page, at)
    # A damaged length would ask for gigabytes.
    if size > len(data):
        raise ValueError("longer than the file")
    rowid -= (rowid >> 63) << 64  # two's complement
    # How much of a row lies on its own page, by the formula of section 1.6; the rest is in a chain of overflow pages.
    least = (usable - 12) * 32 // 255 - 23
    local = least + (size - least) % (usable - 4)
    here = size if size <= usable - 35 else local if local <= usable - 35 else least
    payload = bytearray(page[at : at + here])
    following = int.from_bytes(page[at + here : at + here + 4], "big")
    # The size ends it, so a chain that goes in a circle does, too.
    while len(payload) < size:
        start = (following - 1) * page_bytes
        if start <= 0 or start + page_bytes > len(data):
            raise ValueError("the rest is not there")
        payload += data[start + 4 : start + usable][: size - len(payload)]
        following = int.from_bytes(data[start : start + 4], "big")
    return rowid, bytes(payload)


def _read_record(payload: bytes) -> list[Value]:
    end, at = _read_varint(payload, 0)
    kinds, place = [], end
    while at < end:
        kind, at = _read_varint(payload, at)
        kinds.append(kind)
    values: list[Value] = []
    for kind in kinds:
        value, place = _read_value(payload, kind, place)
        values.append(value)
    # The lengths have to fit exactly: by chance they nearly never do.
    if at != end or place != len(payload):
        raise ValueError("no record")
    return values


def _read_value(payload: bytes, kind: int, at: int) -> tuple[Value, int]:
    if kind in _CONSTANTS:
        return _CONSTANTS[kind], at
    if kind in _INT_BYTES:
        end = at + _INT_BYTES[kind]
        return int.from_bytes(payload[at:end], "big", signed=True), end
    if kind == 7:
        return float(struct.unpack_from(">d", payload, at)[0]), at + 8
    if kind < 12:
        raise ValueError("kept free by SQLite")
    end = at + (kind - 12) // 2
    found = payload[at:end]
    return (found.decode("utf-8", "replace") if kind % 2 else found), end


def _read_varint(data: bytes, at: int) -> tuple[int, int]:
    value = 0
    # Nine bytes at most; the ninth counts with all its eight bits.
    for place in range(at, at + 8):
        value = value << 7 | data[place] & 0x7F
        if data[place] < 0x80:
            return value, place + 1
    return value << 8 | data[at + 8], at + 9


RANGE = 500
"""Rows read at once; where one of them cannot be read, each is tried alone."""
MOST_FAILURES = 20_000
"""Single rows that cannot be read before a table is given up: its tree is broken at the root."""
MOST_ROWS = 10**8
"""More rows than any of our databases has; beyond it a damaged count isn't believed."""
RECOVERED_TITLE = "Recovered chat"
"""Title of a chat whose messages were recovered without it."""
IRREPLACEABLE = ("conversations", "messages", "pages")
"""Tables with the user's own text; documents can be read again."""
# A REAL that is whole may be stored as an integer.
_TYPES: dict[str, type | tuple[type, ...]] = {"INTEGER": int, "REAL": (int, float), "TEXT": str, "BLOB": bytes}
_JSON = {
    "sampling", "stats", "sources", "spec", "progress", "error", "info", "fields", "passages",
    ("job_steps", "value"), ("translation_segments", "source"), ("translation_segments", "target"),
    "written", "options", "file_form",
}  # fmt: skip
_WORDS: dict[tuple[str, str], set[str]] = {
    ("messages", "role"): {role.value for role in Role},
    ("messages", "state"): {state.value for state in MessageState},
}


@dataclass(frozen=True)
class RecoveredParts:
    """Numbers of chats, messages and pages recovered, and of all rows."""

    chats: int
    messages: int
    pages: int
    rows: int


def recover_rows(damaged: sqlite3.Connection, new: sqlite3.Connection, pages: Path | None) -> RecoveredParts:
    """Copy readable rows into `new`, which has the same schema and no rows, and repair references to lost rows.

    `pages` is the damaged file if its journal holds nothing. Runs in one transaction and trusts nothing in the file.
    Raises sqlite3.Error for `new` only.
    """
    # References are repaired at the end, so that rows may come in any order.
    new.execute("PRAGMA foreign_keys = OFF")
    new.execute("BEGIN IMMEDIATE")
    triggers = new.execute("SELECT name, sql FROM sqlite_schema WHERE type = 'trigger'").fetchall()
    for name, _ in triggers:  # the indexes are built at once at the end
        new.execute(f"DROP TRIGGER {name}")
    counts = {table: _copy_table(damaged, new, table) for table in _content_tables(new)}
    if pages is not None:
        for table in IRREPLACEABLE:
            # NOT INDEXED: an index may be sound while its table is not.
            if _read_rows(damaged, f"SELECT count(*) FROM {table} NOT INDEXED") is None:
                counts[table] += _copy_from_pages(pages, new, table)
    for name, number in _read_rows(damaged, "SELECT name, seq FROM sqlite_sequence") or ():  # ids that never come back
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
    messages, found_pages = (
        new.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in ("messages", "pages")
    )
    return RecoveredParts(len(chats), messages, found_pages, sum(counts.values()))


def _content_tables(connection: sqlite3.Connection) -> list[str]:
    """Return the tables that hold data, without indexes' shadow tables."""
    # Shadow tables of FTS5 begin with the name of their index.
    shadows = tuple(f"{index}_" for index in full_text_indexes(connection))
    query = "SELECT name FROM sqlite_schema WHERE type = 'table' AND sql NOT LIKE 'CREATE VIRTUAL%' ORDER BY rowid"
    names = [row[0] for row in connection.execute(query)]
    return [name for name in names if not name.startswith(("sqlite_", *shadows))]


def _copy_table(damaged: sqlite3.Connection, new: sqlite3.Connection, table: str) -> int:
    columns = [(row[1], row[2]) for row in new.execute(f"PRAGMA table_info({table})")]
    names = ", ".join(name for name, _ in columns)
    # OR IGNORE: a row that is read twice, or breaks a rule, is left out alone.
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
    """Copy rows that look like the table's from any page, except those already there."""
    columns = new.execute(f"PRAGMA table_info({table})").fetchall()
    insert = f"INSERT OR IGNORE INTO {table} VALUES ({', '.join('?' * len(columns))})"
    count = 0
    for rowid, stored in every_row(path):
        if len(stored) != len(columns) or stored[0] is not None:
            continue  # the id is the rowid, and stored nowhere else
        row = [rowid, *stored[1:]]
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


# Ranges are fast, single rows are sure: only around damage each is tried alone.
def _by_rowid(damaged: sqlite3.Connection, table: str, names: str) -> Iterator[Sequence[Any]]:
    # Without the table's definition nothing can be asked for.
    is_defined = _read_rows(damaged, f"SELECT {names} FROM {table} LIMIT 0") is not None
    query = f"SELECT {names} FROM {table} WHERE rowid BETWEEN ? AND ?"
    first, last, failures, is_lost = 1, _last_rowid(damaged, table), 0, False
    while is_defined and first <= last and failures < MOST_FAILURES:
        found = _read_rows(damaged, query, first, first + RANGE - 1)
        if found is None:
            # Behind a stretch that is lost as a whole, because the page above is, a few rows tell whether it goes on.
            probes = range(first, first + RANGE, RANGE // 5 if is_lost else 1)
            alone = [_read_rows(damaged, query, probe, probe) for probe in probes]
            if is_lost and any(rows is not None for rows in alone):
                alone = [_read_rows(damaged, query, number, number) for number in range(first, first + RANGE)]
            failures += alone.count(None)
            is_lost = all(rows is None for rows in alone)
            found = [row for rows in alone for row in rows or ()]
        yield from found
        first += RANGE
        if not found:
            # Jumps over numbers that were never used, such as those of deleted rows.
            later = _read_rows(damaged, f"SELECT min(rowid) FROM {table} WHERE rowid >= ?", first)
            first = max(first, later[0][0] or last + 1) if later else first


def _last_rowid(damaged: sqlite3.Connection, table: str) -> int:
    # The number that was given out last is noted elsewhere, too.
    noted = "SELECT seq FROM sqlite_sequence WHERE name = ?"
    found = _read_rows(damaged, f"SELECT max(rowid) FROM {table}") or _read_rows(damaged, noted, table)
    last = found[0][0] if found else RANGE * RANGE
    return min(last, MOST_ROWS) if isinstance(last, int) else 0


def _by_key(damaged: sqlite3.Connection, table: str, names: str, keys: Sequence[str]) -> Iterator[Sequence[Any]]:
    """Yield rows from both ends up to what can't be read; duplicates are the same row."""
    # From both ends, since the order of keys can't be stepped over like numbers.
    for direction in ("", " DESC"):
        order = ", ".join(f"{key}{direction}" for key in keys)
        try:
            yield from damaged.execute(f"SELECT {names} FROM {table} ORDER BY {order}")
            return
        except sqlite_access.DATABASE_ERRORS as error:
            log.info("%s cannot be read to its end: %s", table, error)


def _read_rows(damaged: sqlite3.Connection, query: str, *values: object) -> list[Any] | None:
    """Return the rows, or None where a page that they need is damaged."""
    try:
        return damaged.execute(query, values).fetchall()
    except sqlite_access.DATABASE_ERRORS:
        return None


def _mend_messages(new: sqlite3.Connection) -> None:
    """Chats whose own row was lost get one; a message whose question was lost goes below the one before it."""
    # A title for those chats, so that a person sees where they come from.
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
        # A parent always has a lower id; anything else is a cycle made by damage.
        " AND parent.id < messages.id)"
    )
    new.execute("UPDATE conversations SET leaf_id = NULL WHERE leaf_id NOT IN (SELECT id FROM messages)")


def _drop_loose_rows(new: sqlite3.Connection) -> None:
    """Delete rows that refer to lost ones, until every reference is good."""
    # Until nothing is left: deleting a row can loosen others.
    while loose := new.execute("PRAGMA foreign_key_check").fetchall():
        for table, rowid, _parent, number in loose:
            if rowid is not None:
                new.execute(f"DELETE FROM {table} WHERE rowid = ?", (rowid,))
                continue
            # Tables without a rowid: the check names no row, only which rule is broken.
            link = next(row for row in new.execute(f"PRAGMA foreign_key_list({table})") if row[0] == number)
            parent, column, key = link[2], link[3], link[4] or "id"
            new.execute(f"DELETE FROM {table} WHERE {column} NOT IN (SELECT {key} FROM {parent})")
