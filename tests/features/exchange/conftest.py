"""A store to import to and to export from."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from app.features.exchange.chat_file import ChatArchive, build_shelf
from app.store.conversations import Conversations
from app.store.database import Database


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    opened = Database.open(tmp_path / "home" / "fireside.db")
    yield opened
    opened.close()


@pytest.fixture
def shelf(database: Database) -> ChatArchive:
    return build_shelf(database)


@pytest.fixture
def conversations(database: Database) -> Conversations:
    return Conversations(database)
