"""Answers that are data: what a grammar or a JSON schema promised, as Python values."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from app.core.errors import ResultUnfinished
from app.core.events import Event, Finished, FinishReason, TextDelta


def collect_json(events: Iterable[Event]) -> Any:
    """The JSON value that an answer is, thinking left out.

    Raises ResultUnfinished with the text so far when the answer was cut (length, context, cancelled) or is not JSON.
    """
    text, reason = collect_text(events)
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ResultUnfinished(text) from error
    if reason is not FinishReason.STOP:
        raise ResultUnfinished(text)
    return value


def collect_text(events: Iterable[Event]) -> tuple[str, FinishReason | None]:
    """The whole answer, thinking left out, and why it ended; None when it did not."""
    text: list[str] = []
    reason: FinishReason | None = None
    for event in events:
        if isinstance(event, TextDelta) and not event.thinking:
            text.append(event.text)
        elif isinstance(event, Finished):
            reason = event.stats.finish_reason
    return "".join(text), reason
