"""A store of documents in a file of its own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from app.store.database import Database
from app.store.document_store import DocumentStore


@pytest.fixture
def store(tmp_path: Path) -> Iterator[DocumentStore]:
    with closing(Database.open(tmp_path / "fireside.db")) as database:
        yield DocumentStore(database)
