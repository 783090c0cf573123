"""Rows straight from the pages of a database file, for tables whose tree is broken above them.

The format is SQLite's own, https://www.sqlite.org/fileformat2.html: sections 1.6 (pages and cells) and 2.1 (records).
Nothing is trusted: a page that makes no sense ends where it stops making sense.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path

Value = None | int | float | str | bytes
LEAF_OF_TABLE = 13
HEADER_BYTES = 100
USUAL_PAGE_BYTES = 4096
_INT_BYTES = {1: 1, 2: 2, 3: 3, 4: 4, 5: 6, 6: 8}
_CONSTANTS: dict[int, Value] = {0: None, 8: 0, 9: 1}


def every_row(path: Path) -> Iterator[tuple[int, list[Value]]]:
    """(rowid, values) of every row that is on a leaf of any table, in no order; values as they are stored."""
    data = path.read_bytes()
    page_bytes = _page_bytes(data)
    usable = page_bytes - (data[20] if data.startswith(b"SQLite format 3") else 0)
    for start in range(0, len(data) - page_bytes + 1, page_bytes):
        page = data[start : start + page_bytes]
        head = HEADER_BYTES if start == 0 else 0
        if page[head] != LEAF_OF_TABLE:
            continue
        for number in range(min(int.from_bytes(page[head + 3 : head + 5], "big"), usable // 2)):
            at = head + 8 + 2 * number
            try:
                rowid, payload = _cell(data, page, int.from_bytes(page[at : at + 2], "big"), usable, page_bytes)
                yield rowid, _record(payload)
            except (IndexError, ValueError, struct.error):
                continue


def _page_bytes(data: bytes) -> int:
    told = int.from_bytes(data[16:18], "big") if data.startswith(b"SQLite format 3") else 0
    told = 65536 if told == 1 else told
    return told if told >= 512 and not told & (told - 1) else USUAL_PAGE_BYTES


def _cell(data: bytes, page: bytes, at: int, usable: int, page_bytes: int) -> tuple[int, bytes]:
    size, at = _varint(page, at)
    rowid, at = _varint(page, at)
    if size > len(data):
        raise ValueError("longer than the file")
    rowid -= (rowid >> 63) << 64
    least = (usable - 12) * 32 // 255 - 23
    local = least + (size - least) % (usable - 4)
    here = size if size <= usable - 35 else local if local <= usable - 35 else least
    payload = bytearray(page[at : at + here])
    following = int.from_bytes(page[at + here : at + here + 4], "big")
    while len(payload) < size:
        start = (following - 1) * page_bytes
        if start <= 0 or start + page_bytes > len(data):
            raise ValueError("the rest is not there")
        payload += data[start + 4 : start + usable][: size - len(payload)]
        following = int.from_bytes(data[start : start + 4], "big")
    return rowid, bytes(payload)


def _record(payload: bytes) -> list[Value]:
    end, at = _varint(payload, 0)
    kinds, place = [], end
    while at < end:
        kind, at = _varint(payload, at)
        kinds.append(kind)
    values: list[Value] = []
    for kind in kinds:
        value, place = _value(payload, kind, place)
        values.append(value)
    if at != end or place != len(payload):
        raise ValueError("no record")
    return values


def _value(payload: bytes, kind: int, at: int) -> tuple[Value, int]:
    if kind in _CONSTANTS:
        return _CONSTANTS[kind], at
    if kind in _INT_BYTES:
        end = at + _INT_BYTES[kind]
        return int.from_bytes(payload[at:end], "big", signed=True), end
    if kind == 7:
        return float(struct.unpack_from(">d", payload, at)[0]), at + 8
    if kind < 12:
        raise ValueError("kept free by SQLite")
    end = at + (kind - 12) // 2
    found = payload[at:end]
    return (found.decode("utf-8", "replace") if kind % 2 else found), end


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = 0
    for place in range(at, at + 8):
        value = value << 7 | data[place] & 0x7F
        if data[place] < 0x80:
            return value, place + 1
    return value << 8 | data[at + 8], at + 9
