"""Copy a ZIP archive with some members replaced; all others keep their compressed bytes.

Source of the records: PKWARE's APPNOTE.TXT 6.3.10, 4.3 and 4.5.3.
"""

from __future__ import annotations

import struct
import zipfile
import zlib
from collections.abc import Mapping
from typing import BinaryIO

from app.core.lazy_dataclasses import dataclass
from app.documents.archive import CHUNK_BYTES, Archive, fold_name, is_folder
from app.documents.source import FileSource

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
    wanted = {fold_name(name): data for name, data in changed.items()}
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
            data = None if is_folder(member) else wanted.get(fold_name(member.filename))
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
