"""`lock` in the terminal, and other commands on locked data, as processes."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest

from app import APP_NAME
from app.cli.lock import ALREADY_LOCKED, LOCK_REMOVED, LOCK_SET, NOT_LOCKED, PASSPHRASE_CHANGED
from app.core.errors.lock_errors import DataLocked, WrongPassphrase
from app.core.paths import AppPaths, is_locked
from app.features.error_messages import sentence_for
from app.store.conversations import Conversations
from app.store.database import Database
from tests.helpers.terminal import fireside, only_json


def test_a_lock_is_set_asked_for_changed_and_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    paths = AppPaths.from_environment()
    with closing(Database.open(paths.database)) as database:
        Conversations(database).create(title="Rent")
    first, second = tmp_path / "first", tmp_path / "second"
    first.write_text("correct horse\n")
    second.write_text("battery staple\n")
    assert fireside("lock", "status").stdout == f"{NOT_LOCKED}\n"
    monkeypatch.setenv("FIRESIDE_NEW_PASSPHRASE_FILE", str(first))
    assert fireside("lock", "set").stdout == f"{LOCK_SET.format(app=APP_NAME)}\n"
    assert fireside("lock", "set").stderr == f"{ALREADY_LOCKED}\n"
    refused = fireside("chats", "list")
    assert (refused.returncode, refused.stderr) == (1, f"{sentence_for(DataLocked(str(paths.data))).text}\n")
    monkeypatch.setenv("FIRESIDE_PASSPHRASE_FILE", str(first))
    assert "Rent" in fireside("chats", "list").stdout
    monkeypatch.setenv("FIRESIDE_NEW_PASSPHRASE_FILE", str(second))
    assert fireside("lock", "change").stdout == f"{PASSPHRASE_CHANGED}\n"
    wrong = fireside("chats", "list")
    assert (wrong.returncode, wrong.stderr) == (1, f"{sentence_for(WrongPassphrase()).text}\n")
    monkeypatch.setenv("FIRESIDE_PASSPHRASE_FILE", str(second))
    assert "Rent" in fireside("chats", "list").stdout
    assert only_json(fireside("lock", "status", "--json")) == {"locked": True}
    assert fireside("lock", "remove").stdout == f"{LOCK_REMOVED}\n"
    assert not is_locked(paths.data)
    monkeypatch.delenv("FIRESIDE_PASSPHRASE_FILE")
    assert "Rent" in fireside("chats", "list").stdout
