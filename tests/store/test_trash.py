"""What was deleted is listed by kind with when; what is given up goes with the next purge, and nothing else does."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from app.core.events import Role
from app.store.assistant_store import AssistantStore
from app.store.conversations import Conversations
from app.store.database import Database
from app.store.jobs import JobTable
from app.store.page_store import PageStore
from app.store.projects import Memories, Projects, Tags
from app.store.prompt_store import PromptStore
from app.store.trash import MEMORY, MESSAGE, TrashStore


class Clock:
    now = 100.0

    def __call__(self) -> float:
        self.now += 1
        return self.now


@pytest.fixture
def database() -> Iterator[Database]:
    opened = Database.in_memory()
    yield opened
    opened.close()


@pytest.fixture
def clock() -> Clock:
    return Clock()


def test_everything_that_can_be_deleted_is_listed_and_comes_back_as_it_was(database: Database, clock: Clock) -> None:
    chats, jobs, pages = Conversations(database, clock), JobTable(database, clock), PageStore(database, clock)
    projects, memories, tags = Projects(database, clock), Memories(database, clock), Tags(database, clock)
    assistants, prompts = AssistantStore(database, clock), PromptStore(database, clock)
    chat = chats.create(title="Rent")
    kept = chats.create(title="Kept")
    message = chats.add_message(kept.id, None, Role.USER, "How\nhigh?")
    made = [
        (chats.delete, chat.id),
        (chats.delete_message, message.id),
        (projects.delete, projects.create("Flat").id),
        (assistants.delete, assistants.create("Lawyer").id),
        (memories.delete, memories.add("I rent.").id),
        (tags.delete, tags.create("home").id),
        (prompts.delete, prompts.create("Shorter", "Say it shorter.").id),
        (jobs.delete, jobs.add("summary", "Lease", {}).id),
        (jobs.delete, jobs.add("translation", "Letter", {}).id),
        (pages.delete, pages.create("A page\nwith two lines").id),
    ]
    for delete, number in made:
        delete(number)
    rows = TrashStore(database).list_items()
    assert [(one.kind, one.title, one.within) for one in reversed(rows)] == [
        ("chat", "Rent", ""),
        ("message", "How high?", "Kept"),
        ("project", "Flat", ""),
        ("assistant", "Lawyer", ""),
        ("memory", "I rent.", ""),
        ("tag", "home", ""),
        ("prompt", "Shorter", ""),
        ("summary", "Lease", ""),
        ("translation", "Letter", ""),
        ("page", "A page with two lines", ""),
    ]
    assert [one.deleted_at for one in rows] == sorted((one.deleted_at for one in rows), reverse=True)


def test_what_goes_with_something_else_is_not_listed_by_itself(database: Database, clock: Clock) -> None:
    chats, projects, memories = Conversations(database, clock), Projects(database, clock), Memories(database, clock)
    chat, project = chats.create(title="Rent"), projects.create("Flat")
    message = chats.add_message(chat.id, None, Role.USER, "How high?")
    chats.delete_message(message.id)
    memories.delete(memories.add("I rent.", project.id).id)
    trash = TrashStore(database)
    assert [one.kind for one in trash.list_items()] == [MEMORY, MESSAGE]
    chats.delete(chat.id)
    projects.delete(project.id)
    assert [one.title for one in trash.list_items()] == ["Flat", "Rent"]


def test_only_what_is_old_enough_or_given_up_goes(database: Database, clock: Clock) -> None:
    chats = Conversations(database, clock)
    old, given_up, young, alive = (chats.create(title=title) for title in ("old", "given up", "young", "alive"))
    chats.delete(old.id)
    between = clock.now + 0.5
    chats.delete(given_up.id)
    chats.delete(young.id)
    trash = TrashStore(database)
    trash.give_up("chat", given_up.id)
    trash.give_up("chat", alive.id)
    assert {one.title for one in trash.list_items()} == {"old", "young"}
    assert set(chats.purge_deleted(between)) == {old.id, given_up.id}
    assert [chat.title for chat in chats.find()] == ["alive"]
    chats.restore(young.id)
    assert len(chats.find()) == 2
    trash.give_up_all()
    assert chats.purge_deleted(1.0) == []


def test_a_message_that_is_given_up_takes_along_what_was_deleted_below_it_before(
    database: Database, clock: Clock
) -> None:
    chats = Conversations(database, clock)
    chat = chats.create(title="Rent")
    question = chats.add_message(chat.id, None, Role.USER, "How high?")
    answer = chats.add_message(chat.id, question.id, Role.ASSISTANT, "High.")
    other = chats.add_message(chat.id, None, Role.USER, "Well?")
    chats.delete_message(answer.id)
    chats.delete_message(question.id)
    trash = TrashStore(database)
    assert [one.title for one in trash.list_items()] == ["How high?", "High."]
    trash.give_up(MESSAGE, question.id)
    assert trash.list_items() == []
    chats.purge_deleted(1.0)
    assert [one.id for one in chats.read_branch(chat.id)] == [other.id]
    with database.reading() as connection:
        assert connection.execute("SELECT count(*) FROM messages").fetchone()[0] == 1
