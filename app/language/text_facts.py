"""Facts of a sentence (numbers, units, dates, names, negations, opposites), and whether other texts have them.

No judgement, and no model. Used by summaries, translations and answers' citations.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import zip_longest
from typing import NamedTuple

from app.language.language_names import find_foreign_letters
from app.language.numbers import CLOCK, SCALES, UNITS, Date, Quantity, find_dates, find_quantities
from app.language.proper_names import Name, find_codes, find_names, is_same, missing_name
from app.language.sentences import split_sentences
from app.language.word_order import swapped_words
from app.language.word_tables import changed_alternative, split_words, values_in
from app.language.words import (
    SHORT,
    STEM,
    WORD,
    MissingFact,
    normalize_signs,
    share_at,
    shown_stretch,
    stems_of_word,
    surroundings_closeness,
    surroundings_of,
    word_stems,
)

LEAST_SHARE = 0.3
"""Share of a statement's words that a sentence needs to count as having another number instead."""
MOST_CANDIDATES = 1_000
"""Of one text; a block of more numbers is no text that has one in another's place."""
# "1. First" and "(1) …": the number counts the sentences of the answer, not anything in the text.
_LIST_NUMBER = re.compile(r"^\s*(?P<first>\d{1,2})[.)]\s|\((?P<number>\d{1,2})\)")
_COUNTED = re.compile(r"(?:st|nd|rd|th)?((?:[ -][^\W\d_]+){1,5})")
_HEDGE = re.compile(
    r"(?:(?P<above>over|more than|über|mehr als|plus de|más de|oltre|mais de|ruim|более)|"
    r"(?P<below>nearly|almost|knapp|fast|près de|presque|casi|quasi|quase|bijna|почти)|"
    r"about|around|roughly|approximately|some|circa|ca\.?|~|≈|rund|etwa|environ|unos|cerca de|ongeveer|около|约|約) ?$",
    re.IGNORECASE,
)
_BARE_UNIT = re.compile(r"(?:(?<=[(/,])|(?<=in )|(?<=\t)|^) ?([^\W\d_]+[²³]?|[%€$£])(?= ?[),\t\n]|$)")


def missing_number(statement: str, texts: Sequence[str]) -> MissingFact | None:
    """Return a statement's first number, unit or date found in none of the texts;

    None if all are. Numbers inside codes ("GPT-4") count as names.
    """
    skipped = [*_list_numbers(statement), *find_codes(statement)]
    said = [
        quantity
        for quantity in find_quantities(statement)
        if not quantity.is_part and not _is_inside(quantity, skipped)
    ]
    # Dates first: they are longer, and what is wrong about one says more.
    for date in find_dates(statement):
        if not _has_date(date, texts):
            return MissingFact(statement[date.start : date.end], _date_instead(date, statement, texts))
    missing = [quantity for quantity in said if not any(_is_there(quantity, statement, text) for text in texts)]
    for quantity in missing:
        instead = _number_instead(quantity, said, statement, texts)
        # A number word may be part of a phrase, so that it only counts where there is another number instead.
        if not quantity.is_word:
            return MissingFact(statement[quantity.start : quantity.end], instead)
        if instead:
            return MissingFact(statement[quantity.start : quantity.end], instead)
    return None


def _list_numbers(statement: str) -> list[tuple[int, int]]:
    """Find the numbers that only count items: "1. ..." at the start, "(1) ..., (2) ..." in order."""
    found = list(_LIST_NUMBER.finditer(statement))
    numbers = [int(match["number"]) for match in found if match["number"]]
    is_counting = len(numbers) > 1 and numbers == list(range(1, len(numbers) + 1))
    return [match.span() for match in found if match["first"] or is_counting]


def _is_inside(quantity: Quantity, spans: list[tuple[int, int]]) -> bool:
    return any(start <= quantity.start < end for start, end in spans)


# Dates.


def _has_date(date: Date, texts: Sequence[str]) -> bool:
    """Return whether a text has the whole date; the year may be elsewhere ("3 March", "in 2024")."""
    covering = [there for text in texts for there in find_dates(text) if there.covers_date(date)]
    # A table has the year in its head and the days below.
    return bool(covering) and (not date.year or any(there.year for there in covering) or _has_figure(date.year, texts))


def _has_figure(number: int, texts: Sequence[str]) -> bool:
    return any(quantity.plain == number for text in texts for quantity in find_quantities(text))


def _date_instead(date: Date, statement: str, texts: Sequence[str]) -> str:
    """Return the best matching sentence's date of equal completeness; "" for none."""
    wanted = word_stems(statement)
    best, found = LEAST_SHARE, ""
    for text in texts:
        for there in find_dates(text)[:MOST_CANDIDATES]:
            share = share_at(text, there.start, wanted)
            if share >= best and bool(there.readings[0][1]) >= bool(date.readings[0][1]):
                # Slightly more, so that an equal later one does not replace it.
                best, found = share + 1e-9, shown_stretch(text, there.start, there.end)
    return found


# Numbers.


def _is_there(said: Quantity, statement: str, text: str) -> bool:
    return any(_is_borne_out(said, there, statement, text) for there in find_quantities(text))


def _is_borne_out(said: Quantity, there: Quantity, statement: str, text: str) -> bool:
    # The same unit says what is counted; a bare word such as "two" may count anything.
    same_unit = bool(said.dimension) and said.dimension == there.dimension
    is_bare = _is_in_letters(text, there) and not said.is_word and not same_unit
    if is_bare and not set(_counted_words(statement, said.end, 2)) & set(_counted_words(text, there.end, 5)):
        return False
    if said.dimension == there.dimension:
        if said.is_as_much_as(there) or _is_rounded(said, there, statement):
            return True
        # A table's head has the scale, its cells only figures.
        return said.scale > 1 and said.plain == there.plain and there.scale == 1 and _has_bare(said, text)
    if said.dimension and there.dimension:
        return False
    if not (said.has_figure_of(there) or _is_rounded(said, there, statement)):
        return said.scale > 1 and said.plain == there.plain and there.scale == 1 and _has_bare(said, text)
    return not said.dimension or not _counts_something_else(said, there, text)


def _is_in_letters(text: str, there: Quantity) -> bool:
    """Return whether a number is spelled out ("two"): it supports a 2 only next to the same words."""
    return there.scale == 1 and not any(character.isdigit() for character in text[there.start : there.number_end])


def _counted_words(text: str, end: int, words: int) -> list[str]:
    """Return the words right after a number, up to punctuation or another number, which include what it counts."""
    behind = _COUNTED.match(text, end)
    return (
        [stem for word in WORD.findall(behind[1].casefold())[:words] for stem in stems_of_word(word)] if behind else []
    )


def _is_rounded(said: Quantity, there: Quantity, statement: str) -> bool:
    """ "about 3.7 million" for 3,712,455: what is said to be rounded, is off by less than its last figure."""
    # Only what is said to be rounded may differ.
    mine, theirs = said.unscaled, there.unscaled
    hedge = _HEDGE.search(normalize_signs(statement)[max(0, said.start - 14) : said.start])
    digits = said.digits.rstrip("0")
    if mine is None or theirs is None or hedge is None or not 0 < len(digits) < len(there.digits.rstrip("0")):
        return False
    # One of the last digit that is not a zero.
    step = abs(mine) / int(digits)
    if hedge["above"]:
        return mine < theirs < mine + step
    return mine - step < theirs < mine if hedge["below"] else abs(mine - theirs) <= step / 2


def _counts_something_else(said: Quantity, there: Quantity, text: str) -> bool:
    """Return whether a bare number counts what follows ("14 parties") while the statement has a unit ("14 %")."""
    if said.dimension == CLOCK or (there.plain is not None and there.plain != there.plain.to_integral_value()):
        return False
    following = WORD.search(text, there.end)
    if following is None or text[there.end : following.start()].strip(" -"):
        return False
    word = following[0].casefold()
    # Short words behind a number are seldom what it counts.
    if len(word) <= 3 or not stems_of_word(word):
        return False
    return not _has_bare(said, text)


def _has_bare(said: Quantity, text: str) -> bool:
    """Return whether a text names scale or unit without a number, as a table's head does: "(in millions)"."""
    for match in _BARE_UNIT.finditer(normalize_signs(text).casefold()):
        scale = SCALES.get(match[1])
        unit = UNITS.get(match[1])
        if (scale and scale == said.scale) or (unit and unit.dimension == said.dimension):
            return True
    return False


def _number_instead(said: Quantity, all_said: Sequence[Quantity], statement: str, texts: Sequence[str]) -> str:
    """Return the number found instead: same unit, in a matching sentence, with the same words around it; ""
    for none.
    """
    wanted = word_stems(statement)
    ours = surroundings_of(statement, said.start, said.end)
    best, found = (0, 0.0, 0.0), ""
    for text in texts:
        for there in find_quantities(text)[:MOST_CANDIDATES]:
            same_figure = said.has_figure_of(there) or (said.plain == there.plain and said.scale != there.scale)
            # A number that the statement says elsewhere is not one in its place.
            if not same_figure and any(quantity.is_as_much_as(there) for quantity in all_said):
                continue
            shared = surroundings_closeness(ours, surroundings_of(text, there.start, there.end))
            if not _is_comparable(said, there, same_figure, shared):
                continue
            share = share_at(text, there.start, wanted)
            score = (int(same_figure), shared, share)
            if share >= LEAST_SHARE and score > best:
                best, found = score, shown_stretch(text, there.start, there.end)
    return found


def _is_comparable(said: Quantity, there: Quantity, same_figure: bool, shared: float) -> bool:
    # Parts of dates are in nearly every text.
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


# A statement laid beside the sentence it all but repeats: what was put in another's place, and a "not" too few.
#
# Only where most words of the statement stand in that sentence in the same order (edit distance over words,
# Levenshtein 1966); of a statement in other words nothing is said here.


LEAST_SHARE_IN_ORDER = 0.7
"""Share of content words that must appear in the sentence in the same order."""
# So few words may be in the same order by chance.
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


@lru_cache(maxsize=4096)
def fact_tokens(text: str) -> Tokens:
    """Return a sentence's words and numbers in order, numbers with their units as one."""
    plain = normalize_signs(text)
    numbers = [quantity for quantity in find_quantities(text) if not quantity.is_part]
    found = [FactToken(_number_key(number), number.start, number.end, quantity=number) for number in numbers]
    named = find_names(text)
    matches = list(_WORD.finditer(plain))[:MANY_TOKENS]
    for match, following in zip_longest(matches, matches[1:]):
        start, word = match.start(), match[0].casefold()
        if any(number.start <= start < number.end for number in numbers):
            continue
        name = next((name for name in named if name.start <= start < name.end), None)
        # "not only" and "no more than" deny nothing.
        is_not = (word in _NEGATIONS or word.endswith("n't")) and not (following and _ONLY.fullmatch(following[0]))
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


# What no text says, whatever it is about.


# Small models lose the blank between two sentences.
_GLUED = re.compile(r"(?:[^\W\d_]{2}|\d)[.!?…][\"”’)]?(?:_+|[^\W\d_])[^\W_]")
"""A word glued to the end of the sentence before."""
_CHUNK_ENDS = "\"“”‘’'()«»,;:.!?…"


def find_garbled_words(text: str, known: Sequence[str]) -> str:
    """Return words with letters of a foreign script, or glued together after a full stop, found in no known text;

    "" for none.
    """
    glued = (match for match in _GLUED.finditer(text) if not any(match[0] in other for other in known))
    match = find_foreign_letters(text, known) or next(glued, None)
    if match is None:
        return ""
    begin, end = text.rfind(" ", 0, match.start()) + 1, text.find(" ", match.end())
    return text[begin : end if end >= 0 else None].strip(_CHUNK_ENDS)


def repeated_sentence(text: str) -> str:
    """Return a sentence of three words or more that a text says twice; "" for none."""
    said = [text[start:end].casefold() for start, end in split_sentences(text)]
    # Short ones, such as "Yes.", may come twice.
    return next((text for text in said if said.count(text) > 1 and len(text.split()) > 2), "") if len(said) > 1 else ""


# Whether a sentence bears out all facts of a statement: what a place under an answer needs.


_NUMBERED = re.compile(r"^\W*\d{1,3}[.)]\s")
# Verbs and prefixes that deny, in the languages with function words.
_DENIES = re.compile(
    r"\b(?:without|un(?!i|der|til|less)\w{4,}|in(?:valid|correct|compatible|active|sufficient)\w*|forbid\w*|prohibit\w*|refus\w*|"
    r"fail\w*|lack\w*|den(?:y|ied|ies)|exclud\w*|avoid\w*|discourag\w*|deprecat\w*|prevent\w*|stop\w*|except|instead|rather|"
    r"ohne|verb[oi][te]\w*|untersag\w*|fehl\w*|kaum|verhinder\w*|vermeid\w*|abgeraten|statt|außer|"
    r"sans|interdi\w*|manqu\w*|évit\w*|empêch\w*|sin|prohib\w*|falt\w*|evit\w*|imped\w*|senza|viet\w*|manc\w*|sem|proib\w*|"
    r"zonder|verbod\w*|bez|brak\w*|zakaz\w*|без|запре\w*)\b",
    re.IGNORECASE,
)
"""Says no without a negation."""
# A negation reaches no further than its clause.
_CLAUSE_ENDS = re.compile(r"[,;:.!?()–]|\b(?:but|aber|mais|pero|sondern|sino|ma|mas|maar)\b", re.IGNORECASE)
_LABEL = re.compile(r"(?<=[^\W\d_A-Z] )[A-Z](?![\w'’.])")
"""A letter for a name: "house B"."""
CLOSER = 1.0
LEAST_YEAR = 1000
"""Smallest number that part of a date can support: a year, no small number."""
_WITHIN = 5
"""Words after and before a negation that it may negate."""


def missing_fact(statement: str, sentence: str, around: Sequence[str] = (), *, language: str = "") -> str:
    """Return a statement's first fact that a sentence doesn't support; "" if all are supported.

    Numbers with units, dates and weekdays must be in the sentence, names there or in the texts `around`; what the
    statement negates must be negated, and no word excluded by another.
    """
    # The number of a list's item is none of the statement's.
    statement = _NUMBERED.sub(" ", statement)
    name = missing_name(statement, [sentence, *around], around)
    return (
        _missing_number(statement, sentence)
        or missing_day(statement, sentence, language)
        or (name.said if name else "")
        or next((element for element in _LABEL.findall(statement) if element not in _LABEL.findall(sentence)), "")
        or changed_alternative(statement, sentence, (language, language), with_units=False)[0]
        or _other_negation(statement, sentence)
        or swapped_words(statement, sentence)
    )


def _missing_number(statement: str, sentence: str) -> str:
    """Return a number or a date that the sentence does not have, or has less often, or says of something else."""
    there = find_quantities(sentence)
    in_codes = list(find_codes(statement))
    # Each number of the sentence bears out one of the statement.
    taken: list[Quantity] = []
    for said in find_quantities(statement):
        if (said.is_part and not statement[said.start].isdigit()) or _is_inside(said, in_codes):
            continue
        equal = [other for other in there if other not in taken and _says_as_much(said, other)]
        others = [quantity for quantity in there if quantity not in equal and quantity.dimension == said.dimension]
        # The same number may stand twice for different things, so its neighbours have to fit.
        if not equal or (not said.is_part and _is_said_of_another(said, equal, others, (statement, sentence))):
            return statement[said.start : said.end]
        taken += equal[:1]
    for date in find_dates(statement):
        covering = [other for other in find_dates(sentence) if other.covers_date(date)]
        apart = [other for other in find_dates(sentence) if other not in covering]
        if not covering or _is_said_of_another(date, covering, apart, (statement, sentence)):
            return statement[date.start : date.end]
    return ""


def _is_said_of_another(
    said: Quantity | Date, equal: Sequence[Quantity | Date], others: Sequence[Quantity | Date], texts: tuple[str, str]
) -> bool:
    """Return whether the words around it match those around a different number in the second text better than around
    its equal.
    """
    ours = surroundings_of(texts[0], said.start, said.end)
    best = max(surroundings_closeness(ours, surroundings_of(texts[1], spot.start, spot.end)) for spot in equal)
    return any(
        surroundings_closeness(ours, surroundings_of(texts[1], place.start, place.end)) >= best + CLOSER
        for place in others
    )


def _says_as_much(said: Quantity, other: Quantity) -> bool:
    # The "3" of "3 May" bears out no three.
    if other.is_part and not said.is_part and not (said.plain and said.plain >= LEAST_YEAR):
        return False
    if said.dimension and other.dimension:
        return said.dimension == other.dimension and said.is_as_much_as(other)
    return said.has_figure_of(other)


def missing_day(statement: str, sentence: str, language: str) -> str:
    """Return a weekday or a month that the sentence does not say."""
    # "2024-03-03" says the month without its name.
    dated = {month for date in find_dates(sentence) for month, _ in date.readings}
    for kind, known in (("weekdays", set[int]()), ("months", dated)):
        missing = values_in(kind, statement, language) - values_in(kind, sentence, language) - known
        if word := next((word for word in split_words(statement) if values_in(kind, word, language) & missing), ""):
            return word
    return ""


def _other_negation(statement: str, sentence: str) -> str:
    """Return a negation that only one has, where both have the same words; "" for none."""
    sentence = _clause_of(statement, sentence)
    mine, theirs = (list(_find_negations(text)) for text in (statement, sentence))
    if mine and not theirs:
        # "prohibits" for "must not" is the same.
        return "" if _DENIES.search(sentence) else mine[0][0]
    if mine or not theirs or _DENIES.search(statement):
        shared = {stem for _, near, _ in theirs for stem in near}
        return next((word for word, near, _ in mine if near and shared and not _are_alike(near, shared)), "")
    said = word_stems(statement)
    # Negated with at least half of its words, or with the first of them.
    negated = ((word, first in said or len(near & said) * 2 >= len(near)) for word, near, first in theirs if near)
    return next((word for word, is_said in negated if is_said), "")


def _clause_of(statement: str, sentence: str) -> str:
    """Return the part between semicolons that has all words of the statement, else the whole sentence."""
    said = word_stems(statement)
    return next((clause for clause in sentence.split(";") if said <= word_stems(clause)), sentence)


def _are_alike(some: frozenset[str], others: set[str]) -> bool:
    return any(text.startswith(other) or other.startswith(text) for text in some for other in others)


def _find_negations(text: str) -> Iterator[tuple[str, frozenset[str], str]]:
    """Yield each negation with the stems of the words that it negates, within its clause, and the first of them."""
    plain = normalize_signs(text)
    words = list(_WORD.finditer(plain))
    for at, match in enumerate(words):
        word = match[0].casefold()
        following = words[at + 1 : at + 2]
        if not (word in _NEGATIONS or word.endswith("n't")) or (following and _ONLY.fullmatch(following[0][0])):
            continue
        end = words[min(at + _WITHIN, len(words) - 1)].end()
        clause = _CLAUSE_ENDS.search(plain, match.end(), end)
        behind = plain[match.end() : clause.start() if clause else end]
        before = plain[words[max(at - _WITHIN, 0)].start() : match.start()]
        first = next((stem for word in WORD.findall(behind.casefold()) for stem in stems_of_word(word)), "")
        yield match[0], word_stems(behind) or word_stems(_CLAUSE_ENDS.split(before)[-1]), first
