"""What waits until an answer has ended keeps its order and its documents, and comes back when it was removed."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.store.attachments import Attachments
from app.store.conversations import Conversations
from app.store.database import Database
from app.store.document_store import DocumentStore


def test_messages_wait_in_their_order_with_their_documents(database: Database) -> None:
    conversations, attachments = Conversations(database), Attachments(database)
    chat = conversations.create(title="Chat")
    conversations.update(chat.id, draft="First")
    document = DocumentStore(database).begin_document(Path("/documents/notes.txt"), 7, 1)
    attachments.add_to_draft(chat.id, document)
    first = conversations.queued.add(chat.id, "First", draft_of=chat.id)
    attachments.add_to_draft(chat.id, document)
    second = conversations.queued.add(chat.id, "Second\0")
    assert conversations.queued.list_waiting(chat.id) == [first, second]
    assert (first.documents, second.documents, second.text) == (((document, ""),), (), "Second")
    assert len(attachments.in_draft(chat.id)) == 1, "what was attached since belongs to the draft"
    assert attachments.in_draft(None) == []
    found = conversations.get(chat.id)
    assert found is not None
    assert found.draft == ""
    conversations.queued.set_order([second.id, first.id])
    conversations.queued.edit_text(first.id, "First, changed")
    assert [one.text for one in conversations.queued.list_waiting(chat.id)] == ["Second", "First, changed"]
    changed = conversations.queued.list_waiting(chat.id)[1]
    conversations.queued.remove(changed.id)
    assert [one.text for one in conversations.queued.list_waiting(chat.id)] == ["Second"]
    conversations.queued.put_back(changed)
    assert conversations.queued.list_waiting(chat.id)[1] == changed
    with pytest.raises(KeyError):
        conversations.queued.edit_text(99, "gone")
    with pytest.raises(KeyError):
        conversations.queued.add(99, "gone")


def test_nothing_waits_in_a_deleted_chat_until_it_is_restored(database: Database) -> None:
    conversations = Conversations(database)
    chats = [conversations.create(title=title).id for title in "ab"]
    for chat in reversed(chats):
        conversations.queued.add(chat, "next")
    assert conversations.queued.list_conversations() == [chats[1], chats[0]]
    conversations.delete(chats[1])
    assert (conversations.queued.list_conversations(), conversations.queued.list_waiting(chats[1])) == ([chats[0]], [])
    conversations.restore(chats[1])
    assert len(conversations.queued.list_waiting(chats[1])) == 1
    conversations.delete(chats[1])
    conversations.purge_deleted()
    assert conversations.queued.list_conversations() == [chats[0]]
