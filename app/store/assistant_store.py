"""Assistants: what a chat can set itself, saved under a name; listed by use, deleted with a way back."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from app.core.visible import clean_text
from app.store.database import Database


@dataclass(frozen=True)
class Assistant:
    """An assistant: instructions and settings that a chat can start from. Times are seconds since 1970; `used_at` is
    None until first used.

    `sampling` holds fields of `protocol.Sampling` and the limits of answer and thinking that are set; `thinking` is as
    in a conversation, `model` a path or "", `icon` a glyph's name or "".
    """

    id: int
    name: str
    icon: str
    instructions: str
    model: str
    sampling: dict[str, Any] = field(default_factory=dict)
    thinking: str = ""
    created_at: float = 0.0
    used_at: float | None = None

    @property
    def title(self) -> str:
        """The name: every kind of thing in the trash and in lists has a `title`."""
        return self.name


_COLUMNS = "id, name, icon, instructions, model, sampling, thinking, created_at, used_at"


class AssistantStore:
    """All assistants; from any thread. Writing to an id that does not exist raises KeyError.

    A conversation's `assistant_id` may name one that is deleted: `get` knows it no more. Writes may raise DiskFull or
    FolderNotWritable; nothing of the call is then stored.
    """

    def __init__(self, database: Database, clock: Callable[[], float] = time.time) -> None:
        self._database, self._clock = database, clock

    def create(self, name: str, icon: str = "", **values: Any) -> Assistant:
        """Create an assistant; names needn't be unique. `values` as in `update`."""
        # Only names of columns that `_column_values` knows get into the statement; values are bound.
        fields = _column_values({"name": name, "icon": icon} | values) | {"created_at": self._clock()}
        names = ", ".join(fields)
        with self._database.transaction() as connection:
            row = connection.execute(
                f"INSERT INTO assistants ({names}) VALUES ({', '.join(f':{text}' for text in fields)})"
                f" RETURNING {_COLUMNS}",
                fields,
            ).fetchone()
        return _read_assistant(row)

    def get(self, assistant_id: int | None) -> Assistant | None:
        """Return an assistant, or None if it is deleted or was never there."""
        with self._database.reading() as connection:
            row = connection.execute(
                f"SELECT {_COLUMNS} FROM assistants WHERE id = ? AND deleted_at IS NULL", (assistant_id,)
            ).fetchone()
        return None if row is None else _read_assistant(row)

    def all(self) -> list[Assistant]:
        """Return assistants, last used first; those never used follow by name."""
        # NOCASE is SQLite's own and knows ASCII only, which is enough where names only break a tie.
        return self._select_where("deleted_at IS NULL ORDER BY used_at DESC NULLS LAST, name COLLATE NOCASE, id")

    def deleted(self) -> list[Assistant]:
        """Return what `restore` can bring back, the last deleted first."""
        return self._select_where("deleted_at IS NOT NULL ORDER BY deleted_at DESC, id DESC")

    def update(self, assistant_id: int, **values: Any) -> None:
        """Change the given fields: name, icon, instructions, model, sampling, thinking."""
        self._set_columns(assistant_id, _column_values(values))

    def note_use(self, assistant_id: int) -> None:
        """Record that a chat started from this assistant now."""
        self._set_columns(assistant_id, {"used_at": self._clock()})

    def delete(self, assistant_id: int) -> None:
        """Hide an assistant until `restore` or `purge_deleted`. Chats keep the settings they took from it."""
        self._set_columns(assistant_id, {"deleted_at": self._clock()})

    def restore(self, assistant_id: int) -> None:
        self._set_columns(assistant_id, {"deleted_at": None})

    def purge_deleted(self, before: float) -> None:
        """Remove assistants deleted before that time (seconds since 1970) for good."""
        with self._database.transaction() as connection:
            connection.execute("DELETE FROM assistants WHERE deleted_at < ?", (before,))

    def _select_where(self, condition: str) -> list[Assistant]:
        with self._database.reading() as connection:
            rows = connection.execute(f"SELECT {_COLUMNS} FROM assistants WHERE {condition}").fetchall()
        return [_read_assistant(row) for row in rows]

    def _set_columns(self, assistant_id: int, values: Mapping[str, Any]) -> None:
        # Nothing to change is no error, but an id that does not exist still is.
        changes = ", ".join(f"{name} = :{name}" for name in values) or "id = id"
        with self._database.transaction() as connection:
            changed = connection.execute(
                f"UPDATE assistants SET {changes} WHERE id = :id", {**values, "id": assistant_id}
            ).rowcount
        if not changed:
            raise KeyError(assistant_id)


def _column_values(values: Mapping[str, Any]) -> dict[str, Any]:
    """Convert values to columns. Raises TypeError for unknown names."""
    fields: dict[str, Any] = {}
    for name, value in values.items():
        if name == "name":
            fields[name] = " ".join(clean_text(value).split())  # pasted names come with line ends
        elif name in ("icon", "instructions", "model", "thinking"):
            fields[name] = clean_text(value)
        elif name == "sampling":
            # Sorted, so that two equal sets of settings are equal as texts.
            fields[name] = json.dumps(value, sort_keys=True)
        else:
            raise TypeError(name)
    return fields


def _read_assistant(row: sqlite3.Row) -> Assistant:
    values = dict(row)
    return Assistant(**{**values, "sampling": json.loads(values["sampling"])})
