"""A summary as a Word document: headings, lists, and references that lead to bookmarks at the sources."""

from __future__ import annotations

from typing import IO

from docx.enum.style import WD_STYLE_TYPE
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.shared import Pt, RGBColor
from docx.text.paragraph import Paragraph
from docx.text.run import Run

from app.features.summarize.laid_out import LaidOut, StatementLine, StatementSource, SummaryPart, lay_out
from app.features.summarize.summary_result import Summary
from app.features.work.new_docx import GREY, in_english, new_docx, wrap_in_bookmark

LINK = "Hyperlink"
_EMBER = RGBColor(0xB2, 0x3F, 0x12)


def write_docx(summary: Summary, out: IO[bytes]) -> None:
    _SummaryDocxWriter(lay_out(summary)).save(out)


class _SummaryDocxWriter:
    def __init__(self, laid_out: LaidOut) -> None:
        self._laid_out = laid_out
        self._is_right_to_left = laid_out.direction == "rtl"
        self._document = new_docx(laid_out.title, laid_out.language, is_rtl=self._is_right_to_left)
        link = self._document.styles.add_style(LINK, WD_STYLE_TYPE.CHARACTER)
        link.font.color.rgb = _EMBER

    def save(self, out: IO[bytes]) -> None:
        """Write title, facts, statements and sources."""
        self._write_heading(self._laid_out.title, 0)
        for fact in self._laid_out.facts:
            paragraph = self._document.add_paragraph()
            paragraph.paragraph_format.space_after = Pt(0)
            # Facts are English; without a language Word underlines them as misspelled.
            in_english(paragraph.add_run(fact)).font.color.rgb = GREY
        for part in self._laid_out.parts:
            self._write_part(part)
        if self._laid_out.sources:
            self._write_heading("Sources", 1)
            for source in self._laid_out.sources:
                self._write_source(source)
        self._document.save(out)

    def _write_part(self, part: SummaryPart) -> None:
        if part.heading:
            self._write_heading(part.heading, 1)
        for lines in part.paragraphs:
            paragraph = self._add_paragraph("List Bullet" if part.is_list else None)
            for number, line in enumerate(lines):
                self._write_line(paragraph, line, " " if number else "")

    def _write_line(self, paragraph: Paragraph, line: StatementLine, before: str) -> None:
        self._add_run(paragraph, before + line.text)
        for reference in line.references:
            self._add_run(paragraph, " ")
            link = OxmlElement("w:hyperlink")
            link.set(qn("w:anchor"), _bookmark_name(reference.source))
            run = self._add_run(paragraph, f"[{reference.label}]")
            run.style = LINK
            link.append(run._r)  # python-docx has no call for links inside a document
            paragraph._p.append(link)
        if line.mark:
            run = in_english(paragraph.add_run(f" {line.mark}"))
            run.bold, run.font.color.rgb = True, _EMBER

    def _write_source(self, source: StatementSource) -> None:
        is_right_to_left = source.direction == "rtl"
        paragraph = self._add_paragraph("List Number", is_right_to_left=is_right_to_left)
        with wrap_in_bookmark(paragraph, source.number, _bookmark_name(source.number)):
            paragraph.add_run(f"{source.label}: “{source.text}”").font.rtl = is_right_to_left or None

    def _write_heading(self, text: str, level: int) -> None:
        paragraph = self._add_paragraph("Title" if level == 0 else f"Heading {level}")
        self._add_run(paragraph, text)

    def _add_paragraph(self, style: str | None = None, *, is_right_to_left: bool | None = None) -> Paragraph:
        """Add a paragraph, in the summary's direction or a given one."""
        paragraph: Paragraph = self._document.add_paragraph(style=style)
        if self._is_right_to_left if is_right_to_left is None else is_right_to_left:
            paragraph._p.get_or_add_pPr().append(OxmlElement("w:bidi"))
        return paragraph

    # Word takes a run's direction from the run, not from its paragraph.
    def _add_run(self, paragraph: Paragraph, text: str) -> Run:
        run = paragraph.add_run(text)
        if self._is_right_to_left:
            run.font.rtl = True
        return run


def _bookmark_name(number: int) -> str:
    return f"source_{number}"
