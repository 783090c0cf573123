"""Ruled tables of a PDF page: lines of text inside grids, or between horizontal rules."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from itertools import pairwise
from statistics import median

from app.documents.formats.pdf.layout import MOST_CELL_CHARS, are_text, gutters_of, rows_apart
from app.documents.formats.pdf.page_text import PdfLine, PdfTable
from app.documents.formats.pdf.ruled_lines import PageRulings, RuledGrid, RuledLine, covered, near

MOST_CHARS_IN_CELLS = 500
"""Most characters in a table's cells, as a rule: with more, the grid is a frame around text."""
LEAST_FILLED = 0.4
LEAST_DRAWN = 0.6
MOST_CELLS = 5000
MOST_RULES_OF_OPEN_ROWS = 3
MOST_RULES_OF_A_TABLE = 40
SAME_EXTENT = 4.0
LEAST_FIGURES = 4
"""Rows of numbers, from which on they are rows without a line between them."""
LEAST_GUTTER_OF_FIGURES = 0.3
STANDING = "…" * 30
"""Text of a line that represents a table in the layout: long, and never a cell's."""

_MARK = re.compile(r"[•‣◦▪■●○–—*·-]|\(?\w{1,3}[.):]")
_LEADER = re.compile(r"(\. ?){4,}")

FIGURE = re.compile(
    r"[($£€]?\s?[-–—−+±]?\s?\d[\d.,\s]*[%)*]{0,2}|[-–—−.…]+|\(?[xX]\)|[xX]|\(?(?:NA|N/A|n\.a\.)\)?|[*†‡]+"
)
"""A number in a table, or a placeholder for none."""

_Cells = list[list[list[PdfLine]]]


def with_tables(lines: list[PdfLine], rulings: PageRulings) -> list[PdfLine]:
    """Replace lines inside ruled tables by one line for each table."""
    for grid in rulings.grids:
        # Lines that stand for another table already are not looked at again.
        inside = [line for line in lines if _is_inside(line, grid)]
        rows = _grid_rows(inside, grid) if len(inside) > 2 else []
        if rows:
            edges = grid.xs[0], grid.ys[0], grid.xs[-1], grid.ys[-1]
            lines = _replace_table(lines, inside, PdfTable(rows), edges)
    for run in _same_extent(rulings.across):
        lines = _with_open_tables(lines, run)
    return lines


def _is_inside(line: PdfLine, grid: RuledGrid) -> bool:
    middle = line.base - 0.3 * line.size
    centre = (line.left + line.right) / 2
    return (
        not line.is_turned
        and grid.ys[0] < middle < grid.ys[-1]
        and grid.xs[0] < centre < grid.xs[-1]
        and not line.table
    )


def _replace_table(
    lines: list[PdfLine], inside: list[PdfLine], table: PdfTable, edges: tuple[float, float, float, float]
) -> list[PdfLine]:
    """Return lines as of a paragraph that fills the table's place, so that the layout keeps it in its column."""
    left, top, right, bottom = edges
    left, right = min([left, *(line.left for line in inside)]), max([right, *(line.right for line in inside)])
    size = median(line.size for line in inside)
    gone = {id(line) for line in inside}
    count = max(int((bottom - top) / (1.2 * size)), 1)
    step = (bottom - top) / count
    places = (top + number * step for number in range(count))
    standing = [
        PdfLine(inside[0].page, STANDING, left, y, right, y + size, y + 0.8 * size, size, table=table) for y in places
    ]
    return [line for line in lines if id(line) not in gone] + standing


def _grid_rows(lines: list[PdfLine], grid: RuledGrid) -> _Cells:
    """Return the lines in the cells of a grid; none where it is not a table."""
    rows, columns = len(grid.ys) - 1, len(grid.xs) - 1
    if rows < 2 or columns < 2 or rows * columns > MOST_CELLS or not _is_regular(grid):
        return []
    heads = _joined_cells(grid, rows, columns)
    cells: _Cells = [[[] for _ in range(columns)] for _ in range(rows)]
    across = 0
    for line in lines:
        middle = line.base - 0.3 * line.size
        row = sum(middle > y for y in grid.ys[1:-1])
        column = sum((line.left + line.right) / 2 > x for x in grid.xs[1:-1])
        first, last = heads[row][column]
        # A joined cell has all its lines in the first of its parts.
        cells[first][last].append(line)
        drawn = (rule.at for rule in grid.down if rule.start < middle < rule.end)
        across += any(line.left + line.size < x < line.right - line.size for x in drawn)
    filled = [cell for row in cells for cell in row if cell]
    regions = len({head for row_heads in heads for head in row_heads})
    # Lines that go over drawn rules: the grid is something else than the text's.
    if across > 0.1 * len(lines) or not _holds_a_table(cells, filled, regions):
        return []
    rights, are_open = _right_limits(cells, grid.xs), len(grid.across) <= MOST_RULES_OF_OPEN_ROWS
    opened = [_open_rows(cell, rights) if are_open or _are_rows_of_figures(cell) else [cell] for cell in cells]
    found = _without_empty([row for rows in opened for row in rows], grid.xs)
    longest = max(opened, key=len)
    return _with_columns_divided(_with_labels_whole(found)) if len(longest) >= LEAST_FIGURES else found


def _is_regular(grid: RuledGrid) -> bool:
    """Return whether most lines go over most of the grid: in a diagram, each box has its own. Open sides have none."""
    left, right, top, bottom = grid.xs[0], grid.xs[-1], grid.ys[0], grid.ys[-1]
    across = median(covered(grid.across, y, left, right) for y in grid.ys if near(grid.across, y))
    down = median(covered(grid.down, x, top, bottom) for x in grid.xs if near(grid.down, x))
    return across >= LEAST_DRAWN and down >= LEAST_DRAWN


def _holds_a_table(cells: _Cells, filled: list[list[PdfLine]], regions: int) -> bool:
    rows = sum(any(row) for row in cells)
    columns = sum(any(row[number] for row in cells) for number in range(len(cells[0])))
    if rows < 2 or columns < 2 or len(filled) < 3 or len(filled) < LEAST_FILLED * regions:
        return False
    if not any(sum(map(bool, row)) > 1 for row in cells):
        return False
    return median(sum(len(line.text) for line in cell) for cell in filled) < MOST_CHARS_IN_CELLS


def _joined_cells(grid: RuledGrid, rows: int, columns: int) -> list[list[tuple[int, int]]]:
    """Return for each cell the first one (row, column) that no line separates it from."""
    heads = [[(row, column) for column in range(columns)] for row in range(rows)]
    down = [near(grid.down, x) for x in grid.xs]
    across = [near(grid.across, y) for y in grid.ys]
    for row in range(rows):
        top, bottom = grid.ys[row], grid.ys[row + 1]
        for column in range(columns):
            left, right = grid.xs[column], grid.xs[column + 1]
            if row and covered(across[row], top, left, right) < LEAST_DRAWN:
                heads[row][column] = heads[row - 1][column]
            elif column and covered(down[column], left, top, bottom) < LEAST_DRAWN:
                heads[row][column] = heads[row][column - 1]
    return heads


def _without_empty(cells: _Cells, xs: list[float]) -> _Cells:
    """Drop empty rows and empty narrow columns: the space between double lines."""
    kept = [
        # A narrow column is the space between double rules.
        number
        for number in range(len(xs) - 1)
        if any(row[number] for row in cells) or xs[number + 1] - xs[number] > 10
    ]
    found = [
        [[line for row_lines in rows_apart(row[number]) for line in row_lines] for number in kept] for row in cells
    ]
    return [row for row in found if any(row)]


def _open_rows(cells: list[list[PdfLine]], rights: Sequence[float]) -> _Cells:
    """Return rows without rules between them; a row continues below only if each of its cells was full.

    `rights` is how far each column's text may extend.
    """
    baselines = rows_apart([line for cell in cells for line in cell])
    if len(baselines) < 3 or sum(len(row) > 1 for row in baselines) < 3:
        return [cells]
    where = {id(line): number for number, cell in enumerate(cells) for line in cell}
    found: _Cells = []
    for baseline in baselines:
        places = [(line, where[id(line)]) for line in baseline]
        wrapped = found and sum(_is_wrapped(found[-1][number], line, rights[number]) for line, number in places)
        # A row goes on below only if all of its cells were full, or most of several.
        if not wrapped or 2 * wrapped <= len(places) != wrapped:
            found.append([[] for _ in cells])
        for line, number in places:
            found[-1][number].append(line)
    return found if len(found) >= 0.5 * len(baselines) else [cells]


def _are_rows_of_figures(cells: list[list[PdfLine]]) -> bool:
    """Return whether there are rows of numbers below each other, which no line divides."""
    rows = rows_apart([line for cell in cells for line in cell])
    return sum(sum(bool(FIGURE.fullmatch(line.text)) for line in row) > 1 for row in rows) >= LEAST_FIGURES


def _with_labels_whole(rows: _Cells) -> _Cells:
    """Join labels that continue in the row below: "Offenses against the family and / children"."""
    found: _Cells = []
    for row in rows:
        before = found[-1] if found else []
        is_label_only = bool(before) and bool(before[0]) and not any(before[1:])
        # A label with dots behind it is complete.
        if is_label_only and row[0] and row[0][0].text[0].islower() and not _LEADER.search(before[0][-1].text):
            found[-1] = [before[0] + row[0], *row[1:]]
        else:
            found.append(row)
    return found


def _with_columns_divided(rows: _Cells) -> _Cells:
    """Divide columns in which figures are next to each other."""
    found = rows
    for number in range(len(rows[0]) - 1, -1, -1):
        cells = [row[number] for row in rows if row[number]]
        figures = [line for cell in cells if _has_figures(cell) for line in cell]
        if len(figures) < 2 * LEAST_FIGURES:
            continue
        gutters = gutters_of(figures, LEAST_GUTTER_OF_FIGURES)
        if gutters:
            found = [[*row[:number], *_divide_cell(row[number], gutters), *row[number + 1 :]] for row in found]
    return found


def _has_figures(cell: list[PdfLine]) -> bool:
    """Return whether a cell has several numbers, or a number and its label, on one height."""
    is_one_row = len(cell) > 1 and all(abs(line.base - cell[0].base) < 1 for line in cell)
    return is_one_row and FIGURE.fullmatch(cell[-1].text) is not None


def _divide_cell(cell: list[PdfLine], gutters: Sequence[tuple[float, float]]) -> list[list[PdfLine]]:
    """Return the lines of a cell in its columns; one that goes over several is in the first of them."""
    found: list[list[PdfLine]] = [[] for _ in range(len(gutters) + 1)]
    for line in cell:
        spans = sum(line.left < left and line.right > right for left, right in gutters)
        # A heading over several columns stands in the first of them.
        place = line.left + 1 if spans else (line.left + line.right) / 2
        found[sum(place > (left + right) / 2 for left, right in gutters)].append(line)
    return found


def _is_wrapped(cell: list[PdfLine], line: PdfLine, right: float) -> bool:
    """Return whether a line's first word had no room at the end of the line above it in the cell."""
    if not cell or FIGURE.fullmatch(line.text) or _LEADER.search(cell[-1].text):
        return False
    before = cell[-1]
    letter = (line.right - line.left) / max(len(line.text), 1)
    # Some words are wider than their letters are on average.
    word = 1.2 * (len(line.text.split(" ", 1)[0]) + 1) * letter
    return line.base > before.base + 1 and before.right + word > right - 0.3 * line.size


def _right_limits(cells: _Cells, xs: Sequence[float]) -> list[float]:
    """Return how far text may go in the columns of a grid: as far from its right side as it begins from the left
    one.
    """
    rights = []
    for number in range(len(xs) - 1):
        lefts = [line.left for row in cells for line in row[number]]
        rights.append(xs[number + 1] - max(min(lefts, default=xs[number]) - xs[number], 0))
    return rights


def _same_extent(across: list[RuledLine]) -> Iterable[list[RuledLine]]:
    """Rules across of the same beginning and end, two or more, from top to bottom."""
    runs: list[list[RuledLine]] = []
    for rule in across:
        for run in runs:
            if abs(run[0].start - rule.start) < SAME_EXTENT and abs(run[0].end - rule.end) < SAME_EXTENT:
                run.append(rule)
                break
        else:
            runs.append([rule])
    return [run for run in runs if len(run) > 1 and run[0].end - run[0].start > 50]


def _with_open_tables(lines: list[PdfLine], rules: list[RuledLine]) -> list[PdfLine]:
    """Tables with rules across only: each part between two rules has rows of cells under the same gutters."""
    between = [_lines_between(lines, above, below) for above, below in pairwise(rules)]
    at = 0
    while at + 1 < len(rules):
        best: tuple[int, _Cells] = (0, [])
        # The longest run of rules whose parts make one table.
        for end in range(at + 1, min(len(rules), at + MOST_RULES_OF_A_TABLE)):
            parts = between[at:end]
            if not parts[-1]:
                break
            rows = _open_table(parts)
            if rows:
                best = end, rows
        end, rows = best
        if rows:
            inside = [line for row in rows for cell in row for line in cell]
            edges = rules[at].start, rules[at].at, rules[at].end, rules[end].at
            lines = _replace_table(lines, inside, PdfTable(rows), edges)
        at = max(end, at + 1)
    return lines


def _lines_between(lines: list[PdfLine], above: RuledLine, below: RuledLine) -> list[PdfLine]:
    return [
        line
        for line in lines
        if not line.is_turned
        and above.at < line.base - 0.3 * line.size < below.at
        and above.start - 2 < (line.left + line.right) / 2 < above.end + 2
    ]


def _open_table(parts: list[list[PdfLine]]) -> _Cells:
    """Return the rows of the parts between rules; none where they are not surely cells of one table."""
    lines = [line for part in parts for line in part]
    if len(lines) < 4 or any(line.table for line in lines) or not all(parts):
        return []
    # The part with the most rows tells the gutters; a header may have fewer.
    gutters = gutters_of(max(parts, key=lambda part: len({round(line.base) for line in part})))
    if not gutters:
        return []
    rights = [*(left for left, _ in gutters), max(line.right for line in lines)]
    rows: _Cells = []
    for part in parts:
        cells: list[list[PdfLine]] = [[] for _ in range(len(gutters) + 1)]
        for line in part:
            cells[sum(line.left >= right - 1 for _, right in gutters)].append(line)
        if sum(map(bool, cells)) < 2:
            return []
        rows += _open_rows_of_part(cells, rights)
    columns = [[line for row in rows for line in row[number]] for number in range(len(gutters) + 1)]
    # Columns of text between two rules are no table.
    return [] if are_text(columns) or not _are_cells(rows, gutters) else rows


def _open_rows_of_part(cells: list[list[PdfLine]], rights: Sequence[float]) -> _Cells:
    rows = _open_rows(cells, rights)
    if len(rows) > 1 or len(rows_apart([line for cell in cells for line in cell])) < 2:
        return rows
    where = {id(line): number for number, cell in enumerate(cells) for line in cell}
    found: _Cells = []
    for baseline in rows_apart([line for cell in cells for line in cell]):
        # A row begins where its first cell does; what has none goes on with the row above.
        if not found or any(where[id(line)] == 0 for line in baseline):
            found.append([[] for _ in cells])
        for line in baseline:
            found[-1][where[id(line)]].append(line)
    return found


def _are_cells(rows: _Cells, gutters: Sequence[tuple[float, float]]) -> bool:
    texts = [[" ".join(line.text for line in cell) for cell in row] for row in rows]
    if sum(sum(map(bool, row)) > 1 for row in texts) < max(2, 0.5 * len(texts)):
        return False
    lengths = [len(text) for row in texts for text in row if text]
    if median(lengths) > 2 * MOST_CELL_CHARS or any(_LEADER.search(text) for row in texts for text in row):
        return False
    lines = [line for row in rows for cell in row for line in cell]
    over = sum(any(line.left < left and line.right > right for left, right in gutters) for line in lines)
    firsts = [row[0] for row in texts if row[0]]
    return over <= 0.3 * len(lines) and not (firsts and all(_MARK.fullmatch(text) for text in firsts))
