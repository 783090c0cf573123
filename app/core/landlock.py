"""Files that a thread may open from now on, enforced by the kernel where it can (Linux 5.13 and later: Landlock).

A second wall: whoever opens only what it should notices nothing. On other systems, or where the kernel was built
without it, nothing is enforced.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import stat
import struct
import sys
from collections.abc import Iterable
from pathlib import Path

# linux/landlock.h and linux/prctl.h; system calls since 5.13 have one number on all processors
_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
_VERSION_FLAG, _PATH_BENEATH = 1, 1
_SET_NO_NEW_PRIVILEGES = 38
_EXECUTE, _WRITE_FILE, _READ_FILE, _READ_DIR = 1 << 0, 1 << 1, 1 << 2, 1 << 3
_REFER, _TRUNCATE = 1 << 13, 1 << 14
# A right that the kernel doesn't know makes the call fail, so the set follows its version.
_RIGHTS = {1: (1 << 13) - 1, 2: (1 << 14) - 1, 3: (1 << 15) - 1}
"""All rights over files that a version knows; later ones add to the third what is of no use here."""
_READING = _EXECUTE | _READ_FILE | _READ_DIR
_OF_FILES = _EXECUTE | _WRITE_FILE | _READ_FILE | _TRUNCATE

SYSTEM_PLACES = (
    *("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/etc", "/opt", "/nix/store", "/gnu/store", "/app", "/snap"),
    *("/proc", "/sys", "/run/host/fonts", "/run/host/user-fonts", "/var/cache/fontconfig"),
    *("/dev/urandom", "/dev/random", "/dev/zero"),
)
"""Programs, libraries, fonts and system information: nothing the user stores."""


def restrict_files(reading: Iterable[Path], writing: Iterable[Path]) -> bool:
    """Restrict the calling thread and its children to these files and folders' contents.

    Open files stay open. Missing paths are skipped. Return whether the kernel enforces it.
    """
    if sys.platform != "linux":
        return False
    # No function of the C library calls these, so they are called by number.
    libc = ctypes.CDLL(None, use_errno=True)
    version = libc.syscall(_CREATE_RULESET, None, ctypes.c_size_t(0), _VERSION_FLAG)
    if version < 1:
        return False
    rights = _RIGHTS[min(version, 3)]
    attributes = struct.pack("=Q", rights)
    ruleset = libc.syscall(_CREATE_RULESET, attributes, ctypes.c_size_t(len(attributes)), 0)
    if ruleset < 0:
        return False
    try:
        for path in reading:
            _allow_path(libc, ruleset, path, rights & _READING)
        for path in writing:
            # Moving files between folders (REFER) stays closed.
            _allow_path(libc, ruleset, path, rights & ~_REFER)
        # The kernel wants it first: a program with more rights than its caller could be led by it.
        if libc.prctl(_SET_NO_NEW_PRIVILEGES, 1, 0, 0, 0) != 0:
            return False
        return bool(libc.syscall(_RESTRICT_SELF, ruleset, 0) == 0)
    finally:
        os.close(ruleset)


def program_places() -> list[Path]:
    """Return the places of this program, its libraries and the user's fonts, besides `SYSTEM_PLACES`."""
    home = Path(os.environ.get("HOME") or "/nonexistent")
    data, cache, config = (
        Path(os.environ.get(name) or home / usual)
        for name, usual in (
            ("XDG_DATA_HOME", ".local/share"),
            ("XDG_CACHE_HOME", ".cache"),
            ("XDG_CONFIG_HOME", ".config"),
        )
    )
    libraries = os.environ.get("LD_LIBRARY_PATH", "").split(os.pathsep)
    return [
        *(Path(prefix) for prefix in (sys.prefix, sys.base_prefix, sys.exec_prefix)),
        Path(sys.executable).resolve().parent,
        Path(__file__).resolve().parents[2],
        *(Path(place) for place in (*sys.path, *libraries) if place),
        *(home / ".fonts", data / "fonts", cache / "fontconfig", config / "fontconfig"),
    ]


def _allow_path(libc: ctypes.CDLL, ruleset: int, path: Path, rights: int) -> None:
    """Add a rule; a path that is missing or refused by the kernel stays closed."""
    with contextlib.suppress(OSError, ValueError):
        descriptor = os.open(path, os.O_PATH | os.O_CLOEXEC)  # neither read nor written: a place is all that is wanted
        try:
            if not stat.S_ISDIR(os.fstat(descriptor).st_mode):
                # Rights of folders on a plain file make the call fail.
                rights &= _OF_FILES
            rule = struct.pack("=Qi", rights, descriptor)
            libc.syscall(_ADD_RULE, ruleset, _PATH_BENEATH, rule, 0)
        finally:
            os.close(descriptor)
