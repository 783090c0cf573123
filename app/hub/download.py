"""A download: its request, local state, speed, and the child process that fetches each file."""

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
    """A model to download, possibly several files and a projector, from a repository at one commit."""

    repo: str
    commit: str
    title: str
    files: tuple[RemoteFile, ...]
    vision: RemoteFile | None = None
    license: str = ""

    @property
    def all_files(self) -> tuple[RemoteFile, ...]:
        """The model's files and then its projector, the order in which they are fetched."""
        return self.files + ((self.vision,) if self.vision else ())

    def wants_the_same(self, other: DownloadRequest) -> bool:
        """Return whether both requests are for the same files."""
        # Commits differ with every change of a card; the files may be the same.
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
    """Completed files in the request's order; existing copies keep their own paths."""
    resumed_bytes: int
    """Bytes of the finished files that earlier attempts had fetched."""
    problem: str = ""


TELL_EVERY_S = 0.2
OPEN_STATES = ("queued", "running", "paused", "failed")
REMOVED = "removed"
CANCELLED = "cancelled"
"""Stored state, so that partial files are deleted even if the program ends now."""


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
        # As the Hub listed them; the child corrects a size that it learns.
        self._sizes = {file.name: file.size_bytes for file in request.all_files}
        self._here: dict[str, str] = {}
        self._begun: dict[str, int] = {}
        self._fetched: set[str] = set()
        self._resumed_bytes = 0
        self.set_idle()

    def set_idle(self) -> None:
        """Reset what is shown of a child, while none runs."""
        self.phase, self.wait_s, self.problem = "", 0.0, ""
        self._speed = DownloadSpeed()
        self._told_s = float("-inf")

    @property
    def is_open(self) -> bool:
        """Return whether anything may still be fetched for it: not done, removed or cancelled."""
        return self.state in OPEN_STATES

    @property
    def missing(self) -> list[RemoteFile]:
        """Files that are not here yet, in the order they are fetched."""
        return [file for file in self.request.all_files if file.name not in self._here]

    def wants_file(self, repo: str, file: RemoteFile) -> bool:
        """Return whether this download still needs a file, so that another's cancel must leave it."""
        return self.is_open and self.request.repo == repo and file in self.missing

    @property
    def has_model(self) -> bool:
        """True if all of the model is here, with or without its vision file."""
        return all(file.name in self._here for file in self.request.files)

    def needed_bytes(self, folder: Path, besides: RemoteFile | None = None) -> int:
        """Return the bytes still to fetch. Raises DownloadFailed for an unsafe name."""
        places = {file: file_place(folder, self.request.repo, file.name) for file in self.missing if file != besides}
        # What is fetched of a file already takes no more room.
        return sum(max(0, file.size_bytes - fetched_bytes(path)) for file, path in places.items())

    def is_ours(self, file: RemoteFile) -> bool:
        """Return whether this download fetched the file itself, and may thus delete it."""
        return file.name in self._fetched

    def mark_complete(self, file: RemoteFile, path: Path) -> None:
        """Record where a complete file lies, fetched or found elsewhere."""
        self._here[file.name] = str(path)

    def look_again(self, folder: Path) -> None:
        """Update which files are on disk. Raises DownloadFailed for an unsafe name."""
        # A person may delete or move files at any time.
        self._here = {name: path for name, path in self._here.items() if Path(path).is_file()}
        for file in self.request.all_files:
            path = file_place(folder, self.request.repo, file.name)
            self._begun[file.name] = fetched_bytes(path)
            if file.name not in self._here and is_in_place(path, file):
                self.mark_complete(file, path)

    def take_event(self, file: RemoteFile, event: ChildEvent) -> bool:
        """Apply an event of the child; return whether to report it now."""
        now_s = time.monotonic()
        is_news = now_s - self._told_s >= TELL_EVERY_S
        match event:
            case Phase():
                # A new phase is told at once, progress only some times a second.
                if event.name != self.phase:
                    is_news = True
                    if event.name == "downloading":  # the pause before says nothing about the line
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
            # For those outside it has left the list; the state only says what is still to be thrown away.
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
        """Restore progress saved by `to_progress`; {} is a download that never ran."""
        # Read with defaults: an older program may have written less.
        self._here = dict(progress.get("paths", {}))
        self._sizes |= progress.get("sizes", {})
        self._fetched = set(progress.get("fetched", ()))
        self._resumed_bytes = progress.get("resumed_bytes", 0)


def is_in_place(path: Path, file: RemoteFile) -> bool:
    """Return whether the finished file is here, by the note written when its hash was verified."""
    if not file.sha256:
        return False
    try:
        # The note is written when the hash was compared, so a file of the right size alone proves nothing.
        note = json.loads(companion_path(path, PROVENANCE).read_bytes())
        return bool(note["sha256"] == file.sha256 and path.stat().st_size == file.size_bytes)
    except (OSError, ValueError, TypeError, KeyError):
        return False


# How fast bytes have been coming lately.


WINDOW_S = 10.0
TRUSTED_AFTER_S = 2.0


class DownloadSpeed:
    """Speed over the last ten seconds, pauses included; all times are of one monotonic clock."""

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
        """Record how many bytes of the file are here by now; the difference is what came."""
        if self._last_bytes is not None and done_bytes > self._last_bytes:
            # A file that is begun anew has fewer: that is no speed.
            self._came.append((now_s, done_bytes - self._last_bytes))
        self._last_bytes = done_bytes
        while self._came and self._came[0][0] <= now_s - WINDOW_S:
            self._came.popleft()

    def bytes_per_s(self, now_s: float) -> float:
        """Return the mean of the last ten seconds; 0 before any bytes arrived."""
        if self._began_s is None or now_s <= self._began_s:
            return 0.0
        # Over the time since it began, if that is shorter: else the first seconds would look slow.
        came = sum(size for at_s, size in self._came if at_s > now_s - WINDOW_S)
        return came / min(WINDOW_S, now_s - self._began_s)

    def left_s(self, now_s: float, left_bytes: int) -> float | None:
        """Return the estimated seconds left; None while that would be a guess."""
        speed = self.bytes_per_s(now_s)
        if self._began_s is None or now_s - self._began_s < TRUSTED_AFTER_S or speed <= 0:
            return None
        return left_bytes / speed


# What a worker of the queue does for one download: uses what is on this computer, and fetches the rest.


TURN_LOOK_EVERY_S = 0.1
LOCKED_TRIES, LOCKED_WAIT_S = 10, 1.0


Hear = Callable[[RemoteFile, ChildEvent], None]
"""Callback for the child's events about a file."""


class FetchChild(Protocol):
    """What runs one child for one job: `fetch_download`, or a stand-in in tests."""

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
        """Update which files are in the models folder. Raises DownloadFailed for an unsafe name."""
        with self.lock:
            item.look_again(self.folder())

    def find_copies(self, item: QueuedDownload) -> None:
        """Use identical files found elsewhere; parts of a split model only if they are in one folder."""
        request, missing = item.request, item.missing
        found = {file: copy for file in missing if (copy := self._copy_of(file)) is not None}
        # llama.cpp looks for the other parts beside the first and by its name.
        if len(request.files) > 1:
            together = {found[file].parent for file in request.files if file in found}
            names_fit = all(found[file].name == Path(file.name).name for file in request.files if file in found)
            if len(together) != 1 or not names_fit or not all(file in found for file in request.files):
                # All or none of a split; a projector stands for itself.
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
        """Fetch missing files one by one; return when complete or cancelled. Raises AppErrors."""
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
        """Delete what was fetched: partial files, and complete ones if the model is incomplete.

        Files that another download wants (`is_wanted`) stay.
        """
        # A complete model stays even if a person cancels while its projector is fetched.
        whole = [] if item.has_model else [file for file in item.request.all_files if item.is_ours(file)]
        for file in item.request.all_files:
            try:
                path = file_place(self.folder(), item.request.repo, file.name)
                # Asked before and after waiting: another download may have been added meanwhile.
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
            # Without a hash nothing could be compared.
            return self.local_copy(file) if file.sha256 else None
        except OSError as error:
            log.info("no copy of %s could be looked for: %s", file.name, error)
            return None

    def _fetch_once_free(
        self, item: QueuedDownload, file: RemoteFile, cancel: CancelToken, ahead_bytes: Callable[[], int], hear: Hear
    ) -> None:
        """Fetch a file, retrying while a killed program's child still holds it to write its last bytes."""
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
                # In small steps, so that a cancel is heard.
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
            # Pinned to the commit: a file that is replaced on the Hub meanwhile does not mix with what is here.
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
        # It ended without an error or a result, which no child of ours does.
        if not is_done and not cancel.cancelled:
            raise DownloadFailed(file.name, "it ended without a result")

    @contextmanager
    def _alone_at(self, path: Path, cancel: CancelToken, on_wait: Callable[[], object]) -> Iterator[None]:
        """Wait until no other worker uses the path. When cancelled it proceeds, and the caller must not touch the
        file.
        """
        is_ours = self._take_path(path)
        # Told once that it waits; then nothing happens until the other has ended.
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
"""Limit of crashes in a row without another byte of the file."""
TAIL_CHARACTERS = 400


def fetch_download(job: Job, *, folder: Path, cancel: CancelToken) -> Generator[ChildEvent, None, None]:
    """Fetch a file in a child process; the last event is Done. `folder` is the child's working directory.

    The last event is repeated five times a second so that the caller can check for other things. Cancelling kills the
    child and ends the events; partial data stays (see `app.hub.part.throw_away`). Raises the child's AppError, or
    DownloadFailed if it crashes repeatedly.
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
    """Run one child. Return the bytes reached and its exit; None as exit if done or cancelled."""
    said = WireInbox()
    child = Child(own_command("--download-worker"), folder, uses_network=True, work="download", subject=job.file)
    reached, last, at_s = 0, None, time.monotonic()
    try:
        WireClient(WIRE, child, said.add_item).send(job)
        while not cancel.cancelled:
            event = said.next_item(LOOK_EVERY_S)
            now_s = time.monotonic()
            if event is None:
                # Silence is no news, but the caller has to look at its own clock and cancel.
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
    # Whatever the caller does, no child may stay behind.
    finally:
        child.kill_tree()
        child.close()
    return reached, None


def _shorten_wait(event: ChildEvent, passed_s: float) -> ChildEvent:
    """Return the same as now; a wait has become shorter."""
    if isinstance(event, Phase) and event.wait_s:
        return dataclasses.replace(event, wait_s=round(max(0.0, event.wait_s - passed_s), 2))  # rounded, as it is shown
    return event
