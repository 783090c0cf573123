"""The translation memory: what was translated for which wish, by a model or a person, across all documents."""

from __future__ import annotations

import logging
import sqlite3
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from app.core.errors import AppError
from app.core.visible import clean_text
from app.store.database import Database
from app.store.translations import batches

log = logging.getLogger(__name__)

BATCH = 500


@dataclass(frozen=True)
class Pair:
    """The languages, as BCP 47 has them; a source of "" is one that was not told."""

    source: str
    target: str


@dataclass(frozen=True)
class Made:
    """How a model came to it: what was wished, and the version of the prompts. `hints`, `model`: what stands for the
    notes and terms it was given, and for its file."""

    formality: str = ""
    hints: str = ""
    model: str = ""
    prompt_version: int = 0


@dataclass(frozen=True)
class Entry:
    """One translation. `key` stands for the source's words and marks; `source` and `target` are those in JSON."""

    pair: Pair
    key: bytes
    source: str
    target: str
    context: str = ""
    made: Made = Made()
    is_own: bool = False
    made_at: float = 0.0
    id: int = 0
    """Under which number it is kept; 0 for one that is not yet."""


_COLUMNS = (
    "source_language, target_language, key, source, target, context, formality, hints, model, prompt_version, is_own,"
    " made_at"
)


class TranslationMemory:
    """All translations; from any thread. Writes may raise DiskFull or FolderNotWritable."""

    def __init__(self, database: Database, clock: Callable[[], float] = time.time) -> None:
        self._database, self._clock = database, clock

    def find(self, pair: Pair, key: bytes, context: str, made: Made) -> str | None:
        """The target in JSON; None without one.

        A person's own goes before a model's: of the same context and form of address, else of none that was told.
        A model's must be made in just this way.
        """
        with self._database.reading() as connection:
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

    def keep(self, entries: Iterable[Entry]) -> int:
        """Keeps translations, in place of earlier ones for the same; they are on the disk when this returns.

        Returns how many.
        """
        return sum(map(self._keep, batches(entries)))

    def _keep(self, entries: list[Entry]) -> int:
        now = self._clock()
        rows = [_row(entry, now) for entry in entries]
        with self._database.transaction() as connection:
            connection.executemany(
                f"INSERT INTO translation_memory ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
                " ON CONFLICT (key, source_language, target_language, is_own, context, formality, hints, model,"
                " prompt_version) DO UPDATE SET source = excluded.source, target = excluded.target,"
                " made_at = excluded.made_at",
                rows,
            )
        return len(rows)

    def every(self, pair: Pair | None = None) -> Iterator[Entry]:
        """All of them, or those of one pair of languages, oldest first, a batch at a time."""
        wanted = {"pair": pair is not None} | vars(pair or Pair("", ""))
        last = 0
        while True:
            with self._database.reading() as connection:
                rows = connection.execute(
                    f"SELECT id, {_COLUMNS} FROM translation_memory WHERE id > :last AND (NOT :pair OR"
                    " (source_language = :source AND target_language = :target)) ORDER BY id LIMIT :count",
                    wanted | {"last": last, "count": BATCH},
                ).fetchall()
            if not rows:
                return
            yield from map(_entry, rows)
            last = rows[-1]["id"]

    def pairs(self) -> dict[Pair, int]:
        """The pairs of languages, each with how many translations there are of it."""
        with self._database.reading() as connection:
            rows = connection.execute(
                "SELECT source_language, target_language, count(*) FROM translation_memory"
                " GROUP BY source_language, target_language ORDER BY source_language, target_language"
            ).fetchall()
        return {Pair(row[0], row[1]): row[2] for row in rows}

    def size_bytes(self) -> int:
        """About what it takes on the disk."""
        with self._database.reading() as connection:
            row = connection.execute(
                "SELECT total(length(CAST(source AS BLOB)) + length(CAST(target AS BLOB))"
                " + 2 * length(CAST(context AS BLOB)) + 2 * length(key)) FROM translation_memory"
            ).fetchone()
        return int(row[0])

    def ids(self, pair: Pair, keys: Iterable[bytes]) -> list[int]:
        """Under which numbers translations of these contents are kept, whoever made them and for whatever wish."""
        found = list[int]()
        for batch in batches(keys):
            with self._database.reading() as connection:
                rows = connection.execute(
                    "SELECT id FROM translation_memory WHERE source_language = ? AND target_language = ?"
                    f" AND key IN ({', '.join('?' * len(batch))})",
                    (pair.source, pair.target, *batch),
                ).fetchall()
            found += [row[0] for row in rows]
        return found

    def delete(self, ids: Iterable[int]) -> int:
        """Deletes translations for good, a batch at a time, so that others get at the database in between; how many."""
        count = 0
        for batch in batches(ids):
            with self._database.transaction() as connection:
                count += connection.execute(
                    f"DELETE FROM translation_memory WHERE id IN ({', '.join('?' * len(batch))})", batch
                ).rowcount
        self._database.empty_journal()
        return count


def _entry(row: sqlite3.Row) -> Entry:
    return Entry(
        Pair(row["source_language"], row["target_language"]),
        row["key"],
        row["source"],
        row["target"],
        row["context"],
        Made(row["formality"], row["hints"], row["model"], row["prompt_version"]),
        bool(row["is_own"]),
        row["made_at"],
        row["id"],
    )


def _row(entry: Entry, now: float) -> tuple[object, ...]:
    made = entry.made
    return (
        entry.pair.source, entry.pair.target, entry.key, entry.source, entry.target, clean_text(entry.context),
        made.formality, made.hints, made.model, made.prompt_version, entry.is_own, entry.made_at or now,
    )  # fmt: skip


@dataclass(frozen=True)
class OpenedMemory:
    """`is_kept` is False for one that is forgotten when it is closed. `moved_aside` is where a damaged file went."""

    memory: TranslationMemory
    is_kept: bool
    moved_aside: Path | None = None


@contextmanager
def opened_memory(path: Path | None) -> Iterator[OpenedMemory]:
    """The memory in a file; one of this block alone without a file, or where that cannot be used now."""
    try:
        database = None if path is None else Database.open(path)
    except (AppError, sqlite3.Error) as error:  # another program may have it for long
        log.info("the translation memory cannot be used: %s", error)
        database = None
    with closing(database or Database.in_memory()) as opened:
        yield OpenedMemory(TranslationMemory(opened), database is not None, opened.moved_aside)
