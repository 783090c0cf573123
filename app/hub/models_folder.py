"""Models folder: add files, move the folder, and delete models into its trash."""

from __future__ import annotations

import contextlib
import errno
import itertools
import json
import os
import shutil
import sys
import time
import uuid
from collections.abc import Callable, Generator, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from app.core.errors import FolderNotWritable, ModelMissing, ModelNotOurs, ModelUnreadable
from app.core.events import CancelToken, CopyProgress
from app.core.gguf import check_model
from app.core.paths import disk_problem, make_folder, private_opener
from app.hub.model_library import (
    InstalledModel,
    describe_model,
    file_at,
    known_folders,
    read_json,
    scan_folder,
    sidecar_path,
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


# Files from one folder to another: room is checked first, a copy has another name until it is complete.


UNFINISHED = ".part"
CHUNK_BYTES = 512 * 1024
# Twenty a second look smooth.
SAY_EVERY_S = 0.05


def copy_file(source: Path, target: Path, cancel: CancelToken) -> Iterator[int]:
    """Copy to `<target>.part`, synced, with the source's size and time; yield bytes copied since the last.

    A cancelled copy is removed. Raises OSError.
    """
    part = unfinished_path(target)
    make_folder(target.parent)
    said_s, since = time.monotonic(), 0
    with source.open("rb") as reader, open(part, "wb", opener=private_opener) as writer:
        while (chunk := reader.read(CHUNK_BYTES)) and not cancel.cancelled:
            writer.write(chunk)
            since += len(chunk)
            if time.monotonic() >= said_s + SAY_EVERY_S:
                yield since
                said_s, since = time.monotonic(), 0
        # Synced before the new name is given, or a power cut leaves a name without its bytes.
        writer.flush()
        os.fsync(writer.fileno())
        status, size = os.fstat(reader.fileno()), os.fstat(writer.fileno()).st_size
    if cancel.cancelled:
        part.unlink()
    # The source has changed while it was copied.
    elif status.st_size != size:
        raise OSError(errno.EIO, "the copy is not as long as the file", str(source))
    else:
        # A copy with the same time is the same file for those who compare.
        os.utime(part, ns=(status.st_atime_ns, status.st_mtime_ns))
    yield since


def unfinished_path(target: Path) -> Path:
    """Return what a file is called until it is complete."""
    return target.with_name(target.name + UNFINISHED)


def numbered_paths(path: Path) -> Iterator[Path]:
    """Yield the path itself, then the same name with 2, 3 … behind it."""
    yield path
    for number in itertools.count(2):
        yield path.with_name(f"{path.name} {number}")


def is_below(name: str) -> bool:
    """Return whether a path that was read from a file stays in the folder it is meant for."""
    path = Path(name)
    return bool(name) and not path.anchor and ".." not in path.parts


def sync_folder(folder: Path) -> None:
    """Names in a folder are on the disk afterwards, where the system can do that."""
    # Windows can't open a folder, and needs no sync of it.
    if os.name == "posix":
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def write_whole(path: Path, text: str) -> None:
    """Write a small file atomically, also across a power failure."""
    part = unfinished_path(path)
    with open(part, "w", encoding="utf-8", opener=private_opener) as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)
    sync_folder(path.parent)


def remove_empty(folder: Path, top: Path) -> None:
    """Remove a folder and its parents up to `top`, as far as they are empty."""
    while folder != top and folder.is_relative_to(top):
        try:
            folder.rmdir()
        except OSError:
            return
        folder = folder.parent


# The models folder moves to another place or disk: never half, and it goes on after a kill at any point.
#
# On one disk names change and no bytes move. Between two, everything is copied, and the old files go only when all the
# new ones are there. A journal in the new folder says which file goes where, so that a second run takes the same ways.


JOURNAL = ".moving.json"
MOST_JOURNAL_BYTES = 64 * 1024 * 1024
AGE_SLACK_NS = 2_000_000_000  # the steps in which the oldest file systems keep times


def move_folder(
    old: Path, new: Path, cancel: CancelToken, on_moved: Callable[[], None] = lambda: None
) -> Iterator[CopyProgress]:
    """Move everything in `old` into `new`, whose own files stay: folders with a taken name get a number.

    `on_moved` is called when everything is in `new` and nothing was deleted in `old` yet, to save the new place. Until
    then a cancel or failure undoes everything. Files added to `old` meanwhile stay there. Raises NotEnoughDisk,
    DiskFull or FolderNotWritable, also for a place inside `old`.
    """
    old, new = old.resolve(), new.resolve()
    if new != old and new.is_relative_to(old):
        raise FolderNotWritable(str(new))
    try:
        if new == old or not old.is_dir() or _rename_whole(old, new):
            make_folder(new)
            # Saved before the journal goes: otherwise a kill in between would find neither place.
            on_moved()
            if unfinished_move(new) == old:
                (new / JOURNAL).unlink()
            return
        make_folder(new)
        yield from _FolderMove(old, new).run(cancel, on_moved)
    except OSError as error:
        raise disk_problem(error, new) from error


def unfinished_move(new: Path) -> Path | None:
    """Return the folder whose move to `new` was interrupted: `move_folder` brings it to its end."""
    journal = read_json(new / JOURNAL, MOST_JOURNAL_BYTES)
    old = journal.get("from") if isinstance(journal, dict) else None
    return Path(old) if isinstance(old, str) and Path(old).is_absolute() else None


def _rename_whole(old: Path, new: Path) -> bool:
    """Rename the whole folder; False if that isn't possible: another disk, or the target isn't free or empty."""
    try:
        make_folder(new.parent)
        if new.exists():
            new.rmdir()  # fails unless it is empty
        old.rename(new)
    except OSError:
        return False
    return True


@dataclass(frozen=True)
class _MoveWay:
    source: Path
    target: Path

    @property
    def is_done(self) -> bool:
        """True if the target is the copy of the source."""
        try:
            old, new = self.source.lstat(), self.target.lstat()
        except OSError:
            return False
        if self.source.is_symlink():
            return self.target.is_symlink()
        # By size and time: comparing bytes of a terabyte would take as long as the move.
        return old.st_size == new.st_size and abs(old.st_mtime_ns - new.st_mtime_ns) <= AGE_SLACK_NS

    @property
    def is_open(self) -> bool:
        """True if the source still has to be moved."""
        return os.path.lexists(self.source) and not self.is_done


class _FolderMove:
    """Move a folder file by file, with a journal to undo or finish it."""

    def __init__(self, old: Path, new: Path) -> None:
        self._old, self._new = old, new
        self._targets: dict[str, str] = {}
        self._is_copied = False
        self._is_one_disk = old.stat().st_dev == new.stat().st_dev
        self._load_journal()

    def run(self, cancel: CancelToken, on_moved: Callable[[], None]) -> Iterator[CopyProgress]:
        # A second run goes on with the journal's plan, so that names chosen then are kept.
        if not self._is_copied:
            self._plan_targets()
            if not self._is_one_disk:
                # Only what is not there yet needs room.
                left = sum(way.source.lstat().st_size for way in self._planned_moves() if way.is_open)
                check_room(self._new, left + reserve_for(left))
            self._save_journal()
            try:
                yield from self._copy_all(cancel)
            except OSError:
                with contextlib.suppress(OSError):  # a disk that is gone may come back for the next run
                    self._take_back()
                raise
            if cancel.cancelled:
                self._take_back()
                return
            # From here on there is no way back, only forward.
            self._is_copied = True
            self._save_journal()
        on_moved()
        yield from self._clear_old()

    def _planned_moves(self) -> list[_MoveWay]:
        return [_MoveWay(self._old / name, self._new / target) for name, target in self._targets.items()]

    def _copy_all(self, cancel: CancelToken) -> Generator[CopyProgress, None, None]:
        ways = [way for way in self._planned_moves() if os.path.lexists(way.source)]
        sizes = {way: way.source.lstat().st_size for way in ways}
        total, done = sum(sizes.values()), 0
        for way in ways:
            if cancel.cancelled:
                return
            if not way.is_done:
                make_folder(way.target.parent)
                if self._is_one_disk:
                    way.source.rename(way.target)
                elif way.source.is_symlink():
                    way.target.unlink(missing_ok=True)
                    # The link's target as it is now, since a relative one would mean something else there.
                    way.target.symlink_to(os.path.realpath(way.source))
                else:
                    yield from _copy_with_progress(way, done, total, cancel)
            done += sizes[way]
            yield CopyProgress(done, total, way.source.name)
        # All of it, before the first old file goes.
        if not self._is_one_disk and not cancel.cancelled and not all(way.is_done for way in ways):
            raise OSError(errno.EIO, "not everything that was copied is there", str(self._new))

    def _clear_old(self) -> Iterator[CopyProgress]:
        for way in self._planned_moves():
            if way.is_done:
                # Copied and compared: this is the last place where the old bytes are needed.
                way.source.unlink()
                yield CopyProgress(1, 1, way.source.name)
        # Deepest first, so that folders empty from the bottom up.
        for folder in sorted((Path(here) for here, _, _ in os.walk(self._old)), reverse=True):
            remove_empty(folder, self._old)
        self._end_move(self._old)

    def _take_back(self) -> None:
        for way in self._planned_moves():
            if way.is_done:
                way.target.unlink()
            # A renamed one goes back by renaming; a copied one is only deleted.
            elif os.path.lexists(way.target) and not os.path.lexists(way.source):
                make_folder(way.source.parent)
                way.target.rename(way.source)
        for way in self._planned_moves():  # not before the last of our files has left: one may be called so itself
            unfinished_path(way.target).unlink(missing_ok=True)
            remove_empty(way.target.parent, self._new)
        self._end_move(self._new)

    def _end_move(self, left: Path) -> None:
        """Delete the journal, and the remaining folder if empty."""
        (self._new / JOURNAL).unlink(missing_ok=True)
        remove_empty(left, left.parent)

    def _plan_targets(self) -> None:
        """Choose a target for every file without one; a folder in which a name is taken gets a number."""
        # Errors are raised: a folder that can't be read would stay behind unseen.
        for here, folders, files in os.walk(self._old, onerror=_raise_error):
            folder = Path(here).relative_to(self._old)
            # Links to folders count as files: what is behind them is not ours to move.
            names = sorted([*files, *(name for name in folders if Path(here, name).is_symlink())])
            new = [name for name in names if (folder / name).as_posix() not in {JOURNAL, *self._targets}]
            if not new:
                continue
            top = self._new / folder
            # beside the files of the new folder itself, not beside the folder
            homes = (
                numbered_paths(top) if folder.parts else itertools.chain([top], numbered_paths(top / self._old.name))
            )
            home = next(home for home in homes if not any(_is_taken(home / name) for name in new))
            for name in new:
                self._targets[(folder / name).as_posix()] = (home / name).relative_to(self._new).as_posix()

    def _load_journal(self) -> None:
        if unfinished_move(self._new) != self._old:
            return
        journal = read_json(self._new / JOURNAL, MOST_JOURNAL_BYTES)
        files = journal.get("files")
        # Read from a file that anybody could write: nothing in it may lead out of the two folders.
        if isinstance(files, dict) and all(isinstance(to, str) and is_below(to) for to in files.values()):
            self._targets = {name: to for name, to in files.items() if is_below(name)}
            self._is_copied = journal.get("is_copied") is True

    def _save_journal(self) -> None:
        journal = {"version": 1, "from": str(self._old), "is_copied": self._is_copied, "files": self._targets}
        write_whole(self._new / JOURNAL, json.dumps(journal))


def _copy_with_progress(way: _MoveWay, done: int, total: int, cancel: CancelToken) -> Iterator[CopyProgress]:
    for since in copy_file(way.source, way.target, cancel):
        done += since
        yield CopyProgress(done, total, way.source.name)
    if not cancel.cancelled:
        unfinished_path(way.target).replace(way.target)
        sync_folder(way.target.parent)


def _is_taken(target: Path) -> bool:
    return os.path.lexists(target) or os.path.lexists(unfinished_path(target))


def _raise_error(error: OSError) -> None:
    raise error


# What a person deleted: kept in the models folder until it is emptied, and put back where it was on request.
#
# `<models>/.trash/<id>/` holds the files as they lay in the models folder, beside `thrown.json`, which is written
# first: a kill in the middle leaves every file in one of the two places, and `put_back` finds it.


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
