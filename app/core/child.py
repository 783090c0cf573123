"""The one way to have a child process: spawned in a group of its own, spoken to in lines, ended with its whole tree."""

from __future__ import annotations

import contextlib
import io
import logging
import os
import select
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO, BinaryIO, TextIO, cast

log = logging.getLogger(__name__)

MAX_LINE_BYTES = 64 * 1024 * 1024
STDERR_TAIL_BYTES = 8 * 1024
NOTE = "note: "  # what a child says for the log, among what its libraries print
SEND_TIMEOUT_S = 10.0
CREATION_FLAGS: int = sum(
    getattr(subprocess, f"CREATE_{flag}", 0) for flag in ("NEW_PROCESS_GROUP", "NO_WINDOW")
)  # Windows
CHECKOUT = Path(__file__).resolve().parents[2]

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
    """The command that starts this program again with `flag`, from a checkout, installed or frozen."""
    if getattr(sys, "frozen", False):
        return [sys.executable, flag]
    return [sys.executable, "-m", "app", flag]


class Child:
    """A running child; `listen` hears what it says. `folder` becomes its working directory and is created.

    Of our environment it gets only what is needed, with `environment` added; proxies where it is to use the network.
    """

    def __init__(
        self,
        command: Sequence[str],
        folder: Path,
        environment: Mapping[str, str] | None = None,
        *,
        uses_network: bool = False,
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._on_line: Callable[[bytes], None]
        self._on_exit: Callable[[int, str], None]
        self._tail = bytearray()
        self._sending = threading.Lock()
        self._process = subprocess.Popen(
            list(command),
            cwd=folder,
            env=_environment(environment or {}, uses_network=uses_network),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            bufsize=0,
            start_new_session=os.name == "posix",
            creationflags=CREATION_FLAGS,
        )
        if os.name == "posix":
            os.set_blocking(self._stdin.fileno(), False)
        name = f"child-{self.pid}"
        self._reader = threading.Thread(target=self._read_lines, name=f"{name}-lines", daemon=True)
        self._listener = threading.Thread(target=self._read_stderr, name=f"{name}-stderr", daemon=True)
        self._watcher = threading.Thread(target=self._watch, name=f"{name}-exit", daemon=True)

    def listen(self, on_line: Callable[[bytes], None], on_exit: Callable[[int, str], None]) -> None:
        """Hands lines to `on_line` from one reader thread, and after the last calls `on_exit` once.

        `on_exit` gets the exit code and the end of stderr. Every child must be listened to, or it fills its pipes.
        """
        self._on_line, self._on_exit = on_line, on_exit
        for thread in (self._reader, self._listener, self._watcher):
            thread.start()

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid

    @property
    def running(self) -> bool:
        """Whether the process is there and its last line has not been handed over yet."""
        return self._watcher.is_alive()

    @property
    def _stdin(self) -> IO[bytes]:
        return cast(IO[bytes], self._process.stdin)

    def send(self, line: bytes) -> None:
        """Writes one line; raises OSError when the child is gone or does not take it in time."""
        deadline = time.monotonic() + SEND_TIMEOUT_S
        with self._sending:
            if self._stdin.closed:
                raise BrokenPipeError("the child's standard input is closed")
            view = memoryview(line)
            while view:
                written = self._stdin.write(view)
                if written is None:  # the pipe is full: a stopped child must not stop us for ever
                    left = deadline - time.monotonic()
                    if left <= 0 or not select.select([], [self._stdin], [], left)[1]:
                        raise TimeoutError("the child does not read")
                else:
                    view = view[written:]

    def kill_tree(self) -> None:
        """Ends the child and everything it started, at once."""
        if self._process.returncode is None:
            _kill_group(self._process)

    def let_go(self) -> None:
        """Closes the child's stdin, which it answers by leaving; does not wait for that."""
        with self._sending, contextlib.suppress(OSError):
            self._stdin.close()

    def close(self, timeout_s: float = 2.0, goes_on: Callable[[], bool] = lambda: False) -> None:
        """Lets go of the child; after `timeout_s` its tree is killed, unless `goes_on` then says to wait once more."""
        self.let_go()
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
            while line := lines.readline(MAX_LINE_BYTES):
                if not line.endswith(b"\n"):
                    if len(line) >= MAX_LINE_BYTES:
                        log.warning("child %s sent a line without end and is ended", self.pid)
                        self.kill_tree()
                    return
                self._on_line(line)

    def _read_stderr(self) -> None:
        with io.BufferedReader(cast(io.RawIOBase, self._process.stderr)) as lines:
            while line := lines.readline(STDERR_TAIL_BYTES):
                self._tail += line
                del self._tail[:-STDERR_TAIL_BYTES]
                text = line.decode("utf-8", "replace").rstrip()
                log.log(logging.INFO if text.startswith(NOTE) else logging.DEBUG, "child %s: %s", self.pid, text)

    def _watch(self) -> None:
        if hasattr(os, "waitid"):
            # Not reaped yet, so the process group is still ours: what the child left behind goes with it.
            os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOWAIT)
            _kill_group(self._process)
        code = self._process.wait()
        self._reader.join()
        self._listener.join()
        with self._sending, contextlib.suppress(OSError):
            self._stdin.close()
        self._on_exit(code, self._tail.decode("utf-8", "replace").strip())


def claim_wire() -> tuple[BinaryIO, BinaryIO]:
    """The child's side: stdin and stdout as private binary streams, called before anything else is imported.

    Afterwards descriptor 1 leads to stderr and 0 to nothing, so that libraries may print without breaking a line.
    """
    reader, writer = os.dup(0), os.dup(1)
    nothing = os.open(os.devnull, os.O_RDWR)
    try:
        os.fstat(2)
    except OSError:  # a windowed program on Windows may have no stderr at all
        os.dup2(nothing, 2)
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
    return os.fdopen(reader, "rb"), os.fdopen(writer, "wb")


def _text_to(descriptor: int) -> TextIO:
    return os.fdopen(os.dup(descriptor), "w", encoding="utf-8", errors="replace", buffering=1)


def _environment(changes: Mapping[str, str], *, uses_network: bool) -> dict[str, str]:
    """What is needed of ours, with `changes`; `-m app` finds the checkout, never an `app.py` in the child's folder."""
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


def _kill_group(process: subprocess.Popen[bytes]) -> None:
    """Kills a process that was not reaped yet, with its descendants."""
    if sys.platform == "win32":
        subprocess.run(["taskkill", "/T", "/F", "/PID", str(process.pid)], capture_output=True, check=False)
        return
    with contextlib.suppress(ProcessLookupError, PermissionError):
        # PermissionError: macOS refuses a group that holds only a zombie
        os.killpg(process.pid, signal.SIGKILL)
