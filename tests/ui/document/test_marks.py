"""Where marked stretches are on their pages."""

from __future__ import annotations

from dataclasses import replace

import pytest

from app.documents.blocks import Block, BlockKind, BlockPlace, LineBox
from app.features.shown_document import TextHighlight
from app.language.scripts import is_right_to_left
from app.ui.document.marks import Area, areas_of, joined, marks_in, page_of, span_of

TEXT = "0123456789abcdefghij"
LINES = (LineBox(3, 100, 50, 200, 60, 0, 10), LineBox(4, 100, 20, 200, 30, 10, 20))
BLOCK = Block(7, BlockKind.PARAGRAPH, TEXT, 3, place=BlockPlace(boxes=LINES))


def test_a_whole_block_is_marked_by_its_lines() -> None:
    assert areas_of(BLOCK, TextHighlight(7), 3) == [Area(100, 50, 200, 60)]
    assert areas_of(BLOCK, TextHighlight(7), 4) == [Area(100, 20, 200, 30)]
    assert areas_of(BLOCK, TextHighlight(7), 5) == []


def test_a_stretch_inside_a_line_is_cut_by_its_share_of_characters() -> None:
    assert areas_of(BLOCK, TextHighlight(7, 2, 5), 3) == [Area(120, 50, 150, 60, True, True)]
    assert areas_of(BLOCK, TextHighlight(7, 8, 12), 3) == [Area(180, 50, 200, 60, True, False)]
    assert areas_of(BLOCK, TextHighlight(7, 8, 12), 4) == [Area(100, 20, 120, 30, False, True)]


def test_right_to_left_lines_are_cut_from_the_right() -> None:
    block = replace(BLOCK, text="אבגדהוזחטי" * 2)
    assert is_right_to_left(block.text)
    assert areas_of(block, TextHighlight(7, 0, 3), 3) == [Area(170, 50, 200, 60, True, False)]


def test_a_mark_begins_on_the_page_of_its_first_line() -> None:
    assert [page_of(BLOCK, TextHighlight(7, start)) for start in (0, 9, 10, 19)] == [3, 3, 4, 4]
    assert page_of(replace(BLOCK, place=BlockPlace()), TextHighlight(7)) == 3
    assert page_of(Block(1, BlockKind.PARAGRAPH, "x"), TextHighlight(1)) == 0


@pytest.mark.parametrize(
    ("mark", "span"),
    [
        (TextHighlight(7), (0, 20)),
        (TextHighlight(7, 5, 9), (5, 9)),
        (TextHighlight(7, 5, 99), (5, 20)),
        (TextHighlight(7, 50, 60), (20, 20)),
    ],
)
def test_a_mark_never_reaches_beyond_its_block(mark: TextHighlight, span: tuple[int, int]) -> None:
    assert span_of(BLOCK, mark) == span


def test_the_marks_of_some_blocks_are_found() -> None:
    marks = [TextHighlight(1), TextHighlight(3, 1, 2), TextHighlight(3, 5, 6), TextHighlight(9)]
    assert list(marks_in(marks, 2, 8)) == marks[1:3]
    assert list(marks_in(marks, 4, 8)) == []
    assert joined([Area(1, 2, 3, 4), Area(0, 3, 2, 9)]) == (0, 2, 3, 9)
    assert joined([]) is None
