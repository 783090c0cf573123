"""What a child gives up before it reads anything that others have written, and whether that really holds.

On Linux files and ports are closed by Landlock, sockets and what reaches into other processes by seccomp; on macOS all
of it by a sandbox profile, on Windows less of it by a job object and a low integrity. Where the system has less, the
child goes on with less, and says so: it tries each wall itself.
"""

from __future__ import annotations

import contextlib
import logging
import os
import socket
import struct
import subprocess
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from app.core import seccomp
from app.core.cage_report import CageReport, CageWall
from app.core.landlock import FileRuleset, ThreadGrant
from app.core.macos_sandbox import enter_sandbox, sandbox_profile
from app.core.paths import make_folder
from app.core.rlimits import MOST_FILES, lower_limit
from app.core.seccomp import SocketRule
from app.core.windows_job import NOT_ENOUGH_QUOTA, lower_process

log = logging.getLogger(__name__)

LOADER_HEADER = 3  # PT_INTERP
TRIED_PORT = 9  # "discard", where hardly anything listens: a refusal by nobody there shows that it can be reached
SHELL = "/bin/sh"
SHADERS = "shaders"
CACHE_VARIABLES = (
    "MESA_SHADER_CACHE_DIR",
    "__GL_SHADER_DISK_CACHE_PATH",
    "AMD_SHADER_DISK_CACHE_PATH",
    "CUDA_CACHE_PATH",
)
"""By which graphics drivers find the folder for what they compile."""
_REFUSED = (PermissionError, FileNotFoundError)
ThreadRunner = Callable[[Callable[[], object]], object]
"""Runs a function in another thread of this process, and waits for it."""


class GrantedPlaces:
    """Files and folders that were granted, by identity: what took the place of one under its name is another file for
    the kernel.
    """

    def __init__(self, places: Iterable[Path]) -> None:
        self._identities = {_identity_of(place) for place in places} - {None}

    def hold(self, file: Path) -> bool:
        """Return whether a file is one of them or in one of them, or missing, which whoever opens it tells."""
        return not file.exists() or any(_identity_of(place) in self._identities for place in (file, *file.parents))


def _identity_of(path: Path) -> tuple[int, int] | None:
    with contextlib.suppress(OSError):
        found = path.stat()
        return found.st_dev, found.st_ino
    return None


def enter_cage(
    grant: ThreadGrant,
    sockets: SocketRule = SocketRule.NONE,
    *,
    most_file_bytes: int | None = None,
    other_threads: Iterable[ThreadRunner] = (),
    platform: str = sys.platform,
) -> CageReport:
    """Give up everything but `grant` and `sockets` for good, then try to get out; return what held.

    Landlock holds one thread: `other_threads` are asked to run a function each, in theirs. No file that is written
    grows beyond `most_file_bytes`.
    """
    # A core dump would leave what a person wrote on the disk.
    lower_limit("RLIMIT_CORE", 0)
    lower_limit("RLIMIT_NOFILE", MOST_FILES)
    if most_file_bytes is not None:
        lower_limit("RLIMIT_FSIZE", most_file_bytes)
    try:
        if platform == "darwin":
            enter_sandbox(sandbox_profile(grant, sockets))
        elif platform == "win32":
            lower_process(grant)
        else:
            _restrict_threads(grant, sockets, other_threads)
    except (OSError, AttributeError) as error:  # the system's library lacks the function
        log.info("this system cages less: %s", error)
    return _try_walls(has_network=sockets is SocketRule.INTERNET)


def close_sockets() -> CageReport:
    """Give up the sockets that a cage had left, too, in all threads; return what holds now. What is open stays open."""
    seccomp.give_up_calls(SocketRule.NONE, starts_programs=False)
    return _try_walls(has_network=False)


def _restrict_threads(grant: ThreadGrant, sockets: SocketRule, other_threads: Iterable[ThreadRunner]) -> None:
    ruleset = FileRuleset(grant)
    try:
        for run_there in other_threads:
            run_there(ruleset.restrict_thread)
        has_files = ruleset.restrict_thread()
    finally:
        ruleset.close()
    # All threads at once. Where programs are chosen by Landlock, starting one has to stay possible.
    has_calls = seccomp.give_up_calls(sockets, starts_programs=grant.starts_programs, keeps_group=grant.keeps_group)
    if not (has_files and has_calls):
        raise OSError(f"files {has_files}, system calls {has_calls}")


def programs_of(*paths: Path) -> tuple[Path, ...]:
    """Return what has to be startable for these programs to run: themselves and the system's loader."""
    found = [path.resolve() for path in paths]
    return tuple(dict.fromkeys([*found, *filter(None, map(loader_of, found))]))


def loader_of(program: Path) -> Path | None:
    """Return the loader that a program of this system names in itself (ELF, 64 bits); None for one without."""
    with contextlib.suppress(OSError, struct.error, ValueError), program.open("rb") as file:
        header = file.read(64)
        if header[:5] != b"\x7fELF\x02":
            return None
        (table,) = struct.unpack_from("=Q", header, 32)
        size, count = struct.unpack_from("=HH", header, 54)
        for number in range(count):
            file.seek(table + number * size)
            kind, _, at, _, _, length = struct.unpack("=IIQQQQ", file.read(40))
            if kind == LOADER_HEADER:
                file.seek(at)
                return Path(os.fsdecode(file.read(min(length, 4096)).rstrip(b"\0"))).resolve()
    return None


def _try_walls(*, has_network: bool) -> CageReport:
    """Try what a child that was taken over would, and tell what was refused."""
    trials: dict[CageWall, Callable[[], bool]] = {
        CageWall.NETWORK: _is_cut_off,
        CageWall.FILES: lambda: _is_refused(lambda: os.listdir(_home())),  # noqa: PTH208 - names alone
        CageWall.WRITING: lambda: _is_refused(_write_outside),
        CageWall.PROGRAMS: lambda: _is_refused(_start_shell),
    }
    if has_network:
        del trials[CageWall.NETWORK]  # it is there for that
    held = {wall: holds() for wall, holds in trials.items()}
    return CageReport(
        tuple(wall for wall, holds in held.items() if holds), tuple(wall for wall, holds in held.items() if not holds)
    )


def _is_cut_off() -> bool:
    """Return whether neither a computer nor another program here can be reached (TCP and a unix socket)."""
    has_unix = hasattr(socket, "AF_UNIX")
    is_alone = not has_unix or _is_refused(lambda: socket.socket(socket.AF_UNIX).close())
    return _is_refused(_connect_here) and is_alone


def _connect_here() -> None:
    with contextlib.suppress(ConnectionError, TimeoutError), socket.socket() as tried:
        tried.settimeout(1)
        tried.connect(("127.0.0.1", TRIED_PORT))


def _write_outside() -> None:
    path = f"{_home()}/.fireside-{os.getpid()}-{threading.get_native_id()}"
    os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    Path(path).unlink()


def _start_shell() -> None:
    if hasattr(os, "posix_spawn"):
        os.waitpid(os.posix_spawn(SHELL, [SHELL, "-c", ":"], {}), 0)
    else:
        subprocess.run([os.environ.get("COMSPEC", "cmd.exe"), "/c", "exit"], check=False)


def _is_refused(attempt: Callable[[], object]) -> bool:
    try:
        attempt()
    except _REFUSED:
        return True
    except Exception as error:  # noqa: BLE001 - whatever else it is, the child goes on and says that this was not shown
        # So a job object refuses a process.
        if getattr(error, "winerror", 0) == NOT_ENOUGH_QUOTA:
            return True
        log.info("a wall of the cage was not shown to hold: %r", error)
        return False
    return False


def _home() -> str:
    return os.environ.get("HOME") or os.environ.get("USERPROFILE") or "/"


def keep_caches_here() -> None:
    """Let graphics drivers keep what they compile in the working folder, a child's own. Before they load."""
    folder = Path.cwd() / SHADERS
    make_folder(folder)
    for name in CACHE_VARIABLES:
        os.environ.setdefault(name, str(folder))
    os.environ["TMPDIR"] = str(Path.cwd())


def driver_caches() -> Iterator[Path]:
    """Yield the folders in which the drivers of graphics cards keep what they compile."""
    yield from (Path(os.environ[name]) for name in CACHE_VARIABLES if name in os.environ)


def graphics_devices() -> Iterator[Path]:
    """Yield the device files that a driver of a graphics card may open."""
    devices = Path("/dev")
    yield from (devices / name for name in ("dri", "kfd", "accel", "dxg"))
    yield from devices.glob("nvidia*")
    # Their drivers share memory with themselves through files there.
    if (devices / "kfd").exists() or (devices / "nvidiactl").exists():
        yield devices / "shm"
