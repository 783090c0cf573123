"""What an earlier version stored opens unchanged: a summary and the lists of a whole database."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path

from app.bootstrap import build
from app.core.paths import AppPaths
from app.core.wire import to_json
from app.features.summary.result import Form, Length, Method, summary_from_json

TESTS = Path(__file__).resolve().parents[2]


def test_a_summary_that_hand_written_code_stored_is_read_and_written_alike() -> None:
    stored = json.loads((TESTS / "data" / "summaries" / "stored-2026-11-27.json").read_text("utf-8"))
    summary = summary_from_json(stored)
    assert (summary.wish.length, summary.wish.form, summary.method) == (Length.LONG, Form.SECTIONS, Method.DIGEST)
    assert [one.check.page_says for one in summary.statements] == ["", "3.7 million"]
    assert summary.documents[0].coverage.apart[0].pages == (2, 3)
    written = json.loads(json.dumps(to_json(summary)))
    assert written.pop("wish") == stored.pop("wish") | {"method": None}, "what came later is left open"
    assert written == stored


def test_the_newest_database_of_an_earlier_version_opens_with_its_lists(fresh_home: Path) -> None:
    path = AppPaths.from_environment().database
    path.parent.mkdir(parents=True)
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript((TESTS / "store" / "data" / "fireside-v6.sql").read_text("utf-8"))
    with closing(build()) as app:
        assert len(app.conversations.find()) == 2
        assert [(row.state, row.wish.language) for row in app.summaries.find()] == [("done", "de")]
        (translation,) = app.translations.find()
        rows = app.translations.segments.rows(translation.id)
        assert [row.segment.text for row in rows[:2]] == ["The sun is wide.", "The moon is small."]
        assert rows[1].translated is not None
        assert rows[1].translated.content == ("Der Mond ist klein.",)
