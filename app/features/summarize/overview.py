"""Collect what is known of documents without a model: extract, key terms, and outline.

Key terms are what a text names, measures, dates and defines, ranked by the number of blocks that have them. In
scripts without capitals, recurring runs of words, or of characters without spaces, with different neighbours count as
names (after Frantzi et al., C-value, 2000). Everything is bounded: single occurrences are dropped when there are too
many candidates, and only a few places of each term are stored.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

from app.core.lazy_dataclasses import dataclass, replace
from app.documents.blocks import Block, BlockKind
from app.features.document_parts import find_apart_blocks
from app.features.summarize.definitions import one_line
from app.features.summarize.digest import UNDER_A_HEADING, digest_summary, load_cues
from app.features.summarize.key_terms import Cancelled, KeyTerm, TermCounter
from app.features.summarize.sections import runs_under_headings
from app.features.summarize.summary_result import (
    ClaimAnchor,
    Form,
    InputDocument,
    Length,
    Statement,
    Summary,
    SummaryOptions,
)
from app.language.sentences import split_sentences

MOST_HEADINGS = 400
LONG_BLOCKS = 60
"""A document with more blocks is long: its digest is grouped by headings."""
MOST_UNDER_HEADINGS = {Length.SHORT: 15, Length.MEDIUM: 40, Length.LONG: 100}
"""Sentences under all headings together; if that is less than one for each, the best of all are taken."""
_TEXTS = frozenset((BlockKind.PARAGRAPH, BlockKind.LIST_ITEM, BlockKind.NOTE, BlockKind.CAPTION))


@dataclass(frozen=True)
class OutlineHeading:
    """A heading of the document; `level` counts from 1."""

    text: str
    level: int
    block_id: int
    page: int | None


@dataclass(frozen=True)
class DocumentOverview:
    """Of one document. `left_out` headings were too many; they are those of the deepest levels."""

    terms: tuple[KeyTerm, ...]
    headings: tuple[OutlineHeading, ...]
    left_out: int = 0


@dataclass(frozen=True)
class FirstLook:
    """Extract of documents as a summary, by section or by document where that helps, and each one's overview."""

    summary: Summary
    overviews: tuple[DocumentOverview, ...]


def first_look(
    documents: Sequence[InputDocument],
    wish: SummaryOptions,
    cancelled: Cancelled = lambda: False,
    progress: Callable[[float], object] = lambda _share: None,
) -> FirstLook | None:
    """Collect everything known before a model is used;

    None when cancelled. Forms that need a model become bullets. `progress` gets the share done, 0 to 1.
    """
    # Sections of a long document, bullets for what sentences can't give: an extract always finds a form.
    form, length = _choose_form(documents, wish)
    watch = _StopWatch(cancelled, progress)
    watch.begin_stage(
        DIGEST_SHARE,
        # The digest looks at each block once and at each sentence twice, once to count and once to score.
        sum(len(input_document.blocks) + 2 * _sentence_count(input_document.blocks) for input_document in documents),
    )
    summary = digest_summary(documents, replace(wish, length=length, form=form, language=""), watch)
    statements = tuple(_group_statements(summary, documents))
    # The wish keeps its own length; a shorter one was only taken under headings.
    summary = replace(summary, statements=statements, wish=replace(summary.wish, length=wish.length))
    overviews = []
    watch.begin_stage(1.0, sum(len(document.blocks) for document in documents))
    for place, document in enumerate(documents):
        if cancelled():
            return None
        told = [anchor for statement in statements for anchor in statement.anchors if anchor.document == place]
        overviews.append(overview_of(document.blocks, document.language, told, watch))
    return None if cancelled() else FirstLook(summary, tuple(overviews))


DIGEST_SHARE = 0.68
TOLD_EVERY = 200
MOST_COUNTED = 300


class _StopWatch:
    """Cancellation check, called per sentence or block, that also reports progress."""

    def __init__(self, cancelled: Cancelled, progress: Callable[[float], object]) -> None:
        self._cancelled, self._progress = cancelled, progress
        self._stage_begin, self._stage_end, self._expected, self._count = 0.0, 0.0, 1, 0

    def begin_stage(self, share: float, expected: int) -> None:
        """Begin a stage that ends at this share of the work; `expected` is about how many checks it makes."""
        self._stage_begin, self._stage_end, self._expected, self._count = self._stage_end, share, max(1, expected), 0

    def __call__(self) -> bool:
        self._count += 1
        if self._count % TOLD_EVERY == 0:
            self._progress(
                self._stage_begin + (self._stage_end - self._stage_begin) * min(1.0, self._count / self._expected)
            )
        return self._cancelled()


def _sentence_count(blocks: Sequence[Block]) -> int:
    """Estimate the number of sentences from a sample of blocks."""
    # Splitting all of a long text only for a progress bar would cost as much as counting it.
    step = max(1, len(blocks) // MOST_COUNTED)
    texts = [block.text for block in blocks[::step] if block.kind in _TEXTS]
    return step * sum(1 for text in texts for _ in split_sentences(text, by_line=False))


def _choose_form(documents: Sequence[InputDocument], wish: SummaryOptions) -> tuple[Form, Length]:
    """Choose sections, each shorter, if a document is long and has a manageable number of them."""
    is_long = any(len(document.blocks) > LONG_BLOCKS for document in documents)
    if is_long or wish.form is Form.SECTIONS:
        groups = sum(len(list(runs_under_headings(input_document.blocks))) for input_document in documents)
        shorter = list(Length)[list(Length).index(wish.length) :: -1]
        # With one heading a document, sections would be the documents themselves.
        for length in shorter if groups > len(documents) else ():
            # The longest length at which all headings together stay readable.
            if groups * UNDER_A_HEADING[length] <= MOST_UNDER_HEADINGS[wish.length]:
                return Form.SECTIONS, length
    return (wish.form if wish.form is Form.PARAGRAPHS else Form.BULLETS), wish.length


def _group_statements(summary: Summary, documents: Sequence[InputDocument]) -> Iterator[Statement]:
    """Yield statements grouped by document if there are several, and by heading if it is long."""
    heading_of = [
        {block.id: heading for heading, run in runs_under_headings(document.blocks) for block in run}
        if len(document.blocks) > LONG_BLOCKS
        else {}
        for document in documents
    ]
    for statement in summary.statements:
        place = statement.anchors[0].document
        group = statement.group or heading_of[place].get(statement.anchors[0].block_id, "")
        if len(documents) > 1:
            name = documents[place].title or documents[place].name
            # A heading may begin with the document's title already.
            group = group if group.startswith(name) else f"{name}: {group}" if group else name
        yield replace(statement, group=group, paragraph=place)


def overview_of(
    blocks: Sequence[Block], language: str = "", told: Sequence[ClaimAnchor] = (), cancelled: Cancelled = lambda: False
) -> DocumentOverview:
    """Return key terms and outline of a document; when cancelled, those found so far.

    `language` is a code. Among equally frequent figures, those in `told` places come first.
    """
    apart = find_apart_blocks(blocks)
    # Contents, indexes and lists of sources would be full of names and pages.
    kept = [block for block in blocks if block.id not in apart]
    headings, left_out = _make_outline(kept)
    texts = [
        block
        for block in kept
        if block.kind in _TEXTS and not any(map(load_cues().not_summed_up.search, block.heading_path))
    ]
    return DocumentOverview(TermCounter(texts, language, cancelled).choose_terms(told), headings, left_out)


def _make_outline(blocks: Iterable[Block]) -> tuple[tuple[OutlineHeading, ...], int]:
    """Build the outline; if there are too many headings, the deepest levels go first, then the last ones."""
    found = [block for block in blocks if block.kind is BlockKind.HEADING and block.text.strip()]
    deepest = max((max(block.level, 1) for block in found), default=1)
    kept = found
    # Deepest first: an outline without chapters would be none, one without subsections is.
    while len(kept) > MOST_HEADINGS and deepest > 1:
        deepest -= 1
        kept = [block for block in kept if block.level <= deepest] or kept
    kept = kept[:MOST_HEADINGS]
    headings = (OutlineHeading(one_line(block.text), max(block.level, 1), block.id, block.page) for block in kept)
    return tuple(headings), len(found) - len(kept)
