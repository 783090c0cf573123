"""Numbers and dates of a text: "3.7 million", "3,700,000", "$3.7m", "60-day", "three parties", "14:30", "3 May"."""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal
from itertools import zip_longest
from typing import NamedTuple

from app.language.dates import TABLES, find_dates
from app.language.text_cache import text_cache
from app.language.words import DIGITS, normalize_signs

MANY_DIGITS = 30
"""Longer runs of digits are compared as text."""
_AFTER = re.compile(r" {0,2}-? ?(°?[^\W\d_]+(?:[²³23](?!\d))?(?:/[^\W\d_]+)?|[%‰€$£¥₹₽℃℉])\.?")
_PER_CENT = re.compile(r" ?per cent\b|por ciento\b|per cento\b|por cento\b|pour cent\b", re.IGNORECASE)
_POINTS = re.compile(r" ?(?:percentage|percent|%)[ -]points?\b", re.IGNORECASE)
_SCALES_AFTER_CJK = re.compile(r"[万萬億亿兆만억]")
_UNIT_AFTER_CJK = re.compile(r"公里|メートル|米|秒|分钟|天|日間|元|円|日元|美元|人民币")


def scale_after(plain: str, end: int, *, is_money: bool) -> tuple[Decimal, int]:
    """Return the multiplier after the number that ends at `end` ("million": 1,000,000; else 1), and where it ends."""
    scale = Decimal(1)
    attached = plain[end : end + 1]
    # "10k" but not "10km": nothing may follow.
    if attached and not plain[end + 1 : end + 2].isalnum():
        found = ATTACHED_SCALES.get(attached) or (MONEY_SCALES.get(attached) if is_money else None)
        if found:
            return found, end + 1
    cjk = _SCALES_AFTER_CJK.match(plain, end)
    if cjk:
        return SCALES[cjk[0]], cjk.end()
    # At most two, one after the other.
    for _ in range(2):  # "mil millones", "thousand million"
        match = _AFTER.match(plain, end)
        more = SCALES.get(match[1].casefold()) if match else None
        if match is None or more is None:
            break
        scale, end = scale * more, match.end(1)
        # The point of an abbreviation belongs to it and ends no sentence.
        if plain[end : end + 2] in (". ", ".") and match[1].casefold() in {"mio", "mrd", "tsd", "bn", "млн", "млрд"}:
            end += 1
    for joiner in ("de ", "di ", "of "):
        if scale > 1 and plain[end : end + 4] == f" {joiner}" and unit_after(plain, end + len(joiner))[0]:
            return scale, end + len(joiner)
    return scale, end


def unit_after(plain: str, end: int) -> tuple[MeasureUnit | None, int]:
    """Return the unit after the number that ends at `end`, and where it ends; None without a unit."""
    for pattern, name in ((_POINTS, "pp"), (_PER_CENT, "%")):
        match = pattern.match(plain, end)
        if match:
            return UNITS[name], match.end()
    match = _UNIT_AFTER_CJK.match(plain, end) or _AFTER.match(plain, end)
    if match is None:
        return None, end
    word = match[match.lastindex or 0]
    # Seconds, but not decades.
    if word == "s" and plain[end] == "s" and plain[end - 1] == "0":
        return None, end  # "the 1990s"
    if len(word) == 1 and word.isalpha() and word not in UNITS:
        return None, end  # "5 M" or "3 H" is no unit, "5 m" and "3 h" are
    found = UNITS.get(word) or UNITS.get(word.casefold())
    return (found, match.end(match.lastindex or 0)) if found else (None, end)


def read_figure(figure: str) -> tuple[Decimal | None, str, bool]:
    """(value, digits, whether its separator may be read in two ways) of "3,700", "3.7", "3.700,50"."""
    groups, marks = re.split(r"\D", figure), re.findall(r"\D", figure.replace(" ", "'"))
    digits = "".join(groups)
    # A digest or an account has no value to be compared.
    if len(digits) > MANY_DIGITS:
        return None, digits, False
    if not marks:
        return Decimal(digits), digits, False
    value, is_loose = _parse_groups(groups, marks)
    return value, figure if value is None else digits, is_loose


def _parse_groups(groups: list[str], marks: list[str]) -> tuple[Decimal | None, bool]:
    """Return the value of digit groups with separators; None if no way of writing numbers fits ("1.2.3")."""
    kinds = list(dict.fromkeys(marks))
    threes = all(len(group) == 3 for group in groups[1:]) and 0 < len(groups[0]) <= 3 and groups[0] != "0"
    # Lakh and crore: 12,34,567.
    indian = all(len(group) == 2 for group in groups[1:-1]) and len(groups[-1]) == 3 and 0 < len(groups[0]) <= 2
    whole, decimal = "".join(groups), "".join(groups[:-1]) + "." + groups[-1]
    # "1/2" and "1.2,3'4" are no figures.
    if "/" in kinds or len(kinds) > 2:
        return None, False
    if len(kinds) == 2:
        # The last separator, and only once, is the decimal one.
        is_decimal = marks.count(kinds[1]) == 1 and marks[-1] == kinds[1]
        return (Decimal(decimal) if is_decimal else None), False
    if len(marks) > 1 or kinds == ["'"]:
        return (Decimal(whole) if threes or (indian and len(marks) > 1) else None), False
    # Three digits behind a single comma may be either: 1,234.
    return Decimal(decimal if kinds == ["."] or not threes else whole), threes


CLOCK = "clock"
# Letters of alphabets only: in Chinese and Japanese a number touches words.
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
    """A number in a text, from `start` to `end` with its unit.

    `value` includes scale and unit ("3.7 million", "2 km": 2000), `plain` is the bare figure; None if too long or no
    number ("1.2.3"). `digits` are the digits as written; `is_loose`: its only separator may be for thousands or
    decimals. `number_end` is where the figure ends. `is_word`: a small number in words.
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
        """Return whether both are equal in units of the same dimension: 2 km and 2,000 m."""
        if self.value is not None and self.value == other.value:
            return True
        return self.factor == other.factor and self.has_figure_of(other)

    @property
    def factor(self) -> Decimal:
        """Size of its unit in the dimension's base unit; 1 if unknown."""
        return self.value / self.unscaled if self.value and self.unscaled else Decimal(1)

    def has_figure_of(self, other: Quantity) -> bool:
        """Return whether figures and scales are equal, whatever the units: 3.7 million and 3,700,000."""
        if self.plain is None or other.plain is None:
            return self.digits == other.digits
        if self.unscaled == other.unscaled:
            return True
        return self.digits == other.digits and self.scale == other.scale and (self.is_loose or other.is_loose)

    @property
    def unscaled(self) -> Decimal | None:
        """The figure with its scale and without its unit: 3,700,000 of "3.7 million"."""
        return None if self.plain is None else self.plain * self.scale


@text_cache(4096)
def find_quantities(text: str) -> tuple[Quantity, ...]:
    """Return a text's numbers in order; those within dates are parts, to be found but not looked for."""
    plain = normalize_signs(text)
    taken = bytearray(len(plain))
    in_dates = [(date.start, date.end) for date in find_dates(text)]
    # Dates first: "3.7." is no number, and a year is none of something.
    found = list(_in_dates(plain, in_dates))
    _mark_taken(taken, in_dates)
    clocks = [clock for clock in _find_clocks(plain) if not taken[clock.start]]
    _mark_taken(taken, [(clock.start, clock.end) for clock in clocks])
    figures = [figure for figure in _find_figures(plain) if not taken[figure.start]]
    spelled = [quantity for quantity in _find_spelled(plain) if not taken[quantity.start]]
    return tuple(
        sorted(
            (*found, *clocks, *_find_ranges(plain, figures), *spelled), key=lambda number: (number.start, number.end)
        )
    )


def find_measures(text: str) -> Iterator[tuple[int, int]]:
    """Yield the ranges of figures that have a unit or a scale, that included; dates aren't searched."""
    plain = normalize_signs(text)
    for figure in _find_figures(plain):
        if not figure.is_part and (figure.dimension or figure.scale > 1):
            yield figure.start, figure.end


def _mark_taken(taken: bytearray, spans: list[tuple[int, int]]) -> None:
    for start, end in spans:
        taken[start:end] = b"\1" * (end - start)


def _in_dates(plain: str, spans: list[tuple[int, int]]) -> Iterator[Quantity]:
    for start, end in spans:
        # Both readings are kept, as a date may be a mistake.
        whole = re.finditer(r"\d{1,2}[.,]\d{1,2}(?!\d)", plain[start:end])
        for match in (*re.finditer(r"\d{1,4}", plain[start:end]), *whole):  # "3.7. 2024" may be no date at all
            number = Decimal(match[0].replace(",", "."))
            at = start + match.start()
            yield Quantity(at, at + len(match[0]), at + len(match[0]), number, number, match[0], "", is_part=True)


def _find_clocks(plain: str) -> Iterator[Quantity]:
    if ":" not in plain and "m" not in plain.casefold():
        return
    for match in _CLOCK.finditer(plain):
        hour, minute = int(match[1] or match[4]), int(match[2] or match[5] or 0)
        if match[3]:
            hour = hour % 12 + (12 if match[3] in "pP" else 0)
        # In minutes, so that 2:30 p.m. equals 14:30.
        value = Decimal(hour * 60 + minute)
        yield Quantity(match.start(), match.end(), match.end(), value, value, str(value), CLOCK)


def _find_figures(plain: str) -> Iterator[Quantity]:
    # Groups with blanks first: "3 700 000" would otherwise be three numbers.
    groups = [(match.start(), match.end()) for match in _GROUPS.finditer(plain)]
    for start, end in groups:
        yield _with_unit(plain, start, end)
    grouped = bytearray(len(plain))
    _mark_taken(grouped, groups)
    for match in _NUMBER.finditer(plain):
        quantity = _with_unit(plain, match.start(), match.end())
        yield quantity._replace(is_part=bool(grouped[match.start()]))
        if quantity.value is None and len(match[0]) <= MANY_DIGITS:
            for part in re.finditer(r"\d+", match[0]):
                at = match.start() + part.start()
                number = Decimal(part[0])
                yield Quantity(at, at + len(part[0]), at + len(part[0]), number, number, part[0], "", is_part=True)


def _with_unit(plain: str, start: int, end: int) -> Quantity:
    """Build a number with the scale and unit around it."""
    figure, digits, is_loose = read_figure(plain[start:end])
    number_end = end
    # Signs of money stand before the number in many languages.
    before = _BEFORE.search(plain[max(0, start - 5) : start])
    unit = UNITS.get(before[1].casefold()) if before else None
    begin = start - (len(before[0]) if before else 0)
    scale, end = scale_after(plain, end, is_money=bool(before))
    if unit is None:
        unit, end = unit_after(plain, end)
    value = None if figure is None else figure * scale * (unit.factor if unit else 1)
    dimension = unit.dimension if unit else ""
    return Quantity(begin, end, number_end, value, figure, digits, dimension, scale, is_loose)


def _find_ranges(plain: str, figures: list[Quantity]) -> Iterator[Quantity]:
    """ "5 to 10 km": what has no unit takes that of the number it is joined to."""
    ordered = sorted(figures, key=lambda figure: figure.start)
    for quantity, following in zip_longest(ordered, ordered[1:]):
        is_joined = (
            following is not None
            and quantity.plain is not None
            and quantity.value is not None
            and following.plain
            and following.value is not None
            and not quantity.dimension
            and quantity.scale == 1
            and (following.dimension or following.scale > 1)
            and quantity.number_end <= following.start
            and _RANGE.fullmatch(plain[quantity.number_end : following.start])
        )
        if is_joined and following is not None and following.plain and following.value is not None and quantity.plain:
            # By the ratio, so that the scale counts for both.
            value = quantity.plain * (following.value / following.plain)
            yield quantity._replace(value=value, dimension=following.dimension, scale=following.scale)
            if following.scale > 1:
                yield quantity._replace(is_part=True)
        else:
            yield quantity


def _find_spelled(plain: str) -> Iterator[Quantity]:
    """Yield number words, up to ninety-nine, and "three million"."""
    words = list(_WORD.finditer(plain))
    at = behind = 0
    while at < len(words):
        match, word = words[at], words[at][0].casefold()
        at += 1
        # "per cent" is a unit, not a hundred.
        if match.start() < behind or plain[match.start() - 4 : match.start()].casefold() == "per ":
            continue
        number = NUMBER_WORDS.get(word)
        end = match.end()
        if number is None:
            yield from _read_word(plain, match, word)
            continue
        # "twenty-one" and "twenty one".
        if 20 <= number < 100 and at < len(words) and words[at].start() - end <= 1:
            ones = NUMBER_WORDS.get(words[at][0].casefold(), 0) or (words[at][0].casefold() == "one")
            if 0 < ones < 10:
                number, end, at = number + int(ones), words[at].end(), at + 1
        found = _with_worded_unit(plain, match.start(), end, number)
        behind = found.end
        yield found


def _read_word(plain: str, match: re.Match[str], word: str) -> Iterator[Quantity]:
    if word in ORDINAL_WORDS:
        number = Decimal(ORDINAL_WORDS[word])
        yield Quantity(match.start(), match.end(), match.end(), number, number, str(number), "", is_part=True)
    elif word in ONE_WORDS or word in ARTICLES:
        found = _with_worded_unit(plain, match.start(), match.end(), 1)
        if found.dimension or found.scale > 1 or word == "one":
            yield found._replace(is_part=True)


def _with_worded_unit(plain: str, start: int, end: int, number: int) -> Quantity:
    figure = Decimal(number)
    number_end = end
    # Only behind a digit's word: "a hundred" is vague.
    if number < 10 and plain[end : end + 8].casefold() == " hundred":
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


_SPACES = "\u00a0\u2007\u2009\u202f"
_SEPARATED = re.compile(
    rf"""(?<![A-Za-z\u00c0-\u024f_\d])
        \d+(?:[.,'’·٫٬{_SPACES}]\d+|\ \d{{3}}(?!\d))*
        (?:\ ?(?P<scale>[^\W\d_]+\.?))?""",
    re.VERBOSE,
)


class WrittenNumber(NamedTuple):
    """A number as written, with its possible values: 1.240 may be 1240 or 1.24."""

    text: str
    values: frozenset[Decimal]


def written_numbers(text: str) -> list[WrittenNumber]:
    """Return a text's numbers in any digits; one followed by a scale may mean both with and without it."""
    return [_readings_of(match) for match in _SEPARATED.finditer(text.translate(DIGITS))]


def _readings_of(match: re.Match[str]) -> WrittenNumber:
    scale = (match["scale"] or "").rstrip(".")
    # The figure alone, as what follows may be a scale or only a word.
    figure = match[0][: match.start("scale") - match.start()].rstrip() if scale else match[0]
    values = _figure_values(figure)
    times = SCALES.get(scale.casefold()) or SCALES.get(scale[:1]) or EAST_ASIAN_SCALES.get(scale[:1])
    if times is not None:
        # With and without: a translation may have it in either form.
        values |= {value * times for value in values}
    return WrittenNumber(figure, frozenset(values))


def _figure_values(figure: str) -> set[Decimal]:
    """Return every reading of a figure: separators for thousands, and the last one for decimals."""
    pieces = re.split(r"\D", figure)
    found = set()
    if len(pieces) == 1 or (
        # Groups of three, and in India of two before the last.
        all(len(piece) == 3 for piece in pieces[-1:]) and all(len(piece) in (2, 3) for piece in pieces[1:])
    ):
        found.add(Decimal("".join(pieces)))
    if len(pieces) > 1:
        found.add(Decimal(f"{''.join(pieces[:-1])}.{pieces[-1]}"))
    return found


class MeasureUnit(NamedTuple):
    """A unit's dimension, and its size in the dimension's base unit."""

    dimension: str
    factor: Decimal = Decimal(1)


UNITS: dict[str, MeasureUnit] = {
    word: MeasureUnit(dimension, Decimal(factor))
    for dimension, rows in TABLES["units"].items()
    for factor, words in rows.items()
    for word in words.split()
}
"""By the casefolded word. Only what a number is often followed by: anything else is taken for what is counted."""
SCALES = {word: Decimal(10) ** int(power) for power, words in TABLES["scales"].items() for word in words.split()}
EAST_ASIAN_SCALES = {"千": Decimal(1000), "百": Decimal(100), "천": Decimal(1000)}
"""Scales before a counted noun, in languages where elsewhere they are part of number words."""
ATTACHED_SCALES = {"k": Decimal(1000), "K": Decimal(1000), "M": Decimal(10) ** 6, "B": Decimal(10) ** 9}
"""Scales only directly after the number: "10k", "110M"."""
MONEY_SCALES = {"m": Decimal(10) ** 6, "b": Decimal(10) ** 9}
"""Scales only directly after an amount of money: "$3.7m"."""
MONEY = frozenset({"euro", "dollar", "pound", "yen", "yuan", "franc", "rupee", "krona", "rouble"})
"""The dimensions of amounts of money."""


def _values_of(rows: dict[str, str]) -> dict[str, int]:
    return {word: int(value) for value, row in rows.items() for word in row.split()}


def _german_numbers() -> dict[str, int]:
    """Return the values of German's number words from 21 to 99, ones before tens."""
    ones = ("ein", "zwei", "drei", "vier", "fünf", "sechs", "sieben", "acht", "neun")
    tens = ("zwanzig", "dreißig", "vierzig", "fünfzig", "sechzig", "siebzig", "achtzig", "neunzig")
    return {
        f"{text}und{ten}": 10 * (place + 2) + number + 1
        for place, ten in enumerate(tens)
        for number, text in enumerate(ones)
    }


NUMBER_WORDS = _german_numbers() | _values_of(TABLES["numbers"])
ONE_WORDS = frozenset(TABLES["one"].split())
ORDINAL_WORDS = _values_of(TABLES["ordinals"])
ARTICLES = frozenset({"a", "an"})
"""Articles that mean one before a unit: "a year"."""
