"""Disk space of models, and clearing what nobody needs: trash, unfinished downloads, states, finished jobs."""

from __future__ import annotations

import contextlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path

from app.core.errors.hub_errors import DownloadFailed, DownloadRunning
from app.core.lazy_dataclasses import dataclass
from app.engine.states import StateFolder
from app.hub import model_trash, part
from app.hub.downloads import KIND as DOWNLOAD
from app.hub.downloads import Downloads
from app.store.jobs import Job, JobTable

DONE = "done"
OVER = ("done",)
"""Limited to downloads: the table also holds summaries, which must stay."""


@dataclass(frozen=True)
class StorageReport:
    """Sizes in bytes. `models_bytes` counts what downloads have of theirs, `parts_bytes` what none waits for."""

    folder: Path
    free_bytes: int
    models_bytes: int
    trash_bytes: int
    parts_bytes: int
    states_bytes: int
    jobs_bytes: int
    memory_bytes: int = 0
    """Of the translation memory."""


class ModelStorage:
    """Measure and clear disk space of models; every call scans folders."""

    def __init__(
        self,
        folder: Callable[[], Path],
        downloads: Downloads,
        jobs: JobTable,
        states: StateFolder,
        memory_bytes: Callable[[], int] = lambda: 0,
    ) -> None:
        self._folder, self._downloads, self._jobs, self._states = folder, downloads, jobs, states
        self._memory_bytes = memory_bytes

    def make_report(self) -> StorageReport:
        folder = self._folder()
        # The folder may not be made yet; its disk is that of the nearest parent.
        there = next(parent for parent in (folder, *folder.parents) if parent.is_dir())
        files = [file for file in folder.rglob("*.gguf") if not _is_hidden(file, folder)] if folder.is_dir() else []
        parts, loose = self._partial_files(), self._loose_parts()
        return StorageReport(
            folder,
            shutil.disk_usage(there).free,
            # Parts of unfinished downloads count as models: they are wanted.
            sum(map(_file_size, files)) + sum(part.fetched_bytes(path) for path in parts if path not in loose),
            sum(_file_size(file) for file in (folder / model_trash.TRASH).rglob("*")),
            sum(map(part.fetched_bytes, loose)),
            self._states.size_bytes(),
            sum(_job_bytes(job) for job in self._jobs.find(DOWNLOAD, OVER)),
            self._memory_bytes(),
        )

    def clear_trash(self) -> None:
        """Delete removed models for good."""
        model_trash.empty_trash(self._folder())

    def clear_parts(self) -> None:
        """Delete partial files that no download needs."""
        for path in self._loose_parts():
            try:
                # Only tried: a lock that somebody else holds says that the file is being written.
                with part.PartialFile(path).locked():
                    pass
            except DownloadRunning:  # in another window or a terminal
                continue
            part.throw_away(path)

    def clear_states(self) -> None:
        """Delete KV snapshots; models process their chats again next time."""
        self._states.clear()

    def clear_jobs(self) -> None:
        for download in self._downloads.all():
            if download.state == DONE:
                self._downloads.remove(download.id)
        for job in self._jobs.find(DOWNLOAD, OVER):
            self._jobs.remove(job.id)

    def _wanted_files(self) -> set[Path]:
        """Return the files that unfinished downloads need."""
        folder, wanted = self._folder(), set()
        # What waits or runs still needs its parts.
        for download in self._downloads.all():
            for file in download.request.all_files if download.state != DONE else ():
                with contextlib.suppress(DownloadFailed):  # its name is no file's
                    wanted.add(download.request.place_of(file, folder))
        return wanted

    def _loose_parts(self) -> list[Path]:
        wanted = self._wanted_files()
        return [path for path in self._partial_files() if path not in wanted]

    def _partial_files(self) -> list[Path]:
        folder = self._folder()
        if not folder.is_dir():
            return []
        found = (file.with_name(file.name.removesuffix(part.PART)) for file in folder.rglob("*" + part.PART))
        return [path for path in found if not _is_hidden(path, folder)]


def _is_hidden(file: Path, folder: Path) -> bool:
    return any(name.startswith(".") for name in file.relative_to(folder).parts[:-1])


def _file_size(file: Path) -> int:
    try:
        return file.stat().st_size if file.is_file() else 0
    except OSError:
        return 0


def _job_bytes(job: Job) -> int:
    return len(json.dumps(job.spec)) + len(json.dumps(job.progress))
