"""Jobs keep their order, what they are about and why they stopped, over restarts and across threads."""

from __future__ import annotations

import itertools
import threading
from contextlib import closing
from pathlib import Path

import pytest

from app.core.errors.engine_errors import ProtocolViolation
from app.core.errors.hub_errors import HubUnreachable, NetworkOff
from app.core.errors.saving_errors import DiskFull
from app.store.database import Database
from app.store.jobs import JobTable
from tests.store.conftest import fill_disk


@pytest.fixture
def jobs(database: Database) -> JobTable:
    ticks = itertools.count(1000)
    return JobTable(database, clock=lambda: float(next(ticks)))


def test_a_job_is_what_was_added_after_a_restart(tmp_path: Path) -> None:
    path = tmp_path / "fireside.db"
    spec = {"repo": "org/größe", "files": [{"name": "a\udc80.gguf", "size_bytes": 1 << 40}]}
    with closing(Database.open(path)) as database:
        added = JobTable(database, clock=lambda: 1000.0).add("download", "Größe\udc80", spec)
    with closing(Database.open(path)) as database:
        job = JobTable(database).get(added.id)
    assert job == added
    assert job is not None
    assert (job.kind, job.title, job.state, job.spec) == ("download", "Größe\ufffd", "queued", spec)
    assert (job.progress, job.error, job.created_at, job.updated_at) == ({}, None, 1000.0, 1000.0)


def test_jobs_come_in_their_order_and_a_place_changes_it(jobs: JobTable) -> None:
    first, second, third = (jobs.add("download", name, {}) for name in "abc")
    assert jobs.find() == [first, second, third]
    jobs.update(third.id, place=first.place - 1)
    assert [job.title for job in jobs.find()] == ["c", "a", "b"]
    jobs.remove(second.id)
    jobs.remove(second.id)
    assert [job.title for job in jobs.find()] == ["c", "a"]


def test_jobs_are_found_by_kind_and_state(jobs: JobTable) -> None:
    download, summary = jobs.add("download", "a", {}), jobs.add("summary", "b", {})
    jobs.update(download.id, state="running")
    assert [job.id for job in jobs.find("summary")] == [summary.id]
    assert [job.id for job in jobs.find(states=("running", "paused"))] == [download.id]
    assert jobs.find("summary", ("running",)) == []
    assert len(jobs.find()) == 2


def test_an_update_changes_only_what_is_given(jobs: JobTable) -> None:
    job = jobs.add("download", "a", {"repo": "x"})
    jobs.update(job.id, progress={"paths": {"a": "/a"}})
    after = jobs.get(job.id)
    assert after is not None
    assert (after.state, after.spec, after.progress) == ("queued", {"repo": "x"}, {"paths": {"a": "/a"}})
    assert after.updated_at > job.updated_at
    jobs.update(job.id, spec={"repo": "y"})
    after = jobs.get(job.id)
    assert after is not None
    assert (after.spec, after.progress) == ({"repo": "y"}, {"paths": {"a": "/a"}})


def test_an_error_comes_back_as_the_situation_and_goes_with_the_next_state(jobs: JobTable) -> None:
    job = jobs.add("download", "a", {})
    jobs.update(job.id, state="failed", error=HubUnreachable("127.0.0.1:1", "refused"))
    failed = jobs.get(job.id)
    assert failed is not None
    assert isinstance(failed.error, HubUnreachable)
    assert (failed.error.host, failed.error.reason) == ("127.0.0.1:1", "refused")
    jobs.update(job.id, progress={"x": 1})
    assert isinstance(getattr(jobs.get(job.id), "error", None), HubUnreachable)
    jobs.update(job.id, state="paused", error=NetworkOff())
    assert isinstance(getattr(jobs.get(job.id), "error", None), NetworkOff)
    jobs.update(job.id, state="queued")
    assert getattr(jobs.get(job.id), "error", "there is no job") is None


def test_an_error_that_this_version_does_not_know_is_still_one(jobs: JobTable, database: Database) -> None:
    job = jobs.add("download", "a", {})
    with database.transaction() as connection:
        connection.execute("""UPDATE jobs SET state = 'failed', error = '{"name": "Later", "fields": {}}'""")
    assert isinstance(getattr(jobs.get(job.id), "error", None), ProtocolViolation)


def test_a_job_that_is_gone_cannot_be_changed_and_its_id_never_comes_back(jobs: JobTable) -> None:
    job = jobs.add("download", "a", {})
    jobs.remove(job.id)
    assert jobs.get(job.id) is None
    with pytest.raises(KeyError):
        jobs.update(job.id, state="running")
    assert jobs.add("download", "b", {}).id > job.id


def test_a_deleted_job_is_out_of_sight_and_can_be_taken_back(jobs: JobTable) -> None:
    first, second = jobs.add("summary", "a", {}), jobs.add("download", "b", {})
    jobs.delete(first.id)
    assert (jobs.get(first.id), [job.id for job in jobs.find()]) == (None, [second.id])
    jobs.update(first.id, progress={"sections_read": 3})
    jobs.restore(first.id)
    after = jobs.get(first.id)
    assert after is not None
    assert (after.title, after.progress, after.place) == ("a", {"sections_read": 3}, first.place)
    jobs.delete(first.id)
    jobs.purge_deleted()
    assert [job.id for job in jobs.find()] == [second.id]
    for change in (jobs.restore, jobs.delete):
        with pytest.raises(KeyError):
            change(first.id)


def test_what_was_at_work_waits_again_after_a_restart_and_other_kinds_are_their_own_affair(jobs: JobTable) -> None:
    states = ("draft", "queued", "running", "paused", "done", "failed")
    for state in states:
        jobs.add("summary", state, {}, state=state)
    jobs.add("download", "other", {}, state="running")
    jobs.recover("summary")
    assert [job.state for job in jobs.find("summary")] == [
        "draft", "queued", "queued", "paused", "done", "failed",
    ]  # fmt: skip
    assert [job.state for job in jobs.find("download")] == ["running"]


def test_a_title_can_be_changed(jobs: JobTable) -> None:
    job = jobs.add("summary", "a", {})
    jobs.update(job.id, title="Größe\udc80")
    assert getattr(jobs.get(job.id), "title", "") == "Größe\ufffd"


def test_threads_that_add_at_once_lose_nothing(jobs: JobTable) -> None:
    def add(name: str) -> None:
        for number in range(25):
            jobs.update(jobs.add("download", f"{name}{number}", {}).id, state="paused")

    threads = [threading.Thread(target=add, args=(name,)) for name in "abcd"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found = jobs.find("download", ("paused",))
    assert len({job.title for job in found}) == 100
    assert len({job.place for job in found}) == 100


def test_on_a_full_disk_nothing_is_half_stored(small_disk: Path) -> None:
    with closing(Database.open(small_disk / "fireside.db")) as database:
        jobs = JobTable(database)
        job = jobs.add("download", "a", {})
        fill_disk(small_disk)
        with pytest.raises(DiskFull):
            jobs.add("download", "b", {"files": ["x" * 100_000]})
        (small_disk / "other").unlink()
        assert jobs.find() == [job]
