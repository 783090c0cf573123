"""Hands stretches to whoever translates, and writes a text with its edits; what has none stays as it is."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from functools import cache

from app.documents.formats.markup.stretches import WHITE, Edit, Range, Spelling, Stretch
from app.documents.segments import Content, Mark, Segment, content_of
from app.documents.visits import Visit

_UNFIT = dict.fromkeys((*range(9), 11, 12, *range(14, 32), 127, *range(0xD800, 0xE000), 0xFFFE, 0xFFFF))
"""What neither XML nor HTML has as text."""


class Visits:
    """The segments of one file in their order, whatever parts it has."""

    def __init__(self, visit: Visit) -> None:
        self._visit = visit
        self.count = 0

    def edits(self, stretches: Iterable[Stretch]) -> list[Edit]:
        """Those of the stretches that change."""
        found: list[Edit] = []
        for stretch in stretches:
            self.count += 1
            segment = Segment(self.count, stretch.content, stretch.kind, stretch.page, stretch.level)
            content = self._visit(segment)
            if content is not None and (content := content_of(content)) != stretch.content:
                found += [stretch.edit(content), *stretch.also]
        return found


def without_unfit(text: str) -> str:
    """A text without control characters and halves of characters."""
    return text.translate(_UNFIT)


def escaped(text: str) -> str:
    """As it stands between tags, in HTML and in XML."""
    return without_unfit(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def spell_text(content: Content) -> list[str | Mark]:
    """Texts between tags."""
    return [escaped(part) if isinstance(part, str) else part for part in content]


@cache
def spelling_within(quote: str) -> Spelling:
    """How the value of an attribute is written between these quotes; "" puts it between new ones."""
    entity = "&#39;" if quote == "'" else "&quot;"
    added = "" if quote else '"'

    def spell(content: Content) -> list[str | Mark]:
        text = "".join(escaped(part) for part in content if isinstance(part, str))
        return [added + text.replace(quote or '"', entity) + added]

    return spell


def is_blank(text: str) -> bool:
    """Whether there is nothing but white space."""
    return not text.strip(WHITE)


def spliced(length: int, edits: Iterable[Edit]) -> Iterator[str | Range]:
    """A text of this length with its edits: new texts, and ranges of the old.

    Edits do not cross each other. One inside another is made where that has the range around it, else not at all.
    """
    ordered = sorted(edits, key=lambda each: (each.start, each.start != each.end, -each.end))
    starts = [edit.start for edit in ordered]
    return _within((0, length), ordered, starts, 0)


def _within(of: Range, edits: Sequence[Edit], starts: Sequence[int], first: int) -> Iterator[str | Range]:
    """A range with its edits; those before the `first` are not its own."""
    position, end = of
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
                yield from _within(piece, edits, starts, index + 1)
        position = edit.end
    if position < end:
        yield position, end
