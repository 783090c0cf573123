"""What a thread may open, start and reach from now on, enforced by the kernel where it can (Linux 5.13: Landlock).

A second wall: whoever opens only what it should notices nothing. On other systems, or where the kernel was built
without it, nothing is enforced.
"""

from __future__ import annotations

import contextlib
import ctypes
import functools
import os
import stat
import struct
import sys
from collections.abc import Sequence
from pathlib import Path

from app.core.lazy_dataclasses import dataclass

# linux/landlock.h and linux/prctl.h; system calls since 5.13 have one number on all processors
_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
_VERSION_FLAG, _PATH_BENEATH, _NET_PORT = 1, 1, 2
_SET_NO_NEW_PRIVILEGES = 38
_EXECUTE, _WRITE_FILE, _READ_FILE, _READ_DIR = 1 << 0, 1 << 1, 1 << 2, 1 << 3
_REFER, _TRUNCATE, _IOCTL = 1 << 13, 1 << 14, 1 << 15
# A right that the kernel doesn't know makes the call fail, so the set follows its version.
_RIGHTS = {1: (1 << 13) - 1, 2: (1 << 14) - 1, 3: (1 << 15) - 1, 4: (1 << 15) - 1, 5: (1 << 16) - 1}
"""All rights over files that a version knows; later ones are as the fifth."""
_READING = _EXECUTE | _READ_FILE | _READ_DIR
_OF_FILES = _EXECUTE | _WRITE_FILE | _READ_FILE | _TRUNCATE | _IOCTL
_BIND, _CONNECT = 0b01, 0b10
_TCP = _BIND | _CONNECT
_SCOPES = 0b11  # abstract unix sockets and signals of processes outside
VERSION_WITH_PORTS, VERSION_WITH_SCOPES = 4, 6

SYSTEM_PLACES = (
    *("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/etc", "/opt", "/nix/store", "/gnu/store", "/app", "/snap"),
    *("/proc", "/sys", "/run/host/fonts", "/run/host/user-fonts", "/var/cache/fontconfig"),
    *("/run/opengl-driver", "/run/opengl-driver-32"),  # NixOS has its drivers there
    *("/dev/urandom", "/dev/random", "/dev/zero"),
)
"""Programs, libraries, fonts and system information: nothing the user stores."""


@dataclass(frozen=True)
class ThreadGrant:
    """What stays allowed. Missing paths are skipped; open files stay open.

    `programs` may be started, None: whatever may be read. `ports` may be connected to over TCP, None: any; with ports
    given, only at those of `listening` something may listen.
    """

    reading: Sequence[Path] = ()
    writing: Sequence[Path] = ()
    devices: Sequence[Path] = ()
    """Read, written and asked by ioctl."""
    programs: Sequence[Path] | None = None
    ports: Sequence[int] | None = None
    listening: Sequence[int] = ()
    moves_files: bool = False
    """Files that are written may be moved to another folder, which the kernel refuses where they would gain rights."""
    keeps_group: bool = False
    """What is started stays in the process group, by which it is ended, and is told that it left it."""

    @property
    def starts_programs(self) -> bool:
        """Return whether a program may be started at all."""
        return self.programs is None or bool(self.programs)


class FileRuleset:
    """A grant as the kernel takes it; each thread that is to hold it calls `restrict_thread`."""

    def __init__(self, grant: ThreadGrant) -> None:
        self.version = kernel_version()
        self._descriptor = -1
        if not self.version:
            return
        self._rights = _RIGHTS[min(self.version, max(_RIGHTS))]
        has_ports = self.version >= VERSION_WITH_PORTS and grant.ports is not None
        attributes = struct.pack("=Q", self._rights)
        if self.version >= VERSION_WITH_PORTS:
            attributes += struct.pack("=Q", _TCP if has_ports else 0)
        if self.version >= VERSION_WITH_SCOPES:
            attributes += struct.pack("=Q", _SCOPES)
        self._descriptor = _libc().syscall(_CREATE_RULESET, attributes, ctypes.c_size_t(len(attributes)), 0)
        if self._descriptor < 0:
            return
        os.set_inheritable(self._descriptor, False)
        self._add_paths(grant)
        if has_ports:
            for right, ports in ((_CONNECT, grant.ports or ()), (_BIND, grant.listening)):
                for port in ports:
                    rule = struct.pack("=QQ", right, port)
                    _libc().syscall(_ADD_RULE, self._descriptor, _NET_PORT, rule, 0)

    def restrict_thread(self) -> bool:
        """Hold the calling thread, and what it starts from now on, to the grant; return whether the kernel does."""
        if self._descriptor < 0:
            return False
        # The kernel wants it first: a program with more rights than its caller could be led by it.
        if _libc().prctl(_SET_NO_NEW_PRIVILEGES, 1, 0, 0, 0) != 0:
            return False
        return bool(_libc().syscall(_RESTRICT_SELF, self._descriptor, 0) == 0)

    def close(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def _add_paths(self, grant: ThreadGrant) -> None:
        reading = _READING if grant.programs is None else _READING & ~_EXECUTE
        # Devices in folders that are written to stay closed.
        writing = self._rights & ~(_IOCTL if grant.moves_files else _REFER | _IOCTL)
        writing = writing if grant.programs is None else writing & ~_EXECUTE
        for paths, rights in (
            (grant.reading, reading),
            (grant.writing, writing),
            (grant.devices, _READ_FILE | _READ_DIR | _WRITE_FILE | _TRUNCATE | _IOCTL),
            (grant.programs or (), _EXECUTE | _READ_FILE),
        ):
            for path in paths:
                _allow_path(self._descriptor, path, self._rights & rights)


@functools.cache
def kernel_version() -> int:
    """Return the version of Landlock that runs here; 0 without one."""
    if sys.platform != "linux":
        return 0
    return max(0, int(_libc().syscall(_CREATE_RULESET, None, ctypes.c_size_t(0), _VERSION_FLAG)))


def program_places() -> list[Path]:
    """Return the places of the system, of this program and its libraries, and of the person's fonts."""
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
        *map(Path, SYSTEM_PLACES),
        *(Path(prefix) for prefix in (sys.prefix, sys.base_prefix, sys.exec_prefix)),
        Path(sys.executable).resolve().parent,
        Path(__file__).resolve().parents[2],
        *(Path(place) for place in (*sys.path, *libraries) if place),
        *(home / ".fonts", data / "fonts", cache / "fontconfig", config / "fontconfig"),
    ]


@functools.cache
def _libc() -> ctypes.CDLL:
    # No function of the C library calls these, so they are called by number.
    return ctypes.CDLL(None, use_errno=True)


def _allow_path(ruleset: int, path: Path, rights: int) -> None:
    """Add a rule; a path that is missing or refused by the kernel stays closed."""
    with contextlib.suppress(OSError, ValueError):
        descriptor = os.open(path, os.O_PATH | os.O_CLOEXEC)  # neither read nor written: a place is all that is wanted
        try:
            if not stat.S_ISDIR(os.fstat(descriptor).st_mode):
                # Rights of folders on a plain file make the call fail.
                rights &= _OF_FILES
            rule = struct.pack("=Qi", rights, descriptor)
            _libc().syscall(_ADD_RULE, ruleset, _PATH_BENEATH, rule, 0)
        finally:
            os.close(descriptor)
