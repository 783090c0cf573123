"""Files of the oldest schema open unchanged; steps to later ones are whole, with a backup, or leave the file alone."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from app.core.errors.database_errors import DatabaseNewer, MigrationFailed
from app.core.errors.saving_errors import DiskFull
from app.store.conversations import Conversations
from app.store.database import Database
from app.store.migrations import MIGRATIONS, Migration
from app.store.schema import read_schema
from tests.helpers.searching import search_text
from tests.store.conftest import fill_disk

RECORDED = Path(__file__).parent / "data" / "fireside-v12.sql"


def add_mood(connection: sqlite3.Connection) -> None:
    """A step as a later version could need it: a column, and what it is of the rows that are there."""
    connection.execute("ALTER TABLE conversations ADD COLUMN mood TEXT NOT NULL DEFAULT ''")
    connection.execute("UPDATE conversations SET mood = 'warm' WHERE pinned")


def clear_drafts(connection: sqlite3.Connection) -> None:
    """Goes well, and is undone with the step after it."""
    connection.execute("UPDATE conversations SET draft = ''")


def fails_after_its_work(connection: sqlite3.Connection) -> None:
    add_mood(connection)
    connection.execute("UPDATE conversations SET title = 'changed'")
    raise ValueError("a mistake in the step")


def fails_in_its_sql(connection: sqlite3.Connection) -> None:
    add_mood(connection)
    connection.execute("SELECT 1 FROM nowhere")


def breaks_references(connection: sqlite3.Connection) -> None:
    connection.execute("UPDATE messages SET conversation_id = 99")


def commits_by_itself(connection: sqlite3.Connection) -> None:
    connection.execute("SELECT 1")
    connection.commit()


NEXT = {**MIGRATIONS, 13: add_mood}


@pytest.fixture
def old_file(tmp_path: Path) -> Path:
    """A file of the oldest schema with rows in every table, as a program of then left it."""
    path = tmp_path / "fireside.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(RECORDED.read_text("utf-8"))
    return path


def contents(path: Path) -> dict[str, object]:
    """The version, and each table, index, trigger and view as it was made, with all its rows."""
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
        found: dict[str, object] = {"version": connection.execute("PRAGMA user_version").fetchone()[0]}
        for kind, name, sql in connection.execute("SELECT type, name, sql FROM sqlite_schema").fetchall():
            rows = connection.execute(f"SELECT * FROM {name}").fetchall() if kind in ("table", "view") else []
            found[name] = (kind, sql, rows)
        return found


def titles(path: Path) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute("SELECT title, mood FROM conversations ORDER BY id").fetchall()


def test_a_file_of_the_oldest_schema_opens_unchanged(old_file: Path) -> None:
    before = contents(old_file)
    assert before["version"] == min(MIGRATIONS)
    own = [rows for kind, sql, rows in list(before.values())[1:] if kind == "table" and sql]  # type: ignore[misc]
    assert len(own) > 40 and all(own), "there is something in each table"
    with closing(Database.open(old_file)) as database:
        assert database.moved_aside is None
        assert [hit[1] for hit in search_text(Conversations(database), "earths")] == [3]
    assert contents(old_file) == before


def test_a_new_file_has_the_schema_of_the_recorded_one(old_file: Path, tmp_path: Path) -> None:
    new = tmp_path / "new.db"
    Database.open(new, {12: MIGRATIONS[12]}).close()
    with closing(sqlite3.connect(new)) as made, closing(sqlite3.connect(old_file)) as recorded:
        assert read_schema(made) == read_schema(recorded), "a released step is never edited"
        for name in ("conversations", "messages", "jobs", "attachments"):
            columns = [c.execute(f"PRAGMA table_info({name})").fetchall() for c in (made, recorded)]
            assert columns[0] == columns[1], name
    assert [file.name for file in tmp_path.glob("new.db*")] == ["new.db"], "nothing to back up"


def test_a_step_is_taken_and_the_file_before_it_is_kept(old_file: Path) -> None:
    before = contents(old_file)
    Database.open(old_file, NEXT).close()
    assert titles(old_file) == [("Größe der Sonne", "warm"), ("مرحبا", ""), ("deleted", "")]
    after = contents(old_file)
    assert after.pop("version") == 13 and after.pop("conversations") != before["conversations"]
    assert after.items() <= before.items(), "all else is as it was"
    backup = old_file.with_name("fireside.db.before-v13")
    assert contents(backup) == before
    backup.unlink()
    Database.open(old_file, NEXT).close()
    assert not backup.exists(), "nothing is left to do"


def test_rows_still_in_the_journal_of_a_killed_program_are_in_the_backup(old_file: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy" / "fireside.db"
    copy.parent.mkdir()
    with closing(Database.open(old_file)) as database:
        Conversations(database).create(title="only in the journal")
        for suffix in ("", "-wal"):  # as they lie when the program is killed now
            copy.with_name("fireside.db" + suffix).write_bytes(old_file.with_name("fireside.db" + suffix).read_bytes())
    Database.open(copy, NEXT).close()
    for path in (copy, copy.with_name("fireside.db.before-v13")):
        assert "only in the journal" in str(contents(path)["conversations"])


@pytest.mark.parametrize(
    ("step", "words"),
    [
        (fails_after_its_work, "a mistake"),
        (fails_in_its_sql, "nowhere"),
        (breaks_references, "references"),
        (commits_by_itself, "transaction"),
    ],
)
def test_a_step_that_fails_leaves_the_old_file_and_says_so(old_file: Path, step: Migration, words: str) -> None:
    before = contents(old_file)
    steps = {**MIGRATIONS, 13: clear_drafts, 14: step}
    if step is commits_by_itself:
        del steps[13]
    with pytest.raises(MigrationFailed) as raised:
        Database.open(old_file, steps)
    assert (raised.value.path, raised.value.to_version) == (str(old_file), max(steps))
    assert words in raised.value.detail
    assert contents(old_file) == before
    assert contents(old_file.with_name(f"fireside.db.before-v{max(steps)}")) == before
    Database.open(old_file, NEXT).close()
    assert titles(old_file)[0] == ("Größe der Sonne", "warm"), "a corrected program takes it from there"


def test_without_room_for_the_backup_nothing_is_migrated(small_disk: Path) -> None:
    path = small_disk / "fireside.db"
    Database.open(path).close()
    before = contents(path)
    fill_disk(small_disk)
    with pytest.raises(DiskFull):
        Database.open(path, NEXT)
    (small_disk / "other").unlink()
    assert contents(path) == before
    assert [file.name for file in small_disk.glob("*before*")] == [], "half a backup would be none"
    Database.open(path, NEXT).close()
    assert contents(path)["version"] == 13


def test_going_back_to_an_older_program_is_refused(old_file: Path) -> None:
    Database.open(old_file, NEXT).close()
    before = old_file.read_bytes()
    with pytest.raises(DatabaseNewer):
        Database.open(old_file)
    assert old_file.read_bytes() == before
