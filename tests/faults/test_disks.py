"""A disk that is full, limited, away or read-only in the middle of work: it is told, work goes on, nothing is lost."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.core.paths import AppPaths
from app.hub.part import file_place
from tests.faults.harness import BusyProgram, check_all_there, check_database, fill_with_chats
from tests.faults.using_program import APP_ACTIVITIES
from tests.helpers.disks import small_disk
from tests.helpers.fake_hub import FakeHub
from tests.helpers.fetching import content_of, quick_children
from tests.helpers.program import wait_until
from tests.helpers.script import write_script
from tests.store.conftest import fill_disk

DISK_BYTES, GOES_ON_STEPS = 24_000_000, 4
LARGE_BYTES = 300_000_000
"""Downloads leave a quarter of a gigabyte free."""
REPO, FILE, SIZE = "someone/Tiny-GGUF", "a.gguf", 6_000_000
OF_THE_DISK = {"DiskFull", "FolderNotWritable", "DatabaseDamaged"}
pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


@pytest.fixture
def disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A disk of its own for all that the program writes, and for the person's documents; there are chats on it."""
    rules = ({"when": "slow kiln", "delay_s": 0.003}, {"when": "Tell me", "text": "word " * 400, "delay_s": 0.001})
    monkeypatch.setenv("FIRESIDE_ENGINE_SCRIPT", str(write_script(tmp_path / "script", *rules)))
    with small_disk(tmp_path / "disk", DISK_BYTES) as folder:
        monkeypatch.setenv("FIRESIDE_HOME", str(folder / "home"))
        fill_with_chats()
        (folder / "documents").mkdir()
        yield folder


@pytest.mark.parametrize("activity", APP_ACTIVITIES)
def test_a_disk_that_fills_up_is_told_and_work_goes_on_once_there_is_room(disk: Path, activity: str) -> None:
    place = disk.parent if activity == "translate" else disk  # what is translated lies on another one
    program = BusyProgram(activity, place / "documents", beside=disk.parent)
    program.wait_for(1)
    fill_disk(disk)
    program.wait_until(lambda _: program.told())
    (disk / "other").unlink()
    done = len([step for step in program.steps() if "told" not in step])
    program.wait_until(lambda steps: len([one for one in steps if "told" not in one]) >= done + GOES_ON_STEPS)
    program.kill()
    assert program.told() == {"DiskFull"}
    assert "Traceback" not in program.complaints(), program.complaints()
    check_all_there(disk / "documents")


@pytest.mark.parametrize("activity", APP_ACTIVITIES)
def test_a_limit_for_files_is_told_and_costs_nothing_that_was_there(disk: Path, activity: str) -> None:
    most = AppPaths.from_environment().database.stat().st_size // 4
    around = ("prlimit", f"--fsize={most}")
    program = BusyProgram(activity, disk / "documents", around=around, beside=disk.parent)
    wait_until(lambda: program.told() or program.process.poll() is not None, "what is told")
    program.kill()
    assert program.told() <= OF_THE_DISK
    assert "Traceback" not in program.complaints(), program.complaints()
    check_all_there(disk / "documents")


@pytest.mark.parametrize("activity", APP_ACTIVITIES)
def test_a_disk_that_is_away_for_a_while_costs_nothing_that_was_there(disk: Path, activity: str) -> None:
    program = BusyProgram(activity, disk / "documents", beside=disk.parent)
    program.wait_for(1)
    away = disk / "away"
    away.mkdir()
    for name in ("home", "documents"):
        (disk / name).rename(away / name)
    done = len(program.steps())
    program.wait_for(done + GOES_ON_STEPS)
    for name in ("home", "documents"):
        back = disk / name
        if back.exists():
            back.rename(disk / f"{name} made meanwhile")
        (away / name).rename(back)
    program.wait_for(len(program.steps()) + GOES_ON_STEPS)
    program.kill()
    assert "Traceback" not in program.complaints(), program.complaints()
    check_all_there(disk / "documents")


@pytest.mark.parametrize("activity", APP_ACTIVITIES)
def test_a_disk_that_is_read_only_is_told_and_stays_as_it_is(disk: Path, activity: str) -> None:
    path = AppPaths.from_environment().database
    before = path.read_bytes()
    subprocess.run(["mount", "-o", "remount,ro", disk], check=True)
    program = BusyProgram(activity, disk / "documents", beside=disk.parent)
    wait_until(lambda: program.told() or program.process.poll() is not None, "what is told")
    program.kill()
    assert program.told() == {"DiskReadOnly"}, program.complaints()
    assert path.read_bytes() == before
    subprocess.run(["mount", "-o", "remount,rw", disk], check=True)
    check_all_there(disk / "documents")


def test_a_download_onto_a_disk_that_fills_up_goes_on_once_there_is_room(
    disk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = content_of(SIZE)
    large = small_disk(disk.parent / "large", LARGE_BYTES)
    with quick_children(monkeypatch), FakeHub() as hub, large as folder:
        hub.add(REPO, {FILE: content})
        file, hub.bytes_per_s = hub.repos[REPO].files[FILE], SIZE // 3
        given = [hub.url, REPO, FILE, str(file.size), file.sha256]
        program = BusyProgram("download", folder, *given, beside=disk.parent)
        program.wait_until(lambda steps: steps[-1]["done_bytes"] > 100_000)
        fill_disk(folder)
        program.wait_until(lambda steps: any(step["state"] in ("failed", "paused") for step in steps))
        final = file_place(folder / "models", REPO, FILE)
        assert not final.exists()
        (folder / "other").unlink()
        hub.bytes_per_s = 0
        program.wait_until(lambda steps: steps[-1]["state"] == "done")
        program.kill()
        assert final.read_bytes() == content
        assert sorted(path.name for path in final.parent.iterdir()) == [FILE, f"{FILE}.json"]
        check_database(folder / "fireside.db")
