"""Searching in both columns of a translation, off the window's thread."""

from __future__ import annotations

from dataclasses import dataclass

from app.documents.segments import Content
from app.features.translation.stored import Row
from app.ui.translate.side_by_side_model import PORTION, SOURCE, TARGET, RowSource
from app.ui.translate.side_by_side_text import letters


@dataclass(frozen=True)
class Hit:
    """What was found: a segment's id, its column, and from where to where in the cell's letters."""

    block_id: int
    column: int
    start: int
    end: int


class Searched:
    """The rows of one translation as `DocumentSearch` asks them."""

    def __init__(self, source: RowSource) -> None:
        self._source = source

    def search(self, text: str, most: int) -> list[Hit]:
        """At most so many hits, in order, whatever their case. Raises what the store raises."""
        wanted, found = text.casefold(), list[Hit]()
        for start in range(1, self._source.count + 1, PORTION):
            for row in self._source.rows(start, PORTION):
                found += _hits(row, wanted)
            if len(found) >= most:
                break
        return found[:most]


def _hits(row: Row, wanted: str) -> list[Hit]:
    translated: Content = row.translated.content if row.translated is not None else ()
    found = []
    for column, content in ((SOURCE, row.segment.content), (TARGET, translated)):
        letters_ = letters(content)
        folded = letters_.casefold()
        if len(folded) != len(letters_):  # of the few letters that become two, places would be others
            folded = letters_.lower() if len(letters_.lower()) == len(letters_) else letters_
        at = folded.find(wanted)
        while at >= 0:
            found.append(Hit(row.segment.id, column, at, at + len(wanted)))
            at = folded.find(wanted, at + len(wanted))
    return found
