"""Scanned documents of our own making: text drawn into pictures, turned, noisy, blurred, and put into a PDF again."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pypdfium2 as pdfium

from tests.helpers.pdf_files import Page, column, ruled, wrapped, write_pdf

Pixels = np.ndarray

LETTER = [
    "The tenant shall pay a monthly rent of 1,450 euros, due on the third working day of each month.",
    "The deposit of 4,350 euros is held in a separate account and returned within six months after the end of the "
    "lease, less the cost of repairs which the tenant has to bear.",
    "Pets may be kept only with the written consent of the landlord; small animals in cages need no consent.",
    "Either party may terminate the lease with three months notice to the end of a calendar month, in writing.",
    "The tenant keeps the staircase clean every second week, in turn with the household on the second floor.",
]
TABLE = [
    ["Month", "Cold water", "Heating", "Total"],
    ["January", "41.20", "188.00", "229.20"],
    ["February", "39.75", "171.50", "211.25"],
    ["March", "44.10", "120.30", "164.40"],
]


def letter(size: float = 11, *, table: bool = False, paragraphs: Sequence[str] = tuple(LETTER)) -> Page:
    """A page of plain paragraphs; with `table` a ruled one stands below them."""
    page, y = Page(), 90.0
    page.text(72, 60, "Lease of the flat in Elm Street 12", 1.6 * size, "F2")
    for paragraph in paragraphs:
        y = column(page, 72, y, wrapped(paragraph, 451, size), size=size, pitch=1.3 * size) + size
    if table:
        ruled(page, 72, y, TABLE, [120, 100, 100, 100], size=size)
    return page


def words_of(page: Page) -> list[str]:
    """The words that were drawn, in their order."""
    drawn = [line.split("(", 1)[1].rsplit(")", 1)[0] for line in page.stream if "Tj" in line]
    return " ".join(drawn).replace("\\", "").split()


def drawn(pages: Sequence[Page], folder: Path, dpi: float = 200) -> list[Pixels]:
    """Pages as grey pixels, one row of the array a row of the picture."""
    path = write_pdf(folder / "source-of-scan.pdf", list(pages))
    document = pdfium.PdfDocument(path)
    try:
        return [page.render(scale=dpi / 72, grayscale=True).to_numpy().copy() for page in document]
    finally:
        document.close()
        path.unlink()


def noisy(pixels: Pixels, amount: float, seed: int = 1) -> Pixels:
    """With noise whose standard deviation is `amount` of the range, and grey paper."""
    noise = np.random.default_rng(seed).normal(0, 255 * amount, pixels.shape)
    return np.clip(pixels * 0.9 + 10 + noise, 0, 255).astype(np.uint8)


def blurred(pixels: Pixels) -> Pixels:
    """Each pixel the mean of nine, as from a cheap scanner."""
    wide = np.pad(pixels.astype(np.float32), 1, mode="edge")
    rows, columns = pixels.shape
    parts = [wide[y : y + rows, x : x + columns] for y in range(3) for x in range(3)]
    return (sum(parts) / 9).astype(np.uint8)


def skewed(pixels: Pixels, degrees: float) -> Pixels:
    """Turned a little, as paper lies on the glass; bilinear, the corners are white."""
    rows, columns = pixels.shape
    angle = np.deg2rad(degrees)
    y, x = np.mgrid[0:rows, 0:columns].astype(np.float32)
    y, x = y - rows / 2, x - columns / 2
    from_x, from_y = (
        np.cos(angle) * x + np.sin(angle) * y + columns / 2,
        -np.sin(angle) * x + np.cos(angle) * y + rows / 2,
    )
    left, top = np.floor(from_x).astype(int), np.floor(from_y).astype(int)
    is_inside = (left >= 0) & (top >= 0) & (left < columns - 1) & (top < rows - 1)
    left, top = np.clip(left, 0, columns - 2), np.clip(top, 0, rows - 2)
    dx, dy = from_x - left, from_y - top
    grey = pixels.astype(np.float32)
    mixed = (grey[top, left] * (1 - dx) + grey[top, left + 1] * dx) * (1 - dy)
    mixed += (grey[top + 1, left] * (1 - dx) + grey[top + 1, left + 1] * dx) * dy
    return np.where(is_inside, mixed, 255).astype(np.uint8)


def turned(pixels: Pixels, quarters: int) -> Pixels:
    """Fed the wrong way round, so many quarters clockwise."""
    return np.rot90(pixels, -quarters).copy()


def scan(path: Path, pictures: Sequence[Pixels], dpi: float = 200) -> Path:
    """A PDF whose pages are nothing but these pictures."""
    objects: dict[int, bytes] = {1: b"<</Type/Catalog/Pages 2 0 R>>"}
    kids = [3 + 3 * number for number in range(len(pictures))]
    objects[2] = f"<</Type/Pages/Count {len(kids)}/Kids[{' '.join(f'{kid} 0 R' for kid in kids)}]>>".encode()
    for kid, pixels in zip(kids, pictures, strict=True):
        rows, columns = pixels.shape
        width, height = columns * 72 / dpi, rows * 72 / dpi
        objects[kid] = (
            f"<</Type/Page/Parent 2 0 R/MediaBox[0 0 {width:.2f} {height:.2f}]"
            f"/Resources<</XObject<</Im0 {kid + 2} 0 R>>>>/Contents {kid + 1} 0 R>>"
        ).encode()
        objects[kid + 1] = _stream("", f"q {width:.2f} 0 0 {height:.2f} 0 0 cm /Im0 Do Q".encode())
        objects[kid + 2] = _stream(
            f"/Type/XObject/Subtype/Image/Width {columns}/Height {rows}/ColorSpace/DeviceGray/BitsPerComponent 8"
            "/Filter/FlateDecode",
            zlib.compress(pixels.tobytes(), 1),
        )
    out, places = bytearray(b"%PDF-1.7\n"), {}
    for number, body in sorted(objects.items()):
        places[number] = len(out)
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    start, count = len(out), max(objects) + 1
    out += b"xref\n0 %d\n0000000000 65535 f \n" % count
    out += b"".join(b"%010d 00000 n \n" % places[number] for number in range(1, count))
    out += b"trailer\n<</Size %d/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n" % (count, start)
    path.write_bytes(out)
    return path


def _stream(entries: str, content: bytes) -> bytes:
    return b"<<%s/Length %d>>\nstream\n%s\nendstream" % (entries.encode(), len(content), content)


def found_share(truth: Sequence[str], text: str) -> float:
    """How much of the words that were drawn stand in a text, in the same order."""
    from difflib import SequenceMatcher

    read = text.split()
    blocks = SequenceMatcher(None, truth, read, autojunk=False).get_matching_blocks()
    return sum(block.size for block in blocks) / max(1, len(truth))
