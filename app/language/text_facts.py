"""Facts of a sentence (numbers, units, dates, names, negations, opposites), and whether other texts have them.

No judgement, and no model. Used by summaries, translations and answers' citations.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from app.language.dates import Date, find_dates
from app.language.numbers import CLOCK, SCALES, UNITS, Quantity, find_quantities
from app.language.proper_names import find_codes
from app.language.scripts import find_foreign_letters
from app.language.sentences import split_sentences
from app.language.words import (
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
        quantity for quantity in find_quantities(statement) if not quantity.is_part and not is_inside(quantity, skipped)
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


def is_inside(quantity: Quantity, spans: list[tuple[int, int]]) -> bool:
    return any(start <= quantity.start < end for start, end in spans)


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
