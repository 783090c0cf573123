"""The header cells of a workbook's tables: what they became, and that their names stay unique and not empty."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from itertools import count

from app.documents.formats.office.parts import Parts
from app.documents.formats.sheets.names import (
    Cell,
    Table,
    pivot_sources,
    rename,
    rename_in_caches,
    rename_in_formulas,
    tables_of,
)


class Headers:
    """Is told what becomes of cells, and keeps what matters to tables and pivot caches.

    `sheets` gives the part of each sheet by its name.
    """

    def __init__(self, parts: Parts, sheets: Mapping[str, str]) -> None:
        self.forced: dict[str, dict[Cell, str]] = defaultdict(dict)
        """Cells that need other words than their string has, by the part of their sheet."""
        self._parts = parts
        self._sheets = sheets
        self._tables = [table for sheet in sheets.values() for table in tables_of(parts, sheet)]
        self._tables += pivot_sources(parts, sheets)
        self._places: dict[str, set[Cell]] = defaultdict(set)
        for table in self._tables:
            cells = (table.cell(index) for index in range(len(table.columns)))
            self._places[table.sheet].update(cells if table.has_header else ())
            if table.has_totals:
                self._places[table.sheet].update((table.last[0], cell) for _, cell in _columns(table))
        self._became: dict[str, dict[Cell, tuple[str, str]]] = defaultdict(dict)

    def note(self, sheet: str, at: Cell, before: str, after: str) -> None:
        """A cell's words before and after."""
        if at in self._places.get(sheet, ()):
            self._became[sheet][at] = before, after

    def settle(self) -> None:
        """Decides on every name."""
        for table in self._tables:
            if table.has_header and any(table.cell(index) in self._became[table.sheet] for index, _ in _columns(table)):
                self._settle(table)

    def rename(self) -> None:
        """Writes the names wherever they are."""
        totals = {table.part: self._totals(table) for table in self._tables if table.part and table.has_totals}
        rename(self._parts, [table for table in self._tables if table.part], totals)
        rename_in_formulas(self._parts, self._tables)
        rename_in_caches(self._parts, self._tables, self._sheets)

    def _settle(self, table: Table) -> None:
        became, forced = self._became[table.sheet], self.forced[table.sheet]
        kept = [name for index, name in enumerate(table.columns) if table.cell(index) not in became]
        taken = {name.casefold() for name in kept}
        for index, old in enumerate(table.columns):
            at = table.cell(index)
            if at not in became:
                continue
            after = forced.get(at, became[at][1])
            new = old if table.is_fixed else _unique(after if after.strip() else old, taken)
            taken.add(new.casefold())
            if new != after:
                forced[at] = new
            if new != old:
                table.renamed[old] = new

    def _totals(self, table: Table) -> dict[int, str]:
        """The new words in the last row, by index of the column."""
        became = self._became[table.sheet]
        cells = {index: (table.last[0], column) for index, column in _columns(table)}
        return {index: became[at][1] for index, at in cells.items() if at in became}


def _columns(table: Table) -> list[tuple[int, int]]:
    """The indices of a table's columns, and the columns of its sheet."""
    return [(index, table.first[1] + index) for index in range(len(table.columns))]


def _unique(name: str, taken: set[str]) -> str:
    if name.casefold() not in taken:
        return name
    return next(made for number in count(2) if (made := f"{name} {number}").casefold() not in taken)
