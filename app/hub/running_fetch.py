"""Work on one download of the queue: use what is on this computer, fetch the rest in a child process."""

from __future__ import annotations

import dataclasses
import logging
import threading
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Protocol

from app.core.child import Child, own_command
from app.core.errors.hub_errors import DownloadFailed, DownloadRunning, NetworkOff
from app.core.events import CancelToken
from app.core.lazy_dataclasses import dataclass, field
from app.core.wire import Ended, Failed, WireClient, WireInbox
from app.hub.access import NetworkAccess
from app.hub.download import Hear, QueuedDownload, is_in_place
from app.hub.model_files import RemoteFile
from app.hub.part import PROVENANCE, companion_path, throw_away
from app.hub.protocol import WIRE, ChildEvent, Done, Fetched, Job, Phase

log = logging.getLogger(__name__)


TURN_LOOK_EVERY_S = 0.1
LOCKED_TRIES, LOCKED_WAIT_S = 10, 1.0


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
            path = item.request.place_of(file, self.folder())
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
                path = item.request.place_of(file, self.folder())
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
            version=item.request.version,
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
