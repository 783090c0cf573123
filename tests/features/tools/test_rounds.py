"""Answers with tools: calls are carried out, wrong and repeated ones are not, and Stop ends everything."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from app.core.errors.request_errors import PromptTooLong
from app.core.events import CancelToken, Finished, FinishReason, FunctionCall, TextDelta
from app.engine.client import EngineClient
from app.features.tool_calls import NO_TOOL_FITS, CallWay
from app.features.tools.permissions import PermissionAnswer, ToolGrants, ToolPermissions
from app.features.tools.result_text import FROM_OUTSIDE
from app.features.tools.round_events import RoundsEnded, StepBegan, StepEnded, StepState, ToolsChosen
from app.features.tools.rounds import LEFT_OUT, MOST_FRUITLESS, NOT_ALLOWED, REFUSED
from tests.features.tools.lent_tools import (
    OWN_TOOLS,
    OWN_WAY,
    AskedPerson,
    LentTool,
    run_rounds,
    steps_of,
    text_of,
    written_call,
)
from tests.helpers.script import requests

Make = Callable[..., EngineClient]
RESULT = "result of"


def asked_last(tmp_path: Path) -> dict[str, Any]:
    """The last request that the model was asked."""
    return requests(tmp_path / "scripted0" / "script.json")[-1]


@pytest.mark.parametrize("by_template", [False, True])
def test_calls_are_carried_out_until_the_answer_is_in_words(scripted: Make, tmp_path: Path, by_template: bool) -> None:
    first = written_call("look_up", by_template=by_template, number=1)
    second = written_call("look_up", by_template=by_template, number=2)
    engine = scripted(
        {"when": RESULT, "text": second, "times": 1},
        {"when": RESULT, "text": "It is 42."},
        {"text": first},
        **({"calls": OWN_WAY} if by_template else {}),
    )
    lent = LentTool("look_up")
    events = run_rounds(engine, [lent])
    assert lent.calls == [{"number": 1}, {"number": 2}]
    assert text_of(events) == "It is 42."
    assert [(step.state, step.result.text, step.call.name) for step in steps_of(events)] == [
        (StepState.DONE, "42", "look_up")
    ] * 2
    assert steps_of(events)[0].to_fields() == {
        "tool": "look_up",
        "arguments": {"number": 1},
        "result": "42",
        "is_error": False,
    }
    asked = asked_last(tmp_path)
    assert [role for role, _ in asked["messages"] if role != "system"] == ["user", *["assistant", "user"] * 2]
    assert FROM_OUTSIDE in asked["messages"][-1][1]
    assert not asked["is_outside"]
    stats = events[-1].stats
    assert stats.generated_tokens > 3, "all rounds count"


def test_several_calls_of_one_answer_are_carried_out_in_their_order(scripted: Make) -> None:
    calls = "\n".join(written_call(name, number=1) for name in ("first", "second"))
    engine = scripted({"when": RESULT, "text": "Both."}, {"text": calls})
    events = run_rounds(engine, [LentTool("second"), LentTool("first")])
    assert [step.call.name for step in steps_of(events)] == ["first", "second"]
    assert [step.call.id for step in steps_of(events)] == ["call_1", "call_2"]


def test_words_before_a_call_are_told_as_they_come(scripted: Make) -> None:
    call = written_call("look_up", by_template=True, number=1)
    engine = scripted({"when": RESULT, "text": "42."}, {"text": f"I look. {call}"}, calls=OWN_WAY)
    events = run_rounds(engine, [LentTool("look_up")])
    assert text_of(events) == "I look.42."


def test_without_tools_it_is_a_plain_answer(scripted: Make) -> None:
    events = run_rounds(scripted({"text": "Hello."}), [])
    assert text_of(events) == "Hello."
    assert steps_of(events) == []


def test_a_call_that_is_only_spoken_of_is_made(scripted: Make, tmp_path: Path) -> None:
    call = written_call("look_up", by_template=True, number=1)
    engine = scripted(
        {"when": RESULT, "text": "42."}, {"text": "Use look_up with 1.", "times": 1}, {"text": call}, calls=OWN_WAY
    )
    events = run_rounds(engine, [LentTool("look_up"), LentTool("other")])
    assert [step.call.name for step in steps_of(events)] == ["look_up"]
    assert text_of(events).endswith("42.")
    _, held, _ = requests(tmp_path / "scripted0" / "script.json")
    assert (held["calling"]["must_call"], len(held["calling"]["functions"])) == (True, 1)


@pytest.mark.parametrize("text", ["Shall I call look_up for you?", "I look it up, up and up."])
def test_words_that_ask_back_or_name_no_tool_are_the_answer(scripted: Make, text: str) -> None:
    events = run_rounds(scripted({"text": text}, calls=OWN_WAY), [LentTool("look_up"), LentTool("up")])
    assert (text_of(events), steps_of(events)) == (text, [])


def test_an_answer_that_no_tool_fits_becomes_words(scripted: Make, tmp_path: Path) -> None:
    engine = scripted({"text": NO_TOOL_FITS, "times": 1}, {"text": "Hello."}, calls=OWN_WAY)
    events = run_rounds(engine, [LentTool("look_up")], way=CallWay.STRICT)
    assert (text_of(events), steps_of(events)) == ("Hello.", [])
    assert not asked_last(tmp_path)["calling"], "asked again without tools"
    assert events[-1].stats.generated_tokens > 1, "both answers count"


@pytest.mark.parametrize("by_template", [False, True])
def test_a_wrong_call_gets_the_schema_once_and_then_a_refusal(scripted: Make, by_template: bool) -> None:
    wrong = [written_call("look_up", by_template=by_template, number=text) for text in ("one", "two")]
    engine = scripted(
        {"when": "schema", "text": wrong[1]},
        {"when": "^What", "text": wrong[0], "times": 1},
        {"text": "I can't."},
        **({"calls": OWN_WAY} if by_template else {}),
    )
    lent = LentTool("look_up", description="Looks a number up.")
    events = run_rounds(engine, [lent])
    assert lent.calls == []
    assert not any(isinstance(event, StepBegan) and event.asks for event in events), "nobody is asked about it"
    first, second = steps_of(events)
    assert first.state is StepState.WRONG
    assert '"description": "Looks a number up."' in first.result.text, "the whole schema"
    assert '"required": ["number"]' in first.result.text
    assert (second.state, second.result.text) == (StepState.REFUSED, REFUSED)
    assert text_of(events) == "I can't."


def test_a_corrected_call_is_carried_out(scripted: Make) -> None:
    engine = scripted(
        {"when": "schema", "text": written_call("look_up", number=7)},
        {"when": "^What", "text": written_call("look_up", number="seven")},
        {"text": "42."},
    )
    lent = LentTool("look_up")
    events = run_rounds(engine, [lent])
    assert lent.calls == [{"number": 7}]
    assert [step.state for step in steps_of(events)] == [StepState.WRONG, StepState.DONE]


@pytest.mark.parametrize("text", [written_call("look_up", number=1), "I could use `look_up` for that."])
def test_no_greeting_is_answered_with_a_call(scripted: Make, tmp_path: Path, text: str) -> None:
    engine = scripted({"text": text, "times": 1}, {"text": "Hello!"})
    lent = LentTool("look_up")
    events = run_rounds(engine, [lent], question="Good morning!")
    assert lent.calls == steps_of(events) == []
    assert text_of(events) == ("Hello!" if text.startswith("{") else text)
    assert len(requests(tmp_path / "scripted0" / "script.json")) == (2 if text.startswith("{") else 1)


def test_a_call_without_end_is_ended_and_corrected(scripted: Make) -> None:
    formula = {
        "type": "object",
        "properties": {"formula": {"type": "string", "maxLength": 30}},
        "required": ["formula"],
    }
    endless = '{"name": "reckon", "arguments": {"formula": "1' + " + 1" * 30
    engine = scripted(
        {"when": "^What", "text": endless, "held_after": 40, "until": "never"},
        {"when": "no whole call", "text": written_call("reckon", formula="1 + 1")},
        {"text": "2."},
    )
    lent = LentTool("reckon", "2", parameters=formula)
    # Each word by itself, as a chat asks.
    events = run_rounds(engine, [lent], shape_ask=lambda ask: replace(ask, together_s=0.0))
    assert lent.calls == [{"formula": "1 + 1"}]
    assert [step.state for step in steps_of(events)] == [StepState.WRONG, StepState.DONE]
    assert text_of(events) == "2."


@pytest.mark.parametrize("by_template", [False, True])
def test_a_call_of_no_tool_is_told_which_there_are(scripted: Make, by_template: bool) -> None:
    engine = scripted(
        {"when": "^What", "text": written_call("lookup", by_template=by_template, number=1)},
        {"text": "So."},
        **({"calls": OWN_WAY} if by_template else {}),
    )
    lent = [LentTool("look_up"), LentTool("send")]
    events = run_rounds(engine, lent)
    (step,) = steps_of(events)
    assert step.state is StepState.WRONG
    assert lent[0].calls == lent[1].calls == []
    assert by_template or ('"name": "look_up"' in step.result.text and "send" in step.result.text)
    assert text_of(events) == "So.", "the call itself is never shown as words"


def test_the_very_same_call_is_not_carried_out_twice(scripted: Make) -> None:
    same = '{"arguments": {"number": 1}, "name": "look_up"}'
    engine = scripted({"when": "before", "text": "42."}, {"text": same})
    lent = LentTool("look_up")
    events = run_rounds(engine, [lent])
    assert len(lent.calls) == 1
    assert [step.state for step in steps_of(events)] == [StepState.DONE, StepState.REPEATED]
    assert text_of(events) == "42."


def test_a_model_that_has_nothing_to_say_after_a_refusal_is_asked_for_words(scripted: Make, tmp_path: Path) -> None:
    same = written_call("look_up", number=1)
    engine = scripted(
        {"when": "before", "text": ""},
        {"when": RESULT, "text": same, "times": 1},
        {"when": RESULT, "text": "42."},
        {"text": same},
    )
    events = run_rounds(engine, [LentTool("look_up")])
    assert [step.state for step in steps_of(events)] == [StepState.DONE, StepState.REPEATED]
    assert text_of(events) == "42."
    asked = asked_last(tmp_path)["messages"]
    assert [role for role, _ in asked] == ["user", "assistant", "user"], "as if it had not called again"


def test_a_model_that_has_nothing_to_say_after_a_result_is_asked_for_words(scripted: Make) -> None:
    engine = scripted(
        {"when": RESULT, "text": "", "times": 1},
        {"when": RESULT, "text": "42."},
        {"text": written_call("look_up", number=1)},
    )
    assert text_of(run_rounds(engine, [LentTool("look_up")])) == "42."


@pytest.mark.parametrize("by_template", [False, True])
def test_a_model_that_only_calls_is_stopped(scripted: Make, tmp_path: Path, by_template: bool) -> None:
    call = written_call("look_up", by_template=by_template, number=1)
    engine = scripted({"text": call}, **({"calls": OWN_WAY} if by_template else {}))
    events = run_rounds(engine, [LentTool("look_up")])
    assert [step.state for step in steps_of(events)] == [StepState.DONE, *[StepState.REPEATED] * MOST_FRUITLESS]
    assert RoundsEnded(1 + MOST_FRUITLESS, fruitless=True) in events
    assert text_of(events) == "", "nor is its last call shown"
    assert "tools" not in asked_last(tmp_path)["template_variables"]


def test_rounds_are_capped_and_the_model_answers_with_what_it_has(scripted: Make) -> None:
    calls = [{"text": written_call("look_up", number=number), "times": 1} for number in range(3)]
    lent = LentTool("look_up")
    events = run_rounds(scripted(*calls, {"text": "Enough."}), [lent], most_rounds=3)
    assert len(lent.calls) == 3
    assert RoundsEnded(3, fruitless=False) in events
    assert text_of(events) == "Enough."


def test_stop_between_rounds_ends_them(scripted: Make) -> None:
    cancel = CancelToken()
    engine = scripted({"text": written_call("look_up", number=1)})
    events = run_rounds(
        engine,
        [LentTool("look_up")],
        cancel=cancel,
        on_event=lambda event: cancel.cancel() if isinstance(event, StepEnded) else None,
    )
    assert isinstance(events[-2], StepEnded)
    assert events[-1].stats.finish_reason is FinishReason.CANCELLED


def test_stop_while_a_tool_runs_is_told_to_it(scripted: Make) -> None:
    cancel, heard = CancelToken(), list[bool]()

    def stop_and_listen(is_stopped: Callable[[], bool]) -> None:
        cancel.cancel()
        heard.append(is_stopped())

    calls = "\n".join(written_call("look_up", number=number) for number in (1, 2))
    lent = LentTool("look_up", when_run=stop_and_listen)
    events = run_rounds(scripted({"text": calls}), [lent], cancel=cancel)
    assert heard == [True], "and the second call is not begun"
    assert [step.state for step in steps_of(events)] == [StepState.STOPPED]
    assert events[-1].stats.finish_reason is FinishReason.CANCELLED


def test_stop_while_the_model_writes_ends_the_answer(scripted: Make) -> None:
    cancel = CancelToken()
    engine = scripted(
        {"when": RESULT, "text": "word " * 50, "held_after": 5, "until": "never"},
        {"text": written_call("look_up", number=1)},
    )
    events = run_rounds(
        engine,
        [LentTool("look_up")],
        cancel=cancel,
        on_event=lambda event: cancel.cancel() if isinstance(event, TextDelta) else None,
    )
    assert events[-1].stats.finish_reason is FinishReason.CANCELLED
    assert len(steps_of(events)) == 1


def test_stop_at_a_card_carries_nothing_out(scripted: Make) -> None:
    cancel = CancelToken()
    lent = LentTool("send", changes=True)

    def press_stop(_tool: object, _call: FunctionCall, is_stopped: Callable[[], bool]) -> None:
        cancel.cancel()
        assert is_stopped()

    permissions = ToolPermissions(OWN_TOOLS, press_stop)
    events = run_rounds(scripted({"text": written_call("send", number=1)}), [lent], permissions, cancel=cancel)
    assert lent.calls == []
    assert [step.state for step in steps_of(events)] == [StepState.STOPPED]


def test_a_call_that_is_not_allowed_is_told_and_not_asked_again(scripted: Make) -> None:
    person = AskedPerson([PermissionAnswer.NEVER])
    permissions = ToolPermissions(ToolGrants(), person)
    calls = [{"text": written_call("send", number=number), "times": 1} for number in (1, 2)]
    lent = LentTool("send", changes=True, server="mail")
    events = run_rounds(scripted(*calls, {"text": "Not sent."}), [lent], permissions)
    assert lent.calls == []
    assert [(step.state, step.result.text) for step in steps_of(events)] == [(StepState.NOT_ALLOWED, NOT_ALLOWED)] * 2
    assert [begun.asks for begun in events if isinstance(begun, StepBegan)] == [True, False]
    assert len(person.asked) == 1
    assert person.asked[0].arguments == '{"number": 1}', "exactly these arguments are shown"


def test_a_long_result_is_capped_and_says_so(scripted: Make) -> None:
    engine = scripted({"when": RESULT, "text": "Long."}, {"text": written_call("look_up", number=1)})
    events = run_rounds(engine, [LentTool("look_up", "line of text\n" * 2000)])
    (step,) = steps_of(events)
    assert len(step.result.text) < 4200, "a character for each token of the context"
    shown = step.result.text.count("line of text")
    assert step.result.text.endswith(f"({2000 - shown:,} more lines not shown)")


def test_old_results_make_room_for_new_ones(scripted: Make, tmp_path: Path) -> None:
    calls = [{"text": written_call("look_up", number=number), "times": 1} for number in range(6)]
    engine = scripted(*calls, {"text": "Enough."}, context_tokens=400)
    events = run_rounds(engine, [LentTool("look_up", "word " * 60)])
    assert text_of(events) == "Enough."
    results = [text for _, text in asked_last(tmp_path)["messages"] if RESULT in text or LEFT_OUT in text]
    assert LEFT_OUT in results[0]
    assert LEFT_OUT not in results[-1]


def test_a_chat_without_room_fails_as_ever(scripted: Make) -> None:
    engine = scripted({"text": "no"}, context_tokens=50)
    with pytest.raises(PromptTooLong):
        run_rounds(engine, [LentTool("look_up")], question="word " * 100)


def test_of_too_many_tools_those_are_told_that_fit_the_question(scripted: Make, tmp_path: Path) -> None:
    engine = scripted({"text": "Hm."}, context_tokens=400)
    lent = [LentTool(f"tool_{number:02}", description="Does something else. " * 5) for number in range(20)]
    lent.insert(10, LentTool("convert_currency", description="Converts an amount of money. " * 5))
    events = run_rounds(engine, lent, question="How much money is that?")
    chosen = next(event for event in events if isinstance(event, ToolsChosen))
    assert "convert_currency" in chosen.shown
    assert 0 < len(chosen.shown) < 21 == len(chosen.shown) + len(chosen.left_out)
    told = str(asked_last(tmp_path)["messages"])
    assert told.count("Converts an amount of money. ") == 5, "whole, never shortened"
    assert not any(name in told for name in chosen.left_out)
    assert isinstance(events[-1], Finished)
