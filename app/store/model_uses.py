"""Chats, projects and assistants that have a model of their own."""

from __future__ import annotations

from collections.abc import Sequence

from app.core.lazy_dataclasses import dataclass
from app.core.visible import clean_text
from app.store.database import Database

_CHATS, _PROJECTS, _ASSISTANTS = "conversations", "projects", "assistants"


@dataclass(frozen=True)
class ModelUsers:
    """The ids of what names a model file; what is in the trash isn't counted."""

    chats: tuple[int, ...] = ()
    projects: tuple[int, ...] = ()
    assistants: tuple[int, ...] = ()


class ModelUses:
    """Who uses which model file. Thread-safe; writes may raise DiskFull or FolderNotWritable."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def find_users(self, paths: Sequence[str]) -> ModelUsers:
        """Return the chats, projects and assistants that name one of these files."""
        marks = ",".join("?" * len(paths))
        with self._database.reading() as connection:
            found = [
                connection.execute(
                    f"SELECT id FROM {table} WHERE model IN ({marks}) AND deleted_at IS NULL", list(paths)
                ).fetchall()
                for table in (_CHATS, _PROJECTS, _ASSISTANTS)
            ]
        return ModelUsers(*(tuple(row[0] for row in rows) for rows in found))

    def replace_model(self, old: str, new: str) -> None:
        """Let everything that uses the old file use the new one, also in the trash."""
        with self._database.transaction() as connection:
            for table in (_CHATS, _PROJECTS, _ASSISTANTS):
                connection.execute(f"UPDATE {table} SET model = ? WHERE model = ?", (clean_text(new), old))
