"""Partial download: paths, resume state, lock, final rename."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app.core.errors.hub_errors import DownloadFailed, DownloadRunning, NotEnoughDisk
from app.core.lazy_dataclasses import asdict, dataclass
from app.core.synced_files import sync_file

if TYPE_CHECKING:
    import hashlib

VERSION = 1
PART, SIDECAR, LOCK, PROVENANCE = ".part", ".part.json", ".part.lock", ".json"
READ_BYTES = 1024 * 1024
FLUSH_BYTES = 16 * 1024 * 1024
RESERVE_BYTES = 256 * 1024 * 1024
# Two percent, as a full disk stops more than this program.
RESERVE_SHARE = 0.02
MOST_NAME_BYTES = 240  # file systems take 255, and the longest ending is one of ours
RENAME_TRIES, RENAME_WAIT_S = 20, 0.25  # a virus scanner on Windows holds a new file for a moment

_FORBIDDEN = re.compile(r'[\x00-\x1f\x7f<>:"|?*\\]')
_RESERVED = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)


def file_place(folder: Path, repo: str, file: str, version: str = "") -> Path:
    """Return a repository file's path in the models folder, never outside it. Raises DownloadFailed.

    `version` names a folder of its own, for a newer file beside the one it is to replace.
    """
    names = [*repo.split("/"), *filter(None, [version]), *file.split("/")]
    # A repository is owner and name, and no part of either may lead anywhere else.
    if repo.count("/") != 1 or not all(_is_safe(name) for name in names):
        raise DownloadFailed(file, "its name is not safe for a file")
    return folder.joinpath(*names)


def _is_safe(name: str) -> bool:
    """Return whether a name is safe on every system: the models folder may move to another one."""
    try:
        size = len(name.encode("utf-8"))
    except UnicodeEncodeError:
        return False
    # A leading dot hides a file from people and from the scan.
    if not 0 < size <= MOST_NAME_BYTES or name[0] == "." or name[-1] in ". ":
        return False
    return not _FORBIDDEN.search(name) and not _RESERVED.fullmatch(name)


def companion_path(path: Path, ending: str) -> Path:
    """Return a companion of the file that will be `path`."""
    return path.with_name(path.name + ending)


def fetched_bytes(path: Path) -> int:
    """Return how much of the file that will be `path` is here."""
    try:
        return companion_path(path, PART).stat().st_size
    except OSError:
        return 0


def throw_away(path: Path) -> None:
    """Delete the partial data of the download to `path`, which must not be running."""
    for ending in (PART, SIDECAR, LOCK):
        companion_path(path, ending).unlink(missing_ok=True)


def reserve_for(size_bytes: int, least_bytes: int = RESERVE_BYTES) -> int:
    """Return the disk space to leave free besides a file of this size."""
    # For large files the share counts: 2 % of 40 GB are more than 256 MB.
    return max(least_bytes, int(size_bytes * RESERVE_SHARE))


def free_bytes(folder: Path) -> int:
    """Return what is free on the volume of a folder, which need not exist yet."""
    # The folder may not exist yet: its nearest parent is on the same volume.
    return shutil.disk_usage(next(parent for parent in (folder, *folder.parents) if parent.is_dir())).free


def check_room(folder: Path, needed_bytes: int, problem: type[NotEnoughDisk] = NotEnoughDisk) -> None:
    """Raise NotEnoughDisk, or the kind that is given, unless so much is free on the volume of `folder`."""
    free = free_bytes(folder)
    if free < needed_bytes:
        raise problem(str(folder), needed_bytes, free)


@dataclass(frozen=True)
class RemoteOrigin:
    """Origin of a file on the Hub. `etag` is the sha256 for files in its large-file storage."""

    repo: str
    file: str
    commit: str
    etag: str
    size_bytes: int


class PartialFile:
    """The bytes that are here, with their hash kept up to date. Use inside `locked`."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.size = 0
        self.origin: RemoteOrigin | None = None
        self._sha256 = _new_sha256()
        self._file: Any = None
        self._on_its_way = 0

    @contextmanager
    def locked(self) -> Iterator[PartialFile]:
        """Hold the file's lock. Raises DownloadRunning if another process has it."""
        from filelock import FileLock, Timeout  # the Hub's library has it anyway

        self.path.parent.mkdir(parents=True, exist_ok=True)
        # Without a wait: whoever finds it locked tells the person that another program is at it.
        lock = FileLock(companion_path(self.path, LOCK), timeout=0)
        try:
            lock.acquire()
        except Timeout:
            raise DownloadRunning(self.path.name) from None
        try:
            yield self
        finally:
            self.close()
            lock.release()

    @property
    def is_begun(self) -> bool:
        """True if something is here that was not read again yet."""
        return self._file is None and fetched_bytes(self.path) > 0

    def open(self, origin: RemoteOrigin, on_checked: Callable[[int], None]) -> int:
        """Resume the partial data of `origin` or start over; return the bytes here.

        Data here is read once to compute its hash; `on_checked` reports progress.
        """
        # Open already, and still the same file: nothing has to be read again.
        if self._file is not None and self._is_of(origin, self.origin):
            self.origin = origin
            return self.size
        self.close()
        here = fetched_bytes(self.path)
        # Any doubt begins anew; hashing what is here is the price of going on.
        goes_on = 0 < here <= origin.size_bytes and self._is_of(origin, self._noted_origin())
        self.origin = origin
        self._file = companion_path(self.path, PART).open("r+b" if goes_on else "wb", buffering=0)
        if goes_on:
            self._read_again(on_checked)
        else:
            self.start_anew()
        return self.size

    def start_anew(self) -> None:
        """Discard what is here and begin again, with the file's new origin noted."""
        assert self.origin is not None
        self._file.seek(0)
        self._file.truncate()  # before the note: old bytes must never lie under a new name
        self.size, self._on_its_way, self._sha256 = 0, 0, _new_sha256()
        _save_whole(companion_path(self.path, SIDECAR), asdict(self.origin))

    def write(self, data: bytes) -> None:
        """Append data and hash it. Raises OSError, e.g. for a full disk."""
        view = memoryview(data)
        while view:
            # A write to a nearly full disk may take fewer bytes than it was given.
            view = view[self._file.write(view) :]
        self._sha256.update(data)
        self.size += len(data)
        if self.size >= self._on_its_way + FLUSH_BYTES:
            if sys.platform == "linux":  # begins to write to the disk, so that `sync` has little to wait for
                os.posix_fadvise(self._file.fileno(), self._on_its_way, FLUSH_BYTES, os.POSIX_FADV_DONTNEED)
            self._on_its_way = self.size

    def sync(self) -> str:
        """Wait until all data is on the disk; return its sha256."""
        os.fsync(self._file.fileno())
        return self._sha256.hexdigest()

    def finish(self) -> None:
        """Give the file its final name and write a note on its origin."""
        assert self.origin is not None
        self.close()
        # The name is the last step: what bears it is complete and compared.
        _rename_with_retries(companion_path(self.path, PART), self.path)
        self.write_note(self._sha256.hexdigest())

    def write_note(self, sha256: str) -> None:
        """Write the finished file's origin, and delete the notes of the partial one."""
        assert self.origin is not None
        body = asdict(self.origin) | {
            "sha256": sha256,
            "downloaded_at": datetime.now(UTC).isoformat(timespec="milliseconds"),
        }
        body.pop("etag")
        _save_whole(companion_path(self.path, PROVENANCE), body)
        with contextlib.suppress(PermissionError):  # Windows does not remove a lock that is held
            throw_away(self.path)

    def close(self) -> None:
        """Close the file; what is here stays for the next try."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def _is_of(self, origin: RemoteOrigin, other: RemoteOrigin | None) -> bool:
        # The commit may differ: a file that did not change keeps its hash.
        same = ("repo", "file", "etag", "size_bytes")
        return other is not None and all(getattr(origin, name) == getattr(other, name) for name in same)

    def _noted_origin(self) -> RemoteOrigin | None:
        try:
            body = json.loads(companion_path(self.path, SIDECAR).read_bytes())
            return RemoteOrigin(**body) if body.pop("version") == VERSION else None
        except (OSError, ValueError, TypeError, KeyError, AttributeError):
            return None

    def _read_again(self, on_checked: Callable[[int], None]) -> None:
        self.size, self._sha256 = 0, _new_sha256()
        while block := self._file.read(READ_BYTES):
            self._sha256.update(block)
            self.size += len(block)
            on_checked(self.size)
        self._on_its_way = self.size


def hash_of(path: Path, on_checked: Callable[[int], None]) -> str:
    """Return the sha256 of a file; `on_checked` hears how far it is."""
    found, size = _new_sha256(), 0
    with path.open("rb", buffering=0) as file:
        while block := file.read(READ_BYTES):
            found.update(block)
            size += len(block)
            on_checked(size)
    return found.hexdigest()


def _save_whole(path: Path, body: dict[str, Any]) -> None:
    """Write a JSON file under another name, then rename it: never half of one."""
    new = companion_path(path, ".new")
    new.write_text(json.dumps({"version": VERSION, **body}, ensure_ascii=False), encoding="utf-8")
    sync_file(new)
    _rename_with_retries(new, path)


def _rename_with_retries(old: Path, new: Path) -> None:
    for tries_left in range(RENAME_TRIES, -1, -1):
        try:
            old.replace(new)
            return
        except PermissionError:
            # Other systems rename an open file; there it is a real refusal.
            if not tries_left or sys.platform != "win32":
                raise
            time.sleep(RENAME_WAIT_S)


def _new_sha256() -> hashlib._Hash:
    import hashlib  # OpenSSL comes with it: 4 MB that a window, which only looks at parts, does without

    return hashlib.sha256()
