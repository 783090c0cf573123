"""Thinking, its budget, and typed answers, with real models in the real engine child."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.core.errors.request_errors import GrammarInvalid
from app.core.events import TextDelta
from app.engine.client import EngineClient
from tests.helpers import tiny_models
from tests.helpers.engine import GREEDY, answer_of, load, user

SCHEMA = json.dumps(
    {
        "type": "object",
        "properties": {"name": {"type": "string", "maxLength": 10}, "legs": {"enum": [2, 4]}},
        "required": ["name", "legs"],
    }
)
TEMPLATE = tiny_models.TEMPLATE.replace(
    "<|im_start|>assistant\n' }}{% endif %}",
    "<|im_start|>assistant\n' }}{% if enable_thinking is defined and enable_thinking is false %}"
    "{{ '<think>\n\n</think>\n\n' }}{% else %}{{ '<think>\n' }}{% endif %}{% endif %}",
)


@pytest.fixture
def thinker(engine: EngineClient, tmp_path: Path) -> EngineClient:
    """A tiny model whose template opens the thinking; it never closes it itself."""
    load(engine, tiny_models.make_tiny("llama", tmp_path / "thinker.gguf", template=TEMPLATE))
    return engine


def thought_and_said(events: Iterator[object]) -> tuple[str, str]:
    deltas = [event for event in events if isinstance(event, TextDelta)]
    return "".join(d.text for d in deltas if d.thinking), "".join(d.text for d in deltas if not d.thinking)


def test_a_template_that_opens_thinking_is_offered_as_a_switch(thinker: EngineClient) -> None:
    assert thinker.loaded is not None
    assert thinker.loaded.thinking == "switch"


def test_a_budget_closes_the_thinking_and_the_answer_follows(thinker: EngineClient) -> None:
    thought, said = thought_and_said(thinker.generate([user("hi")], max_tokens=6, thinking_budget=9, sampling=GREEDY))
    assert 9 <= len(thought) <= 10
    assert len(said.strip()) == 6
    assert "think" not in said


def test_without_any_budget_the_answer_begins_at_once(thinker: EngineClient) -> None:
    thought, said = thought_and_said(thinker.generate([user("hi")], max_tokens=6, thinking_budget=0, sampling=GREEDY))
    assert (thought, len(said.strip())) == ("", 6)


def test_thinking_that_is_switched_off_does_not_happen(thinker: EngineClient) -> None:
    variables = {"enable_thinking": False}
    thought, said = thought_and_said(
        thinker.generate([user("hi")], max_tokens=6, template_variables=variables, sampling=GREEDY)
    )
    assert (thought, len(said.strip())) == ("", 6)


def test_a_grammar_is_for_the_answer_after_the_thinking(thinker: EngineClient) -> None:
    thought, said = thought_and_said(
        thinker.generate([user("hi")], thinking_budget=5, grammar='root ::= "abc" [x-z]', sampling=GREEDY)
    )
    assert len(thought) >= 5
    assert said[:3] == "abc"
    assert said[3:] in ("x", "y", "z")


@pytest.mark.model
def test_a_schema_gives_a_value(starter_engine: EngineClient) -> None:
    asked = starter_engine.generate([user("Name an animal, as JSON.")], json_schema=SCHEMA, sampling=GREEDY)
    animal = json.loads(answer_of(asked)[0])
    assert set(animal) == {"name", "legs"}
    assert animal["legs"] in (2, 4)


@pytest.mark.model
@pytest.mark.parametrize(
    "options", [{"grammar": "root ::= root"}, {"json_schema": "{"}, {"grammar": "root ::= <[999999]>"}]
)
def test_a_bad_grammar_fails_alone_and_the_engine_goes_on(
    starter_engine: EngineClient, options: dict[str, str]
) -> None:
    pid = starter_engine.pid
    with pytest.raises(GrammarInvalid):
        answer_of(starter_engine.generate([user("Hi")], **options))
    text, _ = answer_of(starter_engine.generate([user("Say hello.")], max_tokens=5, sampling=GREEDY))
    assert text.strip()
    assert starter_engine.pid == pid
