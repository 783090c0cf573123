"""What was read from pages that are pictures: kept by the content of the file, so that no document is read twice."""

from __future__ import annotations

import json
import logging
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app.core.errors import AppError
from app.store.database import Database

log = logging.getLogger(__name__)

HEARD = "heard"
"""The method of pieces of a recording, which are kept here, by a key of their own, until all of it is heard."""
HEARD_KEPT_S = 30 * 24 * 3600.0
Fields = dict[str, Any]
"""A block in plain JSON, as in `app.store.documents`."""


@dataclass(frozen=True)
class PageReading:
    """One page of a file. `method` is how it was read (tesseract or model) and `model` by which one.

    `state` is read; cut (the answer did not end, what came before is kept), repeated (the same again and again, what
    came before is kept), empty or refused. `is_edited`: a person has corrected it. `made_at` in seconds since 1970.
    `before` is what was read before the corrections; None where nothing was, or nobody kept it.
    """

    page: int
    method: str
    model: str
    state: str
    blocks: tuple[Fields, ...]
    is_edited: bool = False
    made_at: float = 0.0
    before: PageReading | None = None


class PageReadings:
    """All of them; from any thread. Writes may raise DiskFull or FolderNotWritable; nothing is then changed."""

    def __init__(self, database: Database, clock: Callable[[], float] = time.time) -> None:
        self._database, self._clock = database, clock

    def of(self, sha256: str) -> dict[int, PageReading]:
        """Those of a file, by page."""
        with self._database.reading() as connection:
            rows = connection.execute(
                "SELECT page, method, model, state, fields, is_edited, made_at FROM page_readings WHERE sha256 = ?"
                " ORDER BY page",
                (sha256,),
            ).fetchall()
        return {row["page"]: _reading(row) for row in rows}

    def keep(self, sha256: str, reading: PageReading) -> bool:
        """Keeps one in the place of the one before; whether that was done: what a person has corrected stays."""
        with self._database.transaction() as connection:
            done = connection.execute(
                "INSERT INTO page_readings (sha256, page, method, model, state, fields, is_edited, made_at)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (sha256, page) DO UPDATE SET method = excluded.method,"
                " model = excluded.model, state = excluded.state, fields = excluded.fields,"
                " is_edited = excluded.is_edited, made_at = excluded.made_at"
                " WHERE NOT page_readings.is_edited OR excluded.is_edited",
                (sha256, *_values(reading), self._clock()),
            )
        return done.rowcount > 0

    def forget_all(self, sha256: str) -> None:
        """Nothing of the file was read."""
        with self._database.transaction() as connection:
            connection.execute("DELETE FROM page_readings WHERE sha256 = ?", (sha256,))

    def give_up(self, sha256: str, page: int) -> PageReading | None:
        """What was read before a person corrected the page is there again; returns the corrections, for `keep`."""
        given_up = self.of(sha256).get(page)
        if given_up is None or not given_up.is_edited:
            return None
        with self._database.transaction() as connection:
            connection.execute("DELETE FROM page_readings WHERE sha256 = ? AND page = ?", (sha256, page))
            if given_up.before is not None:
                connection.execute(
                    "INSERT INTO page_readings (sha256, page, method, model, state, fields, is_edited, made_at)"
                    " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                    (sha256, *_values(given_up.before), self._clock()),
                )
        return given_up

    def purge(self) -> None:
        """Those of files of which there is no document any more go, and of recordings that nobody went on with."""
        with self._database.transaction() as connection:
            connection.execute(
                "DELETE FROM page_readings WHERE sha256 NOT IN (SELECT sha256 FROM documents)"
                " AND (method <> ? OR made_at < ?)",
                (HEARD, self._clock() - HEARD_KEPT_S),
            )


@contextmanager
def opened_readings(path: Path) -> Iterator[PageReadings | None]:
    """Those in a file; None where that cannot be used now."""
    try:
        database = Database.open(path)
    except (AppError, sqlite3.Error) as error:  # another program may have it for long
        log.info("what was read cannot be kept: %s", error)
        yield None
        return
    with closing(database):
        yield PageReadings(database)


def _values(reading: PageReading) -> tuple[object, ...]:
    fields: Fields = {"blocks": list(reading.blocks)}
    if reading.before is not None:
        before = reading.before
        fields["before"] = {"method": before.method, "model": before.model, "state": before.state}
        fields["before"]["blocks"] = list(before.blocks)
    return reading.page, reading.method, reading.model, reading.state, json.dumps(fields), reading.is_edited


def _reading(row: sqlite3.Row) -> PageReading:
    page, fields = row["page"], json.loads(row["fields"])
    before = fields.get("before")  # corrections of earlier versions have none
    if before is not None:
        before = PageReading(page, before["method"], before["model"], before["state"], tuple(before["blocks"]))
    return PageReading(
        page,
        row["method"],
        row["model"],
        row["state"],
        tuple(fields["blocks"]),
        bool(row["is_edited"]),
        row["made_at"],
        before,
    )
