"""Protected text that a model wrote out itself: taken for the mark it belongs to, or out of the text."""

from __future__ import annotations

import re
from collections.abc import Sequence

from app.documents.segments import Content, Mark, content_of, marks
from app.features.translation.marking import PROTECTED, Shown
from app.features.translation.protecting import placeholders

_SPACES = re.compile(r"(?<=\S) {2,}(?=\S)")


def adopted(source: Shown, found: Content) -> tuple[Content, tuple[str, ...]]:
    """A core in which the text of a mark that is missing became that mark, and what was taken out of it.

    Placeholders that the source has not (or not so often) are taken out: a program would put a value there.
    """
    there = {mark.key for mark in marks(found)}
    missing = [
        mark
        for mark in marks(source.core)
        if mark.look == PROTECTED and mark.role == "single" and mark.key not in there
    ]
    parts: list[str | Mark] = []
    for part in found:
        parts += _with_marks(part, missing) if isinstance(part, str) else [part]
    invented: list[str] = []
    cleaned = [_without(part, source, invented) if isinstance(part, str) else part for part in parts]
    return content_of(cleaned), tuple(invented)


def _with_marks(text: str, missing: list[Mark]) -> list[str | Mark]:
    """The text with marks in place of theirs, each once; `missing` is left with the others."""
    hits = sorted((text.find(mark.shows), number) for number, mark in enumerate(missing) if mark.shows in text)
    if not hits:
        return [text]
    at, number = hits[0]
    mark = missing.pop(number)
    return [text[:at], mark, *_with_marks(text[at + len(mark.shows) :], missing)]


def _without(text: str, source: Shown, invented: list[str]) -> str:
    found: Sequence[str] = [one for one in placeholders(text, source.kind) if one not in source.words]
    for one in dict.fromkeys(found):
        invented.append(one)
        text = _SPACES.sub(" ", text.replace(one, ""))
    return text
