"""What a chat sets itself, between conversations and assistants."""

from __future__ import annotations

from pathlib import Path

from app.features.assistants import (
    ICONS,
    AssistantChoice,
    chosen_in,
    chosen_of,
    conversation_of,
    icon_of,
    in_assistant,
    in_conversation,
)
from app.store.assistant_store import AssistantStore
from app.store.conversations import Conversations
from app.store.database import Database

ALL = AssistantChoice(
    "Be brief.", {"temperature": 0.5, "top_k": 12}, 300, "off", 128, str(Path("/m/a.gguf").absolute())
)


def test_it_is_the_same_in_a_chat_and_an_assistant() -> None:
    database = Database.in_memory()
    conversations, assistants = Conversations(database), AssistantStore(database)
    chat = conversations.create()
    conversations.update(chat.id, **in_conversation(ALL))
    found = conversations.get(chat.id)
    assert found is not None
    assert chosen_in(found) == ALL
    assistant = assistants.create("Brief", "cat", **in_assistant(ALL))
    assert chosen_of(assistant) == ALL
    lent = conversation_of(assistant)
    assert lent is not None
    assert chosen_in(lent) == ALL
    database.close()


def test_an_icon_that_is_not_known_here_is_the_usual_one() -> None:
    database = Database.in_memory()
    assert icon_of(AssistantStore(database).create("A", "of-a-later-version")) == ICONS[0]
    database.close()
