"""The headers and footers of sheets: texts with codes in them. ECMA-376 part 1, 18.3.1.39 (evenFooter)."""

from __future__ import annotations

import re

from app.documents.formats.office.nodes import Node, Single, Text, Token, line_of
from app.documents.formats.office.parts import Part
from app.documents.formats.office.runs import arranged, plan_of
from app.documents.formats.office.text import escaped, unescaped
from app.documents.formats.sheets.workbook import MAIN
from app.documents.segments import SegmentKind
from app.documents.visits import Ask

_SECTION = re.compile("(&[LCR])")
_CODE = re.compile(r"(&\"[^\"]*\"|&K(?:[0-9A-Fa-f]{6}|\d\d[+-]\d{3})|&\d{1,3}|&&|&[A-Za-z])")
_SHOWN = frozenset("PNDTZFAGpndtzfag")
"""Page, pages, date, time, path, file, sheet, picture; the others change how what follows looks."""
_NAMES = tuple(f"{MAIN}{when}{what}" for when in ("odd", "even", "first") for what in ("Header", "Footer"))


def rewrite_margins(part: Part, ask: Ask, page: int) -> None:
    """Each of the up to three sections of every header and footer."""
    for element in part.root.iter(*_NAMES):
        said = unescaped(element.text or "")
        pieces = _SECTION.split(said)
        made = "".join(piece if _SECTION.fullmatch(piece) else _section(piece, ask, page) for piece in pieces)
        if made != said:
            element.text = escaped(made)
            part.is_changed = True


def _section(said: str, ask: Ask, page: int) -> str:
    plan = plan_of(line_of(_nodes(said), lambda _, __: "other"))
    if not plan.has_words:
        return said
    given = ask(plan.content, SegmentKind.HEADER, page)
    if given is None:
        return said
    return _joined(arranged(plan, given))


def _nodes(said: str) -> list[Node]:
    nodes: list[Node] = []
    for part in _CODE.split(said):
        if part == "&&":
            nodes.append(Text("&", None))
        elif _CODE.fullmatch(part):
            is_shown = part[1:] in _SHOWN
            nodes.append(Single("field" if is_shown else "other", [part], stays=not is_shown))
        elif part:
            nodes.append(Text(part, None))
    return nodes


def _joined(tokens: list[Token]) -> str:
    text = ""
    for token in tokens:
        if not isinstance(token.node, Text):
            text += "".join(token.node.payload)
            continue
        words = token.node.text.replace("&", "&&")
        # A figure after a size would be read as part of it.
        text += f" {words}" if re.search(r"&\d{1,3}$", text) and words[:1].isdigit() else words
    return text
