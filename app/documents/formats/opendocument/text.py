"""The words of one paragraph of an OpenDocument, and what hangs on it: notes, comments, frames."""

from __future__ import annotations

import re
from collections.abc import Callable

from app.documents.formats.opendocument.styles import DRAW, OFFICE, PRESENTATION, STYLE, TABLE, TEXT, Styles
from app.documents.xml_tree import Element

_MATH = "{http://www.w3.org/1998/Math/MathML}"
XLINK = "{http://www.w3.org/1999/xlink}"
_SVG = "{urn:oasis:names:tc:opendocument:xmlns:svg-compatible:1.0}"
_STYLE_NAME = f"{TEXT}style-name"
_MOST_SPACES = 100
_WHITE = re.compile(r"[ \t\r\n]+")
PARAGRAPHS = frozenset((f"{TEXT}p", f"{TEXT}h"))


class Words:
    """Walks over one paragraph and keeps what it finds, in order.

    `frames` hold paragraphs that come after this one; `notes` are footnotes, endnotes and comments. `equation` gives
    the words of an equation that is kept in a member of its own.
    """

    def __init__(self, styles: Styles, equation: Callable[[str], str]) -> None:
        self.frames: list[Element] = []
        self.notes: list[Element] = []
        self._styles = styles
        self._equation = equation
        self._words: list[str] = []

    @property
    def has_followers(self) -> bool:
        """Whether something is to be read after the paragraph."""
        return bool(self.frames or self.notes)

    @property
    def text(self) -> str:
        """The paragraph's text; a line break inside is a line end."""
        return "".join(self._words)

    def read(self, element: Element) -> Words:
        """Takes in all that is in an element."""
        if element.text:
            self._add(element.text)
        for child in element:
            action = _ACTIONS.get(child.tag, Words.read)
            if action is not None:
                action(self, child)
            if child.tail:
                self._add(child.tail)
        return self

    def _add(self, text: str) -> None:
        """White space is one space and none at the paragraph's start (OpenDocument 1.2 part 1, 6.1.2)."""
        if "  " in text or "\n" in text or "\t" in text:
            text = _WHITE.sub(" ", text)
        words = self._words
        if text[0] == " " and (not words or words[-1][-1:] in (" ", "\n")):
            text = text[1:]
        if text:
            words.append(text)

    def put(self, text: str) -> None:
        """Text as it is."""
        self._words.append(text)

    def span(self, span: Element) -> None:
        """Text of one look; hidden text is left out."""
        if not self._styles.find(span.get(_STYLE_NAME, "")).is_hidden:
            self.read(span)

    def spaces(self, element: Element) -> None:
        """Spaces that are meant."""
        count = element.get(f"{TEXT}c", "1")
        self.put(" " * min(int(count) if re.fullmatch("[0-9]{1,9}", count) else 1, _MOST_SPACES))

    def ruby(self, ruby: Element) -> None:
        """The text, and in parentheses how it is read."""
        for child in ruby:
            if child.tag == f"{TEXT}ruby-text":
                self.put("(")
                self.read(child)
                self.put(")")
            else:
                self.read(child)

    def note(self, element: Element) -> None:
        """A note is read after the paragraph."""
        self.notes.append(element)

    def frame(self, element: Element) -> None:
        """So is a frame, a shape or a table; an equation in it belongs here."""
        for each in element:
            if each.tag == f"{DRAW}object":
                self.put(equation_text(each) if len(each) else self._equation(each.get(f"{XLINK}href", "")))
        self.frames.append(element)

    def equation(self, element: Element) -> None:
        """The words of an equation."""
        self.put(equation_text(element))


_SAYS_NOTHING = frozenset(
    f"{TEXT}{name}" for name in ("span", "a", "soft-page-break", "bookmark", "bookmark-start", "bookmark-end")
)
"""Elements that change nothing of a paragraph's words, unless a style hides them."""


def plain_text(paragraph: Element, styles: Styles) -> str | None:
    """Most paragraphs are text with spans: this is `Words` for them, in half the time; None for all others."""
    text = paragraph.text or ""
    if len(paragraph):
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
    """The signs of an equation in MathML, in order; not the notes on how it was made."""
    tokens = element.iter(*(f"{_MATH}{name}" for name in ("mi", "mn", "mo", "mtext", "ms")))
    return " ".join(text for each in tokens if (text := " ".join((each.text or "").split())))


def _putting(text: str) -> Callable[[Words, Element], object]:
    return lambda words, _: words.put(text)


_SHAPES = (
    *("frame", "g", "custom-shape", "rect", "ellipse", "circle", "line", "connector", "polygon", "polyline", "path"),
    *("regular-polygon", "caption", "measure", "control", "page-thumbnail", "text-box"),
)
_ACTIONS: dict[str, Callable[[Words, Element], object] | None] = {
    f"{TEXT}span": Words.span,
    f"{TEXT}s": Words.spaces,
    f"{TEXT}tab": _putting("\t"),
    f"{TEXT}line-break": _putting("\n"),
    f"{TEXT}ruby": Words.ruby,
    f"{TEXT}note": Words.note,
    f"{OFFICE}annotation": Words.note,
    f"{TABLE}table": Words.frame,
    f"{_MATH}math": Words.equation,
    **dict.fromkeys((f"{DRAW}{name}" for name in _SHAPES), Words.frame),
}
"""What to do with an element; None leaves it out, and in one that is not here the words are looked for."""
LEFT_OUT = frozenset(
    (f"{TEXT}note-citation", f"{TEXT}hidden-text", f"{TEXT}hidden-paragraph", f"{TEXT}tracked-changes", f"{TEXT}script")
    + (f"{OFFICE}annotation-end", f"{OFFICE}binary-data", f"{OFFICE}event-listeners", f"{OFFICE}forms")
    + (f"{OFFICE}scripts", f"{OFFICE}font-face-decls", f"{OFFICE}settings", f"{DRAW}image", f"{DRAW}glue-point")
    + (f"{_SVG}title", f"{_SVG}desc", f"{PRESENTATION}event-listener", f"{STYLE}style", f"{TABLE}tracked-changes")
    + tuple(
        f"{TEXT}{name}-source"
        for name in ("table-of-content", "alphabetical-index", "illustration-index", "table-index", "object-index")
        + ("user-index", "bibliography", "section", "dde-connection")
    )
)
_ACTIONS |= dict.fromkeys(LEFT_OUT)
