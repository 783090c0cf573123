"""A table of a page on its way: its cells hold blocks until it is known whether it is a table or a layout."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from app.documents.blocks import Kind, Piece, Place, table_text

MOST_SPAN = 100
"""More columns than that are an attack; they only decide how many empty cells stand for one wide cell."""
MOST_ROW_SPAN = 1000
MOST_COLUMNS_BELOW = 1000
"""Beyond these columns a cell that covers several rows leaves no empty cells in the rows below."""
LONG_CELL_CHARACTERS = 500
MOST_LINK_ROWS = 2
MOST_LINK_CHARACTERS = 4_000
"""Of the source of a table that is looked at for having nothing but links: a bar to go elsewhere, and no table."""
_A_LINK = re.compile(r"<a\s[^<>]*+>.*?</a\s*>", re.DOTALL | re.IGNORECASE)
_A_TAG = re.compile(r"<[^<>]*+>|&#?\w+;")
_STRUCTURE = (Kind.HEADING, Kind.CODE, Kind.TABLE, Kind.LIST_ITEM)


def _has_only_links(source: str) -> bool:
    """Whether the words of a table are all links."""
    rest, links = _A_LINK.subn("", source)
    return links > 1 and not any(character.isalnum() for character in _A_TAG.sub("", rest))


@dataclass
class Cell:
    """What a cell holds, and how many columns and rows it covers."""

    columns: int = 1
    rows: int = 1
    pieces: list[Piece] = field(default_factory=list)

    @property
    def text(self) -> str:
        """All its words."""
        return " ".join(piece.text for piece in self.pieces)

    @property
    def is_layout(self) -> bool:
        """Whether it holds what belongs on a page rather than in a cell."""
        return any(piece.kind in _STRUCTURE or len(piece.text) > LONG_CELL_CHARACTERS for piece in self.pieces)


@dataclass
class Table:
    """The rows of an open table. `outside` are pieces between the cells and captions, which come before it."""

    start: int
    is_marked_layout: bool = False
    has_header: bool = False
    rows: list[list[Cell]] = field(default_factory=list)
    outside: list[Piece] = field(default_factory=list)

    def find_links(self, page: str, end: int) -> None:
        """Takes a bar of links for the layout that it is; the table is `page[start:end]`."""
        is_small = len(self.rows) <= MOST_LINK_ROWS and end - self.start <= MOST_LINK_CHARACTERS
        if is_small and not self.has_header and _has_only_links(page[self.start : end]):
            self.is_marked_layout = True

    def pieces(self, end: int, page: int | None, part: str) -> list[Piece]:
        """Its caption and the table; or the blocks in its cells, where it only arranges a page."""
        if self._is_layout():
            return self.outside + [piece for row in self.rows for cell in row for piece in cell.pieces]
        text = table_text(self._grid())
        if not text.strip():
            return self.outside
        return [*self.outside, Piece(Kind.TABLE, text, page, Place(part, self.start, end))]

    def _is_layout(self) -> bool:
        filled = [sum(1 for cell in row if cell.pieces) for row in self.rows]
        is_bar = len(filled) <= MOST_LINK_ROWS and max(filled, default=0) < 2
        if (self.has_header and not is_bar) or self.is_marked_layout:
            return self.is_marked_layout
        if max(filled, default=0) < 2 or sum(1 for count in filled if count) < 2:
            return True
        return any(cell.is_layout for row in self.rows for cell in row)

    def _grid(self) -> list[list[str]]:
        """The text of each cell once, where it begins; empty cells for the rest of what it covers."""
        grid: list[list[str]] = []
        covered: dict[int, int] = {}  # by column: how many rows more a cell from above reaches
        for row in self.rows:
            line: list[str] = []
            below: dict[int, int] = {}
            for cell in row:
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
