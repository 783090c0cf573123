"""A document's language is that of most of it, and a question may be in another one."""

from __future__ import annotations

import pytest

from app.features.retrieval.languages import find_document_language

GERMAN = "Der Hausmeister räumt den Schnee, und das ist für die Mieter mit dem Vertrag nicht zu bezahlen."
ENGLISH = "The licence is for those that have it from the author, and it was not to be sold by them."
DUTCH = "De woning is in de buurt van de haven en wordt door de gemeente niet meer verhuurd."


@pytest.mark.parametrize(
    ("texts", "code", "is_alone"),
    [
        ([GERMAN] * 30, "de", True),
        ([GERMAN] * 20 + [ENGLISH] * 15 + [GERMAN] * 20, "de", False),
        ([GERMAN] * 50 + [ENGLISH] * 5 + [GERMAN] * 50, "de", True),
        ([ENGLISH] * 300, "en", True),
        (["1.", "2."] * 300 + [DUTCH] * 9, "nl", True),
        (["kiln glaze"] * 20, "", True),
        ([], "", True),
    ],
)
def test_the_language_is_that_of_most_of_the_text(texts: list[str], code: str, is_alone: bool) -> None:
    found = find_document_language(texts)
    assert (found.code, found.is_alone) == (code, is_alone)


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
