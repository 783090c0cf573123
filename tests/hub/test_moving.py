"""The models folder moves as a whole, or not at all, whatever happens on the way."""

from __future__ import annotations

import os
import tempfile
import warnings
from collections.abc import Iterator
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path

import pytest

from app.core.errors.hub_errors import NotEnoughDisk
from app.core.errors.saving_errors import DiskFull, FolderNotWritable
from app.core.events import CancelToken, CopyProgress
from app.hub import folder_move, move_files
from app.hub.folder_move import JOURNAL, move_folder, unfinished_move
from app.hub.model_library import scan_folder
from tests.helpers.disks import other_disk, small_disk
from tests.helpers.models_on_disk import as_nobody, contents, write_model, write_sidecar

YEARS_AGO = 1_000_000_000
FORKING = get_context("fork")
END = "end"


@pytest.fixture
def old(tmp_path: Path) -> Path:
    """A models folder as people have it: repositories, an own file, the trash, half a download."""
    folder = tmp_path / "old"
    model = folder / "org" / "repo" / "m-Q4_0.gguf"
    write_model(model)
    write_sidecar(model, repo="org/repo")
    write_model(folder / "org" / "repo" / "mmproj-f16.gguf", **{"general.architecture": "clip"})
    write_model(folder / "mine.gguf", weights=400_000)
    (folder / "org" / "other").mkdir()
    (folder / "org" / "other" / "half.gguf.part").write_bytes(b"half")
    (folder / ".trash" / "1").mkdir(parents=True)
    (folder / ".trash" / "1" / "thrown.json").write_text("{}", "utf-8")
    for number, path in enumerate(sorted(folder.rglob("*.gguf"))):
        os.utime(path, (YEARS_AGO + number, YEARS_AGO + number))
    return folder


@pytest.fixture(params=["one disk", "two disks"])
def new(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Path]:
    """Where to: beside the old one, or on another volume."""
    if request.param == "one disk":
        yield tmp_path / "new"
    else:
        with other_disk(tmp_path) as disk:
            yield disk / "new"


def move(old: Path, new: Path) -> list[CopyProgress]:
    return list(move_folder(old, new, CancelToken()))


def test_everything_is_in_the_new_place_and_nothing_in_the_old(old: Path, new: Path) -> None:
    before, ages = contents(old), [path.stat().st_mtime for path in sorted(old.rglob("*.gguf"))]
    at_that_time: list[dict[str, bytes]] = []
    is_one_disk = old.stat().st_dev == new.parent.stat().st_dev
    for progress in move_folder(old, new, CancelToken(), lambda: at_that_time.extend(map(contents, (old, new)))):
        assert progress.done_bytes <= progress.total_bytes
    assert at_that_time[0] == ({} if is_one_disk else before)
    assert at_that_time[1].items() >= before.items()
    assert contents(new) == before
    assert [path.stat().st_mtime for path in sorted(new.rglob("*.gguf"))] == ages
    assert not old.exists()
    assert {model.name for model in scan_folder(new)} == {"m", "mine"}
    assert unfinished_move(new) is None


def test_progress_counts_bytes_to_the_end(old: Path, tmp_path: Path) -> None:
    with other_disk(tmp_path) as disk:
        total = sum(len(data) for data in contents(old).values())
        copied = [progress for progress in move(old, disk / "new") if progress.total_bytes == total]
    assert copied[-1].done_bytes == total
    assert [each.done_bytes for each in copied] == sorted(each.done_bytes for each in copied)


def test_what_lies_in_the_new_folder_stays_as_it_is(old: Path, new: Path) -> None:
    foreign = {
        "photo.jpg": b"1",
        "mine.gguf": b"theirs",
        "org/repo/m-Q4_0.gguf": b"theirs too",
        "org/other/half.gguf.part.part": b"!",
    }
    for name, data in foreign.items():
        (new / name).parent.mkdir(parents=True, exist_ok=True)
        (new / name).write_bytes(data)
    before = contents(old)
    move(old, new)
    after = contents(new)
    assert after.items() >= foreign.items()
    ours = {name: data for name, data in after.items() if name not in foreign}
    assert sorted(ours.values()) == sorted(before.values())
    assert ours["old/mine.gguf"] == before["mine.gguf"]
    assert ours["org/repo 2/m-Q4_0.gguf"] == before["org/repo/m-Q4_0.gguf"]
    assert ours["org/repo 2/m-Q4_0.gguf.json"] == before["org/repo/m-Q4_0.gguf.json"]
    assert not old.exists()


def test_an_empty_folder_that_was_chosen_is_used(old: Path, new: Path) -> None:
    new.mkdir()
    before = contents(old)
    move(old, new)
    assert contents(new) == before


def test_nothing_to_move_makes_the_new_folder(tmp_path: Path) -> None:
    moved: list[bool] = []
    assert list(move_folder(tmp_path / "none", tmp_path / "new", CancelToken(), lambda: moved.append(True))) == []
    assert (tmp_path / "new").is_dir() and moved == [True]


def test_the_same_place_is_no_move(old: Path) -> None:
    before = contents(old)
    assert move(old, old) == []
    assert contents(old) == before


@pytest.mark.parametrize("inside", ["new", "org", "org/repo/deeper"])
def test_a_place_inside_the_old_folder_is_refused(old: Path, inside: str) -> None:
    before = contents(old)
    with pytest.raises(FolderNotWritable):
        move(old, old / inside)
    assert contents(old) == before


def test_up_to_the_folder_above(old: Path) -> None:
    before = contents(old)
    move(old, old.parent)
    assert not old.exists()
    assert contents(old.parent).items() >= before.items()


def test_links_are_moved_as_links(old: Path, new: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    write_model(outside / "linked.gguf")
    (old / "link.gguf").symlink_to(outside / "linked.gguf")
    (old / "folder").symlink_to(outside)
    move(old, new)
    assert (new / "link.gguf").resolve() == outside / "linked.gguf"
    assert (new / "folder").is_symlink() and (outside / "linked.gguf").exists()
    assert not old.exists()


def test_a_cancel_takes_everything_back(old: Path, new: Path) -> None:
    new.mkdir()
    (new / "theirs.txt").write_bytes(b"stays")  # so that files go one by one on one disk, too
    (new / "theirs").mkdir()
    before = contents(old)
    moved: list[bool] = []
    stop_after = 0
    while not moved:
        stop_after += 1
        cancel = CancelToken()
        for number, _ in enumerate(move_folder(old, new, cancel, lambda: moved.append(True)), 1):
            if number == stop_after:
                cancel.cancel()
        if not moved:
            assert contents(old) == before
            assert {path.name for path in new.iterdir()} == {"theirs.txt", "theirs"}
    assert stop_after > 3
    assert contents(new) == before | {"theirs.txt": b"stays"}


def test_after_a_kill_at_any_step_every_byte_is_there_and_a_second_run_ends_it(
    old: Path, new: Path, tmp_path: Path
) -> None:
    new.mkdir()
    (new / "theirs.txt").write_bytes(b"stays")  # so that files go one by one on one disk, too
    before = contents(old)
    kills, met = 0, set()
    while kill_after(old, new, kills):
        kept = [data for folder in (old, new) for data in (contents(folder) if folder.exists() else {}).values()]
        assert not [name for name, data in before.items() if data not in kept], f"lost after {kills} steps"
        met |= {"half a file"} if (new / "mine.gguf.part").exists() else set()
        met |= {"half deleted"} if 0 < len(contents(old)) < len(before) <= len(contents(new)) - 2 else set()
        if unfinished_move(new) is not None:
            assert unfinished_move(new) == old
        move(old, new)
        assert contents(new) == before | {"theirs.txt": b"stays"}, f"after {kills} steps"
        assert not old.exists()
        kills += 1
        move_back(new, old)
    assert kills >= len(before) + 1
    if tmp_path.stat().st_dev != new.stat().st_dev:
        assert met == {"half a file", "half deleted"}


def test_a_second_run_copies_only_what_is_not_there_yet(old: Path, tmp_path: Path) -> None:
    before = contents(old)
    with other_disk(tmp_path) as disk:
        first = move_folder(old, disk, CancelToken())
        while not (disk / "mine.gguf").exists():
            next(first)
        first.close()
        inode = (disk / "mine.gguf").stat().st_ino
        move(old, disk)
        assert (disk / "mine.gguf").stat().st_ino == inode
        assert contents(disk) == before


def test_once_the_old_files_go_nothing_is_taken_back(old: Path, tmp_path: Path) -> None:
    before = contents(old)
    with other_disk(tmp_path) as disk:
        first = move_folder(old, disk, CancelToken())
        while contents(old) == before:
            next(first)
        first.close()
        cancel = CancelToken()
        cancel.cancel()
        list(move_folder(old, disk, cancel))
        assert contents(disk) == before and not old.exists()


def kill_after(old: Path, new: Path, steps: int) -> bool:
    """Lets a move take so many steps, then kills it; False when it came to its end before."""
    ours, theirs = FORKING.Pipe()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of forks beside threads
        process = FORKING.Process(target=move_step_by_step, args=(old, new, theirs))
        process.start()
    theirs.close()
    for _ in range(steps):
        assert ours.recv() != END
        ours.send("go on")
    was_running = ours.recv() != END
    process.kill()
    process.join()
    return was_running


def move_step_by_step(old: Path, new: Path, door: Connection) -> None:
    """In a process of its own: tells each step, and waits for a word before it takes another."""

    def step(name: str) -> None:
        door.send(name)
        door.recv()

    move_files.SAY_EVERY_S = 0  # a step for each piece, so that the middle of a file can be met
    for progress in move_folder(old, new, CancelToken(), lambda: step("moved")):
        step(progress.name)
    step(END)


def move_back(new: Path, old: Path) -> None:
    (new / "theirs.txt").unlink()
    move(new, old)
    new.mkdir()
    (new / "theirs.txt").write_bytes(b"stays")


@pytest.mark.parametrize("text", ["{", "[]", '{"from": 7}', '{"from": "/x", "files": {"../a": "b"}}'])
def test_a_damaged_journal_is_not_followed(old: Path, new: Path, text: str) -> None:
    new.mkdir()
    (new / JOURNAL).write_text(text, "utf-8")
    before = contents(old)
    move(old, new)
    assert contents(new) == before


def test_a_journal_cannot_send_files_elsewhere(old: Path, new: Path, tmp_path: Path) -> None:
    new.mkdir()
    (new / JOURNAL).write_text(f'{{"from": "{old}", "files": {{"mine.gguf": "../../escaped.gguf"}}}}', "utf-8")
    before = contents(old)
    move(old, new)
    assert contents(new) == before


def test_too_little_room_is_said_before_anything_is_copied(old: Path, tmp_path: Path) -> None:
    before = contents(old)
    with small_disk(tmp_path / "small", 1_000_000) as disk:
        with pytest.raises(NotEnoughDisk) as refused:
            move(old, disk / "new")
        assert refused.value.free_bytes < 1_100_000 < refused.value.needed_bytes
        assert contents(disk) == {}
    assert contents(old) == before


def test_a_disk_that_fills_up_meanwhile_loses_nothing(
    old: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(folder_move, "reserve_for", lambda size: -10_000_000)  # as if there had been room at first
    before = contents(old)
    with small_disk(tmp_path / "small", 1_000_000) as disk:
        with pytest.raises(DiskFull):
            move(old, disk / "new")
        assert contents(old) == before and contents(disk) == {}
    with other_disk(tmp_path) as disk:
        move(old, disk / "new")
        assert contents(disk / "new") == before


@pytest.mark.skipif(os.name != "posix", reason="needs the rights of POSIX")
def test_a_place_that_may_not_be_written_is_refused() -> None:
    with tempfile.TemporaryDirectory() as name:
        top = Path(name)
        top.chmod(0o755)
        write_model(top / "old" / "a.gguf")
        (top / "closed").mkdir(mode=0o555)
        with as_nobody(), pytest.raises(FolderNotWritable):
            move(top / "old", top / "closed" / "new")
        assert set(contents(top / "old")) == {"a.gguf"}
