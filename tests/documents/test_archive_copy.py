"""Copies of archives: what is not replaced keeps its bytes, in every form that an archive may have."""

from __future__ import annotations

import io
import shutil
import subprocess
import zipfile
from pathlib import Path

import pytest

from app.core.errors import DocumentUnreadable
from app.documents.archive import copy_archive
from app.documents.source import Source
from tests.helpers.office_files import write_zip

TEXT = b"many words " * 500


class Pipe(io.RawIOBase):
    """A stream without a way back: zipfile puts sizes behind the data then."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("wb")

    def writable(self) -> bool:
        return True

    def write(self, data: bytes) -> int:  # type: ignore[override]
        return self._file.write(data)

    def close(self) -> None:
        self._file.close()
        super().close()


def copied(path: Path, changed: dict[str, bytes]) -> Path:
    """The copy, which every tool can open."""
    out = path.with_name(f"copy of {path.name}")
    with out.open("wb") as file:
        copy_archive(Source(path), file, changed)
    with zipfile.ZipFile(out) as archive:
        assert archive.testzip() is None
    if unzip := shutil.which("unzip"):
        tested = subprocess.run([unzip, "-tq", str(out)], capture_output=True, check=False, text=True)
        assert tested.returncode == 0, tested.stdout
    return out


def packed(path: Path, member: str) -> bytes:
    """The bytes of a member as they are in the file."""
    with zipfile.ZipFile(path) as archive:
        info = archive.getinfo(member)
    data = path.read_bytes()[info.header_offset :]
    start = 30 + int.from_bytes(data[26:28], "little") + int.from_bytes(data[28:30], "little")
    return data[start : start + info.compress_size]


def make(path: Path, members: dict[str, bytes], comment: bytes = b"") -> Path:
    """An archive whose first member is stored, with times, attributes, extra fields, comments and folders."""
    with zipfile.ZipFile(path, "w") as archive:
        archive.comment = comment
        for number, (name, data) in enumerate(members.items()):
            info = zipfile.ZipInfo(name, (1999, 12, 31, 23, 58, 2 * number))
            info.compress_type = zipfile.ZIP_DEFLATED if number else zipfile.ZIP_STORED
            info.external_attr = 0o640 << 16
            info.extra = b"\xfe\xca\x00\x00" if number % 2 else b""
            info.comment = b"of a member"
            archive.writestr(info, data, compresslevel=1)
    return path


MEMBERS = {"mimetype": b"application/x", "folder/": b"", "folder/a.xml": TEXT, "b.xml": TEXT, "ж.xml": b"c"}


def test_a_copy_without_changes_is_the_file(tmp_path: Path) -> None:
    path = make(tmp_path / "a.zip", MEMBERS, b"of the archive")
    assert copied(path, {}).read_bytes() == path.read_bytes()


def test_a_changed_member_leaves_all_others_as_they_are(tmp_path: Path) -> None:
    path = make(tmp_path / "a.zip", MEMBERS, b"of the archive")
    out = copied(path, {"Folder\\A.xml": b"new words", "mimetype": b"application/y"})
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(out) as new:
        assert new.comment == b"of the archive"
        assert new.namelist() == old.namelist()
        assert (new.read("folder/a.xml"), new.read("mimetype")) == (b"new words", b"application/y")
        for one, other in zip(old.infolist(), new.infolist(), strict=True):
            kept = ("compress_type", "date_time", "external_attr", "extra", "comment", "flag_bits", "create_system")
            assert [getattr(one, name) for name in kept] == [getattr(other, name) for name in kept]
    for name in ("b.xml", "ж.xml"):
        assert packed(out, name) == packed(path, name)
    assert out.read_bytes()[38:51] == b"application/y"


def test_sizes_behind_the_data_are_kept_there(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    with Pipe(path) as pipe, zipfile.ZipFile(pipe, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a", TEXT)
        archive.writestr(zipfile.ZipInfo("b"), b"stored")
        archive.writestr("c", TEXT)
    with zipfile.ZipFile(path) as archive:
        assert all(each.flag_bits & 0x8 for each in archive.infolist())
    assert copied(path, {}).read_bytes() == path.read_bytes()
    out = copied(path, {"b": b"other"})
    assert (packed(out, "a"), packed(out, "b"), packed(out, "c")) == (packed(path, "a"), b"other", packed(path, "c"))


def test_a_descriptor_without_its_sign_is_written_with_it(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    with Pipe(path) as pipe, zipfile.ZipFile(pipe, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a", TEXT)
    content = path.read_bytes()
    at = content.index(b"PK\x07\x08")
    shorter = content[:at] + content[at + 4 :]
    end = shorter.rindex(b"PK\x05\x06")
    start = int.from_bytes(shorter[end + 16 : end + 20], "little") - 4
    path.write_bytes(shorter[: end + 16] + start.to_bytes(4, "little") + shorter[end + 20 :])
    assert copied(path, {}).read_bytes() == content


@pytest.mark.parametrize("is_piped", [False, True])
def test_sizes_of_64_bits_are_kept_and_go_with_a_new_member(tmp_path: Path, is_piped: bool) -> None:
    path = tmp_path / "a.zip"
    with Pipe(path) if is_piped else path.open("wb") as file, zipfile.ZipFile(file, "w") as archive:
        for name in ("a", "b"):
            with archive.open(name, "w", force_zip64=True) as member:
                member.write(TEXT)
    assert copied(path, {}).read_bytes() == path.read_bytes()
    out = copied(path, {"a": b"other"})
    assert (packed(out, "a"), packed(out, "b")) == (b"other", TEXT)


def test_offsets_past_4_gigabytes_are_written_with_64_bits(tmp_path: Path) -> None:
    path = make(tmp_path / "a.zip", MEMBERS)

    class Late(io.BytesIO):
        """A stream that says it is far behind its beginning."""

        def tell(self) -> int:
            return super().tell() + (5 << 30)

    late = Late()
    copy_archive(Source(path), late, {"b.xml": b"other"})
    with (tmp_path / "late.zip").open("wb") as file:  # the empty room before it takes no blocks
        file.seek(5 << 30)
        file.write(late.getvalue())
    with zipfile.ZipFile(tmp_path / "late.zip") as archive:
        assert archive.testzip() is None
        assert archive.infolist()[0].header_offset == 5 << 30
        assert (archive.read("b.xml"), archive.read("folder/a.xml")) == (b"other", TEXT)


def test_bytes_before_the_first_member_stay_there(tmp_path: Path) -> None:
    path = make(tmp_path / "a.zip", MEMBERS)
    path.write_bytes(b"#!/bin/program\n" + path.read_bytes())
    out = copied(path, {"b.xml": b"other"})
    assert out.read_bytes().startswith(b"#!/bin/program\nPK\x03\x04")
    assert packed(out, "folder/a.xml") == packed(path, "folder/a.xml")


def test_a_directory_in_another_order_than_the_data_keeps_both_orders(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a", TEXT)
        archive.writestr("b", TEXT)
        archive.filelist.reverse()
    assert copied(path, {}).read_bytes() == path.read_bytes()


def test_an_empty_archive_is_copied(tmp_path: Path) -> None:
    path, out = write_zip(tmp_path / "a.zip", {}), io.BytesIO()
    copy_archive(Source(path), out, {})
    assert out.getvalue() == path.read_bytes()


def test_what_is_no_archive_is_refused_and_so_is_a_name_it_lacks(tmp_path: Path) -> None:
    (tmp_path / "a.zip").write_bytes(b"no archive")
    with pytest.raises(DocumentUnreadable):
        copy_archive(Source(tmp_path / "a.zip"), io.BytesIO(), {})
    with pytest.raises(KeyError):
        copy_archive(Source(make(tmp_path / "b.zip", MEMBERS)), io.BytesIO(), {"d": b""})
