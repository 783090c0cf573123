"""`backup` and `restore` in the terminal, as processes."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path

from app.cli.restore import NO_DAYS, NO_SUCH_DAY, NOTHING_TO_UNDO, UNDONE
from app.core.errors.database_errors import DatabaseAltered
from app.core.errors.exchange_errors import BackupUnreadable
from app.core.paths import AppPaths
from app.features.error_messages import sentence_for
from app.store.conversations import Conversations
from app.store.database import Database
from app.store.snapshots import SnapshotFolder
from tests.helpers.terminal import fireside, only_json
from tests.helpers.texts import shows


def test_a_backup_comes_back_at_once_or_waits_for_the_window(tmp_path: Path) -> None:
    database_path = AppPaths.from_environment().database
    with closing(Database.open(database_path)) as database:
        Conversations(database).create(title="Rent")
    path = tmp_path / "backup.zip"
    body = only_json(fireside("backup", str(path), "--json"))
    assert path.stat().st_mode & 0o077 == 0
    assert body == {"path": str(path), "size_bytes": path.stat().st_size, "files": 1}
    with closing(Database.open(database_path)) as database:
        Conversations(database).create(title="Later")
        waits = fireside("restore", str(path))
        assert (waits.returncode, waits.stdout.startswith("Fireside is open.")) == (0, True)
        assert len(Conversations(database).find()) == 2
    body = only_json(fireside("restore", str(path), "--json"))
    assert body["restored"]
    assert Path(body["before"], "fireside.db").is_file()
    with closing(Database.open(database_path)) as database:
        assert [chat.title for chat in Conversations(database).find()] == ["Rent"]


def test_a_restore_is_undone_and_data_that_cannot_be_used_says_so(tmp_path: Path) -> None:
    nothing = fireside("restore", "--undo")
    assert (nothing.returncode, nothing.stderr) == (1, f"{NOTHING_TO_UNDO}\n")
    database_path = AppPaths.from_environment().database
    with closing(Database.open(database_path)) as database:
        Conversations(database).create(title="Rent")
    fireside("backup", str(tmp_path / "backup.zip"))
    with closing(Database.open(database_path)) as database:
        Conversations(database).create(title="Later")
    assert "restore --undo" in fireside("restore", str(tmp_path / "backup.zip")).stdout
    with closing(sqlite3.connect(database_path)) as altered:  # as an earlier program took it over
        altered.execute("DROP TABLE conversation_tags")
        altered.execute("DROP TABLE conversations")
    listed = fireside("chats", "list")
    assert (listed.returncode, listed.stdout) == (1, "")
    assert sentence_for(DatabaseAltered(str(database_path))).text in listed.stderr
    assert "fireside restore --undo" in listed.stderr
    assert "Traceback" not in listed.stderr
    assert shows(UNDONE, fireside("restore", "--undo").stdout)
    assert "Later" in fireside("chats", "list").stdout


def test_what_a_killed_backup_left_is_removed_by_the_next_command(tmp_path: Path) -> None:
    saving = AppPaths.from_environment().data / "saving"
    saving.mkdir(parents=True)
    left = tmp_path / ".fireside-0123456789ab.db"
    (saving / f"{2**22 + 1}{left.name}").write_bytes(os.fsencode(left))  # no process has such a number
    for ending in ("", ".part", "-journal"):
        Path(f"{left}{ending}").write_text("chats")
    assert fireside("chats", "list").returncode == 0
    assert list(tmp_path.glob(".fireside-*")) == [] and list(saving.iterdir()) == []


def test_a_name_that_is_too_long_is_told_as_that(tmp_path: Path) -> None:
    result = fireside("backup", str(tmp_path / ("x" * 300)))
    assert result.returncode == 1 and "too long" in result.stderr


def test_what_is_no_backup_is_one_sentence_and_1(tmp_path: Path) -> None:
    (tmp_path / "x.zip").write_text("no archive")
    result = fireside("restore", str(tmp_path / "x.zip"))
    assert (result.returncode, result.stdout) == (1, "")
    assert sentence_for(BackupUnreadable("x.zip", "unknown")).text in result.stderr


def test_a_daily_copy_is_listed_with_what_it_changes_and_restored() -> None:
    places = AppPaths.from_environment()
    nothing = fireside("restore", "--days")
    assert (nothing.returncode, nothing.stdout) == (0, f"{NO_DAYS}\n")
    with closing(Database.open(places.database)) as database:
        chats = Conversations(database)
        rent = chats.create(title="Rent")
        taken = SnapshotFolder(places.snapshots, database).take_daily()
        assert taken is not None
        day = taken.day.isoformat()
        chats.delete(rent.id)
        chats.create(title="Later")
    (told,) = only_json(fireside("restore", "--days", "--json"))["days"]
    assert (told["day"], told["only_there"], told["only_here"], told["counts"]["chats"]) == (
        day,
        ["Rent"],
        ["Later"],
        1,
    )
    other = fireside("restore", "--day", "2001-01-01")
    assert (other.returncode, other.stderr) == (1, f"{NO_SUCH_DAY.format(day='2001-01-01')}\n")
    assert only_json(fireside("restore", "--day", day, "--json"))["restored"]
    assert "Rent" in fireside("chats", "list").stdout
    fireside("restore", "--undo")
    assert "Later" in fireside("chats", "list").stdout
