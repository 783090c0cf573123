"""Rank a document's passages by a question's meaning, in addition to shared words."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from functools import cache
from threading import Lock
from weakref import WeakKeyDictionary

from app.features.retrieval.languages import find_document_language
from app.language.static_embeddings import PassageIndex, load_table
from app.store.document_store import DocumentStore, Fields

LANGUAGES = frozenset({"en", "de", "fr", "es", "pt", "it", "pl", "cyrillic", "arabic", "east asian"})
"""Those of the table, as `language_by_words` calls them."""
HEADINGS = 2
"""Headings above a passage that count for its meaning."""


class PassageIndexes:
    """Indexes of the documents asked about last; a changed document gets a new one."""

    # Enough for a chat about a few documents; each index takes memory.
    MOST = 4

    def __init__(self) -> None:
        # Weak, so that a temporary chat's store, and its documents with it, can go.
        self._kept: WeakKeyDictionary[DocumentStore, OrderedDict[tuple[object, ...], _DocumentIndex]]
        self._kept = WeakKeyDictionary()
        self._lock = Lock()

    def rank(self, store: DocumentStore, document_id: int, question: str, limit: int) -> list[list[int]]:
        """Return rankings of block ids, best first; none without a table or if it can't tell."""
        passages = self._index_of(store, document_id).passages
        return passages.rank(question, limit) if passages is not None else []

    def is_crossing(self, store: DocumentStore, document_id: int, question: str) -> bool:
        """Return whether question and document differ in language, so that shared words say little."""
        return self._index_of(store, document_id).language.differs_from(question)

    def closeness(self, store: DocumentStore, document_id: int, question: str) -> float | None:
        """Return the cosine of a question and its nearest block; None without a table, or a known word."""
        passages = self._index_of(store, document_id).passages
        return passages.closeness(question) if passages is not None else None

    def contents(self, store: DocumentStore, document_id: int) -> frozenset[int]:
        """Return the numbers of the blocks that are a table of contents, which answer nothing."""
        return self._index_of(store, document_id).contents

    def _index_of(self, store: DocumentStore, document_id: int) -> _DocumentIndex:
        document = store.get(document_id)
        # A document that was read anew keeps its id; what changes are these.
        made = (document.sha256, document.created_at) if document is not None else ()
        key = (document_id, store.block_count(document_id), *made)
        with self._lock:
            indexes = self._kept.setdefault(store, OrderedDict())
            if key not in indexes:
                # Made under the lock: two threads that asked first could have made an index of nothing.
                indexes[key] = _DocumentIndex(list(store.every_block(document_id)))
            indexes.move_to_end(key)
            while len(indexes) > self.MOST:
                indexes.popitem(last=False)
            return indexes[key]


class _DocumentIndex:
    """Vectors of a document's passages; None without a table, or in a language that it does not know."""

    def __init__(self, blocks: Sequence[Fields]) -> None:
        from app.documents.blocks import block_from_fields  # not needed for an empty window
        from app.features.document_parts import ApartReason, find_apart_blocks

        apart = find_apart_blocks([block_from_fields({"heading_path": (), **block}) for block in blocks])
        self.contents = frozenset(number for number, what in apart.items() if what is ApartReason.CONTENTS)
        self.language = find_document_language([str(block["text"]) for block in blocks])
        # A table of contents has the words of every question and answers none.
        told = [
            (int(block["id"]), text_with_headings(block)) for block in blocks if int(block["id"]) not in self.contents
        ]
        table = load_table() if self.language.code in LANGUAGES else None
        self.passages = PassageIndex(table, told) if table is not None else None


def text_with_headings(block: Fields) -> str:
    """Return what a passage says below the last headings above it."""
    # The nearest ones say what a passage is about; those higher up say it of everything.
    headings = [str(heading) for heading in (block.get("heading_path") or ())][-HEADINGS:]
    return "\n".join([*headings, str(block["text"])])


@cache
def passage_indexes() -> PassageIndexes:
    """Return those of this process; they are made of what documents say alone, so nothing hangs on who asks."""
    return PassageIndexes()
