"""Answers as data: whole, cut off, or none at all."""

from __future__ import annotations

import pytest

from app.core.errors import ResultUnfinished
from app.core.events import AnswerStats, Event, Finished, FinishReason, PromptProgress, TextDelta
from app.engine.typed import collect_json


def events(*deltas: TextDelta, reason: FinishReason = FinishReason.STOP) -> list[Event]:
    return [PromptProgress(1, 1), *deltas, Finished(AnswerStats(1, 0, 1, 0.1, 1.0, reason))]


def test_an_answer_is_a_value() -> None:
    assert collect_json(events(TextDelta('{"a": '), TextDelta("[1, 2]}"))) == {"a": [1, 2]}


def test_thinking_is_no_part_of_it() -> None:
    assert collect_json(events(TextDelta('{"not": this}', thinking=True), TextDelta("7"))) == 7


@pytest.mark.parametrize("reason", [FinishReason.LENGTH, FinishReason.CONTEXT, FinishReason.CANCELLED])
def test_what_was_cut_off_is_not_taken_for_a_result(reason: FinishReason) -> None:
    for text in ('{"a": 1', "12"):  # 12 may have been 123
        with pytest.raises(ResultUnfinished) as unfinished:
            collect_json(events(TextDelta(text), reason=reason))
        assert unfinished.value.text == text


def test_what_is_not_json_is_unfinished() -> None:
    with pytest.raises(ResultUnfinished):
        collect_json(events(TextDelta("Sure, here it is")))
    with pytest.raises(ResultUnfinished):
        collect_json(events(TextDelta("[" * 100_000)))


def test_an_answer_that_never_ended_is_unfinished() -> None:
    with pytest.raises(ResultUnfinished):
        collect_json([TextDelta("{}")])
