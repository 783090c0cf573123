"""Passages fit the question, the document's order and the room there is."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.features.retrieval.choosing import FRAME_TOKENS, choose_passages
from app.features.retrieval.meaning import PassageIndexes
from app.features.retrieval.ranking import rank_blocks, words_of
from app.language.static_embeddings import load_table
from app.store.database import Database
from app.store.document_store import DocumentStore


def words(texts: Sequence[str]) -> list[int]:
    """A counter: a word is a token."""
    return [len(text.split()) for text in texts]


def kept(store: DocumentStore, texts: Sequence[str], kinds: dict[int, str] | None = None) -> int:
    id_ = store.begin_document(Path("/a.txt"), 1, 1)
    store.add_blocks(
        id_,
        [
            {"id": number, "kind": (kinds or {}).get(number, "paragraph"), "page": None, "text": text}
            for number, text in enumerate(texts, 1)
        ],
    )
    return store.finish_document(id_, format_="text", unit="", pages=0, sha256="", info={}).id


FILLER = "one two three four five six seven eight nine ten"
BOOK = [f"{FILLER} number{number}" for number in range(1, 101)]


def test_the_blocks_with_the_questions_words_are_shown_in_the_documents_order(store: DocumentStore) -> None:
    texts = list(BOOK)
    texts[69], texts[39] = "The kiln cools for two days.", "Never open the kiln while it cools."
    chosen = choose_passages(store, kept(store, texts), "How long does the kiln cool?", 200, words)
    assert {40, 70} <= set(chosen)
    assert chosen == sorted(chosen)


def test_the_beginning_comes_along_where_there_is_room(store: DocumentStore) -> None:
    id_ = kept(store, BOOK)
    assert 1 in choose_passages(store, id_, "number50", 400, words)
    assert choose_passages(store, id_, "number50", 30, words) == [50], "its share is too small for it"


def test_a_hit_brings_what_follows_it_but_not_everything_that_fits(store: DocumentStore) -> None:
    chosen = choose_passages(store, kept(store, BOOK), "number50", 5_000, words)
    assert chosen == [1, 2, 3, 50, 51]
    many = choose_passages(store, kept(store, BOOK), "three four five", 50_000, words)
    assert len(many) < 40


def test_a_table_of_contents_is_no_passage(store: DocumentStore) -> None:
    texts = ["Handbook", "The kiln . . . . . . . . . 12", "Glazes ......... 30", *BOOK]
    texts[60] = "The kiln cools for two days."
    assert [one["id"] for one in rank_blocks(store, kept(store, texts), "kiln?")] == [61]


def test_without_a_word_in_common_the_beginning_is_shown(store: DocumentStore) -> None:
    chosen = choose_passages(store, kept(store, BOOK), "What is this about?", 270, words)
    assert chosen == list(range(1, len(chosen) + 1))
    assert len(chosen) == 10


def test_a_heading_brings_what_follows_it(store: DocumentStore) -> None:
    texts = list(BOOK)
    texts[49] = "Termination"
    assert {50, 51} <= set(choose_passages(store, kept(store, texts, {50: "heading"}), "termination?", 60, words))


def test_a_block_too_large_for_the_room_gives_way_to_the_next_best(store: DocumentStore) -> None:
    texts = ["first", "kiln " * 500, "a small word about the kiln"]
    assert choose_passages(store, kept(store, texts), "kiln", 60, words) == [3]


def test_words_change_at_their_end_and_short_ones_do_not() -> None:
    assert words_of("Were both lawsuits settled in 2024?") == ["were", "both", "lawsui*", "settl*", "in", "2024"]
    assert words_of("") == []


def test_languages_without_spaces_are_found_by_pairs_of_letters(store: DocumentStore) -> None:
    id_ = kept(store, ["窯は二日間冷まします。", "猫は庭で寝ています。", "冷ました窯を開けます。"])
    assert rank_blocks(store, id_, "猫はどこで寝ますか")[0]["id"] == 2
    assert rank_blocks(store, id_, "窯を冷ます")[0]["id"] in (1, 3)
    assert rank_blocks(store, id_, "...") == []


@given(
    st.lists(st.integers(1, 40), min_size=1, max_size=30), st.integers(0, 300), st.sampled_from(["kiln", "x", "a b"])
)
def test_the_room_is_never_exceeded(sizes: list[int], room: int, question: str) -> None:
    with closing(Database.in_memory()) as database:
        store = DocumentStore(database)
        id_ = kept(store, [" ".join(["kiln"] * size) for size in sizes])
        chosen = choose_passages(store, id_, question, room, words)
        assert sum(sizes[number - 1] + FRAME_TOKENS for number in chosen) <= room
        assert chosen == sorted(set(chosen))


HOUSE_RULES = [
    "The rules of the house were agreed by all who live in it, and they are the same for every floor of the building.",
    *[f"The flat on floor {number} was painted, and the floor was sanded by the same firm." for number in range(1, 90)],
    "Dogs and cats are allowed as long as the neighbours do not complain about them to the landlord.",
    *[f"The windows of flat {number} were cleaned, and it was paid for by the owners." for number in range(1, 90)],
]


def test_a_question_in_other_words_is_shown_its_passage(store: DocumentStore) -> None:
    if load_table() is None:
        pytest.skip("set-up could not fetch the encoder, so there is no table")
    document = kept(store, HOUSE_RULES)
    assert choose_passages(store, document, "Am I permitted to keep pets?", 300, words).count(91) == 1


def test_a_document_that_was_corrected_is_ranked_by_its_new_words(store: DocumentStore) -> None:
    if load_table() is None:
        pytest.skip("set-up could not fetch the encoder, so there is no table")
    indexes = PassageIndexes()
    before, after = kept(store, HOUSE_RULES), kept(store, [*HOUSE_RULES[:-1], HOUSE_RULES[90], HOUSE_RULES[-1]])
    assert 91 in [ranking[0] for ranking in indexes.rank(store, before, "pets", 5)]
    assert {180, 91} <= {number for ranking in indexes.rank(store, after, "pets", 5) for number in ranking[:2]}


def test_a_document_in_a_language_without_a_table_is_ranked_by_words_alone(store: DocumentStore) -> None:
    dutch = [
        f"De woning {number} is in de buurt van de haven en wordt door de gemeente niet meer verhuurd."
        for number in range(50)
    ]
    document = kept(store, dutch)
    assert PassageIndexes().rank(store, document, "huisdieren", 5) == []
