"""Checksum files beside models: SHA256SUMS as `sha256sum` writes and reads it, `*.sha256`, and our own notes."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from app.hub.model_library import MOST_TEXT_BYTES, file_at, read_sidecar
from app.hub.move_files import is_below, write_whole

SUMS = "SHA256SUMS"
_LISTS = re.compile(r".*(?:sha256(?:sums?)?|checksums?)(?:\.txt)?", re.IGNORECASE)
_LINE = re.compile(r"(\\?)([0-9a-f]{64})(?: [ *]?(.+))?", re.IGNORECASE)
_BSD = re.compile(r"SHA256 ?\((.+)\) ?= ?([0-9a-f]{64})", re.IGNORECASE)
_ESCAPED = {r"\\": "\\", r"\n": "\n", r"\r": "\r"}


def parse_checksums(text: str, alone: str = "") -> dict[str, str]:
    """Return the SHA-256 of each name in a checksum file, in lower case.

    A line of `sha256sum` or of BSD's `shasum --tag`; a hash without a name belongs to `alone`. Names that lead out of
    the folder are left out.
    """
    found: dict[str, str] = {}
    for line in text.lstrip("\ufeff").splitlines():
        if tagged := _BSD.fullmatch(line.strip()):
            name, sha256 = tagged[1], tagged[2]
        elif plain := _LINE.fullmatch(line.rstrip()):
            sha256, name = plain[2], plain[3] or alone
            # Without the mark in front a backslash is a folder's, as Windows writes it.
            name = re.sub(r"\\[\\nr]", lambda sign: _ESCAPED[sign[0]], name) if plain[1] else name.replace("\\", "/")
        else:
            continue
        if is_below(name):
            found.setdefault(Path(name).as_posix(), sha256.lower())
    return found


def find_checksums(files: Iterable[Path], top: Path | None = None) -> dict[Path, str]:
    """Return the SHA-256 that is stated for each file, by lists in its folder and in those above it up to `top`.

    The nearest list counts; files without any are left out.
    """
    lists: dict[Path, dict[str, str]] = {}
    found = {}
    for path in files:
        sha256 = ""
        for folder in _folders_up(path, top):
            if folder not in lists:
                lists[folder] = _sums_in(folder)
            sha256 = sha256 or lists[folder].get(path.relative_to(folder).as_posix(), "")
        if sha256 := sha256 or read_sidecar(path).get("sha256", ""):
            found[path] = sha256
    return found


def write_checksums(folder: Path, sums: Mapping[str, str]) -> None:
    """Write SHA256SUMS for files of a folder, for `sha256sum -c`. Raises OSError."""
    lines = (f"{sha256}  {name}\n" for name, sha256 in sorted(sums.items()))
    write_whole(folder / SUMS, "".join(lines))


def _folders_up(path: Path, top: Path | None) -> Iterator[Path]:
    yield path.parent
    if top is not None and path.is_relative_to(top):
        yield from (folder for folder in path.parent.parents if folder.is_relative_to(top))


def _sums_in(folder: Path) -> dict[str, str]:
    found: dict[str, str] = {}
    try:
        names = sorted(name for name in os.listdir(folder) if _LISTS.fullmatch(name))  # noqa: PTH208 - names only
    except OSError:
        return found
    for name in names:
        # "model.gguf.sha256" may hold nothing but the hash, and so may "model.sha256".
        stem = name.removesuffix(Path(name).suffix)
        alone = stem if file_at(folder / stem) is not None else f"{stem}.gguf"
        for stated, sha256 in parse_checksums(_text_of(folder / name), alone).items():
            found.setdefault(stated, sha256)
    return found


def _text_of(path: Path) -> str:
    try:
        if file_at(path) is None:
            return ""
        with path.open("rb") as file:
            return file.read(MOST_TEXT_BYTES).decode("utf-8", "surrogateescape")
    except OSError:
        return ""
