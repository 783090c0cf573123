"""Short texts are ranked by what they mean, the newest first where nothing tells that."""

from __future__ import annotations

import pytest

from app.features.retrieval.short_texts import rank_texts
from app.language.static_embeddings import load_table

MEMORIES = [
    "My dog is called Pixel and he is a beagle.",
    "The rent of the flat is due on the first.",
    "I sing in a choir.",
]
GERMAN = ["Der Hund heißt Pixel und ist ein Beagle.", "Die Miete ist am Ersten fällig."]


@pytest.mark.parametrize("texts", [MEMORIES, GERMAN])
@pytest.mark.parametrize("question", ["What does my dog need?", "Brauche ich Futter für Tiere?"])
def test_the_nearest_in_meaning_comes_first(question: str, texts: list[str]) -> None:
    if load_table() is None:
        pytest.skip("set-up could not fetch the encoder, so there is no table")
    ranked = rank_texts(question, texts)
    assert ranked[0] == 0
    assert sorted(ranked) == list(range(len(texts)))


def test_the_last_comes_first_where_nothing_tells_what_is_asked() -> None:
    assert rank_texts("", MEMORIES) == [2, 1, 0]
