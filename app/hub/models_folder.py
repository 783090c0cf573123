"""Models folder: add files, move the folder, and delete models into its trash."""

from __future__ import annotations

import os
import sys
from collections.abc import Generator, Iterable, Iterator
from pathlib import Path

from app.core.errors.model_errors import ModelMissing, ModelNotOurs, ModelUnreadable
from app.core.events import CancelToken, CopyProgress
from app.core.gguf import check_model
from app.core.paths import disk_problem, make_folder
from app.core.synced_files import sync_folder
from app.hub.model_library import (
    InstalledModel,
    describe_model,
    file_at,
    known_folders,
)
from app.hub.move_files import (
    copy_file,
    numbered_paths,
    remove_empty,
    unfinished_path,
)
from app.hub.part import check_room, reserve_for

ADDED = "added"


def add_model(
    path: Path, folder: Path, how: str, cancel: CancelToken, others: Iterable[Path] | None = None
) -> Generator[CopyProgress, None, Path | None]:
    """Add a model with all parts and its projector; return its new path, None if cancelled.

    `how`: copy, move or in_place. `others` are folders of other programs, whose files are never moved. Copies have
    temporary names until all are complete; only then a move deletes the old files. Raises ModelMissing,
    ModelUnreadable, ModelNotOurs, NotEnoughDisk, DiskFull or FolderNotWritable.
    """
    path = path.absolute()
    model = require_model(path)
    # Sizes first: progress is in bytes of all files.
    total = sum(file.size_bytes for source in _model_files(model) if (file := file_at(source)) is not None)
    # In its own place, or already below ours: nothing has to be moved.
    if how == "in_place" or path.resolve().is_relative_to(folder.resolve()):
        yield CopyProgress(total, total, path.name)
        return model.path
    if how == "move" and any(_lies_in(path, other) for other in (_other_folders() if others is None else others)):
        raise ModelNotOurs(str(path))
    place = _free_folder(model, folder)
    pairs = [(source, place / source.name) for source in _model_files(model)]
    try:
        # Linked, a move on one disk takes no room and no time.
        if not (how == "move" and _link_files(pairs)):
            check_room(folder, total + reserve_for(total))
            yield from _copy_files(pairs, total, cancel)
            if cancel.cancelled:
                return None
            # All are complete: from here on they count as a model.
            for _, target in pairs:
                unfinished_path(target).rename(target)
            # Names and bytes may reach the disk in any order, unless the folder is synced as well.
            sync_folder(place)
    except OSError as error:
        raise disk_problem(error, folder) from error
    finally:
        for _, target in pairs:
            unfinished_path(target).unlink(missing_ok=True)
        remove_empty(place, folder)
    if how == "move":
        # Only now, when everything is there and synced.
        _remove_files([source for source, _ in pairs])
    yield CopyProgress(total, total, path.name)
    return place / model.path.name


def require_model(path: Path) -> InstalledModel:
    """Return the model that a file belongs to, complete and readable; raises ModelMissing or ModelUnreadable."""
    check_model(path)
    model = describe_model(path, "added")
    if model is None:
        raise ModelUnreadable(str(path), "vocabulary_only")
    if model.missing:
        raise ModelMissing(str(path.with_name(model.missing[0])))
    for part in model.parts:
        check_model(part)
    return model


def _model_files(model: InstalledModel) -> list[Path]:
    """Return the model's files, first part last: without it the model doesn't count as complete."""
    return [*([model.vision_path] if model.vision_path else []), *reversed(model.parts)]


def _free_folder(model: InstalledModel, folder: Path) -> Path:
    """Return a folder below `added` in which none of the model's names is taken."""
    names = [source.name for source in _model_files(model)]
    homes = numbered_paths(folder / ADDED / (model.name.strip(" .") or "model"))
    return next(home for home in homes if not any(os.path.lexists(home / name) for name in names))


def _link_files(pairs: list[tuple[Path, Path]]) -> bool:
    """Hard-link the files to their new names; False if they aren't on one disk that supports it."""
    done: list[Path] = []
    # A hard link to a symbolic link would leave the bytes where they are.
    if any(source.is_symlink() for source, _ in pairs):
        return False
    try:
        for source, target in pairs:
            make_folder(target.parent)
            target.hardlink_to(source)
            done.append(target)
    except OSError:
        for target in done:
            target.unlink()  # all or none
        return False
    return True


def _copy_files(pairs: list[tuple[Path, Path]], total: int, cancel: CancelToken) -> Iterator[CopyProgress]:
    done = 0
    for source, target in pairs:
        if cancel.cancelled:
            return
        for since in copy_file(source, target, cancel):
            done += since
            yield CopyProgress(done, total, source.name)


def _remove_files(paths: list[Path]) -> None:
    for path in paths:
        try:
            path.unlink()
        except OSError as error:
            raise disk_problem(error, path.parent) from error


def _other_folders() -> list[Path]:
    return [place.folder for place in known_folders(os.environ, Path.home(), sys.platform)]


def _lies_in(path: Path, folder: Path) -> bool:
    return path.is_relative_to(folder) or path.resolve().is_relative_to(folder.resolve())
