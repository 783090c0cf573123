"""The models folder moves to another place or disk: never half, and it goes on after a kill at any point.

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
from dataclasses import dataclass
from pathlib import Path

from app.core.errors import FolderNotWritable
from app.core.events import CancelToken, CopyProgress
from app.core.paths import disk_problem, make_folder
from app.hub.copying import (
    copy,
    is_below,
    numbered,
    remove_empty,
    sync_folder,
    unfinished,
    write_whole,
)
from app.hub.library import read_json
from app.hub.part import check_room, reserve_for

JOURNAL = ".moving.json"
MOST_JOURNAL_BYTES = 64 * 1024 * 1024
AGE_SLACK_NS = 2_000_000_000  # the steps in which the oldest file systems keep times


def move_folder(
    old: Path, new: Path, cancel: CancelToken, on_moved: Callable[[], None] = lambda: None
) -> Iterator[CopyProgress]:
    """Moves everything in `old` into `new`, whose own files stay: a folder with a name that is taken gets a number.

    `on_moved` is called when everything is in the new place and nothing was deleted in the old one yet: the time to
    remember the new place. Until then a cancel or a failure takes everything back. Files that come into `old` meanwhile
    stay there. Raises NotEnoughDisk, DiskFull or FolderNotWritable, also for a place inside `old`.
    """
    old, new = old.resolve(), new.resolve()
    if new != old and new.is_relative_to(old):
        raise FolderNotWritable(str(new))
    try:
        if new == old or not old.is_dir() or _rename_whole(old, new):
            make_folder(new)
            on_moved()
            if unfinished_move(new) == old:
                (new / JOURNAL).unlink()
            return
        make_folder(new)
        yield from _Move(old, new).run(cancel, on_moved)
    except OSError as error:
        raise disk_problem(error, new) from error


def unfinished_move(new: Path) -> Path | None:
    """The folder whose move to `new` was interrupted: `move_folder` brings it to its end."""
    journal = read_json(new / JOURNAL, MOST_JOURNAL_BYTES)
    old = journal.get("from") if isinstance(journal, dict) else None
    return Path(old) if isinstance(old, str) and Path(old).is_absolute() else None


def _rename_whole(old: Path, new: Path) -> bool:
    """Whether one new name was enough: on the same disk, into a place that is free or empty."""
    try:
        make_folder(new.parent)
        if new.exists():
            new.rmdir()
        old.rename(new)
    except OSError:
        return False
    return True


@dataclass(frozen=True)
class _Way:
    source: Path
    target: Path

    @property
    def is_done(self) -> bool:
        """Whether the target is the copy of the source."""
        try:
            old, new = self.source.lstat(), self.target.lstat()
        except OSError:
            return False
        if self.source.is_symlink():
            return self.target.is_symlink()
        return old.st_size == new.st_size and abs(old.st_mtime_ns - new.st_mtime_ns) <= AGE_SLACK_NS

    @property
    def is_open(self) -> bool:
        """Whether the source still has to be brought."""
        return os.path.lexists(self.source) and not self.is_done


class _Move:
    """One file after the other."""

    def __init__(self, old: Path, new: Path) -> None:
        self._old, self._new = old, new
        self._targets: dict[str, str] = {}
        self._is_copied = False
        self._is_one_disk = old.stat().st_dev == new.stat().st_dev
        self._load()

    def run(self, cancel: CancelToken, on_moved: Callable[[], None]) -> Iterator[CopyProgress]:
        if not self._is_copied:
            self._plan()
            if not self._is_one_disk:
                left = sum(way.source.lstat().st_size for way in self._ways() if way.is_open)
                check_room(self._new, left + reserve_for(left))
            self._save()
            try:
                yield from self._bring(cancel)
            except OSError:
                with contextlib.suppress(OSError):  # a disk that is gone may come back for the next run
                    self._take_back()
                raise
            if cancel.cancelled:
                self._take_back()
                return
            self._is_copied = True
            self._save()
        on_moved()
        yield from self._clear()

    def _ways(self) -> list[_Way]:
        return [_Way(self._old / name, self._new / target) for name, target in self._targets.items()]

    def _bring(self, cancel: CancelToken) -> Generator[CopyProgress, None, None]:
        ways = [way for way in self._ways() if os.path.lexists(way.source)]
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
                    way.target.symlink_to(os.path.realpath(way.source))
                else:
                    yield from _copied(way, done, total, cancel)
            done += sizes[way]
            yield CopyProgress(done, total, way.source.name)
        if not self._is_one_disk and not cancel.cancelled and not all(way.is_done for way in ways):
            raise OSError(errno.EIO, "not everything that was copied is there", str(self._new))

    def _clear(self) -> Iterator[CopyProgress]:
        for way in self._ways():
            if way.is_done:
                way.source.unlink()
                yield CopyProgress(1, 1, way.source.name)
        for folder in sorted((Path(here) for here, _, _ in os.walk(self._old)), reverse=True):
            remove_empty(folder, self._old)
        self._end(self._old)

    def _take_back(self) -> None:
        for way in self._ways():
            if way.is_done:
                way.target.unlink()
            elif os.path.lexists(way.target) and not os.path.lexists(way.source):
                make_folder(way.source.parent)
                way.target.rename(way.source)
        for way in self._ways():  # not before the last of our files has left: one may be called so itself
            unfinished(way.target).unlink(missing_ok=True)
            remove_empty(way.target.parent, self._new)
        self._end(self._new)

    def _end(self, left: Path) -> None:
        """The journal goes, and the folder that is left where it is empty."""
        (self._new / JOURNAL).unlink(missing_ok=True)
        remove_empty(left, left.parent)

    def _plan(self) -> None:
        """A target for every file that has none yet; a folder in which one of the names is taken gets a number."""
        for here, folders, files in os.walk(self._old, onerror=_raise):
            folder = Path(here).relative_to(self._old)
            names = sorted([*files, *(name for name in folders if Path(here, name).is_symlink())])
            new = [name for name in names if (folder / name).as_posix() not in {JOURNAL, *self._targets}]
            if not new:
                continue
            top = self._new / folder
            # beside the files of the new folder itself, not beside the folder
            homes = numbered(top) if folder.parts else itertools.chain([top], numbered(top / self._old.name))
            home = next(home for home in homes if not any(_is_taken(home / name) for name in new))
            for name in new:
                self._targets[(folder / name).as_posix()] = (home / name).relative_to(self._new).as_posix()

    def _load(self) -> None:
        if unfinished_move(self._new) != self._old:
            return
        journal = read_json(self._new / JOURNAL, MOST_JOURNAL_BYTES)
        files = journal.get("files")
        if isinstance(files, dict) and all(isinstance(to, str) and is_below(to) for to in files.values()):
            self._targets = {name: to for name, to in files.items() if is_below(name)}
            self._is_copied = journal.get("is_copied") is True

    def _save(self) -> None:
        journal = {"version": 1, "from": str(self._old), "is_copied": self._is_copied, "files": self._targets}
        write_whole(self._new / JOURNAL, json.dumps(journal))


def _copied(way: _Way, done: int, total: int, cancel: CancelToken) -> Iterator[CopyProgress]:
    for since in copy(way.source, way.target, cancel):
        done += since
        yield CopyProgress(done, total, way.source.name)
    if not cancel.cancelled:
        unfinished(way.target).replace(way.target)
        sync_folder(way.target.parent)


def _is_taken(target: Path) -> bool:
    return os.path.lexists(target) or os.path.lexists(unfinished(target))


def _raise(error: OSError) -> None:
    raise error
