"""The numbers of a text with their units: "3.7 million", "3,700,000", "$3.7m", "60-day", "three parties", "14:30"."""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal
from functools import lru_cache
from itertools import zip_longest
from typing import NamedTuple

from app.features.summary import check_units as units
from app.features.summary.check_dates import dates
from app.features.summary.check_figures import MANY_DIGITS, read_figure, scale_after, unit_after
from app.features.summary.check_text import level

CLOCK = "clock"
_LETTER = r"0-9A-Za-z\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u024f\u0370-\u052f"
_NUMBER = re.compile(rf"(?<![{_LETTER}])(?:(?<!\.)\.)?\d+(?:[.,'/]\d+)*")
_GROUPS = re.compile(rf"(?<![{_LETTER}.,])\d{{1,3}}(?: \d{{3}})+(?:[.,]\d{{1,2}})?(?![\d])")
_CLOCK = re.compile(
    r"(?<![\d.,:])([01]?\d|2[0-4])(?:[:.]([0-5]\d))? ?([ap])(?:\.m\.|m\b)|"
    r"(?<![\d.,:])([01]?\d|2[0-4]):([0-5]\d)(?![\d:])",
    re.IGNORECASE,
)
_BEFORE = re.compile(r"([€$£¥₹₽]|\b(?:EUR|USD|GBP|CHF|JPY|CNY|RMB|INR|SEK|US\$))[ ]?$")
_RANGE = re.compile(r" ?(?:-|to|and|bis|und|à|a|et|y|e|or) ?", re.IGNORECASE)
_WORD = re.compile(r"[^\W\d_]+")
_ORDINAL = re.compile(r"(?:st|nd|rd|th|er|ème|e|º|ª)\b")


class Quantity(NamedTuple):
    """A number of a text, from `start` to `end` with its unit.

    `value` is with its scale and unit ("3.7 million", "2 km": 2000), `plain` the bare figure. None: too long, or no
    number at all ("1.2.3"). `digits` are its digits as they stand; `is_loose`: its one separator may be of thousands
    or decimal. `number_end` is where the figure ends. `is_word`: a small number in letters.
    """

    start: int
    end: int
    number_end: int
    value: Decimal | None
    plain: Decimal | None
    digits: str
    dimension: str
    scale: Decimal = Decimal(1)
    is_loose: bool = False
    is_word: bool = False
    is_part: bool = False
    """Of a date or of a longer number: good for finding, not to be looked for."""

    def is_as_much_as(self, other: Quantity) -> bool:
        """Whether both are the same, where their units measure the same: 2 km and 2,000 m."""
        if self.value is not None and self.value == other.value:
            return True
        return self.factor == other.factor and self.has_figure_of(other)

    @property
    def factor(self) -> Decimal:
        """How many of the dimension's base unit its unit is; 1 where that cannot be told."""
        return self.value / self.unscaled if self.value and self.unscaled else Decimal(1)

    def has_figure_of(self, other: Quantity) -> bool:
        """Whether the figures with their scales are the same, whatever the units: 3.7 million and 3,700,000."""
        if self.plain is None or other.plain is None:
            return self.digits == other.digits
        if self.unscaled == other.unscaled:
            return True
        return self.digits == other.digits and self.scale == other.scale and (self.is_loose or other.is_loose)

    @property
    def unscaled(self) -> Decimal | None:
        """The figure with its scale and without its unit: 3,700,000 of "3.7 million"."""
        return None if self.plain is None else self.plain * self.scale


@lru_cache(maxsize=4096)
def quantities(text: str) -> tuple[Quantity, ...]:
    """The numbers of a text in their order, those in dates as parts."""
    plain = level(text)
    taken = bytearray(len(plain))
    in_dates = [(date.start, date.end) for date in dates(text)]
    found = list(_in_dates(plain, in_dates))
    _take(taken, in_dates)
    clocks = [one for one in _clocks(plain) if not taken[one.start]]
    _take(taken, [(one.start, one.end) for one in clocks])
    figures = [one for one in _figures(plain) if not taken[one.start]]
    spelled = [one for one in _spelled(plain) if not taken[one.start]]
    return tuple(sorted((*found, *clocks, *_ranges(plain, figures), *spelled), key=lambda one: (one.start, one.end)))


def _take(taken: bytearray, spans: list[tuple[int, int]]) -> None:
    for start, end in spans:
        taken[start:end] = b"\1" * (end - start)


def _in_dates(plain: str, spans: list[tuple[int, int]]) -> Iterator[Quantity]:
    for start, end in spans:
        whole = re.finditer(r"\d{1,2}[.,]\d{1,2}(?!\d)", plain[start:end])
        for match in (*re.finditer(r"\d{1,4}", plain[start:end]), *whole):  # "3.7. 2024" may be no date at all
            number = Decimal(match[0].replace(",", "."))
            at = start + match.start()
            yield Quantity(at, at + len(match[0]), at + len(match[0]), number, number, match[0], "", is_part=True)


def _clocks(plain: str) -> Iterator[Quantity]:
    if ":" not in plain and "m" not in plain.casefold():
        return
    for match in _CLOCK.finditer(plain):
        hour, minute = int(match[1] or match[4]), int(match[2] or match[5] or 0)
        if match[3]:
            hour = hour % 12 + (12 if match[3] in "pP" else 0)
        value = Decimal(hour * 60 + minute)
        yield Quantity(match.start(), match.end(), match.end(), value, value, str(value), CLOCK)


def _figures(plain: str) -> Iterator[Quantity]:
    groups = [(match.start(), match.end()) for match in _GROUPS.finditer(plain)]
    for start, end in groups:
        yield _measured(plain, start, end)
    grouped = bytearray(len(plain))
    _take(grouped, groups)
    for match in _NUMBER.finditer(plain):
        one = _measured(plain, match.start(), match.end())
        yield one._replace(is_part=bool(grouped[match.start()]))
        if one.value is None and len(match[0]) <= MANY_DIGITS:
            for part in re.finditer(r"\d+", match[0]):
                at = match.start() + part.start()
                number = Decimal(part[0])
                yield Quantity(at, at + len(part[0]), at + len(part[0]), number, number, part[0], "", is_part=True)


def _measured(plain: str, start: int, end: int) -> Quantity:
    """The number with the scale and the unit around it."""
    figure, digits, is_loose = read_figure(plain[start:end])
    number_end = end
    before = _BEFORE.search(plain[max(0, start - 5) : start])
    unit = units.UNITS.get(before[1].casefold()) if before else None
    begin = start - (len(before[0]) if before else 0)
    scale, end = scale_after(plain, end, is_money=bool(before))
    if unit is None:
        unit, end = unit_after(plain, end)
    value = None if figure is None else figure * scale * (unit.factor if unit else 1)
    dimension = unit.dimension if unit else ""
    return Quantity(begin, end, number_end, value, figure, digits, dimension, scale, is_loose)


def _ranges(plain: str, figures: list[Quantity]) -> Iterator[Quantity]:
    """ "5 to 10 km": what has no unit takes that of the number it is joined to."""
    ordered = sorted(figures, key=lambda one: one.start)
    for one, following in zip_longest(ordered, ordered[1:]):
        is_joined = (
            following is not None
            and one.plain is not None
            and one.value is not None
            and following.plain
            and following.value is not None
            and not one.dimension
            and one.scale == 1
            and (following.dimension or following.scale > 1)
            and one.number_end <= following.start
            and _RANGE.fullmatch(plain[one.number_end : following.start])
        )
        if is_joined and following is not None and following.plain and following.value is not None and one.plain:
            value = one.plain * (following.value / following.plain)
            yield one._replace(value=value, dimension=following.dimension, scale=following.scale)
            if following.scale > 1:
                yield one._replace(is_part=True)
        else:
            yield one


def _spelled(plain: str) -> Iterator[Quantity]:
    """Numbers in letters, up to ninety-nine, and "three million"."""
    words = list(_WORD.finditer(plain))
    at = behind = 0
    while at < len(words):
        match, word = words[at], words[at][0].casefold()
        at += 1
        if match.start() < behind or plain[match.start() - 4 : match.start()].casefold() == "per ":
            continue
        number = units.NUMBER_WORDS.get(word)
        end = match.end()
        if number is None:
            yield from _one(plain, match, word)
            continue
        if 20 <= number < 100 and at < len(words) and words[at].start() - end <= 1:
            ones = units.NUMBER_WORDS.get(words[at][0].casefold(), 0) or (words[at][0].casefold() == "one")
            if 0 < ones < 10:
                number, end, at = number + int(ones), words[at].end(), at + 1
        found = _worded(plain, match.start(), end, number)
        behind = found.end
        yield found


def _one(plain: str, match: re.Match[str], word: str) -> Iterator[Quantity]:
    if word in units.ORDINAL_WORDS:
        number = Decimal(units.ORDINAL_WORDS[word])
        yield Quantity(match.start(), match.end(), match.end(), number, number, str(number), "", is_part=True)
    elif word in units.ONE_WORDS or word in units.ARTICLES:
        one = _worded(plain, match.start(), match.end(), 1)
        if one.dimension or one.scale > 1 or word == "one":
            yield one._replace(is_part=True)


def _worded(plain: str, start: int, end: int, number: int) -> Quantity:
    figure = Decimal(number)
    number_end = end
    if _has_hundred(plain, end) and number < 10:
        figure *= 100
        end += len(" hundred")
        number_end = end
    scale, end = scale_after(plain, end, is_money=False)
    unit, end = unit_after(plain, end)
    value = figure * scale * (unit.factor if unit else 1)
    is_word = scale == 1
    return Quantity(
        start, end, number_end, value, figure, str(number), unit.dimension if unit else "", scale, is_word=is_word
    )


def _has_hundred(plain: str, end: int) -> bool:
    return plain[end : end + 8].casefold() == " hundred"
