"""Search in both columns of a translation, on a thread."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from app.core.lazy_dataclasses import dataclass
from app.features.finding import find_occurrences
from app.ui.translate.rows import PORTION, SOURCE, TARGET, RowSource
from app.ui.translate.segment_layout import letters

if TYPE_CHECKING:
    from app.documents.segments import Content
    from app.features.translate.translation_events import Row


@dataclass(frozen=True)
class CellHit:
    """Search hit: segment id, column, start and end in the cell's characters."""

    block_id: int
    column: int
    start: int
    end: int


class RowSearch:
    """Adapter that lets `TextSearchRow`, made for documents, search a translation's rows."""

    def __init__(self, source: RowSource) -> None:
        self._source = source

    def search_text(self, text: str, most: int) -> list[CellHit]:
        """Return up to `most` hits in order, ignoring case. Raises the store's errors."""
        wanted, found = text.casefold(), list[CellHit]()
        for start in range(1, self._source.count + 1, PORTION):
            for row in self._source.rows(start, PORTION):
                found += _hits(row, wanted)
            if len(found) >= most:
                break
        return found[:most]


def _hits(row: Row, wanted: str) -> Iterator[CellHit]:
    translated: Content = row.translated.content if row.translated is not None else ()
    for column, content in ((SOURCE, row.segment.content), (TARGET, translated)):
        for start, end in find_occurrences(letters(content), wanted):
            yield CellHit(row.segment.id, column, start, end)
