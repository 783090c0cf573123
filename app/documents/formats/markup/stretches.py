"""Segments as stretches of a text with tags: which words they have, and which tags stand for their marks."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Literal

from app.documents.segments import Content, Mark, SegmentKind, content_of

WHITE = " \t\n\r\f"
_SPACES = re.compile(f"[{WHITE}]+")
_SURROGATES = re.compile("[\ud800-\udfff]")
_NAMED = re.compile(r"\s(?:xml:)?(?:id|name)\s*=", re.IGNORECASE)
_RANK = ("link", "bold", "italic", "underline", "strike", "code", "small")
"""Of two that enclose the same words, the one that says more about them."""

SILENT = "silent"
"""The look of tags that make no difference: they are in the stretch and have no marks."""

Spelling = Callable[[Content], Sequence[str | Mark]]
"""How a content is written: its texts become source text, its marks stay."""
Range = tuple[int, int]


@dataclass(frozen=True)
class Edit:
    """What stands in the place of `[start:end]`: new text, and ranges of the old with the edits inside them."""

    start: int
    end: int
    pieces: tuple[str | Range, ...]


@dataclass(frozen=True)
class Stretch:
    """A segment and where it stands: `[start:end]` is replaced, and the marks stand for the ranges of `sources`.

    `also` is edited where the segment is.
    """

    start: int
    end: int
    content: Content
    sources: dict[tuple[str, int], Range]
    spelling: Spelling
    kind: SegmentKind = SegmentKind.PARAGRAPH
    page: int = 0
    level: int = 0
    also: tuple[Edit, ...] = ()

    def edit(self, content: Content) -> Edit:
        """The stretch with this content."""
        spelled = self.spelling(content)
        return Edit(
            self.start, self.end, tuple(part if isinstance(part, str) else self.sources[part.key] for part in spelled)
        )


@dataclass(eq=False)
class _Item:
    role: Literal["text", "open", "close", "single"]
    start: int
    end: int
    look: str = ""
    words: str = ""
    """Of a text, or what a single one shows."""
    is_exact: bool = False
    partner: _Item | None = None

    @property
    def is_idle(self) -> bool:
        """Whether it may stay outside, at an end of the segment."""
        return not self.words.strip(WHITE) if self.role == "text" else self.role == "single" and not self.words


@dataclass
class Gathering:
    """Gathers the texts and tags between two borders of a text, without gaps that matter."""

    text: str
    _items: list[_Item] = field(default_factory=list)
    _waiting: list[tuple[str, _Item]] = field(default_factory=list)
    _has_words: bool = False

    def add(self, start: int, end: int, words: str, *, is_exact: bool = False) -> None:
        """A text; `is_exact` where its white space is meant."""
        if not words:
            return
        words = _SURROGATES.sub("\ufffd", words)
        self._items.append(_Item("text", start, end, "", words if is_exact else _SPACES.sub(" ", words), is_exact))
        self._has_words = self._has_words or bool(words.strip(WHITE))

    def open(self, start: int, end: int, name: str, look: str) -> None:
        """A tag that encloses what follows."""
        item = _Item("open", start, end, look)
        self._items.append(item)
        self._waiting.append((name, item))

    def close(self, start: int, end: int, name: str) -> None:
        """Its end; one that ends nothing stands alone, and so do tags inside that were not ended."""
        item = _Item("close", start, end)
        self._items.append(item)
        if all(waiting != name for waiting, _ in self._waiting[-50:]):
            item.role, item.look = "single", "other"
            return
        while True:
            waiting, opener = self._waiting.pop()
            if waiting == name:
                item.partner, opener.partner, item.look = opener, item, opener.look
                return
            opener.role, opener.look = "single", "other"

    def single(self, start: int, end: int, look: str, shows: str = "") -> None:
        """What stands alone."""
        shows = _SPACES.sub(" ", _SURROGATES.sub("\ufffd", shows)).strip(" ")
        self._items.append(_Item("single", start, end, look, shows))

    def ends_with(self, look: str) -> bool:
        """Whether the last of it, but for white space, is a single one of this look."""
        last = next((item for item in reversed(self._items) if item.role != "text" or item.words.strip(WHITE)), None)
        return last is not None and last.role == "single" and last.look == look

    def finish(self, spelling: Spelling, kind: SegmentKind, page: int = 0, level: int = 0) -> Stretch | None:
        """The segment, None where there are no words; it is empty afterwards."""
        items, has_words = self._items, self._has_words
        for _, opener in self._waiting:
            opener.role, opener.look = "single", "other"
        self._items, self._waiting, self._has_words = [], [], False
        if not has_words:
            return None
        if len(items) > 1:
            items = _trimmed(_without_twins(_joined(items, self.text)))
        start, end = _cut_white(items, self.text)
        if len(items) > 1:
            items = _merged(_joined([item for item in items if item.look != SILENT], self.text))
        content, sources = _numbered(items)
        return Stretch(start, end, content, sources, spelling, kind, page, level)


def _joined(items: list[_Item], text: str) -> list[_Item]:
    """Tags of the same look that end and begin again are left out; an empty pair, and alike singles, are one single."""
    found: list[_Item] = []
    for item in items:
        last = found[-1] if found else None
        if last is not None and last.role == "close" and item.role == "open" and _is_same(last, item, text):
            first, end = last.partner, item.partner
            assert first is not None and end is not None  # a close and an open one have their partners
            first.partner, end.partner = end, first
            found.pop()
        elif last is not None and item.role == "close" and item.partner is last:
            found[-1] = _Item("single", last.start, item.end, SILENT if last.look == SILENT else "other")
            _join_singles(found)
        else:
            found.append(item)
            _join_singles(found)
    return found


def _join_singles(found: list[_Item]) -> None:
    if len(found) > 1:
        last, item = found[-2:]
        if last.role == item.role == "single" and last.look == item.look and not last.words and not item.words:
            found[-2:] = [_Item("single", last.start, item.end, item.look)]


def _is_same(close: _Item, opener: _Item, text: str) -> bool:
    first = close.partner
    assert first is not None  # as above
    tag = text[first.start : first.end]
    return tag == text[opener.start : opener.end] and not _NAMED.search(tag)


def _without_twins(items: list[_Item]) -> list[_Item]:
    """Tags that enclose exactly the same are one."""
    at = {id(item): number for number, item in enumerate(items)}
    gone: set[int] = set()
    for outer, inner in pairwise(items):
        if outer.role == inner.role == "open":
            assert outer.partner is not None and inner.partner is not None  # as above
            if at[id(inner.partner)] + 1 == at[id(outer.partner)]:
                inner.start, inner.partner.end = outer.start, outer.partner.end
                inner.look = inner.partner.look = min(outer.look, inner.look, key=_rank)
                gone |= {id(outer), id(outer.partner)}
    return [item for item in items if id(item) not in gone]


def _rank(look: str) -> int:
    return _RANK.index(look) if look in _RANK else len(_RANK) + (look == SILENT)


def _merged(items: list[_Item]) -> list[_Item]:
    """Texts that became neighbours are one."""
    found: list[_Item] = []
    for item in items:
        if found and found[-1].role == item.role == "text" and not found[-1].is_exact and not item.is_exact:
            words = _SPACES.sub(" ", found[-1].words + item.words)
            found[-1] = _Item("text", found[-1].start, item.end, "", words)
        else:
            found.append(item)
    return found


def _trimmed(items: list[_Item]) -> list[_Item]:
    """Without what keeps its place at the ends: white space, lonely tags, tags that enclose all."""
    low, high = 0, len(items) - 1
    while low < high:
        first, last = items[low], items[high]
        if first.is_idle:
            low += 1
        elif last.is_idle:
            high -= 1
        elif first.role == "open" and first.partner is last:
            low, high = low + 1, high - 1
        else:
            break
    return items[low : high + 1]


def _cut_white(items: list[_Item], text: str) -> Range:
    """Where the segment begins and ends; white space around its words is not among them."""
    first, last = items[0], items[-1]
    if first.role == "text" and not first.is_exact:
        raw = text[first.start : first.end]
        first.start += len(raw) - len(raw.lstrip(WHITE))
    if last.role == "text" and not last.is_exact:
        raw = text[last.start : last.end]
        last.end -= len(raw) - len(raw.rstrip(WHITE))
    seen = [item for item in items if item.look != SILENT]
    if seen[0].role == "text":
        seen[0].words = seen[0].words.lstrip(WHITE)
    if seen[-1].role == "text":
        seen[-1].words = seen[-1].words.rstrip(WHITE)
    return first.start, last.end


def _numbered(items: list[_Item]) -> tuple[Content, dict[tuple[str, int], Range]]:
    parts: list[str | Mark] = []
    sources: dict[tuple[str, int], Range] = {}
    numbers: dict[int, int] = {}
    is_behind_space = False
    for item in items:
        if item.role == "text":
            has_two = is_behind_space and not item.is_exact and item.words.startswith(" ")
            words = item.words[1:] if has_two else item.words
            parts.append(words)
            is_behind_space = not item.is_exact and (words or " ").endswith(" ")
            continue
        if item.role == "close":
            mark = Mark("close", numbers[id(item.partner)])
        else:
            numbers[id(item)] = len(numbers) + 1
            shows = item.words if item.role == "single" else ""
            mark = Mark(item.role, numbers[id(item)], item.look, shows)
            is_behind_space = is_behind_space and item.role == "open"
        parts.append(mark)
        sources[mark.key] = (item.start, item.end)
    return content_of(parts), sources
