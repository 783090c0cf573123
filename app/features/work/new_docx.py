"""Parts common to new Word documents: properties and language, bookmarks, and the program's own words."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from docx import Document
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.shared import RGBColor
from docx.text.paragraph import Paragraph
from docx.text.run import Run

from app import APP_NAME
from app.language.language_names import is_east_asian

GREY = RGBColor(0x6B, 0x64, 0x5D)


def new_docx(title: str, language: str, *, is_rtl: bool) -> Any:
    """Create an empty document; `language` is for spell checking, "" if unknown."""
    document = Document()
    properties = document.core_properties
    # Word refuses longer titles.
    properties.title, properties.language = title[:255], language
    # python-docx's template names its own maker and date.
    properties.author, properties.comments, properties.revision = APP_NAME, "", 1
    properties.created = properties.modified = datetime.now(UTC)
    if language:
        # Without it Word checks the text in the language of the installation.
        (found,) = document.styles.element.xpath("w:docDefaults/w:rPrDefault/w:rPr/w:lang")
        found.set(qn("w:bidi" if is_rtl else "w:val"), language)
        if is_east_asian(language):
            found.set(qn("w:eastAsia"), language)
    return document


@contextmanager
def wrap_in_bookmark(paragraph: Paragraph, number: int, name: str) -> Iterator[None]:
    """Put a bookmark around what is added to the paragraph within the block."""
    # Start and end belong together by their number.
    start, end = OxmlElement("w:bookmarkStart"), OxmlElement("w:bookmarkEnd")
    for mark in (start, end):
        mark.set(qn("w:id"), str(number))
    start.set(qn("w:name"), name)
    paragraph._p.append(start)
    yield
    paragraph._p.append(end)


def in_english(run: Run) -> Run:
    """Mark a run as English, as the program's own words are, whatever the document's language."""
    language = OxmlElement("w:lang")
    language.set(qn("w:val"), "en-US")
    run._r.get_or_add_rPr().append(language)
    return run
