"""Which stretches of a document tell its language."""

from __future__ import annotations

from app.documents.blocks import Kind, Piece
from app.documents.language import Sample

FRENCH = "Chaque partie peut mettre fin au contrat à la fin de l'année avec un préavis de trois mois."


def test_the_sample_is_short_and_reaches_into_the_document() -> None:
    sample = Sample()
    for number in range(10_000):
        sample.add(Piece(Kind.PARAGRAPH, f"paragraph {number} " * 10))
    assert len(sample.text) <= 2500
    assert "paragraph 0 " in sample.text
    numbers = [int(word) for word in sample.text.split() if word.isdigit()]
    assert max(numbers) > 5000
    assert any(1000 < number < 5000 for number in numbers)


def test_code_is_not_in_the_sample() -> None:
    sample = Sample()
    sample.add(Piece(Kind.CODE, "def main(arguments): return function(arguments)" * 20))
    assert sample.language() == ""
    sample.add(Piece(Kind.PARAGRAPH, FRENCH))
    assert sample.language() == "fr"
