"""Blocks: their numbers, the headings above them, and their way through JSON."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.documents.blocks import (
    Block,
    Box,
    Kind,
    Numbering,
    Piece,
    Place,
    block_from_fields,
    block_to_fields,
    rows_of,
    table_text,
)


def test_blocks_are_numbered_from_one() -> None:
    numbering = Numbering()
    assert [numbering.block(Piece(Kind.PARAGRAPH, text)).id for text in "abc"] == [1, 2, 3]
    assert numbering.count == 3


def test_a_block_has_the_headings_above_it_and_a_heading_not_its_own() -> None:
    numbering = Numbering()
    pieces = [("H", 1, "One"), ("P", 0, "a"), ("H", 2, "Two"), ("P", 0, "b"), ("H", 2, "Three"), ("P", 0, "c"),
              ("H", 4, "Deep"), ("P", 0, "d"), ("H", 1, "Last"), ("P", 0, "e")]  # fmt: skip
    paths = {}
    for kind, level, text in pieces:
        piece = Piece(Kind.HEADING if kind == "H" else Kind.PARAGRAPH, text, level=level)
        paths[text] = numbering.block(piece).heading_path
    assert paths == {
        "One": (), "a": ("One",), "Two": ("One",), "b": ("One", "Two"), "Three": ("One",), "c": ("One", "Three"),
        "Deep": ("One", "Three"), "d": ("One", "Three", "Deep"), "Last": (), "e": ("Last",),
    }  # fmt: skip


FLOATS = st.floats(allow_nan=False, allow_infinity=False, width=32)
BOXES = st.builds(Box, st.integers(1, 9), FLOATS, FLOATS, FLOATS, FLOATS, st.integers(0, 99), st.integers(0, 99))
PLACES = st.one_of(
    st.builds(lambda boxes: Place(boxes=tuple(boxes)), st.lists(BOXES, max_size=3)),
    st.tuples(st.text(max_size=5), st.integers(0, 9), st.integers(1, 99)).map(lambda values: Place(*values)),
)
BLOCKS = st.builds(
    Block,
    st.integers(1, 10**6),
    st.sampled_from(Kind),
    st.text(),
    st.none() | st.integers(1, 5000),
    st.lists(st.text(max_size=9), max_size=3).map(tuple),
    PLACES,
    st.integers(0, 9),
    st.text(max_size=9),
)


@given(BLOCKS)
def test_a_block_comes_back_from_json_as_it_was(block: Block) -> None:
    assert block_from_fields(json.loads(json.dumps(block_to_fields(block)))) == block


def test_what_is_empty_is_left_out() -> None:
    fields = block_to_fields(Block(1, Kind.PARAGRAPH, "words"))
    assert fields == {"id": 1, "kind": "paragraph", "text": "words", "page": None, "heading_path": []}


@pytest.mark.parametrize("change", [{"kind": "poem"}, {"id": None}, {"boxes": [[1, 2]]}, {"heading_path": None}])
def test_other_values_are_no_block(change: dict[str, Any]) -> None:
    fields = block_to_fields(Block(1, Kind.PARAGRAPH, "words")) | change
    with pytest.raises((KeyError, TypeError, ValueError)):
        block_from_fields(fields)


def test_a_table_keeps_its_rows_and_cells() -> None:
    text = table_text([["a\nb", "c\td"], ["", "e  f"]])
    assert list(rows_of(Piece(Kind.TABLE, text))) == [["a b", "c d"], ["", "e f"]]
