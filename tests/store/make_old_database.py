"""Writes the SQL of a small database with the current schema: run once at each release that changes it.

``python -m tests.store.make_old_database > tests/store/data/fireside-vN.sql``; the file is then never edited.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from app.core.errors.hub_errors import NotEnoughDisk
from app.core.events import AnswerStats, FinishReason, Role
from app.store.attachments import Attachments, DocumentUse
from app.store.conversations import Conversations, MessageState
from app.store.database import Database
from app.store.document_store import DocumentStore
from app.store.jobs import JobTable, SummaryStore
from app.store.model_notes import ModelNotes
from app.store.page_store import PageStore
from app.store.translation_store import (
    LanguagePair,
    MemoryEntry,
    SegmentOutcome,
    TranslationMemory,
    TranslationOrigin,
    TranslationStore,
)

SCHEMA = """
SELECT sql FROM sqlite_schema
WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite_%' AND name NOT GLOB '*_index_*' ORDER BY rowid
"""

TABLES = (
    "assistants", "projects", "conversations", "messages", "jobs", "models", "documents", "blocks", "attachments",
    "job_documents", "job_steps", "job_step_uses", "job_results",
    "translation_segments", "translation_memory", "glossary_terms", "pages", "page_undo", "queued_messages",
    "memories", "tags", "conversation_tags", "prompts", "media", "media_uses", "page_readings",
    "passage_vectors",
)  # fmt: skip


def schema_of(database: Database) -> list[str]:
    """The statements that made it; tables that SQLite makes itself for its indexes left out."""
    with database.reading() as connection:
        return [row[0] for row in connection.execute(SCHEMA)]


def fill(conversations: Conversations) -> None:
    """A chat with two versions of an answer, a deleted message, an interrupted one, and a deleted chat."""
    stats = AnswerStats(31, 7, 12, 0.25, 48.5, FinishReason.STOP)
    chat = conversations.create(title="Größe der Sonne", system_prompt="Be brief.", temperature=0.5, model="Starter")
    question = conversations.add_message(chat.id, None, Role.USER, "How large is the sun? ☀️")
    for text in ("About 1.4 million km.", "109 Earths wide."):
        answer = conversations.add_message(chat.id, question.id, Role.ASSISTANT, "", state=MessageState.WRITING)
        conversations.finish_message(answer.id, text, MessageState.COMPLETE, stats)
    conversations.choose_version(2)
    conversations.finish_message(
        2, "About 1.4 million km.", MessageState.COMPLETE, stats, thinking="Wide, not far.", thinking_s=1.5
    )
    conversations.set_message_pinned(question.id, True)
    wrong = conversations.add_message(chat.id, 2, Role.USER, "wrong chat")
    conversations.delete_message(wrong.id)
    conversations.update(chat.id, draft="and the moon", pinned=True)
    conversations.update(chat.id, sampling={"top_k": 20}, thinking="low", first_kept_id=question.id)
    other = conversations.create(title="مرحبا")
    conversations.add_message(other.id, None, Role.ASSISTANT, "half a sen", state=MessageState.WRITING)
    conversations.delete(conversations.create(title="deleted").id)


def fill_models(database: Database) -> None:
    """A download that failed for want of room, one that waits, and a model with a label."""
    jobs = JobTable(database, clock=lambda: 1_760_000_000.0)
    failed = jobs.add("download", "Größer", {"repo": "org/larger", "files": [{"name": "l.gguf", "size_bytes": 7}]})
    jobs.update(failed.id, state="failed", progress={"paths": {}}, error=NotEnoughDisk("/models", 8, 5))
    jobs.update(jobs.add("download", "Smaller", {"repo": "org/smaller", "files": []}).id, place=0.5)
    ModelNotes(database).update_note(
        "/models/größe.gguf", label="Mine", origin="added", added_at=1_750_000_000.0, sha256="ab12", size_bytes=7,
        mtime_ns=1_740_000_000_123_456_789,
    )  # fmt: skip


def fill_documents(database: Database) -> None:
    """A document sent with the first question, its passages shown with another one, and one that waits in a draft."""
    store, attachments = DocumentStore(database, clock=lambda: 1_760_000_000.0), Attachments(database)
    for name, text in (("größe.pdf", "The sun is 109 Earths wide."), ("notes.txt", "Buy milk.")):
        id_ = store.begin_document(Path("/documents") / name, 7, 1_740_000_000_123_456_789)
        heading = {"id": 1, "kind": "heading", "page": 1, "text": "Sun", "heading_path": [], "level": 1}
        place = {"heading_path": ["Sun"], "boxes": [[1, 72.0, 90.5, 300.0, 102.0, 0, len(text)]]}
        store.add_blocks(id_, [heading, {"id": 2, "kind": "paragraph", "page": 1, "text": text} | place])
        info = {"title": "", "language": "en", "pages_without_text": [2], "remarks": []}
        store.finish_document(id_, format_="pdf", unit="page", pages=2, sha256="ab12", info=info)
        attachments.add_to_draft(None, id_, DocumentUse.WHOLE)
        if id_ == 1:
            attachments.move_to_message(None, 1)
            attachments.add_passages(4, id_, [2], has_answer=False)
    Conversations(database).set_sources(2, [{"document_id": 1, "block_id": 2, "start": 0, "end": 27}])
    store.begin_document(Path("/documents/half-read.pdf"), 9, 1)


def fill_summaries(database: Database) -> None:
    """A summary of two documents that is done, another one that uses its step and was deleted, and a draft."""
    jobs, store = JobTable(database, clock=lambda: 1_760_000_000.0), SummaryStore(database)
    wish = {"length": "short", "form": "bullets", "language": "de", "instruction": ""}
    done = jobs.add("summary", "größe and 1 more", {"wish": wish}, document_ids=(1, 2))
    store.keep_step(done.id, "ab12", {"points": [{"text": "The sun is wide."}]})
    store.keep_step(done.id, "cd34", ["merged"])
    store.keep_result(done.id, {"title": "Sonne", "statements": []}, "Die Sonne ist 109 Erden breit.")
    jobs.update(done.id, state="done", progress={"sections": 1, "sections_read": 1})
    deleted = jobs.add("summary", "größe", {"wish": wish}, document_ids=(1,))
    store.find_step(deleted.id, "ab12")
    jobs.delete(deleted.id)
    jobs.add("summary", "", {"wish": wish}, state="draft", document_ids=(2,))


def fill_translations(database: Database) -> None:
    """A translation with a flagged, an edited and an open segment, what the memory has of it, and a glossary."""
    jobs, store = JobTable(database, clock=lambda: 1_760_000_000.0), TranslationStore(database)
    spec = {"wish": {"target": "de", "source": "", "formality": "formal", "domain": "", "glossary": []}}
    spec |= {"name": "größe.docx", "path": "/documents/größe.docx", "format": "docx", "sha256": "ab12"}
    job = jobs.add("translation", "größe", spec | {"source_language": "en"}, state="paused")
    texts = ("The sun is wide.", "The moon is small.", "Buy milk.")
    store.add_segments(job.id, ((number, _segment(number, text)) for number, text in enumerate(texts, 1)))
    outcome = {"id": 1, "content": ["Die Sonne."], "origin": "model", "accepted": False}
    flags = [{"kind": "length", "said": "", "wanted": ""}]
    edited = {"id": 2, "content": ["Der Mond ist klein."], "origin": "edited", "flags": [], "accepted": False}
    store.save_outcomes(
        job.id,
        [SegmentOutcome(1, outcome | {"flags": flags}, "model", True), SegmentOutcome(2, edited, "edited", False)],
    )
    store.keep_result(job.id, {}, "größe.docx\nThe moon is small.\nDer Mond ist klein.")
    memory, pair = TranslationMemory(database, clock=lambda: 1_760_000_000.0), LanguagePair("en", "de")
    made = TranslationOrigin("formal", "cd34", "model.gguf 7", 1)
    memory.save_entries(
        [
            MemoryEntry(pair, b"\x01\x02", '["The moon is small."]', '["Der Mond ist winzig."]', "", made),
            MemoryEntry(pair, b"\x01\x02", '["The moon is small."]', '["Der Mond ist klein."]', is_own=True),
        ]
    )
    store.keep_glossary("en", "de", [("moon", "Mond"), ("Fireside", "Fireside")])


def fill_pages(database: Database) -> None:
    """A page with a model's words and an undo state that somebody searched, one of a file, and a deleted one."""
    pages = PageStore(database, clock=lambda: 1_760_000_000.0)
    page = pages.create("Größe der Sonne\n", options={"count": 3, "max_tokens": 30})
    pages.save(page.id, "Größe der Sonne\nDie Sonne ist 109 Erden breit. ☀️", [(26, 46)], 46)
    pages.keep_undo(page.id, "Größe der Sonne\nDie Sonne", [], 25)
    pages.set_pinned(page.id, True)
    pages.find("erden")
    form = {"encoding": "cp1252", "newline": "\r\n", "has_mark": False}
    pages.create("print('größer')\n", title="größe.py", file=Path("/texts/größe.py"), file_form=form)
    pages.delete(pages.create("deleted").id)


def _segment(number: int, text: str) -> dict[str, object]:
    return {
        "id": number,
        "content": [text],
        "kind": "paragraph",
        "page": 1,
        "level": 0,
        "context": "",
        "translated": [],
    }


def fill_queue(database: Database) -> None:
    """Two messages that wait in the first chat, the second of them with a document and moved before the other."""
    conversations = Conversations(database)
    first = conversations.queued.add(1, "And the moon? 🌙")
    Attachments(database).add_to_draft(1, 2, DocumentUse.BACKGROUND)
    second = conversations.queued.add(1, "Größe der Erde", draft_of=1)
    conversations.queued.set_order([second.id, first.id])
    conversations.update(1, draft="and the moon")


def fill_around_chats(database: Database) -> None:
    """An assistant, a project with a chat and a document, memories, tags, a prompt, a turn that was shown again."""
    with database.transaction() as connection:
        for statement in (
            "INSERT INTO assistants (name, icon, instructions, model, sampling, thinking, created_at)"
            " VALUES ('Editor ✍️', 'pencil', 'Shorten.', '', '{\"top_k\": 20}', 'off', 1760000000.0)",
            "INSERT INTO projects (name, icon, instructions, is_open, created_at, updated_at)"
            " VALUES ('Größen', 'planet', 'In kilometres.', 0, 1760000000.0, 1760000001.0)",
            "UPDATE conversations SET project_id = 1, assistant_id = 1, memory = 'off' WHERE id = 1",
            "UPDATE conversations SET titled_by = 'model' WHERE id = 2",
            "INSERT INTO attachments (document_id, project_id) VALUES (2, 1)",
            "INSERT INTO memories (project_id, text, created_at)"
            " VALUES (NULL, 'I live in Köln.', 1760000000.0), (1, 'Distances in km. 🌙', 1760000000.0)",
            "INSERT INTO tags (name, colour) VALUES ('Astronomy', 'blue'), ('später', '')",
            "INSERT INTO conversation_tags (conversation_id, tag_id) VALUES (1, 1), (1, 2)",
            "INSERT INTO prompts (name, text, created_at) VALUES ('shorten', 'Say {text} in one line.', 1760000000.0)",
            "UPDATE messages SET recalled = '[1]' WHERE id = 4",
        ):
            connection.execute(statement)


def fill_media(database: Database) -> None:
    """A picture in a message and in a draft, a sound, and a page that was read from its picture."""
    picture, sound = "a1" * 32, "b2" * 32
    with database.transaction() as connection:
        for statement in (
            "INSERT INTO media (sha256, kind, format, size_bytes, width, height, seconds, created_at)"
            f" VALUES ('{picture}', 'picture', 'png', 178000, 640, 480, 0, 1760000000.0),"
            f" ('{sound}', 'sound', 'wav', 64044, 0, 0, 2.0, 1760000000.0)",
            "INSERT INTO media_uses (sha256, position, name, most_tokens, conversation_id, message_id)"
            f" VALUES ('{picture}', 0, 'Größe ☀️.png', 256, NULL, 1), ('{sound}', 1, 'a.wav', 0, NULL, 1),"
            f" ('{picture}', 0, 'again.png', 0, 1, NULL)",
            "INSERT INTO page_readings (sha256, page, method, model, state, fields, is_edited, made_at)"
            f" VALUES ('{picture}', 2, 'tesseract', '', 'complete', '[]', 1, 1760000000.0)",
        ):
            connection.execute(statement)


def fill_passage_vectors(database: Database) -> None:
    """Two passages of a document, of three numbers each, which are all it has."""
    with database.transaction() as connection:
        connection.execute(
            "INSERT INTO passage_vectors (document_id, model, width, scale, blocks, vectors)"
            " VALUES (1, 'minilm.gguf', 3, 0.0078125, x'0100000002000000', x'7f008100407f'),"
            " (1, 'minilm.gguf', 0, 1.0, x'', x'')"
        )


def dump(database: Database) -> Iterator[str]:
    """The whole database as statements, one after the other."""
    yield from schema_of(database)
    with database.reading() as connection:
        for table in TABLES:
            columns = [row["name"] for row in connection.execute(f"PRAGMA table_info({table})")]
            quoted = " || ', ' || ".join(f"quote({name})" for name in columns)
            for row in connection.execute(f"SELECT {quoted} FROM {table}"):
                yield f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({row[0]})"
        yield f"PRAGMA user_version = {connection.execute('PRAGMA user_version').fetchone()[0]}"


def main() -> None:
    with (
        tempfile.TemporaryDirectory() as folder,
        closing(Database.open(Path(folder) / "fireside.db")) as database,
    ):
        fill(Conversations(database, clock=lambda: 1_760_000_000.0))
        fill_models(database)
        fill_documents(database)
        fill_summaries(database)
        fill_translations(database)
        fill_pages(database)
        fill_queue(database)
        fill_around_chats(database)
        fill_media(database)
        fill_passage_vectors(database)
        sys.stdout.write("BEGIN;\n" + "".join(f"{statement};\n" for statement in dump(database)) + "COMMIT;\n")


if __name__ == "__main__":
    main()
