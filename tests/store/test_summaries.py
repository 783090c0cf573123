"""Documents, steps and results of jobs: found across jobs, searchable, and gone with the last that refers to them."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.store.attachments import Attachments
from app.store.database import Database
from app.store.document_store import DocumentStore
from app.store.jobs import Job, JobTable, SummaryStore


@pytest.fixture
def jobs(database: Database) -> JobTable:
    return JobTable(database)


@pytest.fixture
def store(database: Database) -> SummaryStore:
    return SummaryStore(database)


@pytest.fixture
def documents(database: Database) -> DocumentStore:
    return DocumentStore(database, clock=lambda: 100.0)


def document(documents: DocumentStore, name: str = "a.pdf") -> int:
    id_ = documents.begin_document(Path("/d") / name, 1, 1)
    documents.add_blocks(id_, [{"id": 1, "kind": "paragraph", "page": 1, "text": "kiln"}])
    return documents.finish_document(id_, format_="pdf", unit="page", pages=1, sha256="x", info={}).id


def add(jobs: JobTable, title: str = "", *document_ids: int) -> Job:
    return jobs.add("summary", title, {}, document_ids=document_ids)


def steps(database: Database) -> int:
    with database.reading() as connection:
        return int(connection.execute("SELECT count(*) FROM job_steps").fetchone()[0])


def test_a_job_has_its_documents_in_their_order(jobs: JobTable, store: SummaryStore, documents: DocumentStore) -> None:
    first, second = document(documents), document(documents)
    job, other = add(jobs, "", second, first), add(jobs)
    assert store.documents_of([job.id, other.id]) == {job.id: (second, first), other.id: ()}
    store.set_documents(job.id, [first])
    assert store.documents_of([job.id]) == {job.id: (first,)}


def test_a_job_about_a_document_that_is_gone_or_half_read_is_not_stored(
    jobs: JobTable, store: SummaryStore, documents: DocumentStore
) -> None:
    job = add(jobs, "", document(documents))
    half = documents.begin_document(Path("/d/half.pdf"), 1, 1)
    for missing in (half, 999):
        with pytest.raises(KeyError):
            add(jobs, "", missing)
        with pytest.raises(KeyError):
            store.set_documents(job.id, [missing])
    assert [(one.id, len(store.documents_of([one.id])[one.id])) for one in jobs.find()] == [(job.id, 1)]


def test_a_document_of_a_job_stays_as_long_as_the_job_also_while_it_is_deleted(
    jobs: JobTable, documents: DocumentStore
) -> None:
    job = add(jobs, "", id_ := document(documents))
    assert documents.purge_unused(before=200.0) == []
    jobs.delete(job.id)
    assert documents.purge_unused(before=200.0) == []
    with pytest.raises(Exception, match="FOREIGN KEY"):
        documents.discard_document(id_)
    assert len(documents.read_blocks(id_)) == 1, "its blocks are all there"
    jobs.purge_deleted()
    assert len(documents.purge_unused(before=200.0)) == 1


def test_a_document_in_a_chat_stays_without_its_job(
    database: Database, jobs: JobTable, documents: DocumentStore
) -> None:
    job = add(jobs, "", id_ := document(documents))
    Attachments(database).add_to_draft(None, id_)
    jobs.remove(job.id)
    assert documents.purge_unused(before=200.0) == []


def test_a_step_is_found_by_every_job_and_goes_with_the_last_that_used_it(
    database: Database, jobs: JobTable, store: SummaryStore
) -> None:
    first, second, third = add(jobs), add(jobs), add(jobs)
    value = {"points": [["Größe", [1, 2]]], "lone": "\udc80"}
    store.keep_step(first.id, "key", value)
    assert store.find_step(second.id, "key") == value
    assert store.find_step(second.id, "other") is None
    jobs.remove(first.id)
    assert store.find_step(second.id, "key") == value
    jobs.remove(second.id)
    assert (store.find_step(third.id, "key"), steps(database)) == (None, 0)


def test_steps_of_a_deleted_job_are_there_until_it_is_gone_for_good(
    database: Database, jobs: JobTable, store: SummaryStore
) -> None:
    job = add(jobs)
    store.keep_step(job.id, "key", 1)
    jobs.delete(job.id)
    jobs.restore(job.id)
    assert store.find_step(job.id, "key") == 1
    jobs.delete(job.id)
    jobs.purge_deleted()
    assert steps(database) == 0


def test_a_step_that_is_kept_again_is_the_newer_one(database: Database, jobs: JobTable, store: SummaryStore) -> None:
    first, second = add(jobs), add(jobs)
    store.keep_step(first.id, "key", 1)
    store.keep_step(second.id, "key", 2)
    assert (store.find_step(first.id, "key"), steps(database)) == (2, 1)


def test_a_result_is_found_by_its_words_until_it_changes(jobs: JobTable, store: SummaryStore) -> None:
    job = add(jobs)
    assert store.read_result(job.id) is None
    store.keep_result(job.id, {"text": 1}, "Die Glasur schmilzt bei 1200 °C.")
    store.keep_result(job.id, {"text": 2}, "Die Öfen kühlen ab.")
    assert store.read_result(job.id) == {"text": 2}
    assert (store.search_text("glasur"), store.search_text("ofen"), store.search_text("kuhl")) == (
        set(),
        {job.id},
        {job.id},
    )
    jobs.remove(job.id)
    assert (store.read_result(job.id), store.search_text("ofen")) == (None, set())


def test_every_word_has_to_be_somewhere(jobs: JobTable, store: SummaryStore, documents: DocumentStore) -> None:
    job = add(jobs, "On Kilns", document(documents, "Größe 7.pdf"))
    other = add(jobs, "Kilns too")
    store.keep_result(job.id, {}, "Fire is hot.")
    assert store.search_text("kiln") == {job.id, other.id}
    assert store.search_text("KILN grosse fir") == {job.id}
    assert store.search_text("kiln cold") == set()
    assert store.search_text('"hot" AND') == set(), "no syntax, only words"
    assert store.search_text("°") == set()
    assert store.search_text("  ") == set()


def test_an_index_with_changes_behind_it_is_sound(database: Database, jobs: JobTable, store: SummaryStore) -> None:
    for number in range(20):
        job = add(jobs)
        for version in range(3):
            store.keep_result(job.id, {}, f"version {version} of {number}")
        if number % 2:
            jobs.remove(job.id)
    with database.transaction() as connection:
        connection.execute("INSERT INTO results_index (results_index, rank) VALUES ('integrity-check', 1)")
    assert len(store.search_text("version")) == 10
