"""A statement laid beside the sentence it all but repeats: what was put in another's place, and a "not" too few.

Only where most words of the statement stand in that sentence in the same order (edit distance over words,
Levenshtein 1966); of a statement in other words nothing is said here.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

from app.features.summary.check_names import is_same, names
from app.features.summary.check_quantities import Quantity, quantities
from app.features.summary.check_text import SHORT, STEM, level

LEAST_SHARE = 0.7
"""Of the words that say something, so many stand in the sentence in the same order."""
LEAST_WORDS = 3
MANY_TOKENS = 200
MOST_REPLACED = 4
SHOWN_AROUND = 2
_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)?|%")
_NEGATIONS = frozenset(
    """not no never neither nor none nobody nothing cannot nicht kein keine keinen keinem keiner keines nie niemals
    niemand nichts weder pas jamais aucun aucune ni nunca jamás ningún ninguna ninguno não nenhum nenhuma niet geen
    nooit не нет никогда ikke inte ingen""".split()
)
_NOT_ONLY = re.compile(r"^(?:only|just|merely|nur|seulement|solo|só|apenas|alleen|только)$")


class Token(NamedTuple):
    """A word or a number, what it counts as in comparisons, and where it is."""

    key: str
    start: int
    end: int
    quantity: Quantity | None
    is_name: bool
    is_negation: bool


class Other(NamedTuple):
    """What differs: `kind` is "number", "name" or "negation"; `said` and `page_says` as they stand."""

    kind: str
    said: str
    page_says: str


@lru_cache(maxsize=4096)
def tokens(text: str) -> tuple[Token, ...]:
    """The words and numbers of a sentence in their order."""
    plain = level(text)
    numbers = {one.start: one for one in quantities(text) if not one.is_part}
    capital = [(one.start, one.end, one.is_first) for one in names(text)]
    found: list[Token] = []
    behind = 0
    matches = list(_WORD.finditer(plain))[:MANY_TOKENS]
    for at, match in enumerate(matches):
        start = match.start()
        if start < behind:
            continue
        number = numbers.get(start) or next((one for place, one in numbers.items() if behind <= place < start), None)
        if number is not None and number.start >= behind and number.start <= start:
            behind = number.end
            numbers.pop(number.start)
            found.append(Token(_number_key(number), number.start, number.end, number, False, False))
            if behind > start:
                continue
        word = match[0].casefold()
        is_negation = word in _NEGATIONS or word.endswith("n't")
        following = matches[at + 1][0].casefold() if at + 1 < len(matches) else ""
        is_name = any(a <= start < b for a, b, _ in capital)
        found.append(
            Token(_key(word), start, match.end(), None, is_name, is_negation and not _NOT_ONLY.match(following))
        )
    return tuple(found)


def _key(word: str) -> str:
    return word[:STEM] if len(word) > SHORT else word


def _number_key(number: Quantity) -> str:
    return (
        f"#{(number.value if number.value is None else number.value.normalize()) or number.digits} {number.dimension}"
    )


def others(statement: str, sentence: str) -> list[Other]:
    """What stands in another's place, where the statement all but repeats the sentence."""
    from rapidfuzz.distance import Levenshtein

    ours, theirs = tokens(statement), tokens(sentence)
    steps = Levenshtein.opcodes([one.key for one in ours], [one.key for one in theirs])
    same = [
        (step.src_start + at, step.dest_start + at)
        for step in steps
        if step.tag == "equal"
        for at in range(step.src_end - step.src_start)
    ]
    telling = [one for one in ours if len(one.key) > SHORT or one.quantity]
    kept = [pair for pair in same if len(ours[pair[0]].key) > SHORT or ours[pair[0]].quantity]
    if len(kept) < LEAST_WORDS or len(kept) < LEAST_SHARE * len(telling):
        return []
    found: list[Other] = []
    for step in steps:
        if step.tag == "replace":
            ours_here, theirs_here = ours[step.src_start : step.src_end], theirs[step.dest_start : step.dest_end]
            found += _numbers(statement, sentence, ours_here, theirs_here, theirs, ours)
            found += _names(statement, sentence, ours_here, theirs_here, ours, theirs)
    found += _negations(sentence, ours, theirs, same)
    return found


def _numbers(
    statement: str,
    sentence: str,
    ours: tuple[Token, ...],
    theirs: tuple[Token, ...],
    all_theirs: tuple[Token, ...],
    all_ours: tuple[Token, ...],
) -> list[Other]:
    mine = [one.quantity for one in ours if one.quantity]
    page = [one.quantity for one in theirs if one.quantity]
    if len(mine) != len(page) or not mine:
        return []
    found: list[Other] = []
    for said, there in zip(mine, page, strict=True):
        is_elsewhere = any(said.has_figure_of(one.quantity) for one in all_theirs if one.quantity)
        is_said_too = any(there.has_figure_of(one.quantity) for one in all_ours if one.quantity)
        is_alike = said.dimension == there.dimension or not said.dimension or not there.dimension
        if is_alike and not is_elsewhere and not is_said_too:
            found.append(Other("number", statement[said.start : said.end], sentence[there.start : there.end]))
    return found


def _names(
    statement: str,
    sentence: str,
    ours: tuple[Token, ...],
    theirs: tuple[Token, ...],
    all_ours: tuple[Token, ...],
    all_theirs: tuple[Token, ...],
) -> list[Other]:
    """A name in place of a name; one that stands elsewhere in the sentence has only changed its place."""
    if max(len(ours), len(theirs)) > MOST_REPLACED or not all(one.is_name for one in (*ours, *theirs)):
        return []
    mine, page = _text(statement, ours), _text(sentence, theirs)
    words = {one.key for one in all_theirs}
    said = {one.key for one in all_ours}
    if any(one.key in words for one in ours) or any(one.key in said for one in theirs):
        return []
    if any(is_same(one.key, other.key) for one in ours for other in theirs):
        return []
    return [Other("name", mine, page)]


def _negations(
    sentence: str, ours: tuple[Token, ...], theirs: tuple[Token, ...], same: list[tuple[int, int]]
) -> list[Other]:
    first, last = same[0][1], same[-1][1]
    reach = range(max(first - 1, 0), min(last + 2, len(theirs)))
    mine = [one for one in ours if one.is_negation]
    page = [at for at in reach if theirs[at].is_negation]
    if bool(mine) == bool(page) or len(same) < LEAST_SHARE * len(reach):
        return []
    if page:
        return [Other("negation", "", _around(sentence, theirs, page[0]))]
    at = next(at for at, one in enumerate(ours) if one.is_negation)
    before = max((pair for pair in same if pair[0] < at), default=same[0])
    return [Other("negation", mine[0].key, _around(sentence, theirs, before[1]))]


def _around(sentence: str, theirs: tuple[Token, ...], at: int) -> str:
    return _text(sentence, theirs[max(at - SHOWN_AROUND, 0) : at + SHOWN_AROUND + 1])


def _text(text: str, some: tuple[Token, ...]) -> str:
    return text[some[0].start : some[-1].end] if some else ""
