"""`backup` and `restore` in the terminal, as processes."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

from app.core.paths import AppPaths
from app.store.conversations import Conversations
from app.store.database import Database
from tests.helpers.terminal import fireside, only_json


def test_a_backup_comes_back_at_once_or_waits_for_the_window(tmp_path: Path) -> None:
    database_path = AppPaths.from_environment().database
    with closing(Database.open(database_path)) as database:
        Conversations(database).create(title="Rent")
    path = tmp_path / "backup.zip"
    body = only_json(fireside("backup", str(path), "--json"))
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


def test_what_is_no_backup_is_one_sentence_and_1(tmp_path: Path) -> None:
    (tmp_path / "x.zip").write_text("no archive")
    result = fireside("restore", str(tmp_path / "x.zip"))
    assert (result.returncode, result.stdout) == (1, "")
    assert "x.zip is no backup of Fireside." in result.stderr
