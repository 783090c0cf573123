"""Segments on their way to a visit: each gets its number."""

from __future__ import annotations

from app.documents.segments import Content, Segment, SegmentKind
from app.documents.writers import Visit


class Visits:
    """Numbers segments from 1 in the order in which they are shown to the visit."""

    def __init__(self, visit: Visit) -> None:
        self._visit = visit
        self.count = 0

    def show(
        self,
        content: Content,
        kind: SegmentKind = SegmentKind.PARAGRAPH,
        *,
        page: int = 0,
        level: int = 0,
        context: str = "",
        translated: Content = (),
    ) -> Content | None:
        """What is to stand there instead; None where it stays as it is."""
        self.count += 1
        new = self._visit(Segment(self.count, content, kind, page, level, context, translated))
        return None if new == content else new
