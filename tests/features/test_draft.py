"""An answer while it is written: text and thinking apart, and how long the thinking took."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from app.core.events import Role, TextDelta
from app.features.draft import Draft
from app.store.conversations import Conversations, MessageState, StoredMessage
from app.store.database import Database


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
def answer(conversations: Conversations) -> StoredMessage:
    chat = conversations.create()
    question = conversations.add_message(chat.id, None, Role.USER, "Why?")
    return conversations.add_message(chat.id, question.id, Role.ASSISTANT, "", state=MessageState.WRITING)


def stored(conversations: Conversations, answer: StoredMessage) -> StoredMessage:
    message = conversations.message(answer.id)
    assert message is not None
    return message


def test_thinking_is_kept_apart_with_the_time_it_took(conversations: Conversations, answer: StoredMessage) -> None:
    clock = Clock()
    draft = Draft(conversations, answer.id, "", clock=clock)
    clock.now_s += 5  # the prompt is read
    draft.append(TextDelta("Hm", thinking=True))
    clock.now_s += 12
    draft.append(TextDelta(", so.", thinking=True))
    draft.append(TextDelta("Because."))
    clock.now_s += 30
    draft.append(TextDelta(" Really."))
    draft.finish(MessageState.COMPLETE)
    message = stored(conversations, answer)
    assert (message.text, message.thinking, message.thinking_s) == ("Because. Really.", "Hm, so.", 12)


def test_an_answer_without_thinking_took_none(conversations: Conversations, answer: StoredMessage) -> None:
    draft = Draft(conversations, answer.id, "")
    draft.append(TextDelta("Because."))
    draft.finish(MessageState.COMPLETE)
    message = stored(conversations, answer)
    assert (message.thinking, message.thinking_s) == ("", None)


def test_thinking_is_saved_while_it_is_written(conversations: Conversations, answer: StoredMessage) -> None:
    clock = Clock()
    draft = Draft(conversations, answer.id, "", clock=clock)
    clock.now_s += 1
    draft.append(TextDelta("Hm", thinking=True))
    assert stored(conversations, answer).thinking == "Hm"


def test_an_answer_stopped_while_thinking_keeps_it(conversations: Conversations, answer: StoredMessage) -> None:
    clock = Clock()
    draft = Draft(conversations, answer.id, "", clock=clock)
    draft.append(TextDelta("Hm", thinking=True))
    clock.now_s += 3
    draft.give_up(MessageState.STOPPED)
    message = stored(conversations, answer)
    assert (message.text, message.thinking, message.thinking_s) == ("", "Hm", 3)


def test_an_answer_that_goes_on_keeps_its_former_thinking(conversations: Conversations, answer: StoredMessage) -> None:
    draft = Draft(conversations, answer.id, "Because", "Hm", 4.0)
    draft.append(TextDelta(" of this."))
    draft.finish(MessageState.COMPLETE)
    message = stored(conversations, answer)
    assert (message.text, message.thinking, message.thinking_s) == ("Because of this.", "Hm", 4.0)
