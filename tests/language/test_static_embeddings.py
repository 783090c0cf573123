"""Passages are found by what they mean, without a model, from the table that set-up made."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.language import static_embeddings
from app.language.static_embeddings import EmbeddingTable, PassageIndex, join_rankings, load_table

PASSAGES = [
    "The boiler was replaced in the autumn, and the old radiators were bled.",
    "Every tenant has to give notice three months before moving out.",
    "Dogs and cats are allowed as long as the neighbours do not complain.",
    "The rent rises by two per cent a year, always on the first of January.",
    "Bicycles may stand in the yard, but not in the stairwell.",
    "The caretaker clears the snow from the pavement before seven in the morning.",
    "Rubbish is collected on Tuesdays; glass goes into the container on the corner.",
    "Loud music is forbidden between ten at night and six in the morning.",
]
QUESTIONS = [
    ("May I keep a pet?", 3),
    ("How long ahead must I tell them that I am leaving the flat?", 2),
    ("Who removes ice in winter?", 6),
    ("When is the trash picked up?", 7),
    ("How was the heating repaired?", 1),
]


@pytest.fixture(scope="module")
def table() -> EmbeddingTable:
    table = load_table()
    if table is None:
        pytest.skip("set-up could not fetch the encoder, so there is no table")
    return table


def test_a_question_in_other_words_finds_its_passage_first(table: EmbeddingTable) -> None:
    index = PassageIndex(table, list(enumerate(PASSAGES, 1)))
    found = [join_rankings(index.rank(question, 8))[0] for question, _ in QUESTIONS]
    assert found == [number for _, number in QUESTIONS]


def test_words_are_cut_as_the_encoder_cuts_them(table: EmbeddingTable) -> None:
    def pieces(text: str) -> list[str]:
        return [tokens[number] for number in table.tokenize(text)]

    tokens = {number: token for token, number in table.vocabulary.items()}
    assert pieces("Embeddings, Café!") == ["em", "##bed", "##ding", "##s", "cafe"]
    assert pieces("\U0001f600 \u4d5a x" + "y" * 200) == []


@given(st.lists(st.text(max_size=60), max_size=30), st.text(max_size=40))
def test_any_texts_are_ranked_by_their_own_numbers(texts: list[str], question: str) -> None:
    small = EmbeddingTable(np.eye(4, dtype=np.float32), {"a": 0, "b": 1, "##a": 2, "0": 3})
    numbers = range(10, 10 + len(texts))
    index = PassageIndex(small, list(zip(numbers, texts, strict=True)))
    for ranking in index.rank(question, 5):
        assert len(ranking) == len(set(ranking)) <= 5
        assert set(ranking) <= set(numbers)


def test_many_passages_give_the_same_as_few(table: EmbeddingTable, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = PassageIndex(table, list(enumerate(PASSAGES, 1)))
    monkeypatch.setattr(static_embeddings, "BATCH_TEXTS", 3)
    batched = PassageIndex(table, list(enumerate(PASSAGES, 1)))
    for question, _ in QUESTIONS:
        assert batched.rank(question, 8) == whole.rank(question, 8)


def test_rankings_are_joined_by_reciprocal_ranks() -> None:
    assert join_rankings([[1, 2, 3], [3, 2, 4]]) == [3, 2, 1, 4]
    assert join_rankings([]) == []


def test_a_broken_table_is_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(static_embeddings, "resource", lambda name: tmp_path / name)
    assert load_table() is None
    (tmp_path / "languages").mkdir()
    (tmp_path / static_embeddings.TABLE).write_bytes(b"no archive")
    assert load_table() is None
    assert "could not be read" in caplog.text
    caplog.clear()
