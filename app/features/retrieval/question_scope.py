"""Values that say what a question wants of whole documents; apart from the rules, which take a moment to compile."""

from __future__ import annotations

from enum import StrEnum

from app.core.lazy_dataclasses import dataclass


class QuestionScope(StrEnum):
    """Kind of content a question wants of the whole document."""

    ABOUT = "about"
    """A short account of its content."""
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
    """Everything the question describes, anywhere in it."""


@dataclass(frozen=True)
class WantedScope:
    """The parsed scope.

    `words` are those whose mentions are wanted. `is_narrowed`: not all of the kind, but only some ("all dates of
    hearings"). `is_counted`: the question is how many.
    """

    wanted: QuestionScope
    words: str = ""
    is_narrowed: bool = False
    is_counted: bool = False
