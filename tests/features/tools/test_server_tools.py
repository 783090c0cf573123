"""Tools of real servers in the answers of chats: they join the program's own, and the person is asked about each."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from app.bootstrap import Fireside
from app.core.events import CancelToken, Finished, FinishReason, FunctionCall
from app.features.assistants import AssistantChoice, in_conversation
from app.features.chat.answer_service import AnswerService
from app.features.chat.tool_questions import ToolAsks, ToolCall, ToolQuestion, ToolReach, shown_arguments
from app.features.chat.tool_steps import ASKING, LEFT_OUT, RUNNING, StepsChanged, ToolStep, steps_of
from app.features.mcp.tool_servers import FOLDER
from app.features.tools.chat_answers import PersonAsking
from app.features.tools.permissions import WEB_SERVER, HeldGrants, PermissionAnswer, ToolGrants
from app.features.tools.stored_grants import StoredGrant
from tests.features.tools.lent_tools import OWN_WAY, LentTool, written_call
from tests.helpers.script import requests, write_script
from tests.helpers.tool_configs import config

TOOLS_ON = in_conversation(AssistantChoice(tools=True))
ONCE, IN_CHAT, ALWAYS = PermissionAnswer.ONCE, PermissionAnswer.CHAT, PermissionAnswer.TOOL
OF_SERVER, NEVER = PermissionAnswer.SERVER, PermissionAnswer.NEVER
WRITE = written_call("write_note", by_template=True, text="milk")
READ = written_call("read_notes", by_template=True)


@pytest.fixture
def script(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    rules = (
        {"when": "stopped: ", "text": "It broke."},
        {"when": "do it", "text": written_call("do", by_template=True)},
        {"when": "note was written", "text": "Noted."},
        {"when": "The notes", "text": "You have notes."},
        {"when": "not allow", "text": "Then not."},
        {"when": "note down", "text": WRITE},
        {"when": "read", "text": READ},
        {"text": "Hello."},
    )
    load = [{"when": "small", "context_tokens": 240}, {}]
    path = write_script(tmp_path / "script", *rules, calls=OWN_WAY, load=load)
    monkeypatch.setenv("FIRESIDE_ENGINE_SCRIPT", str(path))
    return path


@pytest.fixture
def notes(app: Fireside, script: Path) -> Path:
    """The notes of a server that is on."""
    app.tool_servers.add_servers([config("notes")])
    return app.paths.data / FOLDER / "notes" / "notes.txt"


@dataclass
class Asked:
    """Answers the questions of an answer in their order, as the window does: not on the thread that waits."""

    app: Fireside
    answers: list[PermissionAnswer | None]
    chat: AnswerService
    conversation_id: int = 0
    questions: list[ToolQuestion] = field(default_factory=list)
    events: list[object] = field(default_factory=list)

    def ask(self, text: str) -> str:
        cancel = CancelToken()
        question = self.chat.add_question(self.conversation_id, text)
        for event in self.chat.answer(question.id, cancel):
            self.events.append(event)
            if isinstance(event, ToolAsks):
                self.questions.append(event.question)
                answer = self.answers.pop(0) if self.answers else None
                threading.Thread(target=event.question.settle, args=(answer,)).start()
        return self.chat.conversations.read_branch(self.conversation_id)[-1].text

    @property
    def steps(self) -> tuple[ToolStep, ...]:
        return steps_of(self.chat.conversations.read_branch(self.conversation_id)[-1].sources)


Begin = Callable[..., Asked]


@pytest.fixture
def begin(app: Fireside) -> Begin:
    """Begins a chat whose tools are on, with answers to what it will ask."""

    def begin(*answers: PermissionAnswer | None, chat: AnswerService | None = None) -> Asked:
        chat = chat or app.chat
        asked = Asked(app, list(answers), chat, chat.conversations.create().id)
        chat.conversations.update(asked.conversation_id, **TOOLS_ON)
        return asked

    return begin


def test_a_call_waits_for_the_person_and_is_then_carried_out(begin: Begin, notes: Path) -> None:
    asked = begin(ONCE)
    assert asked.ask("note down milk") == "Noted."
    (question,) = asked.questions
    assert question.call == ToolCall(
        "write_note", "notes", '{"text": "milk"}', changes=True, reach=ToolReach(question.call.reach.readable)
    )
    assert set(question.answers) == {ONCE, IN_CHAT, ALWAYS, NEVER}
    assert notes.read_text("utf-8") == "milk\n"
    told = [event.steps for event in asked.events if isinstance(event, StepsChanged)]
    done = ToolStep("write_note", '{"text": "milk"}', "The note was written.", "done", "notes")
    assert told == [
        (ToolStep("", "", "", RUNNING, "notes"),),
        (),
        (replace(done, result="", state=ASKING),),
        (done,),
    ]
    assert asked.steps == (done,)
    asked.ask("note down milk")
    assert len(asked.questions) == 2, "once is once"
    assert asked.steps[0].state == "not_allowed", "a closed card allows nothing"
    assert notes.read_text("utf-8") == "milk\n"


@pytest.mark.parametrize(
    ("answer", "text", "grant"),
    [
        (IN_CHAT, "note down", None),
        (ALWAYS, "note down", StoredGrant("notes", "write_note", ALWAYS)),
        (OF_SERVER, "read", StoredGrant("notes", "", OF_SERVER)),
    ],
)
@pytest.mark.usefixtures("notes")
def test_an_answer_holds_where_it_says(
    app: Fireside, begin: Begin, answer: PermissionAnswer, text: str, grant: StoredGrant | None
) -> None:
    first, second = begin(answer), begin(ONCE)
    first.ask(text)
    first.ask(text)
    assert len(first.questions) == 1
    second.ask(text)
    assert len(second.questions) == (1 if grant is None else 0)
    assert app.tool_grants.list_grants() == ((grant,) if grant is not None else ())
    if grant is not None:
        app.tool_grants.take_back(grant)
        first.ask(text)
        assert len(first.questions) == 2, "taken back"


def test_a_grant_for_what_only_reads_covers_nothing_that_changes(begin: Begin, notes: Path) -> None:
    asked = begin(OF_SERVER, None)
    assert asked.ask("read my notes") == "You have notes."
    assert asked.ask("note down milk") == "Then not."
    assert len(asked.questions) == 2
    assert not notes.exists()


def test_what_is_never_allowed_is_not_offered_any_more(begin: Begin, notes: Path, script: Path) -> None:
    asked = begin(NEVER)
    assert asked.ask("note down milk") == "Then not."
    asked.ask("hello")
    assert "write_note" not in json.dumps(requests(script)[-1]["calling"])
    assert "read_notes" in json.dumps(requests(script)[-1]["calling"])
    assert not notes.exists()


def test_a_temporary_chat_asks_anew_and_leaves_nothing(app: Fireside, begin: Begin, notes: Path) -> None:
    app.tool_servers.offer_tools()
    begin(ALWAYS).ask("note down milk")
    temporary = begin(IN_CHAT, chat=app.temporary.open_chat())
    temporary.ask("note down milk")
    temporary.ask("note down milk")
    (question,) = temporary.questions
    assert question.call.is_temporary
    assert set(question.answers) == {ONCE, IN_CHAT}
    assert len(app.tool_grants.list_grants()) == 1
    assert notes.read_text("utf-8") == "milk\n" * 3


def test_stop_ends_the_question_at_once(app: Fireside, begin: Begin, notes: Path) -> None:
    asked, cancel = begin(), CancelToken()
    events = app.chat.answer(app.chat.add_question(asked.conversation_id, "note down milk").id, cancel)
    question = next(event.question for event in events if isinstance(event, ToolAsks))
    threading.Thread(target=cancel.cancel).start()
    last = list(events)[-1]
    assert isinstance(last, Finished)
    assert last.stats.finish_reason is FinishReason.CANCELLED
    assert not question.is_open
    assert not question.settle(ONCE), "an answer that comes late allows nothing"
    assert not notes.exists()
    assert asked.steps[0].state == "stopped"


def test_a_server_that_fails_is_told_and_the_others_answer(app: Fireside, begin: Begin, notes: Path) -> None:
    app.tool_servers.add_servers([config("old"), replace(config("fair", "gone"), command="no-such-program")])
    asked = begin(ONCE)
    assert asked.ask("note down milk") == "Noted."
    assert [(step.server, step.tool, step.state) for step in asked.steps] == [
        ("old", "", "failed"),
        ("gone", "", "failed"),
        ("notes", "write_note", "done"),
    ]
    # As reasons with their values, which are put in words where they are shown.
    failures = [step.failure for step in asked.steps]
    assert [failure and (failure.reason, failure.detail) for failure in failures] == [
        ("wrong", "1999-01-01"),
        ("missing", "no-such-program"),
        None,
    ]
    assert notes.exists()


def test_a_server_that_dies_at_a_call_is_kept_as_a_reason_and_told_to_the_model(app: Fireside, begin: Begin) -> None:
    app.tool_servers.add_servers([config("dying")])
    asked = begin(ONCE)
    assert asked.ask("do it") == "It broke."
    assert asked.steps == (ToolStep("do", "{}", "out of ideas", "failed", "dying", "ended"),)


def test_tools_that_do_not_fit_are_kept_as_a_step_that_names_them(app: Fireside, begin: Begin, script: Path) -> None:
    list(app.engine.load(Path("/any/small.gguf")))
    app.tool_servers.add_servers([config("notes")])
    asked = begin()
    asked.ask("hello")
    (step,) = asked.steps
    assert (step.tool, step.server, step.state) == ("", "", LEFT_OUT)
    told = json.dumps(requests(script)[-1]["calling"])
    left_out = step.result.splitlines()
    assert left_out
    assert not any(name in told for name in left_out)
    assert [event.steps for event in asked.events if isinstance(event, StepsChanged)][-1] == (step,)


def test_stop_while_a_server_says_nothing_ends_the_answer(app: Fireside, begin: Begin, script: Path) -> None:
    app.tool_servers.add_servers([config("silent")])
    asked, cancel = begin(), CancelToken()
    events = app.chat.answer(app.chat.add_question(asked.conversation_id, "hello").id, cancel)
    connecting = next(event for event in events if isinstance(event, StepsChanged))
    assert connecting.steps == (ToolStep("", "", "", RUNNING, "silent"),)
    threading.Thread(target=cancel.cancel).start()
    assert isinstance(list(events)[-1], Finished)
    assert requests(script) == [], "the model was not asked"


def test_servers_are_counted_without_connecting_until_somebody_wants_their_tools(
    app: Fireside, notes: Path, tmp_path: Path
) -> None:
    list(app.engine.load(tmp_path / "model.gguf"))
    find = app.chats.tool_facts

    def count(*, connects: bool) -> tuple[int, tuple[str, ...]]:
        facts = find(app.chat, CancelToken(), connects=connects)
        assert facts is not None
        return facts.count, facts.unknown

    own, unknown = count(connects=False)
    assert unknown == ("notes",)
    assert not notes.parent.exists(), "nothing was started"
    assert count(connects=True) == (own + 2, ())
    assert count(connects=False) == (own + 2, ())
    app.tool_servers.change_server("notes", is_on=False)
    assert count(connects=True) == (own, ())


def test_a_tool_that_is_called_like_one_of_the_programs_own_gets_another_name(app: Fireside, notes: Path) -> None:
    tools = app.tool_servers.offer_tools(["read_notes"]).tools
    assert [(tool.name, tool.own_name) for tool in tools] == [
        ("notes_read_notes", "read_notes"),
        ("write_note", "write_note"),
    ]
    assert notes.parent.is_dir()


def test_a_page_of_the_web_is_asked_about_by_its_host_and_whole_address() -> None:
    address = "https://a.example/?q=my%20notes"
    page = LentTool("a.example", changes=True, server=WEB_SERVER, description=address).tool
    asking = PersonAsking(HeldGrants(ToolGrants()))
    question = asking.begin_question(page, FunctionCall("call_1", "read_web_page", "{}"))
    assert (question.call.tool, question.call.address) == ("a.example", address)
    question.settle(ALWAYS)
    assert asking.permissions.allow_call(page, FunctionCall("call_1", "read_web_page", "{}"), lambda: False)
    other = LentTool("a.example", changes=True, server=WEB_SERVER, description="https://a.example/other").tool
    assert not asking.permissions.must_ask(other), "a host is allowed whatever it is asked for"


def test_a_question_that_nobody_answers_is_closed() -> None:
    question = ToolQuestion(ToolCall("a", "b", "{}", changes=True), (), patience_s=0.0)
    assert question.wait_for_answer(lambda: False) is None
    assert not question.is_open


@pytest.mark.parametrize(
    ("sent", "shown"),
    [
        ({"path": "/a\u202egnp.exe"}, '{\n  "path": "/a\\u202egnp.exe"\n}'),
        ({"text": "one\ntwo\u200b"}, '{\n  "text": "one\\ntwo\\u200b"\n}'),
        ({"אב": "مرحبا é 🔥"}, '{\n  "אב": "مرحبا é 🔥"\n}'),
        ({}, "{}"),
    ],
)
def test_arguments_are_shown_as_they_are_sent(sent: dict[str, Any], shown: str) -> None:
    assert shown_arguments(json.dumps(sent)) == shown
