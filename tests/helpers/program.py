"""The real program in a real window: started as a process, driven with real keys by xdotool."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import closing, suppress
from pathlib import Path
from typing import Any, ClassVar

import psutil

from tests.helpers import warm

ROOT = Path(__file__).resolve().parents[2]


WAIT_S = 90
"""A limit for what never comes; a machine at work may take its time."""
AGAIN_S = 5


def wait_until(condition: Callable[[], Any], what: str, timeout_s: float = WAIT_S) -> Any:
    """The first true value of `condition`; fails with `what` when none came in time.

    Another process can only be looked at again and again; this is the one place that does it. The longer it took, the
    longer it rests between: a look may be a process of its own.
    """
    began = time.monotonic()
    ends = began + timeout_s
    while True:
        value = condition()
        if value:
            return value
        assert time.monotonic() < ends, f"waited {timeout_s} s for {what}"
        time.sleep(min(0.1, max(0.01, (time.monotonic() - began) / 10)))


class Program:
    """One running Fireside with its own home; keys go to its window. `around` is a command that runs it."""

    popen: ClassVar[type[subprocess.Popen[bytes]]] = subprocess.Popen

    def __init__(self, home: Path, environment: dict[str, str] | None = None, around: Sequence[str] = ()) -> None:
        self.home = home
        env = {k: v for k, v in os.environ.items() if k != "QT_QPA_PLATFORM"}
        env |= {"FIRESIDE_HOME": str(home)} | (environment or {})
        self._stderr = (home.parent / f"stderr-{time.monotonic_ns()}").open("wb")
        self.process = self.popen(
            [*around, sys.executable, "-m", "app"], cwd=ROOT, env=env, stdin=subprocess.DEVNULL, stderr=self._stderr
        )
        self.window = self._find_window()

    def _find_window(self) -> str:
        def search() -> str | None:
            assert self.process.poll() is None, f"ended with {self.process.returncode}: {self.stderr()}"
            found = xdotool(
                "search", "--all", "--onlyvisible", "--pid", str(self.process.pid), "--name", "Fireside", check=False
            )
            return found.split()[0] if found.split() else None

        return str(wait_until(search, "the window"))

    def stderr(self) -> str:
        """What the program said on standard error."""
        return Path(self._stderr.name).read_text("utf-8", "replace")

    def focus(self) -> None:
        """Brings the window to the front and waits until it has the keyboard."""
        assert self.process.poll() is None, f"ended with {self.process.returncode}: {self.stderr()}"
        xdotool("windowactivate", "--sync", self.window)

    def type(self, text: str) -> None:
        """Types into whatever has the focus."""
        self.focus()
        xdotool("type", "--delay", "1", text)

    def press(self, *keys: str) -> None:
        """Presses keys by their X names, such as `Return` or `ctrl+n`."""
        self.focus()
        xdotool("key", *keys)

    def press_until(self, condition: Callable[[], Any], what: str, *keys: str, again_s: float = AGAIN_S) -> Any:
        """Presses keys for what the window may not be ready for yet, though its store tells that it should be.

        Where nothing comes of it for a while they are pressed again. Returns the first true value of `condition`.
        """

        def comes() -> Any:
            self.press(*keys)
            with suppress(AssertionError):
                return wait_until(condition, what, again_s)
            return None

        return wait_until(comes, what)

    def choose_file(self, title: str, path: Path) -> None:
        """Types a path into the dialog for files with this title, once that has the keyboard."""

        def dialogs() -> list[str]:
            pid = str(self.process.pid)
            return xdotool("search", "--all", "--onlyvisible", "--pid", pid, "--name", title, check=False).split()

        (dialog, *_) = wait_until(dialogs, f"the dialog “{title}”")
        xdotool("windowactivate", "--sync", dialog)
        xdotool("key", "ctrl+a")
        xdotool("type", "--delay", "1", str(path))
        xdotool("key", "Return")
        wait_until(lambda: not dialogs(), "the dialog to close")

    def ask(self, text: str) -> None:
        """Types a question and sends it."""
        self.type(text)
        self.press("Return")

    def messages(self) -> list[tuple[str, str, str]]:
        """Role, text and state of every stored message, oldest first, read beside the running program."""
        return self.rows("SELECT role, text, state FROM messages ORDER BY id")

    def last_stats(self) -> dict[str, Any]:
        """The statistics stored with the newest answer that has some."""
        rows = self.rows("SELECT stats FROM messages WHERE stats IS NOT NULL ORDER BY id DESC LIMIT 1")
        return json.loads(rows[0][0]) if rows else {}

    def rows(self, query: str) -> list[Any]:
        """What the program's database says now, read beside it."""
        database = self.home / "data" / "fireside.db"
        if not database.exists():
            return []
        with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True, timeout=5)) as connection:
            try:
                return connection.execute(query).fetchall()
            except sqlite3.OperationalError:
                return []  # the schema is just being made

    def children(self) -> list[int]:
        """Process ids of everything the program started."""
        found: list[int] = []
        for task in Path("/proc").glob(f"{self.process.pid}/task/*/children"):
            found += [int(pid) for pid in task.read_text().split()]
        return found

    def engine(self) -> int:
        """The process id of the engine's child; others come and go beside it."""
        (found,) = [pid for pid in self.children() if b"--engine-worker" in Path(f"/proc/{pid}/cmdline").read_bytes()]
        return found

    def quit(self) -> int:
        """Closes the window as a person would; returns the exit code."""
        self.press("ctrl+q")
        code = self.process.wait(timeout=WAIT_S)
        self._stderr.close()
        assert open_to_others(self.home) == []
        return code

    def kill(self) -> None:
        """SIGKILL, as a power cut would."""
        if self.process.poll() is None:
            self._tell_state()
            self.process.send_signal(signal.SIGKILL)
        self.process.wait(timeout=WAIT_S)
        self._stderr.close()

    def _tell_state(self) -> None:
        """Print what somebody wants to know whose test has failed; of others pytest shows it to nobody."""
        with suppress(Exception):
            print("\n".join(f"{role}, {state}: {text[:200]}" for role, text, state in self.messages()))
        for log in sorted(self.home.glob("**/*.log")):
            print(f"{log.name}:", *log.read_text("utf-8", "replace").splitlines()[-20:], sep="\n")


def children_of(pid: int | None = None) -> list[int]:
    """What a process, by default this one, has started and what still runs, but for `tests.helpers.warm`."""
    started = {child.pid for child in psutil.Process(pid).children()} - warm.pids()
    return sorted(pid for pid in started if not is_gone(pid))


def open_to_others(home: Path) -> list[str]:
    """What below a home somebody else on this computer may read, write or list."""
    found = [path for path in home.rglob("*") if not path.is_symlink() and path.lstat().st_mode & 0o077]
    return [f"{path.relative_to(home)} {path.stat().st_mode & 0o777:o}" for path in found]


def is_gone(pid: int) -> bool:
    """Whether a process has ended (a zombie counts as ended)."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return True
    return state in ("Z", "X")


def xdotool(*arguments: str, check: bool = True) -> str:
    done = subprocess.run(["xdotool", *arguments], capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 0 or not check, f"xdotool {arguments}: {done.stderr}"
    return done.stdout
