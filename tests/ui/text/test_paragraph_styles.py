"""Looks that paragraphs have on the screen as on paper."""

from __future__ import annotations

import pytest
from PySide6.QtGui import QColor, QFont, QTextCharFormat

from app.ui.paper.paper_text import SIZES as PAPER
from app.ui.text.paragraph_styles import ParagraphSizes, ProseStyle, span_format
from app.ui.text.pieces import ProseLine, StyledSpan
from app.ui.text.prose import SIZES as SCREEN
from app.ui.theme import LIGHT

TEXT, QUOTE, NOTE, RULE = ProseLine(()), ProseLine((), quote=1), ProseLine((), "note"), ProseLine((), "rule")
MAJOR, MINOR = ProseLine((), "heading", level=1), ProseLine((), "heading", level=5)
ITEM = ProseLine((), depth=1, marker="•")


@pytest.mark.parametrize("sizes", [SCREEN, PAPER])
def test_gaps_part_headings_and_keep_lists_together(sizes: ParagraphSizes) -> None:
    pairs = [(TEXT, MAJOR), (TEXT, MINOR), (TEXT, TEXT), (TEXT, RULE), (ITEM, ITEM)]
    gaps = [sizes.gap_between(*pair) for pair in pairs]
    assert gaps == sorted(gaps, reverse=True)
    assert sizes.gap_between(MAJOR, TEXT) < sizes.gap_between(TEXT, TEXT)
    assert sizes.gap_between(TEXT, ITEM) == sizes.gap_between(ITEM, ITEM), "also below its sentence"
    assert sizes.gap_between(NOTE, NOTE) == sizes.note_gap
    assert sizes.gap_between(TEXT, ProseLine((), "typed")) == 0


@pytest.mark.parametrize("sizes", [SCREEN, PAPER])
def test_what_is_less_important_is_muted(sizes: ParagraphSizes) -> None:
    lines = (TEXT, MAJOR, MINOR, QUOTE, NOTE)
    assert [bool(sizes.style_of(line, LIGHT).color) for line in lines] == [False, False, True, True, True]
    assert sizes.style_of(MAJOR, LIGHT).size > sizes.style_of(TEXT, LIGHT).size > sizes.style_of(NOTE, LIGHT).size


@pytest.mark.usefixtures("qtbot")
def test_a_run_has_its_marks_in_the_colours_of_the_theme() -> None:
    align = QTextCharFormat.VerticalAlignment
    link = span_format(StyledSpan("x", italic=True, href="https://x.org"), QFont(), ProseStyle(), LIGHT, "")
    assert (link.anchorHref(), link.foreground().color(), link.fontItalic()) == (
        "https://x.org",
        QColor(LIGHT.accent),
        True,
    )
    code = StyledSpan("x", code=True, script="sub")
    for style, ground in ((ProseStyle(), QColor("#123456")), (ProseStyle(is_bare=True), QColor("black"))):
        look = span_format(code, QFont(), style, LIGHT, "#123456")
        assert (look.background().color(), look.verticalAlignment()) == (ground, align.AlignSubScript)
    assert span_format(StyledSpan("1", raised=True), QFont(), ProseStyle(), LIGHT, "").verticalAlignment() == (
        align.AlignSuperScript
    )
