"""A list of everything that a question wants of whole documents: read section by section by the model, then counted.

The frame is that of summaries: numbered paragraphs, numbers under a grammar, checks against the cited blocks, steps
that are kept (`app.features.summary`). Only what is asked differs, and that a section which has more than one answer
holds is asked again in halves.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from app.core.events import CancelToken, FinishReason, ModelLoaded
from app.engine.contract import Engine
from app.engine.protocol import Ask
from app.features.summary import prompts
from app.features.summary.budgets import Budgets, budgets_for
from app.features.summary.condensing import Mapping, distinct
from app.features.summary.prompts import Problem
from app.features.summary.result import (
    Form,
    InputDocument,
    Planned,
    Statement,
    Steps,
    SummarizedDocument,
    Summary,
    SummaryEvent,
    Wish,
    unknown_languages,
    writing_language,
)
from app.features.summary.sections import Reading, Section, sections_of
from app.features.summary.work import Work
from app.features.work.asking import Answer, woken

TOKENS_AN_ENTRY = 24
"""About what a line of an answer takes."""
LONGER = 2
"""A list is so many times as long as what is most important in a section."""


@dataclass(frozen=True)
class Listed:
    """The last event; `overfull` sections have more than could be listed, also when they were asked in halves."""

    summary: Summary
    overfull: int = 0


def list_all(
    documents: Sequence[InputDocument], question: str, engine: Engine, steps: Steps, cancel: CancelToken
) -> Iterator[SummaryEvent | Listed]:
    """Reads every block; what is said in several places is one statement. Cancelled, it ends with what was found.

    Raises what the engine raises; what was read is then in `steps`.
    """
    begun_s = time.monotonic()
    wish = Wish(form=Form.OWN, instruction=question)
    reading = Reading(documents, leaves_apart=False)
    model = woken(engine, cancel)
    if model is None:
        yield Listed(_summary(documents, wish, reading, (), is_partial=True, seconds=time.monotonic() - begun_s))
        return
    work = Work(documents, wish, engine, steps, cancel, model, budgets_of(model), writing_language(documents, wish))
    sections = sections_for(work, question)
    yield Planned(len(sections), sum(one.tokens for one in sections))
    mapping = Mapping(work, sections, reading, _Request(work, question))
    yield from mapping.run()
    statements = distinct(point for points in mapping.points for point in points)
    summary = _summary(
        documents, wish, reading, statements, model=model.path, sections=len(sections), read=mapping.read,
        failed=len(mapping.failed), is_partial=cancel.cancelled, seconds=time.monotonic() - begun_s,
    )  # fmt: skip
    yield Listed(summary, len(mapping.overfull))


def budgets_of(model: ModelLoaded) -> Budgets:
    """The sizes for a list; a section leaves its answer more room than usual."""
    usual = budgets_for(model)
    return replace(usual, points=min(LONGER * usual.points, usual.context // 6))


def sections_for(work: Work, question: str) -> list[Section]:
    """All of the documents, in sections as large as the model reads well."""
    empty = Section(0, "", (), (), None, 0, 100, 100)
    fixed = work.fixed_tokens(prompts.list_messages(work.documents[0], empty, question))
    return sections_of(work.documents, work.budgets.within(fixed).section, work.count)


class _Request:
    """See `app.features.summary.condensing.Request`."""

    def __init__(self, work: Work, question: str) -> None:
        self._work, self._question = work, question

    def ask(self, section: Section, attempt: int, problem: Problem | None) -> Ask:
        document, budgets = self._work.documents[section.document], self._work.budgets
        messages = prompts.list_messages(document, section, self._question, problem=problem)
        rules = prompts.entries(section.ids, most_entries(budgets))
        return self._work.ask(messages, budgets.points_limit, rules, attempt)

    def is_all(self, answer: Answer, points: int) -> bool:
        is_cut = answer.finish in (FinishReason.LENGTH, FinishReason.CONTEXT)
        return not is_cut and points < most_entries(self._work.budgets)


def most_entries(budgets: Budgets) -> int:
    """How many things one answer has room for."""
    return max(4, budgets.points_limit // TOKENS_AN_ENTRY)


def _summary(
    documents: Sequence[InputDocument],
    wish: Wish,
    reading: Reading,
    statements: Sequence[Statement],
    *,
    model: str = "",
    sections: int = 0,
    read: int = 0,
    failed: int = 0,
    is_partial: bool,
    seconds: float,
) -> Summary:
    told = tuple(
        SummarizedDocument(one.id, one.name, one.title, one.unit, coverage)
        for one, coverage in zip(documents, reading.coverage(), strict=True)
    )
    unknown = unknown_languages(Path(model), documents, wish) if model else ()
    title = ", ".join(one.title or one.name for one in documents)
    return Summary(
        title, told, tuple(statements), wish, documents[0].language, Path(model).name, sections, read, failed,
        is_partial, seconds, unknown,
    )  # fmt: skip
