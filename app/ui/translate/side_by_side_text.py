"""A segment's content as characters with formats: bold and italic from its marks, glyphs for what is no text."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtGui import QColor, QFont, QTextCharFormat, QTextLayout

from app.documents.segments import Content, Mark, SegmentKind
from app.ui.icons import glyph
from app.ui.theme import Theme

TEXT_PX = 15.0
SMALL_PX = 12.5
CODE_PX = 13.5
LINE = "\u2028"
GLYPHS = {
    "image": "image", "formula": "math-operations", "note": "asterisk", "link": "link", "code": "code",
}  # fmt: skip
OTHER_GLYPH = "dots-three"
DEEPEST_LEVEL = 2
"""Headings down to this level are a little larger than the text."""


@dataclass
class Written:
    """What is laid out: its characters, their formats, and those characters that stand for no text."""

    text: str
    formats: list[QTextLayout.FormatRange]
    glyphs: set[str]
    font: QFont

    def add(self, text: str, look: QTextCharFormat) -> None:
        """More characters at the end."""
        one = QTextLayout.FormatRange()
        one.start, one.length, one.format = units(self.text), units(text), look
        self.text += text
        self.formats.append(one)

    def add_glyph(self, name: str, color: str) -> None:
        """A glyph, which stands for no text."""
        character, family = glyph(name)
        look = coloured(color)
        if family:
            look.setFontFamilies([family])
        self.glyphs.add(character)
        self.add(character, look)

    def plain(self, start: int = 0, end: int | None = None) -> str:
        """What is copied of it, in characters of Python."""
        part = self.text[start:end]
        return "".join(one for one in part if one not in self.glyphs).replace(LINE, "\n")


class Writing:
    """Makes the text of a content, in the theme's fonts and colours."""

    def __init__(self, theme: Theme) -> None:
        self._theme = theme

    def write(self, content: Content, kind: SegmentKind = SegmentKind.PARAGRAPH, level: int = 0) -> Written:
        """Text and formats of a whole content."""
        font = self.font(kind, level)
        written = Written("", [], set(), font)
        looks: list[frozenset[str]] = [frozenset()]
        for part in content:
            if isinstance(part, str):
                self._add(written, part.replace("\n", LINE), looks[-1])
            elif part.role == "open":
                looks.append(looks[-1] | frozenset(part.look.split()))
            elif part.role == "close":
                looks.pop() if len(looks) > 1 else None
            else:
                self._add_single(written, part, looks[-1])
        return written

    def write_plain(self, text: str, *, is_muted: bool = False) -> Written:
        """Words of the program, or a text that is still being written."""
        written = Written("", [], set(), self._theme.font(TEXT_PX))
        tokens = self._theme.tokens
        if text:
            written.add(text.replace("\n", LINE), coloured(tokens.muted if is_muted else tokens.text))
        return written

    def font(self, kind: SegmentKind, level: int) -> QFont:
        """Headings differ by weight, the first ones by a little size too."""
        if kind is SegmentKind.HEADING:
            return self._theme.font(16.5 if 0 < level <= DEEPEST_LEVEL else TEXT_PX, 700)
        if kind in (SegmentKind.NOTE, SegmentKind.HEADER, SegmentKind.LABEL):
            return self._theme.font(14, 400)
        return self._theme.font(TEXT_PX, 400)

    def _add(self, written: Written, text: str, looks: frozenset[str]) -> None:
        look, theme = coloured(self._theme.tokens.text), self._theme
        if "code" in looks:
            look.setFont(theme.code_font(CODE_PX))
        if "small" in looks:
            look.setFont(theme.font(SMALL_PX))
        if "bold" in looks:
            look.setFontWeight(QFont.Weight.Bold)
        if "italic" in looks:
            look.setFontItalic(True)
        if "strike" in looks:
            look.setFontStrikeOut(True)
        if "underline" in looks or "link" in looks:
            look.setFontUnderline(True)
        written.add(text, look)

    def _add_single(self, written: Written, mark: Mark, looks: frozenset[str]) -> None:
        own = mark.look.split()
        if "break" in own:
            self._add(written, LINE, looks)
        elif "tab" in own:
            self._add(written, "\t", looks)
        elif mark.shows:
            is_code = "code" in own or "formula" in own
            self._add(written, mark.shows.replace("\n", " "), looks | ({"code"} if is_code else set()))
        else:
            name = next((GLYPHS[one] for one in own if one in GLYPHS), OTHER_GLYPH)
            written.add_glyph(name, self._theme.tokens.muted)


def letters(content: Content) -> str:
    """The characters of a content as it is written: as many, in the same places; U+FFFC where a glyph stands."""
    return "".join(part.replace("\n", LINE) if isinstance(part, str) else _letters_of(part) for part in content)


def _letters_of(mark: Mark) -> str:
    if mark.role != "single":
        return ""
    looks = mark.look.split()
    if "break" in looks:
        return LINE
    return "\t" if "tab" in looks else mark.shows.replace("\n", " ") or "\ufffc"


def units(text: str) -> int:
    """How many characters Qt counts: UTF-16."""
    return len(text) if text.isascii() else len(text.encode("utf-16-le")) // 2


def from_units(text: str, position: int) -> int:
    """A position of Qt's as one of Python's."""
    if text.isascii():
        return position
    return len(text.encode("utf-16-le")[: 2 * position].decode("utf-16-le", "ignore"))


def coloured(color: str) -> QTextCharFormat:
    """Letters of a colour."""
    look = QTextCharFormat()
    look.setForeground(QColor(color))
    return look
