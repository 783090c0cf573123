"""Columns of short names below each other, and tables that look like them."""

from __future__ import annotations

import random
from itertools import pairwise
from pathlib import Path

import pytest

from tests.documents.formats.pdf.test_pdf import texts_of
from tests.helpers.pdf_files import Page, write_pdf

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
