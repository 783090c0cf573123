"""Tables of a page: cells hold blocks until it is known whether it is a table or a layout."""

from __future__ import annotations

import re

from app.core.lazy_dataclasses import dataclass, field
from app.documents.blocks import BlockKind, BlockPiece, BlockPlace, table_text
from app.documents.formats.markup.markup_tags import attributes
from app.documents.formats.web import elements

MOST_SPAN = 100
"""Limit of columns, against attacks; it only limits the empty cells for a wide one."""
MOST_ROW_SPAN = 1000
MOST_COLUMNS_BELOW = 1000
"""Beyond these columns a cell that covers several rows leaves no empty cells in the rows below."""
LONG_CELL_CHARACTERS = 500
MOST_TABLE_DEPTH = 30
"""Tables further inside each other are read as plain blocks: else their cells would be handed up level by level."""
MOST_LINK_ROWS = 2
MOST_LINK_CHARACTERS = 4_000
"""Limit of a table's source checked for consisting of links: a navigation bar, not a table."""
_A_LINK = re.compile(r"<a\s[^<>]*+>.*?</a\s*>", re.DOTALL | re.IGNORECASE)
_A_TAG = re.compile(r"<[^<>]*+>|&#?\w+;")
_STRUCTURE = (BlockKind.HEADING, BlockKind.CODE, BlockKind.TABLE, BlockKind.LIST_ITEM)


def _has_only_links(source: str) -> bool:
    """Return whether the words of a table are all links."""
    rest, links = _A_LINK.subn("", source)
    return links > 1 and not any(character.isalnum() for character in _A_TAG.sub("", rest))


@dataclass
class HtmlCell:
    """Content of a cell, and how many columns and rows it spans."""

    columns: int = 1
    rows: int = 1
    pieces: list[BlockPiece] = field(default_factory=list)

    @property
    def text(self) -> str:
        return " ".join(piece.text for piece in self.pieces)

    @property
    def is_layout(self) -> bool:
        """True if it holds what belongs on a page rather than in a cell."""
        return any(piece.kind in _STRUCTURE or len(piece.text) > LONG_CELL_CHARACTERS for piece in self.pieces)


@dataclass
class HtmlTable:
    """The rows of an open table. `outside` are pieces between the cells and captions, which come before it."""

    start: int
    is_marked_layout: bool = False
    has_header: bool = False
    rows: list[list[HtmlCell]] = field(default_factory=list)
    outside: list[BlockPiece] = field(default_factory=list)

    def find_links(self, page: str, end: int) -> None:
        """Treat a bar of links as layout; the table is `page[start:end]`."""
        # A navigation bar is a table in the pages of the nineties; with many rows it is a table of links.
        is_small = len(self.rows) <= MOST_LINK_ROWS and end - self.start <= MOST_LINK_CHARACTERS
        if is_small and not self.has_header and _has_only_links(page[self.start : end]):
            self.is_marked_layout = True

    def pieces(self, end: int, page: int | None, part: str) -> list[BlockPiece]:
        """Return its caption and the table; or the blocks in its cells, where it only arranges a page."""
        if self._is_layout():
            return self.outside + [piece for row in self.rows for cell in row for piece in cell.pieces]
        text = table_text(self._grid())
        if not text.strip():
            return self.outside
        return [*self.outside, BlockPiece(BlockKind.TABLE, text, page, BlockPlace(part, self.start, end))]

    def _is_layout(self) -> bool:
        filled = [sum(1 for cell in row if cell.pieces) for row in self.rows]
        # One cell a row arranges a page.
        is_bar = len(filled) <= MOST_LINK_ROWS and max(filled, default=0) < 2
        if (self.has_header and not is_bar) or self.is_marked_layout:
            return self.is_marked_layout
        if max(filled, default=0) < 2 or sum(1 for count in filled if count) < 2:
            return True
        return any(cell.is_layout for row in self.rows for cell in row)

    def _grid(self) -> list[list[str]]:
        """Return each cell's text once, where it begins, and empty cells for the rest of its span."""
        grid: list[list[str]] = []
        covered: dict[int, int] = {}  # by column: how many rows more a cell from above reaches
        for row in self.rows:
            line: list[str] = []
            below: dict[int, int] = {}
            for cell in row:
                # Cells from above push those of this row to the right.
                while covered.get(len(line), 0):
                    line.append("")
                if cell.rows > 1:
                    columns = range(len(line), min(len(line) + cell.columns, MOST_COLUMNS_BELOW))
                    below |= dict.fromkeys(columns, cell.rows - 1)
                line += [cell.text, *[""] * (cell.columns - 1)]
            covered = {column: left - 1 for column, left in covered.items() if left > 1} | below
            while line and not line[-1]:
                line.pop()
            if line:
                grid.append(line)
        return grid


class OpenTables:
    """Open tables, innermost last, and where pieces go: into a cell, or next to the table.

    None stands for one nested too deeply, whose cells become blocks of the page.
    """

    def __init__(self, out: list[BlockPiece]) -> None:
        self._open: list[HtmlTable | None] = []
        self._sinks = [out]

    def __len__(self) -> int:
        return len(self._open)

    @property
    def innermost(self) -> HtmlTable | None:
        """The innermost table; None without one, or for one nested too deeply."""
        return self._open[-1] if self._open else None

    def store_found(self, *pieces: BlockPiece) -> None:
        """Add pieces where they belong now: to the open cell, beside the cells of a table, or to the page."""
        self._sinks[-1].extend(pieces)

    def begin(self, start: int, is_layout: bool) -> None:
        """Open a table whose tag is at `start`; nested too deeply it only counts."""
        table = HtmlTable(start, is_layout) if len(self._open) < MOST_TABLE_DEPTH else None
        self._open.append(table)
        if table is not None:
            self._sinks.append(table.outside)

    def end(self, text: str, end: int, page: int | None, part: str) -> None:
        """Close the innermost table and store it or its pieces."""
        if table := self._open.pop():
            self._sinks.pop()
            table.find_links(text, end)
            self.store_found(*table.pieces(end, page, part))

    def mark_header(self) -> None:
        """Mark the innermost table as having a header, so that it isn't layout."""
        if self.innermost is not None:
            self.innermost.has_header = True

    def begin_row(self) -> None:
        if self.innermost is not None:
            self.innermost.rows.append([])

    def begin_cell(self, table: HtmlTable, given: str, *, is_header: bool) -> None:
        said = attributes(given) if given else {}
        cell = HtmlCell()
        if said:
            cell.columns = min(max(elements.number_in(said.get("colspan", ""), 1), 1), MOST_SPAN)
            cell.rows = min(max(elements.number_in(said.get("rowspan", ""), 1), 1), MOST_ROW_SPAN)
        if not table.rows:
            table.rows.append([])
        table.rows[-1].append(cell)
        table.has_header = table.has_header or is_header
        self._sinks.append(cell.pieces)

    def end_cell(self, _end: int) -> None:
        self._sinks.pop()
