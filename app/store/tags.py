"""Tags on chats: named, coloured, put on and taken off, deleted with a way back."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from app.core.visible import clean_text
from app.store.conversations import UNCHANGED, Unchanged
from app.store.database import Database
from app.store.projects import purge, set_columns


@dataclass(frozen=True)
class Tag:
    """One tag; `colour` is a name out of a face's palette, or ""."""

    id: int
    name: str
    colour: str


class Tags:
    """All tags; from any thread. Writing to an id that does not exist raises KeyError.

    No two have the same name, whatever its case (of ASCII letters): where one would, both become one. Writes may raise
    DiskFull or FolderNotWritable.
    """

    def __init__(self, database: Database, clock: Callable[[], float] = time.time) -> None:
        self._database, self._clock = database, clock

    def create(self, name: str, colour: str = "") -> Tag:
        """A new tag, or the one that is called so already."""
        name = clean_text(name)
        with self._database.transaction() as connection:
            known = _named(connection, name)
            if known is not None:
                return Tag(*known)
            row = connection.execute(
                "INSERT INTO tags (name, colour) VALUES (?, ?) RETURNING id, name, colour", (name, colour)
            ).fetchone()
        return Tag(*row)

    def all(self) -> list[Tag]:
        """By name."""
        return self._find("deleted_at IS NULL")

    def of_chats(self) -> dict[int, tuple[int, ...]]:
        """The tags of every conversation that has some, in the order in which they were made."""
        with self._database.reading() as connection:
            rows = connection.execute(
                "SELECT ct.conversation_id, group_concat(ct.tag_id) FROM conversation_tags ct"
                " JOIN tags t ON t.id = ct.tag_id AND t.deleted_at IS NULL GROUP BY ct.conversation_id"
            ).fetchall()
        return {row[0]: tuple(sorted(map(int, row[1].split(",")))) for row in rows}

    def of_chat(self, conversation_id: int) -> list[Tag]:
        """By name."""
        return self._find(
            "deleted_at IS NULL AND id IN (SELECT tag_id FROM conversation_tags WHERE conversation_id = ?)",
            (conversation_id,),
        )

    def chats_with(self, tag_ids: Sequence[int]) -> set[int]:
        """The conversations that have all of these tags."""
        with self._database.reading() as connection:
            rows = connection.execute(
                "SELECT conversation_id FROM conversation_tags WHERE tag_id IN (SELECT value FROM json_each(?))"
                " GROUP BY conversation_id HAVING count(*) = ?",
                (json.dumps(sorted(set(tag_ids))), len(set(tag_ids))),
            ).fetchall()
        return {row[0] for row in rows}

    def put(self, tag_id: int, conversation_id: int, *, is_on: bool = True) -> None:
        """On a conversation, or off it."""
        with self._database.transaction() as connection:
            if is_on:
                connection.execute(
                    "INSERT OR IGNORE INTO conversation_tags (conversation_id, tag_id) SELECT c.id, t.id"
                    " FROM conversations c, tags t WHERE c.id = ? AND t.id = ?",
                    (conversation_id, tag_id),
                )
            else:
                connection.execute(
                    "DELETE FROM conversation_tags WHERE conversation_id = ? AND tag_id = ?", (conversation_id, tag_id)
                )

    def update(self, tag_id: int, *, name: str | Unchanged = UNCHANGED, colour: str | Unchanged = UNCHANGED) -> int:
        """Changes only what is given; the tag's id, another one where two became one."""
        values: dict[str, Any] = {} if isinstance(colour, Unchanged) else {"colour": colour}
        with self._database.transaction() as connection:
            if not isinstance(name, Unchanged):
                known = _named(connection, clean_text(name))
                if known is not None and known[0] != tag_id:
                    _merge(connection, tag_id, known[0])
                    return int(known[0])
                values["name"] = clean_text(name)
            set_columns(connection, "tags", tag_id, values)
        return tag_id

    def delete(self, tag_id: int) -> None:
        """Hides a tag until `restore` or, for good, `purge_deleted`; the chats stay."""
        with self._database.transaction() as connection:
            set_columns(connection, "tags", tag_id, {"deleted_at": self._clock()})

    def restore(self, tag_id: int) -> None:
        """Undoes `delete`; where another has got its name meanwhile, its chats get that one."""
        with self._database.transaction() as connection:
            row = connection.execute("SELECT name FROM tags WHERE id = ?", (tag_id,)).fetchone()
            if row is None:
                raise KeyError(tag_id)
            known = _named(connection, row[0])
            if known is not None and known[0] != tag_id:
                _merge(connection, tag_id, known[0])
            else:
                set_columns(connection, "tags", tag_id, {"deleted_at": None})

    def deleted(self) -> list[Tag]:
        """What can be restored."""
        return self._find("deleted_at IS NOT NULL")

    def purge_deleted(self, before: float) -> list[int]:
        """Really removes what was deleted before that moment; returns the ids."""
        return purge(self._database, "tags", before)

    def _find(self, where: str, values: Sequence[object] = ()) -> list[Tag]:
        with self._database.reading() as connection:
            rows = connection.execute(
                f"SELECT id, name, colour FROM tags WHERE {where} ORDER BY fold(name), id", tuple(values)
            ).fetchall()
        return [Tag(*row) for row in rows]


def _named(connection: sqlite3.Connection, name: str) -> sqlite3.Row | None:
    found: sqlite3.Row | None = connection.execute(
        "SELECT id, name, colour FROM tags WHERE name = ? COLLATE NOCASE AND deleted_at IS NULL", (name,)
    ).fetchone()
    return found


def _merge(connection: sqlite3.Connection, tag_id: int, into_id: int) -> None:
    """The conversations of one tag get another, and it goes."""
    connection.execute(
        "INSERT OR IGNORE INTO conversation_tags (conversation_id, tag_id)"
        " SELECT conversation_id, ? FROM conversation_tags WHERE tag_id = ?",
        (into_id, tag_id),
    )
    connection.execute("DELETE FROM tags WHERE id = ?", (tag_id,))
