"""How far a translation at work is, out of its events."""

from __future__ import annotations

from app.features.translation.result import (
    SegmentDone,
    SegmentGrows,
    TranslationEvent,
    TranslationPlanned,
    TranslationRests,
)


class Progress:
    """`done` of `segments`; `growing` is what is being written now, by segment. `rests`: why it waits, or ""."""

    def __init__(self) -> None:
        self.segments = 0
        self.done = 0
        self.rests = ""
        self.source = ""
        self.growing: dict[int, str] = {}

    @property
    def share(self) -> float:
        """From 0 to 1."""
        return self.done / self.segments if self.segments else 0.0

    def take(self, event: TranslationEvent) -> None:
        """One more event."""
        if isinstance(event, TranslationPlanned):
            self.segments, self.done, self.source = event.segments, event.known, event.source
        elif isinstance(event, TranslationRests):
            self.rests = event.reason
        elif isinstance(event, SegmentGrows):
            self.growing[event.id] = event.text
        elif isinstance(event, SegmentDone):
            self.growing.pop(event.translated.id, None)
            self.done, self.segments = event.done, event.segments
