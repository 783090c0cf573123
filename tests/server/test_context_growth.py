"""A prompt that does not fit the loaded context: the model comes again with a larger one, or it is said what to do."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from app.core.child import own_command
from app.engine.client import EngineClient
from app.engine.protocol import Wish
from app.features import context_growth
from app.features.context_growth import affordable_context, context_for
from tests.helpers.engine import ANY_PATH, load
from tests.helpers.program import wait_until
from tests.server.conftest import Served, serve

Make = Callable[..., Served]
SMALL = ANY_PATH | {"context_tokens": 100, "trained_context_tokens": 100_000}
LONG = "word " * 9000


def logged(folder: Path, kind: str) -> list[dict[str, Any]]:
    log = folder / "engine" / "prompts.jsonl"
    lines = log.read_text("utf-8").splitlines(keepends=True) if log.exists() else []
    return [one for one in map(json.loads, (line for line in lines if line.endswith("\n"))) if one["type"] == kind]


def test_a_context_is_doubled_until_prompt_and_answer_fit_and_never_beyond_the_model() -> None:
    assert context_for(5000, 0) == 8192
    assert context_for(18_726, 0) == context_for(30_000, 32_768) == 32_768
    assert context_for(31_000, 131_072) == 65_536
    assert context_for(31_000, 40_000) == 40_000


def test_a_prompt_that_does_not_fit_has_the_model_come_with_a_larger_context(scripted: Make, tmp_path: Path) -> None:
    served = scripted({"text": "fine"}, load=SMALL, log="prompts.jsonl")
    assert served.chat("short").status_code == 200
    streamed = served.chat(LONG, stream=True)
    assert "fine" in streamed.text
    assert served.chat("short").status_code == 200
    assert [one["wish"]["context_tokens"] for one in logged(tmp_path, "LoadModel")] == [0, 16_384]
    grown = served.serving.grown
    assert grown is not None
    assert (grown.before_tokens, grown.context_tokens) == (100, 16_384)


def test_an_answer_that_runs_is_written_to_its_end_before_the_model_leaves(scripted: Make, tmp_path: Path) -> None:
    held = {"when": "first", "text": "one two three four", "held_after": 2, "until": "go"}
    served = scripted(held, {"text": "fine"}, load=SMALL, log="prompts.jsonl")
    answers: dict[str, str] = {}

    def ask(name: str, text: str) -> None:
        answers[name] = served.chat(text).json()["choices"][0]["message"]["content"]

    first = threading.Thread(target=ask, args=("first", "first"))
    first.start()
    wait_until(lambda: logged(tmp_path, "Generate"), "the first question")
    second = threading.Thread(target=ask, args=("second", LONG))
    second.start()
    wait_until(lambda: len(logged(tmp_path, "Generate")) == 2, "the second one")
    (tmp_path / "engine" / "go").touch()
    first.join()
    second.join()
    assert answers == {"first": "one two three four", "second": "fine"}
    assert [one["wish"]["context_tokens"] for one in logged(tmp_path, "LoadModel")] == [0, 16_384]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"wish": Wish(context_tokens=100)}, "fireside serve --context 16384"),
        ({"affords": lambda engine, model, wish: 4096}, "context of 4096"),
        ({"load": SMALL | {"trained_context_tokens": 8192}}, "at most 8192"),
    ],
)
def test_where_it_cannot_grow_the_numbers_and_what_to_change_are_said(
    scripted: Make, options: dict[str, Any], words: str
) -> None:
    served = scripted({"text": "fine"}, **({"load": SMALL} | options))
    refused = served.chat(LONG)
    assert refused.status_code == 400
    error = refused.json()["error"]
    assert (error["code"], error["n_ctx"]) == ("context_length_exceeded", 100)
    assert error["message"].startswith(f"prompt is too long: {error['n_prompt_tokens']} tokens > 100 maximum")
    assert words in error["message"]
    asked = {"max_tokens": 9, "messages": [{"role": "user", "content": LONG}]}
    assert words in served.client.post("messages", json=asked).json()["error"]["message"]
    assert served.chat("short").status_code == 200


def test_programs_that_may_load_nothing_let_no_context_grow(scripted: Make) -> None:
    served = scripted({"text": "fine"}, load=SMALL)
    assert served.chat("short").status_code == 200
    served.may_load = False
    assert "Settings, Performance, Context" in served.chat(LONG).json()["error"]["message"]


def test_where_loading_again_fails_the_model_is_back_as_it_was(scripted: Make) -> None:
    failing = {"error": "ModelLoadFailed", "fields": {"path": "x", "detail": "out of memory"}, "times": 1}
    served = scripted({"text": "fine"}, load=[SMALL | {"times": 1}, ANY_PATH | failing, SMALL])
    assert served.chat("short").status_code == 200
    assert served.chat(LONG).status_code == 503
    assert served.chat("short").status_code == 200
    assert [one.context_tokens for one in served.serving.list_models()] == [100, 0]


@pytest.mark.slow
def test_a_real_model_comes_with_what_fits(starter: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with ExitStack() as stack:
        engine = EngineClient(own_command("--engine-worker"), tmp_path / "engine")
        stack.callback(engine.close)
        served = serve(engine, [starter], stack)
        load(engine, starter, context_tokens=512)
        model = engine.loaded
        assert model is not None
        with monkeypatch.context() as scarce:
            scarce.setattr(context_growth, "free_memory_bytes", lambda: 310_000_000)
            scarce.setattr(context_growth, "total_memory_bytes", lambda: 2_000_000_000)
            assert 512 < affordable_context(engine, model, Wish(context_tokens=8192)) < 8192
        answered = served.chat("word " * 600, max_tokens=1).json()
        assert answered["usage"]["prompt_tokens"] > 600
        assert engine.loaded is not None
        assert engine.loaded.context_tokens == 8192
