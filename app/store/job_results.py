"""What any stored job may have: the documents that it is about, and a result with a full-text index."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from app.core.visible import clean_text
from app.store.conversations import match_expression
from app.store.database import Database, fold
from app.store.jobs import set_documents


class JobResults:
    """From any thread. Writes may raise DiskFull or FolderNotWritable; nothing of the call is then stored."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def set_documents(self, job_id: int, document_ids: Sequence[int]) -> None:
        """Which documents a job is about, in this order. Raises KeyError where one of them is gone."""
        with self._database.transaction() as connection:
            set_documents(connection, job_id, document_ids)

    def documents_of(self, job_ids: Sequence[int]) -> dict[int, tuple[int, ...]]:
        """The documents of each of these jobs, in their order."""
        with self._database.reading() as connection:
            rows = connection.execute(
                "SELECT job_id, document_id FROM job_documents WHERE job_id IN (SELECT value FROM json_each(?))"
                " ORDER BY job_id, position",
                (json.dumps(list(job_ids)),),
            ).fetchall()
        found: dict[int, tuple[int, ...]] = dict.fromkeys(job_ids, ())
        for row in rows:
            found[row[0]] += (row[1],)
        return found

    def keep_result(self, job_id: int, fields: dict[str, Any], text: str) -> None:
        """Keeps the result, whole or as far as it came; `text` is what is searched."""
        with self._database.transaction() as connection:
            connection.execute(
                "INSERT INTO job_results (job_id, fields, text) VALUES (?, ?, ?)"
                " ON CONFLICT (job_id) DO UPDATE SET fields = excluded.fields, text = excluded.text",
                (job_id, json.dumps(fields), clean_text(text)),
            )

    def result(self, job_id: int) -> dict[str, Any] | None:
        """The fields of a result, or None."""
        with self._database.reading() as connection:
            row = connection.execute("SELECT fields FROM job_results WHERE job_id = ?", (job_id,)).fetchone()
        fields: dict[str, Any] | None = None if row is None else json.loads(row[0])
        return fields

    def search(self, query: str) -> set[int]:
        """The jobs that have every word in the title, in the name of a document, or in the text of the result.

        A word may be the beginning of a longer one; case and accents do not count.
        """
        found: set[int] | None = None
        with self._database.reading() as connection:
            for word in clean_text(query).split():
                rows = connection.execute(
                    "SELECT id FROM jobs WHERE instr(fold(title), :word)"
                    " UNION SELECT job_id FROM job_documents JOIN documents d ON d.id = document_id"
                    " WHERE instr(fold(d.name), :word)",
                    {"word": fold(word)},
                ).fetchall()
                if expression := match_expression(word):
                    rows += connection.execute(
                        "SELECT rowid FROM results_index WHERE results_index MATCH ?", (expression,)
                    ).fetchall()
                hits = {int(row[0]) for row in rows}
                found = hits if found is None else found & hits
        return found or set()
