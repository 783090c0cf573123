"""SIGKILL of the program and of its children at random moments: what is left is sound, and nothing is left over.

One moment each in `make test`; fifty in `make test-all`, with what was lost on standard output.
"""

from __future__ import annotations

import os
import random
import shutil
import sqlite3
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from app.bootstrap import Fireside
from app.core.paths import AppPaths
from app.hub.part import file_place
from app.store.conversations import MessageState
from app.store.database import Database
from tests.faults.harness import (
    BusyProgram,
    check_database,
    check_export,
    fill_with_chats,
    left_in,
    rest,
    restarted,
    stop,
)
from tests.faults.using_program import LATER, MODEL, PIECES
from tests.helpers.fake_hub import FakeHub
from tests.helpers.fetching import content_of, quick_children
from tests.helpers.program import wait_until
from tests.helpers.script import requests, write_script
from tests.helpers.summaries import summaries_of, work_off
from tests.helpers.translations import translations_of
from tests.helpers.translations import work_off as work_off_translations
from tests.store.test_migrations import contents

MOMENTS = 50 if os.environ.get("HYPOTHESIS_PROFILE") == "thorough" else 1
LATEST_S, LOST_AT_MOST_S, SEED = 1.2, 1.0, 34
REPO, FILE, SIZE = "someone/Tiny-GGUF", "a.gguf", 3_000_000
GOES_ON_STEPS = 3
pytestmark = pytest.mark.timeout(3600 if MOMENTS > 1 else 240)
TARGETS = pytest.mark.parametrize("target", ["program", "child"])


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where files of the person lie; the model answers slowly, word by word."""
    rules = ({"when": "slow kiln", "delay_s": 0.003}, {"when": "Tell me", "clock": True, "repeat": 60, "delay_s": 0.02})
    monkeypatch.setenv("FIRESIDE_ENGINE_SCRIPT", str(write_script(tmp_path / "script", *rules)))
    return tmp_path / "documents"


@dataclass
class KillLog:
    """What was killed how often, and what that cost."""

    activity: str
    target: str
    lost: list[float] = field(default_factory=list)

    def tell(self, unit: str) -> None:
        """Print the figures, which pytest shows of long runs."""
        worst = max(self.lost, default=0)
        print(f"{self.activity}, {self.target} killed {len(self.lost)} times; lost at most {worst:.2f} {unit}")


def moments(name: str, target: str) -> Iterator[float]:
    """How long after its first step a program is killed, each time; the same every time."""
    chance = random.Random(f"{SEED} {name} {target}")
    yield from (chance.uniform(0, LATEST_S) for _ in range(MOMENTS))


def kill_one(program: BusyProgram, target: str, moment_s: float) -> list[float]:
    """Kill the program, or one of its children and, once it has gone on, the program; return when each was done."""
    program.wait_for(1)
    rest(moment_s)
    if target == "program":
        return [program.kill()]
    children = wait_until(program.children, "a child")
    killed_s = time.monotonic()
    stop(random.Random(moment_s).choice(children))
    done = len(program.steps())
    program.wait_for(done + GOES_ON_STEPS)
    both_s = [killed_s, program.kill()]
    assert "Traceback" not in program.complaints(), program.complaints()
    return both_s


def lost_seconds(app: Fireside, program: BusyProgram, kills_s: list[float]) -> list[float]:
    """What is missing of the answer that the first kill broke off; each word is the moment at which it was made."""
    begun_s = {step["answer"]: step["at"] for step in program.steps() if "answer" in step}
    found = [message for row in app.conversations.find() for message in app.conversations.read_branch(row.id)]
    lost = []
    for answer in (message for message in found if message.id in begun_s):
        assert answer.state in (MessageState.INTERRUPTED, MessageState.COMPLETE), answer.state
        if answer.state is MessageState.INTERRUPTED:
            last_s = float([begun_s[answer.id], *answer.text.split()][-1])
            broken_off_s = min(killed_s for killed_s in kills_s if killed_s >= last_s)
            assert broken_off_s - last_s <= LOST_AT_MOST_S
            lost += [broken_off_s - last_s] if broken_off_s == kills_s[0] else []
    return lost


@TARGETS
def test_a_kill_costs_at_most_a_second_of_an_answer(folder: Path, target: str) -> None:
    log = KillLog("chat", target)
    for moment_s in moments("chat", target):
        program = BusyProgram("chat", folder)
        kills_s = kill_one(program, target, moment_s)
        check_database(AppPaths.from_environment().database)
        with restarted() as app:
            log.lost += lost_seconds(app, program, kills_s)
        assert left_in(app.paths.data, folder) == []
    log.tell("s of an answer")


@TARGETS
def test_a_kill_costs_at_most_a_step_of_a_summary(folder: Path, target: str) -> None:
    log = KillLog("summarize", target)
    for moment_s in moments("summarize", target):
        program = BusyProgram("summarize", folder)
        kill_one(program, target, moment_s)
        check_database(AppPaths.from_environment().database)
        job, done = [(step["job"], step["done"]) for step in program.steps() if "job" in step][-1]
        with restarted() as app:
            stored = app.summaries.get(job)
            assert stored is not None
            assert done <= stored.sections_read <= PIECES
            log.lost.append(max(done - stored.sections_read, 0))
        assert left_in(app.paths.data, folder) == []
    log.tell("sections")
    with restarted() as app:
        list(app.engine.load(MODEL))
        work_off(summaries_of(app))
        ids = [row.id for row in app.summaries.find()]
        assert {row.state for id_ in ids if (row := app.summaries.get(id_))} == {"done"}
    check_asked(folder, target)


@TARGETS
def test_a_kill_costs_at_most_a_step_of_a_translation(folder: Path, target: str) -> None:
    log = KillLog("translate", target)
    for moment_s in moments("translate", target):
        program = BusyProgram("translate", folder)
        kill_one(program, target, moment_s)
        check_database(AppPaths.from_environment().database)
        told = [(step["job"], step["done"]) for step in program.steps() if "job" in step]
        with restarted() as app:
            for job, done in told[-1:]:
                stored = app.translations.get(job)
                assert stored is not None
                assert done <= stored.done <= PIECES
                log.lost.append(max(done - stored.done, 0))
        assert left_in(app.paths.data, folder) == []
    log.tell("segments")
    with restarted() as app:
        list(app.engine.load(MODEL))
        work_off_translations(translations_of(app))
        states = {row.state for one in app.translations.find() if (row := app.translations.get(one.id))}
        assert states <= {"done", "draft"}
    check_asked(folder, target)


def check_asked(folder: Path, target: str) -> None:
    """Fail if more was asked again than what was being answered when something was killed."""
    last = [str(one["messages"][-1][1]) for one in requests(folder.parent / "script" / "script.json")]
    times = Counter(text for text in last if "slow kiln" in text)
    kills = MOMENTS * (2 if target == "child" else 1)  # after a child the program is killed, too
    assert sum(times.values()) - len(times) <= kills


def test_a_kill_leaves_an_export_whole_or_not_there(folder: Path) -> None:
    fill_with_chats()
    folder.mkdir()
    log = KillLog("export", "program")
    for moment_s in moments("export", "program"):
        kill_one(BusyProgram("export", folder), "program", moment_s)
        check_database(AppPaths.from_environment().database)
        for path in folder.iterdir():
            if not path.name.startswith("."):
                check_export(path)
        log.lost.append(0)
        with restarted() as app:
            assert left_in(app.paths.data, folder) == []
    log.tell("files")


@TARGETS
def test_a_kill_leaves_a_download_that_goes_on(folder: Path, target: str, monkeypatch: pytest.MonkeyPatch) -> None:
    content, log = content_of(SIZE), KillLog("download", target)
    with quick_children(monkeypatch), FakeHub() as hub:
        hub.add(REPO, {FILE: content})
        file = hub.repos[REPO].files[FILE]
        given = [hub.url, REPO, FILE, str(file.size), file.sha256]
        final = file_place(folder / "models", REPO, FILE)
        for moment_s in moments("download", target):
            if final.exists():
                shutil.rmtree(folder)
            hub.bytes_per_s = SIZE // 2
            program = BusyProgram("download", folder, *given)
            kill_one(program, target, moment_s)
            check_database(folder / "fireside.db")
            assert not final.exists() or final.read_bytes() == content
            log.lost.append(0)
        hub.bytes_per_s = 0
        program = BusyProgram("download", folder, *given)
        program.wait_until(lambda steps: steps[-1]["state"] == "done")
        program.kill()
        assert final.read_bytes() == content
        assert sorted(path.name for path in final.parent.iterdir()) == [FILE, f"{FILE}.json"]
        assert list((folder / "work").iterdir()) == []
    log.tell("bytes under the final name")


def test_a_kill_leaves_a_database_as_before_or_after_a_migration(folder: Path) -> None:
    fill_with_chats()
    path = AppPaths.from_environment().database
    folder.mkdir()
    old = shutil.copy(path, folder / "old.db")
    before, log = contents(old), KillLog("migration", "program")
    for moment_s in moments("migration", "program"):
        for file in path.parent.glob(f"{path.name}*"):
            file.unlink()
        shutil.copy(old, path)
        program = BusyProgram("migrate", folder)
        program.wait_for(1)
        rest(moment_s / 5)
        program.kill()
        log.lost.append(0)
        check_database(path)
        with closing(sqlite3.connect(path)) as connection:
            version = connection.execute("PRAGMA user_version").fetchone()[0]
        assert contents(path) == before if version == before["version"] else version == max(LATER)
        Database.open(path, LATER).close()
        assert [name for name in left_in(path.parent) if "before" in name] == []
        assert contents(path.with_name(f"{path.name}.before-v{max(LATER)}")) == before
    log.tell("rows")
