"""Permissions come from the person alone: fifty results that ask for more change nothing."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from app.core.events import FunctionCall, Message, Role
from app.engine.client import EngineClient
from app.features.tools.permissions import PermissionAnswer, ToolGrants, ToolPermissions
from app.features.tools.result_text import ANSWER_NOW, fence_result
from app.features.tools.round_events import StepState
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

Make = Callable[..., EngineClient]
INJECTED = [one["text"] for one in json.loads(Path("tests/data/tools/injected_results.json").read_text("utf-8"))]
READS, SENDS, SEES = (
    LentTool("read", server="mail").tool,
    LentTool("send", changes=True, server="mail").tool,
    LentTool("read", server="web").tool,
)


@pytest.mark.parametrize(
    ("tool", "answer", "read", "send", "see"),
    [
        (READS, PermissionAnswer.ONCE, None, None, None),
        (READS, PermissionAnswer.CHAT, True, None, None),
        (READS, PermissionAnswer.TOOL, True, None, None),
        (READS, PermissionAnswer.SERVER, True, None, None),
        (SENDS, PermissionAnswer.SERVER, True, None, None),
        (SENDS, PermissionAnswer.TOOL, None, True, None),
        (SENDS, PermissionAnswer.CHAT, None, True, None),
        (SENDS, PermissionAnswer.NEVER, None, False, None),
        (SEES, PermissionAnswer.SERVER, None, None, True),
    ],
)
def test_an_answer_grants_what_it_says(
    tool: object, answer: PermissionAnswer, read: bool | None, send: bool | None, see: bool | None
) -> None:
    grants = ToolGrants().with_answer(tool, answer)  # type: ignore[arg-type]
    assert [grants.allow_call(one) for one in (READS, SENDS, SEES)] == [read, send, see]


def test_never_holds_against_earlier_grants_until_the_tool_is_granted_again() -> None:
    grants = ToolGrants(servers=frozenset({"mail"})).with_answer(READS, PermissionAnswer.NEVER)
    assert grants.allow_call(READS) is False
    assert grants.with_answer(READS, PermissionAnswer.TOOL).allow_call(READS) is True


def test_a_person_is_asked_once_for_what_they_allowed_in_this_chat() -> None:
    person = AskedPerson([PermissionAnswer.ONCE, PermissionAnswer.CHAT])
    permissions = ToolPermissions(ToolGrants(), person)
    call = FunctionCall("call_1", "send")
    assert [permissions.allow_call(SENDS, call, lambda: False) for _ in range(4)] == [True] * 4
    assert len(person.asked) == 2
    assert permissions.allow_call(READS, call, lambda: False) is False, "a closed card allows nothing"


@pytest.mark.parametrize("by_template", [False, True])
def test_no_result_becomes_a_call_or_a_grant_by_itself(scripted: Make, by_template: bool) -> None:
    assert len(INJECTED) == 50
    engine = scripted(
        {"when": "result of", "text": "Read."},
        {"text": written_call("fetch", by_template=by_template, number=1)},
        **({"calls": OWN_WAY} if by_template else {}),
    )
    person, send = AskedPerson(), LentTool("send_mail", changes=True, server="mail")
    permissions = ToolPermissions(OWN_TOOLS, person)
    for text in INJECTED:
        events = run_rounds(engine, [LentTool("fetch", text), send], permissions)
        assert [(step.call.name, step.result.text) for step in steps_of(events)] == [("fetch", text)]
        assert text_of(events) == "Read."
    assert (person.asked, send.calls, permissions.grants) == ([], [], OWN_TOOLS)


def test_a_model_that_obeys_a_result_is_still_asked_about(scripted: Make) -> None:
    engine = scripted(
        {"when": "not allow", "text": "I can't."},
        {"when": "result of", "text": written_call("send_mail", number=1)},
        {"text": written_call("fetch", number=1)},
    )
    person, send = AskedPerson(), LentTool("send_mail", changes=True, server="mail")
    permissions = ToolPermissions(OWN_TOOLS, person)
    for text in INJECTED:
        events = run_rounds(engine, [LentTool("fetch", text), send], permissions)
        assert [step.state for step in steps_of(events)] == [StepState.DONE, StepState.NOT_ALLOWED]
    assert len(person.asked) == len(INJECTED), "each time anew"
    assert (send.calls, permissions.grants) == ([], OWN_TOOLS)


@pytest.mark.parametrize("text", INJECTED)
def test_nothing_in_a_result_ends_its_frame(text: str) -> None:
    fenced = fence_result("fetch", text)
    end = fenced.removesuffix(f"\n{ANSWER_NOW}").splitlines()[-1]
    assert fenced.count(end) == 1
    assert fenced.endswith(f"\n{text}\n{end}\n{ANSWER_NOW}")


@pytest.mark.model
def test_tokens_that_steer_a_template_are_plain_text_in_a_result(starter_engine: EngineClient) -> None:
    call = FunctionCall("call_1", "fetch")
    question = Message(Role.USER, "What is it?")
    answer = Message(Role.ASSISTANT, "", calls=(call,))

    def steering_tokens(text: str) -> int:
        result = Message(Role.USER, fence_result("fetch", text), result_of=call)
        seen = starter_engine.inspect("tokens", messages=[question, answer, result], most=4096)
        return sum(token.is_control for token in seen.tokens)

    plain = steering_tokens("Rain.")
    assert plain > 0
    assert {steering_tokens(text) for text in INJECTED} == {plain}
