"""PDF pages through PDFium: opening, measuring (points from the top left as shown), and drawing.

PDFium's raw interface is used: a page takes a millisecond, and an object per step would double that.
"""

from __future__ import annotations

import ctypes
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pypdfium2 as pdfium
from pypdfium2 import raw

from app.core.errors.document_errors import DocumentLocked, DocumentUnreadable
from app.core.lazy_dataclasses import dataclass
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
