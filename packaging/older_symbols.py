"""Lets libraries ask for a function by the name that older systems have it under, where it is the same function.

A library that is linked on one system names each function with the version that the system gives it by default. Few
functions got a newer version without becoming others for us: a library that asks for such a one would not even be
loaded on an older system. Here its request is rewritten, in the table of the versions that it needs, to the version
from before, which newer systems have as well. What all other functions need is left as it is, and glibc_floor.py tells.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from parts import is_program

OLDER = {
    # Sets errno itself since 2.35, and through a wrapper before.
    "hypot": ("GLIBC_2.35", "GLIBC_2.2.5"),
    "hypotf": ("GLIBC_2.35", "GLIBC_2.2.5"),
    # May be left by the end of a thread since GCC 12; nobody here ends threads.
    "_ZNSt18condition_variable4waitERSt11unique_lockISt5mutexE": ("GLIBCXX_3.4.30", "GLIBCXX_3.4.11"),
}
"""By function: the version that builders may give it, and the older one, as x86-64 has them."""
X86_64 = b"\x7fELF\x02\x01"
MACHINE_AT, MACHINE = 18, 62
DYNAMIC_SYMBOLS, VERSIONS, NEEDED = 11, 0x6FFFFFFF, 0x6FFFFFFE
"""Kinds of sections: symbols, the version of each of them, and the versions that are needed, with their numbers."""
HIDDEN = 0x8000


@dataclass(frozen=True)
class ElfSection:
    """Where a table of a library lies."""

    kind: int
    at: int
    size_bytes: int
    strings: int
    """The number of the section with its names."""


def ask_for_older(folder: Path) -> list[Path]:
    """Rewrites what can be rewritten of every library below a folder; returns which were."""
    files = [path for path in sorted(folder.rglob("*")) if not path.is_symlink() and is_program(path)]
    return [path for path in files if rewrite(path)]


def rewrite(path: Path) -> bool:
    """Whether anything of a library was rewritten. A version goes only when no other function needs it."""
    content = bytearray(path.read_bytes())
    if not content.startswith(X86_64) or struct.unpack_from("<H", content, MACHINE_AT)[0] != MACHINE:
        return False
    sections = list(_sections(content))
    by_kind = {section.kind: section for section in sections}
    if not {DYNAMIC_SYMBOLS, VERSIONS, NEEDED} <= by_kind.keys():
        return False
    strings = sections[by_kind[NEEDED].strings]
    functions = _functions(content, by_kind[DYNAMIC_SYMBOLS], by_kind[VERSIONS], strings)
    changed = False
    for entry in _needed(content, by_kind[NEEDED]):
        _hash, flags, number, name_at = struct.unpack_from("<IHHI", content, entry)
        version = _text(content, strings, name_at)
        wanted = {OLDER.get(name, ("", "")) for name in functions.get(number & ~HIDDEN, ())}
        if len(wanted) != 1 or (pair := wanted.pop())[0] != version:
            continue
        older_at = content.find(b"\0" + pair[1].encode() + b"\0", strings.at, strings.at + strings.size_bytes)
        if older_at >= 0:
            offset = older_at + 1 - strings.at
            struct.pack_into("<IHHI", content, entry, _hash_of(pair[1]), flags, number, offset)
            changed = True
    if changed:
        path.write_bytes(content)
    return changed


def _sections(content: bytes) -> Iterator[ElfSection]:
    (table,) = struct.unpack_from("<Q", content, 40)
    size_bytes, count = struct.unpack_from("<HH", content, 58)
    for at in range(table, table + size_bytes * count, size_bytes):
        _name, kind, _flags, _address, offset, length, link = struct.unpack_from("<IIQQQQI", content, at)
        yield ElfSection(kind, offset, length, link)


def _functions(content: bytes, symbols: ElfSection, versions: ElfSection, strings: ElfSection) -> dict[int, list[str]]:
    """By the number of the version that they need, the names of what a library takes from others or gives."""
    found: dict[int, list[str]] = {}
    for number, at in enumerate(range(symbols.at, symbols.at + symbols.size_bytes, 24)):
        (name_at,) = struct.unpack_from("<I", content, at)
        (version,) = struct.unpack_from("<H", content, versions.at + 2 * number)
        found.setdefault(version & ~HIDDEN, []).append(_text(content, strings, name_at))
    return found


def _needed(content: bytes, needed: ElfSection) -> Iterator[int]:
    """Where each version that is needed lies."""
    at, step = needed.at, -1
    while step:
        _version, count, _file, first, step = struct.unpack_from("<HHIII", content, at)
        entry = at + first
        for _ in range(count):
            yield entry
            entry += struct.unpack_from("<I", content, entry + 12)[0]
        at += step


def _text(content: bytes, strings: ElfSection, offset: int) -> str:
    begin = strings.at + offset
    return bytes(content[begin : content.index(b"\0", begin)]).decode("ascii")


def _hash_of(name: str) -> int:
    """ELF's own, by which the loader compares versions."""
    value = 0
    for byte in name.encode():
        value = (value << 4) + byte
        high = value & 0xF0000000
        value = (value ^ (high >> 24)) & ~high
    return value
