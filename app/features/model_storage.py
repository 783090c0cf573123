"""What models take on the disk, and clearing what nobody needs: trash, unfinished downloads, states, finished jobs."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path

from app.core.errors import DownloadRunning
from app.engine.states import StateFolder
from app.hub import models_folder, part
from app.hub.downloads import KIND as DOWNLOAD
from app.store.jobs import Job, Jobs

OVER = ("done",)
"""Of downloads only: the same table holds summaries, which a person keeps."""


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
    """Measures and clears; every call looks through folders. `wanted` names the files that downloads go on with."""

    def __init__(
        self,
        folder: Callable[[], Path],
        wanted: Callable[[], Collection[Path]],
        jobs: Jobs,
        states: StateFolder,
        memory_bytes: Callable[[], int] = lambda: 0,
    ) -> None:
        self._folder, self._wanted, self._jobs, self._states = folder, wanted, jobs, states
        self._memory_bytes = memory_bytes

    def report(self) -> StorageReport:
        """What is there now."""
        folder = self._folder()
        there = next(each for each in (folder, *folder.parents) if each.is_dir())
        files = [file for file in folder.rglob("*.gguf") if not _is_hidden(file, folder)] if folder.is_dir() else []
        parts, loose = self._parts(), self._loose_parts()
        return StorageReport(
            folder,
            shutil.disk_usage(there).free,
            sum(map(_size, files)) + sum(part.fetched_bytes(path) for path in parts if path not in loose),
            sum(_size(file) for file in (folder / models_folder.TRASH).rglob("*")),
            sum(map(part.fetched_bytes, loose)),
            self._states.size_bytes(),
            sum(_job_bytes(job) for job in self._jobs.find(DOWNLOAD, OVER)),
            self._memory_bytes(),
        )

    def clear_trash(self) -> None:
        """What was removed is gone for good."""
        models_folder.empty(self._folder())

    def clear_parts(self) -> None:
        """Removes the beginnings of files that no download waits for."""
        for path in self._loose_parts():
            try:
                with part.Part(path).locked():
                    pass
            except DownloadRunning:  # in another window or a terminal
                continue
            part.throw_away(path)

    def clear_states(self) -> None:
        """Models read their chats again the next time."""
        self._states.clear()

    def clear_jobs(self) -> None:
        """Forgets the downloads that are over."""
        for job in self._jobs.find(DOWNLOAD, OVER):
            self._jobs.remove(job.id)

    def _loose_parts(self) -> list[Path]:
        wanted = self._wanted()
        return [path for path in self._parts() if path not in wanted]

    def _parts(self) -> list[Path]:
        """The files of which there is a beginning."""
        folder = self._folder()
        if not folder.is_dir():
            return []
        found = (file.with_name(file.name.removesuffix(part.PART)) for file in folder.rglob("*" + part.PART))
        return [path for path in found if not _is_hidden(path, folder)]


def _is_hidden(file: Path, folder: Path) -> bool:
    return any(name.startswith(".") for name in file.relative_to(folder).parts[:-1])


def _size(file: Path) -> int:
    try:
        return file.stat().st_size if file.is_file() else 0
    except OSError:
        return 0


def _job_bytes(job: Job) -> int:
    return len(json.dumps(job.spec)) + len(json.dumps(job.progress))
