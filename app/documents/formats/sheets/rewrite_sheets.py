"""Rewrites XLSX: the strings of its cells, comments, text boxes, charts, headers and footers.

A string that several cells share is one segment. Where the words of a header cell name a column, the table, the
formulas and the pivot caches that use the name get it too.
Left as they are: the names of sheets (formulas and links use them), defined names, lists of allowed values, conditions
and texts inside of formulas, values that are the results of formulas, filters, and strings that no cell uses. What is
kept of a pivot table's data is found anew when it is refreshed. How words are spoken (furigana) is lost with them.
"""

from __future__ import annotations

import copy
import re
from collections import defaultdict
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import BinaryIO, NamedTuple

from lxml import etree

from app.documents.formats.markup.xml_tree import Element, iterate, local_name
from app.documents.formats.office.drawing import PARAGRAPH, DrawingRewriter, is_words_for_picture
from app.documents.formats.office.package import (
    MAIN,
    RELATIONSHIPS,
    SPACE,
    OfficePackage,
    XmlPart,
    child_in_order,
    escaped,
    opened_package,
    unescaped,
)
from app.documents.formats.office.runs import (
    Node,
    ParagraphToken,
    RunFormat,
    SingleNode,
    StyledText,
    arranged,
    line_of,
    plan_of,
)
from app.documents.formats.sheets.workbook import (
    SPOKEN,
    TEXT,
    USUAL_PART,
    WorkbookSheet,
    cells_of,
    column_of,
    number_of_row,
    text_of,
)
from app.documents.segments import Content, SegmentKind
from app.documents.source import CachedContent, ContentCallback, FileSource, SegmentVisits, TargetLanguage, Visit


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


def rewrite(source: FileSource, out: BinaryIO | None, visit: Visit, target: TargetLanguage | None) -> None:
    """Rewrite properties, then each sheet's cells, headers and footers, comments and drawings."""
    with opened_package(source, out) as package:
        _WorkbookRewriter(package, SegmentVisits(visit), target if out is not None else None).rewrite()


# A workbook that is being rewritten, sheet by sheet.

_ROW, _INLINE, _MARGINS = f"{MAIN}row", f"{MAIN}is", f"{MAIN}headerFooter"
_THREADED = "{http://schemas.microsoft.com/office/spreadsheetml/2018/threadedcomments}"
_BEFORE_VIEWS = tuple(f"{MAIN}{name}" for name in ("sheetPr", "dimension", "sheetViews"))


@dataclass
class _SharedStrings:
    """The shared strings. `before` has the words that a changed one had."""

    part: XmlPart | None = None
    elements: Sequence[Element] = ()
    asked: set[int] = field(default_factory=set)
    before: dict[int, str] = field(default_factory=dict)


class _WorkbookRewriter:
    """Visit everything in a fixed order, then adapt names and directions."""

    def __init__(self, package: OfficePackage, ask: SegmentVisits, target: TargetLanguage | None) -> None:
        self._package = package
        self._target = target
        self._ask = ask
        self._once = CachedContent(self._ask)
        """For cells and copies of their words: equal words are one segment."""
        self._drawings = DrawingRewriter(package, target)
        self._main = self._package.main_part(USUAL_PART)
        self._related = self._package.related(self._main)
        self._sheets = list(self._found_sheets())
        self._strings = _SharedStrings()
        self._headers = HeaderNames(package, {sheet.name: sheet.part for sheet in self._sheets})
        self._turned: dict[str, None] = {}
        """Parts of sheets with a translated cell."""

    def rewrite(self) -> None:
        self._package.ask_properties(self._ask, self._target)
        name = self._package.part_of_kind(self._main, "sharedStrings")
        if name is None:
            self._all_sheets()
        else:
            with self._package.opened(name) as part:
                self._strings = _SharedStrings(part, part.root.findall(f"{MAIN}si"))
                self._all_sheets()
        # Names of sheets stay: formulas and links use them, also those of other workbooks.
        if named := sum(1 for sheet in self._sheets if any(sign.isalpha() for sign in sheet.name)):
            self._package.source.remark("left_names", count=named)
        # After all cells: a header cell may need another name than its translation.
        self._headers.settle()
        for part_name, cells in self._headers.forced.items():
            self._write_cells(part_name, cells)
        self._headers.rename()
        if self._target is not None:
            for part_name in self._turned:
                self._turn_sheet(part_name, self._target)

    def _found_sheets(self) -> Iterator[WorkbookSheet]:
        for element in self._package.root(self._main).iter(f"{MAIN}sheet"):
            related = self._related.get(element.get(f"{RELATIONSHIPS}id", ""))
            if related is not None and related.target in self._package.archive:
                yield WorkbookSheet(element.get("name", ""), related.kind != "worksheet", related.target)

    def _all_sheets(self) -> None:
        for page, sheet in enumerate(self._sheets, 1):
            self._sheet(sheet.part, page)
            for related in self._package.named(sheet.part):
                if related.kind in ("comments", "threadedComment"):
                    self._visit_comments(related.target, page)
                elif related.kind == "drawing":
                    self._visit_drawing(related.target, page)

    def _sheet(self, name: str, page: int) -> None:
        """Visit a sheet's strings as a stream; only one that holds texts itself is loaded as a tree."""
        has_texts = False
        with self._package.archive.open(name) as stream:
            for at, element in _iterate_cells(iterate(stream, self._package.source, (_ROW, _MARGINS))):
                if element.tag == _MARGINS or element.get("t") == "inlineStr":
                    has_texts = True
                elif element.get("t") == "s":
                    self._visit_shared(name, at, element.findtext(f"{MAIN}v") or "", page)
        if has_texts:
            with self._package.opened(name) as part:
                for at, cell in _iterate_cells(part.root.iter(_ROW)):
                    string = cell.find(_INLINE)
                    if cell.get("t") == "inlineStr" and string is not None:
                        self._visit_inline(part, at, string, page)
                _rewrite_margins(part, self._ask, page)

    def _visit_shared(self, sheet: str, at: Cell, value: str, page: int) -> None:
        strings = self._strings
        # A stranger's index may be any text.
        index = int(value) if value.strip().isdecimal() and len(value) < 10 else -1
        if not 0 <= index < len(strings.elements) or strings.part is None:
            return
        element = strings.elements[index]
        # Asked at its first use, so that segments come in the order of the sheets.
        if index not in strings.asked:
            strings.asked.add(index)
            before = text_of(element)
            if _rewrite_string(element, self._once, SegmentKind.CELL, page):
                strings.before[index] = before
                strings.part.is_changed = True
        if index in strings.before:
            self._turned[sheet] = None
            self._headers.note(sheet, at, strings.before[index], text_of(element))

    def _visit_inline(self, part: XmlPart, at: Cell, string: Element, page: int) -> None:
        before = text_of(string)
        if _rewrite_string(string, self._once, SegmentKind.CELL, page):
            part.is_changed = True
            self._turned[part.name] = None
            self._headers.note(part.name, at, before, text_of(string))

    def _visit_comments(self, name: str, page: int) -> None:
        with self._package.opened(name) as part:
            for element in part.root.iter(f"{MAIN}comment"):
                string = element.find(f"{MAIN}text")
                if string is not None:
                    part.is_changed |= _rewrite_string(string, self._ask, SegmentKind.NOTE, page)
            for element in part.root.iter(f"{_THREADED}threadedComment"):
                self._visit_threaded(part, element, page)

    def _visit_threaded(self, part: XmlPart, comment: Element, page: int) -> None:
        """Rewrite a threaded comment without mentions, which refer to positions in the old text."""
        # Positions of mentions count characters of the old text, and Excel takes a wrong one for damage.
        text = comment.find(f"{_THREADED}text")
        said = text.text if text is not None else None
        if text is None:
            return
        part.ask_text(text, self._ask, SegmentKind.NOTE, page)
        mentions = comment.find(f"{_THREADED}mentions")
        if text.text != said and mentions is not None:
            comment.remove(mentions)

    def _visit_drawing(self, name: str, page: int) -> None:
        once = CachedContent(self._ask)
        with self._package.opened(name) as part:
            for element in list(part.root.iter()):
                if element.tag == PARAGRAPH:
                    self._drawings.paragraph(part, element, once, SegmentKind.PARAGRAPH, page=page)
                elif is_words_for_picture(element):
                    self._drawings.words_for_picture(part, element, once, page)
            self._drawings.related(name, part.root, self._once, page)

    def _write_cells(self, name: str, cells: dict[Cell, str]) -> None:
        """Words that only these cells have, though their shared strings say something else."""
        with self._package.opened(name) as part:
            for at, cell in _iterate_cells(part.root.iter(_ROW)):
                if at in cells:
                    for child in list(cell):
                        cell.remove(child)
                    # An inline string, since the shared one says something else for all other cells.
                    cell.set("t", "inlineStr")
                    _set_text(etree.SubElement(cell, _INLINE), cells[at])
                    part.is_changed = True

    def _turn_sheet(self, name: str, target: TargetLanguage) -> None:
        with self._package.opened(name) as part:
            views = part.root.findall(f"{MAIN}sheetViews/{MAIN}sheetView")
            # A sheet without a view gets one, in the place that the schema wants.
            if not views and target.is_rtl:
                made = child_in_order(part.root, f"{MAIN}sheetViews", _BEFORE_VIEWS)
                views = [etree.SubElement(made, f"{MAIN}sheetView", {"workbookViewId": "0"})]
            for view in views:
                if (view.get("rightToLeft") in ("1", "true")) == target.is_rtl:
                    continue
                if target.is_rtl:
                    view.set("rightToLeft", "1")
                else:
                    del view.attrib["rightToLeft"]
                part.is_changed = True


def _iterate_cells(elements: Iterable[Element]) -> Iterator[tuple[Cell, Element]]:
    """Yield cells with their places; other elements are passed through. Missing places continue the previous ones."""
    row = 0
    for element in elements:
        if element.tag != _ROW:
            yield (0, 0), element
            continue
        row = number_of_row(element, row)
        yield from (((row, column), cell) for column, cell in cells_of(element))


# Codes such as &L, &P and &"Arial,Bold" stand amid the words.
# The headers and footers of sheets: texts with codes in them. ECMA-376 part 1, 18.3.1.39 (evenFooter).

_SECTION = re.compile("(&[LCR])")
_CODE = re.compile(r"(&\"[^\"]*\"|&K(?:[0-9A-Fa-f]{6}|\d\d[+-]\d{3})|&\d{1,3}|&&|&[A-Za-z])")
_SHOWN = frozenset("PNDTZFAGpndtzfag")
"""Page, pages, date, time, path, file, sheet, picture; the others change how what follows looks."""
_NAMES = tuple(f"{MAIN}{when}{what}" for when in ("odd", "even", "first") for what in ("Header", "Footer"))


def _rewrite_margins(part: XmlPart, ask: ContentCallback, page: int) -> None:
    """Rewrite each of the three sections of headers and footers."""
    for element in part.root.iter(*_NAMES):
        said = unescaped(element.text or "")
        pieces = _SECTION.split(said)
        made = "".join(piece if _SECTION.fullmatch(piece) else _translate_section(piece, ask, page) for piece in pieces)
        if made != said:
            element.text = escaped(made)
            part.is_changed = True


def _translate_section(said: str, ask: ContentCallback, page: int) -> str:
    plan = plan_of(line_of(_margin_nodes(said), lambda _: []))
    if not plan.has_words:
        return said
    given = ask(plan.content, SegmentKind.HEADER, page)
    if given is None:
        return said
    return _join_tokens(arranged(plan, given))


def _margin_nodes(said: str) -> list[Node]:
    nodes: list[Node] = []
    for part in _CODE.split(said):
        if part == "&&":
            nodes.append(StyledText("&", None))
        elif _CODE.fullmatch(part):
            is_shown = part[1:] in _SHOWN
            nodes.append(SingleNode("field" if is_shown else "other", [part], stays=not is_shown))
        elif part:
            nodes.append(StyledText(part, None))
    return nodes


def _join_tokens(tokens: list[ParagraphToken]) -> str:
    text = ""
    for token in tokens:
        if not isinstance(token.node, StyledText):
            text += "".join(token.node.payload)
            continue
        words = token.node.text.replace("&", "&&")
        # A figure after a size would be read as part of it.
        text += f" {words}" if re.search(r"&\d{1,3}$", text) and words[:1].isdigit() else words
    return text


# Strings of a workbook, plain or of runs that look different: shared, in a cell, in a comment (CT_Rst).

_RUN, _PROPERTIES = f"{MAIN}r", f"{MAIN}rPr"
_LOOKS = {"b": "bold", "i": "italic", "u": "underline", "strike": "strike", "vertAlign": "small"}
_SIGNS = {"\n": "break", "\t": "tab"}
_PARTS = re.compile("([\n\t])")


class _TextSign(NamedTuple):
    run: Element
    text: str


def _rewrite_string(string: Element, ask: ContentCallback, kind: SegmentKind = SegmentKind.CELL, page: int = 0) -> bool:
    """Rewrite a string; return whether it changed. How it is spoken (furigana) is dropped with the words."""
    plan = plan_of(line_of(_string_nodes(string), _look_words))
    if not plan.has_words:
        return False
    given: Content | None = ask(plan.content, kind, page)
    if given is None:
        return False
    _rebuild_string(string, arranged(plan, given))
    return True


def _set_text(string: Element, text: str) -> None:
    for child in list(string):
        string.remove(child)
    _write_text(string, text)


def _string_nodes(string: Element) -> list[Node]:
    nodes: list[Node] = []
    for child in string:
        if child.tag == TEXT:
            nodes += _split_text(unescaped(child.text or ""), child, ())
        elif child.tag == _RUN:
            nodes += _split_text(unescaped(child.findtext(TEXT) or ""), child, _run_look(child))
    return nodes


def _split_text(text: str, run: Element, look: Hashable) -> list[Node]:
    nodes: list[Node] = []
    for part in _PARTS.split(text):
        if part in _SIGNS:
            nodes.append(SingleNode(_SIGNS[part], [_TextSign(run, part)], stays=True))
        elif part:
            nodes.append(StyledText(part, run, look))
    return nodes


def _run_look(run: Element) -> Hashable:
    properties = run.find(_PROPERTIES)
    if properties is None:
        return ()
    return tuple((child.tag, tuple(sorted(child.attrib.items()))) for child in properties)


def _look_words(run: Element) -> list[str]:
    properties = run.find(_PROPERTIES)
    if properties is None:
        return []
    names = (
        child.tag.removeprefix(MAIN) for child in properties if child.get("val", "1") not in ("0", "false", "none")
    )
    return [_LOOKS[name] for name in names if name in _LOOKS]


def _rebuild_string(string: Element, tokens: Sequence[ParagraphToken]) -> None:
    """Rebuild a string, plain if it was plain; phonetic properties stay."""
    stretches: list[tuple[Element, str]] = []
    for token in tokens:
        if isinstance(token.node, RunFormat):
            continue
        pieces = [(token.node.run, token.node.text)] if isinstance(token.node, StyledText) else token.node.payload
        for run, text in pieces:
            # Neighbours of one run are one run again.
            if stretches and stretches[-1][0] is run:
                stretches[-1] = (run, stretches[-1][1] + text)
            else:
                stretches.append((run, text))
    for child in list(string):
        if child.tag in (TEXT, _RUN, SPOKEN):
            string.remove(child)
    is_plain = all(run.tag == TEXT for run, _ in stretches)
    if is_plain:
        stretches = [(string, "".join(text for _, text in stretches))]
    for at, (run, text) in enumerate(stretches):
        string.insert(at, _make_run(run, text, is_plain))


def _make_run(run: Element, text: str, is_plain: bool) -> Element:
    if is_plain:
        holder = etree.Element(_RUN, nsmap=run.nsmap)
        _write_text(holder, text)
        return holder[0]
    made = etree.Element(_RUN, nsmap=run.nsmap)
    properties = run.find(_PROPERTIES)
    if properties is not None:
        made.append(copy.deepcopy(properties))
    _write_text(made, text)
    return made


def _write_text(holder: Element, text: str) -> None:
    made = etree.SubElement(holder, TEXT)
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    made.text = escaped(text)
    # Without this a reader may drop white space at the ends.
    if text != text.strip() or "\n" in text:
        made.set(SPACE, "preserve")
