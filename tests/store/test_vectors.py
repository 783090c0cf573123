"""Vectors of passages come back nearly as they were, and are gone with their document and their model."""

from __future__ import annotations

import sqlite3
import time
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from app.store.attachments import Attachments
from app.store.database import Database
from app.store.document_store import DocumentStore
from app.store.projects import ProjectDocuments, Projects
from app.store.recovery import recover_rows
from app.store.vectors import VectorStore


@pytest.fixture
def store(database: Database) -> DocumentStore:
    return DocumentStore(database)


def kept(store: DocumentStore) -> int:
    id_ = store.begin_document(Path("/a.txt"), 1, 1)
    store.add_blocks(id_, [{"id": 1, "kind": "paragraph", "page": None, "text": "a"}])
    return store.finish_document(id_, format_="text", unit="", pages=0, sha256="", info={}).id


def rows(database: Database) -> int:
    with database.reading() as connection:
        return int(connection.execute("SELECT count(*) FROM passage_vectors").fetchone()[0])


def test_vectors_come_back_within_a_hundredth_of_their_angle(store: DocumentStore) -> None:
    document = kept(store)
    given = np.random.default_rng(1).normal(size=(20, 384)).astype(np.float32)
    given /= np.linalg.norm(given, axis=1, keepdims=True)
    store.vectors.add(document, "m", range(1, 17), given[:16])
    store.vectors.add(document, "m", [40, 41, 42, 100_000], given[16:])
    batches = list(store.vectors.read_batches(document, "m"))
    assert [number for batch in batches for number in batch.blocks] == [*range(1, 17), 40, 41, 42, 100_000]
    found = np.concatenate([batch.vectors for batch in batches])
    assert (np.sum(found * given, axis=1) / np.linalg.norm(found, axis=1)).min() > 0.9999
    assert store.vectors.block_numbers(document, "another") == set()


def test_only_documents_of_chats_wait_for_vectors_until_they_have_all(database: Database, store: DocumentStore) -> None:
    first, second, third = (kept(store) for _ in range(3))
    for document in (first, third):
        Attachments(database).add_to_draft(None, document)
    vectors = store.vectors
    assert vectors.unfinished_documents("m") == [third, first], "the newest first"
    vectors.add(third, "m", [1], np.ones((1, 4), np.float32))
    assert vectors.unfinished_documents("m") == [third, first]
    vectors.mark_complete(third, "m")
    assert vectors.is_finished(third, "m")
    assert vectors.unfinished_documents("m") == [first]
    assert vectors.unfinished_documents("m, changed") == [third, first]
    assert vectors.block_numbers(third, "m") == {1}
    assert second


def test_they_go_with_their_document_and_when_another_model_is_chosen(database: Database, store: DocumentStore) -> None:
    first, second = kept(store), kept(store)
    for document, model in ((first, "old"), (first, "m"), (second, "m")):
        store.vectors.add(document, model, [1], np.ones((1, 4), np.float32))
    store.discard_document(second)
    assert rows(database) == 2
    store.vectors.add(second, "m", [1], np.ones((1, 4), np.float32))
    assert rows(database) == 2, "the document is gone"
    store.vectors.keep_only("m")
    assert rows(database) == 1
    store.vectors.keep_only("")
    assert rows(database) == 0


@pytest.mark.parametrize("is_of_project", [False, True], ids=["chat", "project"])
def test_they_go_with_the_last_chat_or_project_that_had_the_document(
    database: Database, store: DocumentStore, is_of_project: bool
) -> None:
    document, attachments = kept(store), Attachments(database)
    projects = ProjectDocuments(database)
    if is_of_project:
        project = Projects(database).create("Flat")
        projects.add(project.id, document)
    else:
        attachments.add_to_draft(None, document)
    store.vectors.add(document, "m", [1], np.ones((1, 4), np.float32))
    store.vectors.mark_complete(document, "m")
    later = time.time() + 60
    assert (len(store.purge_unused(later)), rows(database)) == (0, 2)
    for attachment in projects.list_documents(project.id) if is_of_project else attachments.in_draft(None):
        attachments.remove(attachment.id)
    assert (len(store.purge_unused(later)), rows(database)) == (1, 0)


def test_a_row_that_a_damaged_file_made_odd_is_left_out(database: Database) -> None:
    store = DocumentStore(database)
    document = kept(store)
    store.vectors.add(document, "m", [1], np.ones((1, 4), np.float32))
    with database.transaction() as connection:
        connection.execute(
            "INSERT INTO passage_vectors (document_id, model, width, scale, blocks, vectors)"
            " VALUES (?, 'm', 4, 1.0, x'02000000', x'0102')",
            (document,),
        )
    assert VectorStore(database).block_numbers(document, "m") == {1}


def test_they_are_recovered_with_their_document_from_a_damaged_file(database: Database, tmp_path: Path) -> None:
    store = DocumentStore(database)
    first, second = kept(store), kept(store)
    for document in (first, second):
        store.vectors.add(document, "m", [1], np.ones((1, 4), np.float32))
        store.vectors.mark_complete(document, "m")
    database.close()
    path = tmp_path / "data" / "fireside.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("DELETE FROM documents WHERE id = ?", (first,))
        connection.commit()
        with closing(Database.open(tmp_path / "new.db")) as new:
            new.close()
        with closing(sqlite3.connect(tmp_path / "new.db")) as copy:
            copy.isolation_level = None
            recover_rows(connection, copy, None)
    with closing(Database.open(tmp_path / "new.db")) as recovered:
        vectors = DocumentStore(recovered).vectors
        assert vectors.is_finished(second, "m")
        assert vectors.block_numbers(second, "m") == {1}
        assert not vectors.is_finished(first, "m"), "its document is lost"
