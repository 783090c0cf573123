"""Names of a workbook's columns, which are the words of header cells: tables, formulas, pivot caches, slicers.

Excel repairs (and empties) a file in which these are not the same.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping
from itertools import count

from app.core.lazy_dataclasses import dataclass, field
from app.documents.formats.markup.xml_tree import Element, local_name
from app.documents.formats.office.package import MAIN, OfficePackage, escaped, unescaped
from app.documents.formats.sheets.workbook import column_of


class HeaderNames:
    """Record changes of header cells that tables and pivot caches refer to.

    `sheets` maps names to parts.
    """

    def __init__(self, package: OfficePackage, sheets: Mapping[str, str]) -> None:
        self.forced: dict[str, dict[Cell, str]] = defaultdict(dict)
        """Cells that need other words than their string has, by the part of their sheet."""
        self._package = package
        self._sheets = sheets
        self._tables = [table for sheet in sheets.values() for table in _tables_of(package, sheet)]
        self._tables += _pivot_sources(package, sheets)
        self._places: dict[str, set[Cell]] = defaultdict(set)
        for table in self._tables:
            cells = (table.cell(index) for index in range(len(table.columns)))
            self._places[table.sheet].update(cells if table.has_header else ())
            if table.has_totals:
                self._places[table.sheet].update((table.last[0], cell) for _, cell in _table_columns(table))
        self._became: dict[str, dict[Cell, tuple[str, str]]] = defaultdict(dict)

    def note(self, sheet: str, at: Cell, before: str, after: str) -> None:
        if at in self._places.get(sheet, ()):
            self._became[sheet][at] = before, after

    def settle(self) -> None:
        for table in self._tables:
            if table.has_header and any(
                table.cell(index) in self._became[table.sheet] for index, _ in _table_columns(table)
            ):
                self._settle_names(table)

    def rename(self) -> None:
        """Write the new names into tables, formulas, pivot caches and slicers, after all cells were asked."""
        totals = {table.part: self._totals_words(table) for table in self._tables if table.part and table.has_totals}
        _rename_columns(self._package, [table for table in self._tables if table.part], totals)
        _rename_in_formulas(self._package, self._tables)
        _rename_in_caches(self._package, self._tables, self._sheets)

    def _settle_names(self, table: SheetTable) -> None:
        became, forced = self._became[table.sheet], self.forced[table.sheet]
        kept = [name for index, name in enumerate(table.columns) if table.cell(index) not in became]
        # Excel compares names of columns without case, and repairs (and empties) a table with two alike.
        taken = {name.casefold() for name in kept}
        for index, old in enumerate(table.columns):
            at = table.cell(index)
            if at not in became:
                continue
            after = forced.get(at, became[at][1])
            # A name can't be empty, nor can a query's change.
            new = old if table.is_fixed else _unique_name(after if after.strip() else old, taken)
            taken.add(new.casefold())
            if new != after:
                forced[at] = new
            if new != old:
                table.renamed[old] = new

    def _totals_words(self, table: SheetTable) -> dict[int, str]:
        """Return the new words in the last row, by index of the column."""
        became = self._became[table.sheet]
        cells = {index: (table.last[0], column) for index, column in _table_columns(table)}
        return {index: became[at][1] for index, at in cells.items() if at in became}


def _table_columns(table: SheetTable) -> list[tuple[int, int]]:
    """Return the indices of a table's columns, and the columns of its sheet."""
    return [(index, table.first[1] + index) for index in range(len(table.columns))]


def _unique_name(name: str, taken: set[str]) -> str:
    if name.casefold() not in taken:
        return name
    # As Excel does it: "Amount 2".
    return next(made for number in count(2) if (made := f"{name} {number}").casefold() not in taken)


_RANGE = re.compile(r"\$?([A-Z]{1,3})\$?(\d{1,7})(?::\$?([A-Z]{1,3})\$?(\d{1,7}))?")
_FORMULAS = frozenset(
    ("f", "formula", "formula1", "formula2", "definedName", "calculatedColumnFormula", "totalsRowFormula")
)
_SPECIAL = re.compile(r"([\[\]#'@])")
Cell = tuple[int, int]
"""Row and column, from 1."""


@dataclass
class SheetTable:
    """A table, or another range whose first row names its columns. `part` is where the names are written."""

    part: str
    sheet: str
    name: str
    first: Cell
    last: Cell
    columns: list[str]
    has_header: bool = True
    has_totals: bool = False
    is_fixed: bool = False
    """The names come from elsewhere (a query), so they stay."""
    renamed: dict[str, str] = field(default_factory=dict)

    def cell(self, index: int) -> Cell:
        """Return the header cell of a column, by its index."""
        return self.first[0], self.first[1] + index


def range_of(text: str) -> tuple[Cell, Cell] | None:
    """Return the first and last cell of "B2:D9"; None for anything else."""
    found = _RANGE.fullmatch(text)
    if found is None:
        return None
    first = int(found[2]), column_of(found[1])
    return first, (int(found[4]), column_of(found[3])) if found[3] else first


def _tables_of(package: OfficePackage, sheet: str) -> list[SheetTable]:
    found = []
    for related in package.named(sheet, "table"):
        root = package.root(related.target)
        cells = range_of(root.get("ref", ""))
        if cells is not None:
            names = [unescaped(column.get("name", "")) for column in root.iter(f"{MAIN}tableColumn")]
            has_header = root.get("headerRowCount", "1") != "0"
            has_totals = root.get("totalsRowCount", "0") != "0"
            is_fixed = root.get("tableType", "worksheet") != "worksheet"
            name = root.get("displayName") or root.get("name", "")
            found.append(SheetTable(related.target, sheet, name, *cells, names, has_header, has_totals, is_fixed))
    return found


def _rename_columns(package: OfficePackage, tables: list[SheetTable], totals: Mapping[str, Mapping[int, str]]) -> None:
    """Write new names into tables; `totals` are the new words in their last rows, by part and column."""
    for table in tables:
        if not table.renamed and not totals.get(table.part):
            continue
        with package.opened(table.part) as part:
            for index, column in enumerate(part.root.iter(f"{MAIN}tableColumn")):
                name = unescaped(column.get("name", ""))
                if name in table.renamed:
                    # A line end in a name is escaped in this attribute, unlike in cells.
                    column.set("name", escaped(table.renamed[name]).replace("\n", "_x000a_"))
                label = totals.get(table.part, {}).get(index)
                if label is not None and column.get("totalsRowLabel") is not None:
                    column.set("totalsRowLabel", escaped(label))
            part.is_changed = True


def _rename_in_formulas(package: OfficePackage, tables: list[SheetTable]) -> None:
    changed = [table for table in tables if table.renamed and table.name]
    if not changed:
        return
    for name in package.archive.names:
        if name.startswith("xl/") and name.endswith(".xml"):
            # A text search first: parsing all sheets of a large workbook only for formulas takes minutes.
            raw = package.changed.get(name) or package.archive.read(name)
            if not any(f"{table.name}[".encode() in raw or name in (table.part, table.sheet) for table in changed):
                continue
            with package.opened(name) as part:
                for element in part.root.iter():
                    if local_name(element) in _FORMULAS:
                        part.is_changed |= _rename_in(element, changed, name)


def _rename_in_caches(package: OfficePackage, tables: list[SheetTable], sheets: Mapping[str, str]) -> None:
    """Rename fields of pivot caches based on such tables or ranges, and their slicers.

    `sheets` maps names to parts.
    """
    renamed: dict[str, str] = {}
    for name in _pivot_caches(package):
        with package.opened(name) as part:
            for table in _source_tables(part.root, tables, sheets):
                for element in part.root.iter(f"{MAIN}cacheField"):
                    said = unescaped(element.get("name", ""))
                    # Calculated fields are no columns of the source.
                    if said in table.renamed and element.get("databaseField") != "0":
                        element.set("name", escaped(table.renamed[said]))
                        renamed[said] = table.renamed[said]
                        part.is_changed = True
    for name in package.archive.names if renamed else ():
        if name.casefold().startswith("xl/slicercaches/"):
            with package.opened(name) as part:
                said = part.root.get("sourceName", "")
                if said in renamed:
                    part.root.set("sourceName", renamed[said])
                    part.is_changed = True


def _pivot_caches(package: OfficePackage) -> list[str]:
    return [name for name in package.archive.names if re.search(r"pivotcachedefinition.*\.xml$", name, re.IGNORECASE)]


def _source_tables(root: Element, tables: list[SheetTable], sheets: Mapping[str, str]) -> list[SheetTable]:
    source = root.find(f"{MAIN}cacheSource/{MAIN}worksheetSource")
    if source is None:
        return []
    if source.get("name"):
        return [table for table in tables if table.name.casefold() == source.get("name", "").casefold()]
    cells = range_of(source.get("ref", ""))
    sheet = sheets.get(source.get("sheet", ""), "")
    return [table for table in tables if cells is not None and (table.sheet, table.first) == (sheet, cells[0])]


def _pivot_sources(package: OfficePackage, sheets: Mapping[str, str]) -> list[SheetTable]:
    """Return the ranges that pivot caches are made of, as tables without a part; their first row names the fields."""
    found = []
    for name in _pivot_caches(package):
        root = package.root(name)
        source = root.find(f"{MAIN}cacheSource/{MAIN}worksheetSource")
        cells = range_of(source.get("ref", "")) if source is not None else None
        sheet = sheets.get(source.get("sheet", ""), "") if source is not None else ""
        if cells is not None and sheet:
            fields = [element for element in root.iter(f"{MAIN}cacheField") if element.get("databaseField") != "0"]
            found.append(SheetTable("", sheet, "", *cells, [unescaped(part.get("name", "")) for part in fields]))
    return found


def _rename_in(element: Element, tables: list[SheetTable], part: str) -> bool:
    said = element.text or ""
    for table in tables if "[" in said else ():
        said = renamed_formula(said, table, is_inside=_is_inside(element, table, part))
    if said == (element.text or ""):
        return False
    element.text = said
    return True


def _is_inside(element: Element, table: SheetTable, part: str) -> bool:
    """Return whether a formula belongs to a table, or to a cell of it: there the table need not be named."""
    if part == table.part:
        return True
    place = range_of(element.getparent().get("r", "")) if part == table.sheet else None
    if place is None:
        return False
    return all(first <= at <= last for first, at, last in zip(table.first, place[0], table.last, strict=True))


def renamed_formula(formula: str, table: SheetTable, *, is_inside: bool = False) -> str:
    """Return a formula with the table's columns renamed: Table[Name], Table[[#This Row],[Name]].

    `is_inside`: also bare [Name]; followed by a name, it is another workbook.
    """
    made, at = "", 0
    # Not behind a letter, so that "Sales" is not found in "MySales[…]".
    for found in re.finditer(rf"(?<![\w.\\])({re.escape(table.name)}){'?' * is_inside}\[", formula, re.IGNORECASE):
        if found.start() < at:
            continue
        end = _closing_bracket(formula, found.end() - 1)
        if not found[1] and re.match(r"[\w!'.]", formula[end + 1 :]):
            # "[1]Sheet!A1" is another workbook by its number.
            continue
        inside = formula[found.end() : end]
        made += formula[at : found.end()] + _rename_specifier(inside, table.renamed)
        at = end
    return made + formula[at:]


def _closing_bracket(formula: str, start: int) -> int:
    """Return the index of the matching bracket; an apostrophe escapes the next character."""
    depth, index = 0, start
    while index < len(formula):
        sign = formula[index]
        # Brackets, number signs and apostrophes in a name are escaped by an apostrophe.
        if sign == "'":
            index += 1
        depth += {"[": 1, "]": -1}.get(sign, 0)
        if depth == 0:
            return index
        index += 1
    return len(formula)


def _rename_specifier(inside: str, renamed: Mapping[str, str]) -> str:
    if not inside.startswith("["):
        name = re.sub(r"'(.)", r"\1", inside)
        return _SPECIAL.sub(r"'\1", renamed[name]) if name in renamed else inside
    made, at = "", 0
    while (start := inside.find("[", at)) >= 0:
        end = _closing_bracket(inside, start)
        made += inside[at : start + 1] + _rename_specifier(inside[start + 1 : end], renamed)
        at = end
    return made + inside[at:]
