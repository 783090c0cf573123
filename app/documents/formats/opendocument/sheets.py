"""The cells of an OpenDocument spreadsheet, row by row, packed or flat, so that a sheet costs what it holds.

Read by hand since python-calamine stops at white space between cells, and gives neither errors nor comments.
Source: OpenDocument 1.2 part 1, 9 (tables) and 19.385 (value types).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import BinaryIO, NamedTuple

from app.documents.blocks import Kind, Piece
from app.documents.formats.markup.xml_tree import Element, Places, stream_blocks, tags
from app.documents.formats.opendocument.reading import LEFT_OUT, Blocks, Words
from app.documents.formats.opendocument.styles import OFFICE, PARAGRAPHS, STYLE, TABLE, Styles, title_in, whole
from app.documents.source import Source

_MOST_COLUMNS = 16_384
_TABLE, _ROW = f"{TABLE}table", f"{TABLE}table-row"
_CELLS = (f"{TABLE}table-cell", f"{TABLE}covered-table-cell")
_CONTAINERS = frozenset(
    tags(OFFICE, "document document-content body spreadsheet")
    + tags(TABLE, "table table-rows table-header-rows table-row-group")
)
_COLUMNS_REPEATED, _ROWS_REPEATED = f"{TABLE}number-columns-repeated", f"{TABLE}number-rows-repeated"
_TYPE, _VALUE = f"{OFFICE}value-type", f"{OFFICE}value"
_DURATION = re.compile(r"PT(\d{1,9})H(\d{1,2})M(\d{1,2})(?:[.,]\d+)?S")
_ERROR = re.compile(r"#[A-Z]|Err:\d")


@dataclass
class Sheet:
    """One of the sheets. `rows` counts those up to the last that has cells with something in them."""

    name: str
    is_hidden: bool
    rows: int = 0


class Found(NamedTuple):
    """Rows that say the same, one after the other, and the notes and drawings beside their cells.

    `sheet` and `number` count from 0, `cells` are by column from 0.
    """

    sheet: int
    number: int
    times: int
    cells: dict[int, str]
    beside: list[Piece]


class Spreadsheet:
    """A spreadsheet that is read twice: for its sheets, and for what they hold. `open_` gives its XML anew.

    All methods raise DocumentUnreadable.
    """

    def __init__(self, open_: Callable[[], BinaryIO], source: Source) -> None:
        self._open = open_
        self._source = source
        self.title = ""
        self.pictures = 0
        self.sheets: list[Sheet] = []
        self._look_through()

    def _look_through(self) -> None:
        hidden: set[str] = set()
        with self._open() as stream:
            at = -1
            for index, element in self._elements(stream):
                if index < 0:
                    hidden |= _hidden_styles(element)
                    self.title = title_in(element) if element.tag == f"{OFFICE}meta" else self.title
                    continue
                if index > at:
                    table = next(element.iterancestors(_TABLE))
                    style = table.get(f"{TABLE}style-name", "")
                    self.sheets.append(Sheet(table.get(f"{TABLE}name", ""), style in hidden))
                    at, number = index, 0
                if element.tag == _ROW:
                    number += max(1, whole(element.get(_ROWS_REPEATED)))
                    if any(len(cell) or cell.get(_TYPE) for cell in element.iterchildren(*_CELLS)):
                        self.sheets[-1].rows = number

    def found(self) -> Iterator[Found]:
        """Everything in the sheets in order; at least one of each sheet, and of rows only those with something."""
        styles = Styles()
        blocks = Blocks(styles, lambda _: "")
        with self._open() as stream:
            at, number = -1, 0
            for index, element in self._elements(stream):
                if index < 0:
                    if element.tag in (f"{OFFICE}automatic-styles", f"{OFFICE}styles"):
                        styles.add(element)
                    continue
                if index > at:
                    at, number = index, 0
                    yield Found(index, 0, 1, {}, [])
                row = _Row(element, styles, blocks)
                times = max(1, whole(element.get(_ROWS_REPEATED))) if element.tag == _ROW else 0
                if row.cells or row.beside:
                    yield Found(index, number, times, row.cells, row.beside)
                number += times
        self.pictures = blocks.pictures

    def _elements(self, stream: BinaryIO) -> Iterator[tuple[int, Element]]:
        """What is in the sheets, with their numbers; -1 for what is elsewhere."""
        count, last, parent, index = 0, None, None, -1
        for _, _, element in stream_blocks(stream, self._source, _CONTAINERS):
            if element.getparent() is not parent:
                parent = element.getparent()
                table = parent if parent.tag == _TABLE else next(parent.iterancestors(_TABLE), None)
                if table is not None and table is not last:
                    count, last = count + 1, table
                index = count - 1 if table is not None else -1
            yield index, element


class _Row:
    """One row's cells, or what stands beside the rows of a sheet: its drawings."""

    def __init__(self, element: Element, styles: Styles, blocks: Blocks) -> None:
        self.cells: dict[int, str] = {}
        self.beside: list[Piece] = []
        self._styles = styles
        self._blocks = blocks
        self._places = Places("", element)
        if element.tag != _ROW:
            self.beside += blocks.read(element, self._places)
            return
        column = 0
        for cell in element.iterchildren(*_CELLS):
            times = max(1, whole(cell.get(_COLUMNS_REPEATED)))
            if (len(cell) or cell.get(_TYPE)) and column < _MOST_COLUMNS:
                text = self._text(cell)
                if text:
                    self.cells |= dict.fromkeys(range(column, min(column + times, _MOST_COLUMNS)), text)
            column += times

    def _text(self, cell: Element) -> str:
        texts = []
        for child in cell:
            if child.tag in PARAGRAPHS:
                words = Words(self._styles, lambda _: "").read(child)
                texts.append(words.text)
                self.beside += self._blocks.followed(words, self._places) if words.has_followers else ()
            elif child.tag == f"{OFFICE}annotation":
                self.beside += self._blocks.gathered(child, self._places, Kind.NOTE, "comment")
            elif child.tag not in LEFT_OUT or child.tag.endswith("}image"):
                self.beside += self._blocks.read(child, self._places)
        shown = "\n".join(texts).strip()
        return shown if _ERROR.match(shown) else _value(cell, shown)


def _value(cell: Element, shown: str) -> str:
    """What is in a cell rather than how it is shown: all of a number's digits, a date as ISO 8601 has it."""
    match cell.get(_TYPE):
        case "float" | "currency" | "percentage":
            return _number(cell.get(_VALUE, "")) or shown
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


def _number(value: str) -> str:
    try:
        number = float(value)
    except ValueError:
        return ""
    return str(int(number)) if number.is_integer() and abs(number) < 1e15 else f"{number:.15g}"


def _hidden_styles(element: Element) -> set[str]:
    return {
        style.getparent().get(f"{STYLE}name", "")
        for style in element.iter(f"{STYLE}table-properties")
        if style.get(f"{TABLE}display") == "false"
    }
