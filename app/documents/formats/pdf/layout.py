"""The reading order of a page: bands of columns, rows of cells, and plain lines from top to bottom.

A recursive X-Y cut (Nagy and Seth 1984; on the boxes of words and lines, Ha, Haralick and Phillips 1995) turned
round for text: the page is cut across into strips first, then neighbouring strips that share a gutter are put
together to a band, and the band is cut along its gutters. So a title, a figure or a footnote over the full width
divides the bands above and below it, and a column is read to its end before the next one.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from itertools import pairwise
from statistics import median

from app.core.lazy_dataclasses import dataclass
from app.documents.formats.pdf.page_text import PdfLine, PdfTable

GUTTER = 0.8
"""The least gutter, as a part of the font size."""
DEEPEST = 6
MOST_SHORT_CHARS = 22
LEAST_LIST_STRIPS, LEAST_ENTRIES, MOST_ENTRIES = 6, 4, 400
SAME_WHITE = 0.75
LEAST_COLUMN_CHARS = 14
"""Least average length of a column's lines; table cells are shorter."""

BEARINGS, MOST_SPACES = 0.12, 200
NARROW = 0.5
"""Share of a gutter that a formula extending from its column must leave free."""

Gaps = list[tuple[float, float]]


@dataclass(slots=True)
class _PageStrip:
    """A horizontal strip: a row, or several if columns' lines don't align."""

    lines: list[PdfLine]
    top: float
    bottom: float
    gaps: Gaps
    is_divided: bool = False
    is_cells: bool = False
    """True for one of several rows of short cells, as in a table."""


def flows(lines: list[PdfLine]) -> list[list[PdfLine] | PdfTable]:
    """Runs of lines to be read one after the other, and tables; every line is in one of them exactly once."""
    turned = [line for line in lines if line.is_turned]
    upright = [line for line in lines if not line.is_turned]
    found = _divide_flows(upright, 0) if upright else []
    return _with_ruled(found) + [[line] for line in turned]


def _with_ruled(found: list[list[PdfLine] | PdfTable]) -> list[list[PdfLine] | PdfTable]:
    """Cut runs at ruled tables; each table comes once, at its first line."""
    if not any(line.table for run in found if isinstance(run, list) for line in run):
        return found
    seen: set[int] = set()
    divided: list[list[PdfLine] | PdfTable] = []
    for run in found:
        if isinstance(run, PdfTable):
            divided.append(run)
            continue
        begins = True
        for line in run:
            if line.table:
                begins = True
                if id(line.table) not in seen:
                    seen.add(id(line.table))
                    divided.append(line.table)
            elif begins:
                # A table divides the run; what follows it begins another.
                divided.append([line])
                begins = False
            else:
                last = divided[-1]
                assert isinstance(last, list)
                last.append(line)
    return divided


def _divide_flows(lines: list[PdfLine], depth: int) -> list[list[PdfLine] | PdfTable]:
    least = GUTTER * median(line.size for line in lines)
    strips = _cut_strips(lines, least)
    found: list[list[PdfLine] | PdfTable] = []
    plain: list[PdfLine] = []

    def put_plain() -> None:
        if plain:
            found.append(plain.copy())
            plain.clear()

    at = 0
    for start, end, gaps in _join_bands(_group_bands(strips, least), strips, least):
        for strip in strips[at:start]:
            plain += _join_rows(strip.lines)
        at = end
        band = _lines_of(strips[start:end])
        columns = _cut_columns(band, gaps)
        if depth < DEEPEST and are_text(columns):
            put_plain()
            for column in columns:
                found += _divide_flows(column, depth + 1)
            continue
        # Columns that are no text may be a table's; if they are not surely one, its lines stay in order.
        parts = table_of(rows_apart(band), gaps)
        # Neither columns of text nor a table: lists of names may stand side by side under a header over them all.
        if depth < DEEPEST and not any(isinstance(part, PdfTable) for part in parts):
            above, lists, below = _find_lists(strips[start:end], least)
            if lists:
                plain += [line for strip in above for line in _join_rows(strip.lines)]
                put_plain()
                for column in lists:
                    found += _divide_flows(column, depth + 1)
                plain += [line for strip in below for line in _join_rows(strip.lines)]
                continue
        for part in parts:
            if isinstance(part, PdfTable):
                put_plain()
                found.append(part)
            else:
                plain += _join_rows(part)
    for strip in strips[at:]:
        plain += _join_rows(strip.lines)
    put_plain()
    return found


_Band = tuple[int, int, Gaps]
"""First and end of some strips, and the gutters that all of them leave free."""


def _cut_strips(lines: list[PdfLine], least: float) -> list[_PageStrip]:
    """Cut lines into strips at empty heights. A line counts from above its letters to its base."""
    strips: list[_PageStrip] = []
    for line in sorted(lines, key=lambda line: line.base - 0.7 * line.size):
        # From above the small letters to just below the base: descenders may reach into the next line.
        top, bottom = line.base - 0.7 * line.size, line.base + 0.15 * line.size
        if strips and top < strips[-1].bottom:
            strips[-1].lines.append(line)
            strips[-1].bottom = max(strips[-1].bottom, bottom)
        else:
            strips.append(_PageStrip([line], top, bottom, []))
    for strip in strips:
        strip.gaps = _empty_widths(strip.lines, least)
        strip.is_divided = len(strip.gaps) > 2
    if any(strip.is_divided for strip in strips):
        _mark_cells(strips)
    return strips


def _mark_cells(strips: list[_PageStrip]) -> None:
    """Rows of short cells are of a table where several follow each other closely."""
    run: list[_PageStrip] = []

    def end() -> None:
        for cell_strip in run if len(run) >= LEAST_ROWS else ():
            cell_strip.is_cells = True
        run.clear()

    for at, strip in enumerate(strips):
        if run and not _is_near(strips, at):
            end()
        if strip.is_divided and all(len(line.text) <= MOST_SHORT_CHARS for line in strip.lines):
            run.append(strip)
        else:
            end()
    end()


def _empty_widths(lines: list[PdfLine], least: float) -> Gaps:
    """Return the empty parts of the width from left to right; the outer two are open."""
    if len(lines) == 1:
        # A line alone leaves all the rest of the width free.
        return [(-math.inf, lines[0].left), (lines[0].right, math.inf)]
    gaps: Gaps = []
    reached = -math.inf
    for left, right in sorted((line.left, line.right) for line in lines):
        if left - reached >= least:
            gaps.append((reached, left))
        reached = max(reached, right)
    gaps.append((reached, math.inf))
    return gaps


def _group_bands(strips: list[_PageStrip], least: float) -> list[_Band]:
    """Group strips below each other that share a gutter."""
    bands: list[_Band] = []
    at = free_from = 0
    while at < len(strips):
        if not strips[at].is_divided:
            at += 1
            continue
        gutters = strips[at].gaps[1:-1]
        end = at + 1
        while end < len(strips):
            # A strip that narrows the gutters may still share them; one that closes them all ends the band.
            narrowed = _common_gaps(gutters, strips[end].gaps, least)
            if not narrowed or not _continues_band(strips, end, narrowed):
                break
            gutters, end = narrowed, end + 1
        start = at
        # Backwards, too: the first strips of a column may be single lines.
        while start > free_from and _is_near(strips, start):
            narrowed = _common_gaps(gutters, strips[start - 1].gaps, least)
            if not narrowed:
                break
            gutters, start = narrowed, start - 1
        bands.append((start, end, gutters))
        at = free_from = end
    return bands


def _join_bands(bands: list[_Band], strips: list[_PageStrip], least: float) -> list[_Band]:
    """Join bands of the same columns across strips with gutters of their own or that extend a little into theirs, as
    display formulas do.
    """
    found: list[_Band] = []
    for band in bands:
        whole = band
        # The nearest band above may be of other columns, as a formula's own.
        for number in range(len(found) - 1, -1, -1):
            bridge = _bridge_bands(found[number], whole, strips, least)
            if bridge:
                del found[number:]
                whole = bridge
        found.append(whole)
    return found


def _bridge_bands(above: _Band, below: _Band, strips: list[_PageStrip], least: float) -> _Band | None:
    gutters = _common_gaps(above[2], below[2], least)
    for at in range(above[1], below[0]):
        gutters = gutters and _common_gaps(gutters, _empty_widths(strips[at].lines, NARROW * least), NARROW * least)
        is_alone = gutters and max(line.right for line in strips[at].lines) <= gutters[0][0] + 1
        # What stands on the left alone, with white around it, may be a heading over all columns.
        if strips[at].is_cells or (is_alone and not (_is_near(strips, at) and _is_near(strips, at + 1))):
            return None
    inside = strips[above[0] : below[1]]
    if not gutters or above[1] == below[0]:
        return None
    # Neither part is text: two tables below each other are no columns.
    if not any(are_text(_cut_columns(_lines_of(strips[start:end]), gutters)) for start, end, _ in (above, below)):
        return None
    return (above[0], below[1], gutters) if are_text(_cut_columns(_lines_of(inside), gutters)) else None


def _lines_of(strips: list[_PageStrip]) -> list[PdfLine]:
    return [line for strip in strips for line in strip.lines]


def _continues_band(strips: list[_PageStrip], at: int, gutters: Gaps) -> bool:
    """Return whether a strip continues the band above; one on the left alone only if it follows closely."""
    if _is_near(strips, at):
        return True
    strip = strips[at]
    if max(line.right for line in strip.lines) <= gutters[0][0] + 1:
        return False
    # A table has its own gutters, which may be where those of the text are.
    return not strip.is_divided or strip.is_cells == strips[at - 1].is_cells


def _is_near(strips: list[_PageStrip], at: int) -> bool:
    return strips[at].top - strips[at - 1].bottom < 1.1 * strips[at].lines[0].size


def _common_gaps(gutters: Gaps, gaps: Gaps, least: float) -> Gaps:
    """Return where both leave at least `least` free, in one pass over both sorted lists."""
    found: Gaps = []
    one = other = 0
    while one < len(gutters) and other < len(gaps):
        left = max(gutters[one][0], gaps[other][0])
        right = min(gutters[one][1], gaps[other][1])
        if right - left >= least:
            found.append((left, right))
        if gutters[one][1] < gaps[other][1]:
            one += 1
        else:
            other += 1
    return found


def _cut_columns(lines: list[PdfLine], gutters: Gaps) -> list[list[PdfLine]]:
    return [column for column in _split_cells(lines, gutters) if column]


def are_text(columns: list[list[PdfLine]]) -> bool:
    """Return whether these are columns to be read one after the other, and not the cells of a table or marks of a
    list.
    """
    if len(columns) < 2 or min(len(column) for column in columns) < 2:
        return False
    # Columns whose lines don't align are surely not rows of a table.
    if _aligned_lines(columns) < 0.5 and min(len(column) for column in columns) >= 4:
        return all(_mean_chars(column) >= 4 for column in columns)
    return all(_mean_chars(column) >= LEAST_COLUMN_CHARS and _is_filled(column) for column in columns)


def _find_lists(
    strips: list[_PageStrip], least: float
) -> tuple[list[_PageStrip], list[list[PdfLine]], list[_PageStrip]]:
    """Find three or more columns of short lines, such as lists of names, with the strips around them.

    A row of fewer parts above, such as a header, hides their gutters from the whole band.
    """
    best: tuple[int, int, Gaps] = (0, 0, [])
    at = 0
    while at < len(strips):
        gutters, end = strips[at].gaps[1:-1], at + 1
        while end < len(strips) and len(narrowed := _common_gaps(gutters, strips[end].gaps, least)) > 1:
            gutters, end = narrowed, end + 1
        if len(gutters) > 1 and end - at > best[1] - best[0]:
            best = (at, end, gutters)
        at = end
    start, end, gutters = best
    if end - start < LEAST_LIST_STRIPS:
        return strips, [], []
    columns = _cut_columns([line for strip in strips[start:end] for line in strip.lines], gutters)
    if len(columns) < 3 or not _are_lists(columns):
        return strips, [], []
    return strips[:start], columns, strips[end:]


def _are_lists(columns: list[list[PdfLine]]) -> bool:
    """Return whether each column has gaps at heights of its own, unlike a table's rows."""
    whites = [_white_gaps(column) for column in columns]
    if not all(LEAST_ENTRIES <= len(white) <= MOST_ENTRIES for white in whites):
        return False
    for white, next_white in pairwise(whites):
        fewer, more = (white, next_white) if len(white) < len(next_white) else (next_white, white)
        met = sum(any(top < low and high < bottom for high, low in more) for top, bottom in fewer)
        if met > SAME_WHITE * len(fewer):
            return False
    return True


def _white_gaps(column: list[PdfLine]) -> Gaps:
    """Return where a column has more white than between the lines of an entry."""
    lines = _join_rows(column)
    steps = [after.base - before.base for before, after in pairwise(lines)]
    if not steps:
        return []
    # The fifth of the steps: most are within an entry.
    pitch = sorted(steps)[len(steps) // 5]
    return [
        (before.base + 0.2 * before.size, after.base - 0.75 * after.size)
        for before, after in pairwise(lines)
        if after.base - before.base > 1.25 * pitch
    ]


def _mean_chars(column: Sequence[PdfLine]) -> float:
    return sum(len(line.text) for line in column) / len(column)


def _is_filled(column: Sequence[PdfLine]) -> bool:
    """Return whether most lines reach across the column, as text does and cells do not."""
    left, right = min(line.left for line in column), max(line.right for line in column)
    rows = _join_rows(column)
    full = sum(line.right - line.left > 0.75 * (right - left) for line in rows)
    return full >= 0.45 * len(rows)


def _aligned_lines(columns: list[list[PdfLine]]) -> float:
    """Return how many lines of the shortest column align with one next to it."""
    shortest = min(columns, key=len)
    bases = sorted(line.base for column in columns if column is not shortest for line in column)
    met = 0
    at = 0
    for base in sorted(line.base for line in shortest):
        # Both sorted, so one pass is enough.
        while at < len(bases) and bases[at] < base - 1:
            at += 1
        met += at < len(bases) and bases[at] <= base + 1
    return met / len(shortest)


def rows_apart(lines: Sequence[PdfLine]) -> list[list[PdfLine]]:
    """Group lines at the same height, left to right; rows from top to bottom."""
    rows: list[list[PdfLine]] = []
    for line in sorted(lines, key=lambda line: line.base):
        if rows and _is_same_row(rows[-1], line):
            rows[-1].append(line)
        else:
            rows.append([line])
    for row in rows:
        row.sort(key=lambda line: line.left)
    return rows


def _is_same_row(row: list[PdfLine], line: PdfLine) -> bool:
    """Return whether a line belongs to a row: raised marks do, lines above others don't."""
    height = 0.35 * max(row[-1].size, line.size)
    if line.base - row[0].base > height:
        return False
    # Only the last few: rows of hundreds of cells would make this quadratic.
    return all(line.left > other.right - 1 or line.right < other.left + 1 for other in row[-8:])


def _join_rows(lines: Sequence[PdfLine]) -> list[PdfLine]:
    """Join what stands beside each other in a row into one line."""
    if len(lines) == 1:
        return list(lines)
    found: list[PdfLine] = []
    for row in rows_apart(lines):
        # Lines that stand for a table stay what they are.
        found += [line for line in row if line.table]
        rest = [line for line in row if not line.table]
        if rest:
            found.append(rest[0] if len(rest) == 1 else one_line(rest))
    return found


def gutters_of(lines: list[PdfLine], least: float = GUTTER) -> Gaps:
    """Return the gutters that all these lines leave free, `least` of the font size or wider."""
    return _empty_widths(lines, least * median(line.size for line in lines))[1:-1]


def one_line(row: list[PdfLine]) -> PdfLine:
    """Return the parts of a row put together, with the spaces between them; the longest tells the font."""
    longest = max(row, key=lambda line: len(line.text))
    gaps = [after.left - before.right for before, after in pairwise(row)]
    is_mono = all(line.is_mono for line in row)
    # Of the width of a letter, its ink leaves a part free on both sides.
    # Side bearings: the ink of a letter is narrower than its advance.
    free = BEARINGS * longest.size
    letter = (longest.right - longest.left + free) / len(longest.text) if is_mono else math.inf
    # Code keeps its gaps as spaces of a letter's width.
    spaces = [" " * min(max(round((gap - free) / letter), 1), MOST_SPACES) for gap in gaps]
    return PdfLine(
        row[0].page,
        row[0].text + "".join(space + line.text for space, line in zip(spaces, row[1:], strict=True)),
        min(line.left for line in row),
        min(line.top for line in row),
        max(line.right for line in row),
        max(line.bottom for line in row),
        longest.base,
        longest.size,
        all(line.is_bold for line in row),
        is_mono,
        gap=max(gaps),
        inner=row[gaps.index(max(gaps)) + 1].left,
    )


LEAST_ROWS = 3
MOST_CELL_CHARS = 40
MOST_MONO = 0.8
LEAST_COLUMNS_OF_DOTS = 4
_MARK = re.compile(r"[•‣◦▪■●○–—*·-]|\(?\w{1,3}[.)]")
_LEADER = re.compile(r"(\. ?){4,}|…")


def table_of(rows: list[list[PdfLine]], gutters: Sequence[tuple[float, float]]) -> list[PdfTable | list[PdfLine]]:
    """Return a band of rows as a table with what is above and below it, or as its lines where it is not surely a
    table.
    """
    full = [number for number, row in enumerate(rows) if len(row) > 1]
    lines = [line for row in rows for line in row]
    # What has letters of fixed width is what a program was given or wrote, with the gaps that it had.
    # Printed code and output have gaps in columns, too, and are no table.
    if len(full) < LEAST_ROWS or sum(line.is_mono for line in lines) > MOST_MONO * len(lines):
        return [lines]
    inside = rows[full[0] : full[-1] + 1]
    cells = [_split_cells(row, gutters) for row in inside]
    if not _is_table(cells):
        return [lines]
    above = [line for row in rows[: full[0]] for line in row]
    below = [line for row in rows[full[-1] + 1 :] for line in row]
    parts: list[PdfTable | list[PdfLine]] = [above] if above else []
    parts.append(PdfTable(cells))
    return [*parts, below] if below else parts


def _split_cells(row: list[PdfLine], gutters: Sequence[tuple[float, float]]) -> list[list[PdfLine]]:
    cells: list[list[PdfLine]] = [[] for _ in range(len(gutters) + 1)]
    for line in row:
        centre = (line.left + line.right) / 2
        cells[sum(centre > (left + right) / 2 for left, right in gutters)].append(line)
    return cells


def _is_table(rows: list[list[list[PdfLine]]]) -> bool:
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
    # Marks in the first column make a list; figures may number rows.
    if firsts and all(_MARK.fullmatch(text) for text in firsts) and not all(text.isdigit() for text in firsts):
        return False
    if len(texts[0]) == 2:
        return max(len(row[0]) for row in texts) <= MOST_CELL_CHARS and median(len(row[1]) for row in texts) <= 30
    return True
