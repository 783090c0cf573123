"""Unpack a backup, and put it in place of what is there, which is kept aside."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import stat
import time
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from app.core.errors.database_errors import (
    DatabaseAltered,
    DatabaseDamaged,
    DatabaseNewer,
    DatabaseOlder,
    MigrationFailed,
)
from app.core.errors.exchange_errors import BackupUnreadable
from app.core.errors.lock_errors import RestoreLocked
from app.core.events import CancelToken
from app.core.lazy_dataclasses import asdict, dataclass, field
from app.core.paths import AppPaths, disk_problem, is_locked, make_folder
from app.core.synced_files import place_file, sync_folder, sync_tree
from app.features.error_messages import PersonMessage
from app.features.exchange.backup import (
    CHUNK_BYTES,
    DATABASE,
    FORMAT,
    MANIFEST,
    MEDIA,
    RECORDINGS,
    SERVERS,
    SETTINGS,
    TRANSLATIONS,
    VERSION,
    WORDS,
    BackupCancelled,
    BackupProgress,
    BackupUnpacked,
    folders_by_part,
    raise_if_cancelled,
)
from app.features.exchange.foreign import fields_of, list_of, number_of, text_of
from app.features.exchange.json_pieces import read_value
from app.store.database import copied_counts, is_let_go, prepare_copy

BACKUP_IS_KEPT = "The backup is kept for 30 days in {folder}."
DATA_IS_KEPT = "The previous data is kept for 30 days in {folder}."
BACKUP_RESTORED, RESTORE_UNDONE = "Your backup was restored.", "The restore was undone."
PROGRESS = ".restoring.json"
"""In what waits and in what was put aside; see `_RestoreProgress`."""
MOST_MANIFEST_BYTES = 50_000_000
MOST_FILES = 100_000
KEPT_S = 30 * 24 * 3600.0
FORGOTTEN_S = 24 * 3600.0
_DAMAGE = (
    zipfile.BadZipFile,
    zipfile.LargeZipFile,
    zlib.error,
    EOFError,
    NotImplementedError,
    RuntimeError,
    ValueError,
)
"""Errors zipfile raises for damaged archives."""


def unpack_backup(path: Path, places: AppPaths, cancel: CancelToken) -> Iterator[BackupProgress | BackupUnpacked]:
    """Unpack and verify a backup; data is unchanged until `accept` and `put_in_place`.

    Raises BackupUnreadable, DiskFull or FolderNotWritable; nothing waits then.
    """
    _refuse_while_locked(places)
    scratch, is_whole = places.restore.unpacked, False
    try:
        # What an earlier try left, and what only waits: two backups must not be mixed.
        shutil.rmtree(scratch, ignore_errors=True)
        drop_waiting(places)
        make_folder(scratch)
        with _open_archive(path) as archive:
            manifest = _read_manifest(archive, path)
            yield from _unpack_files(archive, manifest, scratch, path, cancel)
        _check_database(scratch / DATABASE, path)
        is_whole = True
        yield BackupUnpacked(
            text_of(manifest.get("program")),
            number_of(manifest.get("made_at")) or 0.0,
            counts=copied_counts(scratch / DATABASE),
        )
    except BackupCancelled:
        yield BackupUnpacked("", 0.0, is_cancelled=True)
    except _DAMAGE as error:
        raise BackupUnreadable(str(path), "damaged") from error
    except OSError as error:
        raise disk_problem(error, places.data) from error
    finally:
        # Also where the generator is closed halfway.
        if not is_whole:
            shutil.rmtree(scratch, ignore_errors=True)


def stage_snapshot(snapshot: Path, places: AppPaths) -> None:
    """Lay out a daily copy of the database like an unpacked backup; settings and words stay as they are.

    It comes with today's files, linked: clearing up after the restore deletes those that the copy doesn't know, and
    whoever undoes the restore needs them. Raises BackupUnreadable, DiskFull or FolderNotWritable; nothing waits then.
    """
    _refuse_while_locked(places)
    scratch = places.restore.unpacked
    try:
        shutil.rmtree(scratch, ignore_errors=True)
        drop_waiting(places)
        make_folder(scratch)
        shutil.copy(snapshot, scratch / DATABASE)
        _check_database(scratch / DATABASE, snapshot)
        for part, folder in folders_by_part(places).items():
            if part != SERVERS and folder.is_dir():
                shutil.copytree(folder, scratch / part, copy_function=_link_or_copy)
    except BaseException as error:
        shutil.rmtree(scratch, ignore_errors=True)
        if isinstance(error, OSError):
            raise disk_problem(error, places.data) from error
        raise


def _refuse_while_locked(places: AppPaths) -> None:
    # What is restored lies open beside the data first.
    if is_locked(places.data):
        raise RestoreLocked


def _link_or_copy(source: str, target: str) -> None:
    try:
        os.link(source, target)
    except OSError:  # some file systems have no links
        shutil.copy2(source, target)


def accept(places: AppPaths) -> None:
    """Confirm an unpacked backup:

    `put_in_place` activates it, at the latest on the next start. Raises DiskFull or FolderNotWritable.
    """
    try:
        drop_waiting(places)
        sync_tree(places.restore.unpacked)
        # One rename: there is either a whole backup waiting or none.
        places.restore.unpacked.replace(places.restore.waiting)
        sync_folder(places.data)
    except OSError as error:
        raise disk_problem(error, places.data) from error


def refuse_restored(places: AppPaths) -> None:
    """Delete the unpacked backup."""
    shutil.rmtree(places.restore.unpacked, ignore_errors=True)


def _open_archive(path: Path) -> zipfile.ZipFile:
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            raise BackupUnreadable(str(path), "not_a_file")
        return zipfile.ZipFile(path)
    except FileNotFoundError as error:
        raise BackupUnreadable(str(path), "missing") from error
    except OSError as error:
        raise BackupUnreadable(str(path), "denied") from error
    except _DAMAGE as error:
        raise BackupUnreadable(str(path), "unknown") from error


def _read_manifest(archive: zipfile.ZipFile, path: Path) -> dict[str, Any]:
    try:
        with archive.open(MANIFEST) as file:
            # Bounded, since a manifest of gigabytes would be held in memory.
            manifest = fields_of(read_value(file.read(MOST_MANIFEST_BYTES)))
    except KeyError as error:
        raise BackupUnreadable(str(path), "unknown") from error
    version = manifest.get("version")
    if manifest.get("format") != FORMAT or not isinstance(version, int):
        raise BackupUnreadable(str(path), "unknown")
    if version > VERSION:
        raise BackupUnreadable(str(path), "newer")
    return manifest


def _unpack_files(
    archive: zipfile.ZipFile, manifest: dict[str, Any], folder: Path, path: Path, cancel: CancelToken
) -> Iterator[BackupProgress]:
    files = [fields_of(file_fields) for file_fields in list_of(manifest.get("files"))]
    sizes = [size for file in files if isinstance(size := file.get("size_bytes"), int) and size >= 0]
    names = {text_of(fields.get("name")) for fields in files}
    # Two members of one name: the second would overwrite the first after its hash was compared.
    if not len(files) == len(sizes) == len(names) <= MOST_FILES:
        raise BackupUnreadable(str(path), "damaged")
    done, total = 0, sum(sizes)
    for file in files:
        name = text_of(file.get("name"))
        target = folder.joinpath(*_path_parts(name, path))
        make_folder(target.parent)
        checksum, left = hashlib.sha256(), int(file["size_bytes"])
        # "x": a member that would be written twice is no backup of ours.
        with _open_member(archive, name, path) as source, target.open("xb") as out:
            # One byte more than promised tells a bomb without unpacking it.
            while data := source.read(min(CHUNK_BYTES, left + 1)):
                raise_if_cancelled(cancel)
                left -= len(data)
                if left < 0:  # more than was saved: nobody knows how much
                    raise BackupUnreadable(str(path), "damaged")
                checksum.update(data)
                out.write(data)
                done += len(data)
                yield BackupProgress(done, total)
            out.flush()
            # On disk before the program's own data moves aside.
            os.fsync(out.fileno())
        if left or checksum.hexdigest() != file.get("sha256"):
            raise BackupUnreadable(str(path), "damaged")


def _path_parts(name: str, path: Path) -> list[str]:
    """Return a member's path parts. Rejects anything a backup doesn't have, and paths outside the folder."""
    steps = name.split("/")
    # A path of another system ("C:", "\\") may lead out of the folder, too.
    is_inside = name.startswith((TRANSLATIONS, MEDIA, RECORDINGS, SERVERS)) and not any(
        step in ("", ".", "..") or "\\" in step or "\0" in step or ":" in step for step in steps
    )
    if name not in (DATABASE, SETTINGS, WORDS) and not is_inside:
        raise BackupUnreadable(str(path), "damaged")
    return steps


def _open_member(archive: zipfile.ZipFile, name: str, path: Path) -> IO[bytes]:
    try:
        member = archive.getinfo(name)
    except KeyError as error:
        raise BackupUnreadable(str(path), "damaged") from error
    # Other packings need libraries, or were never written by us.
    if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise BackupUnreadable(str(path), "damaged")
    return archive.open(member)


def _check_database(copy: Path, path: Path) -> None:
    try:
        if not copy.is_file():
            raise BackupUnreadable(str(path), "damaged")
        # Brought to the newest schema now, while a refusal still costs nothing.
        prepare_copy(copy)
    except DatabaseNewer as error:
        raise BackupUnreadable(str(path), "newer") from error
    except DatabaseOlder as error:
        raise BackupUnreadable(str(path), "older") from error
    except (DatabaseAltered, MigrationFailed) as error:
        raise BackupUnreadable(str(path), "altered") from error
    except DatabaseDamaged as error:
        raise BackupUnreadable(str(path), "damaged") from error


@dataclass
class _RestoreProgress:
    """Progress of a restore, so that an interrupted one resumes.

    `aside` is the folder for current data, `came` what a restore brought, `emptied` what didn't exist before it, and
    `origin` the folder being put back, "" for a backup.
    """

    aside: str = ""
    came: list[str] = field(default_factory=list)
    emptied: list[str] = field(default_factory=list)
    origin: str = ""

    @classmethod
    def read(cls, folder: Path) -> _RestoreProgress:
        """Read the progress; an empty one if nothing valid is stored."""
        try:
            fields = fields_of(read_value((folder / PROGRESS).read_bytes()))
        except (OSError, ValueError):
            return cls()
        # Names only: the file lies in a folder that others may write to.
        aside, origin = (Path(text_of(fields.get(name))).name for name in ("aside", "origin"))
        came, emptied = ([text_of(item) for item in list_of(fields.get(name))] for name in ("came", "emptied"))
        return cls(aside, came, emptied, origin)

    def write(self, folder: Path) -> None:
        scratch = folder / f"{PROGRESS}.new"
        scratch.write_text(json.dumps(asdict(self)), "utf-8")
        place_file(scratch, folder / PROGRESS)


def put_in_place(places: AppPaths) -> Path | None:
    """Replace current data by a waiting backup, if the database isn't open anywhere.

    Returns where current data was moved; None if nothing waits or the database is open. An interrupted run is
    completed by the next. Raises DiskFull or FolderNotWritable.
    """
    if not places.restore.waiting.is_dir() or not is_let_go(places.database):
        return None
    try:
        state = _RestoreProgress.read(places.restore.waiting)
        # Written once: a run that goes on uses the same folder.
        if not state.aside:
            state.aside = f"{time.strftime('%Y-%m-%d-%H%M%S')}-{os.urandom(2).hex()}"
            state.came = [name for name in _part_folders(places) if (places.restore.waiting / name).exists()]
            state.write(places.restore.waiting)  # before anything moves, so that the next run can complete a killed one
        aside = places.restore.replaced / state.aside
        make_folder(aside)
        # What came is remembered beside what was there, so that it can be put back.
        _RestoreProgress(came=state.came + state.emptied).write(aside)
        for name, here in _part_folders(places).items():
            new = places.restore.waiting / name
            if not new.exists() and (name not in state.emptied or (aside / name).exists()):
                continue  # it has taken its place already, or never was there
            # with SQLite's log, which would be replayed into the other database
            for old in (here, here.with_name(here.name + "-wal"), here.with_name(here.name + "-shm")):
                if old.exists():
                    shutil.move(old, aside / old.name)
            make_folder(here.parent)
            if new.exists():
                shutil.move(new, here)
        shutil.rmtree(places.states, ignore_errors=True)  # what models had read of chats that have other numbers now
        shutil.rmtree(places.restore.waiting)
    except OSError as error:
        raise disk_problem(error, places.data) from error
    return aside


def _part_folders(places: AppPaths) -> dict[str, Path]:
    """Return the target of each part of a backup."""
    files = {DATABASE: places.database, SETTINGS: places.settings, WORDS: places.own_words}
    return files | {beginning.rstrip("/"): folder for beginning, folder in folders_by_part(places).items()}


def last_aside(places: AppPaths) -> Path | None:
    """Return the folder of data replaced by the last restore, while it exists."""
    folders = list(places.restore.replaced.iterdir()) if places.restore.replaced.is_dir() else []
    return max((folder for folder in folders if folder.is_dir()), key=lambda one: one.stat().st_mtime_ns, default=None)


def is_putting_back(places: AppPaths) -> bool:
    """Return whether the waiting data is that of before a restore."""
    return bool(_RestoreProgress.read(places.restore.waiting).origin)


def put_back(places: AppPaths) -> None:
    """Queue the data of before the last restore for `put_in_place`, as a backup.

    A restore that is only waiting is dropped instead where possible: it changed nothing. Raises DiskFull or
    FolderNotWritable.
    """
    _refuse_while_locked(places)
    # A restore that only waits changed nothing yet.
    if places.restore.waiting.is_dir():
        if not is_let_go(places.database):
            drop_waiting(places)
            return
        put_in_place(places)  # it may have been ended in the middle
    if (aside := last_aside(places)) is None:
        return
    try:
        came = _RestoreProgress.read(aside).came
        # What the restore brought where nothing was goes away again.
        emptied = [name for name in came if name in _part_folders(places) and not (aside / name).exists()]
        _RestoreProgress(came=came, emptied=emptied, origin=aside.name).write(aside)
        is_let_go(aside / DATABASE)  # its journal goes into it
        aside.replace(places.restore.waiting)
    except OSError as error:
        raise disk_problem(error, places.data) from error


def drop_waiting(places: AppPaths) -> None:
    """Discard waiting data; earlier data returns to where it is stored."""
    state = _RestoreProgress.read(places.restore.waiting)
    if state.origin:
        make_folder(places.restore.replaced)
        # Its list of what a restore brought stays, the mark that it waits goes.
        _RestoreProgress(came=state.came).write(places.restore.waiting)
        places.restore.waiting.replace(places.restore.replaced / state.origin)
    shutil.rmtree(places.restore.waiting, ignore_errors=True)


def remove_old(places: AppPaths, now: float) -> None:
    """Delete replaced data after `KEPT_S`, as it holds what was deleted since, and backups unpacked a day ago and
    never confirmed.
    """
    if places.restore.unpacked.is_dir() and now - places.restore.unpacked.stat().st_mtime > FORGOTTEN_S:
        refuse_restored(places)
    for aside in places.restore.replaced.iterdir() if places.restore.replaced.is_dir() else ():
        if now - aside.stat().st_mtime > KEPT_S:
            shutil.rmtree(aside, ignore_errors=True)


def restore_waiting(paths: AppPaths) -> PersonMessage | None:
    """Put a waiting backup, or the state before it, in place. Return a message that says where the replaced data is."""
    text, kept = (RESTORE_UNDONE, BACKUP_IS_KEPT) if is_putting_back(paths) else (BACKUP_RESTORED, DATA_IS_KEPT)
    before = put_in_place(paths)
    return PersonMessage(text, kept, "put_back", {"folder": str(before)}) if before is not None else None
