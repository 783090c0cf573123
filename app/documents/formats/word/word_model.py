"""DOCX model: styles, looks of runs, fields."""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterator, Sequence
from typing import NamedTuple

from app.core.lazy_dataclasses import dataclass
from app.documents.archive import Archive
from app.documents.formats.markup.xml_tree import Element, tags
from app.documents.formats.office.package import RelatedPart, W, is_code_font
from app.documents.formats.office.paragraphs import MOST_ANCESTORS, ParagraphRole

VAL = f"{W}val"
PARAGRAPH, RUN, TEXT, TABLE, ROW, CELL = tags(W, "p r t tbl tr tc")
PROPERTIES, RUN_PROPERTIES, STYLE_NAME = tags(W, "pPr rPr pStyle")
USUAL_PART = "word/document.xml"
NOTES = {"footnote": "footnotes", "endnote": "endnotes", "comment": "comments"}
"""The kinds of notes, and the parts that have them."""
LEFT_OUT = frozenset(tags(W, "del moveFrom sdtPr sectPr pPr tblPr trPr tcPr"))
_SEPARATORS = frozenset(("separator", "continuationSeparator", "continuationNotice"))
_FALSE = ("0", "false", "off")
_HEADING = re.compile(r"heading ([1-9])")
_CODE_NAMES = frozenset(
    ("code", "code block", "codeblock", "source code", "sourcecode", "html preformatted", "preformatted text", "macro")
    + ("macro text", "listing", "program listing", "verbatim")
)


@dataclass(frozen=True)
class WordStyle:
    """A style with what it has from the ones it is based on. `outline` counts from 0; 9 is body text."""

    role: ParagraphRole | None = None
    outline: int | None = None
    num_id: str | None = None
    level: int | None = None
    is_hidden: bool | None = None
    is_monospace: bool | None = None


NO_STYLE = WordStyle()


def notes_in(root: Element, kind: str) -> Iterator[Element]:
    """Yield the notes of a part, but not the lines that divide them from the text."""
    return (element for element in root.iter(f"{W}{kind}") if element.get(f"{W}type") not in _SEPARATORS)


def is_missed(related: RelatedPart, archive: Archive) -> bool:
    """Return whether a part that would be read is not there."""
    return related.kind in ("header", "footer", *NOTES.values()) and related.target not in archive


class WordStyles:
    """Find styles by id, with what they inherit. `root` is that of styles.xml, None without one."""

    def __init__(self, root: Element | None) -> None:
        self._elements: dict[str, Element] = {}
        self._found: dict[str, WordStyle] = {}
        self.default = ""
        """The id of the style of a paragraph that names none."""
        for element in root.iter(f"{W}style") if root is not None else ():
            id_ = element.get(f"{W}styleId", "")
            self._elements[id_] = element
            if element.get(f"{W}type") == "paragraph" and _is_on(element.get(f"{W}default", "0")):
                self.default = id_

    def find(self, id_: str) -> WordStyle:
        """Return a style with what it inherits; an unknown id gives one that changes nothing."""
        found = self._found.get(id_)
        if found is None:
            found = self._found[id_] = self._resolved(id_)
        return found

    def of_paragraph(self, paragraph: Element) -> WordStyle:
        named = paragraph.find(f"{PROPERTIES}/{STYLE_NAME}")
        return self.find(named.get(VAL, "") if named is not None else self.default)

    def seen(self, properties: Element | None, style: WordStyle) -> tuple[bool | None, bool | None]:
        """Return whether a run of these properties is hidden, and in a font for code; `style` is its paragraph's."""
        hidden, monospace = _run_look(properties) if properties is not None else (None, None)
        # Directly on the run first, then its character style, then the paragraph's style.
        if properties is not None and (hidden is None or monospace is None):
            named = properties.find(f"{W}rStyle")
            own = self.find(named.get(VAL, "")) if named is not None else NO_STYLE
            hidden = own.is_hidden if hidden is None else hidden
            monospace = own.is_monospace if monospace is None else monospace
        return style.is_hidden if hidden is None else hidden, style.is_monospace if monospace is None else monospace

    def _resolved(self, id_: str) -> WordStyle:
        lineage: list[WordStyle] = []
        seen: set[str] = set()
        # A style may be based on itself, in a circle or in a chain without end.
        while id_ in self._elements and id_ not in seen and len(seen) < MOST_ANCESTORS:
            seen.add(id_)
            element = self._elements[id_]
            lineage.append(_own_style(element))
            based_on = element.find(f"{W}basedOn")
            id_ = based_on.get(VAL, "") if based_on is not None else ""
        values = {
            name: next((value for word_style in lineage if (value := getattr(word_style, name)) is not None), None)
            for name in WordStyle.__dataclass_fields__
        }
        return WordStyle(**values)


def _own_style(style: Element) -> WordStyle:
    name_element = style.find(f"{W}name")
    name = name_element.get(VAL, "").lower() if name_element is not None else ""
    outline = whole_value(style.find(f"{W}pPr/{W}outlineLvl"))
    heading = _HEADING.fullmatch(name)
    if outline is None and heading:
        outline = int(heading[1]) - 1
    num_id = style.find(f"{W}pPr/{W}numPr/{W}numId")
    properties = style.find(f"{W}rPr")
    hidden, monospace = _run_look(properties) if properties is not None else (None, None)
    return WordStyle(
        _role_of_name(name),
        outline,
        num_id.get(VAL) if num_id is not None else None,
        whole_value(style.find(f"{W}pPr/{W}numPr/{W}ilvl")),
        hidden,
        monospace,
    )


def _role_of_name(name: str) -> ParagraphRole | None:
    if name == "title":
        return ParagraphRole.TITLE
    if name == "caption":
        return ParagraphRole.CAPTION
    if name in _CODE_NAMES:
        return ParagraphRole.CODE
    # Subtitle and normal end the search: a style based on Title is none by that alone.
    return ParagraphRole.BODY if name in ("subtitle", "normal") else None


def _run_look(properties: Element) -> tuple[bool | None, bool | None]:
    """Return whether run properties hide the text, and whether its font is one for code; None where they say
    nothing.
    """
    hidden = monospace = None
    for child in properties:
        if child.tag == f"{W}vanish":
            hidden = _is_on(child.get(VAL, "1"))
        elif child.tag == f"{W}rFonts":
            font = child.get(f"{W}ascii") or child.get(f"{W}hAnsi")
            monospace = is_code_font(font) if font else None
    return hidden, monospace


def _is_on(value: str) -> bool:
    return value.lower() not in _FALSE


def heading_level(style: WordStyle, properties: Element | None) -> int:
    """Return the level, from 1, of the heading that a paragraph of a style and of own properties is; 0 for none."""
    outline = whole_value(properties.find(f"{W}outlineLvl")) if properties is not None else None
    outline = style.outline if outline is None else outline
    if outline is not None and 0 <= outline < LEVELS:
        return outline + 1
    return int(style.role is ParagraphRole.TITLE)


def whole_value(element: Element | None) -> int | None:
    """Return the whole number that an element has as its value."""
    value = element.get(VAL, "") if element is not None else ""
    return int(value) if re.fullmatch(r"-?[0-9]{1,9}", value) else None


LEVELS = 9
# Symbol's letters at the places of a to z and A to Z.
_GREEK_SMALL = "αβχδεφγηιϕκλμνοπθρστυϖωξψζ"
_GREEK_LARGE = "ΑΒΧΔΕΦΓΗΙϑΚΛΜΝΟΠΘΡΣΤΥςΩΞΨΖ"
WINGDINGS = {0x6C: "●", 0x6E: "■", 0x71: "❑", 0x76: "❖", 0xA7: "▪", 0xA8: "◻", 0xD8: "➢", 0xDC: "➲", 0xE0: "→"}
WINGDINGS |= {0xFB: "✗", 0xFC: "✓", 0xFD: "☒", 0xFE: "☑", 0x9F: "•", 0xF0: "⇨", 0x46: "☞", 0x4A: "☺"}
SYMBOL = {0xB7: "•", 0xA8: "♦", 0xAE: "→", 0xDE: "⇒", 0xB3: "≥", 0xA3: "≤", 0xB9: "≠", 0xB1: "±", 0xB4: "×", 0xA5: "∞"}
SYMBOL |= {0xD7: "·", 0xB0: "°", 0xBB: "≈", 0xE5: "∑", 0xD6: "√", 0xCE: "∈", 0xAC: "←", 0xAD: "↑", 0xAF: "↓"}
SYMBOL |= {0x61 + index: letter for index, letter in enumerate(_GREEK_SMALL)}
SYMBOL |= {0x41 + index: letter for index, letter in enumerate(_GREEK_LARGE)}


_NO_LOOK = frozenset(tags(W, "lang noProof rPrChange rtl cs webHidden ins moveTo"))
_WITH_SPACE = frozenset(tags(W, "u strike dstrike highlight shd bdr em"))
_SWITCHES = {"b": "bold", "i": "italic", "strike": "strike", "dstrike": "strike"}
_NAMED = {"hyperlink": "link", "followed hyperlink": "link", "footnote reference": "note"}


class RunStyles(WordStyles):
    """Styles, and how runs look in which something is to be written."""

    is_typewritten = False
    """The document is in a font for code as a whole, which then says nothing."""

    def key(self, run: Element) -> Hashable:
        """Return a key equal for runs that look alike; language and direction don't count."""
        properties = run.find(RUN_PROPERTIES)
        if properties is None:
            return ()
        return tuple(filter(None, (_property_value(child) for child in properties if isinstance(child.tag, str))))

    def is_hidden(self, run: Element, style: WordStyle) -> bool:
        return bool(self.seen(run.find(RUN_PROPERTIES), style)[0])

    def is_monospace(self, run: Element, style: WordStyle) -> bool:
        """Return whether a run is in a font for code."""
        return bool(self.seen(run.find(RUN_PROPERTIES), style)[1]) and not self.is_typewritten

    def shows_space(self, run: Element) -> bool:
        """Return whether white space is visible in this look: underlined, highlighted."""
        properties = run.find(RUN_PROPERTIES)
        return properties is not None and any(child.tag in _WITH_SPACE for child in properties)

    def words_of(self, run: Element) -> list[str]:
        """Return how a run looks, in words of `Mark.look`."""
        properties = run.find(RUN_PROPERTIES)
        if properties is None:
            return []
        named = properties.find(f"{W}rStyle")
        style = self._elements.get(named.get(VAL, "")) if named is not None else None
        words = _looks_of(properties)
        if style is not None:
            name = style.find(f"{W}name")
            words += [_NAMED.get(name.get(VAL, "").lower(), "") if name is not None else ""]
            inside = style.find(RUN_PROPERTIES)
            words += _looks_of(inside) if inside is not None else []
        return [word for word in words if word]


def _looks_of(properties: Element) -> list[str]:
    words = []
    for child in properties:
        name = child.tag.removeprefix(W) if isinstance(child.tag, str) else ""
        value = child.get(VAL, "1")
        if name in _SWITCHES and _is_on(value):
            words.append(_SWITCHES[name])
        elif name == "u" and value != "none":
            words.append("underline")
        elif name == "vertAlign" and value != "baseline":
            words.append("small")
    return words


def _property_value(element: Element) -> Hashable:
    """Return what an element of run properties says; None where it says nothing of the look."""
    if element.tag in _NO_LOOK:
        return None
    attributes = tuple(sorted((name, value) for name, value in element.attrib.items() if name != f"{W}hint"))
    if not attributes and element.tag == f"{W}rFonts":
        return None
    return element.tag, attributes, tuple(_property_value(child) for child in element if isinstance(child.tag, str))


_FIELD = f"{W}fldChar"
INSTRUCTION = f"{W}instrText"
_WORDS = frozenset(
    ("HYPERLINK", "REF", "STYLEREF", "TITLE", "SUBJECT", "KEYWORDS", "COMMENTS", "QUOTE", "IF", "FORMTEXT", "FILLIN")
    + ("ASK", "TOC", "INDEX", "TOA", "BIBLIOGRAPHY", "INCLUDETEXT", "AUTOTEXT", "AUTOTEXTLIST", "GLOSSARY", "FTREF")
)
"""Fields with a result in the document's words; others give numbers, dates, names or citations."""


class RawElement(NamedTuple):
    """An inline element and its run (None outside of one)."""

    run: Element | None
    element: Element

    @property
    def mark(self) -> str:
        """begin, separate, end, or "" if it isn't a field mark."""
        return self.element.get(f"{W}fldCharType", "") if self.element.tag == _FIELD else ""


class WordField(NamedTuple):
    """A field: its code with the marks around it, its result, its end. `is_whole`: it begins and ends here."""

    code: list[RawElement]
    result: list[RawElement]
    end: list[RawElement]
    is_whole: bool


def next_field(raws: Sequence[RawElement], start: int) -> tuple[WordField, int]:
    """Return the field that begins at an index, and the index after it.

    One that has no end here (a table of contents) is its code only, as far as it goes; its result is read as usual.
    """
    depth, separate = 0, 0
    for index in range(start, len(raws)):
        mark = raws[index].mark
        if mark == "begin":
            depth += 1
        elif mark == "separate" and depth == 1:
            separate = separate or index
        elif mark == "end":
            depth -= 1
            if depth == 0:
                # Without a result the field is its code alone.
                cut = separate or index - 1
                found = WordField(list(raws[start : cut + 1]), list(raws[cut + 1 : index]), [raws[index]], True)
                return found, index + 1
    cut = separate + 1 if separate else _code_end(raws, start)
    return WordField(list(raws[start:cut]), [], [], False), cut


def _code_end(raws: Sequence[RawElement], start: int) -> int:
    """Return the end of an unseparated field's code: its last instruction."""
    last = start
    for index in range(start, len(raws)):
        if raws[index].element.tag == INSTRUCTION or raws[index].mark:
            last = index
    return last + 1


def has_words(instruction: str) -> bool:
    """Return whether what a field shows are words to translate."""
    name = instruction.split(maxsplit=1)[0].upper() if instruction.strip() else ""
    return name in _WORDS


def is_link(instruction: str) -> bool:
    return instruction.strip().upper().startswith("HYPERLINK")


def instruction_of(code: Sequence[RawElement]) -> str:
    """Return a field's instruction without those of nested fields."""
    depth, words = 0, []
    for raw in code:
        depth += {"begin": 1, "end": -1}.get(raw.mark, 0)
        if raw.element.tag == INSTRUCTION and depth <= 1:
            words.append(raw.element.text or "")
    return "".join(words)
