"""Attachments wait in a draft, go with a message, and follow its versions."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from app.core.events import Role
from app.store.attachments import Attachments, Use
from app.store.conversations import Conversations
from app.store.database import Database
from app.store.documents import DocumentStore


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    with closing(Database.open(tmp_path / "fireside.db")) as database:
        yield database


@pytest.fixture
def document_id(database: Database) -> int:
    store = DocumentStore(database)
    id_ = store.begin(Path("/a.txt"), 1, 1)
    return store.finish(id_, format_="text", unit="", pages=0, sha256="", info={}).id


@pytest.fixture
def attachments(database: Database) -> Attachments:
    return Attachments(database)


def test_each_draft_has_its_own(database: Database, attachments: Attachments, document_id: int) -> None:
    chat = Conversations(database).create()
    of_new = attachments.add_to_draft(None, document_id)
    of_chat = attachments.add_to_draft(chat.id, document_id, Use.BACKGROUND)
    assert attachments.in_draft(None) == [of_new]
    assert attachments.in_draft(chat.id) == [of_chat]
    attachments.remove(of_new.id)
    assert attachments.in_draft(None) == []


def test_what_waited_goes_with_the_message(database: Database, attachments: Attachments, document_id: int) -> None:
    conversations = Conversations(database)
    chat = conversations.create()
    first = attachments.add_to_draft(None, document_id, Use.WHOLE)
    second = attachments.add_to_draft(None, document_id, Use.BACKGROUND)
    question = conversations.add_message(chat.id, None, Role.USER, "What is it?")
    sent = attachments.send(None, question.id)
    assert [(one.id, one.use, one.message_id) for one in sent] == [
        (first.id, Use.WHOLE, question.id),
        (second.id, Use.BACKGROUND, question.id),
    ]
    assert attachments.in_draft(None) == []
    assert attachments.send(None, question.id) == sent, "sending twice changes nothing"


def test_another_version_has_the_documents_but_not_the_passages(
    database: Database, attachments: Attachments, document_id: int
) -> None:
    conversations = Conversations(database)
    chat = conversations.create()
    question = conversations.add_message(chat.id, None, Role.USER, "What is it?")
    attachments.add_to_draft(chat.id, document_id, Use.BACKGROUND)
    (sent,) = attachments.send(chat.id, question.id)
    attachments.set_passages(sent.id, [3, 5])
    attachments.add_passages(question.id, document_id, [9])
    assert [one.passages for one in attachments.of_messages([question.id])[question.id]] == [(3, 5), (9,)]
    other = conversations.add_message(chat.id, None, Role.USER, "What else?")
    attachments.copy(question.id, other.id)
    assert [(one.use, one.passages) for one in attachments.of_messages([other.id])[other.id]] == [(Use.BACKGROUND, ())]


def test_the_use_can_change(attachments: Attachments, document_id: int) -> None:
    one = attachments.add_to_draft(None, document_id)
    assert one.use is Use.UNDECIDED
    attachments.set_use(one.id, Use.BACKGROUND)
    assert attachments.in_draft(None)[0].use is Use.BACKGROUND


def test_a_chat_that_waits_with_the_same_documents_is_found(
    database: Database, attachments: Attachments, document_id: int
) -> None:
    conversations = Conversations(database)
    assert attachments.chat_waiting_with([document_id]) is None
    attachments.add_to_draft(None, document_id)
    assert attachments.chat_waiting_with([document_id]) is None
    waiting, begun = conversations.create(), conversations.create()
    for chat in (waiting, begun):
        attachments.add_to_draft(chat.id, document_id)
    conversations.add_message(begun.id, None, Role.USER, "What is the rent?")
    assert attachments.chat_waiting_with([document_id]) == waiting.id
    assert attachments.chat_waiting_with([document_id, document_id]) is None
    conversations.delete(waiting.id)
    assert attachments.chat_waiting_with([document_id]) is None
