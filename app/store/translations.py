"""What is kept of translations beside their jobs: the segments with what became of them, and glossaries."""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from app.core.visible import clean_text
from app.store.database import Database
from app.store.job_results import JobResults

BATCH = 1000
"""Segments a transaction: others wait for the database no longer than that takes."""

Fields = dict[str, Any]
T = TypeVar("T")


@dataclass(frozen=True)
class StoredSegment:
    """A segment in plain JSON, and what became of it; None as long as it is not translated."""

    number: int
    source: Fields
    target: Fields | None


@dataclass(frozen=True)
class Outcome:
    """What became of a segment: `target` in plain JSON, `origin` in the job's own words."""

    number: int
    target: Fields
    origin: str
    is_flagged: bool


@dataclass(frozen=True)
class Counts:
    """How many segments a job has, and how they stand; `by_origin` counts those that are translated."""

    segments: int = 0
    done: int = 0
    flagged: int = 0
    by_origin: tuple[tuple[str, int], ...] = ()


class TranslationStore(JobResults):
    """From any thread. Writes may raise DiskFull or FolderNotWritable; nothing of the call is then stored.

    One for all who write: what it counted is remembered until it changes.
    """

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self._counted: dict[int, Counts] = {}
        self._counting = threading.Lock()

    def add_segments(self, job_id: int, segments: Iterable[tuple[int, Fields]]) -> None:
        """The next segments of a job, each with its number."""
        for batch in batches(segments):
            rows = [(job_id, number, json.dumps(fields)) for number, fields in batch]
            with self._database.transaction() as connection:
                connection.executemany(
                    "INSERT INTO translation_segments (job_id, number, source) VALUES (?, ?, ?)", rows
                )
            self._changed(job_id)

    def keep(self, job_id: int, outcomes: Iterable[Outcome], *, never_over: Sequence[str] = ()) -> None:
        """What became of segments that are there; on the disk when this returns.

        What stands there from one of the origins `never_over` stays.
        """
        kept = json.dumps(list(never_over))
        for batch in batches(outcomes):
            rows = [(json.dumps(one.target), one.origin, one.is_flagged, job_id, one.number, kept) for one in batch]
            with self._database.transaction() as connection:
                connection.executemany(
                    "UPDATE translation_segments SET target = ?, origin = ?, is_flagged = ?"
                    " WHERE job_id = ? AND number = ? AND origin NOT IN (SELECT value FROM json_each(?))",
                    rows,
                )
            self._changed(job_id)

    def forget_outcomes(self, job_id: int, *, only: int | None = None) -> None:
        """Segments are not translated any more, one or all."""
        with self._database.transaction() as connection:
            connection.execute(
                "UPDATE translation_segments SET target = NULL, origin = '', is_flagged = 0"
                " WHERE job_id = :job AND origin <> '' AND (:only IS NULL OR number = :only)",
                {"job": job_id, "only": only},
            )
        self._changed(job_id)

    def remove_segments(self, job_id: int) -> None:
        """Forgets the segments of a job, a batch at a time, so that others get at the database in between."""
        count = 1
        while count:
            with self._database.transaction() as connection:
                count = connection.execute(
                    "DELETE FROM translation_segments WHERE job_id = :job AND number IN"
                    " (SELECT number FROM translation_segments WHERE job_id = :job LIMIT :count)",
                    {"job": job_id, "count": BATCH},
                ).rowcount
            self._changed(job_id)

    def segments(self, job_id: int, first: int = 1, count: int | None = None) -> list[StoredSegment]:
        """Segments in order from a number on; None is all of them."""
        with self._database.reading() as connection:
            rows = connection.execute(
                "SELECT number, source, target FROM translation_segments WHERE job_id = ? AND number >= ?"
                " ORDER BY number LIMIT ?",
                (job_id, first, -1 if count is None else count),
            ).fetchall()
        return [_segment(row) for row in rows]

    def every_segment(self, job_id: int) -> Iterator[StoredSegment]:
        """All segments in order, a batch at a time, so that others get at the database in between."""
        first = 1
        while batch := self.segments(job_id, first, BATCH):
            yield from batch
            first = batch[-1].number + 1

    def segment(self, job_id: int, number: int) -> StoredSegment | None:
        """One segment, or None."""
        found = self.segments(job_id, number, 1)
        return found[0] if found and found[0].number == number else None

    def counts(self, job_ids: Sequence[int]) -> dict[int, Counts]:
        """How the segments of each of these jobs stand."""
        with self._counting:
            unknown = [job_id for job_id in job_ids if job_id not in self._counted]
            self._counted |= self._count(unknown) if unknown else {}
            return {job_id: self._counted[job_id] for job_id in job_ids}

    def _count(self, job_ids: Sequence[int]) -> dict[int, Counts]:
        ids = json.dumps(list(job_ids))
        with self._database.reading() as connection:
            rows = connection.execute(
                "SELECT job_id, origin, count(*) FROM translation_segments"
                " WHERE job_id IN (SELECT value FROM json_each(?)) GROUP BY job_id, origin",
                (ids,),
            ).fetchall()
            flagged = connection.execute(
                "SELECT job_id, count(*) FROM translation_segments"
                " WHERE is_flagged AND job_id IN (SELECT value FROM json_each(?)) GROUP BY job_id",
                (ids,),
            ).fetchall()
        return _counted(job_ids, [tuple(row) for row in rows], {row[0]: row[1] for row in flagged})

    def _changed(self, job_id: int) -> None:
        with self._counting:
            self._counted.pop(job_id, None)

    def next_flagged(self, job_id: int, after: int) -> int | None:
        """The next segment to look at behind a number, or from the first one on; None without any."""
        with self._database.reading() as connection:
            row = connection.execute(
                "SELECT coalesce("
                "(SELECT min(number) FROM translation_segments WHERE job_id = :job AND is_flagged AND number > :after),"
                "(SELECT min(number) FROM translation_segments WHERE job_id = :job AND is_flagged))",
                {"job": job_id, "after": after},
            ).fetchone()
        return None if row[0] is None else int(row[0])

    def glossary(self, source_language: str, target_language: str) -> list[tuple[str, str]]:
        """The terms of a pair of languages in their order."""
        with self._database.reading() as connection:
            rows = connection.execute(
                "SELECT source, target FROM glossary_terms WHERE source_language = ? AND target_language = ?"
                " ORDER BY position",
                (source_language, target_language),
            ).fetchall()
        return [(row[0], row[1]) for row in rows]

    def keep_glossary(self, source_language: str, target_language: str, terms: Sequence[tuple[str, str]]) -> None:
        """These are the terms of a pair now."""
        pair = (source_language, target_language)
        rows = [(*pair, place, clean_text(one), clean_text(other)) for place, (one, other) in enumerate(terms)]
        with self._database.transaction() as connection:
            connection.execute("DELETE FROM glossary_terms WHERE source_language = ? AND target_language = ?", pair)
            connection.executemany("INSERT INTO glossary_terms VALUES (?, ?, ?, ?, ?)", rows)


def batches(items: Iterable[T]) -> Iterator[list[T]]:
    """Items in lists of at most `BATCH`."""
    batch: list[T] = []
    for item in items:
        batch.append(item)
        if len(batch) == BATCH:
            yield batch
            batch = []
    if batch:
        yield batch


def _segment(row: sqlite3.Row) -> StoredSegment:
    return StoredSegment(row[0], json.loads(row[1]), None if row[2] is None else json.loads(row[2]))


def _counted(
    job_ids: Sequence[int], rows: Sequence[tuple[int, str, int]], flagged: dict[int, int]
) -> dict[int, Counts]:
    by_job: dict[int, dict[str, int]] = {job_id: {} for job_id in job_ids}
    for job_id, origin, count in rows:
        by_job[job_id][origin] = count
    return {
        job_id: Counts(
            sum(found.values()),
            sum(count for origin, count in found.items() if origin),
            flagged.get(job_id, 0),
            tuple((origin, count) for origin, count in found.items() if origin),
        )
        for job_id, found in by_job.items()
    }
