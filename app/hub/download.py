"""One download: what is asked for, what is here already, how fast it comes, and the child that fetches each file."""

from __future__ import annotations

import dataclasses
import json
import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Protocol

from app.core.child import Child, own_command
from app.core.errors import AppError, DownloadFailed, DownloadRunning, NetworkOff
from app.core.events import CancelToken
from app.core.wire import Ended, Failed, WireClient, WireInbox
from app.hub.access import NetworkAccess
from app.hub.model_files import RemoteFile
from app.hub.part import PROVENANCE, companion_path, fetched_bytes, file_place, throw_away
from app.hub.protocol import WIRE, ChildEvent, Done, Fetched, Job, Phase

log = logging.getLogger(__name__)


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
        """Return whether both are about the same files."""
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
        """True if its turn may come: what an earlier run of the program left waits for `Downloads.start`."""
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
        self._speed = DownloadSpeed()
        self._told_s = float("-inf")

    @property
    def is_open(self) -> bool:
        """True if it may still be fetched."""
        return self.state in OPEN_STATES

    @property
    def missing(self) -> list[RemoteFile]:
        """The files that are not here, in the order in which they are fetched."""
        return [file for file in self.request.all_files if file.name not in self._here]

    def wants_file(self, repo: str, file: RemoteFile) -> bool:
        """Return whether this file is still to come for it."""
        return self.is_open and self.request.repo == repo and file in self.missing

    @property
    def has_model(self) -> bool:
        """True if all of the model is here, with or without its vision file."""
        return all(file.name in self._here for file in self.request.files)

    def needed_bytes(self, folder: Path, besides: RemoteFile | None = None) -> int:
        """Return what is still to come; raises DownloadFailed for a name that is no file's."""
        places = {file: file_place(folder, self.request.repo, file.name) for file in self.missing if file != besides}
        return sum(max(0, file.size_bytes - fetched_bytes(path)) for file, path in places.items())

    def is_ours(self, file: RemoteFile) -> bool:
        """Return whether this item fetched it."""
        return file.name in self._fetched

    def mark_complete(self, file: RemoteFile, path: Path) -> None:
        """A file is here, complete."""
        self._here[file.name] = str(path)

    def look_again(self, folder: Path) -> None:
        """What is here now; raises DownloadFailed for a name that is no file's."""
        self._here = {name: path for name, path in self._here.items() if Path(path).is_file()}
        for file in self.request.all_files:
            path = file_place(folder, self.request.repo, file.name)
            self._begun[file.name] = fetched_bytes(path)
            if file.name not in self._here and is_in_place(path, file):
                self.mark_complete(file, path)

    def take_event(self, file: RemoteFile, event: ChildEvent) -> bool:
        """Return what the child says about a file; whether that is worth telling now."""
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
                    self._speed.record_bytes(now_s, event.done_bytes)
            case Done():
                is_news = True
                self._sizes[file.name] = event.size_bytes
                self._resumed_bytes += event.resumed_bytes
                self._fetched.add(file.name)
                self.mark_complete(file, Path(event.path))
        if is_news:
            self._told_s = now_s
        return is_news

    def snapshot(self) -> Download:
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
        """Return what the disk does not say, as plain JSON; how much of a file is here is its part's own affair."""
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
    """Return whether the finished file lies here, by the note that was made when its bytes were compared."""
    if not file.sha256:
        return False
    try:
        note = json.loads(companion_path(path, PROVENANCE).read_bytes())
        return bool(note["sha256"] == file.sha256 and path.stat().st_size == file.size_bytes)
    except (OSError, ValueError, TypeError, KeyError):
        return False


# How fast bytes have been coming lately.


WINDOW_S = 10.0
TRUSTED_AFTER_S = 2.0


class DownloadSpeed:
    """Bytes of the last ten seconds, pauses in between included; times are those of one steady clock."""

    def __init__(self) -> None:
        self._came: deque[tuple[float, int]] = deque()
        self._began_s: float | None = None
        self._last_bytes: int | None = None

    def go_on(self, now_s: float) -> None:
        """Bytes come (again); the next `record_bytes` says from where."""
        self._last_bytes = None
        if self._began_s is None:
            self._began_s = now_s

    def record_bytes(self, now_s: float, done_bytes: int) -> None:
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
        """Return how long the rest takes at this speed; None while that would be a guess."""
        speed = self.bytes_per_s(now_s)
        if self._began_s is None or now_s - self._began_s < TRUSTED_AFTER_S or speed <= 0:
            return None
        return left_bytes / speed


# What a worker of the queue does for one download: uses what is on this computer, and fetches the rest.


TURN_LOOK_EVERY_S = 0.1
LOCKED_TRIES, LOCKED_WAIT_S = 10, 1.0


Hear = Callable[[RemoteFile, ChildEvent], None]
"""Takes what the child says about a file."""


class FetchChild(Protocol):
    """Runs one child for one job: `fetch_download`."""

    def __call__(self, job: Job, *, folder: Path, cancel: CancelToken) -> Iterator[ChildEvent]: ...


@dataclass
class RunningFetch:
    """`lock` is the queue's: items are changed under it. A file is fetched or thrown away by one worker at a time."""

    fetch: FetchChild
    folder: Callable[[], Path]
    access: Callable[[], NetworkAccess]
    ledger_path: Path
    work_folder: Path
    local_copy: Callable[[RemoteFile], Path | None]
    lock: threading.RLock
    locked_tries: int = LOCKED_TRIES
    _taken: set[Path] = field(default_factory=set)

    def __post_init__(self) -> None:
        self._given_back = threading.Condition(self.lock)

    def find_existing(self, item: QueuedDownload) -> None:
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
                item.mark_complete(file, copy)

    def run(
        self,
        item: QueuedDownload,
        cancel: CancelToken,
        *,
        ahead_bytes: Callable[[], int],
        hear: Hear,
    ) -> None:
        """Fetch what is missing, file by file; returns when all is here or it was cancelled, raises an AppError."""
        for file in item.missing:
            if cancel.cancelled:
                return
            path = file_place(self.folder(), item.request.repo, file.name)
            with self._alone_at(path, cancel, partial(hear, file, Phase("waiting"))):
                if is_in_place(path, file):  # another item fetched it meanwhile
                    with self.lock:
                        item.mark_complete(file, path)
                elif not cancel.cancelled:
                    self._fetch_once_free(item, file, cancel, ahead_bytes, hear)

    def throw_away(self, item: QueuedDownload, is_wanted: Callable[[RemoteFile], bool]) -> None:
        """Delete what was fetched for it: parts, and whole files where the model is not complete.

        What another item wants (`is_wanted`) stays.
        """
        whole = [] if item.has_model else [file for file in item.request.all_files if item.is_ours(file)]
        for file in item.request.all_files:
            try:
                path = file_place(self.folder(), item.request.repo, file.name)
                if is_wanted(file):
                    continue
                with self._alone_at(path, CancelToken(), lambda: None):
                    if is_wanted(file):
                        continue
                    throw_away(path)
                    if file in whole:
                        path.unlink(missing_ok=True)
                        companion_path(path, PROVENANCE).unlink(missing_ok=True)
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
                    self._given_back.wait(TURN_LOOK_EVERY_S)

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
        """Wait until no other worker is at this file; a cancelled one goes on and must leave the file alone."""
        is_ours = self._take_path(path)
        if not is_ours:
            on_wait()
        while not is_ours and not cancel.cancelled:
            with self.lock:
                self._given_back.wait(TURN_LOOK_EVERY_S)
                is_ours = self._take_path(path)
        try:
            yield
        finally:
            if is_ours:
                with self.lock:
                    self._taken.discard(path)
                    self._given_back.notify_all()

    def _take_path(self, path: Path) -> bool:
        with self.lock:
            is_free = path not in self._taken
            self._taken.add(path)
            return is_free


# One child process for one file: watched, restarted, and killed at once.


LOOK_EVERY_S = 0.05
REPEAT_EVERY_S = 0.2
MOST_DEATHS = 3
"""In a row, without a byte more of the file."""
TAIL_CHARACTERS = 400


def fetch_download(job: Job, *, folder: Path, cancel: CancelToken) -> Generator[ChildEvent, None, None]:
    """Fetch a file; the last event is Done. `folder` is the child's own working directory.

    What was said last is said again five times a second, so that the loop that owns this can look about. A cancel kills
    the child at once and ends the events; what was fetched stays (see `app.hub.part.throw_away`). Raises the AppError
    that the child met, or DownloadFailed when it ended by itself again and again.
    """
    furthest, deaths = 0, 0
    while not cancel.cancelled:
        reached, end = yield from _one_child(job, folder, cancel)
        if end is None:
            return
        deaths = 0 if reached > furthest else deaths + 1
        furthest = max(furthest, reached)
        log.info("the download child of %s ended with exit code %s", job.file, end.code)
        if deaths > MOST_DEATHS:
            raise DownloadFailed(job.file, f"exit code {end.code}. {end.tail[-TAIL_CHARACTERS:]}")


def _one_child(job: Job, folder: Path, cancel: CancelToken) -> Generator[ChildEvent, None, tuple[int, Ended | None]]:
    """How far a child came, and how it ended by itself: None where it was done or cancelled."""
    said = WireInbox()
    child = Child(own_command("--download-worker"), folder, uses_network=True, work="download", subject=job.file)
    reached, last, at_s = 0, None, time.monotonic()
    try:
        WireClient(WIRE, child, said.add_item).send(job)
        while not cancel.cancelled:
            event = said.next_item(LOOK_EVERY_S)
            now_s = time.monotonic()
            if event is None:
                if last is not None and now_s - at_s >= REPEAT_EVERY_S:
                    last, at_s = _shorten_wait(last, now_s - at_s), now_s
                    yield last
                continue
            if isinstance(event, Ended):
                return reached, event
            if isinstance(event, Failed):
                raise event.error
            last, at_s = event, now_s
            yield event
            if isinstance(event, Done):
                break
            reached = max(reached, event.done_bytes) if isinstance(event, Fetched) else reached
    finally:
        child.kill_tree()
        child.close()
    return reached, None


def _shorten_wait(event: ChildEvent, passed_s: float) -> ChildEvent:
    """Return the same as now; a wait has become shorter."""
    if isinstance(event, Phase) and event.wait_s:
        return dataclasses.replace(event, wait_s=round(max(0.0, event.wait_s - passed_s), 2))
    return event
