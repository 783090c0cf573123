"""Models from and to folders and disks: found with their checksums, and written so that another computer can check."""

from __future__ import annotations

import contextlib
import errno
import os
import re
from collections.abc import Generator, Mapping, Sequence
from pathlib import Path

from app.core.errors.app_error import AppError
from app.core.errors.hub_errors import DiskTooSmall
from app.core.errors.model_errors import FolderWithoutModels, ModelAltered, ModelMissing, ModelUnreadable
from app.core.errors.saving_errors import CopyInterrupted, DiskFailing, FileTooLarge
from app.core.events import CancelToken, CopyProgress
from app.core.lazy_dataclasses import dataclass
from app.core.paths import disk_problem
from app.core.synced_files import sync_name
from app.hub.checked_copy import require_room_for_files
from app.hub.checksums import SUMS, find_checksums, write_checksums
from app.hub.model_library import ENDING, InstalledModel, read_sidecar, sha_by_name, walk_files
from app.hub.models_folder import copy_files, model_files, require_model, write_note
from app.hub.move_files import numbered_paths, remove_empty, unfinished_path
from app.hub.part import check_room

NO_MODELS = ("projector", "vocabulary_only")
"""Reasons of ModelUnreadable for files that only belong to models."""
BIN = "$RECYCLE.BIN"
_NOT_IN_NAMES = re.compile(r'[<>:"/|?*\\\x00-\x1f]+')


@dataclass(frozen=True)
class DiskModel:
    """A model on a disk, `size_bytes` with its projector. `sums` are the SHA-256 stated for its files."""

    model: InstalledModel
    size_bytes: int
    sums: Mapping[Path, str]

    @property
    def is_checked(self) -> bool:
        """True if every file has a checksum to be compared with."""
        return all(path in self.sums for path in model_files(self.model))


@dataclass(frozen=True)
class DiskContents:
    """Models in a folder, and what is wrong with files that look like some."""

    models: tuple[DiskModel, ...]
    problems: tuple[AppError, ...]


def find_models(folder: Path, cancel: CancelToken) -> DiskContents:
    """Find the models in a folder and those below it; nothing is copied. Raises ModelMissing or FolderWithoutModels."""
    folder = folder.absolute()
    if not folder.is_dir():
        raise ModelMissing(str(folder))
    seen: set[Path] = set()
    models: list[DiskModel] = []
    problems: dict[tuple[type, str], AppError] = {}
    for file in walk_files(folder):
        if cancel.cancelled:
            break
        if file.path in seen or BIN in file.path.parts:
            continue
        try:
            model = require_model(file.path)
        except (ModelMissing, ModelUnreadable) as error:
            if getattr(error, "reason", "") not in NO_MODELS:
                problems[type(error), error.path] = error  # each part of a split names the same missing one
            continue
        paths = model_files(model)
        seen.update(paths)
        models.append(DiskModel(model, sum(path.stat().st_size for path in paths), find_checksums(paths, folder)))
    if not models and not problems and not cancel.cancelled:
        raise FolderWithoutModels(str(folder))
    return DiskContents(tuple(models), tuple(problems.values()))


def export_model(
    model: InstalledModel, folder: Path, facts: Mapping[str, str], cancel: CancelToken
) -> Generator[CopyProgress, None, Path | None]:
    """Copy a model into a folder of its own below `folder`, with SHA256SUMS; return that folder, None if cancelled.

    `facts` are noted beside its first file, and beside each the repository, commit and SHA-256. Raises ModelMissing,
    ModelAltered, FileTooLarge, NotEnoughDisk, DiskFull or FolderNotWritable.
    """
    if model.missing:
        raise ModelMissing(str(model.path.with_name(model.missing[0])))
    sources = model_files(model)
    try:
        total = sum(path.stat().st_size for path in sources)
    except OSError as error:
        raise ModelMissing(str(model.path)) from error
    require_room_for_files(folder, sources)
    place, names = _free_place(model, folder, sources)
    pairs = [(source, place / name) for source, name in zip(sources, names, strict=True)]
    here = sum(part.stat().st_size for _, target in pairs if (part := unfinished_path(target)).is_file())
    check_room(folder, total - here, DiskTooSmall)
    try:
        hashes = yield from copy_files(pairs, total, _known_sums(sources), cancel)
        if cancel.cancelled:
            return None
        for source, target in pairs:
            write_note(target, _note_of(model, source, facts) | {"sha256": hashes[source]})
            unfinished_path(target).rename(target)
        write_checksums(place, {target.name: hashes[source] for source, target in pairs})
        _open_to_others(place)
    except ModelAltered as error:
        raise ModelAltered(error.path, "installed") from error
    except CopyInterrupted as error:
        raise DiskFailing(error.path) from error  # the disk of our models
    except OSError as error:
        if error.errno == errno.EFBIG:
            largest = max(sources, key=lambda path: path.stat().st_size)
            raise FileTooLarge(str(folder), largest.name, largest.stat().st_size) from error
        raise disk_problem(error, folder) from error
    finally:
        with contextlib.suppress(OSError):  # a disk that was taken out keeps what is there
            for _, target in pairs:
                unfinished_path(target).unlink(missing_ok=True)
            remove_empty(place, folder)
    yield CopyProgress(total, total, model.path.name)
    return place


def _free_place(model: InstalledModel, folder: Path, sources: Sequence[Path]) -> tuple[Path, list[str]]:
    """Return a folder below `folder` in which none of the names is taken, and names that every system allows."""
    base = _NOT_IN_NAMES.sub("-", f"{model.name} {model.tag}".strip()).strip(" .") or "model"
    # Ollama's files have no names of their own.
    names = [_NOT_IN_NAMES.sub("-", path.name) if path.suffix.lower() == ENDING else "" for path in sources]
    names = [name or (f"{base}{ENDING}" if path == model.path else f"mmproj {base}{ENDING}")
             for name, path in zip(names, sources, strict=True)]  # fmt: skip
    homes = numbered_paths(folder / base)
    return next(home for home in homes if not any(os.path.lexists(home / name) for name in names)), names


def _known_sums(sources: Sequence[Path]) -> dict[Path, str]:
    """Return the SHA-256 that our files are known to have: what differs has been damaged since."""
    named = {path: sha256 for path in sources if (sha256 := sha_by_name(path))}
    return named | find_checksums(sources)


def _note_of(model: InstalledModel, source: Path, facts: Mapping[str, str]) -> dict[str, str]:
    known = read_sidecar(source)
    if not known and model.repo:
        known = {"repo": model.repo, "commit": model.commit, "file": source.name}
    known.pop("added_at", None)
    return known | (dict(facts) if source == model.path else {})


def _open_to_others(place: Path) -> None:
    """Let the person on the other computer read what is on the disk; some file systems know no rights."""
    with contextlib.suppress(OSError):
        for path in place.iterdir():
            path.chmod(0o644)
        place.chmod(0o755)
    sync_name(place / SUMS)
