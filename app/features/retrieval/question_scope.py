"""What a question wants of whole documents: values, apart from the rules that tell it and take a moment to compile."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class QuestionScope(StrEnum):
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
class WantedScope:
    """What is wanted. `words` are those whose mentions are looked for.

    `is_narrowed`: not all of that kind, but those that the question says more about ("all dates of hearings").
    `is_counted`: the question is how many.
    """

    wanted: QuestionScope
    words: str = ""
    is_narrowed: bool = False
    is_counted: bool = False
