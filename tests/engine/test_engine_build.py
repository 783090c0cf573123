"""A checkout's window opens while its engine is still being built: loading waits for that, and messages for loading."""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.core.child import own_command
from app.core.errors.engine_errors import EngineNotBuilt
from app.core.events import CancelToken, LoadProgress, ModelLoaded
from app.engine.client import EngineClient
from app.engine.engine_build import STEP, EngineBuild
from tests.helpers.engine import answer_of, user
from tests.helpers.script import write_script

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "engine-build.log"
    path.write_text("Installing the pinned packages.\n  engine: step 20 of 100, 31 s\n", "utf-8")
    return path


@pytest.fixture
def engine(tmp_path: Path, log: Path) -> Iterator[EngineClient]:
    script = write_script(tmp_path, {"when": "crash", "crash_after": 0}, log="log.jsonl")
    engine = EngineClient([*own_command("--engine-worker"), "--scripted", str(script)], tmp_path / "engine")
    engine.build = EngineBuild(log)
    yield engine
    engine.close()


def add_line(log: Path, line: str) -> None:
    with log.open("a", encoding="utf-8") as file:
        file.write(line + "\n")


def test_loading_and_a_message_wait_for_the_build(engine: EngineClient, log: Path) -> None:
    loading = engine.load(Path("first.gguf"))
    first = next(loading)
    assert isinstance(first, LoadProgress) and first.step == STEP and 0.1 < first.fraction < 0.3
    assert engine.pid is None, "no child can run before its library is there"
    answers: list[str] = []
    asking = threading.Thread(target=lambda: answers.append(answer_of(engine.generate([user("hi")]))[0]))
    asking.start()
    add_line(log, "  engine: step 90 of 100, 99 s")
    assert any(isinstance(event, LoadProgress) and event.fraction > 0.8 for event in loading)
    assert not answers
    add_line(log, "set-up ended: 0")
    assert isinstance(list(loading)[-1], ModelLoaded)
    asking.join(60)
    assert answers == ["You said: hi"]


def test_waiting_for_the_build_is_cancelled_at_once(engine: EngineClient) -> None:
    cancel = CancelToken()
    loading = engine.load(Path("first.gguf"), cancel=cancel)
    next(loading)
    stopped = CancelToken()
    stopped.cancel()
    assert answer_of(engine.generate([user("hi")], cancel=stopped))[0] == ""
    cancel.cancel()
    assert list(loading) == []


def test_a_build_that_failed_is_said_wherever_a_model_is_needed(engine: EngineClient, log: Path) -> None:
    add_line(log, "set-up ended: 2")
    with pytest.raises(EngineNotBuilt):
        list(engine.load(Path("first.gguf")))
    with pytest.raises(EngineNotBuilt):
        list(engine.generate([user("hi")]))
    assert engine.pid is None


@pytest.mark.parametrize(
    ("arguments", "opens_meanwhile"),
    [
        (["DISPLAY=:99", "ENGINE=not-there"], True),
        (["DISPLAY=", "WAYLAND_DISPLAY=", "ENGINE=not-there"], False),
        pytest.param(["DISPLAY=:99", "ENGINE=not-there", "ARGS=doctor"], False, marks=pytest.mark.slow),
        pytest.param(["DISPLAY=:99", "ENGINE=Makefile"], False, marks=pytest.mark.slow),
    ],
)
def test_make_run_opens_the_window_meanwhile(arguments: list[str], opens_meanwhile: bool) -> None:
    """Only with a display, without a command, and before the engine was built for the first time."""
    said = subprocess.run(
        ["make", "--dry-run", "run", *arguments], cwd=ROOT, capture_output=True, text=True, timeout=60, check=True
    )
    assert ("FIRESIDE_ENGINE_BUILD=" in said.stdout) is opens_meanwhile
