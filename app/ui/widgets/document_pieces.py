"""Cuts blocks into stretches that are laid out one at a time, and walks over them in both directions."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from app.documents.blocks import Block, Kind
from app.features.shown_document import ShownDocument

MOST_CHARACTERS = 3000
MOST_LINES = 40
BATCH = 50
BY_LINE = (Kind.TABLE, Kind.CODE)


class Stretch(NamedTuple):
    """Part of a block's text, or all of it."""

    block: Block
    start: int
    end: int

    @property
    def text(self) -> str:
        """Its characters."""
        return self.block.text[self.start : self.end]


def stretches_of(block: Block) -> list[Stretch]:
    """A block in stretches of a bounded length, cut after a line or a space; joined they are the block's text.

    The line break between two stretches of a table or of code belongs to the first one.
    """
    found, start, text = [], 0, block.text
    by_line = block.kind in BY_LINE
    while True:
        end = _cut(text, start, by_line=by_line)
        found.append(Stretch(block, start, end))
        if end >= len(text):
            return found
        start = end


def _cut(text: str, start: int, *, by_line: bool) -> int:
    limit = start + MOST_CHARACTERS
    if by_line:
        end = start
        for _ in range(MOST_LINES):
            following = text.find("\n", end, limit) + 1
            if following == 0:
                break
            end = following
        else:
            return end
        if len(text) <= limit:
            return len(text)
        return end if end > start else limit
    if len(text) <= limit:
        return len(text)
    space = max(text.rfind(" ", start, limit), text.rfind("\n", start, limit))
    return space + 1 if space > start else limit


class Walk:
    """The stretches of some blocks of a document, fetched in small batches as they are needed."""

    def __init__(self, document: ShownDocument, first_id: int, last_id: int) -> None:
        self.first_id, self.last_id = first_id, last_id
        self._document = document

    def has(self, block_id: int) -> bool:
        """Whether a block is one of them."""
        return self.first_id <= block_id <= self.last_id

    def place(self, block_id: int, offset: int) -> Stretch | None:
        """The stretch with that character."""
        for block in self._document.blocks(block_id, 1):
            for stretch in stretches_of(block):
                if offset < stretch.end:
                    return stretch
            return stretches_of(block)[-1]
        return None

    def onwards(self, after: Stretch | None) -> Iterator[Stretch]:
        """What follows a stretch, or all from the first on."""
        next_id = self.first_id
        if after is not None:
            yield from (one for one in stretches_of(after.block) if one.start > after.start)
            next_id = after.block.id + 1
        while next_id <= self.last_id:
            blocks = self._document.blocks(next_id, min(BATCH, self.last_id - next_id + 1))
            if not blocks:
                return
            for block in blocks:
                yield from stretches_of(block)
            next_id = blocks[-1].id + 1

    def backwards(self, before: Stretch) -> Iterator[Stretch]:
        """What precedes a stretch, the nearest first."""
        yield from reversed([one for one in stretches_of(before.block) if one.start < before.start])
        last_id = before.block.id - 1
        while last_id >= self.first_id:
            first_id = max(self.first_id, last_id - BATCH + 1)
            blocks = self._document.blocks(first_id, last_id - first_id + 1)
            for block in reversed(blocks):
                yield from reversed(stretches_of(block))
            last_id = first_id - 1
