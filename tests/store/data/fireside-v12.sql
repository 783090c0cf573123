BEGIN;
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
            leaf_id INTEGER REFERENCES messages (id) ON DELETE SET NULL DEFERRABLE INITIALLY DEFERRED
        , sampling TEXT NOT NULL DEFAULT '{}', thinking TEXT NOT NULL DEFAULT '', first_kept_id INTEGER, project_id INTEGER REFERENCES projects (id) ON DELETE SET NULL, assistant_id INTEGER REFERENCES assistants (id) ON DELETE SET NULL, titled_by TEXT NOT NULL DEFAULT '', memory TEXT NOT NULL DEFAULT '');
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
            deleted_with INTEGER
        , thinking TEXT NOT NULL DEFAULT '', thinking_s REAL, pinned INTEGER NOT NULL DEFAULT 0, sources TEXT NOT NULL DEFAULT '[]', recalled TEXT NOT NULL DEFAULT '[]');
CREATE INDEX conversations_by_leaf ON conversations (leaf_id);
CREATE INDEX messages_by_parent ON messages (parent_id);
CREATE INDEX messages_by_place ON messages (conversation_id, parent_id, chosen);
CREATE INDEX messages_deleted ON messages (deleted_with) WHERE deleted_with IS NOT NULL;
CREATE INDEX messages_writing ON messages (id) WHERE state = 'writing';
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
            updated_at REAL NOT NULL
        , deleted_at REAL);
CREATE INDEX jobs_by_place ON jobs (kind, place);
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
CREATE TABLE attachments (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            document_id INTEGER NOT NULL REFERENCES documents (id),
            conversation_id INTEGER REFERENCES conversations (id) ON DELETE CASCADE,
            message_id INTEGER REFERENCES messages (id) ON DELETE CASCADE,
            use TEXT NOT NULL DEFAULT '',
            passages TEXT NOT NULL DEFAULT '[]'
        , queued_id INTEGER REFERENCES queued_messages (id) ON DELETE CASCADE, project_id INTEGER REFERENCES projects (id) ON DELETE CASCADE, has_answer INTEGER);
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
CREATE TABLE queued_messages (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            conversation_id INTEGER NOT NULL REFERENCES conversations (id) ON DELETE CASCADE,
            position INTEGER NOT NULL,
            text TEXT NOT NULL
        );
CREATE INDEX queued_messages_by_conversation ON queued_messages (conversation_id);
CREATE INDEX attachments_by_queued ON attachments (queued_id) WHERE queued_id IS NOT NULL;
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
INSERT INTO assistants (id, name, icon, instructions, model, sampling, thinking, created_at, used_at, deleted_at) VALUES (1, 'Editor ✍️', 'pencil', 'Shorten.', '', '{"top_k": 20}', 'off', 1760000000.0, NULL, NULL);
INSERT INTO projects (id, name, icon, instructions, model, is_open, created_at, updated_at, deleted_at) VALUES (1, 'Größen', 'planet', 'In kilometres.', '', 0, 1760000000.0, 1760000001.0, NULL);
INSERT INTO conversations (id, title, system_prompt, temperature, model, draft, pinned, created_at, updated_at, deleted_at, leaf_id, sampling, thinking, first_kept_id, project_id, assistant_id, titled_by, memory) VALUES (1, 'Größe der Sonne', 'Be brief.', 0.5, 'Starter', 'and the moon', 1, 1760000000.0, 1760000000.0, NULL, 2, '{"top_k": 20}', 'low', 1, 1, 1, 'person', 'off');
INSERT INTO conversations (id, title, system_prompt, temperature, model, draft, pinned, created_at, updated_at, deleted_at, leaf_id, sampling, thinking, first_kept_id, project_id, assistant_id, titled_by, memory) VALUES (2, 'مرحبا', '', NULL, '', '', 0, 1760000000.0, 1760000000.0, NULL, 5, '{}', '', NULL, NULL, NULL, 'model', '');
INSERT INTO conversations (id, title, system_prompt, temperature, model, draft, pinned, created_at, updated_at, deleted_at, leaf_id, sampling, thinking, first_kept_id, project_id, assistant_id, titled_by, memory) VALUES (3, 'deleted', '', NULL, '', '', 0, 1760000000.0, 1760000000.0, 1760000000.0, NULL, '{}', '', NULL, NULL, NULL, 'person', '');
INSERT INTO messages (id, conversation_id, parent_id, role, text, state, model, stats, chosen, created_at, deleted_at, deleted_with, thinking, thinking_s, pinned, sources, recalled) VALUES (1, 1, NULL, 'user', 'How large is the sun? ☀️', 'complete', '', NULL, 0, 1760000000.0, NULL, NULL, '', NULL, 1, '[]', '[]');
INSERT INTO messages (id, conversation_id, parent_id, role, text, state, model, stats, chosen, created_at, deleted_at, deleted_with, thinking, thinking_s, pinned, sources, recalled) VALUES (2, 1, 1, 'assistant', 'About 1.4 million km.', 'complete', '', '{"prompt_tokens": 31, "reused_tokens": 7, "generated_tokens": 12, "time_to_first_token_s": 0.25, "tokens_per_s": 48.5, "finish_reason": "stop", "thinking_tokens": 0, "media_tokens": 0, "encoded_media": 0, "stop": ""}', 2, 1760000000.0, NULL, NULL, 'Wide, not far.', 1.5, 0, '[{"document_id": 1, "block_id": 2, "start": 0, "end": 27}]', '[]');
INSERT INTO messages (id, conversation_id, parent_id, role, text, state, model, stats, chosen, created_at, deleted_at, deleted_with, thinking, thinking_s, pinned, sources, recalled) VALUES (3, 1, 1, 'assistant', '109 Earths wide.', 'complete', '', '{"prompt_tokens": 31, "reused_tokens": 7, "generated_tokens": 12, "time_to_first_token_s": 0.25, "tokens_per_s": 48.5, "finish_reason": "stop", "thinking_tokens": 0, "media_tokens": 0, "encoded_media": 0, "stop": ""}', 1, 1760000000.0, NULL, NULL, '', NULL, 0, '[]', '[]');
INSERT INTO messages (id, conversation_id, parent_id, role, text, state, model, stats, chosen, created_at, deleted_at, deleted_with, thinking, thinking_s, pinned, sources, recalled) VALUES (4, 1, 2, 'user', 'wrong chat', 'complete', '', NULL, 0, 1760000000.0, 1760000000.0, 4, '', NULL, 0, '[]', '[1]');
INSERT INTO messages (id, conversation_id, parent_id, role, text, state, model, stats, chosen, created_at, deleted_at, deleted_with, thinking, thinking_s, pinned, sources, recalled) VALUES (5, 2, NULL, 'assistant', 'half a sen', 'writing', '', NULL, 0, 1760000000.0, NULL, NULL, '', NULL, 0, '[]', '[]');
INSERT INTO jobs (id, kind, title, state, place, spec, progress, error, created_at, updated_at, deleted_at) VALUES (1, 'download', 'Größer', 'failed', 1.0, '{"repo": "org/larger", "files": [{"name": "l.gguf", "size_bytes": 7}]}', '{"paths": {}}', '{"name": "NotEnoughDisk", "fields": {"path": "/models", "needed_bytes": 8, "free_bytes": 5}}', 1760000000.0, 1760000000.0, NULL);
INSERT INTO jobs (id, kind, title, state, place, spec, progress, error, created_at, updated_at, deleted_at) VALUES (2, 'download', 'Smaller', 'queued', 0.5, '{"repo": "org/smaller", "files": []}', '{}', NULL, 1760000000.0, 1760000000.0, NULL);
INSERT INTO jobs (id, kind, title, state, place, spec, progress, error, created_at, updated_at, deleted_at) VALUES (3, 'summary', 'größe and 1 more', 'done', 2.0, '{"wish": {"length": "short", "form": "bullets", "language": "de", "instruction": ""}}', '{"sections": 1, "sections_read": 1}', NULL, 1760000000.0, 1760000000.0, NULL);
INSERT INTO jobs (id, kind, title, state, place, spec, progress, error, created_at, updated_at, deleted_at) VALUES (4, 'summary', 'größe', 'queued', 3.0, '{"wish": {"length": "short", "form": "bullets", "language": "de", "instruction": ""}}', '{}', NULL, 1760000000.0, 1760000000.0, 1760000000.0);
INSERT INTO jobs (id, kind, title, state, place, spec, progress, error, created_at, updated_at, deleted_at) VALUES (5, 'summary', '', 'draft', 4.0, '{"wish": {"length": "short", "form": "bullets", "language": "de", "instruction": ""}}', '{}', NULL, 1760000000.0, 1760000000.0, NULL);
INSERT INTO jobs (id, kind, title, state, place, spec, progress, error, created_at, updated_at, deleted_at) VALUES (6, 'translation', 'größe', 'paused', 5.0, '{"wish": {"target": "de", "source": "", "formality": "formal", "domain": "", "glossary": []}, "name": "gr\u00f6\u00dfe.docx", "path": "/documents/gr\u00f6\u00dfe.docx", "format": "docx", "sha256": "ab12", "source_language": "en"}', '{}', NULL, 1760000000.0, 1760000000.0, NULL);
INSERT INTO models (path, label, origin, added_at, used_at, sha256, size_bytes, mtime_ns) VALUES (X'2F6D6F64656C732F6772C3B6C39F652E67677566', 'Mine', 'added', 1750000000.0, NULL, 'ab12', 7, 1740000000123456789);
INSERT INTO documents (id, name, path, size_bytes, mtime_ns, sha256, format, unit, pages, state, info, created_at) VALUES (1, 'größe.pdf', X'2F646F63756D656E74732F6772C3B6C39F652E706466', 7, 1740000000123456789, 'ab12', 'pdf', 'page', 2, 'complete', '{"title": "", "language": "en", "pages_without_text": [2], "remarks": []}', 1760000000.0);
INSERT INTO documents (id, name, path, size_bytes, mtime_ns, sha256, format, unit, pages, state, info, created_at) VALUES (2, 'notes.txt', X'2F646F63756D656E74732F6E6F7465732E747874', 7, 1740000000123456789, 'ab12', 'pdf', 'page', 2, 'complete', '{"title": "", "language": "en", "pages_without_text": [2], "remarks": []}', 1760000000.0);
INSERT INTO documents (id, name, path, size_bytes, mtime_ns, sha256, format, unit, pages, state, info, created_at) VALUES (3, 'half-read.pdf', X'2F646F63756D656E74732F68616C662D726561642E706466', 9, 1, '', '', '', 0, 'reading', '{}', 1760000000.0);
INSERT INTO blocks (id, document_id, number, kind, page, text, fields) VALUES (1, 1, 1, 'heading', 1, 'Sun', '{"heading_path": [], "level": 1}');
INSERT INTO blocks (id, document_id, number, kind, page, text, fields) VALUES (2, 1, 2, 'paragraph', 1, 'The sun is 109 Earths wide.', '{"heading_path": ["Sun"], "boxes": [[1, 72.0, 90.5, 300.0, 102.0, 0, 27]]}');
INSERT INTO blocks (id, document_id, number, kind, page, text, fields) VALUES (3, 2, 1, 'heading', 1, 'Sun', '{"heading_path": [], "level": 1}');
INSERT INTO blocks (id, document_id, number, kind, page, text, fields) VALUES (4, 2, 2, 'paragraph', 1, 'Buy milk.', '{"heading_path": ["Sun"], "boxes": [[1, 72.0, 90.5, 300.0, 102.0, 0, 9]]}');
INSERT INTO attachments (id, document_id, conversation_id, message_id, use, passages, queued_id, project_id, has_answer) VALUES (1, 1, NULL, 1, 'whole', '[]', NULL, NULL, NULL);
INSERT INTO attachments (id, document_id, conversation_id, message_id, use, passages, queued_id, project_id, has_answer) VALUES (2, 1, NULL, 4, 'passages', '[2]', NULL, NULL, 0);
INSERT INTO attachments (id, document_id, conversation_id, message_id, use, passages, queued_id, project_id, has_answer) VALUES (3, 2, NULL, NULL, 'whole', '[]', NULL, NULL, NULL);
INSERT INTO attachments (id, document_id, conversation_id, message_id, use, passages, queued_id, project_id, has_answer) VALUES (4, 2, NULL, NULL, 'background', '[]', 2, NULL, NULL);
INSERT INTO attachments (id, document_id, conversation_id, message_id, use, passages, queued_id, project_id, has_answer) VALUES (5, 2, NULL, NULL, '', '[]', NULL, 1, NULL);
INSERT INTO job_documents (job_id, position, document_id) VALUES (3, 0, 1);
INSERT INTO job_documents (job_id, position, document_id) VALUES (4, 0, 1);
INSERT INTO job_documents (job_id, position, document_id) VALUES (3, 1, 2);
INSERT INTO job_documents (job_id, position, document_id) VALUES (5, 0, 2);
INSERT INTO job_steps (id, key, value) VALUES (1, 'ab12', '{"points": [{"text": "The sun is wide."}]}');
INSERT INTO job_steps (id, key, value) VALUES (2, 'cd34', '["merged"]');
INSERT INTO job_step_uses (job_id, step_id) VALUES (3, 1);
INSERT INTO job_step_uses (job_id, step_id) VALUES (4, 1);
INSERT INTO job_step_uses (job_id, step_id) VALUES (3, 2);
INSERT INTO job_results (job_id, fields, text) VALUES (3, '{"title": "Sonne", "statements": []}', 'Die Sonne ist 109 Erden breit.');
INSERT INTO job_results (job_id, fields, text) VALUES (6, '{}', 'größe.docx
The moon is small.
Der Mond ist klein.');
INSERT INTO translation_segments (job_id, number, source, target, origin, is_flagged) VALUES (6, 1, '{"id": 1, "content": ["The sun is wide."], "kind": "paragraph", "page": 1, "level": 0, "context": "", "translated": []}', '{"id": 1, "content": ["Die Sonne."], "origin": "model", "accepted": false, "flags": [{"kind": "length", "said": "", "wanted": ""}]}', 'model', 1);
INSERT INTO translation_segments (job_id, number, source, target, origin, is_flagged) VALUES (6, 2, '{"id": 2, "content": ["The moon is small."], "kind": "paragraph", "page": 1, "level": 0, "context": "", "translated": []}', '{"id": 2, "content": ["Der Mond ist klein."], "origin": "edited", "flags": [], "accepted": false}', 'edited', 0);
INSERT INTO translation_segments (job_id, number, source, target, origin, is_flagged) VALUES (6, 3, '{"id": 3, "content": ["Buy milk."], "kind": "paragraph", "page": 1, "level": 0, "context": "", "translated": []}', NULL, '', 0);
INSERT INTO translation_memory (id, source_language, target_language, key, context, formality, hints, model, prompt_version, is_own, source, target, made_at) VALUES (1, 'en', 'de', X'0102', '', 'formal', 'cd34', 'model.gguf 7', 1, 0, '["The moon is small."]', '["Der Mond ist winzig."]', 1760000000.0);
INSERT INTO translation_memory (id, source_language, target_language, key, context, formality, hints, model, prompt_version, is_own, source, target, made_at) VALUES (2, 'en', 'de', X'0102', '', '', '', '', 0, 1, '["The moon is small."]', '["Der Mond ist klein."]', 1760000000.0);
INSERT INTO glossary_terms (source_language, target_language, position, source, target) VALUES ('en', 'de', 0, 'moon', 'Mond');
INSERT INTO glossary_terms (source_language, target_language, position, source, target) VALUES ('en', 'de', 1, 'Fireside', 'Fireside');
INSERT INTO pages (id, title, text, written, cursor, options, file, file_form, is_pinned, is_indexed, created_at, updated_at, deleted_at) VALUES (1, '', 'Größe der Sonne
Die Sonne ist 109 Erden breit. ☀️', '[[26, 46]]', 46, '{"count": 3, "max_tokens": 30}', X'', '{}', 1, 1, 1760000000.0, 1760000000.0, NULL);
INSERT INTO pages (id, title, text, written, cursor, options, file, file_form, is_pinned, is_indexed, created_at, updated_at, deleted_at) VALUES (2, 'größe.py', 'print(''größer'')
', '[]', 0, '{}', X'2F74657874732F6772C3B6C39F652E7079', '{"encoding": "cp1252", "has_mark": false, "newline": "\r\n"}', 0, 0, 1760000000.0, 1760000000.0, NULL);
INSERT INTO pages (id, title, text, written, cursor, options, file, file_form, is_pinned, is_indexed, created_at, updated_at, deleted_at) VALUES (3, '', 'deleted', '[]', 0, '{}', X'', '{}', 0, 0, 1760000000.0, 1760000000.0, 1760000000.0);
INSERT INTO page_undo (page_id, text, written, cursor) VALUES (1, 'Größe der Sonne
Die Sonne', '[]', 25);
INSERT INTO queued_messages (id, conversation_id, position, text) VALUES (1, 1, 2, 'And the moon? 🌙');
INSERT INTO queued_messages (id, conversation_id, position, text) VALUES (2, 1, 1, 'Größe der Erde');
INSERT INTO memories (id, project_id, text, created_at, deleted_at) VALUES (1, NULL, 'I live in Köln.', 1760000000.0, NULL);
INSERT INTO memories (id, project_id, text, created_at, deleted_at) VALUES (2, 1, 'Distances in km. 🌙', 1760000000.0, NULL);
INSERT INTO tags (id, name, colour, deleted_at) VALUES (1, 'Astronomy', 'blue', NULL);
INSERT INTO tags (id, name, colour, deleted_at) VALUES (2, 'später', '', NULL);
INSERT INTO conversation_tags (conversation_id, tag_id) VALUES (1, 1);
INSERT INTO conversation_tags (conversation_id, tag_id) VALUES (1, 2);
INSERT INTO prompts (id, name, text, created_at, used_at, deleted_at) VALUES (1, 'shorten', 'Say {text} in one line.', 1760000000.0, NULL, NULL);
INSERT INTO media (sha256, kind, format, size_bytes, width, height, seconds, created_at) VALUES ('a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1', 'picture', 'png', 178000, 640, 480, 0.0, 1760000000.0);
INSERT INTO media (sha256, kind, format, size_bytes, width, height, seconds, created_at) VALUES ('b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2', 'sound', 'wav', 64044, 0, 0, 2.0, 1760000000.0);
INSERT INTO media_uses (id, sha256, position, name, most_tokens, conversation_id, message_id, queued_id) VALUES (1, 'a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1', 0, 'Größe ☀️.png', 256, NULL, 1, NULL);
INSERT INTO media_uses (id, sha256, position, name, most_tokens, conversation_id, message_id, queued_id) VALUES (2, 'b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2', 1, 'a.wav', 0, NULL, 1, NULL);
INSERT INTO media_uses (id, sha256, position, name, most_tokens, conversation_id, message_id, queued_id) VALUES (3, 'a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1', 0, 'again.png', 0, 1, NULL, NULL);
INSERT INTO page_readings (sha256, page, method, model, state, fields, is_edited, made_at) VALUES ('a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1', 2, 'tesseract', '', 'complete', '[]', 1, 1760000000.0);
INSERT INTO passage_vectors (id, document_id, model, width, scale, blocks, vectors) VALUES (1, 1, 'minilm.gguf', 3, 0.0078125, X'0100000002000000', X'7F008100407F');
INSERT INTO passage_vectors (id, document_id, model, width, scale, blocks, vectors) VALUES (2, 1, 'minilm.gguf', 0, 1.0, X'', X'');
PRAGMA user_version = 12;
COMMIT;
