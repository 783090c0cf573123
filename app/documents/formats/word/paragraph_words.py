"""Words of one paragraph of a DOCX, and what hangs on it: notes, text boxes, drawings."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from app.documents.formats.markup.xml_tree import Element, tags
from app.documents.formats.office.package import (
    ALTERNATE,
    CHART,
    DIAGRAM,
    DRAWING,
    MATH,
    RELATIONSHIPS,
    VML,
    W,
    children_read,
)
from app.documents.formats.word import list_labels, word_model
from app.documents.formats.word.word_model import RUN_PROPERTIES, STYLE_NAME, TEXT, VAL, WordStyle, WordStyles


class NoteMark(NamedTuple):
    """Call of a footnote, endnote or comment, by id."""

    kind: str
    id: str


_PICTURE = "{http://schemas.openxmlformats.org/drawingml/2006/picture}pic"


class WordParagraphWords:
    """Walks over one paragraph and keeps what it finds, in order.

    `boxes` are text boxes, whose paragraphs come after this one; `parts` are relationship ids of diagrams and charts.
    """

    def __init__(self, styles: WordStyles, style: WordStyle = word_model.NO_STYLE) -> None:
        self.boxes: list[Element] = []
        self.marks: list[NoteMark] = []
        self.parts: list[str] = []
        self.pictures = 0
        self._styles = styles
        self._style = style
        self._words: list[str] = []
        self._fields: list[int | None] = []
        self._monospace = 0
        self._proportional = 0

    @property
    def text(self) -> str:
        """Words of the paragraph in order; a line break of the file is a newline."""
        return "".join(self._words)

    @property
    def has_followers(self) -> bool:
        """True if something is to be read after the paragraph."""
        return bool(self.boxes or self.marks or self.parts)

    @property
    def is_monospace(self) -> bool:
        """True if all of the text is in a font for code."""
        return self._monospace > 0 and self._proportional == 0

    def read(self, element: Element) -> WordParagraphWords:
        for child in element:
            tag = child.tag
            if tag == TEXT:
                self.add(child.text or "")
            elif (action := ACTIONS.get(tag, WordParagraphWords.read)) is not None:
                action(self, child)
        return self

    def add(self, text: str) -> None:
        """Add words; a newline in the XML is only how it was wrapped."""
        self._words.append(text.replace("\n", " ") if "\n" in text else text)

    def append_text(self, text: str) -> None:
        self._words.append(text)

    def run(self, run: Element) -> None:
        """Read a run, unless it is hidden, and count whether its font is one for code."""
        hidden, monospace = self._style.is_hidden, self._style.is_monospace
        first = run[0] if len(run) else None
        if first is not None and first.tag == RUN_PROPERTIES and len(first):
            hidden, monospace = self._styles.seen(first, self._style)
        if hidden:
            return
        before = len(self._words)
        self.read(run)
        if any(not word.isspace() for word in self._words[before:]):
            self._monospace += bool(monospace)
            self._proportional += not monospace

    # w:fldChar begin … separate … end: between begin and separate stands the instruction.
    def field(self, mark: Element) -> None:
        """Handle a field mark. The instruction ends at the result; what was added of it is removed then."""
        kind = mark.get(f"{W}fldCharType")
        if kind == "begin":
            self._fields.append(len(self._words))
        elif kind in ("separate", "end") and self._fields:
            begin = self._fields[-1]
            if begin is not None:
                del self._words[begin:]
            self._fields[-1] = None
            if kind == "end":
                self._fields.pop()

    def ruby(self, ruby: Element) -> None:
        """Read the base text, then its ruby in parentheses, as a reader would say it."""
        for name, before, after in (("rubyBase", "", ""), ("rt", "(", ")")):
            for element in ruby.findall(f"{W}{name}"):
                self.append_text(before)
                self.read(element)
                self.append_text(after)

    def alternate(self, element: Element) -> None:
        for branch in children_read(element):
            self.read(branch)

    def box(self, element: Element) -> None:
        self.boxes.append(element)

    def symbol(self, element: Element) -> None:
        self.append_text(list_labels.symbol_of(element))

    def mark(self, element: Element) -> None:
        kind = element.tag.removeprefix(W).removesuffix("Reference")
        self.marks.append(NoteMark(kind, element.get(f"{W}id", "")))

    def part(self, element: Element) -> None:
        """Keep a drawing stored in its own part for later."""
        name = f"{RELATIONSHIPS}dm" if element.tag == f"{DIAGRAM}relIds" else f"{RELATIONSHIPS}id"
        self.parts.append(element.get(name, ""))

    def picture(self, _: Element) -> None:
        """Count a picture; alternative text is no text of the document."""
        self.pictures += 1

    def word_art(self, element: Element) -> None:
        """Read text along a path, which is in an attribute."""
        self.append_text(element.get("string", ""))

    def drawn_paragraph(self, element: Element) -> None:
        self.read(element)
        self.append_text("\n")


_Action = Callable[[WordParagraphWords, Element], object]


def _put_text_action(text: str) -> _Action:
    return lambda words, _: words.append_text(text)


def _led_by(sign: str) -> _Action:
    """Return a handler for parts of equations known only by position."""

    def read(words: WordParagraphWords, element: Element) -> None:
        words.append_text(sign)
        words.read(element)

    return read


ACTIONS: dict[str, _Action | None] = {
    word_model.RUN: WordParagraphWords.run,
    f"{W}tab": _put_text_action("\t"),
    f"{W}ptab": _put_text_action("\t"),
    f"{W}br": _put_text_action("\n"),
    f"{W}cr": _put_text_action("\n"),
    f"{W}noBreakHyphen": _put_text_action("\u2011"),
    f"{W}sym": WordParagraphWords.symbol,
    f"{W}fldChar": WordParagraphWords.field,
    f"{W}footnoteReference": WordParagraphWords.mark,
    f"{W}endnoteReference": WordParagraphWords.mark,
    f"{W}commentReference": WordParagraphWords.mark,
    f"{W}txbxContent": WordParagraphWords.box,
    f"{W}ruby": WordParagraphWords.ruby,
    ALTERNATE: WordParagraphWords.alternate,
    f"{MATH}t": lambda words, element: words.add(element.text or ""),
    # A fraction, a power and an index have no sign of their own in OMML.
    f"{MATH}den": _led_by("/"),
    f"{MATH}sup": _led_by("^"),
    f"{MATH}sub": _led_by("_"),
    f"{DRAWING}t": lambda words, element: words.add(element.text or ""),
    f"{DRAWING}p": WordParagraphWords.drawn_paragraph,
    f"{DIAGRAM}relIds": WordParagraphWords.part,
    f"{CHART}chart": WordParagraphWords.part,
    _PICTURE: WordParagraphWords.picture,
    f"{VML}imagedata": WordParagraphWords.picture,
    f"{VML}textpath": WordParagraphWords.word_art,
}
"""Handlers of elements; None skips one, and unlisted ones are searched for words."""
# Only these were seen in paragraphs; anything else is walked properly.
_SAYS_NOTHING = frozenset(
    tags(W, "p r pPr rPr proofErr bookmarkStart bookmarkEnd lastRenderedPageBreak smartTag hyperlink b bCs i iCs u sz")
    + tags(W, "szCs color lang noProof kern highlight vertAlign cs spacing ind jc keepNext keepLines widowControl shd")
    + tags(W, "contextualSpacing rtl bidi caps smallCaps strike position w pBdr top bottom left right between")
    + tags(W, "textAlignment snapToGrid autoSpaceDE autoSpaceDN adjustRightInd suppressAutoHyphens")
)
"""Elements that change neither the words of a paragraph nor what it is."""


class _PlainText(NamedTuple):
    """A paragraph of which nothing is to be known but its text and its style."""

    text: str
    style_id: str
    style: WordStyle


def plain_text(paragraph: Element, styles: WordStyles) -> _PlainText | None:
    """Read plain text as `WordParagraphWords` would, in a third of the time; None for other paragraphs."""
    texts = []
    style_id = styles.default
    for element in paragraph.iter():
        tag = element.tag
        if tag == TEXT:
            texts.append(element.text or "")
        elif tag == STYLE_NAME:
            style_id = element.get(VAL, "")
        elif tag not in _SAYS_NOTHING:
            return None
    style = styles.find(style_id)
    if style.is_hidden:
        return None
    text = "".join(texts)
    return _PlainText(text.replace("\n", " ") if "\n" in text else text, style_id, style)
