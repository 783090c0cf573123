"""Addresses of the web that are broken at a line's end, and running headers that change with the section."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from app.documents.blocks import Kind, Piece
from app.documents.source import PageRead
from tests.documents.formats.pdf.test_pdf import items_of, pieces_of, prose, texts_of
from tests.helpers.pdf_files import Bookmark, Page, column, wrapped, write_pdf


@pytest.mark.parametrize(
    ("first", "second", "address"),
    [
        ("packages (https://packages.", "nobody.org/stable/) and runs on", "https://packages.nobody.org/stable/"),
        ("more about it at https:", "//www.nobody.org/x and elsewhere", "https://www.nobody.org/x"),
        ("is told by https://www.nobody.", "org/rules#first and by others", "https://www.nobody.org/rules#first"),
        ("the long list (https://nobody.org/", "list), which is kept by hand", "https://nobody.org/list"),
        ("as in https://nobody.org/very-", "long/name which is there still", "https://nobody.org/very-long/name"),
        ("a page, https://nobody.org/ch02.", "html and one more of them all", "https://nobody.org/ch02.html"),
        ("a page of https://nobody.org/a", "/b/c.html and one more of them", "https://nobody.org/a/b/c.html"),
    ],
)
def test_an_address_broken_at_a_lines_end_is_whole(tmp_path: Path, first: str, second: str, address: str) -> None:
    page = Page()
    before = "Whoever reads this will have gone on for some time, up to"
    column(page, 72, 100, [before, first, second, "and the end of it."])
    (text,) = texts_of(write_pdf(tmp_path / "a.pdf", [page]))
    assert f"{address}" in text
    assert text.replace(" ", "") == f"{before}{first}{second}andtheendofit.".replace(" ", "")
    assert text.count(" ") == f"{before} {first}{second} and the end of it.".count(" ")


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("the lists are at https://lists.nobody.org/", "which can be read by all"),
        ("it is all told at https://www.nobody.org", "and in books that are there"),
        ("this is told at https://nobody.org/faq", "either/or is the choice of all"),
        ("no address, as no http is in this line.", "nobody.org/is not joined to it"),
    ],
)
def test_words_of_prose_after_an_address_stay_words(tmp_path: Path, first: str, second: str) -> None:
    page = Page()
    column(page, 72, 100, [first, second])
    assert " ".join(texts_of(write_pdf(tmp_path / "a.pdf", [page]))) == f"{first} {second}"


SECTIONS = ["1.3. OK, NOW I KNOW WHAT IT IS...\x85", "1.6. HOW DOES IT FIT IN\x85", "2.1. WHERE TO GET IT"]


def test_a_running_header_that_changes_with_the_section_is_left_out(tmp_path: Path) -> None:
    chance = random.Random(2)
    told = prose(chance, 700).replace(". ", " and ").lower()
    lines = wrapped(told, 450)
    pages = []
    part = -(-len(lines) // 3)
    for number in range(3):
        page = Page()
        chapter = "CHAPTER 1. FIRST WORDS" if number < 2 else "CHAPTER 2. GETTING IT"
        page.text(72, 44, chapter, 9)
        section = SECTIONS[number].replace("\x85", "…")
        page.text(330, 44, section, 9)
        column(page, 72, 90, lines[part * number : part * (number + 1)], size=10)
        pages.append(page)
    marks = [Bookmark("1 First words", 1, 0), Bookmark("2 Getting it", 3, 500), Bookmark("2.1 Where to get it", 3, 700)]
    items = items_of(write_pdf(tmp_path / "a.pdf", pages, bookmarks=marks))
    (piece,) = [item for item in items if isinstance(item, Piece)]
    assert piece.text == told
    # The page in the middle has no block of its own, but it has text.
    assert [item for item in items if isinstance(item, PageRead)] == [PageRead(1), PageRead(2), PageRead(3)]
    assert {box.page for box in piece.place.boxes} == {1, 2, 3}


def test_a_heading_in_parts_at_the_top_of_a_page_stays(tmp_path: Path) -> None:
    chance = random.Random(2)
    titles = ["Opening", "Looking around", "Going home", "Afterwards"]
    pages, marks = [], []
    for number, title in enumerate(titles, 1):
        page = Page()
        page.text(72, 60, f"{number}.1", 10, "F2")
        page.text(110, 60, title, 10, "F2")
        column(page, 72, 84, wrapped(prose(chance, 150), 450))
        pages.append(page)
        marks.append(Bookmark(title, number, 50))
    pieces = pieces_of(write_pdf(tmp_path / "a.pdf", pages, bookmarks=marks))
    headings = [piece.text for piece in pieces if piece.kind is Kind.HEADING]
    assert headings == [f"{number}.1 {title}" for number, title in enumerate(titles, 1)]
