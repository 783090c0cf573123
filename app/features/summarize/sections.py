"""Cuts documents into sections of numbered paragraphs, `[12] text`, and accounts for every block of them.

The numbers are the blocks' own, so that what the model cites leads back to the page. A section never reaches from
one document into the next.

How much a model is given to read at once and how much it may write, in tokens of its own.

Small models lose what stands in the middle of long prompts, whatever window they advertise, so each class of models
has its own sizes: of a section, of what is read in one pass, and of the answers. The anchors of 2,000 and 8,000
tokens are those of BooookScore (Chang et al., ICLR 2024) and of context-aware merging (Ou and Lapata, 2025).
The first class is our own: of what the starter wrote about a report of 970 tokens read in one pass 1 of 12 statements
stood there, read in parts of 250 tokens 5 of 6, in half the time. Of what it notes of papers 70 % stands there in parts
of 250 and 69 % in parts of 360 tokens, which take a fifth less of prompts; 52 % in parts of 500.
"""

from __future__ import annotations

import collections
from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from app.core.events import ModelLoaded
from app.core.lazy_dataclasses import dataclass, replace
from app.documents.blocks import Block, BlockKind
from app.documents.split import BlockSlice, Counter, TextChunk, split
from app.features.document_parts import ApartReason, find_apart_blocks
from app.features.models.model_languages import weights_of
from app.features.summarize.summary_result import Coverage, InputDocument, LeftApart, Length
from app.language.language_names import has_word_spaces

WORDS = {Length.SHORT: 150, Length.MEDIUM: 350, Length.LONG: 800}
WORDS_A_STATEMENT = 22
LEAST_MARGIN_TOKENS = 64
MARGIN_SHARE = 0.03
SHARE_OF_CONTEXT = 0.45
"""A section, with all around it, takes no more of the context, so that two are worked on side by side."""
WRITING_SHARE = 0.35
"""Nor does a write-up."""
WORDS_A_TOKEN = 0.65
"""In English; elsewhere a word takes about twice as many tokens."""
ANCHOR_TOKENS = 8
"""Upper bound of the tokens of a statement's source numbers."""
POINT_TOKENS = 45
LONGER = 1.6
"""An answer may be this many times longer than planned before it is cut off."""
LEAST_POINTS, MOST_POINTS = 2, 10
LEAST_JOINED_TOKENS = 2500
LEAST_SECTION_TOKENS = 64


class _ModelClass(NamedTuple):
    """Size class: models of up to this many weights."""

    most_weights: float
    section: int
    points: int
    single: int
    merged: int


_SMALLEST = 5e8
_CLASSES = (
    _ModelClass(_SMALLEST, 360, 120, 250, 300),
    _ModelClass(2e9, 1500, 200, 2500, 300),
    _ModelClass(6e9, 3000, 350, 6000, 450),
    _ModelClass(16e9, 7000, 600, 16000, 700),
    _ModelClass(float("inf"), 12000, 800, 32000, 1000),
)


@dataclass(frozen=True)
class TokenBudgets:
    """Budgets in tokens: a section's text, its answer, a text read in one pass, the answer of a merge.

    `is_small`: up to two billion weights. Such a model loses the thread in JSON and copies badly, so it is asked for
    plain lines and no quotations. `only_chooses`: up to half a billion. Such a model invents something in every
    sentence it rewrites, so its merges and summaries consist of points unchanged; it picks which.
    """

    context: int
    section: int
    points: int
    single: int
    merged: int
    is_small: bool
    only_chooses: bool = False

    @property
    def most_points(self) -> int:
        """Number of points asked of a section."""
        # As many as fit the answer's length: a model asked for more is cut off in its last point.
        return max(LEAST_POINTS, min(MOST_POINTS, self.points // POINT_TOKENS))

    @property
    def most_merged_points(self) -> int:
        """Number of points a merge may leave."""
        return max(LEAST_POINTS, self.merged // POINT_TOKENS)

    @property
    def points_limit(self) -> int:
        return int(self.points * LONGER)

    @property
    def merged_limit(self) -> int:
        return int(self.merged * LONGER)

    @property
    def margin(self) -> int:
        """Tokens kept free in the context, because token counts of parts don't add up exactly."""
        return margin_of(self.context)

    def section_room(self, fixed_tokens: int, answer_tokens: int) -> int:
        """Return the tokens a text read in one prompt may take, given instructions and answer."""
        # What the answer may take is taken off before: a context that is full in the middle of it ends the answer.
        free = self.context - fixed_tokens - answer_tokens - self.margin
        return max(LEAST_SECTION_TOKENS, min(self.single, free))

    def room_for_points(self, fixed_tokens: int, answer_tokens: int) -> int:
        """Return the tokens points may take.

        They are condensed already, so even the smallest models can be shown many.
        """
        free = self.context - fixed_tokens - answer_tokens - self.margin
        return max(LEAST_SECTION_TOKENS, min(max(self.single, LEAST_JOINED_TOKENS), free))

    def within_context(self, fixed_tokens: int) -> TokenBudgets:
        """Return the budgets with sections that fit the context next to instructions of `fixed_tokens`."""
        # Two sections are read side by side in one context.
        share = int(SHARE_OF_CONTEXT * self.context) - fixed_tokens - self.points_limit - self.margin
        return replace(self, section=max(LEAST_SECTION_TOKENS, min(self.section, share)))

    def writing_tokens(self, length: Length, language: str) -> int:
        """Return the most tokens a write-up of this length takes, source numbers included."""
        words, statements = WORDS[length], WORDS[length] // WORDS_A_STATEMENT
        usual = words / WORDS_A_TOKEN * (1.25 if language in ("", "en") else 2)
        return int(min(usual + statements * ANCHOR_TOKENS, self.context * WRITING_SHARE))


def margin_of(context_tokens: int) -> int:
    """Return the tokens kept free of a context: a share of it, at least `LEAST_MARGIN_TOKENS`."""
    return max(LEAST_MARGIN_TOKENS, int(MARGIN_SHARE * context_tokens))


def budgets_for(loaded: ModelLoaded) -> TokenBudgets:
    """Return the budgets for a model and its context."""
    weights = weights_of(loaded)
    found = next(model_class for model_class in _CLASSES if weights <= model_class.most_weights)
    # An unknown size (0) counts as the smallest class.
    context = loaded.context_tokens
    # With a tiny context even the answers would fill it.
    answer, merged = (min(tokens, context // 6) for tokens in (found.points, found.merged))
    only_chooses = found is _CLASSES[0]
    is_small = only_chooses or found is _CLASSES[1]
    return TokenBudgets(context, found.section, answer, found.single, merged, is_small, only_chooses)


def statements_for(length: Length) -> int:
    """Return about how many statements a summary of this length has."""
    return WORDS[length] // WORDS_A_STATEMENT


def length_words(length: Length, language: str, share: float = 1.0) -> str:
    """Return the length to ask for, such as "about 150 words"; in sentences for unspaced scripts."""
    # Words can't be counted where there are no spaces; sentences can.
    if not has_word_spaces(language):
        return f"about {max(2, round(statements_for(length) * share))} sentences"
    words = WORDS[length] * share
    return f"about {max(20, round(words / 10) * 10)} words"


CONTINUED_TOKENS = 12
"""More than the number takes that is put before the rest of a block whose beginning is in the section before."""
MOST_MARKED_LEVEL = 6
HALF = 6
"""Tenths: two parts of a text are seldom of the same length."""


@dataclass(frozen=True)
class ReadSection:
    """Part of a document as the model reads it.

    `slices` are ranges of its blocks' texts. `number` counts the document's sections from 1 to `of`; both 0 if there
    is only one.
    """

    document: int
    text: str
    slices: tuple[BlockSlice, ...]
    heading_path: tuple[str, ...]
    first_page: int | None
    tokens: int
    number: int = 0
    of: int = 0

    @property
    def ids(self) -> tuple[int, ...]:
        return tuple(block_slice.block_id for block_slice in self.slices)


def sections_of(documents: Sequence[InputDocument], budget_tokens: int, count: Counter) -> list[ReadSection]:
    """Split all documents into sections of at most `budget_tokens`, numbers included."""
    found: list[ReadSection] = []
    for place, document in enumerate(documents):
        # A section never reaches into the next document, which has its own numbers and name.
        mine = _cut_blocks(place, document.blocks, budget_tokens, count)
        found += (
            [replace(section, number=n, of=len(mine)) for n, section in enumerate(mine, 1)] if len(mine) > 1 else mine
        )
    return found


def whole_section(document: int, blocks: Sequence[Block], offset: int = 0) -> ReadSection:
    """Put blocks into one section, uncounted. Their numbers are raised by `offset`, those of documents before them."""
    shown = [block for block in blocks if block.text.strip()]
    text = "\n\n".join(number_block(block, offset) for block in shown)
    slices = tuple(BlockSlice(block.id, 0, len(block.text)) for block in shown)
    path, page = (shown[0].heading_path, shown[0].page) if shown else ((), None)
    return ReadSection(document, text, slices, path, page, 0)


def halves_of(section: ReadSection, blocks: Sequence[Block], count: Counter) -> list[ReadSection]:
    """Split a section in two; one if it can't be split."""
    by_id = {block.id: block for block in blocks}
    parts = [
        replace(by_id[piece.block_id], text=by_id[piece.block_id].text[piece.start : piece.end])
        for piece in section.slices
    ]
    tokens = count([section.text])[0]
    # A tenth more than half, since two parts are seldom of equal length and a third piece would be a scrap.
    found = _cut_blocks(section.document, parts, tokens * HALF // 10 + CONTINUED_TOKENS, count)
    starts = {piece.block_id: piece.start for piece in section.slices}
    return [
        # Ranges are those of the whole block, though the half was cut from a part of it.
        replace(
            half,
            slices=tuple(_move_slice(piece, starts[piece.block_id]) for piece in half.slices),
            number=section.number,
            of=section.of,
        )
        for half in found
    ]


def number_block(block: Block, offset: int = 0) -> str:
    """Format a block as the model reads it: `[12] text`."""
    return f"{_number_mark(block, offset)}{block.text}"


def _number_mark(block: Block, offset: int = 0) -> str:
    number = f"[{block.id + offset}] "
    # Signs of Markdown, which models have learnt; "[12] " before them is what they cite.
    if block.kind is BlockKind.HEADING:
        return f"{number}{'#' * min(max(block.level, 1), MOST_MARKED_LEVEL)} "
    return f"{number}- " if block.kind is BlockKind.LIST_ITEM else number


def _cut_blocks(document: int, blocks: Sequence[Block], budget_tokens: int, count: Counter) -> list[ReadSection]:
    # Numbers are put in before cutting, so that their tokens are counted.
    shown = [replace(block, text=number_block(block)) for block in blocks if block.text.strip()]
    marks = {block.id: _number_mark(block) for block in shown}
    chunks = split(shown, max(1, budget_tokens - CONTINUED_TOKENS), count)
    return [found for chunk in chunks if (found := _make_section(document, chunk, marks)) is not None]


def _make_section(document: int, chunk: TextChunk, marks: dict[int, str]) -> ReadSection | None:
    """Build a section; None if a chunk has only a number, as a tiny budget can cut it off."""
    first = chunk.slices[0]
    # The rest of a block needs its number again, or it would be cited as the block before.
    is_continued = first.start >= len(marks[first.block_id])
    text = f"{marks[first.block_id]}{chunk.text}" if is_continued else chunk.text
    # Ranges count in the block's own text, without the mark.
    slices = tuple(_move_slice(piece, -len(marks[piece.block_id])) for piece in chunk.slices)
    slices = tuple(piece for piece in slices if piece.end > piece.start)
    if not slices:
        return None
    return ReadSection(document, text.rstrip("\n"), slices, chunk.heading_path, chunk.first_page, chunk.tokens)


def _move_slice(one: BlockSlice, by: int) -> BlockSlice:
    return BlockSlice(one.block_id, max(0, one.start + by), max(0, one.end + by))


DEEPEST = 3


def runs_under_headings(blocks: Sequence[Block]) -> Iterator[tuple[str, list[Block]]]:
    """Split a document by headings of the highest level with more than one.

    Text before the first is under ""; headings without text join what follows.
    """
    # With one heading on a level there is nothing to choose between.
    depth = next((n for n in range(DEEPEST) if len({_name(block, n) for block in blocks} - {""}) > 1), 0)
    run: list[Block] = []
    name = ""
    for block in blocks:
        now = _name(block, depth)
        # Headings that follow each other at once belong to the text after them.
        if run and now != name and any(block.kind is not BlockKind.HEADING for block in run):
            yield name, run
            run = []
        run.append(block)
        name = now
    if run:
        yield name, run


def _name(block: Block, depth: int) -> str:
    if len(block.heading_path) > depth:
        return block.heading_path[depth]
    return block.text if block.kind is BlockKind.HEADING and len(block.heading_path) == depth else ""


class SectionReading:
    """Collect answered prompts and work out which blocks were read.

    A section's own list of slices isn't trusted: each slice must occur in the prompt, white space aside.
    `leaves_apart`: contents, indexes and bibliographies needn't be read, see `find_apart_blocks`.
    """

    def __init__(self, documents: Sequence[InputDocument], *, leaves_apart: bool = True) -> None:
        self._documents = [
            _DocumentCoverage(document, find_apart_blocks(document.blocks) if leaves_apart else {})
            for document in documents
        ]

    def mark_answered(self, section: ReadSection, prompt: str) -> None:
        """Record that a prompt with this section was answered."""
        document = self._documents[section.document]
        for piece in section.slices:
            # The prompt is the witness, not the section's list: what was cut off on the way doesn't count.
            document.mark_read(piece.block_id, piece.start, piece.end, prompt)

    def make_coverage(self) -> tuple[Coverage, ...]:
        return tuple(document.coverage for document in self._documents)


class _DocumentCoverage:
    """Coverage of one document; `unread` counts what is missing per page."""

    def __init__(self, given: InputDocument, apart: dict[int, ApartReason]) -> None:
        self._given = given
        self._blocks = {block.id: block for block in given.blocks}
        self._apart = apart
        self._read: dict[int, list[tuple[int, int]]] = defaultdict(list)
        unread = [block for block in given.blocks if block.text.strip() and block.id not in self._apart]
        self._unread = {block.id: block for block in unread}
        self._unread_on = collections.Counter(page for block in unread for page in _pages_of(block))
        self._begun: set[int] = set()
        self._with_text = {page for block in given.blocks for page in _pages_of(block)}
        self._to_read = {page for block in unread for page in _pages_of(block)}
        if not given.blocks or len(unread) + len(self._apart) < len(given.blocks):  # pages with empty blocks alone
            self._to_read |= self._with_text - {
                page for number in self._apart for page in _pages_of(self._blocks[number])
            }

    def mark_read(self, number: int, start: int, end: int, prompt: str) -> None:
        # Trimmed, since a section's end loses its white space.
        if (block := self._unread.get(number)) is None or block.text[start:end].strip() not in prompt:
            return
        self._read[number].append((start, end))
        self._begun |= _pages_of(block, start, end)
        # Stretches of a split block may be answered in any order.
        if _is_whole(block.text, self._read[number]):
            del self._unread[number]
            self._unread_on.subtract(_pages_of(block))

    @property
    def coverage(self) -> Coverage:
        given = self._given
        missing = {page for page, count in self._unread_on.items() if count > 0}
        unread_pages = missing - self._begun
        known = self._with_text.union(given.pages_without_text)
        silent = 0 if self._unread else max(0, given.pages - len(known))  # only a running header or a page number
        return Coverage(
            blocks=len(given.blocks),
            blocks_read=len(given.blocks) - len(self._unread) - len(self._apart),
            pages=given.pages,
            pages_read=len(self._to_read - unread_pages) + silent,
            pages_without_text=tuple(sorted(given.pages_without_text)),
            unread_pages=tuple(sorted(unread_pages)),
            pictures=tuple(sorted(given.picture_pages)),
            partly_read=tuple(sorted(missing & self._begun)),
            apart=tuple(self._list_apart()),
        )

    def _list_apart(self) -> Iterator[LeftApart]:
        for what in ApartReason:
            mine = [self._blocks[number] for number, kind in self._apart.items() if kind is what]
            pages = {page for block in mine for page in _pages_of(block)} - self._to_read
            if mine:
                yield LeftApart(what.value, len(mine), tuple(sorted(pages)))


def _is_whole(text: str, stretches: Sequence[tuple[int, int]]) -> bool:
    """Return whether the ranges cover everything but white space."""
    at = 0
    for start, end in sorted(stretches):
        # White space between two stretches is in neither.
        if text[at:start].strip():
            return False
        at = max(at, end)
    return not text[at:].strip()


def _pages_of(block: Block, start: int = 0, end: int | None = None) -> set[int]:
    """Return the pages of a block, or of a part of it.

    A block of a PDF may run over a page break: its lines know their pages.
    """
    end = len(block.text) if end is None else end
    pages = {box.page for box in block.place.boxes if box.start < end and box.end > start}
    is_begun = end - start < len(block.text) or not pages  # a statement leads to where the block begins
    return pages | ({block.page} if block.page is not None and is_begun else set())
