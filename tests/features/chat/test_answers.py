"""Chat against the scripted backend in the real engine child, and the real store."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from app.bootstrap import Fireside
from app.core.errors.engine_errors import EngineStopped
from app.core.errors.request_errors import TemplateFailed
from app.core.errors.saving_errors import FolderNotWritable
from app.core.events import CANCELLED, AnswerStats, CancelToken, Finished, FinishReason, Role, TextDelta
from app.features.chat.answer_draft import AnswerDraft, with_before
from app.features.chat.answer_service import AnswerStarted, title_from
from app.store.conversations import Conversations, MessageState, StoredMessage
from app.store.database import Database
from tests.helpers.script import prompts, write_script

ANSWERS = (
    {"when": "story", "text": " word", "repeat": 5000, "delay_s": 0.01},
    {"when": "crash", "text": "one two three four five", "crash_after": 3},
    {"when": "template$", "error": "TemplateFailed", "fields": {"path": "x", "detail": "y"}},
    {"when": "cut", "text": "The first half", "finish": "length"},
)


@pytest.fixture
def script(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = write_script(tmp_path / "script", *ANSWERS)
    monkeypatch.setenv("FIRESIDE_ENGINE_SCRIPT", str(path))
    return path


def answer(app: Fireside, question_id: int) -> int:
    """Answers a question to the end; returns the answer's id."""
    started, *_, finished = app.chat.answer(question_id, CancelToken())
    assert isinstance(started, AnswerStarted)
    assert isinstance(finished, Finished)
    return started.message_id


def test_a_question_is_answered_stored_and_gives_the_title(app: Fireside) -> None:
    chat = app.conversations.create(system_prompt="Be brief.")
    question = app.chat.add_question(chat.id, "How  are\nyou?")
    answer(app, question.id)
    stored = [(m.role, m.text, m.state) for m in app.conversations.read_branch(chat.id)]
    assert stored == [
        ("user", "How  are\nyou?", MessageState.COMPLETE),
        ("assistant", "You said: How  are\nyou?", MessageState.COMPLETE),
    ]
    found = app.conversations.get(chat.id)
    assert found is not None
    assert found.title == "How are you?"


def test_the_model_sees_the_system_prompt_and_only_the_chosen_branch(app: Fireside, script: Path) -> None:
    chat = app.conversations.create(system_prompt="Be brief.")
    first = app.chat.add_question(chat.id, "first wording")
    answer(app, first.id)
    second = app.chat.versions.edit_question(first.id, "second wording")
    answer(app, second.id)
    third = app.chat.add_question(chat.id, "and then?")
    answer(app, third.id)
    assert prompts(script)[-1] == [
        ("system", "Be brief."),
        ("user", "second wording"),
        ("assistant", "You said: second wording"),
        ("user", "and then?"),
    ]


def test_a_continued_answers_statistics_count_all_of_it(app: Fireside) -> None:
    chat = app.conversations.create()
    question = app.chat.add_question(chat.id, "cut")
    first = answer(app, question.id)
    parts = [app.conversations.get_message(first)]
    for _ in range(2):
        list(app.chat.continue_answer(first, CancelToken()))
        parts.append(app.conversations.get_message(first))
    stats = [one.stats for one in parts if one is not None and one.stats is not None]
    assert [one.generated_tokens for one in stats] == [3, 6, 9]
    assert stats[2].time_to_first_token_s == stats[0].time_to_first_token_s
    early = CancelToken()
    early.cancel()
    list(app.chat.continue_answer(first, early))
    kept = app.conversations.get_message(first)
    assert kept is not None
    assert kept.stats is not None
    assert kept.stats.generated_tokens == 9


def test_what_was_written_before_a_crash_is_counted_when_the_answer_goes_on(app: Fireside) -> None:
    chat = app.conversations.create()
    question = app.chat.add_question(chat.id, "cut")
    state = MessageState.INTERRUPTED
    half = app.conversations.add_message(chat.id, question.id, Role.ASSISTANT, "one two", state=state)
    list(app.chat.continue_answer(half.id, CancelToken()))
    stored = app.conversations.get_message(half.id)
    assert stored is not None
    assert stored.stats is not None
    assert (stored.text, stored.stats.generated_tokens) == ("one twoThe first half", 5)


def test_the_speed_of_a_continued_answer_is_that_of_all_its_parts() -> None:
    slow, fast = (AnswerStats(50, 0, 11, 1.5, speed, FinishReason.LENGTH) for speed in (10.0, 20.0))
    whole = with_before(fast, slow)
    assert whole.tokens_per_s == pytest.approx(20 / 1.5)
    assert with_before(replace(fast, generated_tokens=0, tokens_per_s=0.0), slow).tokens_per_s == 10.0
    assert (whole.generated_tokens, whole.prompt_tokens, whole.time_to_first_token_s) == (22, 39, 1.5)
    assert with_before(CANCELLED, slow) == replace(slow, finish_reason=FinishReason.CANCELLED)


def test_answering_again_makes_a_version_beside_the_first(app: Fireside) -> None:
    chat = app.conversations.create()
    question = app.chat.add_question(chat.id, "again")
    first, second = answer(app, question.id), answer(app, question.id)
    assert app.conversations.read_branch(chat.id)[-1].versions == (first, second)
    assert app.conversations.read_branch(chat.id)[-1].id == second


def test_a_stopped_answer_keeps_its_text_and_says_so(app: Fireside) -> None:
    chat = app.conversations.create()
    cancel = CancelToken()
    text, finished = "", None
    for event in app.chat.answer(app.chat.add_question(chat.id, "a story").id, cancel):
        if isinstance(event, TextDelta):
            text += event.text
            cancel.cancel()
        if isinstance(event, Finished):
            finished = event
    assert finished is not None
    assert finished.stats.finish_reason is FinishReason.CANCELLED
    stored = app.conversations.read_branch(chat.id)[-1]
    assert (stored.text, stored.state) == (text, MessageState.STOPPED)


def test_continuing_sends_the_half_answer_and_appends(app: Fireside, script: Path) -> None:
    chat = app.conversations.create()
    half = answer(app, app.chat.add_question(chat.id, "cut").id)
    list(app.chat.continue_answer(half, CancelToken()))
    stored = app.conversations.read_branch(chat.id)
    assert len(stored) == 2
    assert stored[-1].text == "The first half" * 2
    assert prompts(script)[-1][-1] == ("assistant", "The first half")


def test_a_crash_keeps_the_text_so_far_as_interrupted_and_the_next_answer_works(app: Fireside) -> None:
    chat = app.conversations.create()
    with pytest.raises(EngineStopped):
        list(app.chat.answer(app.chat.add_question(chat.id, "crash please").id, CancelToken()))
    stored = app.conversations.read_branch(chat.id)[-1]
    assert (stored.text, stored.state) == ("one two three", MessageState.INTERRUPTED)
    answer(app, app.chat.add_question(chat.id, "hello").id)
    assert app.conversations.read_branch(chat.id)[-1].text == "You said: hello"


def test_an_answer_that_never_began_is_failed_and_keeps_the_question(app: Fireside) -> None:
    chat = app.conversations.create()
    with pytest.raises(TemplateFailed):
        list(app.chat.answer(app.chat.add_question(chat.id, "template").id, CancelToken()))
    question, failed = app.conversations.read_branch(chat.id)
    assert question.text == "template"
    assert (failed.text, failed.state) == ("", MessageState.FAILED)


def test_a_question_after_a_failed_answer_is_sent_together_with_the_unanswered_one(app: Fireside, script: Path) -> None:
    chat = app.conversations.create()
    with pytest.raises(TemplateFailed):
        list(app.chat.answer(app.chat.add_question(chat.id, "template").id, CancelToken()))
    answer(app, app.chat.add_question(chat.id, "hello").id)
    assert prompts(script)[-1] == [("user", "template\n\nhello")]


def test_leaving_an_answer_in_the_middle_keeps_it_as_interrupted(app: Fireside) -> None:
    chat = app.conversations.create()
    events = app.chat.answer(app.chat.add_question(chat.id, "a story").id, CancelToken())
    text = ""
    while not text:
        event = next(events)
        text = event.text if isinstance(event, TextDelta) else ""
    events.close()
    stored = app.conversations.read_branch(chat.id)[-1]
    assert (stored.text, stored.state) == (text, MessageState.INTERRUPTED)


def test_an_answer_is_saved_while_it_is_written(app: Fireside) -> None:
    chat = app.conversations.create()
    events = app.chat.answer(app.chat.add_question(chat.id, "a story").id, CancelToken())
    written = ""
    while True:
        event = next(events)
        written += event.text if isinstance(event, TextDelta) else ""
        saved = app.conversations.read_branch(chat.id)[-1]
        if saved.text:
            break
    assert saved.state is MessageState.WRITING
    assert written.startswith(saved.text)
    events.close()


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("Hello", "Hello"),
        ("  two\n lines ", "two lines"),
        ("word " * 30, "word word word word word word word word word…"),
        ("x" * 100, "x" * 48 + "…"),
        ("", ""),
    ],
)
def test_titles_come_from_the_first_words(text: str, title: str) -> None:
    assert title_from(text) == title


# An answer while it is written: text and thinking apart, and how long the thinking took.


class Clock:
    now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def conversations(tmp_path: Path) -> Iterator[Conversations]:
    database = Database.in_memory()
    yield Conversations(database)
    database.close()


@pytest.fixture
def begun(conversations: Conversations) -> StoredMessage:
    chat = conversations.create()
    question = conversations.add_message(chat.id, None, Role.USER, "Why?")
    return conversations.add_message(chat.id, question.id, Role.ASSISTANT, "", state=MessageState.WRITING)


def stored(conversations: Conversations, begun: StoredMessage) -> StoredMessage:
    message = conversations.get_message(begun.id)
    assert message is not None
    return message


def test_thinking_is_kept_apart_with_the_time_it_took(conversations: Conversations, begun: StoredMessage) -> None:
    clock = Clock()
    draft = AnswerDraft(conversations, begun.id, "", clock=clock)
    clock.now_s += 5  # the prompt is read
    draft.append(TextDelta("Hm", thinking=True))
    clock.now_s += 12
    draft.append(TextDelta(", so.", thinking=True))
    draft.append(TextDelta("Because."))
    clock.now_s += 30
    draft.append(TextDelta(" Really."))
    draft.finish(MessageState.COMPLETE)
    message = stored(conversations, begun)
    assert (message.text, message.thinking, message.thinking_s) == ("Because. Really.", "Hm, so.", 12)


def test_an_answer_without_thinking_took_none(conversations: Conversations, begun: StoredMessage) -> None:
    draft = AnswerDraft(conversations, begun.id, "")
    draft.append(TextDelta("Because."))
    draft.finish(MessageState.COMPLETE)
    message = stored(conversations, begun)
    assert (message.thinking, message.thinking_s) == ("", None)


def test_thinking_is_saved_while_it_is_written(conversations: Conversations, begun: StoredMessage) -> None:
    clock = Clock()
    draft = AnswerDraft(conversations, begun.id, "", clock=clock)
    clock.now_s += 1
    draft.append(TextDelta("Hm", thinking=True))
    assert stored(conversations, begun).thinking == "Hm"


def test_an_answer_stopped_while_thinking_keeps_it(conversations: Conversations, begun: StoredMessage) -> None:
    clock = Clock()
    draft = AnswerDraft(conversations, begun.id, "", clock=clock)
    draft.append(TextDelta("Hm", thinking=True))
    clock.now_s += 3
    draft.give_up(MessageState.STOPPED)
    message = stored(conversations, begun)
    assert (message.text, message.thinking, message.thinking_s) == ("", "Hm", 3)


@pytest.mark.logs_warnings
@pytest.mark.parametrize("state", [MessageState.COMPLETE, MessageState.INTERRUPTED])
def test_an_answer_whose_end_a_failing_disk_refused_ends_once_it_can_be_written(
    conversations: Conversations, begun: StoredMessage, state: MessageState
) -> None:
    def let_write(is_possible: bool) -> None:
        with conversations.database.reading() as connection:
            connection.execute(f"PRAGMA query_only = {int(not is_possible)}")

    draft = AnswerDraft(conversations, begun.id, "")
    draft.append(TextDelta("Half of it"))
    let_write(False)
    if state is MessageState.COMPLETE:
        with pytest.raises(FolderNotWritable):
            draft.finish(state)
    draft.give_up(MessageState.INTERRUPTED)
    assert stored(conversations, begun).state is MessageState.WRITING
    let_write(True)
    message = conversations.read_branch(begun.conversation_id)[-1]
    assert (message.text, message.state) == ("Half of it", state)


def test_an_answer_that_goes_on_keeps_its_former_thinking(conversations: Conversations, begun: StoredMessage) -> None:
    draft = AnswerDraft(conversations, begun.id, "Because", "Hm", 4.0)
    draft.append(TextDelta(" of this."))
    draft.finish(MessageState.COMPLETE)
    message = stored(conversations, begun)
    assert (message.text, message.thinking, message.thinking_s) == ("Because of this.", "Hm", 4.0)


def test_another_first_token_follows_the_same_thinking(app: Fireside, script: Path) -> None:
    chat = app.conversations.create()
    question = app.chat.add_question(chat.id, "Is it?")
    old = app.conversations.add_message(chat.id, question.id, Role.ASSISTANT, "Yes, it is")
    app.conversations.finish_message(old.id, old.text, MessageState.COMPLETE, thinking="Let me see", thinking_s=2.0)
    list(app.chat.answer_from(old.id, "", (70,), CancelToken()))
    assert prompts(script)[-1] == [("user", "Is it?"), ("assistant", "")]
    new = app.conversations.read_branch(chat.id)[-1]
    assert (new.text, new.thinking, new.thinking_s) == (" otherYou said: Is it?", "Let me see", 2.0)
    assert new.versions == (old.id, new.id)
