"""Subtitles: what is said, with its timing beside it and never in it."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.documents.blocks import Kind, Piece
from app.documents.formats.plain.subtitles import read
from app.documents.source import Remark, Source

FIRST, SECOND = "00:00:01,000 --> 00:00:02,500", "00:00:02,000 --> 00:00:04,000"


def cues(tmp_path: Path, data: bytes) -> list[tuple[str, str]]:
    path = tmp_path / "a.srt"
    path.write_bytes(data)
    pieces = [each for each in read(Source(path)) if isinstance(each, Piece)]
    assert all(piece.kind is Kind.PARAGRAPH for piece in pieces)
    return [(piece.label, piece.text) for piece in pieces]


def test_bom_crlf_missing_numbers_overlaps_and_tags_are_no_obstacle(tmp_path: Path) -> None:
    text = f"1\n{FIRST}\n<i>Hello</i>,\n{{\\an8}}you <font color='red'>there</font>!\n\n"
    text += f"{SECOND} X1:10\n- 5 < 6\n- 42\n3\n{FIRST}\nEnd\n"
    for data in (
        text.encode("utf-8-sig"),
        text.replace("\n", "\r\n").encode("utf-16"),
        text.replace("\n", "\r").encode(),
    ):
        assert cues(tmp_path, data) == [(FIRST, "Hello,\nyou there!"), (SECOND, "- 5 < 6\n- 42"), (FIRST, "End")]


def test_what_follows_a_blank_line_inside_a_cue_is_not_lost(tmp_path: Path) -> None:
    assert cues(tmp_path, f"1\n{FIRST}\nOne\n\ntwo\n\n2\n{SECOND}\nThree".encode()) == [
        (FIRST, "One"),
        (FIRST, "two"),
        (SECOND, "Three"),
    ]


def test_notes_styles_and_names_of_cues_are_no_text(tmp_path: Path) -> None:
    text = (
        "WEBVTT - a title\nKind: captions\n\nNOTE not\nthis\n\nSTYLE\n::cue { color: red }\n\n"
        "intro\n00:01.000 --> 00:02.000 "
        "align:start\n"
        "<v.loud Roger Bingham>Fish &amp; <00:01.500><c.yellow>chips</c>\n\n00:03.000 --> 00:04.000\nNOTE is said"
    )
    assert cues(tmp_path, text.encode()) == [
        ("00:01.000 --> 00:02.000", "Roger Bingham: Fish & chips"),
        ("00:03.000 --> 00:04.000", "NOTE is said"),
    ]


def test_an_old_encoding_is_said(tmp_path: Path) -> None:
    path = tmp_path / "a.srt"
    path.write_bytes(f"1\n{FIRST}\nВот так, мой друг, всё и было.\n".encode("cp1251"))
    items = list(read(Source(path)))
    assert Remark("encoding", {"encoding": "cp1251"}) in items
    assert "Вот так, мой друг, всё и было." in [each.text for each in items if isinstance(each, Piece)]


WORDS = st.text(st.characters(categories=("L", "Nd")), min_size=1, max_size=5)


@given(
    st.lists(st.lists(st.lists(WORDS, min_size=1), min_size=1, max_size=3), max_size=8), st.booleans(), st.booleans()
)
def test_every_word_is_kept_once_and_no_timing_is_among_them(
    tmp_path_factory: pytest.TempPathFactory, texts: list[list[list[str]]], numbered: bool, is_vtt: bool
) -> None:
    said = [["x" + " ".join(words) for words in lines] for lines in texts]
    blocks = [
        (f"{number}\n" if numbered else "") + f"{FIRST}\n" + "\n".join(lines) for number, lines in enumerate(said, 1)
    ]
    text = ("WEBVTT\n\n" if is_vtt else "") + "\n\n".join(blocks)
    found = cues(tmp_path_factory.mktemp("srt"), text.encode())
    assert found == [(FIRST, "\n".join(lines)) for lines in said]
