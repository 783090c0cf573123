"""What the letters of a PDF say: bold by their fonts' names or against the rest, accents, blanks, hyphens, code."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from app.documents.blocks import BlockKind, BlockPiece
from app.documents.formats.pdf.pdf import read
from app.documents.source import FileSource
from tests.documents.formats.pdf.test_pdf import prose
from tests.helpers.pdf_files import Page, column, width, wrapped, write_pdf


def pieces_of(path: Path) -> list[BlockPiece]:
    return [item for item in read(FileSource(path, recognize=False)) if isinstance(item, BlockPiece)]


def texts_of(tmp_path: Path, page: Page) -> list[str]:
    return [piece.text for piece in pieces_of(write_pdf(tmp_path / "a.pdf", [page]))]


@pytest.mark.parametrize(
    ("body", "other"),
    [
        (("CharterBT-Roman", 127), ("CharterBT-Italic", 119)),
        (("ABCDEF+SFRM1000", 151), ("ABCDEF+SFTI1000", 150)),
        (("Times-Romaine", 500), ("Times-Italique", 479)),
    ],
)
def test_a_font_with_wide_stems_is_not_bold_where_all_of_the_text_has_them(
    tmp_path: Path, body: tuple[str, int], other: tuple[str, int]
) -> None:
    text = prose(random.Random(1), 120)
    lines = wrapped(text, 450)
    page = Page()
    for number, line in enumerate(lines):
        page.text(72, 100 + 12 * number, line, 10, "B2" if number % 3 == 2 else "B1")
    pieces = pieces_of(write_pdf(tmp_path / "a.pdf", [page], faces={"B1": body, "B2": other}))
    assert [(piece.kind, piece.text) for piece in pieces] == [(BlockKind.PARAGRAPH, text)]


@pytest.mark.parametrize(
    ("bold", "is_heading"),
    [
        (("ABCDEF+CMBX10", 100), True),
        (("NimbusRomNo9L-Medi", 90), True),
        (("LMRomanDemi10-Regular", 100), True),
        (("ABCDEF+F23", 150), True),
        (("ABCDEF+F23", 95), False),
        (("AcademicRoman", 600), False),
    ],
)
def test_bold_is_what_the_name_says_or_what_is_much_heavier_than_the_text(
    tmp_path: Path, bold: tuple[str, int], is_heading: bool
) -> None:
    page = Page()
    page.text(72, 90, "On rivers", 10, "B2")
    column(page, 72, 120, wrapped(prose(random.Random(2), 120), 450), font="B1")
    pieces = pieces_of(write_pdf(tmp_path / "a.pdf", [page], faces={"B1": ("F22", 85), "B2": bold}))
    assert (pieces[0].kind is BlockKind.HEADING) == is_heading
    assert pieces[0].text == "On rivers"


def test_a_line_with_several_bold_words_is_not_bold(tmp_path: Path) -> None:
    page = Page()
    column(page, 72, 100, ["Of all the rivers that are in this land, none is as long as the"])
    x = 72.0
    for number, word in enumerate(["Hunte", "which comes from", "Barnstorf", "and goes on to the", "Weser"]):
        font = "F1" if number % 2 else "F2"
        page.text(x, 112, word, 10, font)
        x += 1.08 * width(f"{word} ")
    column(page, 72, 124, ["before it ends."])
    assert len(texts_of(tmp_path, page)) == 1


def over(page: Page, before: str, accent: str, after: str) -> None:
    """A word in which `accent` is drawn for itself over the first letter of `after`."""
    page.text(72, 100, before)
    x = 72 + width(before)
    page.text(x + (width(after[0]) - 3.33) / 2, 98.2 if after[0].isupper() else 100, accent)
    page.text(x, 100, after)


@pytest.mark.parametrize(
    ("before", "accent", "after", "word"),
    [
        ("M", "¨", "alzel", "Mälzel"),
        ("caf", "´", "e", "café"),
        ("", "´", "Equilibre", "Équilibre"),
        ("Universit", "`", "a", "Università"),
        ("Mo", "¨", "qbius", "Moqbius¨"),
    ],
)
def test_an_accent_that_is_drawn_over_a_letter_is_one_with_it(
    tmp_path: Path, before: str, accent: str, after: str, word: str
) -> None:
    page = Page()
    over(page, before, accent, after)
    (text,) = texts_of(tmp_path, page)
    assert text.replace(" ", "") == word


def test_an_accent_that_was_drawn_at_the_end_of_its_line_comes_back_to_its_letter(tmp_path: Path) -> None:
    page = Page()
    page.text(72, 100, "Statistik in Munchen und anderswo")
    place = 72 + width("Statistik in M")
    page.text(place + (width("u") - 3.33) / 2, 100, "¨")
    page.text(72, 112, "an der Universit`at, `x` und ^y.")
    assert texts_of(tmp_path, page)[0].startswith("Statistik in München und anderswo")
    assert "Universit`at, `x` und ^y." in " ".join(texts_of(tmp_path, page))


@pytest.mark.parametrize(("gap", "text"), [(0.3, "Rat für alle"), (3.0, "Rat fü r alle")])
def test_a_blank_inside_a_word_is_told_by_the_width_of_the_gap(tmp_path: Path, gap: float, text: str) -> None:
    page = Page()
    page.text(72, 100, "Rat f")
    x = 72 + width("Rat f")
    # The letter's advance is far less than its width, which PDFium takes for a gap behind it.
    page.stream.append(f"BT /F1 10 Tf {x:.2f} 742 Td (\\374 ) Tj ET")
    page.text(x + width("u") + gap, 100, "r alle")
    assert texts_of(tmp_path, page) == [text]


@pytest.mark.parametrize(
    ("lines", "text"),
    [
        (["Es gibt dazu viele Vor-", "und Nachteile, die man kennt."], "viele Vor- und Nachteile"),
        (["Es gibt dazu viele Haupt-", "oder Nebensachen, die man kennt."], "viele Haupt- oder Nebensachen"),
        (["Es gibt dazu viele Ein-", "bzw. Ausgaben, die man kennt."], "viele Ein- bzw. Ausgaben"),
        (["Das Haus hat viele zwei-", "bis dreistufige Treppen, die man kennt."], "zwei- bis dreistufige"),
        (["Er isst am liebsten den Kür-", "bis aus dem Garten, den man kennt."], "den Kürbis aus"),
        (["Hier heeft het huis vele voor-", "en nadelen die men kent."], "vele voor- en nadelen"),
        (["Sie haben hier noch alle neu-", "en Dinge, die man kennt."], "alle neuen Dinge"),
        (["There are many pre-", "and postwar houses."], "many pre- and postwar"),
        (["There are many thous-", "and houses."], "many thousand houses"),
        (["Das ist eine Voraus-", "setzung, die man kennt."], "eine Voraussetzung"),
    ],
)
def test_a_hyphen_that_stands_for_the_end_of_a_later_word_is_kept(tmp_path: Path, lines: list[str], text: str) -> None:
    page = Page()
    column(page, 72, 100, lines)
    (found,) = texts_of(tmp_path, page)
    assert text in found


def test_lines_of_code_are_one_block_with_their_indents_and_gaps(tmp_path: Path) -> None:
    page = Page()
    y = column(page, 72, 100, wrapped(prose(random.Random(4), 60), 450))
    for row, (indent, line) in enumerate([(0, "if (x) {"), (4, "return y;"), (0, "}")]):
        page.text(90 + 6 * indent, y + 10 + 12 * row, line, font="F3")
    y += 70
    # What a program printed: columns that its letters make, no table.
    rows = [("", "mean", "sd"), ("first", "1.25", "0.50"), ("second", "11.50", "2.00"), ("third", "0.75", "0.25")]
    for row, cells in enumerate(rows):
        for at, cell in zip((8, 18, 26), cells, strict=True):
            left = at - len(cell) if at > 8 else 0
            if cell:
                page.text(90 + 6 * left, y + 12 * row, cell, font="F3")
    column(page, 72, y + 70, wrapped(prose(random.Random(5), 60), 450))
    codes = [piece.text for piece in pieces_of(write_pdf(tmp_path / "a.pdf", [page])) if piece.kind is BlockKind.CODE]
    assert "\n".join(codes).startswith("if (x) {\n    return y;\n}")
    table = (
        "              mean      sd\nfirst         1.25    0.50\nsecond       11.50    2.00\nthird         0.75    0.25"
    )
    assert codes[-1].endswith(table)


def test_a_word_of_code_in_the_middle_of_a_line_does_not_end_its_paragraph(tmp_path: Path) -> None:
    lines = wrapped(prose(random.Random(6), 60), 450)
    page = Page()
    for number, line in enumerate(lines):
        if number != 2:
            page.text(72, 100 + 12 * number, line)
            continue
        third = len(line) // 3
        x = 72.0
        for font, size, part in (("F1", 10, line[:third]), ("F1", 8.8, line[third:-third]), ("F1", 10, line[-third:])):
            page.text(x, 124, part, size, font)
            x += width(part, size)
    assert len(texts_of(tmp_path, page)) == 1


def test_what_a_term_means_goes_on_below_where_it_began(tmp_path: Path) -> None:
    page = Page()
    column(page, 72, 80, wrapped(prose(random.Random(7), 50), 450))
    y = 160.0
    told = []
    for term in ("--all", "--none"):
        meaning = prose(random.Random(len(term)), 40)
        told.append(f"{term} {meaning}")
        page.text(72, y, term)
        y = column(page, 150, y, wrapped(meaning, 372)) + 12
    texts = texts_of(tmp_path, page)
    assert texts[1:] == told
