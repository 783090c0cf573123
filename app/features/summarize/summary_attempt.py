"""An attempt at a summary: its finished steps, how far it has come, and what there is of it meanwhile."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from app.core.json_forms import to_json
from app.features.summarize.method import is_short, score_claims, written_fields
from app.features.summarize.summary_pace import SummaryPace
from app.features.summarize.summary_result import (
    Coverage,
    InputDocument,
    Method,
    Planned,
    SectionRead,
    Summarized,
    SummarizedDocument,
    Summary,
    SummaryEvent,
    SummaryOptions,
    writing_language,
)
from app.store.jobs import Job, JobTable, SummaryStore


class KeptSteps:
    """Steps stored per job, as `app.features.summarize.summarize.Steps`. `kept` counts new ones."""

    def __init__(self, store: SummaryStore, job_id: int) -> None:
        self._store, self._job_id = store, job_id
        self.kept = 0

    def find_step(self, key: str) -> Any | None:
        """Return the value stored under a key, or None."""
        return self._store.find_step(self._job_id, key)

    def keep_step(self, key: str, value: Any) -> None:
        """Store a finished step; it is on disk on return."""
        self._store.keep_step(self._job_id, key, value)
        self.kept += 1


class MemorySteps:
    """Steps in memory, lost with the process."""

    def __init__(self) -> None:
        self._kept: dict[str, Any] = {}

    def find_step(self, key: str) -> Any | None:
        return self._kept.get(key)

    def keep_step(self, key: str, value: Any) -> None:
        self._kept[key] = value


SAVE_EVERY_S = 1.0
TIMES_ITS_COST = 50.0
"""Saving rewrites the whole partial result, so the pause between saves grows with what one save costs."""
Expect = Callable[[str, int, int, SummaryOptions], float | None]
"""Estimate seconds for a model (file name), tokens and sections."""


class SummaryAttempt:
    """Store one attempt at one summary. Call `close` at its end, whatever the outcome."""

    def __init__(
        self,
        job: Job,
        jobs: JobTable,
        store: SummaryStore,
        *,
        partial: PartialSummary,
        model: str,
        side_by_side: int = 1,
        expect: Expect,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.pace = SummaryPace(side_by_side=side_by_side, clock=clock)
        self._job_id, self._partial, self._model = job.id, partial, model
        self._jobs, self._store, self._expect, self._clock = jobs, store, expect, clock
        self._progress: dict[str, Any] = dict(job.progress)
        before = store.read_result(job.id) or {}
        # A restart reads stored sections again at once; until then the bar must not fall back.
        self._sections_read_before = int(before.get("sections_read", 0)) if before.get("is_partial") else 0
        self._size_before = sum(len(fields.get("text", "")) for fields in before.get("statements", ()))
        """Number of statements stored from a write-up that was stopped midway."""
        self._saved_at_s, self._every_s = clock(), SAVE_EVERY_S
        self._has_news = False
        self.is_complete = False
        """True once the whole summary is stored."""

    def take_event(self, event: SummaryEvent) -> None:
        """Add an event of the pipeline to the partial summary."""
        self.pace.take_event(event)
        match event:
            case Planned(sections=sections, tokens=tokens):
                self.pace.expected_s = self._expect(self._model, tokens, sections, self._partial.wish)
                # Another model or another form cuts other sections, so the earlier count means nothing.
                if sections != self._progress.get("sections"):
                    self._sections_read_before = self._size_before = 0
                self._progress |= {"sections": sections, "tokens": tokens, "sections_read": self._sections_read_before}
                self._save_progress()
            case SectionRead():
                self._partial.add_section(event)
                self._progress["sections_read"] = max(event.done, self._sections_read_before)
                self._save_progress()
                # Stored sections come at once and would be written again and again.
                self._has_news = self._has_news or not event.was_kept
                if self._has_news and self._clock() - self._saved_at_s >= self._every_s:
                    self._save_summary(self._partial_summary())
            case Summarized(summary=summary):
                self._save_summary(summary)
                if not summary.is_partial:
                    self._note_figures(summary)
                    self.is_complete = True

    def close(self) -> None:
        """Store whatever isn't stored yet."""
        if self._has_news:
            self._save_summary(self._partial_summary())

    def _partial_summary(self) -> Summary:
        return self._partial.make_summary(int(self._progress.get("sections", 0)), self.pace.worked_s)

    def _save_summary(self, summary: Summary) -> None:
        """Store the summary, unless an earlier attempt had read more than this one has."""
        begun_s, self._has_news = self._clock(), False
        self._saved_at_s = begun_s
        # After a restart the first sections would replace the fuller partial summary of the run before.
        if summary.is_partial and (summary.sections_read < self._sections_read_before or not summary.statements):
            return
        is_shorter = sum(len(statement.text) for statement in summary.statements) < self._size_before
        if summary.is_partial and summary.sections_read == self._sections_read_before and is_shorter:
            return
        self._store.keep_result(self._job_id, to_json(summary), searched_text(summary))
        self._saved_at_s = self._clock()
        # A large summary takes longer to write; saving may take a fiftieth of the time.
        self._every_s = max(SAVE_EVERY_S, TIMES_ITS_COST * (self._saved_at_s - begun_s))

    def _note_figures(self, summary: Summary) -> None:
        """Record speed and quality for later estimates and for the choice of method.

        Skip summaries that reused steps, used no model or were stopped: they say nothing about speed.
        """
        self._progress["sections_read"] = max(summary.sections_read, self._progress.get("sections_read", 0))
        # What was set aside was written all the same, and its speed and score are true.
        is_written = summary.method is Method.MODEL or bool(summary.set_aside)
        if is_written:
            self._progress |= self._partial.written_fields(summary)
        # A run that began with stored sections, or was stopped, would look faster than the model is.
        if self.pace.is_fresh and self.pace.worked_s > 0 and is_written and not summary.has_given_up:
            self._progress |= {"model_file": self._model, "worked_s": self.pace.worked_s}
        self._save_progress()

    def _save_progress(self) -> None:
        self._jobs.update(self._job_id, progress=self._progress)


class PartialSummary:
    """Grows with every section; `title` is the summary's, `model` the name of the file that writes it."""

    def __init__(self, documents: Sequence[InputDocument], wish: SummaryOptions, title: str, model: str) -> None:
        self.wish, self._documents, self._title, self._model = wish, documents, title, model
        self._language = writing_language(documents, wish)
        self._coverage = tuple(_nothing_read(document) for document in documents)
        self._sections: list[SectionRead] = []

    def add_section(self, event: SectionRead) -> None:
        self._sections.append(event)
        self._coverage = event.coverage or self._coverage

    def written_fields(self, whole: Summary) -> dict[str, object]:
        """Return how many of the model's claims were found in the text; empty if none were compared."""
        texts = {
            (place, block.id): block.text for place, document in enumerate(self._documents) for block in document.blocks
        }
        score = score_claims(whole.set_aside or whole.statements, lambda place, number: texts.get((place, number), ""))
        if not score.claims:
            return {}
        return {"written": written_fields(self._model, score, is_short=is_short(self._documents))}

    def make_summary(self, sections: int, seconds: float) -> Summary:
        """Build the summary so far, in document order: sections read in parallel finish in any order."""
        documents = tuple(
            SummarizedDocument(
                input_document.id, input_document.name, input_document.title, input_document.unit, coverage
            )
            for input_document, coverage in zip(self._documents, self._coverage, strict=True)
        )
        # Sections that are read side by side finish in any order.
        read = sorted(self._sections, key=_section_place)
        failed = sum(section_read.has_failed for section_read in read)
        found = (point for section_read in read for point in section_read.points)
        # Each point is its own paragraph until a write-up joins them.
        points = tuple(replace(point, paragraph=place) for place, point in enumerate(found))
        return Summary(
            self._title, documents, points, self.wish, self._language, self._model, sections,
            len(read) - failed, failed, is_partial=True, seconds=seconds,
        )  # fmt: skip


def searched_text(summary: Summary) -> str:
    """Return the text a summary is searched by, besides its title and document names."""
    groups = dict.fromkeys(statement.group for statement in summary.statements if statement.group)
    return "\n".join([*groups, *(statement.text for statement in summary.statements)])


def _section_place(section: SectionRead) -> tuple[int, int, int]:
    """Return a section's sort key within its document, which may have no pages."""
    blocks = [anchor.block_id for point in section.points for anchor in point.anchors]
    return section.document, section.first_page or 0, min(blocks, default=0)


def _nothing_read(document: InputDocument) -> Coverage:
    pages = {block.page for block in document.blocks if block.page is not None and block.text.strip()}
    unread = tuple(sorted(pages))
    return Coverage(
        len(document.blocks), 0, document.pages, 0, document.pages_without_text, unread, document.picture_pages
    )
