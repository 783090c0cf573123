"""What models say stands on a page: Markdown, tables in three ways, a layout in JSON."""

from __future__ import annotations

import json

import pytest

from app.documents.blocks import BlockKind, LineBox
from app.documents.formats.page_transcript import pieces_of
from app.documents.protocol import View

VIEW = View(0, 0, 600, 800, 2)
WHOLE = (0, 0, 600, 800)
TABLE = "<table><tr><td>a</td><td>b</td></tr><tr><td>c</td><td>d</td></tr></table>"


def said(text: str) -> list[tuple[BlockKind, str]]:
    return [(piece.kind, piece.text) for piece in pieces_of(text, 1, VIEW)]


def test_markdown_becomes_blocks_without_the_marks_of_letters() -> None:
    text = "```markdown\n# Lease\n\nThe **rent** is *due*.\n\n- one\n- two * three\n\n![a picture](x.png)\n```"
    assert said(text) == [
        (BlockKind.HEADING, "Lease"),
        (BlockKind.PARAGRAPH, "The rent is due."),
        (BlockKind.LIST_ITEM, "one"),
        (BlockKind.LIST_ITEM, "two * three"),
    ]


@pytest.mark.parametrize(
    "table",
    [
        "| Month | Rent |\n| --- | --- |\n| May | 1,450 |",
        "<table><tr><th>Month</th><th>Rent</th></tr>\n\n<tr><td>May</td><td>1,450</td></tr></table>",
        "<table><tr><td>Month</td><td>Rent</td></tr><tr><td>May</td><td>1,450",
        "<fcel>Month<fcel>Rent<nl><fcel>May<fcel>1,450<nl>",
    ],
    ids=["Markdown", "HTML", "cut off", "cells"],
)
def test_a_table_is_a_table_however_it_is_said(table: str) -> None:
    assert said(f"Before.\n{table}\nAfter." if table[0] == "<" and table.endswith(">") else f"Before.\n\n{table}")[
        :2
    ] == [
        (BlockKind.PARAGRAPH, "Before."),
        (BlockKind.TABLE, "Month\tRent\nMay\t1,450"),
    ]


def test_a_layout_has_the_places_of_its_elements() -> None:
    layout = [
        {"bbox": [20, 10, 400, 60], "category": "Page-header", "text": "Lease, page 3"},
        {"bbox": [100, 100, 900, 160], "category": "Section-header", "text": "## Rent"},
        {"bbox": [100, 200, 900, 300], "category": "Text", "text": "Due on the third day."},
        {"bbox": [100, 320, 900, 500], "category": "Table", "text": TABLE},
        {"bbox": [100, 520, 900, 600], "category": "Picture"},
        {"bbox": [100, 520, 9000, 600], "category": "Caption", "text": "Elm Street"},
    ]
    pieces = pieces_of(json.dumps(layout), 3, VIEW)
    assert [(piece.kind, piece.text) for piece in pieces] == [
        (BlockKind.HEADING, "Rent"),
        (BlockKind.PARAGRAPH, "Due on the third day."),
        (BlockKind.TABLE, "a\tb\nc\td"),
        (BlockKind.CAPTION, "Elm Street"),
    ]
    assert [piece.place.boxes[0][:5] for piece in pieces] == [
        (3, 50, 50, 450, 80),
        (3, 50, 100, 450, 150),
        (3, 50, 160, 450, 250),
        (3, *WHOLE),
    ]


def test_of_a_layout_that_was_cut_off_the_whole_elements_stay() -> None:
    whole = json.dumps([{"bbox": [0, 0, 10, 10], "category": "Text", "text": f"Number {n}"} for n in range(3)])
    assert said(whole[:-30]) == [(BlockKind.PARAGRAPH, "Number 0"), (BlockKind.PARAGRAPH, "Number 1")]


def test_words_are_placed_on_the_lines_that_say_them() -> None:
    lines = [
        (LineBox(1, 10, 20, 300, 32, 0, 0), "The rent is duo on"),
        (LineBox(1, 10, 34, 200, 46, 0, 0), "the third day."),
        (LineBox(1, 10, 60, 200, 72, 0, 0), "Pets are welcome"),
    ]
    text = "The rent is due on the third day.\n\nSomething else that stands nowhere."
    rent, nowhere = pieces_of(text, 1, VIEW, lines)
    assert [(rent.text[box.start : box.end], box.top) for box in rent.place.boxes] == [
        ("The rent is due on ", 20),
        ("the third day.", 34),
    ]
    assert [box[1:5] for box in nowhere.place.boxes] == [WHOLE]


@pytest.mark.parametrize("text", ["", "   ", "```\n```", "![](x.png)", "{", '[{"bbox": 3}]', "<table>", "<nl><nl>"])
def test_nothing_is_no_block(text: str) -> None:
    assert [piece for piece in pieces_of(text, 1, VIEW) if piece.kind is BlockKind.TABLE] == []
