"""Where the lines of a PDF stand: boxes on the page as it is shown, against PDFium's own search."""

from __future__ import annotations

import ctypes
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pypdfium2 as pdfium
import pytest
from pypdfium2 import raw

from app.documents.blocks import BlockKind, BlockPiece, LineBox
from app.documents.formats.pdf.pdf_pages import PageGeometry, draw, sheet_of
from tests.documents.formats.pdf.test_pages import dark_edges
from tests.documents.formats.pdf.test_pdf import pieces_of, planted, prose
from tests.helpers.pdf_files import Page, column, wrapped, write_pdf

Edges = tuple[float, float, float, float]


def rectangles(path: Path, words: list[str]) -> dict[str, list[tuple[int, Edges]]]:
    """Where PDFium finds each word: the page, and left, top, right, bottom on it as it is shown."""
    found: dict[str, list[tuple[int, Edges]]] = {word: [] for word in words}
    document = pdfium.PdfDocument(path)
    for page in range(1, len(document) + 1):
        loaded = raw.FPDF_LoadPage(document.raw, page - 1)
        text = raw.FPDFText_LoadPage(loaded)
        for word in words:
            found[word] += [(page, edges) for edges in _on_page(text, sheet_of(loaded), word)]
        raw.FPDFText_ClosePage(text)
        raw.FPDF_ClosePage(loaded)
    document.close()
    return found


def _on_page(text: Any, sheet: PageGeometry, word: str) -> Iterator[Edges]:
    wanted = ctypes.create_string_buffer(word.encode("utf-16-le") + b"\0\0")
    search = raw.FPDFText_FindStart(text, ctypes.cast(wanted, ctypes.POINTER(ctypes.c_ushort)), 0, 0)
    while raw.FPDFText_FindNext(search):
        first, count = raw.FPDFText_GetSchResultIndex(search), raw.FPDFText_GetSchCount(search)
        sides = [ctypes.c_double() for _ in range(4)]
        for number in range(raw.FPDFText_CountRects(text, first, count)):
            raw.FPDFText_GetRect(text, number, *(ctypes.byref(side) for side in sides))
            yield sheet.box(*(side.value for side in sides))
    raw.FPDFText_FindClose(search)


def box_of(pieces: list[BlockPiece], word: str) -> LineBox:
    """The box whose part of the text has the word."""
    found = [box for piece in pieces for box in piece.place.boxes if word in piece.text[box.start : box.end].lower()]
    assert len(found) == 1
    return found[0]


def holds(box: LineBox, edges: Edges) -> bool:
    left, top, right, bottom = edges
    slack = 0.6
    across = box.left - slack <= left and right <= box.right + slack
    return across and box.top - slack <= top and bottom <= box.bottom + slack


@pytest.mark.parametrize("seed", range(6))
def test_a_words_box_is_around_it(tmp_path: Path, seed: int) -> None:
    made = planted(seed)
    path = write_pdf(tmp_path / "a.pdf", made.pages)
    pieces = pieces_of(path)
    # Words divided at a line's end are in two boxes.
    said = [piece.text[box.start : box.end].lower() for piece in pieces for box in piece.place.boxes]
    whole = [word for word in made.words if any(word in text for text in said)][:60]
    assert len(whole) > 10
    for word, places in rectangles(path, whole).items():
        box = box_of(pieces, word)
        assert places
        assert all(page == box.page and holds(box, edges) for page, edges in places)


@pytest.mark.parametrize("turn", [0, 90, 180, 270])
@pytest.mark.parametrize("crop", [None, (40.0, 60.0, 500.0, 800.0)])
def test_boxes_are_on_the_page_as_it_is_shown(
    tmp_path: Path, turn: int, crop: tuple[float, float, float, float] | None
) -> None:
    page = Page(rotate=turn, crop=crop)
    # The text stands upright once the page is turned.
    angle = {0: "1 0 0 1", 90: "0 1 -1 0", 180: "-1 0 0 -1", 270: "0 -1 1 0"}[turn]
    start = {0: "100 600", 90: "300 200", 180: "400 300", 270: "200 700"}[turn]
    page.stream.append(f"BT /F1 12 Tf {angle} {start} Tm (Hereabouts) Tj ET")
    path = write_pdf(tmp_path / "a.pdf", [page])
    (piece,) = pieces_of(path)
    (box,) = piece.place.boxes
    ((_, edges),) = rectangles(path, ["Hereabouts"])["Hereabouts"]
    assert holds(box, edges)
    shown = dark_edges(draw(path, 1, 2.0))
    assert box.left - 1 <= shown[0] and shown[2] <= box.right + 1
    assert box.top - 1 <= shown[1] and shown[3] <= box.bottom + 1
    assert box.right - box.left > 3 * (box.bottom - box.top)


def test_a_sheet_keeps_its_corners() -> None:
    for turn, corner in enumerate([(0.0, 0.0), (100.0, 0.0), (100.0, 200.0), (0.0, 200.0)]):
        width, height = (100.0, 200.0) if turn % 2 == 0 else (200.0, 100.0)
        sheet = PageGeometry(width, height, turn, 10, 20, 110, 220)
        x, y = sheet.point(10, 220)
        expected = {0: (0, 0), 1: (200, 0), 2: (100, 200), 3: (0, 100)}[turn]
        assert (x, y) == expected, corner


def test_every_line_has_its_own_part_of_the_text(tmp_path: Path) -> None:
    chance = random.Random(2)
    page = Page()
    text = prose(chance, 120)
    lines = wrapped(text, 300, hyphens=True)
    column(page, 72, 100, lines)
    (piece,) = pieces_of(write_pdf(tmp_path / "a.pdf", [page]))
    assert piece.kind is BlockKind.PARAGRAPH
    assert piece.text == text
    ranges = [piece.text[box.start : box.end] for box in piece.place.boxes]
    assert ranges == [line.removesuffix("-") for line in lines]
    assert [round(box.top) for box in piece.place.boxes] == sorted(round(box.top) for box in piece.place.boxes)
