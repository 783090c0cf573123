"""What is shown and said of each statement: its chips, and what its check came upon."""

from __future__ import annotations

from collections.abc import Sequence

from app.features.summary.messages import check_words
from app.features.summary.result import Statement
from app.ui.shell.i18n import tr
from app.ui.summarize.places import Places
from app.ui.summarize.statement_text import Told


def told(statements: Sequence[Statement], places: Places) -> list[Told]:
    """In the same order. Raises what the store raises."""
    places.know(statements)
    return [_told(one, places) for one in statements]


def _told(statement: Statement, places: Places) -> Told:
    chips, check = places.chips(statement), statement.check
    where = places.where(statement)
    is_plain = check.found and check.reason is None
    words = tr(check_words(check, where))
    note = "" if is_plain else words
    spoken = words if note or chips else ""
    return Told(statement, chips, note, " ".join(part for part in (statement.group, statement.text, spoken) if part))
