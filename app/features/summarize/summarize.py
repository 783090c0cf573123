"""Summarizes whole documents: every block is read, every statement leads to the place it rests on.

    documents → sections → points with ids, under a grammar → checks → merges with evidence → one write-up → checks

The method (hierarchical merging with evidence from the source) follows BooookScore (Chang et al., ICLR 2024) and
context-aware merging (Ou and Lapata, Findings of ACL 2025); where the document fits, it is read in one pass first.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from itertools import accumulate
from pathlib import Path

from app.core.events import CancelToken
from app.core.joined_texts import join_entries
from app.core.lazy_dataclasses import dataclass, replace
from app.documents.blocks import Block
from app.engine.contract import Engine
from app.features.summarize import summary_prompts
from app.features.summarize.condensing import SectionMapping
from app.features.summarize.digest import FORMS, digest_summary, has_sentences, sufficient_digest
from app.features.summarize.method import ClaimScore, is_short, method_for, score_claims
from app.features.summarize.point_merge import PointMerge
from app.features.summarize.sections import (
    ReadSection,
    SectionReading,
    budgets_for,
    number_block,
    runs_under_headings,
    sections_of,
    whole_section,
)
from app.features.summarize.summary_result import (
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
    SummaryOptions,
    Writing,
    unknown_languages,
    writing_language,
)
from app.features.summarize.summary_work import SummaryWork
from app.features.summarize.write_up import SummaryDraft, WriteUp, messages_for
from app.features.summarize.write_up_sources import (
    OUTLINE_TOKENS,
    WriteUpSources,
    distinct_statements,
    of_points,
    of_sections,
    outline_of,
)
from app.features.work.asking import TaskRests, wake_model

BELOW_THE_TEXT = "Points of the sections"
"""Heading above the points of a write-up that was stopped."""


def group_blocks(work: SummaryWork, place: int, blocks: Sequence[Block]) -> list[tuple[str, Sequence[Block]]]:
    """Split a document into parts written up separately; only for the form SECTIONS."""
    if work.wish.form is not Form.SECTIONS:
        return [("", blocks)]
    runs = list(runs_under_headings(blocks))
    if len(work.documents) == 1:
        return [*runs]
    # Headings of several documents may be the same.
    name = title_shown(work.documents[place])
    return [(f"{name}: {heading}" if heading else name, run) for heading, run in runs]


def make_piles(
    work: SummaryWork, points: Sequence[Sequence[Statement]]
) -> tuple[list[str], list[list[list[Statement]]]]:
    """Group points by write-up, with headings; empty groups are dropped."""
    names, run_of = _heading_runs(work)
    found: list[list[list[Statement]]] = [[] for _ in names]
    last = 0
    for section in points:
        mine: dict[int, list[Statement]] = {}
        for point in section:
            # A point without a source stays with the one before it.
            last = _run_of(point, run_of, last)
            mine.setdefault(last, []).append(point)
        for run, group in mine.items():
            found[run].append(group)
    full = [(name, pile) for name, pile in zip(names, found, strict=True) if pile]
    return [name for name, _ in full], [pile for _, pile in full]


def _heading_runs(work: SummaryWork) -> tuple[list[str], dict[tuple[int, int], int]]:
    """Return the headings to write under, and which one each block belongs to."""
    if work.wish.form is not Form.SECTIONS:
        return [""], {}
    names: list[str] = []
    run_of: dict[tuple[int, int], int] = {}
    for place, document in enumerate(work.documents):
        for name, blocks in group_blocks(work, place, document.blocks):
            run_of |= {(place, block.id): len(names) for block in blocks}
            names.append(name)
    return names or [""], run_of


def _run_of(point: Statement, run_of: dict[tuple[int, int], int], last: int) -> int:
    if not point.anchors:
        return last
    return run_of.get((point.anchors[0].document, point.anchors[0].block_id), 0)


def points_so_far(work: SummaryWork, points: Sequence[Sequence[Statement]]) -> list[Statement]:
    """Return the checked points, one statement each."""
    names, run_of = _heading_runs(work)
    found: list[Statement] = []
    last = 0
    for point in (statement for section in points for statement in section):
        last = _run_of(point, run_of, last)
        found.append(replace(point, group=names[last], paragraph=len(found)))
    return found


def below_the_text(text: Sequence[Statement], points: Sequence[Statement]) -> list[Statement]:
    """Return the text written before a stop, followed by the points it was based on."""
    # Without any text there is nothing to stand below.
    if not text:
        return list(points)
    first = text[-1].paragraph + 1
    return [
        *text,
        *(replace(point, group=BELOW_THE_TEXT, paragraph=first + place) for place, point in enumerate(points)),
    ]


def title_shown(document: InputDocument) -> str:
    return document.title.strip() or document.name


__all__ = [
    "InputDocument",
    "Merging",
    "Planned",
    "ReadingPlan",
    "SectionRead",
    "Steps",
    "Summarized",
    "SummaryEvent",
    "TaskRests",
    "Writing",
    "plan_reading",
    "summarize_documents",
]  # fmt: skip


Stages = Generator[Iterable[SummaryEvent], None, Summary]
"""Stages of reading, each to be run to its end before the next is asked for; at last what was written."""
CheckClaims = Callable[[Summary, Sequence[InputDocument], CancelToken], Generator[SummaryEvent, None, Summary]]
"""Checks the claims of a summary; see `app.features.claim_checker.checker.ClaimChecker.check_summary`."""


@dataclass(frozen=True)
class ReadingPlan:
    """Plan of what to read, in tokens of the loaded model. Empty `sections`: all in one pass."""

    by_document: tuple[int, ...]
    sections: tuple[ReadSection, ...]
    method: Method = Method.MODEL

    @property
    def tokens(self) -> int:
        """Total over all documents."""
        return sum(self.by_document)


def plan_reading(
    documents: Sequence[InputDocument],
    wish: SummaryOptions,
    engine: Engine,
    cancel: CancelToken,
    *,
    earlier: ClaimScore | None = None,
) -> ReadingPlan | None:
    """Count tokens and split into sections; None when cancelled. Wakes the model; raises the engine's errors."""
    work = _begin_work(documents, wish, engine, _NoSteps(), cancel)
    return _plan_sections(work, _choose_method(work, earlier)) if work is not None else None


def summarize_documents(
    documents: Sequence[InputDocument],
    wish: SummaryOptions,
    engine: Engine,
    steps: Steps,
    cancel: CancelToken,
    *,
    earlier: ClaimScore | None = None,
    check: CheckClaims | None = None,
) -> Generator[SummaryEvent, None, None]:
    """Summarize all documents together, with the model loaded in `engine` or, where `method_for` says so, by
    extraction.

    `earlier` scores how well the model did before. Unless the user chose the method, a model whose claims are rarely
    found is stopped midway. Cancelled, it ends at once with a partial summary. Raises the engine's errors after a
    second try; finished steps stay stored.
    """
    begun_s = time.monotonic()
    work = _begin_work(documents, wish, engine, steps, cancel)
    # Loaded, a model tells how many weights it has; with too few it isn't asked.
    if work is not None and _choose_method(work, earlier) is Method.DIGEST:
        if (yield from by_counting(documents, wish, cancel)):
            return
        # There were no sentences to choose, so the model has to write after all.
        work = replace(work, wish=replace(wish, method=Method.MODEL))
    found = _plan_sections(work, Method.MODEL) if work is not None else None
    if work is None or found is None:
        yield Summarized(_empty_summary(documents, wish, engine, time.monotonic() - begun_s))
        return
    written: list[Summary] = []
    # Run here and not where they follow from each other: each event then passes one generator less for each.
    for stage in _keep_result(_read_sections(work, found), written):
        yield from stage
    summary = _replace_by_extract(replace(written[0], seconds=time.monotonic() - begun_s), documents, cancel)
    yield Summarized((yield from check(summary, documents, cancel)) if check is not None else summary)


def _replace_by_extract(written: Summary, documents: Sequence[InputDocument], cancel: CancelToken) -> Summary:
    """Replace what was written by an extract if too little of it was found.

    Not if the user chose the model, nor if an extract can't fulfil the wish.
    """
    # A part of a summary can't be judged by its share.
    if written.is_partial or not _can_be_sentences(documents, written.wish):
        return written
    texts = {
        (place, block.id): block.text
        for place, input_document in enumerate(documents)
        for block in input_document.blocks
    }
    score = score_claims(written.statements, lambda document, number: texts[document, number])
    # Given up earlier, its few statements may have passed by chance.
    if score.is_enough and not written.has_given_up:
        return written
    digest = digest_summary(documents, written.wish, lambda: cancel.cancelled)
    # Nothing to choose from, or stopped while choosing: what the model wrote is better than that.
    if not digest.statements or digest.is_partial:
        return written
    return replace(
        digest,
        model=written.model,
        set_aside=written.statements,
        seconds=written.seconds,
        has_given_up=written.has_given_up,
    )


def _can_be_sentences(documents: Sequence[InputDocument], wish: SummaryOptions) -> bool:
    return wish.method is None and wish.form in FORMS and not wish.language and any(map(has_sentences, documents))


def by_counting(
    documents: Sequence[InputDocument], wish: SummaryOptions, cancel: CancelToken
) -> Generator[SummaryEvent, None, bool]:
    """Make an extract, without an engine; returns whether it will do."""
    yield Planned(len(documents), 0, Method.DIGEST)
    digest = sufficient_digest(documents, wish, lambda: cancel.cancelled)
    if digest is not None:
        yield Summarized(digest)
    return digest is not None


def _keep_result(stages: Stages, written: list[Summary]) -> Iterator[Iterable[SummaryEvent]]:
    written.append((yield from stages))


def _read_sections(work: SummaryWork, found: ReadingPlan) -> Stages:
    """Read in one pass where it fits; if that fails, in sections."""
    yield [Planned(max(1, len(found.sections)), found.tokens)]
    if found.sections:
        return (yield from _in_sections(work, found.sections))
    summary = yield from _in_one_pass(work)
    # A text that fits may still be more than the model can follow; in sections it may do better.
    if not summary.sections_failed or summary.statements or summary.has_given_up:
        return summary
    sections = _cut_sections(work)
    if work.cancel.cancelled:
        # Stopped meanwhile: that isn't a failure of the text.
        return replace(summary, sections_failed=0, is_partial=True)
    yield [Planned(len(sections), found.tokens)]
    return (yield from _in_sections(work, sections))


class _NoSteps:
    """Steps that store nothing."""

    def find_step(self, key: str) -> None:
        """Nothing."""

    def keep_step(self, key: str, value: object) -> None:
        """Nowhere."""


def _begin_work(
    documents: Sequence[InputDocument], wish: SummaryOptions, engine: Engine, steps: Steps, cancel: CancelToken
) -> SummaryWork | None:
    """Build the shared state; None if cancelled while the model was loading."""
    if (model := wake_model(engine, cancel)) is None:
        return None
    language, may_give_up = writing_language(documents, wish), _can_be_sentences(documents, wish)
    return SummaryWork(documents, wish, engine, steps, cancel, model, budgets_for(model), language, may_give_up)


def _choose_method(work: SummaryWork, earlier: ClaimScore | None) -> Method:
    return method_for(work.wish, work.model.weights, is_short=is_short(work.documents), earlier=earlier)


def _plan_sections(work: SummaryWork, method: Method) -> ReadingPlan | None:
    counts: list[int] = []
    for document in work.texts:
        # None: stopped while the model was loading.
        if work.cancel.cancelled:
            return None
        counts.append(sum(work.count_tokens([f"{number_block(block)}\n\n" for block in document.blocks])))
    if method is Method.DIGEST:
        return ReadingPlan(tuple(counts), (), Method.DIGEST)
    # The prompt with nothing in it tells what instructions and template take.
    fixed = work.fixed_tokens(messages_for(work, SummaryDraft(WriteUpSources((("", ""),), {}))))
    # The outline's room is set aside before it is known how long it will be.
    fixed += OUTLINE_TOKENS if work.budgets.is_small and work.wish.form in FORMS else 0
    if sum(counts) <= work.budgets.section_room(fixed, work.budgets.writing_tokens(work.wish.length, work.language)):
        return ReadingPlan(tuple(counts), ())
    sections = _cut_sections(work)
    return None if work.cancel.cancelled else ReadingPlan(tuple(counts), tuple(sections))


def _cut_sections(work: SummaryWork) -> Sequence[ReadSection]:
    """Split the documents into sections as large as the model reads well."""
    # The longest numbers a section's head can have, so none is underestimated.
    empty = ReadSection(0, "", (), (), None, 0, 100, 100)
    budgets = work.budgets
    messages = summary_prompts.map_messages(
        work.documents[0], empty, work.language, budgets.most_points, is_small=budgets.is_small
    )
    return sections_of(work.texts, budgets.within_context(work.fixed_tokens(messages)).section, work.count_tokens)


def _in_one_pass(work: SummaryWork) -> Stages:
    # Numbers in one prompt are unique: each document's begin where the last one's end.
    offsets = list(
        accumulate(
            (max((b.id for b in input_document.blocks), default=0) for input_document in work.documents), initial=0
        )
    )
    stretches = [
        (group, whole_section(place, blocks, offsets[place]))
        for place, document in enumerate(work.texts)
        for group, blocks in group_blocks(work, place, document.blocks)
    ]
    stretches = [(group, section) for group, section in stretches if section.slices]
    drafts = _drafts_of(work, stretches, offsets)
    writing, reading = WriteUp(work, drafts), SectionReading(work.documents)
    yield writing.run()
    # By group, since a draft under a heading was shown only that part.
    for draft, prompt in writing.answered:
        for group, section in stretches:
            if group == draft.group:
                reading.mark_answered(section, prompt)
    is_read = len(writing.answered) == len(drafts)
    # A stop by the person, or by what was found, is no failure of the document.
    failed = 0 if is_read or work.cancel.cancelled or writing.has_given_up else 1
    summary = _make_summary(work, reading, writing.statements, sections=1, read=int(is_read), failed=failed)
    return replace(summary, has_given_up=writing.has_given_up)


def _drafts_of(
    work: SummaryWork, stretches: Sequence[tuple[str, ReadSection]], offsets: Sequence[int]
) -> list[SummaryDraft]:
    if work.wish.form is not Form.SECTIONS:
        every = [section for _, section in stretches]
        return (
            [SummaryDraft(of_sections(work, every, offsets), outline=outline_of(work, every, offsets))] if every else []
        )
    sizes = [len(section.text) for _, section in stretches]
    return [
        SummaryDraft(
            of_sections(work, [section], offsets), group, size / sum(sizes), outline_of(work, [section], offsets)
        )
        # Longer parts get more of the length.
        for (group, section), size in zip(stretches, sizes, strict=True)
    ]


def _in_sections(work: SummaryWork, sections: Sequence[ReadSection]) -> Stages:
    reading = SectionReading(work.documents)
    mapping = SectionMapping(work, sections, reading)
    yield mapping.run()
    statements: list[Statement] = []
    if has_given_up := mapping.has_given_up:
        # The points so far are shown below the extract that takes their place.
        statements = points_so_far(work, mapping.points)
    elif not work.cancel.cancelled:
        names, found = make_piles(work, mapping.points)
        fixed = work.fixed_tokens(messages_for(work, SummaryDraft(WriteUpSources((("", ""),), {}))))
        answer = work.budgets.writing_tokens(work.wish.length, work.language)
        merge = PointMerge(work, found, work.budgets.room_for_points(fixed, answer))
        yield merge.run()
        if not work.cancel.cancelled:
            writing = WriteUp(work, _drafts_of_points(work, names, merge.piles))
            yield writing.run()
            statements, has_given_up = writing.statements, writing.has_given_up
    # What was written so far, and the points it would have gone on with.
    if work.cancel.cancelled:
        statements = below_the_text(statements, points_so_far(work, mapping.points))
    read, failed = mapping.read, len(mapping.failed)
    summary = _make_summary(work, reading, statements, sections=len(sections), read=read, failed=failed)
    return replace(summary, has_given_up=has_given_up)


def _drafts_of_points(
    work: SummaryWork, names: Sequence[str], piles: Sequence[Sequence[Sequence[Statement]]]
) -> list[SummaryDraft]:
    drafts: list[SummaryDraft] = []
    for name, pile in zip(names, piles, strict=True):
        points = distinct_statements(point for group in pile for point in group)
        # A heading with more points gets more of the length.
        share = len(points) / max(1, sum(len(group) for sequence in piles for group in sequence))
        drafts.append(SummaryDraft(of_points(work, points), name, min(1.0, share) if len(names) > 1 else 1.0))
    return [draft for draft in drafts if draft.sources.points]


def _make_summary(
    work: SummaryWork,
    reading: SectionReading,
    statements: Sequence[Statement],
    *,
    sections: int,
    read: int,
    failed: int = 0,
) -> Summary:
    documents = _describe_documents(work.documents, reading)
    return Summary(
        title=join_entries(document.title for document in documents),
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


def _empty_summary(documents: Sequence[InputDocument], wish: SummaryOptions, engine: Engine, seconds: float) -> Summary:
    """Return the partial summary of a run stopped before anything was read."""
    shown = _describe_documents(documents, SectionReading(documents))
    model = Path(engine.loaded.path).name if engine.loaded is not None else ""
    title = join_entries(summarized_document.title for summarized_document in shown)
    return Summary(
        title, shown, (), wish, writing_language(documents, wish), model, 0, 0, is_partial=True, seconds=seconds
    )


def _describe_documents(documents: Sequence[InputDocument], reading: SectionReading) -> tuple[SummarizedDocument, ...]:
    return tuple(
        SummarizedDocument(
            input_document.id, input_document.name, title_shown(input_document), input_document.unit, coverage
        )
        for input_document, coverage in zip(documents, reading.make_coverage(), strict=True)
    )
