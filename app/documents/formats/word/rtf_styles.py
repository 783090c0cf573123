"""The stylesheet of a Rich Text Format file: which of its paragraph styles are headings, and of which level."""

from __future__ import annotations

import re

_TOKEN = re.compile(
    r"\\'[0-9a-f]{2}|\\([a-z]{1,32})(-?\d{1,9})? ?|\\.|([{}])|([^\\{};\r\n]+)", re.DOTALL | re.IGNORECASE
)
_HEADING = re.compile(r"heading ([1-9])")
_MOST_CHARACTERS = 2_000_000
_MOST_ANCESTORS = 30
_BODY = 9
"""The outline level of a paragraph that is no heading, counted from 0."""


class _Style:
    """One style while it is read."""

    def __init__(self) -> None:
        self.number = 0
        self.parent = -1
        self.level: int | None = None
        self.name = ""
        self.is_for_paragraphs = True

    @property
    def own_level(self) -> int | None:
        """From 1; 0 for none, and None where neither the style nor its name say anything."""
        if self.level is not None:
            return self.level + 1 if 0 <= self.level < _BODY else 0
        name = self.name.strip().lower()
        heading = _HEADING.fullmatch(name)
        return int(heading[1]) if heading else 1 if name == "title" else 0 if name == "subtitle" else None


def heading_levels(text: str) -> dict[int, int]:
    """By the number of a paragraph style the level of the heading it makes, from 1; 0 for one that makes none.

    Word says the level, LibreOffice has only the styles' names, which are English in both.
    """
    styles = {style.number: style for style in _styles(text) if style.is_for_paragraphs}
    return {number: _level(styles, style) for number, style in styles.items()}


def _level(styles: dict[int, _Style], style: _Style) -> int:
    for _ in range(_MOST_ANCESTORS):
        if (level := style.own_level) is not None:
            return level
        if style.parent not in styles:
            break
        style = styles[style.parent]
    return 0


def _styles(text: str) -> list[_Style]:
    begin = text.find("{\\stylesheet")
    found: list[_Style] = []
    depth = 0
    for match in _TOKEN.finditer(text, begin, begin + _MOST_CHARACTERS) if begin >= 0 else ():
        word, number, brace, run = match.groups()
        if brace == "{":
            depth += 1
            if depth == 2:
                found.append(_Style())
        elif brace:
            depth -= 1
            if depth == 0:
                break
        elif found and depth == 2:
            _take(found[-1], word, int(number or 0), run)
    return found


def _take(style: _Style, word: str | None, number: int, run: str | None) -> None:
    if run:
        style.name += run
    elif word == "s":
        style.number = number
    elif word in ("cs", "ds", "ts"):
        style.is_for_paragraphs = False
    elif word == "sbasedon":
        style.parent = number
    elif word == "outlinelevel":
        style.level = number
