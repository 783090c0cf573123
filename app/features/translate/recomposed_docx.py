"""A translation as a new Word document: headings, lists, tables, and a bookmark where each page of the source began."""

from __future__ import annotations

from collections.abc import Iterable
from typing import IO, Any

from docx.oxml import OxmlElement
from docx.shared import Pt
from docx.text.paragraph import Paragraph

from app.documents.blocks import BlockKind
from app.features.translate.recomposed import Recomposed, own_label, page_label
from app.features.work.new_docx import GREY, in_english, new_docx, wrap_in_bookmark

_NOT_XML = dict.fromkeys([*range(9), 11, 12, *range(14, 32), 0xFFFE, 0xFFFF, *range(0xD800, 0xE000)])
MOST_HEADING_LEVELS = 9
MOST_LIST_LEVELS = 3
"""Of Word's built-in styles."""


def write_docx(
    blocks: Iterable[Recomposed], out: IO[bytes], *, title: str, language: str, is_rtl: bool, unit: str
) -> None:
    """Write the document to a binary file; `unit` is what the source's pages are called."""
    writing = _TranslationDocxWriter(title, language, is_rtl=is_rtl, unit=unit)
    for block in blocks:
        writing.add_block(block)
    writing.save(out)


class _TranslationDocxWriter:
    def __init__(self, title: str, language: str, *, is_rtl: bool, unit: str) -> None:
        self._is_rtl, self._unit = is_rtl, unit
        self._page: int | None = None
        self._bookmarks = 0
        self._document = new_docx(_clean_text(title), language, is_rtl=is_rtl)

    def add_block(self, recomposed: Recomposed) -> None:
        block = recomposed.block
        if block.page is not None and block.page != self._page:
            self._page = block.page
            self._mark_page(block.page)
        match block.kind:
            case BlockKind.TABLE:
                self._write_table(recomposed.rows)
            case BlockKind.CODE:
                # Paragraphs of code are never mirrored.
                self._add_paragraph(recomposed.text, is_rtl=False).runs[0].font.name = "Courier New"
            case BlockKind.HEADING:
                self._add_paragraph(recomposed.text, f"Heading {min(max(1, block.level), MOST_HEADING_LEVELS)}")
            case BlockKind.LIST_ITEM:
                label = own_label(block)
                self._add_paragraph(
                    f"{label} {recomposed.text}" if label else recomposed.text, _list_style(block.level, label)
                )
            case BlockKind.CAPTION:
                self._add_paragraph(recomposed.text, "Caption")
            case _:
                self._add_paragraph(recomposed.text)

    def save(self, out: IO[bytes]) -> None:
        self._document.save(out)

    def _mark_page(self, page: int) -> None:
        """Write a page's label in grey, bookmarked so that others can refer to it."""
        paragraph = self._document.add_paragraph()
        paragraph.paragraph_format.space_after = Pt(0)
        # Word wants each bookmark's id once in a document.
        self._bookmarks += 1
        with wrap_in_bookmark(paragraph, self._bookmarks, f"page_{page}"):
            run = in_english(paragraph.add_run(page_label(self._unit, page)))
            run.font.color.rgb, run.font.size = GREY, Pt(8)

    def _write_table(self, rows: tuple[tuple[str, ...], ...]) -> None:
        columns = max(len(row) for row in rows)
        table = self._document.add_table(len(rows), columns, style="Table Grid")
        if self._is_rtl:
            table._tbl.tblPr.append(OxmlElement("w:bidiVisual"))
        cells = iter(table._cells)  # row by row; asking a table for each of them takes the square of the time
        for row in rows:
            for text in (*row, *("",) * (columns - len(row))):
                self._fill_paragraph(next(cells).paragraphs[0], text, is_rtl=self._is_rtl)

    def _add_paragraph(self, text: str, style: str | None = None, *, is_rtl: bool | None = None) -> Paragraph:
        paragraph: Paragraph = self._document.add_paragraph(style=style)
        self._fill_paragraph(paragraph, text, is_rtl=self._is_rtl if is_rtl is None else is_rtl)
        return paragraph

    def _fill_paragraph(self, paragraph: Any, text: str, *, is_rtl: bool) -> None:
        run = paragraph.add_run(_clean_text(text))
        if is_rtl:
            # Both: the paragraph's direction aligns, the run's orders its signs.
            paragraph._p.get_or_add_pPr().append(OxmlElement("w:bidi"))
            run.font.rtl = True


def _list_style(level: int, label: str) -> str:
    """Return a list style; items with their own label aren't numbered by Word."""
    style, deep = "List" if label else "List Bullet", min(max(1, level), MOST_LIST_LEVELS)
    return style if deep == 1 else f"{style} {deep}"


def _clean_text(text: str) -> str:
    return text.translate(_NOT_XML)
