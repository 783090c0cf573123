"""Rank a document's passages by a question's meaning, in addition to shared words."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from functools import cache
from threading import Lock
from weakref import WeakKeyDictionary

from app.features.retrieval.languages import find_document_language
from app.language.static_embeddings import PassageIndex, load_multilingual_table, load_table
from app.store.document_store import DocumentStore, Fields

# The only language with a table of its own that beats the multilingual one.
LANGUAGE = "en"
LANGUAGES = frozenset({LANGUAGE, "de", "fr", "es", "pt", "it", "pl", "cyrillic", "arabic", "east asian"})
"""Those of the other table, as `language_by_words` calls them."""
# In a shorter document any word is rare; the other table is too coarse for that.
LEAST_PASSAGES = 8
HEADINGS = 2
"""Headings above a passage that count for its meaning."""

# Measured on the development sets of `tests/benchmarks/absence.py`. The multilingual table's cosines lie closer
# together; put on the English one's scale, one set of weights serves both.
ENGLISH_MIDDLE, MULTILINGUAL_MIDDLE, MULTILINGUAL_SPREAD = 0.52, 0.455, 1.08
"""Midpoint between the cosines of answered questions and of others, by table."""


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
        index = self._index_of(store, document_id)
        # Across languages only the table that holds both can tell.
        is_crossing = index.language.differs_from(question)
        indexes = [index.multilingual] if is_crossing else [index.english, index.multilingual]
        return [ranking for passages in indexes if passages is not None for ranking in passages.rank(question, limit)]

    def is_crossing(self, store: DocumentStore, document_id: int, question: str) -> bool:
        """Return whether question and document differ in language, so that shared words say little."""
        return self._index_of(store, document_id).language.differs_from(question)

    def closeness(self, store: DocumentStore, document_id: int, question: str) -> float | None:
        """Return the cosine of a question and its nearest block, on the English table's scale.

        None without a table, or a known word.
        """
        index = self._index_of(store, document_id)
        if index.english is not None:
            return index.english.closeness(question)
        cosine = index.multilingual.closeness(question) if index.multilingual is not None else None
        if cosine is None:
            return None
        # Weights of absence are fitted on the English scale.
        return ENGLISH_MIDDLE + (cosine - MULTILINGUAL_MIDDLE) * MULTILINGUAL_SPREAD

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
    """Vectors of a document's passages; None without a table for its language, or with too little text to rank."""

    def __init__(self, blocks: Sequence[Fields]) -> None:
        from app.documents.blocks import block_from_fields  # not needed for an empty window
        from app.features.document_parts import ApartReason, find_apart_blocks

        apart = find_apart_blocks([block_from_fields({"heading_path": (), **block}) for block in blocks])
        self.contents = frozenset(number for number, what in apart.items() if what is ApartReason.CONTENTS)
        self.language = find_document_language([str(block["text"]) for block in blocks])
        is_known, is_english = self.language.code in LANGUAGES, self.language.code == LANGUAGE
        passages = [(int(block["id"]), text_with_headings(block)) for block in blocks]
        # A table of contents has the words of every question and answers none.
        told = [(number, text) for number, text in passages if number not in self.contents]
        english = load_table() if is_english and self.language.is_alone else None
        multilingual = load_multilingual_table() if is_known and len(blocks) >= LEAST_PASSAGES else None
        self.english = PassageIndex(english, told) if english is not None else None
        # Beside the English table its matches of words find nothing more, and they take memory.
        self.multilingual = PassageIndex(multilingual, told, has_matches=english is None) if multilingual else None


def text_with_headings(block: Fields) -> str:
    """Return what a passage says below the last headings above it."""
    # The nearest ones say what a passage is about; those higher up say it of everything.
    headings = [str(heading) for heading in (block.get("heading_path") or ())][-HEADINGS:]
    return "\n".join([*headings, str(block["text"])])


@cache
def passage_indexes() -> PassageIndexes:
    """Return those of this process; they are made of what documents say alone, so nothing hangs on who asks."""
    return PassageIndexes()
