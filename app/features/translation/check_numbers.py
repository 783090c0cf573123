"""Whether the numbers of a text are those of its translation, whatever digits and separators a language writes.

Numbers are compared by value, with every reading that their separators allow: 1,240 is 1.240 and 1 240; 1,5 is not 15.
Scales count ("2 million", 200万). Whole numbers up to twelve may be words in one of the two texts ("2 days", "zwei
Tage"), or belong to a month; so one that is only missing, or only added, passes, but not one that became another.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from decimal import Decimal

from app.features.summary.check_quantities import quantities
from app.features.summary.check_units import SCALES

_LARGEST_IN_WORDS = 12
_SPACES = "\u00a0\u2007\u2009\u202f"
_NUMBER = re.compile(
    rf"""(?<![A-Za-z\u00c0-\u024f_\d])
        \d+(?:[.,'’·٫٬{_SPACES}]\d+|\ \d{{3}}(?!\d))*
        (?:\ ?(?P<scale>[^\W\d_]+\.?))?""",
    re.VERBOSE,
)
_EAST_ASIAN_SCALES = {"千": 1000, "百": 100, "천": 1000}
_AFTERNOON = re.compile(r"\bp\.? ?m\b", re.IGNORECASE)
_SEPARATOR = re.compile(r"[^\d]")


def different_number(source: str, target: str) -> str:
    """A number of one text that the other does not have, the source's first; "" where all are there."""
    ours, theirs = _numbers(source), _numbers(target)
    left = [one for one in ours if not _taken(one, theirs)]
    if not left and not theirs:
        return ""
    left, theirs = _without_joined(left, theirs)
    if _AFTERNOON.search(source) or _AFTERNOON.search(target):
        left = [one for one in left if not _taken_half_a_day_off(one, theirs)]
    if left and theirs:
        left, theirs = _without_words(left, target), _without_words(theirs, source)
    if not left or not theirs:  # all the same kind: written out in one of the texts
        left, theirs = ([one for one in some if not _may_be_words(one)] for some in (left, theirs))
    return next((text for text, _ in (*left, *theirs)), "")


_Number = tuple[str, frozenset[Decimal]]
"""As it is written, and what it may mean."""


def _numbers(text: str) -> list[_Number]:
    plain = "".join(
        str(unicodedata.digit(one)) if one.isdecimal() and not one.isascii() else one
        for one in unicodedata.normalize("NFC", text)
    )
    return [_read(match) for match in _NUMBER.finditer(plain)]


def _read(match: re.Match[str]) -> _Number:
    scale = (match["scale"] or "").rstrip(".")
    figure = match[0][: match.start("scale") - match.start()].rstrip() if scale else match[0]
    values = _values(figure)
    times = SCALES.get(scale.casefold()) or next(
        (Decimal(SCALES.get(scale[:1]) or _EAST_ASIAN_SCALES[scale[:1]])
         for _ in (1,) if scale[:1] in SCALES or scale[:1] in _EAST_ASIAN_SCALES), None
    )  # fmt: skip
    if times is not None:
        values |= {value * times for value in values}
    return figure, frozenset(values)


def _values(figure: str) -> set[Decimal]:
    """Every reading of a figure: its separators for thousands, and the last one for the fraction."""
    pieces = _SEPARATOR.split(figure)
    found = set()
    if len(pieces) == 1 or (
        all(len(piece) == 3 for piece in pieces[-1:]) and all(len(one) in (2, 3) for one in pieces[1:])
    ):
        found.add(Decimal("".join(pieces)))
    if len(pieces) > 1:
        found.add(Decimal(f"{''.join(pieces[:-1])}.{pieces[-1]}"))
    return found


def _taken(one: _Number, others: list[_Number]) -> bool:
    """Takes the number out of the others, where it is there."""
    place = next((n for n, other in enumerate(others) if one[1] & other[1]), None)
    if place is not None:
        del others[place]
    return place is not None


def _taken_half_a_day_off(one: _Number, others: list[_Number]) -> bool:
    place = next((n for n, other in enumerate(others) if any(abs(a - b) == 12 for a in one[1] for b in other[1])), None)
    if place is not None:
        del others[place]
    return place is not None


def _without_joined(left: list[_Number], others: list[_Number]) -> tuple[list[_Number], list[_Number]]:
    """Where both have the same digits in the same order, only their grouping differs (1.2.3, dates, telephones)."""
    is_regrouped = bool(left) and len(left) != len(others) and _digits(left) == _digits(others)
    return ([], []) if is_regrouped else (left, others)


def _digits(numbers: Sequence[_Number]) -> str:
    return "".join(_SEPARATOR.sub("", text) for text, _ in numbers)


def _without_words(numbers: list[_Number], text: str) -> list[_Number]:
    """Without those that the other text has in words of a language that is known here."""
    words = {one.plain for one in quantities(text) if one.is_word}
    return [one for one in numbers if not one[1] & words]


def _may_be_words(one: _Number) -> bool:
    return any(value <= _LARGEST_IN_WORDS and value == value.to_integral_value() for value in one[1])
