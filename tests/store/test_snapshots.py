"""Daily copies: seven whole ones, none from a full disk, and what each would change."""

from __future__ import annotations

import sqlite3
import stat
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from app.core.errors.database_errors import DatabaseDamaged
from app.core.errors.saving_errors import DiskFull
from app.store import snapshots
from app.store.conversations import Conversations
from app.store.database import Database, prepare_copy
from app.store.page_store import PageStore
from app.store.snapshots import KEPT, SnapshotFolder, compare_snapshot
from tests.helpers.disks import small_disk

DAY_S = 24 * 3600.0
NOON_S = 1_796_126_400.0
RECORDED = sorted((Path(__file__).parent / "data").glob("fireside-v*.sql"))


class Days:
    """A clock that stands at noon of a day."""

    def __init__(self) -> None:
        self.day = 0

    def __call__(self) -> float:
        return NOON_S + self.day * DAY_S


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    with closing(Database.open(tmp_path / "data" / "fireside.db")) as opened:
        Conversations(opened).create(title="Rent")
        yield opened


def test_the_newest_seven_days_are_kept_private_and_whole(database: Database, tmp_path: Path) -> None:
    days = Days()
    folder = SnapshotFolder(tmp_path / "data" / "snapshots", database, days)
    for days.day in (0, 0, 1, 2, 3, 4, 5, 6, 9):
        Conversations(database).create(title=f"Day {days.day}")
        folder.take_daily()
    found = folder.list_snapshots()
    assert [(snapshot.day - found[0].day).days for snapshot in found] == [0, -3, -4, -5, -6, -7, -8]
    assert len(found) == KEPT
    for snapshot in found:
        assert stat.S_IMODE(snapshot.path.stat().st_mode) == 0o600
        prepare_copy(snapshot.path)
    assert sorted(path.name for path in (tmp_path / "data" / "snapshots").iterdir()) == sorted(
        snapshot.path.name for snapshot in found
    )


def test_an_empty_database_needs_none(tmp_path: Path) -> None:
    with closing(Database.open(tmp_path / "fireside.db")) as empty:
        assert SnapshotFolder(tmp_path / "snapshots", empty).take_daily() is None


@pytest.mark.logs_warnings
def test_a_damaged_database_replaces_no_copy_and_is_said_once(database: Database, tmp_path: Path) -> None:
    days = Days()
    folder = SnapshotFolder(tmp_path / "data" / "snapshots", database, days)
    for day in range(KEPT):
        days.day = day
        folder.take_daily()
    for number in range(200):
        Conversations(database).create(title=f"{number} " * 40)
    database.empty_journal()
    with closing(sqlite3.connect(database.path)) as connection:
        query = "SELECT rootpage FROM sqlite_schema WHERE name = 'conversations_by_leaf'"
        page = connection.execute(query).fetchone()[0]
    with database.path.open("r+b") as file:
        file.seek((page - 1) * 4096)
        file.write(b"\xa5" * 4096)
    before = folder.list_snapshots()
    days.day = KEPT
    with pytest.raises(DatabaseDamaged):
        folder.take_daily()
    assert folder.take_daily() is None
    assert folder.list_snapshots() == before


def test_a_full_disk_is_said_once_and_keeps_the_copies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(snapshots, "ROOM_LEFT_BYTES", 0)
    with small_disk(tmp_path / "disk", 3_000_000) as disk, closing(Database.open(disk / "fireside.db")) as database:
        Conversations(database).create(title="Rent")
        days = Days()
        folder = SnapshotFolder(disk / "snapshots", database, days)
        assert folder.take_daily() is not None
        (disk / "other").write_bytes(b"x" * (2_900_000 - sum(file.stat().st_size for file in disk.rglob("*.db*"))))
        days.day = 1
        with pytest.raises(DiskFull):
            folder.take_daily()
        assert folder.take_daily() is None
        assert len(folder.list_snapshots()) == 1
        (disk / "other").unlink()
        assert folder.take_daily() is not None, "as soon as there is room"


def test_a_copy_is_compared_with_what_is_here(database: Database, tmp_path: Path) -> None:
    chats, pages = Conversations(database), PageStore(database)
    kept = pages.create("A page", title="Kept")
    gone = chats.create(title="Only there")
    taken = SnapshotFolder(tmp_path / "data" / "snapshots", database).take_daily()
    assert taken is not None
    chats.delete(gone.id)
    chats.create(title="Only here")
    pages.save(kept.id, "A page that goes on")
    found = compare_snapshot(taken.path, database.path)
    assert (found.only_there, found.only_here, found.changed) == (("Only there",), ("Only here",), 1)
    assert (found.counts["chats"], found.counts["pages"]) == (2, 1)


@pytest.mark.parametrize("recorded", RECORDED, ids=lambda path: path.stem)
def test_databases_of_every_released_schema_are_copied_and_compared(recorded: Path, tmp_path: Path) -> None:
    path = tmp_path / "fireside.db"
    with closing(sqlite3.connect(path)) as old:
        old.executescript(recorded.read_text("utf-8"))
    with closing(Database.open(path)) as database:
        taken = SnapshotFolder(tmp_path / "snapshots", database).take_daily()
        assert taken is not None
        found = compare_snapshot(taken.path, path)
        assert found.counts["chats"]
        assert (found.only_there, found.only_here, found.changed) == ((), (), 0)
