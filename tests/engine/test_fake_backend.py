"""The scripted backend: rules, their order, and what it remembers."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from app.core.errors import ChatUnavailable, ModelMissing, PromptTooLong
from app.core.events import FinishReason
from app.engine.client import EngineClient
from tests.helpers.engine import ANY_PATH, answer_of, assistant, load, user

Make = Callable[..., EngineClient]


def test_the_first_rule_that_fits_answers_and_uses_are_counted(scripted: Make) -> None:
    client = scripted(answers=[{"when": "^sea$", "text": "Blue"}, {"text": "First", "times": 1}, {"text": "Then"}])
    texts = [answer_of(client.generate([user(question)]))[0] for question in ("hi", "sea", "hi", "hi")]
    assert texts == ["First", "Blue", "Then", "Then"]


def test_every_request_is_logged(scripted: Make, tmp_path: Path) -> None:
    client = scripted(log="prompts.jsonl")
    answer_of(client.generate([user("one"), assistant("two"), user("three")], stop=["x"]))
    lines = (tmp_path / "scripted0" / "prompts.jsonl").read_text().splitlines()
    logged = [json.loads(line) for line in lines]
    assert [body["type"] for body in logged] == ["LoadModel", "Generate"]
    turns = [(one["role"], one["text"]) for one in logged[1]["ask"]["messages"]]
    assert turns == [("user", "one"), ("assistant", "two"), ("user", "three")]


def test_words_are_tokens_and_the_prompt_is_remembered(scripted: Make) -> None:
    client = scripted(answers=[{"text": "One two three."}])
    text, first = answer_of(client.generate([user("hi")]))
    _, second = answer_of(client.generate([user("hi"), assistant(text), user("go on")]))
    assert (first.generated_tokens, first.prompt_tokens, first.reused_tokens) == (3, 5, 0)
    assert second.reused_tokens == 5


def test_the_context_is_a_limit(scripted: Make) -> None:
    client = scripted(load=ANY_PATH | {"context_tokens": 8}, answers=[{"text": "a b c d e f"}])
    text, stats = answer_of(client.generate([user("hi")]))
    assert (text, stats.finish_reason) == ("a b c", FinishReason.CONTEXT)
    with pytest.raises(PromptTooLong):
        list(client.generate([user("one two three four five")]))


def test_the_finish_reason_may_be_scripted(scripted: Make) -> None:
    client = scripted(answers=[{"text": "half", "finish": "length"}])
    assert answer_of(client.generate([user("hi")]))[1].finish_reason is FinishReason.LENGTH


def test_a_completion_model_may_be_scripted(scripted: Make) -> None:
    client = scripted(load=ANY_PATH | {"can_chat": False})
    with pytest.raises(ChatUnavailable):
        list(client.generate([user("hi")]))


def test_a_missing_file_is_missing_unless_the_script_says_otherwise(scripted: Make) -> None:
    client = scripted(loaded=False, load={})
    with pytest.raises(ModelMissing):
        load(client, Path("nowhere.gguf"))
