"""Strings of a workbook, plain or of runs that look different: shared, in a cell, in a comment (CT_Rst)."""

from __future__ import annotations

import copy
import re
from collections.abc import Hashable, Sequence
from typing import NamedTuple

from lxml import etree

from app.documents.formats.office.nodes import Format, Node, Single, Text, Token, line_of
from app.documents.formats.office.runs import arranged, plan_of
from app.documents.formats.office.text import escaped, unescaped
from app.documents.formats.sheets.workbook import MAIN
from app.documents.segments import Content, SegmentKind
from app.documents.visits import Ask
from app.documents.xml_tree import Element

TEXT, _RUN, _PROPERTIES = f"{MAIN}t", f"{MAIN}r", f"{MAIN}rPr"
_SPOKEN = f"{MAIN}rPh"
_SPACE = "{http://www.w3.org/XML/1998/namespace}space"
_LOOKS = {"b": "bold", "i": "italic", "u": "underline", "strike": "strike", "vertAlign": "small"}
_SIGNS = {"\n": "break", "\t": "tab"}
_PARTS = re.compile("([\n\t])")


class _Sign(NamedTuple):
    run: Element
    text: str


def rewrite_string(
    string: Element, ask: Ask, kind: SegmentKind = SegmentKind.CELL, page: int = 0, context: str = ""
) -> bool:
    """Asks for a string and writes it back; whether it changed. How it is spoken goes with the words."""
    plan = plan_of(line_of(_nodes(string), _difference))
    if not plan.has_words:
        return False
    given: Content | None = ask(plan.content, kind, page, 0, context)
    if given is None:
        return False
    _rebuild(string, arranged(plan, given))
    return True


def text_of(string: Element) -> str:
    """The words of a string."""
    texts = (each for each in string.iter(TEXT) if each.getparent().tag != _SPOKEN)
    return unescaped("".join(each.text or "" for each in texts))


def set_text(string: Element, text: str) -> None:
    """A string of these words, in one look."""
    for child in list(string):
        string.remove(child)
    _put(string, text)


def _nodes(string: Element) -> list[Node]:
    nodes: list[Node] = []
    for child in string:
        if child.tag == TEXT:
            nodes += _split(unescaped(child.text or ""), child, ())
        elif child.tag == _RUN:
            nodes += _split(unescaped(child.findtext(TEXT) or ""), child, _look(child))
    return nodes


def _split(text: str, run: Element, look: Hashable) -> list[Node]:
    """Texts and the signs between them."""
    nodes: list[Node] = []
    for part in _PARTS.split(text):
        if part in _SIGNS:
            nodes.append(Single(_SIGNS[part], [_Sign(run, part)], stays=True))
        elif part:
            nodes.append(Text(part, run, look))
    return nodes


def _look(run: Element) -> Hashable:
    properties = run.find(_PROPERTIES)
    if properties is None:
        return ()
    return tuple((each.tag, tuple(sorted(each.attrib.items()))) for each in properties)


def _difference(base: Element, other: Element) -> str:
    mine, theirs = _words(base), _words(other)
    return next((word for word in theirs if word not in mine), "other")


def _words(run: Element) -> list[str]:
    properties = run.find(_PROPERTIES)
    if properties is None:
        return []
    names = (each.tag.removeprefix(MAIN) for each in properties if each.get("val", "1") not in ("0", "false", "none"))
    return [_LOOKS[name] for name in names if name in _LOOKS]


def _rebuild(string: Element, tokens: Sequence[Token]) -> None:
    """Plain where it was plain; the properties of how a string is spoken stay."""
    stretches: list[tuple[Element, str]] = []
    for token in tokens:
        if isinstance(token.node, Format):
            continue
        pieces = [(token.node.run, token.node.text)] if isinstance(token.node, Text) else token.node.payload
        for run, text in pieces:
            if stretches and stretches[-1][0] is run:
                stretches[-1] = (run, stretches[-1][1] + text)
            else:
                stretches.append((run, text))
    for child in list(string):
        if child.tag in (TEXT, _RUN, _SPOKEN):
            string.remove(child)
    is_plain = all(run.tag == TEXT for run, _ in stretches)
    if is_plain:
        stretches = [(string, "".join(text for _, text in stretches))]
    for at, (run, text) in enumerate(stretches):
        string.insert(at, _made(run, text, is_plain))


def _made(run: Element, text: str, is_plain: bool) -> Element:
    if is_plain:
        holder = etree.Element(_RUN, nsmap=run.nsmap)
        _put(holder, text)
        return holder[0]
    made = etree.Element(_RUN, nsmap=run.nsmap)
    properties = run.find(_PROPERTIES)
    if properties is not None:
        made.append(copy.deepcopy(properties))
    _put(made, text)
    return made


def _put(holder: Element, text: str) -> None:
    made = etree.SubElement(holder, TEXT)
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    made.text = escaped(text)
    if text != text.strip() or "\n" in text:
        made.set(_SPACE, "preserve")
