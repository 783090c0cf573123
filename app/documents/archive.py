"""A ZIP archive that is read and never unpacked: every byte that comes out of it is counted."""

from __future__ import annotations

import io
import mmap
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import IO, BinaryIO, cast

from app.documents.source import MOST_INFLATED_BYTES, Source

MOST_MEMBERS = 50_000
MOST_ELEMENTS = 5_000_000
CROWDED_BYTES = 20_000_000
"""Fewer bytes have no more elements."""
CHUNK_BYTES = 64 * 1024
COUNTED_BYTES = 1024 * 1024
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
"""The others inflate without a bound, and no office format uses them."""
_IS_ENCRYPTED = 0x1
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ENCRYPTED_STREAM = "EncryptedPackage".encode("utf-16-le")
_LOCAL_HEADER_BYTES = 30
_DAMAGE = (zipfile.BadZipFile, zipfile.LargeZipFile, zlib.error, EOFError, NotImplementedError, ValueError)
"""What zipfile raises for a file that is no good archive; ValueError covers names that are not text."""


class Archive:
    """The members of a file by name. Use it as a context manager.

    A name is found in any case and with slashes of either kind, since some programs write them so. All methods raise
    DocumentUnreadable: damaged, protected, or inflates.
    """

    def __init__(self, source: Source) -> None:
        self._source = source
        with self._errors():
            self._zip = zipfile.ZipFile(source.path)
        try:
            members = self._zip.infolist()
            self._refuse_hostile(members)
        except BaseException:
            self._zip.close()
            raise
        self._members = {_folded(member.filename): member for member in members if not is_folder(member)}
        self.names = tuple(member.filename.replace("\\", "/") for member in self._members.values())
        """Files, not folders, in the order of the archive."""

    def __enter__(self) -> Archive:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._zip.close()

    def __contains__(self, name: str) -> bool:
        return _folded(name) in self._members

    def size(self, name: str) -> int:
        """How large a member says it is, in bytes; only for telling it."""
        member = self._members.get(_folded(name))
        return member.file_size if member is not None else 0

    def read(self, name: str) -> bytes:
        """All of a member."""
        with self.open(name) as stream:
            return stream.read()

    def open(self, name: str) -> BinaryIO:
        """A member to be read from its beginning to its end."""
        member = self._members.get(_folded(name))
        if member is None or member.compress_type not in _METHODS:
            raise self._source.unreadable("damaged")
        if member.flag_bits & _IS_ENCRYPTED:
            raise self._source.unreadable("protected")
        with self._errors():
            return cast(BinaryIO, _Member(self._zip.open(member), self._source))

    def refuse_crowd(self, name: str) -> None:
        """Counts the elements of a large XML member before any of them costs time; raises `inflates` for too many.

        Inflating and counting takes a tenth of a second for each 50 MB, working through as many empty elements
        a minute. The bytes are not counted: they come again when the member is read.
        """
        member = self._members.get(_folded(name))
        if member is None or member.file_size < CROWDED_BYTES or not _is_open(member):
            return
        if member.file_size > MOST_INFLATED_BYTES:
            raise self._source.unreadable("inflates")
        elements = 0
        with self._errors(), self._zip.open(member) as stream:
            while data := stream.read(COUNTED_BYTES):
                elements += data.count(b"<") - data.count(b"</")
                if elements > MOST_ELEMENTS:
                    break
        if elements > MOST_ELEMENTS:
            raise self._source.unreadable("inflates")

    @contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except _DAMAGE:
            raise self._source.unreadable("protected" if _is_protected(self._source) else "damaged") from None

    def _refuse_hostile(self, members: list[zipfile.ZipInfo]) -> None:
        """Too many members, some that share their bytes (one deflated stream under many names), one without a name."""
        if len(members) > MOST_MEMBERS:
            raise self._source.unreadable("inflates")
        if not all(member.filename for member in members):
            raise self._source.unreadable("damaged")
        end = 0
        for member in sorted(members, key=lambda each: each.header_offset):
            if member.header_offset < end:
                raise self._source.unreadable("inflates")
            end = member.header_offset + _LOCAL_HEADER_BYTES + member.compress_size


class _Member(io.RawIOBase):
    """A stream that counts what it gives."""

    def __init__(self, stream: IO[bytes], source: Source) -> None:
        self._stream = stream
        self._source = source

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        """At most `size` bytes, all that is left if it is negative."""
        if size >= 0:
            return self._next(size)
        return b"".join(iter(lambda: self._next(CHUNK_BYTES), b""))

    def readall(self) -> bytes:
        return self.read()

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        data = self._next(len(buffer))
        buffer[: len(data)] = data
        return len(data)

    def close(self) -> None:
        self._stream.close()
        super().close()

    def _next(self, size: int) -> bytes:
        try:
            data = self._stream.read(size)
        except _DAMAGE:
            raise self._source.unreadable("damaged") from None
        self._source.inflated(len(data))
        return data


def is_folder(member: zipfile.ZipInfo) -> bool:
    """`ZipInfo.is_dir` falls over a name that is empty, or that begins with a NUL, before Python 3.13."""
    return member.filename.endswith("/")


def _is_open(member: zipfile.ZipInfo) -> bool:
    return member.compress_type in _METHODS and not member.flag_bits & _IS_ENCRYPTED


def _folded(name: str) -> str:
    return name.replace("\\", "/").casefold()


def _is_protected(source: Source) -> bool:
    """An encrypted office document is an OLE file with its ZIP in a stream of this name."""
    with source.path.open("rb") as file:
        if file.read(len(_OLE)) != _OLE:
            return False
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
            return content.find(_ENCRYPTED_STREAM) >= 0
