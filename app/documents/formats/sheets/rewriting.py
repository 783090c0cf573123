"""Rewrites XLSX: the strings of its cells, comments, text boxes, charts, headers and footers.

A string that several cells share is one segment. Where the words of a header cell name a column, the table, the
formulas and the pivot caches that use the name get it too.
Left as they are: the names of sheets (formulas and links use them), defined names, lists of allowed values, conditions
and texts inside of formulas, values that are the results of formulas, filters, and strings that no cell uses. What is
kept of a pivot table's data is found anew when it is refreshed. How words are spoken (furigana) is lost with them.
"""

from __future__ import annotations

from typing import BinaryIO

from app.documents.archive import Archive
from app.documents.formats.sheets.book import Book
from app.documents.source import Source
from app.documents.visits import Target, Visit


def rewrite(source: Source, out: BinaryIO | None, visit: Visit, target: Target | None) -> None:
    """Segments: properties, then sheet by sheet the cells, headers and footers, comments and drawings."""
    try:
        with Archive(source) as archive:
            book = Book(archive, source, visit, target if out is not None else None)
            book.rewrite()
            if out is not None:
                book.parts.write(out)
    except RecursionError:
        raise source.unreadable("too_deep") from None
