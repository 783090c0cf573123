"""A person's first hour, in the real window with real keys and the starter model."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.core.settings import ChatDefaults, Settings, save_settings
from tests.helpers.program import ROOT, WAIT_S, Program, is_gone, wait_until
from tests.helpers.window_pixels import wait_for_end

pytestmark = [pytest.mark.display, pytest.mark.model, pytest.mark.timeout(180)]
LONG = "Write a very long story about a river."
ENOUGH = "Say hello to the rivers Elbe, Loire, Tagus, Thames, Tiber, Vistula, Danube, Rhine, Seine and Volga."
"""Together with a story of a few words long enough to be kept: what is read again as fast (64 tokens) is not."""


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A person who chose short answers that are always the same; long enough to stop or kill one in the middle."""
    folder = tmp_path / "person"
    chat = ChatDefaults(temperature=0, max_tokens=400)
    save_settings(folder / "config" / "settings.json", Settings(chat=chat))
    return folder


@pytest.fixture
def programs(home: Path) -> Iterator[list[Program]]:
    running: list[Program] = []
    yield running
    for program in running:
        program.kill()


def start(home: Path, programs: list[Program]) -> Program:
    programs.append(Program(home))
    return programs[-1]


def last(program: Program) -> tuple[str, str, str]:
    return (program.messages() or [("", "", "")])[-1]


def wait_for_state(program: Program, state: str) -> str:
    """Waits until the newest message is an answer in this state; returns its text."""

    # One look at a time: between two, the next question may have come, which is complete at once.
    def answer_in_state() -> tuple[str] | None:
        role, text, found = last(program)
        return (text,) if role == "assistant" and found == state else None

    return str(wait_until(answer_in_state, f"an answer that is {state}", 60)[0])


def ask_and_see_text(program: Program, text: str) -> None:
    before = len(program.messages())
    program.ask(text)
    wait_until(lambda: len(program.messages()) == before + 2 and last(program)[1], "the first saved words", 60)


def test_ask_stop_ask_again_restart_and_the_history_is_there(
    home: Path, programs: list[Program], starter: Path
) -> None:
    program = start(home, programs)
    ask_and_see_text(program, LONG)
    program.press("Escape")
    stopped = wait_for_state(program, "stopped")
    assert stopped.strip()
    program.ask(ENOUGH)
    wait_for_state(program, "complete")
    assert program.last_stats()["reused_tokens"] > 0
    read_tokens = program.last_stats()["prompt_tokens"]
    before = program.messages()
    children = program.children()
    assert program.quit() == 0
    assert all(is_gone(pid) for pid in children)

    again = start(home, programs)
    assert again.messages() == before
    again.ask("And goodbye")
    wait_until(lambda: len(again.messages()) == len(before) + 2, "the last conversation, open again")
    wait_for_state(again, "complete")
    assert again.last_stats()["reused_tokens"] >= read_tokens, "what the model had read was not kept"
    assert again.quit() == 0


def test_a_killed_engine_costs_one_answer_and_the_next_one_works(
    home: Path, programs: list[Program], starter: Path
) -> None:
    program = start(home, programs)
    ask_and_see_text(program, LONG)
    os.kill(program.engine(), signal.SIGKILL)
    assert wait_for_state(program, "interrupted").strip()
    wait_for_end(program, home.parent)  # what is sent before, waits for somebody who sends it: nobody knew of the end
    program.ask("Say hello")
    wait_for_state(program, "complete")
    assert program.quit() == 0


def test_a_second_start_raises_the_first_window_and_leaves(home: Path, programs: list[Program], starter: Path) -> None:
    start(home, programs)
    environment = os.environ | {"FIRESIDE_HOME": str(home)}
    second = subprocess.run([sys.executable, "-m", "app"], cwd=ROOT, env=environment, timeout=WAIT_S, check=False)
    assert second.returncode == 0
    assert programs[0].process.poll() is None
