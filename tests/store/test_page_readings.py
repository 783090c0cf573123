"""What was read from pages that are pictures: kept by content, corrections first, gone with the last document."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from app.store.database import Database
from app.store.document_store import HEARD, HEARD_KEPT_S, DocumentStore, PageReadings, StoredPageReading

BLOCK = {"id": 1, "kind": "paragraph", "text": "Rent", "page": 2, "heading_path": []}
READ = StoredPageReading(2, "model", "Eye 2B", "read", (BLOCK,))


@pytest.fixture
def database() -> Iterator[Database]:
    with closing(Database.in_memory()) as database:
        yield database


def test_a_page_is_kept_by_the_content_of_its_file_and_read_anew_in_its_place(database: Database) -> None:
    readings = PageReadings(database, lambda: 7.0)
    assert readings.save_page("ab", READ)
    assert readings.save_page("ab", StoredPageReading(2, "tesseract", "", "empty", ()))
    assert readings.save_page("ab", StoredPageReading(1, "tesseract", "", "read", ()))
    assert readings.save_page("cd", READ)
    assert [(page, one.method, one.state) for page, one in readings.read_pages("ab").items()] == [
        (1, "tesseract", "read"),
        (2, "tesseract", "empty"),
    ]
    assert readings.read_pages("cd")[2].blocks == (BLOCK,)
    assert readings.read_pages("cd")[2].made_at == 7.0


def test_what_a_person_corrected_is_replaced_by_a_person_alone(database: Database) -> None:
    readings = PageReadings(database)
    readings.save_page("ab", StoredPageReading(2, "model", "Eye 2B", "read", (BLOCK,), is_edited=True))
    assert not readings.save_page("ab", StoredPageReading(2, "tesseract", "", "read", ()))
    assert readings.read_pages("ab")[2].blocks == (BLOCK,)
    assert readings.save_page("ab", StoredPageReading(2, "model", "Eye 2B", "read", (), is_edited=True))


def test_corrections_are_given_up_for_what_was_read_before_them(database: Database) -> None:
    readings = PageReadings(database)
    readings.save_page("ab", READ)
    assert readings.give_up("ab", 2) is None
    corrected = StoredPageReading(2, "model", "Eye 2B", "read", (), is_edited=True, before=READ)
    readings.save_page("ab", corrected)
    given_up = readings.give_up("ab", 2)
    assert given_up is not None
    assert (given_up.blocks, given_up.before) == ((), READ)
    now = readings.read_pages("ab")[2]
    assert (now.blocks, now.is_edited, now.before) == ((BLOCK,), False, None)
    readings.save_page("ab", given_up)
    assert readings.read_pages("ab")[2].before == READ
    readings.save_page("ab", StoredPageReading(3, "person", "", "read", (BLOCK,), is_edited=True))
    assert readings.give_up("ab", 3) is not None
    assert list(readings.read_pages("ab")) == [2]


def test_readings_go_when_no_document_has_their_file_any_more(database: Database) -> None:
    store, readings = DocumentStore(database), PageReadings(database)
    document_id = store.begin_document(Path("/a.pdf"), 1, 1)
    store.finish_document(document_id, format_="pdf", unit="page", pages=2, sha256="ab", info={})
    for sha256 in ("ab", "cd"):
        readings.save_page(sha256, READ)
    readings.save_page("ef", StoredPageReading(1, HEARD, "Ear", "read", ({"text": "Hello."},)))
    readings.purge_unused()
    assert [len(readings.read_pages(sha256)) for sha256 in ("ab", "cd", "ef")] == [1, 0, 1]
    PageReadings(database, lambda: time.time() + HEARD_KEPT_S + 1).purge_unused()
    assert [len(readings.read_pages(sha256)) for sha256 in ("ab", "ef")] == [1, 0], (
        "a recording that nobody went on with"
    )
