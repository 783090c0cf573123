"""The cells of an XLSX workbook, row by row, so that a sheet costs what it holds and not what it spans.

Read by hand since python-calamine gives nothing for cells with errors, and room for every cell between two far ones.
Source: ECMA-376 part 1, 18.2 to 18.8 (workbook, sheets, shared strings, number formats).
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from datetime import datetime, timedelta

from app.core.lazy_dataclasses import dataclass
from app.documents.archive import CHUNK_BYTES, Archive
from app.documents.blocks import BlockKind, BlockPiece, BlockPlace
from app.documents.formats.markup.xml_tree import Element, iterate
from app.documents.formats.office.package import MAIN, RELATIONSHIPS, OfficePackage, unescaped
from app.documents.source import FileSource

USUAL_PART = "xl/workbook.xml"
MOST_PASSED = 3_000_000
"""Rows and cells of a sheet, empty ones too, as stray formatting makes them by the million."""
TEXT, SPOKEN = f"{MAIN}t", f"{MAIN}rPh"
_CELL = re.compile(r"([A-Z]{1,3})(\d{1,7})")
_ROW = re.compile(rb"<(?:\w+:)?row[\s>/]")
_BUILT_IN = {
    # Numbers of formats without a code of their own (ECMA-376 part 1, 18.8.30).
    **dict.fromkeys((14, 15, 16, 17, *range(27, 32), 36, *range(50, 55), 57, 58), "date"),
    **dict.fromkeys((18, 19, 20, 21, 32, 33, 34, 35, 45, 47, 55, 56), "time"),
    22: "date time",
    46: "duration",
}
# Literals, escapes, padding and conditions; [h] and [mm] are durations.
_NO_CODE = re.compile(r"\"[^\"]*\"|\\.|_.|\*.|\[(?![hms]+\])[^\]]*\]", re.IGNORECASE)


@dataclass(frozen=True)
class WorkbookSheet:
    """A sheet; `part` is "" without cells, such as for a chart."""

    name: str
    is_hidden: bool
    part: str


class Workbook:
    """Read an open XLSX workbook sheet by sheet; all methods raise DocumentUnreadable."""

    def __init__(self, archive: Archive, source: FileSource) -> None:
        self._source = source
        self._package = OfficePackage(archive, source)
        self._main = self._package.main_part(USUAL_PART)
        self._parts = self._package.related(self._main)
        root = self._package.root(self._main)
        properties = root.find(f"{MAIN}workbookPr")
        self._from_1904 = properties is not None and properties.get("date1904") in ("1", "true")
        self.sheets = [self._sheet(element) for element in root.iter(f"{MAIN}sheet")]
        self.title = self._package.title()
        self.is_cut = False
        """True if the last sheet has more rows than were read."""
        self._kinds = self._cell_formats()
        self._strings = self._shared_strings()

    def rows(self, sheet: WorkbookSheet) -> Iterator[tuple[int, dict[int, str]]]:
        """Yield rows with text: number and cells by column, counted from 0."""
        number, passed, self.is_cut = -1, 0, False
        with self._package.archive.open(sheet.part) as stream:
            for row in iterate(stream, self._source, (f"{MAIN}row",)):
                # Empty rows count as well: stray formatting makes them by the million.
                passed += 1 + len(row)
                if passed > MOST_PASSED:
                    self.is_cut = True
                    return
                number = number_of_row(row, number + 1) - 1
                if cells := {column - 1: text for column, cell in cells_of(row) if (text := self._cell_text(cell))}:
                    yield number, cells

    def count_rows(self, sheet: WorkbookSheet) -> int:
        """Return how many rows are written down, empty ones too."""
        count, rest = 0, b""
        with self._package.archive.open(sheet.part) as stream:
            while data := stream.read(CHUNK_BYTES):
                data = rest + data
                # A tag may lie across two chunks.
                cut = max(0, data.rfind(b"<"))
                count += len(_ROW.findall(data, 0, cut))
                rest = data[cut:][:64]
        return count + len(_ROW.findall(rest))

    def beside(self, sheet: WorkbookSheet, page: int) -> Iterator[BlockPiece]:
        """Yield comments, and the text of text boxes and charts."""
        for related in self._package.named(sheet.part):
            if related.kind == "comments":
                yield from self._sheet_comments(related.target, sheet, page)
            elif related.kind == "drawing":
                yield from self._package.drawn(related.target, page)
                for inside in self._package.named(related.target, "chart"):
                    yield from self._package.drawn(inside.target, page)

    def _sheet_comments(self, part: str, sheet: WorkbookSheet, page: int) -> Iterator[BlockPiece]:
        for comment in self._package.root(part).iter(f"{MAIN}comment"):
            at = _CELL.fullmatch(comment.get("ref", ""))
            row = int(at[2]) - 1 if at else 0
            yield BlockPiece(
                BlockKind.NOTE, text_of(comment).strip(), page, BlockPlace(sheet.name, row, row + 1), label="comment"
            )

    def _sheet(self, element: Element) -> WorkbookSheet:
        related = self._parts.get(element.get(f"{RELATIONSHIPS}id", ""))
        is_worksheet = related is not None and related.kind == "worksheet"
        part = related.target if related is not None and is_worksheet else ""
        return WorkbookSheet(element.get("name", ""), element.get("state", "visible") != "visible", part)

    def _shared_strings(self) -> list[str]:
        if not (name := self._package.part_of_kind(self._main, "sharedStrings")):
            return []
        with self._package.archive.open(name) as stream:
            return [text_of(item) for item in iterate(stream, self._source, (f"{MAIN}si",))]

    def _cell_formats(self) -> list[str]:
        """Return the kind of number of each cell style: "" for plain numbers."""
        if not (name := self._package.part_of_kind(self._main, "styles")):
            return []
        root = self._package.root(name)
        kinds: dict[str, str] = {str(number): kind for number, kind in _BUILT_IN.items()}
        for element in root.iter(f"{MAIN}numFmt"):
            kinds[element.get("numFmtId", "")] = kind_of_format(element.get("formatCode", ""))
        return [kinds.get(element.get("numFmtId", ""), "") for element in root.iterfind(f"{MAIN}cellXfs/{MAIN}xf")]

    def _cell_text(self, cell: Element) -> str:
        kind = cell.get("t", "n")
        if kind == "inlineStr":
            return text_of(cell)
        value = cell.findtext(f"{MAIN}v") or ""
        if kind == "s":
            return self._strings[int(value)] if value.isdecimal() and int(value) < len(self._strings) else ""
        if kind == "b":
            return {"0": "FALSE", "1": "TRUE"}.get(value, value)
        if kind in ("str", "e", "d"):
            return value.removesuffix("T00:00:00") if kind == "d" else value
        style = cell.get("s", "0")
        known = self._kinds[int(style)] if style.isdecimal() and int(style) < len(self._kinds) else ""
        return number_text(value.strip(), known, self._from_1904)


def text_of(string: Element) -> str:
    """Return the words of a string, all its runs, but not how they are spoken."""
    texts = (element for element in string.iter(TEXT) if element.getparent().tag != SPOKEN)
    return unescaped("".join(text.text or "" for text in texts))


def number_of_row(row: Element, before: int) -> int:
    """Return a row's number from 1; one without follows the previous."""
    said = row.get("r", "")
    return int(said) if said.isdecimal() and len(said) < 8 else before + 1


def cells_of(row: Element) -> Iterator[tuple[int, Element]]:
    """Yield the cells of a row with their columns, from 1."""
    column = 0
    for cell in row.iterchildren(f"{MAIN}c"):
        # References to cells are optional.
        said = _CELL.match(cell.get("r", ""))
        column = column_of(said[1]) if said else column + 1
        yield column, cell


def column_of(letters: str) -> int:
    number = 0
    for letter in letters:
        number = 26 * number + ord(letter) - 64
    return number


def kind_of_format(code: str) -> str:
    """Return date, time, date time, duration, or "" for plain numbers."""
    # Sections follow for negative numbers, zero and text; the first one tells.
    code = _NO_CODE.sub("", code.partition(";")[0]).lower()
    if "general" in code:
        return ""
    if "[" in code:
        return "duration"
    has_time = "h" in code or "s" in code
    # "m" is a month without hours or seconds beside it, else minutes.
    has_date = "y" in code or "d" in code or ("m" in code and not has_time)
    return "date time" if has_date and has_time else "date" if has_date else "time" if has_time else ""


def number_text(value: str, kind: str, from_1904: bool) -> str:
    """Format a number as people read it: at most 15 digits, dates and times as ISO 8601."""
    try:
        number = float(value)
    except ValueError:
        return value
    if not math.isfinite(number):
        return value
    if kind:
        return _format_moment(number, kind, from_1904) or value
    # 15 digits are what Excel keeps.
    return value if value.lstrip("-").isdecimal() else f"{number:.15g}"


def _format_moment(days: float, kind: str, from_1904: bool) -> str:
    seconds = round(days * 86400)
    if kind == "duration" or days < 0 or (kind == "time" and days >= 1):
        hours, rest = divmod(abs(seconds), 3600)
        return f"{'-' * (seconds < 0)}{hours}:{rest // 60:02}:{rest % 60:02}"
    # Excel's 1900 has a 29th of February, for the sake of Lotus 1-2-3.
    # Day 60 is that 29th of February, so later days count from a day earlier.
    start = datetime(1904, 1, 1) if from_1904 else datetime(1899, 12, 30 if days >= 60 else 31)
    try:
        moment = start + timedelta(seconds=seconds)
    except OverflowError:
        return ""
    if kind == "time" or days < 1:
        return moment.time().isoformat()
    return moment.date().isoformat() if seconds % 86400 == 0 else moment.isoformat(sep=" ")
