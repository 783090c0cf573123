"""The errors that are planted in claims are errors, and only those that they are called."""

from __future__ import annotations

import random
import re
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
TEXT = "The model gains 3.7 % in 12 hours. Anna Lopez built it in March 2019 with BERT. It did not need 640 euros."


@pytest.fixture(autouse=True)
def benchmarks_are_neighbours(monkeypatch: pytest.MonkeyPatch) -> None:
    """They import each other as run.py lets them."""
    monkeypatch.syspath_prepend(str(HERE))


def changed(kind: str, text: str, cited: str = TEXT) -> str | None:
    import planted

    plants = {
        "number": planted.number,
        "unit": planted.unit,
        "date": planted.date,
        "name": planted.name_swapped(["Maria Kowalski"]),
        "attribution": planted.wrong_attribution,
        "negation": planted.negation,
        "sentence": planted.wrong_sentence,
    }
    found = plants[kind](planted.Claim(text, (cited,), (), "people"), random.Random(1))
    return found.text if found else None


def test_a_changed_number_occurs_nowhere_in_the_text() -> None:
    text = changed("number", "It gains 3.7 % in 12 hours.")
    assert text is not None
    assert set(re.findall(r"\d+", text)) - set(re.findall(r"\d+", TEXT))


@pytest.mark.parametrize(
    ("kind", "text", "expected"),
    [
        ("unit", "It takes 12 hours.", "It takes 12 days."),
        ("name", "It was built by Anna Lopez.", "It was built by Maria Kowalski."),
        ("attribution", "It was built with Anna Lopez.", "It was built with BERT."),
        ("negation", "It did not need it.", "It need it."),
        ("negation", "It was built in 2019.", "It was not built in 2019."),
        ("sentence", "It takes 12 hours.", "It takes 2019 hours."),
    ],
)
def test_each_kind_changes_what_it_says(kind: str, text: str, expected: str) -> None:
    assert changed(kind, text) == expected


def test_another_month_is_one_that_the_text_does_not_have() -> None:
    text = changed("date", "It was built in March 2019.")
    assert text is not None and text != "It was built in March 2019." and text.endswith("2019.")


@pytest.mark.parametrize("kind", ["number", "unit", "date", "name", "attribution", "sentence", "negation"])
def test_a_claim_without_anything_to_change_is_left_out(kind: str) -> None:
    assert changed(kind, "it works well") is None
