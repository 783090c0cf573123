"""Store of saved prompts: listed by use, deleted and restored."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from app.core.visible import clean_text
from app.store.database import Database


@dataclass(frozen=True)
class SavedPrompt:
    """A saved prompt. Times are seconds since 1970; `used_at` is None until used, `deleted_at` unless deleted."""

    id: int
    name: str
    text: str
    created_at: float
    used_at: float | None = None
    deleted_at: float | None = None


_COLUMNS = "id, name, text, created_at, used_at, deleted_at"


class PromptStore:
    """All saved prompts; from any thread. Writing to an id that does not exist raises KeyError.

    Writes may raise DiskFull or FolderNotWritable; nothing of the call is then stored.
    """

    def __init__(self, database: Database, clock: Callable[[], float] = time.time) -> None:
        self._database, self._clock = database, clock

    def create(self, name: str, text: str) -> SavedPrompt:
        """Create a prompt, not used yet; names need not be unique."""
        with self._database.transaction() as connection:
            row = connection.execute(
                f"INSERT INTO prompts (name, text, created_at) VALUES (?, ?, ?) RETURNING {_COLUMNS}",
                (_clean_name(name), clean_text(text), self._clock()),
            ).fetchone()
        return SavedPrompt(**dict(row))

    def get(self, prompt_id: int) -> SavedPrompt | None:
        """Return a prompt, or None if it is deleted or was never there."""
        with self._database.reading() as connection:
            row = connection.execute(
                f"SELECT {_COLUMNS} FROM prompts WHERE id = ? AND deleted_at IS NULL", (prompt_id,)
            ).fetchone()
        return None if row is None else SavedPrompt(**dict(row))

    def all(self) -> list[SavedPrompt]:
        """Return prompts, last used first; those never used follow by name."""
        return self._select_where("deleted_at IS NULL ORDER BY used_at DESC NULLS LAST, name COLLATE NOCASE, id")

    def deleted(self) -> list[SavedPrompt]:
        """Return what `restore` can bring back, the last deleted first."""
        return self._select_where("deleted_at IS NOT NULL ORDER BY deleted_at DESC, id DESC")

    def change(self, prompt_id: int, *, name: str | None = None, text: str | None = None) -> None:
        """Change the name or the text of a prompt; None leaves it as it is."""
        self._update_row(
            "name = coalesce(?, name), text = coalesce(?, text)",
            prompt_id,
            None if name is None else _clean_name(name),
            None if text is None else clean_text(text),
        )

    def note_use(self, prompt_id: int) -> None:
        """Record that a prompt was used now, which brings it to the top of the list."""
        self._update_row("used_at = ?", prompt_id, self._clock())

    def delete(self, prompt_id: int) -> None:
        """Hide a prompt until `restore` or `purge_deleted`; lists leave it out."""
        self._update_row("deleted_at = ?", prompt_id, self._clock())

    def restore(self, prompt_id: int) -> None:
        self._update_row("deleted_at = NULL", prompt_id)

    def purge_deleted(self, before: float) -> None:
        """Remove prompts deleted before that time (seconds since 1970) for good."""
        with self._database.transaction() as connection:
            connection.execute("DELETE FROM prompts WHERE deleted_at < ?", (before,))

    def _select_where(self, condition: str) -> list[SavedPrompt]:
        with self._database.reading() as connection:
            rows = connection.execute(f"SELECT {_COLUMNS} FROM prompts WHERE {condition}").fetchall()
        return [SavedPrompt(**dict(row)) for row in rows]

    def _update_row(self, changes: str, prompt_id: int, *values: object) -> None:
        with self._database.transaction() as connection:
            changed = connection.execute(f"UPDATE prompts SET {changes} WHERE id = ?", (*values, prompt_id)).rowcount
        if not changed:
            raise KeyError(prompt_id)


def _clean_name(typed: str) -> str:
    return " ".join(clean_text(typed).split())
