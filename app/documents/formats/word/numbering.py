"""The labels of a DOCX's list items, counted as Word counts them: they are nowhere in the text."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from app.documents.formats.word.styles import VAL, Styles, W, whole
from app.documents.xml_tree import Element

LEVELS = 9
_MOST_SPELLED = 3_000
"""Higher numbers are in figures: "aaa…" would be longer than the page."""
_ROMAN = (
    *((1000, "m"), (900, "cm"), (500, "d"), (400, "cd"), (100, "c"), (90, "xc"), (50, "l"), (40, "xl")),
    *((10, "x"), (9, "ix"), (5, "v"), (4, "iv"), (1, "i")),
)
_GREEK_SMALL = "αβχδεφγηιϕκλμνοπθρστυϖωξψζ"
_GREEK_LARGE = "ΑΒΧΔΕΦΓΗΙϑΚΛΜΝΟΠΘΡΣΤΥςΩΞΨΖ"
_WINGDINGS = {0x6C: "●", 0x6E: "■", 0x71: "❑", 0x76: "❖", 0xA7: "▪", 0xA8: "◻", 0xD8: "➢", 0xDC: "➲", 0xE0: "→"}
_WINGDINGS |= {0xFB: "✗", 0xFC: "✓", 0xFD: "☒", 0xFE: "☑", 0x9F: "•", 0xF0: "⇨", 0x46: "☞", 0x4A: "☺"}
_SYMBOL = {0xB7: "•", 0xA8: "♦", 0xAE: "→", 0xDE: "⇒", 0xB3: "≥", 0xA3: "≤", 0xB9: "≠", 0xB1: "±", 0xB4: "×", 0xA5: "∞"}
_SYMBOL |= {0xD7: "·", 0xB0: "°", 0xBB: "≈", 0xE5: "∑", 0xD6: "√", 0xCE: "∈", 0xAC: "←", 0xAD: "↑", 0xAF: "↓"}
_SYMBOL |= {0x61 + index: letter for index, letter in enumerate(_GREEK_SMALL)}
_SYMBOL |= {0x41 + index: letter for index, letter in enumerate(_GREEK_LARGE)}


@dataclass
class _Level:
    start: int = 1
    format: str = "decimal"
    text: str = ""
    is_legal: bool = False
    restarts: bool = True
    style: str = ""
    font: str = ""


class Numbering:
    """Gives every numbered paragraph its label, in the order of the document. `root` is numbering.xml."""

    def __init__(self, root: Element | None, styles: Styles) -> None:
        self._styles = styles
        self._abstract: dict[str, Element] = {}
        self._nums: dict[str, Element] = {}
        self._levels: dict[str, list[_Level]] = {}
        self._counters: dict[str, list[int | None]] = {}
        self._begun: set[str] = set()
        for each in root if root is not None else ():
            if each.tag == f"{W}abstractNum":
                self._abstract[each.get(f"{W}abstractNumId", "")] = each
            elif each.tag == f"{W}num":
                self._nums[each.get(f"{W}numId", "")] = each

    def level_of_style(self, num_id: str, style_id: str) -> int:
        """The level that a list gives to a style; the first where it names none."""
        levels = self._levels_of(num_id)
        return next((number for number, level in enumerate(levels) if level.style == style_id), 0)

    def label(self, num_id: str, level: int) -> str | None:
        """The next label of a list at a level (from 0); None where there is no such list."""
        levels = self._levels_of(num_id)
        if not levels:
            return None
        level = max(0, min(level, LEVELS - 1))
        own = levels[level]
        if own.format == "bullet":
            return _bullet(own)
        counters = self._counted(num_id, levels, level)
        if own.format == "none" or not own.text:
            return ""

        def number(found: re.Match[str]) -> str:
            at = int(found[1]) - 1
            return _formatted(counters[at] or 0, "decimal" if own.is_legal else levels[at].format)

        return re.sub(r"%([1-9])", number, own.text).strip()

    def _counted(self, num_id: str, levels: list[_Level], level: int) -> list[int | None]:
        counters = self._counters.setdefault(self._abstract_of(num_id), [None] * LEVELS)
        if num_id not in self._begun:
            self._begun.add(num_id)
            for override in self._nums[num_id].findall(f"{W}lvlOverride"):
                at = _at(override)
                if override.find(f"{W}startOverride") is not None and at is not None:
                    counters[at] = None
        now = counters[level]
        counters[level] = levels[level].start if now is None else now + 1
        for above in range(level):
            counters[above] = levels[above].start if counters[above] is None else counters[above]
        for below in range(level + 1, LEVELS):
            counters[below] = None if levels[below].restarts else counters[below]
        return counters

    def _abstract_of(self, num_id: str) -> str:
        """The id of what a list is made after, by way of a list style if need be."""
        for _ in range(LEVELS):
            num = self._nums.get(num_id)
            link = num.find(f"{W}abstractNumId") if num is not None else None
            abstract = link.get(VAL, "") if link is not None else ""
            styled = self._abstract[abstract].find(f"{W}numStyleLink") if abstract in self._abstract else None
            if styled is None:
                return abstract
            num_id = self._styles.find(styled.get(VAL, "")).num_id or ""
        return ""

    def _levels_of(self, num_id: str) -> list[_Level]:
        found = self._levels.get(num_id)
        if found is None:
            found = self._levels[num_id] = self._read_levels(num_id)
        return found

    def _read_levels(self, num_id: str) -> list[_Level]:
        abstract = self._abstract.get(self._abstract_of(num_id)) if num_id in self._nums else None
        if abstract is None:
            return []
        levels = [_Level() for _ in range(LEVELS)]
        for each in abstract.findall(f"{W}lvl"):
            if (at := _at(each)) is not None:
                levels[at] = _level(each)
        for override in self._nums[num_id].findall(f"{W}lvlOverride"):
            at, whole_level = _at(override), override.find(f"{W}lvl")
            if at is None:
                continue
            if whole_level is not None:
                levels[at] = _level(whole_level)
            start = whole(override.find(f"{W}startOverride"))
            levels[at].start = levels[at].start if start is None else start
        return levels


def _at(element: Element) -> int | None:
    number = element.get(f"{W}ilvl", "")
    return int(number) if re.fullmatch("[0-8]", number) else None


def _level(element: Element) -> _Level:
    def value(name: str, default: str) -> str:
        found = element.find(f"{W}{name}")
        return str(found.get(VAL, default)) if found is not None else default

    fonts = element.find(f"{W}rPr/{W}rFonts")
    start = whole(element.find(f"{W}start"))
    return _Level(
        1 if start is None else start,
        value("numFmt", "decimal"),
        value("lvlText", "")[:100],
        element.find(f"{W}isLgl") is not None,
        value("lvlRestart", "") != "0",
        value("pStyle", ""),
        fonts.get(f"{W}ascii", "") if fonts is not None else "",
    )


def _bullet(level: _Level) -> str:
    return "".join(symbol(ord(each), level.font) for each in level.text).strip() or "•"


def symbol(code: int, font: str) -> str:
    """A character of a symbol font in Unicode; one that has no place there becomes a bullet."""
    if code < 0x100 and font.lower().startswith(("symbol", "wingdings")):
        code += 0xF000
    if not 0xF000 <= code <= 0xF0FF:
        return chr(code) if 0x20 <= code < 0xD800 or 0xE000 <= code <= 0x10FFFF else ""
    table = _WINGDINGS if font.lower().startswith("wingdings") else _SYMBOL
    return table.get(code - 0xF000) or (chr(code - 0xF000) if 0x20 <= code - 0xF000 < 0x7F else "•")


def _letters(number: int) -> str:
    """1 is a, 26 is z, 27 is aa, 28 is bb."""
    return chr(ord("a") + (number - 1) % 26) * ((number - 1) // 26 + 1)


def _roman(number: int) -> str:
    text = ""
    for value, sign in _ROMAN:
        text += sign * (number // value)
        number %= value
    return text


def _ordinal(number: int) -> str:
    ending = "th" if number % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"


_FORMATS: dict[str, Callable[[int], str]] = {
    "lowerLetter": _letters,
    "upperLetter": lambda number: _letters(number).upper(),
    "lowerRoman": _roman,
    "upperRoman": lambda number: _roman(number).upper(),
    "ordinal": _ordinal,
    "decimalZero": lambda number: f"{number:02}",
    "none": lambda number: "",
}


def _formatted(number: int, format_: str) -> str:
    return _FORMATS.get(format_, str)(number) if 0 < number <= _MOST_SPELLED else str(number)
