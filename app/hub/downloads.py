"""The download queue: two at a time in their order, paused, resumed and cancelled at any moment, kept over restarts."""

from __future__ import annotations

import json
import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Protocol

from app.core.errors import AppError, DownloadFailed, DownloadRunning, NetworkOff
from app.core.events import CancelToken
from app.core.wire import from_json, to_json
from app.hub.access import Access
from app.hub.files import RemoteFile
from app.hub.part import PROVENANCE, beside, check_room, fetched_bytes, place, reserve_for, throw_away
from app.hub.protocol import ChildEvent, Done, Fetched, Job, Phase

__all__ = ["Download", "DownloadRequest", "Downloads"]

log = logging.getLogger(__name__)

MOST_AT_ONCE = 2
CLOSE_TIMEOUT_S = 1.5


class Downloads:
    """The queue; every method from any thread, and an id that is not in the queue is passed over.

    `on_change` hears each new state, and a running item's progress up to five times a second, on any thread; the last
    that is said of an item is never older than what was said before. It must not wait for other threads.
    """

    def __init__(
        self,
        *,
        jobs: JobStore,
        fetch: Fetch,
        folder: Callable[[], Path],
        access: Callable[[], Access],
        ledger_path: Path,
        work_folder: Path,
        local_copy: Callable[[RemoteFile], Path | None],
        on_change: Callable[[Download], None],
    ) -> None:
        self._store, self._folder, self._on_change = StoredQueue(jobs), folder, on_change
        self._lock = threading.RLock()
        self._telling = threading.RLock()
        self._adding = threading.Lock()
        self._closed = False
        self._fetching = Fetching(fetch, folder, access, ledger_path, work_folder, local_copy, self._lock)
        self._items = {item.id: item for item in self._store.load(self._fetching.look)}

    def start(self) -> None:
        """After a restart: what was running or queued goes on by itself, what was paused stays so."""
        with self._changing() as changed:
            for item in self._items.values():
                item.is_awake = True
            self._start_next(changed)

    def add(self, request: DownloadRequest) -> Download:
        """Queues it behind all others; an item for the same files is taken up again instead.

        Where its files and those before it in the queue do not fit on the disk, it fails with NotEnoughDisk at once.
        Local copies are looked for then, which may take seconds. May raise DiskFull or FolderNotWritable.
        """
        with self._adding:
            same = self._find_same(request)
            if same is not None:
                self.resume(same.id)
                return self._snapshot(same)
            item = self._store.add(request)
            with self._lock:
                self._items[item.id] = item
        error = self._problem_of(item)
        with self._changing() as changed:
            item.is_awake = True
            if error is not None and item.state == "queued":
                item.state, item.error = "failed", error
            changed.append(item)
            self._start_next(changed)
        return self._snapshot(item)

    def pause(self, download_id: int) -> None:
        """Stops it at once and keeps what was fetched."""
        self._pause(lambda item: item.id == download_id, None)

    def pause_all(self, reason: AppError | None = None) -> None:
        """Stops all that run or wait, as when the network is switched off."""
        self._pause(lambda item: True, reason)

    def resume(self, download_id: int) -> None:
        """Queues a paused or failed item again, at its old place."""
        with self._changing() as changed:
            item = self._items.get(download_id)
            if item is None or not item.is_open:
                return
            item.is_awake = True
            if item.state in ("paused", "failed"):
                item.state, item.error = "queued", None
                changed.append(item)
            self._start_next(changed)

    def retry(self, download_id: int) -> None:
        """Queues a failed item again."""
        self.resume(download_id)

    def cancel(self, download_id: int) -> None:
        """Stops it at once and deletes what was fetched, unless that is a whole model or another item wants it."""
        with self._changing() as changed:
            item = self._items.get(download_id)
            if item is None or not item.is_open:
                return
            item.state, item.is_awake = CANCELLED, True
            item.cancel.cancel()
            changed.append(item)
            self._start_next(changed)

    def remove(self, download_id: int) -> None:
        """Forgets a finished item; its files stay."""
        with self._changing() as changed:
            item = self._items.get(download_id)
            if item is not None and item.state == "done":
                self._forget(item)
                changed.append(item)

    def all(self) -> list[Download]:
        """The whole queue in its order, finished items included."""
        with self._lock:
            return [item.snapshot() for item in self._in_order() if item.state != CANCELLED]

    def settle(self, timeout_s: float = 5.0) -> bool:
        """Waits until nobody is at the files of what does not run (any more); whether that is so."""
        with self._lock:
            ending = [item.worker for item in self._items.values() if item.worker and item.state != "running"]
        return _joined(ending, timeout_s)

    def close(self) -> None:
        """Ends all children and leaves everything so that the next start goes on; safe to call twice."""
        with self._lock:
            self._closed = True
            workers = [item.worker for item in self._items.values() if item.worker]
            for item in self._items.values():
                item.cancel.cancel()
        _joined(workers, CLOSE_TIMEOUT_S)

    def _find_same(self, request: DownloadRequest) -> QueuedDownload | None:
        with self._changing() as changed:
            for item in list(self._items.values()):
                if item.request.wants_the_same(request):
                    if item.is_open:
                        return item
                    if item.state == "done":
                        self._forget(item)
                        changed.append(item)
        return None

    def _problem_of(self, item: QueuedDownload) -> AppError | None:
        """Why it will not be fetched, as far as that can be said before; copies elsewhere take no room."""
        try:
            self._fetching.look(item)
            try:
                self._check_room(item)
            except AppError:
                self._fetching.find_copies(item)
                self._check_room(item)
        except AppError as error:
            return error
        return None

    def _check_room(self, item: QueuedDownload) -> None:
        with self._lock:
            check(item, self._items.values(), self._folder())

    def _ahead_bytes(self, item: QueuedDownload) -> int:
        with self._lock:
            return ahead_bytes(item, self._items.values(), self._folder())

    def _pause(self, is_meant: Callable[[QueuedDownload], bool], reason: AppError | None) -> None:
        with self._changing() as changed:
            for item in self._items.values():
                if is_meant(item) and item.state in ("queued", "running"):
                    item.state, item.error = "paused", reason
                    item.cancel.cancel()
                    changed.append(item)

    def _start_next(self, changed: list[QueuedDownload]) -> None:
        """Gives free places to those whose turn it is."""
        for item in self._in_order():
            if item.worker is not None or not item.is_awake:
                continue
            at_work = sum(each.worker is not None for each in self._items.values())
            if item.state == CANCELLED:
                self._start(item, self._throw_away)
            elif item.state == "queued" and at_work < MOST_AT_ONCE:
                item.state, item.error = "running", None
                item.cancel = CancelToken()
                item.set_idle()
                changed.append(item)
                self._start(item, self._run)

    def _start(self, item: QueuedDownload, work: Callable[[QueuedDownload, CancelToken], None]) -> None:
        if not self._closed:
            item.worker = threading.Thread(
                target=work, args=(item, item.cancel), name=f"download {item.id}", daemon=True
            )
            item.worker.start()

    def _run(self, item: QueuedDownload, cancel: CancelToken) -> None:
        """A worker's whole life, from its item's turn to the next one's."""
        error: AppError | None = None
        try:
            self._fetching.look(item)
            self._fetching.find_copies(item)
            if item.missing and not cancel.cancelled:
                self._check_room(item)
                self._fetching.run(
                    item,
                    cancel,
                    ahead_bytes=lambda: self._ahead_bytes(item),
                    hear=lambda file, event: self._hear(item, file, event),
                )
        except AppError as problem:
            error = problem
        except Exception as defect:
            log.exception("download %d", item.id)
            error = DownloadFailed(item.request.title, f"{type(defect).__name__}: {defect}")
        with self._changing() as changed:
            item.worker = None
            if item.state != CANCELLED:  # that was told already, and what is here is thrown away next
                if not item.missing:
                    item.state, item.error = "done", None
                elif item.state == "running" and not cancel.cancelled:
                    item.state = "paused" if isinstance(error, NetworkOff) else "failed"
                    item.error = error
                changed.append(item)
            self._start_next(changed)

    def _throw_away(self, item: QueuedDownload, _cancel: CancelToken) -> None:
        def is_wanted(file: RemoteFile) -> bool:
            with self._lock:
                return any(other.wants(item.request.repo, file) for other in self._items.values())

        self._fetching.throw_away(item, is_wanted)
        with self._changing() as changed:
            item.worker = None
            if not self._closed:
                self._forget(item)
            self._start_next(changed)

    def _hear(self, item: QueuedDownload, file: RemoteFile, event: ChildEvent) -> None:
        with self._lock:
            is_news = item.hear(file, event)
            if isinstance(event, Done):
                self._save(item)
        if is_news and item.state == "running":
            self._tell(item)

    def _forget(self, item: QueuedDownload) -> None:
        self._store.remove(item)
        self._items.pop(item.id, None)
        item.state = REMOVED

    @contextmanager
    def _changing(self) -> Iterator[list[QueuedDownload]]:
        """Changes items under the lock; those named are saved, and told once the lock is free."""
        changed: list[QueuedDownload] = []
        with self._lock:
            yield changed
            named = list(dict.fromkeys(changed))
            for item in named:
                self._save(item)
        for item in named:
            self._tell(item)

    def _save(self, item: QueuedDownload) -> None:
        if not self._closed and item.state != REMOVED:
            self._store.save(item)

    def _tell(self, item: QueuedDownload) -> None:
        with self._telling:
            if self._closed:
                return
            try:
                self._on_change(self._snapshot(item))
            except Exception:
                log.exception("a listener failed at download %d", item.id)

    def _snapshot(self, item: QueuedDownload) -> Download:
        with self._lock:
            return item.snapshot()

    def _in_order(self) -> list[QueuedDownload]:
        return sorted(self._items.values(), key=lambda item: (item.place, item.id))


def _joined(threads: list[threading.Thread], timeout_s: float) -> bool:
    """Waits for all of them; whether they ended in time."""
    until_s = time.monotonic() + timeout_s
    for thread in threads:
        if thread is not threading.current_thread():
            thread.join(max(0.0, until_s - time.monotonic()))
    return not any(thread.is_alive() for thread in threads)


# What is asked of the download queue, and what it says about each item: plain values.


@dataclass(frozen=True)
class DownloadRequest:
    """One thing to have: a model, which may be several files, and its vision file, from a repository at one commit."""

    repo: str
    commit: str
    title: str
    files: tuple[RemoteFile, ...]
    vision: RemoteFile | None = None
    license: str = ""

    @property
    def all_files(self) -> tuple[RemoteFile, ...]:
        """In the order in which they are fetched."""
        return self.files + ((self.vision,) if self.vision else ())

    def wants_the_same(self, other: DownloadRequest) -> bool:
        """Whether both are about the same files."""
        return (self.repo, self.all_files) == (other.repo, other.all_files)


@dataclass(frozen=True)
class Download:
    """An item of the queue at one moment.

    `state` is queued, running, paused, done, failed, or at last removed: it is in the queue no more. `phase` is that of
    the running child: connecting, checking, downloading, verifying or waiting (`wait_s` from when it was said, because
    of the situation named `problem`). `error` says why it failed or was paused. `left_s` is None while it is not known.
    """

    id: int
    request: DownloadRequest
    state: str
    phase: str
    done_bytes: int
    total_bytes: int
    bytes_per_s: float
    left_s: float | None
    wait_s: float
    error: AppError | None
    paths: tuple[str, ...]
    """The files that are complete, in the request's order; a copy found elsewhere lies where it was found."""
    resumed_bytes: int
    """What earlier tries had fetched of the finished files."""
    problem: str = ""


# What a worker of the download queue does for one item: uses what is on this computer, and fetches the rest.


LOOK_EVERY_S = 0.1
LOCKED_TRIES, LOCKED_WAIT_S = 10, 1.0


Hear = Callable[[RemoteFile, ChildEvent], None]
"""Takes what the child says about a file."""


class Fetch(Protocol):
    """Runs one child for one job: `hub.download.fetch`."""

    def __call__(self, job: Job, *, folder: Path, cancel: CancelToken) -> Iterator[ChildEvent]: ...


@dataclass
class Fetching:
    """`lock` is the queue's: items are changed under it. A file is fetched or thrown away by one worker at a time."""

    fetch: Fetch
    folder: Callable[[], Path]
    access: Callable[[], Access]
    ledger_path: Path
    work_folder: Path
    local_copy: Callable[[RemoteFile], Path | None]
    lock: threading.RLock
    locked_tries: int = LOCKED_TRIES
    _taken: set[Path] = field(default_factory=set)

    def __post_init__(self) -> None:
        self._given_back = threading.Condition(self.lock)

    def look(self, item: QueuedDownload) -> None:
        """Which of its files lie in the models folder; raises DownloadFailed for a name that is no file's."""
        with self.lock:
            item.look_again(self.folder())

    def find_copies(self, item: QueuedDownload) -> None:
        """Uses files with the same bytes that lie elsewhere; parts of a split one only if they lie together."""
        request, missing = item.request, item.missing
        found = {file: copy for file in missing if (copy := self._copy_of(file)) is not None}
        if len(request.files) > 1:
            together = {found[file].parent for file in request.files if file in found}
            names_fit = all(found[file].name == Path(file.name).name for file in request.files if file in found)
            if len(together) != 1 or not names_fit or not all(file in found for file in request.files):
                found = {file: copy for file, copy in found.items() if file == request.vision}
        with self.lock:
            for file, copy in found.items():
                item.has(file, copy)

    def run(
        self,
        item: QueuedDownload,
        cancel: CancelToken,
        *,
        ahead_bytes: Callable[[], int],
        hear: Hear,
    ) -> None:
        """Fetches what is missing, file by file; returns when all is here or it was cancelled, raises an AppError."""
        for file in item.missing:
            if cancel.cancelled:
                return
            path = place(self.folder(), item.request.repo, file.name)
            with self._alone_at(path, cancel, partial(hear, file, Phase("waiting"))):
                if is_in_place(path, file):  # another item fetched it meanwhile
                    with self.lock:
                        item.has(file, path)
                elif not cancel.cancelled:
                    self._fetch_once_free(item, file, cancel, ahead_bytes, hear)

    def throw_away(self, item: QueuedDownload, is_wanted: Callable[[RemoteFile], bool]) -> None:
        """Deletes what was fetched for it: parts, and whole files where the model is not complete.

        What another item wants (`is_wanted`) stays.
        """
        whole = [] if item.has_model else [file for file in item.request.all_files if item.is_ours(file)]
        for file in item.request.all_files:
            try:
                path = place(self.folder(), item.request.repo, file.name)
                if is_wanted(file):
                    continue
                with self._alone_at(path, CancelToken(), lambda: None):
                    if is_wanted(file):
                        continue
                    throw_away(path)
                    if file in whole:
                        path.unlink(missing_ok=True)
                        beside(path, PROVENANCE).unlink(missing_ok=True)
            except (OSError, DownloadFailed) as error:
                log.info("what was fetched of %s stays: %s", file.name, error)

    def _copy_of(self, file: RemoteFile) -> Path | None:
        try:
            return self.local_copy(file) if file.sha256 else None
        except OSError as error:
            log.info("no copy of %s could be looked for: %s", file.name, error)
            return None

    def _fetch_once_free(
        self, item: QueuedDownload, file: RemoteFile, cancel: CancelToken, ahead_bytes: Callable[[], int], hear: Hear
    ) -> None:
        """A child of a program that was killed may hold the file until its disk has taken the last bytes."""
        for tries_left in range(self.locked_tries, -1, -1):
            try:
                self._fetch_file(item, file, cancel, ahead_bytes(), hear)
                return
            except DownloadRunning:
                if not tries_left or cancel.cancelled:
                    raise
            hear(file, Phase("waiting", LOCKED_WAIT_S, DownloadRunning.__name__))
            until_s = time.monotonic() + LOCKED_WAIT_S
            with self.lock:
                while time.monotonic() < until_s and not cancel.cancelled:
                    self._given_back.wait(LOOK_EVERY_S)

    def _fetch_file(
        self, item: QueuedDownload, file: RemoteFile, cancel: CancelToken, ahead_bytes: int, hear: Hear
    ) -> None:
        access, folder = self.access(), self.folder()
        if not access.allowed:
            raise NetworkOff
        hear(file, Phase("connecting"))
        job = Job(
            repo=item.request.repo,
            revision=item.request.commit,
            file=file.name,
            folder=str(folder),
            access=access,
            ledger=str(self.ledger_path),
            size_bytes=file.size_bytes,
            sha256=file.sha256,
            reserve_bytes=ahead_bytes + item.needed_bytes(folder, besides=file),
        )
        is_done = False
        for event in self.fetch(job, folder=self.work_folder, cancel=cancel):
            hear(file, event)
            is_done = is_done or isinstance(event, Done)
        if not is_done and not cancel.cancelled:
            raise DownloadFailed(file.name, "it ended without a result")

    @contextmanager
    def _alone_at(self, path: Path, cancel: CancelToken, on_wait: Callable[[], object]) -> Iterator[None]:
        """Waits until no other worker is at this file; a cancelled one goes on and must leave the file alone."""
        is_ours = self._take(path)
        if not is_ours:
            on_wait()
        while not is_ours and not cancel.cancelled:
            with self.lock:
                self._given_back.wait(LOOK_EVERY_S)
                is_ours = self._take(path)
        try:
            yield
        finally:
            if is_ours:
                with self.lock:
                    self._taken.discard(path)
                    self._given_back.notify_all()

    def _take(self, path: Path) -> bool:
        with self.lock:
            is_free = path not in self._taken
            self._taken.add(path)
            return is_free


# Whether an item of the queue has room on the disk beside those that come before it.


def check(item: QueuedDownload, queue: Iterable[QueuedDownload], folder: Path) -> None:
    """Raises NotEnoughDisk unless all that it needs fits, and a reserve; DownloadFailed for an impossible name."""
    own_bytes = item.needed_bytes(folder)
    if own_bytes:
        check_room(folder, own_bytes + ahead_bytes(item, queue, folder) + reserve_for(own_bytes))


def ahead_bytes(item: QueuedDownload, queue: Iterable[QueuedDownload], folder: Path) -> int:
    """What the others that run, or whose turn comes before, still need."""
    return sum(
        other.needed_bytes(folder)
        for other in queue
        if other is not item and (other.state == "running" or (other.state == "queued" and other.place < item.place))
    )


# One item of the download queue as the queue works on it: what is here already, and what its child says.


TELL_EVERY_S = 0.2
OPEN_STATES = ("queued", "running", "paused", "failed")
REMOVED = "removed"
CANCELLED = "cancelled"
"""A state of its own in the store, so that what was fetched is thrown away even when the program ends now."""


class QueuedDownload:
    """Changed by the queue only, under its lock. `worker` is the thread that works for it, which may be ending."""

    def __init__(self, id_: int, request: DownloadRequest, place_: float) -> None:
        self.id, self.request, self.place = id_, request, place_
        self.state = "queued"
        self.is_awake = False
        """Whether its turn may come: what an earlier run of the program left waits for `Downloads.start`."""
        self.error: AppError | None = None
        self.cancel = CancelToken()
        self.worker: threading.Thread | None = None
        self._sizes = {file.name: file.size_bytes for file in request.all_files}
        self._here: dict[str, str] = {}
        self._begun: dict[str, int] = {}
        self._fetched: set[str] = set()
        self._resumed_bytes = 0
        self.set_idle()

    def set_idle(self) -> None:
        """No child speaks for it (yet)."""
        self.phase, self.wait_s, self.problem = "", 0.0, ""
        self._speed = Speed()
        self._told_s = float("-inf")

    @property
    def is_open(self) -> bool:
        """Whether it may still be fetched."""
        return self.state in OPEN_STATES

    @property
    def missing(self) -> list[RemoteFile]:
        """The files that are not here, in the order in which they are fetched."""
        return [file for file in self.request.all_files if file.name not in self._here]

    def wants(self, repo: str, file: RemoteFile) -> bool:
        """Whether this file is still to come for it."""
        return self.is_open and self.request.repo == repo and file in self.missing

    @property
    def has_model(self) -> bool:
        """Whether all of the model is here, with or without its vision file."""
        return all(file.name in self._here for file in self.request.files)

    def needed_bytes(self, folder: Path, besides: RemoteFile | None = None) -> int:
        """What is still to come; raises DownloadFailed for a name that is no file's."""
        places = {file: place(folder, self.request.repo, file.name) for file in self.missing if file != besides}
        return sum(max(0, file.size_bytes - fetched_bytes(path)) for file, path in places.items())

    def is_ours(self, file: RemoteFile) -> bool:
        """Whether this item fetched it."""
        return file.name in self._fetched

    def has(self, file: RemoteFile, path: Path) -> None:
        """A file is here, complete."""
        self._here[file.name] = str(path)

    def look_again(self, folder: Path) -> None:
        """What is here now; raises DownloadFailed for a name that is no file's."""
        self._here = {name: path for name, path in self._here.items() if Path(path).is_file()}
        for file in self.request.all_files:
            path = place(folder, self.request.repo, file.name)
            self._begun[file.name] = fetched_bytes(path)
            if file.name not in self._here and is_in_place(path, file):
                self.has(file, path)

    def hear(self, file: RemoteFile, event: ChildEvent) -> bool:
        """What the child says about a file; whether that is worth telling now."""
        now_s = time.monotonic()
        is_news = now_s - self._told_s >= TELL_EVERY_S
        match event:
            case Phase():
                if event.name != self.phase:
                    is_news = True
                    if event.name == "downloading":
                        self._speed.go_on(now_s)
                self.phase, self.wait_s, self.problem = event.name, event.wait_s, event.problem
            case Fetched():
                self._sizes[file.name] = event.total_bytes
                if self.phase != "checking":  # that is about bytes which count already
                    self._begun[file.name] = event.done_bytes
                if self.phase == "downloading":
                    self._speed.moved(now_s, event.done_bytes)
            case Done():
                is_news = True
                self._sizes[file.name] = event.size_bytes
                self._resumed_bytes += event.resumed_bytes
                self._fetched.add(file.name)
                self.has(file, Path(event.path))
        if is_news:
            self._told_s = now_s
        return is_news

    def snapshot(self) -> Download:
        """As it is now."""
        total = sum(self._sizes.values())
        done = sum(
            self._sizes[name] if name in self._here else min(self._begun.get(name, 0), self._sizes[name])
            for name in self._sizes
        )
        now_s, is_running = time.monotonic(), self.state == "running"
        return Download(
            id=self.id,
            request=self.request,
            state=REMOVED if self.state == CANCELLED else self.state,
            phase=self.phase if is_running else "",
            done_bytes=done,
            total_bytes=total,
            bytes_per_s=self._speed.bytes_per_s(now_s) if is_running else 0.0,
            left_s=self._speed.left_s(now_s, total - done) if is_running else None,
            wait_s=self.wait_s if is_running else 0.0,
            error=self.error,
            paths=tuple(self._here[name] for name in self._sizes if name in self._here),
            resumed_bytes=self._resumed_bytes,
            problem=self.problem if is_running else "",
        )

    def to_progress(self) -> dict[str, Any]:
        """What the disk does not say, as plain JSON; how much of a file is here is its part's own affair."""
        return {
            "paths": self._here,
            "sizes": self._sizes,
            "fetched": sorted(self._fetched),
            "resumed_bytes": self._resumed_bytes,
        }

    def take_progress(self, progress: dict[str, Any]) -> None:
        """What `to_progress` made; {} is that of an item which never ran."""
        self._here = dict(progress.get("paths", {}))
        self._sizes |= progress.get("sizes", {})
        self._fetched = set(progress.get("fetched", ()))
        self._resumed_bytes = progress.get("resumed_bytes", 0)


def is_in_place(path: Path, file: RemoteFile) -> bool:
    """Whether the finished file lies here, by the note that was made when its bytes were compared."""
    if not file.sha256:
        return False
    try:
        note = json.loads(beside(path, PROVENANCE).read_bytes())
        return bool(note["sha256"] == file.sha256 and path.stat().st_size == file.size_bytes)
    except (OSError, ValueError, TypeError, KeyError):
        return False


# How fast bytes have been coming lately.


WINDOW_S = 10.0
TRUSTED_AFTER_S = 2.0


class Speed:
    """Bytes of the last ten seconds, pauses in between included; times are those of one steady clock."""

    def __init__(self) -> None:
        self._came: deque[tuple[float, int]] = deque()
        self._began_s: float | None = None
        self._last_bytes: int | None = None

    def go_on(self, now_s: float) -> None:
        """Bytes come (again); the next `moved` says from where."""
        self._last_bytes = None
        if self._began_s is None:
            self._began_s = now_s

    def moved(self, now_s: float, done_bytes: int) -> None:
        """So many bytes are here in all."""
        if self._last_bytes is not None and done_bytes > self._last_bytes:
            self._came.append((now_s, done_bytes - self._last_bytes))
        self._last_bytes = done_bytes
        while self._came and self._came[0][0] <= now_s - WINDOW_S:
            self._came.popleft()

    def bytes_per_s(self, now_s: float) -> float:
        """Zero before anything came."""
        if self._began_s is None or now_s <= self._began_s:
            return 0.0
        came = sum(size for at_s, size in self._came if at_s > now_s - WINDOW_S)
        return came / min(WINDOW_S, now_s - self._began_s)

    def left_s(self, now_s: float, left_bytes: int) -> float | None:
        """How long the rest takes at this speed; None while that would be a guess."""
        speed = self.bytes_per_s(now_s)
        if self._began_s is None or now_s - self._began_s < TRUSTED_AFTER_S or speed <= 0:
            return None
        return left_bytes / speed


# The download queue as the store keeps it, so that no item is ever lost.


KIND = "download"


class StoredJob(Protocol):
    """A row of the store, as far as the queue needs it."""

    @property
    def id(self) -> int: ...
    @property
    def state(self) -> str: ...
    @property
    def spec(self) -> dict[str, Any]: ...
    @property
    def progress(self) -> dict[str, Any]: ...
    @property
    def error(self) -> AppError | None: ...
    @property
    def place(self) -> float: ...


class JobStore(Protocol):
    """Where the queue is kept: `store.jobs.Jobs`."""

    def add(self, kind: str, title: str, spec: dict[str, Any]) -> StoredJob: ...
    def find(self, kind: str = "") -> Sequence[StoredJob]: ...
    def update(
        self, job_id: int, *, state: str | None, progress: dict[str, Any] | None, error: AppError | None
    ) -> None: ...
    def remove(self, job_id: int) -> None: ...


class StoredQueue:
    """Trouble with the store never stops a download: it is logged, and the part says how far it is."""

    def __init__(self, jobs: JobStore) -> None:
        self._jobs = jobs

    def add(self, request: DownloadRequest) -> QueuedDownload:
        """A new item behind all others; may raise DiskFull or FolderNotWritable."""
        job = self._jobs.add(KIND, request.title, to_json(request))
        return QueuedDownload(job.id, request, job.place)

    def load(self, look: Callable[[QueuedDownload], None]) -> list[QueuedDownload]:
        """All items; what was running when the program ended is queued. `look` sees what is here of an open one."""
        found = []
        for job in self._jobs.find(KIND):
            try:
                item = QueuedDownload(job.id, from_json(DownloadRequest, job.spec), job.place)
                item.take_progress(job.progress)
            except (TypeError, KeyError, ValueError, AttributeError) as error:
                log.warning("download %d cannot be read and is left alone: %s", job.id, error)
                continue
            item.state = "queued" if job.state == "running" else job.state
            item.error = job.error
            found.append(item)
            try:
                if item.is_open:
                    look(item)
            except AppError as error:
                log.info("download %d has no place: %s", job.id, error)
        return found

    def save(self, item: QueuedDownload) -> None:
        """As it is now. Of what another program fetches, that one says how far it is."""
        if isinstance(item.error, DownloadRunning):
            return
        try:
            self._jobs.update(item.id, state=item.state, progress=item.to_progress(), error=item.error)
        except KeyError:
            log.info("download %d is not in the store any more", item.id)
        except AppError as error:
            log.warning("download %d could not be saved: %s", item.id, error)

    def remove(self, item: QueuedDownload) -> None:
        """It is in the queue no more."""
        try:
            self._jobs.remove(item.id)
        except AppError as error:
            log.warning("download %d stays in the store: %s", item.id, error)
