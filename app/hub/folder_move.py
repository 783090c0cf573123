"""Move the models folder to another place or disk: never half, and it goes on after a kill at any point.

On one disk names change and no bytes move. Between two, everything is copied, and the old files go only when all the
new ones are there. A journal in the new folder says which file goes where, so that a second run takes the same ways.
"""

from __future__ import annotations

import contextlib
import errno
import itertools
import json
import os
from collections.abc import Callable, Generator, Iterator
from pathlib import Path

from app.core.errors.saving_errors import FolderNotWritable
from app.core.events import CancelToken, CopyProgress
from app.core.lazy_dataclasses import dataclass
from app.core.paths import disk_problem, make_folder
from app.core.synced_files import sync_folder, sync_name
from app.hub.model_library import read_json
from app.hub.move_files import (
    copy_file,
    is_below,
    numbered_paths,
    remove_empty,
    unfinished_path,
    write_whole,
)
from app.hub.part import check_room, reserve_for

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
    # Before the settings name the new place: after a power cut they may be on another disk than the models.
    sync_name(new)
    sync_name(old)
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
            remove_empty(folder, self._old.parent)
        # Before the journal goes, which alone knows that old files may come back after a power cut.
        for here, _, _ in os.walk(self._old):
            sync_name(Path(here, JOURNAL))
        sync_name(self._old)
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
