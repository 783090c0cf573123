"""Tags in a text with their places, and segments as the stretches between them; nothing is too broken for it.

The rules are those of the HTML standard's tokenizer (https://html.spec.whatwg.org/multipage/parsing.html), with two
exceptions, both so that no word is lost: an end tag without a name, and a tag that the file ends in, are text.
Every search goes forward only, so the time grows with the text and with nothing else.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache
from itertools import pairwise
from typing import Literal

from app.core.lazy_dataclasses import dataclass, field
from app.documents.encoding import Range
from app.documents.segments import Content, Mark, SegmentKind, content_of
from app.documents.source import SegmentVisits

WHITE = " \t\n\r\f"
_SPACES = re.compile(f"[{WHITE}]+")
_SURROGATES = re.compile("[\ud800-\udfff]")
# A tag with an id may be the target of a link, so two of the same look are still two.
_NAMED = re.compile(r"\s(?:xml:)?(?:id|name)\s*=", re.IGNORECASE)
_RANK = ("link", "bold", "italic", "underline", "strike", "code", "small")
"""Precedence of two marks around the same words: the more specific one stays."""

SILENT = "silent"
"""The look of tags that make no difference: they are in the stretch and have no marks."""

Spelling = Callable[[Content], Sequence[str | Mark]]
"""Writes a content: its texts become source text, its marks stay."""


@dataclass(frozen=True)
class TextEdit:
    """Replacement of `[start:end]` by new text and ranges of the old, with the edits inside those."""

    start: int
    end: int
    pieces: tuple[str | Range, ...]


@dataclass(frozen=True)
class TaggedSegment:
    """A segment at `[start:end]`, which is replaced; its marks stand for the ranges of `sources`.

    `also` holds edits to make with it.
    """

    start: int
    end: int
    content: Content
    sources: dict[tuple[str, int], Range]
    spelling: Spelling
    kind: SegmentKind = SegmentKind.PARAGRAPH
    page: int = 0
    level: int = 0
    also: tuple[TextEdit, ...] = ()

    def edit(self, content: Content) -> TextEdit:
        spelled = self.spelling(content)
        return TextEdit(
            self.start, self.end, tuple(part if isinstance(part, str) else self.sources[part.key] for part in spelled)
        )


@dataclass(eq=False)
class _TagItem:
    role: Literal["text", "open", "close", "single"]
    start: int
    end: int
    look: str = ""
    words: str = ""
    """Words of a text, or those that a single mark shows."""
    is_exact: bool = False
    partner: _TagItem | None = None

    @property
    def is_idle(self) -> bool:
        """True if it may stay outside, at an end of the segment."""
        return not self.words.strip(WHITE) if self.role == "text" else self.role == "single" and not self.words


@dataclass
class TextGatherer:
    """Gathers the texts and tags between two borders of a text, without gaps that matter."""

    text: str
    _items: list[_TagItem] = field(default_factory=list)
    _waiting: list[tuple[str, _TagItem]] = field(default_factory=list)
    _has_words: bool = False

    def add(self, start: int, end: int, words: str, *, is_exact: bool = False) -> None:
        """Add a text of the source between `start` and `end`; `is_exact` keeps its white space."""
        if not words:
            return
        words = _SURROGATES.sub("\ufffd", words)
        self._items.append(_TagItem("text", start, end, "", words if is_exact else _SPACES.sub(" ", words), is_exact))
        self._has_words = self._has_words or bool(words.strip(WHITE))

    def open(self, start: int, end: int, name: str, look: str) -> None:
        item = _TagItem("open", start, end, look)
        self._items.append(item)
        self._waiting.append((name, item))

    def close(self, start: int, end: int, name: str) -> None:
        """End a tag; an end without a start is a single mark, and so are unclosed tags inside."""
        item = _TagItem("close", start, end)
        self._items.append(item)
        # Fifty levels back are enough for any page, and keep the time linear for one that never closes its tags.
        if all(waiting != name for waiting, _ in self._waiting[-50:]):
            item.role, item.look = "single", "other"
            return
        while True:
            waiting, opener = self._waiting.pop()
            if waiting == name:
                item.partner, opener.partner, item.look = opener, item, opener.look
                return
            # What was opened inside and never closed has no partner.
            opener.role, opener.look = "single", "other"

    def single(self, start: int, end: int, look: str, shows: str = "") -> None:
        shows = _SPACES.sub(" ", _SURROGATES.sub("\ufffd", shows)).strip(" ")
        self._items.append(_TagItem("single", start, end, look, shows))

    def ends_with(self, look: str) -> bool:
        """Return whether it ends, but for white space, with a single mark of this look."""
        last = next((item for item in reversed(self._items) if item.role != "text" or item.words.strip(WHITE)), None)
        return last is not None and last.role == "single" and last.look == look

    def finish(self, spelling: Spelling, kind: SegmentKind, page: int = 0, level: int = 0) -> TaggedSegment | None:
        """Return the segment, None where there are no words; it is empty afterwards."""
        items, has_words = self._items, self._has_words
        # What is left open at the segment's end.
        for _, opener in self._waiting:
            opener.role, opener.look = "single", "other"
        self._items, self._waiting, self._has_words = [], [], False
        if not has_words:
            return None
        if len(items) > 1:
            items = _trim_items(_without_twins(_join_tags(items, self.text)))
        start, end = _cut_white(items, self.text)
        if len(items) > 1:
            # Silent tags have done their work, which was to lie between two others.
            items = _merge_texts(_join_tags([item for item in items if item.look != SILENT], self.text))
        content, sources = _number_tags(items)
        return TaggedSegment(start, end, content, sources, spelling, kind, page, level)


def _join_tags(items: list[_TagItem], text: str) -> list[_TagItem]:
    """Tags of the same look that end and begin again are left out; an empty pair, and alike singles, are one single."""
    found: list[_TagItem] = []
    for item in items:
        last = found[-1] if found else None
        if last is not None and last.role == "close" and item.role == "open" and _is_same(last, item, text):
            first, end = last.partner, item.partner
            # The two halves become one pair around both.
            assert first is not None and end is not None  # a close and an open one have their partners
            first.partner, end.partner = end, first
            found.pop()
        elif last is not None and item.role == "close" and item.partner is last:
            found[-1] = _TagItem("single", last.start, item.end, SILENT if last.look == SILENT else "other")
            _join_singles(found)
        else:
            found.append(item)
            _join_singles(found)
    return found


def _join_singles(found: list[_TagItem]) -> None:
    if len(found) > 1:
        last, item = found[-2:]
        if last.role == item.role == "single" and last.look == item.look and not last.words and not item.words:
            found[-2:] = [_TagItem("single", last.start, item.end, item.look)]


def _is_same(close: _TagItem, opener: _TagItem, text: str) -> bool:
    first = close.partner
    assert first is not None  # as above
    tag = text[first.start : first.end]
    return tag == text[opener.start : opener.end] and not _NAMED.search(tag)


def _without_twins(items: list[_TagItem]) -> list[_TagItem]:
    """Merge pairs of tags that enclose exactly the same, for a model to see one mark instead of two."""
    at = {id(item): number for number, item in enumerate(items)}
    gone: set[int] = set()
    for outer, inner in pairwise(items):
        if outer.role == inner.role == "open":
            assert outer.partner is not None and inner.partner is not None  # as above
            # The partners have to be neighbours, too.
            if at[id(inner.partner)] + 1 == at[id(outer.partner)]:
                inner.start, inner.partner.end = outer.start, outer.partner.end
                inner.look = inner.partner.look = min(outer.look, inner.look, key=_nesting_rank)
                gone |= {id(outer), id(outer.partner)}
    return [item for item in items if id(item) not in gone]


def _nesting_rank(look: str) -> int:
    return _RANK.index(look) if look in _RANK else len(_RANK) + (look == SILENT)


def _merge_texts(items: list[_TagItem]) -> list[_TagItem]:
    found: list[_TagItem] = []
    for item in items:
        if found and found[-1].role == item.role == "text" and not found[-1].is_exact and not item.is_exact:
            words = _SPACES.sub(" ", found[-1].words + item.words)
            found[-1] = _TagItem("text", found[-1].start, item.end, "", words)
        else:
            found.append(item)
    return found


def _trim_items(items: list[_TagItem]) -> list[_TagItem]:
    """Remove what stays in place at the ends: white space, single tags, enclosing tags."""
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


def _cut_white(items: list[_TagItem], text: str) -> Range:
    """Return where the segment begins and ends; white space around its words is not among them."""
    first, last = items[0], items[-1]
    if first.role == "text" and not first.is_exact:
        raw = text[first.start : first.end]
        first.start += len(raw) - len(raw.lstrip(WHITE))
    if last.role == "text" and not last.is_exact:
        raw = text[last.start : last.end]
        last.end -= len(raw) - len(raw.rstrip(WHITE))
    seen = [item for item in items if item.look != SILENT]
    # Silent tags may stand before the first word.
    if seen[0].role == "text":
        seen[0].words = seen[0].words.lstrip(WHITE)
    if seen[-1].role == "text":
        seen[-1].words = seen[-1].words.rstrip(WHITE)
    return first.start, last.end


def _number_tags(items: list[_TagItem]) -> tuple[Content, dict[tuple[str, int], Range]]:
    parts: list[str | Mark] = []
    sources: dict[tuple[str, int], Range] = {}
    numbers: dict[int, int] = {}
    is_behind_space = False
    for item in items:
        if item.role == "text":
            # Browsers show two spaces at a tag as one (CSS, white-space: normal).
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


_UNFIT = dict.fromkeys((*range(9), 11, 12, *range(14, 32), 127, *range(0xD800, 0xE000), 0xFFFE, 0xFFFF))
"""Characters not allowed as text in XML or HTML."""


def edits_of(stretches: Iterable[TaggedSegment], visits: SegmentVisits) -> list[TextEdit]:
    found: list[TextEdit] = []
    for stretch in stretches:
        new = visits(stretch.content, stretch.kind, stretch.page, stretch.level)
        # Compared after joining: a translation in two pieces may be the same text.
        if new is not None and (content := content_of(new)) != stretch.content:
            found += [stretch.edit(content), *stretch.also]
    return found


def without_unfit(text: str) -> str:
    """Return a text without control characters and halves of characters."""
    return text.translate(_UNFIT)


def escaped(text: str) -> str:
    return without_unfit(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def spell_text(content: Content) -> list[str | Mark]:
    """Return how a content is written between tags: its texts escaped, its marks as they are."""
    return [escaped(part) if isinstance(part, str) else part for part in content]


@cache
def spelling_within(quote: str) -> Spelling:
    """Return how the value of an attribute is written between these quotes; "" puts it between new ones."""
    # Only the quote around it has to be escaped, the other kind may stay.
    entity = "&#39;" if quote == "'" else "&quot;"
    added = "" if quote else '"'

    def spell(content: Content) -> list[str | Mark]:
        text = "".join(escaped(part) for part in content if isinstance(part, str))
        return [added + text.replace(quote or '"', entity) + added]

    return spell


def is_blank(text: str) -> bool:
    return not text.strip(WHITE)


def spliced(length: int, edits: Iterable[TextEdit]) -> Iterator[str | Range]:
    """Yield a text of this length with its edits: new texts, and ranges of the old.

    Edits don't overlap partly. One inside another is made only if that keeps the range around it.
    """
    # At one place an insertion goes first, then the longest edit, which may hold others.
    ordered = sorted(edits, key=lambda edit: (edit.start, edit.start != edit.end, -edit.end))
    starts = [edit.start for edit in ordered]
    return _edited_range((0, length), ordered, starts, 0)


def _edited_range(of: Range, edits: Sequence[TextEdit], starts: Sequence[int], first: int) -> Iterator[str | Range]:
    """Yield a range with its edits; those before `first` are not inside it."""
    position, end = of
    # By bisection: a page may have 100,000 edits, and each range looks only at its own.
    for index in range(bisect_left(starts, position, first), len(edits)):
        edit = edits[index]
        if edit.start >= end:
            break
        if edit.start < position:
            continue
        if position < edit.start:
            yield position, edit.start
        for piece in edit.pieces:
            if isinstance(piece, str):
                yield piece
            else:
                yield from _edited_range(piece, edits, starts, index + 1)
        position = edit.end
    if position < end:
        yield position, end
