"""A workbook that is being rewritten, sheet by sheet."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from lxml import etree

from app.documents.archive import Archive
from app.documents.formats.office import labels
from app.documents.formats.office.drawing_parts import Drawings, is_words_for_picture
from app.documents.formats.office.drawing_text import PARAGRAPH
from app.documents.formats.office.order import child_in_order
from app.documents.formats.office.package import RELATIONSHIPS
from app.documents.formats.office.parts import Part, Parts
from app.documents.formats.sheets.headers import Headers
from app.documents.formats.sheets.margins import rewrite_margins
from app.documents.formats.sheets.names import Cell, range_of
from app.documents.formats.sheets.strings import rewrite_string, set_text, text_of
from app.documents.formats.sheets.workbook import MAIN, Sheet
from app.documents.segments import SegmentKind
from app.documents.source import Source
from app.documents.visits import Once, Target, Visit, Visits
from app.documents.xml_tree import Element, iterate

_ROW, _CELL, _INLINE, _MARGINS = f"{MAIN}row", f"{MAIN}c", f"{MAIN}is", f"{MAIN}headerFooter"
_THREADED = "{http://schemas.microsoft.com/office/spreadsheetml/2018/threadedcomments}"
_BEFORE_VIEWS = tuple(f"{MAIN}{name}" for name in ("sheetPr", "dimension", "sheetViews"))


@dataclass
class _Strings:
    """The shared strings. `before` has the words that a changed one had."""

    part: Part | None = None
    elements: Sequence[Element] = ()
    asked: set[int] = field(default_factory=set)
    before: dict[int, str] = field(default_factory=dict)


class Book:
    """Asks for everything in an order that is the same each time; then makes names and directions fit."""

    def __init__(self, archive: Archive, source: Source, visit: Visit, target: Target | None) -> None:
        self.parts = Parts(archive, source)
        self._source = source
        self._target = target
        self._ask = Visits(visit)
        self._once = Once(self._ask)
        """For cells, and what repeats their words: the same words are one segment."""
        self._drawings = Drawings(self.parts, target)
        self._main = self.parts.main_part("xl/workbook.xml")
        self._related = self.parts.related(self._main)
        self._sheets = list(self._found_sheets())
        self._strings = _Strings()
        self._headers = Headers(self.parts, {each.name: each.part for each in self._sheets})
        self._turned: dict[str, None] = {}
        """Parts of sheets with a translated cell."""

    def rewrite(self) -> None:
        """Everything."""
        labels.properties(self.parts, self._ask, self._target)
        shared = (each.target for each in self._related.values() if each.kind == "sharedStrings")
        name = next((each for each in shared if each in self.parts.archive), None)
        if name is None:
            self._all_sheets()
        else:
            with self.parts.opened(name) as part:
                self._strings = _Strings(part, part.root.findall(f"{MAIN}si"))
                self._all_sheets()
        if named := sum(1 for sheet in self._sheets if any(sign.isalpha() for sign in sheet.name)):
            self._source.remark("left_names", count=named)
        self._headers.settle()
        for part_name, cells in self._headers.forced.items():
            self._write_cells(part_name, cells)
        self._headers.rename()
        if self._target is not None:
            for part_name in self._turned:
                self._turn(part_name, self._target)

    def _found_sheets(self) -> Iterator[Sheet]:
        for element in self.parts.root(self._main).iter(f"{MAIN}sheet"):
            related = self._related.get(element.get(f"{RELATIONSHIPS}id", ""))
            if related is not None and related.target in self.parts.archive:
                yield Sheet(element.get("name", ""), related.kind != "worksheet", related.target)

    def _all_sheets(self) -> None:
        for page, sheet in enumerate(self._sheets, 1):
            self._sheet(sheet.part, page)
            for related in self.parts.related(sheet.part).values():
                if related.target not in self.parts.archive:
                    continue
                if related.kind in ("comments", "threadedComment"):
                    self._comments(related.target, page)
                elif related.kind == "drawing":
                    self._drawing(related.target, page)

    def _sheet(self, name: str, page: int) -> None:
        """Shared strings while the sheet streams by; as a tree only where it holds texts itself."""
        has_texts = False
        with self.parts.archive.open(name) as stream:
            for at, element in _cells(iterate(stream, self._source, (_ROW, _MARGINS))):
                if element.tag == _MARGINS or element.get("t") == "inlineStr":
                    has_texts = True
                elif element.get("t") == "s":
                    self._shared(name, at, element.findtext(f"{MAIN}v") or "", page)
        if has_texts:
            with self.parts.opened(name) as part:
                for at, cell in _cells(part.root.iter(_ROW)):
                    string = cell.find(_INLINE)
                    if cell.get("t") == "inlineStr" and string is not None:
                        self._inline(part, at, string, page)
                rewrite_margins(part, self._ask, page)

    def _shared(self, sheet: str, at: Cell, value: str, page: int) -> None:
        strings = self._strings
        index = int(value) if value.strip().isdecimal() and len(value) < 10 else -1
        if not 0 <= index < len(strings.elements) or strings.part is None:
            return
        element = strings.elements[index]
        if index not in strings.asked:
            strings.asked.add(index)
            before = text_of(element)
            if rewrite_string(element, self._once, SegmentKind.CELL, page):
                strings.before[index] = before
                strings.part.is_changed = True
        if index in strings.before:
            self._turned[sheet] = None
            self._headers.note(sheet, at, strings.before[index], text_of(element))

    def _inline(self, part: Part, at: Cell, string: Element, page: int) -> None:
        before = text_of(string)
        if rewrite_string(string, self._once, SegmentKind.CELL, page):
            part.is_changed = True
            self._turned[part.name] = None
            self._headers.note(part.name, at, before, text_of(string))

    def _comments(self, name: str, page: int) -> None:
        with self.parts.opened(name) as part:
            for each in part.root.iter(f"{MAIN}comment"):
                string = each.find(f"{MAIN}text")
                if string is not None:
                    part.is_changed |= rewrite_string(string, self._ask, SegmentKind.NOTE, page)
            for each in part.root.iter(f"{_THREADED}threadedComment"):
                self._threaded(part, each, page)

    def _threaded(self, part: Part, comment: Element, page: int) -> None:
        """Who is mentioned is told by the place in the text, which is another one then."""
        text = comment.find(f"{_THREADED}text")
        said = text.text if text is not None else None
        if text is None:
            return
        labels.text(part, text, self._ask, SegmentKind.NOTE, page)
        mentions = comment.find(f"{_THREADED}mentions")
        if text.text != said and mentions is not None:
            comment.remove(mentions)

    def _drawing(self, name: str, page: int) -> None:
        once = Once(self._ask)
        with self.parts.opened(name) as part:
            for element in list(part.root.iter()):
                if element.tag == PARAGRAPH:
                    self._drawings.paragraph(part, element, once, SegmentKind.PARAGRAPH, page=page)
                elif is_words_for_picture(element):
                    self._drawings.words_for_picture(part, element, once, page)
            self._drawings.related(name, part.root, self._once, page)

    def _write_cells(self, name: str, cells: dict[Cell, str]) -> None:
        """Words that only these cells have, though their shared strings say something else."""
        with self.parts.opened(name) as part:
            for at, cell in _cells(part.root.iter(_ROW)):
                if at in cells:
                    for child in list(cell):
                        cell.remove(child)
                    cell.set("t", "inlineStr")
                    set_text(etree.SubElement(cell, _INLINE), cells[at])
                    part.is_changed = True

    def _turn(self, name: str, target: Target) -> None:
        with self.parts.opened(name) as part:
            views = part.root.findall(f"{MAIN}sheetViews/{MAIN}sheetView")
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


def _cells(elements: Iterable[Element]) -> Iterator[tuple[Cell, Element]]:
    """The cells of rows with their places; what is no row is given as it is. Places that are not told follow."""
    row = 0
    for element in elements:
        if element.tag != _ROW:
            yield (0, 0), element
            continue
        said = element.get("r", "")
        row = int(said) if said.isdecimal() and len(said) < 8 else row + 1
        column = 0
        for cell in element.iterchildren(_CELL):
            place = range_of(cell.get("r", ""))
            column = place[0][1] if place else column + 1
            yield (row, column), cell
