"""The language of a new Word document, and of words in it that are ours."""

from __future__ import annotations

from typing import Any

from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.text.run import Run

from app.language.names import is_east_asian


def set_language(document: Any, language: str, *, is_right_to_left: bool) -> None:
    """The language in which a word processor checks the spelling."""
    (found,) = document.styles.element.xpath("w:docDefaults/w:rPrDefault/w:rPr/w:lang")
    found.set(qn("w:bidi" if is_right_to_left else "w:val"), language)
    if is_east_asian(language):
        found.set(qn("w:eastAsia"), language)


def in_english(run: Run) -> Run:
    """Our own words, whatever the document's language is."""
    language = OxmlElement("w:lang")
    language.set(qn("w:val"), "en-US")
    run._r.get_or_add_rPr().append(language)
    return run
