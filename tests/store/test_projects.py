"""Projects, their documents, memories and tags: kept, deleted with a way back, gone for good."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest

from app.store.attachments import Attachments
from app.store.conversations import Conversations
from app.store.database import Database
from app.store.document_store import DocumentStore
from app.store.projects import ChatTag, Memories, ProjectDocuments, Projects, Tags
from tests.store.conftest import trashed

LONG = "שלום 🌙 " * 2000


@pytest.fixture
def projects(database: Database) -> Projects:
    ticks = itertools.count(1000)
    return Projects(database, clock=lambda: float(next(ticks)))


def test_a_project_is_kept_as_it_was_written_and_listed_by_name(projects: Projects) -> None:
    second = projects.create("größe", "planet")
    first = projects.create("Garden\0")
    projects.update(second.id, name=LONG, instructions="In km.", model="/models/m.gguf", is_open=False)
    found = projects.get(second.id)
    assert found is not None
    assert (found.name, found.instructions, found.model, found.is_open) == (LONG, "In km.", "/models/m.gguf", False)
    assert [one.id for one in projects.all()] == [first.id, second.id]
    assert projects.all()[0].name == "Garden"
    with pytest.raises(KeyError):
        projects.update(99, name="x")


def test_chats_of_a_deleted_project_stay_outside_and_come_back_into_it(
    database: Database, projects: Projects, conversations: Conversations
) -> None:
    project, other = projects.create("Moon"), projects.create("Sun")
    chats = [conversations.create(title=f"Chat {number}").id for number in range(500)]
    for number in chats:
        conversations.update(number, project_id=project.id)
    conversations.delete(chats[0])
    assert [one.id for one in projects.chats_of(project.id)] == chats[:0:-1]
    projects.delete(project.id)
    assert (projects.get(project.id), projects.chats_of(project.id)) == (None, [])
    assert "Moon" in trashed(database)
    assert len(conversations.find()) == 499
    conversations.update(chats[1], project_id=other.id)
    projects.restore(project.id)
    assert len(projects.chats_of(project.id)) == 498
    projects.delete(project.id)
    assert projects.purge_deleted(0) == []
    assert projects.purge_deleted(1e12) == [project.id]
    assert len(conversations.find()) == 499
    assert {one.project_id for one in conversations.find()} == {None, other.id}


def test_documents_of_a_project_are_in_no_draft_and_go_with_it(database: Database, projects: Projects) -> None:
    store, documents, attachments = DocumentStore(database), ProjectDocuments(database), Attachments(database)
    project = projects.create("Moon")
    ids = [store.begin_document(Path(f"/documents/{name}"), 7, 1) for name in ("b.txt", "a.txt")]
    for number in ids:
        store.finish_document(number, format_="txt", unit="", pages=0, sha256="", info={})
    for number in (*ids, ids[0]):
        documents.add(project.id, number)
    assert [one.document_id for one in documents.list_documents(project.id)] == ids, "in their order, once"
    assert attachments.in_draft(None) == []
    chat = Conversations(database).create()
    assert attachments.move_to_message(None, 0) == []
    assert attachments.in_draft(chat.id) == []
    store.purge_unused(1e12)
    assert [one.document_id for one in documents.list_documents(project.id)] == ids
    documents.remove(documents.list_documents(project.id)[0].id)
    projects.delete(project.id)
    assert documents.list_documents(project.id) == []
    projects.restore(project.id)
    assert [one.document_id for one in documents.list_documents(project.id)] == ids[1:2]
    projects.delete(project.id)
    projects.purge_deleted(1e12)
    store.purge_unused(1e12)
    assert [store.get(number) for number in ids] == [None] * 2


def test_a_chat_is_told_the_memories_for_all_and_those_of_its_project(database: Database, projects: Projects) -> None:
    moon, sun, memories = projects.create("Moon"), projects.create("Sun"), Memories(database)
    km = memories.add("Distances in km. 🌙", moon.id)
    home = memories.add("I live in Köln.")
    heat = memories.add("In kelvin.", sun.id)
    assert memories.list_for_project(None) == [home]
    assert memories.list_for_project(moon.id) == [home, km]
    assert memories.all() == [home, km, heat]
    memories.update(km.id, text="In miles.")
    memories.update(heat.id, project_id=None)
    assert [one.text for one in memories.list_for_project(moon.id)] == ["I live in Köln.", "In kelvin.", "In miles."]
    memories.delete(home.id)
    assert memories.get(home.id) is None
    assert trashed(database) == [home.text]
    memories.restore(home.id)
    projects.delete(moon.id)
    assert [one.text for one in memories.all()] == ["I live in Köln.", "In kelvin."]
    memories.delete(home.id)
    assert memories.purge_deleted(1e12) == [home.id]
    projects.purge_deleted(1e12)
    assert [one.text for one in memories.all()] == ["In kelvin."]


def test_tags_are_put_on_and_taken_off_and_none_has_anothers_name(
    database: Database, conversations: Conversations
) -> None:
    tags = Tags(database)
    first, second = (conversations.create(title=title).id for title in ("First", "Second"))
    work, later = tags.create("Work", "blue"), tags.create("später")
    assert tags.create("WORK") == work
    for tag, chat in ((work, first), (later, first), (later, second), (later, second), (work, 99)):
        tags.set_tag(tag.id, chat)
    assert tags.of_chats() == {first: (work.id, later.id), second: (later.id,)}
    assert tags.of_chat(first) == [later, work]
    tags.set_tag(later.id, first, is_on=False)
    assert tags.of_chat(first) == [work]
    assert tags.update(later.id, name=LONG, colour="red") == later.id
    assert tags.all()[-1] == ChatTag(later.id, LONG, "red")
    assert tags.update(later.id, name="work") == work.id, "two with one name are one"
    assert tags.all() == [work]
    assert tags.of_chats() == {first: (work.id,), second: (work.id,)}


def test_a_deleted_tag_comes_back_with_its_chats_also_where_its_name_was_taken(
    database: Database, conversations: Conversations
) -> None:
    tags, chat = Tags(database), conversations.create(title="First").id
    work = tags.create("Work")
    tags.set_tag(work.id, chat)
    tags.delete(work.id)
    assert (tags.all(), tags.of_chats(), trashed(database)) == ([], {}, [work.name])
    tags.restore(work.id)
    assert tags.of_chats() == {chat: (work.id,)}
    tags.delete(work.id)
    other = tags.create("work")
    tags.restore(work.id)
    assert (tags.all(), tags.of_chat(chat), trashed(database)) == ([other], [other], [])
    tags.delete(other.id)
    assert tags.purge_deleted(1e12) == [other.id]
    assert conversations.get(chat) is not None
