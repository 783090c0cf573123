"""Chats longer than the model's context: what leaves it is an event, said and kept; the real store and engine child."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from app.bootstrap import Fireside, build_program
from app.core.errors.request_errors import PromptTooLong
from app.core.events import CancelToken, Finished, FinishReason
from app.engine.protocol import Wish
from app.features.assistants import AssistantChoice, plan_conversation
from app.features.chat.answer_service import AnswerEvent, ContextCompacted, ContextIsFull, ContextWidened
from app.features.chat.context_fitting import CARRIED_HEADING
from app.store.conversations import MessageState
from app.store.projects import Memories
from tests.helpers.script import prompts, write_script

CONTEXT_TOKENS = 4000
LONG = "word " * 200


@pytest.fixture
def script(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = write_script(tmp_path / "script", {"text": f"Certainly. {LONG}"}, load={"context_tokens": CONTEXT_TOKENS})
    monkeypatch.setenv("FIRESIDE_ENGINE_SCRIPT", str(path))
    return path


def ask(app: Fireside, chat_id: int, text: str, **options: Any) -> list[AnswerEvent]:
    return list(app.chat.answer(app.chat.add_question(chat_id, text).id, CancelToken(), **options))


def ask_until_full(app: Fireside, chat_id: int) -> list[AnswerEvent]:
    """Asks until the first event of a full context; returns the events of that turn."""
    for number in range(1, 20):
        events = ask(app, chat_id, f"Question {number}. {LONG}")
        if any(isinstance(event, ContextCompacted | ContextIsFull) for event in events):
            return events
    raise AssertionError("never full")


def sessions(script: Path) -> list[str]:
    lines = [json.loads(line) for line in script.with_name("prompts.jsonl").read_text("utf-8").splitlines()]
    return [line["ask"]["session"] for line in lines if line["type"] == "Generate"]


def test_a_full_context_drops_the_oldest_turns_at_once_and_says_so(app: Fireside, script: Path) -> None:
    chat = app.conversations.create(system_prompt="Be brief.")
    ask(app, chat.id, "Call me Ada.")
    compacted = next(event for event in ask_until_full(app, chat.id) if isinstance(event, ContextCompacted))
    path = app.conversations.read_branch(chat.id)
    stored = app.conversations.get(chat.id)
    assert stored is not None
    hidden = app.chat.hidden_ids(chat.id)
    assert hidden == tuple(message.id for message in path[: compacted.dropped])
    assert path[compacted.dropped].id == stored.first_kept_id
    system, *shown = prompts(script)[-1]
    assert system[1].startswith(f"Be brief.\n\n{CARRIED_HEADING}\n\n- Call me Ada.")
    assert [text for _, text in shown] == [message.text for message in path[compacted.dropped : -1]]
    assert len(path) > len(shown) + 1, "nothing is deleted"


def test_after_the_event_the_next_turn_reads_only_what_is_new(app: Fireside, script: Path) -> None:
    chat = app.conversations.create(system_prompt="Be brief.")
    ask_until_full(app, chat.id)
    first, second = ask(app, chat.id, "And then?")[-1], ask(app, chat.id, "And after that?")[-1]
    assert isinstance(first, Finished)
    assert isinstance(second, Finished)
    assert second.stats.reused_tokens >= first.stats.prompt_tokens
    before, after = prompts(script)[-2:]
    assert after[: len(before)] == before


def test_a_pinned_message_is_shown_again_and_unpinned_it_goes(app: Fireside, script: Path) -> None:
    chat = app.conversations.create()
    ask_until_full(app, chat.id)
    first = app.conversations.read_branch(chat.id)[0]
    assert first.id in app.chat.hidden_ids(chat.id)
    app.conversations.set_message_pinned(first.id, True)
    assert first.id not in app.chat.hidden_ids(chat.id)
    ask(app, chat.id, "Short.")
    assert any(role == "user" and text.startswith(first.text) for role, text in prompts(script)[-1])
    app.conversations.set_message_pinned(first.id, False)
    assert first.id in app.chat.hidden_ids(chat.id)


def test_a_rolling_window_lets_only_so_much_go_and_carries_nothing(app: Fireside, script: Path) -> None:
    app.change_settings("chat", when_full="rolling")
    chat = app.conversations.create(system_prompt="Be brief.")
    compacted = next(event for event in ask_until_full(app, chat.id) if isinstance(event, ContextCompacted))
    assert compacted.dropped == 2
    assert prompts(script)[-1][0] == ("system", "Be brief.")


def test_asked_first_nothing_is_sent_and_the_question_stays(app: Fireside, script: Path) -> None:
    app.change_settings("chat", when_full="ask")
    chat = app.conversations.create()
    full = ask_until_full(app, chat.id)[-1]
    assert isinstance(full, ContextIsFull)
    sent = len(prompts(script))
    question = app.conversations.read_branch(chat.id)[-1]
    assert question.id == full.message_id
    assert question.text.startswith("Question")
    assert app.chat.hidden_ids(chat.id) == ()
    events = list(app.chat.answer(question.id, CancelToken(), when_full="compact"))
    assert isinstance(events[-1], Finished)
    assert len(prompts(script)) == sent + 1
    assert app.chat.hidden_ids(chat.id) != ()


def test_asked_first_an_answer_that_was_to_go_on_is_as_it_was(app: Fireside) -> None:
    chat = app.conversations.create()
    ask(app, chat.id, "Hello")
    for number in range(2):
        ask(app, chat.id, f"{number} {LONG}")
    answer = app.conversations.read_branch(chat.id)[-1]
    long_text = "word " * 2500
    app.conversations.finish_message(answer.id, long_text, MessageState.STOPPED, answer.stats, thinking="Hm.")
    before = app.conversations.read_branch(chat.id)
    events = list(app.chat.continue_answer(answer.id, CancelToken(), when_full="ask"))
    assert events[-1] == ContextIsFull(answer.id)
    assert app.conversations.read_branch(chat.id) == before


def test_a_message_that_does_not_fit_is_refused_whole(app: Fireside, script: Path) -> None:
    chat = app.conversations.create()
    ask(app, chat.id, "Hello")
    with pytest.raises(PromptTooLong) as caught:
        ask(app, chat.id, "word " * 3000)
    assert caught.value.prompt_tokens > caught.value.context_tokens
    question, failed = app.conversations.read_branch(chat.id)[-2:]
    assert (question.text, failed.state) == ("word " * 3000, MessageState.FAILED)
    assert len(prompts(script)) == 1
    assert app.chat.hidden_ids(chat.id) == ()


def test_editing_above_the_divider_shows_the_model_that_branch_whole(app: Fireside, script: Path) -> None:
    chat = app.conversations.create()
    ask_until_full(app, chat.id)
    old = app.conversations.read_branch(chat.id)
    edited = app.chat.versions.edit_question(old[2].id, "Something else")
    list(app.chat.answer(edited.id, CancelToken()))
    assert app.chat.hidden_ids(chat.id) == ()
    assert [text for _, text in prompts(script)[-1]] == [old[0].text, old[1].text, "Something else"]
    app.conversations.choose_version(old[2].id)
    assert app.chat.hidden_ids(chat.id) != (), "the other branch is as it was"


def test_with_a_larger_context_everything_is_shown_again(app: Fireside, script: Path) -> None:
    chat = app.conversations.create()
    ask_until_full(app, chat.id)
    list(app.engine.load(Path("/any/model.gguf"), Wish(20_000)))
    assert ContextWidened() in ask(app, chat.id, "Do you see all of it now?", when_full="ask")
    assert app.chat.hidden_ids(chat.id) == ()
    assert prompts(script)[-1][0][1].startswith("Question 1.")


def test_the_parts_say_what_a_prompt_is_made_of(app: Fireside) -> None:
    chat = app.conversations.create(system_prompt="one two three")
    empty = app.chat.looks.break_down(None, "", plan_conversation(AssistantChoice("one two three")))
    assert empty is not None
    assert (empty.earlier, empty.pinned, empty.message, empty.hidden) == (0, 0, 0, 0)
    ask(app, chat.id, "Hello")
    finished = ask(app, chat.id, "Hello again")[-1]
    assert isinstance(finished, Finished)
    app.conversations.set_message_pinned(app.conversations.read_branch(chat.id)[0].id, True)
    parts = app.chat.looks.break_down(chat.id, "and a third")
    assert parts is not None
    assert parts.system == empty.system
    assert (parts.pinned, parts.message) == (1 + 4, 3 + 4), "words, and what stands around a message"
    assert parts.budget.context_tokens == CONTEXT_TOKENS
    answered = ask(app, chat.id, "and a third")[-1]
    assert isinstance(answered, Finished)
    assert 0 <= parts.used_tokens - answered.stats.prompt_tokens <= 4, "as the engine counts, never less"


def test_without_a_model_there_are_no_parts(script: Path) -> None:
    app = build_program()
    try:
        assert app.chat.looks.break_down(None, "hello") is None
        assert app.engine.pid is None, "looking starts nothing"
    finally:
        app.close()


def test_reasoning_is_never_sent_back(app: Fireside, script: Path) -> None:
    chat = app.conversations.create()
    ask(app, chat.id, "Hello")
    answer = app.conversations.read_branch(chat.id)[-1]
    app.conversations.finish_message(answer.id, "Hi.", MessageState.COMPLETE, thinking="A greeting. ", thinking_s=1.0)
    ask(app, chat.id, "Again")
    assert "greeting" not in str(prompts(script)[-1])


def test_a_chat_names_its_session_and_a_deleted_one_is_forgotten(app: Fireside, script: Path) -> None:
    chat = app.conversations.create()
    ask(app, chat.id, "Hello")
    assert sessions(script) == [f"chat-{chat.id}"]
    app.conversations.delete(chat.id)
    app.chat.forget_conversation(chat.id)
    log = script.with_name("prompts.jsonl").read_text("utf-8")
    assert f'"chat-{chat.id}"' in log.splitlines()[-1]
    assert "ForgetSession" in log.splitlines()[-1]


def test_what_is_purged_leaves_the_memory_of_the_loaded_model(app: Fireside, script: Path) -> None:
    memory = Memories(app.database).add("I like tea.")
    chat = app.conversations.create()
    ask(app, chat.id, "Hello")
    app.conversations.delete(chat.id)
    Memories(app.database).delete(memory.id)
    app.trash.remove_all()
    log = map(json.loads, script.with_name("prompts.jsonl").read_text("utf-8").splitlines())
    forgotten = {name for line in log if line["type"] == "ForgetTexts" for name in line["names"]}
    assert forgotten == {f"memory-{memory.id}", f"chat-{chat.id}"}


def test_stop_while_the_model_still_loads_is_heard(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    script = write_script(tmp_path / "slow", {"text": "late"}, load={"seconds": 1.0})
    monkeypatch.setenv("FIRESIDE_ENGINE_SCRIPT", str(script))
    app = build_program()
    try:
        loading = app.engine.load(Path("/any/model.gguf"))
        next(loading)
        chat = app.conversations.create()
        cancel = CancelToken()
        events = app.chat.answer(app.chat.add_question(chat.id, "Hello").id, cancel)
        next(events)
        cancel.cancel()
        finished = list(events)[-1]
        assert isinstance(finished, Finished)
        assert finished.stats.finish_reason is FinishReason.CANCELLED
        assert app.conversations.read_branch(chat.id)[-1].state is MessageState.STOPPED
        list(loading)
    finally:
        app.close()


def test_a_temporary_chat_names_no_session_and_has_ids_of_its_own(app: Fireside, script: Path) -> None:
    kept = app.conversations.create(title="kept")
    talk = app.temporary.open_chat()
    chat = talk.conversations.create(system_prompt="Be brief.")
    question = talk.add_question(chat.id, "Hello")
    list(talk.answer(question.id, CancelToken()))
    assert [message.text[:9] for message in talk.conversations.read_branch(chat.id)] == ["Hello", "Certainly"]
    assert sessions(script) == [""]
    assert app.conversations.find() == [kept]
    assert app.conversations.get(chat.id) is None
    assert app.conversations.get_message(question.id) is None
    assert chat.id < 2**31, "it passes through signals of 32 bits"


def test_a_temporary_chat_is_closed_when_nobody_holds_it(app: Fireside) -> None:
    talk = app.temporary.open_chat()
    conversations = talk.conversations
    conversations.create(title="gone")
    del talk
    with pytest.raises(sqlite3.ProgrammingError, match="closed"):
        conversations.find()
