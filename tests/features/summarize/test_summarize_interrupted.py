"""Summaries that are interrupted: an engine that ends, a person who stops or chats; and what is kept of them."""

from __future__ import annotations

import threading
from itertools import takewhile
from pathlib import Path

import pytest

from app.core.errors.engine_errors import EngineStopped
from app.core.errors.model_errors import ModelReplaced
from app.core.events import CancelToken
from app.features.summarize.summarize import (
    BELOW_THE_TEXT,
    SectionRead,
    Summarized,
    TaskRests,
    Writing,
    summarize_documents,
)
from app.features.summarize.summary_attempt import MemorySteps
from app.features.summarize.summary_result import PromptRead, SummaryOptions
from tests.features.summarize.pipeline import (
    NARROW_TOKENS,
    document,
    events_of,
    long_document,
    points_of,
    said,
    scripted,
    summary_of,
)
from tests.helpers.engine import load, user

SECTIONS = 4
GOOD = [said(number) for number in range(1, SECTIONS + 1)]
WRITTEN = {"when": "^Text", "text": "[1] Kiln 1 was fired in 1901.\n[3] Kiln 3 was fired in 1903.\n"}


# The engine ends.


def test_after_a_crash_in_one_section_the_others_are_not_read_again(tmp_path: Path) -> None:
    crash = said(3, text="word " * 80, crash_after=60, times=1)
    with scripted(tmp_path, crash, *GOOD, WRITTEN, context_tokens=NARROW_TOKENS) as model:
        events = events_of(model, long_document(SECTIONS))
        asked = model.parts_asked
    assert sorted(asked) == ["Part 1", "Part 2", "Part 3", "Part 3", "Part 4"]
    assert summary_of(events).documents[0].coverage.blocks_read == 8
    assert len(points_of(events)) == SECTIONS


def test_after_a_crash_in_the_write_up_only_that_is_asked_again(tmp_path: Path) -> None:
    crash = {"when": "^Text", "text": "word " * 9, "crash_after": 5, "times": 1}
    with scripted(tmp_path, *GOOD, crash, WRITTEN, context_tokens=NARROW_TOKENS) as model:
        summary = summary_of(events_of(model, long_document(SECTIONS)))
        assert (len(model.sections_asked), len(model.write_ups_asked)) == (SECTIONS, 2)
    assert len(summary.statements) == 2


def test_an_engine_that_ends_again_and_again_is_told_and_what_was_read_is_kept(tmp_path: Path) -> None:
    steps = MemorySteps()
    crash = said(3, text="word " * 80, crash_after=60)
    with scripted(tmp_path / "a", crash, *GOOD, WRITTEN, context_tokens=NARROW_TOKENS) as model:
        with pytest.raises(EngineStopped):
            events_of(model, long_document(SECTIONS), steps=steps)
        tries = model.parts_asked.count("Part 3")
        assert 3 <= tries < 3 + SECTIONS  # what a crash took along of other parts is progress when it comes, once each
    with scripted(tmp_path / "b", *GOOD, WRITTEN, context_tokens=NARROW_TOKENS) as model:
        summary = summary_of(events_of(model, long_document(SECTIONS), steps=steps))
        assert model.parts_asked == ["Part 3"]
    assert summary.documents[0].coverage.blocks_read == 8


def test_another_model_in_its_place_ends_the_work(tmp_path: Path) -> None:
    slow = [said(number, delay_s=0.2) for number in range(1, SECTIONS + 1)]
    with scripted(tmp_path, *slow, WRITTEN, context_tokens=NARROW_TOKENS) as model:
        running = summarize_documents(
            [long_document(SECTIONS)], SummaryOptions(), model.engine, MemorySteps(), CancelToken()
        )
        next(running)
        timer = threading.Timer(0.3, lambda: load(model.engine, Path("other.gguf")))
        timer.start()
        with pytest.raises(ModelReplaced):
            list(running)
        timer.join()


# A person stops or chats.


def test_stopped_it_ends_with_what_was_read_and_waits_for_no_answer(tmp_path: Path) -> None:
    slow = [said(number, delay_s=0.05 * number) for number in range(1, SECTIONS + 1)]
    slow[3] = said(4, text="word " * 900, delay_s=3600)
    cancel, steps = CancelToken(), MemorySteps()
    with scripted(tmp_path, *slow, WRITTEN, context_tokens=NARROW_TOKENS) as model:
        running = summarize_documents([long_document(SECTIONS)], SummaryOptions(), model.engine, steps, cancel)
        read = next(event for event in running if isinstance(event, SectionRead))
        cancel.cancel()
        rest = list(running)
        assert model.write_ups_asked == []
    summary = rest[-1].summary if isinstance(rest[-1], Summarized) else None
    assert summary is not None
    assert summary.is_partial
    assert summary.sections_read == 1 + len([event for event in rest if isinstance(event, SectionRead)])
    assert read.points[0].text in [one.text for one in summary.statements]
    coverage = summary.documents[0].coverage
    assert 0 < coverage.blocks_read < 8
    assert coverage.unread_pages
    rests_on = {anchor.page for one in summary.statements for anchor in one.anchors}
    assert rests_on.isdisjoint(coverage.unread_pages)
    assert coverage.pages_read >= len(rests_on)


def test_stopped_while_it_is_written_up_the_points_are_what_there_is(tmp_path: Path) -> None:
    cancel = CancelToken()
    slow = {"when": "^Text", "text": "word " * 900, "delay_s": 0.02}
    with scripted(tmp_path, *GOOD, slow, context_tokens=NARROW_TOKENS) as model:
        running = summarize_documents([long_document(SECTIONS)], SummaryOptions(), model.engine, MemorySteps(), cancel)
        next(event for event in running if isinstance(event, Writing))
        cancel.cancel()
        rest = list(running)
    assert isinstance(rest[-1], Summarized)
    summary = rest[-1].summary
    assert summary.is_partial
    assert [one.text for one in summary.statements] == [f"Kiln {n} was fired in {1900 + n}." for n in range(1, 5)]
    assert summary.documents[0].coverage.blocks_read == 8


SENTENCES = "".join(f"[{n}] Kiln {n} was fired in {1900 + n}.\n" for n in (1, 2, 3))


@pytest.mark.parametrize("sections", [1, SECTIONS])
def test_stopped_while_it_is_written_the_text_so_far_is_kept(tmp_path: Path, sections: int) -> None:
    cancel = CancelToken()
    slow = {"when": "^Text", "text": f"{SENTENCES}[4] Kiln 4 " + "was " * 900, "delay_s": 0.01}
    context = NARROW_TOKENS if sections > 1 else 8192
    with scripted(tmp_path, *GOOD, slow, context_tokens=context, size_bytes=800_000_000) as model:
        running = summarize_documents([long_document(SECTIONS)], SummaryOptions(), model.engine, MemorySteps(), cancel)
        shares = [
            event.share
            for event in takewhile(lambda event: not (isinstance(event, Writing) and "Kiln 4" in event.text), running)
            if isinstance(event, Writing)
        ]
        cancel.cancel()
        rest = list(running)
    assert isinstance(rest[-1], Summarized)
    summary = rest[-1].summary
    assert summary.is_partial
    assert (summary.sections, summary.sections_read) == (sections, sections)
    written = [one.text for one in summary.statements if not one.group]
    assert written[:3] == [f"Kiln {n} was fired in {1900 + n}." for n in (1, 2, 3)]
    assert [one.anchors[0].page for one in summary.statements[:3]]
    assert [one.group for one in summary.statements if one.group] == [BELOW_THE_TEXT] * (4 if sections > 1 else 0)
    assert summary.documents[0].coverage.blocks_read == 8, "it was read before it was written"
    assert shares == sorted(shares)
    assert len(set(shares)) > 1
    assert 0 <= shares[0] < shares[-1] < 1


def test_a_second_try_is_told_and_begins_from_the_start(tmp_path: Path) -> None:
    refused = {"when": "^Text", "text": "I am sorry, but I cannot help with that.", "times": 1}
    with scripted(tmp_path, refused, WRITTEN | {"prompt_s": 0.1}, size_bytes=800_000_000) as model:
        events = events_of(model, long_document(2))
    told = [(event.attempt, event.share) for event in events if isinstance(event, Writing)]
    assert [attempt for attempt, _ in told] == sorted(attempt for attempt, _ in told)
    first_again = next(share for attempt, share in told if attempt == 1)
    assert first_again == 0
    assert told[-1] == (1, 1.0)
    assert any(isinstance(event, PromptRead) for event in events)


def test_stopped_before_it_began_nothing_is_asked(tmp_path: Path) -> None:
    cancel = CancelToken()
    cancel.cancel()
    with scripted(tmp_path, *GOOD) as model:
        summary = summary_of(events_of(model, long_document(SECTIONS), cancel=cancel))
        assert model.asked == []
    assert (summary.is_partial, summary.statements, summary.sections_read) == (True, (), 0)
    assert summary.documents[0].coverage.blocks_read == 0


def test_stopped_in_one_pass_nothing_counts_as_read(tmp_path: Path) -> None:
    cancel = CancelToken()
    with scripted(tmp_path, {"text": "word " * 900, "delay_s": 0.02}) as model:
        running = summarize_documents([document("The kiln.")], SummaryOptions(), model.engine, MemorySteps(), cancel)
        next(event for event in running if isinstance(event, Writing))
        cancel.cancel()
        summary = summary_of(list(running))
    assert (summary.is_partial, summary.statements) == (True, ())
    assert summary.documents[0].coverage.blocks_read == 0


def test_it_rests_while_somebody_chats_and_then_goes_on(tmp_path: Path) -> None:
    slow = [said(number, delay_s=0.02) for number in range(1, SECTIONS + 1)]
    hello = {"when": "hello", "text": "word " * 10, "delay_s": 0.05}
    with scripted(tmp_path, hello, *slow, WRITTEN, context_tokens=NARROW_TOKENS) as model:
        running = summarize_documents(
            [long_document(SECTIONS)], SummaryOptions(), model.engine, MemorySteps(), CancelToken()
        )
        events = [next(running)]
        chat = threading.Thread(target=lambda: list(model.engine.generate([user("hello")])))
        chat.start()
        events += list(running)
        chat.join()
    reasons = [event.reason for event in events if isinstance(event, TaskRests)]
    assert reasons == ["interactive", ""]
    assert len(points_of(events)) == SECTIONS
