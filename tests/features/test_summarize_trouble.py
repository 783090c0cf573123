"""Summaries where something goes wrong: answers that are no use, an engine that ends, a person who stops or chats."""

from __future__ import annotations

import re
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from app.core.cancel import CancelToken
from app.core.errors import EngineStopped, ModelReplaced
from app.features.summarize import Merging, Rests, SectionRead, Summarized, Writing, summarize
from app.features.summary.memory_steps import MemorySteps
from app.features.summary.result import Wish
from tests.features.summary.pipeline import (
    LARGE_BYTES,
    NARROW_TOKENS,
    Scripted,
    document,
    events_of,
    long_document,
    scripted,
    summary_of,
)
from tests.helpers.engine import load, user
from tests.helpers.script import requests

SECTIONS = 4


def said(number: int, **more: Any) -> dict[str, Any]:
    """What the n-th section is condensed to."""
    text = f"[{2 * number}] Kiln {number} was fired in {1900 + number}."
    return {"when": rf"Part {number} of", "text": text} | more


GOOD = [said(number) for number in range(1, SECTIONS + 1)]
WRITTEN = {"when": "^Text", "text": "[1] Kiln 1 was fired in 1901.\n[3] Kiln 3 was fired in 1903.\n"}


def sections(events: list[Any]) -> dict[int, list[str]]:
    """The points of each section, by its place."""
    return {event.first_page: [one.text for one in event.points] for event in events if isinstance(event, SectionRead)}


def asked_of(model: Scripted, number: int) -> list[dict[str, Any]]:
    """The requests for a section."""
    return [one for one in requests(model.script) if f"Kiln {number} was fired" in one["messages"][-1][1]]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "was empty"),
        ("I'm sorry, but I cannot help with that.", "condense a text that somebody else wrote"),
        ("blah blah", "not in the form"),
        ("[4] Kiln kiln kiln kiln kiln kiln kiln kiln kiln.\n" * 3, "again and again"),
    ],
    ids=["empty", "refused", "unreadable", "repeated"],
)
def test_an_answer_that_is_no_use_is_asked_for_once_more_a_little_warmer(
    tmp_path: Path, text: str, sentence: str
) -> None:
    bad = {"when": "Part 2 of", "text": text, "times": 1}
    with scripted(tmp_path, bad, *GOOD, WRITTEN, context_tokens=NARROW_TOKENS) as model:
        events = events_of(model, long_document(SECTIONS))
        first, second = asked_of(model, 2)[:2]
    assert sections(events)[2] == ["Kiln 2 was fired in 1902."]
    assert sentence in second["messages"][-1][1]
    assert sentence not in first["messages"][-1][1]
    assert second["task_sampling"]["temperature"] == pytest.approx(first["task_sampling"]["temperature"] + 0.25)
    assert first["messages"][0] == second["messages"][0], "the instructions stay the same: they are read once"
    assert summary_of(events).sections_failed == 0


def test_a_section_that_fails_twice_counts_as_failed_and_its_blocks_as_unread(tmp_path: Path) -> None:
    bad = {"when": "Part 2 of", "text": "I cannot do this."}
    with scripted(tmp_path, bad, *GOOD, WRITTEN, context_tokens=NARROW_TOKENS) as model:
        events = events_of(model, long_document(SECTIONS))
        assert len([text for text in model.sections_asked if text.startswith("Part 2 ")]) == 2
    summary = summary_of(events)
    assert (summary.sections, summary.sections_read, summary.sections_failed) == (4, 3, 1)
    assert (summary.documents[0].coverage.blocks, summary.documents[0].coverage.blocks_read) == (8, 6)
    assert summary.documents[0].coverage.unread_pages == (2,)
    assert not summary.is_partial
    assert sections(events)[2] == []


def test_an_error_of_one_answer_is_tried_again_and_then_counts_as_a_failed_section(tmp_path: Path) -> None:
    broken = {"when": "Part 2 of", "error": "GrammarInvalid", "fields": {"detail": "x"}}
    with scripted(tmp_path, broken, *GOOD, WRITTEN, context_tokens=NARROW_TOKENS) as model:
        summary = summary_of(events_of(model, long_document(SECTIONS)))
    assert (summary.sections_read, summary.sections_failed) == (3, 1)
    assert summary.statements


def test_a_failed_section_is_not_kept_so_that_another_run_tries_it_again(tmp_path: Path) -> None:
    steps = MemorySteps()
    bad = {"when": "Part 2 of", "text": "", "times": 2}
    with scripted(tmp_path, bad, *GOOD, WRITTEN, context_tokens=NARROW_TOKENS) as model:
        assert summary_of(events_of(model, long_document(SECTIONS), steps=steps)).sections_failed == 1
        before = len(model.sections_asked)
        again = summary_of(events_of(model, long_document(SECTIONS), steps=steps))
        assert len(model.sections_asked) == before + 1
    assert again.sections_failed == 0
    assert again.documents[0].coverage.blocks_read == 8


@pytest.mark.parametrize(
    ("answer", "points"),
    [
        ('{"points":[{"t":"Kiln 2 was fired in 1902.","ids":[4],"q":"fired in 1902"}]}', 1),
        (
            '{"points":[{"t":"Kiln 2 was fired in 1902.","ids":[4]},{"t":"It has word2x1, word2x2.","ids":[4]},{"t":',
            2,
        ),
        ('```json\n{"points":[{"t":"Kiln 2 was fired in 1902.","ids":[4]}]}\n```', 1),
        ('{"points":[{"t":"Kiln 2 was fired in 1902.","ids":["4", 4, 99, true]}, "no"]} thanks', 1),
        ("- Kiln 2 was fired in 1902. [4]\n", 1),
    ],
    ids=["whole", "cut off", "in a fence", "odd values", "as lines"],
)
def test_of_broken_json_all_points_that_are_whole_are_taken(tmp_path: Path, answer: str, points: int) -> None:
    rules = [{"when": "Part 2 of", "text": answer, "times": 1}, *GOOD, WRITTEN]
    with scripted(tmp_path, *rules, context_tokens=NARROW_TOKENS, size_bytes=LARGE_BYTES) as model:
        events = events_of(model, long_document(SECTIONS))
        assert len(asked_of(model, 2)[:2]) >= 1
        assert len([text for text in model.sections_asked if text.startswith("Part 2 ")]) == 1
        assert "JSON" in requests(model.script)[0]["messages"][0][1]
    found = next(event for event in events if isinstance(event, SectionRead) and event.first_page == 2)
    assert len(found.points) == points
    assert [one.block_id for one in found.points[0].anchors] == [4]


def test_a_larger_model_may_say_that_a_section_has_nothing_of_importance(tmp_path: Path) -> None:
    rules = [{"when": "Part 2 of", "text": '{"points":[]}'}, *GOOD, WRITTEN]
    with scripted(tmp_path, *rules, context_tokens=NARROW_TOKENS, size_bytes=LARGE_BYTES) as model:
        summary = summary_of(events_of(model, long_document(SECTIONS)))
        assert len([text for text in model.sections_asked if text.startswith("Part 2 ")]) == 1
    assert summary.sections_failed == 0
    assert summary.documents[0].coverage.blocks_read == 8


def test_a_quotation_that_is_not_on_the_page_is_told(tmp_path: Path) -> None:
    text = '{"points":[{"t":"Kiln 2 was fired in 1902.","ids":[4],"q":"the kiln exploded with a loud noise in May"}]}'
    rules = [{"when": "Part 2 of", "text": text}, *GOOD, WRITTEN]
    with scripted(tmp_path, *rules, context_tokens=NARROW_TOKENS, size_bytes=LARGE_BYTES) as model:
        events = events_of(model, long_document(SECTIONS))
    found = next(event for event in events if isinstance(event, SectionRead) and event.first_page == 2)
    assert not found.points[0].check.found


def test_an_answer_that_is_too_long_is_asked_for_in_halves_which_are_kept(tmp_path: Path) -> None:
    steps = MemorySteps()
    endless = {"when": "Part 2 of.*\n.*\n.*\n.*\n.*\n.*Kiln 2", "text": "word " * 200, "finish": "length", "times": 1}
    with scripted(tmp_path, endless, *GOOD, WRITTEN, context_tokens=NARROW_TOKENS) as model:
        events = events_of(model, long_document(SECTIONS), steps=steps)
        parts = [text for text in model.sections_asked if text.startswith("Part 2 ")]
        assert len(parts) == 3
        assert all(len(half) < len(parts[0]) for half in parts[1:])
        assert all(any(f"word2x{n}" in half for half in parts[1:]) for n in range(36))
        before = len(model.asked)
        again = events_of(model, long_document(SECTIONS), steps=steps)
        assert len(model.asked) == before
    assert len([event for event in events if isinstance(event, SectionRead)]) == SECTIONS
    assert summary_of(events).documents[0].coverage.blocks_read == 8
    assert summary_of(again).documents[0].coverage.blocks_read == 8
    assert "Kiln 2 was fired in 1902." in sections(events)[2]


def test_a_prompt_that_does_not_fit_after_all_is_halved(tmp_path: Path) -> None:
    fields = {"prompt_tokens": 9, "context_tokens": 8}
    long = {"when": "Part 2 of", "error": "PromptTooLong", "fields": fields, "times": 1}
    with scripted(tmp_path, long, *GOOD, WRITTEN, context_tokens=NARROW_TOKENS) as model:
        summary = summary_of(events_of(model, long_document(SECTIONS)))
    assert summary.sections_failed == 0
    assert summary.documents[0].coverage.blocks_read == 8


def test_a_write_up_that_fails_twice_leaves_the_points_themselves(tmp_path: Path) -> None:
    bad = {"when": "^Text", "text": "I'm sorry, I can't."}
    with scripted(tmp_path, *GOOD, bad, context_tokens=NARROW_TOKENS) as model:
        summary = summary_of(events_of(model, long_document(SECTIONS)))
        assert len(model.write_ups_asked) == 2
    assert [one.text for one in summary.statements] == [f"Kiln {n} was fired in {1900 + n}." for n in range(1, 5)]
    assert all(one.check.found and one.anchors for one in summary.statements)
    assert not summary.is_partial


def test_a_summary_in_one_pass_that_fails_twice_says_that_nothing_was_read(tmp_path: Path) -> None:
    with scripted(tmp_path, {"text": "I'm sorry, I can't."}) as model:
        summary = summary_of(events_of(model, document("The kiln was built in 1871.")))
    assert summary.statements == ()
    assert (summary.sections_read, summary.sections_failed) == (0, 1)
    assert summary.documents[0].coverage.blocks_read == 0


# The engine ends.


def test_after_a_crash_in_one_section_the_others_are_not_read_again(tmp_path: Path) -> None:
    crash = said(3, text="word " * 80, crash_after=60, times=1)
    with scripted(tmp_path, crash, *GOOD, WRITTEN, context_tokens=NARROW_TOKENS) as model:
        events = events_of(model, long_document(SECTIONS))
        asked = [text[:6] for text in model.sections_asked]
    assert sorted(asked) == ["Part 1", "Part 2", "Part 3", "Part 3", "Part 4"]
    assert summary_of(events).documents[0].coverage.blocks_read == 8
    assert len(sections(events)) == SECTIONS


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
        assert [text[:6] for text in model.sections_asked].count("Part 3") == 3
    with scripted(tmp_path / "b", *GOOD, WRITTEN, context_tokens=NARROW_TOKENS) as model:
        summary = summary_of(events_of(model, long_document(SECTIONS), steps=steps))
        assert [text[:6] for text in model.sections_asked] == ["Part 3"]
    assert summary.documents[0].coverage.blocks_read == 8


def test_another_model_in_its_place_ends_the_work(tmp_path: Path) -> None:
    slow = [said(number, delay_s=0.2) for number in range(1, SECTIONS + 1)]
    with scripted(tmp_path, *slow, WRITTEN, context_tokens=NARROW_TOKENS) as model:
        running = summarize([long_document(SECTIONS)], Wish(), model.engine, MemorySteps(), CancelToken())
        next(running)
        timer = threading.Timer(0.3, lambda: load(model.engine, Path("other.gguf")))
        timer.start()
        with pytest.raises(ModelReplaced):
            list(running)
        timer.join()


# A person stops or chats.


def test_stopped_it_ends_at_once_with_what_was_read(tmp_path: Path) -> None:
    slow = [said(number, delay_s=0.05 * number) for number in range(1, SECTIONS + 1)]
    slow[3] = said(4, text="word " * 900, delay_s=0.1)
    cancel, steps = CancelToken(), MemorySteps()
    with scripted(tmp_path, *slow, WRITTEN, context_tokens=NARROW_TOKENS) as model:
        running = summarize([long_document(SECTIONS)], Wish(), model.engine, steps, cancel)
        read = next(event for event in running if isinstance(event, SectionRead))
        cancel.cancel()
        stopped_s = time.monotonic()
        rest = list(running)
        took_s = time.monotonic() - stopped_s
        assert model.write_ups_asked == []
    summary = rest[-1].summary if isinstance(rest[-1], Summarized) else None
    assert summary is not None
    assert took_s < 1
    assert summary.is_partial
    assert summary.sections_read == 1 + len([event for event in rest if isinstance(event, SectionRead)])
    assert read.points[0].text in [one.text for one in summary.statements]
    assert 0 < summary.documents[0].coverage.blocks_read < 8
    assert summary.documents[0].coverage.unread_pages


def test_stopped_while_it_is_written_up_the_points_are_what_there_is(tmp_path: Path) -> None:
    cancel = CancelToken()
    slow = {"when": "^Text", "text": "word " * 900, "delay_s": 0.02}
    with scripted(tmp_path, *GOOD, slow, context_tokens=NARROW_TOKENS) as model:
        running = summarize([long_document(SECTIONS)], Wish(), model.engine, MemorySteps(), cancel)
        next(event for event in running if isinstance(event, Writing))
        cancel.cancel()
        rest = list(running)
    assert isinstance(rest[-1], Summarized)
    summary = rest[-1].summary
    assert summary.is_partial
    assert [one.text for one in summary.statements] == [f"Kiln {n} was fired in {1900 + n}." for n in range(1, 5)]
    assert summary.documents[0].coverage.blocks_read == 8


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
        running = summarize([document("The kiln.")], Wish(), model.engine, MemorySteps(), cancel)
        next(event for event in running if isinstance(event, Writing))
        cancel.cancel()
        summary = summary_of(list(running))
    assert (summary.is_partial, summary.statements) == (True, ())
    assert summary.documents[0].coverage.blocks_read == 0


def test_it_rests_while_somebody_chats_and_then_goes_on(tmp_path: Path) -> None:
    slow = [said(number, delay_s=0.02) for number in range(1, SECTIONS + 1)]
    hello = {"when": "hello", "text": "word " * 10, "delay_s": 0.05}
    with scripted(tmp_path, hello, *slow, WRITTEN, context_tokens=NARROW_TOKENS) as model:
        running = summarize([long_document(SECTIONS)], Wish(), model.engine, MemorySteps(), CancelToken())
        events = [next(running)]
        chat = threading.Thread(target=lambda: list(model.engine.generate([user("hello")])))
        chat.start()
        events += list(running)
        chat.join()
    reasons = [event.reason for event in events if isinstance(event, Rests)]
    assert reasons == ["interactive", ""]
    assert len(sections(events)) == SECTIONS


# Too many points for one prompt.

MANY = 14


def wordy(number: int) -> dict[str, Any]:
    """A point that takes room."""
    text = f"[{2 * number}] Kiln {number} was fired in {1900 + number} with " + " ".join(
        f"word{number}x{n}" for n in range(12)
    )
    return {"when": rf"Part {number} of", "text": f"{text}."}


def merged(text: str = "[1] Kilns of this part were fired.\n") -> dict[str, Any]:
    """What the points of several sections are joined to."""
    return {"when": "^Points", "text": text}


def test_points_are_joined_with_their_sentences_as_evidence_until_they_fit(tmp_path: Path) -> None:
    points = [wordy(number) for number in range(1, MANY + 1)]
    with scripted(tmp_path, *points, merged(), WRITTEN, context_tokens=NARROW_TOKENS) as model:
        events = events_of(model, long_document(MANY))
        merges = [text for text in model.asked if text.startswith("Points")]
    told = [(event.done, event.merges) for event in events if isinstance(event, Merging)]
    assert len(told) == len(merges) >= 4
    assert told[-1][0] == told[-1][1]
    assert "Source sentences, for checking only:\n[1] Kiln 1 was fired in 1901." in merges[0]
    assert all(merge.count("\n[") <= 2 * 20 + 20 for merge in merges)
    assert summary_of(events).documents[0].coverage.blocks_read == 2 * MANY


def test_merges_are_kept_too(tmp_path: Path) -> None:
    steps = MemorySteps()
    points = [wordy(number) for number in range(1, MANY + 1)]
    with scripted(tmp_path, *points, merged(), WRITTEN, context_tokens=NARROW_TOKENS) as model:
        events_of(model, long_document(MANY), steps=steps)
        before = len(model.asked)
        events_of(model, long_document(MANY), steps=steps)
        assert len(model.asked) == before


def test_where_joining_fails_twice_the_points_stay_as_they_are_thinned_out_evenly(tmp_path: Path) -> None:
    points = [wordy(number) for number in range(1, MANY + 1)]
    with scripted(
        tmp_path, *points, merged("I cannot help with that."), {"text": ""}, context_tokens=NARROW_TOKENS
    ) as model:
        summary = summary_of(events_of(model, long_document(MANY)))
        prompt = model.write_ups_asked[0]
    assert len(prompt.split()) < NARROW_TOKENS
    kilns = [one.anchors[0].block_id // 2 for one in summary.statements]
    assert kilns == sorted(kilns)
    assert len(kilns) >= 3
    assert kilns[-1] - kilns[0] > MANY // 2, "from beginning to end"
    assert all(one.check.found for one in summary.statements)


def test_a_book_is_joined_level_by_level_in_its_order(tmp_path: Path) -> None:
    points = [wordy(number) for number in range(1, 61)]
    long = " ".join(f"merged{n}" for n in range(30))
    join = [{"when": f"^Points(.|\\n)*Kiln {n} was", "text": f"[1] Group {n} has {long}."} for n in range(1, 61)]
    with scripted(tmp_path, *points, *join, merged(), WRITTEN, context_tokens=NARROW_TOKENS) as model:
        events = events_of(model, long_document(60))
        merges = [text for text in model.asked if text.startswith("Points")]
    second = [text for text in merges if "] Group " in text]
    assert second, "what was joined is joined again"
    assert [event.done for event in events if isinstance(event, Merging)] == list(range(1, len(merges) + 1))
    kilns = [int(number) for text in merges for number in re.findall(r"^\[\d+\] Kiln (\d+) was", text, re.MULTILINE)]
    assert set(kilns) == set(range(1, 61)), "each point is in a merge"
    assert not summary_of(events).is_partial
