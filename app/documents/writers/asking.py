"""Hands out segments, numbered in their order, and takes what they become; counts what is left."""

from __future__ import annotations

from typing import Protocol

from app.documents.segments import Content, Segment, SegmentKind
from app.documents.writers import Visit


class Ask(Protocol):
    """Gives a new content, or None where all stays as it is."""

    def __call__(
        self, content: Content, kind: SegmentKind = ..., page: int = ..., level: int = ..., context: str = ...
    ) -> Content | None: ...


class Asking:
    """Asks for every content."""

    def __init__(self, visit: Visit) -> None:
        self._visit = visit
        self._count = 0

    def __call__(
        self,
        content: Content,
        kind: SegmentKind = SegmentKind.PARAGRAPH,
        page: int = 0,
        level: int = 0,
        context: str = "",
    ) -> Content | None:
        self._count += 1
        given = self._visit(Segment(self._count, content, kind, page, level, context))
        return None if given == content else given


class Left:
    """Counts pieces of code, which are no segments: paragraphs of it that follow each other are one piece."""

    def __init__(self) -> None:
        self.count = 0
        self._goes_on = False

    def paragraph(self, *, is_code: bool) -> None:
        """The next paragraph that has words."""
        self.count += is_code and not self._goes_on
        self._goes_on = is_code


class Once:
    """Asks for a content the first time it comes, and gives the same for it later: for what is in a file twice."""

    def __init__(self, ask: Ask) -> None:
        self._ask = ask
        self._known: dict[Content, Content | None] = {}

    def __call__(
        self,
        content: Content,
        kind: SegmentKind = SegmentKind.PARAGRAPH,
        page: int = 0,
        level: int = 0,
        context: str = "",
    ) -> Content | None:
        if content not in self._known:
            self._known[content] = self._ask(content, kind, page, level, context)
        return self._known[content]
