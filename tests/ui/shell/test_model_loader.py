"""Loading behind the window: progress, the old model kept when a new one fails, stopping, sleeping."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from app.core.errors.engine_errors import EngineStopped
from app.core.errors.model_errors import ModelLoadFailed
from app.core.events import Message, Role
from app.engine.contract import ensure_loaded
from app.engine.protocol import OPEN
from app.features.error_messages import sentence_for
from app.features.models.model_messages import GPU_NOT_FOUND, LOADED_ON_CPU, NOT_REACHED
from app.ui.settings.dialog import SettingsDialog
from app.ui.shared_labels import SETTINGS, STARTER
from app.ui.shell import tasks
from app.ui.shell.model_about import LOADING_PERCENT, state_word
from app.ui.shell.model_loader import ModelLoader, model_name
from app.ui.shell.status_line import CPU_ONE_THREAD, CPU_THREADS
from tests.helpers.desks.window import Frame, open_window
from tests.helpers.script import write_script
from tests.helpers.texts import start_of


def until(qtbot: QtBot, loader: ModelLoader, state: str) -> None:
    qtbot.waitUntil(lambda: loader.state == state)


def model(tmp_path: Path, name: str) -> Path:
    path = tmp_path / name
    path.write_bytes(b"GGUF")
    return path


@pytest.fixture
def script(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Puts rules for loading in force; call it before the window opens."""

    def put(*rules: dict[str, Any]) -> None:
        path = write_script(tmp_path / "rules")
        path.write_text(json.dumps({"load": list(rules)}), "utf-8")
        monkeypatch.setenv("FIRESIDE_ENGINE_SCRIPT", str(path))

    return put


@pytest.mark.parametrize(
    ("file", "name"),
    [
        ("Qwen3.5-4B-Q4_K_M.gguf", "Qwen3.5 4B"),
        ("gemma-4-26B-A4B-it-qat-q4_0.gguf", "gemma 4 26B A4B it qat"),
        ("big-model-BF16-00001-of-00003.gguf", "big model"),
        ("plain.gguf", "plain"),
        ("Q8_0.gguf", "Q8 0"),
    ],
)
def test_a_model_is_called_what_people_call_it(file: str, name: str) -> None:
    assert model_name(Path("/models") / file) == name


def test_the_starter_is_called_what_it_is(starter: Path) -> None:
    assert model_name(starter) == STARTER


def test_loading_tells_how_far_and_then_ready(frame: Frame, qtbot: QtBot, tmp_path: Path) -> None:
    words: list[str] = []
    frame.loader.changed.connect(lambda: words.append(state_word(frame.loader)))
    frame.loader.load(model(tmp_path, "Small-1B-Q8_0.gguf"))
    until(qtbot, frame.loader, "ready")
    assert words[0] == LOADING_PERCENT.format(percent=0)
    assert words[-1] == "ready"
    assert frame.chat.model_states[-1] == "ready"
    assert (frame.loader.name, state_word(frame.loader)) == ("Small 1B", "ready")
    assert frame.device.text().startswith(start_of(CPU_THREADS))


def test_a_model_is_remembered_only_when_it_could_be_loaded(
    qapp: QApplication, qtbot: QtBot, tmp_path: Path, script: Any
) -> None:
    script({"error": "ModelUnreadable", "fields": {"path": "x", "reason": "truncated"}, "times": 1}, {})
    good, bad = model(tmp_path, "good.gguf"), model(tmp_path, "bad.gguf")
    with open_window(qapp) as frame:
        frame.loader.load(bad)
        until(qtbot, frame.loader, "ready")  # the starter, as the way back
        assert str(bad) not in frame.settings.engine.known_models
        frame.loader.load(good)
        qtbot.waitUntil(lambda: frame.loader.path == good and frame.loader.state == "ready")
        assert frame.settings.engine.model_path == str(good)
        assert str(good) in frame.settings.engine.known_models


def test_a_failure_keeps_the_old_model_and_says_why(
    qapp: QApplication, qtbot: QtBot, tmp_path: Path, script: Any
) -> None:
    script({"times": 1}, {"error": "ModelLoadFailed", "fields": {"path": "b.gguf", "detail": "x"}, "times": 1}, {})
    with open_window(qapp) as frame:
        frame.loader.load(model(tmp_path, "a.gguf"))
        until(qtbot, frame.loader, "ready")
        frame.loader.load(model(tmp_path, "b.gguf"))
        qtbot.waitUntil(lambda: bool(frame.notices))
        qtbot.waitUntil(lambda: frame.loader.state == "ready")
        assert frame.loader.name == "a"
        assert sentence_for(ModelLoadFailed("b.gguf", "x")).text in frame.notices[0]
        assert frame.engine.loaded is not None


def test_a_second_choice_replaces_the_first_while_it_loads(
    qapp: QApplication, qtbot: QtBot, tmp_path: Path, script: Any
) -> None:
    script({"seconds": 30, "times": 1}, {})
    with open_window(qapp) as frame:
        frame.loader.load(model(tmp_path, "slow.gguf"))
        qtbot.waitUntil(lambda: frame.loader.fraction > 0)
        frame.loader.load(model(tmp_path, "quick.gguf"))
        until(qtbot, frame.loader, "ready")
        assert frame.loader.name == "quick"
        assert not frame.notices


def test_loading_can_be_stopped(qapp: QApplication, qtbot: QtBot, tmp_path: Path, script: Any) -> None:
    script({"seconds": 30})
    with open_window(qapp) as frame:
        frame.loader.load(model(tmp_path, "slow.gguf"))
        qtbot.waitUntil(lambda: frame.loader.fraction > 0)
        frame.loader.cancel()
        until(qtbot, frame.loader, "asleep")
        assert not frame.notices


def test_a_child_that_went_away_puts_the_model_to_sleep(frame: Frame, qtbot: QtBot, tmp_path: Path) -> None:
    frame.loader.load(model(tmp_path, "a.gguf"))
    until(qtbot, frame.loader, "ready")
    frame.engine.unload()
    frame.loader.sync_with_engine()
    assert (frame.loader.state, state_word(frame.loader)) == ("asleep", "asleep")


def test_the_starter_answers_for_a_chosen_file_that_is_away_and_says_so_until_it_is_back(
    frame: Frame, qtbot: QtBot, tmp_path: Path, starter: Path
) -> None:
    chosen = tmp_path / "disk" / "big.gguf"
    frame.app.change_settings("engine", model_path=str(chosen))
    frame.loader.stand_by(None)
    frame.loader.start()
    until(qtbot, frame.loader, "ready")
    assert frame.loader.path == starter
    said = replace(NOT_REACHED, values={"name": model_name(chosen), "starter": STARTER})
    assert frame.notices == [str(said)]
    assert frame.settings.engine.model_path == str(chosen), "the choice is kept"
    assert frame.app.usual_model() is None, "whatever is loaded answers"
    chosen.parent.mkdir()
    model(chosen.parent, chosen.name)
    assert frame.app.usual_model() == chosen
    tasks.run(lambda cancel: iter([ensure_loaded(frame.engine, chosen, OPEN, cancel=cancel)]), frame.loader)
    qtbot.waitUntil(lambda: frame.loader.path == chosen and frame.loader.state == "ready")
    assert frame.notices == []


def test_each_step_is_said_while_it_is_tried_and_the_outcome_afterwards(
    qapp: QApplication, qtbot: QtBot, tmp_path: Path, script: Any
) -> None:
    script({"steps": ["fewer_layers", "cpu"], "layers": 33})
    said: list[str] = []
    with open_window(qapp) as frame:
        frame.loader.changed.connect(lambda: said.extend(frame.notices))
        frame.loader.load(model(tmp_path, "a.gguf"))
        until(qtbot, frame.loader, "ready")
        assert list(dict.fromkeys(said)) == [
            "Trying with fewer layers on the GPU…",
            "Trying on the CPU…",
            LOADED_ON_CPU,
        ]
        assert frame.notices == [LOADED_ON_CPU]
        assert frame.device.text() == CPU_ONE_THREAD


def test_a_gpu_that_is_not_used_is_said_with_a_way_to_the_settings(
    qapp: QApplication, qtbot: QtBot, tmp_path: Path, script: Any
) -> None:
    script({"gpu_missed": "no_device"})
    with open_window(qapp) as frame:
        frame.loader.load(model(tmp_path, "a.gguf"))
        until(qtbot, frame.loader, "ready")
        assert frame.notices == [GPU_NOT_FOUND]
        frame.press_notice(SETTINGS)
        frame.find_step(SettingsDialog).close()


def count_in_background(frame: Frame) -> None:
    """A request that needs the model, as an answer would make it."""
    tasks.run(lambda _: iter([frame.engine.count_tokens([Message(Role.USER, "hi")])]), frame.window)


def test_a_request_wakes_it_with_progress_and_the_state_follows(
    qapp: QApplication, qtbot: QtBot, tmp_path: Path, script: Any
) -> None:
    script({"times": 1}, {"seconds": 0.3})
    with open_window(qapp) as frame:
        frame.loader.load(model(tmp_path, "a.gguf"))
        until(qtbot, frame.loader, "ready")
        frame.loader.sleep()
        assert frame.loader.state == "asleep"
        assert frame.chat.model_states[-1] == "asleep"
        assert (frame.loader.name, state_word(frame.loader)) == ("a", "asleep")
        qtbot.waitUntil(lambda: frame.loader.wakes_up)
        qtbot.waitUntil(lambda: len(tasks.running) == 0)
        seen: list[str] = []
        frame.loader.changed.connect(lambda: seen.append(state_word(frame.loader)))
        count_in_background(frame)
        until(qtbot, frame.loader, "ready")
        assert (seen[0], seen[-1]) == (LOADING_PERCENT.format(percent=0), "ready")
        assert len(seen) > 2, "how far it is was told"
        assert frame.loader.model == frame.engine.loaded


def test_a_model_that_cannot_wake_up_is_asleep_again(
    qapp: QApplication, qtbot: QtBot, tmp_path: Path, script: Any
) -> None:
    script({"times": 1}, {"seconds": 0.1, "crash": 3, "times": 1}, {})
    with open_window(qapp) as frame:
        frame.loader.load(model(tmp_path, "a.gguf"))
        until(qtbot, frame.loader, "ready")
        frame.loader.sleep()
        qtbot.waitUntil(lambda: frame.loader.wakes_up)
        with pytest.raises(EngineStopped):
            frame.engine.count_tokens([Message(Role.USER, "hi")])
        until(qtbot, frame.loader, "asleep")
        assert frame.loader.wakes_up
        frame.loader.wake()
        until(qtbot, frame.loader, "ready")


def test_the_engine_is_told_all_that_the_settings_say(frame: Frame, qtbot: QtBot, tmp_path: Path) -> None:
    frame.app.change_settings(
        "engine", kv_type="q8_0", devices=("Vulkan0", "Vulkan1"), experts_on_cpu=True, gpu_layers=12, threads=3
    )
    frame.loader.load(model(tmp_path, "a.gguf"))
    until(qtbot, frame.loader, "ready")
    told = json.loads((tmp_path / "script" / "prompts.jsonl").read_text().splitlines()[0])["wish"]
    assert told["kv_type"] == "q8_0"
    assert told["devices"] == ["Vulkan0", "Vulkan1"]
    assert (told["experts_on_cpu"], told["gpu_layers"], told["threads"]) == (True, 12, 3)
