"""The schema: what an empty database is made with, and whether a file's is the same."""

from __future__ import annotations

import re
import sqlite3
from typing import NamedTuple

SCHEMA = r"""
-- AUTOINCREMENT: an id that was given out never comes back for something else.
-- `sampling` is JSON of the fields that a chat sets itself; `thinking` is '', on, off, low, medium or high.
-- `first_kept_id` refers to nothing on purpose: when that message is gone or on another branch, it means "all".
-- `titled_by` is '' (the first words of the chat), 'model' or 'person'.
CREATE TABLE conversations (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    title TEXT NOT NULL,
    system_prompt TEXT NOT NULL,
    temperature REAL,
    model TEXT NOT NULL,
    draft TEXT NOT NULL DEFAULT '',
    pinned INTEGER NOT NULL DEFAULT 0,
    created_at REAL NOT NULL,
    updated_at REAL NOT NULL,
    deleted_at REAL,
    leaf_id INTEGER REFERENCES messages (id) ON DELETE SET NULL DEFERRABLE INITIALLY DEFERRED,
    sampling TEXT NOT NULL DEFAULT '{}',
    thinking TEXT NOT NULL DEFAULT '',
    first_kept_id INTEGER,
    project_id INTEGER REFERENCES projects (id) ON DELETE SET NULL,
    assistant_id INTEGER REFERENCES assistants (id) ON DELETE SET NULL,
    titled_by TEXT NOT NULL DEFAULT '',
    memory TEXT NOT NULL DEFAULT ''
);

-- `chosen` counts choices among siblings: the branch that is shown follows the highest one, live ones only.
-- `deleted_with` is the message whose deletion took this one along, so that undo brings back exactly those.
-- No ON DELETE CASCADE from parent to child: a long chat is a chain, and SQLite stops at 1,000 nested triggers.
-- `sources` is JSON: stretches of documents that say what an answer says. `recalled` is JSON: ids of earlier messages
-- that the model was shown again with this one.
CREATE TABLE messages (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    conversation_id INTEGER NOT NULL REFERENCES conversations (id) ON DELETE CASCADE,
    parent_id INTEGER REFERENCES messages (id) DEFERRABLE INITIALLY DEFERRED,
    role TEXT NOT NULL,
    text TEXT NOT NULL,
    state TEXT NOT NULL,
    model TEXT NOT NULL,
    stats TEXT,
    chosen INTEGER NOT NULL,
    created_at REAL NOT NULL,
    deleted_at REAL,
    deleted_with INTEGER,
    thinking TEXT NOT NULL DEFAULT '',
    thinking_s REAL,
    pinned INTEGER NOT NULL DEFAULT 0,
    sources TEXT NOT NULL DEFAULT '[]',
    recalled TEXT NOT NULL DEFAULT '[]'
);
CREATE INDEX conversations_by_leaf ON conversations (leaf_id);
CREATE INDEX messages_by_parent ON messages (parent_id);
CREATE INDEX messages_by_place ON messages (conversation_id, parent_id, chosen);
CREATE INDEX messages_deleted ON messages (deleted_with) WHERE deleted_with IS NOT NULL;
CREATE INDEX messages_writing ON messages (id) WHERE state = 'writing';

-- An answer being written is not indexed yet: saving it every second then costs its own pages only.
CREATE VIEW messages_finished AS SELECT id, text FROM messages WHERE state <> 'writing';
CREATE VIRTUAL TABLE messages_index USING fts5 (
    text, content = 'messages_finished', content_rowid = 'id', tokenize = 'unicode61 remove_diacritics 2'
);
CREATE TRIGGER messages_added AFTER INSERT ON messages WHEN new.state <> 'writing' BEGIN
    INSERT INTO messages_index (rowid, text) VALUES (new.id, new.text);
END;
CREATE TRIGGER messages_changed AFTER UPDATE OF text, state ON messages
WHEN (old.state = 'writing') <> (new.state = 'writing') OR (new.state <> 'writing' AND new.text <> old.text)
BEGIN
    INSERT INTO messages_index (messages_index, rowid, text)
        SELECT 'delete', old.id, old.text WHERE old.state <> 'writing';
    INSERT INTO messages_index (rowid, text) SELECT new.id, new.text WHERE new.state <> 'writing';
END;
CREATE TRIGGER messages_removed AFTER DELETE ON messages WHEN old.state <> 'writing' BEGIN
    INSERT INTO messages_index (messages_index, rowid, text) VALUES ('delete', old.id, old.text);
END;
CREATE VIRTUAL TABLE titles_index USING fts5 (
    title, content = 'conversations', content_rowid = 'id', tokenize = 'unicode61 remove_diacritics 2'
);
CREATE TRIGGER titles_added AFTER INSERT ON conversations BEGIN
    INSERT INTO titles_index (rowid, title) VALUES (new.id, new.title);
END;
CREATE TRIGGER titles_changed AFTER UPDATE OF title ON conversations BEGIN
    INSERT INTO titles_index (titles_index, rowid, title) VALUES ('delete', old.id, old.title);
    INSERT INTO titles_index (rowid, title) VALUES (new.id, new.title);
END;
CREATE TRIGGER titles_removed AFTER DELETE ON conversations BEGIN
    INSERT INTO titles_index (titles_index, rowid, title) VALUES ('delete', old.id, old.title);
END;

-- `spec`, `progress` and `error` are JSON; `error` is the name of a situation with its fields. `place` is the order of
-- the queue. A job with `deleted_at` is out of sight until it is restored, or removed for good at the next start.
CREATE TABLE jobs (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    kind TEXT NOT NULL,
    title TEXT NOT NULL,
    state TEXT NOT NULL,
    place REAL NOT NULL,
    spec TEXT NOT NULL,
    progress TEXT NOT NULL DEFAULT '{}',
    error TEXT,
    created_at REAL NOT NULL,
    updated_at REAL NOT NULL,
    deleted_at REAL
);
CREATE INDEX jobs_by_place ON jobs (kind, place);

-- Paths are bytes as the system has them: a file name need not be UTF-8.
-- `sha256` holds as long as the file's size and time of change are those beside it.
CREATE TABLE models (
    path BLOB PRIMARY KEY,
    label TEXT NOT NULL DEFAULT '',
    origin TEXT NOT NULL DEFAULT '',
    added_at REAL,
    used_at REAL,
    sha256 TEXT NOT NULL DEFAULT '',
    size_bytes INTEGER NOT NULL DEFAULT 0,
    mtime_ns INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID;

-- `state` is reading until the last block is there; `info` is JSON of what else is known.
CREATE TABLE documents (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL,
    path BLOB NOT NULL,
    size_bytes INTEGER NOT NULL,
    mtime_ns INTEGER NOT NULL,
    sha256 TEXT NOT NULL DEFAULT '',
    format TEXT NOT NULL DEFAULT '',
    unit TEXT NOT NULL DEFAULT '',
    pages INTEGER NOT NULL DEFAULT 0,
    state TEXT NOT NULL DEFAULT 'reading',
    info TEXT NOT NULL DEFAULT '{}',
    created_at REAL NOT NULL
);
CREATE INDEX documents_by_content ON documents (sha256);

-- `fields` is JSON of a block's other values.
CREATE TABLE blocks (
    id INTEGER PRIMARY KEY,
    document_id INTEGER NOT NULL REFERENCES documents (id) ON DELETE CASCADE,
    number INTEGER NOT NULL,
    kind TEXT NOT NULL,
    page INTEGER,
    text TEXT NOT NULL,
    fields TEXT NOT NULL
);
CREATE UNIQUE INDEX blocks_by_number ON blocks (document_id, number);
CREATE INDEX blocks_by_page ON blocks (document_id, page);
CREATE VIRTUAL TABLE blocks_index USING fts5 (
    text, content = 'blocks', content_rowid = 'id', tokenize = 'unicode61 remove_diacritics 2'
);
CREATE TRIGGER blocks_added AFTER INSERT ON blocks BEGIN
    INSERT INTO blocks_index (rowid, text) VALUES (new.id, new.text);
END;
CREATE TRIGGER blocks_removed AFTER DELETE ON blocks BEGIN
    INSERT INTO blocks_index (blocks_index, rowid, text) VALUES ('delete', old.id, old.text);
END;

-- An attachment without a message waits in a draft: a conversation's, or that of a new chat.
-- `use` is '' (not decided), whole, background, or passages (for a later question, from a document above it);
-- `passages` is JSON: the numbers of the blocks that were shown. `has_answer`: whether one seemed to answer the
-- question; NULL if not judged.
CREATE TABLE attachments (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    document_id INTEGER NOT NULL REFERENCES documents (id),
    conversation_id INTEGER REFERENCES conversations (id) ON DELETE CASCADE,
    message_id INTEGER REFERENCES messages (id) ON DELETE CASCADE,
    use TEXT NOT NULL DEFAULT '',
    passages TEXT NOT NULL DEFAULT '[]',
    queued_id INTEGER REFERENCES queued_messages (id) ON DELETE CASCADE,
    project_id INTEGER REFERENCES projects (id) ON DELETE CASCADE,
    has_answer INTEGER
);
CREATE INDEX attachments_by_message ON attachments (message_id);
CREATE INDEX attachments_by_document ON attachments (document_id);
CREATE INDEX attachments_by_conversation ON attachments (conversation_id);

CREATE TABLE job_documents (
    job_id INTEGER NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
    position INTEGER NOT NULL,
    document_id INTEGER NOT NULL REFERENCES documents (id),
    PRIMARY KEY (job_id, position)
) WITHOUT ROWID;
CREATE INDEX job_documents_by_document ON job_documents (document_id);

-- A step is found by its key whichever job made it, and goes with the last job that uses it.
CREATE TABLE job_steps (
    id INTEGER PRIMARY KEY,
    key TEXT NOT NULL UNIQUE,
    value TEXT NOT NULL
);

CREATE TABLE job_step_uses (
    job_id INTEGER NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
    step_id INTEGER NOT NULL REFERENCES job_steps (id),
    PRIMARY KEY (job_id, step_id)
) WITHOUT ROWID;
CREATE INDEX job_step_uses_by_step ON job_step_uses (step_id);
CREATE TRIGGER job_steps_unused AFTER DELETE ON job_step_uses
WHEN NOT EXISTS (SELECT 1 FROM job_step_uses WHERE step_id = old.step_id)
BEGIN
    DELETE FROM job_steps WHERE id = old.step_id;
END;

-- `fields` is JSON; `text` is what is searched.
CREATE TABLE job_results (
    job_id INTEGER PRIMARY KEY REFERENCES jobs (id) ON DELETE CASCADE,
    fields TEXT NOT NULL,
    text TEXT NOT NULL
);
CREATE VIRTUAL TABLE results_index USING fts5 (
    text, content = 'job_results', content_rowid = 'job_id', tokenize = 'unicode61 remove_diacritics 2'
);
CREATE TRIGGER job_results_added AFTER INSERT ON job_results BEGIN
    INSERT INTO results_index (rowid, text) VALUES (new.job_id, new.text);
END;
CREATE TRIGGER job_results_changed AFTER UPDATE OF text ON job_results WHEN new.text <> old.text BEGIN
    INSERT INTO results_index (results_index, rowid, text) VALUES ('delete', old.job_id, old.text);
    INSERT INTO results_index (rowid, text) VALUES (new.job_id, new.text);
END;
CREATE TRIGGER job_results_removed AFTER DELETE ON job_results BEGIN
    INSERT INTO results_index (results_index, rowid, text) VALUES ('delete', old.job_id, old.text);
END;

-- `source` and `target` are JSON; `target` is null until it is translated. `is_flagged`: a person is to look at it and
-- has not said yet that it is good. The two indexes answer how many there are without reading the segments
-- themselves, which are pages of text.
CREATE TABLE translation_segments (
    job_id INTEGER NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
    number INTEGER NOT NULL,
    source TEXT NOT NULL,
    target TEXT,
    origin TEXT NOT NULL DEFAULT '',
    is_flagged INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (job_id, number)
) WITHOUT ROWID;
CREATE INDEX translation_segments_by_origin ON translation_segments (job_id, origin);
CREATE INDEX translation_segments_flagged ON translation_segments (job_id, number) WHERE is_flagged;

-- `key` stands for the source's words and marks, `context` for what told the same words apart; `hints` for the notes
-- and terms that the model was given. A person's own have neither hints nor a model.
CREATE TABLE translation_memory (
    id INTEGER PRIMARY KEY,
    source_language TEXT NOT NULL,
    target_language TEXT NOT NULL,
    key BLOB NOT NULL,
    context TEXT NOT NULL,
    formality TEXT NOT NULL,
    hints TEXT NOT NULL,
    model TEXT NOT NULL,
    prompt_version INTEGER NOT NULL,
    is_own INTEGER NOT NULL,
    source TEXT NOT NULL,
    target TEXT NOT NULL,
    made_at REAL NOT NULL
);
CREATE UNIQUE INDEX translation_memory_by_key ON translation_memory (
    key, source_language, target_language, is_own, context, formality, hints, model, prompt_version
);

CREATE TABLE glossary_terms (
    source_language TEXT NOT NULL,
    target_language TEXT NOT NULL,
    position INTEGER NOT NULL,
    source TEXT NOT NULL,
    target TEXT NOT NULL,
    PRIMARY KEY (source_language, target_language, position)
) WITHOUT ROWID;

-- `title` is '' until a person gives one. `written` is JSON: ranges of characters that a model wrote and nobody has
-- touched. `options` is JSON of how the page is gone on with. `file` is bytes as the system has them, '' for none;
-- `file_form` is JSON: its encoding, byte order mark and line ends.
-- A page that was changed is not indexed until somebody searches: saving it every second then costs its own pages
-- only. Its undo state is apart for the same reason.
CREATE TABLE pages (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    title TEXT NOT NULL,
    text TEXT NOT NULL,
    written TEXT NOT NULL,
    cursor INTEGER NOT NULL,
    options TEXT NOT NULL,
    file BLOB NOT NULL,
    file_form TEXT NOT NULL,
    is_pinned INTEGER NOT NULL DEFAULT 0,
    is_indexed INTEGER NOT NULL DEFAULT 0,
    created_at REAL NOT NULL,
    updated_at REAL NOT NULL,
    deleted_at REAL
);
CREATE INDEX pages_not_indexed ON pages (id) WHERE NOT is_indexed;

CREATE TABLE page_undo (
    page_id INTEGER PRIMARY KEY REFERENCES pages (id) ON DELETE CASCADE,
    text TEXT NOT NULL,
    written TEXT NOT NULL,
    cursor INTEGER NOT NULL
);

CREATE VIEW pages_searched AS SELECT id, title, text FROM pages WHERE is_indexed;
CREATE VIRTUAL TABLE pages_index USING fts5 (
    title, text, content = 'pages_searched', content_rowid = 'id', tokenize = 'unicode61 remove_diacritics 2'
);
CREATE TRIGGER pages_added AFTER INSERT ON pages WHEN new.is_indexed BEGIN
    INSERT INTO pages_index (rowid, title, text) VALUES (new.id, new.title, new.text);
END;
CREATE TRIGGER pages_changed AFTER UPDATE OF title, text, is_indexed ON pages
WHEN old.is_indexed <> new.is_indexed
    OR (new.is_indexed AND (new.title <> old.title OR new.text <> old.text))
BEGIN
    INSERT INTO pages_index (pages_index, rowid, title, text)
        SELECT 'delete', old.id, old.title, old.text WHERE old.is_indexed;
    INSERT INTO pages_index (rowid, title, text) SELECT new.id, new.title, new.text WHERE new.is_indexed;
END;
CREATE TRIGGER pages_removed AFTER DELETE ON pages WHEN old.is_indexed BEGIN
    INSERT INTO pages_index (pages_index, rowid, title, text) VALUES ('delete', old.id, old.title, old.text);
END;

-- Messages that wait for an answer to end, with their documents.
CREATE TABLE queued_messages (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    conversation_id INTEGER NOT NULL REFERENCES conversations (id) ON DELETE CASCADE,
    position INTEGER NOT NULL,
    text TEXT NOT NULL
);
CREATE INDEX queued_messages_by_conversation ON queued_messages (conversation_id);
CREATE INDEX attachments_by_queued ON attachments (queued_id) WHERE queued_id IS NOT NULL;

-- `icon` is the name of a symbol. `sampling` is JSON as a conversation's.
CREATE TABLE assistants (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL,
    icon TEXT NOT NULL DEFAULT '',
    instructions TEXT NOT NULL DEFAULT '',
    model TEXT NOT NULL DEFAULT '',
    sampling TEXT NOT NULL DEFAULT '{}',
    thinking TEXT NOT NULL DEFAULT '',
    created_at REAL NOT NULL,
    used_at REAL,
    deleted_at REAL
);

CREATE TABLE projects (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL,
    icon TEXT NOT NULL DEFAULT '',
    instructions TEXT NOT NULL DEFAULT '',
    model TEXT NOT NULL DEFAULT '',
    is_open INTEGER NOT NULL DEFAULT 1,
    created_at REAL NOT NULL,
    updated_at REAL NOT NULL,
    deleted_at REAL
);

-- A memory without a project is every chat's.
CREATE TABLE memories (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    project_id INTEGER REFERENCES projects (id) ON DELETE CASCADE,
    text TEXT NOT NULL,
    created_at REAL NOT NULL,
    deleted_at REAL
);
CREATE INDEX memories_by_project ON memories (project_id);

CREATE TABLE tags (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL,
    colour TEXT NOT NULL DEFAULT '',
    deleted_at REAL
);
CREATE UNIQUE INDEX tags_by_name ON tags (name COLLATE NOCASE) WHERE deleted_at IS NULL;

CREATE TABLE conversation_tags (
    conversation_id INTEGER NOT NULL REFERENCES conversations (id) ON DELETE CASCADE,
    tag_id INTEGER NOT NULL REFERENCES tags (id) ON DELETE CASCADE,
    PRIMARY KEY (conversation_id, tag_id)
) WITHOUT ROWID;
CREATE INDEX conversation_tags_by_tag ON conversation_tags (tag_id);

CREATE TABLE prompts (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL,
    text TEXT NOT NULL,
    created_at REAL NOT NULL,
    used_at REAL,
    deleted_at REAL
);
CREATE INDEX conversations_by_project ON conversations (project_id) WHERE project_id IS NOT NULL;
CREATE INDEX conversations_by_assistant ON conversations (assistant_id) WHERE assistant_id IS NOT NULL;
CREATE INDEX attachments_by_project ON attachments (project_id) WHERE project_id IS NOT NULL;

-- A picture or sound is kept once, as a file named by its content. A use belongs to a conversation's draft, to a
-- message or to a queued one.
CREATE TABLE media (
    sha256 TEXT PRIMARY KEY,
    kind TEXT NOT NULL,
    format TEXT NOT NULL,
    size_bytes INTEGER NOT NULL,
    width INTEGER NOT NULL DEFAULT 0,
    height INTEGER NOT NULL DEFAULT 0,
    seconds REAL NOT NULL DEFAULT 0,
    created_at REAL NOT NULL
) WITHOUT ROWID;

CREATE TABLE media_uses (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    sha256 TEXT NOT NULL REFERENCES media (sha256),
    position INTEGER NOT NULL,
    name TEXT NOT NULL,
    most_tokens INTEGER NOT NULL DEFAULT 0,
    conversation_id INTEGER REFERENCES conversations (id) ON DELETE CASCADE,
    message_id INTEGER REFERENCES messages (id) ON DELETE CASCADE,
    queued_id INTEGER REFERENCES queued_messages (id) ON DELETE CASCADE
);
CREATE INDEX media_uses_by_content ON media_uses (sha256);
CREATE INDEX media_uses_by_conversation ON media_uses (conversation_id) WHERE conversation_id IS NOT NULL;
CREATE INDEX media_uses_by_message ON media_uses (message_id) WHERE message_id IS NOT NULL;
CREATE INDEX media_uses_by_queued ON media_uses (queued_id) WHERE queued_id IS NOT NULL;

-- `fields` is JSON: the blocks that were read from the picture of that page.
CREATE TABLE page_readings (
    sha256 TEXT NOT NULL,
    page INTEGER NOT NULL,
    method TEXT NOT NULL,
    model TEXT NOT NULL DEFAULT '',
    state TEXT NOT NULL,
    fields TEXT NOT NULL,
    is_edited INTEGER NOT NULL DEFAULT 0,
    made_at REAL NOT NULL,
    PRIMARY KEY (sha256, page)
) WITHOUT ROWID;

-- What a model made of the passages of a document: of `width` numbers each, as whole numbers of one byte, times
-- `scale`. `model` is its file as it was; `blocks` are their numbers, four bytes each. A document has several rows,
-- a batch each, and an empty one of width 0 once it has all of them.
CREATE TABLE passage_vectors (
    id INTEGER PRIMARY KEY,
    document_id INTEGER NOT NULL REFERENCES documents (id) ON DELETE CASCADE,
    model TEXT NOT NULL,
    width INTEGER NOT NULL,
    scale REAL NOT NULL,
    blocks BLOB NOT NULL,
    vectors BLOB NOT NULL
);
CREATE INDEX passage_vectors_by_document ON passage_vectors (document_id, model);
"""
_NO_MEANING = re.compile(r"[\s\"'`\[\];]+")


class SchemaEntry(NamedTuple):
    """A table, index, trigger or view; `sql` without blanks and quotes, which versions of SQLite set differently."""

    kind: str
    name: str
    table: str
    sql: str


def create_schema(connection: sqlite3.Connection) -> None:
    """Create all tables, indexes, views and triggers in an empty database."""
    statement = ""
    for line in SCHEMA.splitlines(keepends=True):  # executescript would end the transaction that guards the step
        statement += line
        if sqlite3.complete_statement(statement):
            connection.execute(statement)
            statement = ""


def read_schema(connection: sqlite3.Connection) -> set[SchemaEntry]:
    """Return all entries of a schema but those that SQLite makes by itself."""
    rows = connection.execute(
        # _ stands for any letter in LIKE.
        "SELECT type, name, tbl_name, sql FROM sqlite_schema WHERE name NOT LIKE 'sqlite\\_%' ESCAPE '\\'"
    )
    return {SchemaEntry(kind, name, table, _NO_MEANING.sub("", sql or "").lower()) for kind, name, table, sql in rows}
