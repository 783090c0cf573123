"""What a chat sets itself, between conversations, assistants and files."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.features.assistants import (
    ICONS,
    Chosen,
    chosen_in,
    chosen_of,
    conversation_of,
    from_fields,
    icon_of,
    in_assistant,
    in_conversation,
    to_fields,
)
from app.store.assistants import AssistantStore
from app.store.conversations import Conversations
from app.store.database import Database

ALL = Chosen("Be brief.", {"temperature": 0.5, "top_k": 12}, 300, "off", 128, str(Path("/m/a.gguf").absolute()))


def test_it_is_the_same_in_a_chat_an_assistant_and_a_file() -> None:
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
    again = assistants.create(**from_fields(to_fields(assistant)))
    assert (again.name, again.icon, chosen_of(again)) == ("Brief", "cat", ALL)
    database.close()


def test_what_a_file_says_wrongly_is_left_out() -> None:
    wrong = {"name": "A", "icon": "../x", "thinking": "loud", "sampling": {"top_k": "x", "other": 1}, "model": 5}
    assert from_fields(wrong) == {"name": "A", "icon": "", "sampling": {}, "thinking": ""}
    for nameless in ({}, {"name": " "}, {"name": 5}):
        with pytest.raises(ValueError, match="without a name"):
            from_fields(nameless)


def test_an_icon_that_is_not_known_here_is_the_usual_one() -> None:
    database = Database.in_memory()
    assert icon_of(AssistantStore(database).create("A", "of-a-later-version")) == ICONS[0]
    database.close()
