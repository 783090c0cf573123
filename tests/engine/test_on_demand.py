"""A model that sleeps takes no memory and comes back with the next request that needs it."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from app.core.child import own_command
from app.core.errors.engine_errors import EngineStopped
from app.core.errors.model_errors import ModelLoadFailed, NoModel
from app.core.events import CancelToken, FinishReason, LoadProgress, ModelLoaded
from app.engine.client import EngineClient
from app.engine.protocol import Wish
from tests.helpers.engine import ANY_PATH, answer_of, load, user
from tests.helpers.script import write_script

Make = Callable[..., EngineClient]


@pytest.fixture
def on_demand(tmp_path: Path) -> Iterator[Make]:
    """Makes an engine with a script and the model `first.gguf`."""
    made: list[EngineClient] = []

    def make(**script: Any) -> EngineClient:
        path = tmp_path / "script.json"
        path.write_text(json.dumps({"log": "log.jsonl", "load": ANY_PATH} | script), "utf-8")
        engine = EngineClient([*own_command("--engine-worker"), "--scripted", str(path)], tmp_path / "engine")
        made.append(engine)
        load(engine, Path("first.gguf"), context_tokens=2048, kv_type="q8_0", devices=("CPU",))
        return engine

    yield make
    for engine in made:
        engine.close()


def loads(tmp_path: Path) -> list[dict[str, Any]]:
    lines = (tmp_path / "log.jsonl").read_text().splitlines()
    return [body for body in map(json.loads, lines) if body["type"] == "LoadModel"]


def test_a_sleeping_model_is_out_of_the_child_and_the_child_lives(on_demand: Make) -> None:
    engine = on_demand()
    pid = engine.pid
    engine.sleep()
    assert engine.asleep_path is not None
    assert engine.loaded is None
    assert engine.pid == pid is not None


def test_the_next_message_brings_it_back_as_it_was(on_demand: Make, tmp_path: Path) -> None:
    engine = on_demand()
    heard: list[object] = []
    engine.on_waking = heard.append
    engine.sleep()
    text, _ = answer_of(engine.generate([user("hi")]))
    assert text == "You said: hi"
    assert engine.asleep_path is None
    first, second = ({k: v for k, v in body.items() if k != "id"} for body in loads(tmp_path))
    assert first == second
    assert isinstance(heard[0], LoadProgress)
    assert isinstance(heard[-1], ModelLoaded)


def test_it_comes_back_by_the_settings_of_now_but_for_what_was_asked_beside_them(tmp_path: Path) -> None:
    path = write_script(tmp_path, {"when": "crash", "crash_after": 0}, log="log.jsonl")
    settings = [Wish(context_tokens=1024, threads=2)]
    command = [*own_command("--engine-worker"), "--scripted", str(path)]
    engine = EngineClient(command, tmp_path / "engine")
    engine.settings_wish = lambda: settings[-1]
    load(engine, Path("first.gguf"), context_tokens=4096, threads=2)  # a context of its own, as `serve` may want it
    assert not engine.is_outdated
    settings.append(Wish(context_tokens=2048, threads=3, kv_type="q8_0"))
    assert engine.is_outdated
    engine.sleep()
    assert answer_of(engine.generate([user("hi")]))[0] == "You said: hi"
    assert not engine.is_outdated
    settings.append(Wish(context_tokens=2048, threads=4))
    with pytest.raises(EngineStopped):
        list(engine.generate([user("crash")]))
    assert answer_of(engine.generate([user("hi")]))[0] == "You said: hi"
    wishes = [body["wish"] for body in loads(tmp_path)]
    assert [(one["context_tokens"], one["threads"], one["kv_type"]) for one in wishes] == [
        (4096, 2, ""),
        (4096, 3, "q8_0"),
        (4096, 4, ""),
    ]
    engine.close()


def test_sleeping_twice_or_without_a_model_changes_nothing(on_demand: Make, tmp_path: Path) -> None:
    engine = on_demand()
    engine.sleep()
    engine.sleep()
    answer_of(engine.generate([user("hi")]))
    engine.unload()
    engine.sleep()
    assert engine.asleep_path is None
    with pytest.raises(NoModel):
        list(engine.generate([user("hi")]))
    assert len(loads(tmp_path)) == 2


def test_two_requests_at_once_wake_it_once(on_demand: Make, tmp_path: Path) -> None:
    engine = on_demand(load=ANY_PATH | {"seconds": 0.2})
    engine.sleep()
    answers: list[str] = []
    threads = [
        threading.Thread(target=lambda: answers.append(answer_of(engine.generate([user("hi")]))[0])) for _ in range(3)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == ["You said: hi"] * 3
    assert len(loads(tmp_path)) == 2


def test_another_model_that_is_loaded_takes_its_place(on_demand: Make, tmp_path: Path) -> None:
    engine = on_demand()
    engine.sleep()
    load(engine, Path("second.gguf"))
    assert engine.asleep_path is None
    answer_of(engine.generate([user("hi")]))
    assert [Path(body["path"]).name for body in loads(tmp_path)] == ["first.gguf", "second.gguf"]


def test_a_load_that_was_stopped_leaves_it_asleep(on_demand: Make) -> None:
    engine = on_demand(load=[ANY_PATH | {"times": 1}, ANY_PATH | {"seconds": 30, "times": 1}, ANY_PATH])
    engine.sleep()
    token = CancelToken()
    for _ in engine.load(Path("second.gguf"), cancel=token):
        token.cancel()
    assert engine.asleep_path is not None
    assert answer_of(engine.generate([user("hi")]))[0] == "You said: hi"
    assert engine.loaded is not None
    assert engine.loaded.name == "first"


def test_a_message_that_is_stopped_while_it_wakes_ends_and_leaves_it_asleep(on_demand: Make) -> None:
    engine = on_demand(load=[ANY_PATH | {"times": 1}, ANY_PATH | {"seconds": 30, "times": 1}, ANY_PATH])
    engine.sleep()
    token = CancelToken()
    heard: list[object] = []

    def on_waking(event: object) -> None:
        heard.append(event)
        token.cancel()

    engine.on_waking = on_waking
    _, stats = answer_of(engine.generate([user("hi")], cancel=token))
    assert stats.finish_reason is FinishReason.CANCELLED
    assert heard[-1] is None
    assert engine.asleep_path is not None


def test_a_model_that_does_not_come_back_says_why_and_is_tried_again(on_demand: Make) -> None:
    failing = ANY_PATH | {"error": "ModelLoadFailed", "fields": {"path": "x", "detail": "no memory"}, "times": 1}
    engine = on_demand(load=[ANY_PATH | {"times": 1}, failing, ANY_PATH])
    heard: list[object] = []
    engine.on_waking = heard.append
    engine.sleep()
    with pytest.raises(ModelLoadFailed):
        list(engine.generate([user("hi")]))
    assert heard == [None]
    assert answer_of(engine.generate([user("hi")]))[0] == "You said: hi"
