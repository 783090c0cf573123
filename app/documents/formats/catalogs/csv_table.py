"""Tables in plain text: values divided by commas, semicolons, tabs or bars, read as a stream.

A place is in characters of the decoded text. A piece has at most `ROWS` rows; its label says which, counted from 1.
"""

from __future__ import annotations

import csv
import io
import re
import sys
from collections.abc import Iterator
from typing import BinaryIO, NamedTuple

from app.documents.blocks import BlockKind, BlockPiece, BlockPlace, table_text
from app.documents.encoding import after_the_text, lines, stream
from app.documents.formats.catalogs.values import is_prose, shown_value
from app.documents.segments import SegmentKind
from app.documents.source import FileSource, Item, Opened, SegmentVisits, TargetLanguage, Visit
from app.documents.text_file import TextFile

ROWS = 100
MOST_CHARACTERS = 100_000
"""Limit of a piece; rows with long cells make smaller pieces."""
DELIMITERS = (",", ";", "\t", "|")
SAMPLE_LINES = 100
SAYS_DELIMITER = re.compile(r"\s*\"?sep=(.)\"?\s*", re.IGNORECASE)


def read(source: FileSource) -> Iterator[Item]:
    """Yield the rows as they are, ragged ones too; empty rows are left out."""
    # The usual limit is 131,072 characters, over which csv fails; on Windows a long has 32 bits.
    csv.field_size_limit(min(sys.maxsize, 2**31 - 1))
    with source.path.open("rb") as file:
        text = stream(file, source.encoding)
        yield Opened(encoding=text.encoding)
        rows = _CsvRows(lines(text, sys.maxsize))
        yield from _iterate_pieces(rows)
        yield from after_the_text(text.encoding, text.odd_bytes + rows.nuls)


class _CsvRows:
    """Rows with the number and the place of each."""

    def __init__(self, all_lines: Iterator[tuple[int, str, int]]) -> None:
        self._lines = all_lines
        self._ahead: list[tuple[int, str, int]] = []
        self._end = 0
        self.nuls = 0

    def __iter__(self) -> Iterator[tuple[int, int, int, list[str]]]:
        delimiter = self._delimiter()
        start = self._end
        for number, row in enumerate(csv.reader(self._record_texts(), delimiter=delimiter), 1):
            yield number, start, self._end, row
            start = self._end

    def _record_texts(self) -> Iterator[str]:
        while self._ahead:
            yield self._record_text(self._ahead.pop(0))
        for line in self._lines:
            yield self._record_text(line)

    def _record_text(self, line: tuple[int, str, int]) -> str:
        start, text, _ = line
        self._end = start + len(text)
        self.nuls += text.count("\0")
        text = text.replace("\0", "")
        return text[:-1] + "\n" if text.endswith("\r") else text

    def _delimiter(self) -> str:
        """Return the one that divides the first rows most evenly, or that a line before them names."""
        # The first rows are looked at, then given to the reader with all others: the file is a stream.
        for line in self._lines:
            self._ahead.append(line)
            if len(self._ahead) >= SAMPLE_LINES:
                break
        if self._ahead and (said := SAYS_DELIMITER.fullmatch(self._ahead[0][1])) is not None:
            self._record_text(self._ahead.pop(0))
            return said[1]
        return likely_delimiter("".join(text[:MOST_CHARACTERS] for _, text, _ in self._ahead))


def likely_delimiter(sample: str) -> str:
    """Return what divides the rows of a sample most evenly."""
    sample = sample.replace("\0", "")
    return max(DELIMITERS, key=lambda delimiter: _evenness(sample, delimiter))


def _evenness(sample: str, delimiter: str) -> tuple[float, int]:
    """Return the share of rows with the most common number of cells (above one), and that number."""
    try:
        widths = [len(row) for row in csv.reader(io.StringIO(sample, newline=""), delimiter=delimiter) if row]
    except csv.Error:
        return 0.0, 0
    # One cell a row is what any delimiter gives that does not occur.
    commonest = max(set(widths), key=widths.count, default=0)
    return (widths.count(commonest) / len(widths), commonest) if commonest > 1 else (0.0, 0)


def _iterate_pieces(rows: _CsvRows) -> Iterator[BlockPiece]:
    waiting: list[list[str]] = []
    first = last = start = end = size = 0
    for number, row_start, row_end, row in rows:
        if not any(cell.strip() for cell in row):
            continue
        if not waiting:
            first, start = number, row_start
        waiting.append(row)
        last, end = number, row_end
        size += sum(map(len, row))
        if len(waiting) >= ROWS or size > MOST_CHARACTERS:
            yield _make_piece(waiting, first, last, start, end)
            waiting, size = [], 0
    if waiting:
        yield _make_piece(waiting, first, last, start, end)


def _make_piece(rows: list[list[str]], first: int, last: int, start: int, end: int) -> BlockPiece:
    label = f"rows {first}-{last}" if last > first else f"row {first}"
    return BlockPiece(BlockKind.TABLE, table_text(rows), place=BlockPlace("", start, end), label=label)


_LINE_END = re.compile(r"\r\n|\r|\n")
# Possessive: without it an unclosed quote in a large file is looked for from every place.
_QUOTED = re.compile(r'"((?:[^"]|"")*+)"')


class CsvCell(NamedTuple):
    """A cell: where it is with its quotes, in which column, its value."""

    start: int
    end: int
    column: int
    row: int
    value: str
    is_quoted: bool


def rewrite(source: FileSource, out: BinaryIO | None, visit: Visit, target: TargetLanguage | None) -> None:  # noqa: ARG001 - it has no place for a language
    """Rewrite cells, column names included; these are the context of the cells below."""
    file, visits = TextFile(source), SegmentVisits(visit)
    delimiter, start = _delimiter(file.text)
    names: dict[int, str] = {}
    for cell in cells(file.text, delimiter, start):
        # The first row with cells names the columns, whether it is a header or not; a name too many does no harm.
        if cell.row == 0:
            names[cell.column] = " ".join(cell.value.split())
        if not is_prose(cell.value):
            continue
        context = names.get(cell.column, "") if cell.row else ""
        new = shown_value(cell.value, visits, context, SegmentKind.CELL)
        if new is not None:
            file.replace(cell.start, cell.end, _quote_cell(new, cell, delimiter))
    if out is not None:
        # Excel takes a file without a mark for the system's code page.
        file.write(out, new_mark=True)


def _delimiter(text: str) -> tuple[str, int]:
    """Return what divides the cells, and where the rows begin."""
    first = _LINE_END.search(text)
    end = first.start() if first is not None else len(text)
    # Excel's own line; it has to stay in front and is no cell.
    said = SAYS_DELIMITER.fullmatch(text[:end])
    if said is not None:
        return said[1], end
    lines = text[: SAMPLE_LINES * 1000].splitlines(keepends=True)[:SAMPLE_LINES]
    return likely_delimiter("".join(line[:MOST_CHARACTERS] for line in lines)), 0


def cells(text: str, delimiter: str, start: int) -> Iterator[CsvCell]:
    """Yield all cells in order. An unclosed quote counts as an ordinary character."""
    border = re.compile(f"{re.escape(delimiter)}|\r\n|\r|\n")
    at, row, column, is_filled = start, 0, 0, False
    last_quote = text.rfind('"')
    while at < len(text):
        # Only the last quote can't be an opening one, and looking for its end would go through all of the rest.
        quoted = _QUOTED.match(text, at) if text[at] == '"' and at < last_quote else None
        behind = quoted.end() if quoted is not None else at
        found = border.search(text, behind)
        end = found.start() if found is not None else len(text)
        value = text[at:end] if quoted is None else quoted[1].replace('""', '"') + text[behind:end]
        if value:
            yield CsvCell(at, end, column, row, value, quoted is not None)
            is_filled = True
        at = found.end() if found is not None else end
        if found is not None and found[0] == delimiter:
            column += 1
        else:
            row, column, is_filled = row + is_filled, 0, False


def _quote_cell(new: str, cell: CsvCell, delimiter: str) -> str:
    # A file of tabs has no quotes in most programs, so what would need them becomes a space.
    if delimiter == "\t" and not cell.is_quoted:
        return re.sub(r"[\t\r\n]+", " ", new)
    # Quoted as before, or where the new text holds what divides cells (RFC 4180, 2.6).
    must = any(text in new for text in (delimiter, '"', "\n", "\r"))
    return '"' + new.replace('"', '""') + '"' if cell.is_quoted or must else new
