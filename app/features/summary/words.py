"""Everything that is said about a summary, in words that say only what was done; the window translates them."""

from __future__ import annotations

from collections.abc import Sequence

from app.features.summary.result import Check, Statement, Summary


def check_words(check: Check, pages: str) -> str:
    """Of one statement, such as "The page says 3.7 million." `pages` is where it was looked, such as "p. 12"."""
    raise NotImplementedError


def statements_words(statements: Sequence[Statement]) -> tuple[str, str]:
    """Such as ("6 statements: 5 found on their page", "1 differs"); the second part is what wants attention, or ""."""
    raise NotImplementedError


def coverage_words(summary: Summary) -> str:
    """Such as "46 of 48 pages read; 7 and 31 are pictures"; where nothing has pages, blocks are counted."""
    raise NotImplementedError
