"""Two that have changed places in a sentence are found; a sentence that is only told in another order is left alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.language.word_order import swapped_words

PAIRS = Path(__file__).parents[1] / "data" / "places" / "swapped_pairs.tsv"


def pairs(kind: str) -> list[tuple[str, str]]:
    """Sentences with another that says the same ("right"), or gives two of it each other's part ("swapped")."""
    rows = [line.split("\t") for line in PAIRS.read_text("utf-8").splitlines()]
    return [(sentence, statement) for row_kind, sentence, statement in rows if row_kind == kind]


def test_most_of_those_that_changed_places_are_found() -> None:
    missed = [statement for sentence, statement in pairs("swapped") if not swapped_words(statement, sentence)]
    assert len(missed) <= 0.25 * len(pairs("swapped")), missed


@pytest.mark.parametrize(("sentence", "statement"), pairs("right"))
def test_another_order_changes_nothing(sentence: str, statement: str) -> None:
    assert swapped_words(statement, sentence) == ""


@pytest.mark.parametrize(
    ("statement", "sentence", "said"),
    [
        ("Lind paid Okoro in May.", "In May Okoro paid Lind.", "lind"),
        ("Lind was paid by Okoro in May.", "In May Okoro paid Lind.", ""),
        ("The mill is older than the church.", "The church is younger than the mill.", ""),
        ("The mill is older than the church.", "The church is older than the mill.", "mill"),
        ("He moved from Ulm to Graz.", "He moved from Graz to Ulm.", "ulm"),
        ("Den Brief schrieb der Pfarrer.", "Der Pfarrer schrieb den Brief.", ""),
    ],
)
def test_small_words_and_passives_tell_who_is_who(statement: str, sentence: str, said: str) -> None:
    assert swapped_words(statement, sentence) == said
