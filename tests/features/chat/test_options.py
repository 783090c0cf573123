"""What a conversation asks of the engine: whose value counts, and how thinking is asked for."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from app.core.events import ModelLoaded
from app.core.settings import Settings
from app.engine.protocol import Ask, Sampling
from app.features.chat.chat_options import options_for, will_think
from app.store.conversation_row import Conversation

PLAIN = Conversation(1, "", "", None, "", "", 0.0, 0.0, None, False)


def model(thinking: str) -> ModelLoaded:
    return ModelLoaded("m.gguf", "m", 1, 4096, 4096, True, 1, 0, "CPU", 1, thinking=thinking)


def settings(**chat: Any) -> Settings:
    return Settings().changed("chat", **chat)


def variables(kind: str, wish: str = "", **chat: Any) -> Any:
    options = options_for(replace(PLAIN, thinking=wish), settings(**chat), model(kind))
    return options["template_variables"]


def test_everything_is_left_to_the_model_by_default() -> None:
    options = options_for(PLAIN, Settings(), model("switch"))
    assert options == {
        "sampling": Sampling(),
        "max_tokens": -1,
        "template_variables": {},
        "thinking_budget": -1,
        "stop_on_repetition": True,
    }
    assert Ask((), **options).thinking_budget == -1


def test_the_chat_goes_before_the_settings() -> None:
    chat = replace(PLAIN, temperature=0.3, sampling={"top_k": 5, "seed": 7})
    assert options_for(chat, settings(temperature=0.9), None)["sampling"] == Sampling(0.3, top_k=5, seed=7)
    assert options_for(PLAIN, settings(temperature=0.9), None)["sampling"] == Sampling(0.9)
    assert options_for(None, settings(temperature=0.0), None)["sampling"] == Sampling(0.0)


def test_the_chats_longest_answer_goes_before_the_settings_and_nonsense_is_passed_over() -> None:
    def longest(stored: object) -> object:
        chat = replace(PLAIN, sampling={} if stored is None else {"max_tokens": stored})
        return options_for(chat, settings(max_tokens=500), None)["max_tokens"]

    assert [longest(stored) for stored in (None, 64, 0, -5, True, "long")] == [500, 64, 500, 500, 500, 500]
    assert options_for(None, settings(max_tokens=500), None)["max_tokens"] == 500


def test_stored_values_that_make_no_sense_are_passed_over() -> None:
    chat = replace(PLAIN, sampling={"top_p": "wide", "unknown": 1, "min_p": True, "top_k": 3.0})
    sampling = options_for(chat, Settings(), None)["sampling"]
    assert sampling == Sampling(top_k=3)
    assert isinstance(sampling.top_k, int)


@pytest.mark.parametrize("kind", ["switch", "switch_off"])
def test_a_switch_is_turned_by_the_chat_or_the_settings(kind: str) -> None:
    assert variables(kind) == {}
    assert variables(kind, "on")["enable_thinking"] is True
    assert variables(kind, "off")["enable_thinking"] is False
    assert variables(kind, thinking="off")["enable_thinking"] is False
    assert variables(kind, "on", thinking="off")["enable_thinking"] is True


def test_an_effort_is_asked_for_by_name() -> None:
    assert variables("effort") == variables("effort", "on") == {}
    assert variables("effort", "high") == {"reasoning_effort": "high"}
    assert variables("effort", "off") == {"reasoning_effort": "low"}


@pytest.mark.parametrize("kind", ["none", "always"])
def test_what_cannot_be_switched_is_not_asked_for(kind: str) -> None:
    assert variables(kind, "off", thinking="on") == {}


@pytest.mark.parametrize(
    ("kind", "wish", "thinks"),
    [
        ("none", "on", False),
        ("always", "off", True),
        ("effort", "off", True),
        ("switch", "", True),
        ("switch_off", "", False),
        ("switch", "off", False),
        ("switch_off", "on", True),
        ("switch_off", "high", True),
    ],
)
def test_whether_an_answer_will_begin_with_thinking(kind: str, wish: str, thinks: bool) -> None:
    assert will_think(replace(PLAIN, thinking=wish), Settings(), model(kind)) is thinks


def test_the_budget_of_thinking_is_the_settings() -> None:
    assert options_for(None, settings(thinking_budget=512), None)["thinking_budget"] == 512
    assert not will_think(None, Settings(), None)
