"""Store of passages' embedding vectors, quantized to int8. Thread-safe.

They can be recomputed, are deleted with their document, and belong to one state of one model's file.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from app.core.lazy_dataclasses import dataclass
from app.store.database import Database

if TYPE_CHECKING:
    import numpy as np

    Floats = np.ndarray[Any, np.dtype[np.float32]]
    Numbers = np.ndarray[Any, np.dtype[np.int32]]

# A byte a number, a quarter of single precision.
LARGEST = 127
NUMBER_BYTES = 4  # of a block's number


@dataclass(frozen=True)
class VectorBatch:
    """Vectors of some passages, one row for each block number, of length 1 but for rounding."""

    blocks: Numbers
    vectors: Floats


class VectorStore:
    """The vectors of one database's documents. Writes may raise DiskFull or FolderNotWritable."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, document_id: int, model: str, blocks: Sequence[int], vectors: Floats) -> None:
        """Add vectors [block, width] of a document; does nothing if the document is gone."""
        import numpy as np

        scale = float(np.abs(vectors).max() / LARGEST) or 1.0  # vectors of zeros only would divide by 0
        numbers = np.round(vectors / scale).astype(np.int8)
        self._insert_row(
            document_id, (model, vectors.shape[1], scale, np.array(blocks, "<i4").tobytes(), numbers.tobytes())
        )

    # A row of width 0 marks the end, so that asking whether all is there reads one row.
    def mark_complete(self, document_id: int, model: str) -> None:
        """Record that every passage of a document has its vector."""
        self._insert_row(document_id, (model, 0, 1.0, b"", b""))

    def is_finished(self, document_id: int, model: str) -> bool:
        """Return whether every passage of a document has a vector by this model."""
        with self._database.reading() as connection:
            row = connection.execute(
                "SELECT width FROM passage_vectors WHERE document_id = ? AND model = ? ORDER BY id DESC LIMIT 1",
                (document_id, model),
            ).fetchone()
        return row is not None and row[0] == 0

    def block_numbers(self, document_id: int, model: str) -> set[int]:
        """Return the numbers of a document's blocks with a vector by this model."""
        return {int(number) for batch in self.read_batches(document_id, model) for number in batch.blocks}

    def read_batches(self, document_id: int, model: str) -> Iterator[VectorBatch]:
        """Yield a document's vectors by this model in the order added, skipping damaged rows."""
        import numpy as np

        with self._database.reading() as connection:
            rows = connection.execute(
                "SELECT width, scale, blocks, vectors FROM passage_vectors WHERE document_id = ? AND model = ?"
                " AND width > 0 ORDER BY id",
                (document_id, model),
            ).fetchall()
        # A damaged row costs its passages only.
        for row in rows:
            if row["width"] * len(row["blocks"]) == NUMBER_BYTES * len(row["vectors"]):
                numbers = np.frombuffer(row["vectors"], np.int8).reshape(-1, row["width"])
                yield VectorBatch(
                    np.frombuffer(row["blocks"], "<i4"), numbers.astype(np.float32) * np.float32(row["scale"])
                )

    def keep_only(self, model: str) -> None:
        """Delete vectors of other models, or of the same before its file changed; with "" all."""
        with self._database.transaction() as connection:
            connection.execute("DELETE FROM passage_vectors WHERE model <> ?", (model,))

    def unfinished_documents(self, model: str) -> list[int]:
        """Return complete documents of chats and projects without all vectors by this model, newest first."""
        with self._database.reading() as connection:
            rows = connection.execute(
                "SELECT id FROM documents WHERE state = 'complete' AND id IN (SELECT document_id FROM attachments)"
                " AND id NOT IN (SELECT document_id FROM passage_vectors WHERE model = ? AND width = 0)"
                " ORDER BY id DESC",
                (model,),
            ).fetchall()
        return [int(row[0]) for row in rows]

    def _insert_row(self, document_id: int, values: tuple[str, int, float, bytes, bytes]) -> None:
        with self._database.transaction() as connection:
            connection.execute(
                "INSERT INTO passage_vectors (document_id, model, width, scale, blocks, vectors)"
                # From the table, so that a document that is deleted meanwhile gets none.
                " SELECT id, ?, ?, ?, ?, ? FROM documents WHERE id = ?",
                (*values, document_id),
            )
