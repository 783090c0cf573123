"""Positions of marks: on a page in points, and in their blocks."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from app.documents.blocks import Block
from app.features.shown_document import TextHighlight
from app.language.scripts import is_right_to_left


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


class SaidPart(NamedTuple):
    """What a screen reader says of a part of a page, and where that stands."""

    words: str
    block: Block
    mark: TextHighlight


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
    if not (every := list(areas)):
        return None
    return (
        min(area.left for area in every),
        min(area.top for area in every),
        max(area.right for area in every),
        max(area.bottom for area in every),
    )
