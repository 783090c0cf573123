"""Lists that the model makes of a document, section by section."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from app.core.events import CancelToken, FinishReason, ModelLoaded
from app.core.joined_texts import join_entries
from app.core.lazy_dataclasses import dataclass, replace
from app.engine.contract import Engine
from app.engine.protocol import Ask
from app.features.summarize import answer_grammars, point_answers, summary_prompts
from app.features.summarize.condensing import SectionMapping
from app.features.summarize.point_answers import AnswerProblem, SummaryPoint
from app.features.summarize.sections import ReadSection, SectionReading, TokenBudgets, budgets_for, sections_of
from app.features.summarize.summary_result import (
    Form,
    InputDocument,
    Planned,
    Statement,
    Steps,
    SummarizedDocument,
    Summary,
    SummaryEvent,
    SummaryOptions,
    unknown_languages,
    writing_language,
)
from app.features.summarize.summary_work import SummaryWork
from app.features.summarize.write_up_sources import distinct_statements
from app.features.work.asking import TaskAnswer, wake_model

TOKENS_AN_ENTRY = 24
"""About what a line of an answer takes."""
LONGER = 2
"""A list may be this many times longer than a section's most important points."""


@dataclass(frozen=True)
class SurveyListed:
    """The last event; `overfull` sections have more than could be listed, also when they were asked in halves."""

    summary: Summary
    overfull: int = 0


def list_all(
    documents: Sequence[InputDocument], question: str, engine: Engine, steps: Steps, cancel: CancelToken
) -> Iterator[SummaryEvent | SurveyListed]:
    """Read every block with the model and merge repeated finds.

    Cancelled, it ends with the finds so far. Raises the engine's errors; `steps` then has what was read.
    """
    begun_s = time.monotonic()
    wish = SummaryOptions(form=Form.OWN, instruction=question)
    reading = SectionReading(documents, leaves_apart=False)
    if (model := wake_model(engine, cancel)) is None:
        yield SurveyListed(
            _make_summary(documents, wish, reading, (), is_partial=True, seconds=time.monotonic() - begun_s)
        )
        return
    work = SummaryWork(
        documents, wish, engine, steps, cancel, model, budgets_of(model), writing_language(documents, wish)
    )
    sections = sections_for(work, question)
    yield Planned(len(sections), sum(section.tokens for section in sections))
    mapping = SectionMapping(work, sections, reading, _SurveyRequest(work, question))
    yield from mapping.run()
    # Repeated finds are merged at the end, when all are known.
    statements = distinct_statements(point for points in mapping.points for point in points)
    summary = _make_summary(
        documents, wish, reading, statements, model=model.path, sections=len(sections), read=mapping.read,
        failed=len(mapping.failed), is_partial=cancel.cancelled, seconds=time.monotonic() - begun_s,
    )  # fmt: skip
    yield SurveyListed(summary, len(mapping.overfull))


def budgets_of(model: ModelLoaded) -> TokenBudgets:
    """Return the budgets for a list, with more room for each section's answer than usual."""
    usual = budgets_for(model)
    # A list is longer than a section's most important points, but may not fill the context.
    return replace(usual, points=min(LONGER * usual.points, usual.context // 6))


def sections_for(work: SummaryWork, question: str) -> list[ReadSection]:
    """Split the documents into sections as large as the model reads well."""
    empty = ReadSection(0, "", (), (), None, 0, 100, 100)
    fixed = work.fixed_tokens(summary_prompts.list_messages(work.documents[0], empty, question))
    return sections_of(work.documents, work.budgets.within_context(fixed).section, work.count_tokens)


class _SurveyRequest:
    """Section request for a list; see `app.features.summarize.condensing.SectionRequest`."""

    def __init__(self, work: SummaryWork, question: str) -> None:
        self._work, self._question = work, question
        # Small models are asked in plain words, the smallest are held to a form all the same.
        self.has_form = not work.budgets.is_small or work.budgets.only_chooses

    def make_ask(self, section: ReadSection, attempt: int, problem: AnswerProblem | None) -> Ask:
        document, budgets = self._work.documents[section.document], self._work.budgets
        if not self.has_form:
            messages = summary_prompts.plain_list_messages(section, self._question)
            return replace(self._work.make_ask(messages, budgets.points_limit, "", attempt), stop_on_repetition=True)
        messages = summary_prompts.list_messages(document, section, self._question, problem=problem)
        rules = answer_grammars.entries_grammar(section.ids, most_entries(budgets))
        return self._work.make_ask(messages, budgets.points_limit, rules, attempt)

    def read_answer(self, section: ReadSection, answer: str) -> list[SummaryPoint]:
        if self.has_form:
            return point_answers.read_points(answer, section.ids)
        cited = self._work.cited_blocks(section.document, section.ids)
        return point_answers.read_list(answer, [(block.block.id, block.block.text) for block in cited])

    def is_all(self, answer: TaskAnswer, points: int) -> bool:
        # Cut off, or as long as the grammar allows: there may be more.
        is_cut = answer.finish in (FinishReason.LENGTH, FinishReason.CONTEXT)
        return not is_cut and points < most_entries(self._work.budgets)


def most_entries(budgets: TokenBudgets) -> int:
    """Return how many entries fit into one answer."""
    return max(4, budgets.points_limit // TOKENS_AN_ENTRY)


def _make_summary(
    documents: Sequence[InputDocument],
    wish: SummaryOptions,
    reading: SectionReading,
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
        SummarizedDocument(input_document.id, input_document.name, input_document.title, input_document.unit, coverage)
        for input_document, coverage in zip(documents, reading.make_coverage(), strict=True)
    )
    unknown = unknown_languages(Path(model), documents, wish) if model else ()
    title = join_entries(document.title or document.name for document in documents)
    return Summary(
        title, told, tuple(statements), wish, documents[0].language, Path(model).name, sections, read, failed,
        is_partial, seconds, unknown,
    )  # fmt: skip
