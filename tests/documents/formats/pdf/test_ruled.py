"""Ruled tables of PDF files: cells with wrapped text, rules across only, and drawings that are no tables."""

from __future__ import annotations

import random
import re
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.documents.blocks import BlockKind, BlockPiece, rows_of
from tests.documents.formats.pdf.test_pdf import markers, pieces_of, prose, texts_of
from tests.helpers.pdf_files import Page, column, ruled, width, wrapped, write_pdf

ROWS = [
    ["Name", "What it is for", "Since"],
    ["stable", "The release that most people run, and the one that gets security fixes first", "1996"],
    ["testing", "What will be the next release, frozen some months before it comes out", "2000"],
    ["unstable", "Where developers work, and where every new package goes first of all", "1997"],
]
WIDTHS = [70.0, 190.0, 60.0]


def tables_of(pieces: list[BlockPiece]) -> list[list[list[str]]]:
    return [list(rows_of(piece)) for piece in pieces if piece.kind is BlockKind.TABLE]


@pytest.mark.parametrize("style", ["lines", "boxes", "thin", "path"])
@pytest.mark.parametrize("by_rows", [False, True])
def test_a_ruled_table_with_wrapped_cells_keeps_its_cells(tmp_path: Path, style: str, by_rows: bool) -> None:
    chance = random.Random(3)
    page = Page()
    before, after = prose(chance, 50), prose(chance, 50)
    y = column(page, 72, 100, wrapped(before, 450)) + 10
    y = ruled(page, 72, y, ROWS, WIDTHS, style=style, by_rows=by_rows)
    column(page, 72, y + 24, wrapped(after, 450))
    pieces = pieces_of(write_pdf(tmp_path / "a.pdf", [page]))
    assert tables_of(pieces) == [ROWS]
    assert [piece.text for piece in pieces if piece.kind is not BlockKind.TABLE] == [before, after]
    (table,) = [piece for piece in pieces if piece.kind is BlockKind.TABLE]
    assert [table.text[box.start : box.end].split("\t") for box in table.place.boxes] == ROWS
    assert all(one.bottom <= other.top + 1 for one, other in pairwise(table.place.boxes))


def test_a_cell_close_to_the_next_one_is_cut_at_the_rule(tmp_path: Path) -> None:
    page = Page()
    rows = [["alpha beta", "gamma delta"], ["alpha betas", "gamma delta"], ["alpha bet", "epsilon"]]
    for number, row in enumerate(rows):
        page.text(72, 112 + 18 * number, row[0])
        page.text(126, 112 + 18 * number, row[1])
    for y in (100, 117, 135, 154):
        page.rule(68, y, 190, y)
    for x in (68, 124.5, 190):
        page.rule(x, 100, x, 154)
    assert tables_of(pieces_of(write_pdf(tmp_path / "a.pdf", [page]))) == [rows]


def test_a_cell_over_two_columns_is_in_the_first_of_them(tmp_path: Path) -> None:
    page = Page()
    for y in (100, 120, 140, 160):
        page.rule(70, y, 330, y)
    for x, top in ((70, 100), (150, 120), (240, 100), (330, 100)):
        page.rule(x, top, x, 160)
    page.text(110, 113, "Both of the first two")
    page.text(250, 113, "Third")
    for row, y in ((1, 133), (2, 153)):
        for at, x in enumerate((75, 155, 245)):
            page.text(x, y, f"{'abc'[at]}{row}")
    expected = [["Both of the first two", "", "Third"], ["a1", "b1", "c1"], ["a2", "b2", "c2"]]
    assert tables_of(pieces_of(write_pdf(tmp_path / "a.pdf", [page]))) == [expected]


def test_rows_that_no_line_divides_are_rows(tmp_path: Path) -> None:
    page = Page()
    rows = [["Town", "People", "Year"], *([f"Town{n}", str(3000 * n), str(1990 + n)] for n in range(4))]
    for number, row in enumerate(rows):
        for x, cell in zip((75, 155, 245), row, strict=True):
            page.text(x, 112 + 14 * number, cell)
    for y in (100, 115, 174):
        page.rule(70, y, 330, y)
    for x in (70, 150, 240, 330):
        page.rule(x, 100, x, 174)
    assert tables_of(pieces_of(write_pdf(tmp_path / "a.pdf", [page]))) == [rows]


@pytest.mark.parametrize("ends", [False, True])
def test_a_table_with_rules_across_only_is_a_table(tmp_path: Path, ends: bool) -> None:
    chance = random.Random(4)
    page = Page()
    y = column(page, 72, 100, wrapped(prose(chance, 50), 450)) + 20
    rows = [
        ["Method", "What it does to the text that it is given", "Score"],
        ["plain", "reads it from the beginning to the end", "0.71"],
        ["ours", "reads it twice", "0.93"],
    ]
    page.rule(72, y - 12, 400, y - 12)
    for number, row in enumerate(rows):
        for x, cell in zip((75, 130, 350), row, strict=True):
            page.text(x, y, cell)
        if number == 0:
            page.rule(72, y + 4, 400, y + 4)
        y += 16
    page.rule(72, y - 8, 400, y - 8)
    column(page, 72, y + 20, wrapped(prose(chance, 50), 450))
    if ends:
        page.rule(72, 780, 400, 780)
    pieces = pieces_of(write_pdf(tmp_path / "a.pdf", [page]))
    assert tables_of(pieces) == [rows]
    assert [piece.kind for piece in pieces] == [BlockKind.PARAGRAPH, BlockKind.TABLE, BlockKind.PARAGRAPH]


def test_a_table_in_a_column_is_read_in_its_column(tmp_path: Path) -> None:
    chance = random.Random(5)
    page = Page()
    parts = [prose(chance, 60), prose(chance, 60), prose(chance, 190)]
    y = column(page, 72, 100, wrapped(parts[0], 210)) + 8
    rows = [["Key", "Value of the key, which is long"], ["first", "nobody knows what it may be"], ["other", "unknown"]]
    y = ruled(page, 72, y, rows, [60.0, 150.0])
    column(page, 72, y + 20, wrapped(parts[1], 210))
    column(page, 306, 100, wrapped(parts[2], 210))
    pieces = pieces_of(write_pdf(tmp_path / "a.pdf", [page]))
    assert tables_of(pieces) == [rows]
    assert [piece.text for piece in pieces if piece.kind is not BlockKind.TABLE] == parts


def frame(page: Page, left: float, top: float, right: float, bottom: float) -> None:
    for y in (top, bottom):
        page.rule(left, y, right, y)
    for x in (left, right):
        page.rule(x, top, x, bottom)


def test_frames_boxes_and_underlines_are_no_tables(tmp_path: Path) -> None:
    chance = random.Random(6)
    told = [prose(chance, 80) for _ in range(3)]
    page = Page()
    frame(page, 40, 40, 555, 800)
    page.rule(40, 60, 555, 60)
    y = column(page, 72, 100, wrapped(told[0], 450))
    top = y
    y = column(page, 72, y + 24, wrapped(told[1], 450))
    frame(page, 66, top + 6, 530, y)
    lines = wrapped(told[2], 450)
    for line in lines:
        y += 14
        page.text(72, y + 24, line)
        page.rule(72, y + 26, 522, y + 26)
    assert [(piece.kind, piece.text) for piece in pieces_of(write_pdf(tmp_path / "a.pdf", [page]))] == [
        (BlockKind.PARAGRAPH, text) for text in told
    ]


def test_a_page_of_two_columns_with_rules_between_them_is_no_table(tmp_path: Path) -> None:
    chance = random.Random(7)
    page = Page()
    told = [prose(chance, 300), prose(chance, 300)]
    page.text(72, 64, "What the day brought")
    column(page, 72, 100, wrapped(told[0], 210))
    column(page, 306, 100, wrapped(told[1], 210))
    frame(page, 60, 50, 530, 700)
    page.rule(60, 80, 530, 80)
    page.rule(294, 80, 294, 700)
    pieces = pieces_of(write_pdf(tmp_path / "a.pdf", [page]))
    assert [piece.text for piece in pieces][1:] == told
    assert not tables_of(pieces)


def test_a_diagram_of_boxes_and_lines_is_no_table(tmp_path: Path) -> None:
    page = Page()
    for x, y, text in ((80, 100, "Reader"), (240, 160, "Writer"), (400, 220, "Store"), (80, 280, "Wire")):
        frame(page, x, y, x + 90, y + 30)
        page.text(x + 10, y + 18, text)
    page.rule(170, 115, 285, 115)
    page.rule(285, 115, 285, 160)
    page.rule(330, 175, 445, 175)
    page.rule(445, 175, 445, 220)
    page.rule(125, 130, 125, 280)
    pieces = pieces_of(write_pdf(tmp_path / "a.pdf", [page]))
    assert not tables_of(pieces)
    assert sorted(" ".join(piece.text for piece in pieces).split()) == ["Reader", "Store", "Wire", "Writer"]


@given(st.integers(0, 100_000))
def test_every_word_of_a_ruled_table_is_read_once_in_its_cell(
    tmp_path_factory: pytest.TempPathFactory, seed: int
) -> None:
    chance = random.Random(seed)
    marker = markers(chance)
    page = Page()
    columns = chance.randint(2, 4)
    # Two full cells are the least.
    rows = [
        [" ".join(marker() for _ in range(chance.randint(1, 9))) for _ in range(columns)]
        for _ in range(chance.randint(2, 5))
    ]
    wide = [chance.uniform(85, 120) for _ in range(columns)]
    style = chance.choice(["lines", "boxes", "thin", "path"])
    y = column(page, 72, 90, [" ".join(marker() for _ in range(4))]) + 20
    size = chance.choice([8.0, 10.0])
    padding = chance.uniform(2.5, 8)
    ruled(page, 72, y, rows, wide, style=style, by_rows=chance.random() < 0.5, size=size, padding=padding)
    path = write_pdf(tmp_path_factory.mktemp("pdf") / "a.pdf", [page])
    pieces = pieces_of(path)
    assert tables_of(pieces) == [rows]
    said = re.findall(r"q[a-z]+q", " ".join(piece.text for piece in pieces))
    assert len(said) == len(set(said)) == 4 + sum(len(cell.split()) for row in rows for cell in row)


def census(page: Page, has_sides: bool, has_groups: bool) -> tuple[list[list[str]], float]:
    """A table as offices of statistics print them: rules around its head and down between its columns, but none
    between its rows; dots lead from a label to its figures, and long labels go on in the row below.
    """
    labels = ["Total", "Violent crime", "Offenses against the family and", "Robbery", "Vagrancy", "Runaways", "Arson"]
    tops, left, right = (100.0, 118.0, 232.0), 72.0, 72.0 + 160 + 3 * 90
    edges = [left + 160 + 90 * number for number in range(3)]
    heads = ["Male", "Female", "All"]
    page.text(left + 4, 113, "Offense charged", 8)
    for edge, head in zip(edges, heads, strict=True):
        page.text(edge + 30, 113, head, 8)
    rows = [["Offense charged", *(part for head in heads for part in ([head, ""] if has_groups else [head]))]]
    y = 130.0
    for number, label in enumerate(labels):
        page.text(left + 4, y, label, 8)
        more = "children" if label.endswith("and") else ""
        if more:
            y += 12
            page.text(left + 12, y, more, 8)
        start = left + 16 + width(more or label, 8)
        page.text(start, y, " ." * int((left + 150 - start) / width(" .", 8)), 8)
        figures = [f"{(number + 3) * 417 * (at + 1) % 90_000:,}" for at in range(6 if has_groups else 3)]
        for at, figure in enumerate(figures):
            end = edges[at // 2] + 40 + 42 * (at % 2) if has_groups else edges[at] + 80
            page.text(end - width(figure, 8), y, figure, 8)
        rows.append([f"{label} {more}".strip(), *figures])
        y += 12
    for top in tops:
        page.rule(left, top, right, top)
    for edge in [left, *edges, right] if has_sides else edges:
        page.rule(edge, tops[0], edge, tops[-1])
    return rows, tops[-1]


@pytest.mark.parametrize("has_sides", [True, False])
@pytest.mark.parametrize("has_groups", [True, False])
def test_rows_of_figures_without_rules_between_them_are_rows(tmp_path: Path, has_sides: bool, has_groups: bool) -> None:
    page = Page()
    column(page, 72, 60, wrapped(prose(random.Random(1), 30), 430))
    rows, bottom = census(page, has_sides, has_groups)
    column(page, 72, bottom + 30, wrapped(prose(random.Random(2), 60), 430))
    pieces = pieces_of(write_pdf(tmp_path / "a.pdf", [page]))
    (table,) = [piece for piece in pieces if piece.kind is BlockKind.TABLE]
    assert list(rows_of(table)) == rows


def test_cells_that_are_wrapped_between_rules_stay_whole(tmp_path: Path) -> None:
    page = Page()
    rows = [["What", "Why"], [prose(random.Random(3), 24), prose(random.Random(4), 30)], ["12 of 30", "1999 to 2004"]]
    ruled(page, 72, 100, rows, [200.0, 200.0])
    (table,) = [piece for piece in pieces_of(write_pdf(tmp_path / "a.pdf", [page])) if piece.kind is BlockKind.TABLE]
    assert list(rows_of(table)) == rows


COUNTS = (1, 2, 3, 1)
LEFTS = (40.0, 230.0, 420.0)
MORE = ("", " in it", " beside the other ones")


@pytest.mark.parametrize("by_rows", [False, True])
@pytest.mark.parametrize("seed", range(5))
def test_columns_of_names_with_their_places_are_read_one_after_the_other(
    tmp_path: Path, by_rows: bool, seed: int
) -> None:
    chance = random.Random(seed)
    placed: list[tuple[float, float, str, str]] = []
    expected: list[str] = []
    for number, left in enumerate(LEFTS):
        y = 120.0
        for entry in range(10):
            lines = [f"Name{number}x{entry}, MD"]
            lines += [f"Place{number}x{entry}x{line}{chance.choice(MORE)}" for line in range(chance.choice(COUNTS))]
            for line, text in enumerate(lines):
                placed.append((left, y, text, "F1" if line else "F2"))
                y += 12
            expected += " ".join(lines).split()
            y += 6
    page = Page()
    page.text(40, 60, "All of them together, as they are", 18, "F2")
    page.text(430, 60, "Index of names", 10)
    for x, y, text, font in sorted(placed, key=lambda each: (each[1], each[0])) if by_rows else placed:
        page.text(x, y, text, 10, font)
    words = " ".join(texts_of(write_pdf(tmp_path / "a.pdf", [page]))).split()
    assert [word for word in words if "x" in word and word[-1] != "x" and any(map(str.isdigit, word))] == [
        word for word in expected if "x" in word
    ]


@pytest.mark.parametrize("seed", range(4))
def test_rows_of_wrapped_cells_are_not_torn_apart(tmp_path: Path, seed: int) -> None:
    """Each row begins at one height in all columns, whatever number of lines its cells have."""
    chance = random.Random(seed)
    page = Page()
    y = 120.0
    for row in range(8):
        counts = [chance.randint(1, 3) for _ in LEFTS]
        for number, (left, count) in enumerate(zip(LEFTS, counts, strict=True)):
            for line in range(count):
                page.text(left, y + 12 * line, f"r{row}c{number}l{line}{chance.choice(MORE)}")
        y += 12 * max(counts) + 8
    text = " ".join(texts_of(write_pdf(tmp_path / "a.pdf", [page])))
    places = [[text.index(f"r{row}c{number}l0") for number in range(3)] for row in range(8)]
    assert all(max(before) < min(after) for before, after in pairwise(places))
