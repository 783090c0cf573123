"""Models that come from a folder or a disk, and go to one, for computers without a network."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from pathlib import Path

from app.core.errors.app_error import AppError
from app.core.errors.hub_errors import NotEnoughDisk
from app.core.errors.model_errors import ModelNotInstalled
from app.core.errors.saving_errors import DiskFull, FolderNotWritable
from app.core.events import CancelToken, CopyProgress
from app.core.gguf import GgufProblem, read_beginning
from app.core.lazy_dataclasses import dataclass
from app.features.models.installed import HEADER_BYTES, InstalledFile, InstalledModels
from app.hub import model_disks, models_folder
from app.hub.model_disks import DiskContents, DiskModel
from app.hub.model_library import InstalledModel

ADDED = "added"
_FACTS = {
    "license": "license",
    "license_name": "license.name",
    "license_link": "license.link",
    "author": "author",
    "organization": "organization",
    "source": "source.url",
}
"""What is noted of a model's header, by the header's names below `general.`."""


ENDS_ALL = (NotEnoughDisk, DiskFull, FolderNotWritable)
"""A disk that is full, gone or failing: DiskFailing is a FolderNotWritable."""


@dataclass(frozen=True)
class ModelAdded:
    """A model was added, and lies at `path` now."""

    found: DiskModel
    path: Path


@dataclass(frozen=True)
class ModelRefused:
    """A model wasn't added, for the reason in `error`."""

    found: DiskModel
    error: AppError


class ModelDisks:
    """Finds, adds and exports models; `register` lists an added one. Belongs on a thread."""

    def __init__(
        self, folder: Callable[[], Path], installed: InstalledModels, register: Callable[[Path, str], None]
    ) -> None:
        self._folder, self._installed, self._register = folder, installed, register

    def find_models(self, folder: Path, cancel: CancelToken) -> DiskContents:
        """Find the models in a folder and those below it. Raises ModelMissing or FolderWithoutModels."""
        return model_disks.find_models(folder, cancel)

    def find_same(self, found: DiskModel) -> InstalledFile | None:
        """Return the model of ours that has the checksum stated for this one."""
        stated = found.sums.get(found.model.path)
        rows = self._installed.list_ours() if stated else ()
        return next((row for row in rows if self._installed.sha_of(row.model) == stated), None)

    def add_model(
        self, path: Path, how: str, cancel: CancelToken, sums: Mapping[Path, str] | None = None
    ) -> Generator[CopyProgress, None, Path]:
        """Add a file by copy, move or in_place, compared with `sums` or what is stated beside it.

        Returns its new path; cancelled, the old one.
        """
        added = yield from models_folder.add_model(path, self._folder(), how, cancel, sums=sums)
        if added is None:
            return path
        self._register(added, ADDED)
        return added

    def add_models(
        self, chosen: Sequence[DiskModel], how: str, cancel: CancelToken
    ) -> Iterator[CopyProgress | ModelAdded | ModelRefused]:
        """Add models found on a disk, one after the other, until it is cancelled or the disk takes no more.

        What is wrong with one of them is an event; what the next would meet, too, is raised.
        """
        total, done = sum(found.size_bytes for found in chosen), 0
        for found in chosen:
            steps = self.add_model(found.model.path, how, cancel, found.sums)
            try:
                path = yield from _shifted(steps, done, total, found.model.name)
            except ENDS_ALL:
                raise
            except AppError as error:
                yield ModelRefused(found, error)
            else:
                if cancel.cancelled:
                    return
                yield ModelAdded(found, path)
            done += found.size_bytes

    def find_installed(self, name: str) -> InstalledModel:
        """Find a model of ours or of another program by path, file name or name; raises ModelNotInstalled."""
        try:
            return self._installed.find(name)
        except ModelNotInstalled:
            same = name.lower()
            for row in self._installed.list_others():
                if same in (row.label.lower(), row.model.name.lower(), str(row.model.path).lower()):
                    return row.model
            raise

    def export_model(
        self, model: InstalledModel, folder: Path, cancel: CancelToken
    ) -> Generator[CopyProgress, None, Path | None]:
        """Copy a model to a folder or disk, with checksums and what is known of it; return its folder there."""
        return model_disks.export_model(model, folder, self._facts_of(model), cancel)

    def _facts_of(self, model: InstalledModel) -> dict[str, str]:
        entry = self._installed.entry_of(model)
        facts = {"name": entry.name if entry else model.name, "license": entry.license if entry else ""}
        facts |= {"quantization": model.tag, "architecture": model.architecture}
        try:
            with model.path.open("rb") as file:
                header = read_beginning(file.read(HEADER_BYTES)).metadata
        except (OSError, GgufProblem):
            header = {}
        stated = {name: header.get(f"general.{key}") for name, key in _FACTS.items()}
        facts |= {name: value for name, value in stated.items() if isinstance(value, str) and value}
        return {name: value for name, value in facts.items() if value}


def _shifted(
    steps: Generator[CopyProgress, None, Path], done: int, total: int, name: str
) -> Generator[CopyProgress, None, Path]:
    """Tell of one model's progress as a part of all; return what the steps return."""
    while True:
        try:
            event = next(steps)
        except StopIteration as end:
            path: Path = end.value
            return path
        yield CopyProgress(done + event.done_bytes, total, name)
