"""Several documents as one, so that they are ranked together and a word counts for how rare it is in all of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from app.store.database import Database
from app.store.document_store import DocumentStore, Fields
from app.store.vectors import VectorBatch, VectorStore

JOINED = 0
"""The id of all of them together."""


class _BlockSpan(NamedTuple):
    """Position of one document's blocks among all: `before` come first."""

    document_id: int
    before: int
    size: int


class JoinedDocuments(DocumentStore):
    """Several documents under one numbering, as the document `JOINED`.

    Nothing is copied; only what rankings read is joined.
    """

    def __init__(self, database: Database, document_ids: Sequence[int]) -> None:
        super().__init__(database)
        self._spans: list[_BlockSpan] = []
        before = 0
        # Named twice, a document would be ranked twice.
        for document_id in dict.fromkeys(document_ids):
            count = super().block_count(document_id)
            self._spans.append(_BlockSpan(document_id, before, count))
            before += count

    @property
    def vectors(self) -> JoinedVectors:
        """Those of all of them, numbered as their blocks are."""
        return JoinedVectors(self._database, [(span.document_id, span.before) for span in self._spans])

    def origin_of(self, number: int) -> tuple[int, int]:
        """Return the document that a block belongs to, and its number there; raises KeyError for an unknown one."""
        for span in self._spans:
            if span.before < number <= span.before + span.size:
                return span.document_id, number - span.before
        raise KeyError(number)

    def block_count(self, document_id: int) -> int:
        # Asserted, since numbers of one document would silently be those of another.
        assert document_id == JOINED
        return sum(span.size for span in self._spans)

    def read_blocks(self, document_id: int, first: int = 1, count: int = -1) -> list[Fields]:
        assert document_id == JOINED
        found: list[Fields] = []
        for span in self._spans:
            if first > span.before + span.size or len(found) == count:
                continue
            rest = count - len(found) if count >= 0 else -1
            of_span = super().read_blocks(span.document_id, max(1, first - span.before), rest)
            found += [fields | {"id": fields["id"] + span.before} for fields in of_span]
        return found

    def some_blocks(self, document_id: int, numbers: Sequence[int]) -> list[Fields]:
        assert document_id == JOINED
        found: list[Fields] = []
        for span in self._spans:
            own = [number - span.before for number in numbers if span.before < number <= span.before + span.size]
            if own:
                # Only those that have some: each asks the database.
                of_span = super().some_blocks(span.document_id, own)
                found += [fields | {"id": fields["id"] + span.before} for fields in of_span]
        return found

    def rank_blocks(
        self, document_ids: Sequence[int], words: Sequence[str], limit: int
    ) -> list[tuple[int, int, float]]:
        assert list(document_ids) == [JOINED]
        before = {span.document_id: span.before for span in self._spans}
        # In one query, so that bm25 weighs words by all documents together.
        ranked = super().rank_blocks(list(before), words, limit)
        return [(JOINED, number + before[document_id], score) for document_id, number, score in ranked]


class JoinedVectors(VectorStore):
    """Vectors of several documents under one numbering, as the document `JOINED`."""

    def __init__(self, database: Database, documents: Sequence[tuple[int, int]]) -> None:
        """`documents`: the id of each, and how many blocks come before its own."""
        super().__init__(database)
        self._documents = documents

    def is_finished(self, document_id: int, model: str) -> bool:
        assert document_id == JOINED
        return all(super(JoinedVectors, self).is_finished(number, model) for number, _ in self._documents)

    def read_batches(self, document_id: int, model: str) -> Iterator[VectorBatch]:
        assert document_id == JOINED
        for number, before in self._documents:
            for batch in super().read_batches(number, model):
                # The vectors are read as they lie; only their numbers move.
                yield VectorBatch(batch.blocks + before, batch.vectors)
