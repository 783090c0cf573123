"""Files from one folder to another: room is checked first, a copy has another name until it is complete."""

from __future__ import annotations

import errno
import itertools
import os
import time
from collections.abc import Iterator
from pathlib import Path

from app.core.events import CancelToken
from app.core.paths import make_folder, opener

UNFINISHED = ".part"
CHUNK_BYTES = 512 * 1024
SAY_EVERY_S = 0.05


def copy(source: Path, target: Path, cancel: CancelToken) -> Iterator[int]:
    """Copies to `<target>.part`, which is on the disk, as long and as old as the source at the end; yields bytes since.

    A cancelled copy is removed. Raises OSError.
    """
    part = unfinished(target)
    make_folder(target.parent)
    said_s, since = time.monotonic(), 0
    with source.open("rb") as reader, open(part, "wb", opener=opener) as writer:
        while (chunk := reader.read(CHUNK_BYTES)) and not cancel.cancelled:
            writer.write(chunk)
            since += len(chunk)
            if time.monotonic() >= said_s + SAY_EVERY_S:
                yield since
                said_s, since = time.monotonic(), 0
        writer.flush()
        os.fsync(writer.fileno())
        status, size = os.fstat(reader.fileno()), os.fstat(writer.fileno()).st_size
    if cancel.cancelled:
        part.unlink()
    elif status.st_size != size:
        raise OSError(errno.EIO, "the copy is not as long as the file", str(source))
    else:
        os.utime(part, ns=(status.st_atime_ns, status.st_mtime_ns))
    yield since


def unfinished(target: Path) -> Path:
    """What a file is called until it is complete."""
    return target.with_name(target.name + UNFINISHED)


def numbered(path: Path) -> Iterator[Path]:
    """`path`, `path 2`, `path 3` …"""
    yield path
    for number in itertools.count(2):
        yield path.with_name(f"{path.name} {number}")


def is_below(name: str) -> bool:
    """Whether a path that was read from a file stays in the folder it is meant for."""
    path = Path(name)
    return bool(name) and not path.anchor and ".." not in path.parts


def sync_folder(folder: Path) -> None:
    """Names in a folder are on the disk afterwards, where the system can do that."""
    if os.name == "posix":
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def write_whole(path: Path, text: str) -> None:
    """A small file that is there whole or not at all, also after a power failure."""
    part = unfinished(path)
    with open(part, "w", encoding="utf-8", opener=opener) as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)
    sync_folder(path.parent)


def remove_empty(folder: Path, top: Path) -> None:
    """Removes a folder and those above it, up to `top`, as far as they are empty."""
    while folder != top and folder.is_relative_to(top):
        try:
            folder.rmdir()
        except OSError:
            return
        folder = folder.parent
