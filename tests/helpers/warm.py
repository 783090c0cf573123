"""Children that begin warm: forked from a process that has imported all they need, which is most of what a start costs.

Each is a process as fresh as any other, with its own standard streams, environment, folder and session, and the child
of the process that asked for it; only reading the modules is left out. There is one warm process for each kind of child
and process of tests, and it ends with that. Only on Linux, and only for the program's own commands: everything else
starts as it does for a person.
"""

from __future__ import annotations

import atexit
import ctypes
import gc
import importlib
import inspect
import json
import os
import pkgutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, TextIO

from app.__main__ import CHILDREN
from app.__main__ import main as run
from app.core import child
from app.core.child import Child
from app.core.paths import LIBRARY_VARIABLE
from app.documents.limits import child_environment
from app.engine import computer
from app.engine.client import ENVIRONMENT

ROOT = Path(__file__).resolve().parents[2]
ONE_CORE = ROOT / "tests" / "data" / "one_core"
PR_SET_CHILD_SUBREAPER = 36
MADV_COLLAPSE, LARGE_PAGE = 25, 1 << 21
MOST_BYTES = 1 << 17
FLUSH_FAILED = 120  # the interpreter's own code for it
TERMINAL, WINDOW = ("terminal",), ("window",)
BUSY_PROGRAM = "tests.faults.using_program"
"""Not the program's own command, but all of the program that has no window: it begins as what a terminal starts."""
LOOKED_UP = (
    *("TMPDIR", "TEMP", "TMP", "HOME", "PATH", "XDG_", "DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM", "NO_COLOR"),
    *("FIRESIDE_", "PYTEST_CURRENT_TEST", "HF_", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "TESSDATA_"),
)
"""Beginnings of variables that are read when they are needed. All others may have been read by the time of a fork, by
the interpreter or by a library: children for which they differ do not come from the same warm process."""

Kind = tuple[str, ...]
Order = dict[str, Any]


class Process(subprocess.Popen[Any]):
    """As `subprocess.Popen`; a command of the program's own begins warm."""

    def _execute_child(self, *arguments: Any) -> None:
        start = super()._execute_child  # type: ignore[misc]
        asked = inspect.signature(start).bind(*arguments).arguments
        order = _order(asked)
        warm = _warm_for(order["arguments"], order["environment"])
        if warm is None:
            start(*arguments)
            return
        streams = [asked[name] for name in ("p2cread", "c2pwrite", "errwrite")]
        self.pid = warm.fork(order, [number if end == -1 else end for number, end in enumerate(streams)])
        self._child_created = True
        _begun.add(self.pid)
        pipes = ("p2cread", "p2cwrite", "c2pread", "c2pwrite", "errread", "errwrite")
        self._close_pipe_fds(*(asked[name] for name in pipes))  # type: ignore[attr-defined]


def see_one_core() -> None:
    """As in a container with a processor of its own: threads of one engine go round while they wait for each other, and
    beside other tests that is most of what they do.
    """
    computer.CGROUPS = ONE_CORE


def close() -> None:
    """Ends the warm processes."""
    with _making:
        while _warm:
            _warm.popitem()[1].close()


def pids() -> set[int]:
    """The warm processes; nothing that was left running."""
    return {warm.pid for warm in list(_warm.values())}


def nurseries() -> list[int]:
    """What the children of this process are forked from, where it is a child itself."""
    return [_nursery.pid] if _nursery is not None else []


def bury() -> None:
    """What ended of that which only came to this process, and for which nobody waits.

    Every test looks through all that is there; hundreds of dead ones made each a hundredth of a second longer.
    """
    for pid in children() - _begun:
        with suppress(ChildProcessError):
            os.waitpid(pid, os.WNOHANG)


def children() -> set[int]:
    """All direct children of this process, the dead ones too; elsewhere than on Linux none."""
    found: set[int] = set()
    with suppress(FileNotFoundError):
        for task in os.listdir("/proc/self/task"):  # noqa: PTH208  three times a test, paths take three times as long
            with suppress(OSError), open(f"/proc/self/task/{task}/children", "rb") as listed:  # noqa: PTH123
                found.update(map(int, listed.read().split()))  # unless that thread has just ended
    return found


class _Warm:
    """One warm process, from this side."""

    def __init__(self, door: socket.socket, pid: int, end: Callable[[], object] = bool) -> None:
        self.pid = pid
        self._socket, self._end = door, end
        self._asking = threading.Lock()

    @classmethod
    def started(cls, kind: Kind, environment: Mapping[str, str]) -> _Warm:
        """A new one."""
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            process = subprocess.Popen(
                [sys.executable, "-m", "tests.helpers.warm", str(theirs.fileno()), *kind],
                cwd=ROOT,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
                start_new_session=True,
            )
        return cls(ours, process.pid, process.wait)

    def fork(self, order: Order, streams: Sequence[int]) -> int:
        """The process id of a child with these standard streams."""
        with self._asking:
            socket.send_fds(self._socket, [json.dumps(order).encode()], list(streams))
            answer = self._socket.recv(MOST_BYTES)
        if not answer:
            raise ChildProcessError(f"the warm process {self.pid} has ended")
        return int(answer)

    def kill(self, pid: int) -> None:
        """End a forked child with all that it has started, from outside of its cage."""
        with self._asking:
            self._socket.send(str(pid).encode())
            self._socket.recv(MOST_BYTES)

    def close(self) -> None:
        """It leaves when nobody can ask any more."""
        self._socket.close()
        self._end()


_warm: dict[tuple[Kind, frozenset[tuple[str, str]]], _Warm] = {}
_making = threading.Lock()
_begun: set[int] = set()
_nursery: _Warm | None = None
_nursed: Mapping[Kind, Mapping[str, str]] = {}


def _order(asked: Mapping[str, Any]) -> Order:
    """What `subprocess.Popen` was asked for, as far as the program's own commands need it."""
    return {
        "arguments": [os.fsdecode(part) for part in asked["args"]],
        "environment": dict(os.environ if asked["env"] is None else asked["env"]),
        "folder": str(Path(os.fsdecode(asked["cwd"] or ".")).absolute()),
        "mask": _mask(),
        "is_session": asked["start_new_session"],
    }


def _warm_for(command: Sequence[str], environment: Mapping[str, str]) -> _Warm | None:
    """What a command may be forked from; None where it has to start by itself."""
    kind = _kind(command)
    if kind is None or environment.get(LIBRARY_VARIABLE):  # such a library may end whatever loads it
        return None
    read = _read(environment)
    with _making:
        if _nursery is not None:
            theirs = {"PYTHONPATH", "PYTHONSAFEPATH"}  # where the modules are, which it has already
            known = _read({**os.environ, **_nursed.get(kind, {})})
            is_there = kind in _nursed and all(one in known or one[0] in theirs for one in read)
            return _nursery if is_there else None
        if (kind, read) not in _warm:
            if not _warm:
                _take_on()
            theirs = {name: value for one in NURSED.get(kind, {}).values() for name, value in one.items()}
            _warm[kind, read] = _Warm.started(kind, {**environment, **theirs})
        return _warm[kind, read]


def _read(environment: Mapping[str, str]) -> frozenset[tuple[str, str]]:
    """What may have been read by the time of a fork."""
    return frozenset(
        (name, value)
        for name, value in environment.items()
        if not name.startswith(LOOKED_UP) and (name, value[-6:]) != ("LANG", ".UTF-8")  # of which the encoding is read
    )


def _take_on() -> None:
    """Those that a warm process forks, and lets go of, are children of this process from now on."""
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1)


def _kind(command: Sequence[str]) -> Kind | None:
    if sys.platform != "linux" or list(command[:2]) != [sys.executable, "-m"]:
        return None
    if command[2] == BUSY_PROGRAM:
        return TERMINAL
    if command[2] != "app":
        return None
    if command[3:] and command[3] in CHILDREN:
        return (command[3], *(part for part in command[4:5] if part == "--scripted"))
    has_window = all(part.lower().endswith(".gguf") for part in command[3:])
    return WINDOW if has_window else TERMINAL


def _mask() -> int:
    """Which permissions new files do not get; asking the system itself for it changes it for a moment."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return int(next(line.split()[1] for line in lines if line.startswith("Umask:")), 8)


# What follows runs in the warm process.


def main() -> int:
    """`DESCRIPTOR KIND...`: forks until nobody can ask any more; in the forked, what the program returns."""
    door, kind = socket.socket(fileno=int(sys.argv[1])), tuple(sys.argv[2:])
    _import_all(kind)
    see_one_core()
    gc.collect()
    gc.freeze()
    _take_large_pages()
    return _serve(door)


def _take_large_pages() -> None:
    """Of what was imported a fork then copies a few entries, not one for every 4 KiB: half of what a start costs."""
    libc = ctypes.CDLL(None)
    libc.madvise.argtypes = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int)
    for line in Path("/proc/self/maps").read_text().splitlines():
        place, rights, _, _, inode, *_ = line.split()
        first, end = (int(address, 16) for address in place.split("-"))
        first, end = -(-first // LARGE_PAGE) * LARGE_PAGE, end // LARGE_PAGE * LARGE_PAGE
        if inode == "0" and rights.startswith("rw") and first < end:
            libc.madvise(first, end - first, MADV_COLLAPSE)  # older systems refuse it


def _serve(door: socket.socket) -> int:
    while True:
        try:
            message, streams, _, _ = socket.recv_fds(door, MOST_BYTES, 3)
        except OSError:
            message = b""
        if not message:
            os._exit(0)
        if message.isdigit():
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(int(message), signal.SIGKILL)
            door.send(message)
            continue
        if (order := _forked(door, json.loads(message), streams)) is not None:
            begun = _kind(order["arguments"]) or ()
            if begun in NURSED:
                _nurse(NURSED[begun])
            return _ran(begun, order["arguments"][2:])


def _ran(kind: Kind, command: list[str]) -> int:
    """What a module of the program returns for its arguments.

    But for the window it ends here, as the interpreter would: taking all apart that was imported, which nothing looks
    at, takes as long as most of what children are asked for.
    """
    name, *arguments = command
    main = importlib.import_module(BUSY_PROGRAM).main if name == BUSY_PROGRAM else run
    try:
        code: object = main(arguments)
    except SystemExit as asked:
        code = asked.code or 0
    if kind == WINDOW or not isinstance(code, int):
        sys.exit(code)  # type: ignore[arg-type]
    threading._shutdown()  # type: ignore[attr-defined]
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except ValueError:  # it is closed
            pass
        except OSError:
            code = FLUSH_FAILED
    os._exit(code & 0xFF)


def _nurse(kinds: Mapping[Kind, Mapping[str, str]]) -> None:
    """What a child starts in its turn begins warm, too: forked from a fork of the child before it did anything."""
    global _nursery, _nursed
    _take_on()
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    pid = os.fork()
    if pid == 0:
        ours.close()
        for number in range(3):  # which end with the child
            os.dup2(os.open(os.devnull, os.O_RDWR), number)
        sys.exit(_serve(theirs))
    theirs.close()
    _nursery, _nursed = nursery, _ = _Warm(ours, pid), kinds
    Child.popen = Process
    # Of what was not started in its cage a child can't end anything.
    child._kill_group = lambda process: nursery.kill(process.pid)


def _forked(door: socket.socket, order: Order, streams: list[int]) -> Order | None:
    """The order in the forked, None in the warm process. One between them lets go of the forked by its own end."""
    readable, writable = os.pipe()
    between = os.fork()
    if between == 0:
        between = os.getpid()
        forked = os.fork()
        if forked:
            os.write(writable, str(forked).encode())
            os._exit(0)
        while os.getppid() == between:
            time.sleep(0.0001)
        _become(order, streams)
        return order
    os.waitpid(between, 0)
    door.send(os.read(readable, 32))
    for descriptor in (readable, writable, *streams):
        os.close(descriptor)
    return None


def _become(order: Order, streams: Sequence[int]) -> None:
    """Takes on all that a new process is given."""
    if order["is_session"]:
        os.setsid()
    encodings = [(stream.encoding, stream.errors) for stream in (sys.stdin, sys.stdout, sys.stderr)]
    for number, descriptor in enumerate(streams):
        os.dup2(descriptor, number)
        os.close(descriptor)
    sys.stdin, sys.stdout, sys.stderr = (_text(number, *encoding) for number, encoding in enumerate(encodings))
    sys.__stdin__, sys.__stdout__, sys.__stderr__ = sys.stdin, sys.stdout, sys.stderr
    os.environ.clear()
    os.environ.update(order["environment"])
    os.chdir(order["folder"])
    os.umask(order["mask"])
    sys.argv = order["arguments"][2:]
    tempfile.tempdir = None


def _text(descriptor: int, encoding: str, errors: str) -> TextIO:
    """As the interpreter makes its standard streams."""
    mode, is_line = ("w", descriptor == 2 or os.isatty(descriptor)) if descriptor else ("r", False)
    return open(descriptor, mode, 1 if is_line else -1, encoding, errors, newline="\n", closefd=False)


NURSED: dict[Kind, dict[Kind, dict[str, str]]] = {
    TERMINAL: {
        ("--document-worker",): child_environment(),
        ("--engine-worker",): ENVIRONMENT,
        ("--engine-worker", "--scripted"): ENVIRONMENT,
        ("--download-worker",): {},
    },
    ("--engine-worker",): {("--template-renderer",): {}, ("--fit-probe",): {}},
}
"""Children that start children of their own, which, and what those have in their environment besides.

What libraries read of it when they are imported is there from the start of the warm process.
"""

WHOLE = {
    WINDOW: ("app.ui", "app.bootstrap", "app.features", "app.store", "app.hub", "psutil"),
    TERMINAL: (
        *("app.cli", "app.bootstrap", "app.features", "app.store", "app.hub", "rapidfuzz.fuzz", "wakepy"),
        *("app.documents", "app.language", "app.engine", "llama_cpp", "psutil", "docx", BUSY_PROGRAM),
    ),
    ("--document-worker",): ("app.documents", "app.language", "psutil"),
    ("--engine-worker",): ("app.engine", "llama_cpp"),
    ("--engine-worker", "--scripted"): ("tests.helpers.scripted_backend",),
    ("--fit-probe",): ("llama_cpp",),
}
"""Modules and packages of the program that are imported whole, and libraries, beside the child's own module."""


def _import_all(kind: Kind) -> None:
    """What children of this kind may import, whether they do or not."""
    names = [CHILDREN[kind[0]]] if kind[0] in CHILDREN else []
    for name in (*names, *WHOLE.get(kind, ())):
        module = importlib.import_module(name)
        if name.startswith("app."):
            for each in pkgutil.walk_packages(getattr(module, "__path__", ()), f"{name}."):
                importlib.import_module(each.name)


if __name__ == "__main__":
    sys.exit(main())
