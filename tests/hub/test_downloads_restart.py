"""The queue goes on after any end of the program, and never loses an item."""

from __future__ import annotations

import pytest

from app.core.errors.app_error import AppError
from app.core.errors.hub_errors import DownloadFailed, HubUnreachable, NetworkOff, NotEnoughDisk
from app.core.errors.saving_errors import DiskFull
from app.hub.access import NetworkAccess
from tests.hub.queue_parts import PARTS, A, B, C, D, Home, done_event, request


def test_after_a_restart_running_and_queued_go_on_and_paused_stay(home: Home) -> None:
    queue, fetch = home.open(), home.fetch
    a, b, c, d = (queue.add(request(file)).id for file in (A, B, C, D))
    fetch.fetched(A, 300)
    home.listener.wait(a, lambda each: each.done_bytes == 300)
    queue.pause(b)
    fetch.wait_running("a.gguf", "c.gguf")
    home.close()
    assert fetch.running == []
    queue = home.open(start=False)
    assert [(each.id, each.state, each.done_bytes) for each in queue.all()] == [
        (a, "queued", 300), (b, "paused", 0), (c, "queued", 0), (d, "queued", 0)
    ]  # fmt: skip
    assert [each.request for each in queue.all()] == [request(file) for file in (A, B, C, D)]
    assert fetch.running == []
    queue.start()
    fetch.wait_running("a.gguf", "c.gguf")
    assert home.now(b).state == "paused"


def test_without_start_what_was_left_waits_while_a_new_item_runs(home: Home) -> None:
    home.open().add(request(A))
    home.fetch.wait_running("a.gguf")
    home.close()
    queue = home.open(start=False)
    queue.add(request(B))
    home.fetch.wait_running("b.gguf")
    home.fetch.finish(B)
    home.listener.wait(2, "done")
    assert [each.state for each in queue.all()] == ["queued", "done"]
    assert home.jobs.find()[0].state == "running", "its turn comes in the window"
    queue.add(request(A))
    home.fetch.wait_running("a.gguf")


@pytest.mark.parametrize(
    "error",
    [
        HubUnreachable("hub.example", "captive_portal"),
        NotEnoughDisk("/models", 10, 5),
        DownloadFailed("a.gguf", "exit code -9"),
        DiskFull("/models"),
    ],
)
def test_a_failure_is_told_as_it_was_after_a_restart(home: Home, error: AppError) -> None:
    id_ = home.open().add(request(A)).id
    home.fetch.fail(A, error)
    home.listener.wait(id_, "failed")
    home.close()
    (restored,) = home.open().all()
    assert restored.state == "failed"
    assert type(restored.error) is type(error)
    assert vars(restored.error) == vars(error)


def test_a_finished_split_part_counts_after_a_restart_and_is_not_fetched_again(home: Home) -> None:
    id_ = home.open().add(request(*PARTS)).id
    home.fetch.finish(PARTS[0], resumed_bytes=10)
    home.fetch.wait_for(lambda: home.fetch.running == [PARTS[1].name])
    home.close()
    queue = home.open(start=False)
    (before,) = queue.all()
    assert (before.done_bytes, before.resumed_bytes, len(before.paths)) == (1000, 10, 1)
    queue.start()
    home.fetch.finish(PARTS[1])
    home.fetch.finish(PARTS[2])
    home.listener.wait(id_, "done")
    assert [job.file for job in home.fetch.jobs].count(PARTS[0].name) == 1


def test_a_file_that_was_finished_when_the_program_was_killed_is_not_asked_for_again(home: Home) -> None:
    id_ = home.open().add(request(A)).id
    home.fetch.wait_running("a.gguf")
    home.close()
    home.fetch.leave_on_disk(home.fetch.jobs[0], done_event(A))
    queue = home.open()
    assert home.listener.wait(id_, "done").paths == (str(home.path_of("a.gguf")),)
    assert len(home.fetch.jobs) == 1
    assert queue.all()[0].state == "done"


def test_a_finished_file_that_was_deleted_is_fetched_again(home: Home) -> None:
    id_ = home.open().add(request(*PARTS)).id
    home.fetch.finish(PARTS[0])
    home.fetch.wait_for(lambda: home.fetch.running == [PARTS[1].name])
    home.downloads.pause(id_)
    home.path_of(PARTS[0].name).unlink()
    home.downloads.resume(id_)
    home.fetch.wait_running(PARTS[0].name)


@pytest.mark.logs_warnings
def test_a_row_that_cannot_be_read_is_left_alone(home: Home) -> None:
    home.open()
    strange = home.jobs.add("download", "of a later version", {"repositories": []})
    other = home.jobs.add("summary", "no download", {})
    home.close()
    assert home.open().all() == []
    assert [job.id for job in home.jobs.find()] == [strange.id, other.id]


@pytest.mark.logs_warnings
def test_a_store_that_fails_stops_no_download(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    queue, fetch = home.open(), home.fetch
    id_ = queue.add(request(A)).id

    def full(*arguments: object, **values: object) -> None:
        raise DiskFull("/data")

    monkeypatch.setattr(home.jobs, "update", full)
    queue.pause(id_)
    queue.resume(id_)
    fetch.finish(A)
    home.listener.wait(id_, "done")


def test_what_cannot_be_stored_is_not_queued(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    queue = home.open()

    def full(*arguments: object) -> None:
        raise DiskFull("/data")

    monkeypatch.setattr(home.jobs, "add", full)
    with pytest.raises(DiskFull):
        queue.add(request(A))
    assert queue.all() == []


@pytest.mark.parametrize("running", [0, 1, 2])
def test_close_ends_everything_while_nothing_that_is_fetched_comes_to_its_end(home: Home, running: int) -> None:
    queue, fetch = home.open(), home.fetch
    for file in (A, B, C, D)[:running]:
        queue.add(request(file))
    fetch.wait_for(lambda: len(fetch.running) == running)
    queue.close()
    queue.close()
    assert fetch.running == []
    heard = len(home.listener.heard)
    queue.resume(1)
    queue.pause(1)
    assert len(home.listener.heard) == heard


def test_with_the_network_off_an_item_is_paused_with_the_reason_and_no_child_starts(home: Home) -> None:
    queue, fetch = home.open(), home.fetch
    home.access = NetworkAccess(allowed=False)
    id_ = queue.add(request(A)).id
    paused = home.listener.wait(id_, "paused")
    assert isinstance(paused.error, NetworkOff)
    assert fetch.jobs == []
    home.close()
    queue = home.open()
    assert isinstance(queue.all()[0].error, NetworkOff)
    home.access = NetworkAccess()
    queue.resume(id_)
    fetch.finish(A)
    assert home.listener.wait(id_, "done").error is None


def test_a_child_that_meets_the_switch_leaves_it_paused(home: Home) -> None:
    queue = home.open()
    id_ = queue.add(request(A)).id
    home.fetch.fail(A, NetworkOff())
    assert isinstance(home.listener.wait(id_, "paused").error, NetworkOff)


def test_switching_the_network_off_pauses_all_with_the_reason(home: Home) -> None:
    queue, fetch = home.open(), home.fetch
    ids = [queue.add(request(file)).id for file in (A, B, C)]
    fetch.wait_running("a.gguf", "b.gguf")
    queue.pause_all(NetworkOff())
    fetch.wait_running()
    for id_ in ids:
        assert isinstance(home.now(id_).error, NetworkOff)
    assert {each.state for each in queue.all()} == {"paused"}
