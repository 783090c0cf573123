"""Labels of a DOCX's list items, counted as Word counts them: they are nowhere in the text."""

from __future__ import annotations

import re

from app.core.lazy_dataclasses import dataclass
from app.documents.formats.markup.xml_tree import Element
from app.documents.formats.office.package import W
from app.documents.formats.office.paragraphs import spelled
from app.documents.formats.word.word_model import LEVELS, SYMBOL, VAL, WINGDINGS, WordStyles, whole_value


@dataclass
class _WordListLevel:
    start: int = 1
    format: str = "decimal"
    text: str = ""
    is_legal: bool = False
    restarts: bool = True
    style: str = ""
    font: str = ""


class WordNumbering:
    """Label numbered paragraphs in document order. `root` is numbering.xml."""

    def __init__(self, root: Element | None, styles: WordStyles) -> None:
        self._styles = styles
        self._abstract: dict[str, Element] = {}
        self._nums: dict[str, Element] = {}
        self._levels: dict[str, list[_WordListLevel]] = {}
        self._counters: dict[str, list[int | None]] = {}
        self._begun: set[str] = set()
        for element in root if root is not None else ():
            if element.tag == f"{W}abstractNum":
                self._abstract[element.get(f"{W}abstractNumId", "")] = element
            elif element.tag == f"{W}num":
                self._nums[element.get(f"{W}numId", "")] = element

    def level_of_style(self, num_id: str, style_id: str) -> int:
        """Return the level that a list gives to a style; the first where it names none."""
        levels = self._levels_of(num_id)
        return next((number for number, level in enumerate(levels) if level.style == style_id), 0)

    def label(self, num_id: str, level: int) -> str | None:
        """Return the next label of a list at a level (from 0); None where there is no such list."""
        levels = self._levels_of(num_id)
        if not levels:
            return None
        level = max(0, min(level, LEVELS - 1))
        own = levels[level]
        if own.format == "bullet":
            return _bullet_text(own)
        counters = self._count_level(num_id, levels, level)
        if own.format == "none" or not own.text:
            return ""

        def number(found: re.Match[str]) -> str:
            at = int(found[1]) - 1
            return _format_number(counters[at] or 0, "decimal" if own.is_legal else levels[at].format)

        return re.sub(r"%([1-9])", number, own.text).strip()

    def _count_level(self, num_id: str, levels: list[_WordListLevel], level: int) -> list[int | None]:
        # Lists of one abstract numbering share their counters; an override restarts them where it begins.
        counters = self._counters.setdefault(self._abstract_of(num_id), [None] * LEVELS)
        if num_id not in self._begun:
            self._begun.add(num_id)
            for override in self._nums[num_id].findall(f"{W}lvlOverride"):
                at = _level_number(override)
                if override.find(f"{W}startOverride") is not None and at is not None:
                    counters[at] = None
        now = counters[level]
        counters[level] = levels[level].start if now is None else now + 1
        # A label such as 2.1 needs the levels above, even if none of their items came yet.
        for above in range(level):
            counters[above] = levels[above].start if counters[above] is None else counters[above]
        for below in range(level + 1, LEVELS):
            counters[below] = None if levels[below].restarts else counters[below]
        return counters

    def _abstract_of(self, num_id: str) -> str:
        """Return the id of a list's abstract numbering, through a list style if needed."""
        for _ in range(LEVELS):
            num = self._nums.get(num_id)
            link = num.find(f"{W}abstractNumId") if num is not None else None
            abstract = link.get(VAL, "") if link is not None else ""
            styled = self._abstract[abstract].find(f"{W}numStyleLink") if abstract in self._abstract else None
            # A list may be defined by a style that names another list.
            if styled is None:
                return abstract
            num_id = self._styles.find(styled.get(VAL, "")).num_id or ""
        return ""

    def _levels_of(self, num_id: str) -> list[_WordListLevel]:
        found = self._levels.get(num_id)
        if found is None:
            found = self._levels[num_id] = self._read_levels(num_id)
        return found

    def _read_levels(self, num_id: str) -> list[_WordListLevel]:
        abstract = self._abstract.get(self._abstract_of(num_id)) if num_id in self._nums else None
        if abstract is None:
            return []
        levels = [_WordListLevel() for _ in range(LEVELS)]
        for element in abstract.findall(f"{W}lvl"):
            if (at := _level_number(element)) is not None:
                levels[at] = _parse_level(element)
        for override in self._nums[num_id].findall(f"{W}lvlOverride"):
            at, whole_level = _level_number(override), override.find(f"{W}lvl")
            if at is None:
                continue
            if whole_level is not None:
                levels[at] = _parse_level(whole_level)
            start = whole_value(override.find(f"{W}startOverride"))
            levels[at].start = levels[at].start if start is None else start
        return levels


def _level_number(element: Element) -> int | None:
    number = element.get(f"{W}ilvl", "")
    return int(number) if re.fullmatch("[0-8]", number) else None


def _parse_level(element: Element) -> _WordListLevel:
    def value(name: str, default: str) -> str:
        found = element.find(f"{W}{name}")
        return str(found.get(VAL, default)) if found is not None else default

    fonts = element.find(f"{W}rPr/{W}rFonts")
    start = whole_value(element.find(f"{W}start"))
    return _WordListLevel(
        1 if start is None else start,
        value("numFmt", "decimal"),
        value("lvlText", "")[:100],
        element.find(f"{W}isLgl") is not None,
        value("lvlRestart", "") != "0",
        value("pStyle", ""),
        fonts.get(f"{W}ascii", "") if fonts is not None else "",
    )


def _bullet_text(level: _WordListLevel) -> str:
    return "".join(_symbol_character(ord(text), level.font) for text in level.text).strip() or "•"


def symbol_of(element: Element) -> str:
    """Return the character of a symbol (w:sym), from its font's table where it has one."""
    try:
        return _symbol_character(int(element.get(f"{W}char", ""), 16), element.get(f"{W}font", ""))
    except (ValueError, OverflowError):
        return "•"


def _symbol_character(code: int, font: str) -> str:
    """Return a character of a symbol font in Unicode; one that has no place there becomes a bullet."""
    # Symbol fonts are stored at F000 to F0FF, or by their bare byte.
    if code < 0x100 and font.lower().startswith(("symbol", "wingdings")):
        code += 0xF000
    if not 0xF000 <= code <= 0xF0FF:
        return chr(code) if 0x20 <= code < 0xD800 or 0xE000 <= code <= 0x10FFFF else ""
    table = WINGDINGS if font.lower().startswith("wingdings") else SYMBOL
    return table.get(code - 0xF000) or (chr(code - 0xF000) if 0x20 <= code - 0xF000 < 0x7F else "•")


_LETTERED = {"lowerLetter": "a", "upperLetter": "A", "lowerRoman": "i", "upperRoman": "I"}


def _format_number(number: int, format_: str) -> str:
    if number > 0 and format_ == "ordinal":
        ending = "th" if number % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
        return f"{number}{ending}"
    if number > 0 and format_ == "none":
        return ""
    return f"{number:02}" if number > 0 and format_ == "decimalZero" else spelled(number, _LETTERED.get(format_, ""))
