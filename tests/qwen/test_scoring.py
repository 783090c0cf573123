"""A real model's tool calls are scored: constrained ones are always valid, and saying that none fits is possible."""

from __future__ import annotations

from app.core.events import CancelToken
from app.engine.client import EngineClient
from app.features.tool_calls import NO_TOOL_FITS, CallWay
from app.features.tools.score_requests import score_requests, score_tools
from app.features.tools.scoring import RequestScored, WaysCompared, compare_ways


def test_constrained_calls_are_valid_and_late_is_no_worse_than_free(engine_05b: EngineClient) -> None:
    asked = score_requests()
    # A third of them need no tool, as in the whole set; the first of those is a greeting, whose calls don't count.
    needed = [request for request in asked if request.tool]
    chosen = needed[6:10] + [request for request in asked if not request.tool][1:3]
    *events, last = compare_ways(engine_05b, chosen, score_tools(), CancelToken())
    assert isinstance(last, WaysCompared)
    free, lazy, strict = (score.to_fields() for score in last.ways)
    assert lazy["valid"] == strict["valid"] == len(chosen)
    assert lazy["right_arguments"] >= free["right_arguments"]
    assert lazy["called_without_need"] <= free["called_without_need"]
    answers = [event.answer for event in events if isinstance(event, RequestScored) and event.way is CallWay.STRICT]
    assert all(answer.tool or answer.text == NO_TOOL_FITS for answer in answers), answers
    assert any(answer.text == NO_TOOL_FITS for answer in answers)
