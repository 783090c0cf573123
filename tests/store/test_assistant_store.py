"""Assistants: listed by use, deleted with a way back."""

from __future__ import annotations

import itertools

import pytest

from app.store.assistant_store import AssistantStore
from app.store.conversations import Conversations
from app.store.database import Database
from tests.store.conftest import trashed


@pytest.fixture
def assistants(database: Database) -> AssistantStore:
    ticks = itertools.count(1000)
    return AssistantStore(database, clock=lambda: float(next(ticks)))


def names(assistants: AssistantStore) -> list[str]:
    return [one.name for one in assistants.all()]


def test_the_last_used_come_first_and_the_others_by_name(assistants: AssistantStore) -> None:
    made = {name: assistants.create(name) for name in ("beta", "Alpha", "gamma")}
    assert names(assistants) == ["Alpha", "beta", "gamma"]
    assistants.note_use(made["beta"].id)
    assistants.note_use(made["gamma"].id)
    assert names(assistants) == ["gamma", "beta", "Alpha"]


def test_everything_that_is_set_comes_back(assistants: AssistantStore) -> None:
    values = {"instructions": "Be\nbrief.\0", "model": "/m/a.gguf", "sampling": {"top_k": 5}, "thinking": "off"}
    made = assistants.create(" Two\n lines\0 ", "cat", **values)
    assistants.update(made.id, sampling={"temperature": 0.5}, icon="code")
    found = assistants.get(made.id)
    assert found is not None
    assert (found.name, found.icon, found.instructions) == ("Two lines", "code", "Be\nbrief.")
    assert (found.model, found.sampling, found.thinking) == ("/m/a.gguf", {"temperature": 0.5}, "off")
    with pytest.raises(TypeError):
        assistants.update(made.id, colour="red")
    with pytest.raises(KeyError):
        assistants.update(made.id + 1, name="x")


def test_what_is_deleted_comes_back_or_goes_for_good_and_its_chats_stay(
    database: Database, assistants: AssistantStore, conversations: Conversations
) -> None:
    kept, gone = assistants.create("Kept"), assistants.create("Gone")
    chat = conversations.create(title="Chat", system_prompt="As Gone says")
    conversations.update(chat.id, assistant_id=gone.id)
    for one in (kept, gone):
        assistants.delete(one.id)
    assert (names(assistants), assistants.get(gone.id)) == ([], None)
    assert trashed(database) == ["Gone", "Kept"]
    assistants.restore(kept.id)
    assistants.purge_deleted(before=10_000.0)
    assert (names(assistants), trashed(database)) == (["Kept"], [])
    found = conversations.get(chat.id)
    assert found is not None
    assert (found.assistant_id, found.system_prompt) == (None, "As Gone says")
