"""Models folder: add files, move the folder, and delete models into its trash."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Generator, Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path

from app.core.errors.hub_errors import DiskTooSmall
from app.core.errors.model_errors import ModelAltered, ModelMissing, ModelNotOurs, ModelUnreadable
from app.core.errors.saving_errors import CopyInterrupted
from app.core.events import CancelToken, CopyProgress
from app.core.gguf import check_model
from app.core.paths import disk_problem, make_folder
from app.core.synced_files import sync_folder
from app.hub.checked_copy import copy_checked, hash_file
from app.hub.checksums import find_checksums
from app.hub.model_library import InstalledModel, describe_model, file_at, known_folders, read_sidecar, sidecar_path
from app.hub.move_files import numbered_paths, remove_empty, unfinished_path, write_whole
from app.hub.part import check_room, reserve_for

ADDED = "added"


def add_model(
    path: Path,
    folder: Path,
    how: str,
    cancel: CancelToken,
    others: Iterable[Path] | None = None,
    *,
    sums: Mapping[Path, str] | None = None,
) -> Generator[CopyProgress, None, Path | None]:
    """Add a model with all parts and its projector; return its new path, None if cancelled.

    `how`: copy, move or in_place. `others` are folders of other programs, whose files are never moved. `sums` are the
    SHA-256 that files must have; None looks beside them. Copies have temporary names until all are complete; only then
    a move deletes the old files. Raises ModelMissing, ModelUnreadable, ModelNotOurs, ModelAltered, NotEnoughDisk,
    DiskFull, FolderNotWritable, or CopyInterrupted, after which the next call goes on.
    """
    path = path.absolute()
    model = require_model(path)
    files = model_files(model)
    # Sizes first: progress is in bytes of all files.
    total = sum(file.size_bytes for source in files if (file := file_at(source)) is not None)
    # Already below ours: nothing has to be moved.
    if path.resolve().is_relative_to(folder.resolve()):
        yield CopyProgress(total, total, path.name)
        return model.path
    sums = find_checksums(files) if sums is None else sums
    if how == "in_place":
        try:
            yield from _compare_files(sums, total, cancel)
        except OSError as error:
            raise disk_problem(error, path.parent) from error
        yield CopyProgress(total, total, path.name)
        return None if cancel.cancelled else model.path
    if how == "move" and any(_lies_in(path, other) for other in (_other_folders() if others is None else others)):
        raise ModelNotOurs(str(path))
    place = _free_folder(model, folder)
    pairs = [(source, place / source.name) for source in files]
    keeps_part = False
    try:
        yield from _bring_files(pairs, folder, how, total, sums, cancel)
        if cancel.cancelled:
            return None
        # Names and bytes may reach the disk in any order, unless the folder is synced as well.
        sync_folder(place)
    except CopyInterrupted:
        keeps_part = True
        raise
    except OSError as error:
        raise disk_problem(error, folder) from error
    finally:
        # What a disk that was taken out had given so far is gone on with next time.
        for _, target in () if keeps_part else pairs:
            unfinished_path(target).unlink(missing_ok=True)
        remove_empty(place, folder)
    if how == "move":
        # Only now, when everything is there and synced.
        _remove_files([source for source, _ in pairs])
    yield CopyProgress(total, total, path.name)
    return place / model.path.name


def _bring_files(  # noqa: PLR0917 - all of one copy
    pairs: list[tuple[Path, Path]], folder: Path, how: str, total: int, sums: Mapping[Path, str], cancel: CancelToken
) -> Generator[CopyProgress, None, None]:
    """Link or copy files to their names in our folder, and note where they came from. Raises OSError."""
    hashes: Mapping[Path, str] = sums
    is_linked = False
    # Linked, a move on one disk takes no room, and no time but for the checksums.
    if how == "move" and _is_one_disk(pairs[0][0], folder):
        yield from _compare_files(sums, total, cancel)
        is_linked = not cancel.cancelled and _link_files(pairs)
    if not is_linked and not cancel.cancelled:
        check_room(folder, total + reserve_for(total), DiskTooSmall)
        hashes = yield from copy_files(pairs, total, sums, cancel)
    if cancel.cancelled:
        return
    # All are complete: from here on they count as a model.
    for source, target in pairs:
        if source in sums:  # only then it is known which bytes these should be
            _note_origin(source, target, hashes[source])
        if not is_linked:
            unfinished_path(target).rename(target)


def _compare_files(sums: Mapping[Path, str], total: int, cancel: CancelToken) -> Generator[CopyProgress, None, None]:
    """Compare files where they are with their checksums. Raises ModelAltered or an OSError."""
    done = 0
    for path, expected in sums.items():
        sha256 = yield from _with_progress(hash_file(path, cancel), done, total, path.name)
        if cancel.cancelled:
            return
        if sha256 != expected:
            raise ModelAltered(str(path))
        done += path.stat().st_size


def _is_one_disk(path: Path, folder: Path) -> bool:
    there = next(parent for parent in (folder, *folder.parents) if parent.is_dir())
    return path.stat().st_dev == there.stat().st_dev


def _note_origin(source: Path, target: Path, sha256: str) -> None:
    """Note a copy's checksum, which was compared, and where it came from if a note beside its source says so of exactly
    these bytes. Raises OSError.
    """
    known = read_sidecar(source)
    # A note about other bytes says nothing about these.
    facts = known if known.get("sha256") == sha256 else {}
    write_note(target, facts | {"sha256": sha256, "added_at": datetime.now(UTC).isoformat(timespec="seconds")})


def write_note(path: Path, facts: Mapping[str, str]) -> None:
    """Write the small JSON beside a model's file that says what it is. Raises OSError."""
    body = {"version": 1, **facts}
    write_whole(sidecar_path(path), json.dumps(body, ensure_ascii=False, indent=1) + "\n")


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


def model_files(model: InstalledModel) -> list[Path]:
    """Return the model's files, first part last: without it the model doesn't count as complete."""
    return [*([model.vision_path] if model.vision_path else []), *reversed(model.parts)]


def _free_folder(model: InstalledModel, folder: Path) -> Path:
    """Return a folder below `added` in which none of the model's names is taken."""
    names = [source.name for source in model_files(model)]
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


def copy_files(
    pairs: list[tuple[Path, Path]], total: int, sums: Mapping[Path, str], cancel: CancelToken
) -> Generator[CopyProgress, None, dict[Path, str]]:
    """Copy files to their temporary names; return the SHA-256 of each source."""
    done, hashes = 0, {}
    for source, target in pairs:
        if cancel.cancelled:
            break
        copying = copy_checked(source, target, cancel, sums.get(source, ""))
        hashes[source] = yield from _with_progress(copying, done, total, source.name)
        done += source.stat().st_size
    return hashes


def _with_progress(
    steps: Generator[int, None, str], done: int, total: int, name: str
) -> Generator[CopyProgress, None, str]:
    """Tell of bytes as progress of all files together; return what the steps return."""
    while True:
        try:
            done += next(steps)
        except StopIteration as end:
            return str(end.value)
        yield CopyProgress(done, total, name)


def _remove_files(paths: list[Path]) -> None:
    for path in paths:
        try:
            sidecar_path(path).unlink(missing_ok=True)
            path.unlink()
        except OSError as error:
            raise disk_problem(error, path.parent) from error


def _other_folders() -> list[Path]:
    return [place.folder for place in known_folders(os.environ, Path.home(), sys.platform)]


def _lies_in(path: Path, folder: Path) -> bool:
    return path.is_relative_to(folder) or path.resolve().is_relative_to(folder.resolve())
