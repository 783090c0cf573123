"""What the Summarize tab says: times, sizes, how far the work is, and the names of lengths and forms."""

from __future__ import annotations

from app.features.messages import units
from app.features.summary.result import Anchor, Form, Length, Statement, Summary
from app.features.summary.summaries import Estimate, StoredSummary
from app.features.summary.summarize import Merging, Planned, Rests, SectionRead, Summarized, SummaryEvent, Writing
from app.store.documents import StoredDocument
from app.ui.i18n import tr
from app.ui.work.doing import time_words
from app.ui.work.runner import rest_words

LENGTHS = ((Length.SHORT, "Short"), (Length.MEDIUM, "Medium"), (Length.LONG, "Long"))
FORMS = (
    (Form.BULLETS, "Bullets"),
    (Form.PARAGRAPHS, "Paragraphs"),
    (Form.SECTIONS, "By section"),
    (Form.ACTIONS, "Action items"),
    (Form.QUESTIONS, "Questions and answers"),
    (Form.OWN, "Own instruction"),
)


def figures_of(documents: list[StoredDocument], estimate: Estimate | None) -> list[tuple[str, str]]:
    """How much there is to read and how long it takes, as numbers with their words; what is not known is left out."""
    figures = [(f"{len(documents):,}", tr("documents"))] if len(documents) > 1 else []
    kinds = {one.unit for one in documents if one.unit and one.pages}
    if pages := sum(one.pages for one in documents if one.unit):
        count, _, unit = units(kinds.pop() if len(kinds) == 1 else "page", pages).partition(" ")
        figures.append((count, tr(unit)))
    if length := sum(int(one.info.get("words") or 0) for one in documents):
        figures.append((f"{length:,}", tr("words")))
    if estimate is not None:
        figures.append((f"{estimate.sections:,}", tr("section") if estimate.sections == 1 else tr("sections")))
        if estimate.seconds is not None:
            figures.append((time_words(estimate.seconds), tr("on this computer")))
    return figures


def work_words(progress: Progress | None, stored: StoredSummary, left_s: float | None) -> str:
    """How far a summary is, such as "Section 9 of 21 · about 3 minutes left"."""
    if stored.state == "queued" and progress is None:
        return tr("Waits for its turn")
    if progress is None or not progress.sections:
        return tr("Beginning to read")
    if progress.text:
        where = tr("Writing")
    elif progress.done < progress.sections and progress.sections == 1:
        where = tr("Reading all of it in one pass")
    elif progress.done < progress.sections:
        where = tr("Section {number} of {sections}", number=progress.done + 1, sections=progress.sections)
    elif progress.joined is not None and progress.joined[0] < progress.joined[1]:
        where = tr("Joining {number} of {merges}", number=progress.joined[0] + 1, merges=progress.joined[1])
    else:
        where = tr("Writing")
    if progress.rests:
        return f"{where} · {rest_words(progress.rests)}"
    return where if left_s is None else f"{where} · {tr('{time} left', time=time_words(left_s))}"


def read_words(stored: StoredSummary, summary: Summary | None) -> tuple[str, str]:
    """What is said of what was read: behind the reason of a failure ("" nothing), and of one that was stopped."""
    is_known = summary is not None and bool(summary.sections)
    counted = summary if summary is not None and is_known else stored
    read, sections = counted.sections_read, counted.sections
    if not sections:
        return "", tr("Stopped before anything was read")
    words = stopped_words(stored, read, sections)
    return words if read else "", words


def was_read(summary: Summary | None, anchor: Anchor) -> bool:
    """Whether what there is of a summary tells of a place: by the pages that were read, else as far as it cites."""
    if summary is None or not summary.statements:
        return False
    coverage = summary.documents[anchor.document].coverage
    if anchor.page is not None:
        return anchor.page not in {*coverage.unread_pages, *coverage.partly_read}
    cited = [one.block_id for each in summary.statements for one in each.anchors if one.document == anchor.document]
    return anchor.block_id <= max(cited, default=0)


def stopped_words(stored: StoredSummary, read: int, sections: int) -> str:
    """How much of a partial summary is there."""
    if stored.state == "failed":
        return tr("It ended after {read} of {sections} sections.", read=read, sections=sections)
    return tr("Stopped: {read} of {sections} sections read", read=read, sections=sections)


# How far a summary is, gathered from what its work tells; knows no widgets.


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
        self.read: list[tuple[int, int, int]] = []
        """What is read: a document, its first and its last block."""
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
            self.read = []
        elif isinstance(event, Rests):
            self.rests = event.reason
        elif isinstance(event, SectionRead):
            self.done, self.sections = event.done, event.sections
            self.points += event.points
            if event.blocks is not None and not event.has_failed:
                self._note_read(event.document, *event.blocks)
        elif isinstance(event, Merging):
            self.joined = (event.done, event.merges)
        elif isinstance(event, Writing):
            self.text = event.text

    def _note_read(self, document: int, first: int, last: int) -> None:
        """Sections that follow each other are one stretch: there may be thousands of them."""
        before = next((one for one in self.read[-1:] if one[0] == document and one[1] <= first <= one[2] + 1), None)
        if before is not None:
            self.read[-1] = (document, before[1], max(last, before[2]))
        else:
            self.read.append((document, first, last))

    def has_read(self, anchor: Anchor) -> bool:
        """Whether the section that a place is in is read."""
        return any(one == anchor.document and first <= anchor.block_id <= last for one, first, last in self.read)

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


def note_of(summary: StoredSummary) -> str:
    """What is said behind the title of one that is not done."""
    if summary.state == "running" and summary.sections:
        return tr("{done} of {all}", done=summary.sections_read, all=summary.sections)
    words = {"running": tr("begins"), "queued": tr("waits"), "paused": tr("stopped"), "failed": tr("failed")}
    return words.get(summary.state, "")
