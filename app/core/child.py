"""Child processes: started in a group of their own, spoken to in lines, ended with their whole tree."""

from __future__ import annotations

import contextlib
import functools
import io
import logging
import os
import queue
import select
import signal
import subprocess
import sys
import threading
import time
import weakref
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import IO, BinaryIO, ClassVar, TextIO, cast

from app.core.cage_report import CageReport
from app.core.paths import disk_problem, make_folder

log = logging.getLogger(__name__)

# A prompt that fills a large context is some MB; more is a child that has gone wrong.
MAX_LINE_BYTES = 64 * 1024 * 1024
STDERR_TAIL_BYTES = 8 * 1024
NOTE = "note: "  # what a child says for the log, among what its libraries print
SEND_TIMEOUT_S = 10.0
BEAT = b"\n"  # an empty line: the child runs, and has nothing else to say
BEAT_EVERY_S = 2.0
ORDER_TIMEOUT_S = 5.0
LEAST_WORK = 0.001  # share of the time that a child computes which does what it was asked; its heart takes less
LOOKS_UNTIL_SILENT = 5  # that many times `BEAT_EVERY_S`
PARENT_VARIABLE = "FIRESIDE_PARENT"
LAST_SIGNAL = int(getattr(signal, "SIGCONT", 18))  # of a parent that has ended, see `end_with_parent`
SAVING_S = 18  # that a child whose parent has ended may take to save; on Linux it is the number of that signal
PR_SET_PDEATHSIG = 1
CREATION_FLAGS: int = sum(
    getattr(subprocess, f"CREATE_{flag}", 0) for flag in ("NEW_PROCESS_GROUP", "NO_WINDOW")
)  # Windows
WINDOWED_PROGRAM = "firesidew.exe"
"""Same program as fireside.exe without a console, in packages for Windows."""
CHECKOUT = Path(__file__).resolve().parents[2]

# Names and beginnings of what is passed on: keys and tokens of other programs, which an environment is full of, are
# not.
NEEDED_VARIABLES = (
    # the system's own places, the person's language and clock
    *("PATH", "HOME", "USER", "LOGNAME", "SHELL", "TMPDIR", "TEMP", "TMP", "TZ", "LANG", "LANGUAGE", "LOCPATH"),
    *("SYSTEMROOT", "SYSTEMDRIVE", "WINDIR", "COMSPEC", "PATHEXT", "USERPROFILE", "USERNAME", "HOMEDRIVE", "HOMEPATH"),
    *("APPDATA", "LOCALAPPDATA", "PROGRAMDATA", "PROGRAMFILES", "NUMBER_OF_PROCESSORS", "OS"),
    # where the Vulkan loader and the drivers look for each other and keep compiled shaders
    *("XDG_CACHE_HOME", "XDG_CONFIG_DIRS", "XDG_CONFIG_HOME", "XDG_DATA_DIRS", "XDG_DATA_HOME", "XDG_RUNTIME_DIR"),
    *("DRI_PRIME", "NODEVICE_SELECT", "__NV_PRIME_RENDER_OFFLOAD", "__VK_LAYER_NV_OPTIMUS"),
)
NEEDED_BEGINNINGS = (
    *("FIRESIDE_", "LC_", "PYTHON", "PYINSTALLER_", "_PYI_", "LD_", "DYLD_", "MALLOC_", "GLIBC_", "PROCESSOR_"),
    *("GGML_", "LLAMA_", "VK_", "VULKAN_", "ENABLE_", "DISABLE_", "MESA_", "RADV_", "AMD_", "INTEL_", "ANV_", "NVK_"),
    *("CUDA_", "NVIDIA_", "HIP_", "HSA_", "ROCR_", "ROCM_", "ROCBLAS_", "GPU_", "MTL_", "METAL_", "SYCL_", "ONEAPI_"),
    *("ZE_", "ZES_", "OMP_", "GOMP_", "KMP_", "OPENBLAS_", "MKL_", "BLIS_", "VECLIB_", "TESSDATA_"),
)
NETWORK_VARIABLES = (
    *("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"),
    *("SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"),
)


def own_command(flag: str) -> list[str]:
    """Return the command that starts this program with `flag`, from a checkout, installed or frozen."""
    if getattr(sys, "frozen", False):
        program = Path(sys.executable)
        console = program.with_name("fireside.exe")  # on Windows the window's own program has no standard streams
        is_windowed = program.name == WINDOWED_PROGRAM and console.is_file()
        return [str(console) if is_windowed else sys.executable, flag]
    return [sys.executable, "-m", "app", flag]


class Child:
    """A running child; `listen` hears what it says. `folder` becomes its working directory and is created.

    Raises DiskFull or FolderNotWritable where that cannot be. Of our environment the child gets only what is needed,
    with `environment` added; proxies where it is to use the network.
    `work` and `subject` say what it is there for: "document", and the name of a file. One that `tells_progress` knows
    itself whether it gets on (see `claim_wire`): that it computes is then no sign of life. One without `beats` is
    another program, whose silence means nothing.
    """

    popen: ClassVar[type[subprocess.Popen[bytes]]] = subprocess.Popen
    """Starts the process; tests replace it by something quicker."""

    def __init__(
        self,
        command: Sequence[str],
        folder: Path,
        environment: Mapping[str, str] | None = None,
        *,
        uses_network: bool = False,
        work: str = "",
        subject: str = "",
        tells_progress: bool = False,
        beats: bool = True,
        most_line_bytes: int = MAX_LINE_BYTES,
    ) -> None:
        try:
            make_folder(folder)
        except OSError as error:
            raise disk_problem(error, folder) from error
        self.work, self.subject, self._tells_progress = work, subject, tells_progress
        self._beats, self._most_line_bytes = beats, most_line_bytes
        self.was_given_up = False
        self.cage: CageReport | None = None
        """What it can no longer do, as it has tried; None before it said so."""
        self._on_line: Callable[[bytes], None]
        self._on_exit: Callable[[int, str], None]
        self._tail = bytearray()
        # Two threads may send: a long line must not be cut in two by another.
        self._sending = threading.Lock()
        self._lines_heard = 0
        self._is_reading = False
        self._listening = threading.Event()
        # The process is started by its own watcher thread, see `_run_child`.
        begun: Future[subprocess.Popen[bytes]] = Future()
        whole = _child_environment(environment or {}, uses_network=uses_network)
        start = functools.partial(_start_process, self.popen, list(command), folder, whole)
        self._watcher = threading.Thread(target=self._run_child, args=(start, begun), name="child-exit", daemon=True)
        self._watcher.start()
        self._process = begun.result()
        if os.name == "posix":
            os.set_blocking(self._stdin.fileno(), False)  # so that a child that stops reading can be noticed
        name = f"child-{self.pid}"
        self._reader = threading.Thread(target=self._read_lines, name=f"{name}-lines", daemon=True)
        self._listener = threading.Thread(target=self._read_stderr, name=f"{name}-stderr", daemon=True)
        _children.add(self)

    def listen(self, on_line: Callable[[bytes], None], on_exit: Callable[[int, str], None]) -> None:
        """Pass lines to `on_line` from one reader thread; call `on_exit` once after the last.

        `on_exit` gets the exit code and the end of stderr. Every child must be listened to, or it fills its pipes and
        blocks.
        """
        self._on_line, self._on_exit = on_line, on_exit
        self._reader.start()
        self._listener.start()
        # After both threads run, so that nothing a child says at its end is lost.
        self._listening.set()

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def running(self) -> bool:
        """True if the process is there and its last line has not been handed over yet."""
        return self._watcher.is_alive()

    @property
    def _stdin(self) -> IO[bytes]:
        return cast(IO[bytes], self._process.stdin)

    def send(self, line: bytes) -> None:
        """Write one line. Raises OSError if the child is gone or doesn't read in time."""
        deadline = time.monotonic() + SEND_TIMEOUT_S
        with self._sending:
            if self._stdin.closed:
                raise BrokenPipeError("the child's standard input is closed")
            # In pieces, as large lines do not fit into the pipe; the time counts from the last piece that was taken.
            view = memoryview(line)
            while view:
                written = self._stdin.write(view)
                if written is None:  # the pipe is full: a stopped child must not stop us for ever
                    left = deadline - time.monotonic()
                    if left <= 0 or not select.select([], [self._stdin], [], left)[1]:
                        raise TimeoutError("the child does not read")
                else:
                    view = view[written:]
                    deadline = time.monotonic() + SEND_TIMEOUT_S

    def kill_tree(self) -> None:
        # Only while it is not reaped: afterwards another process may have its number.
        if self._process.returncode is None:
            _kill_group(self._process)

    def give_up(self) -> None:
        """Kill an unresponsive child. Waiters see it exit, with `was_given_up` set."""
        self.was_given_up = True
        self.kill_tree()

    def sign_of_life(self) -> object:
        """Return a value that changes whenever the child sends a line or does any work."""
        # What it said and is not taken yet it may be waiting for.
        if not (self._beats and self._is_reading):
            return object()
        return self._lines_heard, None if self._tells_progress else _activity_counters(self.pid)

    def life_check(self) -> Callable[[], bool]:
        """Return a question to ask again and again: whether there was a sign of life since it was asked last."""
        seen = self.sign_of_life()

        def did() -> bool:
            nonlocal seen
            before, seen = seen, self.sign_of_life()
            return bool(seen != before)

        return did

    def tell_cage(self, report: CageReport) -> None:
        """Note what the child said of its cage; of one with work also for `cage_reports`."""
        self.cage = report
        if self.work:
            _cages[self.work] = report
        if report.missing:
            log.info("child %s (%s) is not kept from: %s", self.pid, self.work, [wall.value for wall in report.missing])

    def let_go(self) -> None:
        """Close the child's stdin, which makes it exit; don't wait for that."""
        with self._sending, contextlib.suppress(OSError):
            self._stdin.close()

    def close(self, timeout_s: float = 2.0, goes_on: Callable[[], bool] = lambda: False) -> None:
        """Let go of the child and wait. After `timeout_s` its tree is killed, unless `goes_on` grants another wait."""
        self.let_go()
        # A thread can't wait for itself, so what hears the child's last words ends it at once.
        if threading.current_thread() in (self._reader, self._watcher):
            self.kill_tree()
            return
        self._watcher.join(timeout_s)
        while self._watcher.is_alive() and goes_on():
            self._watcher.join(timeout_s)
        if self._watcher.is_alive():
            self.kill_tree()
            self._watcher.join()

    def _read_lines(self) -> None:
        with io.BufferedReader(cast(io.RawIOBase, self._process.stdout)) as lines:
            while line := self._next_line(lines):
                if line == BEAT:  # see `SilenceWatch`: that it came is all it says
                    continue
                if not line.endswith(b"\n"):
                    # Cut at the limit: the rest would be read as lines of its own.
                    if len(line) >= self._most_line_bytes:
                        log.warning("child %s sent a line without end and is ended", self.pid)
                        self.kill_tree()
                    return
                self._on_line(line)

    def _next_line(self, lines: BinaryIO) -> bytes:
        # Until its line is taken, a child may be waiting in its write.
        self._is_reading = True
        line = lines.readline(self._most_line_bytes)
        self._is_reading = False
        self._lines_heard += 1
        return line

    def _read_stderr(self) -> None:
        with io.BufferedReader(cast(io.RawIOBase, self._process.stderr)) as lines:
            while line := lines.readline(STDERR_TAIL_BYTES):
                # Only the end is kept: a library that warns at every token writes megabytes.
                self._tail += line
                del self._tail[:-STDERR_TAIL_BYTES]
                text = line.decode("utf-8", "replace").rstrip()
                log.log(logging.INFO if text.startswith(NOTE) else logging.DEBUG, "child %s: %s", self.pid, text)

    def _run_child(self, start: Callable[[], subprocess.Popen[bytes]], begun: Future[subprocess.Popen[bytes]]) -> None:
        """Start the child and wait for its end, all in one thread.

        Linux takes the thread that started a child for its parent and signals the child when that thread ends (see
        `end_with_parent`).
        """
        try:
            process = start()
        except BaseException as error:  # noqa: BLE001 - raised again where it was asked for
            begun.set_exception(error)
            return
        threading.current_thread().name = f"child-{process.pid}-exit"
        begun.set_result(process)
        # Waits for listeners first, or a child that ends at once would have nobody to tell.
        self._listening.wait()
        if hasattr(os, "waitid"):
            # Not reaped yet, so the process group is still ours: what the child left behind goes with it.
            os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOWAIT)
            _kill_group(self._process)
        code = self._process.wait()
        # Both have to have read to the end, so that the exit is told last.
        self._reader.join()
        self._listener.join()
        with self._sending, contextlib.suppress(OSError):
            self._stdin.close()
        self._on_exit(code, self._tail.decode("utf-8", "replace").strip())


class SilenceWatch:
    """Finds children from which nothing comes any more, not even that they run. `find_silent` every `BEAT_EVERY_S`.

    It counts looks, not seconds: while the computer sleeps nobody looks, so nobody is found silent after it.
    """

    def __init__(self) -> None:
        # Weak: a child that is gone needs no entry.
        self._seen: weakref.WeakKeyDictionary[Child, tuple[object, int]] = weakref.WeakKeyDictionary()

    def find_silent(self) -> list[Child]:
        """Return the children of which nothing came at the last five looks, ten seconds."""
        silent = []
        for child in running_children():
            # No sign since the last look, not even computing.
            sign = child.sign_of_life()
            before, looks = self._seen.get(child, (None, 0))
            looks = looks + 1 if sign == before else 0
            self._seen[child] = sign, looks
            if looks >= LOOKS_UNTIL_SILENT:
                silent.append(child)
        return silent


_children: weakref.WeakSet[Child] = weakref.WeakSet()


_cages: dict[str, CageReport] = {}


def cage_reports() -> dict[str, CageReport]:
    """Return what the latest child of each work said of its cage."""
    return dict(_cages)


def running_children() -> list[Child]:
    return [child for child in list(_children) if child.running]


def claim_wire(
    *,
    may_save: bool = False,
    is_at_work: Callable[[], bool] = lambda: False,
    progress: Callable[[], tuple[float, ...]] | None = None,
) -> tuple[BinaryIO, BinaryIO]:
    """Return the child's side: stdin and stdout as private binary streams, called before anything else is imported.

    What the child writes from now on is for the person alone. Descriptor 1 then leads to stderr and 0 to nothing, so
    that libraries may print without breaking a line; the child's heart beats, but not where it hangs: where none of the
    figures of `progress` grows while `is_at_work`, which are its computing and its reading of files unless it knows
    better ones; and the child ends with its parent, with `may_save` after `SAVING_S`.
    """
    if sys.platform == "linux":
        end_with_parent(may_save=may_save)
    # The program's files are private; children must not undo that.
    os.umask(0o077)
    # Before anything else is imported: libraries print to 1 as they are loaded.
    reader, writer = os.dup(0), os.dup(1)
    nothing = os.open(os.devnull, os.O_RDWR)
    try:
        os.fstat(2)
    except OSError:  # a windowed program on Windows may have no stderr at all
        os.dup2(nothing, 2)
    # Standard output goes where errors go, input comes from nowhere.
    os.dup2(2, 1)
    os.dup2(nothing, 0)
    os.close(nothing)
    if sys.platform == "win32":
        import msvcrt

        for descriptor in (reader, writer):
            msvcrt.setmode(descriptor, os.O_BINARY)
    if sys.stdout is None:
        sys.stdout = _text_to(1)
    if sys.stderr is None:
        sys.stderr = _text_to(2)
    requests, replies = os.fdopen(reader, "rb"), os.fdopen(writer, "wb")
    beats = (replies, is_at_work, progress or _done_so_far)
    # A daemon, as a child must be able to end while its heart beats.
    global _heart  # noqa: PLW0603 - so are the streams
    _heart = threading.Thread(target=_send_heartbeats, args=beats, name="heart", daemon=True)
    _heart.start()
    return requests, replies


def _send_heartbeats(
    writer: BinaryIO, is_at_work: Callable[[], bool], progress: Callable[[], tuple[float, ...]]
) -> None:
    """Write heartbeats while this process works, to show that Python runs. Each is one `write`, so it never splits a
    line.
    """
    parent, done = os.getppid(), progress()
    with contextlib.suppress(OSError, ValueError):
        while True:
            if _run_order():
                continue
            before, done = done, progress()
            # Its heart itself takes less than this share, so that only work counts.
            least = LEAST_WORK * BEAT_EVERY_S
            if not is_at_work() or any(now - then > least for now, then in zip(done, before, strict=True)):
                writer.write(BEAT)
                writer.flush()
            if sys.platform == "linux" and os.getppid() == parent:
                signal.alarm(0)  # the process was stopped and goes on, nothing else
    if sys.platform != "win32":
        signal.alarm(SAVING_S)  # nobody is there to hear it


_heart: threading.Thread | None = None
_orders: queue.SimpleQueue[tuple[Callable[[], object], threading.Event]] = queue.SimpleQueue()


def run_in_heart(task: Callable[[], object]) -> None:
    """Run a function in the thread of the heartbeats and wait for it: what the kernel holds a thread to must hold
    there, too.
    """
    is_done = threading.Event()
    if _heart is not None and _heart.is_alive():
        _orders.put((task, is_done))
        is_done.wait(ORDER_TIMEOUT_S)  # its thread may end meanwhile, as the parent is gone


def _run_order() -> bool:
    """Wait until the next beat is due; return True if a function had to be run before."""
    try:
        task, is_done = _orders.get(timeout=BEAT_EVERY_S)
    except queue.Empty:
        return False
    task()
    is_done.set()
    return True


def _done_so_far() -> tuple[float, int]:
    """Seconds of computing, and how often a file was read, as far as the system counts that."""
    if sys.platform == "win32":
        return time.process_time(), 0
    import resource

    usage = resource.getrusage(resource.RUSAGE_SELF)
    # Major faults and blocks read: a model that is mapped into memory is read that way.
    return usage.ru_utime + usage.ru_stime, usage.ru_majflt + usage.ru_inblock


def end_with_parent(*, may_save: bool) -> None:
    """Have the system end this process when its parent ends, whatever Python and libraries are doing.

    A process that may save gets a signal that also wakes a stopped process. Its handler is the C library's own `alarm`,
    which takes the signal's number as the seconds left: a Python handler would wait for the interpreter's lock, which
    may never come.
    """
    import ctypes

    libc = ctypes.CDLL(None)
    number = int(signal.SIGKILL)
    if may_save:
        # Stopped processes (SIGSTOP) hear of nothing but this and SIGKILL.
        number = LAST_SIGNAL
        libc.signal.argtypes = (ctypes.c_int, ctypes.c_void_p)
        libc.signal.restype = ctypes.c_void_p
        libc.signal(number, ctypes.cast(libc.alarm, ctypes.c_void_p))
    libc.prctl(PR_SET_PDEATHSIG, number)
    parent = os.environ.get(PARENT_VARIABLE)
    if parent and parent != str(os.getppid()):  # it ended before
        os._exit(0)


def _text_to(descriptor: int) -> TextIO:
    return os.fdopen(os.dup(descriptor), "w", encoding="utf-8", errors="replace", buffering=1)


def _child_environment(changes: Mapping[str, str], *, uses_network: bool) -> dict[str, str]:
    """Return what is needed of ours, with `changes`; `-m app` finds the checkout, never an `app.py` in the child's
    folder.
    """
    # The names are upper case on Windows and any case elsewhere, for proxies in particular.
    wanted = NEEDED_VARIABLES + (NETWORK_VARIABLES if uses_network else ())
    environment = {
        name: value
        for name, value in os.environ.items()
        if name.upper() in wanted or name.upper().startswith(NEEDED_BEGINNINGS)
    }
    if not getattr(sys, "frozen", False):
        environment["PYTHONSAFEPATH"] = "1"
        if (CHECKOUT / "pyproject.toml").exists():
            environment["PYTHONPATH"] = os.pathsep.join(filter(None, [str(CHECKOUT), environment.get("PYTHONPATH")]))
    return environment | dict(changes)


def _start_process(
    popen: type[subprocess.Popen[bytes]], command: list[str], folder: Path, environment: dict[str, str]
) -> subprocess.Popen[bytes]:
    return popen(
        command,
        cwd=folder,
        # The parent's number, to notice that it ended before the child could ask to be told.
        env=environment | {PARENT_VARIABLE: str(os.getpid())},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        bufsize=0,  # unbuffered: Python would wait for more than there is
        # A session and a group of its own, so that all that it starts can be ended with it.
        start_new_session=os.name == "posix",
        creationflags=CREATION_FLAGS,
    )


def _activity_counters(pid: int) -> object:
    """Return counters that change while a process computes or waits for a disk (Linux)."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()
    except OSError:
        return None
    # Waiting for a disk is life, and counters stand still meanwhile.
    return object() if fields[0] == b"D" else fields[11:13]  # user and system time


def _kill_group(process: subprocess.Popen[bytes]) -> None:
    """Kill a process that was not reaped yet, with everything that it started."""
    if sys.platform == "win32":
        subprocess.run(["taskkill", "/T", "/F", "/PID", str(process.pid)], capture_output=True, check=False)
        return
    with contextlib.suppress(ProcessLookupError, PermissionError):
        # PermissionError: macOS refuses a group that holds only a zombie
        os.killpg(process.pid, signal.SIGKILL)
