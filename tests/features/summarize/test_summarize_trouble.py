"""Summaries where the answers are no use: what is tried again, what is made of it, and what is told."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from app.features.summarize.summarize import Planned, SectionRead
from app.features.summarize.summary_attempt import MemorySteps, PartialSummary
from app.features.summarize.summary_result import SummaryOptions
from tests.features.summarize.pipeline import (
    LARGE_BYTES,
    NARROW_TOKENS,
    Scripted,
    document,
    events_of,
    long_document,
    points_of,
    said,
    scripted,
    summary_of,
)
from tests.helpers.script import requests

SECTIONS = 4
GOOD = [said(number) for number in range(1, SECTIONS + 1)]
WRITTEN = {"when": "^Text", "text": "[1] Kiln 1 was fired in 1901.\n[3] Kiln 3 was fired in 1903.\n"}


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
    with scripted(tmp_path, bad, *GOOD, WRITTEN, context_tokens=420, size_bytes=LARGE_BYTES) as model:
        events = events_of(model, long_document(SECTIONS))
        first, second = asked_of(model, 2)[:2]
    assert points_of(events)[2] == ["Kiln 2 was fired in 1902."]
    assert sentence in second["messages"][-1][1]
    assert sentence not in first["messages"][-1][1]
    assert second["task_sampling"]["temperature"] == pytest.approx(first["task_sampling"]["temperature"] + 0.25)
    assert first["messages"][0] == second["messages"][0], "the instructions stay the same: they are read once"
    assert summary_of(events).sections_failed == 0


def test_a_section_that_fails_twice_counts_as_failed_and_its_blocks_as_unread(tmp_path: Path) -> None:
    bad = {"when": "Part 2 of", "text": "I cannot do this."}
    with scripted(tmp_path, bad, *GOOD, WRITTEN, context_tokens=NARROW_TOKENS) as model:
        events = events_of(model, long_document(SECTIONS))
        assert len([text for text in model.sections_asked if "Part 2 of " in text]) == 2
    summary = summary_of(events)
    assert (summary.sections, summary.sections_read, summary.sections_failed) == (4, 3, 1)
    assert (summary.documents[0].coverage.blocks, summary.documents[0].coverage.blocks_read) == (8, 6)
    assert summary.documents[0].coverage.unread_pages == (2,)
    assert not summary.is_partial
    assert points_of(events)[2] == []
    partial = PartialSummary([long_document(SECTIONS)], SummaryOptions(), "Kilns", "m.gguf")
    for event in events:
        if isinstance(event, SectionRead):
            partial.add_section(event)
    left = partial.make_summary(SECTIONS, 1.0)
    assert (left.sections_read, left.sections_failed) == (3, 1), "a partial one counts alike"


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
        assert len([text for text in model.sections_asked if "Part 2 of " in text]) == 1
        assert "JSON" in requests(model.script)[0]["messages"][0][1]
    found = next(event for event in events if isinstance(event, SectionRead) and event.first_page == 2)
    assert len(found.points) == points
    assert [one.block_id for one in found.points[0].anchors] == [4]


def test_a_larger_model_may_say_that_a_section_has_nothing_of_importance(tmp_path: Path) -> None:
    rules = [{"when": "Part 2 of", "text": '{"points":[]}'}, *GOOD, WRITTEN]
    with scripted(tmp_path, *rules, context_tokens=NARROW_TOKENS, size_bytes=LARGE_BYTES) as model:
        summary = summary_of(events_of(model, long_document(SECTIONS)))
        assert len([text for text in model.sections_asked if "Part 2 of " in text]) == 1
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
    endless = {"when": "(?s)Part 2 of.*Kiln 2", "text": "word " * 200, "finish": "length", "times": 1}
    with scripted(tmp_path, endless, *GOOD, WRITTEN, context_tokens=NARROW_TOKENS) as model:
        events = events_of(model, long_document(SECTIONS), steps=steps)
        parts = [text for text in model.sections_asked if "Part 2 of " in text]
        assert len(parts) == 3
        assert all(len(half) < len(parts[0]) for half in parts[1:])
        assert all(any(f"word2x{n}" in half for half in parts[1:]) for n in range(36))
        before = len(model.asked)
        again = events_of(model, long_document(SECTIONS), steps=steps)
        assert len(model.asked) == before
    assert len([event for event in events if isinstance(event, SectionRead)]) == SECTIONS
    assert summary_of(events).documents[0].coverage.blocks_read == 8
    assert summary_of(again).documents[0].coverage.blocks_read == 8
    assert "Kiln 2 was fired in 1902." in points_of(events)[2]


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


def test_a_summary_in_one_pass_that_fails_twice_is_read_in_sections(tmp_path: Path) -> None:
    given = document("The kiln was built in 1871.", "The roof leaks since May.")
    refused = {"when": "^Text", "text": "I'm sorry, I can't.", "times": 2}
    point = {"when": "== part ==", "text": "[1] The kiln was built in 1871.\n[2] The roof leaks since May.\n"}
    with scripted(tmp_path, refused, point) as model:
        events = events_of(model, given)
        assert [text.split()[0] for text in model.asked] == ["Text", "Text", "Document:"]
    assert [event.sections for event in events if isinstance(event, Planned)] == [1, 1]
    summary = summary_of(events)
    assert [one.text for one in summary.statements] == ["The kiln was built in 1871.", "The roof leaks since May."]
    assert all(one.check.found and one.anchors for one in summary.statements)
    assert (summary.sections, summary.sections_read, summary.sections_failed) == (1, 1, 0)
    assert summary.documents[0].coverage.blocks_read == 2
    assert not summary.is_partial


def test_how_many_sections_it_then_has_is_planned_again(tmp_path: Path) -> None:
    given = document(*(f"Kiln {n} was fired. {' '.join(f'word{n}x{m}' for m in range(195))}." for n in range(1, 11)))
    refused = {"when": "^Text", "text": "I'm sorry, I can't.", "times": 2}
    point = {"when": "Part", "text": "[1] Kiln 1 was fired.\n[6] Kiln 6 was fired.\n[10] Kiln 10 was fired.\n"}
    with scripted(tmp_path, refused, point, WRITTEN, context_tokens=8000, size_bytes=800_000_000) as model:
        events = events_of(model, given)
        count = len(model.sections_asked)
    first, second = [event for event in events if isinstance(event, Planned)]
    assert first.sections == 1 < second.sections == count
    assert second.tokens == first.tokens
    assert [event.sections for event in events if isinstance(event, SectionRead)] == [count] * count
    summary = summary_of(events)
    assert (summary.sections, summary.sections_read, summary.sections_failed) == (count, count, 0)
    assert summary.documents[0].coverage.blocks_read == 10


def test_a_summary_in_one_pass_that_fails_twice_and_in_sections_too_says_that_nothing_was_read(tmp_path: Path) -> None:
    with scripted(tmp_path, {"text": "I'm sorry, I can't."}) as model:
        summary = summary_of(events_of(model, document("The kiln was built in 1871.")))
    assert summary.statements == ()
    assert (summary.sections_read, summary.sections_failed) == (0, 1)
    assert summary.documents[0].coverage.blocks_read == 0
