"""Deleted is gone: no index, no page, no journal and no copy of an upgrade gives a deleted text back."""

from __future__ import annotations

import os
import sqlite3
import time
from contextlib import closing
from pathlib import Path

import pytest

from app.core.events import Role
from app.store import trash
from app.store.attachments import Attachments, DocumentUse
from app.store.conversations import Conversations
from app.store.database import Database
from app.store.document_store import DocumentStore
from app.store.jobs import JobTable, SummaryStore
from app.store.page_store import PageStore
from app.store.translation_store import LanguagePair, MemoryEntry, SegmentOutcome, TranslationMemory, TranslationStore
from app.store.trash import BACKUP_KEPT_S, erase_traces, remove_old_backups
from tests.helpers.deleted_text import files_with, rebuilt_texts
from tests.helpers.searching import search_text

SECRET = "Zanzibarium"


def text(number: int, *, is_secret: bool) -> str:
    """Sentences of which no two are alike; the deleted ones tell the marker in the middle."""
    words = [f"word{(number * 37 + place * 11) % 997}" for place in range(120)]
    return " ".join([*words[:60], *([SECRET, "is", "what", "nobody", "may", "know"] if is_secret else []), *words[60:]])


def fill(database: Database, *, is_secret: bool) -> list[int]:
    """Chats, documents, summaries, translations and pages; returns the ids of the jobs."""
    conversations, jobs = Conversations(database), JobTable(database)
    documents, attachments = DocumentStore(database), Attachments(database)
    summaries, translations = SummaryStore(database), TranslationStore(database)
    made, pages = [], PageStore(database)
    for number in range(4):
        page = pages.create(text(number, is_secret=is_secret), title=text(number, is_secret=is_secret))
        pages.find("searched")
        pages.keep_undo(page.id, text(number + 1, is_secret=is_secret))
        chat = conversations.create(title=text(number, is_secret=is_secret))
        parent = None
        for turn in range(10):
            said = text(number * 10 + turn, is_secret=is_secret)
            parent = conversations.add_message(chat.id, parent, Role.USER, said).id
        document = documents.begin_document(Path(f"/documents/{number}.txt"), 1, number)
        blocks = [
            {"id": block, "kind": "paragraph", "page": 1, "text": text(block, is_secret=is_secret)}
            for block in range(1, 30)
        ]
        documents.add_blocks(document, blocks)
        documents.finish_document(document, format_="txt", unit="", pages=1, sha256=str(number), info={})
        if not is_secret:
            attachments.add_to_draft(chat.id, document, DocumentUse.WHOLE)
        for kind in ("summary", "translation"):
            job = jobs.add(kind, text(number, is_secret=is_secret), {})
            made.append(job.id)
            summaries.keep_step(job.id, f"{kind}{number}{is_secret}", {"points": [text(number, is_secret=is_secret)]})
            summaries.keep_result(job.id, {"a": text(number, is_secret=is_secret)}, text(number, is_secret=is_secret))
            translations.add_segments(job.id, [(1, {"text": text(number, is_secret=is_secret)})])
            translations.save_outcomes(
                job.id, [SegmentOutcome(1, {"text": text(number, is_secret=is_secret)}, "model", False)]
            )
    return made


def delete_secrets(database: Database, jobs: list[int]) -> None:
    conversations, documents = Conversations(database), DocumentStore(database)
    for chat in conversations.find(SECRET):
        conversations.delete(chat.id)
    conversations.purge_deleted()
    pages = PageStore(database)
    for page in pages.find(SECRET):
        pages.delete(page.id)
    pages.purge_deleted(time.time() + 1)
    for job_id in jobs:
        JobTable(database).remove(job_id)
    documents.purge_unused(time.time() + 1)


@pytest.mark.parametrize("can_delete_securely", [True, False], ids=["", "old-sqlite"])
def test_what_was_deleted_is_in_no_index_no_page_and_no_journal(
    tmp_path: Path, can_delete_securely: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trash, "CAN_DELETE_SECURELY", can_delete_securely)
    path, scratch = tmp_path / "home" / "fireside.db", tmp_path / "scratch.db"
    with closing(Database.open(path)) as database:
        fill(database, is_secret=False)
        jobs = fill(database, is_secret=True)
        fill(database, is_secret=False)
    before = rebuilt_texts(path, scratch)
    for index in ("messages_index", "titles_index", "blocks_index", "results_index", "pages_index"):
        assert any(SECRET.lower() + " is what nobody may know" in found for found in before[index]), index
    with closing(Database.open(path)) as database:
        delete_secrets(database, jobs)
        assert SECRET.lower() in str(rebuilt_texts(path, scratch)), "only noted so far"
        erase_traces(database)
        assert files_with(SECRET, path.parent) == [], "while it is open"
        assert len(search_text(Conversations(database), "word3")) == 50, "the rest is found as before"
        left = rebuilt_texts(path, scratch)
    assert {index: len(found) for index, found in left.items()} == {
        "messages_index": 80,
        "titles_index": 8,
        "blocks_index": 232,
        "results_index": 16,
        "pages_index": 16,
    }
    assert SECRET.lower() not in str(left)
    assert files_with(SECRET, path.parent) == []


def test_what_is_changed_is_gone_at_once(tmp_path: Path) -> None:
    path = tmp_path / "home" / "fireside.db"
    with closing(Database.open(path)) as database:
        erase_traces(database)  # as every start does
        conversations, summaries = Conversations(database), SummaryStore(database)
        memory = TranslationMemory(database)
        chat = conversations.create(title=text(1, is_secret=True))
        message = conversations.add_message(chat.id, None, Role.USER, text(2, is_secret=True))
        job = JobTable(database).add("summary", "a", {})
        summaries.keep_result(job.id, {}, text(3, is_secret=True))
        memory.save_entries([MemoryEntry(LanguagePair("en", "de"), b"key", SECRET, SECRET, is_own=True)])
        page = PageStore(database).create(text(4, is_secret=True), title=text(5, is_secret=True))
        PageStore(database).keep_undo(page.id, text(6, is_secret=True))
        assert len(PageStore(database).find(SECRET)) == 1
    assert SECRET.lower() in str(rebuilt_texts(path, tmp_path / "scratch.db"))
    with closing(Database.open(path)) as database:
        conversations, summaries = Conversations(database), SummaryStore(database)
        conversations.update(chat.id, title="other")
        conversations.save_text(message.id, "other")
        summaries.keep_result(job.id, {}, "other")
        PageStore(database).save(page.id, "other")
        PageStore(database).rename(page.id, "other")
        PageStore(database).keep_undo(page.id, "other")
        with database.transaction() as connection:
            connection.execute("DELETE FROM translation_memory")
        database.empty_journal()
        assert SECRET.lower() not in str(rebuilt_texts(path, tmp_path / "scratch.db"))
        assert files_with(SECRET, path.parent) == []


def test_a_backup_goes_a_week_after_the_upgrade_and_only_from_beside_a_sound_file(tmp_path: Path) -> None:
    path = tmp_path / "fireside.db"
    backup, fresh = tmp_path / "fireside.db.before-v5", tmp_path / "fireside.db.before-v6"
    with closing(Database.open(path)) as database:
        fill(database, is_secret=False)
    for copy in (backup, fresh):
        copy.write_bytes(b"the old one")
    now_s = time.time()
    os.utime(backup, (now_s, now_s - BACKUP_KEPT_S - 60))
    sound = path.read_bytes()
    middle = len(sound) // 2 // 4096 * 4096
    path.write_bytes(sound[:middle] + b"\xa5" * 4096 + sound[middle + 4096 :])
    with closing(Database(sqlite3.connect(path), path, None)) as database:
        remove_old_backups(database, now_s)
    assert backup.exists(), "it may be needed"
    path.write_bytes(sound)
    with closing(Database.open(path)) as database:
        remove_old_backups(database, now_s)
    assert (backup.exists(), fresh.exists()) == (False, True)
