"""Chats whose tools are on: what is called is carried out, kept with the answer, and never without the switch."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.bootstrap import Fireside
from app.core.events import CancelToken, Finished, TokenChosen
from app.features.assistants import AssistantChoice, chosen_in, in_conversation
from app.features.chat.answer_service import uses_tools_in
from app.features.chat.tool_steps import RUNNING, StepsChanged, ToolStep, steps_of
from app.features.inside.looks import tokens_within
from app.features.tool_calls import CallWay
from app.features.tools.scoring import WaysCompared, WayScore
from app.features.tools.tool_scores import ToolScores
from app.store.conversations import MessageState, StoredMessage
from tests.features.tools.lent_tools import OWN_WAY
from tests.helpers.script import prompts, requests, write_script

TOOLS_ON = in_conversation(AssistantChoice(tools=True))
CALL = '<tool_call>\n{"name": "calculate", "arguments": {"formula": "6 * 7"}}\n</tool_call>'


@pytest.fixture
def script(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    rules = (
        {"when": "= 42", "text": "It is 42."},
        {"when": "mull", "text": f"Let me see. {CALL}"},
        {"when": "endless", "text": CALL.replace("6", "1"), "delay_s": 0.01},
    )
    path = write_script(tmp_path / "script", *rules, calls=OWN_WAY)
    monkeypatch.setenv("FIRESIDE_ENGINE_SCRIPT", str(path))
    return path


def ask(app: Fireside, text: str, **values: object) -> tuple[list[object], StoredMessage]:
    chat = app.conversations.create()
    app.conversations.update(chat.id, **values)
    events = list(app.chat.answer(app.chat.add_question(chat.id, text).id, CancelToken()))
    return events, app.conversations.read_branch(chat.id)[-1]


def test_the_steps_of_an_answer_are_told_and_kept(app: Fireside, script: Path) -> None:
    events, answer = ask(app, "mull it over", **TOOLS_ON)
    told = [event.steps for event in events if isinstance(event, StepsChanged)]
    done = ToolStep("calculate", '{"formula": "6 * 7"}', "6 * 7 = 42", "done")
    assert told == [(ToolStep("calculate", '{"formula": "6 * 7"}', "", RUNNING),), (done,)]
    assert (answer.text, answer.state) == ("Let me see.\n\nIt is 42.", MessageState.COMPLETE)
    assert steps_of(answer.sources) == (done,)
    assert isinstance(events[-1], Finished)
    assert events[-1].stats.generated_tokens > 3, "the tokens of all rounds"
    assert "42" in prompts(script)[-1][-1][1]


def test_the_tokens_of_an_answer_are_recorded_without_those_of_its_calls(app: Fireside, script: Path) -> None:
    chat = app.conversations.create()
    app.conversations.update(chat.id, **TOOLS_ON)
    question = app.chat.add_question(chat.id, "mull it over")
    events = app.chat.answer(question.id, CancelToken(), alternatives=2)
    tokens = [event.token for event in events if isinstance(event, TokenChosen)]
    assert b"".join(token.data for token in tokens) == b"Let me see.It is 42."
    assert all(token.alternatives for token in tokens if token.rank >= 0)
    assert any(token.rank >= 0 for token in tokens)
    seen = tokens_within(tokens, app.conversations.read_branch(chat.id)[-1].text)
    assert [token.data for token in seen] == [b"It", b" is", b" 42."]


def test_a_model_calls_in_the_way_that_it_was_best_at(app: Fireside, script: Path, tmp_path: Path) -> None:
    ask(app, "mull it over", **TOOLS_ON)
    assert not requests(script)[-1]["calling"]["escape"]
    model = tmp_path / "model.gguf"
    model.write_bytes(b"a file to be known by")
    list(app.engine.load(model))
    ToolScores(app.paths.cache).keep_score(model, WaysCompared(24, (WayScore(CallWay.STRICT),)))
    ask(app, "mull it over", **TOOLS_ON)
    assert requests(script)[-1]["calling"]["escape"]


def test_without_the_switch_nothing_is_called_and_nothing_told_of_tools(app: Fireside) -> None:
    events, answer = ask(app, "mull it over")
    assert not any(isinstance(event, StepsChanged) for event in events)
    assert answer.text == f"Let me see. {CALL}"
    assert not answer.sources


def test_the_switch_is_a_choice_of_the_chat_like_others(app: Fireside) -> None:
    chat = app.conversations.create()
    chosen = AssistantChoice("Be brief.", {"temperature": 0.5}, 100, tools=True)
    app.conversations.update(chat.id, **in_conversation(chosen))
    stored = app.conversations.get(chat.id)
    assert stored is not None
    assert chosen_in(stored) == chosen
    assert uses_tools_in(stored, app.engine)
    assert not uses_tools_in(None, app.engine)


def test_steps_of_other_versions_are_left_out() -> None:
    odd = [
        {"step": 7},
        {"step": {"tool": "x"}},
        {"page": 1},
        {"step": {"tool": 1, "arguments": "", "result": "", "state": ""}},
    ]
    assert steps_of(odd) == ()
