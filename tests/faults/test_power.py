"""Power that goes while the program writes: what had been told is there at the next start, whatever else is not.

All that a real program does to its disk is recorded, and the disk is put back as it may be after so many of these calls
(`tests.faults.write_record`). Fifty moments of each activity.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing, nullcontext, suppress
from pathlib import Path
from typing import Any

import pytest

from app.bootstrap import Fireside
from app.core.errors.lock_errors import WrongPassphrase
from app.core.events import CancelToken
from app.core.paths import AppPaths, is_locked
from app.core.settings import load_settings
from app.features.exchange.backup import back_up
from app.features.exchange.restore_backup import restore_waiting
from app.features.lock.lock_change import finish_change
from app.hub.folder_move import move_folder, unfinished_move
from app.hub.model_library import scan_folder
from app.hub.model_trash import TRASH, list_trash, put_back
from app.hub.part import file_place
from app.store import lock_file
from app.store.conversations import MessageState
from app.store.database import Database
from app.store.snapshots import list_snapshots
from tests.faults.harness import BusyProgram, check_database, check_export, fill_with_chats, left_in, restarted
from tests.faults.using_program import LATER, PIECES, SENTENCE
from tests.faults.write_record import WriteRecord, recorded
from tests.features.lock.locking_program import OTHER_PASSPHRASE, PASSPHRASE
from tests.features.lock.test_lock import assert_whole, fast_rounds, run_change, written_home  # noqa: F401
from tests.helpers.disks import other_disk
from tests.helpers.fake_hub import FakeHub
from tests.helpers.fetching import content_of
from tests.helpers.models_on_disk import contents as files_of
from tests.helpers.models_on_disk import write_model, write_sidecar
from tests.helpers.picture_files import picture
from tests.helpers.program import ROOT
from tests.helpers.script import write_script
from tests.store.test_migrations import contents

MOMENTS, SEED, YEARS_AGO_S = 50, 34, 1_000_000_000
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


def check_page(app: Fireside, told: Steps) -> None:
    kept = {step["page"]: step["kept"] for step in told if "kept" in step}
    for number, sentences in kept.items():
        page = app.pages.get(number)
        assert page is not None
        assert page.text in (SENTENCE * sentences, SENTENCE * (sentences + 1))
        undo = app.pages.undo_state(number)
        assert undo is not None and SENTENCE * (sentences - 1) in (undo.text, undo.text.removesuffix(SENTENCE))
    saved = max((step["saved"] for step in told if "saved" in step), default=0)
    file = app.paths.data.parents[1] / "documents" / "page.md"
    assert file.exists() or not saved
    if file.exists():
        text = file.read_text("utf-8")
        assert (text, len(text) >= len(SENTENCE) * saved) == (SENTENCE * text.count(SENTENCE), True)


ACTIVITIES: dict[str, tuple[int, Callable[[Fireside, Steps], None]]] = {
    "chat": (7, check_chat),
    "summarize": (60, check_jobs),
    "translate": (60, check_jobs),
    "export": (7, check_exports),
    "keep_house": (40, check_house),
    "write": (60, check_page),
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


def record_command(disk: Path, module: str, *given: str, others: tuple[Path, ...] = ()) -> WriteRecord:
    """What a module writes until it ends by itself, on other disks, too."""
    trace, said = disk.parent / "trace", disk.parent / "said"
    record = WriteRecord(disk, *others)
    around = [part for part in recorded(trace) if part != "-D"]
    with said.open("wb") as out:
        subprocess.run([*around, sys.executable, "-m", module, *given], cwd=ROOT, check=True, stdout=out)
    record.read_trace(trace, said)
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


@pytest.mark.slow
@pytest.mark.usefixtures("disk", "written_home")
def test_power_that_goes_while_a_passphrase_changes_leaves_exactly_one_that_opens(disk: Path) -> None:
    paths = AppPaths.from_environment()
    run_change(paths, locks=True)
    key = lock_file.read_lock(paths.lock, PASSPHRASE)
    record = record_command(disk, "tests.features.lock.locking_program", "change", "1000")
    outcomes = set()
    for moment, chance in record.moments(MOMENTS, f"{SEED} change"):
        record.put_back(moment, chance)
        finish_change(paths)
        opening = []
        for passphrase in (PASSPHRASE, OTHER_PASSPHRASE):
            with suppress(WrongPassphrase):
                assert lock_file.read_lock(paths.lock, passphrase) == key
                opening.append(passphrase)
        assert len(opening) == 1
        outcomes |= set(opening)
    record.put_back(len(record.calls), chance)
    assert lock_file.read_lock(paths.lock, OTHER_PASSPHRASE) == key
    assert outcomes == {PASSPHRASE, OTHER_PASSPHRASE}
    print(f"another passphrase: power gone at {MOMENTS} moments of {len(record.calls)} calls")


@pytest.fixture
def models(disk: Path) -> Path:
    """A models folder with a model in parts, one with a projector, and an own file."""
    folder = disk / "models"
    for name in ("see-Q4_0.gguf", "see-Q8_0.gguf"):
        write_model(folder / "org" / "see" / name, name)
        write_sidecar(folder / "org" / "see" / name, repo="org/see")
    write_model(folder / "org" / "see" / "mmproj-f16.gguf", **{"general.architecture": "clip"})
    for number in (1, 2):
        write_model(folder / "org" / "big" / f"big-0000{number}-of-00002.gguf", str(number))
    write_model(folder / "mine.gguf", "mine", weights=100_000)
    for number, path in enumerate(sorted(folder.rglob("*.gguf"))):
        os.utime(path, (YEARS_AGO_S + number, YEARS_AGO_S + number))
    return folder


@pytest.mark.slow
@pytest.mark.parametrize("to", ["a new folder", "a folder with files", "another disk"])
def test_power_that_goes_while_models_move_leaves_each_of_them_whole(disk: Path, models: Path, to: str) -> None:
    with other_disk(disk) if to == "another disk" else nullcontext(disk) as target_disk:
        new, theirs = target_disk / "new", dict[str, bytes]()
        if to == "a folder with files":
            new.mkdir()
            theirs["theirs.txt"] = b"stays"
            (new / "theirs.txt").write_bytes(b"stays")
        before = files_of(models)
        others = (target_disk,) if target_disk != disk else ()
        given = ("move_models", str(models), str(new))
        record = record_command(disk, "tests.faults.using_program", *given, others=others)
        ways = set()
        for moment, chance in record.moments(MOMENTS, f"{SEED} {to}"):
            record.put_back(moment, chance)
            told = {name for step in record.told_before(moment) for name in step}
            there = [files_of(folder) if folder.is_dir() else {} for folder in (models, new)]
            if "moved" in told:
                assert before.items() <= there[1].items(), "the new folder is the one that is asked"
            assert set(before.values()) <= {data for found in there for data in found.values()}
            ways.add(("moved" in told, unfinished_move(new) is not None))
            left = unfinished_move(new) if "moved" in told else models
            if left is None:
                assert not models.exists()
            else:
                list(move_folder(left, new, CancelToken()))
                assert files_of(new) == before | theirs
                assert not models.exists()
        assert len(ways) > 1
    print(f"models to {to}: power gone at {MOMENTS} moments of {len(record.calls)} calls")


@pytest.mark.slow
def test_power_that_goes_while_models_are_thrown_away_leaves_them_there_or_in_the_trash(
    disk: Path, models: Path
) -> None:
    before = files_of(models)
    record = record_command(disk, "tests.faults.using_program", "throw_models", str(models))
    for moment, chance in record.moments(MOMENTS, f"{SEED} throw"):
        record.put_back(moment, chance)
        told, steps = record.told_before(moment), record.told_before(len(record.calls))
        expected = {step["name"]: step["is_thrown"] for step in told}
        at_work = steps[len(told)]["name"] if len(told) < len(steps) else ""
        here, trash = {model.path.name for model in scan_folder(models)}, list_trash(models)
        for name, is_thrown in expected.items():
            if name != at_work:
                assert (name in here, any(name == Path(one.files[0]).name for one in trash)) == (
                    not is_thrown, is_thrown
                )  # fmt: skip
        for thrown in trash:
            put_back(thrown)
        found = {name: data for name, data in files_of(models).items() if not name.startswith(TRASH)}
        assert found == before
        assert list_trash(models) == []
    print(f"models' trash: power gone at {MOMENTS} moments of {len(record.calls)} calls")
