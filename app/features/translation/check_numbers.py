"""Whether the numbers of a text are those of its translation, whatever digits and separators a language writes.

Numbers are compared by value, with every reading that their separators allow: 1,240 is 1.240 and 1 240; 1,5 is not 15.
Scales count ("2 million", 200万). Whole numbers up to twelve may be words in one of the two texts ("2 days", "zwei
Tage"), or belong to a month; so one that is only missing, or only added, passes, but not one that became another.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from app.language.numbers import WrittenNumber, quantities, written_numbers

_LARGEST_IN_WORDS = 12
_AFTERNOON = re.compile(r"\bp\.? ?m\b", re.IGNORECASE)


def different_number(source: str, target: str) -> str:
    """A number of one text that the other does not have, the source's first; "" where all are there."""
    ours, theirs = written_numbers(source), written_numbers(target)
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


def _taken(one: WrittenNumber, others: list[WrittenNumber]) -> bool:
    """Takes the number out of the others, where it is there."""
    place = next((n for n, other in enumerate(others) if one.values & other.values), None)
    if place is not None:
        del others[place]
    return place is not None


def _taken_half_a_day_off(one: WrittenNumber, others: list[WrittenNumber]) -> bool:
    place = next(
        (n for n, other in enumerate(others) if any(abs(a - b) == 12 for a in one.values for b in other.values)), None
    )
    if place is not None:
        del others[place]
    return place is not None


def _without_joined(
    left: list[WrittenNumber], others: list[WrittenNumber]
) -> tuple[list[WrittenNumber], list[WrittenNumber]]:
    """Where both have the same digits in the same order, only their grouping differs (1.2.3, dates, telephones)."""
    is_regrouped = bool(left) and len(left) != len(others) and _digits(left) == _digits(others)
    return ([], []) if is_regrouped else (left, others)


def _digits(numbers: Sequence[WrittenNumber]) -> str:
    return "".join(re.sub(r"\D", "", text) for text, _ in numbers)


def _without_words(numbers: list[WrittenNumber], text: str) -> list[WrittenNumber]:
    """Without those that the other text has in words of a language that is known here."""
    words = {one.plain for one in quantities(text) if one.is_word}
    return [one for one in numbers if not one.values & words]


def _may_be_words(one: WrittenNumber) -> bool:
    return any(value <= _LARGEST_IN_WORDS and value == value.to_integral_value() for value in one.values)
