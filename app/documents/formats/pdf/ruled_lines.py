"""Straight lines drawn on a PDF page, and the grids that they make."""

from __future__ import annotations

import ctypes
from collections.abc import Iterable, Iterator
from itertools import pairwise
from typing import Any, NamedTuple

from pypdfium2 import raw

from app.core.lazy_dataclasses import dataclass, field
from app.documents.formats.pdf.pdf_pages import PageGeometry, Span, address_of, quick

MOST_OBJECTS = 10_000
MOST_PATHS = 3000
MOST_SEGMENTS = 400
MOST_RULES = 300
"""A page with more straight lines has a drawing on it."""
MOST_IMAGES = 400
MOST_FORMS_DEEP = 4
"""Limit of nested forms: a page may be put on a sheet with others, holding a chart with its marks."""
MOST_FIGURES = 30
LEAST_FIGURE = 54.0
"""Points: what is smaller is a logo or a sign."""
MOST_OF_A_PAGE = 0.8
LEAST_SHAPES = 20
LEAST_DRAWING = 100.0
GAP = 18.0
MOST_CHARACTERS = 20
"""Limit for a drawing: with more characters its words are text already."""
THIN = 2.5
SHORTEST = 5.0
NEAR = 3.0
"""Distance in points at which lines are one, as borders of adjacent cells."""
_get_object = quick(raw.FPDFPage_GetObject, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int)
_get_type = quick(raw.FPDFPageObj_GetType, ctypes.c_int, ctypes.c_void_p)
_TEXT, _PATH, _FORM = raw.FPDF_PAGEOBJ_TEXT, raw.FPDF_PAGEOBJ_PATH, raw.FPDF_PAGEOBJ_FORM
_IMAGE = raw.FPDF_PAGEOBJ_IMAGE


class RuledLine(NamedTuple):
    """A straight line: where it is (y of one across, x of one down the page), and from where to where it goes."""

    at: float
    start: float
    end: float


@dataclass(slots=True)
class RuledGrid:
    """Lines across and down that touch each other, in order; `xs` and `ys` are the edges of the cells."""

    across: list[RuledLine]
    down: list[RuledLine]
    xs: list[float]
    ys: list[float]


@dataclass(slots=True)
class PageRulings:
    """Grids of a page, horizontal rules outside of them, and figures, from top to bottom."""

    grids: list[RuledGrid] = field(default_factory=list)
    across: list[RuledLine] = field(default_factory=list)
    figures: list[Span] = field(default_factory=list)
    drawings: list[Span] = field(default_factory=list)
    """Charts and the like, put together of many shapes; what is written in some is text of the page."""


def rulings_of(page: Any, sheet: PageGeometry) -> PageRulings:
    """Return the rulings of a loaded page and its figures, in points of the page as shown."""
    images: list[Span] = []
    shapes: list[Span] = []
    rulings = _page_rulings(page, sheet, images, shapes)
    rulings.figures = _join_figures(images, sheet)
    rulings.drawings = _find_drawings(shapes, sheet)
    return rulings


def _page_rulings(page: Any, sheet: PageGeometry, images: list[Span], shapes: list[Span]) -> PageRulings:
    found: list[Span] = []
    paths = 0
    handle = address_of(page)
    for index in range(min(raw.FPDFPage_CountObjects(page), MOST_OBJECTS)):
        page_object = _get_object(handle, index)
        kind = _get_type(page_object)
        if kind == _TEXT:
            continue
        if kind == _PATH:
            path = ctypes.cast(page_object, raw.FPDF_PAGEOBJECT)
            whole = _object_bounds(path)
            lines = _lines_of(path, whole)
            found += lines
            if whole is not None and not lines:
                shapes.append(sheet.box(*whole))
            paths += 1
            # A map or a technical drawing: nothing on it is a table's rule.
            if paths > MOST_PATHS:
                return PageRulings()
        elif kind == _FORM:
            form = ctypes.cast(page_object, raw.FPDF_PAGEOBJECT)
            found += _lines_of_form(form)
            _look_into(form, sheet, images, shapes, outside=_UNTURNED)
        elif kind == _IMAGE and len(images) < MOST_IMAGES:
            bounds = _object_bounds(ctypes.cast(page_object, raw.FPDF_PAGEOBJECT))
            images += [sheet.box(*bounds)] if bounds is not None else []
    if len(found) < 2:
        return PageRulings()
    across, down = [], []
    for span in found:
        left, top, right, bottom = sheet.box(*span)
        if right - left > bottom - top:
            across.append(RuledLine((top + bottom) / 2, left, right))
        else:
            down.append(RuledLine((left + right) / 2, top, bottom))
    across, down = _merge_rules(across), _merge_rules(down)
    if max(len(across), len(down)) > MOST_RULES:
        return PageRulings()
    return _group_rules(across, down)


def _join_figures(images: list[Span], sheet: PageGeometry) -> list[Span]:
    """Return larger pictures, joining touching ones: programs cut large ones into strips.

    One that nearly fills the page is its background, or a scan under its text.
    """
    found: list[Span] = []
    for image in sorted(images, key=lambda span: (span[1], span[0])):
        joined = image
        # Joined with all that it touches, which may bring it near others found before.
        for other in [other_span for other_span in found if _are_touching(other_span, joined)]:
            found.remove(other)
            joined = (
                min(joined[0], other[0]), min(joined[1], other[1]), max(joined[2], other[2]), max(joined[3], other[3]),
            )  # fmt: skip
        found.append(joined)
    page = max(1.0, sheet.width * sheet.height)
    # What lies beyond the page is not seen.
    shown = [(max(a, 0.0), max(b, 0.0), min(c, sheet.width), min(d, sheet.height)) for a, b, c, d in found]
    sized = [image for image in shown if image[2] - image[0] >= LEAST_FIGURE and image[3] - image[1] >= LEAST_FIGURE]
    figures = [image for image in sized if (image[2] - image[0]) * (image[3] - image[1]) <= MOST_OF_A_PAGE * page]
    return [tuple(round(edge, 2) for edge in figure) for figure in figures[:MOST_FIGURES]]  # type: ignore[misc]


def _find_drawings(shapes: list[Span], sheet: PageGeometry) -> list[Span]:
    """Return areas with many shapes: bands across the page, divided horizontally."""
    page = max(1.0, sheet.width * sheet.height)
    inside = [
        (a, b, c, d)
        for a, b, c, d in shapes
        if a >= 0 and b >= 0 and c <= sheet.width and d <= sheet.height and (c - a) * (d - b) <= MOST_OF_A_PAGE * page
    ]
    found: list[Span] = []
    for band in _divide_shapes(inside, 1):
        for group in _divide_shapes(band, 0):
            lefts, tops, rights, bottoms = zip(*group, strict=True)
            found.append((min(lefts), min(tops), max(rights), max(bottoms)))
    large = [span for span in found if min(span[2] - span[0], span[3] - span[1]) >= LEAST_DRAWING]
    return [
        drawing for drawing in large if (drawing[2] - drawing[0]) * (drawing[3] - drawing[1]) <= MOST_OF_A_PAGE * page
    ]


def _divide_shapes(shapes: list[Span], side: int) -> Iterator[list[Span]]:
    """Groups of many shapes with gaps between them, from left to right (side 0) or from top to bottom (1)."""
    if len(shapes) < LEAST_SHAPES:
        return
    group: list[Span] = []
    end = 0.0
    for shape in sorted(shapes, key=lambda span: span[side]):
        if group and shape[side] > end + GAP:
            if len(group) >= LEAST_SHAPES:
                yield group
            group = []
        end = max(end, shape[side + 2]) if group else shape[side + 2]
        group.append(shape)
    if len(group) >= LEAST_SHAPES:
        yield group


def without_words(rulings: PageRulings, words: Iterable[tuple[float, float, int]]) -> list[Span]:
    """Return figures, and drawings without text. `words` are the middles of lines and their numbers of characters. What
    is inside a grid belongs to a table.
    """
    # The bounds of paths are asked for anyway: 5 % on a page with fifty bars, nothing on others.
    silent: list[Span] = []
    written = list(words)
    for drawing in rulings.drawings:
        left, top, right, bottom = drawing
        inside = sum(count for x, y, count in written if left <= x <= right and top <= y <= bottom)
        is_table = any(left <= grid.xs[0] <= right and top <= grid.ys[0] <= bottom for grid in rulings.grids)
        if (
            inside < MOST_CHARACTERS
            and not is_table
            and not any(_are_touching(drawing, figure) for figure in rulings.figures)
        ):
            silent.append((round(left, 2), round(top, 2), round(right, 2), round(bottom, 2)))
    return [*rulings.figures, *silent][:MOST_FIGURES]


def _are_touching(one: Span, other: Span) -> bool:
    return (
        one[0] <= other[2] + NEAR
        and other[0] <= one[2] + NEAR
        and one[1] <= other[3] + NEAR
        and other[1] <= one[3] + NEAR
    )


ALMOST_ALL = 0.999


def scan_of(page: Any) -> tuple[float, tuple[int, int]]:
    """Return the resolution (dpi) of a picture that fills most of the page, and its size if it fills all; zeros
    otherwise.
    """
    wide_pt, high_pt = raw.FPDF_GetPageWidthF(page), raw.FPDF_GetPageHeightF(page)
    largest, dpi, size = 0.0, 0.0, (0, 0)
    for index in range(min(raw.FPDFPage_CountObjects(page), MOST_IMAGES)):
        each = raw.FPDFPage_GetObject(page, index)
        bounds = _object_bounds(each) if raw.FPDFPageObj_GetType(each) == _IMAGE else None
        area = (bounds[2] - bounds[0]) * (bounds[1] - bounds[3]) if bounds is not None else 0.0
        wide, high = ctypes.c_uint(), ctypes.c_uint()
        # Of several pictures the largest is the scan, others are stamps and logos.
        if area > largest and raw.FPDFImageObj_GetImagePixelSize(each, ctypes.byref(wide), ctypes.byref(high)):
            largest, dpi = area, 72 * (wide.value * high.value / area) ** 0.5
            is_all = area > wide_pt * high_pt * ALMOST_ALL
            size = (wide.value, high.value) if is_all else (0, 0)
    return (dpi, size) if largest > max(1.0, wide_pt * high_pt) / 2 else (0.0, (0, 0))


def _object_bounds(item: Any) -> Span | None:
    edges = [ctypes.c_float() for _ in range(4)]
    if not raw.FPDFPageObj_GetBounds(item, *(ctypes.byref(edge) for edge in edges)):
        return None
    left, bottom, right, top = (edge.value for edge in edges)
    return left, top, right, bottom


def _is_thin(span: Span) -> bool:
    wide, high = abs(span[2] - span[0]), abs(span[1] - span[3])
    return min(wide, high) <= THIN and max(wide, high) >= SHORTEST


def _lines_of(path: Any, whole: Span | None) -> list[Span]:
    """Return a path's straight lines: the path itself if thin, else its strokes and thin rectangles.

    `whole` are its bounds.
    """
    # PDFium reports absurd bounds for broken paths.
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
    for points in _path_outlines(path, count, matrix):
        xs, ys = [x for x, _ in points], [y for _, y in points]
        around = (min(xs), max(ys), max(xs), min(ys))
        if _is_thin(around):
            found.append(around)
        # A filled rectangle has no lines of its own; its stroke would be.
        elif stroke.value:
            sides = ((min(a[0], b[0]), max(a[1], b[1]), max(a[0], b[0]), min(a[1], b[1])) for a, b in pairwise(points))
            found += [side for side in sides if _is_thin(side)]
    return found


def _path_outlines(path: Any, count: int, matrix: Any) -> Iterator[list[tuple[float, float]]]:
    """Yield the corners of each part of a path; a part with a curve in it is left out."""
    x, y = ctypes.c_float(), ctypes.c_float()
    points: list[tuple[float, float]] = []
    is_curved = False
    for index in range(count):
        segment = raw.FPDFPath_GetPathSegment(path, index)
        kind = raw.FPDFPathSegment_GetType(segment)
        raw.FPDFPathSegment_GetPoint(segment, ctypes.byref(x), ctypes.byref(y))
        point = (matrix.a * x.value + matrix.c * y.value + matrix.e, matrix.b * x.value + matrix.d * y.value + matrix.f)
        if kind == raw.FPDF_SEGMENT_MOVETO:
            # A curve is a rounded corner or a drawing, never a cell's border.
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
    """Return the lines of a form, not of forms inside it, and only where it is not turned."""
    matrix = raw.FS_MATRIX()
    # In a turned form lines across would go down the page.
    if not raw.FPDFPageObj_GetMatrix(form, ctypes.byref(matrix)) or matrix.b or matrix.c:
        return []
    found: list[Span] = []
    for index in range(min(raw.FPDFFormObj_CountObjects(form), MOST_PATHS)):
        each = raw.FPDFFormObj_GetObject(form, index)
        if raw.FPDFPageObj_GetType(each) != _PATH:
            continue
        for left, top, right, bottom in _lines_of(each, _object_bounds(each)):
            a, d, e, f = matrix.a, matrix.d, matrix.e, matrix.f
            found.append((a * left + e, d * top + f, a * right + e, d * bottom + f))
    return [span for span in found if _is_thin(span)]


class _FormMatrix(NamedTuple):
    """Transformation of a form into its surroundings: PDF 32000-1, 8.3.4."""

    a: float
    b: float
    c: float
    d: float
    e: float
    f: float

    def within(self, other: _FormMatrix) -> _FormMatrix:
        a, b, c, d, e, f = other
        return _FormMatrix(
            self.a * a + self.b * c, self.a * b + self.b * d, self.c * a + self.d * c, self.c * b + self.d * d,
            self.e * a + self.f * c + e, self.e * b + self.f * d + f,
        )  # fmt: skip

    def around(self, span: Span) -> Span:
        """Return the bounds outside of the form: left, top, right and bottom around its turned corners."""
        left, top, right, bottom = span
        xs = [self.a * x + self.c * y + self.e for x in (left, right) for y in (top, bottom)]
        ys = [self.b * x + self.d * y + self.f for x in (left, right) for y in (top, bottom)]
        return min(xs), max(ys), max(xs), min(ys)


_UNTURNED = _FormMatrix(1, 0, 0, 1, 0, 0)


def _look_into(
    form: Any, sheet: PageGeometry, images: list[Span], shapes: list[Span], *, outside: _FormMatrix, depth: int = 1
) -> None:
    """Add pictures and shapes of a form and forms in it. Thin ones are lines, as on the page itself."""
    matrix = raw.FS_MATRIX()
    if not raw.FPDFPageObj_GetMatrix(form, ctypes.byref(matrix)):
        return
    turn = _FormMatrix(matrix.a, matrix.b, matrix.c, matrix.d, matrix.e, matrix.f).within(outside)
    for index in range(min(raw.FPDFFormObj_CountObjects(form), MOST_OBJECTS)):
        each = raw.FPDFFormObj_GetObject(form, index)
        kind = raw.FPDFPageObj_GetType(each)
        if kind == _FORM and depth < MOST_FORMS_DEEP:
            _look_into(each, sheet, images, shapes, outside=turn, depth=depth + 1)
        elif kind in (_PATH, _IMAGE) and (bounds := _object_bounds(each)) is not None:
            whole = turn.around(bounds)
            if kind == _IMAGE and len(images) < MOST_IMAGES:
                images.append(sheet.box(*whole))
            elif kind == _PATH and not _is_thin(whole):
                shapes.append(sheet.box(*whole))
        if len(shapes) > MOST_PATHS:
            return


def _merge_rules(rules: list[RuledLine]) -> list[RuledLine]:
    """Join lines at nearly the same place that touch, as the borders of adjacent cells do."""
    found: list[RuledLine] = []
    for rule in sorted(rules):
        for number in range(len(found) - 1, -1, -1):
            other = found[number]
            if rule.at - other.at > NEAR:
                continue
            if rule.start <= other.end + NEAR and other.start <= rule.end + NEAR:
                found[number] = RuledLine(other.at, min(rule.start, other.start), max(rule.end, other.end))
                break
        else:
            found.append(rule)
        if len(found) > 2 * MOST_RULES:
            break
    return found


def _group_rules(across: list[RuledLine], down: list[RuledLine]) -> PageRulings:
    """Return which lines touch each other: grids where two and two do."""
    group = list(range(len(across) + len(down)))

    # Union-find with halved paths: each line of a grid touches many others.
    def head(each: int) -> int:
        while group[each] != each:
            group[each] = each = group[group[each]]
        return each

    for number, rule in enumerate(across):
        for other, line in enumerate(down, len(across)):
            is_wide = rule.start - NEAR <= line.at <= rule.end + NEAR
            if is_wide and line.start - NEAR <= rule.at <= line.end + NEAR:
                group[head(number)] = head(other)
    rulings = PageRulings()
    for cut in sorted({head(number) for number in range(len(group))}):
        rows = [rule for number, rule in enumerate(across) if head(number) == cut]
        columns = [rule for number, rule in enumerate(down, len(across)) if head(number) == cut]
        # Two lines across and one down enclose something; less is a rule below a heading.
        if len(rows) >= 2 and columns:
            rulings.grids.append(_make_grid(rows, columns))
        else:
            rulings.across += rows
    rulings.across.sort()
    return rulings


def _make_grid(across: list[RuledLine], down: list[RuledLine]) -> RuledGrid:
    """Return a grid; where lines go on beyond the outermost ones that cross them, its side is open and ends there."""
    left, right = min(rule.start for rule in across), max(rule.end for rule in across)
    top, bottom = min(rule.start for rule in down), max(rule.end for rule in down)
    xs, ys = _edges_of([rule.at for rule in down], left, right), _edges_of([rule.at for rule in across], top, bottom)
    return RuledGrid(sorted(across), sorted(down), xs, ys)


def _edges_of(places: list[float], first: float, last: float) -> list[float]:
    edges: list[float] = []
    for place in sorted(places):
        if not edges or place - edges[-1] > NEAR:
            edges.append(place)
    if first < edges[0] - 2 * NEAR:
        edges.insert(0, first)
    if last > edges[-1] + 2 * NEAR:
        edges.append(last)
    return edges


def near(rules: list[RuledLine], at: float) -> list[RuledLine]:
    """Return the lines at most one and a half `NEAR` away from a place."""
    return [rule for rule in rules if abs(rule.at - at) <= 1.5 * NEAR]


def covered(rules: list[RuledLine], at: float, start: float, end: float) -> float:
    """Return which part of a straight line is drawn, from 0 to 1."""
    drawn = sum(max(min(rule.end, end) - max(rule.start, start), 0) for rule in near(rules, at))
    return drawn / max(end - start, 0.1)
