"""The stored job: long work in its order, what it is about, how far it came and why it stopped, kept over restarts."""

from __future__ import annotations

import json
import math
import sqlite3
from collections.abc import Sequence
from typing import Any

from app.core.errors.app_error import AppError, to_fields
from app.core.errors.error_fields import from_fields
from app.core.lazy_dataclasses import dataclass
from app.core.visible import clean_text
from app.language.language_names import WITHOUT_SPACES
from app.store.conversations import match_expression
from app.store.database import Database, fold_text
from app.store.deletable import DeletableRows

SUMMARY, TRANSLATION, PAGE_READING = "summary", "translation", "page_reading"
"""Kinds of jobs that are queued; what knows more of them is imported when it is needed."""


@dataclass(frozen=True)
class Job:
    """A long-running job. `state` is queued, running, paused, done, failed, or one of the kind's own.

    `spec` holds what to do and `progress` how far it is, as plain JSON of the kind; `error` is why it stopped. Jobs
    with a lower `place` come first. Times are seconds since 1970.
    """

    id: int
    kind: str
    title: str
    state: str
    spec: dict[str, Any]
    progress: dict[str, Any]
    error: AppError | None
    created_at: float
    updated_at: float
    place: float


@dataclass(frozen=True)
class JobRow:
    """A job for lists. `error`: why it failed or paused itself."""

    id: int
    title: str
    state: str
    error: AppError | None
    created_at: float
    updated_at: float


class JobTable(DeletableRows[Job]):
    """All stored jobs, in the order of the queue. What is at work on a deleted one may still write to it."""

    table = "jobs"
    columns = "id, kind, title, state, spec, progress, error, created_at, updated_at, place"
    order = "place, id"
    indexes = ("results_index",)

    @staticmethod
    def _read_row(row: sqlite3.Row) -> Job:
        error = json.loads(row["error"]) if row["error"] else None
        return Job(
            **dict(row)
            | {
                "spec": json.loads(row["spec"]),
                "progress": json.loads(row["progress"]),
                "error": error and from_fields(error["name"], error["fields"]),
            }
        )

    def add(
        self, kind: str, title: str, spec: dict[str, Any], *, state: str = "queued", document_ids: Sequence[int] = ()
    ) -> Job:
        """Add a job at the end of the queue, with its documents. Raises KeyError if one of them is gone."""
        with self._database.transaction() as connection:
            return self._add_row(connection, (kind, title, state), spec, document_ids)

    def add_several(
        self, kind: str, spec: dict[str, Any], documents_by_title: Sequence[tuple[str, Sequence[int]]], *, over: str
    ) -> list[Job]:
        """Queue a job for each title and its documents in place of those of the state `over`, all of them or none."""
        with self._database.transaction() as connection:
            if over:
                self._remove_where(connection, "kind = ? AND state = ?", (kind, over))
            return [self._add_row(connection, (kind, title, "queued"), spec, ids) for title, ids in documents_by_title]

    def _add_row(
        self,
        connection: sqlite3.Connection,
        names: tuple[str, str, str],
        spec: dict[str, Any],
        document_ids: Sequence[int],
    ) -> Job:
        now, (kind, title, state) = self._clock(), names
        row = connection.execute(
            "INSERT INTO jobs (kind, title, state, spec, created_at, updated_at, place)"
            " VALUES (?, ?, ?, ?, ?, ?, (SELECT coalesce(max(place), 0) + 1 FROM jobs))"
            f" RETURNING {self.columns}",
            (kind, clean_text(title), state, json.dumps(spec), now, now),
        ).fetchone()
        set_documents(connection, row["id"], document_ids)
        return self._read_row(row)

    def find(self, kind: str = "", states: Sequence[str] = ()) -> list[Job]:
        """Jobs in their order; of one kind and in some of the states, where these are given."""
        return self._find_where(
            "(:kind = '' OR kind = :kind) AND (:states = '[]' OR state IN (SELECT value FROM json_each(:states)))",
            {"kind": kind, "states": json.dumps(list(states))},
        )

    def list_ids(self, kind: str) -> set[int]:
        """Return the jobs of a kind that are stored, also deleted ones."""
        with self._database.reading() as connection:
            return {int(row[0]) for row in connection.execute("SELECT id FROM jobs WHERE kind = ?", (kind,))}

    def queue_last(self, job_id: int) -> None:
        """Queue a job again at the end, without its earlier error."""
        with self._database.transaction() as connection:
            done = connection.execute(
                "UPDATE jobs SET state = 'queued', error = NULL, updated_at = ?,"
                " place = (SELECT coalesce(max(place), 0) + 1 FROM jobs) WHERE id = ?",
                (self._clock(), job_id),
            )
            if done.rowcount == 0:
                raise KeyError(job_id)

    def update(
        self,
        job_id: int,
        *,
        title: str | None = None,
        state: str | None = None,
        progress: dict[str, Any] | None = None,
        error: AppError | None = None,
        spec: dict[str, Any] | None = None,
        place: float | None = None,
    ) -> None:
        """Change the given fields. A new state clears the previous error unless one is given."""
        values: dict[str, Any] = {"updated_at": self._clock()}
        # None means "leave as it is" here: no field of a job may be None but its error.
        plain = {"title": None if title is None else clean_text(title), "state": state, "place": place}
        values |= {key: value for key, value in plain.items() if value is not None}
        values |= {
            key: json.dumps(value) for key, value in (("progress", progress), ("spec", spec)) if value is not None
        }
        # A job that goes on has no reason to have stopped.
        if state is not None or error is not None:
            values["error"] = _error_text(error)
        self._set_columns(job_id, values)

    def remove(self, job_id: int) -> None:
        """Delete a job and everything stored for it, for good."""
        with self._database.transaction() as connection:
            self._remove_where(connection, "id = ?", (job_id,))

    def purge_deleted(self, before: float = math.inf, *, but: str = "") -> list[int]:
        """Remove jobs deleted before that time (seconds since 1970) for good, except those of kind `but`."""
        with self._database.transaction() as connection:
            return self._remove_where(connection, "deleted_at < ? AND kind <> ?", (before, but))

    def deleted(self, kind: str, before: float) -> list[Job]:
        """Return what was deleted of a kind before that moment (seconds since 1970)."""
        with self._database.reading() as connection:
            query = f"SELECT {self.columns} FROM jobs WHERE kind = ? AND deleted_at < ?"
            return [self._read_row(row) for row in connection.execute(query, (kind, before)).fetchall()]

    def recover(self, kind: str) -> None:
        """Queue jobs again that were running when the program ended."""
        with self._database.transaction() as connection:
            # What was done is kept, so a queued job goes on where it was.
            connection.execute("UPDATE jobs SET state = 'queued' WHERE kind = ? AND state = 'running'", (kind,))


def set_documents(connection: sqlite3.Connection, job_id: int, document_ids: Sequence[int]) -> None:
    """Replace a job's documents, in this order. Raises KeyError if one of them is gone."""
    connection.execute("DELETE FROM job_documents WHERE job_id = ?", (job_id,))
    for position, document_id in enumerate(document_ids):
        done = connection.execute(
            "INSERT INTO job_documents (job_id, position, document_id)"
            " SELECT ?, ?, id FROM documents WHERE id = ? AND state = 'complete'",
            (job_id, position, document_id),
        )
        if done.rowcount == 0:
            raise KeyError(document_id)


def _error_text(error: AppError | None) -> str | None:
    # By name and fields: the sentence about it is made where it is shown.
    return None if error is None else json.dumps({"name": type(error).__name__, "fields": to_fields(error)})


class JobResults:
    """Results of jobs, with a search index. Thread-safe. Writes may raise DiskFull or FolderNotWritable and then store
    nothing.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def set_documents(self, job_id: int, document_ids: Sequence[int]) -> None:
        """Replace a job's documents, in this order. Raises KeyError if one of them is gone."""
        with self._database.transaction() as connection:
            set_documents(connection, job_id, document_ids)

    def documents_of(self, job_ids: Sequence[int]) -> dict[int, tuple[int, ...]]:
        """Return the documents of each of these jobs, in their order."""
        with self._database.reading() as connection:
            rows = connection.execute(
                "SELECT job_id, document_id FROM job_documents WHERE job_id IN (SELECT value FROM json_each(?))"
                " ORDER BY job_id, position",
                (json.dumps(list(job_ids)),),
            ).fetchall()
        # A job without documents has an entry, too.
        found: dict[int, tuple[int, ...]] = dict.fromkeys(job_ids, ())
        for row in rows:
            found[row[0]] += (row[1],)
        return found

    def keep_result(self, job_id: int, fields: dict[str, Any], text: str) -> None:
        """Save the result, complete or partial; `text` is indexed for search."""
        with self._database.transaction() as connection:
            connection.execute(
                "INSERT INTO job_results (job_id, fields, text) VALUES (?, ?, ?)"
                " ON CONFLICT (job_id) DO UPDATE SET fields = excluded.fields, text = excluded.text",
                (job_id, json.dumps(fields), clean_text(text)),
            )

    def read_result(self, job_id: int) -> dict[str, Any] | None:
        with self._database.reading() as connection:
            row = connection.execute("SELECT fields FROM job_results WHERE job_id = ?", (job_id,)).fetchone()
        fields: dict[str, Any] | None = None if row is None else json.loads(row[0])
        return fields

    def search_text(self, query: str) -> set[int]:
        """Return the jobs that have every word in the title, in the name of a document, or in the text of the result.

        A word may be the beginning of a longer one; case and accents do not count.
        """
        found: set[int] | None = None
        with self._database.reading() as connection:
            # Word by word, as one may stand in the title and another in the text.
            for word in clean_text(query).split():
                rows = connection.execute(
                    "SELECT id FROM jobs WHERE instr(fold(title), :word)"
                    " UNION SELECT job_id FROM job_documents JOIN documents d ON d.id = document_id"
                    " WHERE instr(fold(d.name), :word)",
                    {"word": fold_text(word)},
                ).fetchall()
                if expression := match_expression(word):
                    rows += connection.execute(
                        "SELECT rowid FROM results_index WHERE results_index MATCH ?", (expression,)
                    ).fetchall()
                if WITHOUT_SPACES.search(word):  # a sentence is one word for the index
                    rows += connection.execute(
                        "SELECT job_id FROM job_results WHERE instr(text, ?)", (word,)
                    ).fetchall()
                hits = {int(row[0]) for row in rows}
                found = hits if found is None else found & hits  # all words
        return found or set()


class SummaryStore(JobResults):
    """Results and reusable steps of summaries. Thread-safe. Writes may raise DiskFull or FolderNotWritable and then
    store nothing.
    """

    def find_step(self, job_id: int, key: str) -> Any | None:
        """Return what any job stored under the key, and reference it from this job too."""
        with self._database.transaction() as connection:
            # Steps are shared by their key: two summaries of one book with the same settings ask the model once.
            row = connection.execute("SELECT id, value FROM job_steps WHERE key = ?", (key,)).fetchone()
            if row is not None:
                connection.execute("INSERT OR IGNORE INTO job_step_uses VALUES (?, ?)", (job_id, row["id"]))
        return None if row is None else json.loads(row["value"])

    def keep_step(self, job_id: int, key: str, value: Any) -> None:
        """Save a finished step under a key, replacing it for every job."""
        with self._database.transaction() as connection:
            row = connection.execute(
                "INSERT INTO job_steps (key, value) VALUES (?, ?)"
                " ON CONFLICT (key) DO UPDATE SET value = excluded.value RETURNING id",
                (key, json.dumps(value)),
            ).fetchone()
            connection.execute("INSERT OR IGNORE INTO job_step_uses VALUES (?, ?)", (job_id, row["id"]))
