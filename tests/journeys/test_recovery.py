"""Killed at any moment, the program loses at most a second of an answer, and leaves nothing behind."""

from __future__ import annotations

import os
import random
import signal
import sqlite3
import time
from contextlib import closing
from pathlib import Path

import pytest

from tests.helpers.program import Program, is_gone, wait_until
from tests.helpers.script import write_script

MOMENTS = 20 if os.environ.get("HYPOTHESIS_PROFILE") == "thorough" else 8
LONGEST_S = 3.0
LOST_AT_MOST_S = 1.0
ENGINE_KILLS = 10


def stored_answer(program: Program) -> tuple[str, str]:
    """Text and state of the newest answer."""
    return next(((text, state) for role, text, state in reversed(program.messages()) if role == "assistant"), ("", ""))


def database_is_sound(home: Path) -> bool:
    with closing(sqlite3.connect(home / "data" / "fireside.db")) as connection:
        return connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)


@pytest.mark.display
@pytest.mark.timeout(300)
def test_a_kill_at_any_moment_of_an_answer_costs_at_most_a_second(tmp_path: Path) -> None:
    """Every token of the scripted answer is the time at which it was made, so what is lost can be read off."""
    script = write_script(tmp_path / "script", {"clock": True, "repeat": 100_000, "delay_s": 0.02})
    environment = {"FIRESIDE_ENGINE_SCRIPT": str(script)}
    moments = random.Random(20_2611)
    home = tmp_path / "home-of-the-killed"
    lost_s: list[float] = []
    for number in range(MOMENTS):
        program = Program(home, environment)
        try:
            program.press("ctrl+n")
            before = len(program.messages())
            program.ask(f"question {number}")
            wait_until(lambda: len(program.messages()) == before + 2, "the answer's place")  # noqa: B023
            started_s = time.monotonic()
            pause_s = moments.uniform(0, LONGEST_S)
            wait_until(lambda: time.monotonic() >= started_s + pause_s, "the moment")  # noqa: B023
            children = program.children()
            assert children, "no engine child"
        finally:
            killed_s = time.monotonic()
            program.kill()
        text, state = stored_answer(program)
        assert state == "writing"
        last_s = float(text.split()[-1]) if text.split() else started_s
        lost_s.append(killed_s - last_s)
        wait_until(lambda: all(is_gone(pid) for pid in children), "the child to leave")  # noqa: B023
        assert database_is_sound(home)
    print(f"text lost after SIGKILL, s: median {sorted(lost_s)[MOMENTS // 2]:.2f}, worst {max(lost_s):.2f}")
    assert max(lost_s) <= LOST_AT_MOST_S


@pytest.mark.slow
@pytest.mark.display
@pytest.mark.timeout(300)
def test_an_engine_killed_at_any_moment_of_an_answer_costs_at_most_a_second(tmp_path: Path) -> None:
    """The window stays and says that the answer was broken off. A new one each time: it gives up after three ends."""
    script = write_script(tmp_path / "script", {"clock": True, "repeat": 100_000, "delay_s": 0.02})
    moments, lost_s = random.Random(34), list[float]()
    for number in range(ENGINE_KILLS):
        program = Program(tmp_path / "home", {"FIRESIDE_ENGINE_SCRIPT": str(script)})
        try:
            program.press("ctrl+n")
            before = len(program.messages())
            program.ask(f"question {number}")
            wait_until(lambda: len(program.messages()) == before + 2, "the answer's place")  # noqa: B023
            wait_until(lambda: stored_answer(program)[0], "its first words")  # noqa: B023
            started_s, pause_s = time.monotonic(), moments.uniform(0, LONGEST_S)
            wait_until(lambda: time.monotonic() >= started_s + pause_s, "the moment")  # noqa: B023
            killed_s = time.monotonic()
            os.kill(program.engine(), signal.SIGKILL)
            wait_until(lambda: stored_answer(program)[1] == "interrupted", "the end of the answer")  # noqa: B023
            lost_s.append(killed_s - float(stored_answer(program)[0].split()[-1]))
            assert program.quit() == 0
        finally:
            program.kill()
        assert database_is_sound(program.home)
    print(f"text lost with a killed engine, s: median {sorted(lost_s)[ENGINE_KILLS // 2]:.2f}, worst {max(lost_s):.2f}")
    assert max(lost_s) <= LOST_AT_MOST_S
