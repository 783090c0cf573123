"""Set, change and remove the lock on a home. Killed at any step, the home is as before or as wanted afterwards.

The new state is built in a folder beside the data, `BUILDING`, while nobody else can open the database. Renaming that
to `BUILT` decides: from then on the old state is deleted, the folder renamed to `PLACING`, and what is in it moved to
its place. Whoever starts next deletes a `BUILDING` and finishes the others, for which no passphrase is needed.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from app.core.errors.lock_errors import LockChangeBlocked, LockUnavailable, RestoreWaiting
from app.core.errors.saving_errors import DiskFull
from app.core.lazy_dataclasses import dataclass, replace
from app.core.paths import LOCK_CHANGES, AppPaths, disk_problem, make_folder
from app.core.settings import load_settings, save_settings
from app.core.synced_files import place_file, sync_file, sync_folder
from app.features.lock.open_copies import copies_place
from app.store.encrypted_files import EncryptedFiles
from app.store.encryption import Connection, copy_database, copy_file_database, held_alone, move_paths
from app.store.lock_file import new_key, read_lock, write_lock
from app.store.sqlite_access import drop_key, load_sqlcipher

BUILDING, BUILT, PLACING = LOCK_CHANGES
DORMANT = "dormant/"
"""Encrypted files that nothing reads while the lock is set, such as what a restore replaced: they come back with its
removal.
"""
ROOM_LEFT_BYTES = 50_000_000
SETTINGS = "settings.json"
_FOLDERS = ("media", "recordings", "translations")


@dataclass(frozen=True)
class LockProgress:
    """Event: a step is done; `done_bytes` of `total_bytes` are copied."""

    done_bytes: int
    total_bytes: int


def set_lock(paths: AppPaths, passphrase: str) -> Iterator[LockProgress]:
    """Encrypt the home. Raises LockChangeBlocked, LockUnavailable, DatabaseDamaged, DiskFull or FolderNotWritable;
    nothing is changed then.
    """
    paths = replace(paths, unlocked=None)
    _require_sqlcipher()
    with _change_alone(paths):
        if paths.restore.waiting.is_dir():
            raise RestoreWaiting
        key, folder = new_key(), paths.data / BUILDING
        with _built_folder(folder):
            plain = _list_plain_files(paths)
            done, total = 0, _require_room(paths, [*plain.values(), paths.database])
            write_lock(folder / paths.lock.name, passphrase, key)
            yield LockProgress(done, total)
            with _held_database(paths, key) as connection:
                if connection is not None:
                    database = folder / paths.database.name
                    copy_database(connection, database, key)
                    move_paths(database, key, paths.recordings, copies_place(paths, key) / "recordings")
                    yield LockProgress(done, total)
                yield from _encrypt_files(paths, folder, key, plain, total)
                # Within: until here nobody else can have written to the database.
                _commit_folder(folder)
        yield LockProgress(total, total)
        yield from _finish_steps(paths)


def remove_lock(paths: AppPaths, passphrase: str) -> Iterator[LockProgress]:
    """Decrypt everything and delete the key. Raises WrongPassphrase, and otherwise as `set_lock`."""
    _require_sqlcipher()
    key = read_lock(paths.lock, passphrase)
    paths = replace(paths, unlocked=None)
    with _change_alone(paths):
        folder, files = paths.data / BUILDING, EncryptedFiles(paths.encrypted_files, key)
        with _built_folder(folder), _held_database(paths, key) as connection:
            done, copies = 0, _list_copies(paths)
            total = _require_room(paths, [paths.database, paths.encrypted_files, *copies])
            if connection is not None:
                database = folder / paths.database.name
                copy_database(connection, database, b"")
                move_paths(database, b"", copies_place(paths, key) / "recordings", paths.recordings)
                done = paths.database.stat().st_size
                yield LockProgress(done, total)
            for copy in copies:
                target = folder / copy.relative_to(paths.data)
                make_folder(target.parent)
                copy_file_database(copy, target, key, b"")
                yield LockProgress(done, total)
            for name, (size, _) in files.list_names().items():
                files.copy_out(name, folder / name.removeprefix(DORMANT))
                done += size
                yield LockProgress(min(done, total), total)
            _commit_folder(folder)
        yield LockProgress(total, total)
        drop_key()
        yield from _finish_steps(paths)


def change_passphrase(paths: AppPaths, old: str, new: str) -> None:
    """Encrypt the key with another passphrase; the data stays as it is. Raises WrongPassphrase, or errors of the
    disk.
    """
    _require_sqlcipher()
    key = read_lock(paths.lock, old)
    try:
        write_lock(paths.lock, new, key)
    except OSError as error:
        raise disk_problem(error, paths.data) from error


def finish_change(paths: AppPaths) -> None:
    """Finish or undo what a killed change left. Raises LockChangeBlocked while one is at work."""
    if any((paths.data / name).exists() for name in (BUILDING, BUILT, PLACING)):
        with _change_alone(paths):
            for _ in _finish_steps(replace(paths, unlocked=None)):
                pass


def _finish_steps(paths: AppPaths) -> Iterator[LockProgress]:
    """Finish or undo a change, yielding after each step on the disk."""
    building, built, placing = (paths.data / name for name in (BUILDING, BUILT, PLACING))
    try:
        shutil.rmtree(building, ignore_errors=True)
        if built.is_dir():
            for old in _list_replaced(paths):
                shutil.rmtree(old) if old.is_dir() else old.unlink(missing_ok=True)
                yield LockProgress(0, 0)
            sync_folder(paths.data)
            built.rename(placing)
            yield LockProgress(0, 0)
        if placing.is_dir():
            for new in sorted(placing.iterdir()):
                target = paths.config / new.name if new.name == SETTINGS else paths.data / new.name
                make_folder(target.parent)
                _move_over(new, target)
                yield LockProgress(0, 0)
            sync_folder(paths.data)
            placing.rmdir()
    except OSError as error:
        raise disk_problem(error, paths.data) from error


def _move_over(source: Path, target: Path) -> None:
    try:
        source.replace(target)
    except OSError:  # the settings may lie on another disk
        if not source.is_file():
            raise
        scratch = target.with_name(f".{target.name}.new")
        shutil.copy2(source, scratch)
        place_file(scratch, target)
        source.unlink()


def _list_replaced(paths: AppPaths) -> list[Path]:
    """Return what a change of the lock replaces or what may hold the same words."""
    settings = [paths.settings, *paths.config.glob(".settings-*"), *paths.config.glob(f"{SETTINGS}.*")]
    cache = [paths.states, paths.decoded, paths.heard, paths.documents, paths.cache / "recording"]
    data = [
        path
        for pattern in (f"{paths.database.name}*", f"{paths.lock.name}*", f"{paths.encrypted_files.name}*")
        for path in sorted(paths.data.glob(pattern))
    ]
    own = [paths.own_words, *paths.data.glob(f".{paths.own_words.name}.*"), paths.snapshots, paths.restore.unpacked]
    folders = [paths.restore.replaced, *(paths.data / name for name in _FOLDERS)]
    return [path for path in (*data, *own, *folders, *settings, *cache) if path.exists()]


def _list_plain_files(paths: AppPaths) -> dict[str, Path]:
    """Return the files to encrypt, by their names among the encrypted ones."""
    found = {SETTINGS: paths.settings, paths.own_words.name: paths.own_words}
    for folder in _FOLDERS:
        found |= {path.relative_to(paths.data).as_posix(): path for path in _walk_files(paths.data / folder)}
    dormant = [path for path in sorted(paths.data.glob(f"{paths.database.name}.*")) if path.is_file()]
    for path in (*dormant, *_walk_files(paths.restore.replaced)):
        found[f"{DORMANT}{path.relative_to(paths.data).as_posix()}"] = path
    return {name: path for name, path in found.items() if path.is_file()}


def _walk_files(folder: Path) -> list[Path]:
    return [
        Path(here) / name
        for here, _, names in os.walk(folder)
        for name in sorted(names)
        if (Path(here) / name).is_file() and not (Path(here) / name).is_symlink()
    ]


def _list_snapshots(paths: AppPaths) -> list[Path]:
    return sorted(paths.snapshots.glob("*.db"))


def _list_copies(paths: AppPaths) -> list[Path]:
    """Return copies that were made while the lock was set: the daily ones, and those from before upgrades."""
    return [*_list_snapshots(paths), *sorted(paths.data.glob(f"{paths.database.name}.before-*"))]


@contextmanager
def _held_database(paths: AppPaths, key: bytes) -> Iterator[Connection | None]:
    """Open the database alone; None for a home without one."""
    if not paths.database.exists():
        yield None
        return
    with held_alone(paths.database, key) as connection:
        yield connection


def _encrypt_files(
    paths: AppPaths, folder: Path, key: bytes, plain: dict[str, Path], total: int
) -> Iterator[LockProgress]:
    done, files = 0, EncryptedFiles(folder / paths.encrypted_files.name, key)
    for name, path in plain.items():
        files.keep_file(path, name)
        done += path.stat().st_size
        yield LockProgress(min(done, total), total)
    for snapshot in _list_snapshots(paths):
        make_folder(folder / "snapshots")
        copy_file_database(snapshot, folder / "snapshots" / snapshot.name, b"", key)
        yield LockProgress(done, total)
    # What the lock screen needs to look as chosen; nothing that was typed.
    settings, _ = load_settings(paths.settings)
    save_settings(folder / SETTINGS, settings.without_texts())


def _require_sqlcipher() -> None:
    try:
        load_sqlcipher()
    except ImportError as error:
        raise LockUnavailable from error


def _require_room(paths: AppPaths, files: list[Path]) -> int:
    """Return the bytes to copy. Raises DiskFull if they don't fit beside what is there."""
    total = sum(path.stat().st_size for path in files if path.exists())
    if shutil.disk_usage(paths.data).free < total + ROOM_LEFT_BYTES:
        raise DiskFull(str(paths.data))
    return total


@contextmanager
def _built_folder(folder: Path) -> Iterator[None]:
    """Make the folder of the new state, and delete it unless it was committed."""
    try:
        shutil.rmtree(folder, ignore_errors=True)
        make_folder(folder)
        yield
    except OSError as error:
        raise disk_problem(error, folder.parent) from error
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _commit_folder(folder: Path) -> None:
    for path in _walk_files(folder):
        if path.name.endswith(("-wal", "-shm")):
            continue
        sync_file(path)
    for here, _, _ in os.walk(folder):
        sync_folder(Path(here))
    folder.rename(folder.with_name(BUILT))
    sync_folder(folder.parent)


@contextmanager
def _change_alone(paths: AppPaths) -> Iterator[None]:
    """Keep other processes from changing the lock. Raises LockChangeBlocked."""
    from filelock import FileLock, Timeout

    make_folder(paths.data)
    try:
        with FileLock(paths.data / "lock-change.lock", timeout=0):
            yield
    except Timeout as error:
        raise LockChangeBlocked from error
