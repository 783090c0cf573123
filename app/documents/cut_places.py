"""Places in the text of a block where it may be cut, from ends of lines down to single characters."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from enum import IntEnum
from itertools import chain

from app.documents.blocks import BlockKind
from app.language.sentences import sentence_ends


class CutRank(IntEnum):
    """Rank of a cut: smaller is better. Before a heading it is the heading's level."""

    BLOCK = 10
    LIST = 11
    """Between the items of a list, and before what belongs to what is above it."""
    LINE = 12
    CELL = 13
    SENTENCE = 14
    WORD = 15
    CHARACTER = 16
    AFTER_HEADING = 20


_PROSE = (CutRank.LINE, CutRank.SENTENCE, CutRank.WORD, CutRank.CHARACTER)
INSIDE = dict.fromkeys(BlockKind, _PROSE) | {
    BlockKind.TABLE: (CutRank.LINE, CutRank.CELL, CutRank.SENTENCE, CutRank.WORD, CutRank.CHARACTER),
    BlockKind.CODE: (CutRank.LINE, CutRank.WORD, CutRank.CHARACTER),
}
_LINE = re.compile(r"\n+")
_CELL = re.compile(r"\t")
_WORD = re.compile(r"\s+")
LONGEST_CHARACTER = 64
"""Longest user-perceived character in code points; longer ones are divided anywhere."""


def cuts_in(text: str, rank: CutRank, step: int) -> list[int]:
    """Places inside of a text where it may be cut, not all of them: about `step` characters apart where that goes."""
    if rank is CutRank.CHARACTER:
        return list(_between_characters(text, step))
    if rank is CutRank.SENTENCE:
        return list(_thin_places(sentence_ends(text), len(text), step))
    pattern = {CutRank.LINE: _LINE, CutRank.CELL: _CELL}.get(rank, _WORD)
    return list(_thin_places((match.end() for match in pattern.finditer(text)), len(text), step))


def _thin_places(places: Iterable[int], size: int, step: int) -> Iterator[int]:
    """Drop places within `step` of the last one if the next is within it too."""
    last, held = 0, 0
    for place in places:
        if place - last > step and held > last:
            yield held
            # Kept until the next one is known: if both are within `step`, the first is not needed.
            last = held
        held = place
    if last < held < size and (not last or size - last > step):
        yield held


def _between_characters(text: str, step: int) -> Iterator[int]:
    """Yield about every `step` code points, never inside a user-perceived character."""
    last = 0
    while last + step < len(text):
        place = last + step
        before = range(place, max(last, place - LONGEST_CHARACTER), -1)
        # Backwards first, so that a part stays within its size.
        after = range(place + 1, min(len(text), place + LONGEST_CHARACTER))
        found = next((n for n in chain(before, after) if _is_between(text, n, last)), 0)
        if not found and last and len(text) - last <= LONGEST_CHARACTER:
            return
        last = found or place
        yield last


def is_one_character(text: str) -> bool:
    """Return whether a text is at most one user-perceived character."""
    return len(text) <= LONGEST_CHARACTER and not any(_is_between(text, place, 0) for place in range(1, len(text)))


_JOINER = "\u200d"


def _is_between(text: str, place: int, first: int) -> bool:
    """Return whether two characters may be separated: a simple form of Unicode's annex 29.

    Empty lines aren't divided, as blocks are separated by them. A character begins at `first`.
    """
    before, after = text[place - 1], text[place]
    # Combining marks, joined emoji, skin tones.
    if unicodedata.category(after)[0] == "M" or _JOINER in (before, after) or "\U0001f3fb" <= after <= "\U0001f3ff":
        return False
    # Tag characters spell the flags of Scotland and Wales behind a black flag.
    if before + after in ("\r\n", "\n\n") or "\U000e0020" <= after <= "\U000e007f":
        return False
    # A lone pair of surrogates, as decoded from JSON, is one character.
    if "\ud800" <= before < "\udc00" <= after < "\ue000":
        return False
    # Conjoining Hangul: a syllable of up to three letters.
    if "\u1100" <= before <= "\u11ff" and "\u1100" <= after <= "\u11ff":
        return False
    # Flags are pairs of regional letters, so a cut is possible after an even number of them only.
    return not (_is_flag_letter(before) and _is_flag_letter(after) and _flag_letters(text, first, place) % 2)


def _is_flag_letter(character: str) -> bool:
    return "\U0001f1e6" <= character <= "\U0001f1ff"


def _flag_letters(text: str, first: int, end: int) -> int:
    """Count the regional letters that stand right before `end`, not before `first`."""
    return next((n for n in range(end - first) if not _is_flag_letter(text[end - 1 - n])), end - first)
