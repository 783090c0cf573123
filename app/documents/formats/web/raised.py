"""Raised numbers that would join the word before them: calls of footnotes, and powers."""

from __future__ import annotations

import re
from typing import NamedTuple

MOST_CHARACTERS = 400
"""Within which a raised number begins and ends, with all its tags."""
SHORT_WORD_CHARACTERS = 2
"""A number on a word no longer than that is a power, as in m²."""
_INNER = r"(?>\s|</?(?:b|i|u|em|strong|span|small|font)\b[^<>]*+>)*+"
_TAGS = _INNER.replace("(?:b", "(?:a|b")
_WORDS = r"(?P<words>[-\u2212]?[0-9]{1,4}(?:\s?[,\u2013-]\s?[0-9]{1,4}){0,9}|[a-z]|[ivx]{1,6}|[*†‡§¶]{1,3})"
_IN_SUP = re.compile(rf"(?P<before>{_TAGS}){_WORDS}{_TAGS}</sup\s*>", re.IGNORECASE)
_IN_LINK = re.compile(rf"(?P<before>{_INNER}){_WORDS}{_INNER}</a\s*>", re.IGNORECASE)
_LINK = re.compile(r"<a\s[^<>]*\bhref\b", re.IGNORECASE)
_OPEN_LINK = re.compile(rf"<a\s[^<>]*\bhref\b[^<>]*>{_INNER}\Z", re.IGNORECASE)
_LAST_WORD = re.compile(r"[^\W\d_]+\Z")


class Raised(NamedTuple):
    """How it is written, and where in the page its end tag ends."""

    text: str
    end: int


def raised(page: str, name: str, start: int, end: int, written: str) -> Raised | None:
    """The content of a `sup`, or of a link that is said to call a note; None for what stays as it is ("1st").

    Its tag is `page[start:end]`, and `written` is what stands before it. A footnote's mark comes in brackets
    ("Text[1]"), so that the word is found; a power after "^" ("10^6"), so that the number stays what it is.
    """
    if not written or written[-1].isspace() or written[-1] in "[(":
        return None
    found = (_IN_SUP if name == "sup" else _IN_LINK).match(page, end, end + MOST_CHARACTERS)
    if found is None or "hidden" in found["before"] or "none" in found["before"]:
        return None
    words = found["words"]
    if name == "a" or _LINK.search(found["before"]) or _is_in_link(page, start):
        return Raised(f"[{words}]", found.end())
    if not words[-1].isdecimal():
        return None
    word = _LAST_WORD.search(written[-MOST_CHARACTERS:])
    is_power = written[-1].isdecimal() or (word is not None and len(word[0]) <= SHORT_WORD_CHARACTERS)
    return Raised(f"^{words}" if is_power else f"[{words}]", found.end())


def _is_in_link(page: str, start: int) -> bool:
    at = page.rfind("<a", max(0, start - MOST_CHARACTERS), start)
    return at >= 0 and _OPEN_LINK.match(page, at, start) is not None
