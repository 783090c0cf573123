"""Assistants: what a chat can set itself, saved under a name; listed by use, deleted with a way back."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from typing import Any

from app.core.lazy_dataclasses import dataclass, field
from app.core.visible import clean_text
from app.store.deletable import DeletableRows


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


class AssistantStore(DeletableRows[Assistant]):
    """All assistants, last used first; those never used follow by name. Names needn't be unique.

    A conversation's `assistant_id` may name one that is deleted: chats keep the settings they took from it.
    """

    table = "assistants"
    columns = "id, name, icon, instructions, model, sampling, thinking, created_at, used_at"
    # NOCASE is SQLite's own and knows ASCII only, which is enough where names only break a tie.
    order = "used_at DESC NULLS LAST, name COLLATE NOCASE, id"

    @staticmethod
    def _read_row(row: sqlite3.Row) -> Assistant:
        return Assistant(**{**dict(row), "sampling": json.loads(row["sampling"])})

    def create(self, name: str, icon: str = "", **values: Any) -> Assistant:
        # Only names of columns that `_column_values` knows get into the statement; values are bound.
        return self._insert(_column_values({"name": name, "icon": icon} | values) | {"created_at": self._clock()})

    def update(self, assistant_id: int, **values: Any) -> None:
        """Change the given fields: name, icon, instructions, model, sampling, thinking."""
        self._set_columns(assistant_id, _column_values(values))

    def note_use(self, assistant_id: int) -> None:
        """Record that a chat started from this assistant now."""
        self._set_columns(assistant_id, {"used_at": self._clock()})


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
