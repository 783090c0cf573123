"""Numbers with their units and every reading that they allow, and dates in their many spellings."""

from __future__ import annotations

from decimal import Decimal

import pytest

from app.language.dates import find_dates
from app.language.numbers import find_quantities, written_numbers


def test_numbers_stand_where_they_are_said_to_stand() -> None:
    text = "In all 1,284 ships paid $3.7m on 17 June 2024, i.e. 31 % more than three years before."
    assert [text[one.start : one.end] for one in find_quantities(text) if not one.is_part] == [
        "1,284",
        "$3.7m",
        "31 %",
        "three years",
    ]


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("1,240", {"1240", "1.240"}), ("1 240,5", {"1240.5"}), ("١٢٣", {"123"}), ("१२", {"12"}), ("１２", {"12"}),
        ("2 million", {"2", "2000000"}), ("200万", {"200", "2000000"}),
    ],
)  # fmt: skip
def test_a_number_has_every_reading_that_its_digits_and_signs_allow(text: str, values: set[str]) -> None:
    (one,) = written_numbers(text)
    assert one.values == {Decimal(value) for value in values}


def test_a_month_that_may_be_a_word_is_one_only_with_a_capital_or_a_number() -> None:
    assert not find_dates("They may march, and so may you.")
    assert [one.readings for one in find_dates("It closed in March; in April 2024 it opened.")] == [
        ((3, 0),),
        ((4, 0),),
    ]
