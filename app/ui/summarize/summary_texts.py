"""Texts of the Summarize tab: times, sizes, progress, sources of statements."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from pathlib import PurePath

from app.core.counted_units import counted_unit_name
from app.core.lazy_dataclasses import dataclass
from app.features.document_frames import page_mark, spoken_page
from app.features.document_library import DocumentLibrary
from app.features.shown_document import TextHighlight
from app.features.summarize.summaries import Estimate, StoredSummary
from app.features.summarize.summarize import Merging, Planned, SectionRead, Summarized, SummaryEvent, TaskRests, Writing
from app.features.summarize.summary_messages import check_words, doubt_words
from app.features.summarize.summary_result import (
    ClaimAnchor,
    ClaimsChecked,
    Coverage,
    Form,
    Length,
    Method,
    PromptRead,
    Statement,
    SummarizedDocument,
    Summary,
)
from app.store.document_store import StoredDocument
from app.ui.i18n import tr, tr_count
from app.ui.locale_formats import format_date, format_number, format_time, join_list
from app.ui.shared_labels import (
    BEGINS_LABEL,
    FAILED_LABEL,
    ON_THIS_COMPUTER_LOWER,
    STOPPED,
    WAITING,
    WAITS_LABEL,
    WRITING,
)
from app.ui.work.doing import time_words
from app.ui.work.job_tab import rest_words

STOPPED_WHILE_WRITING = "Stopped while writing. The text so far was kept; “Continue” rewrites it."

WORDS = "words"
STOPPED_AT_SECTION = "Stopped: {read} of {sections} sections read"
STOPPED_BEFORE_READING = "Stopped before anything was read"
SECTION_STEP = "Section {number} of {sections}"
SECOND_TRY = "Retrying · {step}"
JOINING_STEP = "Combining {number} of {merges}"
READING_WHOLE_DOCUMENT = "Reading the whole document"
BEGINNING_TO_READ = "Starting to read"

LENGTHS = ((Length.SHORT, "Short"), (Length.MEDIUM, "Medium"), (Length.LONG, "Long"))
FORMS = (
    (Form.BULLETS, "Bullets"),
    (Form.PARAGRAPHS, "Paragraphs"),
    (Form.SECTIONS, "By section"),
    (Form.ACTIONS, "Action items"),
    (Form.QUESTIONS, "Questions and answers"),
    (Form.OWN, "Your own instruction"),
)

SHORT_FORMS = {
    Form.BULLETS: "Bullets",
    Form.PARAGRAPHS: "Text",
    Form.SECTIONS: "Sections",
    Form.ACTIONS: "Actions",
    Form.QUESTIONS: "Q and A",
    Form.OWN: "Own",
}


def figures_of(documents: list[StoredDocument], estimate: Estimate | None) -> list[tuple[str, str]]:
    """Return amount and duration of the reading as (number, label) pairs; unknown ones are left out."""
    figures = [(format_number(len(documents)), tr("documents"))] if len(documents) > 1 else []
    kinds = {document.unit for document in documents if document.unit and document.pages}
    if pages := sum(stored_document.pages for stored_document in documents if stored_document.unit):
        unit = next(iter(kinds)) if len(kinds) < 2 else "page"
        figures.append((format_number(pages), counted_unit_name(unit, pages)))
    if length := sum(int(document.info.get("words") or 0) for document in documents):
        figures.append((format_number(length), tr(WORDS)))
    if estimate is not None:
        if estimate.sections:
            figures.append((format_number(estimate.sections), tr_count("section", "sections", estimate.sections)))
        if estimate.seconds is not None:
            where = tr("on its server") if estimate.is_elsewhere else tr(ON_THIS_COMPUTER_LOWER)
            figures.append((time_words(estimate.seconds), where))
    return figures


def work_words(progress: SummaryProgress | None, stored: StoredSummary, left_s: float | None) -> str:
    """Return the progress of a summary, such as "Section 9 of 21 · about 3 minutes left"."""
    if stored.state == "queued" and progress is None:
        return tr(WAITING)
    if progress is None or not progress.sections:
        return tr(BEGINNING_TO_READ)
    if progress.method is Method.DIGEST:
        where = tr("Choosing sentences")
    elif progress.checked is not None:
        where = tr("Checking claim {number} of {claims}", number=progress.checked[0] + 1, claims=progress.checked[1])
    elif progress.is_written:
        where = tr(WRITING)
    elif progress.done < progress.sections and progress.sections == 1:
        where = tr(READING_WHOLE_DOCUMENT)
    elif progress.done < progress.sections:
        where = tr(SECTION_STEP, number=progress.done + 1, sections=progress.sections)
    elif progress.joined is not None and progress.joined[0] < progress.joined[1]:
        where = tr(JOINING_STEP, number=progress.joined[0] + 1, merges=progress.joined[1])
    else:
        where = tr(WRITING)
    if progress.is_second_try:
        where = tr(SECOND_TRY, step=where)
    if progress.rests:
        return f"{where} · {rest_words(progress.rests)}"
    return where if left_s is None else f"{where} · {tr('{time} left', time=time_words(left_s))}"


def read_words(stored: StoredSummary, summary: Summary | None) -> tuple[str, str]:
    """Return what was read, for two uses: after the reason of a failure ("" for none), and for a stopped summary."""
    is_known = summary is not None and bool(summary.sections)
    counted = summary if summary is not None and is_known else stored
    read, sections = counted.sections_read, counted.sections
    if not sections:
        return "", tr(STOPPED_BEFORE_READING)
    if summary is not None and summary.is_partial and summary.statements and read >= sections:
        return tr("The text so far was kept."), tr(STOPPED_WHILE_WRITING)
    words = stopped_words(stored, read, sections)
    return words if read else "", words


def was_read(summary: Summary | None, anchor: ClaimAnchor) -> bool:
    """Return whether a summary covers a place: by the pages it read, else as far as it cites."""
    if summary is None or not summary.statements:
        return False
    coverage = summary.documents[anchor.document].coverage
    if anchor.page is not None:
        return anchor.page not in {*coverage.unread_pages, *coverage.partly_read}
    cited = [
        claim_anchor.block_id
        for statement in summary.statements
        for claim_anchor in statement.anchors
        if claim_anchor.document == anchor.document
    ]
    return anchor.block_id <= max(cited, default=0)


def stopped_words(stored: StoredSummary, read: int, sections: int) -> str:
    """Return how much of a partial summary there is."""
    if stored.state == "failed":
        return tr("Stopped after {read} of {sections} sections.", read=read, sections=sections)
    return tr(STOPPED_AT_SECTION, read=read, sections=sections)


READING_SHARE = 0.8
ONE_PASS_SHARE = 0.4
"""Share of reading in a summary written in one pass."""
JOINING_SHARE = 0.08
MOST_SHARE = 0.98
"""Limit of the progress bar, as a full one means finished."""


class SummaryProgress:
    """Progress of a running summary since it started, collected from its events."""

    def __init__(self) -> None:
        self.sections = 0
        """0 while unknown."""
        self.method = Method.MODEL
        self.done = 0
        self.points: list[Statement] = []
        self.read: list[tuple[int, int, int]] = []
        """Ranges read: document, first block, last block."""
        self.joined: tuple[int, int] | None = None
        """Groups of points joined, of how many; None before that step."""
        self.checked: tuple[int, int] | None = None
        """Claims checked, of how many; None before that step."""
        self.text = ""
        """Text written so far."""
        self.is_written = False
        """True once reading is over."""
        self.is_second_try = False
        """True while a second attempt replaces a first one of poor quality."""
        self._prompt_read, self._written, self._attempt = 0.0, 0.0, 0
        self.rests = ""
        """Reason of a pause, as in `TaskRests`; "" while running."""

    def take_event(self, event: SummaryEvent) -> None:
        # Any other event means that the pause is over.
        if not isinstance(event, TaskRests | Summarized):
            self.rests = ""
        if isinstance(event, Planned):
            # A second plan follows a first attempt by the model that wasn't good enough.
            self.is_second_try = self.sections > 0 and self.method is Method.MODEL
            self.sections, self.done, self.points, self.joined, self.text = event.sections, 0, [], None, ""
            self.method, self.read, self.is_written = event.method, [], False
            self._prompt_read, self._written, self._attempt = 0.0, 0.0, 0
        elif isinstance(event, TaskRests):
            self.rests = event.reason
        elif isinstance(event, SectionRead):
            self.done, self.sections = event.done, event.sections
            self.points += event.points
            if event.blocks is not None and not event.has_failed:
                self._note_read(event.document, *event.blocks)
        elif isinstance(event, Merging):
            self.joined = (event.done, event.merges)
        elif isinstance(event, ClaimsChecked):
            self.checked = (event.done, event.claims)
        elif isinstance(event, PromptRead):
            # The bar must not go back when several prompts report their shares.
            self._prompt_read = max(self._prompt_read, event.share)
        elif isinstance(event, Writing):
            if event.attempt > self._attempt:
                self.is_second_try, self._attempt, self._written = True, event.attempt, 0.0
            self.text, self.is_written = event.text, True
            self._written = max(self._written, event.share)

    def _note_read(self, document: int, first: int, last: int) -> None:
        """Add a section's first and last block to the ranges read."""
        # Neighbours are joined, as there may be thousands.
        if self.read:
            number, begin, end = self.read[-1]
            if number == document and begin <= first <= end + 1:
                self.read[-1] = (document, begin, max(last, end))
                return
        self.read.append((document, first, last))

    def has_read(self, anchor: ClaimAnchor) -> bool:
        """Return whether the section of a place was read."""
        return any(number == anchor.document and first <= anchor.block_id <= last for number, first, last in self.read)

    @property
    def share(self) -> float:
        """Share done, 0 to 1: mostly reading of sections, the rest joining and writing.

        It decreases only when a second attempt starts.
        """
        if not self.sections:
            return 0.0
        is_one_pass = self.sections == 1 and not self.done
        if self.is_written:
            begun = ONE_PASS_SHARE if is_one_pass else READING_SHARE + JOINING_SHARE
            return begun + (MOST_SHARE - begun) * self._written
        if is_one_pass:
            return ONE_PASS_SHARE * self._prompt_read
        if self.done < self.sections:
            return READING_SHARE * self.done / self.sections
        done, merges = self.joined or (0, 1)
        return READING_SHARE + JOINING_SHARE * done / max(1, merges)


def note_of(summary: StoredSummary) -> str:
    """Return the text after the title of an unfinished summary."""
    if summary.state == "running" and summary.sections > max(1, summary.sections_read):
        return tr("{done} of {all}", done=summary.sections_read, all=summary.sections)
    if summary.state == "running" and summary.sections:
        # In one pass, reading and writing are one step; the page shows which it is.
        return tr("summarizing") if summary.sections > summary.sections_read else tr("writing")
    words = {"running": tr(BEGINS_LABEL), "queued": tr(WAITS_LABEL), "paused": tr(STOPPED), "failed": tr(FAILED_LABEL)}
    return words.get(summary.state, "")


def form_and_time(summary: StoredSummary, now: datetime | None = None) -> str:
    """Return what tells summaries of the same documents apart, such as "Bullets, short, 14:05"; no defaults."""
    form, length = tr(SHORT_FORMS[summary.wish.form]), tr(dict(LENGTHS)[summary.wish.length]).lower()
    length = length if summary.wish.length is not Length.MEDIUM else ""
    at, today = summary.created_at, (now or datetime.now()).date()
    when = format_time(at) if datetime.fromtimestamp(at).date() == today else format_date(at)
    asked = tr("model") if summary.wish.method is Method.MODEL else ""
    return join_list((form, length, asked, when))


MOST_NAME = 18
MOST_HEADING = 24


@dataclass(frozen=True)
class Chip:
    """Clickable source: its text, its spoken text, and what it opens."""

    text: str
    spoken: str
    document_id: int
    mark: TextHighlight


class ChipBuilder:
    """Builds the chips of statements about these documents, with headings it looked up."""

    def __init__(self, documents: Sequence[SummarizedDocument], source: DocumentLibrary) -> None:
        self._documents, self._source = documents, source
        self._names = distinct_names([document.name for document in documents])
        self._headings: dict[tuple[int, int], str] = {}

    def load_headings(self, statements: Sequence[Statement]) -> None:
        """Look up headings for places without pages. Raises the store's errors."""
        for number, document in enumerate(self._documents):
            cited = {
                anchor.block_id
                for statement in statements
                for anchor in statement.anchors
                if anchor.document == number and not anchor.page
            }
            wanted = sorted(block_id for block_id in cited if (number, block_id) not in self._headings)
            for block in self._source.some_blocks(document.id, wanted) if wanted else ():
                self._headings[number, block.id] = block.heading_path[-1] if block.heading_path else ""

    def chips(self, statement: Statement) -> tuple[Chip, ...]:
        """Return a chip for each page or paragraph, in order."""
        found: dict[tuple[int, str], Chip] = {}
        for anchor in statement.anchors:
            if 0 <= anchor.document < len(self._documents):
                found.setdefault((anchor.document, self._where(anchor)), self._chip(anchor))
        return tuple(found.values())

    def unit_of(self, statement: Statement) -> str:
        """Return the unit of the sources' pages; "" where they are in several documents or have none."""
        documents = {anchor.document for anchor in statement.anchors}
        has_page = bool(statement.anchors) and bool(statement.anchors[0].page)
        return self._documents[documents.pop()].unit if has_page and len(documents) == 1 else ""

    def where(self, statement: Statement) -> str:
        """Return the sources as text, such as "p. 6, p. 30"; with file names only if there are several."""
        is_one = len({anchor.document for anchor in statement.anchors}) == 1
        words = (
            [self._where(claim_anchor) for claim_anchor in statement.anchors]
            if is_one
            else [chip.text for chip in self.chips(statement)]
        )
        return join_list(dict.fromkeys(words))

    def _where(self, anchor: ClaimAnchor) -> str:
        if mark := page_mark(self._documents[anchor.document].unit, anchor.page):
            return mark
        heading = self._headings.get((anchor.document, anchor.block_id), "")
        return f"§ {_shorten_text(heading, MOST_HEADING)}" if heading else f"¶ {anchor.block_id}"

    def _chip(self, anchor: ClaimAnchor) -> Chip:
        document, where = self._documents[anchor.document], self._where(anchor)
        text = f"{self._names[anchor.document]} {where}" if len(self._documents) > 1 else where
        unit = document.unit
        said = where.removeprefix("§ ")
        if unit and anchor.page:
            said = spoken_page(unit, anchor.page)
        elif where.startswith("¶"):
            said = tr("paragraph {number}", number=anchor.block_id)
        spoken = tr("{where} of {name}", where=said, name=document.name)
        return Chip(text, spoken, document.id, TextHighlight(anchor.block_id, anchor.start, anchor.end))


def places_in(document_ids: Sequence[int], source: DocumentLibrary) -> ChipBuilder:
    """Return a builder for stored documents without a summary. Raises the store's errors."""
    found = []
    for number in document_ids:
        document = source.store.get(number)
        name, unit = (document.name, document.unit) if document is not None else ("", "")
        found.append(SummarizedDocument(number, name, name, unit, Coverage(0, 0, 0, 0)))
    return ChipBuilder(found, source)


def short_name(name: str) -> str:
    """Return a file name without its ending, shortened for a chip."""
    return _shorten_text(PurePath(name).stem or name, MOST_NAME)


def distinct_names(names: Sequence[str]) -> list[str]:
    """Return for each file name the shortest word of it that no other one has; else the name as in `short_name`."""
    words = [re.split(r"[-_\s]+", PurePath(name).stem) for name in names]
    counts = Counter(word for parts in words for word in {part.casefold() for part in parts})

    def rank(word: str) -> tuple[bool, int]:
        return word.isdigit(), len(word)

    found = []
    for name, parts in zip(names, words, strict=True):
        # The last of equally long words, as that is what the others describe; short words like "the" tell too little.
        own = [part for part in reversed(parts) if len(part) > 3 and counts[part.casefold()] == 1]
        found.append(_shorten_text(min(own, key=rank), MOST_NAME) if own else short_name(name))
    return found


def _shorten_text(text: str, most: int) -> str:
    text = " ".join(text.split())
    return text if len(text) <= most else text[: most - 1].rstrip() + "…"


@dataclass(frozen=True)
class ShownStatement:
    """A statement with its chips, the result of its check ("" for none), and its spoken form."""

    statement: Statement
    chips: tuple[Chip, ...]
    note: str
    spoken: str

    @property
    def is_flagged(self) -> bool:
        """True if it was compared and not found in its source, or lacks support."""
        check = self.statement.check
        return (not check.found and check.is_compared) or bool(self.statement.unsupported)


def shown_statements(statements: Sequence[Statement], builder: ChipBuilder) -> list[ShownStatement]:
    """Return statements ready to show, in the same order. Raises the store's errors."""
    builder.load_headings(statements)
    return [_shown_statement(statement, builder) for statement in statements]


def shown_sentences(sentences: Sequence[Statement], builder: ChipBuilder) -> list[ShownStatement]:
    """Return sentences of the documents themselves ready to show; they need no check."""
    builder.load_headings(sentences)
    found = []
    for sentence in sentences:
        chips = builder.chips(sentence)
        spoken = (sentence.group, sentence.text, *(chip.spoken for chip in chips))
        found.append(ShownStatement(sentence, chips, "", " ".join(filter(None, spoken))))
    return found


def _shown_statement(statement: Statement, builder: ChipBuilder) -> ShownStatement:
    chips, check = builder.chips(statement), statement.check
    where = builder.where(statement)
    is_plain = check.found and check.reason is None
    words = check_words(check, where, builder.unit_of(statement))
    doubted = doubt_words(statement)
    note = " ".join(filter(None, ("" if is_plain else words, doubted)))
    spoken = " ".join(filter(None, (words, doubted))) if note or chips else ""
    return ShownStatement(
        statement, chips, note, " ".join(part for part in (statement.group, statement.text, spoken) if part)
    )
