"""A translation as a new Word document: headings, lists, tables, and a bookmark where each page of the source began."""

from __future__ import annotations

from collections.abc import Iterable
from typing import IO

from docx.shared import Pt

from app.documents.blocks import BlockKind
from app.features.translate.recomposed import Recomposed, own_label, page_label
from app.features.work.docx_writer import DocxWriter

MOST_HEADING_LEVELS = 9
MOST_LIST_LEVELS = 3
"""Of Word's built-in styles."""


def write_docx(
    blocks: Iterable[Recomposed], out: IO[bytes], *, title: str, language: str, is_rtl: bool, unit: str
) -> None:
    """Write the document to a binary file; `unit` is what the source's pages are called."""
    writer = DocxWriter(title, language, is_rtl=is_rtl)
    page: int | None = None
    for recomposed in blocks:
        if recomposed.block.page is not None and recomposed.block.page != page:
            page = recomposed.block.page
            _mark_page(writer, page, unit)
        _write_block(writer, recomposed)
    writer.save(out)


def _write_block(writer: DocxWriter, recomposed: Recomposed) -> None:
    block, text = recomposed.block, recomposed.text
    match block.kind:
        case BlockKind.TABLE:
            _write_table(writer, recomposed.rows)
        case BlockKind.CODE:
            # Paragraphs of code are never mirrored.
            writer.add_text(text, is_rtl=False).font.name = "Courier New"
        case BlockKind.HEADING:
            writer.add_text(text, f"Heading {min(max(1, block.level), MOST_HEADING_LEVELS)}")
        case BlockKind.LIST_ITEM:
            label = own_label(block)
            writer.add_text(f"{label} {text}" if label else text, _list_style(block.level, label))
        case _:
            writer.add_text(text, "Caption" if block.kind is BlockKind.CAPTION else None)


def _mark_page(writer: DocxWriter, page: int, unit: str) -> None:
    """Write a page's label in small grey letters, bookmarked so that others can refer to it."""
    paragraph = writer.add_close_paragraph()
    with writer.wrap_in_bookmark(paragraph, f"page_{page}"):
        writer.add_program_words(paragraph, page_label(unit, page)).font.size = Pt(8)


def _write_table(writer: DocxWriter, rows: tuple[tuple[str, ...], ...]) -> None:
    columns = max(len(row) for row in rows)
    # row by row; asking a table for each of them takes the square of the time
    cells = iter(writer.add_table(len(rows), columns)._cells)
    for row in rows:
        for text in (*row, *("",) * (columns - len(row))):
            writer.fill_cell(next(cells).paragraphs[0], text)


def _list_style(level: int, label: str) -> str:
    """Return a list style; items with their own label aren't numbered by Word."""
    style, deep = "List" if label else "List Bullet", min(max(1, level), MOST_LIST_LEVELS)
    return style if deep == 1 else f"{style} {deep}"
