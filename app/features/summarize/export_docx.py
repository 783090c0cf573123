"""A summary as a Word document: headings, lists, and references that lead to bookmarks at the sources."""

from __future__ import annotations

from typing import IO

from docx.text.paragraph import Paragraph

from app.core.catalogue import tr
from app.features.summarize.laid_out import SOURCES, StatementLine, SummaryPart, lay_out
from app.features.summarize.summary_result import Summary
from app.features.work.docx_writer import EMBER, DocxWriter


def write_docx(summary: Summary, out: IO[bytes]) -> None:
    laid_out = lay_out(summary)
    writer = DocxWriter(laid_out.title, laid_out.language, is_rtl=laid_out.direction == "rtl")
    writer.add_text(laid_out.title, "Title")
    for fact in laid_out.facts:
        writer.add_program_words(writer.add_close_paragraph(), fact)
    for part in laid_out.parts:
        _write_part(writer, part)
    if laid_out.sources:
        writer.add_text(tr(SOURCES), "Heading 1")
    for source in laid_out.sources:
        is_rtl = source.direction == "rtl"
        paragraph = writer.add_paragraph("List Number", is_rtl=is_rtl)
        with writer.wrap_in_bookmark(paragraph, _bookmark_name(source.number)):
            writer.add_run(paragraph, f"{source.label}: “{source.text}”", is_rtl=is_rtl)
    writer.save(out)


def _write_part(writer: DocxWriter, part: SummaryPart) -> None:
    if part.heading:
        writer.add_text(part.heading, "Heading 1")
    for lines in part.paragraphs:
        paragraph = writer.add_paragraph("List Bullet" if part.is_list else None)
        for number, line in enumerate(lines):
            _write_line(writer, paragraph, line, " " if number else "")


def _write_line(writer: DocxWriter, paragraph: Paragraph, line: StatementLine, before: str) -> None:
    writer.add_run(paragraph, before + line.text)
    for reference in line.references:
        writer.add_run(paragraph, " ")
        run = writer.add_run(paragraph, f"[{reference.label}]")
        writer.make_link(paragraph, run, bookmark=_bookmark_name(reference.source))
    if line.mark:
        writer.add_program_words(paragraph, f" {line.mark}", EMBER).bold = True


def _bookmark_name(number: int) -> str:
    return f"source_{number}"
