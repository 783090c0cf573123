"""Lay out a summary for export: title, coverage, statements with references, sources; plain values."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import groupby

from app import APP_NAME
from app.core.catalogue import Translatable, tr, tr_count
from app.core.joined_texts import end_sentence, join_clauses, join_entries
from app.core.lazy_dataclasses import dataclass, field
from app.features.document_frames import page_mark
from app.features.summarize.summary_messages import (
    check_words,
    coverage_words,
    digest_words,
    doubt_words,
    language_words,
    not_given_words,
    nothing_words,
    statements_words,
    unknown_words,
)
from app.features.summarize.summary_result import ClaimAnchor, Form, Method, Statement, Summary
from app.language.language_names import is_rtl
from app.language.scripts import is_right_to_left

_RUNNING_ON = (Form.PARAGRAPHS, Form.QUESTIONS, Form.OWN)
"""In these statements with the same `paragraph` run on; the others are lists."""
SOURCES: Translatable = "Sources"
STOPPED_WRITING: Translatable = "Stopped while writing. This is the text so far."
_NO_TEXT = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters XML can't hold (XML 1.0, 2.2): control characters and lone surrogates."""


@dataclass(frozen=True)
class StatementSource:
    """A source of statements.

    `label` is such as "lease.pdf, p. 12"; `page` is None without pages. `direction` is its text's, ltr or rtl,
    whatever the summary's.
    """

    number: int
    label: str
    text: str
    document: int
    page: int | None
    direction: str


@dataclass(frozen=True)
class SourceReference:
    """A source's label, such as "p. 12"."""

    source: int
    label: str


@dataclass(frozen=True)
class StatementLine:
    """A statement. `mark` is the check's remark, "" if everything was found."""

    text: str
    references: tuple[SourceReference, ...]
    mark: str = ""


@dataclass(frozen=True)
class SummaryPart:
    """Content under one heading ("" without one): paragraphs of statements, or a list."""

    heading: str
    paragraphs: tuple[tuple[StatementLine, ...], ...]
    is_list: bool


@dataclass(frozen=True)
class LaidOut:
    """All of it, in the order in which it is read."""

    title: str
    facts: tuple[str, ...]
    parts: tuple[SummaryPart, ...]
    sources: tuple[StatementSource, ...]
    language: str
    direction: str


def lay_out(summary: Summary) -> LaidOut:
    """Lay a summary out, numbering sources by first reference."""
    sources = _Sources(summary)
    parts = tuple(_summary_parts(summary, sources))
    more = filter(None, [nothing_words(summary), unknown_words(summary)])
    return LaidOut(
        # XML refuses control characters, and a title is one line in every format.
        plain_line(summary.title),
        (*summary_facts(summary), *more, *_maker_facts(summary)),
        parts,
        tuple(sources.found.values()),
        summary.language,
        "rtl" if is_rtl(summary.language) else "ltr",
    )


def _maker_facts(summary: Summary) -> tuple[str, ...]:
    """Return the line that names the model; an extract says itself what it is."""
    # An extract says in its first fact that no model wrote it.
    return (
        ()
        if summary.method is Method.DIGEST
        else (tr("Written by {model} in {app}.", model=plain_line(summary.model), app=APP_NAME),)
    )


def plain_line(text: str) -> str:
    """Return one line that every format can hold."""
    return " ".join(_NO_TEXT.sub(" ", text).split())


def summary_facts(summary: Summary) -> Iterator[str]:
    """Yield sentences on coverage, on how the statements compare with their pages, and on a stop."""
    if summary.method is Method.DIGEST:
        yield digest_words(summary)
    if not_given := not_given_words(summary):
        yield not_given
    yield end_sentence(coverage_words(summary))
    if summary.statements and summary.method is Method.MODEL:
        # An extract's sentences are all found by definition, so only a model's are counted.
        told = (*statements_words(summary.statements), language_words(summary))
        yield end_sentence(join_entries(filter(None, told)))
    # All sections are read, so "of so many sections" would say that nothing is missing.
    if summary.is_partial and summary.statements and summary.sections_read >= summary.sections > 0:
        yield tr(STOPPED_WRITING)
    elif summary.is_partial:
        yield tr_count(
            "Stopped before the end: {read:,} of {count} section read.",
            "Stopped before the end: {read:,} of {count} sections read.",
            summary.sections,
            read=summary.sections_read,
        )


def _summary_parts(summary: Summary, sources: _Sources) -> Iterator[SummaryPart]:
    form = summary.wish.form
    # Statements of one group follow each other, so groupby needs no sorting.
    for heading, statements in groupby(summary.statements, lambda one: one.group):
        if form in _RUNNING_ON:
            each = [tuple(ones) for _, ones in groupby(statements, lambda one: one.paragraph)]
        else:
            each = [(statement,) for statement in statements]
        lines = tuple(tuple(sources.make_line(statement) for statement in ones) for ones in each)
        yield SummaryPart(plain_line(heading), lines, is_list=form not in _RUNNING_ON)


@dataclass
class _Sources:
    summary: Summary
    found: dict[tuple[int, int, int, int], StatementSource] = field(default_factory=dict)

    def make_line(self, statement: Statement) -> StatementLine:
        """Return a statement with numbered references."""
        references = tuple(self._make_reference(anchor) for anchor in statement.anchors)
        pages = join_clauses(dict.fromkeys(reference.label for reference in references))
        # What was found needs no remark.
        compared = ""
        if not statement.check.found:
            documents = self.summary.documents
            has_page = bool(statement.anchors) and statement.anchors[0].page is not None
            unit = documents[0].unit if len(documents) == 1 and has_page else ""
            compared = check_words(statement.check, pages, unit)
        mark = " ".join(filter(None, (compared, doubt_words(statement))))
        return StatementLine(plain_line(statement.text), references, plain_line(mark))

    def _make_reference(self, anchor: ClaimAnchor) -> SourceReference:
        key = (anchor.document, anchor.block_id, anchor.start, anchor.end)
        document = self.summary.documents[anchor.document]
        place = page_mark(document.unit, anchor.page)
        # Two statements with the same sentence share one source and its number.
        if key not in self.found:
            label = join_entries(filter(None, (plain_line(document.name), place)))
            text = plain_line(anchor.text)
            direction = "rtl" if is_right_to_left(text) else "ltr"
            self.found[key] = StatementSource(len(self.found) + 1, label, text, anchor.document, anchor.page, direction)
        number = self.found[key].number
        short = place or tr("source {number}", number=number)
        # Page numbers of several documents need the name before them.
        if len(self.summary.documents) > 1:
            short = f"{plain_line(document.name)}, {short}"
        return SourceReference(number, short)
