"""Passages are ranked by meaning in the document's language; a table of contents is none."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.features.retrieval import meaning
from app.features.retrieval.meaning import PassageIndexes
from app.features.retrieval.ranking import rank_blocks
from app.language.static_embeddings import load_table
from app.store.database import Database
from app.store.document_store import DocumentStore

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


def keep(store: DocumentStore, texts: Sequence[str], **fields: Any) -> int:
    id_ = store.begin_document(Path("/a.txt"), 1, 1)
    blocks = [
        {"id": number, "kind": "paragraph", "page": None, "text": text, **fields}
        for number, text in enumerate(texts, 1)
    ]
    store.add_blocks(id_, blocks)
    return store.finish_document(id_, format_="text", unit="", pages=0, sha256="", info={}).id


def test_a_german_document_is_ranked_by_meaning(store: DocumentStore) -> None:
    if load_table() is None:
        pytest.skip("set-up could not fetch the encoder, so there is no table")
    indexes, id_ = PassageIndexes(), keep(store, GERMAN)
    assert [ranking[0] for ranking in indexes.rank(store, id_, "Was wurde an der Heizung getan?", 8)] == [1, 1]
    near = indexes.closeness(store, id_, "Was wurde an der Heizung getan?")
    far = indexes.closeness(store, id_, "Welcher Planet hat die meisten Monde?")
    assert near is not None
    assert far is not None
    assert far < near


ENGLISH = [
    "The caretaker clears the snow from the pavement before seven, and it is for him to pay for that.",
    "Many in the village would rather die in their own houses than be moved to the town by the river.",
    "Dogs and cats are allowed as long as the neighbours do not complain about them to the landlord.",
    *[f"The windows of flat {number} were cleaned, and it was paid for by the owners." for number in range(9)],
]


def test_a_document_is_found_by_a_question_in_another_language(store: DocumentStore) -> None:
    if load_table() is None:
        pytest.skip("set-up could not fetch the encoder, so there is no table")
    id_ = keep(store, ENGLISH)
    assert PassageIndexes().is_crossing(store, id_, "Dürfen Hunde in die Wohnung?")
    assert not PassageIndexes().is_crossing(store, id_, "Are dogs allowed in the flat?")
    assert rank_blocks(store, id_, "Dürfen Hunde in die Wohnung?")[0]["id"] == 3, "in and die are no words in common"
    assert rank_blocks(store, keep(store, GERMAN), "Are the bikes allowed?")[0]["id"] == 5


def test_a_german_document_with_english_in_its_middle_is_read_as_both(store: DocumentStore) -> None:
    if load_table() is None:
        pytest.skip("set-up could not fetch the encoder, so there is no table")
    indexes, id_ = PassageIndexes(), keep(store, [*GERMAN * 2, *ENGLISH, *GERMAN])
    assert all(ranking[0] in {5, 13, 33} for ranking in indexes.rank(store, id_, "Wo darf das Fahrrad stehen?", 8))


def test_a_document_in_no_known_language_is_not_ranked(store: DocumentStore) -> None:
    assert PassageIndexes().rank(store, keep(store, ["kiln glaze"] * 20), "oven", 8) == []


def test_a_document_that_grows_gets_another_index(store: DocumentStore) -> None:
    if load_table() is None:
        pytest.skip("set-up could not fetch the encoder, so there is no table")
    indexes, id_ = PassageIndexes(), keep(store, GERMAN)
    before = indexes.rank(store, id_, "Wo ist der Schlüssel?", 99)
    store.add_blocks(
        id_, [{"id": 9, "kind": "paragraph", "page": None, "text": "Der Schlüssel liegt beim Hausmeister."}]
    )
    assert all(9 not in ranking for ranking in before)
    assert all(9 in ranking for ranking in indexes.rank(store, id_, "Wo ist der Schlüssel?", 99))


def test_an_index_is_made_once_for_many_questions(store: DocumentStore, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[int] = []
    original = meaning._DocumentIndex
    monkeypatch.setattr(meaning, "_DocumentIndex", lambda blocks: made.append(len(blocks)) or original(blocks))
    indexes, id_ = PassageIndexes(), keep(store, GERMAN)
    for question in ("Wo ist der Müll?", "Wer räumt Schnee?"):
        indexes.rank(store, id_, question, 5)
        indexes.contents(store, id_)
    assert made == [8]


def test_entries_of_a_table_of_contents_are_no_passages_even_without_dots(store: DocumentStore) -> None:
    titles = ["Heating", "Notice", "Animals", "Rent", "Bicycles", "Snow"]
    entries = ["Contents", *(f"{number} {title} {number * 3}" for number, title in enumerate(titles, 1))]
    body = [f"{title}: this is what the house rules have to say about it, and they are for all." for title in titles]
    id_ = keep(store, [*entries, *body])
    assert PassageIndexes().contents(store, id_) == set(range(1, 8))
    assert {block["id"] for block in rank_blocks(store, id_, "What do the rules say of bicycles?")} <= set(range(8, 14))


@given(
    st.lists(st.text("abcdefg äöü.,der die und the of is to", max_size=40), max_size=12),
    st.text("abcdefg ä?", max_size=20),
)
def test_rankings_hold_blocks_of_that_document_only(texts: list[str], question: str) -> None:
    if load_table() is None:
        pytest.skip("set-up could not fetch the encoder, so there is no table")
    with closing(Database.in_memory()) as database:
        store = DocumentStore(database)
        other = keep(store, ["The other document is of the same words, and it has more of them: der die und."] * 30)
        id_ = keep(store, [text or "." for text in texts])
        for document, numbers in ((id_, set(range(1, len(texts) + 1))), (other, set(range(1, 31)))):
            for ranking in PassageIndexes().rank(store, document, question, 12):
                assert set(ranking) <= numbers
                assert len(ranking) == len(set(ranking)) <= 12
            assert {int(block["id"]) for block in rank_blocks(store, document, question)} <= numbers
