"""The header cells of a workbook's tables: what they became, and that their names stay unique and not empty."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import count

from app.documents.formats.markup.xml_tree import Element, local_name
from app.documents.formats.office.package import MAIN, Package, escaped, unescaped
from app.documents.formats.sheets.workbook import column_of


class Headers:
    """Is told what becomes of cells, and keeps what matters to tables and pivot caches.

    `sheets` gives the part of each sheet by its name.
    """

    def __init__(self, package: Package, sheets: Mapping[str, str]) -> None:
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
                self._places[table.sheet].update((table.last[0], cell) for _, cell in _columns(table))
        self._became: dict[str, dict[Cell, tuple[str, str]]] = defaultdict(dict)

    def note(self, sheet: str, at: Cell, before: str, after: str) -> None:
        if at in self._places.get(sheet, ()):
            self._became[sheet][at] = before, after

    def settle(self) -> None:
        for table in self._tables:
            if table.has_header and any(table.cell(index) in self._became[table.sheet] for index, _ in _columns(table)):
                self._settle(table)

    def rename(self) -> None:
        """Writes the names wherever they are."""
        totals = {table.part: self._totals(table) for table in self._tables if table.part and table.has_totals}
        _rename(self._package, [table for table in self._tables if table.part], totals)
        _rename_in_formulas(self._package, self._tables)
        _rename_in_caches(self._package, self._tables, self._sheets)

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


# What names the columns of a table by the words of its header cells: the table, formulas, pivot caches, slicers.
# Excel repairs (and empties) a file in which these are not the same.

_RANGE = re.compile(r"\$?([A-Z]{1,3})\$?(\d{1,7})(?::\$?([A-Z]{1,3})\$?(\d{1,7}))?")
_FORMULAS = frozenset(
    ("f", "formula", "formula1", "formula2", "definedName", "calculatedColumnFormula", "totalsRowFormula")
)
_SPECIAL = re.compile(r"([\[\]#'@])")

Cell = tuple[int, int]
"""Row and column, from 1."""


@dataclass
class Table:
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
        """The header cell of a column, by its index."""
        return self.first[0], self.first[1] + index


def range_of(text: str) -> tuple[Cell, Cell] | None:
    """The first and last cell of "B2:D9"; None for anything else."""
    found = _RANGE.fullmatch(text)
    if found is None:
        return None
    first = int(found[2]), column_of(found[1])
    return first, (int(found[4]), column_of(found[3])) if found[3] else first


def _tables_of(package: Package, sheet: str) -> list[Table]:
    found = []
    for each in package.named(sheet, "table"):
        root = package.root(each.target)
        cells = range_of(root.get("ref", ""))
        if cells is not None:
            names = [unescaped(column.get("name", "")) for column in root.iter(f"{MAIN}tableColumn")]
            has_header = root.get("headerRowCount", "1") != "0"
            has_totals = root.get("totalsRowCount", "0") != "0"
            is_fixed = root.get("tableType", "worksheet") != "worksheet"
            name = root.get("displayName") or root.get("name", "")
            found.append(Table(each.target, sheet, name, *cells, names, has_header, has_totals, is_fixed))
    return found


def _rename(package: Package, tables: list[Table], totals: Mapping[str, Mapping[int, str]]) -> None:
    """Writes the new names into the tables; `totals` are the new words in their last rows, by part and column."""
    for table in tables:
        if not table.renamed and not totals.get(table.part):
            continue
        with package.opened(table.part) as part:
            for index, column in enumerate(part.root.iter(f"{MAIN}tableColumn")):
                name = unescaped(column.get("name", ""))
                if name in table.renamed:
                    column.set("name", escaped(table.renamed[name]).replace("\n", "_x000a_"))
                label = totals.get(table.part, {}).get(index)
                if label is not None and column.get("totalsRowLabel") is not None:
                    column.set("totalsRowLabel", escaped(label))
            part.is_changed = True


def _rename_in_formulas(package: Package, tables: list[Table]) -> None:
    changed = [table for table in tables if table.renamed and table.name]
    if not changed:
        return
    for name in package.archive.names:
        if name.startswith("xl/") and name.endswith(".xml"):
            raw = package.changed.get(name) or package.archive.read(name)
            if not any(f"{table.name}[".encode() in raw or name in (table.part, table.sheet) for table in changed):
                continue
            with package.opened(name) as part:
                for element in part.root.iter():
                    if local_name(element) in _FORMULAS:
                        part.is_changed |= _rename_in(element, changed, name)


def _rename_in_caches(package: Package, tables: list[Table], sheets: Mapping[str, str]) -> None:
    """The fields of pivot caches whose source is such a table or range, and the slicers of such fields.

    `sheets` gives the part of a sheet by its name.
    """
    renamed: dict[str, str] = {}
    for name in _pivot_caches(package):
        with package.opened(name) as part:
            for table in _sources(part.root, tables, sheets):
                for each in part.root.iter(f"{MAIN}cacheField"):
                    said = unescaped(each.get("name", ""))
                    if said in table.renamed and each.get("databaseField") != "0":
                        each.set("name", escaped(table.renamed[said]))
                        renamed[said] = table.renamed[said]
                        part.is_changed = True
    for name in package.archive.names if renamed else ():
        if name.casefold().startswith("xl/slicercaches/"):
            with package.opened(name) as part:
                said = part.root.get("sourceName", "")
                if said in renamed:
                    part.root.set("sourceName", renamed[said])
                    part.is_changed = True


def _pivot_caches(package: Package) -> list[str]:
    return [name for name in package.archive.names if re.search(r"pivotcachedefinition.*\.xml$", name, re.IGNORECASE)]


def _sources(root: Element, tables: list[Table], sheets: Mapping[str, str]) -> list[Table]:
    source = root.find(f"{MAIN}cacheSource/{MAIN}worksheetSource")
    if source is None:
        return []
    if source.get("name"):
        return [table for table in tables if table.name.casefold() == source.get("name", "").casefold()]
    cells = range_of(source.get("ref", ""))
    sheet = sheets.get(source.get("sheet", ""), "")
    return [table for table in tables if cells is not None and (table.sheet, table.first) == (sheet, cells[0])]


def _pivot_sources(package: Package, sheets: Mapping[str, str]) -> list[Table]:
    """The ranges that pivot caches are made of, as tables without a part; their first row names the fields."""
    found = []
    for name in _pivot_caches(package):
        root = package.root(name)
        source = root.find(f"{MAIN}cacheSource/{MAIN}worksheetSource")
        cells = range_of(source.get("ref", "")) if source is not None else None
        sheet = sheets.get(source.get("sheet", ""), "") if source is not None else ""
        if cells is not None and sheet:
            fields = [each for each in root.iter(f"{MAIN}cacheField") if each.get("databaseField") != "0"]
            found.append(Table("", sheet, "", *cells, [unescaped(each.get("name", "")) for each in fields]))
    return found


def _rename_in(element: Element, tables: list[Table], part: str) -> bool:
    said = element.text or ""
    for table in tables if "[" in said else ():
        said = renamed_formula(said, table, is_inside=_is_inside(element, table, part))
    if said == (element.text or ""):
        return False
    element.text = said
    return True


def _is_inside(element: Element, table: Table, part: str) -> bool:
    """Whether a formula belongs to a table, or to a cell of it: there the table need not be named."""
    if part == table.part:
        return True
    place = range_of(element.getparent().get("r", "")) if part == table.sheet else None
    if place is None:
        return False
    return all(first <= at <= last for first, at, last in zip(table.first, place[0], table.last, strict=True))


def renamed_formula(formula: str, table: Table, *, is_inside: bool = False) -> str:
    """A formula in which the table's columns have their new names: Table[Name], Table[[#This Row],[Name]].

    `is_inside`: also [Name] alone; what is followed by a name is another workbook.
    """
    made, at = "", 0
    for found in re.finditer(rf"(?<![\w.\\])({re.escape(table.name)}){'?' * is_inside}\[", formula, re.IGNORECASE):
        if found.start() < at:
            continue
        end = _closing(formula, found.end() - 1)
        if not found[1] and re.match(r"[\w!'.]", formula[end + 1 :]):
            continue
        inside = formula[found.end() : end]
        made += formula[at : found.end()] + _specifier(inside, table.renamed)
        at = end
    return made + formula[at:]


def _closing(formula: str, start: int) -> int:
    """The index of the bracket that closes the one at an index; a quotation mark takes the next sign's meaning."""
    depth, index = 0, start
    while index < len(formula):
        sign = formula[index]
        if sign == "'":
            index += 1
        depth += {"[": 1, "]": -1}.get(sign, 0)
        if depth == 0:
            return index
        index += 1
    return len(formula)


def _specifier(inside: str, renamed: Mapping[str, str]) -> str:
    if not inside.startswith("["):
        name = re.sub(r"'(.)", r"\1", inside)
        return _SPECIAL.sub(r"'\1", renamed[name]) if name in renamed else inside
    made, at = "", 0
    while (start := inside.find("[", at)) >= 0:
        end = _closing(inside, start)
        made += inside[at : start + 1] + _specifier(inside[start + 1 : end], renamed)
        at = end
    return made + inside[at:]
