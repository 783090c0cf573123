"""Places under sentences that were labelled by hand, and that every place is the document's own words."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.features.retrieval.citations import sources_of
from app.language.numbers import find_quantities
from app.language.sentences import split_sentences
from app.store.database import Database
from app.store.document_store import DocumentStore
from tests.benchmarks.quality_texts import TEXTS
from tests.helpers.places import (
    BY_HAND,
    SWAPPED_DEVELOPMENT,
    load_labels,
    load_swapped,
    score_places,
    store_texts,
)

WORDS = sorted({word for text in TEXTS for word in text.text.split()})


@pytest.fixture(scope="module")
def store() -> Iterator[DocumentStore]:
    with closing(Database.in_memory()) as database:
        yield DocumentStore(database)


@pytest.fixture(scope="module")
def ids(store: DocumentStore) -> dict[str, int]:
    return store_texts(store)


@pytest.mark.parametrize("development", [True, False])
@pytest.mark.parametrize("size", ["0.5B", "1.5B"])
def test_places_under_what_a_model_wrote_are_right(
    store: DocumentStore, ids: dict[str, int], size: str, development: bool
) -> None:
    chosen = [one for one in load_labels() if size in one.writer and one.is_development == development]
    score = score_places(store, ids, chosen)
    assert score.stated >= 25
    assert score.precision >= 0.95, score.wrong
    assert score.recall >= 0.6


@pytest.mark.parametrize("development", [True, False])
def test_half_of_the_sentences_are_wrong_and_few_of_these_get_a_place(
    store: DocumentStore, ids: dict[str, int], development: bool
) -> None:
    chosen = [one for one in load_labels() if one.writer == BY_HAND and one.is_development == development]
    score = score_places(store, ids, chosen)
    assert score.precision >= 0.95, score.wrong
    assert score.recall >= 0.6


@pytest.mark.parametrize("development", [True, False])
def test_two_that_changed_places_get_no_place(development: bool) -> None:
    texts, labelled = load_swapped()
    chosen = [sentence for sentence in labelled if (sentence.document == SWAPPED_DEVELOPMENT) == development]
    with closing(Database.in_memory()) as database:
        store = DocumentStore(database)
        score = score_places(store, store_texts(store, texts), chosen)
    assert score.precision >= 0.95, score.wrong
    assert score.recall >= 0.9


@given(words=st.lists(st.sampled_from(WORDS), min_size=4, max_size=30))
def test_a_place_is_whole_sentences_of_the_document_with_all_numbers(
    store: DocumentStore, ids: dict[str, int], words: list[str]
) -> None:
    answer = " ".join(words)
    for source in sources_of(answer, list(ids.values()), store):
        block = str(store.some_blocks(source.document_id, [source.block_id])[0]["text"])
        spans = list(split_sentences(block))
        pairs = [(first[0], second[1]) for first, second in pairwise(spans)]
        assert (source.start, source.end) in (*spans, *pairs)
        said = answer[source.answer_start : source.answer_end]
        there = find_quantities(block[source.start : source.end])
        figures = [one for one in find_quantities(said) if not one.is_part]
        assert all(any(one.has_figure_of(other) for other in there) for one in figures)
