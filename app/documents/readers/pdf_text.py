"""The lines of a PDF page as PDFium finds them, each with its place, its size and its font.

The text of a page is one call, and a line costs about eight more: asking for every character would cost five times
the extraction itself. Only a line that may have a gutter in it is asked for the places of its words.
"""

from __future__ import annotations

import ctypes
import math
import re
from dataclasses import dataclass, field
from typing import Any

from pypdfium2 import raw

from app.documents.blocks import Piece
from app.documents.readers.pdf_annotations import Annotations
from app.documents.readers.pdf_page import Sheet, address_of, quick, sheet_of
from app.documents.readers.pdf_rulings import Grid, Rulings, rulings_of

HYPHEN = "\ufffe"
"""PDFium's sign for a hyphen at a line's end."""
WIDE_GAP = 1.0
"""From this many times the font size on, a gap between two words may be a gutter."""
LOOSE_EM = 0.65
MOST_OBJECTS = 2000
MOST_SIZE, FAR = 1e6, 1e8
"""Points; a file may claim anything."""

BULLETS = "•‣◦▪▫■□●○◆►▶➢➤✓✔∙·*–—-\uf0b7\uf0a7\uf0d8\uf076"

_UNPRINTABLE = dict.fromkeys([*range(9), *range(11, 13), *range(14, 32), 0x7F, 0xFFFF, 0xFEFF])
_UNPRINTABLE |= {2: HYPHEN, 9: " "}
_UNPRINTABLE |= {0xFB00 + n: text for n, text in enumerate(("ff", "fi", "fl", "ffi", "ffl", "st", "st"))}
_LINE = re.compile(rf"[^\s{HYPHEN}][^\r\n{HYPHEN}]*{HYPHEN}?")
"""PDFium breaks no line after its sign for a hyphen."""
_SPACES = re.compile(r" +")
_BOLD = re.compile(r"bold|black|heavy|demi|CMBX|SFBX|LMRoman\d+-Bold", re.IGNORECASE)
_MONO = re.compile(r"mono|courier|typewriter|consol|menlo|CMTT|SFTT|cmvtt", re.IGNORECASE)


_int, _address = ctypes.c_int, ctypes.c_void_p
_count_rects = quick(raw.FPDFText_CountRects, _int, _address, _int, _int)
_get_rect = quick(raw.FPDFText_GetRect, _int, _address, _int, _address, _address, _address, _address)
_get_char_box = quick(raw.FPDFText_GetCharBox, _int, _address, _int, _address, _address, _address, _address)
_get_font_size = quick(raw.FPDFText_GetFontSize, ctypes.c_double, _address, _int)
_get_matrix = quick(raw.FPDFText_GetMatrix, _int, _address, _int, _address)
_get_text_object = quick(raw.FPDFText_GetTextObject, _address, _address, _int)
_get_font = quick(raw.FPDFTextObj_GetFont, _address, _address)


@dataclass(slots=True)
class Line:
    """A line of text, or the part of one that a wide gap divides from the rest: points on the page as shown.

    `base` is where the letters stand; `is_bold` and `is_mono` are only set where all of it is; `gap` is the widest
    gap between words that were put together to a line.
    """

    page: int
    text: str
    left: float
    top: float
    right: float
    bottom: float
    base: float
    size: float
    is_bold: bool = False
    is_mono: bool = False
    is_turned: bool = False
    gap: float = 0.0
    table: Table | None = None
    """Of a line that only stands for a ruled table: its cells."""
    start: int = -1
    length: int = 0
    """Where the line is in the page's text."""


@dataclass(slots=True)
class Table:
    """Rows of cells, each with the lines in it; a cell may have none."""

    rows: list[list[list[Line]]]


Span = tuple[float, float, float, float]
NO_SHEET = Sheet(0, 0, 0, 0, 0, 0, 0)


@dataclass
class PageText:
    """What a page has: its lines in the order of the file. `has_pictures` is only looked for where there is no text."""

    page: int
    sheet: Sheet = NO_SHEET
    lines: list[Line] = field(default_factory=list)
    text: str = ""
    has_pictures: bool = False
    is_damaged: bool = False
    rulings: Rulings = field(default_factory=Rulings)
    added: list[Piece] = field(default_factory=list)
    """What was written onto the page: filled fields and comments."""


class Probe:
    """What PDFium writes its answers into, made once for all pages."""

    def __init__(self) -> None:
        self.edges = (ctypes.c_double * 4)()
        first = ctypes.addressof(self.edges)
        self.places = [first + 8 * number for number in range(4)]
        self.matrix = raw.FS_MATRIX()
        self.matrix_place = ctypes.addressof(self.matrix)


def page_text(document: Any, page: int, probe: Probe, annotations: Annotations | None = None) -> PageText:
    """Page `page` (from 1) of an open document; a page that cannot be loaded is marked as damaged."""
    loaded = raw.FPDF_LoadPage(document.raw, page - 1)
    if not loaded:
        return PageText(page, is_damaged=True)
    try:
        text_page = raw.FPDFText_LoadPage(loaded)
        if not text_page:
            return PageText(page, is_damaged=True)
        try:
            sheet = sheet_of(loaded)
            reading = _Reading(page, text_page, sheet, probe)
            lines = reading.lines()
            rulings = rulings_of(loaded, sheet)
            for grid in rulings.grids:
                lines = reading.cut(lines, grid)
            has_pictures = len(lines) < 3 and _has_pictures(loaded)
            added = annotations.of(loaded, text_page, page, sheet) if annotations else []
        finally:
            raw.FPDFText_ClosePage(text_page)
        return PageText(page, sheet, lines, reading.text, has_pictures, rulings=rulings, added=added)
    finally:
        raw.FPDF_ClosePage(loaded)


def _has_pictures(page: Any) -> bool:
    """Whether there is anything to see: pictures, drawings, or forms with them inside."""
    for index in range(min(raw.FPDFPage_CountObjects(page), MOST_OBJECTS)):
        kind = raw.FPDFPageObj_GetType(raw.FPDFPage_GetObject(page, index))
        if kind in (raw.FPDF_PAGEOBJ_IMAGE, raw.FPDF_PAGEOBJ_PATH, raw.FPDF_PAGEOBJ_FORM, raw.FPDF_PAGEOBJ_SHADING):
            return True
    return False


class _Reading:
    """One page being read."""

    def __init__(self, page: int, text_page: Any, sheet: Sheet, probe: Probe) -> None:
        self._page, self._text_page, self._sheet, self._probe = page, text_page, sheet, probe
        self._fonts: dict[int, tuple[bool, bool]] = {}
        self._handle = address_of(text_page)
        self._count = raw.FPDFText_CountChars(text_page)
        self.text = self._whole_text()
        # Outside the basic plane, and for letters without a meaning, the text's indices are not the characters'.
        self._is_shifted = len(self.text) != self._count

    def _whole_text(self) -> str:
        if self._count <= 0:
            return ""
        room = ctypes.create_string_buffer(4 * self._count + 4)
        units = raw.FPDFText_GetText(
            self._text_page, 0, self._count, ctypes.cast(room, ctypes.POINTER(ctypes.c_ushort))
        )
        return room.raw[: 2 * max(units - 1, 0)].decode("utf-16-le", "replace")

    def lines(self) -> list[Line]:
        found: list[Line] = []
        for piece in _LINE.finditer(self.text):
            found += self._line(piece[0], piece.start())
        return found

    def _index(self, position: int) -> int:
        if not self._is_shifted:
            return position
        return int(raw.FPDFText_GetCharIndexFromTextIndex(self._text_page, position))

    def _line(self, text: str, start: int, is_whole: bool = False) -> list[Line]:
        """A line, or its parts where gutters divide it; with `is_whole` it is one."""
        text = text.rstrip()
        if not text:
            return []
        middle = len(text) // 2
        middle += text[middle] == " "
        first, centre, last = start, start + middle, start + len(text) - 1
        if self._is_shifted:
            first, centre, last = self._index(first), self._index(centre), self._index(last)
        spans = self._spans(first, last - first + 1 if last > first else 1)
        line = self._measured(text, spans, centre)
        if not line.text:
            return []
        line.start, line.length = start, len(text)
        if line.is_bold or line.is_mono:
            one, other = self._style(first), self._style(last)
            line.is_bold, line.is_mono = line.is_bold and one[0] and other[0], line.is_mono and one[1] and other[1]
        if not is_whole and not line.is_turned and " " in text:
            shown = [self._sheet.box(*span) for span in spans] if self._sheet.turn else spans
            gaps = self._gaps(shown, text, line.size)
            if gaps:
                return self._divided(text, start, line.size, gaps)
        return [line]

    def _spans(self, first: int, count: int) -> list[Span]:
        """One rectangle for each piece of text the file draws: left, top, right, bottom in user space."""
        handle, edges = self._handle, self._probe.edges
        places = self._probe.places
        found = _count_rects(handle, first, count)
        if found == 1 and _get_rect(handle, 0, *places):
            left, top, right, bottom = edges
            return [(left, top, right, bottom)]
        spans = []
        for number in range(found):
            if _get_rect(handle, number, *places):
                left, top, right, bottom = edges
                spans.append((left, top, right, bottom))
        return spans

    def _measured(self, text: str, spans: list[Span], index: int) -> Line:
        """A line with its box; `index` is the character that tells its font and size.

        The size is the nominal one under the text's matrix, and the matrix tells where the letters stand, too.
        """
        sheet, matrix = self._sheet, self._probe.matrix
        written = text if text.isascii() and text.isprintable() else text.translate(_UNPRINTABLE).strip()
        is_bold, is_mono = self._style(index)
        size = _get_font_size(self._handle, index)
        size = size if 0 < size < MOST_SIZE else 1.0
        if not spans or not _get_matrix(self._handle, index, self._probe.matrix_place):
            return self._without_place(written, size)
        c, d = matrix.c, matrix.d
        size *= abs(d) if not c else math.hypot(c, d)
        if not 0 < size < MOST_SIZE:
            size = 1.0
        left, top, right, bottom = spans[0]
        if len(spans) > 1:
            lefts, tops, rights, bottoms = zip(*spans, strict=True)
            left, top, right, bottom = min(lefts), max(tops), max(rights), min(bottoms)
        if sheet.turn == 0:
            left, top, right, bottom = left - sheet.left, sheet.top - top, right - sheet.left, sheet.top - bottom
            across, down, base = matrix.a, matrix.b, sheet.top - matrix.f
        else:
            left, top, right, bottom = sheet.box(left, top, right, bottom)
            across, down = sheet.direction(matrix.a, matrix.b)
            base = sheet.point(matrix.e, matrix.f)[1]
        if not (-FAR < left <= right < FAR and -FAR < top <= bottom < FAR and -FAR < base < FAR):
            return self._without_place(written, size)
        if not (across > 0 and -0.3 * across < down < 0.3 * across):
            return Line(self._page, written, left, top, right, bottom, bottom, size, is_bold, is_mono, True)
        base = top if base < top else base if base < bottom + size else bottom + size
        high, low = base - 0.7 * size, base + 0.2 * size
        top, bottom = top if top < high else high, bottom if bottom > low else low
        return Line(self._page, written, left, top, right, bottom, base, size, is_bold, is_mono)

    def _without_place(self, text: str, size: float) -> Line:
        """Letters without an extent, as in some invisible layers, or with an absurd one: where the page ends."""
        low = self._sheet.height if abs(self._sheet.height) < FAR else 0.0
        return Line(self._page, text, 0.0, low - size, 0.0, low, low, size, is_turned=True)

    def _style(self, index: int) -> tuple[bool, bool]:
        """Whether a character is bold, and of fixed width."""
        part = _get_text_object(self._handle, index)
        font = _get_font(part) if part else None
        if not font:
            return False, False
        style = self._fonts.get(font)
        if style is None:
            style = self._fonts[font] = _font_style(ctypes.cast(font, raw.FPDF_FONT))
        return style

    def _gaps(self, spans: list[Span], text: str, size: float) -> int:
        """How many gutters may be in a line: the wide gaps between its pieces; -1 to look at every space."""
        gaps = 0
        if len(spans) > 1:
            wide = WIDE_GAP * size
            before_left, _, before_right, _ = spans[0]
            for left, _, right, _ in spans:
                # Forwards over a gutter, or back to the column before; right to left goes back without a gap.
                gaps += left - before_right > wide or before_left - right > wide
                before_left, before_right = left, right
        if gaps == 1 and text[0] in BULLETS and text[1] == " " and spans[0][2] - spans[0][0] < size:
            return 0
        if gaps or spans[-1][2] - spans[0][0] < LOOSE_EM * size * len(text) or ". . . ." in text:
            return gaps
        return -1

    def _divided(self, text: str, start: int, size: float, gaps: int) -> list[Line]:
        """The line cut where the space between two words is as wide as a gutter may be: each part is measured again,
        because PDFium takes what stands a little higher or lower for the same line.
        """
        parts: list[Line] = []
        begin = 0
        for space in _SPACES.finditer(text):
            before = self._sides(start + space.start() - 1)
            after = self._sides(start + space.end())
            if not before or not after:
                continue
            if after[0] - before[1] > WIDE_GAP * size or before[0] - after[1] > WIDE_GAP * size:
                parts += self._line(text[begin : space.start()], start + begin, is_whole=True)
                begin = space.end()
                gaps -= 1
                if not gaps:
                    break
        return parts + self._line(text[begin:], start + begin, is_whole=True)

    def cut(self, lines: list[Line], grid: Grid) -> list[Line]:
        """The lines, where those that reach over a line down the page between two cells are cut there."""
        found: list[Line] = []
        for line in lines:
            middle = line.base - 0.3 * line.size
            edges = [] if line.is_turned or not grid.ys[0] < middle < grid.ys[-1] else grid.down
            places = [rule.at for rule in edges if rule.start < middle < rule.end and line.left < rule.at < line.right]
            found += self._cut_at(line, places) if places and " " in line.text else [line]
        return found

    def _cut_at(self, line: Line, places: list[float]) -> list[Line]:
        text = self.text[line.start : line.start + line.length]
        slack = 0.2 * line.size
        begin = 0
        parts: list[Line] = []
        for space in _SPACES.finditer(text):
            before = self._sides(line.start + space.start() - 1)
            after = self._sides(line.start + space.end())
            if before and after and any(before[1] - slack <= place <= after[0] + slack for place in places):
                parts += self._line(text[begin : space.start()], line.start + begin, is_whole=True)
                begin = space.end()
        return parts + self._line(text[begin:], line.start + begin, is_whole=True) if parts else [line]

    def _sides(self, position: int) -> tuple[float, float] | None:
        """Where a character begins and ends on the page as it is shown."""
        one, two, three, four = self._probe.places
        index = self._index(position) if self._is_shifted else position
        # GetCharBox wants left, right, bottom, top, and GetRect left, top, right, bottom.
        if not _get_char_box(self._handle, index, one, three, four, two):
            return None
        left, top, right, bottom = self._probe.edges
        if not self._sheet.turn:
            return left - self._sheet.left, right - self._sheet.left
        box = self._sheet.box(left, top, right, bottom)
        return box[0], box[2]


def _font_style(font: Any) -> tuple[bool, bool]:
    room = ctypes.create_string_buffer(200)
    length = raw.FPDFFont_GetBaseFontName(font, room, 200)
    name = room.raw[: max(min(length, 200) - 1, 0)].decode("utf-8", "replace")
    flags = max(raw.FPDFFont_GetFlags(font), 0)
    is_bold = bool(_BOLD.search(name)) or raw.FPDFFont_GetWeight(font) >= 600
    return is_bold, bool(_MONO.search(name)) or bool(flags & 1)
