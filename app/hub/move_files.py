"""Files from one folder to another: room is checked first, a copy has another name until it is complete."""

from __future__ import annotations

import errno
import itertools
import os
import time
from collections.abc import Iterator
from pathlib import Path

from app.core.events import CancelToken
from app.core.paths import make_folder, private_opener
from app.core.synced_files import sync_file, sync_folder

UNFINISHED = ".part"
CHUNK_BYTES = 512 * 1024
# Twenty a second look smooth.
SAY_EVERY_S = 0.05


def copy_file(source: Path, target: Path, cancel: CancelToken) -> Iterator[int]:
    """Copy to `<target>.part`, synced, with the source's size and time; yield bytes copied since the last.

    A cancelled copy is removed. Raises OSError.
    """
    part = unfinished_path(target)
    make_folder(target.parent)
    said_s, since = time.monotonic(), 0
    with source.open("rb") as reader, open(part, "wb", opener=private_opener) as writer:
        while (chunk := reader.read(CHUNK_BYTES)) and not cancel.cancelled:
            writer.write(chunk)
            since += len(chunk)
            if time.monotonic() >= said_s + SAY_EVERY_S:
                yield since
                said_s, since = time.monotonic(), 0
        writer.flush()
        status, size = os.fstat(reader.fileno()), os.fstat(writer.fileno()).st_size
    # A copy with the same time is the same file for those who compare.
    os.utime(part, ns=(status.st_atime_ns, status.st_mtime_ns))
    # Synced before the new name is given, or a power cut leaves a name without its bytes or its time.
    sync_file(part)
    if cancel.cancelled:
        part.unlink()
    # The source has changed while it was copied.
    elif status.st_size != size:
        raise OSError(errno.EIO, "the copy is not as long as the file", str(source))
    yield since


def unfinished_path(target: Path) -> Path:
    """Return what a file is called until it is complete."""
    return target.with_name(target.name + UNFINISHED)


def numbered_paths(path: Path) -> Iterator[Path]:
    """Yield the path itself, then the same name with 2, 3 … behind it."""
    yield path
    for number in itertools.count(2):
        yield path.with_name(f"{path.name} {number}")


def is_below(name: str) -> bool:
    """Return whether a path that was read from a file stays in the folder it is meant for."""
    path = Path(name)
    return bool(name) and not path.anchor and ".." not in path.parts


def write_whole(path: Path, text: str) -> None:
    """Write a small file atomically, also across a power failure."""
    part = unfinished_path(path)
    with open(part, "w", encoding="utf-8", opener=private_opener) as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)
    sync_folder(path.parent)


def remove_empty(folder: Path, top: Path) -> None:
    """Remove a folder and its parents up to `top`, as far as they are empty."""
    while folder != top and folder.is_relative_to(top):
        try:
            folder.rmdir()
        except OSError:
            return
        folder = folder.parent
