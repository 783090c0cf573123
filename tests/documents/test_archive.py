"""Archives: found names, counted bytes, every kind of damage and hostility as a situation, and faithful copies."""

from __future__ import annotations

import io
import shutil
import struct
import subprocess
import zipfile
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from app.core.errors.document_errors import DocumentUnreadable
from app.documents.archive import Archive
from app.documents.archive_copy import copy_archive
from app.documents.source import FileSource
from tests.helpers.office_files import write_zip


def reason(path: Path, name: str = "") -> str:
    """Why a file, or its member, cannot be read."""
    with pytest.raises(DocumentUnreadable) as caught, Archive(FileSource(path)) as archive:
        archive.read(name)
    assert caught.value.path == str(path)
    return caught.value.reason


def changed(path: Path, old: bytes, new: bytes, times: int = -1) -> Path:
    """The same file with other bytes in it."""
    path.write_bytes(path.read_bytes().replace(old, new, times))
    return path


def test_members_are_read_by_name_in_any_case_and_with_either_slash(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "a.zip", {"word\\Document.xml": "text", "folder/": "", "b": b"\x00"})
    with Archive(FileSource(path)) as archive:
        assert archive.names == ("word/Document.xml", "b")
        assert "word/document.xml" in archive
        assert "folder/" not in archive
        assert archive.read("word/document.xml") == b"text"
        assert archive.read("B") == b"\x00"


FREE_BYTES = 10_000_000


@pytest.fixture
def little_is_free(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.documents.source.FREE_BYTES", FREE_BYTES)


@pytest.mark.usefixtures("little_is_free")
def test_every_inflated_byte_is_counted_while_it_comes(tmp_path: Path) -> None:
    bomb = FileSource(write_zip(tmp_path / "bomb.zip", {"a": b"\x00" * (FREE_BYTES + 1)}))
    with Archive(bomb) as archive, archive.open("a") as stream:
        taken = 0
        with pytest.raises(DocumentUnreadable) as caught:
            while data := stream.read(1_000_000):
                taken += len(data)
    assert caught.value.reason == "inflates"
    assert FREE_BYTES - 1_000_000 <= taken <= FREE_BYTES


@pytest.mark.usefixtures("little_is_free")
def test_a_bomb_of_many_small_members_is_one_bomb(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "bomb.zip", {str(number): b"\x00" * (FREE_BYTES // 5) for number in range(6)})
    with Archive(FileSource(path)) as archive:
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


def test_too_many_members_are_a_bomb(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.documents.archive.MOST_MEMBERS", 500)
    path = write_zip(tmp_path / "a.zip", dict.fromkeys(map(str, range(501)), b""))
    assert reason(path) == "inflates"


def test_a_wrong_checksum_is_damage_when_the_member_is_read(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a", b"marker")
        archive.writestr("b", b"whole")
    changed(path, b"marker", b"merker")
    with Archive(FileSource(path)) as opened:
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
        copy_archive(FileSource(path), io.BytesIO(), {"word/document.xml": b"3"})


def test_names_that_point_elsewhere_are_only_names(tmp_path: Path) -> None:
    outside = tmp_path / "outside.txt"
    outside.write_text("not yours")
    folder = tmp_path / "in"
    folder.mkdir()
    path = write_zip(folder / "a.zip", {"../outside.txt": "inside", str(outside): "inside too"})
    with Archive(FileSource(path)) as archive:
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
        with Archive(FileSource(path)) as archive:
            for name in archive.names:
                assert archive.read(name) in (b"first " * 50, bytes(range(256)))
    except DocumentUnreadable as error:
        assert error.reason in ("damaged", "protected", "inflates")


def test_a_crowd_of_elements_is_refused_before_they_are_worked_through(tmp_path: Path) -> None:
    path = tmp_path / "crowd.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("many.xml", b"<p/>" * 5_000_001)
        archive.writestr("few.xml", b"<p>word</p>" * 2_000_000)
    with Archive(FileSource(path)) as archive_:
        archive_.refuse_crowd("few.xml")
        archive_.refuse_crowd("none.xml")
        with pytest.raises(DocumentUnreadable) as caught:
            archive_.refuse_crowd("many.xml")
    assert caught.value.reason == "inflates"


# Copies of archives: what is not replaced keeps its bytes, in every form that an archive may have.


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
        copy_archive(FileSource(path), file, changed)
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
    copy_archive(FileSource(path), late, {"b.xml": b"other"})
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
    copy_archive(FileSource(path), out, {})
    assert out.getvalue() == path.read_bytes()


def test_what_is_no_archive_is_refused_and_so_is_a_name_it_lacks(tmp_path: Path) -> None:
    (tmp_path / "a.zip").write_bytes(b"no archive")
    with pytest.raises(DocumentUnreadable):
        copy_archive(FileSource(tmp_path / "a.zip"), io.BytesIO(), {})
    with pytest.raises(KeyError):
        copy_archive(FileSource(make(tmp_path / "b.zip", MEMBERS)), io.BytesIO(), {"d": b""})
