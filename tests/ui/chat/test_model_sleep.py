"""A model leaves memory when it is short and comes back with the next message, which loses nothing."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

import pytest
from PySide6.QtCore import Qt

from app.core.events import CancelToken
from app.features.chat.session_messages import TextBegun
from app.features.models.model_memory import MachineMemory, ModelMemoryWatch
from app.features.models.model_messages import WAITS_FOR_ANSWER
from app.features.models.pool_policy import LeasePriority
from app.ui.shell import tasks
from app.ui.shell.model_loader import ModelLoader
from app.ui.shell.model_sleep import ModelSleep
from tests.helpers.desks.chat import ChatDesk
from tests.ui.chat.conftest import Open

GB = 10**9
PLENTY, SHORT = MachineMemory(16 * GB, 8 * GB), MachineMemory(16 * GB, GB // 2)
SLOW = {"text": "one two three four five six seven eight ", "repeat": 100, "delay_s": 0.01}
PUT_TO_SLEEP = "Memory was low, so the model was put to sleep. It wakes up when you send a message."


@dataclass
class Machine:
    """A chat with its model, on a computer whose memory and clock a test sets."""

    desk: ChatDesk
    loader: ModelLoader
    sleep: ModelSleep
    memory: MachineMemory
    now_s: float

    def lease(self, priority: LeasePriority) -> AbstractContextManager[object]:
        return self.desk.app.pool.lease(None, priority, CancelToken())

    def loads(self) -> int:
        log = self.desk.script.with_name("prompts.jsonl").read_text("utf-8").splitlines()
        return [json.loads(line)["type"] for line in log].count("LoadModel")

    def is_asleep(self) -> bool:
        return self.desk.engine.asleep_path is not None and len(tasks.running) == 0


@pytest.fixture
def machine(open_chat: Open, tmp_path: Path) -> Callable[..., Machine]:
    """Opens a chat with a loaded model that is watched."""

    def make(*rules: dict[str, object], **keys: object) -> Machine:
        desk = open_chat(*rules, **keys)
        loader = ModelLoader(desk.app, desk.notify, desk.chat)
        loader.path, loader.state = tmp_path / "model.gguf", "asleep"
        loader.changed.connect(lambda: desk.chat.set_model_state(loader.state))
        desk.chat.answer_started.connect(lambda _: loader.expect())
        desk.chat.open_chat.live.grew.connect(loader.look_during_answer)
        desk.chat.answer_finished.connect(loader.sync_with_engine)
        desk.chat.session.serve({TextBegun: lambda _effect: loader.wake(for_text=True)})
        made = Machine(desk, loader, None, PLENTY, 0.0)  # type: ignore[arg-type]
        seat = desk.app.pool.seat
        seat.clock, seat.used_s = lambda: made.now_s, 0.0
        watch = ModelMemoryWatch(lambda: desk.settings.engine, lambda: seat.use, lambda: made.memory)
        made.sleep = ModelSleep(watch, seat, desk.notify, loader)
        loader.sync_with_engine()
        assert loader.state == "ready"
        return made

    return make


def test_short_memory_puts_it_to_sleep_and_says_so(machine: Callable[..., Machine]) -> None:
    here = machine()
    here.sleep.check_memory()
    assert (here.loader.state, here.desk.notices) == ("ready", [])
    here.memory = SHORT
    here.sleep.check_memory()
    here.desk.wait(here.is_asleep)
    assert here.loader.state == "asleep"
    assert here.desk.notices == [PUT_TO_SLEEP]


def test_the_next_message_wakes_it_and_is_answered(machine: Callable[..., Machine]) -> None:
    here = machine({"text": "Good morning."})
    here.memory = SHORT
    here.sleep.check_memory()
    here.desk.wait(here.is_asleep)
    here.memory = PLENTY
    states: list[str] = []
    here.loader.changed.connect(lambda: states.append(here.loader.state))
    here.desk.ask("Are you there?")
    assert here.desk.texts == ["Are you there?", "Good morning."]
    here.desk.wait(lambda: here.loader.state == "ready")
    assert states[-1] == "ready"
    assert here.loads() == 2
    assert here.desk.notices == []
    assert here.sleep.is_watching


def test_typing_wakes_what_went_idle_and_the_message_finds_it_awake(machine: Callable[..., Machine]) -> None:
    here = machine({"text": "Good morning."})
    here.desk.app.change_settings("engine", unload_after_min=5)
    here.now_s = 5 * 60
    here.sleep.check_memory()
    here.desk.wait(here.is_asleep)
    here.desk.type("A")
    assert here.loader.state == "loading"
    here.desk.wait(lambda: here.loader.state == "ready")
    here.desk.type("re you there?")
    here.desk.press(Qt.Key.Key_Return)
    here.desk.wait(lambda: here.desk.last_text == "Good morning.")
    assert here.loads() == 2


def test_an_answer_is_never_cut_it_warns_and_sleeps_afterwards(machine: Callable[..., Machine]) -> None:
    here = machine(SLOW)
    here.desk.type("Count")
    here.desk.press(Qt.Key.Key_Return)
    here.desk.wait(lambda: "three" in here.desk.last_text)
    here.memory = SHORT
    here.sleep.check_memory()
    assert here.loader.state == "ready"
    assert here.desk.notices == [WAITS_FOR_ANSWER.text]
    with here.desk.hears(here.desk.chat.answer_finished):
        here.desk.press(Qt.Key.Key_Escape)
    here.desk.wait(here.is_asleep)
    assert here.desk.notices == [PUT_TO_SLEEP]
    assert "three" in here.desk.last_text


def test_nothing_looks_while_no_model_is_in_memory(machine: Callable[..., Machine]) -> None:
    here = machine()
    assert here.sleep.is_watching
    here.loader.sleep()
    here.desk.wait(here.is_asleep)
    assert not here.sleep.is_watching
    here.loader.wake()
    here.desk.wait(lambda: here.loader.state == "ready")
    assert here.sleep.is_watching
