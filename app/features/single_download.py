"""One model fetched here and now, without the queue: for the terminal."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from app.core.events import CancelToken
from app.features.models import Models
from app.hub.download import fetch
from app.hub.files import ModelFile, RemoteFile, Repository
from app.hub.protocol import ChildEvent, Done, Fetched, Job


@dataclass(frozen=True)
class Ready:
    """A model is complete. `resumed_bytes` were here before; `size_bytes` counts its parts, not the vision file."""

    path: Path
    size_bytes: int
    sha256: str
    """Of the first part."""
    resumed_bytes: int
    vision_path: Path | None = None


def fetch_model(
    models: Models, repository: Repository, model: ModelFile, cancel: CancelToken
) -> Iterator[ChildEvent | Ready]:
    """Fetches what is not on this computer, file after file; progress counts all of them. The last event is Ready,
    unless it was cancelled: then what was fetched is kept for the next time.
    """
    files = (*model.parts, *repository.vision[:1])
    total = sum(file.size_bytes for file in files)
    done: list[Done] = []
    for file in files:
        before = sum(each.size_bytes for each in done)
        left = sum(each.size_bytes for each in files[len(done) + 1 :])
        copy = _copy(models, repository, file, cancel) if len(model.parts) == 1 else None  # parts must lie together
        for event in [copy] if copy else _fetch_one(models, repository, file, left, cancel):
            if isinstance(event, Fetched):
                yield replace(event, done_bytes=before + event.done_bytes, total_bytes=total)
            elif isinstance(event, Done):
                done.append(event)
            else:
                yield event
        if cancel.cancelled:
            return
    parts = done[: len(model.parts)]
    models.came(tuple(Path(each.path) for each in parts))
    vision = Path(done[-1].path) if len(done) > len(parts) else None
    size, resumed = sum(each.size_bytes for each in parts), sum(each.resumed_bytes for each in done)
    yield Ready(Path(parts[0].path), size, parts[0].sha256, resumed, vision)


def _fetch_one(
    models: Models, repository: Repository, file: RemoteFile, left_bytes: int, cancel: CancelToken
) -> Iterator[ChildEvent]:
    """`left_bytes` are still needed for what comes after it."""
    around = models.around
    job = Job(
        repository.name,
        repository.commit,
        file.name,
        str(models.folder()),
        around.network.access(),
        str(around.paths.connections),
        file.size_bytes,
        file.sha256,
        left_bytes,
    )
    yield from fetch(job, folder=around.paths.downloads, cancel=cancel)


def _copy(models: Models, repository: Repository, file: RemoteFile, cancel: CancelToken) -> Done | None:
    copy = models.find_copy(file, cancel)
    if copy is None:
        return None
    return Done(str(copy), file.size_bytes, file.sha256, repository.commit, file.size_bytes, 0.0)
