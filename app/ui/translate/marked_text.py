"""A segment's content as characters with formats: bold and italic from its marks, glyphs and chips for no text."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from PySide6.QtCore import QRect, QRectF, QSizeF, Qt
from PySide6.QtGui import (
    QColor,
    QFont,
    QFontMetricsF,
    QPainter,
    QPyTextObject,
    QTextCharFormat,
    QTextDocument,
    QTextFormat,
    QTextLayout,
)

from app.documents.segments import Content, Mark, SegmentKind, content_of, marks, nests
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


# Marks in an editor: small chips that stand in the text as one character each and cannot be broken.


CHIP_TYPE = QTextFormat.ObjectTypes.UserObject.value + 1
ROLE, NUMBER, LABEL = (QTextFormat.Property.UserProperty.value + n for n in (1, 2, 3))
CHARACTER = "\ufffc"
CHIP_PX = 12.0


class Chips(QPyTextObject):
    """Draws them, in the accent on its ground."""

    def __init__(self, theme: Theme, document: QTextDocument) -> None:
        super().__init__(document)
        self._theme = theme

    def intrinsicSize(self, document: QTextDocument, position: int, look: QTextFormat) -> QSizeF:  # noqa: ARG002
        metrics = QFontMetricsF(self._font(look))
        px = self._theme.px
        return QSizeF(metrics.horizontalAdvance(str(look.property(LABEL))) + px(12), metrics.ascent() + px(4))

    def drawObject(
        self,
        painter: QPainter,
        rect: QRectF | QRect,
        document: QTextDocument,
        position: int,  # noqa: ARG002
        look: QTextFormat,
    ) -> None:
        px, tokens = self._theme.px, self._theme.tokens
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(tokens.chip))
        ground = QRectF(rect).adjusted(px(2), px(1), -px(2), px(3))
        painter.drawRoundedRect(ground, px(4), px(4))
        painter.setFont(self._font(look))
        painter.setPen(QColor(tokens.accent))
        painter.setLayoutDirection(document.defaultTextOption().textDirection())  # the text's, not the window's
        painter.drawText(ground, Qt.AlignmentFlag.AlignCenter, str(look.property(LABEL)))
        painter.restore()

    def _font(self, look: QTextFormat) -> QFont:
        is_text = look.property(ROLE) == "single"
        return self._theme.code_font(CHIP_PX) if is_text else self._theme.font(CHIP_PX, 600)


def chip(mark: Mark, label: str, base: QTextCharFormat) -> QTextCharFormat:
    """The format of the one character that stands for a mark."""
    look = QTextCharFormat(base)
    look.setObjectType(CHIP_TYPE)
    look.setProperty(ROLE, mark.role)
    look.setProperty(NUMBER, mark.number)
    look.setProperty(LABEL, label)
    look.setToolTip(mark.look or mark.shows)
    return look


def content_in(document: QTextDocument, own: dict[tuple[str, int], Mark]) -> Content:
    """Text and chips of a document as a content; chips of marks that are not among `own` are left out."""
    return content_of(list(_parts(document, own)))


def _parts(document: QTextDocument, own: dict[tuple[str, int], Mark]) -> Iterator[str | Mark]:
    block = document.begin()
    while block.isValid():
        if block.blockNumber():
            yield "\n"
        walk = block.begin()
        while not walk.atEnd():
            fragment = walk.fragment()
            look, text = fragment.charFormat(), fragment.text()
            if look.objectType() == CHIP_TYPE:
                mark = own.get((str(look.property(ROLE)), int(look.property(NUMBER))))
                yield from [mark] * text.count(CHARACTER) if mark is not None else []
            else:
                yield text.replace("\u2028", "\n").replace(CHARACTER, "")
            walk += 1
        block = block.next()


# The marks of a translation that a person edits: which are missing, and how they are put back.


LETTERS = {
    "bold": "B", "italic": "I", "underline": "U", "strike": "S", "code": "<>", "link": "link", "small": "small",
    "image": "image", "formula": "formula", "break": "↵", "tab": "⇥", "note": "note", "field": "field",
}  # fmt: skip
MOST_SHOWN = 24


def missing(source: Content, content: Content) -> tuple[Mark, ...]:
    """Marks of the source that are not there, in its order."""
    there = {mark.key for mark in marks(content)}
    return tuple(mark for mark in marks(source) if mark.key not in there)


def is_whole(source: Content, content: Content) -> bool:
    """Whether all marks are there, each once, and every pair encloses what it should."""
    return sorted(mark.key for mark in marks(source)) == sorted(mark.key for mark in marks(content)) and nests(content)


def put_back(source: Content, content: Content) -> Content:
    """The content with exactly the source's marks: words stay as they are, what is missing comes at the end.

    A close mark that stands before its open one, or across another pair, moves to where its pair must end.
    """
    own = {mark.key: mark for mark in marks(source)}
    parts: list[str | Mark] = []
    waiting: list[int] = []
    seen: set[tuple[str, int]] = set()

    def close(number: int) -> None:
        parts.append(own[("close", number)])
        seen.add(("close", number))

    for part in content:
        if isinstance(part, str):
            parts.append(part)
        elif part.key not in own or part.key in seen:
            continue
        elif part.role == "close":
            while part.number in waiting:
                close(waiting.pop())
        else:
            parts.append(own[part.key])
            seen.add(part.key)
            waiting += [part.number] if part.role == "open" else []
    while waiting:
        close(waiting.pop())
    for mark in marks(source):
        if mark.key not in seen and mark.role != "close":
            parts.append(mark)
            seen.add(mark.key)
            if mark.role == "open":
                close(mark.number)
    return content_of(parts)


def labels(source: Content) -> dict[tuple[str, int], str]:
    """What stands on the chip of each mark, such as "‹B" and "B›"; a number tells those that look alike apart."""
    paired = [mark for mark in marks(source) if mark.role == "open"]
    names = {mark.number: _name(mark) for mark in paired}
    counts: dict[str, int] = {}
    for name in names.values():
        counts[name] = counts.get(name, 0) + 1
    found: dict[tuple[str, int], str] = {}
    for mark in marks(source):
        if mark.role == "single":
            found[mark.key] = mark.shows[:MOST_SHOWN] or _name(mark)
        else:
            name = names[mark.number]
            name = f"{name}{mark.number}" if counts[name] > 1 else name
            found[mark.key] = f"‹{name}" if mark.role == "open" else f"{name}›"
    return found


def _name(mark: Mark) -> str:
    names = [LETTERS[look] for look in mark.look.split() if look in LETTERS]
    return " ".join(names) or str(mark.number)
