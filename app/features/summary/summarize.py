"""Summarizes whole documents: every block is read, every statement leads to the place it rests on.

    documents → sections → points with ids, under a grammar → checks → merges with evidence → one write-up → checks

The method (hierarchical merging with evidence from the source) follows BooookScore (Chang et al., ICLR 2024) and
context-aware merging (Ou and Lapata, Findings of ACL 2025); where the document fits, it is read in one pass first.
"""

from __future__ import annotations

import time
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate
from pathlib import Path

from app.core.events import CancelToken
from app.engine.contract import Engine
from app.features.summary import prompts
from app.features.summary.budgets import budgets_for, method_for
from app.features.summary.condensing import (
    OUTLINE_TOKENS,
    Mapping,
    Merge,
    Sources,
    distinct,
    of_points,
    of_sections,
    outline_of,
)
from app.features.summary.digest import FORMS, digest_summary
from app.features.summary.result import (
    Form,
    InputDocument,
    Merging,
    Method,
    Planned,
    SectionRead,
    Statement,
    Steps,
    Summarized,
    SummarizedDocument,
    Summary,
    SummaryEvent,
    Wish,
    Writing,
    unknown_languages,
    writing_language,
)
from app.features.summary.sections import Reading, Section, numbered, sections_of, whole
from app.features.summary.work import Work
from app.features.summary.write_up import Draft, WriteUp, groups, messages_for, piles, points_so_far, title_shown
from app.features.work.asking import Rests, woken

__all__ = [
    "InputDocument", "Merging", "Plan", "Planned", "Rests", "SectionRead", "Steps", "Summarized", "SummaryEvent",
    "Writing", "plan", "summarize",
]  # fmt: skip


Stage = Generator[SummaryEvent, None, Summary]


@dataclass(frozen=True)
class Plan:
    """What there is to read, in tokens of the loaded model. Without `sections` all is read in one pass."""

    by_document: tuple[int, ...]
    sections: tuple[Section, ...]
    method: Method = Method.MODEL

    @property
    def tokens(self) -> int:
        """Of all documents together."""
        return sum(self.by_document)


def plan(documents: Sequence[InputDocument], wish: Wish, engine: Engine, cancel: CancelToken) -> Plan | None:
    """Counts and cuts; None when cancelled. It wakes the model; raises what the engine raises."""
    work = _work(documents, wish, engine, _Nowhere(), cancel)
    return _plan(work) if work is not None else None


def summarize(
    documents: Sequence[InputDocument], wish: Wish, engine: Engine, steps: Steps, cancel: CancelToken
) -> Iterator[SummaryEvent]:
    """One summary over all of the documents, by the model that is loaded in `engine` or, where `method_for` says so,
    of sentences that no model is asked about.

    Cancelled, it ends at once with a partial summary of what was read. Raises what the engine raises when a second
    try does not help; every step that was finished is kept.
    """
    begun_s = time.monotonic()
    work = _work(documents, wish, engine, steps, cancel)
    if work is not None and _method(work) is Method.DIGEST:
        if (yield from by_counting(documents, wish, cancel)):
            return
        work = replace(work, wish=replace(wish, method=Method.MODEL))
    found = _plan(work) if work is not None else None
    if work is None or found is None:
        yield Summarized(_nothing(documents, wish, engine, time.monotonic() - begun_s))
        return
    summary = yield from _read(work, found)
    yield Summarized(replace(summary, seconds=time.monotonic() - begun_s))


def by_counting(
    documents: Sequence[InputDocument], wish: Wish, cancel: CancelToken
) -> Generator[SummaryEvent, None, bool]:
    """A summary of sentences, for which no engine is needed; returns whether it `stands`."""
    yield Planned(len(documents), 0, Method.DIGEST)
    digest = digest_summary(documents, wish, lambda: cancel.cancelled)
    if stands(digest):
        yield Summarized(digest)
    return stands(digest)


def stands(digest: Summary) -> bool:
    """Whether sentences will do; of tables alone, say, there are none, and the model is asked after all."""
    return bool(digest.statements) or digest.is_partial or digest.wish.method is Method.DIGEST


def _read(work: Work, found: Plan) -> Stage:
    """In one pass where it fits; where nothing comes of that, in sections after all."""
    yield Planned(max(1, len(found.sections)), found.tokens)
    if found.sections:
        return (yield from _in_sections(work, found.sections))
    summary = yield from _in_one_pass(work)
    if not summary.sections_failed or summary.statements:
        return summary
    sections = _cut(work)
    if work.cancel.cancelled:
        return replace(summary, sections_failed=0, is_partial=True)
    yield Planned(len(sections), found.tokens)
    return (yield from _in_sections(work, sections))


class _Nowhere:
    """Steps of work that has none."""

    def find(self, key: str) -> None:
        """Nothing."""

    def keep(self, key: str, value: object) -> None:
        """Nowhere."""


def _work(
    documents: Sequence[InputDocument], wish: Wish, engine: Engine, steps: Steps, cancel: CancelToken
) -> Work | None:
    """None where it was cancelled while the model was loading."""
    model = woken(engine, cancel)
    if model is None:
        return None
    return Work(documents, wish, engine, steps, cancel, model, budgets_for(model), writing_language(documents, wish))


def _method(work: Work) -> Method:
    return method_for(work.wish, work.model.weights)


def _plan(work: Work) -> Plan | None:
    counts: list[int] = []
    for document in work.texts:
        if work.cancel.cancelled:
            return None
        counts.append(sum(work.count([f"{numbered(block)}\n\n" for block in document.blocks])))
    if _method(work) is Method.DIGEST:
        return Plan(tuple(counts), (), Method.DIGEST)
    fixed = work.fixed_tokens(messages_for(work, Draft(Sources((("", ""),), {}))))
    fixed += OUTLINE_TOKENS if work.budgets.is_small and work.wish.form in FORMS else 0
    if sum(counts) <= work.budgets.room(fixed, work.budgets.writing(work.wish.length, work.language)):
        return Plan(tuple(counts), ())
    sections = _cut(work)
    return None if work.cancel.cancelled else Plan(tuple(counts), tuple(sections))


def _cut(work: Work) -> Sequence[Section]:
    """Sections as large as the model reads well."""
    empty = Section(0, "", (), (), None, 0, 100, 100)
    budgets = work.budgets
    messages = prompts.map_messages(
        work.documents[0], empty, work.language, budgets.most_points, is_small=budgets.is_small
    )
    return sections_of(work.texts, budgets.within(work.fixed_tokens(messages)).section, work.count)


# Where all fits into one prompt.


def _in_one_pass(work: Work) -> Stage:
    offsets = list(accumulate((max((b.id for b in one.blocks), default=0) for one in work.documents), initial=0))
    stretches = [
        (group, whole(place, blocks, offsets[place]))
        for place, document in enumerate(work.texts)
        for group, blocks in groups(work, place, document.blocks)
    ]
    stretches = [(group, section) for group, section in stretches if section.slices]
    drafts = _drafts_of(work, stretches, offsets)
    writing, reading = WriteUp(work, drafts), Reading(work.documents)
    yield from writing.run()
    for draft, prompt in writing.answered:
        for group, section in stretches:
            if group == draft.group:
                reading.answered(section, prompt)
    is_read = len(writing.answered) == len(drafts) and not work.cancel.cancelled
    failed = 0 if is_read or work.cancel.cancelled else 1
    return _summary(work, reading, writing.statements, sections=1, read=int(is_read), failed=failed)


def _drafts_of(work: Work, stretches: Sequence[tuple[str, Section]], offsets: Sequence[int]) -> list[Draft]:
    if work.wish.form is not Form.SECTIONS:
        every = [section for _, section in stretches]
        return [Draft(of_sections(work, every, offsets), outline=outline_of(work, every, offsets))] if every else []
    sizes = [len(section.text) for _, section in stretches]
    return [
        Draft(of_sections(work, [section], offsets), group, size / sum(sizes), outline_of(work, [section], offsets))
        for (group, section), size in zip(stretches, sizes, strict=True)
    ]


# Section by section.


def _in_sections(work: Work, sections: Sequence[Section]) -> Stage:
    reading = Reading(work.documents)
    mapping = Mapping(work, sections, reading)
    yield from mapping.run()
    statements: list[Statement] = []
    if not work.cancel.cancelled:
        names, found = piles(work, mapping.points)
        fixed = work.fixed_tokens(messages_for(work, Draft(Sources((("", ""),), {}))))
        answer = work.budgets.writing(work.wish.length, work.language)
        merge = Merge(work, found, work.budgets.room_for_points(fixed, answer))
        yield from merge.run()
        if not work.cancel.cancelled:
            writing = WriteUp(work, _drafts_of_points(work, names, merge.piles))
            yield from writing.run()
            statements = writing.statements
    if work.cancel.cancelled:
        statements = points_so_far(work, mapping.points)
    read, failed = mapping.read, len(mapping.failed)
    return _summary(work, reading, statements, sections=len(sections), read=read, failed=failed)


def _drafts_of_points(work: Work, names: Sequence[str], piles: Sequence[Sequence[Sequence[Statement]]]) -> list[Draft]:
    drafts: list[Draft] = []
    for name, pile in zip(names, piles, strict=True):
        points = distinct(point for group in pile for point in group)
        share = len(points) / max(1, sum(len(group) for one in piles for group in one))
        drafts.append(Draft(of_points(work, points), name, min(1.0, share) if len(names) > 1 else 1.0))
    return [draft for draft in drafts if draft.sources.points]


# The result.


def _summary(
    work: Work, reading: Reading, statements: Sequence[Statement], *, sections: int, read: int, failed: int = 0
) -> Summary:
    documents = _described(work.documents, reading)
    return Summary(
        title=", ".join(one.title for one in documents),
        documents=documents,
        statements=tuple(statements),
        wish=work.wish,
        language=work.language,
        model=Path(work.model.path).name,
        sections=sections,
        sections_read=read,
        sections_failed=failed,
        is_partial=work.cancel.cancelled,
        unknown_languages=unknown_languages(Path(work.model.path), work.documents, work.wish),
    )


def _nothing(documents: Sequence[InputDocument], wish: Wish, engine: Engine, seconds: float) -> Summary:
    """Stopped before anything was read."""
    shown = _described(documents, Reading(documents))
    model = Path(engine.loaded.path).name if engine.loaded is not None else ""
    title = ", ".join(one.title for one in shown)
    return Summary(
        title, shown, (), wish, writing_language(documents, wish), model, 0, 0, is_partial=True, seconds=seconds
    )


def _described(documents: Sequence[InputDocument], reading: Reading) -> tuple[SummarizedDocument, ...]:
    return tuple(
        SummarizedDocument(one.id, one.name, title_shown(one), one.unit, coverage)
        for one, coverage in zip(documents, reading.coverage(), strict=True)
    )
