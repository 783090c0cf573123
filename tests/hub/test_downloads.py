"""The queue keeps its order, stops at once, and says how it goes."""

from __future__ import annotations

import shutil
import threading
import time
from pathlib import Path

import pytest

from app.core.errors.hub_errors import DownloadFailed, DownloadRunning, HubUnreachable, NotEnoughDisk
from app.hub.access import NetworkAccess
from app.hub.download import Download, DownloadSpeed
from app.hub.part import reserve_for
from app.hub.protocol import Fetched, Phase
from tests.hub.queue_parts import PARTS, VISION, A, B, C, D, Home, remote, request


def test_an_item_is_fetched_and_says_how_it_goes(home: Home) -> None:
    queue, fetch = home.open(), home.fetch
    added = queue.add(request(A))
    assert (added.request, added.done_bytes, added.total_bytes) == (request(A), 0, 1000)
    fetch.fetched(A, 400)
    running = home.listener.wait(added.id, lambda d: d.done_bytes == 400)
    assert (running.state, running.phase, running.error) == ("running", "downloading", None)
    fetch.orders(A.name).put(Phase("waiting", 8.0, "HubUnreachable"))
    waiting = home.listener.wait(added.id, lambda d: d.phase == "waiting")
    assert (waiting.wait_s, waiting.problem) == (8.0, "HubUnreachable")
    fetch.finish(A, resumed_bytes=400)
    done = home.listener.wait(added.id, "done")
    assert (done.done_bytes, done.total_bytes, done.resumed_bytes) == (1000, 1000, 400)
    assert (done.paths, done.phase, done.bytes_per_s) == ((str(home.path_of("a.gguf")),), "", 0.0)
    assert home.listener.states(added.id) == ["running", "done"]
    job = fetch.jobs[0]
    assert (job.repo, job.revision, job.file, job.folder) == ("org/model", "c0ffee", "a.gguf", str(home.models))
    assert (job.size_bytes, job.sha256, job.access) == (1000, A.sha256, home.access)


def test_reading_again_what_is_here_does_not_turn_the_progress_back(home: Home) -> None:
    queue, fetch = home.open(), home.fetch
    id_ = queue.add(request(A)).id
    fetch.fetched(A, 400)
    home.listener.wait(id_, lambda d: d.done_bytes == 400)
    orders = fetch.orders(A.name)
    for event in (Phase("checking"), Fetched(100, 1000), Phase("connecting")):
        orders.put(event)
    assert home.listener.wait(id_, lambda d: d.phase == "connecting").done_bytes == 400
    fetch.fetched(A, 450)
    home.listener.wait(id_, lambda d: d.done_bytes == 450)


def test_two_are_active_at_most_and_the_order_is_kept(home: Home) -> None:
    queue, fetch = home.open(), home.fetch
    ids = [queue.add(request(file)).id for file in (A, B, C, D)]
    fetch.wait_running("a.gguf", "b.gguf")
    assert [d.state for d in queue.all()] == ["running", "running", "queued", "queued"]
    fetch.finish(B)
    fetch.wait_running("a.gguf", "c.gguf")
    fetch.finish(A)
    fetch.wait_running("c.gguf", "d.gguf")
    fetch.finish(C)
    fetch.finish(D)
    for id_ in ids:
        home.listener.wait(id_, "done")
    assert fetch.most_at_once == 2
    begun = [job.file for job in fetch.jobs]
    assert sorted(begun[:2]) == ["a.gguf", "b.gguf"], "both at once, by two threads"
    assert begun[2:] == ["c.gguf", "d.gguf"]


def test_a_split_model_is_one_item_fetched_part_by_part_and_its_vision_file_last(home: Home) -> None:
    queue, fetch = home.open(), home.fetch
    id_ = queue.add(request(*PARTS, vision=VISION)).id
    for number, file in enumerate((*PARTS, VISION)):
        fetch.wait_running(file.name)
        fetch.fetched(file, file.size_bytes // 2)
        before = sum(each.size_bytes for each in (*PARTS, VISION)[:number])
        now = home.listener.wait(id_, lambda d: d.done_bytes == before + file.size_bytes // 2)  # noqa: B023
        assert (now.state, now.total_bytes, len(now.paths)) == ("running", 6500, number)
        fetch.finish(file)
    done = home.listener.wait(id_, "done")
    assert [Path(path).name for path in done.paths] == [file.name for file in (*PARTS, VISION)]
    assert fetch.most_at_once == 1
    assert fetch.jobs[0].reserve_bytes == 2000 + 3000 + 500, "the child keeps room for the rest"


def test_pause_stops_the_child_and_keeps_the_part_and_resume_goes_on_at_its_old_place(home: Home) -> None:
    queue, fetch = home.open(), home.fetch
    a, b, c, d = (queue.add(request(file)).id for file in (A, B, C, D))
    fetch.fetched(A, 300)
    home.listener.wait(a, lambda each: each.done_bytes == 300)
    queue.pause(a)
    assert home.now(a).state == "paused"
    fetch.wait_running("b.gguf", "c.gguf")
    assert home.files() == ["a.gguf.part", "a.gguf.part.json"]
    assert (home.now(a).done_bytes, home.now(a).bytes_per_s) == (300, 0.0)
    queue.resume(a)
    assert home.now(a).state == "queued"
    fetch.finish(B)
    fetch.wait_running("a.gguf", "c.gguf")
    assert home.now(d).state == "queued"
    queue.pause(d)
    for file in (A, C):
        fetch.finish(file)
    for id_ in (a, b, c):
        home.listener.wait(id_, "done")
    assert home.now(d).state == "paused", "one that waits can be paused, too"


def test_pause_and_resume_in_one_breath_never_have_two_children_at_one_file(home: Home) -> None:
    queue, fetch = home.open(), home.fetch
    id_ = queue.add(request(A)).id
    for _ in range(20):
        queue.pause(id_)
        queue.resume(id_)
    fetch.wait_running("a.gguf")
    fetch.finish(A)
    assert home.listener.wait(id_, "done").error is None
    assert fetch.most_at_once == 1


def test_cancel_deletes_what_was_fetched_and_the_row(home: Home) -> None:
    queue, fetch = home.open(), home.fetch
    id_ = queue.add(request(*PARTS)).id
    fetch.finish(PARTS[0])
    fetch.wait_for(lambda: fetch.running == [PARTS[1].name])
    fetch.fetched(PARTS[1], 100)
    home.listener.wait(id_, lambda each: each.done_bytes == 1100)
    assert len(home.files()) == 4
    queue.cancel(id_)
    assert queue.all() == []
    assert home.listener.wait(id_, "removed").state == "removed"
    home.wait_until_gone(id_)
    assert home.files() == [], "part 1 alone is no model"
    assert home.listener.states(id_)[-1] == "removed"
    assert home.listener.states(id_).count("removed") == 1


def test_a_paused_and_a_failed_item_can_be_cancelled_too(home: Home) -> None:
    queue, fetch = home.open(), home.fetch
    a, b = queue.add(request(A)).id, queue.add(request(B)).id
    fetch.fetched(A, 300)
    home.listener.wait(a, lambda each: each.done_bytes == 300)
    queue.pause(a)
    fetch.fetched(B, 300)
    fetch.fail(B, HubUnreachable("hub", "garbage"))
    home.listener.wait(b, "failed")
    for id_ in (a, b):
        queue.cancel(id_)
        home.wait_until_gone(id_)
    assert home.files() == []


def test_a_cancel_that_comes_when_the_model_is_complete_leaves_the_model(home: Home) -> None:
    queue, fetch = home.open(), home.fetch
    id_ = queue.add(request(A, vision=VISION)).id
    fetch.finish(A)
    fetch.wait_for(lambda: fetch.running == [VISION.name])
    fetch.fetched(VISION, 100)
    home.listener.wait(id_, lambda each: each.done_bytes == 1100)
    queue.cancel(id_)
    home.wait_until_gone(id_)
    assert home.files() == ["a.gguf", "a.gguf.json"]


def test_a_cancel_that_the_program_did_not_survive_is_finished_by_the_next_start(home: Home) -> None:
    queue, fetch = home.open(), home.fetch
    id_ = queue.add(request(A)).id
    fetch.fetched(A, 300)
    home.listener.wait(id_, lambda each: each.done_bytes == 300)
    home.jobs.update(id_, state="cancelled")
    home.close()
    queue = home.open(start=False)
    assert queue.all() == []
    queue.start()
    home.wait_until_gone(id_)
    assert home.files() == []


def test_two_items_with_the_same_vision_file_fetch_it_once_and_one_cancel_leaves_it_to_the_other(home: Home) -> None:
    queue, fetch = home.open(), home.fetch
    a, b, c = (queue.add(request(file, vision=VISION)).id for file in (A, B, C))
    fetch.finish(A)
    fetch.finish(B)
    fetch.wait_running(VISION.name)
    fetch.fetched(VISION, 200)
    until = home.listener.wait_any(lambda each: each.phase == "waiting" and len(each.paths) == 1)
    first = a if until.id == b else b
    home.listener.wait(first, lambda each: each.done_bytes == 1200)
    queue.cancel(first)
    home.wait_until_gone(first)
    assert home.path_of("mmproj.gguf.part").exists()
    fetch.finish(VISION)
    home.listener.wait(b if first == a else a, "done")
    fetch.finish(C)
    done = home.listener.wait(c, "done")
    assert done.paths == (str(home.path_of("c.gguf")), str(home.path_of("mmproj.gguf")))
    assert [job.file for job in fetch.jobs].count(VISION.name) == 2, "once in vain and once for all"


def test_a_failure_has_its_situation_and_retry_clears_it(home: Home) -> None:
    queue, fetch = home.open(), home.fetch
    id_ = queue.add(request(A)).id
    fetch.fail(A, HubUnreachable("hub.example", "tls"))
    failed = home.listener.wait(id_, "failed")
    assert isinstance(failed.error, HubUnreachable)
    assert failed.error.reason == "tls"
    queue.resume(id_)
    fetch.finish(A)
    assert home.listener.wait(id_, "done").error is None


def test_a_failure_does_not_hold_up_the_rest(home: Home) -> None:
    queue, fetch = home.open(), home.fetch
    ids = [queue.add(request(file)).id for file in (A, B, C)]
    fetch.wait_running("a.gguf", "b.gguf")
    fetch.fail(A, HubUnreachable("hub", "garbage"))
    fetch.wait_running("b.gguf", "c.gguf")
    assert home.now(ids[0]).state == "failed"


@pytest.mark.logs_warnings
def test_a_defect_in_the_child_s_parent_is_a_failure_and_no_silence(home: Home) -> None:
    queue, fetch = home.open(), home.fetch
    id_ = queue.add(request(A)).id
    fetch.fail(A, ZeroDivisionError("a mistake"))
    failed = home.listener.wait(id_, "failed")
    assert isinstance(failed.error, DownloadFailed)
    assert "ZeroDivisionError" in failed.error.detail


@pytest.mark.logs_warnings
def test_a_listener_that_fails_stops_nothing(home: Home) -> None:
    queue, fetch = home.open(), home.fetch
    calls: list[str] = []

    def fails(download: Download) -> None:
        calls.append(download.state)
        home.listener(download)
        raise ValueError("a mistake in the window")

    queue._on_change = fails
    id_ = queue.add(request(A)).id
    fetch.finish(A)
    home.listener.wait(id_, "done")
    assert calls[-1] == "done"


def test_the_same_files_again_are_the_same_item(home: Home) -> None:
    queue, fetch = home.open(), home.fetch
    id_ = queue.add(request(A)).id
    assert queue.add(request(A)).id == id_
    queue.pause(id_)
    again = queue.add(request(A))
    assert (again.id, again.state in ("queued", "running")) == (id_, True)
    fetch.wait_running("a.gguf")
    fetch.finish(A)
    home.listener.wait(id_, "done")
    anew = queue.add(request(A))
    assert anew.id != id_
    home.listener.wait(anew.id, "done")
    assert [each.id for each in queue.all()] == [anew.id], "the finished row made place"
    assert [job.file for job in fetch.jobs][-1:] == ["a.gguf"]


def test_clicks_from_many_threads_make_one_item(home: Home) -> None:
    queue, fetch = home.open(), home.fetch
    threads = [threading.Thread(target=queue.add, args=(request(A),)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(queue.all()) == 1
    fetch.wait_running("a.gguf")


def test_a_finished_row_is_forgotten_and_its_file_stays(home: Home) -> None:
    queue, fetch = home.open(), home.fetch
    id_ = queue.add(request(A)).id
    queue.remove(id_)
    assert len(queue.all()) == 1, "only a finished one"
    fetch.finish(A)
    home.listener.wait(id_, "done")
    queue.remove(id_)
    assert (queue.all(), home.listener.latest(id_).state, home.jobs.find()) == ([], "removed", [])
    assert home.path_of("a.gguf").exists()
    for method in (queue.pause, queue.resume, queue.cancel, queue.remove):
        method(id_)


def test_progress_is_told_five_times_a_second_and_stored_not_at_all(home: Home) -> None:
    queue, fetch = home.open(), home.fetch
    id_ = queue.add(request(A)).id
    home.listener.wait(id_, lambda each: each.phase == "connecting")
    stored = home.jobs.get(id_)
    began_s = time.monotonic()
    for done in range(1, 1000):
        fetch.fetched(A, done)
    home.listener.wait(id_, lambda each: each.done_bytes == 999)
    seconds = time.monotonic() - began_s
    assert home.jobs.get(id_) == stored, "the part itself says how much of it is here"
    told = [each for each in home.listener.heard if each.state == "running" and each.phase == "downloading"]
    assert len(told) <= 5 * seconds + 2


def test_what_is_told_is_never_older_than_what_was_told_before(home: Home) -> None:
    queue, fetch = home.open(), home.fetch
    id_ = queue.add(request(A)).id
    for number in range(30):
        fetch.fetched(A, number)
        (queue.resume if number % 2 else queue.pause)(id_)
    queue.pause(id_)
    home.listener.wait(id_, "paused")
    fetch.wait_running()
    assert home.listener.latest(id_).state == "paused"


def test_a_file_that_an_ending_child_still_holds_is_waited_for(home: Home) -> None:
    queue, fetch = home.open(), home.fetch
    id_ = queue.add(request(A)).id
    fetch.fail(A, DownloadRunning("a.gguf"))
    waiting = home.listener.wait(id_, lambda each: each.problem == "DownloadRunning")
    assert (waiting.state, waiting.phase) == ("running", "waiting")
    fetch.finish(A)
    home.listener.wait(id_, "done")


def test_a_pause_ends_that_wait(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.hub.running_fetch.LOCKED_WAIT_S", 3600.0)
    queue, fetch = home.open(), home.fetch
    id_ = queue.add(request(A)).id
    fetch.fail(A, DownloadRunning("a.gguf"))
    home.listener.wait(id_, lambda each: each.problem == "DownloadRunning")
    queue.close()


def test_what_another_program_fetches_is_not_overwritten_in_the_store(home: Home) -> None:
    queue = home.open()
    queue._fetching.locked_tries = 0
    id_ = queue.add(request(A)).id
    home.fetch.fail(A, DownloadRunning("a.gguf"))
    assert isinstance(home.listener.wait(id_, "failed").error, DownloadRunning)
    stored = home.jobs.get(id_)
    assert stored is not None
    assert (stored.state, stored.error) == ("running", None)


# What does not fit is refused before anything is fetched, and what is here already is not fetched at all.


def free_bytes(folder: Path) -> int:
    return shutil.disk_usage(folder).free


def test_what_does_not_fit_is_refused_before_anything_is_fetched(home: Home, tmp_path: Path) -> None:
    size = free_bytes(tmp_path)
    parts = [remote(f"huge-0000{n}-of-00003.gguf", size // 2) for n in (1, 2, 3)]
    added = home.open().add(request(*parts))
    assert added.state == "failed"
    assert isinstance(added.error, NotEnoughDisk)
    needed = size // 2 * 3
    assert added.error.needed_bytes == needed + reserve_for(needed)
    assert added.error.path == str(home.models)
    assert (home.fetch.jobs, home.files()) == ([], [])


def test_the_queue_is_summed_and_the_next_one_that_fits_is_taken(home: Home, tmp_path: Path) -> None:
    queue, fetch = home.open(), home.fetch
    size = free_bytes(tmp_path) * 4 // 10
    first, second, third = (remote(f"{name}.gguf", size) for name in ("first", "second", "third"))
    ids = [queue.add(request(file)).id for file in (first, second, third, A)]
    assert [each.state for each in queue.all()] == ["running", "running", "failed", "queued"]
    error = home.now(ids[2]).error
    assert isinstance(error, NotEnoughDisk)
    assert error.needed_bytes == 3 * size + reserve_for(size)
    fetch.wait_running("first.gguf", "second.gguf")
    assert [job.reserve_bytes for job in fetch.jobs] in ([0, size], [size, size])
    queue.cancel(ids[0])
    home.wait_until_gone(ids[0])
    fetch.wait_running("second.gguf", "a.gguf")
    queue.resume(ids[2])
    assert (home.now(ids[2]).state, home.now(ids[2]).error) == ("queued", None)
    fetch.finish(A)
    fetch.wait_running("second.gguf", "third.gguf")


def test_what_was_fetched_before_is_not_needed_again(home: Home, tmp_path: Path) -> None:
    queue, fetch = home.open(), home.fetch
    id_ = queue.add(request(A, B)).id
    fetch.fetched(A, 700)
    home.listener.wait(id_, lambda each: each.done_bytes == 700)
    c = queue.add(request(C)).id
    fetch.wait_for(lambda: len(fetch.jobs) == 2)
    assert fetch.jobs[1].reserve_bytes == 300 + 1000
    assert home.now(c).state == "running"


def test_a_name_that_is_no_file_s_is_refused(home: Home) -> None:
    added = home.open().add(request(remote("../../evil.gguf")))
    assert isinstance(added.error, DownloadFailed)
    queue = home.downloads
    queue.cancel(added.id)
    home.wait_until_gone(added.id)
    assert home.fetch.jobs == []


def test_a_file_with_the_same_sha256_is_used_where_it_lies(home: Home, tmp_path: Path) -> None:
    copy = tmp_path / "ollama" / "sha256-abc"
    copy.parent.mkdir()
    copy.write_bytes(b"x" * 1000)
    home.copies[A.sha256] = copy
    id_ = home.open().add(request(A)).id
    done = home.listener.wait(id_, "done")
    assert (done.paths, done.done_bytes) == ((str(copy),), 1000)
    assert (home.fetch.jobs, home.files()) == ([], [])
    home.downloads.remove(id_)
    assert copy.exists()


def test_a_copy_is_used_with_the_network_off_and_with_a_full_disk(home: Home, tmp_path: Path) -> None:
    huge = remote("huge.gguf", 2 * free_bytes(tmp_path))
    copy = tmp_path / "huge-copy.gguf"
    copy.write_bytes(b"sparse, so to say")
    home.copies[huge.sha256] = copy
    home.access = NetworkAccess(allowed=False)
    done = home.listener.wait(home.open().add(request(huge)).id, "done")
    assert done.paths == (str(copy),)


def test_cancelling_never_touches_a_copy_elsewhere(home: Home, tmp_path: Path) -> None:
    copy = tmp_path / "mmproj.gguf"
    copy.write_bytes(b"x" * 500)
    home.copies[VISION.sha256] = copy
    id_ = home.open().add(request(A, vision=VISION)).id
    home.fetch.fetched(A, 10)
    home.listener.wait(id_, lambda each: each.done_bytes == 510)
    home.downloads.cancel(id_)
    home.wait_until_gone(id_)
    assert copy.read_bytes() == b"x" * 500
    assert home.files() == []


@pytest.mark.parametrize("known", [(0, 1, 2), (0, 1)])
def test_parts_elsewhere_are_used_only_if_all_lie_together(home: Home, tmp_path: Path, known: tuple[int, ...]) -> None:
    for number in known:
        copy = tmp_path / "lm-studio" / PARTS[number].name
        copy.parent.mkdir(exist_ok=True)
        copy.write_bytes(b"x")
        home.copies[PARTS[number].sha256] = copy
    id_ = home.open().add(request(*PARTS)).id
    if len(known) == 3:
        assert [Path(path).parent.name for path in home.listener.wait(id_, "done").paths] == ["lm-studio"] * 3
        assert home.fetch.jobs == []
    else:
        home.fetch.wait_running(PARTS[0].name)
        assert home.now(id_).paths == ()


def test_a_file_without_a_sha256_is_never_looked_for(home: Home) -> None:
    home.open().add(request(type(A)("small.gguf", 10)))
    home.fetch.wait_running("small.gguf")
    assert home.asked == []


# The speed is that of the last ten seconds, and the time left is said once it is no guess.


MB = 1_000_000


def test_nothing_is_known_before_anything_came() -> None:
    speed = DownloadSpeed()
    assert (speed.bytes_per_s(5.0), speed.left_s(5.0, MB)) == (0.0, None)


def test_a_steady_stream_has_its_speed_and_an_end() -> None:
    speed = DownloadSpeed()
    speed.go_on(100.0)
    for tick in range(51):
        speed.record_bytes(100.0 + tick / 10, tick * MB // 10)
    assert speed.bytes_per_s(105.0) == pytest.approx(MB, rel=0.01)
    assert speed.left_s(105.0, 30 * MB) == pytest.approx(30, rel=0.01)


def test_what_was_here_before_does_not_count() -> None:
    speed = DownloadSpeed()
    speed.go_on(0.0)
    speed.record_bytes(0.1, 500 * MB)
    speed.record_bytes(4.0, 502 * MB)
    assert speed.bytes_per_s(4.0) == pytest.approx(MB / 2)


def test_the_time_left_is_not_guessed_in_the_first_two_seconds() -> None:
    speed = DownloadSpeed()
    speed.go_on(0.0)
    speed.record_bytes(0.0, 0)
    speed.record_bytes(1.9, MB)
    assert speed.left_s(1.9, MB) is None
    assert speed.left_s(2.0, MB) == pytest.approx(2.0)


def test_one_burst_does_not_shake_it() -> None:
    speed = DownloadSpeed()
    speed.go_on(0.0)
    for tick in range(101):
        speed.record_bytes(tick / 10, tick * MB // 10)
    before = speed.bytes_per_s(10.0)
    speed.record_bytes(10.1, 10 * MB + 2 * MB)
    assert before < speed.bytes_per_s(10.1) < 1.3 * before


def test_when_nothing_comes_it_falls_to_zero_within_ten_seconds_and_no_end_is_promised() -> None:
    speed = DownloadSpeed()
    speed.go_on(0.0)
    for tick in range(101):
        speed.record_bytes(tick / 10, tick * MB // 10)
    speeds = [speed.bytes_per_s(10.0 + second) for second in range(0, 11, 2)]
    assert speeds == sorted(speeds, reverse=True)
    assert speeds[-1] == 0
    assert speed.left_s(20.0, MB) is None


def test_a_new_start_from_zero_is_no_speed_below_zero() -> None:
    speed = DownloadSpeed()
    speed.go_on(0.0)
    speed.record_bytes(0.0, 0)
    speed.record_bytes(4.0, 4 * MB)
    speed.record_bytes(4.1, 0)
    assert speed.bytes_per_s(4.1) == pytest.approx(4 * MB / 4.1)
    speed.go_on(5.0)
    speed.record_bytes(5.0, 7 * MB)
    assert speed.bytes_per_s(5.0) == pytest.approx(4 * MB / 5)
