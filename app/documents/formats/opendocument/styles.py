"""The styles of an OpenDocument: what a paragraph is by its style, and how the items of a list are counted."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import NamedTuple

from app.documents.xml_tree import Element

_ODF = "urn:oasis:names:tc:opendocument:xmlns:"
OFFICE, TEXT, STYLE, TABLE, DRAW, PRESENTATION = (
    f"{{{_ODF}{name}:1.0}}" for name in ("office", "text", "style", "table", "drawing", "presentation")
)
LEVELS = 10
_MOST_ANCESTORS = 30
_MOST_SPELLED = 3_000
_CODE_NAMES = ("preformatted", "source_20_code", "source_20_text", "source_text", "code", "listing")
_ROMAN = (
    *((1000, "m"), (900, "cm"), (500, "d"), (400, "cd"), (100, "c"), (90, "xc"), (50, "l"), (40, "xl")),
    *((10, "x"), (9, "ix"), (5, "v"), (4, "iv"), (1, "i")),
)
OUTLINE = "\0outline"
"""The name under which the numbering of headings is kept: no style can have it."""


class Role(Enum):
    """What a style makes of a paragraph."""

    BODY = auto()
    TITLE = auto()
    CAPTION = auto()
    CODE = auto()


class Look(NamedTuple):
    """A style with what it has from the ones it is based on. `list_style` is the list it belongs to, "" for none."""

    role: Role
    is_hidden: bool
    list_style: str


@dataclass
class _Style:
    parent: str
    outline: int | None
    list_style: str | None
    is_hidden: bool


@dataclass
class _Level:
    bullet: str = ""
    format: str = ""
    prefix: str = ""
    suffix: str = ""
    start: int = 1
    shown: int = 1


class Styles:
    """All styles seen so far; automatic ones have their own names for what they are based on."""

    def __init__(self) -> None:
        self._styles: dict[str, _Style] = {}
        self._looks: dict[str, Look] = {}
        self._hidden_pages: set[str] = set()
        self.lists: dict[str, list[_Level]] = {}
        self.hides = False
        """Whether any style hides its text."""

    def add(self, root: Element) -> None:
        """Takes in everything that is defined below an element."""
        self._looks.clear()
        for each in root.iter(f"{STYLE}style", f"{TEXT}list-style", f"{TEXT}outline-style"):
            if each.tag == f"{TEXT}list-style":
                self.lists[each.get(f"{STYLE}name", "")] = _levels(each)
            elif each.tag == f"{TEXT}outline-style":
                self.lists[OUTLINE] = _levels(each)
            else:
                self._add_style(each)

    def _add_style(self, each: Element) -> None:
        name = each.get(f"{STYLE}name", "")
        family = each.get(f"{STYLE}family")
        if family == "drawing-page":
            properties = each.find(f"{STYLE}drawing-page-properties")
            if properties is not None and properties.get(f"{PRESENTATION}visibility") == "hidden":
                self._hidden_pages.add(name)
        elif family in ("paragraph", "text"):
            properties = each.find(f"{STYLE}text-properties")
            is_hidden = properties is not None and properties.get(f"{TEXT}display") == "none"
            self.hides |= is_hidden
            self._styles[name] = _Style(
                each.get(f"{STYLE}parent-style-name", ""),
                _whole(each.get(f"{STYLE}default-outline-level")),
                each.get(f"{STYLE}list-style-name"),
                is_hidden,
            )

    def find(self, name: str) -> Look:
        """The style of this name; an unknown one is told by its name alone."""
        found = self._looks.get(name)
        if found is None:
            found = self._looks[name] = self._resolved(name)
        return found

    def is_hidden_page(self, name: str) -> bool:
        """Whether a slide of this style is left out of the show."""
        return name in self._hidden_pages

    def _resolved(self, name: str) -> Look:
        lineage = self._lineage(name)
        roles = (_role(each.lower()) for each in (name, *(style.parent for style in lineage)))
        return Look(
            next((role for role in roles if role is not Role.BODY), Role.BODY),
            any(style.is_hidden for style in lineage),
            next((style.list_style for style in lineage if style.list_style is not None), ""),
        )

    def _lineage(self, name: str) -> list[_Style]:
        found: list[_Style] = []
        while name in self._styles and len(found) < _MOST_ANCESTORS:
            found.append(self._styles[name])
            name = found[-1].parent
        return found


@dataclass
class Counters:
    """Where every list is."""

    styles: Styles
    _at: dict[str, list[int | None]] = field(default_factory=dict)

    def begin(self, style: str) -> None:
        """A list that does not go on with an earlier one."""
        self._at.pop(style, None)

    def label(self, style: str, level: int, start: int | None = None) -> str:
        """The next label of a list at a level (from 1); `start` is where it is told to begin."""
        levels = self.styles.lists.get(style)
        if levels is None:
            return ""
        index = min(level, LEVELS) - 1
        own = levels[index]
        if own.bullet:
            return own.bullet
        at = self._at.setdefault(style, [None] * LEVELS)
        now = at[index]
        at[index] = start if start is not None else own.start if now is None else now + 1
        at[index + 1 :] = [None] * (LEVELS - index - 1)
        if not own.format:
            return (own.prefix + own.suffix).strip()
        first = max(0, index + 1 - max(1, own.shown))
        numbers = [
            _formatted(levels[each].start if (value := at[each]) is None else value, levels[each].format)
            for each in range(first, index + 1)
            if levels[each].format
        ]
        return f"{own.prefix}{'.'.join(numbers)}{own.suffix}".strip()


def _role(name: str) -> Role:
    if name.startswith("title"):
        return Role.TITLE
    if name.startswith("caption"):
        return Role.CAPTION
    return Role.CODE if name.startswith(_CODE_NAMES) else Role.BODY


def _levels(element: Element) -> list[_Level]:
    levels = [_Level() for _ in range(LEVELS)]
    for each in element:
        number = _whole(each.get(f"{TEXT}level")) if isinstance(each.tag, str) else None
        if number is None or not 1 <= number <= LEVELS:
            continue
        start, shown = _whole(each.get(f"{TEXT}start-value")), _whole(each.get(f"{TEXT}display-levels"))
        is_image = each.tag == f"{TEXT}list-level-style-image"
        levels[number - 1] = _Level(
            _bullet(each.get(f"{TEXT}bullet-char", "•" if is_image else "")),
            each.get(f"{STYLE}num-format", ""),
            each.get(f"{STYLE}num-prefix", "")[:30],
            each.get(f"{STYLE}num-suffix", "")[:30],
            1 if start is None else start,
            shown or 1,
        )
    return levels


def _bullet(character: str) -> str:
    """A symbol font's own character has no place in Unicode."""
    return "•" if character and 0xE000 <= ord(character[0]) <= 0xF8FF else character[:1]


def _formatted(number: int, format_: str) -> str:
    if not 0 < number <= _MOST_SPELLED:
        return str(number)
    match format_:
        case "a" | "A":
            letters = chr(ord("a") + (number - 1) % 26) * ((number - 1) // 26 + 1)
            return letters if format_ == "a" else letters.upper()
        case "i" | "I":
            text = ""
            for value, sign in _ROMAN:
                text += sign * (number // value)
                number %= value
            return text if format_ == "i" else text.upper()
        case _:
            return str(number)


def _whole(value: str | None) -> int | None:
    return int(value) if value is not None and re.fullmatch(r"[0-9]{1,9}", value) else None


# What the styles of an OpenDocument say about its text: what is code, and which looks are none.


_REVISION = "rsid"
_PROPERTIES = f"{STYLE}text-properties"
_LOOKS = {
    "font-weight": ("bold", ("normal", "400")),
    "font-style": ("italic", ("normal",)),
    "text-underline-style": ("underline", ("none",)),
    "text-line-through-style": ("strike", ("none",)),
    "text-line-through-type": ("strike", ("none",)),
    "text-position": ("small", ("0%", "0% 100%")),
}


class TextStyles:
    """The styles of all parts that were added."""

    def __init__(self) -> None:
        self._styles = Styles()
        self._silent: set[str] = set()
        self._looks: dict[str, str] = {}
        self._parents: dict[str, str] = {}

    def add(self, root: Element) -> None:
        """Takes in what is defined below an element."""
        self._styles.add(root)
        for style in root.iter(f"{STYLE}style"):
            if style.get(f"{STYLE}family") == "text":
                name = style.get(f"{STYLE}name", "")
                self._parents[name] = style.get(f"{STYLE}parent-style-name", "")
                said = [key for each in style for key in each.attrib]
                if all(_REVISION in key for key in said) and not self._parents[name]:
                    self._silent.add(name)
                if look := _look(style):
                    self._looks[name] = look

    def role(self, name: str) -> Role:
        """What a style makes of a paragraph."""
        return self._styles.find(name).role

    def is_code(self, name: str) -> bool:
        """Whether its text is code."""
        return self.role(name) is Role.CODE

    def is_silent(self, name: str) -> bool:
        """Whether a text style changes no look: LibreOffice marks with such ones what was typed at one time."""
        return name in self._silent

    def look(self, name: str) -> str:
        """How a text of a text style looks, in words of `Mark`."""
        for _ in range(30):
            if name in self._looks:
                return self._looks[name]
            if name not in self._parents:
                break
            name = self._parents[name]
        lower = name.lower()
        return "bold" if lower.startswith("strong") else "italic" if lower.startswith("emphasis") else "other"


def _look(style: Element) -> str:
    for properties in style.iter(_PROPERTIES):
        for key, value in properties.items():
            found = _LOOKS.get(key.rpartition("}")[2])
            if found is not None and value not in found[1]:
                return found[0]
    return ""
