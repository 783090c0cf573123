"""Raised numbers in a page that call a footnote: they stand in a sentence as one thing."""

from __future__ import annotations

import re

MOST_CHARACTERS = 600
"""Within which a call begins and ends, with all its tags."""
_TAG = r"\s*+<{}\b[^<>]*+>\s*+"
_NUMBER = r"(?:<span\b[^<>]*+>)?\[?(?:\d{1,4}|[a-z]|[ivx]{1,6}|[*†‡§¶]{1,3})\]?(?:</span\s*>)?"
_CALL = re.compile(
    "|".join(
        (
            rf"{_TAG.format('sup')}{_TAG.format('a')}{_NUMBER}\s*+</a\s*>\s*+</sup\s*>",
            rf"{_TAG.format('a')}{_TAG.format('sup')}{_NUMBER}\s*+</sup\s*>\s*+</a\s*>",
            rf"<a\s[^<>]*?noteref[^<>]*+>\s*+{_NUMBER}\s*+</a\s*>",
        )
    ),
    re.IGNORECASE,
)


def end_of_call(text: str, name: str, start: int) -> int:
    """Where the call of a footnote ends whose first tag is at `start`; 0 where there is none."""
    if name not in ("sup", "a"):
        return 0
    found = _CALL.match(text, start, start + MOST_CHARACTERS)
    return found.end() if found else 0
