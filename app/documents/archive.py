"""ZIP archives: members are read, never unpacked, and every byte is counted; a copy has some of them replaced."""

from __future__ import annotations

import io
import mmap
import struct
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
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
        self._members = {_fold_name(member.filename): member for member in members if not is_folder(member)}
        self.names = tuple(member.filename.replace("\\", "/") for member in self._members.values())
        """Files, not folders, in the order of the archive."""

    def __enter__(self) -> Archive:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._zip.close()

    def __contains__(self, name: str) -> bool:
        return _fold_name(name) in self._members

    def size(self, name: str) -> int:
        """Return how large a member says it is, in bytes; only for telling it."""
        member = self._members.get(_fold_name(name))
        return member.file_size if member is not None else 0

    def read(self, name: str) -> bytes:
        with self.open(name) as stream:
            return stream.read()

    def open(self, name: str) -> BinaryIO:
        """Return a member to be read from its beginning to its end."""
        member = self._members.get(_fold_name(name))
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
        member = self._members.get(_fold_name(name))
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


def _fold_name(name: str) -> str:
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


# Copies a ZIP archive with some members replaced; all others keep their compressed bytes as they are.
# Source of the records: PKWARE's APPNOTE.TXT 6.3.10, 4.3 and 4.5.3.

_LOCAL = struct.Struct("<4s5H3L2H")
_CENTRAL = struct.Struct("<4s6H3L5H2L")
_END = struct.Struct("<4s4H2LH")
_END_64 = struct.Struct("<4sQ2H2L4Q")
_LOCATOR_64 = struct.Struct("<4sLQL")
_LOCAL_SIGN, _CENTRAL_SIGN, _DESCRIPTOR_SIGN, _END_SIGN = b"PK\x03\x04", b"PK\x01\x02", b"PK\x07\x08", b"PK\x05\x06"
_HAS_DESCRIPTOR = 0x8  # general purpose bit 3: sizes and CRC follow the data instead of standing in the local header
_IS_UTF8 = 0x800  # bit 11: name and comment are UTF-8
_ZIP_64 = 1  # id of the ZIP64 extended information field
_VERSION_64 = 45  # version 4.5, the first with ZIP64
_FULL = 0xFFFFFFFF
"""Marker in 32-bit fields: the value is in the ZIP64 extra field."""


@dataclass
class _DirectoryEntry:
    """A member in the central directory. `at` is the offset of its local header in the file meant."""

    fields: list[int]
    name: bytes
    extra: bytes
    comment: bytes
    at: int
    crc: int
    packed_bytes: int
    bytes: int


def copy_archive(source: FileSource, out: BinaryIO, changed: Mapping[str, bytes]) -> None:
    """Copy the archive with these members replaced, by names as `Archive` finds them.

    Order, names, times, methods, attributes and comments stay, and so do bytes before the first member. Changed members
    are stored if they were, and deflated otherwise. `out` is written from position 0. Raises DocumentUnreadable as
    `Archive` does, and KeyError for a name not in the archive.
    """
    wanted = {_fold_name(name): data for name, data in changed.items()}
    # Checks all that `Archive` does; this function itself trusts the directory from here on.
    with Archive(source) as archive:
        if missing := [name for name in changed if name not in archive]:
            raise KeyError(missing[0])
    with zipfile.ZipFile(source.path) as read, source.path.open("rb") as file:
        members = read.infolist()
        entries = _directory_entries(file, read.start_dir, members)
        if members:
            file.seek(0)
            # What comes before the first member belongs to no record: the loader of a self-extracting archive, for
            # example.
            _copy_bytes(source, file, out, min(directory_entry.at for directory_entry in entries))
        # The data may lie in another order than the directory lists it; both orders stay as they are.
        for entry, member in sorted(zip(entries, members, strict=True), key=lambda pair: pair[0].at):
            data = None if is_folder(member) else wanted.get(_fold_name(member.filename))
            if data is None:
                _copy_member(source, file, out, entry)
            else:
                _write_member(source, file, out, entry, data)
        _write_directory(out, entries, read.comment)


def _directory_entries(file: BinaryIO, start: int, members: list[zipfile.ZipInfo]) -> list[_DirectoryEntry]:
    """Return the records of the central directory; zipfile has found the values, for they may be in extra fields."""
    file.seek(start)
    entries = []
    for member in members:
        # The directory is read once more as bytes, for zipfile drops what it does not use, such as reserved fields.
        _, *fields = _CENTRAL.unpack(file.read(_CENTRAL.size))
        name, extra, comment = (file.read(size) for size in fields[9:12])
        entries.append(
            _DirectoryEntry(
                fields, name, extra, comment, member.header_offset, member.CRC, member.compress_size, member.file_size
            )
        )
    return entries


def _copy_bytes(source: FileSource, file: BinaryIO, out: BinaryIO, size_bytes: int) -> None:
    while size_bytes:
        data = file.read(min(size_bytes, CHUNK_BYTES))
        if not data:
            raise source.unreadable("damaged")
        out.write(data)
        size_bytes -= len(data)


def _local_header(source: FileSource, file: BinaryIO, entry: _DirectoryEntry) -> tuple[list[int], bytes, bytes]:
    """Return its fields, name and extra fields; the file is at the first byte of the data then."""
    file.seek(entry.at)
    header = file.read(_LOCAL.size)
    if len(header) < _LOCAL.size or not header.startswith(_LOCAL_SIGN):
        raise source.unreadable("damaged")
    _, *fields = _LOCAL.unpack(header)
    return fields, file.read(fields[8]), file.read(fields[9])


def _copy_member(source: FileSource, file: BinaryIO, out: BinaryIO, entry: _DirectoryEntry) -> None:
    """Copy header and data unchanged. The descriptor after the data is rewritten, since its form can't be told."""
    fields, name, extra = _local_header(source, file, entry)
    entry.at = out.tell()
    out.write(_LOCAL.pack(_LOCAL_SIGN, *fields) + name + extra)
    _copy_bytes(source, file, out, entry.packed_bytes)
    if fields[1] & _HAS_DESCRIPTOR:
        # APPNOTE 4.3.9.2: sizes in the descriptor have 8 bytes if the member has a ZIP64 field, and nothing else says
        # so.
        is_large = len(_without_64(extra)) < len(extra) or max(entry.packed_bytes, entry.bytes) >= _FULL
        sizes = struct.pack("<2Q" if is_large else "<2L", entry.packed_bytes, entry.bytes)
        out.write(_DESCRIPTOR_SIGN + struct.pack("<L", entry.crc) + sizes)


def _write_member(source: FileSource, file: BinaryIO, out: BinaryIO, entry: _DirectoryEntry, data: bytes) -> None:
    fields, name, extra = _local_header(source, file, entry)
    method = zipfile.ZIP_STORED if fields[2] == zipfile.ZIP_STORED else zipfile.ZIP_DEFLATED
    packed = data if method == zipfile.ZIP_STORED else _deflate_bytes(data)
    entry.at, entry.crc, entry.packed_bytes, entry.bytes = out.tell(), zlib.crc32(data), len(packed), len(data)
    # Sizes are known now, so no descriptor follows; only the flag for names in UTF-8 still holds.
    entry.fields[2], entry.fields[3] = entry.fields[2] & _IS_UTF8, method
    extra = _without_64(extra)
    fields = [
        fields[0],
        entry.fields[2],
        method,
        *fields[3:5],
        entry.crc,
        len(packed),
        len(data),
        len(name),
        len(extra),
    ]
    out.write(_LOCAL.pack(_LOCAL_SIGN, *fields) + name + extra)
    out.write(packed)


def _deflate_bytes(data: bytes) -> bytes:
    # Raw deflate: a ZIP has no zlib header, which a negative window size leaves out.
    packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return packer.compress(data) + packer.flush()


def _write_directory(out: BinaryIO, entries: list[_DirectoryEntry], comment: bytes) -> None:
    start = out.tell()
    for entry in entries:
        out.write(_directory_record(entry))
    size = out.tell() - start
    count = len(entries)
    if start + size >= _FULL:
        at = out.tell()
        # Its size field does not count the signature and the field itself (APPNOTE 4.3.14.1).
        rest = _END_64.size - 12
        out.write(_END_64.pack(b"PK\x06\x06", rest, _VERSION_64, _VERSION_64, 0, 0, count, count, size, start))
        # Readers look for the end record from the back and find the ZIP64 record only by this locator before it.
        out.write(_LOCATOR_64.pack(b"PK\x06\x07", 0, at, 1))
    out.write(_END.pack(_END_SIGN, 0, 0, count, count, min(size, _FULL), min(start, _FULL), len(comment)) + comment)


def _directory_record(entry: _DirectoryEntry) -> bytes:
    """Return an entry of the central directory; values of more than 32 bits go into the extra field."""
    values = (entry.bytes, entry.packed_bytes, entry.at)
    large = [value for value in values if value >= _FULL]
    size, packed, at = (min(value, _FULL) for value in values)
    extra = _without_64(entry.extra)
    fields = entry.fields
    version = fields[1]
    if large:
        # The order of the values is fixed: size, packed size, offset, and only those that do not fit (APPNOTE 4.5.3).
        extra = struct.pack("<2H", _ZIP_64, 8 * len(large)) + struct.pack(f"<{len(large)}Q", *large) + extra
        version = max(version, _VERSION_64)
    head = (fields[0], version, *fields[2:6], entry.crc, packed, size, len(entry.name), len(extra), len(entry.comment))
    packed_head = _CENTRAL.pack(_CENTRAL_SIGN, *head, 0, *fields[13:15], at)
    return packed_head + entry.name + extra + entry.comment


def _without_64(extra: bytes) -> bytes:
    """Remove the ZIP64 field from extra fields; anything malformed stays."""
    kept, at = b"", 0
    # Some programs pad an extra field with fewer than four bytes; these are kept as they are.
    while at + 4 <= len(extra):
        id_, size = struct.unpack_from("<2H", extra, at)
        if id_ != _ZIP_64:
            kept += extra[at : at + 4 + size]
        at += 4 + size
    return kept + extra[at:]
