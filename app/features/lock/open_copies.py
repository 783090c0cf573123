"""Open a locked home for this process, and the folder in memory where its encrypted files lie open meanwhile."""

from __future__ import annotations

import atexit
import hashlib
import os
import shutil
import stat
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psutil

from app.core.errors.lock_errors import LockUnavailable
from app.core.paths import AppPaths, make_folder, use_unlocked_place
from app.store.encrypted_files import fetch_file, use_encrypted_files
from app.store.lock_file import read_lock
from app.store.sqlite_access import drop_key, hold_key

PREFIX = "fireside-open-"
USERS = ".users"
"""Folder with an empty file for each process that uses the copies, named by its number."""


LOCKED = ".locked"
"""File whose time says when the person locked the home while other processes had it open."""


def unlock_home(paths: AppPaths, passphrase: str) -> AppPaths:
    """Open the lock until this process ends, and return the paths as they are then.

    Raises WrongPassphrase or LockUnavailable.
    """
    try:
        key = read_lock(paths.lock, passphrase)
        hold_key(key)
    except ImportError as error:
        raise LockUnavailable from error
    place = copies_place(paths, key)
    _enter_place(place)
    unlocked = use_unlocked_place(paths, place)
    use_encrypted_files(unlocked)
    make_folder(unlocked.decoded)
    # Requests of other programs, and drawings on their way to a browser.
    tempfile.tempdir = str(unlocked.decoded)
    atexit.register(close_home, unlocked)
    for path in (unlocked.settings, unlocked.own_words):
        fetch_file(path)
    return unlocked


def close_home(unlocked: AppPaths) -> None:
    """Forget the key and delete the open copies, unless another process uses them; safe to call twice."""
    atexit.unregister(close_home)
    place = unlocked.unlocked
    tempfile.tempdir = None
    use_encrypted_files(None)
    use_unlocked_place(unlocked, None)
    drop_key()
    if place is not None:
        (place / USERS / str(os.getpid())).unlink(missing_ok=True)
        _remove_unused(place)


def tell_locked(unlocked: AppPaths) -> None:
    """Tell other processes that have the home open that the person has locked it."""
    if unlocked.unlocked is not None and unlocked.unlocked.is_dir():
        mark = unlocked.unlocked / LOCKED
        mark.touch(mode=0o600)
        os.utime(mark)


class LockWatch:
    """Notices that the home was locked elsewhere since this was made."""

    def __init__(self, unlocked: AppPaths) -> None:
        self._mark = unlocked.unlocked / LOCKED if unlocked.unlocked is not None else None
        self._before_ns = self._told_ns()

    @property
    def is_locked(self) -> bool:
        return self._told_ns() != self._before_ns

    def _told_ns(self) -> int:
        try:
            return self._mark.stat().st_mtime_ns if self._mark is not None else 0
        except FileNotFoundError:
            return 0


def remove_left_copies(paths: AppPaths) -> None:
    """Delete open copies that a killed process left, of any home of this user."""
    for base in _bases(paths):
        for place in base.glob(f"{PREFIX}*"):
            if _is_ours(place):
                _remove_unused(place)


def copies_place(paths: AppPaths, key: bytes) -> Path:
    """Return where a home's open copies lie: in memory where the system has such a folder. The name can't be guessed
    without the key, and stays the same, as documents remember their paths.
    """
    name = PREFIX + hashlib.sha256(b"open copies" + key).hexdigest()[:24]
    return next(_bases(paths)) / name


def _bases(paths: AppPaths) -> Iterator[Path]:
    """Yield folders that may hold the copies, the best first."""
    shared = Path("/dev/shm")  # noqa: S108 - the copies' own folder is closed, see `_enter_place`
    if sys.platform.startswith("linux") and shared.is_dir() and os.access(shared, os.W_OK):
        yield shared
    # Without a file system in memory they are on the disk as long as the program runs.
    yield paths.cache


def _enter_place(place: Path) -> None:
    if _is_ours(place):
        _remove_unused(place)
    make_folder(place.parent)
    if not place.exists():
        place.mkdir(mode=0o700)
    if not _is_ours(place):
        raise PermissionError(f"{place} is somebody else's")
    users = place / USERS
    users.mkdir(mode=0o700, exist_ok=True)
    (users / str(os.getpid())).touch(mode=0o600)


def _is_ours(place: Path) -> bool:
    try:
        status = place.lstat()
    except OSError:
        return False
    is_closed = os.name == "nt" or (status.st_uid == os.getuid() and not status.st_mode & 0o077)
    return stat.S_ISDIR(status.st_mode) and is_closed


def _remove_unused(place: Path) -> None:
    users = [entry.name for entry in (place / USERS).glob("*")]
    if not any(name.isdecimal() and psutil.pid_exists(int(name)) for name in users):
        shutil.rmtree(place, ignore_errors=True)
