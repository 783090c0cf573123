"""Compares a statement with the blocks it cites: quotes, numbers and units, dates, names, and how much it shares.

Nothing here judges, and no model is asked: it is looked up whether what is said stands there. What such a look-up
cannot see (a cause turned round, what was left out) it lets pass; `make bench ONLY=claims` counts how much of it.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import zip_longest
from typing import NamedTuple

from app.documents.blocks import Block
from app.features.summary.proper_names import Name, Vocabulary, codes, holds, is_same, missing_name, names, vocabulary
from app.features.summary.result import Anchor, Check, Reason
from app.language.detection import MOST_CHARACTERS, differ, scripts_differ
from app.language.names import LETTER_OR_DIGIT_WITH_CASE, find_foreign_letters
from app.language.numbers import CLOCK, SCALES, UNITS, Date, Quantity, dates, quantities
from app.language.sentences import sentences
from app.language.words import (
    SHORT,
    STEM,
    WORD,
    Missing,
    Stretch,
    around,
    closeness,
    level,
    sentence_number,
    share,
    share_at,
    shown,
    stems,
    stems_of_word,
    stretch_at,
    stretches,
)

LEAST_SHARE = 0.3
"""Of a statement's words, so many are in the sentence that has another number in its place."""
MOST_CANDIDATES = 1_000
"""Of one text; a block of more numbers is no text that has one in another's place."""
_LIST_NUMBER = re.compile(r"^\s*(?P<first>\d{1,2})[.)]\s|\((?P<number>\d{1,2})\)")
_COUNTED = re.compile(r"(?:st|nd|rd|th)?((?:[ -][^\W\d_]+){1,5})")
_HEDGE = re.compile(
    r"(?:(?P<above>over|more than|über|mehr als|plus de|más de|oltre|mais de|ruim|более)|"
    r"(?P<below>nearly|almost|knapp|fast|près de|presque|casi|quasi|quase|bijna|почти)|"
    r"about|around|roughly|approximately|some|circa|ca\.?|~|≈|rund|etwa|environ|unos|cerca de|ongeveer|около|约|約) ?$",
    re.IGNORECASE,
)
_BARE_UNIT = re.compile(r"(?:(?<=[(/,])|(?<=in )|(?<=\t)|^) ?([^\W\d_]+[²³]?|[%€$£])(?= ?[),\t\n]|$)")


def missing_number(statement: str, texts: Sequence[str]) -> Missing | None:
    """The first number, unit or date of a statement that none of the texts has; None when all are there.

    Numbers inside codes ("GPT-4") are left to the names.
    """
    skipped = [*_list_numbers(statement), *codes(statement)]
    said = [one for one in quantities(statement) if not one.is_part and not _inside(one, skipped)]
    for date in dates(statement):
        if not _has_date(date, texts):
            return Missing(statement[date.start : date.end], _date_instead(date, statement, texts))
    missing = [one for one in said if not any(_is_there(one, statement, text) for text in texts)]
    for one in missing:
        instead = _number_instead(one, said, statement, texts)
        if not one.is_word:
            return Missing(statement[one.start : one.end], instead)
        if instead:
            return Missing(statement[one.start : one.end], instead)
    return None


def _list_numbers(statement: str) -> list[tuple[int, int]]:
    """Where a statement counts what it lists: "1. ..." at its beginning, "(1) ..., (2) ..." in their order."""
    found = list(_LIST_NUMBER.finditer(statement))
    numbers = [int(one["number"]) for one in found if one["number"]]
    is_counting = len(numbers) > 1 and numbers == list(range(1, len(numbers) + 1))
    return [one.span() for one in found if one["first"] or is_counting]


def _inside(one: Quantity, spans: list[tuple[int, int]]) -> bool:
    return any(start <= one.start < end for start, end in spans)


# Dates.


def _has_date(date: Date, texts: Sequence[str]) -> bool:
    """Whether a text has all of the date that it names; the year may stand elsewhere ("3 March", "in 2024")."""
    covering = [there for text in texts for there in dates(text) if there.covers(date)]
    return bool(covering) and (not date.year or any(there.year for there in covering) or _has_figure(date.year, texts))


def _has_figure(number: int, texts: Sequence[str]) -> bool:
    return any(one.plain == number for text in texts for one in quantities(text))


def _date_instead(date: Date, statement: str, texts: Sequence[str]) -> str:
    """The date of the sentence that fits best, one as complete as this."""
    wanted = stems(statement)
    best, found = LEAST_SHARE, ""
    for text in texts:
        for there in dates(text)[:MOST_CANDIDATES]:
            share = share_at(text, there.start, wanted)
            if share >= best and bool(there.readings[0][1]) >= bool(date.readings[0][1]):
                best, found = share + 1e-9, shown(text, there.start, there.end)
    return found


# Numbers.


def _is_there(said: Quantity, statement: str, text: str) -> bool:
    return any(_is_borne_out(said, there, statement, text) for there in quantities(text))


def _is_borne_out(said: Quantity, there: Quantity, statement: str, text: str) -> bool:
    same_unit = bool(said.dimension) and said.dimension == there.dimension
    is_bare = _is_in_letters(text, there) and not said.is_word and not same_unit
    if is_bare and not set(_counted(statement, said.end, 2)) & set(_counted(text, there.end, 5)):
        return False
    if said.dimension == there.dimension:
        if said.is_as_much_as(there) or _is_rounded(said, there, statement):
            return True
        return said.scale > 1 and said.plain == there.plain and there.scale == 1 and _has_bare(said, text)
    if said.dimension and there.dimension:
        return False
    if not (said.has_figure_of(there) or _is_rounded(said, there, statement)):
        return said.scale > 1 and said.plain == there.plain and there.scale == 1 and _has_bare(said, text)
    return not said.dimension or not _counts_something_else(said, there, text)


def _is_in_letters(text: str, there: Quantity) -> bool:
    """ "two": it bears out a 2 only beside the same words."""
    return there.scale == 1 and not any(character.isdigit() for character in text[there.start : there.number_end])


def _counted(text: str, end: int, words: int) -> list[str]:
    """The words right behind a number, up to a sign or another number: what it counts is among them."""
    behind = _COUNTED.match(text, end)
    return (
        [stem for word in WORD.findall(behind[1].casefold())[:words] for stem in stems_of_word(word)] if behind else []
    )


def _is_rounded(said: Quantity, there: Quantity, statement: str) -> bool:
    """ "about 3.7 million" for 3,712,455: what is said to be rounded, is off by less than its last figure."""
    mine, theirs = said.unscaled, there.unscaled
    hedge = _HEDGE.search(level(statement)[max(0, said.start - 14) : said.start])
    digits = said.digits.rstrip("0")
    if mine is None or theirs is None or hedge is None or not 0 < len(digits) < len(there.digits.rstrip("0")):
        return False
    step = abs(mine) / int(digits)
    if hedge["above"]:
        return mine < theirs < mine + step
    return mine - step < theirs < mine if hedge["below"] else abs(mine - theirs) <= step / 2


def _counts_something_else(said: Quantity, there: Quantity, text: str) -> bool:
    """Whether a bare number counts what follows it ("14 parties"), where the statement has a unit ("14 %")."""
    if said.dimension == CLOCK or (there.plain is not None and there.plain != there.plain.to_integral_value()):
        return False
    following = WORD.search(text, there.end)
    if following is None or text[there.end : following.start()].strip(" -"):
        return False
    word = following[0].casefold()
    if len(word) <= 3 or not stems_of_word(word):
        return False
    return not _has_bare(said, text)


def _has_bare(said: Quantity, text: str) -> bool:
    """Whether a text names the scale or unit without a number, as the head of a table does: "(in millions)"."""
    for match in _BARE_UNIT.finditer(level(text).casefold()):
        scale = SCALES.get(match[1])
        unit = UNITS.get(match[1])
        if (scale and scale == said.scale) or (unit and unit.dimension == said.dimension):
            return True
    return False


def _number_instead(said: Quantity, all_said: Sequence[Quantity], statement: str, texts: Sequence[str]) -> str:
    """The number that stands in its place: of the same unit, in a sentence that fits, with the same words around it."""
    wanted = stems(statement)
    ours = around(statement, said.start, said.end)
    best, found = (0, 0.0, 0.0), ""
    for text in texts:
        for there in quantities(text)[:MOST_CANDIDATES]:
            same_figure = said.has_figure_of(there) or (said.plain == there.plain and said.scale != there.scale)
            if not same_figure and any(one.is_as_much_as(there) for one in all_said):
                continue
            shared = closeness(ours, around(text, there.start, there.end))
            if not _is_comparable(said, there, same_figure, shared):
                continue
            share = share_at(text, there.start, wanted)
            score = (int(same_figure), shared, share)
            if share >= LEAST_SHARE and score > best:
                best, found = score, shown(text, there.start, there.end)
    return found


def _is_comparable(said: Quantity, there: Quantity, same_figure: bool, shared: float) -> bool:
    if there.is_part and not same_figure:
        return False
    if same_figure:
        return said.dimension != there.dimension or said.value != there.value
    if said.is_word and not (there.is_word or there.plain):
        return False
    if said.dimension != there.dimension:
        return False
    if said.dimension or said.scale > 1 < there.scale:
        return not said.is_word or shared >= 1
    return shared >= 1


# Whether a quotation stands in a text: letter by letter once both are in a normal form, or nearly.


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


# A statement laid beside the sentence it all but repeats: what was put in another's place, and a "not" too few.
#
# Only where most words of the statement stand in that sentence in the same order (edit distance over words,
# Levenshtein 1966); of a statement in other words nothing is said here.


LEAST_SHARE_IN_ORDER = 0.7
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
    is_near = len(kept) >= LEAST_SHARE_IN_ORDER * sum(one.is_telling for one in ours)
    if len(kept) < LEAST_WORDS or not (is_near or len(nameless) >= LEAST_SHARE_IN_ORDER * len(telling)):
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
        if bool(mine) == bool(page) or len(same) < LEAST_SHARE_IN_ORDER * len(reach):
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


LEAST_SUPPORT = 0.35
"""Of a statement's words, so many stand in what it cites; `tests/benchmarks/claims_bench.py` has the curve."""
CLOSE_SUPPORT = 0.75
"""The same where the model was not made for a language: what it writes in words of its own there is mostly garbled."""
CARRIES = 0.6
"""A sentence with so many of a statement's words carries it, wherever the statement points."""
CLEARLY = 0.25
"""By so much more than what is cited."""
MOST_ANCHORS = 3
LEAST_ANCHOR = 0.2
LONGEST_TEXT = 1_000
LONGEST_STATEMENT = 4_000
LONGEST_BLOCK = 200_000
"""Characters; what follows is not compared."""

_LONG_WORD = re.compile(rf"{LETTER_OR_DIGIT_WITH_CASE}{{6,}}")


class Cited(NamedTuple):
    """A block of one of the documents of a summary (an index into them)."""

    document: int
    block: Block


@dataclass(frozen=True)
class Verdict:
    """How the comparison came out, and the best places for the statement, each with the sentence that fits."""

    check: Check
    anchors: tuple[Anchor, ...]


class _Place(NamedTuple):
    """A block with its best sentence for a statement, and the share of the statement's words that this holds."""

    cited: Cited
    share: float
    stretch: Stretch | None

    @property
    def text(self) -> str:
        return self.cited.block.text[:LONGEST_BLOCK]

    @property
    def anchor(self) -> Anchor:
        block, stretch = self.cited.block, self.stretch
        if stretch is None:
            return Anchor(self.cited.document, block.id, block.page, 0, 0, self.text[:LONGEST_TEXT])
        text = self.text[stretch.start : stretch.end]
        return Anchor(self.cited.document, block.id, block.page, stretch.start, stretch.end, text)


def verify(
    statement: str,
    cited: Sequence[Cited],
    quote: str = "",
    nearby: Sequence[Cited] = (),
    *,
    closely: bool = False,
) -> Verdict:
    """Compares a statement with what it cites; what is not there is looked for in the blocks nearby.

    A statement that stands in a nearby block and not in the cited ones is anchored there. `quote` is what the model
    says to have copied word for word. `closely`: each of its words has to stand there, perhaps with another ending.
    """
    statement, quote = statement[:LONGEST_STATEMENT], quote[:LONGEST_TEXT]
    wanted = stems(statement)
    here = [_place(one, statement, wanted) for one in cited]
    known = {(one.document, one.block.id) for one in cited}
    around = [_place(one, statement, wanted) for one in nearby if (one.document, one.block.id) not in known]
    chosen, quoted = _quoted(quote, _moved(here, around, wanted), around)
    check = _garbled(statement, [*chosen, *around]) or _compare(statement, wanted, chosen, around)
    if not check.found and check.reason is not Reason.GARBLED:
        elsewhere = _carrying(chosen, around)
        if elsewhere and _compare(statement, wanted, [*elsewhere, *chosen], around).found:
            chosen, check = [*elsewhere, *chosen], Check()
    if check.found and quote:
        check = quoted
    if check.found and closely:
        check = _compare_closely(statement, wanted, chosen, around) or check
    return Verdict(check, _anchors(chosen))


_GLUED = re.compile(r"(?:[^\W\d_]{2}|\d)[.!?…][\"”’)]?(?:_+|[^\W\d_])[^\W_]")
"""A word that begins straight behind the end of a sentence."""
_CHUNK_ENDS = "\"“”‘’'()«»,;:.!?…"


def _garbled(statement: str, places: list[_Place]) -> Check | None:
    """What no text says, whatever it is about; None where nothing of that kind is there.

    Models that their rules or their size drive into a corner write letters of another script, glue words behind a full
    stop, and say the same sentence again.
    """
    texts = [text for one in places for text in (one.text, *one.cited.block.heading_path)]
    glued = (match for match in _GLUED.finditer(statement) if not any(match[0] in text for text in texts))
    match = find_foreign_letters(statement, texts) or next(glued, None)
    if match is not None:
        begin, end = statement.rfind(" ", 0, match.start()) + 1, statement.find(" ", match.end())
        return Check(False, Reason.GARBLED, statement[begin : end if end >= 0 else None].strip(_CHUNK_ENDS))
    said = [statement[start:end].casefold() for start, end in sentences(statement)]
    is_repeated = len(set(said)) < len(said) and any(said.count(one) > 1 and len(one.split()) > 2 for one in said)
    return Check(False, Reason.GARBLED) if is_repeated else None


def _place(cited: Cited, statement: str, wanted: frozenset[str]) -> _Place:
    """The sentence of a block that shares most words with a statement; one with its numbers before one without."""
    text = cited.block.text[:LONGEST_BLOCK]
    sentences = stretches(text)
    points = [float(len(wanted & stretch.stems)) for stretch in sentences]
    figures = [one for one in quantities(statement) if not one.is_part]
    for figure in figures:
        for at in {sentence_number(text, one.start) for one in quantities(text) if one.has_figure_of(figure)}:
            points[at] += 1.0
    best = max(range(len(points)), key=points.__getitem__, default=0)
    if not points or not points[best]:
        return _Place(cited, 0.0, None)
    return _Place(cited, points[best] / (len(wanted) + len(figures)), sentences[best])


def _moved(here: list[_Place], around: list[_Place], wanted: frozenset[str]) -> list[_Place]:
    """The cited places, or those nearby which carry the statement where the cited ones do not."""
    best = max((one.share for one in here), default=0.0)
    if not here:
        carrying = sorted((one for one in around if one.share >= LEAST_SUPPORT), key=lambda one: -one.share)
        return carrying[:MOST_ANCHORS]
    carrying = [one for one in around if one.share >= max(CARRIES, best + CLEARLY)]
    if not carrying or len(wanted) < LEAST_WORDS:
        return here
    carrying.sort(key=lambda one: -one.share)
    return [*carrying[:1], *here]


def _carrying(chosen: list[_Place], around: list[_Place]) -> list[_Place]:
    """A nearby place that fits better than every chosen one."""
    best = max((one.share for one in chosen), default=0.0)
    known = {(one.cited.document, one.cited.block.id) for one in chosen}
    fitting = [
        one
        for one in around
        if one.share >= max(CARRIES, best) and (one.cited.document, one.cited.block.id) not in known
    ]
    return sorted(fitting, key=lambda one: -one.share)[:1]


def _quoted(quote: str, chosen: list[_Place], around: list[_Place]) -> tuple[list[_Place], Check]:
    """The places, that with the quotation first and its sentence as the best; and how the search for it came out."""
    if not quote.strip():
        return chosen, Check()
    for places in (chosen, around):
        near: tuple[_Place, Check] | None = None
        for one in places:
            found = find_quote(quote, one.text)
            if found is None:
                continue
            stretch = stretch_at(one.text, found.start)
            placed = one._replace(stretch=stretch, share=max(one.share, 1.0))
            if found.is_exact:
                return [placed, *(other for other in chosen if other is not one)], Check()
            near = near or (placed, Check(True, Reason.CLOSE_MATCH, quote, one.text[found.start : found.end]))
        if near:
            return [near[0], *(other for other in chosen if other.cited is not near[0].cited)], near[1]
    return chosen, Check(False, Reason.QUOTE_NOT_FOUND, quote)


def _compare(statement: str, wanted: frozenset[str], chosen: list[_Place], around: list[_Place]) -> Check:
    """Numbers, names, wording and support, in this order: what differs is more telling than what is not there."""
    texts = [one.text for one in chosen]
    headings = [" ".join((*one.cited.block.heading_path, one.cited.block.label)) for one in chosen]
    is_foreign = differ(statement, " ".join(texts)[:MOST_CHARACTERS])
    found: list[tuple[Reason, Missing]] = []
    number = missing_number(statement, [*texts, *filter(str.strip, headings)])
    if number:
        found.append((Reason.NUMBER, number))
    name = missing_name(
        statement, [*texts, *headings], [one.text for one in around] if chosen else [], codes_only=is_foreign
    )
    if name:
        found.append((Reason.NAME, name))
    if not is_foreign:
        found += _worded(statement, chosen)
        union = frozenset().union(*(stems(text) for text in (*texts, *headings)))
        if not chosen or (len(wanted) >= LEAST_WORDS and share(wanted, union) < LEAST_SUPPORT):
            found.append((Reason.SUPPORT, Missing("", "")))
    elif not _may_be_compared(statement, texts):
        found.append((Reason.LANGUAGE, Missing("", "")))
    if not found:
        return Check()
    reason, missing = next((one for one in found if one[1].page_says), found[0])
    return Check(False, reason, missing.said, missing.page_says)


def _compare_closely(
    statement: str, wanted: frozenset[str], chosen: list[_Place], around: list[_Place]
) -> Check | None:
    """What is wrong with a statement by a model that may be making up words; None where nothing is."""
    texts = [" ".join((one.text, *one.cited.block.heading_path)) for one in chosen]
    if differ(statement, " ".join(texts)[:MOST_CHARACTERS]):
        return Check(False, Reason.LANGUAGE)
    there = [vocabulary(text) for text in (*texts, *(one.text for one in around))]
    for word in _LONG_WORD.findall(statement):
        if not any(holds(one, word) or _has_beginning(one, word) for one in there):
            return Check(False, Reason.NAME, word)
    union = frozenset().union(*(stems(text) for text in texts))
    return Check(False, Reason.SUPPORT) if share(wanted, union) < CLOSE_SUPPORT else None


def _has_beginning(text: Vocabulary, word: str) -> bool:
    """Whether a word stands there that is the same but for its last two letters, as "verwenden" is to "verwendet"."""
    beginning = word.casefold()[:-2]
    at = bisect_left(text.words, beginning)
    return at < len(text.words) and text.words[at].startswith(beginning)


def _may_be_compared(statement: str, texts: list[str]) -> bool:
    """Whether a statement in another language has anything that can be looked up: a number, a name, a code.

    In other letters names are spelled otherwise, and a number alone says little: of these nothing is told as found.
    """
    if scripts_differ(statement, " ".join(texts)[:MOST_CHARACTERS]):
        return False
    there = [vocabulary(text) for text in texts]
    words = (word for name in names(statement) for word in name.words if len(word) > LEAST_WORDS)
    is_named = any(holds(one, word) for word in words for one in there)
    return is_named or any(not (one.is_word or one.is_part) for one in quantities(statement)) or bool(dates(statement))


_REASONS = {"number": Reason.NUMBER, "name": Reason.NAME, "negation": Reason.SUPPORT}


def _worded(statement: str, chosen: list[_Place]) -> list[tuple[Reason, Missing]]:
    """What the best sentence says otherwise, where the statement all but repeats it."""
    best = max(chosen, key=lambda one: one.share, default=None)
    if best is None or best.stretch is None:
        return []
    sentence = best.text[best.stretch.start : best.stretch.end]
    return [(_REASONS[one.kind], Missing(one.said, one.page_says)) for one in others(statement, sentence)]


def _anchors(chosen: list[_Place]) -> tuple[Anchor, ...]:
    """The best places first; without any that fits, the first cited block as a whole."""
    ordered = sorted(chosen, key=lambda one: -one.share)
    fitting = [one for one in ordered if one.share >= LEAST_ANCHOR and one.stretch is not None]
    return tuple(one.anchor for one in (fitting or ordered[:1])[:MOST_ANCHORS])
