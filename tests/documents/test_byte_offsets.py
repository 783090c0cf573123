"""Where characters of a decoded text begin in its bytes, damaged ones too."""

from __future__ import annotations

import codecs

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.documents.byte_offsets import byte_offsets
from app.documents.encoding import decode

ENCODINGS = ["utf-8", "cp1252", "cp932", "gb18030", "euc_jis_2004", "utf-16-le", "utf-16-be", "utf-32-le"]


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_each_character_begins_where_the_ones_before_it_end(encoding: str) -> None:
    text = "日本 ab\r\ncd 漢字\n" if encoding != "cp1252" else "Größe\r\nab\n"
    data = text.encode(encoding)
    expected = [len(text[:at].encode(encoding)) for at in range(len(text) + 1)]
    assert byte_offsets(data, encoding, range(len(text) + 1)) == expected


def test_a_byte_order_mark_is_no_character() -> None:
    assert byte_offsets(codecs.BOM_UTF8 + b"ab", "utf-8", [0, 1, 2]) == [3, 4, 5]
    assert byte_offsets(codecs.BOM_UTF16_LE + b"a\0b\0", "utf-16-le", [0, 1, 2]) == [2, 4, 6]


def test_what_is_no_text_is_a_character_of_its_own() -> None:
    data = b"a\xffb\xe2\x82\nc\xc3"
    text = decode(data, "utf-8").text
    assert text == "a\ufffdb\ufffd\nc\ufffd"
    assert byte_offsets(data, "utf-8", range(len(text) + 1)) == [0, 1, 2, 3, 5, 6, 7, 8]


def test_a_byte_that_looks_like_the_end_of_a_line_is_part_of_its_character() -> None:
    assert byte_offsets(b"\na\na", "utf-16-le", [0, 1, 2]) == [0, 2, 4]


PIECES = [
    b"a",
    b"\n",
    b"\r",
    "ä".encode(),
    "漢".encode(),
    "漢".encode("cp932"),
    b"\xff",
    b"\x81",
    b"\xe2\x82",
    b"\0",
    b"\xd8",
]


@given(st.lists(st.sampled_from(PIECES), max_size=14).map(b"".join), st.sampled_from(ENCODINGS), st.data())
def test_parts_cut_at_offsets_are_the_parts_of_the_text(data: bytes, encoding: str, draw: st.DataObject) -> None:
    text = decode(data, encoding).text
    cuts = sorted(draw.draw(st.lists(st.integers(0, len(text)), max_size=4)))
    found = byte_offsets(data, encoding, cuts)
    assert found == sorted(found)
    assert all(0 <= offset <= len(data) for offset in found)
    if "\ufffd" not in text and not data.startswith(
        "\ufeff".encode(encoding) if encoding.startswith("utf") else b"\xff\xfe"
    ):
        parts = zip([0, *found], [*found, len(data)], strict=True)
        assert "".join(decode(data[start:end], encoding).text for start, end in parts) == text.replace("\ufeff", "")
