"""Store of pages written together with a model: search, change, delete and restore."""

from __future__ import annotations

import json
import os
import re
import sqlite3
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

from app.core.errors.saving_errors import DiskFull, FolderNotWritable
from app.core.lazy_dataclasses import dataclass
from app.core.visible import clean_text
from app.store.conversations import match_expression
from app.store.database import fold_text
from app.store.deletable import DeletableRows

Ranges = tuple[tuple[int, int], ...]
"""Stretches of characters, from the first to before the last, in their order and apart from each other."""


@dataclass(frozen=True)
class WrittenPage:
    """A page. `title` is the user's, else the first line with words, "" without.

    `written` marks text the model wrote and the user hasn't touched; it and `cursor` count characters (not UTF-16
    units, as Qt does). `options` are the tab's settings for continuing. `file` is where it was opened from or saved,
    `file_form` the file's properties to keep when saving. Times are seconds since 1970.
    """

    id: int
    title: str
    text: str
    written: Ranges
    cursor: int
    file: Path | None
    file_form: dict[str, Any]
    options: dict[str, Any]
    pinned: bool
    updated_at: float


@dataclass(frozen=True)
class PageRow:
    """A page for lists; `snippet` shows the words searched for, else how the text begins."""

    id: int
    title: str
    snippet: str
    pinned: bool
    updated_at: float


@dataclass(frozen=True)
class StoredPageState:
    """State of a page at one moment; see `WrittenPage`."""

    text: str
    written: Ranges
    cursor: int


TITLE_CHARACTERS, SNIPPET_CHARACTERS = 60, 120
BEGINNING_CHARACTERS = 500
"""Length of the beginning in which the title is looked for."""
# For SQLite's ltrim, which removes spaces only unless told.
_BLANK = " \t\n\r"
_TITLE_MARKS = re.compile(r"^#{1,6}\s+|^(?:\"\"\"|''')|(?:\"\"\"|''')$")
_QUOTED = re.compile(r"^[\"“„«]([^\"“”„«»]+)[\"”“»]$")


class PageStore(DeletableRows[WrittenPage]):
    """All stored pages, the last changed first. What is at work on a deleted one may still write to it."""

    table = "pages"
    columns = "id, title, text, written, cursor, file, file_form, options, is_pinned, updated_at"
    order = "updated_at DESC, id DESC"
    indexes = ("pages_index",)

    @staticmethod
    def _read_row(row: sqlite3.Row) -> WrittenPage:
        return _read_page(row)

    def create(
        self,
        text: str = "",
        *,
        title: str = "",
        file: Path | None = None,
        file_form: dict[str, Any] | None = None,
        options: dict[str, Any] | None = None,
    ) -> WrittenPage:
        """Create a page with the cursor before the text."""
        now = self._clock()
        return self._insert(
            {
                "title": clean_text(title).strip(),
                "text": clean_text(text),
                "written": "[]",
                "cursor": 0,
                "options": json.dumps(options or {}, sort_keys=True),
                "file": _stored_path(file),
                "file_form": json.dumps(file_form or {}, sort_keys=True),
                "created_at": now,
                "updated_at": now,
            }
        )

    def find(self, query: str = "") -> list[PageRow]:
        """Return pages, the last changed first. With a query, those that have it, or all its words, the last one as a
        beginning.

        Case and accents do not count where words are looked for.
        """
        wanted = clean_text(query).strip()
        # Pages are indexed when somebody searches, so that saving one every second stays cheap.
        if wanted:
            self._index_changed()
        with self._database.reading() as connection:
            hits = _find_hits(connection, wanted) if wanted else {}
            rows = connection.execute(
                f"SELECT id, title, substr(ltrim(text, ?), 1, {BEGINNING_CHARACTERS}), is_pinned, updated_at"
                " FROM pages WHERE deleted_at IS NULL AND (? = '' OR id IN (SELECT value FROM json_each(?)))"
                " ORDER BY updated_at DESC, id DESC",
                (_BLANK, wanted, json.dumps(list(hits))),
            ).fetchall()
        return [_make_row(*row, hit=hits.get(row[0], "")) for row in rows]

    def save(
        self,
        page_id: int,
        text: str,
        written: Iterable[tuple[int, int]] = (),
        cursor: int = 0,
        options: dict[str, Any] | None = None,
    ) -> None:
        """Save the page; it is on disk when this returns. Only changed text makes it the newest."""
        state = _settle_state(text, written, cursor)
        values = {
            "id": page_id,
            "now": self._clock(),
            "text": state.text,
            "written": json.dumps(state.written),
            "cursor": state.cursor,
            "options": None if options is None else json.dumps(options, sort_keys=True),
        }
        changes = (
            # One statement: the trigger takes the old words out of the index only if it sees text and flag change
            # together.
            "updated_at = CASE WHEN text = :text THEN updated_at ELSE :now END, is_indexed = is_indexed AND"
            " text = :text, text = :text, written = :written, cursor = :cursor, options = coalesce(:options, options)"
        )
        with self._database.transaction() as connection:
            if connection.execute(f"UPDATE pages SET {changes} WHERE id = :id", values).rowcount == 0:
                raise KeyError(page_id)

    def rename(self, page_id: int, title: str) -> None:
        """Give the page a title; "" returns to the first line."""
        self._set_columns(page_id, {"title": clean_text(title).strip()})

    def set_pinned(self, page_id: int, is_pinned: bool) -> None:
        """Set whether a page is listed above the others."""
        self._set_columns(page_id, {"is_pinned": is_pinned})

    def note_file(self, page_id: int, file: Path, file_form: dict[str, Any]) -> None:
        """Record the file the page was saved to, and its form."""
        values = {"file": _stored_path(file), "file_form": json.dumps(file_form, sort_keys=True)}
        self._set_columns(page_id, values)

    def of_file(self, file: Path, text: str) -> WrittenPage | None:
        """Return the page with this file and the same text, or None."""
        found = self._find_where("file = ? AND text = ?", (_stored_path(file), clean_text(text)))
        return max(found, key=lambda page: page.id, default=None)

    def keep_undo(self, page_id: int, text: str, written: Iterable[tuple[int, int]] = (), cursor: int = 0) -> None:
        """Save the page's state before its last change, replacing the previous one."""
        state = _settle_state(text, written, cursor)
        with self._database.transaction() as connection:
            done = connection.execute(
                "INSERT OR REPLACE INTO page_undo (page_id, text, written, cursor)"
                " SELECT id, ?, ?, ? FROM pages WHERE id = ?",
                (state.text, json.dumps(state.written), state.cursor, page_id),
            )
            if done.rowcount == 0:
                raise KeyError(page_id)

    def undo_state(self, page_id: int) -> StoredPageState | None:
        """Return the state that `keep_undo` saved last; None without one."""
        with self._database.reading() as connection:
            row = connection.execute(
                "SELECT text, written, cursor FROM page_undo WHERE page_id = ?", (page_id,)
            ).fetchone()
        return None if row is None else StoredPageState(row["text"], _parse_ranges(row["written"]), row["cursor"])

    def _index_changed(self) -> None:
        """Index pages changed since the last search. On a full disk they aren't found."""
        # Finding goes on without the newest words.
        with suppress(DiskFull, FolderNotWritable), self._database.transaction() as connection:
            connection.execute("UPDATE pages SET is_indexed = 1 WHERE NOT is_indexed")


def _find_hits(connection: sqlite3.Connection, query: str) -> dict[int, str]:
    """Return the pages that have the query, as it is or word by word, with the text around it; "" where it is in the
    title.
    """
    rows = connection.execute(
        # As a whole phrase in any script; case counts in the text, since folding megabytes for each letter typed takes
        # long.
        "SELECT id FROM pages WHERE deleted_at IS NULL AND (instr(text, ?) OR instr(fold(title), ?))",
        (query, fold_text(query)),
    ).fetchall()
    if words := match_expression(query):
        # Not FTS5's own snippet(): a text that says the same again and again, as small models write, takes it minutes.
        rows += connection.execute("SELECT rowid FROM pages_index WHERE pages_index MATCH ?", (words,)).fetchall()
    # The phrase first: a snippet around it says more than one around a single word.
    looked_for = [re.compile(text, re.I) for text in (re.escape(query), "|".join(map(re.escape, query.split())))]
    texts = connection.execute(
        "SELECT id, text FROM pages WHERE id IN (SELECT value FROM json_each(?))",
        (json.dumps([row[0] for row in rows]),),
    )
    return {page_id: _text_around(text, looked_for) for page_id, text in texts}


def _text_around(text: str, looked_for: Iterable[re.Pattern[str]]) -> str:
    """Return the text around the first match; "" without one."""
    found = next((found for pattern in looked_for if (found := pattern.search(text))), None)
    if found is None:
        return ""
    # A third of the snippet before the match, so that it can be read in its sentence.
    start = max(0, found.start() - SNIPPET_CHARACTERS // 3)
    return ("…" if start else "") + _one_line(text[start : start + SNIPPET_CHARACTERS])


def _make_row(page_id: int, title: str, beginning: str, is_pinned: int, updated_at: float, *, hit: str) -> PageRow:
    name, rest = _title_and_rest(beginning)
    # The title is shown beside it, so the snippet need not begin with it.
    snippet = hit or (beginning if title else rest)
    return PageRow(page_id, title or name, _one_line(snippet)[:SNIPPET_CHARACTERS], bool(is_pinned), updated_at)


def _read_page(row: sqlite3.Row) -> WrittenPage:
    values = dict(row)
    values["title"] = values["title"] or _title_and_rest(values["text"].lstrip(_BLANK)[:BEGINNING_CHARACTERS])[0]
    values["file"] = Path(os.fsdecode(values["file"])) if values["file"] else None
    for name in ("file_form", "options"):
        values[name] = json.loads(values[name])
    return WrittenPage(pinned=bool(values.pop("is_pinned")), **values | {"written": _parse_ranges(values["written"])})


def _title_and_rest(beginning: str) -> tuple[str, str]:
    """Return the first line with words, without marks, and what is below; a long one is cut, and all below."""
    lines = beginning.splitlines()
    for number, line in enumerate(lines):
        title = _one_line(_QUOTED.sub(r"\1", _TITLE_MARKS.sub("", line.strip())))
        if len(title) > TITLE_CHARACTERS:  # a first line that goes on as a paragraph is no title
            cut = title[:TITLE_CHARACTERS]
            return f"{cut.rpartition(' ')[0] or cut}…", beginning
        if title:
            return title, "\n".join(lines[number + 1 :])
    return "", ""


def _one_line(text: str) -> str:
    return " ".join(text.split())


# Cleaning may remove characters, so that places behind them move.
def _settle_state(text: str, written: Iterable[tuple[int, int]], cursor: int) -> StoredPageState:
    """Return the state as stored: clean text, ranges and cursor within it, adjacent ranges joined."""
    clean = clean_text(text)

    def place(at: int) -> int:
        at = min(max(at, 0), len(text))
        return at if clean == text else min(len(clean_text(text[:at])), len(clean))

    ranges: list[tuple[int, int]] = []
    for start, end in sorted((place(start), place(end)) for start, end in written):
        if ranges and start <= ranges[-1][1]:  # they touch: typed text may join two stretches
            ranges[-1] = (ranges[-1][0], max(ranges[-1][1], end))
        elif start < end:
            ranges.append((start, end))
    return StoredPageState(clean, tuple(ranges), place(cursor))


def _parse_ranges(stored: str) -> Ranges:
    return tuple((start, end) for start, end in json.loads(stored))


def _stored_path(file: Path | None) -> bytes:
    return b"" if file is None else os.fsencode(file)
