"""Documents that are ranked together keep their own words and places."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.features.retrieval.joined import JOINED, JoinedDocuments
from app.features.retrieval.ranking import rank_blocks, rank_with_scores
from app.store.database import Database
from app.store.document_store import DocumentStore

WORD = st.sampled_from(["kiln", "cools", "glaze", "ash", "clay", "窯", "冷", "two", "days"])
WORDS = st.lists(WORD, min_size=1, max_size=6).map(" ".join)
DOCUMENTS = st.lists(st.lists(WORDS, min_size=1, max_size=5), min_size=1, max_size=4)


def kept(store: DocumentStore, texts: list[str]) -> int:
    id_ = store.begin_document(Path("/a.txt"), 1, 1)
    store.add_blocks(id_, [{"id": n, "kind": "paragraph", "page": n, "text": text} for n, text in enumerate(texts, 1)])
    return store.finish_document(id_, format_="text", unit="", pages=0, sha256="", info={}).id


@given(DOCUMENTS, WORDS)
def test_passages_are_the_documents_own_words_where_they_stand_best_first(
    documents: list[list[str]], question: str
) -> None:
    with closing(Database.in_memory()) as database:
        store = DocumentStore(database)
        ids = [kept(store, texts) for texts in documents]
        joined = JoinedDocuments(database, ids[::-1])
        ranked = rank_with_scores(joined, JOINED, question)
        for block, _ in ranked:
            document_id, number = joined.origin_of(int(block["id"]))
            assert (block["text"], block["page"]) == (documents[ids.index(document_id)][number - 1], number)
        scores = [score for _, score in ranked]
        assert scores == sorted(scores, reverse=True)
        assert all(0 < score <= 1 for score in scores)
        texts = [text for texts in documents[::-1] for text in texts]
        assert [block["text"] for block in joined.every_block(JOINED)] == texts
        assert [block["text"] for block in joined.read_blocks(JOINED, 2, 3)] == texts[1:4]


def test_one_document_is_ranked_as_by_itself() -> None:
    with closing(Database.in_memory()) as database:
        store = DocumentStore(database)
        id_ = kept(store, ["The kiln cools for two days.", "Glaze is ash and clay.", "The kiln is fired."])
        joined = JoinedDocuments(database, [id_])
        assert rank_blocks(joined, JOINED, "How long does the kiln cool?") == rank_blocks(
            store, id_, "How long does the kiln cool?"
        )
        with pytest.raises(KeyError):
            joined.origin_of(4)
