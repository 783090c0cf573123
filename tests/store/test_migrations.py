"""Old files come forward with a backup beside them, or stay exactly as they were."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from app.core.errors import DatabaseNewer, DiskFull, MigrationFailed, NotEnoughDisk
from app.core.events import AnswerStats, FinishReason, Role
from app.store.conversations import Attachments, Conversations, DocumentUse, MessageState
from app.store.database import Database
from app.store.document_store import DocumentStore
from app.store.jobs import JobTable, SummaryStore
from app.store.migrations import MIGRATIONS
from app.store.model_notes import ModelNote, ModelNotes
from app.store.page_store import PageStore, StoredPageState
from app.store.translation_store import (
    LanguagePair,
    MemoryEntry,
    SegmentCounts,
    SegmentOutcome,
    TranslationMemory,
    TranslationOrigin,
    TranslationStore,
)
from tests.helpers.searching import search_text
from tests.store.conftest import fill_disk
from tests.store.make_old_database import schema_of

pytestmark = pytest.mark.migrations
DATA = Path(__file__).parent / "data"


def m1(connection: sqlite3.Connection) -> None:
    connection.execute("CREATE TABLE conversations (id INTEGER PRIMARY KEY, title TEXT)")
    connection.execute("CREATE TABLE messages (id INTEGER PRIMARY KEY, conversation_id REFERENCES conversations)")


def m2(connection: sqlite3.Connection) -> None:
    connection.execute("ALTER TABLE conversations ADD COLUMN pinned INTEGER NOT NULL DEFAULT 0")


def fails_after_its_work(connection: sqlite3.Connection) -> None:
    m2(connection)
    connection.execute("UPDATE conversations SET title = 'changed'")
    raise ValueError("a mistake in the step")


def fails_in_its_sql(connection: sqlite3.Connection) -> None:
    m2(connection)
    connection.execute("SELECT nothing FROM nowhere")


def breaks_references(connection: sqlite3.Connection) -> None:
    connection.execute("INSERT INTO messages (conversation_id) VALUES (99)")


def commits_by_itself(connection: sqlite3.Connection) -> None:
    connection.execute("SELECT 1")
    connection.commit()


@pytest.fixture
def old_file(tmp_path: Path) -> Path:
    """A file of the artificial schema 1 with one row."""
    path = tmp_path / "fireside.db"
    with closing(Database.open(path, [m1])) as database, database.transaction() as connection:
        connection.execute("INSERT INTO conversations (title) VALUES ('old')")
    return path


def rows(path: Path) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute("SELECT * FROM conversations").fetchall()


def version(path: Path) -> int:
    with closing(sqlite3.connect(path)) as connection:
        return int(connection.execute("PRAGMA user_version").fetchone()[0])


def test_a_step_is_taken_and_the_file_before_it_is_kept(old_file: Path) -> None:
    Database.open(old_file, [m1, m2]).close()
    backup = old_file.with_name("fireside.db.before-v2")
    assert (version(old_file), rows(old_file)) == (2, [(1, "old", 0)])
    assert (version(backup), rows(backup)) == (1, [(1, "old")])


def test_rows_still_in_the_journal_of_a_killed_program_are_in_the_backup(old_file: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy" / "fireside.db"
    copy.parent.mkdir()
    with closing(Database.open(old_file, [m1])) as database:
        with database.transaction() as connection:
            connection.execute("INSERT INTO conversations (title) VALUES ('only in the journal')")
        for suffix in ("", "-wal"):  # as they lie when the program is killed now
            copy.with_name("fireside.db" + suffix).write_bytes(old_file.with_name("fireside.db" + suffix).read_bytes())
    Database.open(copy, [m1, m2]).close()
    assert len(rows(copy.with_name("fireside.db.before-v2"))) == 2
    assert len(rows(copy)) == 2


def test_a_new_file_has_no_backup_and_runs_all_steps(tmp_path: Path) -> None:
    Database.open(tmp_path / "fireside.db", [m1, m2]).close()
    assert [file.name for file in tmp_path.glob("fireside.db*")] == ["fireside.db"]
    assert version(tmp_path / "fireside.db") == 2


def test_nothing_happens_when_the_file_is_current(old_file: Path) -> None:
    Database.open(old_file, [m1]).close()
    assert [file.name for file in old_file.parent.glob("fireside.db*")] == ["fireside.db"]


@pytest.mark.parametrize("step", [fails_after_its_work, fails_in_its_sql, breaks_references])
def test_a_failing_step_leaves_the_old_file_and_says_so(old_file: Path, step: object) -> None:
    with pytest.raises(MigrationFailed) as raised:
        Database.open(old_file, [m1, step])  # type: ignore[list-item]
    assert (raised.value.path, raised.value.to_version) == (str(old_file), 2)
    assert (version(old_file), rows(old_file)) == (1, [(1, "old")])
    assert rows(old_file.with_name("fireside.db.before-v2")) == [(1, "old")]
    Database.open(old_file, [m1, m2]).close()
    assert rows(old_file) == [(1, "old", 0)], "a corrected program takes it from there"


def test_the_second_of_two_steps_failing_undoes_the_first(old_file: Path) -> None:
    with pytest.raises(MigrationFailed) as raised:
        Database.open(old_file, [m1, m2, fails_after_its_work])
    assert raised.value.to_version == 3
    assert (version(old_file), rows(old_file)) == (1, [(1, "old")])
    assert old_file.with_name("fireside.db.before-v3").exists()


def test_a_step_that_ends_the_transaction_is_found_out(old_file: Path) -> None:
    with pytest.raises(MigrationFailed) as raised:
        Database.open(old_file, [m1, commits_by_itself])
    assert "transaction" in raised.value.detail
    assert version(old_file) == 1


def test_without_room_for_the_backup_nothing_is_migrated(small_disk: Path) -> None:
    path = small_disk / "fireside.db"
    Database.open(path, [m1]).close()
    fill_disk(small_disk)
    with pytest.raises(DiskFull):
        Database.open(path, [m1, m2])
    (small_disk / "other").unlink()
    assert version(path) == 1
    assert [file.name for file in small_disk.glob("*before*")] == [], "half a backup would be none"
    Database.open(path, [m1, m2]).close()
    assert version(path) == 2


def test_going_back_to_an_older_program_is_refused(old_file: Path) -> None:
    Database.open(old_file, [m1, m2]).close()
    before = old_file.read_bytes()
    with pytest.raises(DatabaseNewer):
        Database.open(old_file, [m1])
    assert old_file.read_bytes() == before


@pytest.mark.parametrize("number", range(1, len(MIGRATIONS) + 1))
def test_a_released_step_is_never_edited(tmp_path: Path, number: int) -> None:
    released = (DATA / f"fireside-v{number}.sql").read_text("utf-8")
    with closing(Database.open(tmp_path / "fireside.db", MIGRATIONS[:number])) as database:
        for statement in schema_of(database):
            assert f"{statement};\n" in released


def file_of_version(number: int, folder: Path) -> Path:
    """A file as a program of that version left it."""
    path = folder / "fireside.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript((DATA / f"fireside-v{number}.sql").read_text("utf-8"))
    return path


@pytest.mark.parametrize("number", range(1, len(MIGRATIONS) + 1))
def test_a_file_of_any_earlier_schema_opens_with_everything_in_it(tmp_path: Path, number: int) -> None:
    path = file_of_version(number, tmp_path)
    with closing(Database.open(path)) as database:
        assert database.moved_aside is None
        conversations = Conversations(database)
        assert conversations.recover() == 1
        sun, hello = conversations.find("größe")[0], conversations.find("مرحبا")[0]
        assert (sun.system_prompt, sun.temperature, sun.model, sun.draft, sun.pinned) == (
            ("Be brief.", 0.5, "Starter", "and the moon", True)
        )
        question, answer = conversations.read_branch(sun.id)
        assert (question.role, question.text) == (Role.USER, "How large is the sun? ☀️")
        assert (answer.text, answer.versions) == ("About 1.4 million km.", (2, 3))
        assert answer.stats == AnswerStats(31, 7, 12, 0.25, 48.5, FinishReason.STOP)
        assert conversations.read_branch(hello.id)[0].state is MessageState.INTERRUPTED
        assert [hit[1] for hit in search_text(conversations, "earths")] == [3]
        conversations.restore_message(4)
        assert conversations.read_branch(sun.id)[-1].text == "wrong chat"
        conversations.restore(3)
        assert len(conversations.find()) == 3


def test_what_schema_2_added_is_empty_in_a_file_of_schema_1_which_is_kept_beside_it(tmp_path: Path) -> None:
    path = file_of_version(1, tmp_path)
    before = rows(path)
    with closing(Database.open(path)) as database:
        conversations = Conversations(database)
        sun = conversations.find("größe")[0]
        assert (sun.sampling, sun.thinking, sun.first_kept_id) == ({}, "", None)
        assert {(m.thinking, m.thinking_s, m.pinned) for m in conversations.read_branch(sun.id)} == {("", None, False)}
    backup = path.with_name(f"fireside.db.before-v{len(MIGRATIONS)}")
    assert (version(backup), rows(backup)) == (1, before)


def test_what_schema_2_added_is_read_as_it_was_written(tmp_path: Path) -> None:
    with closing(Database.open(file_of_version(2, tmp_path))) as database:
        conversations = Conversations(database)
        sun = conversations.find("größe")[0]
        assert (sun.sampling, sun.thinking, sun.first_kept_id) == ({"top_k": 20}, "low", 1)
        question, answer = conversations.read_branch(sun.id)
        assert (question.pinned, answer.pinned) == (True, False)
        assert (answer.thinking, answer.thinking_s) == ("Wide, not far.", 1.5)


@pytest.mark.parametrize("number", [1, 2])
def test_a_file_from_before_schema_3_has_no_jobs_and_no_notes_and_takes_them(tmp_path: Path, number: int) -> None:
    path = file_of_version(number, tmp_path)
    before = rows(path)
    with closing(Database.open(path)) as database:
        jobs, notes = JobTable(database), ModelNotes(database)
        assert (jobs.find(), notes.all()) == ([], [])
        added = jobs.add("download", "A model", {"repo": "org/name"})
        notes.update_note("/models/a.gguf", label="Mine")
    with closing(Database.open(path)) as database:
        assert JobTable(database).find() == [added]
        assert ModelNotes(database).all() == [ModelNote(Path("/models/a.gguf"), "Mine")]
    backup = path.with_name(f"fireside.db.before-v{len(MIGRATIONS)}")
    assert (version(backup), rows(backup)) == (number, before)


def test_what_schema_3_added_is_read_as_it_was_written(tmp_path: Path) -> None:
    with closing(Database.open(file_of_version(3, tmp_path))) as database:
        waiting, failed = JobTable(database).find("download")
        assert (waiting.title, waiting.state, waiting.place) == ("Smaller", "queued", 0.5)
        assert (failed.title, failed.state, failed.progress) == ("Größer", "failed", {"paths": {}})
        assert failed.spec == {"repo": "org/larger", "files": [{"name": "l.gguf", "size_bytes": 7}]}
        assert isinstance(failed.error, NotEnoughDisk)
        assert (failed.error.path, failed.error.needed_bytes, failed.error.free_bytes) == ("/models", 8, 5)
        assert ModelNotes(database).all() == [
            ModelNote(
                Path("/models/größe.gguf"), "Mine", "added", 1_750_000_000.0, None, "ab12", 7, 1_740_000_000_123_456_789
            )
        ]
        assert JobTable(database).add("download", "next", {}).id == 3


@pytest.mark.parametrize("number", [1, 2, 3])
def test_a_file_from_before_schema_4_has_no_documents_and_takes_them(tmp_path: Path, number: int) -> None:
    with closing(Database.open(file_of_version(number, tmp_path))) as database:
        store, attachments, conversations = DocumentStore(database), Attachments(database), Conversations(database)
        sun = conversations.find("größe")[0]
        assert {message.sources for message in conversations.read_branch(sun.id)} == {()}
        id_ = store.begin_document(Path("/documents/a.txt"), 3, 1)
        store.add_blocks(id_, [{"id": 1, "kind": "paragraph", "page": None, "text": "sun"}])
        store.finish_document(id_, format_="text", unit="", pages=0, sha256="cd", info={})
        attachments.add_to_draft(sun.id, id_)
        assert [one.document_id for one in attachments.move_to_message(sun.id, 1)] == [id_]


def test_what_schema_4_added_is_read_as_it_was_written(tmp_path: Path) -> None:
    with closing(Database.open(file_of_version(4, tmp_path))) as database:
        store, attachments = DocumentStore(database), Attachments(database)
        document = store.get(1)
        assert document is not None
        assert (document.name, document.path, document.mtime_ns) == (
            ("größe.pdf", Path("/documents/größe.pdf"), 1_740_000_000_123_456_789)
        )
        assert (document.format, document.unit, document.pages, document.sha256) == ("pdf", "page", 2, "ab12")
        assert document.info["pages_without_text"] == [2]
        heading, text = store.read_blocks(1)
        assert (heading["kind"], heading["level"]) == ("heading", 1)
        assert text["boxes"] == [[1, 72.0, 90.5, 300.0, 102.0, 0, 27]]
        found = attachments.of_messages([1, 4])
        assert [(one.document_id, one.use) for one in found[1]] == [(1, DocumentUse.WHOLE)]
        assert [(one.use, one.passages) for one in found[4]] == [(DocumentUse.PASSAGES, (2,))]
        assert [one.document_id for one in attachments.in_draft(None)] == [2]
        answer = Conversations(database).get_message(2)
        assert answer is not None
        assert answer.sources == ({"document_id": 1, "block_id": 2, "start": 0, "end": 27},)
        assert store.rank_blocks([1], ["earths"], 5)[0][:2] == (1, 2), "the index was built from the rows"
        assert store.purge_unused(before=1e12) == 1, "only the one that was half read"


@pytest.mark.parametrize("number", [1, 2, 3, 4])
def test_a_file_from_before_schema_5_has_no_summaries_and_takes_them(tmp_path: Path, number: int) -> None:
    path = file_of_version(number, tmp_path)
    with closing(Database.open(path)) as database:
        jobs, store, documents = JobTable(database), SummaryStore(database), DocumentStore(database)
        assert jobs.find("summary") == []
        id_ = documents.begin_document(Path("/documents/a.txt"), 3, 1)
        documents.finish_document(id_, format_="text", unit="", pages=0, sha256="cd", info={})
        job = jobs.add("summary", "a", {}, document_ids=(id_,))
        store.keep_step(job.id, "key", [1])
        store.keep_result(job.id, {"title": "a"}, "Milk is bought.")
    with closing(Database.open(path)) as database:
        store = SummaryStore(database)
        assert (store.documents_of([job.id]), store.find_step(job.id, "key")) == ({job.id: (id_,)}, [1])
        assert (store.read_result(job.id), store.search_text("bought")) == ({"title": "a"}, {job.id})


def test_downloads_of_schema_4_are_as_they_were(tmp_path: Path) -> None:
    with closing(Database.open(file_of_version(4, tmp_path))) as database:
        waiting, failed = JobTable(database).find("download")
        assert (waiting.title, waiting.state, failed.title, failed.state) == ("Smaller", "queued", "Größer", "failed")
        assert isinstance(failed.error, NotEnoughDisk)
        assert DocumentStore(database).get(1) is not None


def test_what_schema_5_added_is_read_as_it_was_written(tmp_path: Path) -> None:
    with closing(Database.open(file_of_version(5, tmp_path))) as database:
        jobs, store = JobTable(database), SummaryStore(database)
        done, draft = jobs.find("summary")
        assert (done.title, done.state, done.progress) == (
            ("größe and 1 more", "done", {"sections": 1, "sections_read": 1})
        )
        assert done.spec == {"wish": {"length": "short", "form": "bullets", "language": "de", "instruction": ""}}
        assert (draft.title, draft.state) == ("", "draft")
        assert store.documents_of([done.id, draft.id]) == {done.id: (1, 2), draft.id: (2,)}
        assert store.find_step(done.id, "cd34") == ["merged"]
        assert store.read_result(done.id) == {"title": "Sonne", "statements": []}
        assert store.search_text("sonne erden") == {done.id}, "the index was built from the rows"
        jobs.purge_deleted()
        assert store.find_step(done.id, "ab12") == {"points": [{"text": "The sun is wide."}]}
        jobs.remove(done.id)
        assert [store.find_step(draft.id, key) for key in ("ab12", "cd34")] == [None, None]
        assert (store.search_text("sonne"), DocumentStore(database).purge_unused(before=1e12)) == (set(), 1)


@pytest.mark.parametrize("number", [1, 2, 3, 4, 5])
def test_a_file_from_before_schema_6_has_no_translations_and_takes_them(tmp_path: Path, number: int) -> None:
    path = file_of_version(number, tmp_path)
    before = rows(path)
    entry = MemoryEntry(LanguagePair("en", "de"), b"key", '["Milk."]', '["Milch."]', is_own=True)
    with closing(Database.open(path)) as database:
        jobs, store, memory = JobTable(database), TranslationStore(database), TranslationMemory(database)
        assert (jobs.find("translation"), list(memory.iterate_entries()), store.read_glossary("en", "de")) == (
            [],
            [],
            [],
        )
        job = jobs.add("translation", "a", {})
        store.add_segments(job.id, [(1, {"id": 1})])
        store.save_outcomes(job.id, [SegmentOutcome(1, {"id": 1}, "model", False)])
        memory.save_entries([entry])
        store.keep_glossary("en", "de", [("milk", "Milch")])
    with closing(Database.open(path)) as database:
        store = TranslationStore(database)
        assert store.count_segments([job.id]) == {job.id: SegmentCounts(1, 1, 0, (("model", 1),))}
        assert TranslationMemory(database).find(entry.pair, b"key", "", TranslationOrigin()) == '["Milch."]'
        assert store.read_glossary("en", "de") == [("milk", "Milch")]
    backup = path.with_name(f"fireside.db.before-v{len(MIGRATIONS)}")
    assert (version(backup), rows(backup)) == (number, before)


def test_summaries_of_schema_5_are_as_they_were(tmp_path: Path) -> None:
    with closing(Database.open(file_of_version(5, tmp_path))) as database:
        done, draft = JobTable(database).find("summary")
        assert SummaryStore(database).documents_of([done.id, draft.id]) == {done.id: (1, 2), draft.id: (2,)}
        assert SummaryStore(database).search_text("sonne erden") == {done.id}


def test_what_schema_6_added_is_read_as_it_was_written(tmp_path: Path) -> None:
    with closing(Database.open(file_of_version(6, tmp_path))) as database:
        jobs, store, memory = JobTable(database), TranslationStore(database), TranslationMemory(database)
        (job,) = jobs.find("translation")
        assert (job.title, job.state, job.spec["name"]) == ("größe", "paused", "größe.docx")
        assert store.count_segments([job.id]) == {job.id: SegmentCounts(3, 2, 1, (("edited", 1), ("model", 1)))}
        flagged, edited, waiting = store.read_segments(job.id)
        assert flagged.source["content"] == ["The sun is wide."]
        assert flagged.target is not None
        assert flagged.target["flags"] == [{"kind": "length", "said": "", "wanted": ""}]
        assert edited.target is not None
        assert edited.target["content"] == ["Der Mond ist klein."]
        assert (waiting.target, store.next_flagged(job.id, 1)) == (None, 1)
        pair, made = LanguagePair("en", "de"), TranslationOrigin("formal", "cd34", "model.gguf 7", 1)
        assert memory.find(pair, b"\x01\x02", "", made) == '["Der Mond ist klein."]', "a person's own goes first"
        assert [(one.is_own, one.made_at) for one in memory.iterate_entries()] == [(False, 1.76e9), (True, 1.76e9)]
        assert store.read_glossary("en", "de") == [("moon", "Mond"), ("Fireside", "Fireside")]
        assert store.search_text("mond") == {job.id}, "the index was built from the rows"
        jobs.delete(job.id)
        jobs.purge_deleted()
        assert (store.read_segments(job.id), store.search_text("mond")) == ([], set())
        assert len(list(memory.iterate_entries())) == 2, "what was translated once is still known"


@pytest.mark.parametrize("number", [1, 2, 3, 4, 5, 6])
def test_a_file_from_before_schema_7_has_no_pages_and_takes_them(tmp_path: Path, number: int) -> None:
    path = file_of_version(number, tmp_path)
    before = rows(path)
    with closing(Database.open(path)) as database:
        pages = PageStore(database)
        assert pages.find() == []
        page = pages.create("Milk is")
        pages.save(page.id, "Milk is white.", [(7, 13)], 13, {"count": 3})
        pages.keep_undo(page.id, "Milk is")
    with closing(Database.open(path)) as database:
        pages = PageStore(database)
        kept = pages.get(page.id)
        assert kept is not None
        assert (kept.text, kept.written, kept.cursor, kept.options) == ("Milk is white.", ((7, 13),), 13, {"count": 3})
        assert [row.id for row in pages.find("whi")] == [page.id]
        assert pages.undo_state(page.id) == StoredPageState("Milk is", (), 0)
    backup = path.with_name(f"fireside.db.before-v{len(MIGRATIONS)}")
    assert (version(backup), rows(backup)) == (number, before)


def test_translations_of_schema_6_are_as_they_were(tmp_path: Path) -> None:
    with closing(Database.open(file_of_version(6, tmp_path))) as database:
        (job,) = JobTable(database).find("translation")
        store = TranslationStore(database)
        assert store.count_segments([job.id]) == {job.id: SegmentCounts(3, 2, 1, (("edited", 1), ("model", 1)))}
        assert store.search_text("mond") == {job.id}


def test_what_schema_7_added_is_read_as_it_was_written(tmp_path: Path) -> None:
    with closing(Database.open(file_of_version(7, tmp_path))) as database:
        pages = PageStore(database)
        assert [(row.title, row.pinned) for row in pages.find()] == [("größe.py", False), ("Größe der Sonne", True)]
        sun, code = pages.get(1), pages.get(2)
        assert sun is not None
        assert sun.text == "Größe der Sonne\nDie Sonne ist 109 Erden breit. ☀️"
        assert (sun.written, sun.cursor, sun.options) == (((26, 46),), 46, {"count": 3, "max_tokens": 30})
        assert pages.undo_state(1) == StoredPageState("Größe der Sonne\nDie Sonne", (), 25)
        assert code is not None
        assert (code.text, code.file) == ("print('größer')\n", Path("/texts/größe.py"))
        assert code.file_form == {"encoding": "cp1252", "newline": "\r\n", "has_mark": False}
        assert [[row.id for row in pages.find(words)] for words in ("erd", "GRÖßER", "größe.p", "große")] == [
            [1],
            [2],
            [2],
            [2, 1],
        ]
        pages.restore(3)
        assert len(pages.find()) == 3
        assert pages.create("next").id == 4


def test_what_schema_8_added_is_read_as_it_was_written(tmp_path: Path) -> None:
    with closing(Database.open(file_of_version(8, tmp_path))) as database:
        conversations = Conversations(database)
        waiting = conversations.queued.list_waiting(1)
        assert [(one.text, one.documents) for one in waiting] == [
            ("Größe der Erde", ((2, "background"),)),
            ("And the moon? 🌙", ()),
        ]
        assert [one.document_id for one in Attachments(database).in_draft(None)] == [2]
        message = conversations.add_message(1, 1, Role.USER, waiting[0].text)
        conversations.queued.mark_sent(waiting[0].id, message.id)
        assert [one.document_id for one in Attachments(database).of_messages([message.id])[message.id]] == [2]
        assert [one.text for one in conversations.queued.list_waiting(1)] == ["And the moon? 🌙"]


@pytest.mark.parametrize("number", range(1, 8))
def test_a_file_from_before_schema_8_has_no_queue_and_takes_one(tmp_path: Path, number: int) -> None:
    with closing(Database.open(file_of_version(number, tmp_path))) as database:
        queued = Conversations(database).queued
        assert queued.list_conversations() == []
        assert queued.list_waiting(1) == []
        queued.add(1, "next")
    with closing(Database.open(tmp_path / "fireside.db")) as database:
        queued = Conversations(database).queued
        assert [one.text for one in queued.list_waiting(1)] == ["next"]
        queued.remove(queued.list_waiting(1)[0].id)
        assert queued.list_conversations() == []


def test_what_schema_9_added_to_chats_is_read_as_it_was_written(tmp_path: Path) -> None:
    with closing(Database.open(file_of_version(9, tmp_path))) as database:
        conversations = Conversations(database)
        sun, hello = conversations.get(1), conversations.get(2)
        assert sun is not None
        assert hello is not None
        assert (sun.project_id, sun.assistant_id, sun.titled_by, hello.titled_by) == (1, 1, "person", "model")
        assert (sun.memory, hello.memory) == ("off", "")
        forked = conversations.get(conversations.fork(1, "The sun again"))
        assert forked is not None
        assert (forked.project_id, forked.assistant_id, forked.titled_by, forked.memory) == (1, 1, "person", "off")
        conversations.update(1, project_id=None, title="Sun", titled_by="model")
        changed = conversations.get(1)
        assert changed is not None
        assert (changed.project_id, changed.assistant_id, changed.titled_by) == (None, 1, "model")


@pytest.mark.parametrize("number", range(1, 9))
def test_titles_from_before_schema_9_are_a_persons(tmp_path: Path, number: int) -> None:
    with closing(Database.open(file_of_version(number, tmp_path))) as database:
        chats = Conversations(database).find()
        assert {chat.titled_by for chat in chats if chat.title} == {"person"}
        assert {chat.project_id for chat in chats} == {None}


@pytest.mark.parametrize(("number", "has_answer"), [(4, None), (10, None), (11, False)])
def test_whether_a_question_was_answered_is_known_from_schema_11_on(
    tmp_path: Path, number: int, has_answer: bool | None
) -> None:
    with closing(Database.open(file_of_version(number, tmp_path))) as database:
        attachments = Attachments(database)
        (passages,) = attachments.of_messages([4])[4]
        assert (passages.passages, passages.has_answer) == ((2,), has_answer)
        assert {one.has_answer for one in attachments.of_messages([1])[1]} == {None}
        attachments.set_passages(passages.id, [1], has_answer=True)
        assert attachments.of_messages([4])[4][0].has_answer is True
