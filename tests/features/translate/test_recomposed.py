"""New documents from blocks: segments and their places, and what stands in DOCX and HTML for each kind of block."""

from __future__ import annotations

import io
from pathlib import Path

from docx import Document
from lxml import etree, html

from app.core.catalogue import TextCatalogue, use_catalogue
from app.core.installed_languages import load_texts
from app.documents.blocks import Block, BlockKind
from app.documents.segments import Mark, SegmentKind
from app.features.translate.recomposed import as_html, recompose_blocks, segments_of
from app.features.translate.recomposed_docx import write_docx

BLOCKS = [
    Block(1, BlockKind.HEADING, "Kilns", 1, level=2),
    Block(2, BlockKind.PARAGRAPH, "One line\nand another", 1),
    Block(3, BlockKind.LIST_ITEM, "first", 1, level=1, label="1."),
    Block(4, BlockKind.LIST_ITEM, "deeper", 1, level=2, label="•"),
    Block(5, BlockKind.LIST_ITEM, "second", 2, level=1, label="2."),
    Block(6, BlockKind.TABLE, "a\t\tc\nd\te", 2),
    Block(7, BlockKind.CODE, "print('<1>')", 2),
    Block(8, BlockKind.NOTE, "A note.", 3, label="footnote"),
    Block(9, BlockKind.CAPTION, "A \u0001caption", 3),
    Block(10, BlockKind.PARAGRAPH, " ", 3),
]
OPTIONS = {"title": "Kilns & more", "language": "ar", "unit": "slide"}


def words() -> dict[int, tuple[str | Mark, ...]]:
    return {
        one.id: tuple(part if isinstance(part, Mark) else part.upper() for part in one.content)
        for one in segments_of(BLOCKS)
        if one.id != 2
    }


def page() -> html.HtmlElement:
    return html.fromstring("\n".join(as_html(recompose_blocks(BLOCKS, words()), is_rtl=True, **OPTIONS)))


def test_every_text_is_a_segment_but_code_and_nothing() -> None:
    found = list(segments_of(BLOCKS))
    texts = ["Kilns", "One lineand another", "first", "deeper", "second", *"acde", "A note.", "A \u0001caption"]
    assert [(one.id, one.text) for one in found] == list(enumerate(texts, 1))
    assert found[1].content == ("One line", Mark("single", 1, "break"), "and another")
    assert (found[0].kind, found[0].level, found[0].page) == (SegmentKind.HEADING, 2, 1)
    assert [one.kind for one in found[5:]] == [SegmentKind.CELL] * 4 + [SegmentKind.NOTE, SegmentKind.CAPTION]


def test_what_is_not_translated_stays_in_its_place() -> None:
    found = list(recompose_blocks(BLOCKS, words()))
    assert [one.text for one in found[:3]] == ["KILNS", "One line\nand another", "FIRST"]
    assert found[5].rows == (("A", "", "C"), ("D", "E"))
    assert [one.block for one in found] == BLOCKS


def test_a_web_page_has_headings_nested_lists_tables_and_anchors() -> None:
    root = page()
    assert (root.get("lang"), root.get("dir")) == ("ar", "rtl")
    assert [one.text for one in root.iter("title", "h2")] == ["Kilns & more", "KILNS"]
    assert [(one.get("id"), one.text) for one in root.find_class("page")] == [
        ("page-1", "slide 1"), ("page-2", "slide 2"), ("page-3", "slide 3"),
    ]  # fmt: skip
    assert [(one.tag, one.get("class"), (one.text or "").strip()) for one in root.iter("ul", "li")] == [
        ("ul", "own", ""), ("li", None, "1. FIRST"), ("ul", None, ""), ("li", None, "DEEPER"), ("ul", "own", ""),
        ("li", None, "2. SECOND"),
    ]  # fmt: skip
    assert [[cell.text for cell in row] for row in root.iter("tr")] == [["A", None, "C"], ["D", "E"]]
    assert [one.text for one in root.iter("code")] == ["print('<1>')"]
    assert root.xpath("//p[text()='One line']/br")


def test_a_pages_number_is_in_the_language_of_the_program_and_says_so() -> None:
    use_catalogue(load_texts("de"))
    try:
        marks = page().find_class("page")
    finally:
        use_catalogue(TextCatalogue())
    assert [(one.get("lang"), one.get("dir"), one.text) for one in marks[:1]] == [("de", "ltr", "Folie 1")]


def test_a_word_document_has_styles_tables_bookmarks_and_the_direction(tmp_path: Path) -> None:
    out = io.BytesIO()
    write_docx(recompose_blocks(BLOCKS, words()), out, is_rtl=True, **OPTIONS)
    document = Document(out)
    texts = {one.text: one.style.name for one in document.paragraphs}
    assert texts["KILNS"] == "Heading 2"
    assert (texts["1. FIRST"], texts["DEEPER"], texts["2. SECOND"]) == ("List", "List Bullet 2", "List")
    assert texts["One line\nand another"] == "Normal"
    assert texts["A CAPTION"] == "Caption", "XML has no place for U+0001"
    (table,) = document.tables
    assert [[cell.text for cell in row.cells] for row in table.rows] == [["A", "", "C"], ["D", "E", ""]]
    assert document.element.xpath("//w:bookmarkStart/@w:name") == ["page_1", "page_2", "page_3"]
    assert len(document.element.xpath("//w:tblPr/w:bidiVisual")) == 1
    rtl = {one.text for one in document.paragraphs if one._p.xpath("w:pPr/w:bidi")}
    assert "KILNS" in rtl
    assert "print('<1>')" not in rtl
    assert document.core_properties.title == "Kilns & more"
    assert etree.tostring(document.styles.element).count(b'w:bidi="ar"') == 1
