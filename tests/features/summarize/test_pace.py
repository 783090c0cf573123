"""How long a summary takes: before it is begun, and by the sections that it has read."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.bootstrap import Fireside, build_program
from app.core.errors.document_errors import DocumentGone
from app.core.events import CancelToken
from app.features.summarize.summaries import Estimate, SummaryJobs
from app.features.summarize.summarize import Merging, Planned, SectionRead, TaskRests, Writing
from app.features.summarize.summary_pace import SummaryPace
from app.features.summarize.summary_result import Length, Method, SummaryOptions
from app.features.work.asking import FIRST_WINDOW
from app.store.jobs import JobTable
from tests.helpers.engine import user
from tests.helpers.script import prompts, write_script
from tests.helpers.summaries import paragraphs, store_document, work_off


class Clock:
    """Time that a test moves."""

    def __init__(self) -> None:
        self.now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def clock() -> Clock:
    return Clock()


def read(done: int, sections: int = 10, *, was_kept: bool = False) -> SectionRead:
    return SectionRead(done, sections, (), 0, done, was_kept)


def test_nothing_is_said_before_anything_was_measured(clock: Clock) -> None:
    pace = SummaryPace(clock=clock)
    assert pace.seconds_left() is None
    pace.take_event(Planned(10, 15_000))
    clock.now_s += 30
    assert pace.seconds_left() is None


def test_before_the_first_section_it_is_what_was_estimated(clock: Clock) -> None:
    pace = SummaryPace(120.0, clock=clock)
    pace.take_event(Planned(10, 15_000))
    clock.now_s += 30
    assert pace.seconds_left() == 90
    clock.now_s += 200
    assert pace.seconds_left() == 1, "never nothing, as long as it goes on"


def test_then_it_is_the_pace_of_the_sections_with_the_merges_and_the_write_up_behind_them(clock: Clock) -> None:
    pace = SummaryPace(9999.0, clock=clock)
    pace.take_event(Planned(10, 15_000))
    for number in range(1, 5):
        clock.now_s += 10
        pace.take_event(read(number))
    assert pace.seconds_left() == 10 * (6 + 1 + 1)
    clock.now_s += 5
    assert pace.seconds_left() == 75


def test_of_sections_that_are_read_side_by_side_the_first_to_end_is_not_the_pace_of_all(clock: Clock) -> None:
    pace = SummaryPace(side_by_side=4, clock=clock)
    pace.take_event(Planned(8, 12_000))
    clock.now_s += 20
    pace.take_event(read(1, 8))
    assert pace.seconds_left() == 20 / FIRST_WINDOW * (7 + 1 + 1), "no more are on the wire at first"
    pace.take_event(read(2, 8))
    assert pace.seconds_left() == 10 * (6 + 1 + 1)
    clock.now_s += 20
    for number in (3, 4):
        pace.take_event(read(number, 8))
    assert pace.seconds_left() == 10 * (4 + 1 + 1)
    clock.now_s += 60
    for number in range(5, 9):
        pace.take_event(read(number, 8))
    assert pace.seconds_left() == 12.5 * (1 + 1)


def test_while_somebody_is_being_answered_the_clock_stands(clock: Clock) -> None:
    pace = SummaryPace(clock=clock)
    pace.take_event(Planned(4, 6000))
    clock.now_s += 10
    pace.take_event(read(1, 4))
    before = pace.seconds_left()
    pace.take_event(TaskRests("interactive"))
    pace.take_event(TaskRests("interactive"))
    clock.now_s += 500
    assert pace.seconds_left() == before
    pace.take_event(TaskRests(""))
    assert (pace.seconds_left(), pace.worked_s) == (before, 10)
    clock.now_s += 10
    pace.take_event(read(2, 4))
    assert pace.seconds_left() == 10 * (2 + 1)


def test_sections_that_were_kept_say_nothing_of_those_to_come(clock: Clock) -> None:
    pace = SummaryPace(clock=clock)
    pace.take_event(Planned(10, 15_000))
    clock.now_s += 0.5
    for number in range(1, 8):
        pace.take_event(read(number, was_kept=True))
    assert (pace.seconds_left(), pace.is_fresh) == (None, False)
    clock.now_s += 20
    pace.take_event(read(8))
    assert pace.seconds_left() == 20 * (2 + 1 + 1)


def test_what_is_left_shrinks_with_the_merges_and_ends_with_the_write_up(clock: Clock) -> None:
    pace = SummaryPace(clock=clock)
    pace.take_event(Planned(2, 3000))
    for number in (1, 2):
        clock.now_s += 10
        pace.take_event(read(number, 2))
    pace.take_event(Merging(0, 2))
    assert pace.seconds_left() == 30
    pace.take_event(Merging(1, 2))
    assert pace.seconds_left() == 20
    pace.take_event(Writing("Kilns"))
    pace.take_event(Writing("Kilns are"))
    assert pace.seconds_left() == 10
    clock.now_s += 4
    assert pace.seconds_left() == 6
    clock.now_s += 40
    assert pace.seconds_left() == 1
    assert pace.is_fresh


def test_planned_again_it_begins_anew(clock: Clock) -> None:
    pace = SummaryPace(clock=clock)
    pace.take_event(Planned(1, 15_000))
    clock.now_s += 20
    pace.take_event(TaskRests("interactive"))
    clock.now_s += 30
    pace.take_event(TaskRests(""))
    pace.take_event(Writing("Sorry"))
    clock.now_s += 10
    pace.take_event(Planned(4, 15_000))
    assert pace.worked_s == 0
    clock.now_s += 10
    pace.take_event(read(1, 4))
    assert pace.worked_s == 10
    assert pace.seconds_left() == pytest.approx(40), "three sections and the write-up at the pace of the first"


MODEL = Path("/any/model.gguf")


@pytest.fixture
def script(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    rules = (
        {"when": "hold on", "repeat": 10, "delay_s": 0.02},
        {"when": "Write the next lines", "prompt_s": 0.2, "delay_s": 0.01},
        {"when": "slow", "prompt_s": 0.05},
    )
    path = write_script(tmp_path / "script", *rules)
    monkeypatch.setenv("FIRESIDE_ENGINE_SCRIPT", str(path))
    return path


def add(app: Fireside, count: int, word: str = "kiln", name: str = "a.pdf") -> int:
    return store_document(app.documents.store, name, *paragraphs(count, word)).id


def estimate(summaries: SummaryJobs, *ids: int, wish: SummaryOptions | None = None) -> Estimate:
    found = summaries.estimate(ids, wish or SummaryOptions(), CancelToken())
    assert found is not None
    return found


def test_tokens_and_sections_are_those_that_the_work_begins_with(app: Fireside) -> None:
    ids = [add(app, 600), add(app, 300)]
    found = estimate(app.summaries, *ids)
    assert found.tokens == sum(found.by_document)
    assert found.by_document[0] == pytest.approx(2 * found.by_document[1], rel=0.01)
    assert found.sections > 1
    app.summaries.begin_summaries(ids, SummaryOptions(), together=True)
    cancel = CancelToken()
    planned = next(worked.event for worked in app.summaries.run(cancel) if isinstance(worked.event, Planned))
    assert (planned.tokens, planned.sections) == (found.tokens, found.sections)


def test_a_short_document_is_one_section(app: Fireside, summaries: SummaryJobs) -> None:
    assert estimate(summaries, add(app, 3)).sections == 1


def test_the_machine_is_measured_once_for_a_model(app: Fireside, summaries: SummaryJobs, script: Path) -> None:
    small, large = estimate(summaries, add(app, 10)), estimate(summaries, add(app, 900))
    assert len(prompts(script)) == 1
    assert small.seconds is not None
    assert large.seconds is not None
    assert 0 < small.seconds < large.seconds
    longer = estimate(summaries, add(app, 10), wish=SummaryOptions(Length.LONG))
    assert longer.seconds is not None
    assert longer.seconds > small.seconds


def test_what_a_summary_really_took_is_better_than_a_probe(app: Fireside, summaries: SummaryJobs, script: Path) -> None:
    document = add(app, 6, "slow")
    summaries.begin_summaries([document], SummaryOptions(), together=True)
    work_off(summaries)
    asked = len(prompts(script))
    found = estimate(summaries, document)
    (job,) = JobTable(app.database).find("summary")
    assert found.seconds == pytest.approx(job.progress["worked_s"] * found.tokens / job.progress["tokens"])
    assert job.progress["worked_s"] > 6 * 0.05
    assert len(prompts(script)) == asked, "nothing was measured again"
    app.close()
    again = build_program()
    try:
        list(again.engine.load(MODEL))
        assert estimate(again.summaries, document).seconds == found.seconds, "also after a restart"
        list(again.engine.load(Path("/any/other.gguf")))
        other = estimate(again.summaries, document).seconds
        assert other is not None
        assert other != found.seconds
    finally:
        again.close()


def test_while_a_chat_is_answered_nothing_is_measured_and_the_next_time_it_is(
    app: Fireside, summaries: SummaryJobs
) -> None:
    document = add(app, 3)
    answer = app.engine.generate([user("hold on")])
    next(answer)
    assert estimate(summaries, document).seconds is None
    list(answer)
    assert estimate(summaries, document).seconds is not None


def test_cancelled_there_is_none(app: Fireside, summaries: SummaryJobs) -> None:
    cancel = CancelToken()
    cancel.cancel()
    assert summaries.estimate([add(app, 3)], SummaryOptions(), cancel) is None


def test_it_wakes_the_model(app: Fireside, summaries: SummaryJobs) -> None:
    app.engine.sleep()
    assert estimate(summaries, add(app, 3), wish=SummaryOptions(method=Method.MODEL)).tokens


def test_a_document_that_is_gone_is_named(app: Fireside, summaries: SummaryJobs) -> None:
    with pytest.raises(DocumentGone):
        estimate(summaries, 12345)


@pytest.mark.model
@pytest.mark.slow
def test_the_starter_is_measured_in_about_a_second(starter: Path, fresh_home: Path) -> None:
    app = build_program()
    try:
        document = add(app, 120)
        assert estimate(app.summaries, document).seconds == 1, "it is not asked"
        found = estimate(app.summaries, document, wish=SummaryOptions(method=Method.MODEL))
        assert found.seconds is not None
        assert 0.2 < found.seconds < 600
    finally:
        app.close()
