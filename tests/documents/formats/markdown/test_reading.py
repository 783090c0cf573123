"""Markdown: blocks with their places, and no word left out, whatever markdown-it thinks of it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.documents.blocks import BlockKind, BlockPiece
from app.documents.formats.markdown import read_markdown as markdown
from app.documents.formats.markdown.read_markdown import pieces_of, read
from app.documents.source import FileSource, Opened, ReadingRemark
from tests.helpers.web_files import markers_in

LINES = (
    "# {} #", "{}", "{}", "", "", "{}\n===", "- {}", "  {}", "    {}", "1. {}", "   - {}", "> {}", "> - {}", "```c",
    "```", "| {} | {} |\n|---|---|\n| {} | {} | {} |", "[^1]: {}", "[{}]: http://x", "***", "**{}** `{}`  ",
    "<div>{}</div>", "---", "+", "{}\\", "\t{}", "|{}|\n|-|\n", "~~~\n{}\n~~~", "<b>{}</b>", "[^{}]:", "2) {}",
)  # fmt: skip


@st.composite
def documents(draw: st.DrawFn) -> tuple[str, list[str]]:
    """Lines of all kinds in any order, and the words in them."""
    shown: list[str] = []
    text = ""
    for line in draw(st.lists(st.sampled_from(LINES), max_size=25)):
        words = [f"mark{len(shown) + number}end" for number in range(line.count("{}"))]
        shown += words
        text += line.format(*words) + draw(st.sampled_from(("\n", "\n", "\n\n", "\r\n")))
    return text, shown


@given(documents())
def test_every_word_is_read_once_in_order_and_found_again_at_its_place(document: tuple[str, list[str]]) -> None:
    text, shown = document
    pieces = list(pieces_of(text))
    assert markers_in("\n".join(piece.text for piece in pieces)) == shown
    for piece in pieces:
        there = set(markers_in(text[piece.place.start : piece.place.end]))
        mark = set(re.findall(r"^\[\^(.*?)\]: ", piece.text)) if piece.kind is BlockKind.NOTE else set()
        assert set(markers_in(piece.text)) - mark <= there


def found(text: str) -> list[tuple[BlockKind, int, str, str]]:
    """Kind, level, label and text of each block."""
    return [(piece.kind, piece.level, piece.label, piece.text) for piece in pieces_of(text)]


def test_headings_and_paragraphs_keep_their_inline_markup() -> None:
    assert found("# A *b* #\n\nTwo\nlines\n---\nx **y**\nz  \n[l](http://u)\\\nend") == [
        (BlockKind.HEADING, 1, "", "A *b*"),
        (BlockKind.HEADING, 2, "", "Two lines"),
        (BlockKind.PARAGRAPH, 0, "", "x **y** z\n[l](http://u)\nend"),
    ]


def test_lists_have_levels_and_marks() -> None:
    assert found("- a\n  more\n\n  second\n- b\n  1. c\n  2. d\n\n7) e") == [
        (BlockKind.LIST_ITEM, 1, "•", "a more"),
        (BlockKind.PARAGRAPH, 0, "", "second"),
        (BlockKind.LIST_ITEM, 1, "•", "b"),
        (BlockKind.LIST_ITEM, 2, "1.", "c"),
        (BlockKind.LIST_ITEM, 2, "2.", "d"),
        (BlockKind.LIST_ITEM, 1, "7)", "e"),
    ]


def test_code_front_matter_and_tables() -> None:
    assert found("---\ntitle: T\n---\n```py\nif x:\n    y\n```\n\n    z\n\n| A | B |\n|---|---|\n| 1 | 2 | 3 |\n") == [
        (BlockKind.CODE, 0, "yaml", "title: T"),
        (BlockKind.CODE, 0, "py", "if x:\n    y"),
        (BlockKind.CODE, 0, "", "z"),
        (BlockKind.TABLE, 0, "", "A\tB\n1\t2\t3"),
    ]


def test_quotes_notes_definitions_and_html() -> None:
    text = "> quote\n> goes on\n\n[^n]: note\n\n    more\n\n"
    text += '[ref]: http://u "T"\n\n<p align="center">html <img src="x"></p>\n'
    assert found(text) == [
        (BlockKind.PARAGRAPH, 0, "", "quote goes on"),
        (BlockKind.NOTE, 0, "footnote", "[^n]: note"),
        (BlockKind.NOTE, 0, "footnote", "more"),
        (BlockKind.PARAGRAPH, 0, "", '[ref]: http://u "T"'),
        (BlockKind.PARAGRAPH, 0, "", "html"),
    ]


def test_a_place_is_the_source_of_its_block() -> None:
    text = "# Title\r\n\r\n- item\r\n  goes on\r\n\r\n<div><b>html</b></div>\r\n"
    assert [text[piece.place.start : piece.place.end] for piece in pieces_of(text)] == [
        "Title",
        "item\r\n  goes on",
        "<b>html</b>",
    ]


ENDLESS = (">", "> ", "- ", "1. ", "*", "[", "`", "![", "<div>", "**a")
"""How long they take is said by `make bench`."""


@pytest.mark.parametrize("mark", ENDLESS)
def test_marks_without_end_are_read(mark: str) -> None:
    text = mark * 20_000 + " lastword"
    pieces = list(pieces_of(text))
    assert "lastword" in "".join(piece.text + piece.label for piece in pieces)


def test_a_long_file_is_read_in_portions_with_the_same_result(monkeypatch: pytest.MonkeyPatch) -> None:
    part = "# Head\n\ntext goes\non\n\n- item\n\n  more\n\n```\ncode\n\nLetter\n```\n\n> quote\n\n"
    text = "---\na: b\n---\n" + part * 50
    whole = list(pieces_of(text))
    monkeypatch.setattr(markdown, "PORTION_CHARACTERS", 100)
    assert list(pieces_of(text)) == whole
    assert len(whole) == 1 + 50 * 6


def test_the_encoding_is_told(tmp_path: Path) -> None:
    path = tmp_path / "a.md"
    path.write_bytes("# Größe\n\nÜber Straßen und Bäume für Köln\n".encode("cp1252"))
    items = list(read(FileSource(path)))
    assert items[0] == Opened(encoding="cp1252")
    assert items[-1] == ReadingRemark("encoding", {"encoding": "cp1252"})
    assert [item.text for item in items if isinstance(item, BlockPiece)] == ["Größe", "Über Straßen und Bäume für Köln"]
