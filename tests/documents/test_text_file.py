"""Text files with parts replaced: all else byte for byte, in whatever encoding and with whatever damage."""

from __future__ import annotations

import io
import re
from pathlib import Path

import pytest

from app.documents.source import FileSource
from app.documents.text_file import TextFile


def spliced(path: Path, data: bytes, old: str, new: str, encoding: str = "", **more: bool) -> tuple[bytes, list[str]]:
    """A file with one text in the place of another, and the names of what is remarked on."""
    path.write_bytes(data)
    source = FileSource(path, encoding=encoding)
    file, out = TextFile(source), io.BytesIO()
    start = file.text.index(old)
    file.replace(start, start + len(old), new)
    file.write(out, **more)
    return out.getvalue(), [remark.name for remark in source.remarks]


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32", "cp1251", "koi8-r", "gb18030", "iso2022_jp_2"]
)
def test_a_part_changes_in_the_files_own_encoding(tmp_path: Path, encoding: str) -> None:
    text = "ab жук cd\r\n" * 50
    name = encoding.removesuffix("-sig")
    data, _ = spliced(tmp_path / "f", text.encode(encoding), "жук", "дом", "" if "utf" in name else name)
    assert data == text.replace("жук", "дом", 1).encode(encoding)


def test_damaged_bytes_stay(tmp_path: Path) -> None:
    text = "wörter " * 20
    data, names = spliced(tmp_path / "f", text.encode() + b"\xff old \xe2\x82\n", "old", "näu", "utf-8")
    assert data == text.encode() + b"\xff n\xc3\xa4u \xe2\x82\n"
    assert names == ["odd_bytes"]


def test_an_uncommon_form_of_a_text_stays(tmp_path: Path) -> None:
    odd = b"\xfa\x55"  # Shift-JIS has this letter twice
    data, _ = spliced(tmp_path / "f", odd + " 日本 old\n".encode("cp932"), "old", "新", "cp932")
    assert data == odd + " 日本 新\n".encode("cp932")


def test_letters_that_are_missing_make_it_utf8(tmp_path: Path) -> None:
    assert spliced(tmp_path / "f", "Café old\n".encode("cp1252"), "old", "дом", "cp1252") == (
        "Café дом\n".encode(), ["encoding", "became_utf8"],
    )  # fmt: skip
    data, _ = spliced(tmp_path / "f", "Café old\n".encode("cp1252"), "old", "дом", "cp1252", new_mark=True)
    assert data == "Café дом\n".encode("utf-8-sig")


def test_nothing_to_replace_leaves_every_byte(tmp_path: Path) -> None:
    data = bytes(range(256)) * 3
    (tmp_path / "f").write_bytes(data)
    file, out = TextFile(FileSource(tmp_path / "f")), io.BytesIO()
    file.replace(0, 1, file.text[0])
    assert not file.is_changed
    file.write(out)
    assert out.getvalue() == data


def test_parts_may_be_replaced_in_any_order(tmp_path: Path) -> None:
    (tmp_path / "f").write_text("one two three")
    file, out = TextFile(FileSource(tmp_path / "f")), io.BytesIO()
    file.replace(8, 13, "drei")
    file.replace(0, 3, "eins")
    file.write(out)
    assert out.getvalue() == b"eins two drei"


@pytest.mark.parametrize(
    ("text", "newline"), [("a\r\nb\nc\r\n", "\r\n"), ("a\rb\r", "\r"), ("a\nb", "\n"), ("a", "\n")]
)
def test_the_newline_is_the_one_that_is_there_most(tmp_path: Path, text: str, newline: str) -> None:
    (tmp_path / "f").write_bytes(text.encode())
    assert TextFile(FileSource(tmp_path / "f")).newline == newline


def test_a_file_may_say_its_encoding_and_a_person_knows_better(tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes("charset=koi8-r жук".encode("koi8-r"))
    says = re.compile(rb"charset=([\w-]+)")
    assert TextFile(FileSource(tmp_path / "f"), says).text.endswith("жук")
    assert TextFile(FileSource(tmp_path / "f", encoding="cp1251"), says).encoding == "cp1251"
