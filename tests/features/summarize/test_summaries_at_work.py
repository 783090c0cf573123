"""Working off the queue: what is stored when, what stopping, quitting and crashing cost, and what goes on by itself."""

from __future__ import annotations

import contextlib
import queue
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest

from app.bootstrap import Fireside, build_program
from app.core.errors.document_errors import DocumentGone, DocumentUnreadable
from app.core.errors.saving_errors import DiskFull
from app.core.events import CancelToken
from app.documents.blocks import Block, BlockKind, block_to_fields
from app.documents.source import PageRead
from app.features.summarize.summaries import SummaryJobs
from app.features.summarize.summarize import SectionRead, Summarized, SummaryEvent, Writing
from app.features.summarize.summary_result import Length, SummaryOptions, inputs_of
from app.features.work.queue import JobEvent
from tests.helpers.disks import small_disk
from tests.helpers.script import write_script
from tests.helpers.summaries import (
    asked,
    begin,
    one_by_one,
    paragraphs,
    state,
    store_document,
    summaries_of,
    until_section,
    work_off,
)

SLOWLY = {"when": "slow", "delay_s": 0.05}
ENDLESS = {"when": "write mediumtlh", "text": "word ", "repeat": 400, "delay_s": 1.0}
MODEL = Path("/any/model.gguf")


@pytest.fixture
def script(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = write_script(tmp_path / "script", SLOWLY, ENDLESS)
    monkeypatch.setenv("FIRESIDE_ENGINE_SCRIPT", str(path))
    return path


def test_each_summary_has_its_turn_and_its_events_are_told_under_its_name(
    app: Fireside, summaries: SummaryJobs
) -> None:
    first, second = begin(app, "a.pdf", count=2), begin(app, "b.pdf", count=2, word="glaze")
    told = [worked for worked in summaries.run(CancelToken()) if isinstance(worked.event, Summarized | None)]
    assert [(one.id, one.event is None) for one in told] == [
        (first.id, True), (first.id, False), (first.id, True), (second.id, True), (second.id, False), (second.id, True),
    ]  # fmt: skip
    for row, word in ((first, "kiln"), (second, "glaze")):
        stored, summary = summaries.get(row.id), summaries.load_summary(row.id)
        assert stored is not None
        assert summary is not None
        assert (stored.state, stored.sections, stored.sections_read, stored.error) == ("done", 2, 2, None)
        assert [one.text for one in summary.statements] == [f"You said: {text}" for text in paragraphs(2, word)]
        assert [one.anchors[0].page for one in summary.statements] == [1, 2]
    assert list(summaries.run(CancelToken())) == [], "nothing waits any more"


def test_progress_is_stored_with_every_section(app: Fireside, summaries: SummaryJobs) -> None:
    row = begin(app)
    seen = []
    for worked in summaries.run(CancelToken()):
        if isinstance(worked.event, SectionRead):
            stored = summaries.get(row.id)
            assert stored is not None
            seen.append((stored.state, stored.sections_read, stored.sections))
            assert summaries.at_work == row.id
    assert seen == [("running", number, 6) for number in range(1, 7)]
    assert summaries.at_work is None


def test_stopping_keeps_what_was_read_and_going_on_repeats_nothing(
    app: Fireside, summaries: SummaryJobs, script: Path
) -> None:
    row = begin(app)
    work = until_section(summaries, 3)
    next(work)
    summaries.stop(row.id)
    assert state(summaries, row.id) == "paused", "at once, not when the model has heard of it"
    assert [worked.id for worked in work] == [0]
    partial = summaries.load_summary(row.id)
    assert partial is not None
    assert (partial.is_partial, partial.sections_read, len(partial.statements)) == (True, 3, 3)
    assert partial.documents[0].coverage.unread_pages == (4, 5, 6)
    work_off(summaries)
    assert state(summaries, row.id) == "paused"
    summaries.resume(row.id)
    work_off(summaries)
    whole = summaries.load_summary(row.id)
    assert whole is not None
    assert (state(summaries, row.id), whole.is_partial, len(whole.statements)) == ("done", False, 6)
    assert set(asked(script).values()) == {1}


def test_a_full_disk_ends_the_work_and_a_second_try_goes_on_when_there_is_room(
    script: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with small_disk(tmp_path / "disk", 16_000_000) as disk:
        monkeypatch.setenv("FIRESIDE_HOME", str(disk))
        app = build_program()
        try:
            list(app.engine.load(MODEL))
            summaries, row, filler = summaries_of(app), begin(app), disk / "filler"
            work = until_section(summaries, 2)
            next(work)
            fill(filler)
            list(work)
            stored = summaries.get(row.id)
            assert stored is not None
            assert (stored.state, type(stored.error)) == ("failed", DiskFull)
            assert [one.state for one in summaries.find()] == ["failed"]
            filler.unlink()
            summaries.resume(row.id)
            work_off(summaries)
            assert state(summaries, row.id) == "done"
            assert set(asked(script).values()) <= {1, 2}, "what was kept is not asked again"
        finally:
            app.close()


def fill(path: Path) -> None:
    """Writes until there is no room left."""
    with path.open("wb", buffering=0) as file:
        for size in (1 << 20, 4096, 512, 1):
            with contextlib.suppress(OSError):
                while True:
                    file.write(b"x" * size)


def test_an_answer_longer_than_any_test_is_not_waited_for(app: Fireside, summaries: SummaryJobs, script: Path) -> None:
    row = begin(app, count=1, wish=SummaryOptions(language="tlh"))
    ends: list[bool] = []
    for worked in summaries.run(CancelToken()):
        if isinstance(worked.event, Writing):
            summaries.stop(row.id)
        if isinstance(worked.event, Summarized):
            ends.append(worked.event.summary.is_partial)
    assert (ends, state(summaries, row.id)) == ([True], "paused")
    assert asked(script)["write mediumtlh"] == 1


def test_it_is_stopped_from_another_thread_than_the_one_that_works(app: Fireside, summaries: SummaryJobs) -> None:
    rows = [begin(app, f"{name}.pdf", count=300, word="slow") for name in "ab"]
    told: queue.Queue[JobEvent[SummaryEvent]] = queue.Queue()
    thread = threading.Thread(target=lambda: [told.put(worked) for worked in summaries.run(CancelToken())])
    thread.start()
    for row in rows:
        while not isinstance((worked := told.get(timeout=30)).event, SectionRead) or worked.id != row.id:
            pass
        assert (summaries.at_work, summaries.find()[0].id) == (row.id, row.id)
        summaries.stop(row.id)
    thread.join(30)
    assert not thread.is_alive()
    assert [state(summaries, row.id) for row in rows] == ["paused", "paused"]
    for row in rows:
        partial = summaries.load_summary(row.id)
        assert partial is not None
        assert 0 < len(partial.statements) < 300


def test_one_that_waits_can_be_stopped_and_the_next_has_its_turn(app: Fireside, summaries: SummaryJobs) -> None:
    first, second = begin(app, "a.pdf", count=1), begin(app, "b.pdf", count=1)
    summaries.stop(first.id)
    work_off(summaries)
    assert (state(summaries, first.id), state(summaries, second.id)) == ("paused", "done")


def test_one_that_is_deleted_while_it_is_worked_on_ends_and_goes_on_when_it_is_taken_back(
    app: Fireside, summaries: SummaryJobs, script: Path
) -> None:
    row, other = begin(app), begin(app, "b.pdf", count=1, word="other")
    work = until_section(summaries, 2)
    next(work)
    summaries.delete(row.id)
    assert [one.id for one in summaries.find()] == [other.id]
    list(work)
    assert state(summaries, other.id) == "done"
    summaries.restore(row.id)
    assert state(summaries, row.id) == "queued"
    work_off(summaries)
    assert state(summaries, row.id) == "done"
    assert asked(script)["Paragraph 1 tells of kiln 1."] == asked(script)["Paragraph 2 tells of kiln 2."] == 1


def test_resumed_while_it_is_still_ending_it_has_another_turn(app: Fireside, summaries: SummaryJobs) -> None:
    row = begin(app)
    work = until_section(summaries, 2)
    next(work)
    summaries.stop(row.id)
    summaries.resume(row.id)
    list(work)
    assert state(summaries, row.id) == "done"


def test_when_the_program_quits_it_stays_queued_and_the_next_start_goes_on(
    app: Fireside, summaries: SummaryJobs, script: Path
) -> None:
    row, waiting = begin(app), begin(app, "b.pdf", count=1, word="other")
    cancel = CancelToken()
    work = until_section(summaries, 4, cancel)
    next(work)
    cancel.cancel()
    list(work)
    assert [state(summaries, one.id) for one in (row, waiting)] == ["queued", "queued"]
    app.close()
    again = build_program()
    try:
        list(again.engine.load(MODEL))
        partial = again.summaries.load_summary(row.id)
        assert partial is not None
        assert partial.sections_read == 4
        work_off(summaries_of(again))
        assert [state(again.summaries, one.id) for one in (row, waiting)] == ["done", "done"]
        kilns = {text: times for text, times in asked(script).items() if "kiln" in text}
        assert len(kilns) == 6
        assert set(kilns.values()) == {1}
    finally:
        again.close()


def test_work_that_is_simply_dropped_is_queued_again(app: Fireside, summaries: SummaryJobs) -> None:
    row = begin(app)
    work = summaries.run(CancelToken())
    next(work)
    assert state(summaries, row.id) == "running"
    work.close()  # type: ignore[attr-defined]
    assert (state(summaries, row.id), summaries.at_work) == ("queued", None)


def test_a_pipeline_that_ends_with_a_part_though_nobody_stopped_it_is_not_asked_for_ever(
    app: Fireside, summaries: SummaryJobs
) -> None:
    def half(*work: Any) -> Iterator[SummaryEvent]:
        for event in one_by_one(*work):
            if isinstance(event, Summarized):
                event = Summarized(replace(event.summary, is_partial=True))  # noqa: PLW2901
            yield event

    summaries.pipeline = half
    row = begin(app, count=1)
    work_off(summaries)
    partial = summaries.load_summary(row.id)
    assert partial is not None
    assert (state(summaries, row.id), partial.is_partial) == ("done", True)


def test_a_summary_without_documents_fails(app: Fireside, summaries: SummaryJobs) -> None:
    row = begin(app, count=1)
    with app.database.transaction() as connection:
        connection.execute("DELETE FROM job_documents")
    work_off(summaries)
    failed = summaries.get(row.id)
    assert failed is not None
    assert isinstance(failed.error, DocumentGone)


@pytest.mark.parametrize("together", [True, False])
def test_of_two_documents_a_broken_one_fails_what_it_is_in_and_is_named(
    app: Fireside, summaries: SummaryJobs, together: bool
) -> None:
    good, bad = (store_document(app.documents.store, name, *paragraphs(2)).id for name in ("good.pdf", "bad.pdf"))
    with app.database.transaction() as connection:
        connection.execute("UPDATE blocks SET fields = '{}', kind = 'hostile' WHERE document_id = ?", (bad,))
    rows = summaries.begin_summaries([good, bad], SummaryOptions(), together=together)
    work_off(summaries)
    stored = [summaries.get(row.id) for row in rows]
    assert [one.state for one in stored if one] == (["failed"] if together else ["done", "failed"])
    last = stored[-1]
    assert last is not None
    assert isinstance(last.error, DocumentGone)
    assert last.error.name == "bad.pdf"


def test_a_document_without_text_fails_and_is_named(app: Fireside, summaries: SummaryJobs) -> None:
    (row,) = summaries.begin_summaries(
        [store_document(app.documents.store, "scan.pdf", " ").id], SummaryOptions(), together=True
    )
    work_off(summaries)
    failed = summaries.get(row.id)
    assert failed is not None
    assert isinstance(failed.error, DocumentUnreadable)
    assert (failed.error.path, failed.error.reason) == ("/documents/scan.pdf", "no_text")


def test_another_length_reads_nothing_again_even_after_the_first_summary_was_removed(
    app: Fireside, summaries: SummaryJobs, script: Path
) -> None:
    row = begin(app)
    work_off(summaries)
    read = asked(script)
    (other,) = summaries.begin_summaries(row.document_ids, SummaryOptions(Length.LONG), together=True)
    work_off(summaries)
    assert asked(script) - read == Counter({"write long": 1})
    summaries.delete(row.id)
    app.close()
    again = build_program()
    try:
        list(again.engine.load(MODEL))
        (third,) = summaries_of(again).begin_summaries(other.document_ids, SummaryOptions(Length.SHORT), together=True)
        work_off(again.summaries)
        assert state(again.summaries, third.id) == "done"
        assert asked(script) - read == Counter({"write long": 1, "write short": 1})
    finally:
        again.close()


def test_a_defect_is_told_and_does_not_come_up_again_at_every_start(app: Fireside, summaries: SummaryJobs) -> None:
    row, other = begin(app, count=1), begin(app, "b.pdf", count=1)

    def broken(*_: object) -> Iterator[SectionRead]:
        raise ValueError("a mistake of ours")
        yield

    summaries.pipeline = broken  # type: ignore[assignment]
    with pytest.raises(ValueError, match="a mistake of ours"):
        work_off(summaries)
    summaries.pipeline = one_by_one
    work_off(summaries)
    assert [state(summaries, one.id) for one in (row, other)] == ["failed", "done"]


def test_a_program_that_is_killed_in_a_section_costs_that_section(script: Path, fresh_home: Path) -> None:
    app = build_program()
    row = begin(app, count=8, word="slow kiln")
    app.close()
    command = [sys.executable, "-m", "tests.features.summarize.summarizing_program"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[3]) as program:
        assert program.stdout is not None
        assert [program.stdout.readline().strip() for _ in range(3)] == ["1", "2", "3"]
        program.kill()
        read = 3 + len(program.stdout.read().splitlines())
    assert program.returncode != 0
    again = build_program()
    try:
        stored = again.summaries.get(row.id)
        assert stored is not None
        assert (stored.state, stored.sections) == ("queued", 8)
        assert read <= stored.sections_read <= read + 1
        list(again.engine.load(MODEL))
        work_off(summaries_of(again))
        assert state(again.summaries, row.id) == "done"
        times = {text: times for text, times in asked(script).items() if "kiln" in text}
        assert len(times) == 8
        assert sum(times.values()) <= 9, "at most the section that it was killed in"
        assert all(times[text] == 1 for text in paragraphs(read, "slow kiln"))
    finally:
        again.close()


def test_pages_that_are_pictures_come_from_what_was_seen_when_the_document_was_read(
    app: Fireside, summaries: SummaryJobs
) -> None:
    store = app.documents.store
    number = store.begin_document(Path("/documents/scans.pdf"), 7, 1)
    store.add_blocks(number, [block_to_fields(Block(1, BlockKind.PARAGRAPH, "The kiln was built in 1871.", 1))])
    pages = [
        PageRead(2, has_text=False, is_picture=True),
        PageRead(3, has_text=False),
        PageRead(4, is_picture=True, recognized=True),
    ]
    info = {"pages_without_text": [2, 3], "pages": [asdict(page) for page in pages]}
    store.finish_document(number, format_="pdf", unit="page", pages=4, sha256="ab", info=info)
    (given,) = inputs_of(app.documents, [number])
    assert (given.pages_without_text, given.picture_pages) == ((2, 3), (2,))
