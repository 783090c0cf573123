"""What a worker of the download queue does for one item: uses what is on this computer, and fetches the rest."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Protocol

from app.core.errors import DownloadFailed, DownloadRunning, NetworkOff
from app.core.events import CancelToken
from app.hub.files import RemoteFile
from app.hub.network import Access
from app.hub.part import PROVENANCE, beside, place, throw_away
from app.hub.protocol import ChildEvent, Done, Job, Phase
from app.hub.queued_download import QueuedDownload, is_in_place

log = logging.getLogger(__name__)

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
