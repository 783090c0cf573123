"""How paragraphs of Markdown look, on the screen as on paper: sizes, gaps, runs and tables."""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtGui import QColor, QFont, QTextCharFormat, QTextLength, QTextTableFormat

from app.core.lazy_dataclasses import dataclass
from app.ui.text.formats import char_format
from app.ui.text.pieces import ProseLine, StyledSpan
from app.ui.theme import Tokens


@dataclass(frozen=True)
class ProseStyle:
    """Font and colour that all runs of a paragraph have in common."""

    size: float = 15
    weight: int = 400
    color: str = ""
    """The text's colour if empty."""
    is_bare: bool = False
    """True if inline code has no background."""


@dataclass(frozen=True)
class ParagraphSizes:
    """Sizes of text and gaps above paragraphs, in unscaled pixels on the screen and in points on paper."""

    text: float
    note: float
    headings: Mapping[int, tuple[float, int]]
    """Size and weight by level; the two lowest are muted."""
    gap: float
    major_gap: float
    """Above headings of the first two levels."""
    minor_gap: float
    heading_gap: float
    """Below a heading."""
    item_gap: float
    rule_gap: float
    note_gap: float
    """Between two notes."""

    def style_of(self, line: ProseLine, tokens: Tokens) -> ProseStyle:
        match line.kind:
            case "heading":
                return ProseStyle(*self.headings[line.level], color=tokens.muted if line.level > 4 else "")
            case "note":
                return ProseStyle(self.note, color=tokens.muted)
            case "rule":
                return ProseStyle(4)
        return ProseStyle(self.text, color=tokens.muted if line.quote else "", is_bare=line.kind == "formula")

    def gap_between(self, before: ProseLine, line: ProseLine) -> float:
        if line.kind == "typed":
            return 0
        if line.kind == "heading":
            return self.major_gap if line.level < 3 else self.minor_gap
        if line.kind == before.kind == "note":
            return self.note_gap
        if "rule" in (line.kind, before.kind):
            return self.rule_gap
        if before.kind == "heading":
            return self.heading_gap
        return self.item_gap if line.depth and (before.depth or line.marker) else self.gap


def span_format(span: StyledSpan, font: QFont, style: ProseStyle, tokens: Tokens, ground: str) -> QTextCharFormat:
    """Return the format of a run in a font of its size and weight; `ground` is the background of code."""
    font.setItalic(span.italic)
    font.setStrikeOut(span.strike)
    look = char_format(font, style.color or tokens.text, ground if span.code and not style.is_bare else "")
    if span.raised or span.script:
        align, is_above = QTextCharFormat.VerticalAlignment, span.raised or span.script == "sup"
        look.setVerticalAlignment(align.AlignSuperScript if is_above else align.AlignSubScript)
    if span.href:
        look.setAnchor(True)
        look.setAnchorHref(span.href)
        look.setForeground(QColor(tokens.accent))
    return look


def table_format() -> QTextTableFormat:
    """Return the format of a table without borders, as wide as its column of text."""
    look = QTextTableFormat()
    look.setBorder(0)
    look.setBorderCollapse(True)
    look.setCellSpacing(0)
    look.setWidth(QTextLength(QTextLength.Type.PercentageLength, 100))
    return look
