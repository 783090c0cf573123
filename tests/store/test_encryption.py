"""Databases that are encrypted: damage, copies, and what happens without the key."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, cast

import pytest

from app.core.errors.database_errors import DatabaseDamaged
from app.core.events import Role
from app.store import sqlite_access
from app.store.conversations import Conversations
from app.store.database import Database
from app.store.encryption import Connection, copy_database
from app.store.lock_file import new_key

PAGE_BYTES = 4096


@pytest.fixture
def key() -> Iterator[bytes]:
    key = new_key()
    sqlite_access.hold_key(key)
    yield key
    sqlite_access.drop_key()


@pytest.fixture
def path(key: bytes, tmp_path: Path) -> Path:
    """A database with a hundred chats, some of them a page long."""
    path = tmp_path / "fireside.db"
    with closing(Database.open(path)) as database:
        chats = Conversations(database)
        for number in range(100):
            chat = chats.create(title=f"Rain {number}")
            chats.add_message(chat.id, None, Role.USER, f"How much rain {number}? " * 150)
    return path


def test_a_damaged_page_costs_the_messages_on_it_and_nothing_else(path: Path) -> None:
    middle = path.stat().st_size // PAGE_BYTES // 2
    with path.open("rb+") as file:
        file.seek(middle * PAGE_BYTES + 100)
        file.write(os.urandom(500))
    with closing(Database.open(path)) as database:
        assert database.moved_aside is not None
        assert database.recovered is not None
        assert database.recovered.chats == 100
        assert 98 <= database.recovered.messages < 100
    assert not sqlite_access.is_open_file(path)


def test_copies_are_encrypted_with_the_same_key(path: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy.db"
    with closing(Database.open(path)) as database:
        database.copy_to(copy)
    for file in (path, copy):
        assert b"rain" not in file.read_bytes().lower()
    with closing(Database.open(copy)) as database:
        assert len(Conversations(database).find()) == 100


def test_the_key_of_another_home_opens_nothing_and_changes_nothing(path: Path) -> None:
    before = path.read_bytes()
    sqlite_access.hold_key(new_key())
    with closing(sqlite_access.connect_file(path, "ro")) as connection, pytest.raises(sqlite_access.DATABASE_ERRORS):
        connection.execute("SELECT count(*) FROM messages")
    assert path.read_bytes() == before


class ChangedExport:
    """A connection whose exports come out with one word changed, and no row more or less."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)

    def execute(self, sql: str, *values: Any) -> Any:
        cursor = self._connection.execute(sql, *values)
        if "sqlcipher_export" in sql:
            cursor.fetchall()
            self._connection.execute("UPDATE other.messages SET text = 'No rain' WHERE id = 50")
        return cursor


@pytest.mark.parametrize("is_locked", [True, False], ids=["set", "remove"])
def test_a_copy_that_says_something_else_is_refused(path: Path, tmp_path: Path, key: bytes, is_locked: bool) -> None:
    wanted = new_key() if is_locked else b""
    with closing(sqlite_access.connect_file(path, "rw", key=key)) as connection:
        copy_database(connection, tmp_path / "right.db", wanted)
        changed = cast("Connection", ChangedExport(connection))
        with pytest.raises(DatabaseDamaged):
            copy_database(changed, tmp_path / "wrong.db", wanted)
