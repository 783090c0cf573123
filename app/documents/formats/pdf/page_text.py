"""The lines of a PDF page as PDFium finds them, each with its place, its size and its font.

The text of a page is one call, and a line costs about eight more: asking for every character would cost five times
the extraction itself. Only a line that may have a gutter in it is asked for the places of its words.
"""

from __future__ import annotations

import ctypes
import math
import re
import unicodedata
from functools import lru_cache
from typing import Any, NamedTuple

from pypdfium2 import raw

from app.core.lazy_dataclasses import dataclass, field
from app.documents.blocks import BlockPiece
from app.documents.formats.pdf.annotations import AnnotationReader
from app.documents.formats.pdf.pdf_pages import PageGeometry, Span, address_of, quick, sheet_of
from app.documents.formats.pdf.ruled_lines import PageRulings, RuledGrid, rulings_of, without_words
from app.documents.formats.pdf.unseen_words import UnseenWords

HYPHEN = "\ufffe"
"""PDFium's sign for a hyphen at a line's end."""
GONE = "\x01"
"""Replaces a joined accent, or a space that isn't one, in a page's text."""
WIDE_GAP = 1.0
"""Least gap between words, in font sizes, that may be a gutter."""
LOOSE_EM = 0.65
LONG_CHARS = 20
FIGURE_ENDS = frozenset("0123456789)%-–—")
LEAST_BOLD = 600
"""PDFium's weight from which on a font may be bold; it comes of the stems' width, so many regular ones have it."""
MOST_FAR_ACCENTS = 200
"""Limit per page: each one is searched among all characters."""
MOST_OBJECTS = 2000
MOST_SIZE, FAR = 1e6, 1e8
"""Points; a file may claim anything."""

BULLETS = "•‣◦▪▫■□●○◆►▶➢➤✓✔∙·*–—-\uf0b7\uf0a7\uf0d8\uf076"

_UNPRINTABLE = dict.fromkeys([*range(9), *range(11, 13), *range(14, 32), 0x7F, 0xFFFF, 0xFEFF])
_UNPRINTABLE |= {2: HYPHEN, 9: " "}
# Ligatures as letters of their own, in the order of Unicode from U+FB00.
_UNPRINTABLE |= {0xFB00 + n: text for n, text in enumerate(("ff", "fi", "fl", "ffi", "ffl", "st", "st"))}
_LINE = re.compile(rf"[^\s{HYPHEN}{GONE}][^\r\n{HYPHEN}]*{HYPHEN}?")
"""PDFium breaks no line after its sign for a hyphen."""
_SPACES = re.compile(r" +")
_FIGURES = re.compile(r"\d[%)]? [($]?[-–]?\d")
"""Two numbers side by side: in a row of a table there may be a gutter between any two of them."""
# An accent as a letter of its own, and the mark that Unicode joins with the letter before it.
_ACCENTS = dict(
    zip(
        "`´ˆ˜¯ˉ˘˙¨˚˝ˇ¸˛",
        "\u0300\u0301\u0302\u0303\u0304\u0304\u0306\u0307\u0308\u030a\u030b\u030c\u0327\u0328",
        strict=True,
    )
)
_ASCII = bytes(range(0x80))
_MARKED = frozenset([*_ACCENTS, *map(chr, range(0xC0, 0x180))])
_BELOW = "¸˛"
_ACCENT = re.compile(f"[{''.join(_ACCENTS)}]")
_DOTLESS = {"ı": "i", "ȷ": "j"}
# A space beside a letter with an accent, which may have come of the accent's place alone.
_DOUBTFUL = re.compile(f"[\u00c0-\u017f]{GONE}*( +)(?=[a-z\u00df-\u017f])|[A-Za-z]( +){GONE}*(?=[\u00df-\u017f])")
LEAST_SPACE = 0.2
"""Least distance between words in font sizes, even in crowded lines."""
# Names of TeX's fonts (CMBX, SFBX, lmbx), PostScript's ("-Bd", "Demi") and Japanese weights (W6 and up).
_BOLD = re.compile(
    r"bold|black|heavy|demi(?!c|n)|nimbus\w+-medi(?!um)|bookman-demi|(?:^|\+)(?:CM|SF|EC|EU)\w*B(?:X|\d|SY|MR)|(?:^|\+)(?:CM|LM)?MIB"
    r"|(?:^|\+)(?:lm|ec|tc|t1|ot1)\w*bx|[-,]b[dx]?(?:it|ital|italic|obl)?$|[-_]W[6-9]\b",
    re.IGNORECASE,
)
_REGULAR = re.compile(
    r"roman|regu|book(?!man)|light|thin|(?:^|\+)(?:CM|SF|EC|LM|MS)[A-Z]{1,6}\d|[-,](?:rm|rg|it|ital|italic|obl|oblique|text)(?:mt)?$",
    re.IGNORECASE,
)
_MONO = re.compile(
    r"mono(?!type)|courier|typewriter|consol|menlo|monaco|nimbusmon|letter ?gothic|(?:fira|source) ?code"
    r"|(?:CM|SF|EC|LM)(?:SL|I|CS)?TT\d|SFST\d|cmvtt|(?:^|\+)(?:t1|ot1|ts1)x\w?tt",
    re.IGNORECASE,
)


_int, _address = ctypes.c_int, ctypes.c_void_p
# Called for each line, so that ctypes' checks of arguments are worth leaving out.
_count_rects = quick(raw.FPDFText_CountRects, _int, _address, _int, _int)
_get_rect = quick(raw.FPDFText_GetRect, _int, _address, _int, _address, _address, _address, _address)
_get_char_box = quick(raw.FPDFText_GetCharBox, _int, _address, _int, _address, _address, _address, _address)
_get_font_size = quick(raw.FPDFText_GetFontSize, ctypes.c_double, _address, _int)
_get_matrix = quick(raw.FPDFText_GetMatrix, _int, _address, _int, _address)
_get_text_object = quick(raw.FPDFText_GetTextObject, _address, _address, _int)
_get_font = quick(raw.FPDFTextObj_GetFont, _address, _address)
_double = ctypes.c_double
_get_char_at = quick(raw.FPDFText_GetCharIndexAtPos, _int, _address, _double, _double, _double, _double)


@dataclass(slots=True)
class PdfLine:
    """A line of text, or the part of one that a wide gap divides from the rest: points on the page as shown.

    `base` is where the letters stand; `is_bold` and `is_mono` are only set where all of it is; `gap` is the widest
    gap between words that were put together to a line. `weight` is the font's as PDFium guesses it, 0 for unknown.
    """

    page: int
    text: str
    left: float
    top: float
    right: float
    bottom: float
    base: float
    size: float
    is_bold: bool | None = False
    """None where the font's name does not tell: only the document's other fonts do."""
    is_mono: bool = False
    is_turned: bool = False
    gap: float = 0.0
    table: PdfTable | None = None
    """Cells of a ruled table that this line stands for."""
    start: int = -1
    length: int = 0
    """Length of the line in the page's text."""
    inner: float = 0.0
    """Left edge of what follows the widest gap."""
    weight: int = 0


@dataclass(slots=True)
class PdfTable:
    """Rows of cells, each with the lines in it; a cell may have none."""

    rows: list[list[list[PdfLine]]]


class FontFace(NamedTuple):
    """Facts from a font's name and descriptor; `is_bold` is None if unknown."""

    is_bold: bool | None
    is_mono: bool
    weight: int


NO_FACE = FontFace(is_bold=False, is_mono=False, weight=0)
NO_SHEET = PageGeometry(0, 0, 0, 0, 0, 0, 0)


@dataclass
class PageText:
    """Lines of a page in file order. `has_pictures` is only determined if there is no text."""

    page: int
    sheet: PageGeometry = NO_SHEET
    lines: list[PdfLine] = field(default_factory=list)
    text: str = ""
    has_pictures: bool = False
    is_damaged: bool = False
    rulings: PageRulings = field(default_factory=PageRulings)
    added: list[BlockPiece] = field(default_factory=list)
    """Text added to the page: filled fields and comments."""
    unseen_words: int = 0


class TextProbe:
    """Buffers for PDFium's results, made once and used for all pages."""

    def __init__(self) -> None:
        self.edges = (ctypes.c_double * 4)()
        first = ctypes.addressof(self.edges)
        self.places = [first + 8 * number for number in range(4)]
        self.matrix = raw.FS_MATRIX()
        self.matrix_place = ctypes.addressof(self.matrix)


def page_text(document: Any, page: int, probe: TextProbe, annotations: AnnotationReader | None = None) -> PageText:
    """Read page `page` (from 1); one that can't be loaded is marked as damaged."""
    # Page numbers count from 0 in PDFium.
    loaded = raw.FPDF_LoadPage(document.raw, page - 1)
    if not loaded:
        return PageText(page, is_damaged=True)
    try:
        text_page = raw.FPDFText_LoadPage(loaded)
        if not text_page:
            return PageText(page, is_damaged=True)
        try:
            sheet = sheet_of(loaded)
            reading = _PageTextReading(page, text_page, sheet, probe)
            lines = reading.lines()
            rulings = rulings_of(loaded, sheet)
            for grid in rulings.grids:
                lines = reading.cut_lines(lines, grid)
            if rulings.drawings:
                middles = (
                    ((line.left + line.right) / 2, (line.top + line.bottom) / 2, len(line.text)) for line in lines
                )
                rulings.figures = without_words(rulings, middles)
            has_pictures = len(lines) < 3 and _has_pictures(loaded)
            unseen = reading.count_unseen(loaded, lines)
            added = annotations.read_page(loaded, text_page, page, sheet) if annotations else []
        finally:
            raw.FPDFText_ClosePage(text_page)
        text = reading.text.replace(GONE, "")
        return PageText(page, sheet, lines, text, has_pictures, rulings=rulings, added=added, unseen_words=unseen)
    finally:
        raw.FPDF_ClosePage(loaded)


def _has_pictures(page: Any) -> bool:
    """Return whether there is anything to see: pictures, drawings, or forms with them inside."""
    # A page of vector graphics may have 100,000 objects; the first that can be seen is enough.
    for index in range(min(raw.FPDFPage_CountObjects(page), MOST_OBJECTS)):
        kind = raw.FPDFPageObj_GetType(raw.FPDFPage_GetObject(page, index))
        if kind in (raw.FPDF_PAGEOBJ_IMAGE, raw.FPDF_PAGEOBJ_PATH, raw.FPDF_PAGEOBJ_FORM, raw.FPDF_PAGEOBJ_SHADING):
            return True
    return False


class _PageTextReading:
    """Read one page: its text in one call, then about eight calls a line for places and fonts."""

    def __init__(self, page: int, text_page: Any, sheet: PageGeometry, probe: TextProbe) -> None:
        self._page, self._text_page, self._sheet, self._probe = page, text_page, sheet, probe
        self._faces: dict[int, FontFace] = {}
        self._handle = address_of(text_page)
        self._count = raw.FPDFText_CountChars(text_page)
        self.text = self._whole_text()
        # Outside the basic plane, and for letters without a meaning, the text's indices are not the characters'.
        self._is_shifted = len(self.text) != self._count
        letters = {"`"} if "`" in self.text else set()
        if not self.text.isascii():
            # The bytes of all letters but ASCII, in a fraction of the time of going through them.
            letters |= set(self.text.encode("utf-8", "replace").translate(None, _ASCII).decode("utf-8", "replace"))
        if not letters.isdisjoint(_ACCENTS):
            self.text = self._with_accents_joined(self.text)
        if not letters.isdisjoint(_MARKED):
            self.text = self._with_spaces_closed(self.text)

    def _whole_text(self) -> str:
        if self._count <= 0:
            return ""
        # UTF-16 and its end mark, with room for characters outside of the basic plane.
        room = ctypes.create_string_buffer(4 * self._count + 4)
        units = raw.FPDFText_GetText(
            self._text_page, 0, self._count, ctypes.cast(room, ctypes.POINTER(ctypes.c_ushort))
        )
        # PDFium counts the final zero.
        return room.raw[: 2 * max(units - 1, 0)].decode("utf-16-le", "replace")

    def _with_accents_joined(self, text: str) -> str:
        """Join accents drawn over letters, as in TeX's older fonts.

        Keeps the length: GONE replaces the accent, which may be far from its letter.
        """
        letters = list(text)
        for number, found in enumerate(_ACCENT.finditer(text)):
            at = self._letter_of(text, found.start(), number < MOST_FAR_ACCENTS)
            if at >= 0:
                base = _DOTLESS.get(letters[at], letters[at])
                joined = unicodedata.normalize("NFC", base + _ACCENTS[found[0]])
                if len(joined) == 1:
                    letters[at], letters[found.start()] = joined, GONE
        return "".join(letters)

    def _letter_of(self, text: str, at: int, may_be_far: bool) -> int:
        """Return the index of the letter an accent belongs to; -1 for none."""
        accent, size = self._character_box(at), self._font_size(at)
        if accent is None:
            return -1
        # Most accents are drawn right before or behind their letter.
        for other in (at + 1, at - 1, at + 2, at - 2):
            if (
                0 <= other < len(text)
                and text[other].isalpha()
                and _stands_at(accent, text[at], self._character_box(other), size)
            ):
                return other
        # Looked for by its place, at which PDFium searches all characters.
        if not may_be_far:
            return -1
        left, bottom, right, top = accent
        height = top + 0.25 * size if text[at] in _BELOW else bottom - 0.25 * size
        found = _get_char_at(self._handle, (left + right) / 2, height, 0.05 * size, 0.1 * size)
        if found >= 0 and self._is_shifted:
            found = raw.FPDFText_GetTextIndexFromCharIndex(self._text_page, found)
        if not 0 <= found < len(text) or not text[found].isalpha():
            return -1
        return found if _stands_at(accent, text[at], self._character_box(found), size) else -1

    def _with_spaces_closed(self, text: str) -> str:
        """Remove blanks inside words ("fü r"), where letters are as close as others."""
        letters: list[str] = []
        for found in _DOUBTFUL.finditer(text):
            start, end = found.span(1) if found[1] else found.span(2)
            before, after = self._character_box(found.start()), self._character_box(found.end())
            if before and after and abs(after[0] - before[2]) < LEAST_SPACE * self._font_size(found.start()):
                letters = letters or list(text)
                letters[start:end] = [GONE] * (end - start)
        return "".join(letters) or text

    def _character_box(self, position: int) -> Span | None:
        """Return a character's left, bottom, right and top in user space."""
        one, two, three, four = self._probe.places
        index = self._index_of(position) if self._is_shifted else position
        # GetCharBox gives left, right, bottom, top.
        if not _get_char_box(self._handle, index, one, three, two, four):
            return None
        left, bottom, right, top = self._probe.edges
        return left, bottom, right, top

    def _font_size(self, position: int) -> float:
        """Return the font size of a character under the text's matrix."""
        index = self._index_of(position) if self._is_shifted else position
        size = _get_font_size(self._handle, index)
        if not _get_matrix(self._handle, index, self._probe.matrix_place):
            return float(size)
        return float(size * math.hypot(self._probe.matrix.c, self._probe.matrix.d))

    def lines(self) -> list[PdfLine]:
        found: list[PdfLine] = []
        for piece in _LINE.finditer(self.text):
            found += self._line(piece[0], piece.start())
        return found

    def count_unseen(self, loaded: Any, lines: list[PdfLine]) -> int:
        """Return how many words of the loaded page are read although nobody sees them, some in lines beside it."""
        words = UnseenWords(self._text_page, self._index_of, self._character_box, self._font_size)
        sheet = self._sheet
        beside = (
            line
            for line in lines
            if line.right < 0 or line.left > sheet.width or line.bottom < 0 or line.top > sheet.height
        )
        return words.count_words(loaded, self.text, sheet) + sum(len(line.text.split()) for line in beside)

    def _index_of(self, position: int) -> int:
        if not self._is_shifted:
            return position
        return int(raw.FPDFText_GetCharIndexFromTextIndex(self._text_page, position))

    def _line(self, text: str, start: int, is_whole: bool = False) -> list[PdfLine]:
        """Return a line, or its parts where gutters divide it; with `is_whole` it is one."""
        text = text.rstrip()
        if text[-1:] == GONE:
            text = text.rstrip(f" {GONE}")
        if not text:
            return []
        middle = len(text) // 2
        middle += text[middle] == " "
        first, centre, last = start, start + middle, start + len(text) - 1
        if self._is_shifted:
            first, centre, last = self._index_of(first), self._index_of(centre), self._index_of(last)
        # One rectangle for each run of equal font and colour.
        spans = self._text_spans(first, last - first + 1 if last > first else 1)
        line = self._measure_line(text, spans, centre)
        if not line.text:
            return []
        line.start, line.length = start, len(text)
        # A line's middle is what most of it looks like; first and last letter tell whether it is all of it.
        if line.is_bold is not False or line.is_mono:
            faces = [self._font_face(first), self._font_face(last)]
            line.is_mono = line.is_mono and all(face.is_mono for face in faces)
            if len(text) > LONG_CHARS and line.is_bold is not False:
                # Three letters may each be of a bold word, where many are.
                quarters = (len(text) // 4, 3 * len(text) // 4)
                faces += [self._font_face(self._index_of(start + at + (text[at] == " "))) for at in quarters]
            line.is_bold = _all_bold(line.is_bold, *(face.is_bold for face in faces))
            line.weight = min(line.weight, *(face.weight for face in faces))
        if not is_whole and not line.is_turned and " " in text:
            shown = [self._sheet.box(*span) for span in spans] if self._sheet.turn else spans
            gaps = self._count_gutters(shown, text, line.size)
            if gaps:
                return self._divide_line(text, start, line.size, gaps)
        return [line]

    def _text_spans(self, first: int, count: int) -> list[Span]:
        """Return a rectangle per drawn piece of text: left, top, right, bottom in user space."""
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

    def _measure_line(self, text: str, spans: list[Span], index: int) -> PdfLine:
        """Return a line with its box; `index` is the character that tells its font and size.

        The size is the nominal one under the text's matrix, and the matrix tells where the letters stand, too.
        """
        sheet, matrix = self._sheet, self._probe.matrix
        written = text
        if not (text.isascii() and text.isprintable()):
            written = unicodedata.normalize("NFC", text.translate(_UNPRINTABLE).strip())
        is_bold, is_mono, weight = self._font_face(index)
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
        # More than 17 degrees off the horizontal: text along an axis of a drawing, or a watermark.
        if not (across > 0 and -0.3 * across < down < 0.3 * across):
            return PdfLine(
                self._page, written, left, top, right, bottom, bottom, size, is_bold, is_mono, True, weight=weight
            )
        # Letters of fonts with absurd boxes still get a line of a usual height.
        base = top if base < top else base if base < bottom + size else bottom + size
        high, low = base - 0.7 * size, base + 0.2 * size
        top, bottom = top if top < high else high, bottom if bottom > low else low
        return PdfLine(self._page, written, left, top, right, bottom, base, size, is_bold, is_mono, weight=weight)

    def _without_place(self, text: str, size: float) -> PdfLine:
        """Letters without an extent, as in some invisible layers, or with an absurd one: where the page ends."""
        low = self._sheet.height if abs(self._sheet.height) < FAR else 0.0
        return PdfLine(self._page, text, 0.0, low - size, 0.0, low, low, size, is_turned=True)

    def _font_face(self, index: int) -> FontFace:
        part = _get_text_object(self._handle, index)
        font = _get_font(part) if part else None
        if not font:
            return NO_FACE
        face = self._faces.get(font)
        if face is None:
            face = self._faces[font] = _face_of(ctypes.cast(font, raw.FPDF_FONT))
        return face

    def _count_gutters(self, spans: list[Span], text: str, size: float) -> int:
        """Return how many gutters may be in a line: the wide gaps between its pieces; -1 to look at every space."""
        gaps = 0
        if len(spans) > 1:
            wide = WIDE_GAP * size
            before_left, _, before_right, _ = spans[0]
            for left, _, right, _ in spans:
                # Forwards over a gutter, or back to the column before; right to left goes back without a gap.
                gaps += left - before_right > wide or before_left - right > wide
                before_left, before_right = left, right
        # A bullet and its text are one line, however wide the gap.
        if gaps == 1 and text[0] in BULLETS and text[1] == " " and spans[0][2] - spans[0][0] < size:
            return 0
        if text[-1] in FIGURE_ENDS and _FIGURES.search(text):
            return -1
        # A contents line's dots are gaps already; a line as wide as its letters has no gutter.
        if gaps or spans[-1][2] - spans[0][0] < LOOSE_EM * size * len(text) or ". . . ." in text:
            return gaps
        return -1

    def _divide_line(self, text: str, start: int, size: float, gaps: int) -> list[PdfLine]:
        """Cut a line at spaces as wide as a gutter.

        Each part is measured again, because PDFium joins text at slightly different heights into one line.
        """
        parts: list[PdfLine] = []
        begin = 0
        for space in _SPACES.finditer(text):
            before = self._character_sides(start + space.start() - 1)
            after = self._character_sides(start + space.end())
            if not before or not after:
                continue
            if after[0] - before[1] > WIDE_GAP * size or before[0] - after[1] > WIDE_GAP * size:
                parts += self._line(text[begin : space.start()], start + begin, is_whole=True)
                begin = space.end()
                gaps -= 1
                if not gaps:
                    break
        return parts + self._line(text[begin:], start + begin, is_whole=True)

    def cut_lines(self, lines: list[PdfLine], grid: RuledGrid) -> list[PdfLine]:
        """Cut lines at a grid's vertical rules, where PDFium joined cells to one line."""
        found: list[PdfLine] = []
        for line in lines:
            middle = line.base - 0.3 * line.size
            edges = [] if line.is_turned or not grid.ys[0] < middle < grid.ys[-1] else grid.down
            places = [rule.at for rule in edges if rule.start < middle < rule.end and line.left < rule.at < line.right]
            found += self._cut_at(line, places) if places and " " in line.text else [line]
        return found

    def _cut_at(self, line: PdfLine, places: list[float]) -> list[PdfLine]:
        text = self.text[line.start : line.start + line.length]
        slack = 0.2 * line.size
        begin = 0
        parts: list[PdfLine] = []
        for space in _SPACES.finditer(text):
            before = self._character_sides(line.start + space.start() - 1)
            after = self._character_sides(line.start + space.end())
            if before and after and any(before[1] - slack <= place <= after[0] + slack for place in places):
                parts += self._line(text[begin : space.start()], line.start + begin, is_whole=True)
                begin = space.end()
        return parts + self._line(text[begin:], line.start + begin, is_whole=True) if parts else [line]

    def _character_sides(self, position: int) -> tuple[float, float] | None:
        """Return where a character begins and ends on the page as it is shown."""
        one, two, three, four = self._probe.places
        index = self._index_of(position) if self._is_shifted else position
        # GetCharBox wants left, right, bottom, top, and GetRect left, top, right, bottom.
        if not _get_char_box(self._handle, index, one, three, four, two):
            return None
        left, top, right, bottom = self._probe.edges
        if not self._sheet.turn:
            return left - self._sheet.left, right - self._sheet.left
        box = self._sheet.box(left, top, right, bottom)
        return box[0], box[2]


def _stands_at(accent: Span, sign: str, letter: Span | None, size: float) -> bool:
    """Return whether an accent is over the middle of a letter, or under it, and touches it nearly."""
    if letter is None or not letter[0] - 0.1 * size <= (accent[0] + accent[2]) / 2 <= letter[2] + 0.1 * size:
        return False
    apart = letter[1] - accent[3] if sign in _BELOW else accent[1] - letter[3]
    return -0.2 * size < apart < 0.3 * size


def _all_bold(*parts: bool | None) -> bool | None:
    return False if False in parts else None if None in parts else True


def _face_of(font: Any) -> FontFace:
    room = ctypes.create_string_buffer(200)
    length = raw.FPDFFont_GetBaseFontName(font, room, 200)
    name = room.raw[: max(min(length, 200) - 1, 0)].decode("utf-8", "replace")
    flags = max(raw.FPDFFont_GetFlags(font), 0)
    weight = raw.FPDFFont_GetWeight(font)
    is_bold, is_mono = _parse_font_name(name)
    return FontFace(
        # Flag 1 of the descriptor: fixed pitch (ISO 32000-1, table 123).
        False if is_bold is None and weight < LEAST_BOLD else is_bold,
        is_mono or bool(flags & 1),
        max(weight, 0),
    )


@lru_cache(maxsize=500)
def _parse_font_name(name: str) -> tuple[bool | None, bool]:
    """Return what a font's name says: bold, regular or neither; and whether it is of fixed width."""
    return True if _BOLD.search(name) else False if _REGULAR.search(name) else None, bool(_MONO.search(name))
