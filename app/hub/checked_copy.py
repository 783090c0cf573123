"""Copies of models that are hashed while they are written: one pass over the file, and never a name before the end."""

from __future__ import annotations

import errno
import os
import time
from collections.abc import Generator, Iterable
from pathlib import Path
from typing import IO, TYPE_CHECKING

from app.core.errors.model_errors import ModelAltered
from app.core.errors.saving_errors import CopyInterrupted, DiskFailing, FileTooLarge
from app.core.events import CancelToken
from app.core.paths import make_folder, private_opener
from app.core.synced_files import sync_file
from app.hub.move_files import SAY_EVERY_S, unfinished_path

if TYPE_CHECKING:
    import hashlib

CHUNK_BYTES = 1024 * 1024
SYNC_BYTES = 8 * 1024 * 1024
"""Written to the disk at once: a slow stick would otherwise take gigabytes into memory, and wait at the end."""
MOST_FAT_BYTES = 2**32 - 1
FAT = ("vfat", "msdos", "fat", "fat32", "fat16")


def copy_checked(source: Path, target: Path, cancel: CancelToken, expected: str = "") -> Generator[int, None, str]:
    """Copy to `<target>.part`, synced, with the source's time; yield bytes since the last; return the SHA-256.

    With an `expected` SHA-256, what an earlier copy left is gone on with, and another result raises ModelAltered.
    Cancelled, the copy is removed. Raises CopyInterrupted where the source can't be read any more, else OSError.
    """
    part = unfinished_path(target)
    make_folder(target.parent)
    with source.open("rb") as reader:
        # Without a checksum nothing would tell whether what is here is of this file.
        resumes = bool(expected) and part.exists()
        sha256 = yield from _copy_rest(reader, part, cancel, resumes=resumes, keeps=bool(expected))
        if resumes and sha256 not in ("", expected):
            yield -part.stat().st_size
            sha256 = yield from _copy_rest(reader, part, cancel, resumes=False, keeps=bool(expected))
        status = os.fstat(reader.fileno())
    if not sha256:
        part.unlink(missing_ok=True)
        return ""
    if expected and sha256 != expected:
        raise ModelAltered(str(source))
    # A copy with the same time is the same file for those who compare.
    os.utime(part, ns=(status.st_atime_ns, status.st_mtime_ns))
    # Synced before the new name is given, or a power cut leaves a name without its bytes or its time.
    sync_file(part)
    return sha256


def hash_file(path: Path, cancel: CancelToken) -> Generator[int, None, str]:
    """Return a file's SHA-256, "" if cancelled; yield bytes read since the last. Raises OSError."""
    digest, pace = _new_sha256(), CopyPace()
    with path.open("rb") as file:
        while chunk := file.read(CHUNK_BYTES):
            if cancel.cancelled:
                return ""
            digest.update(chunk)
            if since := pace.add(len(chunk)):
                yield since
    yield pace.since
    return digest.hexdigest()


def most_file_bytes(folder: Path) -> int:
    """Return how large a file on the disk of `folder` may be; 0 where nothing limits it, or nothing is known."""
    return MOST_FAT_BYTES if file_system_of(folder).lower() in FAT else 0


def file_system_of(folder: Path) -> str:
    """Return the kind of the file system that a folder is on, as the system calls it; "" if unknown."""
    import psutil  # only who copies to a disk asks

    place = Path(os.path.realpath(folder))
    try:
        mounts = [(Path(mount.mountpoint), mount.fstype) for mount in psutil.disk_partitions(all=True)]
    except OSError:
        return ""
    return kind_at(place, mounts)


def kind_at(place: Path, mounts: Iterable[tuple[Path, str]]) -> str:
    """Return the kind of the innermost mount that holds `place`; of two at one point the later."""
    around = [mount for mount in mounts if place.is_relative_to(mount[0])]
    return max(enumerate(around), key=lambda entry: (len(entry[1][0].parts), entry[0]))[1][1] if around else ""


def require_room_for_files(folder: Path, files: Iterable[Path]) -> None:
    """Raise FileTooLarge if the disk of `folder` can't hold one of the files, however much is free."""
    most = most_file_bytes(folder)
    for path in files if most else ():
        if (size := path.stat().st_size) > most:
            raise FileTooLarge(str(folder), path.name, size)


class CopyPace:
    """Counts bytes, and says now and then how many came since."""

    def __init__(self) -> None:
        self.since, self._said_s = 0, time.monotonic()

    def add(self, count: int) -> int:
        """Count bytes; return those to tell now, 0 while it is too early."""
        self.since += count
        now_s = time.monotonic()
        if now_s < self._said_s + SAY_EVERY_S:
            return 0
        told, self.since, self._said_s = self.since, 0, now_s
        return told


def _copy_rest(
    reader: IO[bytes], part: Path, cancel: CancelToken, *, resumes: bool, keeps: bool
) -> Generator[int, None, str]:
    """Copy what is not in `part` yet; return the SHA-256 of all of it, "" if cancelled."""
    digest, pace, unsynced = _new_sha256(), CopyPace(), 0
    with open(part, "r+b" if resumes else "wb", opener=private_opener) as writer:
        while resumes and (chunk := writer.read(CHUNK_BYTES)) and not cancel.cancelled:
            digest.update(chunk)
            if since := pace.add(len(chunk)):
                yield since
        reader.seek(writer.tell())
        while not cancel.cancelled and (chunk := _read_chunk(reader, keeps=keeps)):
            writer.write(chunk)
            digest.update(chunk)
            unsynced += len(chunk)
            if unsynced >= SYNC_BYTES:
                writer.flush()
                os.fsync(writer.fileno())
                unsynced = 0
            if since := pace.add(len(chunk)):
                yield since
        writer.flush()
        size = writer.tell()
    yield pace.since
    if cancel.cancelled:
        return ""
    # The source has changed while it was copied.
    if os.fstat(reader.fileno()).st_size != size:
        raise OSError(errno.EIO, "the copy is not as long as the file", reader.name)
    return digest.hexdigest()


def _read_chunk(reader: IO[bytes], *, keeps: bool) -> bytes:
    try:
        return reader.read(CHUNK_BYTES)
    except OSError as error:  # the disk was taken out, or is broken
        raise (CopyInterrupted if keeps else DiskFailing)(reader.name) from error


def _new_sha256() -> hashlib._Hash:
    import hashlib  # OpenSSL comes with it: 4 MB that a window does without

    return hashlib.sha256()
