"""Blocks: their numbers, the headings above them, and their way through JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from app.documents.blocks import (
    Block,
    BlockKind,
    BlockNumbering,
    BlockPiece,
    BlockPlace,
    LineBox,
    as_markdown,
    block_from_fields,
    block_markdown,
    block_to_fields,
    rows_of,
    table_text,
)


def test_blocks_are_numbered_from_one() -> None:
    numbering = BlockNumbering()
    assert [numbering.block(BlockPiece(BlockKind.PARAGRAPH, text)).id for text in "abc"] == [1, 2, 3]
    assert numbering.count == 3


def test_a_block_has_the_headings_above_it_and_a_heading_not_its_own() -> None:
    numbering = BlockNumbering()
    pieces = [("H", 1, "One"), ("P", 0, "a"), ("H", 2, "Two"), ("P", 0, "b"), ("H", 2, "Three"), ("P", 0, "c"),
              ("H", 4, "Deep"), ("P", 0, "d"), ("H", 1, "Last"), ("P", 0, "e")]  # fmt: skip
    paths = {}
    for kind, level, text in pieces:
        piece = BlockPiece(BlockKind.HEADING if kind == "H" else BlockKind.PARAGRAPH, text, level=level)
        paths[text] = numbering.block(piece).heading_path
    assert paths == {
        "One": (), "a": ("One",), "Two": ("One",), "b": ("One", "Two"), "Three": ("One",), "c": ("One", "Three"),
        "Deep": ("One", "Three"), "d": ("One", "Three", "Deep"), "Last": (), "e": ("Last",),
    }  # fmt: skip


FLOATS = st.floats(allow_nan=False, allow_infinity=False, width=32)
BOXES = st.builds(LineBox, st.integers(1, 9), FLOATS, FLOATS, FLOATS, FLOATS, st.integers(0, 99), st.integers(0, 99))
PLACES = st.one_of(
    st.builds(lambda boxes: BlockPlace(boxes=tuple(boxes)), st.lists(BOXES, max_size=3)),
    st.tuples(st.text(max_size=5), st.integers(0, 9), st.integers(1, 99)).map(lambda values: BlockPlace(*values)),
)
BLOCKS = st.builds(
    Block,
    st.integers(1, 10**6),
    st.sampled_from(BlockKind),
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
    fields = block_to_fields(Block(1, BlockKind.PARAGRAPH, "words"))
    assert fields == {"id": 1, "kind": "paragraph", "text": "words", "page": None, "heading_path": []}


@pytest.mark.parametrize("change", [{"kind": "poem"}, {"id": None}, {"boxes": [[1, 2]]}, {"heading_path": None}])
def test_other_values_are_no_block(change: dict[str, Any]) -> None:
    fields = block_to_fields(Block(1, BlockKind.PARAGRAPH, "words")) | change
    with pytest.raises((KeyError, TypeError, ValueError)):
        block_from_fields(fields)


def test_a_table_keeps_its_rows_and_cells() -> None:
    text = table_text([["a\nb", "c\td"], ["", "e  f"]])
    assert list(rows_of(BlockPiece(BlockKind.TABLE, text))) == [["a b", "c d"], ["", "e f"]]


# Blocks as Markdown: what a person and a prompt see of a document.


def text_of(*pieces: BlockPiece, unit: str = "page") -> str:
    """The Markdown of pieces."""
    numbering = BlockNumbering()
    return "".join(as_markdown((numbering.block(piece) for piece in pieces), unit))


def block(kind: BlockKind, text: str, level: int = 0, label: str = "") -> str:
    """One block's Markdown."""
    return block_markdown(Block(1, kind, text, level=level, label=label))


def test_a_document_reads_as_markdown_with_its_pages_marked() -> None:
    assert text_of(
        BlockPiece(BlockKind.HEADING, "Title", 1, level=1),
        BlockPiece(BlockKind.PARAGRAPH, "First words.", 1),
        BlockPiece(BlockKind.LIST_ITEM, "one", 2, level=1, label="•"),
        BlockPiece(BlockKind.LIST_ITEM, "two", 2, level=2, label="a)"),
        BlockPiece(BlockKind.PARAGRAPH, "After the list.", 2),
        BlockPiece(BlockKind.NOTE, "small print", 4, label="footnote"),
    ) == (
        "[p. 1]\n\n# Title\n\nFirst words.\n\n[p. 2]\n\n- one\n    a) two\n\nAfter the list.\n\n"
        "[p. 4]\n\nFootnote: small print\n"
    )


@pytest.mark.parametrize(
    ("unit", "mark"), [("page", "[p. 3]"), ("slide", "[slide 3]"), ("sheet", "[sheet 3]"), ("chapter", "[ch. 3]")]
)
def test_a_mark_names_what_the_document_counts(unit: str, mark: str) -> None:
    assert text_of(BlockPiece(BlockKind.PARAGRAPH, "words", 3), unit=unit) == f"{mark}\n\nwords\n"


def test_a_document_without_pages_has_no_marks() -> None:
    assert (
        text_of(BlockPiece(BlockKind.PARAGRAPH, "one"), BlockPiece(BlockKind.PARAGRAPH, "two"), unit="")
        == "one\n\ntwo\n"
    )


def test_nothing_is_nothing() -> None:
    assert text_of() == ""


def test_it_comes_as_the_blocks_come() -> None:
    def blocks() -> Iterator[Block]:
        yield Block(1, BlockKind.PARAGRAPH, "first")
        raise AssertionError("asked for more than was taken")

    assert next(as_markdown(blocks(), "")) == "first\n"


def test_a_table_is_a_pipe_table() -> None:
    text = table_text([["Name", "a|b"], ["x"], ["1", "2", "3"]])
    assert block(BlockKind.TABLE, text, label="Costs") == (
        "Table: Costs\n\n| Name | a\\|b |  |\n| --- | --- | --- |\n| x |  |  |\n| 1 | 2 | 3 |"
    )


CELLS = st.text(alphabet=st.characters(codec="utf-8", categories=["L", "N"], include_characters="| "), max_size=8)


@given(st.lists(st.lists(CELLS, min_size=2, max_size=4), min_size=1, max_size=5))
def test_every_cell_is_found_again_by_a_markdown_parser(rows: list[list[str]]) -> None:
    rows = [[" ".join(cell.split()) for cell in row] for row in rows]
    rows = [[cell or "x" for cell in row] for row in rows]
    tokens = MarkdownIt("commonmark").enable("table").parse(block(BlockKind.TABLE, table_text(rows)))
    found = [token.content.replace("\\|", "|") for token in tokens if token.type == "inline"]
    width = max(map(len, rows))
    assert found == [cell for row in rows for cell in row + [""] * (width - len(row))]


@pytest.mark.parametrize("inside", ["plain", "a ``` fence", "`````\nfive\n`````", "`"])
def test_code_is_fenced_by_more_than_it_has_inside(inside: str) -> None:
    (token,) = MarkdownIt("commonmark").parse(block(BlockKind.CODE, inside, label="python"))
    assert (token.type, token.info, token.content) == ("fence", "python", inside + "\n")


@pytest.mark.parametrize("label", ["py`thon", "two words", "x\ny", ""])
def test_a_language_that_would_break_the_fence_is_left_out(label: str) -> None:
    assert block(BlockKind.CODE, "x", label=label) == "```\nx\n```"


def test_a_heading_is_one_line_of_at_most_six_marks() -> None:
    assert [block(BlockKind.HEADING, "a\nb", level=level) for level in (0, 2, 9)] == ["# a b", "## a b", "###### a b"]


def test_list_items_are_nested_below_each_other() -> None:
    pieces = [
        BlockPiece(BlockKind.LIST_ITEM, f"level {level}", level=level, label=mark)
        for level, mark in ((1, "1."), (2, "•"), (3, "–"))
    ]
    tokens = MarkdownIt("commonmark").parse(text_of(*pieces, unit=""))
    depths = [(token.content, token.level) for token in tokens if token.type == "inline"]
    assert depths == [("level 1", 3), ("level 2", 5), ("level 3", 7)]
    assert block(BlockKind.LIST_ITEM, "two\nlines", level=1, label="10.") == "10. two\n    lines"


def test_notes_say_what_they_are() -> None:
    assert [block(BlockKind.NOTE, "x", label=label) for label in ("", "speaker notes")] == [
        "Note: x",
        "Speaker notes: x",
    ]
    assert block(BlockKind.CAPTION, "Figure 1: A house") == "Figure 1: A house"
