"""Blocks split into ranges that are laid out one by one, and walked in both directions."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from app.documents.blocks import Block, BlockKind
from app.features.shown_document import ShownDocument

MOST_CHARACTERS = 3000
MOST_LINES = 40
BATCH = 50
BY_LINE = (BlockKind.TABLE, BlockKind.CODE)


class BlockRange(NamedTuple):
    """Part of a block's text, or all of it."""

    block: Block
    start: int
    end: int

    @property
    def text(self) -> str:
        return self.block.text[self.start : self.end]


def ranges_of(block: Block) -> list[BlockRange]:
    """Split a block into ranges of bounded length, after a line or a space; joined they are its text.

    A line break between two ranges of a table or of code belongs to the first.
    """
    found, start, text = [], 0, block.text
    by_line = block.kind in BY_LINE
    while True:
        end = _cut_position(text, start, by_line=by_line)
        found.append(BlockRange(block, start, end))
        if end >= len(text):
            return found
        start = end


def _cut_position(text: str, start: int, *, by_line: bool) -> int:
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
    """Ranges of a document's blocks, fetched in small batches."""

    def __init__(self, document: ShownDocument, first_id: int, last_id: int) -> None:
        self.first_id, self.last_id, self._document = first_id, last_id, document

    def has(self, block_id: int) -> bool:
        return self.first_id <= block_id <= self.last_id

    def place_of(self, block_id: int, offset: int) -> BlockRange | None:
        """Return the range that contains a character, or None."""
        for block in self._document.read_blocks(block_id, 1):
            for block_range in ranges_of(block):
                if offset < block_range.end:
                    return block_range
            return ranges_of(block)[-1]
        return None

    def onwards(self, after: BlockRange | None) -> Iterator[BlockRange]:
        """Yield the ranges after one, or all ranges for None."""
        next_id = self.first_id
        if after is not None:
            yield from (block_range for block_range in ranges_of(after.block) if block_range.start > after.start)
            next_id = after.block.id + 1
        while next_id <= self.last_id:
            if not (blocks := self._document.read_blocks(next_id, min(BATCH, self.last_id - next_id + 1))):
                return
            for block in blocks:
                yield from ranges_of(block)
            next_id = blocks[-1].id + 1

    def backwards(self, before: BlockRange) -> Iterator[BlockRange]:
        """Yield the ranges before one, the nearest first, down to the first block."""
        yield from reversed(
            [block_range for block_range in ranges_of(before.block) if block_range.start < before.start]
        )
        last_id = before.block.id - 1
        while last_id >= self.first_id:
            first_id = max(self.first_id, last_id - BATCH + 1)
            blocks = self._document.read_blocks(first_id, last_id - first_id + 1)
            for block in reversed(blocks):
                yield from reversed(ranges_of(block))
            last_id = first_id - 1
