"""A document's language is that of most of it, and a question may be in another one."""

from __future__ import annotations

import pytest

from app.features.retrieval.languages import find_document_language

GERMAN = "Der Hausmeister räumt den Schnee, und das ist für die Mieter mit dem Vertrag nicht zu bezahlen."
ENGLISH = "The licence is for those that have it from the author, and it was not to be sold by them."
DUTCH = "De woning is in de buurt van de haven en wordt door de gemeente niet meer verhuurd."


@pytest.mark.parametrize(
    ("texts", "code"),
    [
        ([GERMAN] * 20 + [ENGLISH] * 15 + [GERMAN] * 20, "de"),
        ([ENGLISH] * 300, "en"),
        (["1.", "2."] * 300 + [DUTCH] * 9, "nl"),
        (["kiln glaze"] * 20, ""),
        ([], ""),
    ],
)
def test_the_language_is_that_of_most_of_the_text(texts: list[str], code: str) -> None:
    assert find_document_language(texts).code == code


@pytest.mark.parametrize(
    ("question", "differs"),
    [
        ("Wer räumt den Schnee?", False),
        ("Schneeräumen?", False),
        ("Who clears the snow?", True),
        ("¿Quién quita la nieve?", True),
        ("誰が雪かきをしますか", True),
    ],
)
def test_a_question_is_in_another_language_by_its_small_words(question: str, differs: bool) -> None:
    assert find_document_language([GERMAN] * 10 + [ENGLISH] * 5).differs_from(question) is differs
