"""Plain text: every word once and in order, with the place where it stands, however the file is written."""

from __future__ import annotations

import re
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.documents.blocks import BlockKind, BlockPiece
from app.documents.encoding import lines, without_nuls
from app.documents.formats.plain.plain_text import MOST_CHARACTERS, cut_at, paragraphs, pieces_of, read
from app.documents.source import FileSource, Opened, ReadingRemark
from tests.helpers.text_files import LANGUAGES, in_encoding

TEXTS = st.lists(
    st.sampled_from(["word", " ", "\n", "\r", "\r\n", "\f", "\0", ". ", "é", "\t", "===", "TITLE", "1.2 A"])
)


def items(tmp_path: Path, data: bytes, encoding: str = "") -> tuple[list[BlockPiece], dict[str, int | str], str]:
    """The pieces, the remarks with their value, and the encoding."""
    path = tmp_path / "a.txt"
    path.write_bytes(data)
    opened, *rest = read(FileSource(path, encoding=encoding))
    assert isinstance(opened, Opened)
    remarks = {each.name: next(iter(each.values.values())) for each in rest if isinstance(each, ReadingRemark)}
    return [each for each in rest if isinstance(each, BlockPiece)], remarks, opened.encoding


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_lines_of_a_paragraph_belong_together_however_they_end(tmp_path: Path, end: str) -> None:
    pieces, _, _ = items(tmp_path, f"One line{end}and its next.{end}{end}Two.{end} {end}{end}Three.{end}".encode())
    assert [piece.text for piece in pieces] == ["One line\nand its next.", "Two.", "Three."]


def test_paragraphs_stand_between_blank_lines_and_keep_their_own_lines(tmp_path: Path) -> None:
    pieces, remarks, encoding = items(tmp_path, b"One line\nand its next.\n \t\n\n  Two.\r\n\r\nThree\x0cfour\n")
    assert [piece.text for piece in pieces] == ["One line\nand its next.", "  Two.", "Three", "four"]
    assert {piece.kind for piece in pieces} == {BlockKind.PARAGRAPH}
    assert (remarks, encoding) == ({}, "utf-8")


def test_headings_are_told_only_where_they_are_clear(tmp_path: Path) -> None:
    text = "The Title\n=========\n\nA part\n---\nits text\n\nCHAPTER IV\n\n1.2 Of tea\n\n"
    text += "Kapitel 3\n\n1. Buy milk\n\nNo!\n\nWHAT?\n"
    found = [(piece.kind, piece.level, piece.text) for piece in items(tmp_path, text.encode())[0]]
    assert [each for each in found if each[0] is BlockKind.HEADING] == [
        (BlockKind.HEADING, 1, "The Title"),
        (BlockKind.HEADING, 2, "A part"),
        (BlockKind.HEADING, 1, "CHAPTER IV"),
        (BlockKind.HEADING, 2, "1.2 Of tea"),
        (BlockKind.HEADING, 1, "Kapitel 3"),
    ]
    assert [each[2] for each in found if each[0] is BlockKind.PARAGRAPH] == ["its text", "1. Buy milk", "No!", "WHAT?"]


def test_a_text_that_is_not_in_utf_8_says_so(tmp_path: Path) -> None:
    text, data = in_encoding("russian", "koi8-r")
    pieces, remarks, encoding = items(tmp_path, data)
    assert [piece.text for piece in pieces] == [text.strip()]
    assert remarks == {"encoding": "koi8-r"}
    assert encoding == "koi8-r"
    assert items(tmp_path, data, "cp866")[2] == "cp866"


def test_nuls_are_left_out_and_counted_with_other_odd_bytes(tmp_path: Path) -> None:
    pieces, remarks, _ = items(tmp_path, (LANGUAGES["greek"] * 3).encode() + b"\xff" + b"a\0b and no more\0\n\n")
    assert pieces[-1].text.endswith("\ufffdab and no more")
    assert remarks == {"odd_bytes": 3}


def test_one_line_of_many_megabytes_is_read_in_parts_that_lose_nothing(tmp_path: Path) -> None:
    words = " ".join(f"w{number}" for number in range(700_000)).encode()
    pieces = items(tmp_path, words)[0]
    assert max(len(piece.text) for piece in pieces) <= MOST_CHARACTERS
    assert " ".join(piece.text.strip() for piece in pieces).encode() == words
    unbroken = items(tmp_path, b"x" * 3_000_000)[0]
    assert sum(len(piece.text) for piece in unbroken) == 3_000_000


def test_a_long_paragraph_is_divided_at_lines_then_sentences_then_words() -> None:
    line = "a" * 99 + "\n"
    assert cut_at(line * 100, 0) % 100 == 0
    assert cut_at("This is it. " * 1000, 0) % 12 == 0
    assert cut_at("これは文です。" * 2000, 0) % 7 == 0
    assert cut_at("word " * 2000, 0) % 5 == 0
    assert cut_at("w" * 9000, 0) == MOST_CHARACTERS


@given(TEXTS, st.integers(1, 7))
def test_every_word_is_read_once_in_order_from_where_it_stands(parts: list[str], size: int) -> None:
    text = "".join(part + str(number) if part == "word" else part for number, part in enumerate(parts))
    chunks = [text[at : at + size] for at in range(0, len(text), size)]
    pieces = [piece for start, raw in paragraphs(chunks) for piece in pieces_of(raw, start)]
    for piece in pieces:
        here = without_nuls(text[piece.place.start : piece.place.end])
        assert here.startswith(piece.text) if piece.kind is BlockKind.PARAGRAPH else piece.text in here
    assert all(one.place.end <= two.place.start for one, two in pairwise(pieces))
    found = re.findall(r"word\d+", "\n".join(piece.text for piece in pieces))
    assert found == re.findall(r"word\d+", text.replace("\0", ""))


@given(TEXTS, st.integers(1, 7), st.integers(0, 9))
def test_lines_are_those_of_the_text_whatever_the_chunks_are(parts: list[str], size: int, most: int) -> None:
    text = "".join(parts)
    chunks = [text[at : at + size] for at in range(0, len(text), size)]
    found = list(lines(chunks, 10**9))
    assert "".join(line for _, line, _ in found) == text
    assert all(text.startswith(line, start) for start, line, _ in found)
    assert all(re.fullmatch(r"[^\r\n]*(\r\n|\r|\n)?", line) for _, line, _ in found)
    cut = list(lines(chunks, most))
    assert [start for start, _, _ in cut] == [start for start, _, _ in found]
    assert all(len(one.rstrip("\r\n")) <= most for _, one, _ in cut)
    assert [len(one) + left for _, one, left in cut] == [len(one) for _, one, _ in found]


def test_megabytes_of_blank_lines_are_not_kept(tmp_path: Path) -> None:
    chunks = ["first\n\n", *["\n \t"] * 100_000, "\n  last"]
    assert [raw.strip() for _, raw in paragraphs(chunks)] == ["first", "last"]
    assert [piece.text for piece in items(tmp_path, "".join(chunks).encode())[0]] == ["first", "  last"]


@pytest.mark.parametrize("data", [b" ", b"\n\n\n", b"\0\0\0", b"\xef\xbb\xbf", b"\xff\xfe"])
def test_nothing_to_read_gives_no_piece(tmp_path: Path, data: bytes) -> None:
    assert items(tmp_path, data)[0] == []
