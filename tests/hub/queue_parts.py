"""What the tests of the download queue share: a place for it to live, a listener, and a scripted child."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import queue
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from app.core.events import CancelToken
from app.hub.access import NetworkAccess
from app.hub.download import Download, DownloadRequest
from app.hub.downloads import Downloads
from app.hub.model_files import RemoteFile
from app.hub.part import companion_path, file_place
from app.hub.protocol import ChildEvent, Done, Fetched, Job, Phase
from app.store.database import Database
from app.store.jobs import JobTable
from tests.helpers.program import wait_until

TIMEOUT_S = 20


class ShortcutListener:
    """Hears every change, from any thread, and lets a test wait for one."""

    def __init__(self) -> None:
        self.heard: list[Download] = []
        self._condition = threading.Condition()

    def __call__(self, download: Download) -> None:
        with self._condition:
            self.heard.append(download)
            self._condition.notify_all()

    def latest(self, id_: int) -> Download:
        """What was said last of an item."""
        return next(download for download in reversed(self.heard) if download.id == id_)

    def wait(self, id_: int, condition: str | Callable[[Download], bool]) -> Download:
        """The first thing said of an item, from the latest on, that fits: a state, or any condition."""

        def fits() -> bool:
            known = [download for download in self.heard if download.id == id_]
            if not known:
                return False
            return known[-1].state == condition if isinstance(condition, str) else condition(known[-1])

        with self._condition:
            assert self._condition.wait_for(fits, TIMEOUT_S), f"never {condition}: {self.heard[-3:]}"
            return self.latest(id_)

    def wait_more(self) -> None:
        """Waits until anything more is said, or a moment has passed."""
        with self._condition:
            self._condition.wait(0.2)

    def wait_any(self, condition: Callable[[Download], bool]) -> Download:
        """The first thing ever said, of any item, that fits."""
        with self._condition:
            assert self._condition.wait_for(lambda: any(map(condition, self.heard)), TIMEOUT_S), self.heard[-3:]
            return next(filter(condition, self.heard))

    def states(self, id_: int) -> list[str]:
        """The states of an item in their order, each once in a row."""
        found: list[str] = []
        for download in self.heard:
            if download.id == id_ and found[-1:] != [download.state]:
                found.append(download.state)
        return found


class ScriptedFetch:
    """In place of the child: does what the test says, file by file, and leaves on the disk what a child would."""

    def __init__(self) -> None:
        self.jobs: list[Job] = []
        self.running: list[str] = []
        self.most_at_once = 0
        self._orders: dict[str, queue.SimpleQueue[ChildEvent | Exception]] = {}
        self._condition = threading.Condition()

    def __call__(self, job: Job, *, folder: Path, cancel: CancelToken) -> Iterator[ChildEvent]:
        assert job.file not in self.running, "two children at one file"
        with self._condition:
            self.jobs.append(job)
            self.running.append(job.file)
            self.most_at_once = max(self.most_at_once, len(self.running))
            self._condition.notify_all()
        try:
            last: ChildEvent | None = None
            while not cancel.cancelled:
                try:
                    order = self.orders(job.file).get(timeout=0.05)
                except queue.Empty:
                    if last is not None:
                        yield last  # as `fetch` does, only more often
                    continue
                if isinstance(order, Exception):
                    raise order
                last = self.leave_on_disk(job, order)
                yield last
                if isinstance(order, Done):
                    return
        finally:
            with self._condition:
                self.running.remove(job.file)
                self._condition.notify_all()

    def orders(self, name: str) -> queue.SimpleQueue[ChildEvent | Exception]:
        """What is still to happen to a file."""
        return self._orders.setdefault(name, queue.SimpleQueue())

    def wait_for(self, condition: Callable[[], bool]) -> None:
        """Waits until something is true of `running` or `jobs`."""
        with self._condition:
            assert self._condition.wait_for(condition, TIMEOUT_S), f"running: {self.running}"

    def wait_running(self, *names: str) -> None:
        """Waits until exactly these files are being fetched."""
        self.wait_for(lambda: sorted(self.running) == sorted(names))

    def fetched(self, file: RemoteFile, done_bytes: int) -> None:
        """The child has so much of a file."""
        self.orders(file.name).put(Phase("downloading"))
        self.orders(file.name).put(Fetched(done_bytes, file.size_bytes))

    def finish(self, file: RemoteFile, resumed_bytes: int = 0) -> None:
        """The child has all of it."""
        self.orders(file.name).put(done_event(file, resumed_bytes))

    def fail(self, file: RemoteFile, error: Exception) -> None:
        """The child ends with this."""
        self.orders(file.name).put(error)

    def leave_on_disk(self, job: Job, event: ChildEvent) -> ChildEvent:
        """What a child leaves when it has said this."""
        path = file_place(Path(job.folder), job.repo, job.file)
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(event, Fetched):
            companion_path(path, ".part").write_bytes(b"x" * event.done_bytes)
            companion_path(path, ".part.json").write_text("{}")
        if isinstance(event, Done):
            companion_path(path, ".part").unlink(missing_ok=True)
            companion_path(path, ".part.json").unlink(missing_ok=True)
            path.write_bytes(b"x" * event.size_bytes)
            companion_path(path, ".json").write_text(json.dumps({"sha256": event.sha256}))
            return dataclasses.replace(event, path=str(path))
        return event


class Home:
    """A computer on which the queue lives, restart after restart."""

    def __init__(self, folder: Path, fetch: Any = None) -> None:
        self.folder = folder
        self.models = folder / "models"
        self.listener = ShortcutListener()
        self.fetch = fetch or ScriptedFetch()
        self.access = NetworkAccess(endpoint="http://127.0.0.1:1")
        self.copies: dict[str, Path] = {}
        self.asked: list[str] = []
        self._open = ExitStack()
        self.database: Database
        self.jobs: JobTable
        self.downloads: Downloads

    def open(self, *, start: bool = True) -> Downloads:
        """The program starts."""
        self.database = Database.open(self.folder / "fireside.db")
        self._open.callback(self.database.close)
        self.jobs = JobTable(self.database)
        self.downloads = Downloads(
            jobs=self.jobs,
            fetch=self.fetch,
            folder=lambda: self.models,
            access=lambda: self.access,
            ledger_path=self.folder / "connections.jsonl",
            work_folder=self.folder / "work",
            local_copy=self._local_copy,
            on_change=self.listener,
        )
        self._open.callback(self.downloads.close)
        if start:
            self.downloads.start()
        return self.downloads

    def close(self) -> None:
        """The program ends."""
        self._open.close()

    def _local_copy(self, file: RemoteFile) -> Path | None:
        self.asked.append(file.name)
        return self.copies.get(file.sha256)

    def now(self, id_: int) -> Download:
        """An item as the queue shows it."""
        return next(each for each in self.downloads.all() if each.id == id_)

    def wait_until_gone(self, id_: int) -> None:
        """Until a cancelled item's row is gone, which is the last thing of a cancel."""
        wait_until(lambda: self.jobs.get(id_) is None, "the row to go")

    def path_of(self, name: str, repo: str = "org/model") -> Path:
        """Where a file of the usual repository goes."""
        return file_place(self.models, repo, name)

    def files(self) -> list[str]:
        """The names of all files in the models folder."""
        return sorted(path.name for path in self.models.rglob("*") if path.is_file())


def remote(name: str, size_bytes: int = 1000) -> RemoteFile:
    """A file as the Hub lists it."""
    return RemoteFile(name, size_bytes, hashlib.sha256(name.encode()).hexdigest())


A, B, C, D = (remote(f"{name}.gguf") for name in "abcd")
PARTS = tuple(remote(f"large-0000{number}-of-00003.gguf", 1000 * number) for number in (1, 2, 3))
VISION = remote("mmproj.gguf", 500)


def done_event(file: RemoteFile, resumed_bytes: int = 0) -> Done:
    """The last thing a child says of a file."""
    return Done("", file.size_bytes, file.sha256, "c0ffee", resumed_bytes, 0.1)


def request(*files: RemoteFile, vision: RemoteFile | None = None, repo: str = "org/model") -> DownloadRequest:
    """A request for some files."""
    return DownloadRequest(repo, "c0ffee", f"Model {files[0].name}", files, vision, "apache-2.0")
