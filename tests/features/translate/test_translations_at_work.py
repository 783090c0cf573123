"""Working off translations: what is stored when, what stopping, quitting and crashing cost, what goes on by itself."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from app.bootstrap import Fireside, build_program
from app.core.errors.document_errors import DocumentGone
from app.core.errors.engine_errors import EngineStopped
from app.core.events import CancelToken
from app.features.translate.translation_events import SegmentDone, TranslationEnded, TranslationSource, TranslationWish
from app.features.translate.translation_jobs import TranslationJobs
from tests.helpers.engine import answer_of, user
from tests.helpers.script import write_script
from tests.helpers.translations import (
    add,
    asked,
    begin,
    lines,
    stored,
    text_file,
    translations_of,
    until_segment,
    work_off,
)

SLOWLY = {"when": "slow", "delay_s": 0.005}
CRASHES_ONCE = {"when": "brittle 4", "crash_after": 2, "times": 1}
CRASHES = {"when": "cursed", "crash_after": 1}
MODEL = Path("/any/model.gguf")
MANY = 60


@pytest.fixture
def script(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = write_script(tmp_path / "script", SLOWLY, CRASHES_ONCE, CRASHES)
    monkeypatch.setenv("FIRESIDE_ENGINE_SCRIPT", str(path))
    return path


def test_each_has_its_turn_and_what_became_of_each_segment_is_stored_as_it_comes(
    app: Fireside, translations: TranslationJobs, tmp_path: Path
) -> None:
    first, second = (
        begin(app, text_file(tmp_path, "a.txt", count=2)),
        begin(app, text_file(tmp_path, "b.txt", count=2, word="glaze")),
    )
    told, done = [], []
    for worked in translations.run(CancelToken()):
        if worked.event is None or isinstance(worked.event, TranslationEnded):
            told.append((worked.id, worked.event is None))
        if isinstance(worked.event, SegmentDone):
            row = stored(translations, worked.id)
            done.append((row.state, row.done))
            assert translations.at_work == row.id
    assert told == [
        (first.id, True), (first.id, False), (first.id, True), (second.id, True), (second.id, False), (second.id, True),
    ]  # fmt: skip
    assert done == [("running", 1), ("running", 2)] * 2
    row = stored(translations, first.id)
    assert (row.state, row.done, row.reused, row.model, row.error) == ("done", 2, 0, "model.gguf", None)
    assert row.seconds > 0
    assert translations.at_work is None
    assert list(translations.run(CancelToken())) == []


def test_stopping_keeps_what_is_done_and_going_on_repeats_nothing(
    app: Fireside, translations: TranslationJobs, script: Path, tmp_path: Path
) -> None:
    row = begin(app, text_file(tmp_path, count=8))
    work = until_segment(translations, 3)
    next(work)
    translations.stop(row.id)
    assert stored(translations, row.id).state == "paused", "at once, not when the model has heard of it"
    list(work)
    assert (stored(translations, row.id).state, stored(translations, row.id).done) == ("paused", 3)
    work_off(translations)
    assert stored(translations, row.id).done == 3
    translations.resume(row.id)
    work_off(translations)
    assert (stored(translations, row.id).state, stored(translations, row.id).done) == ("done", 8)
    assert set(asked(script).values()) == {1}


def test_one_that_is_deleted_at_work_ends_and_goes_on_when_it_is_taken_back(
    app: Fireside, translations: TranslationJobs, script: Path, tmp_path: Path
) -> None:
    row, other = begin(app, text_file(tmp_path)), begin(app, text_file(tmp_path, "b.txt", count=1, word="other"))
    work = until_segment(translations, 2)
    next(work)
    translations.delete(row.id)
    assert [one.id for one in translations.find()] == [other.id]
    list(work)
    assert stored(translations, other.id).state == "done"
    translations.restore(row.id)
    assert stored(translations, row.id).state == "queued"
    work_off(translations)
    assert stored(translations, row.id).done == 6
    assert asked(script)[lines(2)[0]] == asked(script)[lines(2)[1]] == 1


def test_when_the_program_quits_it_stays_queued_and_the_next_start_goes_on(
    app: Fireside, translations: TranslationJobs, script: Path, tmp_path: Path
) -> None:
    row = begin(app, text_file(tmp_path))
    cancel = CancelToken()
    work = until_segment(translations, 4, cancel)
    next(work)
    cancel.cancel()
    list(work)
    assert stored(translations, row.id).state == "queued"
    app.close()
    again = build_program()
    try:
        list(again.engine.load(MODEL))
        assert stored(again.translations, row.id).done == 4
        work_off(translations_of(again))
        assert stored(again.translations, row.id).state == "done"
        assert set(asked(script).values()) == {1}
    finally:
        again.close()


@pytest.mark.slow
def test_a_program_that_is_killed_in_the_middle_of_many_segments_repeats_none(
    script: Path, fresh_home: Path, tmp_path: Path
) -> None:
    app = build_program()
    row = begin(app, text_file(tmp_path, count=MANY, word="slow kiln"))
    app.close()
    command = [sys.executable, "-m", "tests.features.translate.translating_program", str(MODEL), "one"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[3]) as program:
        assert program.stdout is not None
        half = range(1, MANY // 2 + 1)
        assert [program.stdout.readline().strip() for _ in half] == [str(number) for number in half]
        program.kill()
        done = len(half) + len(program.stdout.read().splitlines())
    again = build_program()
    try:
        found = stored(again.translations, row.id)
        assert found.state == "queued"
        assert done <= found.done <= done + 1
        list(again.engine.load(MODEL))
        work_off(translations_of(again))
        assert (stored(again.translations, row.id).state, stored(again.translations, row.id).done) == ("done", MANY)
        times = asked(script)
        assert len(times) == MANY
        repeated = [text for text, count in times.items() if count > 1]
        assert len(repeated) <= 1, "at most the one that it was killed in, whose answer was not there yet"
        assert all(times[text] == 1 for text in lines(found.done, "slow kiln"))
    finally:
        again.close()


def test_a_second_run_is_instant_and_asks_nothing(
    app: Fireside, translations: TranslationJobs, script: Path, tmp_path: Path
) -> None:
    row = begin(app, text_file(tmp_path, count=40))
    work_off(translations)
    translations.begin_translations([row.id])
    work_off(translations)
    assert stored(translations, row.id).reused == 40
    assert {one.translated.origin for one in translations.segments.read_rows(row.id) if one.translated} == {
        TranslationSource.MEMORY
    }
    assert set(asked(script).values()) == {1}


def test_an_edit_while_it_is_at_work_is_not_replaced(
    app: Fireside, translations: TranslationJobs, tmp_path: Path
) -> None:
    row = begin(app, text_file(tmp_path, count=5))
    work = until_segment(translations, 2)
    next(work)
    translations.segments.edit_segment(row.id, 1, ("Mein Wort.",))
    translations.segments.edit_segment(row.id, 4, ("Auch meines.",))
    list(work)
    texts = [one.translated.content for one in translations.segments.read_rows(row.id) if one.translated]
    assert (texts[0], texts[3], len(texts)) == (("Mein Wort.",), ("Auch meines.",), 5)
    assert stored(translations, row.id).state == "done"


def test_another_target_while_it_is_at_work_begins_it_again_and_nothing_of_the_old_one_stays(
    app: Fireside, translations: TranslationJobs, script: Path, tmp_path: Path
) -> None:
    row = begin(app, text_file(tmp_path, count=5))
    work = until_segment(translations, 3)
    next(work)
    translations.change_wish(row.id, TranslationWish("fr", "en"))
    assert stored(translations, row.id).done == 0
    list(work)
    found = stored(translations, row.id)
    assert (found.state, found.done, found.reused, found.wish.target) == ("done", 5, 0, "fr")
    assert sum(asked(script).values()) == 8


def test_an_engine_that_crashes_costs_the_segment_it_was_in(
    app: Fireside, translations: TranslationJobs, script: Path, tmp_path: Path
) -> None:
    row = begin(app, text_file(tmp_path, word="brittle"))
    first_pid = app.engine.pid
    work_off(translations)
    assert app.engine.pid != first_pid
    assert stored(translations, row.id).state == "done"
    times = asked(script)
    assert [times[text] for text in lines(6, "brittle")] == [1, 1, 1, 2, 1, 1]


def test_an_engine_that_crashes_again_and_again_fails_it_and_the_next_has_its_turn(
    app: Fireside, translations: TranslationJobs, tmp_path: Path
) -> None:
    bad, good = begin(app, text_file(tmp_path, word="cursed")), begin(app, text_file(tmp_path, "b.txt"))
    work_off(translations)
    failed = stored(translations, bad.id)
    assert (failed.state, stored(translations, good.id).state) == ("failed", "done")
    assert isinstance(failed.error, EngineStopped)
    translations.resume(bad.id)
    assert (stored(translations, bad.id).state, stored(translations, bad.id).error) == ("queued", None)


def test_it_yields_to_a_chat_at_once(app: Fireside, translations: TranslationJobs, tmp_path: Path) -> None:
    row = begin(app, text_file(tmp_path, count=20, word="slow"))
    work = until_segment(translations, 2)
    next(work)
    text, _ = answer_of(app.engine.generate([user("Hello?")]))
    assert text == "You said: Hello?"
    assert stored(translations, row.id).done == 2
    list(work)
    assert stored(translations, row.id).done == 20


def test_one_whose_segments_are_gone_fails(app: Fireside, translations: TranslationJobs, tmp_path: Path) -> None:
    row = begin(app, text_file(tmp_path))
    with app.database.transaction() as connection:
        connection.execute("DELETE FROM translation_segments")
    work_off(translations)
    assert isinstance(stored(translations, row.id).error, DocumentGone)


def test_a_defect_is_told_and_does_not_come_up_again_at_every_start(
    app: Fireside, translations: TranslationJobs, tmp_path: Path
) -> None:
    row = begin(app, text_file(tmp_path))

    def broken(*_: object, done: object) -> Iterator[Any]:
        raise ValueError("a mistake of ours")
        yield

    translations.pipeline = broken  # type: ignore[assignment]
    with pytest.raises(ValueError, match="a mistake of ours"):
        work_off(translations)
    assert stored(translations, row.id).state == "failed"


def test_a_pipeline_that_ends_with_a_part_though_nobody_stopped_it_is_not_asked_for_ever(
    app: Fireside, translations: TranslationJobs, tmp_path: Path
) -> None:
    row = begin(app, text_file(tmp_path))

    def half(*_: object, done: object) -> Iterator[Any]:
        yield TranslationEnded(is_partial=True)

    translations.pipeline = half  # type: ignore[assignment]
    work_off(translations)
    assert (stored(translations, row.id).state, stored(translations, row.id).done) == ("done", 0)


def test_time_left_is_told_of_the_one_at_work(app: Fireside, translations: TranslationJobs, tmp_path: Path) -> None:
    row, waiting = begin(app, text_file(tmp_path, count=10)), begin(app, text_file(tmp_path, "b.txt"))
    assert translations.seconds_left(row.id) is None
    work = until_segment(translations, 5)
    next(work)
    left = translations.seconds_left(row.id)
    assert left is not None
    assert 1.0 <= left < 60
    assert translations.seconds_left(waiting.id) is None
    list(work)


def test_drafts_are_queued_in_the_order_they_are_begun(
    app: Fireside, translations: TranslationJobs, tmp_path: Path
) -> None:
    drafts = [add(app, text_file(tmp_path, f"{name}.txt", count=1, word=name)).id for name in "abc"]
    translations.begin_translations([drafts[2], drafts[0]])
    assert [one.id for one in translations.find()][:2] == [drafts[2], drafts[0]]
    translations.begin_translations([drafts[2]])
    order = [worked.id for worked in translations.run(CancelToken()) if worked.event is None]
    assert order == [drafts[2]] * 2 + [drafts[0]] * 2
    assert stored(translations, drafts[1]).state == "draft"
