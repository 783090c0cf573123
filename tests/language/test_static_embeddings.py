"""Passages are found by what they mean, without a model, from the table that set-up made."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.language import static_embeddings
from app.language.static_embeddings import (
    EmbeddingTable,
    PassageIndex,
    join_rankings,
    load_table,
    unit_vectors,
)
from app.language.subwords import BEGINS_WORD, UnigramTokenizer

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


def whole_words(*words: str) -> UnigramTokenizer:
    """A tokenizer of words that have no parts."""
    return UnigramTokenizer({BEGINS_WORD + word: number for number, word in enumerate(words)}, [-1.0] * len(words))


@pytest.fixture(scope="module")
def table() -> EmbeddingTable:
    table = load_table()
    if table is None:
        pytest.skip("set-up could not fetch the encoder, so there is no table")
    return table


def test_a_question_in_other_words_finds_its_passage_first(
    table: EmbeddingTable, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(static_embeddings, "NEIGHBOURS_WEIGHT", 0.0)  # these have nothing to do with each other
    index = PassageIndex(table, list(enumerate(PASSAGES, 1)))
    found = [join_rankings(index.rank(question, 8))[0] for question, _ in QUESTIONS]
    assert found == [number for _, number in QUESTIONS]


GERMAN = [
    "Der Heizkessel wurde im Herbst erneuert, und die alten Heizkörper wurden entlüftet.",
    "Jeder Mieter muss drei Monate vor dem Auszug kündigen.",
    "Hunde und Katzen sind erlaubt, solange sich die Nachbarn nicht beschweren.",
    "Die Miete steigt um zwei Prozent im Jahr, immer am ersten Januar.",
    "Fahrräder dürfen im Hof stehen, aber nicht im Treppenhaus.",
    "Der Hausmeister räumt den Schnee vor sieben Uhr morgens vom Gehweg.",
    "Der Müll wird dienstags abgeholt; Glas kommt in den Behälter an der Ecke.",
    "Laute Musik ist zwischen zehn Uhr abends und sechs Uhr morgens verboten.",
]
IN_SEVERAL_LANGUAGES = [
    ("Wer macht den Weg im Winter frei?", 6),
    ("Sind Tiere gestattet?", 3),
    ("Was wurde an der Heizung getan?", 1),
    ("Was the heating renewed?", 1),
    ("Are bikes allowed?", 5),
    ("犬はいいですか", 3),
]
TRANSLATIONS = [
    ("house", "haus", "maison"),
    ("school", "escuela", "\u0448\u043a\u043e\u043b\u0443"),
    ("server", "servidor", "\u0441\u0435\u0440\u0432\u0435\u0440"),
    ("password", "passwort", "\u043f\u0430\u0440\u043e\u043b\u044c"),
    ("key", "clave", "\u043a\u043b\u044e\u0447"),
    ("school", "scuola", "\u5b66\u6821"),
    ("money", "pieni\u0105dze", "dinheiro"),
]


ASKED_OF_ENGLISH = [
    ("¿Se permiten perros?", 3),
    ("Dürfen Hunde in die Wohnung?", 3),
    ("La música está prohibida por la noche?", 8),
]


def test_passages_are_found_in_other_languages(table: EmbeddingTable, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(static_embeddings, "NEIGHBOURS_WEIGHT", 0.0)  # these have nothing to do with each other
    index = PassageIndex(table, list(enumerate(GERMAN, 1)))
    found = [join_rankings(index.rank(question, 8)) for question, _ in IN_SEVERAL_LANGUAGES]
    assert all(number in ranked[:2] for ranked, (_, number) in zip(found, IN_SEVERAL_LANGUAGES, strict=True))
    assert [ranked[0] for ranked in found[1:]] == [number for _, number in IN_SEVERAL_LANGUAGES[1:]]


def test_a_document_in_english_is_asked_in_other_languages(
    table: EmbeddingTable, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(static_embeddings, "NEIGHBOURS_WEIGHT", 0.0)
    index = PassageIndex(table, list(enumerate(PASSAGES, 1)))
    found = [index.rank(question, 8) for question, _ in ASKED_OF_ENGLISH]
    firsts = [[ranking[0] for ranking in rankings] for rankings in found]
    assert firsts == [[number] * 2 for _, number in ASKED_OF_ENGLISH]


def test_rows_of_bytes_have_the_lengths_that_their_scale_gives(tmp_path: Path) -> None:
    np.savez(
        tmp_path / "table.npz",
        rows=np.array([[127, 0], [0, -127], [3, 4]], np.int8),
        scale=np.array([1 / 127, 2 / 127, 1], np.float32),
        scores=np.array([-1.0, -2.0, -3.0], np.float16),
        vocabulary=np.frombuffer("\u2581a\n\u2581b\nc".encode(), np.uint8),
    )
    table = EmbeddingTable.load(tmp_path / "table.npz")
    assert table.lengths == pytest.approx([1, 2, 5])
    assert table.rows_of(np.array([1, 2])) == pytest.approx(np.array([[0, -2], [3, 4]]))
    assert table.tokenize("A bc") == [0, 1, 2], "the likeliest pieces, in small letters"


def test_translations_are_nearer_to_each_other_than_to_other_words(table: EmbeddingTable) -> None:
    vectors = table.embed([word for row in TRANSLATIONS for word in row]).reshape(len(TRANSLATIONS), 3, -1)
    alike = np.einsum("rad,rbd->rab", vectors, vectors)[:, [0, 0, 1], [1, 2, 2]].mean()
    others = np.einsum("rad,rbd->rab", vectors[:-2], vectors[2:]).mean()
    assert alike > 0.35
    assert others < 0.15


@given(st.lists(st.text(max_size=60), max_size=30), st.text(max_size=40))
def test_any_texts_are_ranked_by_their_own_numbers(texts: list[str], question: str) -> None:
    small = EmbeddingTable(np.eye(4, dtype=np.float32), whole_words("a", "b", "c", "0"))
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


def random_index(count: int, monkeypatch: pytest.MonkeyPatch) -> tuple[EmbeddingTable, PassageIndex, list[str]]:
    random = np.random.default_rng(30)
    names = [f"w{number}" for number in range(400)]
    rows = random.standard_normal((400, 96)).astype(np.float32)
    table = EmbeddingTable(rows, whole_words(*names))
    texts = [" ".join(random.choice(names, 6)) for _ in range(count)]
    monkeypatch.setattr(static_embeddings, "SIEVED", 64)
    return table, PassageIndex(table, list(enumerate(texts))), texts


def test_the_sieve_of_signs_keeps_what_an_exact_comparison_puts_first(monkeypatch: pytest.MonkeyPatch) -> None:
    _, index, texts = random_index(3_000, monkeypatch)
    sieved = [index.rank(texts[number], 5)[0] for number in range(0, 3_000, 150)]
    monkeypatch.setattr(static_embeddings, "SIEVED", 3_000)
    exact = [index.rank(texts[number], 5)[0] for number in range(0, 3_000, 150)]
    assert [ranking[0] for ranking in sieved] == [ranking[0] for ranking in exact] == list(range(0, 3_000, 150))


def test_best_matches_are_those_of_every_word_compared_with_every_other(monkeypatch: pytest.MonkeyPatch) -> None:
    table, index, texts = random_index(300, monkeypatch)
    monkeypatch.setattr(static_embeddings, "LIKE_TOKENS", 400)
    monkeypatch.setattr(static_embeddings, "LIKE_FIRST_SIGNS", 64)
    monkeypatch.setattr(static_embeddings, "LIKE_SIGNS", 128)
    frequency = np.bincount(np.concatenate([np.unique(table.tokenize(text)) for text in texts]), minlength=400)
    idf = np.log(301 / (frequency + 0.5))
    unit, lengths = unit_vectors(table.rows_of(np.arange(400))), table.lengths
    for number in range(0, 300, 37):
        tokens = table.tokenize(texts[number])
        scores = np.zeros(300)
        for place, text in enumerate(texts):
            best = (unit[tokens] @ unit[table.tokenize(text)].T).max(1)
            kept = np.where(best >= static_embeddings.LEAST_LIKENESS, best, 0) ** static_embeddings.SHARPNESS
            scores[place] = (kept * idf[tokens] * lengths[tokens]).sum()
        found = index.rank(texts[number], 8)[1]
        assert found[0] == number
        assert scores[found] == pytest.approx(np.sort(scores)[::-1][:8], rel=0.02)  # in bytes, and some are the same


def test_a_passage_is_also_known_by_its_neighbours() -> None:
    table = EmbeddingTable(np.eye(4, dtype=np.float32), whole_words(*"abcd"))
    index = PassageIndex(table, list(enumerate(["a", "b", "c", "b", "d"], 1)))
    whole, _ = index.rank("c", 5)
    assert whole[0] == 3
    assert set(whole[1:3]) == {2, 4}


def test_rankings_are_joined_by_reciprocal_ranks() -> None:
    assert join_rankings([[1, 2, 3], [3, 2, 4]]) == [3, 2, 1, 4]
    assert join_rankings([]) == []


def test_a_broken_table_is_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(static_embeddings, "resource_path", lambda name: tmp_path / name)
    assert load_table() is None
    (tmp_path / "languages").mkdir()
    (tmp_path / static_embeddings.TABLE).write_bytes(b"no archive")
    assert load_table() is None
    assert "could not be read" in caplog.text
    caplog.clear()
