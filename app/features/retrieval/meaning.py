"""Ranks the passages of a document by what a question means, beside the words they share."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from functools import cache
from threading import Lock

from app.language.detection import language_by_words
from app.language.static_embeddings import PassageIndex, load_table
from app.store.documents import DocumentStore, Fields

LANGUAGE = "en"
"""The only one that the table knows."""
HEADINGS = 2
"""So many of the headings above a passage belong to its meaning."""
LANGUAGE_SAMPLE = 4_000
"""Characters from the middle of a document, where its language is looked for."""


class PassageIndexes:
    """Keeps the indexes of the documents that were asked about last; a document that was changed gets another one."""

    MOST = 4

    def __init__(self) -> None:
        self._indexes: OrderedDict[bytes, PassageIndex | None] = OrderedDict()
        self._lock = Lock()

    def rank(self, store: DocumentStore, document_id: int, question: str, limit: int) -> list[list[int]]:
        """Return rankings of block numbers, best first; none where the table is missing or cannot tell."""
        index = self._index_of(store, document_id)
        return index.rank(question, limit) if index is not None else []

    def closeness(self, store: DocumentStore, document_id: int, question: str) -> float | None:
        """Return the cosine of the question with its nearest block, or None where the table cannot tell."""
        index = self._index_of(store, document_id)
        return index.closeness(question) if index is not None else None

    def _index_of(self, store: DocumentStore, document_id: int) -> PassageIndex | None:
        if load_table() is None:
            return None
        from hashlib import blake2b  # not needed for an empty window

        blocks: list[Fields] = list(store.every_block(document_id))
        passages = [(int(block["id"]), text_with_headings(block)) for block in blocks]
        key = blake2b("\0".join(f"{number} {text}" for number, text in passages).encode("utf-8", "replace")).digest()
        with self._lock:
            if key not in self._indexes:
                self._indexes[key] = _make_index(passages)
            self._indexes.move_to_end(key)
            while len(self._indexes) > self.MOST:
                self._indexes.popitem(last=False)
            return self._indexes[key]


def _make_index(passages: Sequence[tuple[int, str]]) -> PassageIndex | None:
    table = load_table()
    whole = "\n".join(text for _, text in passages)
    middle = max(0, (len(whole) - LANGUAGE_SAMPLE) // 2)
    if table is None or language_by_words(whole[middle : middle + LANGUAGE_SAMPLE]) != LANGUAGE:
        return None
    return PassageIndex(table, passages)


def text_with_headings(block: Fields) -> str:
    """Return what a passage says below the last headings above it."""
    headings = [str(heading) for heading in (block.get("heading_path") or ())][-HEADINGS:]
    return "\n".join([*headings, str(block["text"])])


@cache
def passage_indexes() -> PassageIndexes:
    """Return those of this process; they are made of what documents say alone, so nothing hangs on who asks."""
    return PassageIndexes()
