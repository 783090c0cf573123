"""The styles of a DOCX: what a paragraph is by its style, whichever language Word was in."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum, auto

from app.documents.formats.office.package import is_code_font
from app.documents.xml_tree import Element

W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
VAL = f"{W}val"
PROPERTIES, RUN_PROPERTIES = f"{W}pPr", f"{W}rPr"
_MOST_ANCESTORS = 30
_FALSE = ("0", "false", "off")
_HEADING = re.compile(r"heading ([1-9])")
_CODE_NAMES = frozenset(
    ("code", "code block", "codeblock", "source code", "sourcecode", "html preformatted", "preformatted text", "macro")
    + ("macro text", "listing", "program listing", "verbatim")
)


class Role(Enum):
    """What a style makes of a paragraph beyond its outline level."""

    TITLE = auto()
    CAPTION = auto()
    CODE = auto()
    BODY = auto()


@dataclass(frozen=True)
class Style:
    """A style with what it has from the ones it is based on. `outline` counts from 0; 9 is body text."""

    role: Role | None = None
    outline: int | None = None
    num_id: str | None = None
    level: int | None = None
    is_hidden: bool | None = None
    is_monospace: bool | None = None


NO_STYLE = Style()


class Styles:
    """Looks styles up by their ids. `root` is styles.xml, None where there is none."""

    def __init__(self, root: Element | None) -> None:
        self._elements: dict[str, Element] = {}
        self._found: dict[str, Style] = {}
        self.default = ""
        """The id of the style of a paragraph that names none."""
        for each in root.iter(f"{W}style") if root is not None else ():
            id_ = each.get(f"{W}styleId", "")
            self._elements[id_] = each
            if each.get(f"{W}type") == "paragraph" and is_on(each.get(f"{W}default", "0")):
                self.default = id_

    def find(self, id_: str) -> Style:
        """The style of this id; an unknown one changes nothing."""
        found = self._found.get(id_)
        if found is None:
            found = self._found[id_] = self._resolved(id_)
        return found

    def _resolved(self, id_: str) -> Style:
        lineage: list[Style] = []
        seen: set[str] = set()
        while id_ in self._elements and id_ not in seen and len(seen) < _MOST_ANCESTORS:
            seen.add(id_)
            element = self._elements[id_]
            lineage.append(_own(element))
            based_on = element.find(f"{W}basedOn")
            id_ = based_on.get(VAL, "") if based_on is not None else ""
        values = {
            name: next((value for each in lineage if (value := getattr(each, name)) is not None), None)
            for name in Style.__dataclass_fields__
        }
        return Style(**values)


def _own(style: Element) -> Style:
    """What a style says itself."""
    name_element = style.find(f"{W}name")
    name = name_element.get(VAL, "").lower() if name_element is not None else ""
    outline = whole(style.find(f"{W}pPr/{W}outlineLvl"))
    heading = _HEADING.fullmatch(name)
    if outline is None and heading:
        outline = int(heading[1]) - 1
    num_id = style.find(f"{W}pPr/{W}numPr/{W}numId")
    properties = style.find(f"{W}rPr")
    hidden, monospace = look(properties) if properties is not None else (None, None)
    return Style(
        _role(name),
        outline,
        num_id.get(VAL) if num_id is not None else None,
        whole(style.find(f"{W}pPr/{W}numPr/{W}ilvl")),
        hidden,
        monospace,
    )


def _role(name: str) -> Role | None:
    if name == "title":
        return Role.TITLE
    if name == "caption":
        return Role.CAPTION
    if name in _CODE_NAMES:
        return Role.CODE
    return Role.BODY if name in ("subtitle", "normal") else None


def look(properties: Element) -> tuple[bool | None, bool | None]:
    """Whether run properties hide the text, and whether its font is one for code; None where they say nothing."""
    hidden = monospace = None
    for each in properties:
        if each.tag == f"{W}vanish":
            hidden = is_on(each.get(VAL, "1"))
        elif each.tag == f"{W}rFonts":
            font = each.get(f"{W}ascii") or each.get(f"{W}hAnsi")
            monospace = is_code_font(font) if font else None
    return hidden, monospace


def is_on(value: str) -> bool:
    """A switch of OOXML."""
    return value.lower() not in _FALSE


def whole(element: Element | None) -> int | None:
    """The whole number that an element has as its value."""
    value = element.get(VAL, "") if element is not None else ""
    return int(value) if re.fullmatch(r"-?[0-9]{1,9}", value) else None
