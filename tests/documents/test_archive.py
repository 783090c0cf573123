"""Archives: found names, counted bytes, and every kind of damage and hostility as a situation."""

from __future__ import annotations

import io
import struct
import zipfile
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from app.core.errors import DocumentUnreadable
from app.documents.archive import MOST_MEMBERS, Archive, copy_archive
from app.documents.source import FREE_BYTES, Source
from tests.helpers.office_files import write_zip


def reason(path: Path, name: str = "") -> str:
    """Why a file, or its member, cannot be read."""
    with pytest.raises(DocumentUnreadable) as caught, Archive(Source(path)) as archive:
        archive.read(name)
    assert caught.value.path == str(path)
    return caught.value.reason


def changed(path: Path, old: bytes, new: bytes, times: int = -1) -> Path:
    """The same file with other bytes in it."""
    path.write_bytes(path.read_bytes().replace(old, new, times))
    return path


def test_members_are_read_by_name_in_any_case_and_with_either_slash(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "a.zip", {"word\\Document.xml": "text", "folder/": "", "b": b"\x00"})
    with Archive(Source(path)) as archive:
        assert archive.names == ("word/Document.xml", "b")
        assert "word/document.xml" in archive
        assert "folder/" not in archive
        assert archive.read("word/document.xml") == b"text"
        assert archive.read("B") == b"\x00"


def test_every_inflated_byte_is_counted_while_it_comes(tmp_path: Path) -> None:
    source = Source(write_zip(tmp_path / "bomb.zip", {"a": b"\x00" * (FREE_BYTES + 1)}))
    with Archive(source) as archive, archive.open("a") as stream:
        taken = 0
        with pytest.raises(DocumentUnreadable) as caught:
            while data := stream.read(1_000_000):
                taken += len(data)
    assert caught.value.reason == "inflates"
    assert FREE_BYTES - 1_000_000 <= taken <= FREE_BYTES


def test_a_bomb_of_many_small_members_is_one_bomb(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "bomb.zip", {str(number): b"\x00" * 20_000_000 for number in range(6)})
    with Archive(Source(path)) as archive:
        for number in range(5):
            archive.read(str(number))
        with pytest.raises(DocumentUnreadable):
            archive.read("5")


def test_a_size_that_lies_is_damage(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "a.zip", {"a": b"\x00" * 300_000})
    assert reason(changed(path, struct.pack("<I", 300_000), struct.pack("<I", 10)), "a") == "damaged"


def test_members_that_share_their_bytes_are_a_bomb(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "a.zip", {"a": b"x" * 1000, "b": b"y" * 1000})
    with zipfile.ZipFile(path) as opened:
        offset = opened.infolist()[1].header_offset
    content = path.read_bytes()
    at = content.rindex(struct.pack("<I", offset) + b"b")
    path.write_bytes(content[:at] + struct.pack("<I", 0) + content[at + 4 :])
    assert reason(path) == "inflates"


def test_too_many_members_are_a_bomb(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "a.zip", dict.fromkeys(map(str, range(MOST_MEMBERS + 1)), b""))
    assert reason(path) == "inflates"


def test_a_wrong_checksum_is_damage_when_the_member_is_read(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a", b"marker")
        archive.writestr("b", b"whole")
    changed(path, b"marker", b"merker")
    with Archive(Source(path)) as opened:
        assert opened.read("b") == b"whole"
    assert reason(path, "a") == "damaged"


def test_a_missing_member_is_damage(tmp_path: Path) -> None:
    assert reason(write_zip(tmp_path / "a.zip", {"a": "x"}), "b") == "damaged"


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"no archive at all" * 100])
def test_what_is_no_archive_is_damage(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.zip"
    path.write_bytes(content)
    assert reason(path) == "damaged"


def test_half_an_archive_is_damage(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "a.zip", {"a": bytes(range(256)) * 100})
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    assert reason(path) == "damaged"


def test_an_encrypted_member_is_protected(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "a.zip", {"a": b"x"})
    content = bytearray(path.read_bytes())
    content[6] |= 1
    content[content.index(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(content)
    assert reason(path, "a") == "protected"


def test_an_ole_file_with_an_encrypted_package_is_protected(tmp_path: Path) -> None:
    path = tmp_path / "a.docx"
    path.write_bytes(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\x00" * 1000 + "EncryptedPackage".encode("utf-16-le"))
    assert reason(path) == "protected"


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_compression_without_a_bound_is_not_unpacked(tmp_path: Path, method: int) -> None:
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w", method) as archive:
        archive.writestr("a", b"\x00" * 1000)
    assert reason(path, "a") == "damaged"


@pytest.mark.parametrize("name", [b"\x00", b"\x00/"])
def test_a_member_without_a_name_is_damage(tmp_path: Path, name: bytes) -> None:
    path = changed(
        write_zip(tmp_path / "a.docx", {"x" * len(name): b"1", "word/document.xml": b"2"}), b"x" * len(name), name
    )
    assert reason(path, "word/document.xml") == "damaged"
    with pytest.raises(DocumentUnreadable):
        copy_archive(Source(path), io.BytesIO(), {"word/document.xml": b"3"})


def test_names_that_point_elsewhere_are_only_names(tmp_path: Path) -> None:
    outside = tmp_path / "outside.txt"
    outside.write_text("not yours")
    folder = tmp_path / "in"
    folder.mkdir()
    path = write_zip(folder / "a.zip", {"../outside.txt": "inside", str(outside): "inside too"})
    with Archive(Source(path)) as archive:
        assert archive.read("../outside.txt") == b"inside"
        assert archive.read(str(outside)) == b"inside too"
    assert outside.read_text() == "not yours"
    assert [each.name for each in folder.iterdir()] == ["a.zip"]


@example(at=383, value=0)  # the first letter of a name in the list of members
@given(at=st.integers(0, 10_000), value=st.integers(0, 255))
def test_any_changed_byte_gives_the_content_or_a_situation(
    tmp_path_factory: pytest.TempPathFactory, at: int, value: int
) -> None:
    path = write_zip(tmp_path_factory.mktemp("fuzz") / "a.zip", {"a": "first " * 50, "b/c": bytes(range(256))})
    content = bytearray(path.read_bytes())
    content[at % len(content)] = value
    path.write_bytes(content)
    try:
        with Archive(Source(path)) as archive:
            for name in archive.names:
                assert archive.read(name) in (b"first " * 50, bytes(range(256)))
    except DocumentUnreadable as error:
        assert error.reason in ("damaged", "protected", "inflates")


def test_a_crowd_of_elements_is_refused_before_they_are_worked_through(tmp_path: Path) -> None:
    path = tmp_path / "crowd.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("many.xml", b"<p/>" * 5_000_001)
        archive.writestr("few.xml", b"<p>word</p>" * 2_000_000)
    with Archive(Source(path)) as archive_:
        archive_.refuse_crowd("few.xml")
        archive_.refuse_crowd("none.xml")
        with pytest.raises(DocumentUnreadable) as caught:
            archive_.refuse_crowd("many.xml")
    assert caught.value.reason == "inflates"
