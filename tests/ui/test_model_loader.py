"""Loading behind the window: progress, the old model kept when a new one fails, stopping, sleeping."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from app.core.paths import starter_model
from app.ui.model_loader import ModelLoader, model_name, size_text
from tests.helpers.script import write_script
from tests.helpers.ui import Frame, open_window


def until(qtbot: QtBot, loader: ModelLoader, state: str) -> None:
    qtbot.waitUntil(lambda: loader.state == state, timeout=15_000)


def model(tmp_path: Path, name: str) -> Path:
    path = tmp_path / name
    path.write_bytes(b"GGUF")
    return path


@pytest.fixture
def script(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Puts rules for loading in force; call it before the window opens."""

    def put(*rules: dict[str, Any]) -> None:
        path = write_script(tmp_path / "rules")
        path.write_text('{"load": ' + str(list(rules)).replace("'", '"').replace("True", "true") + "}", "utf-8")
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
    assert model_name(starter) == "Starter"


@pytest.mark.parametrize(("size_bytes", "text"), [(144_811_072, "0.1 GB"), (2_700_000_000, "2.7 GB"), (800, "1 MB")])
def test_sizes_are_short(size_bytes: int, text: str) -> None:
    assert size_text(size_bytes) == text


def test_loading_tells_how_far_and_then_ready(frame: Frame, qtbot: QtBot, tmp_path: Path) -> None:
    words: list[str] = []
    frame.loader.changed.connect(lambda: words.append(frame.loader.word))
    frame.loader.load(model(tmp_path, "Small-1B-Q8_0.gguf"))
    until(qtbot, frame.loader, "ready")
    assert words[0] == "loading 0 %"
    assert words[-1] == "ready"
    assert frame.chat.model_states[-1] == ("ready", "Small 1B: ready")
    assert frame.window.status.device.text().startswith("CPU, ")


def test_a_model_is_remembered_only_when_it_could_be_loaded(
    qapp: QApplication, qtbot: QtBot, tmp_path: Path, script: Any
) -> None:
    script({"error": "ModelUnreadable", "fields": {"path": "x", "reason": "truncated"}, "times": 1}, {})
    good, bad = model(tmp_path, "good.gguf"), model(tmp_path, "bad.gguf")
    with open_window(qapp) as frame:
        frame.loader.load(bad)
        until(qtbot, frame.loader, "ready")  # the starter, as the way back
        assert str(bad) not in frame.app.settings.engine.known_models
        frame.loader.load(good)
        qtbot.waitUntil(lambda: frame.loader.path == good and frame.loader.state == "ready")
        assert frame.app.settings.engine.model_path == str(good)
        assert good in frame.app.known_models()


def test_a_failure_keeps_the_old_model_and_says_why(
    qapp: QApplication, qtbot: QtBot, tmp_path: Path, script: Any
) -> None:
    script({"times": 1}, {"error": "ModelLoadFailed", "fields": {"path": "b.gguf", "detail": "x"}, "times": 1}, {})
    with open_window(qapp) as frame:
        frame.loader.load(model(tmp_path, "a.gguf"))
        until(qtbot, frame.loader, "ready")
        frame.loader.load(model(tmp_path, "b.gguf"))
        qtbot.waitUntil(lambda: bool(frame.notices()))
        qtbot.waitUntil(lambda: frame.loader.state == "ready")
        assert frame.loader.name == "a"
        assert "b.gguf could not be loaded" in frame.notices()[0]
        assert frame.app.engine.loaded is not None


def test_a_missing_file_keeps_the_loaded_model(qapp: QApplication, qtbot: QtBot, tmp_path: Path, script: Any) -> None:
    script({})
    with open_window(qapp) as frame:
        frame.loader.load(model(tmp_path, "a.gguf"))
        until(qtbot, frame.loader, "ready")
        frame.window.open_files([str(tmp_path / "gone.gguf")])
        qtbot.waitUntil(lambda: frame.notices() == ["There is no file gone.gguf any more."])
        assert (frame.loader.name, frame.loader.state) == ("a", "ready")


def test_without_any_way_back_the_state_is_failed(qapp: QApplication, qtbot: QtBot, script: Any) -> None:
    script({"error": "ModelLoadFailed", "fields": {"path": "s.gguf", "detail": "x"}})
    with open_window(qapp) as frame:
        frame.loader.start()  # the starter itself
        until(qtbot, frame.loader, "failed")
        assert frame.loader.word == "failed"
        assert frame.chat.model_states[-1][0] == "failed"


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
        assert not frame.notices()


def test_loading_can_be_stopped(qapp: QApplication, qtbot: QtBot, tmp_path: Path, script: Any) -> None:
    script({"seconds": 30})
    with open_window(qapp) as frame:
        frame.loader.load(model(tmp_path, "slow.gguf"))
        qtbot.waitUntil(lambda: frame.loader.fraction > 0)
        frame.loader.cancel()
        until(qtbot, frame.loader, "asleep")
        assert not frame.notices()


def test_reloading_uses_the_settings_of_now(frame: Frame, qtbot: QtBot, tmp_path: Path) -> None:
    frame.loader.load(model(tmp_path, "a.gguf"))
    until(qtbot, frame.loader, "ready")
    frame.app.change("engine", context_tokens=1024)
    frame.loader.reload()
    until(qtbot, frame.loader, "ready")
    assert frame.loader.model is not None
    assert frame.loader.model.context_tokens == 1024
    assert "1k" in frame.window.status.gauge.accessibleName()


def test_a_child_that_went_away_puts_the_model_to_sleep(frame: Frame, qtbot: QtBot, tmp_path: Path) -> None:
    frame.loader.load(model(tmp_path, "a.gguf"))
    until(qtbot, frame.loader, "ready")
    frame.app.engine.unload()
    frame.loader.look()
    assert (frame.loader.state, frame.loader.word) == ("asleep", "asleep")


def test_the_starter_is_chosen_at_first(frame: Frame) -> None:
    assert frame.loader.path == starter_model()
    assert frame.loader.name == "Starter"
