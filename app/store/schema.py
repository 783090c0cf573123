"""Comparison of a database's schema with the one its migrations make."""

from __future__ import annotations

import re
import sqlite3
from typing import NamedTuple

_NO_MEANING = re.compile(r"[\s\"'`\[\];]+")


class SchemaEntry(NamedTuple):
    """A table, index, trigger or view; `sql` without blanks and quotes, which versions of SQLite set differently."""

    kind: str
    name: str
    table: str
    sql: str


def read_schema(connection: sqlite3.Connection) -> set[SchemaEntry]:
    """Return all entries of a schema but those that SQLite makes by itself."""
    rows = connection.execute(
        # _ stands for any letter in LIKE.
        "SELECT type, name, tbl_name, sql FROM sqlite_schema WHERE name NOT LIKE 'sqlite\\_%' ESCAPE '\\'"
    )
    return {SchemaEntry(kind, name, table, _NO_MEANING.sub("", sql or "").lower()) for kind, name, table, sql in rows}


def is_same_schema(found: sqlite3.Connection, expected: sqlite3.Connection, *, by_name: bool = False) -> bool:
    """Return whether two databases have the same entries; `by_name`: tables and indexes may be written differently, as
    by an earlier program, but nothing that runs by itself may.
    """
    entries = [read_schema(connection) for connection in (found, expected)]
    if by_name:
        entries = [
            {
                # Triggers and views run by themselves, and a stranger's could change what is stored later.
                schema_entry if schema_entry.kind in ("trigger", "view") else schema_entry._replace(sql="")
                for schema_entry in entry
            }
            for entry in entries
        ]
    return entries[0] == entries[1]
