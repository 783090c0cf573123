"""Cells of an OpenDocument spreadsheet, row by row, packed or flat, so that a sheet costs what it holds.

Read by hand since python-calamine stops at white space between cells, and gives neither errors nor comments.
Source: OpenDocument 1.2 part 1, 9 (tables) and 19.385 (value types).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import BinaryIO, NamedTuple

from app.core.lazy_dataclasses import dataclass
from app.documents.blocks import BlockKind, BlockPiece
from app.documents.formats.markup.xml_tree import Element, ElementPlaces, stream_blocks, tags
from app.documents.formats.opendocument.odf_paragraphs import OdfParagraphWords
from app.documents.formats.opendocument.read_odf import (
    CELL,
    COLUMNS_REPEATED,
    COVERED,
    LEFT_OUT,
    ROW,
    TABLE_TAG,
    OdfBlocks,
)
from app.documents.formats.opendocument.styles import (
    OFFICE,
    PARAGRAPHS,
    STYLE,
    TABLE,
    OpenDocumentStyles,
    parse_whole,
    title_in,
)
from app.documents.source import FileSource

_MOST_COLUMNS = 16_384  # a sheet's width in Calc and Excel
_SHEET_CONTAINERS = frozenset(
    tags(OFFICE, "document document-content body spreadsheet")
    + tags(TABLE, "table table-rows table-header-rows table-row-group")
)
_ROWS_REPEATED = f"{TABLE}number-rows-repeated"
_TYPE, _VALUE = f"{OFFICE}value-type", f"{OFFICE}value"
_DURATION = re.compile(r"PT(\d{1,9})H(\d{1,2})M(\d{1,2})(?:[.,]\d+)?S")
_ERROR = re.compile(r"#[A-Z]|Err:\d")


@dataclass
class OpenDocumentSheet:
    """A sheet. `rows` counts up to the last with content."""

    name: str
    is_hidden: bool
    rows: int = 0


class RepeatedRows(NamedTuple):
    """Equal consecutive rows, and the notes and drawings next to their cells.

    `sheet` and `number` count from 0, `cells` are by column from 0.
    """

    sheet: int
    number: int
    times: int
    cells: dict[int, str]
    beside: list[BlockPiece]


class OdfSpreadsheet:
    """A spreadsheet, read twice: for its sheets, then their content. `open_` reopens its XML.

    All methods raise DocumentUnreadable.
    """

    def __init__(self, open_: Callable[[], BinaryIO], source: FileSource) -> None:
        self._open = open_
        self._source = source
        self.title = ""
        self.pictures = 0
        self.sheets: list[OpenDocumentSheet] = []
        # The sheets are told before any row, so all of the file is gone through once more.
        self._look_through()

    def _look_through(self) -> None:
        hidden: set[str] = set()
        with self._open() as stream:
            at = -1
            for index, element in self._sheet_elements(stream):
                if index < 0:
                    hidden |= _hidden_styles(element)
                    self.title = title_in(element) if element.tag == f"{OFFICE}meta" else self.title
                    continue
                if index > at:
                    table = next(element.iterancestors(TABLE_TAG))
                    style = table.get(f"{TABLE}style-name", "")
                    self.sheets.append(OpenDocumentSheet(table.get(f"{TABLE}name", ""), style in hidden))
                    at, number = index, 0
                if element.tag == ROW:
                    number += max(1, parse_whole(element.get(_ROWS_REPEATED)))
                    # Rows behind the last with content are only formatting.
                    if any(len(cell) or cell.get(_TYPE) for cell in element.iterchildren(CELL, COVERED)):
                        self.sheets[-1].rows = number

    def found(self) -> Iterator[RepeatedRows]:
        """Yield the rows with content in order, at least one per sheet."""
        styles = OpenDocumentStyles()
        blocks = OdfBlocks(styles, lambda _: "")
        with self._open() as stream:
            at, number = -1, 0
            for index, element in self._sheet_elements(stream):
                if index < 0:
                    if element.tag in (f"{OFFICE}automatic-styles", f"{OFFICE}styles"):
                        styles.add(element)
                    continue
                if index > at:
                    at, number = index, 0
                    yield RepeatedRows(index, 0, 1, {}, [])
                row = _OdfRow(element, styles, blocks)
                times = max(1, parse_whole(element.get(_ROWS_REPEATED))) if element.tag == ROW else 0
                if row.cells or row.beside:
                    # Rows without content cost nothing but their number.
                    yield RepeatedRows(index, number, times, row.cells, row.beside)
                number += times
        self.pictures = blocks.pictures

    def _sheet_elements(self, stream: BinaryIO) -> Iterator[tuple[int, Element]]:
        """Yield elements with their sheet's number; -1 outside of sheets."""
        count, last, parent, index = 0, None, None, -1
        for _, _, element in stream_blocks(stream, self._source, _SHEET_CONTAINERS):
            if element.getparent() is not parent:
                parent = element.getparent()
                table = parent if parent.tag == TABLE_TAG else next(parent.iterancestors(TABLE_TAG), None)
                # A sheet within a sheet (a subtable) has no number of its own.
                if table is not None and table is not last:
                    count, last = count + 1, table
                index = count - 1 if table is not None else -1
            yield index, element


class _OdfRow:
    """Cells of one row, or the drawings of a sheet."""

    def __init__(self, element: Element, styles: OpenDocumentStyles, blocks: OdfBlocks) -> None:
        self.cells: dict[int, str] = {}
        self.beside: list[BlockPiece] = []
        self._styles = styles
        self._blocks = blocks
        self._places = ElementPlaces("", element)
        if element.tag != ROW:
            self.beside += blocks.read(element, self._places)
            return
        column = 0
        for cell in element.iterchildren(CELL, COVERED):
            times = max(1, parse_whole(cell.get(COLUMNS_REPEATED)))
            # `value-type` alone counts: a cell may have a value and no paragraph.
            if (len(cell) or cell.get(_TYPE)) and column < _MOST_COLUMNS:
                text = self._text(cell)
                if text:
                    self.cells |= dict.fromkeys(range(column, min(column + times, _MOST_COLUMNS)), text)
            column += times

    def _text(self, cell: Element) -> str:
        texts = []
        for child in cell:
            if child.tag in PARAGRAPHS:
                words = OdfParagraphWords(self._styles, lambda _: "").read(child)
                texts.append(words.text)
                self.beside += self._blocks.followed(words, self._places) if words.has_followers else ()
            elif child.tag == f"{OFFICE}annotation":
                self.beside += self._blocks.gathered(child, self._places, BlockKind.NOTE, "comment")
            elif child.tag not in LEFT_OUT or child.tag.endswith("}image"):
                self.beside += self._blocks.read(child, self._places)
        shown = "\n".join(texts).strip()
        # An error is what the cell shows; its value would be 0.
        return shown if _ERROR.match(shown) else _cell_value(cell, shown)


def _cell_value(cell: Element, shown: str) -> str:
    """Return what is in a cell rather than how it is shown: all of a number's digits, a date as ISO 8601 has it."""
    match cell.get(_TYPE):
        case "float" | "currency" | "percentage":
            return _format_number(cell.get(_VALUE, "")) or shown
        case "date":
            value = cell.get(f"{OFFICE}date-value", "").replace("T", " ").removesuffix(" 00:00:00")
            return value or shown
        case "time":
            duration = _DURATION.fullmatch(cell.get(f"{OFFICE}time-value", ""))
            return f"{int(duration[1]):02}:{duration[2]:0>2}:{duration[3]:0>2}" if duration else shown
        case "boolean":
            return cell.get(f"{OFFICE}boolean-value", "").upper() or shown
        case _:
            return shown or cell.get(f"{OFFICE}string-value", "").strip()


def _format_number(value: str) -> str:
    try:
        number = float(value)
    except ValueError:
        return ""
    # 15 digits are what a double keeps; a whole number needs no point.
    return str(int(number)) if number.is_integer() and abs(number) < 1e15 else f"{number:.15g}"


def _hidden_styles(element: Element) -> set[str]:
    return {
        style.getparent().get(f"{STYLE}name", "")
        for style in element.iter(f"{STYLE}table-properties")
        if style.get(f"{TABLE}display") == "false"
    }
