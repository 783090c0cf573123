"""What a rewriter is given, and how it asks for every segment.

A rewriter walks its file once, hands every segment to its visit in reading order, and writes the file with what that
returns. The same walk serves finding the segments (`out` is None, and every visit returns None) and writing them, so
that both number alike. It raises what a reader raises.

What it promises: no text a reader would see is left out of the segments; a segment whose visit returns None, or its
own content, leaves its part of the file as it was, byte for byte where the format allows, and a part of the file (a
member of an archive) in which nothing changes is copied as it is. A content that is returned has exactly the marks of
the segment (`nests` holds for it), perhaps in another order; whatever it holds, the file stays well-formed: characters
that the format cannot have are taken out, what it must escape is escaped.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, BinaryIO, Protocol

from app.documents.segments import Content, Segment, SegmentKind
from app.documents.source import Source


@dataclass(frozen=True)
class Target:
    """The language that the file is in when it is written, as BCP 47 has it ("pt-BR"), and its direction.

    The file's own marks of language and direction are set to it; None in place of a Target leaves them.
    """

    language: str
    is_rtl: bool = False


Visit = Callable[[Segment], Content | None]
Rewrite = Callable[[Source, BinaryIO | None, Visit, Target | None], None]


class Ask(Protocol):
    """Gives a new content, or None where all stays as it is."""

    def __call__(
        self, content: Content, kind: SegmentKind = ..., page: int = ..., level: int = ..., context: str = ...
    ) -> Content | None: ...


class Visits:
    """Numbers segments from 1 in the order in which they are shown to the visit."""

    def __init__(self, visit: Visit) -> None:
        self._visit = visit
        self.count = 0

    def __call__(
        self,
        content: Content,
        kind: SegmentKind = SegmentKind.PARAGRAPH,
        page: int = 0,
        level: int = 0,
        context: str = "",
        *,
        translated: Content = (),
    ) -> Content | None:
        """What is to stand there instead; None where it stays as it is."""
        self.count += 1
        new = self._visit(Segment(self.count, content, kind, page, level, context, translated))
        return None if new == content else new


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

    def __call__(self, content: Content, *told: Any, **more: Any) -> Content | None:
        if content not in self._known:
            self._known[content] = self._ask(content, *told, **more)
        return self._known[content]
