"""PDF files that are locked, damaged, without text, or made to do harm."""

from __future__ import annotations

import random
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.errors.document_errors import DocumentLocked, DocumentUnreadable
from app.documents.blocks import BlockPiece
from app.documents.formats.pdf.pdf import read
from app.documents.source import FileSource, Item, Opened, PageRead, ReadingRemark
from tests.documents.formats.pdf.test_pdf import items_of, prose, texts_of
from tests.helpers.counting import lines_run
from tests.helpers.pdf_files import Lock, Page, column, wrapped, write_pdf


def with_words(words: str) -> Page:
    page = Page()
    page.text(72, 100, words)
    return page


@pytest.mark.parametrize("aes", [False, True], ids=["RC4", "AES-256"])
def test_a_locked_file_asks_for_its_password_and_says_when_it_is_wrong(tmp_path: Path, aes: bool) -> None:
    path = write_pdf(tmp_path / "a.pdf", [with_words("Secret words.")], title="Hidden", lock=Lock("open", "own", aes))
    with pytest.raises(DocumentLocked) as caught:
        items_of(path)
    assert not caught.value.is_wrong
    with pytest.raises(DocumentLocked) as caught:
        items_of(path, password="closed")
    assert caught.value.is_wrong
    for password in ("open", "own"):
        items = items_of(path, password=password)
        assert items[0] == Opened("page", 1, "Hidden")
        assert [item.text for item in items if isinstance(item, BlockPiece)] == ["Secret words."]


@pytest.mark.parametrize("aes", [False, True], ids=["RC4", "AES-256"])
def test_a_file_that_only_its_owner_locked_is_read(tmp_path: Path, aes: bool) -> None:
    path = write_pdf(tmp_path / "a.pdf", [with_words("Open words.")], lock=Lock("", "own", aes))
    assert texts_of(path) == ["Open words."]


def test_what_is_no_pdf_is_damaged(tmp_path: Path) -> None:
    whole = write_pdf(tmp_path / "a.pdf", [with_words("Some words.")]).read_bytes()
    noise = random.Random(1).randbytes(4000)
    for content in (noise, b"%PDF-1.7\n" + noise, b"%PDF-1.7\n", whole[: whole.index(b"/Kids")]):
        path = tmp_path / "b.pdf"
        path.write_bytes(content)
        with pytest.raises(DocumentUnreadable) as caught:
            items_of(path)
        assert caught.value.reason == "damaged"


def test_a_page_that_is_damaged_is_counted_and_the_others_are_read(tmp_path: Path) -> None:
    path = write_pdf(tmp_path / "a.pdf", [with_words("First words."), with_words("Lost."), with_words("Last words.")])
    content = path.read_bytes()
    second = re.search(rb"Kids\[\d+ 0 R (\d+)", content)
    assert second
    gone = b"9" * len(second[1])
    path.write_bytes(content[: second.start(1)] + gone + content[second.end(1) :])
    items = items_of(path)
    assert [item.text for item in items if isinstance(item, BlockPiece)] == ["First words.", "Last words."]
    assert items[-1] == ReadingRemark("damaged_pages", {"count": 1})


HEAD = b"%PDF-1.7\n1 0 obj\n<</Type/Catalog/Pages 2 0 R>>\nendobj\n"
TAIL = b"trailer\n<</Root 1 0 R>>\n"


def read_or_damaged(path: Path) -> list[Item]:
    """All of it, or up to the situation it ends with."""
    items: list[Item] = []
    try:
        items += read(FileSource(path, recognize=False))
    except DocumentUnreadable as error:
        assert error.reason == "damaged"
    return items


def test_two_thousand_million_pages_come_to_an_end(tmp_path: Path) -> None:
    path = tmp_path / "a.pdf"
    pages = b"2 0 obj\n<</Type/Pages/Count 2000000000/Kids[3 0 R]>>\nendobj\n"
    page = b"3 0 obj\n<</Type/Page/Parent 2 0 R/MediaBox[0 0 100 100]>>\nendobj\n"
    path.write_bytes(HEAD + pages + page + TAIL)
    assert read_or_damaged(path)


def test_pages_that_hold_each_other_come_to_an_end(tmp_path: Path) -> None:
    path = tmp_path / "a.pdf"
    loop = b"2 0 obj\n<</Type/Pages/Count 900000/Kids[3 0 R 2 0 R]>>\nendobj\n"
    inner = b"3 0 obj\n<</Type/Pages/Parent 2 0 R/Count 500000/Kids[2 0 R 3 0 R]>>\nendobj\n"
    path.write_bytes(HEAD + loop + inner + TAIL)
    read_or_damaged(path)


def test_a_page_of_two_million_points_is_read(tmp_path: Path) -> None:
    page = Page(size=(2_000_000, 2_000_000))
    page.text(1_000_000, 1_000_000, "Far out.", 40_000)
    assert texts_of(write_pdf(tmp_path / "a.pdf", [page])) == ["Far out."]


@pytest.mark.parametrize("scatter", [False, True])
def test_a_page_with_very_many_pieces_of_text_is_work_in_proportion(tmp_path: Path, scatter: bool) -> None:
    def lines(count: int) -> int:
        chance = random.Random(1)
        page = Page()
        for number in range(count):
            x, y = (chance.uniform(0, 590), chance.uniform(0, 840)) if scatter else (72, 840 * number / count)
            page.text(x, y, "word", 0.5 if not scatter else 6)
        path = write_pdf(tmp_path / "a.pdf", [page])
        return lines_run(lambda: items_of(path))

    assert lines(12_000) < 6 * lines(3000)


def test_a_picture_is_told_from_an_empty_page(tmp_path: Path) -> None:
    scan = Page()
    scan.picture(0, 0, 595, 842)
    items = items_of(write_pdf(tmp_path / "a.pdf", [scan, Page(), with_words("Words here."), scan]))
    assert [item for item in items if isinstance(item, PageRead)] == [
        PageRead(1, has_text=False, is_picture=True),
        PageRead(2, has_text=False),
        PageRead(3),
        PageRead(4, has_text=False, is_picture=True),
    ]


def test_marks_of_every_kind_in_the_outline_do_no_harm(tmp_path: Path) -> None:
    path = write_pdf(tmp_path / "a.pdf", [with_words("Some words.")])
    loop = b"/Outlines 90 0 R>>\nendobj\n90 0 obj\n<</First 91 0 R>>\nendobj\n"
    loop += b"91 0 obj\n<</Title(Around)/Next 91 0 R/First 90 0 R/Dest[3 0 R/XYZ 0 0 0]>>\nendobj\n"
    path.write_bytes(path.read_bytes().replace(b"/Pages 2 0 R>>\nendobj\n", b"/Pages 2 0 R" + loop, 1))
    assert texts_of(path) == ["Some words."]


def test_a_truncated_file_gives_what_it_has_or_is_damaged(tmp_path: Path) -> None:
    chance = random.Random(1)
    pages = [Page() for _ in range(20)]
    for page in pages:
        column(page, 72, 100, wrapped(prose(chance, 200), 450))
    whole = write_pdf(tmp_path / "a.pdf", pages).read_bytes()
    for share in (0.2, 0.5, 0.9, 0.99):
        path = tmp_path / "b.pdf"
        path.write_bytes(whole[: int(len(whole) * share)])
        read_or_damaged(path)


@given(st.integers(0, 1_000_000))
def test_whatever_bytes_are_wrong_it_is_read_or_damaged(tmp_path_factory: pytest.TempPathFactory, seed: int) -> None:
    chance = random.Random(seed)
    pages = [Page() for _ in range(3)]
    for page in pages:
        column(page, 72, 100, wrapped(prose(chance, 40), 450))
        page.text(72, 700, "cell    \xa0    cell   œ", 1e9 if chance.random() < 0.1 else 9)
    path = tmp_path_factory.mktemp("pdf") / "a.pdf"
    content = bytearray(write_pdf(path, pages).read_bytes())
    for _ in range(chance.randint(0, 40)):
        content[chance.randrange(len(content))] = chance.randrange(256)
    path.write_bytes(content)
    try:
        items = items_of(path)
    except (DocumentUnreadable, DocumentLocked):
        return
    assert isinstance(items[0], Opened)


def rules_and_words() -> list[Page]:
    """Pages of nothing else; how long they take is said by `make bench`."""
    grid, stacked = Page(), Page()
    for number in range(280):
        grid.rule(10, 10 + 2.9 * number, 580, 10 + 2.9 * number)
        stacked.rule(10, 10 + 3.1 * number, 580, 10 + 3.1 * number)
        for x in (20, 150, 300, 450):
            stacked.text(x, 12.5 + 3.1 * number, f"w{number}", 2)
    for number in range(150):
        grid.rule(10 + 3.8 * number, 10, 10 + 3.8 * number, 820)
        grid.text(12 + 3.8 * number, 100 + number, "cell", 1)
    return [grid, stacked]


def test_a_page_of_nothing_but_rules_and_words_is_read(tmp_path: Path) -> None:
    texts = texts_of(write_pdf(tmp_path / "a.pdf", rules_and_words()))
    assert len(re.findall(r"w\d+", " ".join(texts))) == 4 * 280
