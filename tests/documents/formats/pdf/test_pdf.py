"""Reading PDF files of our own making: order, paragraphs, what is left out, and where everything stands."""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.documents.blocks import BlockKind, BlockPiece, rows_of
from app.documents.formats.pdf.pdf import read
from app.documents.source import FileSource, Item, Opened, PageRead
from tests.helpers.pdf_files import Bookmark, Page, column, ruled, wrapped, write_pdf

SYLLABLES = [
    "ba",
    "ce",
    "di",
    "fo",
    "gu",
    "la",
    "me",
    "ni",
    "po",
    "ru",
    "sa",
    "te",
    "vi",
    "wo",
    "kar",
    "lem",
    "nis",
    "tul",
]


def items_of(path: Path, **choices: object) -> list[Item]:
    return list(read(FileSource(path, recognize=False, **choices)))  # type: ignore[arg-type]


def pieces_of(path: Path) -> list[BlockPiece]:
    return [item for item in items_of(path) if isinstance(item, BlockPiece)]


def texts_of(path: Path) -> list[str]:
    return [piece.text for piece in pieces_of(path)]


def prose(chance: random.Random, words: int) -> str:
    """Sentences of words that nobody knows, between two and ten letters long."""
    said: list[str] = []
    while len(said) < words:
        sentence = ["".join(chance.choices(SYLLABLES, k=chance.randint(1, 4))) for _ in range(chance.randint(6, 14))]
        said += [sentence[0].capitalize(), *sentence[1:-1], f"{sentence[-1]}."]
    return " ".join(said)


def test_the_file_is_opened_first_with_its_pages_and_its_title(tmp_path: Path) -> None:
    page = Page()
    page.text(72, 100, "Only a line.")
    path = write_pdf(tmp_path / "a.pdf", [page, Page()], title="Über alles")
    items = items_of(path)
    assert items[0] == Opened("page", 2, "Über alles")
    assert items[2:] == [PageRead(1), PageRead(2, has_text=False)]


def test_lines_are_one_paragraph_until_the_last_one_is_short(tmp_path: Path) -> None:
    chance = random.Random(1)
    first, second = prose(chance, 60), prose(chance, 50)
    page = Page()
    y = column(page, 72, 90, wrapped(first, 450))
    column(page, 72, y, wrapped(second, 450))
    assert texts_of(write_pdf(tmp_path / "a.pdf", [page])) == [first, second]


def test_paragraphs_are_told_by_their_indent(tmp_path: Path) -> None:
    page = Page()
    told = ["This is the first one, and its last line goes up to", "the very end of the column where all lines end."]
    more = ["The second has an indent, and it goes on in a line", "that is as long as the others of them are here"]
    column(page, 72, 100, told)
    page.text(86, 124, more[0])
    page.text(72, 136, more[1])
    assert texts_of(write_pdf(tmp_path / "a.pdf", [page])) == [" ".join(told), " ".join(more)]


@pytest.mark.parametrize("columns", [1, 2, 3])
@pytest.mark.parametrize("by_rows", [False, True])
def test_columns_are_read_one_after_the_other_whatever_the_order_in_the_file(
    tmp_path: Path, columns: int, by_rows: bool
) -> None:
    chance = random.Random(columns)
    gutter, wide = 18.0, 450.0
    each = (wide - gutter * (columns - 1)) / columns
    page = Page()
    page.text(72, 80, "A title over the full width of the page", 18, "F2")
    told = [prose(chance, 110) for _ in range(columns)]
    placed = [
        (72 + number * (each + gutter), 110 + 12 * row, line)
        for number, text in enumerate(told)
        for row, line in enumerate(wrapped(text, each))
    ]
    if by_rows:
        placed.sort(key=lambda place: (place[1], place[0]))
    for x, y, line in placed:
        page.text(x, y, line)
    texts = texts_of(write_pdf(tmp_path / "a.pdf", [page]))
    assert texts[0] == "A title over the full width of the page"
    assert " ".join(texts[1:]).split() == " ".join(told).split()


@pytest.mark.parametrize("turn", [90, 270])
def test_columns_of_a_turned_page_are_told_too(tmp_path: Path, turn: int) -> None:
    chance = random.Random(6)
    page = Page(rotate=turn)
    left, right = prose(chance, 90), prose(chance, 90)
    placed = [(60.0, 80 + 12.0 * n, line) for n, line in enumerate(wrapped(left, 210))]
    placed += [(300.0, 80 + 12.0 * n, line) for n, line in enumerate(wrapped(right, 210))]
    for x, y, line in sorted(placed, key=lambda place: (place[1], place[0])):
        # The place on the shown page, which is 842 points wide and 595 high, turned back to user space.
        matrix = f"0 1 -1 0 {y:.2f} {x:.2f}" if turn == 90 else f"0 -1 1 0 {595 - y:.2f} {842 - x:.2f}"
        page.stream.append(f"BT /F1 10 Tf {matrix} Tm ({line}) Tj ET")
    assert " ".join(texts_of(write_pdf(tmp_path / "a.pdf", [page]))).split() == f"{left} {right}".split()


def test_words_that_were_divided_are_whole_again_and_written_hyphens_stay(tmp_path: Path) -> None:
    page = Page()
    lines = [
        "This is a paragraph with an extraordi-",
        "nary word, one more that is a well-",
        "known case, and a state-of-the-",
        "art one, then post-",
        "War and the end of all that is said.",
    ]
    column(page, 72, 100, lines)
    (text,) = texts_of(write_pdf(tmp_path / "a.pdf", [page]))
    assert "extraordinary word" in text
    assert "well-known case" in text
    assert "state-of-the-art one" in text
    assert "post-War" in text


def test_a_hyphened_word_elsewhere_tells_how_it_is_written(tmp_path: Path) -> None:
    page = Page()
    column(page, 72, 100, ["The zorbo-nade is written thus, and here comes the same zorbo-", "nade once more."])
    (text,) = texts_of(write_pdf(tmp_path / "a.pdf", [page]))
    assert text.count("zorbo-nade") == 2


def test_a_paragraph_goes_on_in_the_next_column_and_on_the_next_page(tmp_path: Path) -> None:
    chance = random.Random(9)
    told = re.sub(r"\. ([A-Z])", lambda found: f" {found[1].lower()}", prose(chance, 500))
    lines = wrapped(told, 216)
    pages = [Page(), Page()]
    half = len(lines) // 3
    column(pages[0], 72, 100, lines[:half])
    column(pages[0], 306, 100, lines[half : 2 * half])
    column(pages[1], 72, 100, lines[2 * half :])
    (piece,) = pieces_of(write_pdf(tmp_path / "a.pdf", pages))
    assert piece.text == told
    assert [box.page for box in piece.place.boxes] == [1] * 2 * half + [2] * (len(lines) - 2 * half)
    assert piece.page == 1


def book(pages: int, chance: random.Random) -> tuple[list[Page], list[str]]:
    """Pages with a running header, a page number, and a heading that opens each third one."""
    made, headings = [], []
    for number in range(1, pages + 1):
        page = Page()
        page.text(72, 40, "The Annual Report of Nobody", 9)
        page.text(480, 40, f"Part {number // 4 + 1}", 9)
        page.text(290, 810, str(number), 9)
        y = 80.0
        if number % 3 == 1:
            headings.append(f"Chapter {number // 3 + 1}")
            page.text(72, y, headings[-1], 18, "F2")
            y += 40
        column(page, 72, y, wrapped(prose(chance, 200), 450))
        made.append(page)
    return made, headings


def test_running_headers_and_page_numbers_are_left_out_and_headings_stay(tmp_path: Path) -> None:
    pages, headings = book(9, random.Random(3))
    pieces = pieces_of(write_pdf(tmp_path / "a.pdf", pages))
    text = "\n".join(piece.text for piece in pieces)
    assert "Annual Report" not in text
    assert not re.search(r"\d", re.sub(r"Chapter \d", "", text))
    assert [piece.text for piece in pieces if piece.kind is BlockKind.HEADING] == headings


def test_a_line_that_stands_on_one_page_only_is_no_running_header(tmp_path: Path) -> None:
    pages = [Page() for _ in range(6)]
    for number, page in enumerate(pages):
        page.text(72, 40, ["Notice", "Thanks", "Errata", "Colophon", "Dedication", "Preface"][number], 10)
        column(page, 72, 100, ["Some words here."])
    texts = texts_of(write_pdf(tmp_path / "a.pdf", pages))
    assert {"Notice", "Thanks", "Errata", "Colophon", "Dedication", "Preface"} <= set(texts)


def test_headings_have_the_levels_of_the_outline(tmp_path: Path) -> None:
    chance = random.Random(4)
    page = Page()
    marks, y = [], 80.0
    for level, title in ((1, "Opening"), (2, "Looking around"), (3, "A closer look"), (2, "Going home")):
        marks.append(Bookmark(title, 1, y - 12, level))
        page.text(72, y, f"{len(marks)} {title}", 11, "F2")
        y = column(page, 72, y + 16, wrapped(prose(chance, 30), 450)) + 16
    pieces = pieces_of(write_pdf(tmp_path / "a.pdf", [page], bookmarks=marks))
    headings = [(piece.level, piece.text) for piece in pieces if piece.kind is BlockKind.HEADING]
    assert headings == [(1, "1 Opening"), (2, "2 Looking around"), (3, "3 A closer look"), (2, "4 Going home")]


def test_without_an_outline_size_weight_and_numbers_tell_the_headings(tmp_path: Path) -> None:
    chance = random.Random(4)
    page = Page()
    y = 80.0
    for title, size in (
        ("The whole thing", 20.0),
        ("1 First part", 14.0),
        ("1.1 Its beginning", 12.0),
        ("Aside", 10.0),
    ):
        page.text(72, y, title, size, "F2")
        y = column(page, 72, y + 20, wrapped(prose(chance, 60), 450)) + 20
    pieces = pieces_of(write_pdf(tmp_path / "a.pdf", [page]))
    headings = [(piece.level, piece.text) for piece in pieces if piece.kind is BlockKind.HEADING]
    assert headings == [(1, "The whole thing"), (1, "1 First part"), (2, "1.1 Its beginning"), (4, "Aside")]


def test_list_items_have_their_marks_as_labels_and_their_depth(tmp_path: Path) -> None:
    page = Page()
    column(page, 72, 100, ["Before the list there are some words:"])
    page.text(80, 116, "•")
    page.text(92, 116, "One thing that goes on and on")
    page.text(92, 128, "in a second line of it")
    page.text(100, 142, "– deeper thing")
    page.text(80, 156, "•")
    page.text(92, 156, "Other thing")
    page.text(80, 172, "3. Third by number")
    page.text(80, 186, "b) and by letter")
    pieces = [piece for piece in pieces_of(write_pdf(tmp_path / "a.pdf", [page])) if piece.kind is BlockKind.LIST_ITEM]
    assert [(piece.label, piece.level, piece.text) for piece in pieces] == [
        ("•", 1, "One thing that goes on and on in a second line of it"),
        ("–", 2, "deeper thing"),
        ("•", 1, "Other thing"),
        ("3.", 1, "Third by number"),
        ("b)", 1, "and by letter"),
    ]


def test_code_keeps_its_lines_and_its_indents(tmp_path: Path) -> None:
    chance = random.Random(8)
    page = Page()
    y = column(page, 72, 100, wrapped(prose(chance, 60), 450))
    for indent, line in ((0, "def twice(number):"), (4, "if number:"), (8, "return 2 * number"), (4, "return 0")):
        y += 12
        page.text(90 + indent * 6, y, line, 10, "F3")
    column(page, 72, y + 24, wrapped(prose(chance, 60), 450))
    code = [piece.text for piece in pieces_of(write_pdf(tmp_path / "a.pdf", [page])) if piece.kind is BlockKind.CODE]
    assert code == ["def twice(number):\n    if number:\n        return 2 * number\n    return 0"]


def test_a_table_keeps_its_cells_and_each_row_its_box(tmp_path: Path) -> None:
    chance = random.Random(8)
    page = Page()
    y = column(page, 72, 100, wrapped(prose(chance, 60), 450)) + 12
    rows = [
        ["Town", "People", "Year"],
        ["Oldenburg", "174629", "2023"],
        ["Emden", "50535", "2022"],
        ["Leer", "35", "1999"],
    ]
    for row in rows:
        for x, cell in zip((80, 220, 320), row, strict=True):
            page.text(x, y, cell)
        y += 14
    column(page, 72, y + 12, wrapped(prose(chance, 60), 450))
    pieces = pieces_of(write_pdf(tmp_path / "a.pdf", [page]))
    (table,) = [piece for piece in pieces if piece.kind is BlockKind.TABLE]
    assert list(rows_of(table)) == rows
    assert [table.text[box.start : box.end].split("\t") for box in table.place.boxes] == rows
    assert len(pieces) == 3


def test_captions_and_footnotes_are_what_they_are(tmp_path: Path) -> None:
    chance = random.Random(8)
    page = Page()
    y = column(page, 72, 100, wrapped(prose(chance, 160), 450))
    page.text(72, y + 20, "Figure 3: how it all hangs together", 9)
    y = column(page, 72, y + 50, wrapped(prose(chance, 100), 450))
    page.text(72, 700, "1 A note at the foot of the page, in small letters.", 8)
    pieces = pieces_of(write_pdf(tmp_path / "a.pdf", [page]))
    assert [piece.text for piece in pieces if piece.kind is BlockKind.CAPTION] == [
        "Figure 3: how it all hangs together"
    ]
    assert [piece.text for piece in pieces if piece.kind is BlockKind.NOTE] == [
        "1 A note at the foot of the page, in small letters."
    ]


def test_only_the_chosen_pages_are_read(tmp_path: Path) -> None:
    pages = [Page() for _ in range(12)]
    for number, page in enumerate(pages):
        page.text(72, 200, f"Words of page {'abcdefghijkl'[number]}.")
    path = write_pdf(tmp_path / "a.pdf", pages)
    items = items_of(path, first_page=4, last_page=6)
    assert [item.page for item in items if isinstance(item, PageRead)] == [4, 5, 6]
    assert [item.text for item in items if isinstance(item, BlockPiece)] == [f"Words of page {x}." for x in "def"]


KINDS = ["columns", "columns", "heading", "list", "table", "ruled", "text"]


@dataclass
class Planted:
    """A document made at random, with marker words in the order they are to be read."""

    pages: list[Page] = field(default_factory=list)
    words: list[str] = field(default_factory=list)


def markers(chance: random.Random) -> Callable[[], str]:
    """Words that each stand once in a document: letters only, so that they may be divided at a line's end."""
    used: set[str] = set()

    def marker() -> str:
        while True:
            word = "q" + "".join(chance.choice("bcdfghjklmnprstvwxz") for _ in range(chance.randint(4, 12))) + "q"
            if word not in used:
                used.add(word)
                return word

    return marker


def planted(seed: int) -> Planted:  # noqa: PLR0912 (a branch for each kind)
    """Pages of headings, columns, lists and tables, some with headers, some drawn row by row."""
    chance = random.Random(seed)
    marker = markers(chance)
    made = Planted()
    has_header, by_rows = chance.random() < 0.6, chance.random() < 0.4
    size = chance.choice([9.0, 10.0, 11.0])

    def paragraph(words: int) -> str:
        said = [marker() for _ in range(words)]
        made.words += said
        return " ".join([said[0].capitalize(), *said[1:]]) + "."

    for number in range(1, chance.randint(2, 6)):
        page = Page()
        placed: list[tuple[float, float, str, float, str]] = []
        y, kind = 90.0, ""
        while y < 540:
            # Two groups of columns with nothing between them are one: nobody could tell.
            kind = chance.choice([each for each in KINDS if each != kind or each != "columns"])
            if kind == "heading":
                placed.append((72, y + 10, paragraph(2).rstrip("."), size * 1.5, "F2"))
                y += 34
            elif kind == "list":
                for _ in range(chance.randint(2, 4)):
                    placed.append((80, y, "•", size, "F1"))
                    placed.append((92, y, paragraph(3), size, "F1"))
                    y += 1.3 * size
            elif kind == "table":
                for _ in range(chance.randint(3, 5)):
                    placed += [(x, y, paragraph(1), size, "F1") for x in (80, 220, 360)]
                    y += 1.4 * size
            elif kind == "ruled":
                rows = [[paragraph(chance.randint(1, 6)) for _ in range(3)] for _ in range(chance.randint(2, 3))]
                style = chance.choice(["lines", "boxes", "thin", "path"])
                y = ruled(page, 72, y, rows, [130.0, 160.0, 140.0], style=style, by_rows=by_rows, size=size) + size
            else:
                count = chance.choice([2, 2, 3]) if kind == "columns" else 1
                gutter = 2.0 * size
                wide = (450 - gutter * (count - 1)) / count
                low = y
                for at in range(count):
                    text = " ".join(paragraph(chance.randint(8, 20)) for _ in range(2))
                    lines = wrapped(text, wide, size, hyphens=True)
                    placed += [
                        (72 + at * (wide + gutter), y + row * 1.2 * size, line, size, "F1")
                        for row, line in enumerate(lines)
                    ]
                    low = max(low, y + len(lines) * 1.2 * size)
                y = low
            y += 2.2 * size
        if by_rows:
            placed.sort(key=lambda place: (place[1], place[0]))
        for place in placed:
            page.text(*place)
        if has_header:
            page.text(72, 36, "Running title of it all", 8)
            page.text(290, 815, str(number), 8)
        made.pages.append(page)
    return made


@given(st.integers(0, 100_000))
def test_every_word_is_read_exactly_once_whatever_the_layout(
    tmp_path_factory: pytest.TempPathFactory, seed: int
) -> None:
    made = planted(seed)
    path = write_pdf(tmp_path_factory.mktemp("pdf") / "a.pdf", made.pages)
    found = re.findall(r"q[a-z]+q", " ".join(texts_of(path)).lower())
    assert sorted(found) == sorted(made.words)


@given(st.integers(0, 100_000))
def test_words_are_read_in_their_order_whatever_the_layout(tmp_path_factory: pytest.TempPathFactory, seed: int) -> None:
    made = planted(seed)
    path = write_pdf(tmp_path_factory.mktemp("pdf") / "a.pdf", made.pages)
    assert re.findall(r"q[a-z]+q", " ".join(texts_of(path)).lower()) == made.words


def test_columns_with_display_formulas_between_their_lines_are_not_mixed(tmp_path: Path) -> None:
    chance = random.Random(12)
    page = Page()
    told = [prose(chance, count) for count in (60, 60, 160)]
    y = column(page, 72, 100, wrapped(told[0], 216))
    for x, base, text in ((90, 8, "VAR"), (126, 8, "="), (150, 8, "X VAR(x)"), (150, -4, "n"), (205, -2, "S")):
        page.text(x, y + base + 8, text)
    # It stands a little into the space between the columns.
    page.text(226, y + 16, "+ 2 X COV(x, y) .")
    page.text(150, y + 26, "i=1", 6)
    page.text(276, y + 36, "(9)")
    column(page, 72, y + 50, wrapped(told[1], 216))
    column(page, 306, 106, wrapped(told[2], 216))
    texts = " ".join(texts_of(write_pdf(tmp_path / "a.pdf", [page])))
    assert [texts.index(text[:40]) for text in told] == sorted(texts.index(text[:40]) for text in told)
    assert all(text in texts for text in told)


def test_letters_of_no_size_at_all_are_read(tmp_path: Path) -> None:
    page = Page()
    for number in range(9):
        page.text(72, 100 + 14 * number, f"Number {number} of letters that are scaled to nothing", 0.01)
    page.text(72, 300, "A title", 0.05)
    assert "A title" in " ".join(texts_of(write_pdf(tmp_path / "a.pdf", [page])))


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
    (piece,) = [item for item in items if isinstance(item, BlockPiece)]
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
    headings = [piece.text for piece in pieces if piece.kind is BlockKind.HEADING]
    assert headings == [f"{number}.1 {title}" for number, title in enumerate(titles, 1)]
