"""Deleted models: kept in the models folder until it is emptied, and put back where they were on request.

`<models>/.trash/<id>/` holds the files as they lay in the models folder, beside `thrown.json`, which is written
first: a kill in the middle leaves every file in one of the two places, and `put_back` finds it.
"""

from __future__ import annotations

import json
import os
import shutil
import time
import uuid
from pathlib import Path, PurePosixPath

from app.core.errors.model_errors import ModelMissing, ModelNotOurs
from app.core.lazy_dataclasses import dataclass
from app.core.paths import disk_problem, make_folder
from app.core.synced_files import sync_name
from app.hub.model_library import InstalledModel, file_at, read_json, scan_folder, sidecar_path
from app.hub.move_files import is_below, numbered_paths, remove_empty, write_whole

TRASH = ".trash"
NOTE = "thrown.json"


@dataclass(frozen=True)
class TrashedModel:
    """A model in the trash of the models folder `folder`; `files` are paths in that folder, the model's first part in
    front. `thrown_at` is in seconds since 1970.
    """

    id: str
    folder: Path
    name: str
    files: tuple[str, ...]
    size_bytes: int
    thrown_at: float

    @property
    def place(self) -> Path:
        """Its own folder below `.trash`, named by its id."""
        return self.folder / TRASH / self.id


def throw_away(model: InstalledModel, folder: Path) -> TrashedModel:
    """Move one of our models to the trash with its sidecars, and its projector unless another model uses it.

    Raises ModelNotOurs, ModelMissing or FolderNotWritable; nothing has moved then.
    """
    if not model.is_ours or not all(_is_inside(path, folder) for path in model.parts):
        raise ModelNotOurs(str(model.path))
    paths = list(model.parts)
    eye = model.vision_path
    if eye is not None and _is_inside(eye, folder):
        # A projector serves several quantizations; it stays while one of them is left.
        users = [other for other in scan_folder(folder) if other.vision_path == eye and other.path != model.path]
        paths += [] if users else [eye]
    paths = [file_path for path in paths for file_path in (path, sidecar_path(path)) if os.path.lexists(file_path)]
    if model.path not in paths:
        raise ModelMissing(str(model.path))
    sizes = [file.size_bytes for path in paths if (file := file_at(path)) is not None]
    files = tuple(path.relative_to(folder).as_posix() for path in paths)
    thrown = TrashedModel(uuid.uuid4().hex[:12], folder, model.name, files, sum(sizes), time.time())
    moves = [(folder / name, thrown.place / name) for name in files]
    try:
        make_folder(thrown.place)
        # The note first: a kill now leaves a note without files, which is harmless.
        note = {"version": 1, "name": thrown.name, "files": files, "size_bytes": thrown.size_bytes}
        write_whole(thrown.place / NOTE, json.dumps(note | {"thrown_at": thrown.thrown_at}, ensure_ascii=False))
        _move_all(moves)
    except OSError as error:
        _remove_if_empty(thrown.place)
        raise disk_problem(error, folder) from error
    for path in paths:
        # Otherwise empty folders of repositories would stay.
        remove_empty(path.parent, folder)
    return thrown


def put_back(thrown: TrashedModel) -> Path:
    """Restore a model to its place, or into a new folder if a name is taken; return its path.

    Raises ModelMissing if the trash was emptied, or FolderNotWritable.
    """
    left = [name for name in thrown.files if os.path.lexists(thrown.place / name)]
    if not left:
        raise ModelMissing(str(thrown.folder / thrown.files[0]))
    # Its old name may be taken by another download since.
    targets = _free_places(thrown, left)
    try:
        _move_all([(thrown.place / name, targets[name]) for name in left])
    except OSError as error:
        raise disk_problem(error, thrown.folder) from error
    _remove_if_empty(thrown.place)
    return targets.get(thrown.files[0], thrown.folder / thrown.files[0])


def list_trash(folder: Path) -> list[TrashedModel]:
    """Return what can be put back, the last thrown first."""
    found = [_read_note(place, folder) for place in _trash_places(folder)]
    return sorted(
        (trashed for trashed in found if trashed is not None), key=lambda trashed: trashed.thrown_at, reverse=True
    )


def empty_trash(folder: Path, older_than_s: float = 0) -> int:
    """Delete what has been in the trash for that long or can't be restored; return the bytes freed.

    Raises FolderNotWritable.
    """
    freed = 0
    for place in _trash_places(folder):
        thrown = _read_note(place, folder)
        # Without a readable note the folder's own time has to do.
        age_s = time.time() - (thrown.thrown_at if thrown else place.stat().st_mtime)
        if age_s < older_than_s:
            continue
        size = sum(path.lstat().st_size for path in place.rglob("*") if path.is_file() and path.name != NOTE)
        try:
            shutil.rmtree(place)
        except OSError as error:
            raise disk_problem(error, place) from error
        freed += size
    return freed


def _is_inside(path: Path, folder: Path) -> bool:
    """Return whether a file is really below the folder, with its parents' links resolved. The file itself may be a
    link.
    """
    return path.is_relative_to(folder) and path.parent.resolve().is_relative_to(folder.resolve())


def _trash_places(folder: Path) -> list[Path]:
    trash = folder / TRASH
    # A link called so could lead anywhere, and is emptied without asking.
    if trash.is_symlink() or not trash.is_dir():
        return []
    return [place for place in trash.iterdir() if place.is_dir() and not place.is_symlink()]


def _read_note(place: Path, folder: Path) -> TrashedModel | None:
    note = read_json(place / NOTE)
    try:
        files = tuple(str(name) for name in note["files"])
        thrown = TrashedModel(
            place.name, folder, str(note["name"]), files, int(note["size_bytes"]), float(note["thrown_at"])
        )
    except (TypeError, KeyError, ValueError):
        return None
    # From a file: a name like "../x" would write outside of the models folder.
    can_return = all(map(is_below, files)) and any(os.path.lexists(place / name) for name in files)
    return thrown if can_return else None


def _free_places(thrown: TrashedModel, left: list[str]) -> dict[str, Path]:
    """Return a target for each file; if one is taken, all go into one new folder next to the old one."""
    old = {name: thrown.folder / name for name in left}
    if not any(os.path.lexists(target) for target in old.values()):
        return old
    first = thrown.folder / thrown.files[0]
    home = first.parent if first.parent != thrown.folder else first.with_suffix("")
    names = {name: PurePosixPath(name).name for name in left}
    free = next(
        place
        for place in numbered_paths(home)
        if not any(os.path.lexists(place / name) for name in names.values()) and (place.is_dir() or not place.exists())
    )
    return {name: free / base for name, base in names.items()}


def _remove_if_empty(place: Path) -> None:
    """Remove a trash folder if only its note is left."""
    if not any(path.is_symlink() or path.is_file() for path in place.rglob("*") if path != place / NOTE):
        shutil.rmtree(place, ignore_errors=True)


def _move_all(moves: list[tuple[Path, Path]]) -> None:
    """Rename all or none: on failure, files already renamed go back."""
    done: list[tuple[Path, Path]] = []
    try:
        for source, target in moves:
            make_folder(target.parent)
            source.rename(target)
            done.append((source, target))
    except OSError:
        # Backwards, since a later move may have taken the place of an earlier one.
        for source, target in reversed(done):
            target.rename(source)
        raise
    for path in {path.parent: path for move in moves for path in move}.values():
        sync_name(path)
