"""Documents are kept block by block, found by their words, and gone when nothing refers to them."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.core.events import Role
from app.store.attachments import Attachments
from app.store.conversations import Conversations
from app.store.database import Database
from app.store.document_store import BATCH, DocumentStore, StoredDocument
from app.store.jobs import JobTable

TEXTS = ("Größe und Gewicht", "The lease ends in March.", "A second page, with a lease again.", "Nothing here.")


@pytest.fixture
def store(database: Database) -> DocumentStore:
    return DocumentStore(database, clock=lambda: 100.0)


def blocks(texts: tuple[str, ...] = TEXTS) -> list[dict[str, object]]:
    return [
        {"id": number, "kind": "paragraph", "page": (number + 1) // 2, "text": text, "heading_path": []}
        for number, text in enumerate(texts, 1)
    ]


def kept(store: DocumentStore, texts: tuple[str, ...] = TEXTS, path: Path = Path("/a/lease.pdf")) -> StoredDocument:
    id_ = store.begin_document(path, 10, 20)
    store.add_blocks(id_, blocks(texts))
    return store.finish_document(id_, format_="pdf", unit="page", pages=2, sha256="ab", info={"language": "en"})


def test_blocks_come_back_as_they_were_given(store: DocumentStore) -> None:
    document = kept(store)
    assert store.read_blocks(document.id) == blocks()
    assert store.read_blocks(document.id, 2, 2) == blocks()[1:3]
    assert store.some_blocks(document.id, [4, 1, 9]) == [blocks()[0], blocks()[3]]
    assert list(store.every_block(document.id)) == blocks()
    assert store.block_count(document.id) == len(TEXTS)


def test_a_document_counts_only_once_it_is_complete(store: DocumentStore) -> None:
    id_ = store.begin_document(Path("/a/lease.pdf"), 10, 20)
    store.add_blocks(id_, blocks())
    assert store.get(id_) is None
    assert store.find_read(Path("/a/lease.pdf"), 10, 20) == []
    done = store.finish_document(id_, format_="pdf", unit="page", pages=2, sha256="ab", info={})
    assert store.get(id_) == done
    assert store.find_read(Path("/a/lease.pdf"), 10, 20) == [done]
    assert store.find_read(Path("/a/lease.pdf"), 11, 20) == [], "the file has changed"


def test_more_blocks_than_one_transaction_takes(store: DocumentStore) -> None:
    texts = tuple(f"number {number}" for number in range(2 * BATCH + 7))
    document = kept(store, texts)
    assert [one["text"] for one in store.every_block(document.id)] == list(texts)
    store.discard_document(document.id)
    assert (store.get(document.id), store.read_blocks(document.id)) == (None, [])


def test_a_page_has_its_blocks_and_the_one_that_may_reach_into_it(store: DocumentStore) -> None:
    document = kept(store)
    assert [one["id"] for one in store.blocks_of_page(document.id, 2)] == [2, 3, 4]
    assert [one["id"] for one in store.blocks_of_page(document.id, 1)] == [1, 2]


def test_words_are_ranked_over_the_documents_that_are_asked_for(store: DocumentStore) -> None:
    first, other = kept(store), kept(store, ("lease lease lease",), Path("/b.txt"))
    found = store.rank_blocks([first.id], ["lease", "march"], 10)
    assert [hit[1] for hit in found] == [2, 3], "the one with both words first"
    assert found[0][2] > found[1][2]
    assert {hit[0] for hit in store.rank_blocks([first.id, other.id], ["lease"], 10)} == {first.id, other.id}
    assert [hit[1] for hit in store.rank_blocks([first.id], ["GROßE", "none"], 10)] == [1]
    assert [hit[1] for hit in store.rank_blocks([first.id], ["gewich*"], 10)] == [1]
    assert store.rank_blocks([first.id], ["gewich"], 10) == []
    assert store.rank_blocks([first.id], ["", "?", '"'], 10) == []
    assert store.rank_blocks([first.id], ['lease" OR "x', "NEAR("], 10) == []


def test_text_that_no_database_holds_is_cleaned(store: DocumentStore) -> None:
    document = kept(store, ("nul\0 and half an emoji \ud83d",))
    assert store.read_blocks(document.id)[0]["text"] == "nul and half an emoji \ufffd"


def test_what_nothing_refers_to_goes_but_not_what_is_read_now(database: Database, store: DocumentStore) -> None:
    attached, lonely = kept(store), kept(store)
    half = store.begin_document(Path("/half"), 1, 1)
    Attachments(database).add_to_draft(None, attached.id)
    assert store.purge_unused(before=50.0) == [], "both were begun later"
    assert len(store.purge_unused(before=200.0)) == 2
    assert store.get(attached.id) is not None
    assert (store.get(lonely.id), store.read_blocks(lonely.id), store.read_blocks(half)) == (None, [], [])
    assert store.rank_blocks([lonely.id], ["lease"], 10) == [], "the index forgot it, too"


def test_a_document_in_use_is_not_discarded(database: Database, store: DocumentStore) -> None:
    document = kept(store)
    Attachments(database).add_to_draft(None, document.id)
    with pytest.raises(Exception, match="FOREIGN KEY"):
        store.discard_document(document.id)
    assert store.get(document.id) == document
    assert len(store.read_blocks(document.id)) == len(TEXTS)


def test_a_deleted_chat_takes_its_attachments_along(database: Database, store: DocumentStore) -> None:
    conversations, document = Conversations(database), kept(store)
    chat = conversations.create()
    Attachments(database).add_to_draft(chat.id, document.id)
    conversations.delete(chat.id)
    assert store.purge_unused(before=200.0) == [], "it may still be restored"
    conversations.purge_deleted()
    assert len(store.purge_unused(before=200.0)) == 1


def test_an_odd_path_is_kept_byte_for_byte(store: DocumentStore) -> None:
    path = Path("/a/not utf-8 \udcff.txt")
    document = kept(store, path=path)
    assert document.path == path
    assert document.name == "not utf-8 \ufffd.txt"


def test_documents_in_use_are_those_of_what_is_not_deleted_and_each_file_once(
    store: DocumentStore, database: Database
) -> None:
    attachments, chats, jobs = Attachments(database), Conversations(database), JobTable(database)
    names = ("earlier", "chat", "deleted chat", "deleted message", "draft", "job", "deleted job", "unused")
    ids = {name: kept(store, path=Path(f"/a/{name}.pdf")).id for name in names}
    ids["again"] = kept(store, path=Path("/a/earlier.pdf")).id
    store.begin_document(Path("/a/reading.pdf"), 1, 1)
    for name in ("earlier", "again", "chat", "deleted chat", "deleted message"):
        chat = chats.create(title=name)
        attachments.add_to_draft(chat.id, ids[name])
        message = chats.add_message(chat.id, None, Role.USER, "Read this.")
        attachments.move_to_message(chat.id, message.id)
        if name == "deleted chat":
            chats.delete(chat.id)
        elif name == "deleted message":
            chats.delete_message(message.id)
    attachments.add_to_draft(None, ids["draft"])
    for name in ("job", "deleted job"):
        job = jobs.add("summary", name, {}, document_ids=[ids[name]])
        if name == "deleted job":
            jobs.delete(job.id)
    assert store.list_in_use() == [ids[name] for name in ("again", "job", "draft", "chat")]
