"""What can be had back of deleted text: from every part of a full-text index, and from every byte of a folder."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

STRUCTURE_ID = 10


def rebuilt_texts(database: Path, scratch: Path) -> dict[str, list[str]]:
    """By index: what the position lists say of each column of an entry, deleted or not; each part of it by itself.

    A deleted entry is hidden only by a note in a newer part: with one part alone in the index's list of parts, all it
    holds is seen. Layout of that list: sqlite3's ext/fts5/fts5_index.c, fts5StructureDecode.
    """
    shutil.copy(database, scratch)
    found: dict[str, list[str]] = {}
    with closing(sqlite3.connect(scratch, isolation_level=None)) as connection:
        query = "SELECT name FROM sqlite_schema WHERE sql LIKE 'CREATE VIRTUAL TABLE%USING fts5%'"
        indexes = [row[0] for row in connection.execute(query)]
        lists = {
            index: connection.execute(f"SELECT block FROM {index}_data WHERE id = {STRUCTURE_ID}").fetchone()[0]
            for index in indexes
        }
    for index in indexes:
        found[index] = []
        for part in _each_part_alone(lists[index]):
            with closing(sqlite3.connect(scratch, isolation_level=None)) as connection:
                connection.execute(f"UPDATE {index}_data SET block = ? WHERE id = {STRUCTURE_ID}", (part,))
            with closing(sqlite3.connect(scratch, isolation_level=None)) as connection:
                connection.execute(f"CREATE VIRTUAL TABLE temp.seen USING fts5vocab (main, {index}, instance)")
                words: dict[tuple[int, str], list[tuple[int, str]]] = {}
                for term, row, column, place in connection.execute("SELECT term, doc, col, offset FROM temp.seen"):
                    words.setdefault((row, column), []).append((place, term))
                found[index] += [" ".join(term for _, term in sorted(places)) for places in words.values()]
    return found


def _each_part_alone(block: bytes) -> Iterator[bytes]:
    """The list of parts, once for each part with that one only."""
    numbers = _numbers(block[4:])
    levels, _parts, counter = next(numbers), next(numbers), next(numbers)
    for _level in range(levels):
        next(numbers)
        for _part in range(next(numbers)):
            part = [next(numbers) for _ in range(3)]
            yield block[:4] + b"".join(map(_varint, [1, 1, counter, 0, 1, *part]))


def _numbers(rest: bytes) -> Iterator[int]:
    value = 0
    for byte in rest:
        value = value << 7 | byte & 0x7F
        if byte < 0x80:
            yield value
            value = 0


def _varint(value: int) -> bytes:
    groups = [value & 0x7F]
    while value := value >> 7:
        groups.append(value & 0x7F | 0x80)
    return bytes(reversed(groups))


def files_with(marker: str, folder: Path) -> list[str]:
    """Files of a folder that hold a text anywhere, in any of the usual encodings and cases."""
    wanted = [form.encode(code) for form in (marker, marker.lower()) for code in ("utf-8", "utf-16-le")]
    files = [path for path in folder.rglob("*") if path.is_file()]
    return [path.name for path in files if any(one in path.read_bytes() for one in wanted)]
