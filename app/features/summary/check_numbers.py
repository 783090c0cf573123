"""Whether the numbers, units and dates of a statement stand in a text, and what stands there in their place."""

from __future__ import annotations

import re
from collections.abc import Sequence

from app.features.summary.check_names import codes
from app.language.dates import Date, dates
from app.language.numbers import CLOCK, Quantity, quantities
from app.language.units import SCALES, UNITS
from app.language.words import WORD, Missing, around, closeness, level, share_at, shown, stems, stems_of_word

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
