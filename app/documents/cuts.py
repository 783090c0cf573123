"""Places in the text of a block where it may be cut, from ends of lines down to single characters."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from enum import IntEnum
from itertools import chain

from app.documents.blocks import Kind
from app.language.sentences import sentence_ends


class Rank(IntEnum):
    """How good it is to cut at a place: the smaller, the better. Before a heading it is the heading's level."""

    BLOCK = 10
    LIST = 11
    """Between the items of a list, and before what belongs to what is above it."""
    LINE = 12
    CELL = 13
    SENTENCE = 14
    WORD = 15
    CHARACTER = 16
    AFTER_HEADING = 20


_PROSE = (Rank.LINE, Rank.SENTENCE, Rank.WORD, Rank.CHARACTER)
INSIDE = dict.fromkeys(Kind, _PROSE) | {
    Kind.TABLE: (Rank.LINE, Rank.CELL, Rank.SENTENCE, Rank.WORD, Rank.CHARACTER),
    Kind.CODE: (Rank.LINE, Rank.WORD, Rank.CHARACTER),
}


_LINE = re.compile(r"\n+")
_CELL = re.compile(r"\t")
_WORD = re.compile(r"\s+")
LONGEST_CHARACTER = 64
"""Code points that a person may see as one; a longer stretch is divided anywhere."""


def cuts_in(text: str, rank: Rank, step: int) -> list[int]:
    """Places inside of a text where it may be cut, not all of them: about `step` characters apart where that goes."""
    if rank is Rank.CHARACTER:
        return list(_between_characters(text, step))
    if rank is Rank.SENTENCE:
        return list(_thinned(sentence_ends(text), len(text), step))
    pattern = {Rank.LINE: _LINE, Rank.CELL: _CELL}.get(rank, _WORD)
    return list(_thinned((match.end() for match in pattern.finditer(text)), len(text), step))


def _thinned(places: Iterable[int], size: int, step: int) -> Iterator[int]:
    """Leaves out those that are nearer to the one before than `step` and have the next one within it too."""
    last, held = 0, 0
    for place in places:
        if place - last > step and held > last:
            yield held
            last = held
        held = place
    if last < held < size and (not last or size - last > step):
        yield held


def _between_characters(text: str, step: int) -> Iterator[int]:
    """Every so many code points, or near that where it is inside of what a person sees as one character."""
    last = 0
    while last + step < len(text):
        place = last + step
        before = range(place, max(last, place - LONGEST_CHARACTER), -1)
        after = range(place + 1, min(len(text), place + LONGEST_CHARACTER))
        found = next((n for n in chain(before, after) if _is_between(text, n, last)), 0)
        if not found and last and len(text) - last <= LONGEST_CHARACTER:
            return
        last = found or place
        yield last


def is_one_character(text: str) -> bool:
    """Whether a person sees it as one, or as none."""
    return len(text) <= LONGEST_CHARACTER and not any(_is_between(text, place, 0) for place in range(1, len(text)))


_JOINER = "\u200d"


def _is_between(text: str, place: int, first: int) -> bool:
    """Whether two characters stand apart: a simple form of the rules of Unicode's annex 29.

    Empty lines stay together too, as blocks are divided by them. At `first` a character begins.
    """
    before, after = text[place - 1], text[place]
    if unicodedata.category(after)[0] == "M" or _JOINER in (before, after) or "\U0001f3fb" <= after <= "\U0001f3ff":
        return False
    if before + after in ("\r\n", "\n\n") or "\U000e0020" <= after <= "\U000e007f":
        return False
    if "\ud800" <= before < "\udc00" <= after < "\ue000":
        return False
    if "\u1100" <= before <= "\u11ff" and "\u1100" <= after <= "\u11ff":
        return False
    return not (_is_flag_letter(before) and _is_flag_letter(after) and _flag_letters(text, first, place) % 2)


def _is_flag_letter(character: str) -> bool:
    return "\U0001f1e6" <= character <= "\U0001f1ff"


def _flag_letters(text: str, first: int, end: int) -> int:
    """How many there are before a place."""
    return next((n for n in range(end - first) if not _is_flag_letter(text[end - 1 - n])), end - first)
