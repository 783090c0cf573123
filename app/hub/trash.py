"""What a person deleted: kept in the models folder until it is emptied, and put back where it was on request.

`<models>/.trash/<id>/` holds the files as they lay in the models folder, beside `thrown.json`, which is written first:
a kill in the middle leaves every file in one of the two places, and `put_back` finds it.
"""

from __future__ import annotations

import json
import os
import shutil
import time
import uuid
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from app.core.errors import ModelMissing, ModelNotOurs
from app.core.paths import disk_problem, make_folder
from app.hub.copying import is_below, numbered, remove_empty, write_whole
from app.hub.library import InstalledModel, file_at, read_json, scan, sidecar_path

TRASH = ".trash"
NOTE = "thrown.json"


@dataclass(frozen=True)
class Thrown:
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
        """Where it is now."""
        return self.folder / TRASH / self.id


def throw_away(model: InstalledModel, folder: Path) -> Thrown:
    """Moves a model of ours with its sidecars, and with its vision file unless another model uses that, too.

    Raises ModelNotOurs, ModelMissing or FolderNotWritable; then everything is where it was.
    """
    if not model.is_ours or not all(_is_inside(path, folder) for path in model.parts):
        raise ModelNotOurs(str(model.path))
    paths = list(model.parts)
    eye = model.vision_path
    if eye is not None and _is_inside(eye, folder):
        users = [other for other in scan(folder) if other.vision_path == eye and other.path != model.path]
        paths += [] if users else [eye]
    paths = [each for path in paths for each in (path, sidecar_path(path)) if os.path.lexists(each)]
    if model.path not in paths:
        raise ModelMissing(str(model.path))
    sizes = [file.size_bytes for path in paths if (file := file_at(path)) is not None]
    files = tuple(path.relative_to(folder).as_posix() for path in paths)
    thrown = Thrown(uuid.uuid4().hex[:12], folder, model.name, files, sum(sizes), time.time())
    moves = [(folder / name, thrown.place / name) for name in files]
    try:
        make_folder(thrown.place)
        note = {"version": 1, "name": thrown.name, "files": files, "size_bytes": thrown.size_bytes}
        write_whole(thrown.place / NOTE, json.dumps(note | {"thrown_at": thrown.thrown_at}, ensure_ascii=False))
        _move(moves)
    except OSError as error:
        _leave(thrown.place)
        raise disk_problem(error, folder) from error
    for path in paths:
        remove_empty(path.parent, folder)
    return thrown


def put_back(thrown: Thrown) -> Path:
    """Everything to where it was, or into a new folder beside where one of its places is taken; the model's path.

    Raises ModelMissing when the trash was emptied meanwhile, or FolderNotWritable.
    """
    left = [name for name in thrown.files if os.path.lexists(thrown.place / name)]
    if not left:
        raise ModelMissing(str(thrown.folder / thrown.files[0]))
    targets = _free_places(thrown, left)
    try:
        _move([(thrown.place / name, targets[name]) for name in left])
    except OSError as error:
        raise disk_problem(error, thrown.folder) from error
    _leave(thrown.place)
    return targets.get(thrown.files[0], thrown.folder / thrown.files[0])


def contents(folder: Path) -> list[Thrown]:
    """What can be put back, the last thrown first."""
    found = [_read(place, folder) for place in _places(folder)]
    return sorted((each for each in found if each is not None), key=lambda each: each.thrown_at, reverse=True)


def empty(folder: Path, older_than_s: float = 0) -> int:
    """Deletes for good what has been in the trash for so long, and what nobody can put back; how many bytes that was.

    Raises FolderNotWritable.
    """
    freed = 0
    for place in _places(folder):
        thrown = _read(place, folder)
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
    """Whether a file lies below the folder in truth; that the file itself is a link does not matter."""
    return path.is_relative_to(folder) and path.parent.resolve().is_relative_to(folder.resolve())


def _places(folder: Path) -> list[Path]:
    trash = folder / TRASH
    if trash.is_symlink() or not trash.is_dir():
        return []
    return [place for place in trash.iterdir() if place.is_dir() and not place.is_symlink()]


def _read(place: Path, folder: Path) -> Thrown | None:
    note = read_json(place / NOTE)
    try:
        files = tuple(str(name) for name in note["files"])
        thrown = Thrown(place.name, folder, str(note["name"]), files, int(note["size_bytes"]), float(note["thrown_at"]))
    except (TypeError, KeyError, ValueError):
        return None
    can_return = all(map(is_below, files)) and any(os.path.lexists(place / name) for name in files)
    return thrown if can_return else None


def _free_places(thrown: Thrown, left: list[str]) -> dict[str, Path]:
    """A target for each file; when one is taken, all go into one new folder beside the model's old one."""
    old = {name: thrown.folder / name for name in left}
    if not any(os.path.lexists(target) for target in old.values()):
        return old
    first = thrown.folder / thrown.files[0]
    home = first.parent if first.parent != thrown.folder else first.with_suffix("")
    names = {name: PurePosixPath(name).name for name in left}
    free = next(
        place
        for place in numbered(home)
        if not any(os.path.lexists(place / name) for name in names.values()) and (place.is_dir() or not place.exists())
    )
    return {name: free / base for name, base in names.items()}


def _leave(place: Path) -> None:
    """Removes a place in the trash when nothing but its note is left there."""
    if not any(path.is_symlink() or path.is_file() for path in place.rglob("*") if path != place / NOTE):
        shutil.rmtree(place, ignore_errors=True)


def _move(moves: list[tuple[Path, Path]]) -> None:
    """Renames all, or none: what was renamed before a failure goes back."""
    done: list[tuple[Path, Path]] = []
    try:
        for source, target in moves:
            make_folder(target.parent)
            source.rename(target)
            done.append((source, target))
    except OSError:
        for source, target in reversed(done):
            target.rename(source)
        raise
