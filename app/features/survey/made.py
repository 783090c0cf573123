"""How an answer was made that comes from whole documents, kept beside its sources; other answers have none of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

_NAME = "survey"


@dataclass(frozen=True)
class Made:
    """So many sections were read of so many, in `seconds`; without a model each document is one."""

    sections: int = 0
    read: int = 0
    seconds: float = 0.0
    is_by_model: bool = False


def made_to_fields(made: Made) -> dict[str, Any]:
    """As it stands among the sources of a message; versions that do not know it leave it out."""
    return {_NAME: asdict(made)}


def made_of(sources: Sequence[dict[str, Any]]) -> Made | None:
    """How a message with these sources was made; None where it is no such answer."""
    found = next((fields[_NAME] for fields in sources if isinstance(fields.get(_NAME), dict)), None)
    if found is None:
        return None
    try:
        return Made(**found)
    except TypeError:  # written by a newer version
        return Made()
