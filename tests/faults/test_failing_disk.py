"""A disk that fails under open files, or turns read-only in the middle of work: it is told, and nothing is lost."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.hub.part import file_place
from tests.faults.harness import (
    BusyProgram,
    check_all_there,
    check_database,
    fill_with_chats,
    rest,
)
from tests.faults.using_program import APP_ACTIVITIES
from tests.helpers.fake_hub import FakeHub
from tests.helpers.fetching import content_of, quick_children
from tests.helpers.program import Program, wait_until
from tests.helpers.script import write_script

GOES_ON_STEPS = 4
REPO, FILE, SIZE = "someone/Tiny-GGUF", "a.gguf", 6_000_000
TOLD = {"eio": "DiskFailing", "erofs": "DiskReadOnly"}
FAULTS = pytest.mark.parametrize("fault", TOLD)
pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(600),
    pytest.mark.skipif(sys.platform != "linux" or shutil.which("cc") is None, reason="no library to break calls with"),
]


@pytest.fixture(scope="session")
def faulty_library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What makes calls fail, compiled."""
    path = tmp_path_factory.mktemp("faulty") / "faulty_disk.so"
    source = Path(__file__).with_name("faulty_disk.c")
    subprocess.run(["cc", "-shared", "-fPIC", "-O1", str(source), "-o", str(path), "-ldl"], check=True)
    return path


@pytest.fixture
def disk(tmp_path: Path, faulty_library: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A disk that can fail, for all that the program writes; there are chats on it."""
    rules = ({"when": "slow kiln", "delay_s": 0.003}, {"when": "Tell me", "text": "word " * 400, "delay_s": 0.001})
    monkeypatch.setenv("FIRESIDE_ENGINE_SCRIPT", str(write_script(tmp_path / "script", *rules)))
    folder = tmp_path / "disk"
    monkeypatch.setenv("FIRESIDE_HOME", str(folder / "home"))
    (folder / "documents").mkdir(parents=True)
    fill_with_chats()
    monkeypatch.setenv("FIRESIDE_FAULTY_DISK", str(folder))
    monkeypatch.setenv("LD_PRELOAD", str(faulty_library))
    yield folder


def done_steps(program: BusyProgram) -> int:
    return len([step for step in program.steps() if "told" not in step])


@FAULTS
@pytest.mark.parametrize("activity", APP_ACTIVITIES)
def test_a_disk_that_fails_for_a_while_is_told_and_work_goes_on(disk: Path, activity: str, fault: str) -> None:
    place = disk.parent if activity == "translate" else disk  # what is translated lies on another one
    program = BusyProgram(activity, place / "documents", beside=disk.parent)
    program.wait_for(2)
    sign = disk.with_name(f"{disk.name}.{fault}")
    sign.touch()
    program.wait_until(lambda _: program.told())
    sign.unlink()
    done = done_steps(program)
    program.wait_until(lambda _: done_steps(program) >= done + GOES_ON_STEPS)
    program.kill()
    assert program.told() == {TOLD[fault]}
    assert "Traceback" not in program.complaints(), program.complaints()
    check_all_there(disk / "documents")


@pytest.mark.parametrize("activity", APP_ACTIVITIES)
def test_a_disk_that_fails_at_the_start_is_told_and_nothing_on_it_is_touched(disk: Path, activity: str) -> None:
    before = {path: path.read_bytes() for path in sorted(disk.rglob("*")) if path.is_file()}
    sign = disk.with_name(f"{disk.name}.eio")
    sign.touch()
    program = BusyProgram(activity, disk / "documents", beside=disk.parent)
    wait_until(lambda: program.told() or program.process.poll() is not None, "what is told")
    program.kill()
    sign.unlink()
    assert program.told() == {"DiskFailing"}, program.complaints()
    assert {path: path.read_bytes() for path in sorted(disk.rglob("*")) if path.is_file()} == before
    check_all_there(disk / "documents")


@FAULTS
def test_a_download_onto_a_disk_that_fails_goes_on_once_it_works_again(
    disk: Path, monkeypatch: pytest.MonkeyPatch, fault: str
) -> None:
    content = content_of(SIZE)
    with quick_children(monkeypatch), FakeHub() as hub:
        hub.add(REPO, {FILE: content})
        file, hub.bytes_per_s = hub.repos[REPO].files[FILE], SIZE // 3
        given = [hub.url, REPO, FILE, str(file.size), file.sha256]
        program = BusyProgram("download", disk, *given, beside=disk.parent)
        program.wait_until(lambda steps: steps[-1].get("done_bytes", 0) > 100_000)
        sign = disk.with_name(f"{disk.name}.{fault}")
        sign.touch()
        program.wait_until(lambda steps: any(one.get("state") in ("failed", "paused") for one in steps))
        final = file_place(disk / "models", REPO, FILE)
        assert not final.exists()
        sign.unlink()
        hub.bytes_per_s = 0
        program.wait_until(lambda steps: steps[-1].get("state") == "done")
        program.kill()
        assert "Traceback" not in program.complaints(), program.complaints()
        assert final.read_bytes() == content
        check_database(disk / "fireside.db")


@FAULTS
@pytest.mark.display
def test_the_window_outlives_a_disk_that_fails_under_it(disk: Path, fault: str) -> None:
    """A question that cannot be stored stays in its field, and is answered once the disk is back."""
    names = ("FIRESIDE_ENGINE_SCRIPT", "FIRESIDE_FAULTY_DISK", "LD_PRELOAD")
    program = Program(disk / "home", {name: os.environ[name] for name in names})
    try:
        program.press("ctrl+n")
        program.ask("Tell me one thing")
        wait_until(lambda: program.messages()[-1][1].startswith("word word"), "the first words")
        stored = program.messages()
        sign = disk.with_name(f"{disk.name}.{fault}")
        sign.touch()
        program.press("ctrl+n")
        program.ask("Tell me another")
        rest(1)
        assert program.messages() == stored
        sign.unlink()
        program.press("Return")
        wait_until(lambda: [row[1] for row in program.messages()][-2] == "Tell me another", "the question to be stored")
        wait_until(lambda: program.messages()[-1][2] == "complete", "its answer")
        assert program.quit() == 0
        assert "Traceback" not in program.stderr(), program.stderr()
        assert program.messages()[: len(stored) - 1] == stored[:-1]
    finally:
        program.kill()
    check_all_there(disk / "documents")
