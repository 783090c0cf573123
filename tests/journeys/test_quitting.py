"""Quitting beside other work: the window goes at once, what the model had read is written however long that takes."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from tests.helpers.program import Program, wait_until, xdotool
from tests.helpers.script import write_script

pytestmark = [pytest.mark.display, pytest.mark.timeout(180)]

LONGER_THAN_EVERYTHING_ELSE_S = 6.0


def test_a_slow_save_goes_on_behind_a_second_start(tmp_path: Path) -> None:
    script = write_script(tmp_path / "script", {"text": "Fine."}, save_when="go")
    environment = {"FIRESIDE_ENGINE_SCRIPT": str(script)}
    first = Program(tmp_path / "home", environment)
    second = None
    try:
        first.ask("The first question")
        wait_until(lambda: len(first.messages()) == 2 and first.messages()[-1][2] == "complete", "an answer")
        first.press("ctrl+q")
        quit_s = time.monotonic()
        pid = str(first.process.pid)
        wait_until(
            lambda: not xdotool("search", "--all", "--onlyvisible", "--pid", pid, "--name", "Fireside", check=False),
            "the window to close",
        )
        second = Program(tmp_path / "home", environment)
        second.press("ctrl+n")
        second.ask("The second question")
        wait_until(lambda: len(second.messages()) == 4 and second.messages()[-1][2] == "complete", "its answer")
        wait_until(lambda: time.monotonic() - quit_s > LONGER_THAN_EVERYTHING_ELSE_S, "the time others would take")
        assert first.process.poll() is None, first.stderr()
        assert not script.with_name("saved").exists()
        script.with_name("go").touch()
        assert wait_until(lambda: first.process.poll() is not None and [first.process.returncode], "its end") == [0]
        assert script.with_name("saved").exists()
        assert second.quit() == 0
        assert "Traceback" not in first.stderr() + second.stderr()
    finally:
        script.with_name("go").touch()
        first.kill()
        if second is not None:
            second.kill()
