"""What a translation is found by, besides its title: the file's name, and the text on both sides."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from app.store.jobs import Job
from app.store.translations import StoredSegment

MOST_CHARACTERS = 1_000_000
"""Of a longer text what comes first: the index would take longer than the work beside it may."""


def searched_text(job: Job, segments: Iterable[StoredSegment]) -> str:
    """The words without their markup."""
    found, length = [str(job.spec.get("name", ""))], 0
    for segment in segments:
        for fields in (segment.source, segment.target or {}):
            words = _words(fields.get("content", ()))
            found.append(words)
            length += len(words)
        if length >= MOST_CHARACTERS:
            break
    return "\n".join(found)


def _words(content: Iterable[Any]) -> str:
    return "".join(part for part in content if isinstance(part, str))
