"""What the program keeps on disk is for its person alone; and what it means when a disk refuses."""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from collections.abc import Iterable
from pathlib import Path

from app.core.errors import DiskFull, FolderNotWritable

_FULL = (errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC))


def make_folder(folder: Path) -> None:
    """Makes a folder and those above it, each as closed to others as the one that it is in. Raises OSError."""
    if not folder.is_dir():
        make_folder(folder.parent)
        folder.mkdir(exist_ok=True, mode=_mode(folder.parent))


def opener(path: str, flags: int) -> int:
    """For `open`: a new file is as closed to others as the folder that it is in."""
    return os.open(path, flags, _mode(Path(path).parent) & 0o666)


def be_as_closed_as(folder: Path) -> None:
    """From now on everything this process makes is as closed to others as `folder`, or what will hold it."""
    while not folder.is_dir():
        folder = folder.parent
    os.umask(0o777 & ~_mode(folder))


def close_to_others(folders: Iterable[Path], *, deeply: bool) -> None:
    """Takes from everybody else what they may do with these folders, and with what is in them if `deeply`.

    Folders that are not there are made. What cannot be changed stays: whoever needs it then says so.
    """
    for folder in folders:
        with contextlib.suppress(OSError):
            _make_closed(folder)
            _close(folder)
        for here, inner, files in os.walk(folder) if deeply else ():
            for name in (*inner, *files):
                with contextlib.suppress(OSError):
                    _close(Path(here) / name)


def disk_problem(error: OSError, folder: Path) -> DiskFull | FolderNotWritable:
    """The situation behind a failure to write into `folder`."""
    return DiskFull(str(folder)) if error.errno in _FULL else FolderNotWritable(str(folder))


def _mode(folder: Path) -> int:
    return stat.S_IMODE(folder.stat().st_mode) & 0o777


def _make_closed(folder: Path) -> None:
    if not folder.exists():
        _make_closed(folder.parent)
        folder.mkdir(exist_ok=True, mode=0o700)


def _close(path: Path) -> None:
    status = path.lstat()
    is_elsewhere_too = stat.S_ISREG(status.st_mode) and status.st_nlink > 1  # a model that was linked, not copied
    if not stat.S_ISLNK(status.st_mode) and not is_elsewhere_too and status.st_mode & 0o077:
        path.chmod(stat.S_IMODE(status.st_mode) & 0o700)
