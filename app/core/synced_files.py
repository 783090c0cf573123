"""Files and names that stay as they are when power goes: a rename alone may come before what it stands for."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path


def sync_file(path: Path) -> None:
    """Wait until a file's content is on the disk, and a new file's name."""
    with path.open("rb+") as file:
        os.fsync(file.fileno())


def sync_folder(path: Path) -> None:
    """Wait until a folder's names are on the disk, where the system knows how."""
    # Windows can't open a folder, and needs no sync of it.
    if os.name == "nt":
        return
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def sync_tree(folder: Path) -> None:
    """Wait until all files below a folder, and their names, are on the disk."""
    for here, _, names in os.walk(folder):
        for name in names:
            sync_file(Path(here) / name)
        sync_folder(Path(here))


def place_file(scratch: Path, path: Path) -> None:
    """Give a complete file its name for good: the old file or this one is there, whenever power goes."""
    sync_file(scratch)
    scratch.replace(path)
    sync_name(path)


def sync_name(path: Path) -> None:
    """Wait until a new name is on the disk. Some network disks know no sync of folders, which is no failure."""
    with suppress(OSError):
        sync_folder(path.parent)
