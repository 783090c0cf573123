"""From bytes to text: every encoding of the input cases, in small and in large, at once and as a stream."""

from __future__ import annotations

import codecs
import io
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.documents.encoding import ENCODINGS, SAMPLE_BYTES, decode, find_encoding, known, stream
from app.documents.text_file import byte_offsets
from tests.helpers.text_files import CODE_PAGES, LANGUAGES, encodings_of, in_encoding


@pytest.mark.parametrize("least_chars", [0, 2_000, 100_000])
@pytest.mark.parametrize("language", LANGUAGES)
def test_a_text_is_right_in_every_encoding_it_may_come_in(language: str, least_chars: int) -> None:
    for encoding in encodings_of(language):
        text, data = in_encoding(language, encoding, least_chars)
        found = decode(data)
        assert found.text == text, encoding
        assert found.odd_bytes == 0, encoding


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_stream_gives_the_same_text_with_characters_across_its_chunks(
    language: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.documents.encoding.CHUNK_BYTES", 997)
    for encoding in encodings_of(language):
        text, data = in_encoding(language, encoding, 3_000)
        chunks = stream(io.BytesIO(data))
        assert "".join(chunks) == text, encoding
        assert chunks.odd_bytes == 0, encoding


@pytest.mark.parametrize("language", sorted(LANGUAGES))
def test_the_first_foreign_letter_may_come_after_a_megabyte_of_ascii(language: str) -> None:
    text, data = in_encoding(language, CODE_PAGES[language][0], 2_000)
    before = "Plain words in plain letters.\n" * 40_000
    data = before.encode() + data
    assert decode(data).text == before + text
    assert "".join(stream(io.BytesIO(data))) == before + text


def test_western_text_is_taken_for_cp1252_whatever_else_it_could_be() -> None:
    assert decode("El niño español soñó".encode("cp1252")).encoding == "cp1252"
    assert decode("un café".encode("cp1252")).text == "un café"
    assert decode("Größe für 5 €".encode("cp1252")).text == "Größe für 5 €"


def test_newlines_stay_as_they_are_so_that_offsets_hold() -> None:
    assert decode(b"a\r\nb\rc\nd").text == "a\r\nb\rc\nd"


def test_a_few_bytes_that_are_no_text_are_replaced_and_counted() -> None:
    text = LANGUAGES["russian"]
    found = decode(text.encode() + b" \xff\xfe\xe2\x82 " + text.encode())
    assert found.encoding == "utf-8"
    assert found.odd_bytes == 4
    assert found.text.replace("\ufffd", "") == f"{text}  {text}"


def test_lone_surrogates_are_replaced_in_every_encoding_that_can_write_them() -> None:
    for encoding in ("utf-8", "utf-16-le", "utf-16-be", "utf-32-le"):
        data = ("a fine text " * 50 + "x\ud800y" + " goes on" * 50).encode(encoding, "surrogatepass")
        found = decode(data, encoding)
        assert found.odd_bytes > 0
        assert found.text.startswith("a fine text")
        assert found.text.endswith("goes on")
        found.text.encode("utf-8")


def test_two_encodings_in_one_file_lose_no_word_of_the_first() -> None:
    found = decode((LANGUAGES["french"] * 5).encode() + b"\n" + "fin de l'été".encode("cp1252"))
    assert found.text.startswith(LANGUAGES["french"])
    assert found.text.endswith("fin de l'\ufffdt\ufffd")
    assert found.odd_bytes == 2


def test_the_chosen_encoding_is_used_even_where_another_fits_better() -> None:
    data = "Привет, мир".encode("koi8-r")
    assert decode(data, "cp1251").encoding == "cp1251"
    assert decode(data, "KOI8-R").text == "Привет, мир"
    assert stream(io.BytesIO(data), "cp1251").encoding == "cp1251"


@pytest.mark.parametrize("name", ["", "no-such-thing", "rot13", "hex", "a\0b", "x" * 5000])
def test_what_is_no_encoding_is_not_used(name: str) -> None:
    assert known(name) == ""
    assert decode("grün".encode(), name).text == "grün"


def test_every_encoding_to_choose_from_is_one_of_pythons() -> None:
    assert all(known(name) for name in ENCODINGS)


def test_nuls_in_a_text_stay_where_they_are() -> None:
    assert decode(b"before\0after").text == "before\0after"
    assert decode(b"a log line\n" + b"\0" * 4096 + b"goes on\n").encoding == "utf-8"
    assert decode("naïve\0café ".encode() * 20).encoding == "utf-8"


def test_what_is_no_text_has_no_encoding() -> None:
    noise = random.Random(5)
    for size in (300, 2_000, 5_000, SAMPLE_BYTES):
        assert find_encoding(noise.randbytes(size), is_whole=False) == ""
    assert find_encoding(b"\x7fELF\x02\x01\x01" + b"\0" * 9 + bytes(range(32)) * 4) == ""


@given(st.binary(max_size=2000))
def test_whatever_the_bytes_are_they_become_a_text_that_can_be_written(data: bytes) -> None:
    found = decode(data)
    found.text.encode("utf-8")
    assert found.odd_bytes <= len(data)
    chunks = stream(io.BytesIO(data))
    assert "".join(chunks) == found.text
    assert chunks.encoding == found.encoding


@given(st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Co", "Cn")), max_size=500))
def test_utf_8_is_always_right(text: str) -> None:
    assert decode(text.encode()).text == text.removeprefix("\ufeff")


# Where characters of a decoded text begin in its bytes, damaged ones too.


FOR_OFFSETS = ["utf-8", "cp1252", "cp932", "gb18030", "euc_jis_2004", "utf-16-le", "utf-16-be", "utf-32-le"]


@pytest.mark.parametrize("encoding", FOR_OFFSETS)
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


@given(st.lists(st.sampled_from(PIECES), max_size=14).map(b"".join), st.sampled_from(FOR_OFFSETS), st.data())
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
