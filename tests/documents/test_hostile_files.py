"""Hostile and broken files, read by the real child: each ends in a situation or in its words."""

from __future__ import annotations

import os
import random
import socket
import zipfile
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from app.core.errors.app_error import AppError
from app.core.errors.document_errors import DocumentReaderFailed, DocumentUnreadable
from app.core.events import CancelToken
from app.documents.protocol import Done, Draw
from app.documents.read_document import PageRenderer
from tests.helpers import hostile_files as hostile
from tests.helpers.documents import WORDS, Readings, good_pdf, long_text, pdf_pages, read
from tests.helpers.office_files import (
    odf_content,
    paragraph,
    shape,
    slide_part,
    word_part,
    write_docx,
    write_odf,
    write_pptx,
    write_zip,
)
from tests.helpers.program import is_gone

ENDINGS = ["pdf", "docx", "html", "txt", "xls", "csv", "rtf", "eml", "msg", "ipynb"]
"""One for each reader that looks at the bytes itself."""
MEMORY_BYTES = 600_000_000
"""To inflate up to a gigabyte, on a machine that is busy with other tests."""

Write = Callable[[Path], Path]


class Victim:
    """Reads hostile files, each in a child of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.work = folder / "work"
        self.readings = Readings(self.work)

    def outcome(self, path: Path, **fields: Any) -> str:
        """The reason it was not read, else all its text; a child that died fails the test."""
        try:
            text = read(path, self.work, **{"memory_bytes": MEMORY_BYTES} | fields).text
        except DocumentReaderFailed:
            raise
        except AppError as error:
            assert error.path == str(path)  # type: ignore[attr-defined]
            text = str(getattr(error, "reason", "") or getattr(error, "limit", "") or type(error).__name__)
        assert list(self.work.iterdir()) == []
        return text


@pytest.fixture
def victim(tmp_path: Path) -> Iterator[Victim]:
    victim = Victim(tmp_path)
    with closing(victim.readings):
        yield victim


@pytest.mark.parametrize("ending", ENDINGS)
def test_an_empty_file_is_told_whatever_its_ending(victim: Victim, tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"empty.{ending}"
    path.touch()
    assert victim.outcome(path) == "empty"


WORDLESS: dict[str, Write] = {
    "blank.pdf": lambda path: _write(path, pdf_pages([b"", b"q Q"])),
    "blank.docx": lambda path: write_docx(path, paragraph("") + paragraph(" \u00a0")),
    "blank.odt": lambda path: write_odf(path, "<text:p/><text:p> </text:p>"),
    "blank.pptx": lambda path: write_pptx(path, {"slide1.xml": slide_part(shape(""))}),
    "blank.xlsx": lambda path: write_zip(path, hostile.xlsx_members("")),
    "blank.epub": lambda path: hostile.write_epub(path, hostile.epub_members('<p> </p><img src="x.png"/>')),
    "blank.html": lambda path: _write(path, b"<!DOCTYPE html><html><body><img src='x.png'><p> </p></body></html>"),
    "blank.txt": lambda path: _write(path, b" \r\n\t \n" * 100),
    "blank.md": lambda path: _write(path, b"\n\n   \n"),
    "blank.rtf": lambda path: _write(path, rb"{\rtf1\ansi{\fonttbl{\f0 Arial;}}\par\par }"),
    "blank.ipynb": lambda path: _write(path, b'{"cells": [], "nbformat": 4, "nbformat_minor": 5, "metadata": {}}'),
    "blank.csv": lambda path: _write(path, b"\n \n"),
}


def _write(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("name", WORDLESS)
def test_a_document_without_words_is_told(victim: Victim, tmp_path: Path, name: str) -> None:
    assert victim.outcome(WORDLESS[name](tmp_path / name)) == "no_text"


GOOD: dict[str, Write] = {
    "pdf": good_pdf,
    "docx": lambda path: write_docx(path, paragraph(WORDS)),
    "odt": lambda path: write_odf(path, f"<text:p>{WORDS}</text:p>"),
    "pptx": lambda path: write_pptx(path, {"slide1.xml": slide_part(shape(WORDS))}),
    "xlsx": lambda path: write_zip(
        path, hostile.xlsx_members(f'<row r="1"><c r="A1" t="inlineStr"><is><t>{WORDS}</t></is></c></row>')
    ),
    "epub": lambda path: hostile.write_epub(path, hostile.epub_members(f"<p>{WORDS}</p>")),
    "html": lambda path: _write(path, f"<!DOCTYPE html><html><body><p>{WORDS}</p></body></html>".encode()),
    "rtf": lambda path: _write(path, rb"{\rtf1\ansi " + WORDS.encode() + b"}"),
}


@pytest.mark.parametrize(
    ("really", "ending"),
    [
        ("docx", "pdf"), ("pdf", "docx"), ("html", "docx"), ("html", "xls"), ("rtf", "doc"), ("odt", "docx"),
        ("pptx", "pdf"), ("xlsx", "csv"), ("epub", "txt"), ("pdf", "txt"),
    ],
)  # fmt: skip
def test_the_content_decides_and_not_the_ending(victim: Victim, tmp_path: Path, really: str, ending: str) -> None:
    path = GOOD[really](tmp_path / f"file.{ending}")
    result = read(path, victim.work)
    assert WORDS[:50] in " ".join(result.text.split())
    assert result.found.format == really
    assert result.remarks["really"] == {"format": really, "ending": f".{ending}"}


@pytest.mark.parametrize("ending", ["docx", "txt", "pdf", "png"])
def test_what_is_no_document_is_told(victim: Victim, tmp_path: Path, ending: str) -> None:
    picture = _write(tmp_path / f"picture.{ending}", b"\x89PNG\r\n\x1a\n" + random.Random(1).randbytes(5000))
    assert victim.outcome(picture) in ("picture", "no_text")
    archive = write_zip(tmp_path / f"archive.{ending}", {"one.bin": b"\0\1\2", "two.txt": "words"})
    assert victim.outcome(archive) in (("damaged", "not_text") if ending == "docx" else ("not_text",))


@pytest.mark.parametrize("ending", ENDINGS)
def test_random_bytes_are_damage_or_no_text(victim: Victim, tmp_path: Path, ending: str) -> None:
    path = _write(tmp_path / f"random.{ending}", random.Random(ending).randbytes(20_000))
    assert victim.outcome(path) in ("damaged", "not_text")


MAGIC = {
    "pdf": b"%PDF-1.7\n", "docx": b"PK\x03\x04", "xls": b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
    "xlsx": b"PK\x03\x04\x14\0\x06\0", "msg": b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
}  # fmt: skip


@pytest.mark.parametrize("ending", MAGIC)
def test_random_bytes_that_begin_well_are_damage(victim: Victim, tmp_path: Path, ending: str) -> None:
    path = _write(tmp_path / f"random.{ending}", MAGIC[ending] + random.Random(ending).randbytes(20_000))
    assert victim.outcome(path) in ("damaged", "not_text")


@pytest.mark.parametrize("really", ["pdf", "docx", "odt", "pptx", "xlsx", "epub"])
def test_half_a_file_is_damage(victim: Victim, tmp_path: Path, really: str) -> None:
    whole = GOOD[really](tmp_path / f"whole.{really}").read_bytes()
    half = _write(tmp_path / f"half.{really}", whole[: len(whole) // 2])
    outcome = victim.outcome(half)
    assert outcome == "damaged" or (really == "pdf" and (outcome == "no_text" or outcome in WORDS))


@pytest.mark.parametrize("really", ["docx", "odt", "pptx", "xlsx", "epub"])
def test_a_wrong_checksum_is_damage(victim: Victim, tmp_path: Path, really: str) -> None:
    whole = GOOD[really](tmp_path / f"whole.{really}")
    main = {"docx": "word/document.xml", "odt": "content.xml", "pptx": "ppt/slides/slide1.xml",
            "xlsx": "xl/worksheets/sheet1.xml", "epub": "chapter.xhtml"}[really]  # fmt: skip
    with zipfile.ZipFile(whole) as archive:
        contents = {name: archive.read(name) for name in archive.namelist()}
    members = {name: hostile.packed(content) for name, content in contents.items()}
    members[main] = replace(members[main], said_crc=1)
    wrong = hostile.write_raw_zip(tmp_path / f"wrong.{really}", members)
    assert victim.outcome(wrong) == "damaged"


@pytest.mark.parametrize(
    ("really", "part"), [("docx", "word/document.xml"), ("odt", "content.xml"), ("pptx", "ppt/presentation.xml")]
)
def test_a_missing_main_part_is_damage(victim: Victim, tmp_path: Path, really: str, part: str) -> None:
    whole = GOOD[really](tmp_path / f"whole.{really}")
    with zipfile.ZipFile(whole) as archive:
        contents: dict[str, str | bytes] = {n: archive.read(n) for n in archive.namelist() if n != part}
    contents[f"{part.rpartition('/')[0]}/other.xml".lstrip("/")] = "<x/>"
    assert victim.outcome(write_zip(tmp_path / f"less.{really}", contents)) == "damaged"


def test_damaged_bytes_anywhere_never_end_the_child(victim: Victim, tmp_path: Path) -> None:
    chance = random.Random(7)
    for really in ("pdf", "docx", "xlsx", "epub", "rtf", "html"):
        data = bytearray(GOOD[really](tmp_path / f"whole.{really}").read_bytes())
        for _ in range(20):
            data[chance.randrange(8, len(data))] = chance.randrange(256)
        victim.outcome(_write(tmp_path / f"fuzzed.{really}", bytes(data)))


@pytest.mark.parametrize("ending", ["docx", "xlsx", "pptx"])
def test_an_encrypted_office_file_is_told(victim: Victim, tmp_path: Path, ending: str) -> None:
    streams = {"EncryptedPackage": b"\x08" + b"\0" * 7 + os.urandom(5000), "EncryptionInfo": b"\x04\0\x04\0"}
    assert victim.outcome(hostile.write_ole(tmp_path / f"secret.{ending}", streams)) == "protected"


def test_an_encrypted_odt_is_told(victim: Victim, tmp_path: Path) -> None:
    manifest = (
        '<manifest:manifest xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0">'
        '<manifest:file-entry manifest:full-path="content.xml" manifest:media-type="text/xml">'
        '<manifest:encryption-data manifest:checksum="x"/></manifest:file-entry></manifest:manifest>'
    )
    path = write_zip(
        tmp_path / "secret.odt",
        {"mimetype": hostile.ODT_TYPE, "content.xml": os.urandom(500), "META-INF/manifest.xml": manifest},
    )
    assert victim.outcome(path) == "protected"


ENCRYPTION = (
    '<encryption xmlns="urn:oasis:names:tc:opendocument:xmlns:container">'
    '<EncryptedData xmlns="http://www.w3.org/2001/04/xmlenc#"><EncryptionMethod Algorithm="{}"/>'
    '<CipherData><CipherReference URI="{}"/></CipherData></EncryptedData></encryption>'
)


def test_a_book_with_copy_protection_is_told(victim: Victim, tmp_path: Path) -> None:
    rights = {
        "META-INF/encryption.xml": ENCRYPTION.format("http://www.w3.org/2001/04/xmlenc#aes256-cbc", "chapter.xhtml")
    }
    path = hostile.write_epub(tmp_path / "drm.epub", hostile.epub_members("<p>garbled</p>") | rights)
    assert victim.outcome(path) == "drm"


def test_a_book_with_hidden_fonts_is_read(victim: Victim, tmp_path: Path) -> None:
    fonts = {"META-INF/encryption.xml": ENCRYPTION.format("http://www.idpf.org/2008/embedding", "font.otf")}
    path = hostile.write_epub(tmp_path / "fonts.epub", hostile.epub_members(f"<p>{WORDS}</p>") | fonts)
    assert WORDS in victim.outcome(path)


BOMBS = [
    "docx_of_3_gigabytes",
    "docx_of_20_million_paragraphs",
    "odt_of_3_gigabytes",
    "epub_of_3_gigabytes",
    "xlsx_of_3_gigabytes",
    "xlsx_of_one_string_in_many_cells",
    "xlsx_of_one_string_across_a_row",
    "ods_of_one_cell_a_million_times",
    "html_of_long_headings_above_many_words",
    "zip_with_overlapping_members",
]
"""Small files that unpack to very much; `make bench` says how soon they are found out."""


@pytest.mark.parametrize("name", BOMBS)
def test_what_unpacks_to_an_unreasonable_size_is_refused(victim: Victim, tmp_path: Path, name: str) -> None:
    ending = name.split("_", maxsplit=1)[0].replace("zip", "docx")
    path = getattr(hostile, name)(tmp_path / f"bomb.{ending}")
    assert path.stat().st_size < 5_000_000
    assert victim.outcome(path, memory_bytes=2_000_000_000) == "inflates"


def test_a_bomb_that_says_it_is_small_is_no_bomb(victim: Victim, tmp_path: Path) -> None:
    path = hostile.docx_of_3_gigabytes(tmp_path / "lie.docx", said_bytes=1000)
    assert victim.outcome(path) in ("damaged", "inflates")


def test_an_archive_in_an_archive_is_not_opened(victim: Victim, tmp_path: Path) -> None:
    bomb = hostile.docx_of_3_gigabytes(tmp_path / "bomb.docx").read_bytes()
    path = write_docx(tmp_path / "outer.docx", paragraph(WORDS), {"embeddings/bomb.docx": bomb})
    assert victim.outcome(path) == WORDS


def test_a_pdf_bomb_ends_at_the_memory_limit(victim: Victim, tmp_path: Path) -> None:
    path = hostile.pdf_bomb(tmp_path / "bomb.pdf")
    assert path.stat().st_size < 40_000
    assert victim.outcome(path) == "memory"


def test_a_page_bomb_ends_a_drawing_at_the_memory_limit(victim: Victim, tmp_path: Path) -> None:
    bomb, good = hostile.pdf_bomb(tmp_path / "bomb.pdf"), good_pdf(tmp_path / "good.pdf")
    with closing(PageRenderer(victim.work)) as drawing:
        with pytest.raises(AppError) as caught:
            list(drawing.draw(Draw(str(bomb), 1, 1, memory_bytes=MEMORY_BYTES), CancelToken()))
        assert (getattr(caught.value, "limit", ""), getattr(caught.value, "path", "")) == ("memory", str(bomb))
        assert len(list(drawing.draw(Draw(str(good), 1, 1), CancelToken()))) == 1


LYING = {
    "pdf_with_a_loop": ("damaged", "no_text"),
    "pdf_of_2_billion_pages": ("only page", "damaged"),
    "pdf_of_a_huge_page": ("small words",),
}


@pytest.mark.parametrize("name", LYING)
def test_a_pdf_that_lies_about_its_pages_ends(victim: Victim, tmp_path: Path, name: str) -> None:
    path = getattr(hostile, name)(tmp_path / "lie.pdf")
    assert victim.outcome(path) in LYING[name]


def test_a_huge_page_is_drawn_in_few_pixels(victim: Victim, tmp_path: Path) -> None:
    path = hostile.pdf_of_a_huge_page(tmp_path / "huge.pdf")
    with closing(PageRenderer(victim.work)) as drawing:
        (drawn,) = drawing.draw(
            Draw(str(path), 1, 1.0, most_pixels=1_000_000, memory_bytes=MEMORY_BYTES), CancelToken()
        )
    assert 0 < drawn.width * drawn.height <= 1_000_000


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    """A port that nobody may come to."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.setblocking(False)
        yield server
        with pytest.raises(BlockingIOError):
            server.accept()


CANARY = "CANARY-THAT-NOBODY-READS"


def external(tmp_path: Path, listener: socket.socket, root: str) -> dict[str, str]:
    """Document types with entities outside, by what they are."""
    canary = tmp_path / "canary.txt"
    canary.write_text(CANARY)
    web = f"http://127.0.0.1:{listener.getsockname()[1]}/x"
    return {
        "file": f'<!DOCTYPE {root} [<!ENTITY e SYSTEM "{canary.as_uri()}">]>',
        "web": f'<!DOCTYPE {root} [<!ENTITY e SYSTEM "{web}">]>',
        "parameter": f'<!DOCTYPE {root} [<!ENTITY % p SYSTEM "{web}"> %p; <!ENTITY e "x">]>',
        "type": f'<!DOCTYPE {root} SYSTEM "{web}" [<!ENTITY e "x">]>',
        "laughs": f'<!DOCTYPE {root} [<!ENTITY a "{"ha" * 50}">'
        + "".join(f'<!ENTITY {chr(b)} "{f"&{chr(b - 1)};" * 20}">' for b in range(ord("b"), ord("j")))
        + '<!ENTITY e "&i;">]>',
    }


def with_entity(really: str, path: Path, kind: str, tmp_path: Path, listener: socket.socket) -> Path:
    """A document whose main part declares an entity and uses it."""
    roots = {"docx": "w:document", "odt": "office:document-content", "pptx": "p:sld", "xlsx": "worksheet",
             "epub": "html", "opf": "package"}  # fmt: skip
    declared = external(tmp_path, listener, roots[really])[kind]
    match really:
        case "docx":
            body = word_part("document", f"<w:body>{paragraph('&e;')}</w:body>").replace("?>", f"?>{declared}", 1)
            return write_docx(path, "", {"/word/document.xml": body})
        case "odt":
            content = odf_content("<text:p>&e;</text:p>").replace("?>", f"?>{declared}", 1)
            return write_zip(path, {"mimetype": hostile.ODT_TYPE, "content.xml": content})
        case "pptx":
            return write_pptx(path, {"slide1.xml": declared + slide_part(shape("&e;"))})
        case "xlsx":
            row = '<row r="1"><c r="A1" t="inlineStr"><is><t>&e;</t></is></c></row>'
            return write_zip(path, hostile.xlsx_members(row, declared))
        case "epub":
            return hostile.write_epub(path, hostile.epub_members("<p>&e;</p>", in_chapter=declared))
        case _:
            return hostile.write_epub(path, hostile.epub_members("<p>x</p>", in_package=declared, title="&e;"))


@pytest.mark.parametrize(
    ("really", "kind"),
    [
        *(("docx", kind) for kind in ("file", "web", "parameter", "type", "laughs")),
        *((really, "file") for really in ("odt", "pptx", "xlsx", "epub", "opf")),
    ],
)
def test_declared_entities_are_refused_and_nothing_outside_is_read(
    victim: Victim, tmp_path: Path, listener: socket.socket, really: str, kind: str
) -> None:
    path = with_entity(really, tmp_path / f"x.{really.replace('opf', 'epub')}", kind, tmp_path, listener)
    outcome = victim.outcome(path)
    assert CANARY not in outcome
    if really == "xlsx":  # calamine knows no entities: it neither expands nor reads them
        assert outcome in ("entities", "damaged", "no_text", "&e;", "e")
    else:
        assert outcome == "entities"


def test_the_usual_document_type_of_a_book_is_no_attack(
    victim: Victim, tmp_path: Path, listener: socket.socket
) -> None:
    usual = '<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.1//EN" "http://www.w3.org/TR/xhtml11/DTD/xhtml11.dtd">'
    members = hostile.epub_members("<p>caf&eacute;&nbsp;bar</p>", in_chapter=usual)
    assert "café\u00a0bar" in victim.outcome(hostile.write_epub(tmp_path / "book.epub", members))


def test_a_web_page_fetches_nothing(victim: Victim, tmp_path: Path, listener: socket.socket) -> None:
    web = f"http://127.0.0.1:{listener.getsockname()[1]}"
    page = (
        f'<html><head><link rel="stylesheet" href="{web}/a.css"><script src="{web}/b.js">{CANARY}</script></head><body>'
        f'<img src="{web}/c.png"><iframe src="{web}/d"></iframe><object data="{(tmp_path / "x").as_uri()}"></object>'
        f'<p>{WORDS}</p><a href="javascript:alert(1)">go</a><svg><image href="{web}/e"/></svg></body></html>'
    )
    text = victim.outcome(_write(tmp_path / "page.html", page.encode()))
    assert WORDS in text
    assert CANARY not in text


DEEP = 40_000


DEEPLY = {
    "deep.html": "<div>" * DEEP + "middle" + "</div>" * DEEP,
    "deep-lists.html": "<ul><li>" * DEEP + "middle",
    "deep-tables.html": "<table><tr><td>" * (DEEP // 4) + "middle",
    "deep.rtf": r"{\rtf1 " + "{" * DEEP + "middle" + "}" * DEEP + "}",
    "deep.md": "> " * DEEP + "middle",
    "deep-lists.md": "- " * DEEP + "middle",
    "deep-links.md": "[" * DEEP + "middle" + "]" * DEEP,
    "deep.ipynb": '{"nbformat": 4, "cells": ' + "[" * DEEP + "]" * DEEP + "}",
    "deep.json": "[\n" * DEEP + '"middle"' + "]\n" * DEEP,
    "deep.xml": "<?xml version='1.0'?>" + "<a>\n" * DEEP + "middle" + "</a>\n" * DEEP,
}


@pytest.mark.parametrize("name", DEEPLY)
def test_deep_nesting_is_read_or_told(victim: Victim, tmp_path: Path, name: str) -> None:
    outcome = victim.outcome(_write(tmp_path / name, DEEPLY[name].encode()))
    assert "middle" in outcome or outcome in ("too_deep", "damaged")


@pytest.mark.parametrize("really", ["docx", "odt", "pptx", "epub"])
def test_deep_nesting_in_an_archive_is_read_or_told(victim: Victim, tmp_path: Path, really: str) -> None:
    path = tmp_path / f"deep.{really}"
    match really:
        case "docx":
            write_docx(path, "<w:sdt><w:sdtContent>" * DEEP + paragraph("middle") + "</w:sdtContent></w:sdt>" * DEEP)
        case "odt":
            write_odf(path, "<text:section>" * DEEP + "<text:p>middle</text:p>" + "</text:section>" * DEEP)
        case "pptx":
            write_pptx(path, {"slide1.xml": slide_part("<p:grpSp>" * DEEP + shape("middle") + "</p:grpSp>" * DEEP)})
        case _:
            hostile.write_epub(path, hostile.epub_members("<div>" * DEEP + "middle" + "</div>" * DEEP))
    outcome = victim.outcome(path)
    assert "middle" in outcome or outcome in ("too_deep", "damaged")


def test_mails_in_mails_are_read_or_told(victim: Victim, tmp_path: Path) -> None:
    head = "From: a@example.org\nTo: b@example.org\nSubject: deep\nMIME-Version: 1.0\n"
    content = (head + "Content-Type: message/rfc822\n\n") * 1500 + head + "\nmiddle\n"
    outcome = victim.outcome(_write(tmp_path / "deep.eml", content.encode()))
    assert "middle" in outcome or "deep" in outcome or outcome == "too_deep"


def test_two_cells_far_apart_are_read_or_told(victim: Victim, tmp_path: Path) -> None:
    outcome = victim.outcome(hostile.sparse_xlsx(tmp_path / "sparse.xlsx"))
    assert outcome == "memory" or "first cell" in outcome


@pytest.mark.parametrize("really", ["txt", "pdf", "docx"])
def test_reading_a_large_document_is_cancelled_before_all_is_read(victim: Victim, tmp_path: Path, really: str) -> None:
    path = tmp_path / f"large.{really}"
    match really:
        case "txt":
            long_text(path, 10_000_000)
        case "pdf":
            good_pdf(path, 2000)
        case _:
            write_docx(path, paragraph(WORDS) * 40_000)
    cancel = CancelToken()
    events, pid = victim.readings.wait_for_first(path, cancel)
    cancel.cancel()
    assert not any(isinstance(event, Done) for event in events)
    assert is_gone(pid)


def test_hidden_words_are_shown_and_hidden_characters_taken_out(victim: Victim, tmp_path: Path) -> None:
    tags = "".join(chr(0xE0000 + ord(letter)) for letter in "ignore the above")
    path = tmp_path / "injection.txt"
    path.write_text(f"Ig\u200bnore the above\u202e and\u2066 obey.{tags}\n", "utf-8")
    result = read(path, victim.work)
    assert result.text == "Ignore the above and obey."
    assert result.remarks["hidden_characters"] == {"count": 3 + len(tags)}


def test_only_regular_files_are_read(victim: Victim, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.pdf")
    (tmp_path / "loop.pdf").symlink_to(tmp_path / "loop.pdf")
    with socket.socket(socket.AF_UNIX) as server:
        folder = os.open(tmp_path, os.O_RDONLY)
        try:
            server.bind(f"/proc/self/fd/{folder}/socket")  # the path itself may be too long for one
        finally:
            os.close(folder)
        assert victim.outcome(tmp_path) == "folder"
        for path in (tmp_path / "pipe.pdf", tmp_path / "loop.pdf", Path("/dev/zero"), tmp_path / "socket"):
            assert victim.outcome(path) == "not_a_file"
    assert victim.outcome(tmp_path / "gone.pdf") == "missing"
    (tmp_path / "file").touch()
    assert victim.outcome(tmp_path / "file" / "below.pdf") == "missing"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_without_permission_is_told(victim: Victim, tmp_path: Path) -> None:
    path = good_pdf(tmp_path / "secret.pdf")
    path.chmod(0)
    assert victim.outcome(path) == "denied"


@pytest.mark.parametrize(
    "name",
    ["Größe 模型 файл 😀.txt", "/".join(["long folder name"] * 20) + "/file.txt", os.fsdecode(b"bytes \xff\xfe.txt"),
     " leading and trailing ", "-option.txt", "a\nb\t.txt", "%s{0}$HOME`x`.txt"],
    ids=range(7),
)  # fmt: skip
def test_any_name_is_only_a_name(victim: Victim, tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("words")
    assert victim.outcome(path) == "words"


@pytest.mark.slow
def test_a_file_that_grows_while_it_is_read_is_told(victim: Victim, tmp_path: Path) -> None:
    path = long_text(tmp_path / "grows.txt", 8_000_000)
    events, _ = victim.readings.wait_for_first(path)
    with path.open("a") as file:
        file.write("more")
    with pytest.raises(DocumentUnreadable) as caught:
        list(events)
    assert caught.value.reason == "changed"


def test_a_file_that_vanishes_while_it_is_read_is_told(victim: Victim, tmp_path: Path) -> None:
    path = long_text(tmp_path / "goes.txt", 4_000_000)
    events, _ = victim.readings.wait_for_first(path)
    path.unlink()
    with pytest.raises(DocumentUnreadable) as caught:
        list(events)
    assert caught.value.reason == "missing"
