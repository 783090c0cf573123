"""What does not fit is refused before anything is fetched, and what is here already is not fetched at all."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from app.core.errors import (
    DownloadFailed,
    NotEnoughDisk,
)
from app.hub.network import Access
from app.hub.part import reserve_for
from tests.hub.queue_parts import PARTS, VISION, A, B, C, Home, remote, request


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
    queue.retry(ids[2])
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
    home.access = Access(allowed=False)
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
