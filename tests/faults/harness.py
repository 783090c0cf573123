"""Programs at work that are killed, starved or doubled, and what must be true of their home after a restart."""

from __future__ import annotations

import json
import os
import re
import signal
import sqlite3
import sys
import time
import zipfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, ClassVar

import psutil

from app.bootstrap import Fireside, build_program
from app.core.events import Role
from app.core.paths import AppPaths
from app.store.conversations import MessageState
from tests.helpers import warm
from tests.helpers.program import ROOT, is_gone, wait_until

PASSING = re.compile(r"(^\.fireside-)|\.(part|part\.json|part\.lock|tmp)$|-journal$|\.part-")
"""Names of files that are there for a while only; of the database itself, its own journals are kept."""
LINES = 400
"""Of the chats that are exported and migrated."""


class BusyProgram:
    """A program that does one thing over and over; see `tests.faults.using_program`."""

    begun: ClassVar[list[BusyProgram]] = []

    def __init__(
        self, activity: str, folder: Path, *arguments: str, around: Sequence[str] = (), beside: Path | None = None
    ) -> None:
        """`around` is a command that runs it; what it says is written in the folder `beside`, or above `folder`."""
        self.said, self.complained = (
            (beside or folder.parent) / f"{time.monotonic_ns()}.{end}" for end in ("out", "err")
        )
        command = [*around, sys.executable, "-m", "tests.faults.using_program", activity, str(folder), *arguments]
        with self.said.open("wb") as out, self.complained.open("wb") as err:
            self.process = warm.Process(command, cwd=ROOT, stdout=out, stderr=err)
        self.begun.append(self)

    def steps(self) -> list[dict[str, Any]]:
        """What it has told so far."""
        return [line for line in self._lines() if "spared" not in line]

    def _lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.said.read_text().splitlines(keepends=True) if line.endswith("\n")]

    def wait_for(self, count: int = 1) -> None:
        """Until it has told so many steps."""

        def has_told() -> bool:
            assert self.process.poll() is None, self.complaints()
            return len(self.steps()) >= count

        wait_until(has_told, "the first steps")

    def wait_until(self, condition: Callable[[list[dict[str, Any]]], object]) -> None:
        """Until something is true of what it has told."""

        def is_so() -> object:
            assert self.process.poll() is None, self.complaints()
            return condition(steps) if (steps := self.steps()) else False

        wait_until(is_so, "what it should tell")

    def told(self) -> set[str]:
        """The names of what went wrong, by its own words."""
        return {step["told"] for step in self.steps() if "told" in step}

    def complaints(self) -> str:
        """What it wrote on standard error."""
        return self.complained.read_text("utf-8", "replace")

    def children(self) -> list[int]:
        """All that it has started, and what that has, but for what its children begin warm from."""
        spared = next((line["spared"] for line in self._lines() if "spared" in line), [])
        started = {one.pid for one in psutil.Process(self.process.pid).children(recursive=True)}
        return sorted(pid for pid in started - set(spared) if not is_gone(pid) and not _is_warm(pid))

    def kill(self) -> float:
        """SIGKILL; returns when, after its children have left."""
        children = self.children() if self.process.poll() is None else []
        killed_s = time.monotonic()
        self.process.kill()
        self.process.wait()
        wait_until(lambda: all(map(is_gone, children)), "its children to leave")
        return killed_s


def _is_warm(pid: int) -> bool:
    """Whether others are forked from this process, which may have been begun after the program told of those.

    What is forked from it bears its name, but leads a session of its own.
    """
    try:
        return "tests.helpers.warm" in psutil.Process(pid).cmdline() and os.getsid(pid) != pid
    except (psutil.Error, ProcessLookupError):
        return True  # it has just ended


def rest(seconds: float) -> None:
    """Let so much time pass in what runs beside."""
    ends_s = time.monotonic() + seconds
    wait_until(lambda: time.monotonic() >= ends_s, "the moment")


@contextmanager
def restarted() -> Iterator[Fireside]:
    """The program after a restart that has tidied up, without a window."""
    app = build_program()
    try:
        assert app.database.moved_aside is None, "the database was taken for damaged"
        app.housekeeping.remove_unreferenced()
        yield app
    finally:
        app.close()


def check_database(path: Path) -> None:
    """Fail unless SQLite finds nothing wrong."""
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []


def left_in(*folders: Path) -> list[str]:
    """Files that should have been there for a while only, and folders that children worked in."""
    files = [path for folder in folders for path in folder.rglob("*") if PASSING.search(path.name)]
    passing = AppPaths.from_environment().documents
    children = [path for path in passing.iterdir() if path.is_dir()] if passing.is_dir() else []
    return sorted(str(path) for path in [*files, *children])


def fill_with_chats(count: int = 20) -> None:
    """Chats to be exported or migrated."""
    app = build_program()
    try:
        for number in range(count):
            talk = app.conversations.create(title=f"Chat {number}")
            parent: int | None = None
            for line in range(LINES // count):
                role = Role.ASSISTANT if line % 2 else Role.USER
                parent = app.conversations.add_message(talk.id, parent, role, f"Line {line}. " * 40).id
    finally:
        app.close()


def check_export(path: Path) -> None:
    """Fail unless a file under a final name is whole."""
    if path.suffix == ".json":
        chats = json.loads(path.read_text("utf-8"))["chats"]
        assert sum(len(chat["messages"]) for chat in chats) == LINES
    elif path.suffix in (".backup", ".docx"):
        with zipfile.ZipFile(path) as archive:
            assert archive.testzip() is None
    else:
        assert len(re.findall(r"(?:Line \d+\. ?){40}", path.read_text("utf-8"))) == LINES


def check_all_there(documents: Path) -> None:
    """Fail unless all that was stored is there and nothing else is left."""
    check_database(AppPaths.from_environment().database)
    with restarted() as app:
        whole = [app.conversations.read_branch(row.id) for row in app.conversations.find()]
        assert sum(len(branch) == 20 for branch in whole) == 20
        assert {message.state for branch in whole for message in branch} <= {
            *(MessageState.COMPLETE, MessageState.INTERRUPTED, MessageState.FAILED)
        }
        for path in documents.glob("chats.*"):
            check_export(path)
        assert left_in(app.paths.data, documents) == []


def stop(pid: int, number: int = signal.SIGKILL) -> None:
    """Send a signal to one process."""
    os.kill(pid, number)
