"""Plain text written back: joined for translating, wrapped as it was, and nothing else touched."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.documents.formats.plain.line_wrapping import balanced, joined, one_line, width_of, wrapped
from app.documents.segments import SegmentKind
from tests.helpers.rewriting import reversed_words, run_on, takes_words
from tests.helpers.text_files import LANGUAGES

DOCUMENT = """\
INTRODUCTION

This is a wrapped paragraph of text that goes on over several lines and which
is to be joined and then wrapped again as it was before, at the same width as
it had.

  * An item that is wrapped over more than a single line of text because it is
    long.
  * Second.
1) Third thing.

    $ ls -l
    int x = 3;

Name        Value      Other
abc         def        ghi
xyz         12         yes

+-----+
| box |
+-----+

A heading
=========

> quoted text that someone wrote in a mail, wrapped at a width that mails have
> since ever.

John Smith
12 Long Street
Town\x20\x20
"""


def put(tmp_path: Path, text: str, *new: str | None) -> str:
    """A text whose segments get these words."""
    waiting = iter(new)

    def change(segment: object) -> tuple[str, ...] | None:
        words = next(waiting)
        return None if words is None else (words,)

    return run_on("text", tmp_path, text, change).text


def texts(tmp_path: Path, text: str) -> list[str]:
    return run_on("text", tmp_path, text).texts


def test_paragraphs_are_joined_and_kinds_are_told(tmp_path: Path) -> None:
    found = [(segment.kind, segment.text[:22]) for segment in run_on("text", tmp_path, DOCUMENT).segments]
    assert found == [
        (SegmentKind.HEADING, "INTRODUCTION"),
        (SegmentKind.PARAGRAPH, "This is a wrapped para"),
        (SegmentKind.LIST_ITEM, "An item that is wrappe"),
        (SegmentKind.LIST_ITEM, "Second."),
        (SegmentKind.LIST_ITEM, "Third thing."),
        (SegmentKind.HEADING, "A heading"),
        (SegmentKind.PARAGRAPH, "quoted text that someo"),
        (SegmentKind.PARAGRAPH, "John Smith"),
        (SegmentKind.PARAGRAPH, "12 Long Street"),
        (SegmentKind.PARAGRAPH, "Town"),
    ]


def test_the_words_change_and_the_layout_stays(tmp_path: Path) -> None:
    result = run_on("text", tmp_path, DOCUMENT, reversed_words)
    lines = result.text.split("\n")
    assert lines[0] == "NOITCUDORTNI"
    assert lines[2:5] == [
        ".dah ti sa htdiw emas eht ta ,erofeb saw ti sa niaga depparw neht dna denioj",
        "eb ot si hcihw dna senil lareves revo no seog taht txet fo hpargarap depparw",
        "a si sihT",
    ]
    assert [line[:7] for line in lines[6:10]] == ["  * .gn", "    meti"[:7], "  * .dn", "1) .gni"]
    assert "    $ ls -l\n    int x = 3;\n\nName        Value      Other\n" in result.text
    assert "+-----+\n| box |\n+-----+\n" in result.text
    assert result.text.endswith("htimS nhoJ\nteertS gnoL 21\nnwoT  \n")
    assert all(line.startswith("> ") for line in lines if "ti sa" not in line and "liam" in line)
    assert [(remark.name, remark.values) for remark in result.remarks] == [("left_blocks", {"count": 3})]


def test_an_underline_is_as_long_as_its_heading(tmp_path: Path) -> None:
    assert put(tmp_path, "Title\n-----\n\nwords\n", "Überschrift", None) == "Überschrift\n-----------\n\nwords\n"
    assert put(tmp_path, "Title\n--\n", "Überschrift") == "Überschrift\n--\n"


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-be", "cp1252"])
def test_encoding_mark_and_newlines_are_kept(tmp_path: Path, newline: str, encoding: str) -> None:
    text = DOCUMENT.replace("Smith", "Smíth").replace("\n", newline)
    data = text.encode(encoding)
    chosen = "utf-16-be" if encoding == "utf-16-be" else "cp1252" if encoding == "cp1252" else ""
    result = takes_words("text", tmp_path, data, encoding=chosen) if "16" not in encoding else None
    assert run_on("text", tmp_path, data, encoding=chosen).data == data
    turned = run_on("text", tmp_path, data, reversed_words, encoding=chosen).data.decode(encoding)
    assert f"htímS nhoJ{newline}teertS gnoL 21{newline}" in turned
    assert turned.count("\n") == text.count("\n")
    assert result is None or result.segments


@pytest.mark.parametrize(("language", "encoding"), [("russian", "koi8-r"), ("polish", "cp1250"), ("japanese", "cp932")])
def test_other_encodings_take_their_own_letters(tmp_path: Path, language: str, encoding: str) -> None:
    text = LANGUAGES[language]
    result = run_on("text", tmp_path, f"{text}\n".encode(encoding), reversed_words, encoding=encoding)
    assert result.data.decode(encoding) == f"{text[::-1]}\n"


def test_letters_that_the_encoding_lacks_make_it_utf8_and_are_told(tmp_path: Path) -> None:
    result = run_on(
        "text",
        tmp_path,
        "Café words\n\nNaïve\n".encode("cp1252"),
        lambda segment: ("дом",) if segment.id == 1 else None,
    )
    assert result.text == "дом\n\nNaïve\n"
    assert ("became_utf8", {"encoding": "cp1252"}) in [(remark.name, remark.values) for remark in result.remarks]


def test_bytes_that_are_no_text_stay_where_they_are(tmp_path: Path) -> None:
    data = "wörds wörds wörds wörds\n\nsecond pärt\n\n".encode() * 9 + b"bad \xff\xc3 bytes\n\nlast words\n"
    result = run_on(
        "text", tmp_path, data, lambda segment: ("neu",) if segment.text in ("last words", "second pärt") else None
    )
    assert result.data == data.replace(b"last words", b"neu").replace("second pärt".encode(), b"neu")


def test_a_sentence_with_code_in_it_is_a_sentence(tmp_path: Path) -> None:
    text = "Here you should call `f(x);` and then go on with the next step of the guide;\n"
    assert texts(tmp_path, text) == [text.strip()]
    assert texts(tmp_path, "int main(void) {\n    return f(x);\n}\n") == []


def test_lines_that_were_not_broken_for_their_width_stay_lines(tmp_path: Path) -> None:
    poem = "Roses are red,\nViolets are blue,\nSugar is sweet\n"
    assert texts(tmp_path, poem) == ["Roses are red,", "Violets are blue,", "Sugar is sweet"]
    assert texts(tmp_path, "key: value\nother: more\n") == ["key: value", "other: more"]


SENTENCES = [
    "The town council met on Tuesday evening to talk about the new bridge.",
    "It was passed with a narrow majority.",
    "Two lorries had blocked the old one for three hours in the morning of the day before.",
    "Nobody was hurt.",
    "“The work begins in May,” said the mayor, who had asked for it for more than twelve years.",
    "It will cost 1,200,000 euros.",
    "Who pays for it?",
    "That is not known yet, and will be decided in autumn.",
]
WRAPPED = """\
The town council met on Tuesday evening to talk about the new bridge. It was
passed with a narrow majority. Two lorries had blocked the old one for hours.
Nobody was hurt. The work begins in May, said the mayor, who had asked for it
for more than twelve years.
"""


@pytest.mark.parametrize("around", ["", WRAPPED + "\n" + WRAPPED + "\n"])
def test_one_sentence_a_line_stays_one_line_each(tmp_path: Path, around: str) -> None:
    text = around + "\n".join(SENTENCES) + "\n"
    assert texts(tmp_path, text)[-len(SENTENCES) :] == SENTENCES
    others = [None] * (2 if around else 0)
    new = put(tmp_path, text, *others, *(f"Satz {number} {'und so ' * 12}fort." for number in range(8)))
    lines = new.removeprefix(around).splitlines()
    assert [line.split()[1] for line in lines] == [str(number) for number in range(8)]


def test_a_wrapped_paragraph_in_which_lines_happen_to_end_with_a_sentence_is_one(tmp_path: Path) -> None:
    assert texts(tmp_path, WRAPPED) == [" ".join(WRAPPED.split())]


def test_sentences_in_a_script_without_spaces_stay_lines(tmp_path: Path) -> None:
    lines = ["今日は朝から雨が降っていたので家で本を読みました。", "母は台所でスープを作りました。"] * 3
    assert texts(tmp_path, "\n".join(lines) + "\n") == lines


def test_lines_of_a_script_without_spaces_are_joined_without_any(tmp_path: Path) -> None:
    line = "今日は朝から雨が降っていたので家で本を読みました母は台所でスープを作り"
    assert texts(tmp_path, f"{line}\n{line}\n終わり\n") == [f"{line}{line}終わり"]
    new = put(tmp_path, f"{line}\n{line}\n終わり\n", "新" * 100)
    assert max(map(len, new.splitlines())) <= len(line)
    assert new.replace("\n", "") == "新" * 100


def test_a_long_line_in_a_wrapped_text_is_wrapped(tmp_path: Path) -> None:
    text = "\n\n".join(["word " * 14 + "\n" + "word " * 14 + "\nend"] * 4) + "\n\nA short line.\n"
    new = put(tmp_path, text, None, None, None, None, "lang " * 40)
    assert max(len(line.rstrip()) for line in new.splitlines()) < 75
    assert put(tmp_path, "A line.\n", "lang " * 40).count("\n") == 1


def test_a_huge_paragraph_is_cut_into_segments(tmp_path: Path) -> None:
    text = "This is a sentence. " * 2000
    result = takes_words("text", tmp_path, text)
    assert len(result.segments) > 4
    assert max(len(segment.text) for segment in result.segments) <= 8000
    wrapped = ("word " * 14 + "\n") * 1000
    assert max(len(segment.text) for segment in takes_words("text", tmp_path, wrapped).segments) <= 8000


@pytest.mark.parametrize(
    "data",
    [
        b"a",
        b"\0\0words\0\0\n",
        b"\n\n\n",
        b"-----\n",
        b"\x0cPage\x0c\n",
        b"words",
        b"a(" * 100_000,
        b"w" + b" " * 100_000 + b"x",
        b">\n> \n",
    ],
)
def test_odd_files_come_back_as_they_were(tmp_path: Path, data: bytes) -> None:
    takes_words("text", tmp_path, data)


LINES = [
    "word word word word word word word word word",
    "Short.",
    "",
    "  * item",
    "    more",
    "> quoted",
    "-----",
    "a  b  c",
]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(st.sampled_from([*LINES, "\t", "x = 1;", "1. one", "\x0c"]), min_size=1, max_size=12),
    st.sampled_from(["\n", "\r\n"]),
)
def test_any_lines_come_back_as_they_were_and_take_words(tmp_path: Path, lines: list[str], newline: str) -> None:
    takes_words("text", tmp_path, newline.join(lines))


def test_a_list_whose_items_end_like_code_is_a_list(tmp_path: Path) -> None:
    text = b"Some text.\n\n- arguments are within boxes;\n- one;\n\nMore text.\n"
    found = run_on("text", tmp_path, text).segments
    assert [each.text for each in found] == ["Some text.", "arguments are within boxes;", "one;", "More text."]


# Lines of a plain text: their width, joining them, breaking them anew.


WORDS = st.lists(st.text("abcdefg漢字", min_size=1, max_size=9), min_size=1, max_size=20).map(" ".join)


def test_wide_letters_take_two_columns_and_accents_none() -> None:
    assert (width_of("abc"), width_of("日本"), width_of("e\u0301"), width_of("äö")) == (3, 4, 1, 2)


def test_lines_are_joined_by_a_space_where_the_script_has_them() -> None:
    assert joined(["one", "two"]) == "one two"
    assert joined(["日本", "語"]) == "日本語"
    assert joined(["日本", "word"]) == "日本 word"


def test_a_no_break_space_stays() -> None:
    assert one_line(" a\n b\xa0c\t ") == "a b\xa0c"


@given(WORDS, st.integers(20, 60))
def test_wrapped_lines_have_all_letters_and_fit(text: str, most: int) -> None:
    lines = wrapped(text, "* ", "  ", most)
    assert all(line.startswith("* " if number == 0 else "  ") for number, line in enumerate(lines))
    assert "".join(line[2:] for line in lines).replace(" ", "") == text.replace(" ", "")
    assert max(width_of(line) for line in lines) <= max(most, 22)


@given(WORDS, st.integers(1, 4))
def test_balanced_lines_have_all_letters_and_are_no_more(text: str, most: int) -> None:
    lines = balanced(text, most)
    assert len(lines) <= most
    assert "".join(lines).replace(" ", "") == text.replace(" ", "")


@pytest.mark.parametrize("text", ["", " ", "\n"])
def test_nothing_is_one_empty_line(text: str) -> None:
    assert balanced(text, 2) == [""]
    assert wrapped(text, "- ", "  ", 30) == ["- "]


def test_a_line_does_not_begin_with_a_full_stop() -> None:
    assert wrapped("漢" * 10 + "。" + "字" * 10, "", "", 20) == ["漢" * 9, "漢。" + "字" * 8, "字" * 2]
