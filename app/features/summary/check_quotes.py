"""Whether a quotation stands in a text: letter by letter once both are in a normal form, or nearly."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import NamedTuple

CLOSE = 92.0
"""Percent of letters that agree (rapidfuzz's partial ratio)."""
LONG_TEXT = 20_000
"""Characters; a longer text is not searched for near matches."""
_QUOTES = frozenset("\"'«»‹›“”„‟‘’‚‛`´「」『』")
_DASHES = frozenset("-\u2010\u2011\u2012\u2013\u2014\u2015\u2212\ufe63\uff0d")
_CLOSING = frozenset(",.;:!?%)]")
_DIGITS = re.compile(r"\d+")


class Found(NamedTuple):
    """Where a quotation stands in a text; `is_exact` but for its spelling (quotes, dashes, spaces, ligatures)."""

    start: int
    end: int
    is_exact: bool


def find_quote(quote: str, text: str) -> Found | None:
    """Where the quotation stands, or nearly stands with every digit the same; None where it does not."""
    wanted = _normal(quote.strip(" .…"))[0].strip(" .,;:")
    if not wanted:
        return None
    normal, places = _normal(text)
    at = normal.find(wanted)
    if at >= 0:
        return Found(places[at], places[at + len(wanted) - 1] + 1, True)
    if len(normal) > LONG_TEXT or len(wanted) > len(normal):
        return None
    return _near(wanted, normal, places)


def _near(wanted: str, normal: str, places: tuple[int, ...]) -> Found | None:
    from rapidfuzz.fuzz import partial_ratio_alignment

    best = partial_ratio_alignment(wanted, normal, score_cutoff=CLOSE)
    if best is None or best.dest_end <= best.dest_start:
        return None
    start, end = _whole_numbers(normal, best.dest_start, best.dest_end)
    if _DIGITS.findall(wanted) != _DIGITS.findall(normal[start:end]):
        return None
    return Found(places[start], places[end - 1] + 1, False)


def _whole_numbers(normal: str, start: int, end: int) -> tuple[int, int]:
    """The stretch without cutting through a number at its ends."""
    while start and normal[start].isdigit() and normal[start - 1].isdigit():
        start -= 1
    while end < len(normal) and normal[end - 1].isdigit() and normal[end].isdigit():
        end += 1
    return start, end


@lru_cache(maxsize=1024)
def _normal(text: str) -> tuple[str, tuple[int, ...]]:
    """The normal form (NFKD, casefolded, spaces and dashes levelled, no soft hyphens), and where each letter stood."""
    letters: list[str] = []
    places: list[int] = []
    for at, character in enumerate(text):
        if character == "\u00ad" or character in _QUOTES:
            continue
        if character.isspace():
            _add_space(letters, places, at)
            continue
        for letter in character.casefold() if character.isascii() else unicodedata.normalize("NFKD", character):
            if letter in _CLOSING and letters and letters[-1] == " ":
                letters.pop()
                places.pop()
            letters.append("-" if letter in _DASHES else letter.casefold()[:1] or letter)
            places.append(at)
    return "".join(letters), tuple(places)


def _add_space(letters: list[str], places: list[int], at: int) -> None:
    """A word divided at the end of a line is joined; other white space is one space."""
    if len(letters) > 1 and letters[-1] == "-" and letters[-2].isalpha():
        return
    if letters and letters[-1] not in " (":
        letters.append(" ")
        places.append(at)
