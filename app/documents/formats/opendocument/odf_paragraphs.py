"""Words of one paragraph of an OpenDocument, and what hangs on it: notes, comments, frames."""

from __future__ import annotations

import re
from collections.abc import Callable

from app.documents.formats.markup.xml_tree import Element, tags
from app.documents.formats.opendocument.styles import (
    DRAW,
    MOST_SPACES,
    OFFICE,
    TABLE,
    TEXT,
    OpenDocumentStyles,
    parse_whole,
)

STYLE_NAME = f"{TEXT}style-name"
_MATH = "{http://www.w3.org/1998/Math/MathML}"
_XLINK = "{http://www.w3.org/1999/xlink}"
_WHITE = re.compile(r"[ \t\r\n]+")


class OdfParagraphWords:
    """Walks over one paragraph and keeps what it finds, in order.

    `frames` hold paragraphs that come after this one; `notes` are footnotes, endnotes and comments. `equation` gives
    the words of an equation that is kept in a member of its own.
    """

    def __init__(self, styles: OpenDocumentStyles, equation: Callable[[str], str]) -> None:
        self.frames: list[Element] = []
        self.notes: list[Element] = []
        self._styles = styles
        self._equation = equation
        self._words: list[str] = []

    @property
    def has_followers(self) -> bool:
        """True if something is to be read after the paragraph."""
        return bool(self.frames or self.notes)

    @property
    def text(self) -> str:
        """The words so far; a line break of the file is a newline."""
        return "".join(self._words)

    def read(self, element: Element) -> OdfParagraphWords:
        if element.text:
            self._add(element.text)
        for child in element:
            action = ACTIONS.get(child.tag, OdfParagraphWords.read)
            if action is not None:
                action(self, child)
            if child.tail:
                self._add(child.tail)
        return self

    def _add(self, text: str) -> None:
        """Add text with white space collapsed, and none at the start (OpenDocument 1.2 part 1, 6.1.2)."""
        if "  " in text or "\n" in text or "\t" in text:
            text = _WHITE.sub(" ", text)
        words = self._words
        # A space after a space or at the beginning is none, also across two spans.
        if text[0] == " " and (not words or words[-1][-1:] in (" ", "\n")):
            text = text[1:]
        if text:
            words.append(text)

    def append_text(self, text: str) -> None:
        self._words.append(text)

    def span(self, span: Element) -> None:
        """Read a span's words, unless its style hides them."""
        if not self._styles.find(span.get(STYLE_NAME, "")).is_hidden:
            self.read(span)

    def spaces(self, element: Element) -> None:
        self.append_text(" " * min(parse_whole(element.get(f"{TEXT}c")), MOST_SPACES))

    def ruby(self, ruby: Element) -> None:
        """Read the base text, then its ruby in parentheses, as a reader would say it."""
        for child in ruby:
            if child.tag == f"{TEXT}ruby-text":
                self.append_text("(")
                self.read(child)
                self.append_text(")")
            else:
                self.read(child)

    def note(self, element: Element) -> None:
        """Keep a footnote or comment for after the paragraph: its words would cut the sentence."""
        self.notes.append(element)

    def frame(self, element: Element) -> None:
        """So is a frame, a shape or a table; an equation in it belongs here."""
        for part in element:
            if part.tag == f"{DRAW}object":
                self.append_text(equation_text(part) if len(part) else self._equation(part.get(f"{_XLINK}href", "")))
        self.frames.append(element)

    def equation(self, element: Element) -> None:
        self.append_text(equation_text(element))


_SAYS_NOTHING = frozenset(tags(TEXT, "span a soft-page-break bookmark bookmark-start bookmark-end"))
"""Elements that change nothing of a paragraph's words, unless a style hides them."""


def plain_text(paragraph: Element, styles: OpenDocumentStyles) -> str | None:
    """Read text with spans as `OdfParagraphWords` would, in half the time; None for other paragraphs."""
    text = paragraph.text or ""
    if len(paragraph):
        # A style that hides needs each span looked at.
        if styles.hides:
            return None
        texts = [text]
        for child in paragraph:
            if child.tag not in _SAYS_NOTHING or len(child):
                return None
            texts.append(child.text or "")
            texts.append(child.tail or "")
        text = "".join(texts)
    return _WHITE.sub(" ", text).strip(" ") if "  " in text or "\n" in text or "\t" in text else text.strip(" ")


def equation_text(element: Element) -> str:
    """Return the signs of an equation in MathML, in order; not the notes on how it was made."""
    tokens = element.iter(*(f"{_MATH}{name}" for name in ("mi", "mn", "mo", "mtext", "ms")))
    return " ".join(text for token in tokens if (text := " ".join((token.text or "").split())))


def _put_text_action(text: str) -> Callable[[OdfParagraphWords, Element], object]:
    return lambda words, _: words.append_text(text)


_SHAPES = tags(
    DRAW,
    "frame g custom-shape rect ellipse circle line connector polygon polyline path regular-polygon caption measure"
    " control page-thumbnail text-box",
)
ACTIONS: dict[str, Callable[[OdfParagraphWords, Element], object] | None] = {
    f"{TEXT}span": OdfParagraphWords.span,
    f"{TEXT}s": OdfParagraphWords.spaces,
    f"{TEXT}tab": _put_text_action("\t"),
    f"{TEXT}line-break": _put_text_action("\n"),
    f"{TEXT}ruby": OdfParagraphWords.ruby,
    f"{TEXT}note": OdfParagraphWords.note,
    f"{OFFICE}annotation": OdfParagraphWords.note,
    f"{TABLE}table": OdfParagraphWords.frame,
    f"{_MATH}math": OdfParagraphWords.equation,
    **dict.fromkeys(_SHAPES, OdfParagraphWords.frame),
}
"""Handlers of elements; None skips one, and unlisted ones are searched for words."""
