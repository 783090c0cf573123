"""The queue with its real children, against a Hub of our own: what is asked for, what is sent, what is left behind."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.core.child import CHECKOUT
from app.core.errors.hub_errors import FileNotOnHub, NetworkOff, NotEnoughDisk
from app.hub.access import NetworkAccess
from app.hub.download import DownloadRequest
from app.hub.model_files import RemoteFile
from app.hub.part import file_place
from app.hub.running_fetch import fetch_download
from tests.helpers import warm
from tests.helpers.fake_hub import FakeHub
from tests.helpers.fetching import content_of, quick_children
from tests.helpers.program import is_gone, wait_until
from tests.hub.queue_parts import Home

REPO = "someone/Tiny-GGUF"
SIZE = 600_000


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeHub]:
    """Files a to d, a split model and a vision file, for children in a hurry."""
    names = [f"{letter}.gguf" for letter in "abcd"]
    names += [f"split-0000{number}-of-00003.gguf" for number in (1, 2, 3)] + ["mmproj-F16.gguf"]
    with quick_children(monkeypatch), FakeHub() as running:
        running.add(REPO, {name: content_of(SIZE, seed) for seed, name in enumerate(names)})
        yield running


@pytest.fixture
def home(tmp_path: Path, hub: FakeHub) -> Iterator[Home]:
    made = Home(tmp_path, fetch_download)
    made.access = NetworkAccess(endpoint=hub.url)
    yield made
    made.close()


def remote(hub: FakeHub, name: str) -> RemoteFile:
    """A file as the Hub lists it."""
    file = hub.repos[REPO].files[name]
    return RemoteFile(name, file.size, file.sha256)


def request(hub: FakeHub, *names: str, vision: str = "") -> DownloadRequest:
    """A request for files of the repository."""
    files = tuple(remote(hub, name) for name in names)
    return DownloadRequest(REPO, "main", names[0], files, remote(hub, vision) if vision else None)


def contents(hub: FakeHub, home: Home, *names: str) -> None:
    """These files are here, complete, with a note of where each came from, and nothing else."""
    for name in names:
        assert home.path_of(name, REPO).read_bytes() == hub.repos[REPO].files[name].content
    assert home.files() == sorted([*names, *(f"{name}.json" for name in names)])


def asked(hub: FakeHub) -> list[str]:
    """The file of each request for content, in their order."""
    names = {file.sha256: name for name, file in hub.repos[REPO].files.items()}
    return [names[each.path.removeprefix("/blob/").partition("?")[0]] for each in hub.seen("storage", "GET")]


def ranges(hub: FakeHub) -> list[int | None]:
    """Where each request for content began."""
    return [each.range_start for each in hub.seen("storage", "GET")]


def children(of: str | int = "self") -> list[int]:
    """The process ids of the children of a process, this one by default."""
    found: list[int] = []
    for task in Path(f"/proc/{of}/task").iterdir():
        with contextlib.suppress(OSError):  # the thread has just ended
            found += [int(pid) for pid in (task / "children").read_text().split()]
    return [pid for pid in found if not is_gone(pid) and pid not in warm.pids()]


def test_four_items_are_fetched_two_at_a_time_in_their_order(hub: FakeHub, home: Home) -> None:
    hub.fail("stall", after_bytes=SIZE // 2, times=2)
    queue = home.open()
    ids = [queue.add(request(hub, name)).id for name in ("a.gguf", "b.gguf", "c.gguf", "d.gguf")]
    hub.wait_for(lambda: len(asked(hub)) == 2)
    assert len(children()) == 2
    hub.bytes_per_s = 1_000_000
    hub.release()
    while [each.state for each in queue.all()] != ["done"] * 4:
        assert len(children()) <= 2
        assert sum(each.state == "running" for each in queue.all()) <= 2
        home.listener.wait_more()
    order = asked(hub)
    assert sorted(order[:2]) == ["a.gguf", "b.gguf"]
    assert sorted(order[2:]) == ["c.gguf", "d.gguf"]
    assert all(home.listener.latest(id_).error is None for id_ in ids)
    contents(hub, home, "a.gguf", "b.gguf", "c.gguf", "d.gguf")


def test_a_split_model_comes_with_its_vision_file(hub: FakeHub, home: Home) -> None:
    names = [f"split-0000{number}-of-00003.gguf" for number in (1, 2, 3)]
    id_ = home.open().add(request(hub, *names, vision="mmproj-F16.gguf")).id
    done = home.listener.wait(id_, "done")
    assert (done.done_bytes, done.total_bytes) == (4 * SIZE, 4 * SIZE)
    assert [Path(path).name for path in done.paths] == [*names, "mmproj-F16.gguf"]
    assert asked(hub) == [*names, "mmproj-F16.gguf"]
    contents(hub, home, *names, "mmproj-F16.gguf")


def begun(hub: FakeHub, home: Home, name: str = "a.gguf") -> int:
    """An item in mid-download, of which half comes soon and the end does not."""
    hub.bytes_per_s, hub.never_ends = 300_000, True
    id_ = home.open().add(request(hub, name)).id
    home.listener.wait(id_, lambda each: each.done_bytes > 100_000)
    return id_


def test_pause_stops_the_bytes_before_their_end_and_resume_goes_on_at_the_exact_byte(hub: FakeHub, home: Home) -> None:
    id_ = begun(hub, home)
    part = home.path_of("a.gguf.part", REPO)
    home.downloads.pause(id_)
    assert home.now(id_).state == "paused"
    wait_until(lambda: not children() and not hub.open_connections(), "the child to go")
    size = part.stat().st_size
    assert size < SIZE, "the Hub still had more to send"
    hub.bytes_per_s = 0
    home.downloads.resume(id_)
    done = home.listener.wait(id_, "done")
    assert ranges(hub) == [None, size]
    assert done.resumed_bytes == size
    contents(hub, home, "a.gguf")


def test_after_settling_nobody_is_at_the_files_of_what_was_paused(hub: FakeHub, home: Home) -> None:
    begun(hub, home)
    home.downloads.pause_all()
    assert home.downloads.wait_for_idle()
    assert children() == []
    assert home.downloads.wait_for_idle(0)


def test_cancel_stops_the_bytes_before_their_end_and_leaves_nothing(hub: FakeHub, home: Home) -> None:
    id_ = begun(hub, home)
    assert [name for name in home.files() if name.endswith((".part", ".part.json"))] != []
    home.downloads.cancel(id_)
    assert home.downloads.all() == []
    home.wait_until_gone(id_)
    wait_until(lambda: not children() and not hub.open_connections(), "the child to go")
    assert hub.sent_of("/blob/") < SIZE, "the Hub still had more to send"
    assert home.files() == []


def test_after_a_restart_the_queue_goes_on_by_itself_and_the_paused_one_stays(hub: FakeHub, home: Home) -> None:
    a = begun(hub, home)
    b, c = (home.downloads.add(request(hub, name)).id for name in ("b.gguf", "c.gguf"))
    home.listener.wait(b, lambda each: each.done_bytes > 50_000)
    home.downloads.pause(b)
    home.listener.wait(c, lambda each: each.done_bytes > 0)
    home.downloads.close()
    wait_until(lambda: not children(), "the children to go")
    home.close()
    sizes = {name: home.path_of(f"{name}.part", REPO).stat().st_size for name in ("a.gguf", "b.gguf", "c.gguf")}
    hub.bytes_per_s = 0
    before = len(hub.seen("storage", "GET"))
    queue = home.open(start=False)
    assert [(each.state, each.done_bytes) for each in queue.all()] == [
        ("queued", sizes["a.gguf"]), ("paused", sizes["b.gguf"]), ("queued", sizes["c.gguf"])
    ]  # fmt: skip
    queue.start()
    for id_ in (a, c):
        home.listener.wait(id_, "done")
    assert home.now(b).state == "paused"
    assert sorted(ranges(hub)[before:]) == sorted([sizes["a.gguf"], sizes["c.gguf"]])
    queue.resume(b)
    home.listener.wait(b, "done")
    contents(hub, home, "a.gguf", "b.gguf", "c.gguf")


def test_a_program_killed_in_mid_download_takes_its_child_along_and_the_next_one_goes_on(
    hub: FakeHub, home: Home
) -> None:
    hub.bytes_per_s, hub.never_ends = 300_000, True  # so that no child ends by itself
    file = remote(hub, "a.gguf")
    added = [REPO, file.name, str(file.size_bytes), file.sha256]
    command = [sys.executable, "-m", "tests.hub.downloading_program", str(home.folder), hub.url]
    sizes: list[int] = []
    for arguments in (added, [], []):
        with subprocess.Popen([*command, *arguments], stdout=subprocess.PIPE, cwd=CHECKOUT) as program:
            assert program.stdout is not None
            goal = (sizes[-1] if sizes else 0) + 60_000
            while json.loads(program.stdout.readline())["done_bytes"] < goal:
                pass
            pids = children(program.pid)
            os.kill(program.pid, signal.SIGKILL)
        assert len(pids) == 1
        wait_until(lambda pids=pids: is_gone(pids[0]), "the child to go")
        sizes.append(home.path_of("a.gguf.part", REPO).stat().st_size)
    hub.bytes_per_s = 0
    queue = home.open()
    done = home.listener.wait(queue.all()[0].id, "done")
    assert ranges(hub) == [None, *sizes]
    assert done.resumed_bytes == sizes[-1]
    contents(hub, home, "a.gguf")


def test_what_does_not_fit_is_refused_before_the_hub_hears_of_it(hub: FakeHub, home: Home) -> None:
    parts = tuple(RemoteFile(f"split-0000{number}-of-00003.gguf", 1 << 50, "ab" * 32) for number in (1, 2, 3))
    added = home.open().add(DownloadRequest(REPO, "main", "huge", parts))
    assert added.state == "failed"
    assert isinstance(added.error, NotEnoughDisk)
    assert added.error.needed_bytes > 3 << 50
    assert (hub.requests, home.files()) == ([], [])


def test_a_file_that_is_here_already_is_not_asked_for(hub: FakeHub, home: Home, tmp_path: Path) -> None:
    copy = tmp_path / "elsewhere.gguf"
    copy.write_bytes(hub.repos[REPO].files["a.gguf"].part(0, SIZE))
    home.copies[remote(hub, "a.gguf").sha256] = copy
    done = home.listener.wait(home.open().add(request(hub, "a.gguf")).id, "done")
    assert done.paths == (str(copy),)
    assert hub.requests == []


def test_a_downloaded_file_is_not_asked_for_again(hub: FakeHub, home: Home) -> None:
    queue = home.open()
    first = queue.add(request(hub, "a.gguf")).id
    home.listener.wait(first, "done")
    before = len(hub.requests)
    queue.remove(first)
    again = queue.add(request(hub, "a.gguf", vision="mmproj-F16.gguf")).id
    assert len(home.listener.wait(again, "done").paths) == 2
    assert all("mmproj" in each.path for each in hub.requests[before:] if each.server == "hub")
    assert asked(hub) == ["a.gguf", "mmproj-F16.gguf"]


def test_a_failure_is_the_hub_s_situation_also_after_a_restart(hub: FakeHub, home: Home) -> None:
    missing = DownloadRequest(REPO, "main", "gone", (RemoteFile("gone.gguf", SIZE, "ab" * 32),))
    id_ = home.open().add(missing).id
    home.listener.wait(id_, "failed")
    home.close()
    home.open()
    error = home.now(id_).error
    assert isinstance(error, FileNotOnHub)
    assert (error.repo, error.file) == (REPO, "gone.gguf")


def test_with_the_network_off_nothing_is_sent(hub: FakeHub, home: Home) -> None:
    home.access = NetworkAccess(allowed=False, endpoint=hub.url)
    id_ = home.open().add(request(hub, "a.gguf")).id
    assert isinstance(home.listener.wait(id_, "paused").error, NetworkOff)
    assert (hub.requests, children()) == ([], [])


def test_progress_comes_five_times_a_second_with_a_speed_and_a_time_left(hub: FakeHub, home: Home) -> None:
    hub.bytes_per_s = 150_000
    id_ = home.open().add(request(hub, "a.gguf")).id
    home.listener.wait(id_, lambda each: each.phase == "downloading")
    began_s = time.monotonic()
    late = home.listener.wait(id_, lambda each: each.left_s is not None and each.done_bytes > 400_000)
    told = [each for each in home.listener.heard if each.phase == "downloading"]
    assert 5 <= len(told) <= 5 * (time.monotonic() - began_s) + 3
    assert 0 < late.bytes_per_s < 1.4 * 150_000, "never more than the line gives"
    assert late.left_s is not None
    assert late.left_s == pytest.approx((SIZE - late.done_bytes) / late.bytes_per_s, rel=0.01)
    assert [each.done_bytes for each in told] == sorted(each.done_bytes for each in told)


def test_a_name_with_folders_lies_in_them(hub: FakeHub, home: Home) -> None:
    hub.add("someone/nested", {"Q4/a.gguf": content_of(50_000)})
    file = hub.repos["someone/nested"].files["Q4/a.gguf"]
    nested = RemoteFile("Q4/a.gguf", file.size, file.sha256)
    id_ = home.open().add(DownloadRequest("someone/nested", "main", "nested", (nested,))).id
    home.listener.wait(id_, "done")
    assert file_place(home.models, "someone/nested", "Q4/a.gguf").read_bytes() == file.content
