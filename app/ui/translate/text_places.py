"""Places in a text, counted in characters: of sentences, of Qt's cursor; and which way a text runs."""

from __future__ import annotations

import unicodedata
from itertools import pairwise

from PySide6.QtCore import QTextBoundaryFinder

_STRONG = {"L": False, "R": True, "AL": True}


def place_in(text: str, units: int) -> int:
    """Qt counts units of UTF-16, of which some characters take two; never beyond the end."""
    return len(text.encode("utf-16-le", "surrogatepass")[: 2 * max(0, units)].decode("utf-16-le", "ignore"))


def sentences_around(text: str, start: int, end: int) -> tuple[int, int]:
    """From the beginning of the sentence that `start` is in, to the end of the one that `end` is in."""
    bounds = _bounds(text)
    first = max((one for one in bounds if one <= start), default=0)
    last = min((one for one in bounds if one >= end and one > first), default=len(text))
    return first, last


def sentence_like(source: str, target: str, start: int, end: int) -> tuple[str, int, int]:
    """The sentence of the source that one of its translation, from start to end, is of; and from where to where it is.

    Where both have as many sentences, those at the same place; else everything.
    """
    ours, theirs = _spans(source), _spans(target)
    chosen = [number for number, (first, last) in enumerate(theirs) if first < end and last > start]
    if len(ours) != len(theirs) or not chosen:
        return source.strip(), 0, len(target)
    words = source[ours[chosen[0]][0] : ours[chosen[-1]][1]].strip()
    return words, theirs[chosen[0]][0], theirs[chosen[-1]][1]


def is_rtl_text(text: str) -> bool:
    """Whether its first letter belongs to a script that runs from right to left."""
    return next((_STRONG[kind] for kind in map(unicodedata.bidirectional, text) if kind in _STRONG), False)


def _spans(text: str) -> list[tuple[int, int]]:
    """Sentences without the white space around them."""
    bounds, found = _bounds(text), []
    for first, last in pairwise(bounds):
        words = text[first:last]
        if words.strip():
            found.append((first + len(words) - len(words.lstrip()), first + len(words.rstrip())))
    return found


def _bounds(text: str) -> list[int]:
    """Where sentences begin, and the end."""
    finder = QTextBoundaryFinder(QTextBoundaryFinder.BoundaryType.Sentence, text)
    found = [0]
    while (place := finder.toNextBoundary()) >= 0:
        found.append(place_in(text, place))
    return found
