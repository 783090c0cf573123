"""What the engine may do while a summary is at work: crash, sleep, change its model, or be a second one."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.bootstrap import Fireside, build_program
from app.core.errors.engine_errors import EngineCrashesRepeatedly, EngineStopped
from app.core.errors.model_errors import NoModel, NoRoomForModel
from app.core.events import CancelToken
from app.documents.blocks import BlockKind
from app.features.models.model_pool import ModelPool, ModelSwap
from app.features.summarize.summaries import SummaryJobs
from app.features.summarize.summarize import Planned, SectionRead, Summarized
from app.features.summarize.summary_result import Estimate, Method, SummaryOptions
from tests.helpers.counting import engines_started
from tests.helpers.engine import answer_of, user
from tests.helpers.models_on_disk import write_model
from tests.helpers.script import write_script
from tests.helpers.summaries import (
    asked,
    begin,
    paragraphs,
    state,
    store_document,
    summaries_of,
    until_section,
    work_off,
)

CRASHES_ONCE = {"when": "brittle 4", "crash_after": 2, "times": 1}
CRASHES = {"when": "cursed", "crash_after": 1}
MODEL = Path("/any/model.gguf")
WRITTEN = SummaryOptions(method=Method.MODEL)


@pytest.fixture
def script(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = write_script(tmp_path / "script", CRASHES_ONCE, CRASHES)
    monkeypatch.setenv("FIRESIDE_ENGINE_SCRIPT", str(path))
    return path


def test_an_engine_that_crashes_costs_the_section_it_was_in(
    app: Fireside, summaries: SummaryJobs, script: Path
) -> None:
    row = begin(app, word="brittle")
    first_pid = app.engine.pid
    work_off(summaries)
    assert app.engine.pid != first_pid
    assert state(summaries, row.id) == "done"
    times = {text: times for text, times in asked(script).items() if "brittle" in text}
    assert times.pop("Paragraph 4 tells of brittle 4.") == 2
    assert set(times.values()) == {1}


def test_an_engine_that_crashes_each_time_fails_that_summary_and_the_next_has_its_turn(
    app: Fireside, summaries: SummaryJobs, script: Path
) -> None:
    ids = [store_document(app.documents.store, "a.pdf", "One.", "Two.", "A cursed one.", "Four.").id]
    (row,) = summaries.begin_summaries(ids, SummaryOptions(), together=True)
    other = begin(app, "b.pdf", count=1)
    work_off(summaries)
    failed = summaries.get(row.id)
    assert failed is not None
    assert failed.state == "failed"
    assert isinstance(failed.error, EngineStopped | EngineCrashesRepeatedly)
    partial = summaries.load_summary(row.id)
    assert partial is not None
    assert (partial.is_partial, partial.sections_read) == (True, 2)
    assert state(summaries, other.id) == "done"
    summaries.resume(row.id)
    resumed = summaries.get(row.id)
    assert resumed is not None
    assert (resumed.state, resumed.error) == ("queued", None)


def test_documents_that_end_the_engine_again_and_again_do_not_use_up_its_patience_for_the_next(
    app: Fireside, summaries: SummaryJobs
) -> None:
    rows = [begin(app, f"{word}.pdf", count=1, word=word) for word in ("cursed", "cursed", "cursed", "good")]
    work_off(summaries)
    assert [state(summaries, row.id) for row in rows] == ["failed", "failed", "failed", "done"]


def test_a_second_engine_that_was_ended_is_made_anew(app: Fireside, summaries: SummaryJobs, tmp_path: Path) -> None:
    write_model(own := tmp_path / "own.gguf")
    app.change_settings("models", summarize_path=str(own))
    rows = [begin(app, f"{word}.pdf", count=1, word=word) for word in ("cursed", "cursed", "cursed", "good")]
    work_off(summaries)
    assert [state(summaries, row.id) for row in rows] == ["failed", "failed", "failed", "done"]


def test_another_model_of_the_chat_takes_over_and_reads_for_itself(
    app: Fireside, summaries: SummaryJobs, script: Path
) -> None:
    row = begin(app)
    work = until_section(summaries, 3)
    next(work)
    list(app.engine.load(Path("/any/other.gguf")))
    list(work)
    summary = summaries.load_summary(row.id)
    assert summary is not None
    assert (state(summaries, row.id), summary.is_partial, len(summary.statements)) == ("done", False, 6)
    assert summary.model == "other"
    assert [asked(script)[text] for text in paragraphs(6)] == [2, 2, 2, 1, 1, 1]


def test_a_sleeping_model_wakes_up_for_it(app: Fireside, summaries: SummaryJobs) -> None:
    row = begin(app, count=1)
    app.engine.sleep()
    work_off(summaries)
    assert state(summaries, row.id) == "done"


def test_a_model_that_is_put_to_sleep_meanwhile_is_woken_and_nothing_is_read_again(
    app: Fireside, summaries: SummaryJobs, script: Path
) -> None:
    row = begin(app)
    for worked in summaries.run(CancelToken()):
        if isinstance(worked.event, SectionRead) and worked.event.done in (2, 4):
            app.engine.sleep()
    assert state(summaries, row.id) == "done"
    assert set(asked(script).values()) == {1}


def test_by_the_smallest_model_nothing_is_loaded_unless_there_are_no_sentences_to_choose(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = {"when": "Text to summarize", "text": "[1] The kiln of Lindvik was fired 12 times."}
    monkeypatch.setenv("FIRESIDE_ENGINE_SCRIPT", str(write_script(tmp_path / "script", said)))
    app = build_program()
    try:
        with engines_started() as started:
            row = begin(app, "a.pdf", "b.pdf")
            estimate = app.summaries.estimate(row.document_ids, SummaryOptions(), CancelToken())
            events = [one.event for one in app.summaries.run(CancelToken()) if one.event is not None]
            assert [type(one) for one in events] == [Planned, Summarized]
            assert started == []
        assert estimate == Estimate(None, 0, 1.0, ())
        summary = app.summaries.load_summary(row.id)
        assert summary is not None
        assert (summary.method, summary.model, len(summary.statements)) == (Method.DIGEST, "", 8)
        assert state(app.summaries, row.id) == "done"

        document = store_document(app.documents.store, "c.csv", "Kiln\tFired\nLindvik\t12", kind=BlockKind.TABLE)
        with engines_started() as started:
            assert (found := app.summaries.estimate([document.id], SummaryOptions(), CancelToken())) is not None
            assert found.sections == 1
            (row,) = app.summaries.begin_summaries([document.id], SummaryOptions(), together=True)
            work_off(app.summaries)
            assert len(started) == 1
        assert (summary := app.summaries.load_summary(row.id)) is not None
        assert (summary.method, state(app.summaries, row.id)) == (Method.MODEL, "done")
    finally:
        app.close()


def test_what_was_found_of_the_last_summaries_decides_who_writes_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = ("Alrik", "Birka", "Cedra", "Dunvik")
    wrong = "".join(f"[1] The bell of {name} was cast in 1701.\n" for name in names)
    right = "".join(f"[{n}] The kiln of {name} was fired {n} times.\n" for n, name in enumerate(names, 1))
    script = write_script(
        tmp_path / "script",
        {"when": "Text to summarize", "text": wrong, "times": 1},
        {"when": "Text to summarize", "text": right},
    )
    monkeypatch.setenv("FIRESIDE_ENGINE_SCRIPT", str(script))
    app = build_program()
    app.change_settings("engine", model_path=str(MODEL))
    try:
        texts = [f"The kiln of {name} was fired {n} times." for n, name in enumerate(names, 1)]
        ids = [store_document(app.documents.store, "kilns.txt", *texts).id]
        another = [store_document(app.documents.store, "long.txt", "The kiln of Lindvik was fired 12 times. " * 90).id]
        found = []
        for wish in (SummaryOptions(), SummaryOptions(), WRITTEN, SummaryOptions(), WRITTEN, SummaryOptions()):
            found.append(app.summaries.method_of(ids)(wish))
            (row,) = app.summaries.begin_summaries(ids, wish, together=True)
            work_off(app.summaries)
            assert (summary := app.summaries.load_summary(row.id)) is not None
            assert summary.method is found[-1] or summary.has_given_up
        by_model, copied = Method.MODEL, Method.DIGEST
        assert found == [by_model, copied, by_model, copied, by_model, by_model]
        assert app.summaries.method_of(another)(SummaryOptions()) is by_model, "of long texts nothing is known"
        assert sum(asked(script).values()) == 2, "what it wrote once is kept, and sentences are chosen without it"
    finally:
        app.close()


def test_without_any_model_it_fails_and_says_so(
    script: Path, monkeypatch: pytest.MonkeyPatch, fresh_home: Path
) -> None:
    app = build_program()
    try:
        summaries = summaries_of(app)
        monkeypatch.setattr(app.pool, "chosen", lambda: None)
        row = begin(app, count=1)
        work_off(summaries)
        failed = summaries.get(row.id)
        assert failed is not None
        assert isinstance(failed.error, NoModel)
    finally:
        app.close()


def test_the_tabs_own_model_works_beside_the_chats_which_goes_on(
    app: Fireside, summaries: SummaryJobs, tmp_path: Path
) -> None:
    write_model(own := tmp_path / "own.gguf")
    app.change_settings("models", summarize_path=str(own))
    first, second = begin(app, "a.pdf", count=2), begin(app, "b.pdf", count=2)
    chats_pid = app.engine.pid
    for worked in summaries.run(CancelToken()):
        if isinstance(worked.event, SectionRead):
            assert answer_of(app.engine.generate([user("hello")]))[0] == "You said: hello"
    assert app.engine.loaded is not None
    assert (app.engine.pid, app.engine.loaded.path) == (chats_pid, str(MODEL))
    written = [summaries.load_summary(row.id) for row in (first, second)]
    assert [(one.model, one.is_partial) for one in written if one] == [("own", False), ("own", False)]


def test_an_estimate_for_another_model_does_not_end_the_summary_that_is_at_work(
    app: Fireside, summaries: SummaryJobs, tmp_path: Path, script: Path
) -> None:
    write_model(own := tmp_path / "own.gguf")
    write_model(other := tmp_path / "other.gguf")
    app.change_settings("models", summarize_path=str(own))
    row = begin(app, count=4)
    estimates = []
    for worked in summaries.run(CancelToken()):
        if isinstance(worked.event, SectionRead) and worked.event.done == 2:
            app.change_settings("models", summarize_path=str(other))
            estimates.append(summaries.estimate(row.document_ids, WRITTEN, CancelToken()))
    assert estimates == [None]
    assert (state(summaries, row.id), set(asked(script).values())) == ("done", {1})
    assert [one.model for one in [summaries.load_summary(row.id)] if one] == ["own"]
    found = summaries.estimate(row.document_ids, WRITTEN, CancelToken())
    assert found is not None, "afterwards there is one again"


def test_where_the_chats_model_would_have_to_give_way_nobody_there_says_no_and_it_waits_paused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script = write_script(tmp_path / "script", load={"needed_bytes": 4 * 10**9})
    monkeypatch.setenv("FIRESIDE_ENGINE_SCRIPT", str(script))
    monkeypatch.setattr(ModelPool.__init__, "__kwdefaults__", {"free_bytes": lambda: 10**6, "needs": lambda _: 10**9})
    app = build_program()
    try:
        list(app.engine.load(MODEL))
        write_model(own := tmp_path / "own.gguf")
        app.change_settings("models", summarize_path=str(own))
        summaries = summaries_of(app)
        rows = [begin(app, "a.pdf", count=1), begin(app, "b.pdf", count=1)]
        work_off(summaries)
        for row in rows:
            waiting = summaries.get(row.id)
            assert waiting is not None
            assert waiting.state == "paused"
            assert isinstance(waiting.error, NoRoomForModel)
            assert (waiting.error.wanted, waiting.error.loaded) == ("own", "model")
        asked: list[ModelSwap] = []
        summaries.engines.ask = lambda swap: bool(asked.append(swap)) or True
        for row in rows:
            summaries.resume(row.id)
        work_off(summaries)
        assert [(state(summaries, row.id), len(asked)) for row in rows] == [("done", 1), ("done", 1)]
        assert app.engine.loaded is not None
        assert app.engine.loaded.path == str(MODEL), "it came back"
    finally:
        app.close()
