"""Pages and text files: what is opened is saved byte for byte, and what is no text is refused in a sentence."""

from __future__ import annotations

import codecs
import os
import sys
import tempfile
import threading
import zipfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.catalogue import TextCatalogue, use_catalogue
from app.core.errors.exchange_errors import TextFileUnreadable
from app.core.errors.saving_errors import DiskFull
from app.features import write_pages
from app.features.error_messages import sentence_for
from app.features.write_pages import MOST_FILE_BYTES, Pages
from app.store.database import Database
from app.ui.pseudo_language import PseudoEntries
from tests.helpers.disks import small_disk


@pytest.fixture
def pages(tmp_path: Path) -> Iterator[Pages]:
    with closing(Database.open(tmp_path / "data" / "fireside.db")) as database:
        yield Pages(database)


GERMAN = "Die Größe der Sonne\r\nist 109 Erden.\r\n" * 3


@pytest.mark.parametrize(
    ("data", "text", "remark"),
    [
        (b"a\nb", "a\nb", ""),
        (b"", "", ""),
        (GERMAN.encode(), GERMAN.replace("\r\n", "\n"), ""),
        (codecs.BOM_UTF8 + b"a\rb\r", "a\nb\n", ""),
        (codecs.BOM_UTF16_LE + "größer ☀️\n".encode("utf-16-le"), "größer ☀️\n", "utf-16-le"),
        (codecs.BOM_UTF16_BE + "größer\r\n".encode("utf-16-be"), "größer\n", "utf-16-be"),
        (GERMAN.encode("cp1252"), GERMAN.replace("\r\n", "\n"), "cp1252"),
        (("Съешь же ещё этих мягких французских булок. " * 9).encode("cp1251"), None, "cp1251"),
    ],
    ids=["lf", "empty", "crlf", "mark", "utf-16-le", "utf-16-be", "cp1252", "cp1251"],
)
def test_a_text_file_is_opened_and_saved_byte_for_byte(
    pages: Pages, tmp_path: Path, data: bytes, text: str | None, remark: str
) -> None:
    path = tmp_path / "größe.txt"
    path.write_bytes(data)
    opened = pages.open_file(path)
    assert opened.page.text == (text if text is not None else data.decode("cp1251"))
    assert (opened.page.title, opened.page.file) == ("größe.txt", path)
    assert [remark in each for each in opened.remarks] == ([True] if remark else [])
    assert pages.open_file(path).page.id == opened.page.id, "it is the same page while both say the same"
    assert pages.export_page(opened.page.id, path) == ()
    assert path.read_bytes() == data
    pages.save(opened.page.id, opened.page.text + "once more\n")
    pages.export_page(opened.page.id, path)
    assert path.read_bytes().startswith(data)
    assert pages.open_file(path).page.id == opened.page.id
    pages.save(opened.page.id, "something else")
    assert pages.open_file(path).page.id != opened.page.id


def test_a_page_is_saved_as_utf_8_and_again_where_it_was_saved(pages: Pages, tmp_path: Path) -> None:
    page = pages.create("größer\n☀️")
    assert pages.export_page(page.id, tmp_path / "sun.md") == ()
    assert (tmp_path / "sun.md").read_bytes() == "größer\n☀️".encode()
    kept = pages.get(page.id)
    assert kept is not None
    assert (kept.file, kept.title) == (tmp_path / "sun.md", "größer")


def test_a_page_that_is_saved_twice_on_a_slow_disk_ends_as_it_was_the_second_time(
    pages: Pages, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page_id, path = pages.create("Old").id, tmp_path / "page.txt"
    encoded, is_held, may_go = write_pages._encode_text, threading.Event(), threading.Event()

    def encoded_late(text: str, form: dict[str, Any]) -> tuple[bytes, dict[str, Any], tuple[str, ...]]:
        if text == "Old":
            is_held.set()
            may_go.wait(60)
        return encoded(text, form)

    monkeypatch.setattr(write_pages, "_encode_text", encoded_late)
    first, second = (threading.Thread(target=pages.export_page, args=(page_id, path)) for _ in range(2))
    first.start()
    assert is_held.wait(60)
    pages.save(page_id, "New")
    second.start()
    second.join(0.5)  # as long as it could overtake the first
    may_go.set()
    first.join()
    second.join()
    assert [(one.name, one.read_text()) for one in tmp_path.iterdir() if one.is_file()] == [("page.txt", "New")]


def test_letters_that_the_file_lacks_make_it_utf_8_and_this_is_said(pages: Pages, tmp_path: Path) -> None:
    path = tmp_path / "old.txt"
    path.write_bytes(GERMAN.encode("cp1252"))
    page = pages.open_file(path).page
    pages.save(page.id, page.text + "☀️\n")
    (remark,) = pages.export_page(page.id, path)
    assert "UTF-8" in remark
    assert path.read_bytes() == (GERMAN + "☀️\r\n").encode()
    assert pages.export_page(page.id, path) == ()


def test_bytes_that_are_no_text_are_said(pages: Pages, tmp_path: Path) -> None:
    path = tmp_path / "log.txt"
    path.write_bytes(("ä" * 30 + "\n").encode() + b"\xff")
    opened = pages.open_file(path)
    assert opened.page.text.endswith("\ufffd")
    assert [remark.startswith("1 byte ") for remark in opened.remarks] == [True]


def test_what_another_program_made_of_the_file_is_kept_beside_it(pages: Pages, tmp_path: Path) -> None:
    path = tmp_path / "notes.md"
    path.write_text("one")
    page = pages.open_file(path).page
    pages.save(page.id, "two")
    for number, name in enumerate(("notes.changed.md", "notes.changed1.md")):
        path.write_text(f"somebody else's {number}")
        (remark,) = pages.export_page(page.id, path)
        assert name in remark
        assert (path.read_text(), (tmp_path / name).read_text()) == ("two", f"somebody else's {number}")
        assert pages.export_page(page.id, path) == (), "now it is ours again"
    use_catalogue(TextCatalogue("en", PseudoEntries()))
    try:
        path.write_text("once more")
        (remark,) = pages.export_page(page.id, path)
    finally:
        use_catalogue(TextCatalogue())
    assert remark.startswith("[") and "notes.changed2.md" in remark, "in the language"
    (tmp_path / "notes.changed2.md").unlink()
    path.unlink()
    assert pages.export_page(page.id, path) == ()
    path.write_text("two")
    os.utime(path, (1, 1))
    assert pages.export_page(page.id, path) == (), "it says the same"
    (tmp_path / "other.md").write_text("replaced, as the person was asked")
    assert pages.export_page(page.id, tmp_path / "other.md") == ()
    assert {each.name for each in tmp_path.glob("*.md")} == {
        "notes.md", "notes.changed.md", "notes.changed1.md", "other.md"
    }  # fmt: skip


@pytest.mark.skipif(sys.platform == "win32", reason="links need a right there")
def test_a_link_to_a_file_stays_one(pages: Pages, tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    path, link = tmp_path / "folder" / "notes.txt", tmp_path / "notes.txt"
    path.write_text("one")
    link.symlink_to(path)
    page = pages.open_file(link).page
    pages.save(page.id, "two")
    assert pages.export_page(page.id, link) == ()
    assert (link.is_symlink(), path.read_text()) == (True, "two")


def binary_files(folder: Path) -> Iterator[Path]:
    for name, data in (
        ("picture.png", b"\x89PNG\r\n\x1a\n" + os.urandom(3000)),
        ("model.gguf", b"GGUF\x03\0\0\0" + bytes(200) + os.urandom(3000)),
        ("random.txt", os.urandom(5000)),
        ("paper.pdf", b"%PDF-1.4\n1 0 obj\n<<>>\nendobj\n%%EOF\n"),
        ("program", b"\x7fELF\x02\x01\x01" + bytes(9) + os.urandom(200_000)),
    ):
        (folder / name).write_bytes(data)
        yield folder / name
    with zipfile.ZipFile(folder / "letter.docx", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("word/document.xml", os.urandom(4000).hex())
    yield folder / "letter.docx"


def test_binary_files_are_refused_in_a_sentence(pages: Pages, tmp_path: Path) -> None:
    for path in binary_files(tmp_path):
        with pytest.raises(TextFileUnreadable) as raised:
            pages.open_file(path)
        assert raised.value.reason == "not_text", path.name
        assert path.name in sentence_for(raised.value).text
    assert pages.find() == []


def test_what_is_no_file_or_too_long_is_refused_in_a_sentence(pages: Pages, tmp_path: Path) -> None:
    (tmp_path / "long.txt").write_bytes(b"word\n" * (MOST_FILE_BYTES // 5 + 1))
    os.mkfifo(tmp_path / "pipe")
    for name, reason in (("long.txt", "too_large"), ("", "folder"), ("nothing.txt", "missing"), ("pipe", "not_a_file")):
        with pytest.raises(TextFileUnreadable) as raised:
            pages.open_file(tmp_path / name)
        assert raised.value.reason == reason
    assert "2.0 MB" in sentence_for(TextFileUnreadable("/a/long.txt", "too_large", MOST_FILE_BYTES)).text
    (tmp_path / "long.txt").write_bytes(b"word\n" * (MOST_FILE_BYTES // 5))
    assert len(pages.open_file(tmp_path / "long.txt").page.text) == MOST_FILE_BYTES


def test_a_file_that_cannot_be_saved_is_as_it_was(pages: Pages, tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", 1_000_000) as disk:
        path = disk / "page.txt"
        path.write_text("as it was")
        page = pages.open_file(path).page
        pages.save(page.id, "x" * MOST_FILE_BYTES)
        with pytest.raises(DiskFull):
            pages.export_page(page.id, path)
        assert [each.name for each in disk.iterdir()] == ["page.txt"]
        assert path.read_text() == "as it was"
    with pytest.raises(KeyError):
        pages.export_page(99, tmp_path / "nothing.txt")
    assert not (tmp_path / "nothing.txt").exists()


@given(
    text=st.text(st.characters(codec="utf-8", exclude_characters="\0\r\ufeff"), max_size=400),
    newline=st.sampled_from(["\n", "\r\n", "\r"]),
    mark=st.booleans(),
)
def test_any_text_goes_into_a_file_and_back(text: str, newline: str, mark: bool) -> None:
    with tempfile.TemporaryDirectory() as folder, closing(Database.open(Path(folder) / "fireside.db")) as database:
        pages, path = Pages(database), Path(folder) / "page.md"
        page = pages.create(text)
        pages.note_file(page.id, path, {"encoding": "utf-8", "newline": newline, "has_mark": mark})
        assert pages.export_page(page.id, path) == ()
        data = path.read_bytes()
        assert data == (codecs.BOM_UTF8 if mark else b"") + text.replace("\n", newline).encode()
        if mark:
            opened = pages.open_file(path)
            assert (opened.page.text, opened.page.id) == (text, page.id)
            pages.export_page(page.id, path)
            assert path.read_bytes() == data
