"""What a question wants of whole documents, what can be done for it, how far that is, and how it was made: values.

Apart from what finds and reads, which takes a quarter of a second to import.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any


class Wanted(StrEnum):
    """What a question wants of the whole document."""

    ABOUT = "about"
    """What it says, in short."""
    DATES = "dates"
    MONEY = "money"
    PERCENTAGES = "percentages"
    NUMBERS = "numbers"
    EMAILS = "emails"
    LINKS = "links"
    HEADINGS = "headings"
    TABLES = "tables"
    FIGURES = "figures"
    PAGES = "pages"
    MENTIONS = "mentions"
    """Every place of some words."""
    LIST = "list"
    """Everything that the question describes, wherever it stands."""


@dataclass(frozen=True)
class Scope:
    """What is wanted. `words` are those whose mentions are looked for.

    `is_narrowed`: not all of that kind, but those that the question says more about ("all dates of hearings").
    `is_counted`: the question is how many.
    """

    wanted: Wanted
    words: str = ""
    is_narrowed: bool = False
    is_counted: bool = False


@dataclass(frozen=True)
class Offer:
    """What can be done for a question. `is_by_model`: the model reads all of it; else the program does, at once.

    `tokens`, `sections` and `seconds` are None until they are estimated, or where nothing tells them.
    """

    scope: Scope
    document_ids: tuple[int, ...]
    is_by_model: bool
    tokens: int | None = None
    sections: int | None = None
    seconds: float | None = None


@dataclass(frozen=True)
class SurveyProgress:
    """So many of the sections are read; about how much longer it takes, None where nothing tells it yet.

    `is_resting`: somebody else is being answered first.
    """

    done: int
    sections: int
    seconds_left: float | None
    is_resting: bool = False


# How an answer was made that comes from whole documents, kept beside its sources; other answers have none of it.


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
