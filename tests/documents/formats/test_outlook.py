"""Outlook's messages: in Unicode, in a code page, with nothing but compressed RTF, and with messages inside."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.errors.document_errors import DocumentUnreadable
from app.documents.blocks import BlockKind, BlockPiece
from app.documents.formats.mail import read, unpacked
from app.documents.source import FileSource, Item, Opened, ReadingRemark
from tests.helpers.text_files import msg_streams, write_ole

SENT = 133_485_408_000_000_000  # 2024-01-01 00:00 UTC


def items(tmp_path: Path, streams: dict[str, bytes]) -> list[Item]:
    write_ole(tmp_path / "a.msg", streams)
    return list(read(FileSource(tmp_path / "a.msg")))


def texts(tmp_path: Path, streams: dict[str, bytes]) -> list[str]:
    return [each.text for each in items(tmp_path, streams) if isinstance(each, BlockPiece)]


def test_a_message_in_unicode(tmp_path: Path) -> None:
    streams = msg_streams(
        {
            "0037": "Grüße",
            "0C1A": "Zoë",
            "5D01": "zoe@example.org",
            "0E04": "Ann; Bob",
            "1000": "Eins.\r\n\r\nZwei 😀.",
        },
        numbers={0x0039: SENT},
    )
    opened, subject, *_ = items(tmp_path, streams)
    assert opened == Opened(title="Grüße")
    assert isinstance(subject, BlockPiece)
    assert (subject.kind, subject.level) == (BlockKind.HEADING, 1)
    headers = "From: Zoë <zoe@example.org>\nTo: Ann; Bob\nDate: 2024-01-01 00:00:00+00:00"
    assert texts(tmp_path, streams) == ["Grüße", headers, "Eins.", "Zwei 😀."]


def test_a_message_in_a_code_page(tmp_path: Path) -> None:
    words = {"0037001E": "Привет".encode("cp1251"), "1000001E": "Всем привет.\r\n".encode("cp1251") + b"\0"}
    assert texts(tmp_path, msg_streams(dict(words), numbers={0x3FFD: 1251})) == ["Привет", "Всем привет."]
    assert texts(tmp_path, msg_streams({"1000001E": "café".encode("cp1252")})) == ["café"]


BIG5 = "各單位也會請您們為榮，產業工會將贈送一點小小禮品以示獎勵。"


@pytest.mark.parametrize("numbers", [{0x3FDE: 950}, {0x3FDE: 20127}, {}])
def test_a_message_in_big5_says_so_at_another_place_or_is_recognized(tmp_path: Path, numbers: dict[int, int]) -> None:
    words = {"0037001E": "格式測試".encode("big5"), "1000001E": (BIG5 * 5).encode("big5")}
    opened, *rest = items(tmp_path, msg_streams(dict(words), numbers=numbers))
    assert [each.text for each in rest if isinstance(each, BlockPiece)] == ["格式測試", BIG5 * 5]
    assert isinstance(opened, Opened)
    assert opened.encoding in ("cp950", "big5hkscs")
    assert ReadingRemark("encoding", {"encoding": opened.encoding}) in rest


def test_the_encoding_that_a_person_chooses_is_taken(tmp_path: Path) -> None:
    write_ole(tmp_path / "a.msg", msg_streams({"1000001E": "Привет".encode("koi8-r")}, numbers={0x3FFD: 1252}))
    pieces = [
        each.text for each in read(FileSource(tmp_path / "a.msg", encoding="koi8-r")) if isinstance(each, BlockPiece)
    ]
    assert pieces == ["Привет"]


def test_a_message_that_is_only_html(tmp_path: Path) -> None:
    html = "<html><body><p>Größe</p><p>Maß</p></body></html>"
    assert texts(tmp_path, msg_streams({"10130102": html.encode("cp1252")}, numbers={0x3FDE: 1252})) == ["Größe", "Maß"]
    assert texts(tmp_path, msg_streams({"10130102": html.encode()}, numbers={0x3FDE: 65001})) == ["Größe", "Maß"]


def test_a_message_that_is_only_compressed_rtf(tmp_path: Path) -> None:
    rtf = rb"{\rtf1\ansi\ansicpg1252 One caf\'e9.\par Two.\par}"
    assert texts(tmp_path, msg_streams({"10090102": packed(rtf)})) == ["One café.", "Two."]
    stored = struct.pack("<II4sI", len(rtf) + 12, len(rtf), b"MELA", 0) + rtf
    assert texts(tmp_path, msg_streams({"10090102": stored})) == ["One café.", "Two."]


def test_html_inside_rtf_is_read_once(tmp_path: Path) -> None:
    rtf = rb"{\rtf1\ansi\fromhtml1 {\*\htmltag <p>}\htmlrtf \htmlrtf0 Hello{\*\htmltag </p>}"
    rtf += rb"\htmlrtf\par\htmlrtf0 {\*\htmltag <p>}you}"
    assert texts(tmp_path, msg_streams({"10090102": packed(rtf)})) == ["Hello", "you"]


def packed(data: bytes) -> bytes:
    """Compressed as simply as it can be: only bytes as they are, and the mark of the end."""
    body, write = bytearray(), 207
    for at in range(0, len(data), 8):
        part = data[at : at + 8]
        write = (write + len(part)) % 4096
        body += bytes([0]) + part if len(part) == 8 else bytes([1 << len(part)]) + part
        if len(part) < 8:
            return head(body + struct.pack(">H", write << 4), len(data))
    return head(body + b"\x01" + struct.pack(">H", write << 4), len(data))


def head(body: bytes, size: int) -> bytes:
    return struct.pack("<II4sI", len(body) + 12, size, b"LZFu", 0) + body


def test_compressed_rtf_refers_to_what_came_before_and_to_what_it_is_writing() -> None:
    from_the_first_dictionary = b"\x01" + struct.pack(">H", 0 << 4 | 6 - 2)
    assert unpacked(head(from_the_first_dictionary, 6)) == b"{\\rtf1"
    of_what_it_writes = b"\x10" + b"WXYZ" + struct.pack(">H", 207 << 4 | 16 - 2)
    assert unpacked(head(of_what_it_writes, 20)) == b"WXYZ" * 5


@given(st.binary(max_size=5000))
def test_whatever_was_stored_comes_out_again(data: bytes) -> None:
    assert unpacked(packed(data)) == data


@given(st.binary(max_size=400), st.integers(0, 2**32 - 1))
def test_no_compressed_bytes_are_an_error(data: bytes, size: int) -> None:
    assert len(unpacked(head(data, size))) <= min(size, 20 * len(data))
    unpacked(data)


def test_attachments_are_named_and_a_message_inside_is_read(tmp_path: Path) -> None:
    streams = msg_streams({"0037": "Outer", "1000": "Outer text"})
    streams |= msg_streams(
        {"3707": "Plan.pdf", "37010102": b"x" * 5000}, "__attach_version1.0_#00000000/", header_bytes=8
    )
    inside = "__attach_version1.0_#00000001/__substg1.0_3701000D/"
    streams |= msg_streams({"0037": "Inner", "1000": "Inner text"}, inside, header_bytes=24)
    deeper = f"{inside}__attach_version1.0_#00000000/"
    streams |= msg_streams({"3001": "Innermost"}, deeper, header_bytes=8)
    streams |= msg_streams({"1000": "never"}, f"{deeper}__substg1.0_3701000D/", header_bytes=24)
    found = items(tmp_path, streams)
    assert [each.text for each in found if isinstance(each, BlockPiece)] == [
        "Outer",
        "Outer text",
        "Inner",
        "Inner text",
    ]
    assert [each.values for each in found if isinstance(each, ReadingRemark)] == [
        {"name": "Plan.pdf", "size_bytes": 5000},
        {"name": "Innermost", "size_bytes": 0},
    ]


def test_a_damaged_message_says_so(tmp_path: Path) -> None:
    write_ole(tmp_path / "a.msg", msg_streams({"1000": "text" * 3000}))
    whole = (tmp_path / "a.msg").read_bytes()
    (tmp_path / "a.msg").write_bytes(whole[:3000])
    with pytest.raises(DocumentUnreadable) as caught:
        list(read(FileSource(tmp_path / "a.msg")))
    assert caught.value.reason == "damaged"
