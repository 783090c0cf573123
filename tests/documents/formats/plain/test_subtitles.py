"""Subtitles: what is said, with its timing beside it and never in it."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.documents.blocks import BlockKind, BlockPiece
from app.documents.formats.plain.subtitles import read
from app.documents.segments import Content, Mark, SegmentKind, marks
from app.documents.source import FileSource, ReadingRemark, TargetLanguage
from tests.helpers.rewriting import reversed_words, run_on, takes_words

FIRST, SECOND = "00:00:01,000 --> 00:00:02,500", "00:00:02,000 --> 00:00:04,000"


def cues(tmp_path: Path, data: bytes) -> list[tuple[str, str]]:
    path = tmp_path / "a.srt"
    path.write_bytes(data)
    pieces = [each for each in read(FileSource(path)) if isinstance(each, BlockPiece)]
    assert all(piece.kind is BlockKind.PARAGRAPH for piece in pieces)
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
    items = list(read(FileSource(path)))
    assert ReadingRemark("encoding", {"encoding": "cp1251"}) in items
    assert "Вот так, мой друг, всё и было." in [each.text for each in items if isinstance(each, BlockPiece)]


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


# Subtitles written back: timings, numbers, notes and settings stay byte for byte, tags go where their words go.


SRT = """\
1
00:00:01,000 --> 00:00:02,000
<i>Hello there my friend</i>
how are you today?

2
00:00:03,000 --> 00:00:04,000 X1:10 X2:20
{\\an8}- Hi.
- Bye <b>now</b>.

00:00:05,000 --> 00:00:06,000
No number here\x20\x20


4
00:00:07,000 --> 00:00:08,000
♪ ♪
"""
SRT_REVERSED = """\
1
00:00:01,000 --> 00:00:02,000
<i>dneirf ym ereht olleH</i>
?yadot uoy era woh

2
00:00:03,000 --> 00:00:04,000 X1:10 X2:20
{\\an8}.iH -
eyB - <b>won</b>.

00:00:05,000 --> 00:00:06,000
ereh rebmun oN\x20\x20


4
00:00:07,000 --> 00:00:08,000
♪ ♪
"""
VTT = """\
WEBVTT - a title
X-TIMESTAMP-MAP=LOCAL:00:00:00.000,MPEGTS:900000

STYLE
::cue { color: red }

REGION
id:fred

NOTE a note
over lines

intro
00:01.000 --> 00:02.000 align:start position:10%
<v Bob>Hello &amp; <c.x>welcome</c> <00:01.500>home

00:03.000 --> 00:04.000
Two&nbsp;words
"""


def put(tmp_path: Path, text: str, *contents: Content | None) -> str:
    """A file whose cues get these contents."""
    waiting = iter(contents)
    return run_on("subtitles", tmp_path, text, lambda segment: next(waiting)).text


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_timings_and_all_else_stay_byte_for_byte(tmp_path: Path, newline: str, mark: bytes) -> None:
    for text in (SRT, VTT):
        takes_words("subtitles", tmp_path, mark + text.replace("\n", newline).encode())
    turned = run_on("subtitles", tmp_path, mark + SRT.replace("\n", newline).encode(), reversed_words).data
    assert turned == mark + SRT_REVERSED.replace("\n", newline).encode()


def test_the_language_in_the_header_becomes_the_target(tmp_path: Path) -> None:
    text = "WEBVTT\nKind: captions\nLanguage: en\n\n00:01.000 --> 00:02.000\nLanguage: words\n"
    new = run_on("subtitles", tmp_path, text, target=TargetLanguage("pt-BR")).text
    assert new == text.replace("Language: en", "Language: pt-BR")
    assert run_on("subtitles", tmp_path, VTT, target=TargetLanguage("de")).text == VTT


def test_tags_are_marks_and_what_they_do_is_told(tmp_path: Path) -> None:
    first, second, *_ = run_on("subtitles", tmp_path, SRT).segments
    assert first.kind is SegmentKind.CUE
    assert first.content == (
        Mark("open", 1, "italic"), "Hello there my friend", Mark("close", 1), " how are you today?",
    )  # fmt: skip
    assert [mark.look for mark in marks(second.content)] == ["other", "break", "bold", ""]


def test_a_webvtt_file_has_its_voices_and_entities(tmp_path: Path) -> None:
    result = run_on("subtitles", tmp_path, VTT, reversed_words)
    assert result.texts == ["Hello & welcome home", "Two\xa0words"]
    assert result.text == VTT.replace(
        "Hello &amp; <c.x>welcome</c> <00:01.500>home", "&amp; olleH <c.x>emoclew</c> <00:01.500>emoh"
    ).replace("Two&nbsp;words", "sdrow&nbsp;owT")


def test_what_would_be_a_tag_or_a_timing_is_escaped(tmp_path: Path) -> None:
    voice, opening, closing, time = marks(run_on("subtitles", tmp_path, VTT).segments[0].content)
    new = put(tmp_path, VTT, (voice, "a < b --> c & d", opening, "x", closing, time), None)
    assert "<v Bob>a &lt; b --&gt; c &amp; d<c.x>x</c><00:01.500>\n" in new
    srt = "1\n00:01:00,000 --> 00:02:00,000\nwords\n"
    assert put(tmp_path, srt, ("a --> b",)).endswith("\na -> b\n")


def test_lines_are_as_many_as_they_were_and_about_as_wide_as_each_other(tmp_path: Path) -> None:
    srt = "1\n00:01:00,000 --> 00:02:00,000\nThree short words\nand three more words\n"
    new = put(tmp_path, srt, ("Das ist nun ein viel längerer Satz, der auf zwei Zeilen verteilt werden soll",))
    lines = new.splitlines()[2:]
    assert len(lines) == 2
    assert abs(len(lines[0]) - len(lines[1])) < 12
    assert put(tmp_path, srt, ("Kurz.",)).splitlines()[2:] == ["Kurz."]
    one = "1\n00:01:00,000 --> 00:02:00,000\nOne line\n"
    assert len(put(tmp_path, one, ("Das ist nun ein viel längerer Satz " * 3,)).splitlines()) == 3


def test_a_translation_without_words_leaves_the_cue(tmp_path: Path) -> None:
    srt = "1\n00:01:00,000 --> 00:02:00,000\nOne line\n"
    assert put(tmp_path, srt, (" \n ",)) == srt


def test_no_empty_line_comes_into_a_cue(tmp_path: Path) -> None:
    srt = "1\n00:01:00,000 --> 00:02:00,000\nOne\n\n2\n00:03:00,000 --> 00:04:00,000\nTwo\n"
    new = put(tmp_path, srt, ("Eins\n\n3\n00:05:00,000 --> 00:06:00,000\nnicht",), None)
    assert run_on("subtitles", tmp_path, new).texts == ["Eins 3 00:05:00,000 -> 00:06:00,000 nicht", "Two"]


def test_tags_that_do_not_nest_are_marks_of_their_own(tmp_path: Path) -> None:
    srt = "1\n00:01:00,000 --> 00:02:00,000\n<i>a <b>b</i> c</b> </u> <font color='red'>d\n"
    result = takes_words("subtitles", tmp_path, srt)
    roles = [(mark.role, mark.look) for mark in marks(result.segments[0].content)]
    assert roles == [
        ("open", "italic"), ("single", "bold"), ("close", ""), ("single", "bold"), ("single", "underline"),
        ("single", "other"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    "text",
    [
        "WEBVTT\n", "1\n2\n3\n", "00:00:01,000 --> 00:00:02,000\n", "\0\n1\n00:00:01,000 --> 00:00:02,000\n\0words\0\n",
        "1\r00:00:01,000 --> 00:00:02,000\rwords\r", "words without any timing\n",
        "00:00:01,000 --> x\n" + "<" * 2000 + "w\n",
        "1\n00:00:01,000 --> 00:00:02,000\n" + "<i>" * 500 + "w\n", "1\n00:00:01,000 --> 00:00:02,000\n\U000f0001 w\n",
        "1\n00:00:01,000 --> 00:00:02,000\nleft\n2\n00:00:03,000 --> 00:00:04,000\nno empty line\n",
    ],
)  # fmt: skip
def test_odd_files_come_back_as_they_were_and_take_words(tmp_path: Path, text: str) -> None:
    takes_words("subtitles", tmp_path, text)
