"""Newer files of installed models: looked for when the person asks, kept beside the old until one has answered.

A newer version lies in a folder of its own below the repository's. Once it has answered, everything that used the old
file uses the new one, and the old goes to the trash.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from app.core.errors.hub_errors import FileNotOnHub
from app.core.events import CancelToken
from app.core.lazy_dataclasses import dataclass, replace
from app.features.models import choice
from app.features.models.installed import ChosenModels, InstalledFile, InstalledModels
from app.hub import model_trash
from app.hub.download import Download, DownloadRequest
from app.hub.downloads import Downloads
from app.hub.hub_search import HubSearch
from app.hub.model_files import ModelFile, Repository
from app.hub.model_library import InstalledModel, read_sidecar
from app.hub.model_trash import TrashedModel
from app.store.model_uses import ModelUses

COMMIT_CHARACTERS = 8
"""Of a commit, in the name of a version's folder."""


@dataclass(frozen=True)
class ModelUpdate:
    """A file on the Hub that differs from the one here. `changed_at` is in seconds since 1970, 0 if unknown."""

    model: InstalledModel
    repository: Repository
    file: ModelFile
    changed_at: float

    @property
    def size_bytes(self) -> int:
        """Bytes of all parts of the newer file."""
        return self.file.size_bytes


class ModelVersions:
    """Looks for newer versions, fetches them, and lets them take over. Call from worker threads."""

    def __init__(
        self,
        installed: InstalledModels,
        chosen: ChosenModels,
        *,
        hub: HubSearch,
        uses: ModelUses,
        downloads: Downloads,
        folder: Callable[[], Path],
    ) -> None:
        self._hub, self._installed, self._chosen, self._uses = hub, installed, chosen, uses
        self._downloads, self._folder = downloads, folder

    def find_update(self, model: InstalledModel, cancel: CancelToken | None = None) -> ModelUpdate | None:
        """Ask the Hub for a newer version of a downloaded model; None if the newest is here.

        Raises FileNotOnHub if the repository no longer has the file, and what a question to the Hub raises.
        """
        return self._find_update(model, self._installed.list_ours(), cancel)

    def _find_update(
        self, model: InstalledModel, rows: list[InstalledFile], cancel: CancelToken | None
    ) -> ModelUpdate | None:
        repository = self._hub.read_repository(model.repo, cancel=cancel)
        file = next((found for found in repository.models if found.name == model.remote_file), None)
        if file is None:
            raise FileNotOnHub(model.repo, model.remote_file)
        here = [row.model for row in rows if row.model.is_version_of(model)]
        if any(_is_same_content(version, file) for version in (model, *here)):
            return None
        changed_at = self._hub.read_change_time(model.repo, repository.commit, file.name, cancel)
        return ModelUpdate(model, repository, file, changed_at)

    def find_updates(self, cancel: CancelToken | None = None) -> list[ModelUpdate]:
        """Ask the Hub for newer versions of everything that came from there; files it no longer has are left out."""
        found, rows = [], self._installed.list_ours()
        for row in rows:
            if cancel is not None and cancel.cancelled:
                break
            if not row.model.remote_file:
                continue
            try:
                found.append(self._find_update(row.model, rows, cancel))
            except FileNotOnHub:
                continue  # the file here stays usable
        return [update for update in found if update is not None]

    def download(self, update: ModelUpdate) -> Download:
        """Queue a newer version, with its projector if the old one has one. The old file stays."""
        repository, entry = update.repository, self._installed.entry_of(update.model)
        vision = choice.vision_of(entry, repository) if update.model.vision_path is not None else None
        request = DownloadRequest(
            repository.name,
            repository.commit,
            update.model.name,
            update.file.parts,
            vision,
            repository.license,
            version_folder(self._installed.list_ours(), repository, update.file),
        )
        return self._downloads.add(request)

    def retire_older(self, path: Path) -> list[TrashedModel]:
        """Let the version at `path`, which has answered, take over from older ones; return those, now in the trash.

        Raises FolderNotWritable or DiskFull; what used an old file then uses the new one already.
        """
        rows = self._installed.list_ours()
        newer = next((row.model for row in rows if row.model.path == path), None)
        older = [row for row in rows if newer is not None and not row.is_kept and _is_older(row.model, newer)]
        thrown = []
        for row in older:
            self._take_over(row, path)
            thrown.append(model_trash.throw_away(row.model, self._folder()))
            self._chosen.forget_file(row.model.path)
        return thrown

    def _take_over(self, older: InstalledFile, path: Path) -> None:
        self._chosen.replace_file(older.model.path, path)
        self._uses.replace_model(str(older.model.path), str(path))


def version_folder(rows: list[InstalledFile], repository: Repository, file: ModelFile) -> str:
    """Return the name of a folder for a file of which another version is here; "" where there is none."""
    here = [row.model for row in rows if (row.model.repo, row.model.remote_file) == (repository.name, file.name)]
    is_other = bool(here) and not any(_is_same_content(model, file) for model in here)
    return repository.commit[:COMMIT_CHARACTERS] if is_other else ""


def mark_versions(rows: list[InstalledFile]) -> list[InstalledFile]:
    """Mark models of which a newer version is here, too."""
    return [
        replace(row, has_newer=not row.is_kept and any(_is_older(row.model, other.model) for other in rows))
        for row in rows
    ]


def _is_older(model: InstalledModel, other: InstalledModel) -> bool:
    return model.is_version_of(other) and model.path != other.path and model.downloaded_at < other.downloaded_at


def _is_same_content(model: InstalledModel, file: ModelFile) -> bool:
    """Compare the hashes noted when it was downloaded with the Hub's; where one has none, the sizes decide."""
    noted = [read_sidecar(path).get("sha256", "") for path in model.parts]
    hashes = [part.sha256 for part in file.parts]
    return noted == hashes if all(noted) and all(hashes) else model.size_bytes == file.size_bytes
