"""Names of what uses a model, for what is said when it is deleted."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from app.core.catalogue import Translatable, tr
from app.core.counted_units import count_units

if TYPE_CHECKING:
    from app.store.model_uses import ModelUsers

_BY_SETTING: dict[str, Translatable] = {
    "summarize_path": "Summarize",
    "translate_path": "Translate",
    "write_path": "Write",
    "passages_path": "search in documents",
    "checker_path": "the check of answers",
}


def name_users(settings: Iterable[str], users: ModelUsers) -> list[str]:
    """Return the names of settings, and the counts of chats, projects and assistants."""
    counted = {"chat": users.chats, "project": users.projects, "assistant": users.assistants}
    return [
        *(tr(_BY_SETTING[setting]) for setting in settings),
        *(count_units(unit, len(ids)) for unit, ids in counted.items() if ids),
    ]
