"""What is kept of summaries beside their jobs: the steps that are done, whichever of them made them."""

from __future__ import annotations

import json
from typing import Any

from app.store.job_results import JobResults


class SummaryStore(JobResults):
    """From any thread. Writes may raise DiskFull or FolderNotWritable; nothing of the call is then stored."""

    def find_step(self, job_id: int, key: str) -> Any | None:
        """What any job kept under a key; from now on it is this one's, too."""
        with self._database.transaction() as connection:
            row = connection.execute("SELECT id, value FROM job_steps WHERE key = ?", (key,)).fetchone()
            if row is not None:
                connection.execute("INSERT OR IGNORE INTO job_step_uses VALUES (?, ?)", (job_id, row["id"]))
        return None if row is None else json.loads(row["value"])

    def keep_step(self, job_id: int, key: str, value: Any) -> None:
        """Keeps a step that is done; one under the same key is replaced for every job."""
        with self._database.transaction() as connection:
            row = connection.execute(
                "INSERT INTO job_steps (key, value) VALUES (?, ?)"
                " ON CONFLICT (key) DO UPDATE SET value = excluded.value RETURNING id",
                (key, json.dumps(value)),
            ).fetchone()
            connection.execute("INSERT OR IGNORE INTO job_step_uses VALUES (?, ?)", (job_id, row["id"]))
