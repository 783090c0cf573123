"""One model fetched here and now, without the queue: for the terminal."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from app.core.events import CancelToken
from app.core.lazy_dataclasses import dataclass, replace
from app.core.paths import AppPaths
from app.core.settings import load_settings
from app.engine.states import StateFolder
from app.features.lock.locked_settings import store_home_settings
from app.features.models.collection import CollectionServices, ModelCollection
from app.features.models.model_versions import version_folder
from app.hub.access import access_of
from app.hub.connection_ledger import ConnectionLedger
from app.hub.hub_token import HubToken
from app.hub.model_files import ModelFile, RemoteFile, Repository
from app.hub.network import Network
from app.hub.protocol import ChildEvent, Done, Fetched
from app.hub.protocol import Job as FetchJob
from app.hub.running_fetch import fetch_download
from app.store.database import Database
from app.store.jobs import JobTable
from app.store.model_notes import ModelNotes
from app.store.model_uses import ModelUses


@dataclass(frozen=True)
class ModelReady:
    """A model is complete. `resumed_bytes` were here before; `size_bytes` counts its parts, not the vision file."""

    path: Path
    size_bytes: int
    sha256: str
    """Of the first part."""
    resumed_bytes: int
    vision_path: Path | None = None


def fetch_model(
    models: ModelCollection, repository: Repository, model: ModelFile, cancel: CancelToken
) -> Iterator[ChildEvent | ModelReady]:
    """Download the missing files one by one, with progress over all.

    The last event is ModelReady, unless cancelled: partial files are kept for next time.
    """
    files = (*model.parts, *repository.vision[:1])
    total = sum(file.size_bytes for file in files)
    version = version_folder(models.list_installed(), repository, model)
    done: list[Done] = []
    for file in files:
        before = sum(event.size_bytes for event in done)
        left = sum(remote_file.size_bytes for remote_file in files[len(done) + 1 :])
        copy = (
            _copy_existing(models, repository, file, cancel) if len(model.parts) == 1 else None
        )  # parts must lie together
        for event in [copy] if copy else fetch_file(models, repository, file, left, cancel, version=version):
            if isinstance(event, Fetched):
                yield replace(event, done_bytes=before + event.done_bytes, total_bytes=total)
            elif isinstance(event, Done):
                done.append(event)
            else:
                yield event
        # What came so far stays for next time.
        if cancel.cancelled:
            return
    parts = done[: len(model.parts)]
    models.register_model(Path(parts[0].path))
    vision = Path(done[-1].path) if len(done) > len(parts) else None
    size, resumed = sum(done.size_bytes for done in parts), sum(part.resumed_bytes for part in done)
    yield ModelReady(Path(parts[0].path), size, parts[0].sha256, resumed, vision)


def fetch_file(
    models: ModelCollection,
    repository: Repository,
    file: RemoteFile,
    left_bytes: int,
    cancel: CancelToken,
    *,
    folder: Path | None = None,
    version: str = "",
) -> Iterator[ChildEvent]:
    """Download a file into `folder`, by default the models'; `version` is its folder beside an older one.

    `left_bytes` are still needed for later files.
    """
    around = models.around
    job = FetchJob(
        repository.name,
        repository.commit,
        file.name,
        str(folder or models.models_folder()),
        around.network.access(),
        str(around.paths.connections),
        file.size_bytes,
        file.sha256,
        left_bytes,
        version,
    )
    yield from fetch_download(job, folder=around.paths.downloads, cancel=cancel)


def _copy_existing(
    models: ModelCollection, repository: Repository, file: RemoteFile, cancel: CancelToken
) -> Done | None:
    if (copy := models.find_copy(file, cancel)) is None:
        return None
    return Done(str(copy), file.size_bytes, file.sha256, repository.commit, file.size_bytes, 0.0)


@contextmanager
def build_models(paths: AppPaths) -> Iterator[ModelCollection]:
    """Yield the models for the terminal, without the window's labels and queue."""
    settings, _ = load_settings(paths.settings)
    token = HubToken()

    def change(section: str, **values: Any) -> None:
        nonlocal settings
        settings = settings.changed(section, **values)
        store_home_settings(paths, settings)

    with closing(Database.in_memory()) as database:
        models = ModelCollection(
            CollectionServices(
                paths,
                lambda: settings,
                change,
                Network(lambda: access_of(settings, token), ConnectionLedger(paths.connections)),
                JobTable(database),
                ModelNotes(database),
                ModelUses(database),
                StateFolder(paths.states, lambda: settings.engine.states_budget_mb * 10**6),
            )
        )
        with closing(models):
            yield models
