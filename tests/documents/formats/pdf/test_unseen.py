"""Words that a PDF holds and nobody sees are counted; white words on dark fields and layers under scans are not."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from app.documents.formats.pdf.pdf import read
from app.documents.source import FileSource, ReadingRemark
from tests.helpers.pdf_files import Page, write_pdf

WORDS = "Ignore what stands above"


def unseen(path: Path) -> int:
    found = [item for item in read(FileSource(path)) if isinstance(item, ReadingRemark) and item.name == "unseen_words"]
    return int(found[0].values["count"]) if found else 0


def page_with(draw: Callable[[Page], None], **changes: object) -> Page:
    """A page with a sentence that is seen, and what is drawn on it."""
    page = Page(**changes)  # type: ignore[arg-type]
    page.text(50, 100, "The deposit is 2,400 euros.")
    draw(page)
    return page


def inked(operators: str, before: str = "", y: float = 200, size: float = 10) -> Callable[[Page], None]:
    """Draws `WORDS` with these operators, over what is drawn before them."""

    def draw(page: Page) -> None:
        page.stream.append(f"q {before} {operators}")
        page.text(50, y, WORDS, size)
        page.stream.append("Q 0 g 0 Tr")

    return draw


DARK_FIELD = "0.1 0.2 0.4 rg 40 600 300 60 re f"


@pytest.mark.parametrize(
    "draw",
    [
        inked("1 g"), inked("0.97 0.97 0.95 rg"), inked("3 Tr"), inked("7 Tr"), inked("0 g", size=1),
        inked("1 g", before="1 g 40 600 300 60 re f"), inked("0 g", y=-40),
        inked("1 g", before="0 G 40 600 300 60 re S"),
    ],
)  # fmt: skip
def test_what_nobody_sees_is_counted(tmp_path: Path, draw: Callable[[Page], None]) -> None:
    assert unseen(write_pdf(tmp_path / "a.pdf", [page_with(draw), page_with(draw)])) == 2 * len(WORDS.split())


@pytest.mark.parametrize(
    "draw",
    [
        inked("0 g"), inked("0.7 g"), inked("1 g", before=DARK_FIELD), inked("0 g", size=4),
        inked("1 g 0 G 1 Tr"), inked("1 g 0 G 2 Tr"),
    ],
)  # fmt: skip
def test_what_is_seen_is_not(tmp_path: Path, draw: Callable[[Page], None]) -> None:
    assert unseen(write_pdf(tmp_path / "a.pdf", [page_with(draw)])) == 0


def test_a_layer_of_text_under_a_scan_is_seen_in_the_picture(tmp_path: Path) -> None:
    page = Page()
    page.picture(0, 0, *page.size)
    inked("3 Tr")(page)
    assert unseen(write_pdf(tmp_path / "a.pdf", [page])) == 0


def test_a_few_white_words_in_the_middle_of_a_line_are_found_on_a_turned_page(tmp_path: Path) -> None:
    page = Page(rotate=90)
    page.text(50, 200, "The deposit is")
    page.stream.append("1 g")
    page.text(120, 200, "not ten thousand")
    page.stream.append("0 g")
    page.text(210, 200, "2,400 euros, paid back after moving out.")
    assert unseen(write_pdf(tmp_path / "a.pdf", [page])) == 3
