"""Write Word documents: paragraphs in their direction, links, bookmarks, tables, and the program's own words."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from io import BytesIO
from typing import IO, Any

from docx import Document
from docx.enum.style import WD_STYLE_TYPE
from docx.opc.constants import RELATIONSHIP_TYPE
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.shared import Pt, RGBColor
from docx.text.paragraph import Paragraph
from docx.text.run import Run

from app import APP_NAME
from app.core.catalogue import language_in_use
from app.language.language_names import is_east_asian, is_rtl

LINK = "Hyperlink"
GREY, EMBER = RGBColor(0x6B, 0x64, 0x5D), RGBColor(0xB2, 0x3F, 0x12)
_NO_TEXT = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters XML can't hold (XML 1.0, 2.2); models, pastes and broken PDFs have them."""


class DocxWriter:
    """An empty document to write into. `instead` stands for each character that XML can't hold."""

    def __init__(self, title: str, language: str = "", *, is_rtl: bool = False, instead: str = "") -> None:
        """`language` is for spell checking, "" if unknown; `is_rtl` the direction where a call gives none."""
        self._is_rtl, self._instead = is_rtl, instead
        self.document = Document()
        properties = self.document.core_properties
        # Word refuses longer titles.
        properties.title, properties.language = self._clean_text(title)[:255], language
        # python-docx's template names its own maker and date.
        properties.author, properties.comments, properties.revision = APP_NAME, "", 1
        properties.created = properties.modified = datetime.now(UTC)
        if language:
            # Without it Word checks the text in the language of the installation.
            (found,) = self.document.styles.element.xpath("w:docDefaults/w:rPrDefault/w:rPr/w:lang")
            found.set(qn("w:bidi" if is_rtl else "w:val"), language)
            if is_east_asian(language):
                found.set(qn("w:eastAsia"), language)
        self._styles = {style.name: style.style_id for style in self.document.styles}
        self._end = self.document.element.body.sectPr
        self._bookmarks = 0

    def save(self, out: IO[bytes]) -> None:
        # Packed in memory first: python-docx leaves its archive open when a disk is full, and that complains later.
        packed = BytesIO()
        self.document.save(packed)
        out.write(packed.getbuffer())

    def add_style(self, name: str, kind: WD_STYLE_TYPE) -> Any:
        style = self.document.styles.add_style(name, kind)
        self._styles[name] = style.style_id
        return style

    def add_paragraph(self, style: str | None = None, *, is_rtl: bool | None = None) -> Paragraph:
        """Add an empty paragraph at the end.

        Inserted directly, because python-docx would scan the whole document for the position.
        """
        element = OxmlElement("w:p")
        self._end.addprevious(element)
        if style is not None:
            element.style = self._styles[style]
        paragraph = Paragraph(element, self.document._body)
        self._set_direction(paragraph, is_rtl)
        return paragraph

    def add_run(self, paragraph: Paragraph, text: str, *, is_rtl: bool | None = None) -> Run:
        run = paragraph.add_run(self._clean_text(text))
        if self._is_rtl if is_rtl is None else is_rtl:
            # Word takes the direction of signs from the run, not from its paragraph.
            run.font.rtl = True
        return run

    def add_text(self, text: str, style: str | None = None, *, is_rtl: bool | None = None) -> Run:
        """Add a paragraph of one run, both in one direction, and return the run."""
        return self.add_run(self.add_paragraph(style, is_rtl=is_rtl), text, is_rtl=is_rtl)

    def add_program_words(self, paragraph: Paragraph, text: str, color: RGBColor = GREY) -> Run:
        """Add a run marked with the language of the program's words; else Word underlines them as misspelled."""
        run = paragraph.add_run(self._clean_text(text))
        run.font.color.rgb = color
        language = OxmlElement("w:lang")
        code = language_in_use()
        language.set(qn("w:val"), "en-US" if code == "en" else code)
        run._r.get_or_add_rPr().append(language)
        return run

    def add_close_paragraph(self) -> Paragraph:
        """Add a paragraph for the program's own words, close to the next."""
        paragraph = self.add_paragraph(is_rtl=is_rtl(language_in_use()))
        paragraph.paragraph_format.space_after = Pt(0)
        return paragraph

    def make_link(self, paragraph: Paragraph, run: Run, *, address: str = "", bookmark: str = "") -> None:
        """Wrap a paragraph's last run in a link to a web address or to a bookmark; python-docx has no call for it."""
        if LINK not in self._styles:
            self.add_style(LINK, WD_STYLE_TYPE.CHARACTER).font.color.rgb = EMBER
        run.style = LINK
        link = OxmlElement("w:hyperlink")
        if bookmark:
            link.set(qn("w:anchor"), bookmark)
        else:
            address = _NO_TEXT.sub("", address)
            link.set(qn("r:id"), paragraph.part.relate_to(address, RELATIONSHIP_TYPE.HYPERLINK, is_external=True))
        link.append(run._r)
        paragraph._p.append(link)

    @contextmanager
    def wrap_in_bookmark(self, paragraph: Paragraph, name: str) -> Iterator[None]:
        """Put a bookmark around what is added to the paragraph within the block."""
        # Start and end belong together by their number, which Word wants once in a document.
        self._bookmarks += 1
        start, end = OxmlElement("w:bookmarkStart"), OxmlElement("w:bookmarkEnd")
        for mark in (start, end):
            mark.set(qn("w:id"), str(self._bookmarks))
        start.set(qn("w:name"), name)
        paragraph._p.append(start)
        yield
        paragraph._p.append(end)

    def add_table(self, rows: int, columns: int) -> Any:
        table = self.document.add_table(rows, columns, style="Table Grid")
        if self._is_rtl:
            table._tbl.tblPr.append(OxmlElement("w:bidiVisual"))
        return table

    def fill_cell(self, paragraph: Paragraph, text: str) -> None:
        """Write a text into the empty paragraph of a table's cell, in the document's direction."""
        self._set_direction(paragraph, None)
        self.add_run(paragraph, text)

    def _set_direction(self, paragraph: Paragraph, is_rtl: bool | None) -> None:
        if self._is_rtl if is_rtl is None else is_rtl:
            paragraph._p.get_or_add_pPr().append(OxmlElement("w:bidi"))

    def _clean_text(self, text: str) -> str:
        return _NO_TEXT.sub(self._instead, text)
