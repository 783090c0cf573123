"""Pages of a PDF that are pictures, and figures on others: put upright, drawn for who reads them, read by tesseract.

Paper lies a little askew on the glass, or was fed the wrong way round. Of a noisy page of 100 dpi that lies 2 degrees
askew tesseract found 74 of 100 words, of others at 5 degrees between 8 and 84, of those upside down none; put straight,
and at their own resolution, 98 and all.
"""

from __future__ import annotations

import ctypes
import math
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pypdfium2 as pdfium
from pypdfium2 import raw

from app.core.errors import DocumentUnreadable
from app.documents.blocks import Box, Piece
from app.documents.formats.pdf.pages import MOST_SIDE, opened, resolution_of
from app.documents.formats.pictures import (
    LOOK_DPI,
    MOST_LOOKED_AT,
    Picture,
    Tesseract,
    find_tesseract,
    on_page,
    skew_of,
)
from app.documents.protocol import NO_VIEW, Arrange, Drawn, PutUpright, Recognize, View

LEAST_DPI, MOST_DPI = 150.0, 300.0
"""A picture of less is enlarged, and never further: its noise would grow to letters."""
MOST_PIXELS = 16_000_000


def recognize(request: Recognize) -> list[Piece]:
    """The paragraphs of a page that is a picture, or of a region of it; [] where there are none.

    Raises DocumentLocked, and DocumentUnreadable ("picture" without tesseract, "not_drawn").
    """
    tesseract = find_tesseract()
    if tesseract is None:
        raise DocumentUnreadable(request.path, "picture")
    with _page(request.path, request.page, request.password) as loaded:
        return recognized(loaded, request.page, tesseract, request.region)


def recognized(loaded: Any, page: int, tesseract: Tesseract, region: tuple[float, ...] = ()) -> list[Piece]:
    """The same of a page that is open already."""
    view = view_of(loaded, region, _best_dpi(loaded) / 72, MOST_PIXELS)
    width, height, pixels = drawn_view(loaded, view)
    pieces = tesseract.pieces(Picture(width, height, pixels, view.scale), page)
    return [on_page(piece, view) for piece in pieces]


def put_upright(request: PutUpright) -> Drawn:
    """Draws a page, or a region, into a file. Raises DocumentLocked and DocumentUnreadable ("not_drawn")."""
    with _page(request.path, request.page, request.password) as loaded:
        view = view_of(loaded, request.region, _best_dpi(loaded) / 72, MOST_PIXELS, request.most_side)
        width, height, pixels = drawn_view(loaded, view)
        sides = raw.FPDF_GetPageWidthF(loaded), raw.FPDF_GetPageHeightF(loaded)
    Path(request.out).write_bytes(b"P6\n%d %d\n255\n" % (width, height) + pixels)
    return Drawn(request.page, width, height, round(sides[0], 2), round(sides[1], 2), b"", view)


def lines_of(request: Arrange) -> tuple[View, list[tuple[Box, str]]]:
    """What was seen, and where its lines are and about what they say, as far as tesseract is there to find them."""
    tesseract, view = find_tesseract(), request.view
    with _page(request.path, request.page, request.password) as loaded:
        if view == NO_VIEW:
            view = View(0, 0, raw.FPDF_GetPageWidthF(loaded), raw.FPDF_GetPageHeightF(loaded), 1)
        whole = (view.left, view.top, view.right, view.bottom)
        pieces = recognized(loaded, request.page, tesseract, whole) if tesseract else []
    return view, [(box, piece.text[box.start : box.end]) for piece in pieces for box in piece.place.boxes]


@contextmanager
def _page(path: str, page: int, password: str) -> Iterator[Any]:
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


def _best_dpi(loaded: Any) -> float:
    """That of the picture itself."""
    return min(max(resolution_of(loaded) or MOST_DPI, LEAST_DPI), MOST_DPI)


def view_of(loaded: Any, region: tuple[float, ...], scale: float, most_pixels: int, most_side: int = MOST_SIDE) -> View:
    """All of a loaded page, or a region of it, turned so that its lines lie across."""
    wide, high = raw.FPDF_GetPageWidthF(loaded), raw.FPDF_GetPageHeightF(loaded)
    left, top, right, bottom = region or (0.0, 0.0, wide, high)
    if not (right > left and bottom > top and math.isfinite(right - left + bottom - top)):
        raise ValueError("a page without a size")
    across, down = right - left, bottom - top
    scale = min(scale, (most_pixels / (across * down)) ** 0.5, most_side / max(across, down))
    small = View(left, top, right, bottom, min(scale, LOOK_DPI / 72, (MOST_LOOKED_AT / (across * down)) ** 0.5))
    degrees = 0.0 if region else skew_of(*drawn_view(loaded, small))
    return View(left, top, right, bottom, scale, degrees)


def drawn_view(loaded: Any, view: View) -> tuple[int, int, bytes]:
    """Width, height and rows of RGB without padding; what the turned page does not cover is white."""
    width, height = view.size
    turn = math.radians(view.degrees)
    across, down = math.cos(turn) * view.scale, math.sin(turn) * view.scale
    middle_x, middle_y = (view.left + view.right) / 2, (view.top + view.bottom) / 2
    matrix = raw.FS_MATRIX(
        across, down, -down, across,
        width / 2 - (across * middle_x - down * middle_y), height / 2 - (down * middle_x + across * middle_y),
    )  # fmt: skip
    bitmap = pdfium.PdfBitmap.new_native(width, height, raw.FPDFBitmap_BGR)
    try:
        bitmap.fill_rect((255, 255, 255, 255), 0, 0, width, height)
        clip = raw.FS_RECTF(0, 0, width, height)
        flags = raw.FPDF_ANNOT | raw.FPDF_REVERSE_BYTE_ORDER
        raw.FPDF_RenderPageBitmapWithMatrix(bitmap, loaded, ctypes.byref(matrix), ctypes.byref(clip), flags)
        rows, stride = bytes(bitmap.buffer), bitmap.stride
    finally:
        bitmap.close()
    if stride == 3 * width:
        return width, height, rows
    return width, height, b"".join(rows[at : at + 3 * width] for at in range(0, len(rows), stride))
