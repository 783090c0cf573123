"""What was deleted and can be taken back, of every kind, and what of it is to go for good.

Deleting only notes when. Whatever has `GONE` there is wanted by nobody any more: it is not listed, and goes with the
next purge; so a program that ends in the middle of one goes on with it at its next start.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

from app.store.database import Database

CHAT, MESSAGE, PROJECT, ASSISTANT, MEMORY, TAG, PROMPT, SUMMARY, TRANSLATION, PAGE = (
    "chat", "message", "project", "assistant", "memory", "tag", "prompt", "summary", "translation", "page",
)  # fmt: skip
GONE = 0.0
"""The moment of a deletion that is not to be taken back."""
WORDS_CHARACTERS = 200


@dataclass(frozen=True)
class Trashed:
    """One of what was deleted; the moment in seconds since 1970. `within` is the chat of a message."""

    kind: str
    id: int
    title: str
    deleted_at: float
    within: str = ""


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
_LISTED = {
    SUMMARY: "kind = 'summary'",
    TRANSLATION: "kind = 'translation'",
    MEMORY: "NOT EXISTS (SELECT 1 FROM projects p WHERE p.id = project_id AND p.deleted_at IS NOT NULL)",
}
"""A memory of a project that is deleted itself comes back with that."""


class TrashStore:
    """From any thread. Writes may raise DiskFull or FolderNotWritable; nothing of the call is then stored."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def rows(self) -> list[Trashed]:
        """What can be taken back, the last deleted first. Messages are those of chats that are there."""
        with self._database.reading() as connection:
            found = [row for kind in _TABLES for row in _rows(connection, kind)]
            found += _messages(connection)
        return sorted(found, key=lambda one: one.deleted_at, reverse=True)

    def give_up(self, kind: str, number: int) -> None:
        """One of them is not to be taken back; a message with everything below it."""
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
        """Nothing of it is to be taken back."""
        with self._database.transaction() as connection:
            for table in ("messages", *dict.fromkeys(table for table, _ in _TABLES.values())):
                connection.execute(f"UPDATE {table} SET deleted_at = {GONE} WHERE deleted_at IS NOT NULL")


def _rows(connection: sqlite3.Connection, kind: str) -> list[Trashed]:
    table, title = _TABLES[kind]
    rows = connection.execute(
        f"SELECT id, substr(trim({title}), 1, {WORDS_CHARACTERS}), deleted_at FROM {table}"
        f" WHERE deleted_at > {GONE} AND {_LISTED.get(kind, 'true')}"
    )
    return [Trashed(kind, row[0], _line(row[1]), row[2]) for row in rows]


def _messages(connection: sqlite3.Connection) -> list[Trashed]:
    rows = connection.execute(
        f"SELECT m.id, substr(m.text, 1, {WORDS_CHARACTERS}), m.deleted_at, c.title FROM messages m"
        " JOIN conversations c ON c.id = m.conversation_id"
        f" WHERE m.deleted_with = m.id AND m.deleted_at > {GONE} AND c.deleted_at IS NULL"
        " AND (m.text <> '' OR m.thinking <> '')"  # of a failed answer that was tried again nothing is left
    )
    return [Trashed(MESSAGE, row[0], _line(row[1]), row[2], row[3]) for row in rows]


def _line(text: str) -> str:
    return " ".join(text.split())
