"""The scripted backend: rules, their order, and what it remembers."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from app.core.errors.model_errors import ModelMissing
from app.core.errors.request_errors import ChatUnavailable, MediaRefused, PromptTooLong
from app.core.events import FinishReason, LookProgress, Media
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


def test_pictures_are_counted_and_looked_at_once(scripted: Make) -> None:
    client = scripted(load=ANY_PATH | {"sees": True, "picture_tokens": 10})
    picture = Media("3f", "/cache/3f.ppm", width=640, height=480)
    sound = Media("a0", "/cache/a0.wav", "sound", seconds=1)
    assert client.loaded is not None
    assert (client.loaded.sees, client.loaded.hears) == (True, False)
    assert [count.tokens for count in client.count_media([picture, replace(picture, most_tokens=4), sound])] == [
        10,
        4,
        0,
    ]
    turns = [replace(user("What is it?"), media=(picture,))]
    first = list(client.generate(turns))
    assert [event for event in first if isinstance(event, LookProgress)][-1] == LookProgress(1, 1, 1.0)
    second = list(client.generate([*turns, assistant("A cat."), user("And now?")]))
    measures = [(stats.media_tokens, stats.encoded_media) for _, stats in map(answer_of, (first, second))]
    assert measures == [(10, 1), (10, 0)]
    assert client.count_tokens(turns) == answer_of(first)[1].prompt_tokens
    with pytest.raises(MediaRefused):
        list(client.generate([replace(user("What is it?"), media=(sound,))]))
