"""Tables in plain text: cells that are language; delimiters and quotes stay, a cell is quoted only if it must be."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import BinaryIO, NamedTuple

from app.documents.formats.catalogs.csv_table import MOST_CHARACTERS, SAMPLE_LINES, SAYS_DELIMITER, likely_delimiter
from app.documents.formats.catalogs.prose import is_prose
from app.documents.formats.catalogs.values import shown_value
from app.documents.formats.plain.text_file import TextFile
from app.documents.segments import SegmentKind
from app.documents.source import Source
from app.documents.visits import Target, Visit, Visits

_LINE_END = re.compile(r"\r\n|\r|\n")
_QUOTED = re.compile(r'"((?:[^"]|"")*+)"')


class Cell(NamedTuple):
    """A cell: where it is with its quotes, in which column, its value."""

    start: int
    end: int
    column: int
    row: int
    value: str
    is_quoted: bool


def rewrite(source: Source, out: BinaryIO | None, visit: Visit, target: Target | None) -> None:  # noqa: ARG001 - it has no place for a language
    """The names of the columns too; they are the context of what is below them."""
    file, visits = TextFile(source), Visits(visit)
    delimiter, start = _delimiter(file.text)
    names: dict[int, str] = {}
    for cell in cells(file.text, delimiter, start):
        if cell.row == 0:
            names[cell.column] = " ".join(cell.value.split())
        if not is_prose(cell.value):
            continue
        context = names.get(cell.column, "") if cell.row else ""
        new = shown_value(cell.value, visits, context, SegmentKind.CELL)
        if new is not None:
            file.replace(cell.start, cell.end, _written(new, cell, delimiter))
    if out is not None:
        file.write(out, new_mark=True)


def _delimiter(text: str) -> tuple[str, int]:
    """What divides the cells, and where the rows begin."""
    first = _LINE_END.search(text)
    end = first.start() if first is not None else len(text)
    said = SAYS_DELIMITER.fullmatch(text[:end])
    if said is not None:
        return said[1], end
    lines = text[: SAMPLE_LINES * 1000].splitlines(keepends=True)[:SAMPLE_LINES]
    return likely_delimiter("".join(line[:MOST_CHARACTERS] for line in lines)), 0


def cells(text: str, delimiter: str, start: int) -> Iterator[Cell]:
    """All cells in order. A quote that is never closed is a character like others."""
    border = re.compile(f"{re.escape(delimiter)}|\r\n|\r|\n")
    at, row, column, is_filled = start, 0, 0, False
    last_quote = text.rfind('"')
    while at < len(text):
        quoted = _QUOTED.match(text, at) if text[at] == '"' and at < last_quote else None
        behind = quoted.end() if quoted is not None else at
        found = border.search(text, behind)
        end = found.start() if found is not None else len(text)
        value = text[at:end] if quoted is None else quoted[1].replace('""', '"') + text[behind:end]
        if value:
            yield Cell(at, end, column, row, value, quoted is not None)
            is_filled = True
        at = found.end() if found is not None else end
        if found is not None and found[0] == delimiter:
            column += 1
        else:
            row, column, is_filled = row + is_filled, 0, False


def _written(new: str, cell: Cell, delimiter: str) -> str:
    if delimiter == "\t" and not cell.is_quoted:
        return re.sub(r"[\t\r\n]+", " ", new)
    must = any(each in new for each in (delimiter, '"', "\n", "\r"))
    return '"' + new.replace('"', '""') + '"' if cell.is_quoted or must else new
