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


def test_the_nearest_in_meaning_comes_first() -> None:
    if load_table() is None:
        pytest.skip("set-up could not fetch the encoder, so there is no table")
    assert rank_texts("What is a good present for my pet?", MEMORIES)[0] == 0
    assert sorted(rank_texts("pets", MEMORIES)) == [0, 1, 2]


@pytest.mark.parametrize("texts", [MEMORIES, GERMAN])
def test_the_last_comes_first_where_nothing_tells_what_is_asked(texts: list[str]) -> None:
    question = "" if texts is MEMORIES else "Was schenke ich meinem Haustier?"
    assert rank_texts(question, texts) == list(range(len(texts)))[::-1]
