"""What was written onto a PDF: filled fields, comments and stamps are read once, with their places."""

from __future__ import annotations

from pathlib import Path

from app.documents.blocks import BlockKind, BlockPiece
from app.documents.formats.pdf.pdf import read
from app.documents.source import FileSource, Item, PageRead
from tests.helpers.pdf_files import Page, write_pdf


def items_of(path: Path) -> list[Item]:
    return list(read(FileSource(path, recognize=False)))


def said_in(path: Path) -> list[tuple[BlockKind, str, str]]:
    return [(item.kind, item.label, item.text) for item in items_of(path) if isinstance(item, BlockPiece)]


def test_the_values_of_a_form_come_after_the_pages_text_with_their_names_and_places(tmp_path: Path) -> None:
    page = Page()
    page.text(72, 100, "First name:")
    page.annotate((140, 90, 240, 104), "/Subtype/Widget/FT/Tx/T(First)/V(Alice)")
    page.annotate((140, 120, 240, 134), "/Subtype/Widget/FT/Ch/T(Land)/V<FEFF00D6007300740065007200720065006900630068>")
    page.annotate((140, 150, 240, 164), "/Subtype/Widget/FT/Tx/T(Empty)/V()")
    page.annotate((140, 180, 150, 190), "/Subtype/Widget/FT/Btn/T(Agreed)/V/Yes/AS/Yes")
    page.annotate((140, 210, 150, 220), "/Subtype/Widget/FT/Btn/T(Refused)/V/Off/AS/Off")
    items = items_of(write_pdf(tmp_path / "a.pdf", [page]))
    pieces = [item for item in items if isinstance(item, BlockPiece)]
    assert [(piece.kind, piece.label, piece.text) for piece in pieces] == [
        (BlockKind.PARAGRAPH, "", "First name:"),
        (BlockKind.PARAGRAPH, "First", "Alice"),
        (BlockKind.PARAGRAPH, "Land", "Österreich"),
        (BlockKind.PARAGRAPH, "Agreed", "Agreed"),
    ]
    (box,) = pieces[1].place.boxes
    assert box == (1, 140, 90, 240, 104, 0, 5)
    assert items[-1] == PageRead(1)


def test_a_form_with_nothing_else_on_its_page_has_text(tmp_path: Path) -> None:
    page = Page()
    page.annotate((140, 90, 240, 104), "/Subtype/Widget/FT/Tx/T(First)/V(Alice)")
    items = items_of(write_pdf(tmp_path / "a.pdf", [page]))
    assert [item.text for item in items if isinstance(item, BlockPiece)] == ["Alice"]
    assert items[-1] == PageRead(1)


def test_a_value_that_the_pages_text_has_already_is_not_read_again(tmp_path: Path) -> None:
    page = Page()
    page.text(72, 100, "First name:")
    page.text(142, 100, "Alice")
    page.annotate((140, 90, 240, 104), "/Subtype/Widget/FT/Tx/T(First)/V(Alice)")
    assert " ".join(text for _, _, text in said_in(write_pdf(tmp_path / "a.pdf", [page]))).count("Alice") == 1


def test_a_field_that_is_shown_on_two_pages_is_read_once(tmp_path: Path) -> None:
    first, second = Page(), Page()
    first.text(72, 80, "One page.")
    second.text(72, 80, "Another page.")
    path = tmp_path / "a.pdf"
    # The numbers of objects: two pages with their contents from 9 on, then the annotations.
    first.annotate((0, 0, 0, 0), "/FT/Tx/T(Name)/V(Alice)/Kids[15 0 R 17 0 R]")
    first.annotate((140, 90, 240, 104), "/Subtype/Widget/Parent 13 0 R")
    second.annotate((140, 90, 240, 104), "/Subtype/Widget/Parent 13 0 R")
    said = said_in(write_pdf(path, [first, second]))
    assert [each for each in said if each[2] == "Alice"] == [(BlockKind.PARAGRAPH, "Name", "Alice")]


def test_comments_are_notes_and_neither_links_nor_popups_nor_hidden_ones_are_read(tmp_path: Path) -> None:
    page = Page()
    page.text(72, 100, "All of this is said on the page.")
    page.annotate((72, 90, 240, 104), "/Subtype/Text/Contents(A sticky note)")
    page.annotate((72, 90, 240, 104), "/Subtype/Popup/Contents(A sticky note)")
    page.annotate((72, 90, 240, 104), "/Subtype/Link/Contents(Where it leads)")
    page.annotate((72, 190, 240, 204), "/Subtype/FreeText/Contents(Words beside it)", drawn="Words beside it")
    page.annotate((72, 90, 240, 104), "/Subtype/Highlight/Contents(page)")
    page.annotate((72, 90, 240, 104), "/Subtype/Highlight/Contents(All of this is said on the page.)")
    page.annotations.append(("/Type/Annot/F 2/Rect[0 0 9 9]/Subtype/Text/Contents(Unseen)", ""))
    assert said_in(write_pdf(tmp_path / "a.pdf", [page])) == [
        (BlockKind.PARAGRAPH, "", "All of this is said on the page."),
        (BlockKind.NOTE, "comment", "A sticky note"),
        (BlockKind.NOTE, "comment", "Words beside it"),
        (BlockKind.NOTE, "comment", "page"),
    ]


def test_the_words_that_a_stamp_only_shows_are_read(tmp_path: Path) -> None:
    page = Page()
    page.text(72, 100, "Under the stamp.")
    page.annotate((72, 300, 272, 320), "/Subtype/Stamp", drawn="Approved by nobody")
    assert said_in(write_pdf(tmp_path / "a.pdf", [page])) == [
        (BlockKind.PARAGRAPH, "", "Under the stamp."),
        (BlockKind.NOTE, "comment", "Approved by nobody"),
    ]


def test_annotations_of_every_kind_of_nonsense_do_no_harm(tmp_path: Path) -> None:
    page = Page()
    page.text(72, 100, "Only a line.")
    page.annotations += [
        ("/Type/Annot/Subtype/Widget/FT/Tx/V(Far)/Rect[1e30 -1e30 1e38 1e38]", ""),
        ("/Type/Annot/Subtype/Widget/Parent 1 0 R/Rect 7", ""),
        ("/Type/Annot/Subtype/Stamp/Rect[0 0 0 0]/AP 1 0 R", ""),
        ("/Subtype 7/Contents 1 0 R", ""),
    ]
    texts = [text for _, _, text in said_in(write_pdf(tmp_path / "a.pdf", [page]))]
    assert texts == ["Only a line.", "Far"]
