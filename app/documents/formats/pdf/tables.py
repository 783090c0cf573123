"""Tables among rows of cells: the same gutters in three rows or more, with short cells between them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from statistics import median

from app.documents.formats.pdf.text import Line, Table

LEAST_ROWS = 3
MOST_CELL_CHARS = 40
MOST_MONO = 0.8
LEAST_COLUMNS_OF_DOTS = 4
_MARK = re.compile(r"[•‣◦▪■●○–—*·-]|\(?\w{1,3}[.)]")
_LEADER = re.compile(r"(\. ?){4,}|…")


def table_of(rows: list[list[Line]], gutters: Sequence[tuple[float, float]]) -> list[Table | list[Line]]:
    """A band of rows as a table with what is above and below it, or as its lines where it is not surely a table."""
    full = [number for number, row in enumerate(rows) if len(row) > 1]
    lines = [line for row in rows for line in row]
    # What has letters of fixed width is what a program was given or wrote, with the gaps that it had.
    if len(full) < LEAST_ROWS or sum(line.is_mono for line in lines) > MOST_MONO * len(lines):
        return [lines]
    inside = rows[full[0] : full[-1] + 1]
    cells = [_cells(row, gutters) for row in inside]
    if not _is_table(cells):
        return [lines]
    above = [line for row in rows[: full[0]] for line in row]
    below = [line for row in rows[full[-1] + 1 :] for line in row]
    parts: list[Table | list[Line]] = [above] if above else []
    parts.append(Table(cells))
    return [*parts, below] if below else parts


def _cells(row: list[Line], gutters: Sequence[tuple[float, float]]) -> list[list[Line]]:
    cells: list[list[Line]] = [[] for _ in range(len(gutters) + 1)]
    for line in row:
        centre = (line.left + line.right) / 2
        cells[sum(centre > (left + right) / 2 for left, right in gutters)].append(line)
    return cells


def _is_table(rows: list[list[list[Line]]]) -> bool:
    texts = [[" ".join(line.text for line in cell) for cell in row] for row in rows]
    filled = [[text for text in row if text] for row in texts]
    if sum(len(row) > 1 for row in filled) < max(LEAST_ROWS, 0.7 * len(rows)):
        return False
    lengths = [len(text) for row in filled for text in row]
    # Dots before a single number are those of a table of contents.
    has_leader = len(texts[0]) < LEAST_COLUMNS_OF_DOTS and any(_LEADER.search(text) for row in filled for text in row)
    if has_leader or median(lengths) > MOST_CELL_CHARS:
        return False
    firsts = [row[0] for row in texts if row[0]]
    if firsts and all(_MARK.fullmatch(text) for text in firsts) and not all(text.isdigit() for text in firsts):
        return False
    if len(texts[0]) == 2:
        return max(len(row[0]) for row in texts) <= MOST_CELL_CHARS and median(len(row[1]) for row in texts) <= 30
    return True
