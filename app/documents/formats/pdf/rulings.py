"""The straight lines that are drawn on a PDF page, and the grids that they make."""

from __future__ import annotations

import ctypes
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, NamedTuple

from pypdfium2 import raw

from app.documents.formats.pdf.pages import Sheet, address_of, quick

MOST_OBJECTS = 10_000
MOST_PATHS = 3000
MOST_SEGMENTS = 400
MOST_RULES = 300
"""A page with more straight lines has a drawing on it."""
THIN = 2.5
SHORTEST = 5.0
NEAR = 3.0
"""Points: lines this near are one, as the borders of two cells beside each other."""

_get_object = quick(raw.FPDFPage_GetObject, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int)
_get_type = quick(raw.FPDFPageObj_GetType, ctypes.c_int, ctypes.c_void_p)
_TEXT, _PATH, _FORM = raw.FPDF_PAGEOBJ_TEXT, raw.FPDF_PAGEOBJ_PATH, raw.FPDF_PAGEOBJ_FORM


class Rule(NamedTuple):
    """A straight line: where it is (y of one across, x of one down the page), and from where to where it goes."""

    at: float
    start: float
    end: float


@dataclass(slots=True)
class Grid:
    """Lines across and down that touch each other, in order; `xs` and `ys` are the edges of the cells."""

    across: list[Rule]
    down: list[Rule]
    xs: list[float]
    ys: list[float]


@dataclass(slots=True)
class Rulings:
    """What is drawn on a page: its grids, and the lines across it that are in none, from top to bottom."""

    grids: list[Grid] = field(default_factory=list)
    across: list[Rule] = field(default_factory=list)


def rulings_of(page: Any, sheet: Sheet) -> Rulings:
    """The rulings of a loaded page, in points of the page as shown."""
    found: list[Span] = []
    paths = 0
    handle = address_of(page)
    for index in range(min(raw.FPDFPage_CountObjects(page), MOST_OBJECTS)):
        each = _get_object(handle, index)
        kind = _get_type(each)
        if kind == _TEXT:
            continue
        if kind == _PATH:
            found += _lines_of(ctypes.cast(each, raw.FPDF_PAGEOBJECT))
            paths += 1
            if paths > MOST_PATHS:
                return Rulings()
        elif kind == _FORM:
            found += _lines_of_form(ctypes.cast(each, raw.FPDF_PAGEOBJECT))
    if len(found) < 2:
        return Rulings()
    across, down = [], []
    for span in found:
        left, top, right, bottom = sheet.box(*span)
        if right - left > bottom - top:
            across.append(Rule((top + bottom) / 2, left, right))
        else:
            down.append(Rule((left + right) / 2, top, bottom))
    across, down = _merged(across), _merged(down)
    if max(len(across), len(down)) > MOST_RULES:
        return Rulings()
    return _grouped(across, down)


Span = tuple[float, float, float, float]


def _bounds(item: Any) -> Span | None:
    edges = [ctypes.c_float() for _ in range(4)]
    if not raw.FPDFPageObj_GetBounds(item, *(ctypes.byref(edge) for edge in edges)):
        return None
    left, bottom, right, top = (edge.value for edge in edges)
    return left, top, right, bottom


def _is_thin(span: Span) -> bool:
    wide, high = abs(span[2] - span[0]), abs(span[1] - span[3])
    return min(wide, high) <= THIN and max(wide, high) >= SHORTEST


def _lines_of(path: Any) -> list[Span]:
    """The straight lines of a path: all of it where it is thin, else those it strokes and its thin rectangles."""
    whole = _bounds(path)
    if whole is None or not all(abs(edge) < 1e5 for edge in whole):
        return []
    if _is_thin(whole):
        return [whole]
    count = raw.FPDFPath_CountSegments(path)
    if max(whole[2] - whole[0], whole[1] - whole[3]) < SHORTEST or not 2 <= count <= MOST_SEGMENTS:
        return []
    fill, stroke, matrix = ctypes.c_int(), ctypes.c_int(), raw.FS_MATRIX()
    raw.FPDFPath_GetDrawMode(path, ctypes.byref(fill), ctypes.byref(stroke))
    raw.FPDFPageObj_GetMatrix(path, ctypes.byref(matrix))
    found: list[Span] = []
    for points in _outlines(path, count, matrix):
        xs, ys = [x for x, _ in points], [y for _, y in points]
        around = (min(xs), max(ys), max(xs), min(ys))
        if _is_thin(around):
            found.append(around)
        elif stroke.value:
            sides = ((min(a[0], b[0]), max(a[1], b[1]), max(a[0], b[0]), min(a[1], b[1])) for a, b in pairwise(points))
            found += [side for side in sides if _is_thin(side)]
    return found


def _outlines(path: Any, count: int, matrix: Any) -> Iterator[list[tuple[float, float]]]:
    """The corners of each part of a path; a part with a curve in it is left out."""
    x, y = ctypes.c_float(), ctypes.c_float()
    points: list[tuple[float, float]] = []
    is_curved = False
    for index in range(count):
        segment = raw.FPDFPath_GetPathSegment(path, index)
        kind = raw.FPDFPathSegment_GetType(segment)
        raw.FPDFPathSegment_GetPoint(segment, ctypes.byref(x), ctypes.byref(y))
        point = (matrix.a * x.value + matrix.c * y.value + matrix.e, matrix.b * x.value + matrix.d * y.value + matrix.f)
        if kind == raw.FPDF_SEGMENT_MOVETO:
            if len(points) > 1 and not is_curved:
                yield points
            points, is_curved = [], False
        is_curved = is_curved or kind == raw.FPDF_SEGMENT_BEZIERTO
        points.append(point)
        if raw.FPDFPathSegment_GetClose(segment):
            points.append(points[0])
    if len(points) > 1 and not is_curved:
        yield points


def _lines_of_form(form: Any) -> list[Span]:
    """The lines of a form, not of forms inside it, and only where it is not turned."""
    matrix = raw.FS_MATRIX()
    if not raw.FPDFPageObj_GetMatrix(form, ctypes.byref(matrix)) or matrix.b or matrix.c:
        return []
    found: list[Span] = []
    for index in range(min(raw.FPDFFormObj_CountObjects(form), MOST_PATHS)):
        each = raw.FPDFFormObj_GetObject(form, index)
        if raw.FPDFPageObj_GetType(each) != _PATH:
            continue
        for left, top, right, bottom in _lines_of(each):
            a, d, e, f = matrix.a, matrix.d, matrix.e, matrix.f
            found.append((a * left + e, d * top + f, a * right + e, d * bottom + f))
    return [span for span in found if _is_thin(span)]


def _merged(rules: list[Rule]) -> list[Rule]:
    """Lines that lie in one another's direction and touch, as one."""
    found: list[Rule] = []
    for rule in sorted(rules):
        for number in range(len(found) - 1, -1, -1):
            other = found[number]
            if rule.at - other.at > NEAR:
                continue
            if rule.start <= other.end + NEAR and other.start <= rule.end + NEAR:
                found[number] = Rule(other.at, min(rule.start, other.start), max(rule.end, other.end))
                break
        else:
            found.append(rule)
        if len(found) > 2 * MOST_RULES:
            break
    return found


def _grouped(across: list[Rule], down: list[Rule]) -> Rulings:
    """Which lines touch each other: grids where two and two do."""
    group = list(range(len(across) + len(down)))

    def head(each: int) -> int:
        while group[each] != each:
            group[each] = each = group[group[each]]
        return each

    for number, rule in enumerate(across):
        for other, line in enumerate(down, len(across)):
            is_wide = rule.start - NEAR <= line.at <= rule.end + NEAR
            if is_wide and line.start - NEAR <= rule.at <= line.end + NEAR:
                group[head(number)] = head(other)
    rulings = Rulings()
    for each in sorted({head(number) for number in range(len(group))}):
        rows = [rule for number, rule in enumerate(across) if head(number) == each]
        columns = [rule for number, rule in enumerate(down, len(across)) if head(number) == each]
        if len(rows) >= 2 and columns:
            rulings.grids.append(_grid(rows, columns))
        else:
            rulings.across += rows
    rulings.across.sort()
    return rulings


def _grid(across: list[Rule], down: list[Rule]) -> Grid:
    """A grid; where lines go on beyond the outermost ones that cross them, its side is open and ends there."""
    left, right = min(rule.start for rule in across), max(rule.end for rule in across)
    top, bottom = min(rule.start for rule in down), max(rule.end for rule in down)
    xs, ys = _edges([rule.at for rule in down], left, right), _edges([rule.at for rule in across], top, bottom)
    return Grid(sorted(across), sorted(down), xs, ys)


def _edges(places: list[float], first: float, last: float) -> list[float]:
    edges: list[float] = []
    for place in sorted(places):
        if not edges or place - edges[-1] > NEAR:
            edges.append(place)
    if first < edges[0] - 2 * NEAR:
        edges.insert(0, first)
    if last > edges[-1] + 2 * NEAR:
        edges.append(last)
    return edges


def near(rules: list[Rule], at: float) -> list[Rule]:
    """The lines that are at a place."""
    return [rule for rule in rules if abs(rule.at - at) <= 1.5 * NEAR]


def covered(rules: list[Rule], at: float, start: float, end: float) -> float:
    """Which part of a straight line is drawn, from 0 to 1."""
    drawn = sum(max(min(rule.end, end) - max(rule.start, start), 0) for rule in near(rules, at))
    return drawn / max(end - start, 0.1)
