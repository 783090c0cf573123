"""Pictures and sounds of messages in the store."""

from __future__ import annotations

from app.core.events import Role
from app.store.conversations import Conversations
from app.store.database import Database
from app.store.media_store import MediaStore, StoredMedia


def known(store: MediaStore, *names: str) -> None:
    for name in names:
        store.add(StoredMedia(name, "picture", "png", 10, 4, 3))


def names_of(store: MediaStore, message_id: int) -> list[str]:
    return [use.media.sha256 for use in store.of_messages([message_id]).get(message_id, [])]


def test_a_picture_goes_from_the_draft_with_its_message_and_into_forks_and_versions(database: Database) -> None:
    chats = Conversations(database)
    store = chats.media
    chat = chats.create().id
    known(store, "a", "b")
    store.put_into_draft(chat, "b", "b.png", 64)
    taken = store.put_into_draft(chat, "a", "a.png")
    store.put_into_draft(None, "a", "other.png")
    store.remove(taken.id)
    store.put_back(taken)
    question = chats.add_message(chat, None, Role.USER, "what is it?", draft_of=chat)
    assert names_of(store, question.id) == ["b", "a"]
    first = store.of_messages([question.id])[question.id][0]
    assert (first.name, first.most_tokens) == ("b.png", 64)
    assert store.in_draft(chat) == [] and len(store.in_draft(None)) == 1
    version = chats.add_message(chat, None, Role.USER, "what is this?")
    store.copy(question.id, version.id)
    fork = chats.fork(question.id, "fork")
    assert names_of(store, version.id) == names_of(store, chats.read_branch(fork)[0].id) == ["b", "a"]


def test_a_picture_waits_with_a_queued_message(database: Database) -> None:
    chats = Conversations(database)
    store = chats.media
    chat = chats.create().id
    known(store, "a")
    store.put_into_draft(chat, "a", "a.png", 128)
    waiting = chats.queued.add(chat, "later", draft_of=chat)
    assert waiting.media == (("a", "a.png", 128),)
    chats.queued.remove(waiting.id)
    chats.queued.put_back(waiting)
    question = chats.add_message(chat, None, Role.USER, "later", queued_id=waiting.id)
    assert names_of(store, question.id) == ["a"]


def test_what_nothing_uses_is_forgotten_but_not_what_is_in_the_trash(database: Database) -> None:
    chats = Conversations(database, clock=lambda: 100.0)
    store = chats.media
    chat = chats.create().id
    known(store, "used", "trashed", "lost")
    for name in ("used", "trashed"):
        message = chats.add_message(chat, None, Role.USER, name)
        store.add_uses(message.id, [(name, name, 0)])
    chats.delete_message(message.id)
    assert store.forget_unused(50.0) == []
    assert store.forget_unused(200.0) == ["lost"]
    chats.purge_deleted()
    assert store.forget_unused(200.0) == ["trashed"]
    assert store.all() == ["used"]
