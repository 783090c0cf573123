"""A fresh store for each test, with a clock that moves one second at every look."""

from __future__ import annotations

import itertools
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.store import database as databases
from app.store.conversations import Conversations
from app.store.database import Database
from app.store.trash import TrashStore
from tests.helpers import ready_database


@pytest.fixture(autouse=True)
def made_databases(monkeypatch: pytest.MonkeyPatch) -> None:
    """Here every database is made as a person's is."""
    monkeypatch.setattr(databases, "_open_ready", ready_database.OPENED)
    monkeypatch.setattr(databases, "migrate_file", ready_database.MIGRATED)


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    opened = Database.open(tmp_path / "data" / "fireside.db")
    yield opened
    opened.close()


@pytest.fixture
def conversations(database: Database) -> Conversations:
    ticks = itertools.count(1000)
    return Conversations(database, clock=lambda: float(next(ticks)))


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of one megabyte of our own; only where this process may mount."""
    folder = tmp_path / "disk"
    folder.mkdir()
    try:
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", folder], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("mounting is not allowed here")
    yield folder
    subprocess.run(["umount", folder], check=True)


def trashed(database: Database) -> list[str]:
    """The titles of what the trash lists, last deleted first."""
    return [item.title for item in TrashStore(database).list_items()]


def fill_disk(folder: Path) -> None:
    """Writes until nothing more fits."""
    with (folder / "other").open("wb", buffering=0) as file, pytest.raises(OSError, match="No space"):
        while True:
            file.write(b"x" * 4096)
