"""Pages that are pictures, for real: drawn, turned, noisy, put straight, and read by tesseract at the right places."""

from __future__ import annotations

import shutil
from contextlib import closing
from pathlib import Path

import pypdfium2 as pdfium
import pytest
from pypdfium2 import raw

from app.documents.blocks import TESSERACT, BlockKind, LineBox, rows_of
from app.documents.formats.pdf.pdf import put_upright, read, recognize
from app.documents.protocol import PutUpright, Recognize
from app.documents.source import FileSource, PageRead
from tests.helpers.pdf_files import Page, column, write_pdf
from tests.helpers.scans import LETTER, TABLE, drawn, found_share, letter, noisy, scan, skewed, turned, words_of

needs_tesseract = pytest.mark.skipif(shutil.which("tesseract") is None, reason="make test-documents installs it")


@needs_tesseract
@pytest.mark.parametrize(
    ("degrees", "quarters"),
    [pytest.param(2, 0, marks=pytest.mark.slow), (-5, 3), pytest.param(0, 2, marks=pytest.mark.slow)],
)
def test_a_noisy_page_is_read_however_it_lay_on_the_glass(tmp_path: Path, degrees: float, quarters: int) -> None:
    page = letter(paragraphs=LETTER[:3])
    picture = noisy(turned(skewed(drawn([page], tmp_path, 150)[0], degrees), quarters), 0.08)
    pieces, _ = recognize(Recognize(str(scan(tmp_path / "scan.pdf", [picture], 150)), 1))
    assert found_share(words_of(page), " ".join(piece.text for piece in pieces)) > 0.95
    assert {piece.origin for piece in pieces} == {TESSERACT}


@needs_tesseract
@pytest.mark.slow
def test_a_line_is_where_it_was_on_the_askew_page(tmp_path: Path) -> None:
    page = letter()
    path = scan(tmp_path / "scan.pdf", [skewed(drawn([page], tmp_path, 150)[0], 3)], 150)
    pieces, _ = recognize(Recognize(str(path), 1))
    box = next(box for piece in pieces for box in piece.place.boxes if "deposit" in piece.text[box.start : box.end])
    # Where the beginning of that line went when the page was turned by 3 degrees around its middle.
    assert (box.left, box.top) == pytest.approx((90, 115), abs=15)
    assert box.bottom - box.top < 60


@needs_tesseract
@pytest.mark.parametrize("is_ruled", [pytest.param(True, marks=pytest.mark.slow), False])
def test_a_table_is_a_table_with_a_place_for_each_row(tmp_path: Path, is_ruled: bool) -> None:
    page = letter(table=is_ruled, paragraphs=LETTER[:2])
    if not is_ruled:
        for number, row in enumerate(TABLE):
            for x, cell in zip((72, 192, 292, 392), row, strict=True):
                page.text(x, 260 + 16 * number, cell, 11)
    picture = noisy(skewed(drawn([page], tmp_path, 150)[0], 1.5), 0.05)
    pieces, _ = recognize(Recognize(str(scan(tmp_path / "scan.pdf", [picture], 150)), 1))
    (table,) = [piece for piece in pieces if piece.kind is BlockKind.TABLE]
    assert list(rows_of(table)) == TABLE
    assert [table.text[box.start : box.end].split("\t") for box in table.place.boxes] == TABLE
    tops = [box.top for box in table.place.boxes]
    assert tops == sorted(tops)
    assert [piece.kind for piece in pieces if piece is not table] == [BlockKind.PARAGRAPH] * 3


@needs_tesseract
def test_a_region_alone_is_read_and_its_boxes_are_the_pages(tmp_path: Path) -> None:
    path = scan(tmp_path / "scan.pdf", drawn([letter()], tmp_path, 150), 150)
    ((piece,), _) = recognize(Recognize(str(path), 1, (60.0, 35.0, 500.0, 72.0)))
    assert piece.text == "Lease of the flat in Elm Street 12"
    assert piece.place.boxes[0][1:5] == pytest.approx((72, 46, 342, 61), abs=5)


def test_a_page_is_drawn_straight_for_a_model(tmp_path: Path) -> None:
    path = scan(tmp_path / "scan.pdf", [skewed(drawn([letter()], tmp_path, 100)[0], 2)], 100)
    out = tmp_path / "page.ppm"
    made = put_upright(PutUpright(str(path), 1, str(out), most_side=800))
    assert made.view.degrees == pytest.approx(-2, abs=0.3)
    assert max(made.width, made.height) == 800
    assert out.read_bytes().startswith(b"P6\n%d %d\n255\n" % (made.width, made.height))
    assert len(out.read_bytes()) == len(b"P6\n%d %d\n255\n" % (made.width, made.height)) + 3 * made.width * made.height


def test_figures_of_a_page_with_text_are_told_and_its_logo_is_not(tmp_path: Path) -> None:
    page = Page()
    column(page, 72, 90, LETTER)
    page.picture(72, 300, 200, 100)
    page.picture(72, 401, 200, 60)  # the next strip of the same
    page.picture(500, 20, 30, 30)
    path = write_pdf(tmp_path / "a.pdf", [page])
    (told,) = (item for item in read(FileSource(path)) if isinstance(item, PageRead))
    assert [tuple(round(edge) for edge in figure) for figure in told.figures] == [(72, 300, 272, 461)]
    assert told.has_text
    assert not told.is_picture


def test_a_drawing_without_words_is_a_figure_and_one_with_words_is_text(tmp_path: Path) -> None:
    page, labelled, ruled_page = Page(), Page(), letter(table=True)
    for each in (page, labelled):
        column(each, 72, 90, LETTER)
        for bar in range(24):  # as a chart has them, from y 300 of the page downwards
            each.stream.append(f"{100 + 8 * bar} {842 - 450} 6 {20 + 5 * bar} re f")
    for bar in range(12):
        labelled.text(105 + 8 * bar, 400, f"Bar {bar}", 6)
    path = write_pdf(tmp_path / "a.pdf", [page, labelled, ruled_page])
    told = [item for item in read(FileSource(path)) if isinstance(item, PageRead)]
    assert [[tuple(round(edge) for edge in figure) for figure in one.figures] for one in told] == [
        [(100, 315, 290, 450)],
        [],
        [],
    ]


def test_what_is_drawn_within_forms_is_a_figure_where_it_lies_on_the_page(tmp_path: Path) -> None:
    """As a report has a chart that another program made; here PDFium puts the page on a sheet, beside the next one."""
    page = Page()
    column(page, 72, 90, LETTER)
    for bar in range(24):
        page.stream.append(f"{100 + 8 * bar} {842 - 450} 6 {20 + 5 * bar} re f")
    page.picture(72, 500, 200, 100)
    path = write_pdf(tmp_path / "a.pdf", [page, letter()])
    for wide in (1190.0, 2380.0):  # a form, and a form in a form
        path = on_sheets(path, tmp_path / f"{wide:.0f}.pdf", wide)
        told = next(item for item in read(FileSource(path)) if isinstance(item, PageRead))
        assert [tuple(round(edge) for edge in figure) for figure in told.figures] == [
            (72, 500, 272, 600),
            (100, 315, 290, 450),
        ]


def on_sheets(path: Path, to: Path, wide: float) -> Path:
    """The pages of a file, each as a form on the left of a sheet or on its right, as large as they were."""
    with closing(pdfium.PdfDocument(path)) as document:
        made = raw.FPDF_ImportNPagesToOne(document.raw, wide, 842.0, 2, 1)
        with closing(pdfium.PdfDocument(made)) as sheets:
            sheets.save(to)
    return to


def test_a_box_of_a_turned_view_is_found_again(tmp_path: Path) -> None:
    path = scan(tmp_path / "scan.pdf", [skewed(drawn([letter()], tmp_path, 100)[0], 2)], 100)
    view = put_upright(PutUpright(str(path), 1, str(tmp_path / "page.ppm"))).view
    wide, high = view.size
    middle = LineBox(1, *view.on_page(wide / 2, high / 2, wide / 2, high / 2), 0, 0)
    assert (middle.left, middle.top) == pytest.approx((595 / 2, 842 / 2), abs=1)
