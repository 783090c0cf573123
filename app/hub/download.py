"""A download: its request, local state, speed, and the child process that fetches each file."""

from __future__ import annotations

import json
import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Any

from app.core.errors.app_error import AppError
from app.core.events import CancelToken
from app.core.lazy_dataclasses import dataclass
from app.hub.model_files import RemoteFile
from app.hub.part import PROVENANCE, companion_path, fetched_bytes, file_place
from app.hub.protocol import ChildEvent, Done, Fetched, Phase

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
    version: str = ""
    """Folder below the repository's, for a newer version beside the one here; "" is the repository's own."""

    @property
    def all_files(self) -> tuple[RemoteFile, ...]:
        """The model's files and then its projector, the order in which they are fetched."""
        return self.files + ((self.vision,) if self.vision else ())

    def wants_the_same(self, other: DownloadRequest) -> bool:
        """Return whether both requests are for the same files."""
        # Commits differ with every change of a card; the files may be the same.
        return (self.repo, self.version, self.all_files) == (other.repo, other.version, other.all_files)

    def place_of(self, file: RemoteFile, folder: Path) -> Path:
        """Return where a file goes in the models folder. Raises DownloadFailed for an unsafe name."""
        return file_place(folder, self.repo, file.name, self.version)


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
        places = {file: self.request.place_of(file, folder) for file in self.missing if file != besides}
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
            path = self.request.place_of(file, folder)
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


Hear = Callable[[RemoteFile, ChildEvent], None]
"""Callback for the child's events about a file."""
