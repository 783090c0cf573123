"""Whole conversations: every branch read in pieces, and one from elsewhere added at once or not at all."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from app.core.events import AnswerStats, FinishReason, Role
from app.store.attachments import Attachments, DocumentUse
from app.store.conversation_row import Conversation
from app.store.conversations import Conversations, MessageState, TreeMessage
from app.store.database import Database
from app.store.document_store import DocumentStore
from app.store.whole_conversations import BATCH, WholeConversations
from tests.helpers.searching import search_text

STATS = AnswerStats(9, 4, 3, 0.5, 12.5, FinishReason.STOP, 1)
CHAT = Conversation(
    0, "From elsewhere", "Be brief.", 0.5, "m", "a draft", 10.0, 20.0, None, True, {"top_k": 5}, "on", 2,
    titled_by="person",
)  # fmt: skip


def node(number: int, parent: int | None, role: Role, text: str, chosen: int = 0) -> TreeMessage:
    return TreeMessage(number, parent, role, text, MessageState.COMPLETE, "m", float(number), chosen)


TREE = [
    node(1, None, Role.USER, "first"),
    replace(node(2, 1, Role.ASSISTANT, "one way", 4), stats=STATS, thinking="hm", thinking_s=2.0, pinned=True),
    node(3, 1, Role.ASSISTANT, "another", 7),
    replace(node(4, 2, Role.USER, "below the one that is not shown"), recalled=(1, 2)),
]


def without_ids(messages: list[TreeMessage]) -> list[TreeMessage]:
    places = {one.id: place for place, one in enumerate(messages)}
    return [
        replace(one, id=places[one.id], parent_id=None if one.parent_id is None else places[one.parent_id])
        for one in messages
    ]


def test_a_tree_comes_back_as_it_was_added_with_its_times_and_the_branch_that_is_shown(database: Database) -> None:
    conversations, whole = Conversations(database), WholeConversations(database)
    conversations.create(title="so that ids differ")
    chat_id = whole.add_tree(CHAT, TREE)
    added = conversations.get(chat_id)
    assert added is not None
    assert replace(added, id=0, leaf_id=None, first_kept_id=2) == replace(CHAT, titled_by="person")
    found = list(whole.all_messages(chat_id))
    assert without_ids(found) == without_ids(TREE)
    assert added.first_kept_id == found[1].id
    assert [one.text for one in whole.iterate_branch(chat_id)] == [
        one.text for one in conversations.read_branch(chat_id)
    ]
    assert [one.text for one in conversations.read_branch(chat_id)] == ["first", "another"]
    assert search_text(conversations, "elsewhere")[0][0] == search_text(conversations, "anoth")[0][0] == chat_id


def test_nothing_is_kept_of_a_tree_with_a_parent_that_is_not_there(database: Database) -> None:
    conversations = Conversations(database)
    with pytest.raises(KeyError):
        WholeConversations(database).add_tree(CHAT, [node(1, None, Role.USER, "x"), node(2, 9, Role.ASSISTANT, "y")])
    assert conversations.find() == []
    assert search_text(conversations, "x") == []


def test_deleted_messages_are_no_part_of_it_and_a_long_one_is_walked_through_in_order(
    database: Database, conversations: Conversations
) -> None:
    chat, parent_id = conversations.create(), None
    for number in range(2 * BATCH + 3):
        parent_id = conversations.add_message(chat.id, parent_id, Role.USER, str(number)).id
    gone = conversations.add_message(chat.id, parent_id, Role.ASSISTANT, "gone")
    conversations.delete_message(gone.id)
    whole, numbers = WholeConversations(database), [str(number) for number in range(2 * BATCH + 3)]
    assert [one.text for one in whole.all_messages(chat.id)] == numbers
    assert [one.text for one in whole.iterate_branch(chat.id)] == numbers
    assert whole.message_count(chat.id) == len(numbers)
    assert list(whole.iterate_branch(chat.id + 1)) == list(whole.all_messages(chat.id + 1)) == []


def test_how_conversations_began_without_what_is_deleted(database: Database) -> None:
    conversations, whole = Conversations(database), WholeConversations(database)
    chat_id, empty_id = whole.add_tree(CHAT, TREE), whole.add_tree(CHAT, [])
    assert whole.read_start_times() == {chat_id: 10.0, empty_id: 10.0}
    assert (whole.first_text(chat_id), whole.first_text(empty_id), whole.first_text(99)) == ("first", None, None)
    first = conversations.read_branch(chat_id)[0].id
    conversations.add_message(chat_id, None, Role.USER, "another beginning")
    assert whole.first_text(chat_id) == "first"
    conversations.delete_message(first)
    assert whole.first_text(chat_id) == "another beginning"
    conversations.delete(chat_id)
    assert whole.read_start_times() == {empty_id: 10.0}


def test_documents_are_found_by_their_content_and_stand_at_messages_and_in_the_draft(database: Database) -> None:
    store, attachments = DocumentStore(database), Attachments(database)
    document_id = store.begin_document(Path("/lease.pdf"), 1, 1)
    assert store.find_content("") is store.find_content("aa") is None
    store.finish_document(document_id, format_="pdf", unit="page", pages=1, sha256="aa", info={})
    found = store.find_content("aa")
    assert found is not None
    assert (found.id, found.name) == (document_id, "lease.pdf")
    chat_id = WholeConversations(database).add_tree(
        CHAT, TREE, {1: [(document_id, DocumentUse.WHOLE)], None: [(document_id, DocumentUse.UNDECIDED)]}
    )
    first = Conversations(database).read_branch(chat_id)[0].id
    assert [one.use for one in attachments.of_messages([first])[first]] == [DocumentUse.WHOLE]
    assert [one.document_id for one in attachments.in_draft(chat_id)] == [document_id]
