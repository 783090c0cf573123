"""A model file that a person has: copied or moved into the models folder, or left where it is."""

from __future__ import annotations

import os
import sys
from collections.abc import Generator, Iterable, Iterator
from pathlib import Path

from app.core.errors import ModelMissing, ModelNotOurs, ModelUnreadable
from app.core.events import CancelToken, CopyProgress
from app.core.gguf import check_model
from app.core.paths import disk_problem, make_folder
from app.hub.copying import copy, numbered, remove_empty, sync_folder, unfinished
from app.hub.library import InstalledModel, describe, file_at
from app.hub.other_programs import places
from app.hub.part import check_room, reserve_for

ADDED = "added"


def add(
    path: Path, folder: Path, how: str, cancel: CancelToken, others: Iterable[Path] | None = None
) -> Generator[CopyProgress, None, Path | None]:
    """Brings a model along with all parts and its vision file; returns where it is then, None when it was cancelled.

    `how`: copy, move or in_place. `others` are the folders of other programs, whose files are not moved. Copies have
    names of their own until all are complete, and the old files of a move go only after that.
    Raises ModelMissing, ModelUnreadable, ModelNotOurs, NotEnoughDisk, DiskFull or FolderNotWritable.
    """
    path = path.absolute()
    model = checked(path)
    total = sum(file.size_bytes for source in _files(model) if (file := file_at(source)) is not None)
    if how == "in_place" or path.resolve().is_relative_to(folder.resolve()):
        yield CopyProgress(total, total, path.name)
        return model.path
    if how == "move" and any(_lies_in(path, other) for other in (_others() if others is None else others)):
        raise ModelNotOurs(str(path))
    place = _place(model, folder)
    pairs = [(source, place / source.name) for source in _files(model)]
    try:
        if not (how == "move" and _link(pairs)):
            check_room(folder, total + reserve_for(total))
            yield from _copy(pairs, total, cancel)
            if cancel.cancelled:
                return None
            for _, target in pairs:
                unfinished(target).rename(target)
            sync_folder(place)
    except OSError as error:
        raise disk_problem(error, folder) from error
    finally:
        for _, target in pairs:
            unfinished(target).unlink(missing_ok=True)
        remove_empty(place, folder)
    if how == "move":
        _remove([source for source, _ in pairs])
    yield CopyProgress(total, total, path.name)
    return place / model.path.name


def checked(path: Path) -> InstalledModel:
    """The model that a file belongs to, complete and readable; raises ModelMissing or ModelUnreadable."""
    check_model(path)
    model = describe(path, "added")
    if model is None:
        raise ModelUnreadable(str(path), "vocabulary_only")
    if model.missing:
        raise ModelMissing(str(path.with_name(model.missing[0])))
    for part in model.parts:
        check_model(part)
    return model


def _files(model: InstalledModel) -> list[Path]:
    """The first part last: while it is not there nobody takes the model for complete."""
    return [*([model.vision_path] if model.vision_path else []), *reversed(model.parts)]


def _place(model: InstalledModel, folder: Path) -> Path:
    """A folder of its own in the models folder, in which none of these names is taken."""
    names = [source.name for source in _files(model)]
    homes = numbered(folder / ADDED / (model.name.strip(" .") or "model"))
    return next(home for home in homes if not any(os.path.lexists(home / name) for name in names))


def _link(pairs: list[tuple[Path, Path]]) -> bool:
    """Gives the files their new names beside the old ones, where both are on one disk that can do that."""
    done: list[Path] = []
    if any(source.is_symlink() for source, _ in pairs):
        return False
    try:
        for source, target in pairs:
            make_folder(target.parent)
            target.hardlink_to(source)
            done.append(target)
    except OSError:
        for target in done:
            target.unlink()
        return False
    return True


def _copy(pairs: list[tuple[Path, Path]], total: int, cancel: CancelToken) -> Iterator[CopyProgress]:
    done = 0
    for source, target in pairs:
        if cancel.cancelled:
            return
        for since in copy(source, target, cancel):
            done += since
            yield CopyProgress(done, total, source.name)


def _remove(paths: list[Path]) -> None:
    for path in paths:
        try:
            path.unlink()
        except OSError as error:
            raise disk_problem(error, path.parent) from error


def _others() -> list[Path]:
    return [place.folder for place in places(os.environ, Path.home(), sys.platform)]


def _lies_in(path: Path, folder: Path) -> bool:
    return path.is_relative_to(folder) or path.resolve().is_relative_to(folder.resolve())
