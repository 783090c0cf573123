"""What is stored while a summary is at work, and how often; what was stored opens unchanged."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from app.bootstrap import build_program
from app.core.json_forms import to_json
from app.core.paths import AppPaths
from app.documents.blocks import Block, BlockKind
from app.features.summarize.summarize import InputDocument, Planned, SectionRead, Summarized
from app.features.summarize.summary_attempt import PartialSummary, SummaryAttempt
from app.features.summarize.summary_result import (
    ClaimAnchor,
    Coverage,
    Form,
    Length,
    Method,
    Statement,
    Summary,
    SummaryOptions,
    summary_from_json,
)
from app.store.database import Database
from app.store.jobs import JobTable, SummaryStore
from tests.features.summarize.test_pace import Clock

BLOCKS = [Block(number, BlockKind.PARAGRAPH, f"Block {number}.", number) for number in range(1, 5)]
DOCUMENT = InputDocument(1, "a.pdf", "A", "page", 4, (), "de", BLOCKS)


class Counting(SummaryStore):
    """Counts what is written."""

    saves = 0

    def keep_result(self, *result: object) -> None:
        self.saves += 1
        super().keep_result(*result)  # type: ignore[arg-type]


class Desk:
    """A job and its store."""

    def __init__(self, database: Database) -> None:
        self.jobs, self.store, self.clock = JobTable(database), Counting(database), Clock()
        self.expected: list[tuple[str, int, int]] = []
        self.id = self.jobs.add("summary", "A", {}).id

    def record(self) -> SummaryAttempt:
        def expect(model: str, tokens: int, sections: int, wish: SummaryOptions) -> float:
            self.expected.append((model, tokens, sections))
            return 60.0

        job = self.jobs.get(self.id)
        assert job is not None
        partial = PartialSummary([DOCUMENT], SummaryOptions(), "A", "Kiln 7B")
        record = SummaryAttempt(
            job, self.jobs, self.store, partial=partial, model="kiln.gguf", expect=expect, clock=self.clock
        )
        record.take_event(Planned(4, 400))
        return record

    @property
    def progress(self) -> dict[str, object]:
        job = self.jobs.get(self.id)
        assert job is not None
        return job.progress

    @property
    def result(self) -> Summary:
        fields = self.store.read_result(self.id)
        assert fields is not None
        return summary_from_json(fields)


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    with closing(Database.open(tmp_path / "fireside.db")) as database:
        yield Desk(database)


def read(done: int, block: int = 0, *, was_kept: bool = False) -> SectionRead:
    block = block or done
    point = Statement(f"Block {block} says so.", (ClaimAnchor(0, block, block),))
    coverage = Coverage(4, done, 4, done, (), ())
    return SectionRead(done, 4, (point,), 0, block, was_kept, (coverage,))


def whole(**changes: object) -> Summary:
    fields = {"sections": 4, "sections_read": 4, "statements": read(1).points} | changes
    return Summary(title="A", documents=(), wish=SummaryOptions(), language="de", model="Kiln 7B", **fields)  # type: ignore[arg-type]


def test_the_text_is_stored_once_a_second_and_at_the_end_and_the_count_each_time(desk: Desk) -> None:
    record = desk.record()
    for number in range(1, 4):
        desk.clock.now_s += 0.4
        record.take_event(read(number))
        assert desk.progress == {"sections": 4, "tokens": 400, "sections_read": number}
    assert (desk.store.saves, desk.result.sections_read) == (1, 3)
    desk.clock.now_s += 0.4
    record.take_event(read(4))
    assert desk.store.saves == 1
    record.close()
    assert (desk.store.saves, desk.result.sections_read) == (2, 4)
    record.close()
    assert desk.store.saves == 2


def test_what_takes_long_to_store_is_stored_less_often(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    record, keep = desk.record(), desk.store.keep_result

    def slowly(*result: object) -> None:
        keep(*result)
        desk.clock.now_s += 0.2  # as for a book of four thousand sections

    monkeypatch.setattr(desk.store, "keep_result", slowly)
    desk.clock.now_s += 1
    record.take_event(read(1))
    assert desk.store.saves == 1
    desk.clock.now_s += 9.9
    record.take_event(read(2))
    assert desk.store.saves == 1
    desk.clock.now_s += 0.2
    record.take_event(read(3))
    assert desk.store.saves == 2


def test_sections_stand_in_the_order_of_the_document_whichever_was_read_first(desk: Desk) -> None:
    record = desk.record()
    for done, block in ((1, 3), (2, 1)):
        record.take_event(read(done, block))
    record.close()
    partial = desk.result
    assert [one.text for one in partial.statements] == ["Block 1 says so.", "Block 3 says so."]
    assert (partial.is_partial, partial.sections, partial.sections_read) == (True, 4, 2)
    assert (partial.title, partial.model, partial.language) == ("A", "Kiln 7B", "de")
    assert partial.documents[0].coverage.blocks_read == 2
    assert desk.store.search_text("says") == {desk.id}


def test_an_attempt_that_ends_early_does_not_take_away_what_one_before_had_read(desk: Desk) -> None:
    first = desk.record()
    for number in (1, 2, 3):
        first.take_event(read(number))
    first.close()
    second = desk.record()
    second.take_event(read(1, was_kept=True))
    second.close()
    second.take_event(Summarized(whole(is_partial=True, sections_read=1)))
    assert (desk.result.sections_read, desk.progress["sections_read"]) == (3, 3)
    second.take_event(read(2, was_kept=True))
    second.take_event(Summarized(whole()))
    assert (desk.result.sections_read, desk.result.is_partial, second.is_complete) == (4, False, True)


def test_where_nothing_was_read_there_is_nothing(desk: Desk) -> None:
    record = desk.record()
    record.take_event(Summarized(whole(is_partial=True, sections_read=0, statements=())))
    record.close()
    assert (desk.store.read_result(desk.id), record.is_complete) == (None, False)


def test_a_summary_that_read_everything_itself_leaves_its_speed(desk: Desk) -> None:
    record = desk.record()
    assert desk.expected == [("kiln.gguf", 400, 4)]
    assert record.pace.seconds_left() == 60
    for number in range(1, 5):
        desk.clock.now_s += 5
        record.take_event(read(number))
    desk.clock.now_s += 20
    record.take_event(Summarized(whole()))
    assert (desk.progress["model_file"], desk.progress["worked_s"]) == ("kiln.gguf", 40.0)


def test_one_that_used_kept_sections_leaves_none(desk: Desk) -> None:
    record = desk.record()
    for number in range(1, 5):
        record.take_event(read(number, was_kept=number < 3))
    record.take_event(Summarized(whole()))
    assert "worked_s" not in desk.progress
    assert desk.progress["sections_read"] == 4


def test_what_there_is_so_far_is_in_the_order_of_a_document_without_pages_and_in_the_language_of_most_text() -> None:
    blocks = [Block(number, BlockKind.PARAGRAPH, f"Block {number}.", None) for number in range(1, 5)]
    short = InputDocument(2, "b.txt", "B", "", 0, (), "fr", [Block(1, BlockKind.PARAGRAPH, "Ici.", None)])
    partial = PartialSummary(
        [short, InputDocument(1, "a.txt", "A", "", 0, (), "de", blocks)], SummaryOptions(), "A", "kiln.gguf"
    )
    for number in (3, 1, 2):
        point = Statement(f"Block {number} says so.", (ClaimAnchor(1, number, None),))
        partial.add_section(SectionRead(1, 4, (point,), 1, None))
    found = partial.make_summary(4, 1.0)
    assert [one.text for one in found.statements] == [f"Block {number} says so." for number in (1, 2, 3)]
    assert (found.language, found.model) == ("de", "kiln.gguf")


TESTS = Path(__file__).resolve().parents[2]


def test_a_summary_that_hand_written_code_stored_is_read_and_written_alike() -> None:
    stored = json.loads((TESTS / "data" / "summaries" / "stored-2026-11-27.json").read_text("utf-8"))
    summary = summary_from_json(stored)
    assert (summary.wish.length, summary.wish.form, summary.method) == (Length.LONG, Form.SECTIONS, Method.DIGEST)
    assert [one.check.page_says for one in summary.statements] == ["", "3.7 million"]
    assert summary.documents[0].coverage.apart[0].pages == (2, 3)
    written = json.loads(json.dumps(to_json(summary)))
    assert written.pop("wish") == stored.pop("wish") | {"method": None}, "what came later is left open"
    later = ("set_aside", "has_given_up", "checker")
    assert [written.pop(name) for name in later] == [[], False, ""]
    assert [one.pop("unsupported") for one in written["statements"]] == [[]] * len(written["statements"])
    assert written == stored


def test_a_recorded_database_opens_with_its_lists(fresh_home: Path) -> None:
    path = AppPaths.from_environment().database
    path.parent.mkdir(parents=True)
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript((TESTS / "store" / "data" / "fireside-v12.sql").read_text("utf-8"))
    with closing(build_program()) as app:
        assert len(app.conversations.find()) == 2
        assert [(row.state, row.wish.language) for row in app.summaries.find()] == [("done", "de")]
        (translation,) = app.translations.find()
        rows = app.translations.segments.read_rows(translation.id)
        assert [row.segment.text for row in rows[:2]] == ["The sun is wide.", "The moon is small."]
        assert rows[1].translated is not None
        assert rows[1].translated.content == ("Der Mond ist klein.",)
