"""A segment's content as formatted characters: bold and italic from its marks, glyphs for others."""

from __future__ import annotations

from PySide6.QtGui import QFont, QTextCharFormat, QTextLayout

from app.core.lazy_dataclasses import dataclass
from app.documents.segments import Content, Mark, SegmentKind
from app.ui.icons import glyph
from app.ui.text.formats import char_format
from app.ui.theme import Theme
from app.ui.utf16 import utf16_length

TEXT_PX = 15.0
SMALL_PX = 12.5
CODE_PX = 13.5
LINE = "\u2028"
GLYPHS = {
    "image": "image", "formula": "math-operations", "note": "asterisk", "link": "link", "code": "code",
}  # fmt: skip
OTHER_GLYPH = "dots-three"
DEEPEST_LEVEL = 2
"""Headings down to this level are larger than the text."""


@dataclass
class SegmentLayout:
    """Text to lay out: characters, formats, and the characters that are glyphs."""

    text: str
    formats: list[QTextLayout.FormatRange]
    glyphs: set[str]
    font: QFont

    def add(self, text: str, look: QTextCharFormat) -> None:
        layout_range = QTextLayout.FormatRange()
        layout_range.start, layout_range.length, layout_range.format = utf16_length(self.text), utf16_length(text), look
        self.text += text
        self.formats.append(layout_range)

    def add_glyph(self, name: str, color: str) -> None:
        character, family = glyph(name)
        look = char_format(None, color)
        if family:
            look.setFontFamilies([family])
        self.glyphs.add(character)
        self.add(character, look)

    def plain(self, start: int = 0, end: int | None = None) -> str:
        """Return the text to copy, without glyphs; positions are in characters."""
        part = self.text[start:end]
        return "".join(letter for letter in part if letter not in self.glyphs).replace(LINE, "\n")


class SegmentWriter:
    """Writes contents as text to lay out, in the theme's fonts and colours."""

    def __init__(self, theme: Theme) -> None:
        self._theme = theme

    def write(self, content: Content, kind: SegmentKind = SegmentKind.PARAGRAPH, level: int = 0) -> SegmentLayout:
        font = self.font(kind, level)
        written = SegmentLayout("", [], set(), font)
        looks: list[frozenset[str]] = [frozenset()]
        for part in content:
            if isinstance(part, str):
                self._add(written, as_lines(part), looks[-1])
            elif part.role == "open":
                looks.append(looks[-1] | frozenset(part.look.split()))
            elif part.role == "close":
                looks.pop() if len(looks) > 1 else None
            else:
                self._add_single(written, part, looks[-1])
        return written

    def write_plain(self, text: str, *, is_muted: bool = False) -> SegmentLayout:
        """Write plain text: the program's, or a translation in progress."""
        written = SegmentLayout("", [], set(), self._theme.font("body"))
        tokens = self._theme.tokens
        if text:
            written.add(as_lines(text), char_format(None, tokens.muted if is_muted else tokens.text))
        return written

    def font(self, kind: SegmentKind, level: int) -> QFont:
        """Return the font of a kind; headings differ by weight, the top levels also by size."""
        if kind is SegmentKind.HEADING:
            return self._theme.fonts.text(16.5 if 0 < level <= DEEPEST_LEVEL else TEXT_PX, 700)
        if kind in (SegmentKind.NOTE, SegmentKind.HEADER, SegmentKind.LABEL):
            return self._theme.font("row")
        return self._theme.font("body")

    def _add(self, written: SegmentLayout, text: str, looks: frozenset[str]) -> None:
        look, theme = char_format(None, self._theme.tokens.text), self._theme
        if "code" in looks:
            look.setFont(theme.fonts.code(CODE_PX))
        if "small" in looks:
            look.setFont(theme.font("small"))
        if "bold" in looks:
            look.setFontWeight(QFont.Weight.Bold)
        if "italic" in looks:
            look.setFontItalic(True)
        if "strike" in looks:
            look.setFontStrikeOut(True)
        if "underline" in looks or "link" in looks:
            look.setFontUnderline(True)
        written.add(text, look)

    def _add_single(self, written: SegmentLayout, mark: Mark, looks: frozenset[str]) -> None:
        own = mark.look.split()
        if "break" in own:
            self._add(written, LINE, looks)
        elif "tab" in own:
            self._add(written, "\t", looks)
        elif mark.shows:
            is_code = "code" in own or "formula" in own
            self._add(written, mark.shows.replace("\n", " "), looks | ({"code"} if is_code else set()))
        else:
            name = next((GLYPHS[text] for text in own if text in GLYPHS), OTHER_GLYPH)
            written.add_glyph(name, self._theme.tokens.muted)


def letters(content: Content) -> str:
    """Return a content's characters as laid out, one for one; glyphs are U+FFFC."""
    return "".join(as_lines(part) if isinstance(part, str) else _letters_of(part) for part in content)


def _letters_of(mark: Mark) -> str:
    if mark.role != "single":
        return ""
    looks = mark.look.split()
    if "break" in looks:
        return LINE
    return "\t" if "tab" in looks else mark.shows.replace("\n", " ") or "\ufffc"


def as_lines(text: str) -> str:
    """Replace newlines by line separators, which start no paragraph."""
    return text.replace("\n", LINE)
