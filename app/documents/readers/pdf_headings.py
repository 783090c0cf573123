"""Headings of a PDF: what the outline names, and what is larger or bolder than the text around it."""

from __future__ import annotations

import re

from app.documents.blocks import Kind
from app.documents.readers.pdf_blocks import Draft
from app.documents.readers.pdf_furniture import plain
from app.documents.readers.pdf_outline import Entry
from app.documents.readers.pdf_page import Sheet
from app.documents.readers.pdf_text import Line

LARGER = 1.12
MOST_CHARS = 200
MOST_TITLE_LINES = 4
MOST_TITLES = 5000
MOST_PREFIX_CHARS = 20
_LADDER = (1.75, 1.4, 1.18)
"""Sizes over the text's from which on a heading is of level 1, 2 and 3."""
_NUMBERED = re.compile(r"(\d{1,3}(?:\.\d{1,3}){0,7})\.?\s+\S|[A-Z](?:\.\d{1,3}){1,7}\.?\s+\S")
_PREFIX = re.compile(r"(chapter|kapitel|part|teil|appendix|anhang|section)?[ivxlc]{0,6}[a-z]?")


class Sizes:
    """Which font size the text has, and whether most of it has letters of fixed width: counted as pages come."""

    def __init__(self) -> None:
        self._chars: dict[int, int] = {}
        """By quarters of a point."""
        self._mono = self._all = 0

    def hear(self, lines: list[Line]) -> None:
        """The lines of one more page."""
        for line in lines:
            length = len(line.text)
            size = round(line.size * 4)
            self._chars[size] = self._chars.get(size, 0) + length
            self._all += length
            if line.is_mono:
                self._mono += length

    @property
    def body(self) -> float:
        """The size of most characters; 10 where there are none."""
        return max(self._chars, key=self._chars.__getitem__) / 4 if self._chars else 10.0

    @property
    def is_mono(self) -> bool:
        """Whether a fixed width says nothing, because most of the text has it."""
        return 2 * self._mono > self._all


class Headings:
    """Marks the headings among the drafts of one page after the other, and remembers their titles."""

    def __init__(self, has_outline: bool) -> None:
        self._has_outline = has_outline
        self._outline_level = 0
        self.titles: set[str] = set()

    def mark(self, drafts: list[Draft], entries: list[Entry], sheet: Sheet, body_size: float) -> list[Draft]:
        """The drafts with their headings marked; one whose first line is a title is divided after it."""
        for entry in entries:
            drafts = _with_entry(drafts, entry, sheet)
            self._remember(entry.title)
        for draft in drafts:
            if draft.kind is Kind.HEADING:
                self._outline_level = draft.level
            elif draft.kind in (Kind.PARAGRAPH, Kind.LIST_ITEM) and _looks_like_heading(draft, body_size):
                draft.kind, draft.mark, draft.label = Kind.HEADING, 0, ""
                draft.level = self._level(draft, body_size)
                self._remember(" ".join(line.text for line in draft.lines))
        return drafts

    def _remember(self, title: str) -> None:
        letters = plain(title)
        if len(letters) > 2 and len(self.titles) < MOST_TITLES:
            self.titles.add(letters)

    def _level(self, draft: Draft, body_size: float) -> int:
        if self._has_outline and self._outline_level:
            return min(self._outline_level + 1, 9)
        numbered = _NUMBERED.match(draft.lines[0].text)
        if numbered:
            return min(numbered[0].split()[0].rstrip(".").count(".") + 1, 9)
        ratio = draft.size / body_size
        return next((level for level, least in enumerate(_LADDER, 1) if ratio >= least), 4)


def _looks_like_heading(draft: Draft, body_size: float) -> bool:
    lines = draft.lines
    length = sum(len(line.text) for line in lines)
    if length > MOST_CHARS or len(lines) > 3 or lines[0].is_turned or lines[0].gap > 3 * lines[0].size:
        return False
    text = lines[-1].text
    if not any(letter.isalpha() for letter in lines[0].text):
        return False
    if draft.size >= LARGER * body_size:
        return not (len(lines) > 1 and text.endswith((".", ","))) or draft.size >= 1.4 * body_size
    is_bold = all(line.is_bold for line in lines) and draft.size > 0.93 * body_size
    if not is_bold or length > 120 or text.endswith((".", ",", ";", ":")):
        return False
    return draft.kind is Kind.PARAGRAPH or bool(draft.label[0].isdigit())


def _with_entry(drafts: list[Draft], entry: Entry, sheet: Sheet) -> list[Draft]:
    """Marks the draft that the entry of the outline names: of several, the one nearest to where it leads."""
    title = plain(entry.title)
    if not title:
        return drafts
    longest = len(entry.title) + MOST_PREFIX_CHARS
    found = [
        (number, count)
        for number, draft in enumerate(drafts)
        if len(draft.lines[0].text) <= longest and (count := _title_lines(draft, title))
    ]
    if not found:
        return drafts
    at, count = found[0]
    if entry.y is not None and len(found) > 1:
        y = sheet.point(0, entry.y)[1]
        at, count = min(found, key=lambda each: abs(drafts[each[0]].lines[0].top - y))
    draft = drafts[at]
    rest = draft.lines[count:]
    heading = Draft(Kind.HEADING, draft.lines[:count], entry.level, left=draft.left, right=draft.right)
    divided = [heading]
    if rest:
        divided.append(Draft(Kind.PARAGRAPH, rest, left=draft.left, right=draft.right))
    return [*drafts[:at], *divided, *drafts[at + 1 :]]


def _title_lines(draft: Draft, title: str) -> int:
    """How many first lines of a draft are the title, with or without a number in front; 0 where they are not."""
    if draft.kind not in (Kind.PARAGRAPH, Kind.LIST_ITEM, Kind.CAPTION):
        return 0
    text = ""
    for count, line in enumerate(draft.lines[:MOST_TITLE_LINES], 1):
        text += plain(line.text)
        if text == title or (text.endswith(title) and _PREFIX.fullmatch(text[: -len(title)])):
            return count
        if len(text) > len(title) + 12:
            break
    return 0
