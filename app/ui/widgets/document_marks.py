"""Where a stretch of a block is on its page, in points, and which marks stand in which blocks."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from app.documents.blocks import Block
from app.features.shown_document import Mark
from app.language.scripts import is_right_to_left


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


def areas_of(block: Block, mark: Mark, page: int) -> list[Area]:
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
    page: int, blocks: Iterable[Block], mark: Mark | None, others: Sequence[Mark]
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


def span_of(block: Block, mark: Mark) -> tuple[int, int]:
    """The offsets a mark means in its block; `end` 0 is the block's end."""
    end = len(block.text) if mark.end <= 0 else min(mark.end, len(block.text))
    return min(max(0, mark.start), end), end


def page_of(block: Block, mark: Mark) -> int:
    """The page on which a marked stretch begins; 0 where there are no pages."""
    start, end = span_of(block, mark)
    for box in block.place.boxes:
        if box.end > start and box.start < max(end, start + 1):
            return box.page
    return block.page or 0


def marks_in(marks: Sequence[Mark], first_id: int, last_id: int) -> Sequence[Mark]:
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
