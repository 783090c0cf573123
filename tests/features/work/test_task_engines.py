"""What a tab's jobs lease: the chat's model, waited for and woken, or the tab's own, and how long that stays."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.core.errors.model_errors import ModelUnreadable, NoModel, NoRoomForModel
from app.core.errors.saving_errors import DiskFull
from app.core.events import CancelToken
from app.features.models.model_pool import ModelSwap
from app.features.work.task_engines import TaskEngines
from tests.helpers.model_memory import Memory, model


class Desk(Memory):
    """A tab's leases on a memory of so many GB, where the disk is full."""

    def __init__(self, gigabytes: int, chat: str = "chat", own: str = "") -> None:
        super().__init__(gigabytes, chat)
        self.own = own
        self.used: list[Path] = []
        self.asked: list[ModelSwap] = []
        self.jobs = TaskEngines(
            "summarize", self.pool, lambda: model(self.own) if self.own else None, mark_used=self._mark_used
        )

    def _mark_used(self, path: Path) -> None:
        self.used.append(path)
        raise DiskFull(str(path))

    def answer(self, *, agrees: bool) -> None:
        """What the user answers when asked whether the chat's model may go."""
        self.jobs.ask = lambda swap: bool(self.asked.append(swap)) or agrees

    def work(self, *, may_ask: bool = True) -> str:
        """What is in memory during a job."""
        with self.jobs.open_engine(CancelToken(), may_ask=may_ask) as engine:
            return self.shown if engine is not None else ""


@pytest.mark.parametrize(
    ("chat", "own", "shown"),
    [("", "", "chat"), ("large", "", "large"), ("", "chat", "chat"), ("chat", "large", "chat large"),
     ("large", "large", "large"), ("small", "chat", "small chat")],
)  # fmt: skip
@pytest.mark.parametrize("sleeps", [False, True])
def test_a_job_has_the_tabs_model_or_any_that_the_chat_has(chat: str, own: str, shown: str, sleeps: bool) -> None:
    desk = Desk(10, chat, own)
    if sleeps:
        desk.chat.sleep()
        # What the job doesn't need sleeps on.
        shown = f"({chat}){shown.removeprefix(chat)}" if " " in shown else shown
    assert desk.work() == shown
    assert desk.chat.awaited is not None
    assert [engine for engine in desk.engines if engine is not desk.chat] == []


def test_without_any_model_that_is_said() -> None:
    desk = Desk(10, "")
    desk.chosen = None
    with pytest.raises(NoModel):
        desk.work()


@pytest.mark.parametrize("own", ["", "small"])
def test_cancelled_there_is_no_engine(own: str) -> None:
    cancel = CancelToken()
    cancel.cancel()
    with Desk(10, own=own).jobs.open_engine(cancel) as engine:
        assert engine is None


def test_lists_hear_which_model_was_used_and_a_full_disk_stops_no_work() -> None:
    desk = Desk(10, own="small")
    assert desk.work() == "chat small"
    assert desk.used == [model("small")]


def test_it_stays_between_two_jobs_as_long_as_it_is_held_and_an_estimate_shares_it() -> None:
    desk = Desk(8, own="small")
    with desk.jobs.hold_engine(CancelToken()):
        for _ in range(2):
            with desk.jobs.open_engine(CancelToken()):
                assert desk.work(may_ask=False) == "chat small"
                desk.own = "medium"
                assert desk.work(may_ask=False) == "", "a job goes on with the model that it began with"
                desk.own = "small"
        assert desk.begun == ["chat", "small"]
        # Another model gets its memory where that is needed.
        desk.own = "large"
        assert desk.work() == "chat large"
        assert desk.shown == "chat large"
    assert desk.shown == "chat"


def test_the_chats_model_gives_its_place_only_where_the_user_says_so_and_comes_back() -> None:
    desk = Desk(5, own="large")
    with pytest.raises(NoRoomForModel) as raised:
        desk.work()
    assert (raised.value.wanted, raised.value.loaded) == ("large", "chat")
    desk.answer(agrees=True)
    with pytest.raises(NoRoomForModel):
        desk.work(may_ask=False)
    assert (desk.asked, desk.shown) == ([], "chat")
    assert (desk.work(), desk.shown) == ("large", "chat")
    assert [swap.job for swap in desk.asked] == ["summarize"]


@pytest.mark.parametrize("quits", [False, True])
def test_between_jobs_of_a_run_it_stays_away_and_when_the_program_quits_for_good(quits: bool) -> None:
    desk = Desk(5, own="large")
    desk.answer(agrees=True)
    cancel = CancelToken()
    with desk.jobs.hold_engine(cancel):
        assert (desk.work(), desk.shown, desk.work()) == ("large",) * 3
        if quits:
            cancel.cancel()
    assert (desk.shown, len(desk.asked)) == ("large" if quits else "chat", 1)


def test_while_it_is_held_the_user_is_asked_once() -> None:
    desk = Desk(5, own="large")
    desk.answer(agrees=False)
    with desk.jobs.hold_engine(CancelToken()):
        for may_ask in (False, True, True):
            with pytest.raises(NoRoomForModel):
                desk.work(may_ask=may_ask)
    assert len(desk.asked) == 1


def test_a_model_that_cannot_be_loaded_leaves_no_engine_behind() -> None:
    desk = Desk(10, own="broken")
    with pytest.raises(ModelUnreadable):
        desk.work()
    assert desk.engines == [desk.chat]
    desk.own = "small"
    assert desk.work() == "chat small"
