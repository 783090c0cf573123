"""A real model is tuned in the real child, keeps what was found, and answers meanwhile."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from app.core.events import CancelToken, ModelLoaded, TuningProgress
from app.engine.client import EngineClient
from app.engine.llama.llama_library import open_library
from app.engine.llama.model_parameters import context_parameters
from app.engine.model_shape import ModelLayout
from app.engine.protocol import Ask
from app.engine.tuning import FLASH_OFF, ModelTuning, TuningTable
from tests.helpers.engine import answer_of, load, user


def test_a_question_ends_tuning_at_once_and_is_answered(engine: EngineClient, starter: Path) -> None:
    load(engine, starter)
    events: list[object] = []
    began, ended = threading.Event(), threading.Event()

    def tune() -> None:
        for event in engine.tune():
            events.append(event)
            began.set()
        ended.set()

    thread = threading.Thread(target=tune)
    thread.start()
    assert began.wait(60)
    text, _ = answer_of(engine.generate([user("Hello")], max_tokens=4))
    assert text
    assert ended.wait(60)
    thread.join()
    assert all(isinstance(event, TuningProgress) for event in events)


def test_cancelling_ends_tuning_without_a_result(engine: EngineClient, tiny_model: Callable[[str], Path]) -> None:
    load(engine, tiny_model("llama"))
    cancel, found = CancelToken(), []
    for event in engine.tune(cancel=cancel):
        cancel.cancel()
        if isinstance(event, ModelTuning):
            found.append(event)
    assert not found


def test_a_tuned_model_begins_with_what_was_found(
    engine: EngineClient, tiny_model: Callable[[str], Path], tmp_path: Path
) -> None:
    path = tiny_model("llama")
    load(engine, path)
    *_, found = engine.tune(budget_s=0.3)
    assert isinstance(found, ModelTuning)
    assert min(found.answer_speed, found.answer_default_speed, found.prompt_speed, found.prompt_default_speed) > 0
    assert TuningTable(tmp_path / "engine").find_latest(path) == found
    file = tmp_path / "engine" / "tuning.json"
    # As if one thread had been best, without flash attention: what is really best differs from machine to machine.
    text = file.read_text().replace(f'"answer_threads": {found.answer_threads}', '"answer_threads": 1')
    text = text.replace(f'"prompt_threads": {found.prompt_threads}', '"prompt_threads": 1')
    text = text.replace('"is_faster": false', '"is_faster": true').replace('"flash": "auto"', '"flash": "off"')
    file.write_text(text)
    assert isinstance(list(engine.load(path))[-1], ModelLoaded)
    policy = engine.describe_devices().thread_policy
    assert (policy["decode"], policy["batch"]) == (1, 1)
    assert answer_of(engine.generate([user("Hello")], max_tokens=4))[0]


def test_flash_attention_is_switched_off_where_tuning_says_so_and_8_bit_allows_it() -> None:
    library = open_library()
    off = library.c.LLAMA_FLASH_ATTN_TYPE_DISABLED
    assert context_parameters(library, ModelLayout(512), 1, FLASH_OFF).flash_attn_type == off
    assert context_parameters(library, ModelLayout(512), 1).flash_attn_type != off
    assert context_parameters(library, ModelLayout(512, "q8_0"), 1, FLASH_OFF).flash_attn_type != off


@pytest.mark.parametrize("kind", ["experts", "gemma3", "lfm2", "mamba", "qwen35", "granitehybrid"])
def test_models_of_every_kind_of_memory_can_be_tuned(
    engine: EngineClient, tiny_model: Callable[[str], Path], kind: str
) -> None:
    path = tiny_model(kind)
    engine.folders = lambda: (path.parent,)
    load(engine, path)
    *_, found = engine.tune(budget_s=0.3)
    assert isinstance(found, ModelTuning)
    assert min(found.answer_speed, found.prompt_speed) > 0
    assert answer_of(engine.answer(Ask((), text="Hello", max_tokens=3)))[1].generated_tokens >= 0
