"""Power that goes while the program writes: what had been told is there at the next start, whatever else is not.

All that a real program does to its disk is recorded, and the disk is put back as it may be after so many of these calls
(`tests.faults.write_record`). Fifty moments of each activity.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from app.bootstrap import Fireside
from app.core.events import CancelToken
from app.core.paths import AppPaths, is_locked
from app.core.settings import load_settings
from app.features.exchange.backup import back_up
from app.features.exchange.restore_backup import restore_waiting
from app.features.lock.lock_change import finish_change
from app.hub.part import file_place
from app.store.conversations import MessageState
from app.store.database import Database
from app.store.snapshots import list_snapshots
from tests.faults.harness import BusyProgram, check_database, check_export, fill_with_chats, left_in, restarted
from tests.faults.using_program import LATER, PIECES
from tests.faults.write_record import WriteRecord, recorded
from tests.features.lock.test_lock import assert_whole, fast_rounds, run_change, written_home  # noqa: F401
from tests.helpers.fake_hub import FakeHub
from tests.helpers.fetching import content_of
from tests.helpers.picture_files import picture
from tests.helpers.program import ROOT
from tests.helpers.script import write_script
from tests.store.test_migrations import contents

MOMENTS, SEED = 50, 34
ANSWER = "word " * 120
REPO, FILE, SIZE = "someone/Tiny-GGUF", "a.gguf", 3_000_000
Steps = list[dict[str, Any]]
pytestmark = [
    pytest.mark.timeout(1200),
    pytest.mark.skipif(sys.platform != "linux" or shutil.which("strace") is None, reason="no strace here"),
]


@pytest.fixture
def disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder for all that the program writes; the model answers slowly, and always the same."""
    rules = ({"when": "slow kiln", "delay_s": 0.003}, {"when": "Tell me", "text": ANSWER, "delay_s": 0.01})
    monkeypatch.setenv("FIRESIDE_ENGINE_SCRIPT", str(write_script(tmp_path / "script", *rules)))
    monkeypatch.setenv("FIRESIDE_HOME", str(tmp_path / "disk" / "home"))
    (tmp_path / "disk" / "documents").mkdir(parents=True)
    return tmp_path / "disk"


def record_activity(disk: Path, activity: str, is_enough: Callable[[Steps], object], *given: str) -> WriteRecord:
    """What a program writes until it has told enough."""
    trace = disk.parent / "trace"
    folder = disk if activity == "download" else disk / "documents"
    record = WriteRecord(disk)
    program = BusyProgram(activity, folder, *given, around=recorded(trace), beside=disk.parent)
    program.wait_until(is_enough)
    program.kill()
    assert program.told() == set(), program.complaints()
    record.read_trace(trace, program.said)
    assert record.told_before(len(record.calls)), "nothing was recorded of what it told"
    return record


def check_chat(app: Fireside, told: Steps) -> None:
    whole = {step["whole"] for step in told if "whole" in step}
    begun = {step["answer"] for step in told if "answer" in step}
    branches = [app.conversations.read_branch(row.id) for row in app.conversations.find()]
    found = {message.id: message for branch in branches for message in branch}
    assert begun <= found.keys()
    for number in whole:
        assert (found[number].state, found[number].text) == (MessageState.COMPLETE, ANSWER)
    for message in found.values():
        assert message.state in (MessageState.COMPLETE, MessageState.INTERRUPTED)
        assert message.text in ("Tell me more", ANSWER[: len(message.text)])


def check_jobs(app: Fireside, told: Steps) -> None:
    done = {step["job"]: step["done"] for step in told if "job" in step}
    for number, count in done.items():
        if (summary := app.summaries.get(number)) is not None:
            assert count <= summary.sections_read <= PIECES
        else:
            translation = app.translations.get(number)
            assert translation is not None
            assert count <= translation.done <= PIECES
            copies = [path for path in app.paths.translations.rglob("*") if path.is_file()]
            assert all(path.stat().st_size for path in copies), copies


def check_exports(app: Fireside, told: Steps) -> None:
    assert len(app.conversations.find()) == 20
    folder = app.paths.data.parents[1] / "documents"
    names = {path.name for path in folder.iterdir()}
    assert {"all.backup" if one == "backup" else f"chats.{one}" for one in (step["exported"] for step in told)} <= names
    for path in folder.iterdir():
        if not path.name.startswith("."):
            check_export(path)


def check_house(app: Fireside, told: Steps) -> None:
    _, wrong = load_settings(app.paths.settings)
    assert wrong == []
    setting = max((step["setting"] for step in told if "setting" in step), default=0)
    assert app.settings.chat.system_prompt[:8] in ("", f"Answer {setting}", f"Answer {setting + 1}")
    assert {step["word"] for step in told if "word" in step} <= app.spelling.own_words
    kept = {sha256: app.media.store.get(sha256) for sha256 in app.media.store.all()}
    assert {step["picture"] for step in told if "picture" in step} <= kept.keys()
    for sha256, medium in kept.items():
        assert medium is not None
        assert hashlib.sha256(app.media.original_path(medium).read_bytes()).hexdigest() == sha256
    for snapshot in list_snapshots(app.paths.snapshots):
        check_database(snapshot.path)
        snapshot.path.unlink()
    app.snapshots.take_daily()  # which takes what was left of another one


ACTIVITIES: dict[str, tuple[int, Callable[[Fireside, Steps], None]]] = {
    "chat": (7, check_chat),
    "summarize": (60, check_jobs),
    "translate": (60, check_jobs),
    "export": (7, check_exports),
    "keep_house": (40, check_house),
}
"""How much is recorded, and what must be true whenever power goes."""


def check_home(record: WriteRecord, disk: Path, moment: int, check: Callable[[Fireside, Steps], None]) -> None:
    """Start the program on a disk that was put back, and look at what it finds."""
    told = record.told_before(moment)
    if AppPaths.from_environment().database.exists():
        check_database(AppPaths.from_environment().database)
    else:
        assert told == []
    with restarted() as app:
        check(app, told)
        assert left_in(app.paths.data, disk / "documents") == []


@pytest.mark.slow
@pytest.mark.parametrize("activity", ACTIVITIES)
def test_power_that_goes_costs_nothing_that_was_told(disk: Path, activity: str) -> None:
    steps, check = ACTIVITIES[activity]
    if activity == "export":
        fill_with_chats()
    if activity == "keep_house":
        for number in range(10):
            picture(disk / "documents" / f"{number}.png", (10 * number, 90, 30))
    record = record_activity(disk, activity, lambda told: len(told) >= steps)
    for moment, chance in record.moments(MOMENTS, f"{SEED} {activity}"):
        record.put_back(moment, chance)
        check_home(record, disk, moment, check)
    print(f"{activity}: power gone at {MOMENTS} moments of {len(record.calls)} calls")


@pytest.mark.slow
def test_power_that_goes_leaves_a_download_whole_or_going_on(disk: Path) -> None:
    content = content_of(SIZE)
    with FakeHub() as hub:
        hub.add(REPO, {FILE: content})
        file, hub.bytes_per_s = hub.repos[REPO].files[FILE], SIZE
        given = [hub.url, REPO, FILE, str(file.size), file.sha256]
        record = record_activity(disk, "download", lambda told: told[-1]["state"] == "done", *given)
        final = file_place(disk / "models", REPO, FILE)
        for moment, chance in record.moments(MOMENTS, f"{SEED} download"):
            record.put_back(moment, chance)
            is_done = any(step["state"] == "done" for step in record.told_before(moment))
            assert final.exists() or not is_done
            assert not final.exists() or final.read_bytes() == content
            hub.bytes_per_s = 0
            if moment % 5 == 0:
                program = BusyProgram("download", disk, *given, beside=disk.parent)
                program.wait_until(lambda steps: steps[-1]["state"] == "done")
                program.kill()
                assert final.read_bytes() == content
                assert sorted(path.name for path in final.parent.iterdir()) == [FILE, f"{FILE}.json"]
                assert json.loads((final.parent / f"{FILE}.json").read_bytes())["sha256"] == file.sha256
    print(f"download: power gone at {MOMENTS} moments of {len(record.calls)} calls")


@pytest.mark.slow
def test_power_that_goes_leaves_a_database_as_before_or_after_a_migration(disk: Path) -> None:
    fill_with_chats()
    path = AppPaths.from_environment().database
    before = contents(path)
    record = record_activity(disk, "migrate", lambda told: "whole" in told[-1])
    for moment, chance in record.moments(MOMENTS, f"{SEED} migrate"):
        record.put_back(moment, chance)
        check_database(path)
        with closing(sqlite3.connect(path)) as connection:
            version = connection.execute("PRAGMA user_version").fetchone()[0]
        is_whole = any("whole" in step for step in record.told_before(moment))
        assert version == max(LATER) if is_whole else version in (before["version"], max(LATER))
        Database.open(path, LATER).close()
        assert contents(path.with_name(f"{path.name}.before-v{max(LATER)}")) == before
        assert [name for name in left_in(path.parent) if "before" in name] == []
    print(f"migrate: power gone at {MOMENTS} moments of {len(record.calls)} calls")


def record_command(disk: Path, module: str, *given: str) -> WriteRecord:
    """What a module writes until it ends by itself."""
    trace = disk.parent / "trace"
    record = WriteRecord(disk)
    around = [part for part in recorded(trace) if part != "-D"]
    subprocess.run([*around, sys.executable, "-m", module, *given], cwd=ROOT, check=True)
    record.read_trace(trace)
    return record


@pytest.mark.slow
@pytest.mark.usefixtures("disk", "written_home")
@pytest.mark.parametrize("what", ["set", "remove"])
def test_power_that_goes_while_a_lock_changes_leaves_the_home_as_before_or_as_wanted(disk: Path, what: str) -> None:
    paths = AppPaths.from_environment()
    if what == "remove":
        run_change(paths, locks=True)
    record = record_command(disk, "tests.features.lock.locking_program", what, "1000")
    outcomes = []
    for moment, chance in record.moments(MOMENTS, f"{SEED} {what}"):
        record.put_back(moment, chance)
        finish_change(paths)
        outcomes.append(is_locked(paths.data))
        assert_whole(paths)
    assert len(set(outcomes)) == 2
    print(f"{what} a lock: power gone at {MOMENTS} moments of {len(record.calls)} calls")


@pytest.mark.slow
@pytest.mark.usefixtures("disk", "written_home")
@pytest.mark.parametrize("ending", ["backup", "db"])
def test_power_that_goes_while_a_restore_is_made_leaves_what_was_there_or_what_is_wanted(
    disk: Path, ending: str
) -> None:
    paths, saved = AppPaths.from_environment(), disk.parent / f"saved.{ending}"
    fill_with_chats()
    with restarted() as app:
        if ending == "db":
            app.database.copy_to(saved)
        else:
            list(back_up(saved, app.paths, app.database, CancelToken()))
        before = [row.title for row in app.conversations.find()]
        app.conversations.create(title="Written since")
    record = record_command(disk, "tests.faults.using_program", "restore", str(saved))
    outcomes = []
    for moment, chance in record.moments(MOMENTS, f"{SEED} restore"):
        record.put_back(moment, chance)
        restore_waiting(paths)
        check_database(paths.database)
        with restarted() as app:
            titles = [row.title for row in app.conversations.find()]
            for sha256 in app.media.store.all():
                kept = app.media.store.get(sha256)
                assert kept is not None
                assert hashlib.sha256(app.media.original_path(kept).read_bytes()).hexdigest() == sha256
        outcomes.append("Written since" in titles)
        assert sorted(set(titles) - {"Written since"}) == sorted(before)
    assert len(set(outcomes)) == 2
    print(f"restore of a {ending}: power gone at {MOMENTS} moments of {len(record.calls)} calls")
