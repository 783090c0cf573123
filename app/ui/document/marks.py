"""Where a stretch of a block is in a document: on its page in points, and among the stretches that are laid out."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from app.documents.blocks import Block, BlockKind
from app.features.document_library import ShownDocument, TextHighlight
from app.language.language_names import is_right_to_left


class Area(NamedTuple):
    """Part of one line on a page: points from the page's left upper corner.

    `cut_left` and `cut_right` say that the line goes on there, so that the edge was computed and not read.
    """

    left: float
    top: float
    right: float
    bottom: float
    cut_left: bool = False
    cut_right: bool = False


def areas_of(block: Block, mark: TextHighlight, page: int) -> list[Area]:
    """The lines that a mark covers on one page.

    A line that is covered in part is cut by the share of its characters; the letters' own widths are not known here.
    """
    start, end = span_of(block, mark)
    found = []
    for box in block.place.boxes:
        first, last = max(start, box.start), min(end, box.end)
        if box.page != page or first >= last:
            continue
        letter = (box.right - box.left) / (box.end - box.start)
        before, after = (first - box.start) * letter, (box.end - last) * letter
        if is_right_to_left(block.text[box.start : box.end]):
            before, after = after, before
        found.append(Area(box.left + before, box.top, box.right - after, box.bottom, before > 0, after > 0))
    return found


def areas_on(
    page: int, blocks: Iterable[Block], mark: TextHighlight | None, others: Sequence[TextHighlight]
) -> tuple[list[Area], list[Area]]:
    """What a mark covers of a page with these blocks, and what other marks, in the order of their blocks, cover."""
    marked: list[Area] = []
    beside: list[Area] = []
    for block in blocks:
        for other in marks_in(others, block.id, block.id):
            beside += areas_of(block, other, page) if other != mark else []
        if mark is not None and mark.block_id == block.id:
            marked = areas_of(block, mark, page)
    return marked, beside


def span_of(block: Block, mark: TextHighlight) -> tuple[int, int]:
    """The offsets a mark means in its block; `end` 0 is the block's end."""
    end = len(block.text) if mark.end <= 0 else min(mark.end, len(block.text))
    return min(max(0, mark.start), end), end


def page_of(block: Block, mark: TextHighlight) -> int:
    """The page on which a marked stretch begins; 0 where there are no pages."""
    start, end = span_of(block, mark)
    for box in block.place.boxes:
        if box.end > start and box.start < max(end, start + 1):
            return box.page
    return block.page or 0


def marks_in(marks: Sequence[TextHighlight], first_id: int, last_id: int) -> Sequence[TextHighlight]:
    """Those whose block is one of first to last; `marks` are in the order of their blocks."""
    low = bisect_left(marks, first_id, key=lambda mark: mark.block_id)
    return marks[low : bisect_right(marks, last_id, key=lambda mark: mark.block_id)]


def joined(areas: Iterable[Area]) -> tuple[float, float, float, float] | None:
    """Left, top, right and bottom of what holds them all; None without any."""
    every = list(areas)
    if not every:
        return None
    return (
        min(area.left for area in every),
        min(area.top for area in every),
        max(area.right for area in every),
        max(area.bottom for area in every),
    )


# Cuts blocks into stretches that are laid out one at a time, and walks over them in both directions.

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


def stretches_of(block: Block) -> list[BlockRange]:
    """A block in stretches of a bounded length, cut after a line or a space; joined they are the block's text.

    The line break between two stretches of a table or of code belongs to the first one.
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
    """The stretches of some blocks of a document, fetched in small batches as they are needed."""

    def __init__(self, document: ShownDocument, first_id: int, last_id: int) -> None:
        self.first_id, self.last_id = first_id, last_id
        self._document = document

    def has(self, block_id: int) -> bool:
        return self.first_id <= block_id <= self.last_id

    def place_of(self, block_id: int, offset: int) -> BlockRange | None:
        """The stretch with that character."""
        for block in self._document.read_blocks(block_id, 1):
            for stretch in stretches_of(block):
                if offset < stretch.end:
                    return stretch
            return stretches_of(block)[-1]
        return None

    def onwards(self, after: BlockRange | None) -> Iterator[BlockRange]:
        """What follows a stretch, or all from the first on."""
        next_id = self.first_id
        if after is not None:
            yield from (block_range for block_range in stretches_of(after.block) if block_range.start > after.start)
            next_id = after.block.id + 1
        while next_id <= self.last_id:
            blocks = self._document.read_blocks(next_id, min(BATCH, self.last_id - next_id + 1))
            if not blocks:
                return
            for block in blocks:
                yield from stretches_of(block)
            next_id = blocks[-1].id + 1

    def backwards(self, before: BlockRange) -> Iterator[BlockRange]:
        """What precedes a stretch, the nearest first."""
        yield from reversed(
            [block_range for block_range in stretches_of(before.block) if block_range.start < before.start]
        )
        last_id = before.block.id - 1
        while last_id >= self.first_id:
            first_id = max(self.first_id, last_id - BATCH + 1)
            blocks = self._document.read_blocks(first_id, last_id - first_id + 1)
            for block in reversed(blocks):
                yield from reversed(stretches_of(block))
            last_id = first_id - 1
