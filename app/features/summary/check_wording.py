"""A statement laid beside the sentence it all but repeats: what was put in another's place, and a "not" too few.

Only where most words of the statement stand in that sentence in the same order (edit distance over words,
Levenshtein 1966); of a statement in other words nothing is said here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from itertools import zip_longest
from typing import NamedTuple

from app.features.summary.check_names import Name, is_same, names
from app.language.numbers import Quantity, quantities
from app.language.words import SHORT, STEM, level

LEAST_SHARE = 0.7
"""Of the words that say something, so many stand in the sentence in the same order."""
LEAST_WORDS = 3
MANY_TOKENS = 200
MOST_REPLACED = 4
SHOWN_AROUND = 2
_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)?|%")
_NEGATIONS = frozenset(
    """
    not no never neither nor none nobody nothing cannot nicht kein keine keinen keinem keiner keines nie niemals
    niemand nichts weder pas jamais aucun aucune ni nunca jamás ningún ninguna ninguno não nenhum nenhuma niet geen
    nooit не нет никогда ikke inte ingen
    """.split()  # noqa: SIM905
)
_ONLY = re.compile(
    r"more|less|fewer|later|mehr|weniger|only|just|merely|nur|seulement|solo|só|apenas|alleen|только", re.IGNORECASE
)


class Token(NamedTuple):
    """A word or a number, what it counts as in comparisons, and where it is."""

    key: str
    start: int
    end: int
    quantity: Quantity | None = None
    name: Name | None = None
    is_negation: bool = False

    @property
    def is_telling(self) -> bool:
        """Whether it says something of what the sentence is about."""
        return (len(self.key) > SHORT or self.quantity is not None) and not self.is_negation


Tokens = tuple[Token, ...]


class Other(NamedTuple):
    """What differs: `kind` is "number", "name" or "negation"; `said` and `page_says` as they stand."""

    kind: str
    said: str
    page_says: str


@lru_cache(maxsize=4096)
def tokens(text: str) -> Tokens:
    """The words and numbers of a sentence in their order."""
    plain = level(text)
    numbers = [one for one in quantities(text) if not one.is_part]
    found = [Token(_number_key(one), one.start, one.end, quantity=one) for one in numbers]
    named = names(text)
    matches = list(_WORD.finditer(plain))[:MANY_TOKENS]
    for match, following in zip_longest(matches, matches[1:]):
        start, word = match.start(), match[0].casefold()
        if any(one.start <= start < one.end for one in numbers):
            continue
        name = next((one for one in named if one.start <= start < one.end), None)
        is_not = (word in _NEGATIONS or word.endswith("n't")) and not (following and _ONLY.fullmatch(following[0]))
        found.append(Token(word[:STEM] if len(word) > SHORT else word, start, match.end(), None, name, is_not))
    return tuple(sorted(found, key=lambda one: one.start))


def _number_key(number: Quantity) -> str:
    value = number.digits if number.value is None else number.value.normalize()
    return f"#{value} {number.dimension}"


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
    telling = [one for one in ours if one.is_telling and one.name is None]
    kept = [ours[mine] for mine, _ in same if ours[mine].is_telling]
    nameless = [one for one in kept if one.name is None]
    is_near = len(kept) >= LEAST_SHARE * sum(one.is_telling for one in ours)
    if len(kept) < LEAST_WORDS or not (is_near or len(nameless) >= LEAST_SHARE * len(telling)):
        return []
    beside = _Beside(statement, sentence, ours, theirs)
    found: list[Other] = []
    for step in steps:
        if step.tag == "replace":
            here, there = ours[step.src_start : step.src_end], theirs[step.dest_start : step.dest_end]
            found += [*beside.numbers(here, there), *beside.names(here, there)]
    return [*found, *beside.negations(same)]


class _Beside(NamedTuple):
    """A statement and the sentence that it all but repeats."""

    statement: str
    sentence: str
    ours: Tokens
    theirs: Tokens

    def numbers(self, ours: Tokens, theirs: Tokens) -> Iterator[Other]:
        """Numbers in place of numbers; one that stands elsewhere in the sentence has only changed its place."""
        mine = [one.quantity for one in ours if one.quantity]
        page = [one.quantity for one in theirs if one.quantity]
        if len(mine) != len(page):
            return
        for said, there in zip(mine, page, strict=True):
            is_there = any(said.has_figure_of(one.quantity) for one in self.theirs if one.quantity)
            is_said = any(there.has_figure_of(one.quantity) for one in self.ours if one.quantity)
            is_alike = said.dimension == there.dimension or not said.dimension or not there.dimension
            if is_alike and not is_there and not is_said:
                yield Other("number", self.statement[said.start : said.end], self.sentence[there.start : there.end])

    def names(self, ours: Tokens, theirs: Tokens) -> Iterator[Other]:
        """A name in place of a name; one that stands elsewhere in the sentence has only changed its place."""
        if max(len(ours), len(theirs)) > MOST_REPLACED or any(one.name is None for one in (*ours, *theirs)):
            return
        there, said = {one.key for one in self.theirs}, {one.key for one in self.ours}
        if any(one.key in there for one in ours) or any(one.key in said for one in theirs):
            return
        if not any(is_same(one.key, other.key) for one in ours for other in theirs):
            yield Other("name", _name_of(self.statement, ours), _name_of(self.sentence, theirs))

    def negations(self, same: list[tuple[int, int]]) -> Iterator[Other]:
        """A "not" that only one of both has, where the sentence says little else than the statement."""
        first, last = same[0][1], same[-1][1]
        reach = range(max(first - 1, 0), min(last + 2, len(self.theirs)))
        mine = [at for at, one in enumerate(self.ours) if one.is_negation]
        page = [at for at in reach if self.theirs[at].is_negation]
        if bool(mine) == bool(page) or len(same) < LEAST_SHARE * len(reach):
            return
        said = self.ours[mine[0]] if mine else None
        at = page[0] if page else max((pair for pair in same if pair[0] < mine[0]), default=same[0])[1]
        shown = self.theirs[max(at - SHOWN_AROUND, 0) : at + SHOWN_AROUND + 1]
        yield Other("negation", self.statement[said.start : said.end] if said else "", _text(self.sentence, shown))


def _name_of(text: str, some: Tokens) -> str:
    """The names that the words belong to, as they stand."""
    whole = [one.name for one in some if one.name]
    return text[whole[0].start : whole[-1].end]


def _text(text: str, some: Tokens) -> str:
    return text[some[0].start : some[-1].end]
