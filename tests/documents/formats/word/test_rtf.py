"""RTF: every word once, in its code page, without pictures, whatever surrounds it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.documents.blocks import BlockKind, BlockPiece, rows_of
from app.documents.formats.word.rtf import read
from app.documents.source import FileSource, Item, Opened, ReadingRemark


def items(tmp_path: Path, data: bytes) -> list[Item]:
    path = tmp_path / "a.rtf"
    path.write_bytes(data)
    return list(read(FileSource(path)))


def pieces(tmp_path: Path, text: str | bytes) -> list[BlockPiece]:
    data = text if isinstance(text, bytes) else text.encode("latin-1")
    return [each for each in items(tmp_path, data) if isinstance(each, BlockPiece)]


def texts(tmp_path: Path, text: str | bytes) -> list[str]:
    return [piece.text for piece in pieces(tmp_path, text)]


def test_paragraphs_headings_lists_and_notes(tmp_path: Path) -> None:
    found = pieces(
        tmp_path,
        r"{\rtf1\ansi{\info{\title About Tea}{\author Nobody}}"
        r"{\fonttbl{\f0 Arial;}}{\colortbl;\red0;}{\stylesheet{\s1 heading 1;}}"
        r"{\header Top}\pard\outlinelevel0 Of tea\par"
        r"\pard It is\line hot{\super\chftn}{\footnote\pard\plain A note.}, they say"
        r"{\footnote\ftnalt At the end.}.{\*\annotation\pard A comment}\par"
        r"{\listtext\bullet\tab}\pard First\par {\pntext\'b7\tab}Second\par}",
    )
    assert [(piece.kind, piece.text, piece.level, piece.label) for piece in found] == [
        (BlockKind.PARAGRAPH, "Top", 0, "header"),
        (BlockKind.HEADING, "Of tea", 1, ""),
        (BlockKind.PARAGRAPH, "It is\nhot, they say.", 0, ""),
        (BlockKind.NOTE, "A note.", 0, "footnote"),
        (BlockKind.NOTE, "At the end.", 0, "endnote"),
        (BlockKind.NOTE, "A comment", 0, "comment"),
        (BlockKind.LIST_ITEM, "First", 1, "•"),
        (BlockKind.LIST_ITEM, "Second", 1, "·"),
    ]
    assert items(tmp_path, rb"{\rtf1{\info{\title About Tea}}x}")[0] == Opened(title="About Tea")


def test_places_are_where_the_words_stand_in_the_file(tmp_path: Path) -> None:
    data = rb"{\rtf1 First words\par\pard Second \b words\b0\par}"
    for piece in pieces(tmp_path, data):
        here = data[piece.place.start : piece.place.end].decode()
        assert here.startswith(piece.text.split()[0])
        assert here.endswith("words")


def test_bytes_are_in_the_code_page_of_the_file_or_of_the_font(tmp_path: Path) -> None:
    fonts = r"{\fonttbl{\f0\fcharset0 A;}{\f1\fcharset204 B;}{\f2\fcharset128 C;}{\f3\fcharset238 D;}}"
    assert texts(tmp_path, r"{\rtf1\ansicpg1251 \'cf\'f0\'e8\'e2\'e5\'f2}") == ["Привет"]
    assert texts(
        tmp_path, rf"{{\rtf1\deff0{fonts}\f0 caf\'e9 {{\f1 \'cf\'f0\'e8}} \f2\'93\'fa\'96\'7b \f3\'b3\plain \'e9}}"
    ) == ["café При 日本 łé"]
    assert texts(tmp_path, b"{\\rtf1\\ansicpg1252 raw " + "é€".encode("cp1252") + b"}") == ["raw é€"]


def test_unicode_is_joined_from_its_halves_and_its_substitutes_are_skipped(tmp_path: Path) -> None:
    assert texts(tmp_path, r"{\rtf1\uc1 a\u-10179?\u-8704\'3fb \u8364 ?\uc2\u233\'81\'82c{\uc0\u228 d}\u246??e}") == [
        "a😀b €écädöe"
    ]
    assert texts(tmp_path, r"{\rtf1 a\u-10179?b}") == ["a\ufffdb"]


def test_pictures_of_any_size_are_left_out_and_counted(tmp_path: Path) -> None:
    binary = bytes(range(256)) * 4000
    data = b"{\\rtf1 before {\\pict\\pngblip\\bin%d " % len(binary) + binary + b"} after"
    data += b"{\\*\\shppict{\\pict\\pngblip " + b"89504e470d0a" * 1_700_000 + b"}}{\\nonshppict{\\pict 00}} end}"
    found = items(tmp_path, data)
    assert [each.text for each in found if isinstance(each, BlockPiece)] == ["before  after end"]
    assert found[-1] == ReadingRemark("pictures", {"count": 1})


def test_a_text_box_a_link_and_an_object_are_read_once(tmp_path: Path) -> None:
    text = (
        r"{\rtf1 See {\field{\*\fldinst HYPERLINK \"http://x.example\"}{\fldrslt the page}}."
        r"{\shp{\*\shpinst{\sp{\sn name}{\sv value}}{\shptxt\pard In a box\par}}"
        r"{\shprslt{\*\do\dptxbx{\dptxbxtext In a box}}}}"
        r"{\object{\*\objdata 0102}{\result shown}} \v hidden\v0 {\deleted gone}seen\par}"
    )
    assert texts(tmp_path, text) == ["See the page.shown seen", "In a box"]


def test_tables_are_kept_as_tables(tmp_path: Path) -> None:
    row = r"\trowd\cellx1\cellx2\pard\intbl {}\cell {}\par b\cell\row"
    text = r"{\rtf1 Before\par" + row.format("one", "two") + row.format("three", "four") + r"\pard After\par}"
    before, table, after = pieces(tmp_path, text)
    assert (before.text, after.text) == ("Before", "After")
    assert list(rows_of(table)) == [["one", "two b"], ["three", "four b"]]


@pytest.mark.parametrize(
    "data", [b"{" * 20_000, b"{\\b" * 20_000 + b" deep " + b"}" * 20_000, b"{\\footnote x" * 5_000]
)
def test_depth_is_no_danger(tmp_path: Path, data: bytes) -> None:
    pieces(tmp_path, b"{\\rtf1 start\\par " + data)


@pytest.mark.parametrize("end", [b"", b" a}}}}b", b"\\", b"\\'", b"\\bin99999999 x", b"\\u"])
def test_broken_files_are_no_error(tmp_path: Path, end: bytes) -> None:
    pieces(tmp_path, b"{\\rtf1" + end)


PARTS = ["word", r"\par ", "{", "}", r"\b ", r"{\footnote word}", r"\cell ", r"\row ", r"\intbl ", r"\pard ",
         r"{\*\x no}", r"\u228?", r"{\pict 00ff}", "\n", r"{\listtext 1.}"]  # fmt: skip


@given(st.lists(st.sampled_from(PARTS), max_size=60))
def test_every_word_is_read_exactly_once(tmp_path_factory: pytest.TempPathFactory, parts: list[str]) -> None:
    marked = [part.replace("word", f"m{number}e ") for number, part in enumerate(parts)]
    found = " ".join(texts(tmp_path_factory.mktemp("rtf"), "{{{{{{{{\\rtf1 " + "".join(marked)))
    assert sorted(re.findall(r"m\d+e", found)) == sorted(re.findall(r"m\d+e", "".join(marked)))


def test_headings_are_known_by_the_names_of_their_styles(tmp_path: Path) -> None:
    found = pieces(
        tmp_path,
        r"{\rtf1\ansi{\stylesheet{\s0 Normal;}{\s1\sbasedon0\b\'41{\*\x y} heading 1;}{\*\cs2 heading 2;}"
        r"{\s3\sbasedon1 Part;}{\s4 Title;}{\s5\sbasedon4 Subtitle;}{\s6\outlinelevel2\sbasedon1 Odd;}"
        r"{\s7\outlinelevel9\sbasedon1 Body of it;}}"
        r"\pard\plain\s4 The title\par\pard\s5 Below\par\pard\plain \s1{\listtext\pard 1.\tab}One\par"
        r"\pard\s3 Two\par\pard\s6 Three\par\pard\s7 Four\par\pard\s2 Five\par\pard\s0{\listtext 1.\tab}Six\par}",
    )
    assert [(piece.kind, piece.text, piece.level, piece.label) for piece in found] == [
        (BlockKind.HEADING, "The title", 1, ""),
        (BlockKind.PARAGRAPH, "Below", 0, ""),
        (BlockKind.HEADING, "One", 1, "1."),
        (BlockKind.HEADING, "Two", 1, ""),
        (BlockKind.HEADING, "Three", 3, ""),
        (BlockKind.PARAGRAPH, "Four", 0, ""),
        (BlockKind.PARAGRAPH, "Five", 0, ""),
        (BlockKind.LIST_ITEM, "Six", 1, "1."),
    ]


def test_a_list_item_knows_how_deep_it_is(tmp_path: Path) -> None:
    found = pieces(
        tmp_path,
        r"{\rtf1 \pard\ilvl0\ls1{\listtext 1.\tab}One\par\pard{\listtext a.\tab}\ilvl1\ls1 Two\par"
        r"\pard{\pntext -}Three\par}",
    )
    assert [(piece.text, piece.level, piece.label) for piece in found] == [
        ("One", 1, "1."), ("Two", 2, "a."), ("Three", 1, "-"),
    ]  # fmt: skip
