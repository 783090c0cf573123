"""A quotation is found whatever its quotes, dashes, spaces and ligatures, and told where it is in the text."""

from __future__ import annotations

import pytest

from app.features.summary.checks import find_quote

TEXT = (
    "The ﬁrst  “state-of-\nthe-art” model — so it said — reached 96.6 %  in\u00a02020, and the Ca\u00adfe\u0301 closed."
)


@pytest.mark.parametrize(
    ("quote", "there"),
    [
        ('the first "state-of-the-art" model', "The ﬁrst  “state-of-\nthe-art” model"),
        ("model - so it said - reached", "model — so it said — reached"),
        ("reached 96.6% in 2020", "reached 96.6 %  in\u00a02020"),
        ("and the café closed", "and the Ca\u00adfe\u0301 closed"),
        ("“reached 96.6 % in 2020…”", "reached 96.6 %  in\u00a02020"),
    ],
)
def test_a_quotation_is_found_letter_by_letter(quote: str, there: str) -> None:
    found = find_quote(quote, TEXT)
    assert found is not None and found.is_exact
    assert TEXT[found.start : found.end] == there


def test_a_quotation_with_a_slip_is_a_near_match() -> None:
    text = "It says: the first state-of-the-art model, so it said."
    found = find_quote("the first state-of-the-art modell so it said", text)
    assert found is not None and not found.is_exact
    assert text[found.start : found.end].startswith("the first")


@pytest.mark.parametrize("quote", ["reached 96.7 % in 2020", "reached 96.6 % in 2021", "nothing of the kind", "", "…"])
def test_other_words_or_other_digits_are_not_found(quote: str) -> None:
    assert find_quote(quote, TEXT) is None


def test_digits_cut_in_two_are_no_match() -> None:
    assert find_quote("the total of the year was 412 in euros", "and the total of the year was 4123 in euros") is None
