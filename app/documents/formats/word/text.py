"""The words of one paragraph of a DOCX, and what hangs on it: notes, text boxes, drawings."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from app.documents.formats.office.package import CHART, COMPATIBILITY, DIAGRAM, DRAWING, MATH, RELATIONSHIPS, chosen
from app.documents.formats.word.numbering import symbol
from app.documents.formats.word.styles import NO_STYLE, VAL, Style, Styles, W, look
from app.documents.xml_tree import Element

_PICTURE = "{http://schemas.openxmlformats.org/drawingml/2006/picture}pic"
_VML = "{urn:schemas-microsoft-com:vml}"
_TEXT, _RUN, _RUN_PROPERTIES = f"{W}t", f"{W}r", f"{W}rPr"


class NoteMark(NamedTuple):
    """Where a note is called: footnote, endnote or comment, and its id."""

    kind: str
    id: str


class Words:
    """Walks over one paragraph and keeps what it finds, in order.

    `boxes` are text boxes, whose paragraphs come after this one; `parts` are relationship ids of diagrams and charts.
    """

    def __init__(self, styles: Styles, style: Style = NO_STYLE) -> None:
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
        """The paragraph's text; a line break inside is a line end."""
        return "".join(self._words)

    @property
    def has_followers(self) -> bool:
        """Whether something is to be read after the paragraph."""
        return bool(self.boxes or self.marks or self.parts)

    @property
    def is_monospace(self) -> bool:
        """Whether all of the text is in a font for code."""
        return self._monospace > 0 and self._proportional == 0

    def read(self, element: Element) -> Words:
        """Takes in all that is below an element."""
        for child in element:
            tag = child.tag
            if tag == _TEXT:
                self.add(child.text or "")
            elif (action := _ACTIONS.get(tag, Words.read)) is not None:
                action(self, child)
        return self

    def add(self, text: str) -> None:
        """A line end in the XML is only a space."""
        self._words.append(text.replace("\n", " ") if "\n" in text else text)

    def put(self, text: str) -> None:
        """Text as it is."""
        self._words.append(text)

    def run(self, run: Element) -> None:
        """A run of one look; hidden text is left out."""
        hidden, monospace = self._style.is_hidden, self._style.is_monospace
        first = run[0] if len(run) else None
        if first is not None and first.tag == _RUN_PROPERTIES and len(first):
            hidden, monospace = self._look(first)
        if hidden:
            return
        before = len(self._words)
        self.read(run)
        if any(not word.isspace() for word in self._words[before:]):
            self._monospace += bool(monospace)
            self._proportional += not monospace

    def _look(self, properties: Element) -> tuple[bool | None, bool | None]:
        hidden, monospace = look(properties)
        named = properties.find(f"{W}rStyle") if hidden is None or monospace is None else None
        for style in (self._styles.find(named.get(VAL, "")) if named is not None else NO_STYLE, self._style):
            hidden = style.is_hidden if hidden is None else hidden
            monospace = style.is_monospace if monospace is None else monospace
        return hidden, monospace

    def field(self, mark: Element) -> None:
        """A field's instruction ends where its result begins; what was shown of it is taken back then."""
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
        """The text, and in parentheses how it is read."""
        for name, before, after in (("rubyBase", "", ""), ("rt", "(", ")")):
            for each in ruby.findall(f"{W}{name}"):
                self.put(before)
                self.read(each)
                self.put(after)

    def alternate(self, element: Element) -> None:
        """One of several ways to say the same."""
        for branch in chosen(element):
            self.read(branch)

    def box(self, element: Element) -> None:
        """A text box."""
        self.boxes.append(element)

    def symbol(self, element: Element) -> None:
        """A character of a font."""
        try:
            self.put(symbol(int(element.get(f"{W}char", ""), 16), element.get(f"{W}font", "")))
        except (ValueError, OverflowError):
            self.put("•")

    def mark(self, element: Element) -> None:
        """A call of a note."""
        kind = element.tag.removeprefix(W).removesuffix("Reference")
        self.marks.append(NoteMark(kind, element.get(f"{W}id", "")))

    def part(self, element: Element) -> None:
        """A drawing that is kept in a part of its own."""
        name = f"{RELATIONSHIPS}dm" if element.tag == f"{DIAGRAM}relIds" else f"{RELATIONSHIPS}id"
        self.parts.append(element.get(name, ""))

    def picture(self, _: Element) -> None:
        """A picture, which has no text that this program reads."""
        self.pictures += 1

    def word_art(self, element: Element) -> None:
        """Text that is drawn along a path is in an attribute."""
        self.put(element.get("string", ""))

    def drawn_paragraph(self, element: Element) -> None:
        """A paragraph of DrawingML inside a drawing."""
        self.read(element)
        self.put("\n")


Action = Callable[[Words, Element], object]


def _putting(text: str) -> Action:
    return lambda words, _: words.put(text)


def _led_by(sign: str) -> Action:
    """For the parts of equations that are only told by where they stand."""

    def read(words: Words, element: Element) -> None:
        words.put(sign)
        words.read(element)

    return read


_ACTIONS: dict[str, Action | None] = {
    _RUN: Words.run,
    f"{W}tab": _putting("\t"),
    f"{W}ptab": _putting("\t"),
    f"{W}br": _putting("\n"),
    f"{W}cr": _putting("\n"),
    f"{W}noBreakHyphen": _putting("\u2011"),
    f"{W}sym": Words.symbol,
    f"{W}fldChar": Words.field,
    f"{W}footnoteReference": Words.mark,
    f"{W}endnoteReference": Words.mark,
    f"{W}commentReference": Words.mark,
    f"{W}txbxContent": Words.box,
    f"{W}ruby": Words.ruby,
    f"{COMPATIBILITY}AlternateContent": Words.alternate,
    f"{MATH}t": lambda words, element: words.add(element.text or ""),
    f"{MATH}den": _led_by("/"),
    f"{MATH}sup": _led_by("^"),
    f"{MATH}sub": _led_by("_"),
    f"{DRAWING}t": lambda words, element: words.add(element.text or ""),
    f"{DRAWING}p": Words.drawn_paragraph,
    f"{DIAGRAM}relIds": Words.part,
    f"{CHART}chart": Words.part,
    _PICTURE: Words.picture,
    f"{_VML}imagedata": Words.picture,
    f"{_VML}textpath": Words.word_art,
}
"""What to do with an element; None leaves it out, and in one that is not here the words are looked for."""
_ACTIONS |= dict.fromkeys(
    f"{W}{name}"
    for name in ("pPr", "rPr", "sdtPr", "sdtEndPr", "tblPr", "tblGrid", "trPr", "tcPr", "sectPr", "fldData")
    + ("del", "moveFrom", "delText", "instrText", "delInstrText", "softHyphen", "ffData")
)
_STYLE_NAME = f"{W}pStyle"
_SAYS_NOTHING = frozenset(
    f"{W}{name}"
    for name in (
        "p",
        "r",
        "pPr",
        "rPr",
        "proofErr",
        "bookmarkStart",
        "bookmarkEnd",
        "lastRenderedPageBreak",
        "smartTag",
    )
    + ("b", "bCs", "i", "iCs", "u", "sz", "szCs", "color", "lang", "noProof", "kern", "highlight", "vertAlign", "cs")
    + ("spacing", "ind", "jc", "keepNext", "keepLines", "widowControl", "shd", "contextualSpacing", "rtl", "bidi")
    + (
        "smartTag",
        "hyperlink",
        "caps",
        "smallCaps",
        "strike",
        "position",
        "w",
        "pBdr",
        "top",
        "bottom",
        "left",
        "right",
        "between",
    )
    + ("textAlignment", "snapToGrid", "autoSpaceDE", "autoSpaceDN", "adjustRightInd", "suppressAutoHyphens")
)
"""Elements that change neither the words of a paragraph nor what it is."""


class PlainText(NamedTuple):
    """A paragraph of which nothing is to be known but its text and its style."""

    text: str
    style_id: str
    style: Style


def plain_text(paragraph: Element, styles: Styles) -> PlainText | None:
    """Most paragraphs are nothing but text: this is `Words` for them, in a third of the time; None for all others."""
    texts = []
    style_id = styles.default
    for element in paragraph.iter():
        tag = element.tag
        if tag == _TEXT:
            texts.append(element.text or "")
        elif tag == _STYLE_NAME:
            style_id = element.get(VAL, "")
        elif tag not in _SAYS_NOTHING:
            return None
    style = styles.find(style_id)
    if style.is_hidden:
        return None
    text = "".join(texts)
    return PlainText(text.replace("\n", " ") if "\n" in text else text, style_id, style)
