"""Store of translations: segments with their results, glossaries and the translation memory."""

from __future__ import annotations

import json
import logging
import sqlite3
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, TypeVar

from app.core.errors.app_error import AppError
from app.core.lazy_dataclasses import dataclass
from app.core.visible import clean_text
from app.store import sqlite_access
from app.store.database import Database
from app.store.jobs import JobResults, set_documents

BATCH = 1000
"""Segments per transaction; others wait for the database at most that long."""

Fields = dict[str, Any]
T = TypeVar("T")


@dataclass(frozen=True)
class StoredSegment:
    """A segment in plain JSON, and what became of it; None as long as it is not translated."""

    number: int
    source: Fields
    target: Fields | None


@dataclass(frozen=True)
class SegmentOutcome:
    """Result of a segment: `target` as plain JSON, `origin` one of the job's own values."""

    number: int
    target: Fields
    origin: str
    is_flagged: bool


@dataclass(frozen=True)
class SegmentCounts:
    """Numbers of a job's segments by state; `by_origin` counts translated ones."""

    segments: int = 0
    done: int = 0
    flagged: int = 0
    by_origin: tuple[tuple[str, int], ...] = ()


class TranslationStore(JobResults):
    """Store of segments. Thread-safe. Writes may raise DiskFull or FolderNotWritable and then store nothing.

    Use one instance for all writers: it caches counts until they change.
    """

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self._counted: dict[int, SegmentCounts] = {}
        self._counting = threading.Lock()

    def add_segments(self, job_id: int, segments: Iterable[tuple[int, Fields]]) -> None:
        for batch in split_batches(segments):
            rows = [(job_id, number, json.dumps(fields)) for number, fields in batch]
            with self._database.transaction() as connection:
                connection.executemany(
                    "INSERT INTO translation_segments (job_id, number, source) VALUES (?, ?, ?)", rows
                )
            self._forget_counts(job_id)

    def save_outcomes(self, job_id: int, outcomes: Iterable[SegmentOutcome], *, never_over: Sequence[str] = ()) -> None:
        """Save results of existing segments; they are on disk when this returns.

        Results with an origin in `never_over` aren't replaced.
        """
        # In the statement itself: between a look and a write, a person could correct the segment.
        kept = json.dumps(list(never_over))
        for batch in split_batches(outcomes):
            rows = [
                (json.dumps(outcome.target), outcome.origin, outcome.is_flagged, job_id, outcome.number, kept)
                for outcome in batch
            ]
            with self._database.transaction() as connection:
                connection.executemany(
                    "UPDATE translation_segments SET target = ?, origin = ?, is_flagged = ?"
                    " WHERE job_id = ? AND number = ? AND origin NOT IN (SELECT value FROM json_each(?))",
                    rows,
                )
            self._forget_counts(job_id)

    def forget_outcomes(self, job_id: int, *, only: int | None = None) -> None:
        """Segments are not translated any more, one or all."""
        with self._database.transaction() as connection:
            connection.execute(
                "UPDATE translation_segments SET target = NULL, origin = '', is_flagged = 0"
                " WHERE job_id = :job AND origin <> '' AND (:only IS NULL OR number = :only)",
                {"job": job_id, "only": only},
            )
        self._forget_counts(job_id)

    def remove_segments(self, job_id: int) -> None:
        """Delete a job's segments in batches, so that others get at the database in between."""
        count = 1
        while count:
            with self._database.transaction() as connection:
                count = connection.execute(
                    "DELETE FROM translation_segments WHERE job_id = :job AND number IN"
                    " (SELECT number FROM translation_segments WHERE job_id = :job LIMIT :count)",
                    {"job": job_id, "count": BATCH},
                ).rowcount
            self._forget_counts(job_id)

    def replace_segments(
        self,
        job_id: int,
        document_ids: Sequence[int],
        segments: Iterable[tuple[int, Fields]],
        outcomes: Iterable[SegmentOutcome],
    ) -> None:
        """Replace a job's segments by others of these documents, with results for some.

        All in one transaction. Raises KeyError if a document is gone.
        """
        rows = [(job_id, number, json.dumps(fields)) for number, fields in segments]
        done = [
            (json.dumps(outcome.target), outcome.origin, outcome.is_flagged, job_id, outcome.number)
            for outcome in outcomes
        ]
        # One transaction: a job with half of the old and half of the new segments could never be finished.
        with self._database.transaction() as connection:
            set_documents(connection, job_id, document_ids)
            connection.execute("DELETE FROM translation_segments WHERE job_id = ?", (job_id,))
            connection.executemany("INSERT INTO translation_segments (job_id, number, source) VALUES (?, ?, ?)", rows)
            connection.executemany(
                "UPDATE translation_segments SET target = ?, origin = ?, is_flagged = ?"
                " WHERE job_id = ? AND number = ?",
                done,
            )
        self._forget_counts(job_id)

    def read_segments(self, job_id: int, first: int = 1, count: int | None = None) -> list[StoredSegment]:
        """Segments in order from a number on; None is all of them."""
        with self._database.reading() as connection:
            rows = connection.execute(
                "SELECT number, source, target FROM translation_segments WHERE job_id = ? AND number >= ?"
                " ORDER BY number LIMIT ?",
                (job_id, first, -1 if count is None else count),
            ).fetchall()
        return [_read_segment(row) for row in rows]

    def every_segment(self, job_id: int) -> Iterator[StoredSegment]:
        """Yield all segments in order, a batch at a time, so that others get at the database in between."""
        first = 1
        while batch := self.read_segments(job_id, first, BATCH):
            yield from batch
            first = batch[-1].number + 1

    def read_segment(self, job_id: int, number: int) -> StoredSegment | None:
        found = self.read_segments(job_id, number, 1)
        return found[0] if found and found[0].number == number else None

    def count_segments(self, job_ids: Sequence[int]) -> dict[int, SegmentCounts]:
        # Held while it counts, or two threads would count the same.
        with self._counting:
            unknown = [job_id for job_id in job_ids if job_id not in self._counted]
            self._counted |= self._query_counts(unknown) if unknown else {}
            return {job_id: self._counted[job_id] for job_id in job_ids}

    def _query_counts(self, job_ids: Sequence[int]) -> dict[int, SegmentCounts]:
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
        return _count_rows(job_ids, [tuple(row) for row in rows], {row[0]: row[1] for row in flagged})

    def _forget_counts(self, job_id: int) -> None:
        with self._counting:
            self._counted.pop(job_id, None)

    def next_flagged(self, job_id: int, after: int) -> int | None:
        """Return the next segment to look at behind a number, or from the first one on; None without any."""
        # Behind the last one it begins again at the first, as "next" does in every search.
        with self._database.reading() as connection:
            row = connection.execute(
                "SELECT coalesce("
                "(SELECT min(number) FROM translation_segments WHERE job_id = :job AND is_flagged AND number > :after),"
                "(SELECT min(number) FROM translation_segments WHERE job_id = :job AND is_flagged))",
                {"job": job_id, "after": after},
            ).fetchone()
        return None if row[0] is None else int(row[0])

    def read_glossary(self, source_language: str, target_language: str) -> list[tuple[str, str]]:
        """Return the terms of a pair of languages in their order."""
        with self._database.reading() as connection:
            rows = connection.execute(
                "SELECT source, target FROM glossary_terms WHERE source_language = ? AND target_language = ?"
                " ORDER BY position",
                (source_language, target_language),
            ).fetchall()
        return [(row[0], row[1]) for row in rows]

    def keep_glossary(self, source_language: str, target_language: str, terms: Sequence[tuple[str, str]]) -> None:
        """Replace the glossary of a language pair, in order."""
        pair = (source_language, target_language)
        rows = [(*pair, place, clean_text(term), clean_text(other)) for place, (term, other) in enumerate(terms)]
        with self._database.transaction() as connection:
            connection.execute("DELETE FROM glossary_terms WHERE source_language = ? AND target_language = ?", pair)
            connection.executemany("INSERT INTO glossary_terms VALUES (?, ?, ?, ?, ?)", rows)


def split_batches(items: Iterable[T]) -> Iterator[list[T]]:
    """Split items into lists of at most `BATCH`, as they come."""
    batch: list[T] = []
    for item in items:
        batch.append(item)
        if len(batch) == BATCH:
            yield batch
            batch = []
    if batch:
        yield batch


def _read_segment(row: sqlite3.Row) -> StoredSegment:
    return StoredSegment(row[0], json.loads(row[1]), None if row[2] is None else json.loads(row[2]))


def _count_rows(
    job_ids: Sequence[int], rows: Sequence[tuple[int, str, int]], flagged: dict[int, int]
) -> dict[int, SegmentCounts]:
    by_job: dict[int, dict[str, int]] = {job_id: {} for job_id in job_ids}
    for job_id, origin, count in rows:
        by_job[job_id][origin] = count
    return {
        job_id: SegmentCounts(
            sum(found.values()),
            sum(count for origin, count in found.items() if origin),
            flagged.get(job_id, 0),
            tuple((origin, count) for origin, count in found.items() if origin),
        )
        for job_id, found in by_job.items()
    }


log = logging.getLogger(__name__)

MEMORY_BATCH = 500


@dataclass(frozen=True)
class LanguagePair:
    """Source and target as BCP 47 codes; a source of "" is unknown."""

    source: str
    target: str


@dataclass(frozen=True)
class TranslationOrigin:
    """Origin of a model's translation: options and prompt version. `hints` and `model` are hashes of its notes and
    terms, and of its file.
    """

    formality: str = ""
    hints: str = ""
    model: str = ""
    prompt_version: int = 0


@dataclass(frozen=True)
class MemoryEntry:
    """A translation. `key` identifies the source's words and marks; `source` and `target` hold them as JSON."""

    pair: LanguagePair
    key: bytes
    source: str
    target: str
    context: str = ""
    made: TranslationOrigin = TranslationOrigin()
    is_own: bool = False
    made_at: float = 0.0
    id: int = 0
    """Row id; 0 if not stored yet."""


_COLUMNS = (
    "source_language, target_language, key, source, target, context, formality, hints, model, prompt_version, is_own,"
    " made_at"
)


class TranslationMemory:
    """All translations; from any thread. Writes may raise DiskFull or FolderNotWritable."""

    def __init__(self, database: Database, clock: Callable[[], float] = time.time) -> None:
        self._database, self._clock = database, clock

    def find(self, pair: LanguagePair, key: bytes, context: str, made: TranslationOrigin) -> str | None:
        """Return the target in JSON; None without one.

        A person's own goes before a model's: of the same context and form of address, else of none that was told. A
        model's must be made in just this way.
        """
        with self._database.reading() as connection:
            # Ordered by how well it fits, and the newest of those that fit as well.
            row = connection.execute(
                "SELECT target FROM translation_memory"
                " WHERE key = :key AND source_language = :source AND target_language = :target AND ("
                " (is_own AND context IN (:context, '') AND formality IN (:formality, ''))"
                " OR (NOT is_own AND context = :context AND formality = :formality AND hints = :hints"
                " AND model = :model AND prompt_version = :prompt_version))"
                " ORDER BY is_own DESC, context = :context DESC, formality = :formality DESC, made_at DESC LIMIT 1",
                {"key": key, "source": pair.source, "target": pair.target, "context": clean_text(context)} | vars(made),
            ).fetchone()
        return None if row is None else str(row[0])

    def save_entries(self, entries: Iterable[MemoryEntry]) -> int:
        """Save translations, replacing those of the same source; return how many. On disk when this returns."""
        return sum(map(self._save_batch, split_batches(entries)))

    def _save_batch(self, entries: list[MemoryEntry]) -> int:
        now = self._clock()
        rows = [_entry_row(entry, now) for entry in entries]
        with self._database.transaction() as connection:
            connection.executemany(
                f"INSERT INTO translation_memory ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
                " ON CONFLICT (key, source_language, target_language, is_own, context, formality, hints, model,"
                " prompt_version) DO UPDATE SET source = excluded.source, target = excluded.target,"
                " made_at = excluded.made_at",
                rows,
            )
        return len(rows)

    def iterate_entries(self, pair: LanguagePair | None = None) -> Iterator[MemoryEntry]:
        """Yield all entries, or those of a language pair, oldest first, read in batches."""
        # By id and not by OFFSET, so that entries that are added meanwhile shift nothing.
        wanted = {"pair": pair is not None} | vars(pair or LanguagePair("", ""))
        last = 0
        while True:
            with self._database.reading() as connection:
                rows = connection.execute(
                    f"SELECT id, {_COLUMNS} FROM translation_memory WHERE id > :last AND (NOT :pair OR"
                    " (source_language = :source AND target_language = :target)) ORDER BY id LIMIT :count",
                    wanted | {"last": last, "count": MEMORY_BATCH},
                ).fetchall()
            if not rows:
                return
            yield from map(_read_entry, rows)
            last = rows[-1]["id"]

    def count_pairs(self) -> dict[LanguagePair, int]:
        """Return the pairs of languages, each with how many translations there are of it."""
        with self._database.reading() as connection:
            rows = connection.execute(
                "SELECT source_language, target_language, count(*) FROM translation_memory"
                " GROUP BY source_language, target_language ORDER BY source_language, target_language"
            ).fetchall()
        return {LanguagePair(row[0], row[1]): row[2] for row in rows}

    def size_bytes(self) -> int:
        with self._database.reading() as connection:
            # As bytes: length() of a text counts characters.
            row = connection.execute(
                "SELECT total(length(CAST(source AS BLOB)) + length(CAST(target AS BLOB))"
                " + 2 * length(CAST(context AS BLOB)) + 2 * length(key)) FROM translation_memory"
            ).fetchone()
        return int(row[0])

    def find_ids(self, pair: LanguagePair, keys: Iterable[bytes]) -> list[int]:
        """Return the ids of translations with these keys, by any model and with any options."""
        found = list[int]()
        for batch in split_batches(keys):
            with self._database.reading() as connection:
                rows = connection.execute(
                    "SELECT id FROM translation_memory WHERE source_language = ? AND target_language = ?"
                    f" AND key IN ({', '.join('?' * len(batch))})",
                    (pair.source, pair.target, *batch),
                ).fetchall()
            found += [row[0] for row in rows]
        return found

    def list_keys(self, ids: Iterable[int], *, only_made: bool = False) -> list[tuple[int, bytes]]:
        """Return the ids that exist with their keys; with `only_made` those of a model's translations."""
        found = list[tuple[int, bytes]]()
        for batch in split_batches(ids):
            with self._database.reading() as connection:
                query = f"SELECT id, key FROM translation_memory WHERE id IN ({', '.join('?' * len(batch))})"
                found += connection.execute(query + " AND NOT is_own" * only_made, batch).fetchall()
        return [(row[0], row[1]) for row in found]

    def delete(self, ids: Iterable[int]) -> int:
        """Delete entries for good, in batches so that others get at the database in between; return how many."""
        count = 0
        for batch in split_batches(ids):
            with self._database.transaction() as connection:
                count += connection.execute(
                    f"DELETE FROM translation_memory WHERE id IN ({', '.join('?' * len(batch))})", batch
                ).rowcount
        self._database.empty_journal()  # else what was deleted stays readable in the journal
        return count


def _read_entry(row: sqlite3.Row) -> MemoryEntry:
    return MemoryEntry(
        LanguagePair(row["source_language"], row["target_language"]),
        row["key"],
        row["source"],
        row["target"],
        row["context"],
        TranslationOrigin(row["formality"], row["hints"], row["model"], row["prompt_version"]),
        bool(row["is_own"]),
        row["made_at"],
        row["id"],
    )


def _entry_row(entry: MemoryEntry, now: float) -> tuple[object, ...]:
    made = entry.made
    return (
        entry.pair.source, entry.pair.target, entry.key, entry.source, entry.target, clean_text(entry.context),
        made.formality, made.hints, made.model, made.prompt_version, entry.is_own, entry.made_at or now,
    )  # fmt: skip


@dataclass(frozen=True)
class OpenedMemory:
    """An open memory. `is_kept` is False if it is in RAM only. `moved_aside` is the path of a damaged file."""

    memory: TranslationMemory
    is_kept: bool
    moved_aside: Path | None = None


@contextmanager
def opened_memory(path: Path | None) -> Iterator[OpenedMemory]:
    """Open the memory in a file; without one, or if it can't be used now, one in RAM for this block."""
    # In RAM the work goes on, only without the memory of earlier times.
    try:
        database = None if path is None else Database.open(path)
    except (AppError,) + sqlite_access.SQLITE_ERRORS as error:  # another program may have it for long
        log.info("the translation memory cannot be used: %s", error)
        database = None
    with closing(database or Database.in_memory()) as opened:
        yield OpenedMemory(TranslationMemory(opened), database is not None, opened.moved_aside)
