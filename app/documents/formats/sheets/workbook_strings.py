"""Strings of a workbook, plain or of runs that look different: shared, in a cell, a comment, a header or footer.

The headers and footers of sheets: texts with codes in them. ECMA-376 part 1, 18.3.1.39 (evenFooter).
"""

from __future__ import annotations

import copy
import re
from collections.abc import Hashable, Sequence
from typing import NamedTuple

from lxml import etree

from app.documents.formats.markup.xml_tree import Element
from app.documents.formats.office.package import MAIN, SPACE, XmlPart, escaped, unescaped
from app.documents.formats.office.runs import (
    Node,
    ParagraphToken,
    RunFormat,
    SingleNode,
    StyledText,
    arranged,
    line_of,
    plan_of,
)
from app.documents.formats.sheets.workbook import SPOKEN, TEXT
from app.documents.segments import Content, SegmentKind
from app.documents.source import ContentCallback

_SECTION = re.compile("(&[LCR])")
_CODE = re.compile(r"(&\"[^\"]*\"|&K(?:[0-9A-Fa-f]{6}|\d\d[+-]\d{3})|&\d{1,3}|&&|&[A-Za-z])")
_SHOWN = frozenset("PNDTZFAGpndtzfag")
"""Page, pages, date, time, path, file, sheet, picture; the others change how what follows looks."""
_NAMES = tuple(f"{MAIN}{when}{what}" for when in ("odd", "even", "first") for what in ("Header", "Footer"))


def rewrite_margins(part: XmlPart, ask: ContentCallback, page: int) -> None:
    """Rewrite each of the three sections of headers and footers."""
    for element in part.root.iter(*_NAMES):
        said = unescaped(element.text or "")
        pieces = _SECTION.split(said)
        made = "".join(piece if _SECTION.fullmatch(piece) else _translate_section(piece, ask, page) for piece in pieces)
        if made != said:
            element.text = escaped(made)
            part.is_changed = True


def _translate_section(said: str, ask: ContentCallback, page: int) -> str:
    plan = plan_of(line_of(_margin_nodes(said), lambda _: []))
    if not plan.has_words:
        return said
    given = ask(plan.content, SegmentKind.HEADER, page)
    if given is None:
        return said
    return _join_tokens(arranged(plan, given))


def _margin_nodes(said: str) -> list[Node]:
    nodes: list[Node] = []
    for part in _CODE.split(said):
        if part == "&&":
            nodes.append(StyledText("&", None))
        elif _CODE.fullmatch(part):
            is_shown = part[1:] in _SHOWN
            nodes.append(SingleNode("field" if is_shown else "other", [part], stays=not is_shown))
        elif part:
            nodes.append(StyledText(part, None))
    return nodes


def _join_tokens(tokens: list[ParagraphToken]) -> str:
    text = ""
    for token in tokens:
        if not isinstance(token.node, StyledText):
            text += "".join(token.node.payload)
            continue
        words = token.node.text.replace("&", "&&")
        # A figure after a size would be read as part of it.
        text += f" {words}" if re.search(r"&\d{1,3}$", text) and words[:1].isdigit() else words
    return text


_RUN, _PROPERTIES = f"{MAIN}r", f"{MAIN}rPr"
_LOOKS = {"b": "bold", "i": "italic", "u": "underline", "strike": "strike", "vertAlign": "small"}
_SIGNS = {"\n": "break", "\t": "tab"}
_PARTS = re.compile("([\n\t])")


class _TextSign(NamedTuple):
    run: Element
    text: str


def rewrite_string(string: Element, ask: ContentCallback, kind: SegmentKind = SegmentKind.CELL, page: int = 0) -> bool:
    """Rewrite a string; return whether it changed. How it is spoken (furigana) is dropped with the words."""
    plan = plan_of(line_of(_string_nodes(string), _look_words))
    if not plan.has_words:
        return False
    given: Content | None = ask(plan.content, kind, page)
    if given is None:
        return False
    _rebuild_string(string, arranged(plan, given))
    return True


def set_text(string: Element, text: str) -> None:
    for child in list(string):
        string.remove(child)
    _write_text(string, text)


def _string_nodes(string: Element) -> list[Node]:
    nodes: list[Node] = []
    for child in string:
        if child.tag == TEXT:
            nodes += _split_text(unescaped(child.text or ""), child, ())
        elif child.tag == _RUN:
            nodes += _split_text(unescaped(child.findtext(TEXT) or ""), child, _run_look(child))
    return nodes


def _split_text(text: str, run: Element, look: Hashable) -> list[Node]:
    nodes: list[Node] = []
    for part in _PARTS.split(text):
        if part in _SIGNS:
            nodes.append(SingleNode(_SIGNS[part], [_TextSign(run, part)], stays=True))
        elif part:
            nodes.append(StyledText(part, run, look))
    return nodes


def _run_look(run: Element) -> Hashable:
    properties = run.find(_PROPERTIES)
    if properties is None:
        return ()
    return tuple((child.tag, tuple(sorted(child.attrib.items()))) for child in properties)


def _look_words(run: Element) -> list[str]:
    properties = run.find(_PROPERTIES)
    if properties is None:
        return []
    names = (
        child.tag.removeprefix(MAIN) for child in properties if child.get("val", "1") not in ("0", "false", "none")
    )
    return [_LOOKS[name] for name in names if name in _LOOKS]


def _rebuild_string(string: Element, tokens: Sequence[ParagraphToken]) -> None:
    """Rebuild a string, plain if it was plain; phonetic properties stay."""
    stretches: list[tuple[Element, str]] = []
    for token in tokens:
        if isinstance(token.node, RunFormat):
            continue
        pieces = [(token.node.run, token.node.text)] if isinstance(token.node, StyledText) else token.node.payload
        for run, text in pieces:
            # Neighbours of one run are one run again.
            if stretches and stretches[-1][0] is run:
                stretches[-1] = (run, stretches[-1][1] + text)
            else:
                stretches.append((run, text))
    for child in list(string):
        if child.tag in (TEXT, _RUN, SPOKEN):
            string.remove(child)
    is_plain = all(run.tag == TEXT for run, _ in stretches)
    if is_plain:
        stretches = [(string, "".join(text for _, text in stretches))]
    for at, (run, text) in enumerate(stretches):
        string.insert(at, _make_run(run, text, is_plain))


def _make_run(run: Element, text: str, is_plain: bool) -> Element:
    if is_plain:
        holder = etree.Element(_RUN, nsmap=run.nsmap)
        _write_text(holder, text)
        return holder[0]
    made = etree.Element(_RUN, nsmap=run.nsmap)
    properties = run.find(_PROPERTIES)
    if properties is not None:
        made.append(copy.deepcopy(properties))
    _write_text(made, text)
    return made


def _write_text(holder: Element, text: str) -> None:
    made = etree.SubElement(holder, TEXT)
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    made.text = escaped(text)
    # Without this a reader may drop white space at the ends.
    if text != text.strip() or "\n" in text:
        made.set(SPACE, "preserve")
