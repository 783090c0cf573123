"""Reads PDF files, page by page, a few pages ahead: text in reading order with the box of every line.

Pages that are pictures, and figures on others, are put upright, drawn for who reads them, and read by tesseract. Paper
lies a little askew on the glass, or was fed the wrong way round. Of a noisy page of 100 dpi that lies 2 degrees askew
tesseract found 74 of 100 words, of others at 5 degrees between 8 and 84, of those upside down none; put straight, and
at their own resolution, 98 and all.
"""

from __future__ import annotations

import ctypes
import math
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pypdfium2 as pdfium
from pypdfium2 import raw

from app.core.errors.document_errors import DocumentUnreadable
from app.documents.blocks import BlockKind, BlockPiece, LineBox
from app.documents.formats.pdf.annotations import AnnotationReader, said
from app.documents.formats.pdf.draft_texts import HyphenWords, piece_of
from app.documents.formats.pdf.headings import HeadingMarker, LetterStatistics
from app.documents.formats.pdf.layout import flows
from app.documents.formats.pdf.outline_entries import PdfOutline
from app.documents.formats.pdf.page_text import PageText, PdfLine, PdfTable, TextProbe, page_text
from app.documents.formats.pdf.pdf_blocks import BlockDraft, drafts_of, goes_on, mark_footnotes, table_draft
from app.documents.formats.pdf.pdf_pages import MOST_SIDE, opened
from app.documents.formats.pdf.ruled import with_tables
from app.documents.formats.pdf.ruled_lines import scan_of
from app.documents.formats.pdf.running_headers import RunningHeaders, plain
from app.documents.formats.pictures import on_page
from app.documents.formats.tesseract import LOOK_DPI, MOST_LOOKED_AT, RgbPicture, Tesseract, find_tesseract, skew_of
from app.documents.protocol import NO_VIEW, Arrange, Drawn, PutUpright, Recognize, View
from app.documents.source import FileSource, Item, Opened, PageRead, counted

PAGES_AHEAD = 5
MOST_TITLE_BYTES = 10_000
MOST_WAITING = 1000
"""Limit of lines waiting for the next page, so that every paragraph ends."""
MOST_DAMAGED_IN_A_ROW = 500
"""A file may claim two thousand million pages and have none of them."""


def read(source: FileSource) -> Iterator[Item]:
    """Yield the blocks of a PDF; raises DocumentLocked and DocumentUnreadable."""
    with opened(source.path, source.password) as document:
        pages = raw.FPDF_GetPageCount(document.raw)
        if pages < 1:
            raise source.unreadable("damaged")
        # /Title of the information dictionary.
        title = said(lambda room, size: raw.FPDF_GetMetaText(document.raw, b"Title", room, size), MOST_TITLE_BYTES)
        yield Opened("page", pages, title)
        yield from _PdfReading(source, document, pages).items()


class _PdfReading:
    """Reading of one document. The last drafts wait until it is known whether the next page continues them."""

    def __init__(self, source: FileSource, document: Any, pages: int) -> None:
        self._source, self._document = source, document
        self._first = max(source.first_page, 1)
        self._last = min(pages, source.last_page or pages)
        self._outline = PdfOutline(document)
        self._headings = HeadingMarker()
        self._furniture = RunningHeaders()
        self._letters, self._words = LetterStatistics(), HyphenWords()
        self._annotations = AnnotationReader(document)
        self._waiting: list[BlockDraft | BlockPiece | PageRead] = []
        self._damaged = self._unrecognized = self._unseen = 0
        self._tesseract: Tesseract | None = None
        self._is_sought = self._is_recognized = False

    def items(self) -> Iterator[Item]:
        for page, ahead in self._page_windows():
            if page.is_damaged:
                self._damaged += 1
                self._waiting.append(PageRead(page.page, has_text=False))
                # PDFium reads what it can find; a page that is missing is told, and the others are read.
                continue
            self._unseen += page.unseen_words
            self._letters.settle(page.lines)
            drafts = self._block_drafts(page, self._body_lines(page, ahead))
            if drafts:
                yield from self._flush_drafts(drafts)
                self._waiting += [*drafts, *page.added, PageRead(page.page, figures=tuple(page.rulings.figures))]
            else:
                yield from self._emit_waiting()
                yield from self._without_text(page)
        yield from self._emit_waiting()
        yield from counted("damaged_pages", self._damaged)
        yield from counted("no_recognition", self._unrecognized)
        yield from counted("unseen_words", self._unseen)
        if self._tesseract is not None and self._is_recognized:
            yield self._tesseract.remark

    def _page_windows(self) -> Iterator[tuple[PageText, list[PageText]]]:
        """Yield each page with the up to `PAGES_AHEAD` next ones, which tell its running headers."""
        probe = TextProbe()
        window: deque[PageText] = deque()
        damaged = 0
        for number in range(self._first, self._last + 1):
            page = page_text(self._document, number, probe, self._annotations)
            damaged = damaged + 1 if page.is_damaged else 0
            if damaged > MOST_DAMAGED_IN_A_ROW:
                break
            self._letters.count_letters(page.lines)
            self._words.collect_words(page.text)
            window.append(page)
            if len(window) > PAGES_AHEAD:
                yield window.popleft(), list(window)
        while window:
            yield window.popleft(), list(window)

    def _body_lines(self, page: PageText, ahead: list[PageText]) -> list[PdfLine]:
        """Return a page's lines without headers and footers, unless it has nothing else.

        A number printed by a scanner over an image doesn't count as text.
        """
        named = {plain(entry.title) for entry in self._outline.entries_of(page.page)}
        lines = self._furniture.body(page, ahead, self._letters.size, self._headings.titles, named)
        return lines if lines or page.has_pictures else page.lines

    def _block_drafts(self, page: PageText, lines: list[PdfLine]) -> list[BlockDraft]:
        body_size = self._letters.size
        if page.rulings.grids or page.rulings.across:
            lines = with_tables(lines, page.rulings)
        drafts: list[BlockDraft] = []
        for flow in flows(lines):
            if isinstance(flow, PdfTable):
                drafts.append(table_draft(flow))
                continue
            found = drafts_of(flow)
            if drafts and goes_on(drafts[-1], found[0]):
                drafts[-1].lines += found.pop(0).lines
            drafts += found
        mark_footnotes(drafts, body_size, page.sheet.height)
        return self._headings.mark(drafts, self._outline.entries_of(page.page), page.sheet, body_size)

    def _flush_drafts(self, drafts: list[BlockDraft]) -> Iterator[Item]:
        """Yield what waits; the first of a new page's drafts goes to the last paragraph of the page before."""
        if drafts:
            last = next((item for item in reversed(self._waiting) if _is_text(item)), None)
            if isinstance(last, BlockDraft) and len(last.lines) < MOST_WAITING and goes_on(last, drafts[0]):
                last.lines += drafts.pop(0).lines
                if not drafts:
                    # All of the page is of this paragraph, which may go on with the next one.
                    return
        yield from self._emit_waiting()

    def _emit_waiting(self) -> Iterator[Item]:
        for item in self._waiting:
            piece = piece_of(item, self._words) if isinstance(item, BlockDraft) else item
            if piece is not None:
                yield piece
        self._waiting.clear()

    def _without_text(self, page: PageText) -> Iterator[Item]:
        """Yield an image page read by tesseract if installed and wanted; else an empty one."""
        tesseract = self._find_tesseract() if page.has_pictures else None
        self._unrecognized += page.has_pictures and self._source.recognize and tesseract is None
        pieces = _recognize_page(self._document, page.page, tesseract) if tesseract else []
        yield from pieces
        self._is_recognized = self._is_recognized or bool(pieces)
        if not pieces:
            # What a scanner printed over the picture is better than nothing.
            self._waiting += self._block_drafts(page, page.lines)
            yield from self._emit_waiting()
        yield from page.added
        has_text = bool(pieces or page.added)
        yield PageRead(page.page, has_text, is_picture=page.has_pictures, recognized=bool(pieces))

    def _find_tesseract(self) -> Tesseract | None:
        """Look for tesseract once, and only if there is an image: most documents have none."""
        if self._source.recognize and not self._is_sought:
            self._is_sought = True
            self._tesseract = find_tesseract()
        return self._tesseract


def _recognize_page(document: Any, page: int, tesseract: Tesseract) -> list[BlockPiece]:
    """Return what tesseract reads on a page; [] also where it cannot be drawn."""
    loaded = raw.FPDF_LoadPage(document.raw, page - 1)
    if not loaded:
        return []
    try:
        return recognized(loaded, page, tesseract)
    except (ValueError, MemoryError):
        return []
    finally:
        raw.FPDF_ClosePage(loaded)


def _is_text(waiting: BlockDraft | BlockPiece | PageRead) -> bool:
    """Return whether the next page may continue this; footnotes don't end a paragraph."""
    return isinstance(waiting, BlockDraft) and waiting.kind is not BlockKind.NOTE


LEAST_DPI, MOST_DPI = 150.0, 300.0
"""A picture of less is enlarged, and never further: its noise would grow to letters."""
MOST_PIXELS = 16_000_000


def recognize(request: Recognize) -> tuple[list[BlockPiece], tuple[str, ...]]:
    """Return the paragraphs of an image page or region, and the languages used.

    Raises DocumentLocked, and DocumentUnreadable ("picture" without tesseract, "not_drawn").
    """
    tesseract = find_tesseract()
    if tesseract is None:
        raise DocumentUnreadable(request.path, "picture")
    with _open_page(request.path, request.page, request.password) as loaded:
        return recognized(loaded, request.page, tesseract, request.region), tesseract.languages


def recognized(loaded: Any, page: int, tesseract: Tesseract, region: tuple[float, ...] = ()) -> list[BlockPiece]:
    """Recognize a page that is already open; see `recognize`."""
    view = view_of(loaded, region, _best_dpi(loaded) / 72, MOST_PIXELS)
    _, own = scan_of(loaded)
    is_as_it_lies = (
        not region
        and not view.degrees
        # A dot or two are rounding; then the picture is drawn pixel for pixel.
        and max(abs(a - b) for a, b in zip(own, view.size, strict=True)) <= MOST_DOTS_OFF
    )
    width, height, pixels = drawn_view(loaded, view, own if is_as_it_lies else None)
    pieces = tesseract.pieces(RgbPicture(width, height, pixels, view.scale), page)
    return [on_page(piece, view) for piece in pieces]


def put_upright(request: PutUpright) -> Drawn:
    """Draw a page or region upright into a file. Raises DocumentLocked and DocumentUnreadable ("not_drawn")."""
    with _open_page(request.path, request.page, request.password) as loaded:
        view = view_of(loaded, request.region, _best_dpi(loaded) / 72, MOST_PIXELS, request.most_side)
        width, height, pixels = drawn_view(loaded, view)
        sides = raw.FPDF_GetPageWidthF(loaded), raw.FPDF_GetPageHeightF(loaded)
    Path(request.out).write_bytes(b"P6\n%d %d\n255\n" % (width, height) + pixels)
    return Drawn(request.page, width, height, round(sides[0], 2), round(sides[1], 2), b"", view)


def lines_of(request: Arrange) -> tuple[View, list[tuple[LineBox, str]]]:
    """Return what was seen, and where its lines are and about what they say, as far as tesseract is there to find
    them.
    """
    tesseract, view = find_tesseract(), request.view
    with _open_page(request.path, request.page, request.password) as loaded:
        if view == NO_VIEW:
            view = View(0, 0, raw.FPDF_GetPageWidthF(loaded), raw.FPDF_GetPageHeightF(loaded), 1)
        whole = (view.left, view.top, view.right, view.bottom)
        pieces = recognized(loaded, request.page, tesseract, whole) if tesseract else []
    return view, [(box, piece.text[box.start : box.end]) for piece in pieces for box in piece.place.boxes]


@contextmanager
def _open_page(path: str, page: int, password: str) -> Iterator[Any]:
    with opened(Path(path), password) as document:
        loaded = raw.FPDF_LoadPage(document.raw, page - 1) if page > 0 else None
        if not loaded:
            raise DocumentUnreadable(path, "not_drawn")
        try:
            yield loaded
        except (ValueError, pdfium.PdfiumError, MemoryError) as error:
            raise DocumentUnreadable(path, "not_drawn") from error
        finally:
            raw.FPDF_ClosePage(loaded)


MOST_DOTS_OFF = 3


def _best_dpi(loaded: Any) -> float:
    """Return the scan's own resolution, within limits; the highest one for a page without a scan."""
    return min(max(scan_of(loaded)[0] or MOST_DPI, LEAST_DPI), MOST_DPI)


def view_of(loaded: Any, region: tuple[float, ...], scale: float, most_pixels: int, most_side: int = MOST_SIDE) -> View:
    """Return the view of a page or region, rotated so that its lines are horizontal."""
    wide, high = raw.FPDF_GetPageWidthF(loaded), raw.FPDF_GetPageHeightF(loaded)
    left, top, right, bottom = region or (0.0, 0.0, wide, high)
    if not (right > left and bottom > top and math.isfinite(right - left + bottom - top)):
        raise ValueError("a page without a size")
    across, down = right - left, bottom - top
    scale = min(scale, (most_pixels / (across * down)) ** 0.5, most_side / max(across, down))
    # Looked at small for the angle; a region was put straight with its page.
    small = View(left, top, right, bottom, min(scale, LOOK_DPI / 72, (MOST_LOOKED_AT / (across * down)) ** 0.5))
    degrees = 0.0 if region else skew_of(*drawn_view(loaded, small))
    return View(left, top, right, bottom, scale, degrees)


def drawn_view(loaded: Any, view: View, size: tuple[int, int] | None = None) -> tuple[int, int, bytes]:
    """Return width, height and unpadded RGB rows, white outside of the page.

    `size`: the page's exact pixels, those of a scan. One pixel less across smears each over two: tesseract found 95 %
    of the words of a page on which it finds 98 %.
    """
    width, height = size or view.size
    turn = math.radians(view.degrees)
    across, down = math.cos(turn) * view.scale, math.sin(turn) * view.scale
    middle_x, middle_y = (view.left + view.right) / 2, (view.top + view.bottom) / 2
    matrix = raw.FS_MATRIX(
        across, down, -down, across,
        width / 2 - (across * middle_x - down * middle_y), height / 2 - (down * middle_x + across * middle_y),
    )  # fmt: skip
    if size:
        matrix = raw.FS_MATRIX(width / (view.right - view.left), 0, 0, height / (view.bottom - view.top), 0, 0)
    bitmap = pdfium.PdfBitmap.new_native(width, height, raw.FPDFBitmap_BGR)
    try:
        bitmap.fill_rect((255, 255, 255, 255), 0, 0, width, height)
        clip = raw.FS_RECTF(0, 0, width, height)
        # Annotations are drawn, too: filled forms and stamps are text to a reader.
        flags = raw.FPDF_ANNOT | raw.FPDF_REVERSE_BYTE_ORDER
        raw.FPDF_RenderPageBitmapWithMatrix(bitmap, loaded, ctypes.byref(matrix), ctypes.byref(clip), flags)
        rows, stride = bytes(bitmap.buffer), bitmap.stride
    finally:
        bitmap.close()
    if stride == 3 * width:
        return width, height, rows
    return width, height, b"".join(rows[at : at + 3 * width] for at in range(0, len(rows), stride))
