"""What a file is: its content decides, whatever it is called."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.errors.document_errors import DocumentUnreadable
from app.documents.child_files import check_file
from app.documents.formats.format_detection import find_format, really
from app.documents.formats.registry import formats
from app.features.error_messages import sentence_for
from tests.helpers.text_files import LANGUAGES, write_ods, write_ole, write_xlsx, write_zip

READABLE = {each.name for each in formats() if each.read}
PROSE = LANGUAGES["english"] + "\n\n" + LANGUAGES["french"] + "\n"
HTML = "<!-- saved --><html xmlns:o='urn:x'><head><title>T</title></head><body><p>Text</p></body></html>"
MAIL = "Received: from a\n by b\nFrom: Ann <a@b.example>\nTo: c@d.example\nSubject: Hello\nDate: today\n\nText\n"
ODF = "application/vnd.oasis.opendocument."


def reason(path: Path) -> str:
    with pytest.raises(DocumentUnreadable) as caught:
        find_format(path)
    assert caught.value.path == str(path)
    return caught.value.reason


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("a.txt", PROSE, "text"),
        ("a", PROSE, "text"),
        ("a.log", "2024-01-01;started;1\n2024-01-02;ended;2\n2024-01-03;failed;3\n", "text"),
        ("a.md", "# Title\n\n<div>and</div> *text*\n", "markdown"),
        ("a.md", "<div align='center'>\n\n# Title\n</div>\n", "markdown"),
        ("a.csv", "one column\nof words\n", "csv"),
        ("a.tsv", "a\tb\n1\t2\n", "csv"),
        ("a.xls", "name;price\ntea;2\ncoffee;3\n", "csv"),
        ("a.dat", 'sep=|\n"a|b"|c\n', "csv"),
        ("a.txt", 'a,b,c\n1,"x,y",3\n4,5,6\n7,8,9\n', "csv"),
        ("a.docx", HTML, "html"),
        ("a.xls", "<table><tr><td>1</td></tr></table>", "html"),
        ("a.html", "Just <b>a fragment</b>", "html"),
        ("a.txt", "  <!DOCTYPE HTML>\n<html>x</html>", "html"),
        ("a.xml", '<?xml version="1.0"?><!DOCTYPE html><html xmlns="http://www.w3.org/1999/xhtml"/>', "html"),
        ("a.svg", '<svg xmlns="http://www.w3.org/2000/svg"><text>hi</text></svg>', "code"),
        ("a.xml", '<?xml version="1.0"?><!-- x --><books><book/></books>', "code"),
        ("a.txt", f'<?xml version="1.0"?><office:document office:mimetype="{ODF}text"/>', "odt"),
        ("a.fodp", f'<office:document office:mimetype="{ODF}presentation"/>', "odp"),
        ("a.doc", "{\\rtf1\\ansi Hello}", "rtf"),
        ("a.eml", MAIL, "email"),
        ("a.txt", MAIL, "email"),
        ("a.txt", "From me: nothing.\nSubject to change: all.\n\nText\n", "text"),
        ("a.eml", "Subject: Hello\n\nText", "email"),
        ("a.mht", "MIME-Version: 1.0\nContent-Type: multipart/related; boundary=x\n\n--x--", "mhtml"),
        ("a.txt", "From: <Saved by Blink>\nSubject: x\nDate: x\nMIME-Version: 1.0\n\n", "mhtml"),
        ("a.ipynb", '{"cells": [], "nbformat": 4}', "notebook"),
        ("a.json", '{"cells": [' + "1," * 60_000 + '1], "nbformat": 4}', "notebook"),
        ("a.json", '{"cells": [1, 2]}', "code"),
        ("a.txt", "WEBVTT - title\n\n00:01.000 --> 00:02.000\nHi\n", "subtitles"),
        ("a.txt", "\ufeff1\r\n00:00:01,000 --> 00:00:02,000\r\nHi\r\n", "subtitles"),
        ("a.srt", "A line that should not be there\n\n\n\n00:00:01,000 --> 00:00:02,000\nHi\n", "subtitles"),
        ("a.py", "# From: x\nimport os\n", "code"),
        ("a.php", "<html><?php echo 1; ?></html>", "code"),
        ("tool", "#!/usr/bin/env python3\nprint()\n", "code"),
        ("Makefile", "all:\n\ttrue\n", "code"),
        ("a.txt", "%PDF- is how a PDF file begins, they say", "pdf"),
        ("a.txt", "A file begins with %PDF-1.4, they say", "text"),
    ],
)
def test_a_text_is_what_its_content_says(tmp_path: Path, name: str, text: str, expected: str) -> None:
    path = tmp_path / name
    path.write_text(text, "utf-8", newline="")
    assert find_format(path) == expected


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-32-be", "utf-8-sig"])
def test_wide_characters_are_no_obstacle(tmp_path: Path, encoding: str) -> None:
    for text, expected in (
        (HTML, "html"),
        (MAIL, "email"),
        (PROSE, "text"),
        ("WEBVTT\n\n00:01.000 --> 00:02.000", "subtitles"),
    ):
        path = tmp_path / "a.bin"
        path.write_bytes(text.encode(encoding))
        assert find_format(path) == expected


@pytest.mark.parametrize(
    ("members", "expected"),
    [
        ({"[Content_Types].xml": "", "word/document.xml": ""}, "docx"),
        ({"word\\document.xml": ""}, "docx"),
        ({"[Content_Types].xml": "", "ppt/presentation.xml": "", "ppt/embeddings/a.xlsx": ""}, "pptx"),
        ({"[Content_Types].xml": "", "xl/workbook.xml": ""}, "xlsx"),
        ({"[Content_Types].xml": "", "xl/workbook.bin": ""}, "xlsb"),
        ({"mimetype": f"{ODF}text", "content.xml": ""}, "odt"),
        ({"mimetype": f"{ODF}text-template"}, "odt"),
        ({"mimetype": f"{ODF}presentation"}, "odp"),
        ({"mimetype": f"{ODF}spreadsheet\n"}, "ods"),
        ({"content.xml": "", "META-INF/manifest.xml": f'"{ODF}text"'}, "odt"),
        ({"mimetype": "application/epub+zip"}, "epub"),
        ({"META-INF/container.xml": ""}, "epub"),
    ],
)
def test_an_archive_is_what_its_members_say(tmp_path: Path, members: dict[str, str], expected: str) -> None:
    path = tmp_path / "a.pdf"
    write_zip(path, members)
    assert find_format(path) == expected
    assert expected in READABLE


def test_whole_files_are_found(tmp_path: Path) -> None:
    write_xlsx(tmp_path / "a.bin", {"One": ""})
    write_ods(tmp_path / "b.bin", "")
    assert find_format(tmp_path / "a.bin") == "xlsx"
    assert find_format(tmp_path / "b.bin") == "ods"
    (tmp_path / "c.docx").write_bytes(b"\r\n%PDF-1.7\n1 0 obj\n")
    assert find_format(tmp_path / "c.docx") == "pdf"
    (tmp_path / "d.docx").write_bytes(b"junk before it\n" + bytes(900) + b"%PDF-1.7\n1 0 obj\n")
    assert find_format(tmp_path / "d.docx") == "pdf"


@pytest.mark.parametrize(
    ("stream", "expected"),
    [
        ("EncryptedPackage", "protected"),
        ("WordDocument", "old_format"),
        ("PowerPoint Document", "old_format"),
        ("Quill/QuillSub/CONTENTS", "old_format"),
        ("Anything", "not_text"),
    ],
)
def test_ole_files_that_cannot_be_read(tmp_path: Path, stream: str, expected: str) -> None:
    path = tmp_path / "a.docx"
    write_ole(path, {stream: b"x" * 5000})
    assert reason(path) == expected


@pytest.mark.parametrize(
    ("stream", "expected"), [("Workbook", "xls"), ("Book", "xls"), ("__properties_version1.0", "msg")]
)
def test_ole_files_that_can_be_read(tmp_path: Path, stream: str, expected: str) -> None:
    path = tmp_path / "a.doc"
    write_ole(path, {"\x05SummaryInformation": b"y" * 100, stream: b"x" * 70_000})
    assert find_format(path) == expected


def test_a_file_of_no_bytes_is_empty_whatever_it_is_called(tmp_path: Path) -> None:
    for ending in ("txt", "pdf", "docx", "epub", "csv", "xlsx", "html", "eml", ""):
        path = tmp_path / f"a.{ending}"
        path.touch()
        assert reason(path) == "empty"


@pytest.mark.parametrize(
    "data",
    [
        b"GGUF\x03\0\0\0",
        b"\x1f\x8b\x08\0",
        b"7z\xbc\xaf\x27\x1c\0\x04",
        b"\0\0\0\x20ftypisom",
        b"\x7fELF\x02\x01\x01" + bytes(500),
        b"MZ\x90\0\x03\0\0\0\x04\0\0\0\xff\xff" + bytes(range(256)) * 4,
        b"a.txt".ljust(257, b"\0") + b"ustar\0" + bytes(250) + b"text " * 200,
        random.Random(3).randbytes(10_000),
    ],
)
@pytest.mark.parametrize("ending", ["txt", "log", "docx", "py", ""])
def test_programs_and_noise_are_not_text(tmp_path: Path, data: bytes, ending: str) -> None:
    path = tmp_path / f"a.{ending}"
    path.write_bytes(data)
    assert reason(path) == "not_text"


@pytest.mark.parametrize(
    "data",
    [
        b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR",
        b"\xff\xd8\xff\xe0\0\x10JFIF",
        b"II*\0\x08\0\0\0",
        b"RIFF\x24\0\0\0WEBPVP8 ",
        b"BM\x46\0\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0",
    ],
)
def test_pictures_are_told_from_texts(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(data)
    assert find_format(path) == "picture"
    path.write_text("BM is the mark of a bitmap, RIFF that of others.")
    assert find_format(path) == "text"


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("a.pages", ["Pages", ".docx"]),
        ("a.key", ["Keynote", ".pptx"]),
        ("a.numbers", ["Numbers", ".xlsx"]),
        ("a.djvu", ["DjVu"]),
        ("missing.txt", ["missing.txt"]),
    ],
)
def test_what_is_not_read_is_told_by_name(tmp_path: Path, name: str, words: list[str]) -> None:
    if name.endswith(".djvu"):
        (tmp_path / name).write_bytes(b"AT&TFORM\0\0\1\0DJVMDIRM")
    elif not name.startswith("missing"):
        write_zip(tmp_path / name, {"Index/Document.iwa": "", "preview.jpg": ""})
    with pytest.raises(DocumentUnreadable) as caught:
        check_file(tmp_path / name)
        find_format(tmp_path / name)
    assert all(word in sentence_for(caught.value).text for word in words)


def test_an_archive_without_a_document_is_not_text(tmp_path: Path) -> None:
    write_zip(tmp_path / "a.docx", {"photo.jpg": "", "notes.txt": ""})
    assert reason(tmp_path / "a.docx") == "not_text"
    write_zip(tmp_path / "a.pages", {"Index/Document.iwa": "", "preview.jpg": ""})
    assert reason(tmp_path / "a.pages") == "iwork"
    write_zip(tmp_path / "b.docx", {"[Content_Types].xml": ""})
    assert reason(tmp_path / "b.docx") == "damaged"


def test_half_an_archive_is_damaged(tmp_path: Path) -> None:
    write_xlsx(tmp_path / "a.xlsx", {"One": "<row/>" * 1000})
    whole = (tmp_path / "a.xlsx").read_bytes()
    for name in ("half.xlsx", "half.bin"):
        (tmp_path / name).write_bytes(whole[: len(whole) // 2])
        assert reason(tmp_path / name) == "damaged"
    (tmp_path / "half.xls").write_bytes(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(100))
    assert reason(tmp_path / "half.xls") == "damaged"


def test_only_a_bounded_part_of_a_file_is_read(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text(PROSE * 1000, "utf-8")
    with path.open("r+b") as file:
        file.truncate(50 * 10**9)  # a sparse file, which nobody reads as a whole
    assert find_format(path) == "text"


@pytest.mark.parametrize(
    ("found", "ending", "expected"),
    [
        ("docx", ".pdf", True),
        ("pdf", "docx", True),
        ("html", ".xls", True),
        ("rtf", ".doc", True),
        ("pdf", ".TXT", True),
        ("pdf", ".PDF", False),
        ("docx", ".docm", False),
        ("csv", ".txt", False),
        ("email", ".eml", False),
        ("text", "", False),
        ("pdf", ".bak", False),
    ],
)
def test_what_a_name_promised_is_compared_with_what_is_there(found: str, ending: str, expected: bool) -> None:
    assert really(found, ending) is expected


@given(st.binary(min_size=1, max_size=3000), st.sampled_from(["txt", "docx", "xls", "eml", "csv", "ipynb", ""]))
def test_whatever_the_bytes_are_there_is_an_answer(
    tmp_path_factory: pytest.TempPathFactory, data: bytes, ending: str
) -> None:
    path = tmp_path_factory.mktemp("noise") / f"a.{ending}"
    for start in (b"", b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", b"<", b"From: a\n"):
        path.write_bytes(start + data)
        try:
            assert find_format(path) in READABLE
        except DocumentUnreadable as error:
            assert error.reason in ("not_text", "damaged", "old_format", "djvu", "iwork")


def test_a_notebook_is_one_even_where_its_cells_come_last(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text(json.dumps({"nbformat": 4, "cells": []}), "utf-8")
    assert find_format(path) == "notebook"


ENDLESS = ("<!---->", "<!--", "<?x?>", "<a:", "From: x\n", "a,b\n", '"', "\n \t", "00:00:01,000 --> ", "{", "=?")
"""How long they take is said by `make bench`."""


@pytest.mark.parametrize("part", ENDLESS)
def test_a_text_of_the_same_again_and_again_is_found_out(tmp_path: Path, part: str) -> None:
    path = tmp_path / "a.txt"
    path.write_text(part * 60_000, "utf-8")
    assert find_format(path) in READABLE
