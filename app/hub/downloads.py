"""The download queue: two at a time in their order, paused, resumed and cancelled at any moment, kept over restarts."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

from app.core.errors.app_error import AppError
from app.core.errors.hub_errors import DownloadFailed, DownloadRunning, NetworkOff
from app.core.events import CancelToken
from app.core.json_forms import to_json
from app.core.wire import from_json
from app.hub.access import NetworkAccess
from app.hub.download import CANCELLED, REMOVED, Download, DownloadRequest, QueuedDownload
from app.hub.model_files import RemoteFile
from app.hub.part import check_room, reserve_for
from app.hub.protocol import ChildEvent, Done
from app.hub.running_fetch import FetchChild, RunningFetch

log = logging.getLogger(__name__)

KIND = "download"
MOST_AT_ONCE = 2
# The window closes with it; children end by themselves when their parent does.
CLOSE_TIMEOUT_S = 1.5


class Downloads:
    """Download queue. Thread-safe; unknown ids are ignored.

    `on_change` is called on any thread for each new state, and for progress up to five times a second, in order for
    each download. It must not wait for other threads.
    """

    def __init__(
        self,
        *,
        jobs: JobStore,
        fetch: FetchChild,
        folder: Callable[[], Path],
        access: Callable[[], NetworkAccess],
        ledger_path: Path,
        work_folder: Path,
        local_copy: Callable[[RemoteFile], Path | None],
        on_change: Callable[[Download], None],
    ) -> None:
        self._on_change = on_change
        self._lock = threading.RLock()
        # Two locks: states change under the one, listeners are called under the other, so that they may ask back.
        self._telling = threading.RLock()
        self._adding = threading.Lock()
        self._closed = False
        self._fetching = RunningFetch(fetch, folder, access, ledger_path, work_folder, local_copy, self._lock)
        self._queue = StoredQueue(jobs, folder, self._lock)
        # The disk is looked at once, at the start: files may have come or gone.
        self._queue.load(self._fetching.find_existing)

    def start(self) -> None:
        """Continue after a restart: running and queued downloads resume, paused ones stay paused."""
        with self._changing_items() as changed:
            for item in self._queue:
                item.is_awake = True
            self._start_next(changed)

    def add(self, request: DownloadRequest) -> Download:
        """Queue a download, or resume the one for the same files.

        Fails at once with NotEnoughDisk if it and those before it don't fit. Looks for local copies then, which may
        take seconds. May raise DiskFull or FolderNotWritable.
        """
        # Held over the look at local copies, or the same model could be queued twice.
        with self._adding:
            same = self._find_same(request)
            if same is not None:
                self.resume(same.id)
                return self._snapshot_of(same)
            item = self._queue.add(request)
        # Outside of the queue's lock: hashing a local copy takes seconds.
        error = self._problem_of(item)
        with self._changing_items() as changed:
            item.is_awake = True
            if error is not None and item.state == "queued":
                item.state, item.error = "failed", error
            changed.append(item)
            self._start_next(changed)
        return self._snapshot_of(item)

    def pause(self, download_id: int) -> None:
        """Stop a download at once and keep what was fetched."""
        self._pause_items(lambda item: item.id == download_id, None)

    def pause_all(self, reason: AppError | None = None) -> None:
        """Pause all, e.g. when the network is switched off."""
        self._pause_items(lambda item: True, reason)

    def resume(self, download_id: int) -> None:
        """Queue a paused or failed download again, at its old place."""
        with self._changing_items() as changed:
            item = self._queue.get(download_id)
            if item is None or not item.is_open:
                return
            item.is_awake = True
            # A person who resumes knows about it, so the reason is forgotten.
            if item.state in ("paused", "failed"):
                item.state, item.error = "queued", None
                changed.append(item)
            self._start_next(changed)

    def cancel(self, download_id: int) -> None:
        """Stop a download and delete what was fetched, unless that is a complete model or another download needs it."""
        with self._changing_items() as changed:
            item = self._queue.get(download_id)
            if item is None or not item.is_open:
                return
            # Told as removed at once; its files go on a thread of their own.
            item.state, item.is_awake = CANCELLED, True
            item.cancel.cancel()
            changed.append(item)
            self._start_next(changed)

    def remove(self, download_id: int) -> None:
        """Remove a finished download from the list; its files stay."""
        with self._changing_items() as changed:
            item = self._queue.get(download_id)
            if item is not None and item.state == "done":
                self._queue.remove(item)
                changed.append(item)

    def all(self) -> list[Download]:
        """Return the whole queue in its order, finished items included."""
        with self._lock:
            return [item.snapshot() for item in self._queue if item.state != CANCELLED]

    def wait_for_idle(self, timeout_s: float = 5.0) -> bool:
        """Wait until no worker of a stopped download uses its files; return False on timeout."""
        with self._lock:
            # Threads of running downloads go on; those of stopped ones are what is waited for.
            ending = [item.worker for item in self._queue if item.worker and item.state != "running"]
        return _join_threads(ending, timeout_s)

    def close(self) -> None:
        """End all children, saving state for the next start; safe to call twice."""
        with self._lock:
            # First, so that nothing is saved or told any more: the next start goes on with the present state.
            self._closed = True
            self._queue.is_closed = True
            workers = [item.worker for item in self._queue if item.worker]
            for item in self._queue:
                item.cancel.cancel()
        _join_threads(workers, CLOSE_TIMEOUT_S)

    def _find_same(self, request: DownloadRequest) -> QueuedDownload | None:
        with self._changing_items() as changed:
            for item in self._queue:
                if item.request.wants_the_same(request):
                    if item.is_open:
                        return item
                    # A finished one of the same files is in the way of a new one only in the list.
                    if item.state == "done":
                        self._queue.remove(item)
                        changed.append(item)
        return None

    def _problem_of(self, item: QueuedDownload) -> AppError | None:
        """Return the error that would stop it from the start, such as lack of disk space beyond local copies; else
        None.
        """
        try:
            # What is here counts first, then copies elsewhere, which take long to look for.
            self._fetching.find_existing(item)
            try:
                self._queue.check_room(item)
            except AppError:
                self._fetching.find_copies(item)
                self._queue.check_room(item)
        except AppError as error:
            return error
        return None

    def _pause_items(self, is_meant: Callable[[QueuedDownload], bool], reason: AppError | None) -> None:
        with self._changing_items() as changed:
            for item in self._queue:
                if is_meant(item) and item.state in ("queued", "running"):
                    item.state, item.error = "paused", reason
                    item.cancel.cancel()
                    changed.append(item)

    def _start_next(self, changed: list[QueuedDownload]) -> None:
        """Start what waits in the order of the queue, as long as fewer than `MOST_AT_ONCE` run."""
        for item in self._queue:
            if item.worker is not None or not item.is_awake:
                continue
            # Counted by threads and not by states: a paused child may still be ending.
            at_work = sum(queued_download.worker is not None for queued_download in self._queue)
            if item.state == CANCELLED:
                self._start_item(item, self._throw_away)
            elif item.state == "queued" and at_work < MOST_AT_ONCE:
                item.state, item.error = "running", None
                # The old token belongs to a worker that may not have heard of it yet.
                item.cancel = CancelToken()
                item.set_idle()
                changed.append(item)
                self._start_item(item, self._run_worker)

    def _start_item(self, item: QueuedDownload, work: Callable[[QueuedDownload, CancelToken], None]) -> None:
        if not self._closed:
            item.worker = threading.Thread(
                target=work, args=(item, item.cancel), name=f"download {item.id}", daemon=True
            )
            item.worker.start()

    def _run_worker(self, item: QueuedDownload, cancel: CancelToken) -> None:
        """Fetch all that is missing of an item, record how it ended, and start the next one."""
        error: AppError | None = None
        try:
            self._fetching.find_existing(item)
            self._fetching.find_copies(item)
            if item.missing and not cancel.cancelled:
                self._queue.check_room(item)
                self._fetching.run(
                    item,
                    cancel,
                    ahead_bytes=lambda: self._queue.ahead_bytes(item),
                    hear=lambda file, event: self._take_event(item, file, event),
                )
        except AppError as problem:
            error = problem
        # A defect of ours must not leave an item that seems to run for ever.
        except Exception as defect:
            log.exception("download %d", item.id)
            error = DownloadFailed(item.request.title, f"{type(defect).__name__}: {defect}")
        with self._changing_items() as changed:
            item.worker = None
            if item.state != CANCELLED:  # that was told already, and what is here is thrown away next
                # Complete counts, even if it was paused at the last moment.
                if not item.missing:
                    item.state, item.error = "done", None
                elif item.state == "running" and not cancel.cancelled:
                    # Switched off is what a person wanted, and no failure.
                    item.state = "paused" if isinstance(error, NetworkOff) else "failed"
                    item.error = error
                changed.append(item)
            self._start_next(changed)

    def _throw_away(self, item: QueuedDownload, _cancel: CancelToken) -> None:
        self._fetching.throw_away(item, lambda file: self._queue.wants(item.request.repo, file))
        with self._changing_items() as changed:
            item.worker = None
            if not self._closed:  # else the next start throws it away
                self._queue.remove(item)
            self._start_next(changed)

    def _take_event(self, item: QueuedDownload, file: RemoteFile, event: ChildEvent) -> None:
        with self._lock:
            is_news = item.take_event(file, event)
            # Saved when a file is complete; between that the part itself says how far it is.
            if isinstance(event, Done):
                self._queue.save(item)
        if is_news and item.state == "running":
            self._notify_listeners(item)

    @contextmanager
    def _changing_items(self) -> Iterator[list[QueuedDownload]]:
        """Change items under the lock; save them, and report them after the lock is released."""
        changed: list[QueuedDownload] = []
        with self._lock:
            yield changed
            # Each once, in order: an item may be changed twice in one go.
            named = list(dict.fromkeys(changed))
            for item in named:
                self._queue.save(item)
        for item in named:
            self._notify_listeners(item)

    def _notify_listeners(self, item: QueuedDownload) -> None:
        # A lock of its own: events of one download are told in order, from whichever thread.
        with self._telling:
            if self._closed:
                return
            try:
                self._on_change(self._snapshot_of(item))
            # A listener's defect is not the download's.
            except Exception:
                log.exception("a listener failed at download %d", item.id)

    def _snapshot_of(self, item: QueuedDownload) -> Download:
        with self._lock:
            return item.snapshot()


def _join_threads(threads: list[threading.Thread], timeout_s: float) -> bool:
    """Join threads until the time is over; return whether all have ended."""
    until_s = time.monotonic() + timeout_s
    for thread in threads:
        if thread is not threading.current_thread():  # a listener may close the queue from a worker's own thread
            thread.join(max(0.0, until_s - time.monotonic()))
    return not any(thread.is_alive() for thread in threads)


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
    """What keeps the queue over restarts, as far as it is needed here: `store.jobs.JobTable`."""

    def add(self, kind: str, title: str, spec: dict[str, Any]) -> StoredJob: ...
    def find(self, kind: str = "") -> Sequence[StoredJob]: ...
    def update(
        self, job_id: int, *, state: str | None, progress: dict[str, Any] | None, error: AppError | None
    ) -> None: ...
    def remove(self, job_id: int) -> None: ...


class StoredQueue:
    """All items in their order, and whether there is room for each; `lock` is the queue's.

    Trouble with the store never stops a download: it is logged, and the part says how far it is.
    """

    def __init__(self, jobs: JobStore, folder: Callable[[], Path], lock: threading.RLock) -> None:
        self._jobs, self._folder, self._lock = jobs, folder, lock
        self._items: dict[int, QueuedDownload] = {}
        self.is_closed = False
        """True once nothing is saved any more, so that the next start finds the present state."""

    def __iter__(self) -> Iterator[QueuedDownload]:
        """Iterate over a snapshot of the items in queue order."""
        # A snapshot, as items come and go while others walk through it.
        return iter(sorted(self._items.values(), key=lambda item: (item.place, item.id)))

    def get(self, download_id: int) -> QueuedDownload | None:
        return self._items.get(download_id)

    def wants(self, repo: str, file: RemoteFile) -> bool:
        """Return whether a file is still to come for one of them."""
        with self._lock:
            return any(item.wants_file(repo, file) for item in self)

    def check_room(self, item: QueuedDownload) -> None:
        """Raise NotEnoughDisk unless all that it needs fits, and a reserve; DownloadFailed for an impossible name."""
        with self._lock:
            own_bytes = item.needed_bytes(self._folder())
            # Nothing to fetch needs no room, not even the reserve.
            if own_bytes:
                check_room(self._folder(), own_bytes + self.ahead_bytes(item) + reserve_for(own_bytes))

    def ahead_bytes(self, item: QueuedDownload) -> int:
        """Return what the others that run, or whose turn comes before, still need."""
        with self._lock:
            return sum(
                other.needed_bytes(self._folder())
                for other in self
                if other is not item
                # Those behind it in the queue wait for its room, not it for theirs.
                and (other.state == "running" or (other.state == "queued" and other.place < item.place))
            )

    def add(self, request: DownloadRequest) -> QueuedDownload:
        """Return a new item behind all others; may raise DiskFull or FolderNotWritable."""
        job = self._jobs.add(KIND, request.title, to_json(request))
        item = QueuedDownload(job.id, request, job.place)
        with self._lock:
            self._items[item.id] = item
        return item

    def load(self, look: Callable[[QueuedDownload], None]) -> None:
        """Load the queue; items that were running are queued. `look` checks the disk for open ones."""
        for job in self._jobs.find(KIND):
            try:
                item = QueuedDownload(job.id, from_json(DownloadRequest, job.spec), job.place)
                # A row that an older or newer program wrote otherwise stays where it is.
                item.take_progress(job.progress)
            except (TypeError, KeyError, ValueError, AttributeError) as error:
                log.warning("download %d cannot be read and is left alone: %s", job.id, error)
                continue
            # The program ended in the middle: it goes on by itself.
            item.state = "queued" if job.state == "running" else job.state
            item.error = job.error
            self._items[item.id] = item
            try:
                if item.is_open:
                    look(item)
            except AppError as error:
                log.info("download %d has no place: %s", job.id, error)

    def save(self, item: QueuedDownload) -> None:
        """Save an item. Items that another program fetches aren't saved: that program records their progress."""
        if self.is_closed or item.state == REMOVED or isinstance(item.error, DownloadRunning):
            return
        try:
            self._jobs.update(item.id, state=item.state, progress=item.to_progress(), error=item.error)
        except KeyError:  # removed by another program at the same time
            log.info("download %d is not in the store any more", item.id)
        except AppError as error:
            log.warning("download %d could not be saved: %s", item.id, error)

    def remove(self, item: QueuedDownload) -> None:
        """Remove an item from the queue and the store."""
        self._items.pop(item.id, None)
        item.state = REMOVED
        try:
            self._jobs.remove(item.id)
        except AppError as error:
            log.warning("download %d stays in the store: %s", item.id, error)
