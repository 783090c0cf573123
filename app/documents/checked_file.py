"""The file that a document child works on: whether there is something to read, its sha256, whether it has changed."""

from __future__ import annotations

import errno
import hashlib
import os
import stat
from collections.abc import Callable
from pathlib import Path

from app.core.errors import DocumentUnreadable

HASHED_BYTES = 1024 * 1024

_REASONS = {
    "missing": (errno.ENOENT, errno.ENOTDIR, errno.ENAMETOOLONG),
    "denied": (errno.EACCES, errno.EPERM, errno.EIO, errno.EBUSY, errno.ETIMEDOUT),
    "folder": (errno.EISDIR,),
    "not_a_file": (errno.ELOOP, errno.ENXIO),
    "changed": (errno.ESTALE,),
}


def reason_of(error: OSError) -> str:
    """What is wrong with a file that the system does not give; damaged for what a reader did with a wrong number."""
    return next((reason for reason, numbers in _REASONS.items() if error.errno in numbers), "damaged")


def check_file(path: Path) -> os.stat_result:
    """Whether there is something to read in a regular file; raises DocumentUnreadable.

    Nothing else is ever opened: reading a pipe or a device may never end, and has effects.
    """
    try:
        found = path.stat()
        if not stat.S_ISREG(found.st_mode):
            raise DocumentUnreadable(str(path), "folder" if stat.S_ISDIR(found.st_mode) else "not_a_file")
        # It may have become a pipe by now, which must not be waited for.
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0))
        os.close(descriptor)
    except OSError as error:
        reason = "missing" if error.errno == errno.EINVAL else reason_of(error)  # Windows, for a name it cannot have
        raise DocumentUnreadable(str(path), reason) from error
    except ValueError as error:  # a name that no system can have
        raise DocumentUnreadable(str(path), "missing") from error
    if found.st_size == 0:
        raise DocumentUnreadable(str(path), "empty")
    return found


def sha256_of(path: Path, on_part: Callable[[], None]) -> str:
    """Of the whole file; `on_part` is called after each megabyte. Raises OSError."""
    found = hashlib.sha256()
    with path.open("rb", buffering=0) as file:
        while data := file.read(HASHED_BYTES):
            found.update(data)
            on_part()
    return found.hexdigest()


def require_unchanged(path: Path, before: os.stat_result) -> None:
    """Raises DocumentUnreadable ("changed") where it is another file, or has changed, since `check_file` saw it."""
    after = path.stat()
    if any(getattr(before, name) != getattr(after, name) for name in ("st_size", "st_mtime_ns", "st_ino")):
        raise DocumentUnreadable(str(path), "changed")
