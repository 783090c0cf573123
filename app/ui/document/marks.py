"""Positions of marks: on a page in points, and among laid-out ranges."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from app.documents.blocks import Block, BlockKind
from app.features.document_library import ShownDocument, TextHighlight
from app.language.language_names import is_right_to_left


class Area(NamedTuple):
    """Part of a line on a page, in points from the top left.

    `cut_left` and `cut_right` say that the line continues there, so that the edge is an estimate.
    """

    left: float
    top: float
    right: float
    bottom: float
    cut_left: bool = False
    cut_right: bool = False


def areas_of(block: Block, mark: TextHighlight, page: int) -> list[Area]:
    """Return the areas of a mark on a page."""
    start, end = span_of(block, mark)
    found = []
    for box in block.place.boxes:
        first, last = max(start, box.start), min(end, box.end)
        if box.page != page or first >= last:
            continue
        # A partly covered line is cut by its share of characters, as letter widths aren't known here.
        letter = (box.right - box.left) / (box.end - box.start)
        before, after = (first - box.start) * letter, (box.end - last) * letter
        # Such a line begins at its right edge.
        if is_right_to_left(block.text[box.start : box.end]):
            before, after = after, before
        found.append(Area(box.left + before, box.top, box.right - after, box.bottom, before > 0, after > 0))
    return found


def areas_on(
    page: int, blocks: Iterable[Block], mark: TextHighlight | None, others: Sequence[TextHighlight]
) -> tuple[list[Area], list[Area]]:
    """Return the areas of a mark on a page, and those of the other marks, which are sorted by block."""
    marked: list[Area] = []
    other_areas: list[Area] = []
    for block in blocks:
        for other in marks_in(others, block.id, block.id):
            other_areas += areas_of(block, other, page) if other != mark else []
        if mark is not None and mark.block_id == block.id:
            marked = areas_of(block, mark, page)
    return marked, other_areas


def span_of(block: Block, mark: TextHighlight) -> tuple[int, int]:
    """Return a mark's start and end in its block; an `end` of 0 is the block's end."""
    end = len(block.text) if mark.end <= 0 else min(mark.end, len(block.text))
    return min(max(0, mark.start), end), end


def page_of(block: Block, mark: TextHighlight) -> int:
    """Return the page on which a mark starts; 0 without pages."""
    start, end = span_of(block, mark)
    for box in block.place.boxes:
        # An empty mark is on the page of the character behind it.
        if box.end > start and box.start < max(end, start + 1):
            return box.page
    return block.page or 0


def marks_in(marks: Sequence[TextHighlight], first_id: int, last_id: int) -> Sequence[TextHighlight]:
    """Return the marks in blocks first to last; `marks` are sorted by block."""
    low = bisect_left(marks, first_id, key=lambda mark: mark.block_id)
    return marks[low : bisect_right(marks, last_id, key=lambda mark: mark.block_id)]


def joined(areas: Iterable[Area]) -> tuple[float, float, float, float] | None:
    """Return left, top, right and bottom around all areas; None if there are none."""
    every = list(areas)
    if not every:
        return None
    return (
        min(area.left for area in every),
        min(area.top for area in every),
        max(area.right for area in every),
        max(area.bottom for area in every),
    )


# Splits blocks into ranges that are laid out one by one, and iterates over them in both directions.

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
        self.first_id, self.last_id = first_id, last_id
        self._document = document

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
            blocks = self._document.read_blocks(next_id, min(BATCH, self.last_id - next_id + 1))
            if not blocks:
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
