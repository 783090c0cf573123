"""Stored documents to summarize, and a pipeline that asks for each paragraph by itself: steps can be counted."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from app.bootstrap import Fireside
from app.core.events import CancelToken, Finished, FinishReason, Message, Role, TextDelta
from app.documents.blocks import Block, BlockKind, block_to_fields
from app.engine.client import EngineClient
from app.features.models.pool_policy import RESERVE_BYTES
from app.features.summarize.summaries import SummaryJobs
from app.features.summarize.summarize import Writing
from app.features.summarize.summary_result import (
    ClaimAnchor,
    Coverage,
    InputDocument,
    Planned,
    SectionRead,
    Statement,
    Steps,
    StoredSummary,
    Summarized,
    SummarizedDocument,
    Summary,
    SummaryEvent,
    SummaryOptions,
)
from app.features.work.queue import JobEvent
from app.store.document_store import DocumentStore, StoredDocument
from tests.helpers.engine import ask_behind
from tests.helpers.script import prompts

_numbers = itertools.count(1)


def store_document(
    store: DocumentStore,
    name: str,
    *texts: str,
    title: str = "",
    language: str = "en",
    kind: BlockKind = BlockKind.PARAGRAPH,
) -> StoredDocument:
    """A document of one page a paragraph, as reading it would have left it."""
    document_id = store.begin_document(Path("/documents") / name, 7, next(_numbers))
    blocks = [Block(number, kind, text, number) for number, text in enumerate(texts, 1)]
    store.add_blocks(document_id, [block_to_fields(block) for block in blocks])
    info = {"title": title, "language": language, "pages_without_text": []}
    return store.finish_document(document_id, format_="pdf", unit="page", pages=len(texts), sha256="ab", info=info)


def paragraphs(count: int, word: str = "kiln") -> tuple[str, ...]:
    """Texts that say which they are."""
    return tuple(f"Paragraph {number} tells of {word} {number}." for number in range(1, count + 1))


def one_by_one(
    documents: Sequence[InputDocument], wish: SummaryOptions, engine: EngineClient, steps: Steps, cancel: CancelToken
) -> Iterator[SummaryEvent]:
    """A summary whose sections are paragraphs, and whose statements are the answers; the write-up is one more ask."""
    assert engine.loaded is not None
    model = engine.loaded.name
    sections = [(place, block) for place, document in enumerate(documents) for block in document.blocks]
    yield Planned(len(sections), sum(engine.count_texts([block.text for _, block in sections], cancel=cancel)))
    points: list[Statement] = []
    read = [0] * len(documents)
    for place, block in sections:
        key = f"{model} {block.text}"
        kept = steps.find_step(key)
        answer = kept if isinstance(kept, str) else ask_behind(engine, block.text, cancel)
        if answer is None:
            break
        if kept is None:
            steps.keep_step(key, answer)
        anchor = ClaimAnchor(place, block.id, block.page, 0, len(block.text), block.text)
        points.append(Statement(answer, (anchor,)))
        read[place] += 1
        coverage = _coverage(documents, read)
        yield SectionRead(sum(read), len(sections), (points[-1],), place, block.page, kept is not None, coverage)
    is_whole = len(points) == len(sections)
    if is_whole:
        for event in engine.generate(
            [Message(Role.USER, f"write {wish.length}{wish.language}")], background=True, cancel=cancel
        ):
            if isinstance(event, TextDelta):
                yield Writing(event.text)
            if isinstance(event, Finished):
                is_whole = event.stats.finish_reason is not FinishReason.CANCELLED
    named = tuple(
        SummarizedDocument(one.id, one.name, one.title, one.unit, coverage)
        for one, coverage in zip(documents, _coverage(documents, read), strict=True)
    )
    summary = Summary(
        documents[0].title, named, tuple(points), wish, "en", model, len(sections), len(points),
        is_partial=not is_whole,
    )  # fmt: skip
    yield Summarized(summary)


def _coverage(documents: Sequence[InputDocument], read: Sequence[int]) -> tuple[Coverage, ...]:
    return tuple(
        Coverage(len(one.blocks), count, one.pages, count, (), tuple(range(count + 1, one.pages + 1)))
        for one, count in zip(documents, read, strict=True)
    )


def summaries_of(app: Fireside) -> SummaryJobs:
    """The program's own, with this pipeline."""
    put_pipeline(app, one_by_one)
    return app.summaries


def put_pipeline(app: Fireside, pipeline: Any) -> Any:
    """Another pipeline in the queue; the one that was there."""
    before, app.summaries.pipeline = app.summaries.pipeline, pipeline
    return before


def leave_no_room(app: Fireside, *, needed_bytes: int) -> None:
    """The computer has no memory to spare beside the chat's model, and the summary's needs so much."""
    app.pool._free_bytes, app.pool._needs = lambda: RESERVE_BYTES, lambda _path: needed_bytes


def work_off(summaries: SummaryJobs) -> None:
    """Everything that waits."""
    for _ in summaries.run(CancelToken()):
        pass


def begin(
    app: Fireside, *names: str, count: int = 6, word: str = "kiln", wish: SummaryOptions | None = None
) -> StoredSummary:
    """One summary over new documents of so many paragraphs."""
    ids = [store_document(app.documents.store, name, *paragraphs(count, word)).id for name in names or ("a.pdf",)]
    (row,) = app.summaries.begin_summaries(ids, wish or SummaryOptions(), together=True)
    return row


def asked(script: Path) -> Counter[str]:
    """How often each paragraph was in a prompt."""
    return Counter(messages[-1][1] for messages in prompts(script))


def state(summaries: SummaryJobs, summary_id: int) -> str:
    """How a summary is; "" where it is gone."""
    row = summaries.get(summary_id)
    return row.state if row is not None else ""


def until_section(summaries: SummaryJobs, number: int, cancel: CancelToken | None = None) -> Iterator[JobEvent[Any]]:
    """The work up to and with a section; the rest when asked for more."""
    for worked in summaries.run(cancel or CancelToken()):
        if isinstance(worked.event, SectionRead) and worked.event.done == number:
            yield worked
    yield JobEvent(0, None)
