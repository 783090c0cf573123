"""Drawing a page of a PDF: its size, its colours, its limits."""

from __future__ import annotations

import zlib
from pathlib import Path

import pytest

from app.core.errors.document_errors import DocumentLocked, DocumentUnreadable
from app.documents.formats.pdf.pdf_pages import draw
from app.documents.protocol import Drawn
from tests.helpers.pdf_files import Lock, Page, write_pdf


def pixels_of(drawn: Drawn) -> bytes:
    return zlib.decompress(drawn.pixels)


def dark_edges(drawn: Drawn) -> tuple[float, float, float, float]:
    """The edges of what is dark, in points: left, top, right, bottom."""
    pixels, row = pixels_of(drawn), drawn.width * 3
    rows = [number for number in range(drawn.height) if min(pixels[number * row : (number + 1) * row]) < 128]
    columns = [number for number in range(drawn.width) if min(pixels[number * 3 :: row]) < 128]
    scale = drawn.width / drawn.width_pt
    return columns[0] / scale, rows[0] / scale, (columns[-1] + 1) / scale, (rows[-1] + 1) / scale


def test_a_page_is_drawn_in_rgb_without_padding(tmp_path: Path) -> None:
    page = Page(size=(101, 50))
    page.stream.append("1 0 0 rg 0 25 101 25 re f")
    drawn = draw(write_pdf(tmp_path / "a.pdf", [page]), 1, 1.0)
    pixels = pixels_of(drawn)
    assert (drawn.width, drawn.height, drawn.width_pt, drawn.height_pt) == (101, 50, 101.0, 50.0)
    assert len(pixels) == 101 * 50 * 3
    assert pixels[:3] == b"\xff\x00\x00"
    assert pixels[-3:] == b"\xff\xff\xff"


def test_no_more_pixels_are_drawn_than_allowed_however_large_the_page(tmp_path: Path) -> None:
    path = write_pdf(tmp_path / "a.pdf", [Page(size=(2_000_000, 2_000_000)), Page(size=(2_000_000, 1))])
    for page in (1, 2):
        drawn = draw(path, page, 3.0, most_pixels=10_000)
        assert drawn.width * drawn.height <= 10_000
        assert len(pixels_of(drawn)) == drawn.width * drawn.height * 3


def test_annotations_are_drawn(tmp_path: Path) -> None:
    path = tmp_path / "a.pdf"
    page = Page(size=(100, 100))
    write_pdf(path, [page])
    square = b"/Annots[<</Type/Annot/Subtype/Square/F 4/Rect[10 10 90 90]/IC[0 0 1]/C[0 0 1]>>]/MediaBox"
    # Offsets move, which PDFium repairs.
    path.write_bytes(path.read_bytes().replace(b"/MediaBox", square))
    pixels = pixels_of(draw(path, 1, 1.0))
    middle = (50 * 100 + 50) * 3
    assert pixels[middle : middle + 3] == b"\x00\x00\xff"


def test_a_page_that_is_not_there_cannot_be_drawn(tmp_path: Path) -> None:
    path = write_pdf(tmp_path / "a.pdf", [Page()])
    for page in (0, 2, -1):
        with pytest.raises(DocumentUnreadable) as caught:
            draw(path, page, 1.0)
        assert caught.value.reason == "not_drawn"


def test_a_locked_page_needs_its_password(tmp_path: Path) -> None:
    path = write_pdf(tmp_path / "a.pdf", [Page(size=(20, 10))], lock=Lock("open", "owner"))
    with pytest.raises(DocumentLocked):
        draw(path, 1, 1.0)
    assert draw(path, 1, 1.0, "open").width == 20
