"""Store of read documents: blocks with a full-text index. Thread-safe.

A document is written in batches while it is read and counts only when complete. Incomplete and unreferenced documents
are removed by `purge_unused`.

Text read from page images is kept separately, by the file's content, so that no file is read twice.
"""

from __future__ import annotations

import json
import logging
import os
import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app.core.errors.app_error import AppError
from app.core.lazy_dataclasses import dataclass
from app.core.visible import clean_text, visible_name
from app.store import sqlite_access
from app.store.conversations import match_expression
from app.store.database import Database
from app.store.trash import leave_traces

if TYPE_CHECKING:
    from app.store.vectors import VectorStore

BATCH = 400
"""Blocks per transaction; others wait for the database at most that long."""


@dataclass(frozen=True)
class StoredDocument:
    """A document. The file at `path` had `size_bytes` and `mtime_ns` when it was read; `name` is safe to show.

    `unit` names what `pages` counts: page, slide, sheet, chapter, file or "". `info` holds more in plain JSON: title,
    language, encoding, the part that was read, words, pages_without_text, pages as pictures, remarks.
    """

    id: int
    name: str
    path: Path
    size_bytes: int
    mtime_ns: int
    sha256: str
    format: str
    unit: str
    pages: int
    info: dict[str, Any]
    created_at: float


# Paths are bytes: names on Linux need not be UTF-8.
_COLUMNS = "id, name, path, size_bytes, mtime_ns, sha256, format, unit, pages, info, created_at"
# What keeps a document alive: messages, drafts, projects and jobs.
_REFERRED_TO = "SELECT document_id FROM attachments UNION ALL SELECT document_id FROM job_documents"
_CITED = (
    # An answer's citations, too: a click on one has to show the passage after the document left the chat.
    "SELECT json_extract(s.value, '$.document_id') FROM messages m, json_each(m.sources) s"
    " WHERE m.sources <> '[]' AND json_extract(s.value, '$.document_id') IS NOT NULL"
)
_IN_USE = (
    "SELECT a.document_id FROM attachments a LEFT JOIN messages m ON m.id = a.message_id"
    " LEFT JOIN queued_messages q ON q.id = a.queued_id LEFT JOIN projects p ON p.id = a.project_id"
    " LEFT JOIN conversations c ON c.id = coalesce(a.conversation_id, m.conversation_id, q.conversation_id)"
    " WHERE coalesce(m.deleted_at, p.deleted_at, c.deleted_at) IS NULL"
    " UNION SELECT d.document_id FROM job_documents d JOIN jobs j ON j.id = d.job_id WHERE j.deleted_at IS NULL"
)
Fields = dict[str, Any]
"""A block in plain JSON: id, kind, page, text and other fields."""


class DocumentStore:
    """All stored documents. Writes may raise DiskFull or FolderNotWritable; nothing of the call is then stored."""

    def __init__(self, database: Database, clock: Callable[[], float] = time.time) -> None:
        self._database = database
        self._clock = clock

    @property
    def is_open(self) -> bool:
        """True while the documents can be read: a temporary chat's are deleted with it."""
        return not self._database.is_closed

    # Not kept: it has no state but the database.
    @property
    def vectors(self) -> VectorStore:
        """Embedding vectors of the documents' passages; in the same database and deleted with them."""
        from app.store.vectors import VectorStore  # most people have no such model

        return VectorStore(self._database)

    def begin_document(self, path: Path, size_bytes: int, mtime_ns: int, *, name: str = "") -> int:
        """Add a document that is about to be read and return its id. Without `name` it is named after its file."""
        with self._database.transaction() as connection:
            cursor = connection.execute(
                "INSERT INTO documents (name, path, size_bytes, mtime_ns, created_at) VALUES (?, ?, ?, ?, ?)",
                (clean_text(name or path.name), os.fsencode(path), size_bytes, mtime_ns, self._clock()),
            )
        return int(cursor.lastrowid or 0)

    def add_blocks(self, document_id: int, blocks: Sequence[Fields]) -> None:
        """Append blocks in their order, a batch in each transaction."""
        for first in range(0, len(blocks), BATCH):
            rows = [_block_row(document_id, dict(block)) for block in blocks[first : first + BATCH]]
            with self._database.transaction() as connection:
                connection.executemany(
                    "INSERT INTO blocks (document_id, number, kind, page, text, fields) VALUES (?, ?, ?, ?, ?, ?)", rows
                )

    def finish_document(
        self, document_id: int, *, format_: str, unit: str, pages: int, sha256: str, info: Fields
    ) -> StoredDocument:
        """Mark a document as complete, with what is known of it; raises KeyError for an unknown one."""
        with self._database.transaction() as connection:
            row = connection.execute(
                "UPDATE documents SET format = ?, unit = ?, pages = ?, sha256 = ?, info = ?, state = 'complete'"
                f" WHERE id = ? RETURNING {_COLUMNS}",
                (format_, unit, pages, sha256, json.dumps(info), document_id),
            ).fetchone()
        if row is None:
            raise KeyError(document_id)
        return _read_document(row)

    def describe_document(self, document: StoredDocument, *, name: str, info: Fields) -> StoredDocument:
        """Give a document another name, and more in its `info`; raises KeyError if it is gone."""
        with self._database.transaction() as connection:
            row = connection.execute(
                f"UPDATE documents SET name = ?, info = ? WHERE id = ? RETURNING {_COLUMNS}",
                (clean_text(name), json.dumps(document.info | info), document.id),
            ).fetchone()
        if row is None:
            raise KeyError(document.id)
        return _read_document(row)

    def discard_document(self, document_id: int) -> None:
        """Delete a document with its blocks, if nothing refers to it."""
        # In batches, as a book has tens of thousands of blocks, and each changes the full-text index.
        while self._remove_some(document_id):
            pass
        with self._database.transaction() as connection:
            connection.execute("DELETE FROM documents WHERE id = ?", (document_id,))

    def _remove_some(self, document_id: int) -> bool:
        with self._database.transaction() as connection:
            last = connection.execute(
                "SELECT max(id) FROM (SELECT id FROM blocks WHERE document_id = ? ORDER BY id LIMIT ?)"
                # Asked anew for each batch: somebody may attach the document meanwhile.
                f" WHERE ? NOT IN ({_REFERRED_TO})",
                (document_id, BATCH, document_id),
            ).fetchone()[0]
            if last is None:
                return False
            leave_traces(connection, "blocks_index")
            connection.execute("DELETE FROM blocks WHERE document_id = ? AND id <= ?", (document_id, last))
        return True

    def replace_document(self, earlier_id: int, document_id: int) -> None:
        """Replace an earlier reading of the same file in chats, projects and jobs that haven't started.

        Results keep the earlier one: translations hold its segments.
        """
        with self._database.transaction() as connection:
            connection.execute(
                "UPDATE attachments SET document_id = ?, passages = '[]', has_answer = NULL"
                # Passages belong to the question they were found for, and name blocks of the earlier reading.
                " WHERE document_id = ? AND use <> 'passages'",
                (document_id, earlier_id),
            )
            connection.execute(
                "UPDATE job_documents SET document_id = ? WHERE document_id = ? AND job_id IN"
                " (SELECT id FROM jobs WHERE kind = 'page_reading' OR (state = 'draft' AND kind <> 'translation'))",
                (document_id, earlier_id),
            )

    def get(self, document_id: int) -> StoredDocument | None:
        """Return a document, or None if it is incomplete or was never there."""
        with self._database.reading() as connection:
            row = connection.execute(
                f"SELECT {_COLUMNS} FROM documents WHERE id = ? AND state = 'complete'", (document_id,)
            ).fetchone()
        return None if row is None else _read_document(row)

    def find_read(self, path: Path, size_bytes: int, mtime_ns: int) -> list[StoredDocument]:
        """Return complete documents read from this file in its present state, newest first."""
        # Path, size and time together stand for the content, as hashing every file at each look would take long.
        with self._database.reading() as connection:
            rows = connection.execute(
                f"SELECT {_COLUMNS} FROM documents WHERE path = ? AND size_bytes = ? AND mtime_ns = ?"
                " AND state = 'complete' ORDER BY id DESC",
                (os.fsencode(path), size_bytes, mtime_ns),
            ).fetchall()
        return [_read_document(row) for row in rows]

    def find_content(self, sha256: str) -> StoredDocument | None:
        """Return the newest complete document with this content; None for "" or if there is none."""
        if not sha256:
            return None
        with self._database.reading() as connection:
            row = connection.execute(
                f"SELECT {_COLUMNS} FROM documents WHERE sha256 = ? AND state = 'complete' ORDER BY id DESC LIMIT 1",
                (sha256,),
            ).fetchone()
        return None if row is None else _read_document(row)

    def list_in_use(self) -> list[int]:
        """Return the documents of chats, projects and jobs that are not deleted, newest first; each file once."""
        with self._database.reading() as connection:
            rows = connection.execute(
                # Read again, a file is another document; of its parts each is one.
                "SELECT max(id) FROM documents WHERE state = 'complete'"
                f" AND id IN ({_IN_USE}) GROUP BY path, json_extract(info, '$.part') ORDER BY max(id) DESC"
            ).fetchall()
        return [int(row[0]) for row in rows]

    def list_paths(self) -> set[Path]:
        """Return the paths of all documents' files, incomplete ones included."""
        with self._database.reading() as connection:
            return {Path(os.fsdecode(row[0])) for row in connection.execute("SELECT DISTINCT path FROM documents")}

    def block_count(self, document_id: int) -> int:
        with self._database.reading() as connection:
            row = connection.execute(
                "SELECT coalesce(max(number), 0) FROM blocks WHERE document_id = ?", (document_id,)
            ).fetchone()
        return int(row[0])

    def read_blocks(self, document_id: int, first: int = 1, count: int = -1) -> list[Fields]:
        """Blocks from a number on; a negative count is all of them."""
        with self._database.reading() as connection:
            rows = connection.execute(
                "SELECT number, kind, page, text, fields FROM blocks WHERE document_id = ? AND number >= ?"
                " ORDER BY number LIMIT ?",
                (document_id, first, count),
            ).fetchall()
        return [_block_fields(row) for row in rows]

    def every_block(self, document_id: int) -> Iterator[Fields]:
        """Yield all blocks in order, a batch at a time, so that others get at the database in between."""
        # By number and not by OFFSET, which would walk over all blocks before it again and again.
        first = 1
        while batch := self.read_blocks(document_id, first, BATCH):
            yield from batch
            first = int(batch[-1]["id"]) + 1

    def some_blocks(self, document_id: int, numbers: Sequence[int]) -> list[Fields]:
        """Return the blocks with these numbers in their order, whatever the order asked for."""
        with self._database.reading() as connection:
            rows = connection.execute(
                "SELECT number, kind, page, text, fields FROM blocks WHERE document_id = ?"
                " AND number IN (SELECT value FROM json_each(?)) ORDER BY number",
                (document_id, json.dumps(list(numbers))),
            ).fetchall()
        return [_block_fields(row) for row in rows]

    def has_page(self, document_id: int, page: int) -> bool:
        """Return whether a block begins on a page; asks an index, however many there are."""
        with self._database.reading() as connection:
            query = "SELECT EXISTS (SELECT 1 FROM blocks WHERE document_id = ? AND page = ?)"
            return bool(connection.execute(query, (document_id, page)).fetchone()[0])

    def blocks_of_page(self, document_id: int, page: int) -> list[Fields]:
        """Return the blocks that begin on a page, with the one before them, which may reach into it."""
        with self._database.reading() as connection:
            rows = connection.execute(
                "SELECT number, kind, page, text, fields FROM blocks WHERE document_id = :document AND (page = :page"
                # A paragraph or a table goes on over the end of its page.
                " OR number = (SELECT max(number) FROM blocks WHERE document_id = :document AND page < :page))"
                " ORDER BY number",
                {"document": document_id, "page": page},
            ).fetchall()
        return [_block_fields(row) for row in rows]

    def rank_blocks(
        self, document_ids: Sequence[int], words: Sequence[str], limit: int
    ) -> list[tuple[int, int, float]]:
        """Return (document id, block number, score) of blocks that hold any of the words, best first.

        A word ending in * is a prefix. The score is FTS5's bm25 with the sign changed, so that more is better.
        """
        quoted = [_match_word(word) for word in words if match_expression(word)]
        if not quoted:
            return []
        with self._database.reading() as connection:
            rows = connection.execute(
                "SELECT b.document_id, b.number, -blocks_index.rank FROM blocks_index"
                " JOIN blocks b ON b.id = blocks_index.rowid"
                " WHERE blocks_index MATCH ? AND b.document_id IN (SELECT value FROM json_each(?))"
                " ORDER BY blocks_index.rank LIMIT ?",
                # Any of the words: questions have words that no passage has.
                (" OR ".join(quoted), json.dumps(list(document_ids)), limit),
            ).fetchall()
        return [(int(row[0]), int(row[1]), float(row[2])) for row in rows]

    def purge_unused(self, before: float) -> list[int]:
        """Remove incomplete and unreferenced documents; return their ids.

        Only those begun before that time (seconds since 1970), so that documents being read now are left alone.
        """
        with self._database.reading() as connection:
            gone = connection.execute(
                "SELECT id FROM documents WHERE created_at < ? AND (state <> 'complete'"
                f" OR id NOT IN ({_REFERRED_TO} UNION ALL {_CITED}))",
                (before,),
            ).fetchall()
        for row in gone:
            self.discard_document(row[0])
        return [int(row[0]) for row in gone]


def _match_word(word: str) -> str:
    whole = match_expression(word)
    return whole if word.endswith("*") else whole.removesuffix("*")


def _block_row(document_id: int, fields: Fields) -> tuple[Any, ...]:
    # Four fields have columns for finding; all others are one JSON text.
    number, kind, page, text = fields.pop("id"), fields.pop("kind"), fields.pop("page"), fields.pop("text")
    return (document_id, number, kind, page, clean_text(text), json.dumps(fields))


def _block_fields(row: sqlite3.Row) -> Fields:
    fields: Fields = json.loads(row["fields"])
    return {"id": row["number"], "kind": row["kind"], "page": row["page"], "text": row["text"]} | fields


def _read_document(row: sqlite3.Row) -> StoredDocument:
    values = dict(row)
    # The name was a stranger's file name.
    shown = {
        "name": visible_name(values["name"]),
        "path": Path(os.fsdecode(values["path"])),
    }
    return StoredDocument(**values | shown | {"info": json.loads(values["info"])})


log = logging.getLogger(__name__)

HEARD = "heard"
"""The method of pieces of a recording, which are kept here, by a key of their own, until all of it is heard."""
HEARD_KEPT_S = 30 * 24 * 3600.0


@dataclass(frozen=True)
class StoredPageReading:
    """Text read from one page image. `method` is tesseract or model, `model` which one.

    For tesseract, `model` is its languages as "de+en"; "" if unknown. `state` is read; cut or repeated (the answer
    didn't end or looped; the text before is kept), empty or refused. `is_edited`: corrected by the user. `made_at` in
    seconds since 1970. `before` is the text before corrections; None without or if not kept.
    """

    page: int
    method: str
    model: str
    state: str
    blocks: tuple[Fields, ...]
    is_edited: bool = False
    made_at: float = 0.0
    before: StoredPageReading | None = None


class PageReadings:
    """All of them; from any thread. Writes may raise DiskFull or FolderNotWritable; nothing is then changed."""

    def __init__(self, database: Database, clock: Callable[[], float] = time.time) -> None:
        self._database, self._clock = database, clock

    def read_pages(self, sha256: str) -> dict[int, StoredPageReading]:
        with self._database.reading() as connection:
            rows = connection.execute(
                "SELECT page, method, model, state, fields, is_edited, made_at FROM page_readings WHERE sha256 = ?"
                " ORDER BY page",
                (sha256,),
            ).fetchall()
        return {row["page"]: _read_reading(row) for row in rows}

    def save_page(self, sha256: str, reading: StoredPageReading) -> bool:
        """Save a page's reading in place of the last one, unless the user corrected that; return whether it was
        saved.
        """
        with self._database.transaction() as connection:
            done = connection.execute(
                "INSERT INTO page_readings (sha256, page, method, model, state, fields, is_edited, made_at)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (sha256, page) DO UPDATE SET method = excluded.method,"
                " model = excluded.model, state = excluded.state, fields = excluded.fields,"
                # A person's corrections are worth more than another run of tesseract.
                " is_edited = excluded.is_edited, made_at = excluded.made_at"
                " WHERE NOT page_readings.is_edited OR excluded.is_edited",
                (sha256, *_reading_values(reading), self._clock()),
            )
        return done.rowcount > 0

    def forget_all(self, sha256: str) -> None:
        """Delete all readings of a file, corrections included; for good."""
        with self._database.transaction() as connection:
            connection.execute("DELETE FROM page_readings WHERE sha256 = ?", (sha256,))

    def give_up(self, sha256: str, page: int) -> StoredPageReading | None:
        """Restore the reading from before the user's corrections; return the corrections, for `save_page`."""
        given_up = self.read_pages(sha256).get(page)
        if given_up is None or not given_up.is_edited:
            return None
        # Deleted and added anew, as `save_page` never replaces corrections.
        with self._database.transaction() as connection:
            connection.execute("DELETE FROM page_readings WHERE sha256 = ? AND page = ?", (sha256, page))
            if given_up.before is not None:
                connection.execute(
                    "INSERT INTO page_readings (sha256, page, method, model, state, fields, is_edited, made_at)"
                    " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                    (sha256, *_reading_values(given_up.before), self._clock()),
                )
        return given_up

    def purge_unused(self) -> None:
        """Delete readings of files without a document, and of abandoned recordings."""
        with self._database.transaction() as connection:
            connection.execute(
                # Recordings have a key of their own until all of them is heard, and no document before.
                "DELETE FROM page_readings WHERE sha256 NOT IN (SELECT sha256 FROM documents)"
                " AND (method <> ? OR made_at < ?)",
                (HEARD, self._clock() - HEARD_KEPT_S),
            )


@contextmanager
def opened_readings(path: Path) -> Iterator[PageReadings | None]:
    """Open the readings in a database file; None if it can't be used now."""
    try:
        database = Database.open(path)
    except (AppError,) + sqlite_access.SQLITE_ERRORS as error:  # another program may have it for long
        log.info("what was read cannot be kept: %s", error)
        yield None
        return
    with closing(database):
        yield PageReadings(database)


def _reading_values(reading: StoredPageReading) -> tuple[object, ...]:
    fields: Fields = {"blocks": list(reading.blocks)}
    if reading.before is not None:
        before = reading.before
        fields["before"] = {"method": before.method, "model": before.model, "state": before.state}
        fields["before"]["blocks"] = list(before.blocks)
    return reading.page, reading.method, reading.model, reading.state, json.dumps(fields), reading.is_edited


def _read_reading(row: sqlite3.Row) -> StoredPageReading:
    page, fields = row["page"], json.loads(row["fields"])
    before = fields.get("before")  # corrections of earlier versions have none
    if before is not None:
        before = StoredPageReading(page, before["method"], before["model"], before["state"], tuple(before["blocks"]))
    return StoredPageReading(
        page,
        row["method"],
        row["model"],
        row["state"],
        tuple(fields["blocks"]),
        bool(row["is_edited"]),
        row["made_at"],
        before,
    )
