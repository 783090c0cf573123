"""Judgements of an answer in our chat file: entries among its citations that name no document."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from app.features.chat.tool_steps import STEP, step_to_fields, steps_of
from app.features.exchange.foreign import fields_of, list_of, text_of
from app.features.retrieval.support import NOT_FOUND, is_marked_not_found, unsupported_parts, with_unsupported
from app.features.survey.wanted import SurveyCoverage, made_of, made_to_fields

STEPS = "steps"
"""Key of what tools did for an answer."""


def marks_to_fields(sources: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return the marks of an answer with these sources as one object; empty without any."""
    made, parts = made_of(sources), unsupported_parts(sources)
    marks = made_to_fields(made) if made is not None else {}
    marks |= NOT_FOUND if is_marked_not_found(sources) else {}
    steps = [step_to_fields(step)[STEP] for step in steps_of(sources)]
    marks |= {STEPS: steps} if steps else {}
    return marks | (with_unsupported((), parts.spans, parts.checker)[0] if parts is not None and parts.spans else {})


def marked_sources(value: Any, text: str, places: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the sources of an answer with this text: its places, and what is possible of the marks in a file."""
    marks = fields_of(value)
    made, parts = made_of([marks]), unsupported_parts([marks])
    # A file may come from anywhere: values that can't be are left out, the rest of the answer is kept.
    sources = [made_to_fields(made)] if made is not None and _is_possible(made) else []
    sources += [step_to_fields(step) for step in steps_of([{STEP: step} for step in list_of(marks.get(STEPS))])]
    sources += places
    sources += [NOT_FOUND] if marks.get("support") == NOT_FOUND["support"] else []
    # Spans of another text, or of an edited one, would mark the wrong words.
    spans = [] if parts is None else [(start, end) for start, end in parts.spans if 0 <= start < end <= len(text)]
    return with_unsupported(sources, spans, text_of(marks.get("checker")))


def _is_possible(coverage: SurveyCoverage) -> bool:
    """Return whether every value has its type and no number is negative."""
    numbers = (coverage.sections, coverage.read, coverage.seconds)
    is_number = [isinstance(value, int | float) and 0 <= value < 2**53 for value in numbers]
    return all(is_number) and isinstance(coverage.is_by_model, bool)
