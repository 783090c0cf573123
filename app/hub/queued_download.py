"""One item of the download queue as the queue works on it: what is here already, and what its child says."""

from __future__ import annotations

import json
import threading
import time
from pathlib import Path
from typing import Any

from app.core.errors import AppError
from app.core.events import CancelToken
from app.hub.download_request import Download, DownloadRequest
from app.hub.files import RemoteFile
from app.hub.part import PROVENANCE, beside, fetched_bytes, place
from app.hub.protocol import ChildEvent, Done, Fetched, Phase
from app.hub.speed import Speed

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
