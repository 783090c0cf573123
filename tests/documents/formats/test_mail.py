"""Mails: the headers a person reads, the best body, and the names of what is attached."""

from __future__ import annotations

import base64
from email.message import EmailMessage
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.errors.document_errors import DocumentUnreadable
from app.documents.blocks import BlockKind, BlockPiece
from app.documents.formats.mail import header_text, read
from app.documents.source import FileSource, Item, Opened, ReadingRemark


def items(tmp_path: Path, data: bytes) -> list[Item]:
    path = tmp_path / "a.eml"
    path.write_bytes(data)
    return list(read(FileSource(path)))


def texts(tmp_path: Path, data: bytes) -> list[str]:
    return [each.text for each in items(tmp_path, data) if isinstance(each, BlockPiece)]


def mail(text: str = "First paragraph.\n\nSecond.") -> EmailMessage:
    message = EmailMessage()
    message["From"] = "Zoë Äpfel <zoe@example.org>"
    message["To"] = "Ann <ann@example.org>"
    message["Subject"] = "Grüße aus 東京"
    message["Date"] = "Mon, 01 Jan 2024 10:00:00 +0100"
    message.set_content(text, cte="base64")
    return message


HEADERS = "From: Zoë Äpfel <zoe@example.org>\nTo: Ann <ann@example.org>\nDate: Mon, 01 Jan 2024 10:00:00 +0100"


def test_headers_come_first_and_the_subject_is_the_heading(tmp_path: Path) -> None:
    opened, subject, headers, *_ = items(tmp_path, bytes(mail()))
    assert opened == Opened(title="Grüße aus 東京", encoding="utf-8")
    assert isinstance(subject, BlockPiece)
    assert (subject.kind, subject.text, subject.place.part) == (BlockKind.HEADING, "Grüße aus 東京", "headers")
    assert texts(tmp_path, bytes(mail()))[1:] == [HEADERS, "First paragraph.", "Second."]
    assert isinstance(headers, BlockPiece)


def test_plain_text_is_preferred_and_html_read_where_it_is_all_there_is(tmp_path: Path) -> None:
    both = mail()
    both.add_alternative("<p>First paragraph as <b>HTML</b>.</p>", subtype="html")
    assert texts(tmp_path, bytes(both))[2:] == ["First paragraph.", "Second."]
    empty = mail(" ")
    empty.add_alternative("<p>Only <b>HTML</b> &eacute;.</p><script>no()</script>", subtype="html")
    assert texts(tmp_path, bytes(empty))[2:] == ["Only HTML é."]
    only = mail()
    only.set_content("<h1>Title</h1><p>Text</p>", subtype="html")
    assert texts(tmp_path, bytes(only))[2:] == ["Title", "Text"]


def test_attachments_are_named_and_not_read(tmp_path: Path) -> None:
    message = mail()
    message.add_attachment(b"x" * 1000, maintype="application", subtype="pdf", filename="Übersicht.pdf")
    message.add_attachment("not this", filename="notes.txt")
    message.add_attachment(b"y" * 70, maintype="application", subtype="ms-tnef", filename="winmail.dat")
    message.add_attachment(mail("inside"))
    found = items(tmp_path, bytes(message))
    assert texts(tmp_path, bytes(message))[2:] == ["First paragraph.", "Second."]
    named = [each.values for each in found if isinstance(each, ReadingRemark)]
    assert named[0] == {"name": "Übersicht.pdf", "size_bytes": 1000}
    assert named[1] == {"name": "notes.txt", "size_bytes": 9}
    assert named[2] == {"name": "winmail.dat", "size_bytes": 70}
    assert named[3]["name"] == "Grüße aus 東京"


@pytest.mark.parametrize(
    ("charset", "data"),
    [
        ("x-unknown", "Größe und Maß".encode()),
        ("x-unknown", "Größe und Maß".encode("cp1252")),
        ("iso-8859-1", "Größe und Maß".encode("cp1252")),
        ("us-ascii", "Größe und Maß".encode()),
        ("utf-8", "Größe und Maß".encode("cp1252")),
        ("koi8-r", "Größe und Maß".encode("ascii", "ignore") + "Привет".encode("koi8-r")),
    ],
)
def test_the_charset_is_used_and_doubted(tmp_path: Path, charset: str, data: bytes) -> None:
    head = f"Subject: x\nContent-Type: text/plain; charset={charset}\nContent-Transfer-Encoding: 8bit\n\n"
    expected = "Gre und MaПривет" if charset == "koi8-r" else "Größe und Maß"
    assert texts(tmp_path, head.encode() + data) == ["x", expected]


def test_the_encoding_that_a_person_chooses_is_taken(tmp_path: Path) -> None:
    path = tmp_path / "a.eml"
    path.write_bytes(b"Subject: x\nContent-Type: text/plain; charset=koi8-r\n\n" + "Привет".encode("cp1251"))
    assert [each.text for each in read(FileSource(path, encoding="cp1251")) if isinstance(each, BlockPiece)][
        -1
    ] == "Привет"


def test_broken_base64_gives_what_is_there(tmp_path: Path) -> None:
    head = "Subject: x\nContent-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: base64\n\n"
    whole = base64.b64encode(b"These words are here and so are these").decode()
    assert texts(tmp_path, (head + whole[:20] + "\n!§ \n" + whole[20:-3]).encode()) == [
        "x",
        "These words are here and so are thes",
    ]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("=?utf-8?q?Gr=C3=BC=C3=9Fe?= =?utf-8?b?IGFuIGFsbGU=?= und mehr", "Grüße an alle und mehr"),
        ("=?x-unknown?q?caf=E9_noir?=", "café noir"),
        ("=?iso-8859-1*en?Q?caf=E9?=", "café"),
        ("=?utf-8?b?broken?", "=?utf-8?b?broken?"),
        ("=?utf-8?b?R3L8?= x", "Grü x"),
        ("folded\r\n over lines", "folded over lines"),
    ],
)
def test_headers_are_put_into_words(value: str, expected: str) -> None:
    assert header_text(value) == expected


def test_raw_bytes_in_a_header_are_text(tmp_path: Path) -> None:
    assert texts(tmp_path, "Subject: Größe\n\nText".encode())[0] == "Größe"
    assert texts(tmp_path, "Subject: Größe\n\nText".encode("cp1252"))[0] == "Größe"


def test_mails_in_mails_1500_deep_are_too_deep_and_no_crash(tmp_path: Path) -> None:
    nested = "Subject: x\nContent-Type: message/rfc822\n\n" * 1500 + "Subject: y\n\nText"
    with pytest.raises(DocumentUnreadable) as caught:
        items(tmp_path, nested.encode())
    assert caught.value.reason == "too_deep"
    parts = "".join(f"Content-Type: multipart/mixed; boundary=b{number}\n\n--b{number}\n" for number in range(1500))
    with pytest.raises(DocumentUnreadable) as caught:
        items(tmp_path, ("Subject: x\n" + parts).encode())
    assert caught.value.reason == "too_deep"


@given(
    st.binary(max_size=300),
    st.sampled_from(["base64", "quoted-printable", "8bit", "x", ""]),
    st.sampled_from(["text/plain", "text/html", "multipart/mixed; boundary=a"]),
)
def test_no_mail_is_an_error(tmp_path_factory: pytest.TempPathFactory, body: bytes, way: str, kind: str) -> None:
    head = f"Subject: x\nContent-Type: {kind}\nContent-Transfer-Encoding: {way}\n\n--a\n\n"
    assert texts(tmp_path_factory.mktemp("mail"), head.encode() + body)[0] == "x"
