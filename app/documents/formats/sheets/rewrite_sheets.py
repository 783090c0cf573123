"""Rewrites XLSX: the strings of its cells, comments, text boxes, charts, headers and footers.

A string that several cells share is one segment. Where the words of a header cell name a column, the table, the
formulas and the pivot caches that use the name get it too.
Left as they are: the names of sheets (formulas and links use them), defined names, lists of allowed values, conditions
and texts inside of formulas, values that are the results of formulas, filters, and strings that no cell uses. What is
kept of a pivot table's data is found anew when it is refreshed. How words are spoken (furigana) is lost with them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import BinaryIO

from lxml import etree

from app.core.lazy_dataclasses import dataclass, field
from app.documents.formats.markup.xml_tree import Element, iterate
from app.documents.formats.office.drawing import PARAGRAPH, DrawingRewriter, is_words_for_picture
from app.documents.formats.office.package import (
    MAIN,
    RELATIONSHIPS,
    OfficePackage,
    XmlPart,
    child_in_order,
    opened_package,
)
from app.documents.formats.sheets.table_headers import Cell, HeaderNames
from app.documents.formats.sheets.workbook import (
    USUAL_PART,
    WorkbookSheet,
    cells_of,
    number_of_row,
    text_of,
)
from app.documents.formats.sheets.workbook_strings import rewrite_margins, rewrite_string, set_text
from app.documents.segments import SegmentKind
from app.documents.source import CachedContent, FileSource, SegmentVisits, TargetLanguage, Visit


def rewrite(source: FileSource, out: BinaryIO | None, visit: Visit, target: TargetLanguage | None) -> None:
    """Rewrite properties, then each sheet's cells, headers and footers, comments and drawings."""
    with opened_package(source, out) as package:
        _WorkbookRewriter(package, SegmentVisits(visit), target if out is not None else None).rewrite()


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
                rewrite_margins(part, self._ask, page)

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
            if rewrite_string(element, self._once, SegmentKind.CELL, page):
                strings.before[index] = before
                strings.part.is_changed = True
        if index in strings.before:
            self._turned[sheet] = None
            self._headers.note(sheet, at, strings.before[index], text_of(element))

    def _visit_inline(self, part: XmlPart, at: Cell, string: Element, page: int) -> None:
        before = text_of(string)
        if rewrite_string(string, self._once, SegmentKind.CELL, page):
            part.is_changed = True
            self._turned[part.name] = None
            self._headers.note(part.name, at, before, text_of(string))

    def _visit_comments(self, name: str, page: int) -> None:
        with self._package.opened(name) as part:
            for element in part.root.iter(f"{MAIN}comment"):
                string = element.find(f"{MAIN}text")
                if string is not None:
                    part.is_changed |= rewrite_string(string, self._ask, SegmentKind.NOTE, page)
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
                    set_text(etree.SubElement(cell, _INLINE), cells[at])
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
