"""PDF pages through PDFium: opening, measuring (points from the top left as shown), drawing, and bookmarks, annotations
and lines.

PDFium's raw interface is used: a page takes a millisecond, and an object per step would double that.
"""

from __future__ import annotations

import ctypes
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import pypdfium2 as pdfium
from pypdfium2 import raw

from app.core.errors import DocumentLocked, DocumentUnreadable
from app.documents.blocks import BlockKind, BlockPiece, BlockPlace, LineBox
from app.documents.protocol import Drawn

MOST_SIDE = 16_384
Span = tuple[float, float, float, float]
"""Left, top, right and bottom."""


def quick(function: Any, result: Any, *arguments: Any) -> Any:
    """Return a PDFium function that takes addresses.

    pypdfium2 checks every pointer's type, which takes as long as a short call. For functions called per line.
    """
    return ctypes.CFUNCTYPE(result, *arguments)(address_of(function))


def address_of(handle: Any) -> int:
    """Return where a handle of PDFium points to; 0 for none."""
    return ctypes.cast(handle, ctypes.c_void_p).value or 0


@contextmanager
def opened(path: Path, password: str) -> Iterator[Any]:
    """Open a document. Raises DocumentLocked if it needs a password, DocumentUnreadable ("damaged")."""
    try:
        document = pdfium.PdfDocument(path, password=password or None)
    except pdfium.PdfiumError as error:
        # pypdfium2 has no class of its own for a missing password.
        if getattr(error, "err_code", 0) == raw.FPDF_ERR_PASSWORD:
            raise DocumentLocked(str(path), is_wrong=bool(password)) from error
        raise DocumentUnreadable(str(path), "damaged") from error
    try:
        yield document
    finally:
        document.close()


@dataclass(frozen=True, slots=True)
class PageGeometry:
    """A page as it is shown: its size in points, its turn in quarters, and the part of user space it shows."""

    width: float
    height: float
    turn: int
    left: float
    bottom: float
    right: float
    top: float

    def point(self, x: float, y: float) -> tuple[float, float]:
        """Return a point of PDF user space, from the left upper corner of the shown page."""
        if self.turn == 0:
            return x - self.left, self.top - y
        if self.turn == 1:
            return y - self.bottom, x - self.left
        if self.turn == 2:
            return self.right - x, y - self.bottom
        return self.top - y, self.right - x

    def box(self, left: float, top: float, right: float, bottom: float) -> tuple[float, float, float, float]:
        """Return a rectangle of user space as left, top, right, bottom of the shown page."""
        one, other = self.point(left, top), self.point(right, bottom)
        return min(one[0], other[0]), min(one[1], other[1]), max(one[0], other[0]), max(one[1], other[1])

    def direction(self, x: float, y: float) -> tuple[float, float]:
        """Return a direction of user space on the shown page, where y grows downwards."""
        return (x, -y) if self.turn == 0 else ((y, x), (-x, y), (-y, -x))[self.turn - 1]


def sheet_of(page: Any) -> PageGeometry:
    """Return how a loaded page is shown: PDFium's crop box and rotation."""
    shown = raw.FS_RECTF()
    raw.FPDF_GetPageBoundingBox(page, ctypes.byref(shown))
    width, height = raw.FPDF_GetPageWidthF(page), raw.FPDF_GetPageHeightF(page)
    turn = raw.FPDFPage_GetRotation(page) % 4
    return PageGeometry(width, height, turn, shown.left, shown.bottom, shown.right, shown.top)


def picture(page: Any, scale: float, most_pixels: int, forms: Any = None) -> tuple[int, int, bytes]:
    """Return a loaded page drawn on white: width, height and rows of RGB without padding; never more than
    `most_pixels`.

    The size is capped before anything is allocated: a page may claim to be 2,000,000 points wide.
    """
    width_pt, height_pt = raw.FPDF_GetPageWidthF(page), raw.FPDF_GetPageHeightF(page)
    if not (width_pt > 0 and height_pt > 0 and scale > 0):
        raise ValueError("a page without a size")
    # Capped before anything is allocated: the sides in pixels, and their product.
    scale = min(scale, (most_pixels / (width_pt * height_pt)) ** 0.5, MOST_SIDE / max(width_pt, height_pt))
    width, height = max(1, int(width_pt * scale)), max(1, int(height_pt * scale))
    bitmap = pdfium.PdfBitmap.new_native(width, height, raw.FPDFBitmap_BGR)
    try:
        bitmap.fill_rect((255, 255, 255, 255), 0, 0, width, height)
        # PDFium draws BGR, and this gives RGB.
        flags = raw.FPDF_ANNOT | raw.FPDF_REVERSE_BYTE_ORDER
        raw.FPDF_RenderPageBitmap(bitmap, page, 0, 0, width, height, 0, flags)
        if forms is not None:
            raw.FPDF_FFLDraw(forms, bitmap, page, 0, 0, width, height, 0, flags)
        return width, height, _without_padding(bytes(bitmap.buffer), bitmap.stride, width * 3)
    finally:
        bitmap.close()


def _without_padding(pixels: bytes, stride: int, row: int) -> bytes:
    if stride == row:
        return pixels
    return b"".join(pixels[start : start + row] for start in range(0, len(pixels), stride))


def draw(path: Path, page: int, scale: float, password: str = "", most_pixels: int = 16_000_000) -> Drawn:
    """Draw page `page` (from 1) with annotations and filled forms; runs no script or action.

    Raises DocumentLocked and DocumentUnreadable ("damaged", or "not_drawn" for a missing page).
    """
    with opened(path, password) as document:
        loaded = raw.FPDF_LoadPage(document.raw, page - 1) if page > 0 else None
        if not loaded:
            raise DocumentUnreadable(str(path), "not_drawn")
        try:
            with _open_forms(document) as forms:
                width, height, pixels = picture(loaded, scale, most_pixels, forms)
            width_pt, height_pt = raw.FPDF_GetPageWidthF(loaded), raw.FPDF_GetPageHeightF(loaded)
        except (ValueError, pdfium.PdfiumError, MemoryError) as error:
            raise DocumentUnreadable(str(path), "not_drawn") from error
        finally:
            raw.FPDF_ClosePage(loaded)
    return Drawn(page, width, height, round(width_pt, 2), round(height_pt, 2), zlib.compress(pixels, 1))


@contextmanager
def _open_forms(document: Any) -> Iterator[Any]:
    """Open PDFium's form environment to draw filled fields only; opening actions are never run."""
    # XFA forms need a JavaScript engine; only AcroForms are drawn.
    if document.get_formtype() not in (raw.FORMTYPE_ACRO_FORM,):
        yield None
        return
    info = raw.FPDF_FORMFILLINFO(version=2)
    forms = raw.FPDFDOC_InitFormFillEnvironment(document.raw, info)
    try:
        yield forms or None
    finally:
        if forms:
            raw.FPDFDOC_ExitFormFillEnvironment(forms)


# A PDF's outline (bookmarks), read as far as it is needed, page by page.

MOST_ENTRIES = 20_000
MOST_AT_ONCE = 400
MOST_TITLE_BYTES = 4000
DEEPEST = 9


@dataclass(frozen=True, slots=True)
class OutlineEntry:
    """A title, the page it leads to (from 1), its height there in user space where it says one, and its depth."""

    title: str
    page: int
    y: float | None
    level: int


class PdfOutline:
    """The entries of each page. Finding the page of an entry costs time, so it is done as reading gets there."""

    def __init__(self, document: Any) -> None:
        self._document = document
        self._entries = self._walk_outline()
        self._by_page: dict[int, list[OutlineEntry]] = {}
        self._reached = 0

    def entries_of(self, page: int) -> list[OutlineEntry]:
        """Return the entries that lead to a page, forgetting earlier pages' ones."""
        # So many entries at once: an outline of 20,000 must not hold up the first page.
        for _ in range(MOST_AT_ONCE):
            if self._reached > page:
                break
            entry = next(self._entries, None)
            if entry is None:
                break
            self._reached = max(self._reached, entry.page)
            self._by_page.setdefault(entry.page, []).append(entry)
        for old in [number for number in self._by_page if number < page]:
            del self._by_page[old]
        return self._by_page.get(page, [])

    def _walk_outline(self) -> Iterator[OutlineEntry]:
        """Yield entries depth first without recursion; a repeated one ends a loop."""
        seen: set[int] = set()
        above: list[Any] = []
        at = raw.FPDFBookmark_GetFirstChild(self._document.raw, None)
        while at or above:
            # Up again when there are no more siblings.
            if not at:
                at = raw.FPDFBookmark_GetNextSibling(self._document.raw, above.pop())
                continue
            address = ctypes.cast(at, ctypes.c_void_p).value or 0
            if address in seen or len(seen) >= MOST_ENTRIES:
                at = None
                continue
            seen.add(address)
            entry = self._outline_entry(at, len(above) + 1)
            if entry:
                yield entry
            above.append(at)
            at = raw.FPDFBookmark_GetFirstChild(self._document.raw, at)

    def _outline_entry(self, bookmark: Any, level: int) -> OutlineEntry | None:
        title = said(lambda room, size: raw.FPDFBookmark_GetTitle(bookmark, room, size), MOST_TITLE_BYTES)
        if not title:
            return None
        target = raw.FPDFBookmark_GetDest(self._document.raw, bookmark)
        # A bookmark leads to its place by itself or by an action (GoTo).
        if not target:
            action = raw.FPDFBookmark_GetAction(bookmark)
            target = action and raw.FPDFAction_GetDest(self._document.raw, action)
        page = raw.FPDFDest_GetDestPageIndex(self._document.raw, target) if target else -1
        if page < 0:
            return None
        return OutlineEntry(title, page + 1, _target_height(target), min(level, DEEPEST))


def _target_height(target: Any) -> float | None:
    has_x, has_y, has_zoom = (ctypes.c_int() for _ in range(3))
    x, y, zoom = (ctypes.c_float() for _ in range(3))
    refs = [ctypes.byref(value) for value in (has_x, has_y, has_zoom, x, y, zoom)]
    # Not each destination says a height: "fit page" has none.
    return y.value if raw.FPDFDest_GetLocationInPage(target, *refs) and has_y.value else None


# What was written onto a PDF's pages: the values of form fields, comments, and the text of stamps.

MOST_ANNOTATIONS = 5000
"""On one page."""
MOST_UNITS = 2_000_000
LEAST_QUOTED = 20
FAR = 1e8
_OFF = ("", "Off")
_WITHOUT_WORDS = (raw.FPDF_ANNOT_LINK, raw.FPDF_ANNOT_POPUP)
"""Annotations without own words: a popup's are those of its comment."""
_DRAWN = (raw.FPDF_ANNOT_FREETEXT, raw.FPDF_ANNOT_STAMP)

_address = ctypes.c_void_p
_annotation = quick(raw.FPDFPage_GetAnnot, _address, _address, ctypes.c_int)
_subtype = quick(raw.FPDFAnnot_GetSubtype, ctypes.c_int, _address)
_close = quick(raw.FPDFPage_CloseAnnot, None, _address)


class _AnnotationText(NamedTuple):
    """Text of an annotation: a note, or a paragraph for a form field, whose name is the label."""

    kind: BlockKind
    text: str
    label: str


class AnnotationReader:
    """Read annotations page by page; a field shown in several places is read once."""

    def __init__(self, document: Any) -> None:
        self._document = document
        self._seen: set[str] = set()

    def read_page(self, page: Any, text_page: Any, number: int, sheet: PageGeometry) -> list[BlockPiece]:
        """Return the paragraphs of filled fields and the notes of comments, without what is in the page's text.

        A page with stamps that only have an appearance is changed in memory: ask for nothing else of it afterwards.
        """
        count = min(raw.FPDFPage_GetAnnotCount(page), MOST_ANNOTATIONS)
        if count < 1:
            return []
        pieces: list[BlockPiece] = []
        drawn: list[tuple[Span, str]] = []
        handle = address_of(page)
        for index in range(count):
            at = _annotation(handle, index)
            if not at:
                continue
            try:
                subtype = _subtype(at)
                if subtype in _WITHOUT_WORDS:
                    continue
                annotation = ctypes.cast(at, raw.FPDF_ANNOTATION)
                if raw.FPDFAnnot_GetFlags(annotation) & raw.FPDF_ANNOT_FLAG_HIDDEN:
                    continue
                edges = _annotation_rectangle(annotation)
                inside = _text_in(text_page, edges)
                words = self._annotation_text(annotation, subtype)
                # A field's value and a stamp's words are usually part of the page's text as well.
                if words.text and not _is_said(words, inside):
                    pieces.append(_annotation_piece(words, number, sheet, edges))
                elif not words.text and subtype in _DRAWN:
                    drawn.append((edges, inside))
            finally:
                _close(at)
        return pieces + self._appearance_texts(page, number, sheet, drawn)

    def _annotation_text(self, annotation: Any, subtype: int) -> _AnnotationText:
        if subtype == raw.FPDF_ANNOT_WIDGET:
            return _AnnotationText(BlockKind.PARAGRAPH, *self._field_value(annotation))
        return _AnnotationText(BlockKind.NOTE, _annotation_string(annotation, b"Contents"), "comment")

    def _field_value(self, widget: Any) -> tuple[str, str]:
        """Return a filled field's value and name; a checked box has its name as value."""
        name, kind = _annotation_string(widget, b"T"), _annotation_string(widget, b"FT")
        state = _annotation_string(widget, b"AS")
        if kind == "Btn" or state:
            if state in _OFF:
                return "", ""
            name = name or self._of_form(widget, raw.FPDFAnnot_GetFormFieldName)
            # /TU is the alternate name that is shown to people; a box is checked by any state but /Off.
            return _annotation_string(widget, b"TU") or name or state, name
        value = _annotation_string(widget, b"V")
        if value or not raw.FPDFAnnot_HasKey(widget, b"Parent"):
            return value, name
        # What several places share is with the field itself, which only PDFium's forms lead to.
        name = self._of_form(widget, raw.FPDFAnnot_GetFormFieldName)
        value = self._of_form(widget, raw.FPDFAnnot_GetFormFieldValue)
        if not value or name in self._seen:
            return "", ""
        self._seen.add(name)
        return value, name

    def _of_form(self, widget: Any, answer: Any) -> str:
        # PDFium's form environment is made when the first field needs it: most documents have none.
        if self._document.formenv is None:
            try:
                self._document.init_forms()
            except pdfium.PdfiumError:
                return ""
        forms = self._document.formenv
        return said(lambda room, size: answer(forms.raw, widget, room, size)) if forms else ""

    def _appearance_texts(
        self, page: Any, number: int, sheet: PageGeometry, drawn: list[tuple[Span, str]]
    ) -> list[BlockPiece]:
        """Return the text that stamps only have in their drawings, which PDFium puts into the page's own."""
        if not drawn or raw.FPDFPage_Flatten(page, raw.FLAT_NORMALDISPLAY) != raw.FLATTEN_SUCCESS:
            return []
        flat = raw.FPDF_LoadPage(self._document.raw, number - 1)
        text_page = raw.FPDFText_LoadPage(flat) if flat else None
        try:
            found = [(edges, inside, _text_in(text_page, edges)) for edges, inside in drawn] if text_page else []
        finally:
            if text_page:
                raw.FPDFText_ClosePage(text_page)
            if flat:
                raw.FPDF_ClosePage(flat)
        return [
            _annotation_piece(_AnnotationText(BlockKind.NOTE, " ".join(text.split()), "comment"), number, sheet, edges)
            for edges, inside, text in found
            if text.strip() and not inside.strip()
        ]


def _annotation_rectangle(annotation: Any) -> Span:
    """Return left, top, right and bottom in user space."""
    edges = raw.FS_RECTF()
    if not raw.FPDFAnnot_GetRect(annotation, ctypes.byref(edges)):
        return 0.0, 0.0, 0.0, 0.0
    top, bottom = max(edges.top, edges.bottom), min(edges.top, edges.bottom)
    return min(edges.left, edges.right), top, max(edges.left, edges.right), bottom


def _annotation_piece(said: _AnnotationText, number: int, sheet: PageGeometry, edges: Span) -> BlockPiece:
    place = BlockPlace()
    if all(-FAR < edge < FAR for edge in edges):
        left, top, right, bottom = (round(edge, 2) for edge in sheet.box(*edges))
        place = BlockPlace(boxes=(LineBox(number, left, top, right, bottom, 0, len(said.text)),))
    return BlockPiece(said.kind, said.text, number, place, label=said.label)


def _annotation_string(annotation: Any, key: bytes) -> str:
    return said(lambda room, size: raw.FPDFAnnot_GetStringValue(annotation, key, room, size))


def said(answer: Any, most_bytes: int = MOST_UNITS) -> str:
    """Read UTF-16 that PDFium writes, asking for its size first; white space collapsed. "" if too long."""
    # The size includes the final zero of two bytes.
    size = answer(None, 0)
    if not 2 < size <= most_bytes:
        return ""
    room = ctypes.create_string_buffer(size)
    answer(ctypes.cast(room, ctypes.POINTER(ctypes.c_ushort)), size)
    return " ".join(room.raw[:-2].decode("utf-16-le", "replace").replace("\0", " ").split())


def _text_in(text_page: Any, edges: Span) -> str:
    count = raw.FPDFText_GetBoundedText(text_page, *edges, None, 0)
    if not 0 < count <= MOST_UNITS:
        return ""
    room = (ctypes.c_ushort * (count + 1))()
    written = raw.FPDFText_GetBoundedText(text_page, *edges, room, count)
    return bytes(room)[: 2 * min(written, count)].decode("utf-16-le", "replace").replace("\0", " ")


def _is_said(said: _AnnotationText, inside: str) -> bool:
    """Return whether the page's text has it at the same place. A short comment may use a word of its target."""
    letters, there = _comparable_letters(said.text), _comparable_letters(inside)
    return letters in there and (said.kind is BlockKind.PARAGRAPH or letters == there or len(letters) >= LEAST_QUOTED)


def _comparable_letters(text: str) -> str:
    """Return what two texts are compared by: spaces and hyphens at the ends of lines may differ."""
    return "".join(filter(str.isalnum, text)).casefold() or "".join(text.split())


# The straight lines that are drawn on a PDF page, and the grids that they make.

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
