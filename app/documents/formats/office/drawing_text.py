"""Paragraphs of DrawingML, as slides, charts, diagrams and text boxes have them: read into nodes and written back."""

from __future__ import annotations

import copy
import re
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from lxml import etree

from app.documents.formats.office.language import office_language
from app.documents.formats.office.nodes import Anchor, Format, Node, Single, Text, Token
from app.documents.formats.office.package import ALTERNATE, DRAWING, MATH, is_code_font
from app.documents.visits import Target
from app.documents.xml_tree import Element

PARAGRAPH, PROPERTIES = f"{DRAWING}p", f"{DRAWING}pPr"
_RUN, _TEXT, _BREAK, _FIELD = f"{DRAWING}r", f"{DRAWING}t", f"{DRAWING}br", f"{DRAWING}fld"
_RUN_PROPERTIES, _END = f"{DRAWING}rPr", f"{DRAWING}endParaRPr"
_FORMULAS = ("{http://schemas.microsoft.com/office/drawing/2010/main}m", ALTERNATE)
_NO_LOOK = frozenset(("lang", "altLang", "dirty", "err", "noProof", "smtClean", "smtId", "bmk", "kumimoji"))
_OFF = frozenset(("0", "false", "none", "noStrike"))
_SWITCHES = (("b", "bold"), ("i", "italic"), ("u", "underline"), ("strike", "strike"), ("baseline", "small"))
_SIDES = {"l": "r", "r": "l"}
_BREAKS = str.maketrans("\n\t\r", "   ")
_PARTS = re.compile("([\t\n\x0b])")


class Piece(NamedTuple):
    """A tab in a run, or an element of its own."""

    run: Element | None
    element: Element | None
    text: str = ""


@dataclass
class Direction:
    """Marks what is translated as being in the target's language and direction."""

    target: Target

    def paragraph(self, paragraph: Element, runs: Sequence[Element]) -> None:
        """A paragraph and the runs of its words."""
        properties = paragraph.find(PROPERTIES)
        if properties is None and self.target.is_rtl:
            properties = etree.Element(PROPERTIES)
            paragraph.insert(0, properties)
        if properties is not None:
            turn(properties, self.target)
        for run in runs:
            found = run.find(_RUN_PROPERTIES)
            if found is None:
                found = etree.Element(_RUN_PROPERTIES)
                run.insert(0, found)
            found.set("lang", office_language(self.target.language))
        for table in paragraph.iterancestors(f"{DRAWING}tbl"):
            self._table(table)
        end = paragraph.find(_END)
        if end is not None and runs:
            end.set("lang", office_language(self.target.language))

    def _table(self, table: Element) -> None:
        """The order of the columns."""
        properties = table.find(f"{DRAWING}tblPr")
        if properties is None and self.target.is_rtl:
            properties = etree.Element(f"{DRAWING}tblPr")
            table.insert(0, properties)
        if self.target.is_rtl:
            properties.set("rtl", "1")
        elif properties is not None:
            properties.attrib.pop("rtl", None)


def turn(properties: Element, target: Target) -> bool:
    """Paragraph properties in the target's direction; sides are given as on the page there. Whether it changed."""
    is_rtl = properties.get("rtl") in ("1", "true")
    if is_rtl == target.is_rtl:
        return False
    side = properties.get("algn", "")
    if side in _SIDES:
        properties.set("algn", _SIDES[side])
    if target.is_rtl:
        properties.set("rtl", "1")
    else:
        del properties.attrib["rtl"]
    return True


def nodes_of(paragraph: Element) -> list[Node]:
    """What is in a paragraph, in order."""
    nodes: list[Node] = []
    for child in paragraph:
        if child.tag == _RUN:
            nodes += _run(child)
        elif child.tag == _BREAK:
            nodes.append(Single("break", [Piece(None, child)], stays=True))
        elif child.tag == _FIELD:
            nodes.append(Single("field", [Piece(None, child)], child.findtext(_TEXT) or ""))
        elif child.tag in _FORMULAS:
            nodes.append(Single("formula", [Piece(None, child)], _formula(child)))
        elif child.tag not in (PROPERTIES, _END):
            nodes.append(Anchor([Piece(None, child)]))
    return nodes


def rebuild(paragraph: Element, tokens: Sequence[Token]) -> list[Element]:
    """Puts the tokens in the place of all that the paragraph had but its properties; gives the runs with words."""
    for child in list(paragraph):
        if child.tag not in (PROPERTIES, _END):
            child.tail = None
            paragraph.remove(child)
    end = paragraph.find(_END)
    made: list[Element] = []
    words: list[Element] = []
    source = None
    for token in tokens:
        node = token.node
        if isinstance(node, Text):
            if source is not node.run:
                source = node.run
                made.append(_like(source))
                words.append(made[-1])
            made[-1][-1].text = (made[-1][-1].text or "") + node.text.translate(_BREAKS)
        elif not isinstance(node, Format):
            source = None
            made += [_written(piece) for piece in node.payload]
    for element in made:
        if end is None:
            paragraph.append(element)
        else:
            end.addprevious(element)
    return words


def difference(base: Element, other: Element) -> str:
    """A word of `Mark.look` for what the second has and the first has not."""
    mine, theirs = _words(base), _words(other)
    return next((word for word in theirs if word not in mine), "other")


def _run(run: Element) -> list[Node]:
    text = run.findtext(_TEXT) or ""
    properties = run.find(_RUN_PROPERTIES)
    font = properties.find(f"{DRAWING}latin") if properties is not None else None
    if font is not None and text.strip() and is_code_font(font.get("typeface", "")):
        return [Single("code", [Piece(run, None, text)], text)]
    look = _look(properties)
    nodes: list[Node] = []
    for part in _PARTS.split(text):
        if part in ("\t", "\x0b", "\n"):
            nodes.append(Single("tab" if part == "\t" else "break", [Piece(run, None, part)], stays=True))
        elif part:
            blank = [Piece(run, None, part)] if part.isspace() and _words(run) else None
            nodes.append(Text(part, run, look, blank))
    return nodes


def _look(properties: Element | None) -> Hashable:
    if properties is None:
        return ((), ())
    attributes = tuple(sorted((name, value) for name, value in properties.attrib.items() if name not in _NO_LOOK))
    return attributes, tuple(etree.tostring(each, with_tail=False) for each in properties)


def _words(run: Element) -> list[str]:
    properties = run.find(_RUN_PROPERTIES)
    if properties is None:
        return []
    words = [word for name, word in _SWITCHES if properties.get(name, "0") not in _OFF]
    has_link = any(properties.find(f"{DRAWING}{name}") is not None for name in ("hlinkClick", "hlinkMouseOver"))
    return ["link", *words] if has_link else words


def _like(run: Element) -> Element:
    """A new run that looks like another one, with an empty text."""
    made = etree.Element(_RUN, nsmap=run.nsmap)
    properties = run.find(_RUN_PROPERTIES)
    if properties is not None:
        made.append(copy.deepcopy(properties))
    etree.SubElement(made, _TEXT)
    return made


def _written(piece: Piece) -> Element:
    if piece.element is not None or piece.run is None:
        return piece.element
    made = _like(piece.run)
    made[-1].text = piece.text
    return made


def _formula(element: Element) -> str:
    """The text of an equation; what stands for it in older programs is a picture."""
    return "".join(each.text or "" for each in element.iter(f"{MATH}t"))
