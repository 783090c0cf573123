"""Dates in their many spellings."""

from __future__ import annotations

from app.language.numbers import dates


def test_a_month_that_may_be_a_word_is_one_only_with_a_capital_or_a_number() -> None:
    assert not dates("They may march, and so may you.")
    assert [one.readings for one in dates("It closed in March; in April 2024 it opened.")] == [((3, 0),), ((4, 0),)]
