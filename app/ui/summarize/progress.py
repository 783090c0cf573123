"""How far a summary is, gathered from what its work tells; knows no widgets."""

from __future__ import annotations

from app.features.summarize import Merging, Planned, Rests, SectionRead, Summarized, SummaryEvent, Writing
from app.features.summary.result import Statement

READING_SHARE = 0.8
JOINING_SHARE = 0.08
MOST_SHARE = 0.98
"""A line that is full says that it is over."""


class Progress:
    """Of one summary that is being worked on, since its work began."""

    def __init__(self) -> None:
        self.sections = 0
        """0: not known yet."""
        self.done = 0
        self.points: list[Statement] = []
        self.joined: tuple[int, int] | None = None
        """How many of how many groups of points are joined; None before that."""
        self.text = ""
        """The write-up so far."""
        self.rests = ""
        """Why the work waits, as `Rests` says it; "" while it goes on."""

    def take(self, event: SummaryEvent) -> None:
        """Something happened."""
        if not isinstance(event, Rests | Summarized):
            self.rests = ""
        if isinstance(event, Planned):
            self.sections, self.done, self.points, self.joined, self.text = event.sections, 0, [], None, ""
        elif isinstance(event, Rests):
            self.rests = event.reason
        elif isinstance(event, SectionRead):
            self.done, self.sections = event.done, event.sections
            self.points += event.points
        elif isinstance(event, Merging):
            self.joined = (event.done, event.merges)
        elif isinstance(event, Writing):
            self.text = event.text

    @property
    def share(self) -> float:
        """Of the whole, 0 to 1: reading is most of it, joining and writing the rest."""
        if not self.sections:
            return 0.0
        if self.text:
            return MOST_SHARE
        if self.done < self.sections:
            return READING_SHARE * self.done / self.sections
        done, merges = self.joined or (0, 1)
        return READING_SHARE + JOINING_SHARE * done / max(1, merges)
