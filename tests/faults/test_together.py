"""Two programs in one home at once, and a clock that is set back in the middle of work."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.core.paths import AppPaths
from app.store.conversations import MessageState
from tests.faults.harness import BusyProgram, check_database, fill_with_chats, left_in, restarted
from tests.faults.using_program import APP_ACTIVITIES
from tests.helpers.script import write_script

GOES_ON_STEPS = 8
pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where files of the person lie; there are chats already."""
    rules = ({"when": "slow kiln", "delay_s": 0.003}, {"when": "Tell me", "text": "word " * 40, "delay_s": 0.002})
    monkeypatch.setenv("FIRESIDE_ENGINE_SCRIPT", str(write_script(tmp_path / "script", *rules)))
    fill_with_chats()
    return tmp_path / "documents"


@pytest.mark.parametrize("activity", APP_ACTIVITIES)
def test_two_programs_in_one_home_go_on_beside_each_other(folder: Path, activity: str) -> None:
    programs = [BusyProgram(activity, folder) for _ in range(2)]
    for program in programs:
        program.wait_for(GOES_ON_STEPS)
    for program in programs:
        program.kill()
        assert program.told() == set()
        assert "Traceback" not in program.complaints(), program.complaints()
    check_database(AppPaths.from_environment().database)
    with restarted() as app:
        assert sum(len(app.conversations.read_branch(row.id)) == 20 for row in app.conversations.find()) >= 20
        assert left_in(app.paths.data, folder) == []


@pytest.mark.parametrize("activity", APP_ACTIVITIES)
def test_a_clock_that_is_set_back_three_days_changes_no_order_and_loses_nothing(folder: Path, activity: str) -> None:
    program = BusyProgram(activity, folder, "--clock-back")
    program.wait_for(GOES_ON_STEPS)
    program.kill()
    assert program.told() == set()
    assert "Traceback" not in program.complaints(), program.complaints()
    check_database(AppPaths.from_environment().database)
    with restarted() as app:
        branches = [app.conversations.read_branch(row.id) for row in app.conversations.find()]
        assert sum(len(branch) == 20 for branch in branches) >= 20
        for branch in branches:
            assert [message.id for message in branch] == sorted(message.id for message in branch)
            assert {message.state for message in branch} <= {MessageState.COMPLETE, MessageState.INTERRUPTED}
        assert left_in(app.paths.data, folder) == []
