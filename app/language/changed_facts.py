"""Facts changed in a statement that all but repeats a sentence: what was put in another's place, a "not" too few.

Only where most words of the statement stand in that sentence in the same order (edit distance over words,
Levenshtein 1966); of a statement in other words nothing is said here.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import zip_longest
from typing import NamedTuple

from app.language.numbers import Quantity, find_quantities
from app.language.proper_names import Name, find_names, is_same
from app.language.sentence_support import NEGATIONS, ONLY, WORD_OR_PERCENT
from app.language.text_cache import text_cache
from app.language.words import SHORT, STEM, normalize_signs

LEAST_SHARE_IN_ORDER = 0.7
"""Share of content words that must appear in the sentence in the same order."""
# So few words may be in the same order by chance.
LEAST_WORDS = 3
MANY_TOKENS = 200
MOST_REPLACED = 4
SHOWN_AROUND = 2


class FactToken(NamedTuple):
    """A word or number, its key for comparisons, and its position."""

    key: str
    start: int
    end: int
    quantity: Quantity | None = None
    name: Name | None = None
    is_negation: bool = False

    @property
    def is_telling(self) -> bool:
        """Return whether a word says something about the topic: no negation, and not a short word."""
        return (len(self.key) > SHORT or self.quantity is not None) and not self.is_negation


Tokens = tuple[FactToken, ...]


class ChangedFact(NamedTuple):
    """A difference: `kind` is "number", "name" or "negation"; `said` and `page_says` are verbatim."""

    kind: str
    said: str
    page_says: str


@text_cache(4096)
def fact_tokens(text: str) -> Tokens:
    """Return a sentence's words and numbers in order, numbers with their units as one."""
    plain = normalize_signs(text)
    numbers = [quantity for quantity in find_quantities(text) if not quantity.is_part]
    found = [FactToken(_number_key(number), number.start, number.end, quantity=number) for number in numbers]
    named = find_names(text)
    matches = list(WORD_OR_PERCENT.finditer(plain))[:MANY_TOKENS]
    for match, following in zip_longest(matches, matches[1:]):
        start, word = match.start(), match[0].casefold()
        if any(number.start <= start < number.end for number in numbers):
            continue
        name = next((name for name in named if name.start <= start < name.end), None)
        # "not only" and "no more than" deny nothing.
        is_not = (word in NEGATIONS or word.endswith("n't")) and not (following and ONLY.fullmatch(following[0]))
        found.append(FactToken(word[:STEM] if len(word) > SHORT else word, start, match.end(), None, name, is_not))
    return tuple(sorted(found, key=lambda token: token.start))


def _number_key(number: Quantity) -> str:
    value = number.digits if number.value is None else number.value.normalize()
    return f"#{value} {number.dimension}"


def changed_facts(statement: str, sentence: str) -> list[ChangedFact]:
    """Return facts that differ where the statement nearly repeats the sentence."""
    from rapidfuzz.distance import Levenshtein

    ours, theirs = fact_tokens(statement), fact_tokens(sentence)
    steps = Levenshtein.opcodes([fact_token.key for fact_token in ours], [fact_token.key for fact_token in theirs])
    same = [
        (step.src_start + at, step.dest_start + at)
        for step in steps
        if step.tag == "equal"
        for at in range(step.src_end - step.src_start)
    ]
    telling = [fact_token for fact_token in ours if fact_token.is_telling and fact_token.name is None]
    kept = [ours[mine] for mine, _ in same if ours[mine].is_telling]
    # Names may have been put in another's place, so a statement may also be near without them.
    nameless = [token for token in kept if token.name is None]
    is_near = len(kept) >= LEAST_SHARE_IN_ORDER * sum(fact_token.is_telling for fact_token in ours)
    if len(kept) < LEAST_WORDS or not (is_near or len(nameless) >= LEAST_SHARE_IN_ORDER * len(telling)):
        return []
    beside = _NearMatch(statement, sentence, ours, theirs)
    found: list[ChangedFact] = []
    for step in steps:
        if step.tag == "replace":
            here, there = ours[step.src_start : step.src_end], theirs[step.dest_start : step.dest_end]
            found += [*beside.changed_numbers(here, there), *beside.changed_names(here, there)]
    return [*found, *beside.changed_negations(same)]


class _NearMatch(NamedTuple):
    """A statement and the sentence that it all but repeats."""

    statement: str
    sentence: str
    ours: Tokens
    theirs: Tokens

    def changed_numbers(self, ours: Tokens, theirs: Tokens) -> Iterator[ChangedFact]:
        """Yield numbers replaced by numbers; one found elsewhere in the sentence has only moved."""
        mine = [fact_token.quantity for fact_token in ours if fact_token.quantity]
        page = [token.quantity for token in theirs if token.quantity]
        # Two numbers for one: nobody can say which stands for which.
        if len(mine) != len(page):
            return
        for said, there in zip(mine, page, strict=True):
            is_there = any(said.has_figure_of(fact_token.quantity) for fact_token in self.theirs if fact_token.quantity)
            is_said = any(there.has_figure_of(fact_token.quantity) for fact_token in self.ours if fact_token.quantity)
            is_alike = said.dimension == there.dimension or not said.dimension or not there.dimension
            if is_alike and not is_there and not is_said:
                yield ChangedFact(
                    "number", self.statement[said.start : said.end], self.sentence[there.start : there.end]
                )

    def changed_names(self, ours: Tokens, theirs: Tokens) -> Iterator[ChangedFact]:
        """Yield a name replaced by a name; one found elsewhere in the sentence has only moved."""
        # More words than that were rewritten, not exchanged.
        if max(len(ours), len(theirs)) > MOST_REPLACED or any(
            fact_token.name is None for fact_token in (*ours, *theirs)
        ):
            return
        there, said = {fact_token.key for fact_token in self.theirs}, {token.key for token in self.ours}
        if any(fact_token.key in there for fact_token in ours) or any(fact_token.key in said for fact_token in theirs):
            return
        if not any(is_same(fact_token.key, other.key) for fact_token in ours for other in theirs):
            yield ChangedFact("name", _name_of(self.statement, ours), _name_of(self.sentence, theirs))

    def changed_negations(self, same: list[tuple[int, int]]) -> Iterator[ChangedFact]:
        """Yield a "not" that only one has, if the sentence says little else than the statement."""
        first, last = same[0][1], same[-1][1]
        # One word further on each side: the "not" stands beside what it negates.
        reach = range(max(first - 1, 0), min(last + 2, len(self.theirs)))
        mine = [at for at, fact_token in enumerate(self.ours) if fact_token.is_negation]
        page = [at for at in reach if self.theirs[at].is_negation]
        if bool(mine) == bool(page) or len(same) < LEAST_SHARE_IN_ORDER * len(reach):
            return
        said = self.ours[mine[0]] if mine else None
        # Shown where it should stand.
        at = page[0] if page else max((pair for pair in same if pair[0] < mine[0]), default=same[0])[1]
        shown = self.theirs[max(at - SHOWN_AROUND, 0) : at + SHOWN_AROUND + 1]
        yield ChangedFact(
            "negation", self.statement[said.start : said.end] if said else "", _text_of(self.sentence, shown)
        )


def _name_of(text: str, some: Tokens) -> str:
    """Return the whole names that the words belong to, as they are written."""
    whole = [fact_token.name for fact_token in some if fact_token.name]
    return text[whole[0].start : whole[-1].end]


def _text_of(text: str, some: Tokens) -> str:
    return text[some[0].start : some[-1].end]
