"""A fresh store for each test, with a clock that moves one second at every look."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.store.conversations import Conversations
from app.store.database import Database


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    opened = Database.open(tmp_path / "data" / "fireside.db")
    yield opened
    opened.close()


@pytest.fixture
def conversations(database: Database) -> Conversations:
    ticks = itertools.count(1000)
    return Conversations(database, clock=lambda: float(next(ticks)))
