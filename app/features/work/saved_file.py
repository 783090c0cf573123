"""Write a file the user asked for, replacing the old one only when complete.

Files being written are noted in the program's folder: what a killed program left next to the user's documents is
removed at the next start.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from app.core.paths import AppPaths, disk_problem, make_folder, private_opener
from app.core.synced_files import sync_file, sync_name

SCRATCH = ".fireside-"
COMPANIONS = ("", ".part", "-journal", ".part-journal", "-wal", "-shm")
"""Endings of what a database that is copied to such a name may leave, the copy's own first."""


@contextmanager
def write_file(path: Path, *, is_private: bool = False) -> Iterator[IO[bytes]]:
    """Yield a file to write to, which replaces the target at the end and takes over its mode, unless `is_private`.

    Raises DiskFull, FolderNotWritable or NameTooLong, the last before anything is written.
    """
    with scratch_beside(path) as scratch:
        try:
            with contextlib.suppress(FileNotFoundError):
                path.lstat()  # says it where a name is too long
            # private while it is incomplete; `replace_file` sets the mode
            handle = os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o600)
            with os.fdopen(handle, "wb") as file:
                yield file
            replace_file(scratch, path, is_private=is_private)
        except OSError as error:
            raise disk_problem(error, path.parent) from error


@contextmanager
def scratch_beside(path: Path, suffix: str = "") -> Iterator[Path]:
    """Yield a scratch path next to the target; deleted at the end, or at the next start if the process was killed."""
    # Beside the target, so that the rename stays on one disk; a dot keeps it out of listings.
    scratch = path.absolute().with_name(f"{SCRATCH}{os.urandom(6).hex()}{suffix}")
    # Named by process, whose end tells that nobody writes any more.
    note = _notes_folder() / f"{os.getpid()}{scratch.name}"
    with contextlib.suppress(OSError):  # a home that cannot be written keeps nobody from saving elsewhere
        make_folder(note.parent)
        with open(note, "wb", opener=private_opener) as file:
            file.write(os.fsencode(scratch))
        sync_file(note)  # or a power cut could leave the file and forget where it is
    try:
        yield scratch
    finally:
        with contextlib.suppress(OSError):  # on a disk that fails; the note stays for the next start
            _remove_scratch(scratch)
            note.unlink(missing_ok=True)


def remove_interrupted() -> None:
    """Delete scratch files of processes that are gone; those on a disk that is away wait."""
    folder = _notes_folder()
    notes = list(folder.iterdir()) if folder.is_dir() else []
    if not notes:
        return
    import psutil  # 2 MB and 19 ms that a start need not have

    for note in notes:
        process = note.name.partition(".")[0]
        # A pid of now may be another process's; then the file waits for the next start.
        if not process.isdecimal() or psutil.pid_exists(int(process)):
            continue
        with contextlib.suppress(OSError):
            scratch = Path(os.fsdecode(note.read_bytes()))
            # A disk that is away keeps its note.
            if scratch.parent.is_dir():
                # Only names that this module made are removed, whatever the note says.
                if scratch.name.startswith(SCRATCH):
                    _remove_scratch(scratch)
                note.unlink()


def _remove_scratch(scratch: Path) -> None:
    """Delete the file and what SQLite may have left next to it."""
    for ending in COMPANIONS:
        scratch.with_name(scratch.name + ending).unlink(missing_ok=True)


def _notes_folder() -> Path:
    return AppPaths.from_environment().data / "saving"


def replace_file(scratch: Path, path: Path, *, is_private: bool = False) -> None:
    """Move a complete file into place for good, with the mode of the replaced file, or a new file's. Raises OSError."""
    sync_file(scratch)  # a mode that is taken over may allow nobody to write
    if is_private:
        scratch.chmod(0o600)
    elif path.exists():
        scratch.chmod(path.stat().st_mode & 0o777)
    else:
        # There is no way to ask for the mask without setting it.
        mask = os.umask(0)
        os.umask(mask)
        scratch.chmod(0o666 & ~mask)
    scratch.replace(path)
    sync_name(path)
