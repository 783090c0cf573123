"""Headings of PDFs of our own making: whole, each of its level, and not taken for running headers."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from app.documents.blocks import BlockKind, BlockPiece
from app.documents.formats.pdf.pdf import read
from app.documents.source import FileSource, PageRead
from tests.documents.formats.pdf.test_pdf import items_of, prose
from tests.helpers.pdf_files import Bookmark, Page, column, wrapped, write_pdf


def pieces_of(path: Path) -> list[BlockPiece]:
    return [item for item in read(FileSource(path, recognize=False)) if isinstance(item, BlockPiece)]


def headings_of(path: Path) -> list[tuple[int, str]]:
    return [(piece.level, piece.text) for piece in pieces_of(path) if piece.kind is BlockKind.HEADING]


def chapters(titles: list[str], body: float = 10) -> tuple[list[Page], list[Bookmark]]:
    """A page for each: "Chapter N", its title below it, a section, and words."""
    chance = random.Random(6)
    pages, marks = [], []
    for number, title in enumerate(titles, 1):
        page = Page()
        page.text(72, 120, f"Chapter {number}", 20.66, "F2")
        page.text(72, 170, title, 24.79, "F2")
        page.text(72, 210, f"{number}.1 Its beginning", 14.35, "F2")
        column(page, 72, 240, wrapped(prose(chance, 150), 450, body), size=body)
        pages.append(page)
        marks += [Bookmark(f"{number} {title}", number, 100), Bookmark(f"{number}.1 Its beginning", number, 200, 2)]
    return pages, marks


@pytest.mark.parametrize("has_outline", [True, False])
def test_what_is_printed_alike_has_the_same_level_throughout(tmp_path: Path, has_outline: bool) -> None:
    titles = ["Definitions", "Getting it", "Choosing it", "Keeping it", "Leaving it", "Forgetting it", "The end of it"]
    pages, marks = chapters(titles)
    found = headings_of(write_pdf(tmp_path / "a.pdf", pages, bookmarks=marks if has_outline else None))
    expected = []
    for number, title in enumerate(titles, 1):
        expected += [(1, f"Chapter {number}"), (1, title), (2, f"{number}.1 Its beginning")]
    assert found == expected


def test_a_heading_that_the_outline_has_not_is_of_the_level_of_its_size(tmp_path: Path) -> None:
    pages, marks = chapters(["Definitions", "Getting it", "Choosing it"])
    for page in pages:
        page.text(72, 600, "Aside", 14.35, "F2")
        page.text(72, 640, "Deeper", 12, "F2")
    found = headings_of(write_pdf(tmp_path / "a.pdf", pages, bookmarks=marks))
    assert [level for level, text in found if text == "Aside"] == [2, 2, 2]
    assert [level for level, text in found if text == "Deeper"] == [3, 3, 3]


@pytest.mark.parametrize("has_outline", [True, False])
def test_a_heading_of_two_lines_is_one_heading(tmp_path: Path, has_outline: bool) -> None:
    chance = random.Random(7)
    page = Page()
    y = column(page, 72, 80, wrapped(prose(chance, 60), 450))
    page.text(72, y + 20, "2.1 I have a card that does not work with this.", 14.35, "F2")
    page.text(100, y + 38, "What should I do?", 14.35, "F2")
    y = column(page, 72, y + 60, wrapped(prose(chance, 60), 450))
    # In the size of the text, which only the outline tells to be one.
    page.text(72, y + 20, "2.2 It works, but it is slow.", 10, "F2")
    page.text(100, y + 33, "Why is that so?", 10, "F2")
    column(page, 72, y + 60, wrapped(prose(chance, 60), 450))
    marks = [
        Bookmark("I have a card that does not work with this. What should I do?", 1, 100, 1),
        Bookmark("It works, but it is slow. Why is that so?", 1, 300, 1),
    ]
    found = headings_of(write_pdf(tmp_path / "a.pdf", [page], bookmarks=marks if has_outline else None))
    texts = [text for _, text in found]
    assert texts[0] == "2.1 I have a card that does not work with this. What should I do?"
    if has_outline:
        assert found == [(1, texts[0]), (1, "2.2 It works, but it is slow. Why is that so?")]


def test_two_numbered_headings_below_each_other_are_two(tmp_path: Path) -> None:
    page = Page()
    page.text(72, 80, "1.1 Opening", 14, "F2")
    page.text(72, 97, "1.1.1 Looking around", 14, "F2")
    column(page, 72, 130, wrapped(prose(random.Random(1), 90), 450))
    assert headings_of(write_pdf(tmp_path / "a.pdf", [page])) == [(2, "1.1 Opening"), (3, "1.1.1 Looking around")]


@pytest.mark.parametrize("size", [10, 18])
@pytest.mark.parametrize("count", [2, 3, 9])
def test_a_title_that_is_on_two_pages_at_the_same_place_is_no_running_header(
    tmp_path: Path, size: float, count: int
) -> None:
    chance = random.Random(3)
    pages = []
    for number in range(count):
        page = Page()
        page.text(72, 80, ["The Title of It All", "The Title of It All", "Contents"][min(number, 2)], size, "F2")
        column(page, 72, 130, wrapped(prose(chance, 120), 450))
        pages.append(page)
    pieces = pieces_of(write_pdf(tmp_path / "a.pdf", pages))
    assert [piece.page for piece in pieces if piece.text == "The Title of It All"] == [1, 2]


def test_a_title_page_and_a_half_title_stay_where_other_headings_stand_at_their_place(tmp_path: Path) -> None:
    chance = random.Random(3)
    pages = [Page(), Page(), *(Page() for _ in range(4))]
    pages[0].text(108, 339, "The Title of It All", 17, "F2")
    pages[1].text(60, 82, "The Title of It All", 10, "F2")
    pages[2].text(72, 82, "Contents", 24, "F2")
    for number, page in enumerate(pages[1:]):
        column(page, 72, 82 if number > 1 else 110, wrapped(prose(chance, 150), 450))
    pieces = pieces_of(write_pdf(tmp_path / "a.pdf", pages))
    assert [piece.page for piece in pieces if piece.text == "The Title of It All"] == [1, 2]


def test_a_page_with_nothing_but_a_number_or_a_header_keeps_it(tmp_path: Path) -> None:
    pages = [Page() for _ in range(6)]
    for number, page in enumerate(pages, 1):
        page.text(72, 82, "The same" if number > 3 else str(number), 11)
    items = items_of(write_pdf(tmp_path / "a.pdf", pages))
    pieces = [item for item in items if isinstance(item, BlockPiece)]
    assert [piece.text for piece in pieces] == ["1", "2", "3", "The same", "The same", "The same"]
    assert [item for item in items if isinstance(item, PageRead)] == [PageRead(number) for number in range(1, 7)]


def test_a_number_over_a_picture_is_kept_and_the_page_is_still_a_picture(tmp_path: Path) -> None:
    pages = [Page() for _ in range(3)]
    for number, page in enumerate(pages, 1):
        page.picture(72, 100, 400, 600)
        page.text(290, 810, str(number), 9)
    items = items_of(write_pdf(tmp_path / "a.pdf", pages))
    assert [item.text for item in items if isinstance(item, BlockPiece)] == ["1", "2", "3"]
    assert all(item.is_picture and not item.has_text for item in items if isinstance(item, PageRead))


@pytest.mark.parametrize(
    ("mark", "text", "read_as"),
    [
        ("3", "Historically, they were kept there.", "3 Historically, they were kept there."),
        ("12", "dists/stable and others.", "12 dists/stable and others."),
        ("*", "See the last page.", "* See the last page."),
        ("1", "st of May, as they say.", "1st of May, as they say."),
    ],
)
def test_the_raised_number_of_a_footnote_is_apart_from_its_text(
    tmp_path: Path, mark: str, text: str, read_as: str
) -> None:
    page = Page()
    column(page, 72, 100, wrapped(prose(random.Random(8), 200), 450))
    page.text(72, 697, mark, 5)
    page.text(72 + 3 * len(mark), 700, text, 8)
    (note,) = [piece for piece in pieces_of(write_pdf(tmp_path / "a.pdf", [page])) if piece.kind is BlockKind.NOTE]
    assert note.text == read_as
    assert note.place.boxes[-1].end == len(note.text)
