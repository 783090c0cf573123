"""ZIP archives: members are read, never unpacked, and every byte is counted; a copy has some of them replaced."""

from __future__ import annotations

import io
import mmap
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import IO, BinaryIO, cast

from app.documents.source import MOST_INFLATED_BYTES, FileSource

# zipfile makes an object of each member while it opens a file, so this bounds memory, too.
MOST_MEMBERS = 50_000
MOST_ELEMENTS = 5_000_000
CROWDED_BYTES = 20_000_000
"""Fewer bytes have no more elements."""
CHUNK_BYTES = 64 * 1024
COUNTED_BYTES = 1024 * 1024
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
"""The others inflate without a bound, and no office format uses them."""
_IS_ENCRYPTED = 0x1
OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ENCRYPTED_STREAM = "EncryptedPackage".encode("utf-16-le")
_LOCAL_HEADER_BYTES = 30
DAMAGE = (zipfile.BadZipFile, zipfile.LargeZipFile, zlib.error, EOFError, NotImplementedError, ValueError)
"""Errors of zipfile for damaged archives; ValueError covers names that aren't text."""


# The first two letters of every record: an archive may begin with a local header or, if empty, with its end record.
def is_zip(path: Path) -> bool:
    """Return whether a file begins as a ZIP archive does."""
    with path.open("rb") as file:
        return file.read(2) == b"PK"


class Archive:
    """The members of a file by name. Use it as a context manager.

    A name is found in any case and with slashes of either kind, since some programs write them so. All methods raise
    DocumentUnreadable: damaged, protected, or inflates.
    """

    def __init__(self, source: FileSource) -> None:
        self._source = source
        with self._errors():
            # zipfile reads the whole central directory here, so damage anywhere in it is found before the first member.
            self._zip = zipfile.ZipFile(source.path)
        try:
            members = self._zip.infolist()
            self._refuse_hostile(members)
        except BaseException:
            self._zip.close()
            raise
        # A folder of the same name would hide a file: some writers store "word" and "word/".
        self._members = {fold_name(member.filename): member for member in members if not is_folder(member)}
        self.names = tuple(member.filename.replace("\\", "/") for member in self._members.values())
        """Files, not folders, in the order of the archive."""

    def __enter__(self) -> Archive:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._zip.close()

    def __contains__(self, name: str) -> bool:
        return fold_name(name) in self._members

    def size(self, name: str) -> int:
        """Return how large a member says it is, in bytes; only for telling it."""
        member = self._members.get(fold_name(name))
        return member.file_size if member is not None else 0

    def read(self, name: str) -> bytes:
        with self.open(name) as stream:
            return stream.read()

    def open(self, name: str) -> BinaryIO:
        """Return a member to be read from its beginning to its end."""
        member = self._members.get(fold_name(name))
        # deflate64, bzip2 and LZMA are valid in a ZIP, but zipfile can't be stopped within one of their blocks.
        if member is None or member.compress_type not in _METHODS:
            raise self._source.unreadable("damaged")
        if member.flag_bits & _IS_ENCRYPTED:
            raise self._source.unreadable("protected")
        with self._errors():
            return cast(BinaryIO, _MemberStream(self._zip.open(member), self._source))

    def refuse_crowd(self, name: str) -> None:
        """Count the elements of a large XML member before parsing. Raises `inflates` for too many.

        Inflating and counting takes a tenth of a second per 50 MB, parsing as many empty elements a minute. The bytes
        aren't counted: they are when the member is read.
        """
        member = self._members.get(fold_name(name))
        # `file_size` is only what the directory says; a lie ends at the budget of inflated bytes when the member is
        # read.
        if member is None or member.file_size < CROWDED_BYTES or member.compress_type not in _METHODS:
            return
        if member.flag_bits & _IS_ENCRYPTED:
            return
        if member.file_size > MOST_INFLATED_BYTES:
            raise self._source.unreadable("inflates")
        elements = 0
        with self._errors(), self._zip.open(member) as stream:
            while data := stream.read(COUNTED_BYTES):
                # Opening tags are what costs: a parser makes an object of each, however little text it holds.
                elements += data.count(b"<") - data.count(b"</")
                if elements > MOST_ELEMENTS:
                    break
        if elements > MOST_ELEMENTS:
            raise self._source.unreadable("inflates")

    @contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except DAMAGE:
            # Word and Excel wrap an encrypted file in an OLE container, which zipfile only calls "not a zip file".
            raise self._source.unreadable("protected" if _is_protected(self._source) else "damaged") from None

    def _refuse_hostile(self, members: list[zipfile.ZipInfo]) -> None:
        """Refuse archives with too many members, members that share bytes (one deflated stream under many names), or
        unnamed ones.
        """
        if len(members) > MOST_MEMBERS:
            raise self._source.unreadable("inflates")
        # zipfile looks at a name's last character, so an empty name is an IndexError in Python before 3.13.
        if not all(member.filename for member in members):
            raise self._source.unreadable("damaged")
        end = 0
        for member in sorted(members, key=lambda entry: entry.header_offset):
            # Overlapping members are how a ZIP of some kB inflates to petabytes without nesting (Fifield, "A better zip
            # bomb").
            if member.header_offset < end:
                raise self._source.unreadable("inflates")
            # The data may end later (its own name and extra field lie between), but never earlier.
            end = member.header_offset + _LOCAL_HEADER_BYTES + member.compress_size


class _MemberStream(io.RawIOBase):
    """Count the bytes read against the budget, and turn zipfile's errors into DocumentUnreadable."""

    def __init__(self, stream: IO[bytes], source: FileSource) -> None:
        self._stream = stream
        self._source = source

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        """Read at most `size` bytes; the rest if it is negative."""
        if size >= 0:
            return self._read_next(size)
        return b"".join(iter(lambda: self._read_next(CHUNK_BYTES), b""))

    def readall(self) -> bytes:
        return self.read()

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        data = self._read_next(len(buffer))
        buffer[: len(data)] = data
        return len(data)

    def close(self) -> None:
        self._stream.close()
        super().close()

    def _read_next(self, size: int) -> bytes:
        try:
            data = self._stream.read(size)
        except DAMAGE:
            raise self._source.unreadable("damaged") from None
        # Counted here, as the bytes come: the sizes that the headers state may be lies.
        self._source.inflated(len(data))
        return data


def is_folder(member: zipfile.ZipInfo) -> bool:
    """Return whether a member is a folder.

    `ZipInfo.is_dir` fails for names that are empty or begin with a NUL, before Python 3.13.
    """
    return member.filename.endswith("/")


def fold_name(name: str) -> str:
    return name.replace("\\", "/").casefold()


def _is_protected(source: FileSource) -> bool:
    """Return whether this is an encrypted office document: an OLE file whose stream of this name holds the ZIP."""
    with source.path.open("rb") as file:
        if file.read(len(OLE)) != OLE:
            return False
        # The name stands in the OLE directory, whose sector may be anywhere in the file; mapped, the search copies
        # nothing.
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
            return content.find(_ENCRYPTED_STREAM) >= 0
