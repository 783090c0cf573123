"""The download queue as the store keeps it, so that no item is ever lost."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import Any, Protocol

from app.core.errors import AppError, DownloadRunning
from app.hub.download_request import DownloadRequest
from app.hub.queued_download import QueuedDownload

log = logging.getLogger(__name__)

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
        job = self._jobs.add(KIND, request.title, request.to_spec())
        return QueuedDownload(job.id, request, job.place)

    def load(self, look: Callable[[QueuedDownload], None]) -> list[QueuedDownload]:
        """All items; what was running when the program ended is queued. `look` sees what is here of an open one."""
        found = []
        for job in self._jobs.find(KIND):
            try:
                item = QueuedDownload(job.id, DownloadRequest.from_spec(job.spec), job.place)
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
