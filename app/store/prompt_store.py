"""Store of saved prompts: listed by use, deleted and restored."""

from __future__ import annotations

import sqlite3

from app.core.lazy_dataclasses import dataclass
from app.core.visible import clean_text
from app.store.deletable import DeletableRows


@dataclass(frozen=True)
class SavedPrompt:
    """A saved prompt. Times are seconds since 1970; `used_at` is None until used."""

    id: int
    name: str
    text: str
    created_at: float
    used_at: float | None = None


class PromptStore(DeletableRows[SavedPrompt]):
    """All saved prompts, last used first; those never used follow by name. Names need not be unique."""

    table = "prompts"
    columns = "id, name, text, created_at, used_at"
    order = "used_at DESC NULLS LAST, name COLLATE NOCASE, id"

    @staticmethod
    def _read_row(row: sqlite3.Row) -> SavedPrompt:
        return SavedPrompt(**dict(row))

    def create(self, name: str, text: str) -> SavedPrompt:
        return self._insert({"name": _clean_name(name), "text": clean_text(text), "created_at": self._clock()})

    def change(self, prompt_id: int, *, name: str | None = None, text: str | None = None) -> None:
        """Change the name or the text of a prompt; None leaves it as it is."""
        values = {} if name is None else {"name": _clean_name(name)}
        self._set_columns(prompt_id, values if text is None else values | {"text": clean_text(text)})

    def note_use(self, prompt_id: int) -> None:
        """Record that a prompt was used now, which brings it to the top of the list."""
        self._set_columns(prompt_id, {"used_at": self._clock()})


def _clean_name(typed: str) -> str:
    return " ".join(clean_text(typed).split())
