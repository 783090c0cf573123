"""Packs blocks into chunks of at most so many tokens, cut where a reader would pause; nothing is lost.

The chunks are consecutive stretches of one text, the blocks' texts joined by `SEPARATOR`, so their texts joined are
that text again. Tokens are counted of parts and added up, since counting is what costs; tokenizers do not add up
exactly, so every chunk is counted as a whole before it is handed out, and divided again where it is over.

Of several methods that were measured (semantic-text-splitter, semchunk, chonkie) none is lossless, keeps headings
with their text and fills its chunks, all at once, and they call the tokenizer four times a chunk.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import accumulate
from typing import NamedTuple

from app.core.lazy_dataclasses import dataclass
from app.documents.blocks import Block, BlockKind
from app.documents.cut_places import INSIDE, CutRank, cuts_in, is_one_character

Counter = Callable[[Sequence[str]], Sequence[int]]

SEPARATOR = "\n\n"

LARGE = 0.75
"""Share of the budget above which a part is divided at lines and sentences, so that the one before needn't be a chunk
of its own.
"""
PARTS = 8
"""Parts that are too large are divided into about this many per budget."""
MOST_JOINT_TOKENS = 2.0
"""Most tokens that a real tokenizer adds where two parts meet."""
WORTH_REPACKING = 0.95


class BlockSlice(NamedTuple):
    """A range of a block's text: `start` and `end` are offsets in it."""

    block_id: int
    start: int
    end: int


@dataclass(frozen=True)
class TextChunk:
    """A range of the document that takes `tokens`.

    `heading_path` is its first block's; pages are None if blocks have none.
    """

    text: str
    slices: tuple[BlockSlice, ...]
    heading_path: tuple[str, ...]
    first_page: int | None
    last_page: int | None
    tokens: int


def split(blocks: Sequence[Block], budget_tokens: int, count: Counter) -> list[TextChunk]:
    """Return the document in chunks of at most `budget_tokens`, as `count` counts them (each text by itself).

    The texts of the chunks joined are the texts of the blocks joined by `SEPARATOR`: what divides two blocks belongs to
    the chunk of the first. Raises ValueError where the budget does not hold one character.
    """
    if budget_tokens < 1:
        raise ValueError(f"a budget of {budget_tokens} tokens holds nothing")
    return _DocumentSplitter(blocks, budget_tokens, count).chunks() if blocks else []


@dataclass
class _SplitPart:
    """A stretch of the whole text inside one block; `rank` tells how good it is to cut before it."""

    block: int
    start: int
    end: int
    rank: int
    tokens: int = -1
    is_settled: bool = False


_Span = tuple[_SplitPart, ...]
"""The parts of one chunk."""


class _DocumentSplitter:
    """Split one document. `_counts` holds the tokens of every range that was counted, since counting is what costs."""

    def __init__(self, blocks: Sequence[Block], budget: int, count: Counter) -> None:
        self._blocks, self._budget, self._count = blocks, budget, count
        self._text = SEPARATOR.join(block.text for block in blocks)
        self._offsets = list(accumulate((len(block.text) + len(SEPARATOR) for block in blocks), initial=0))
        self._counts: dict[tuple[int, int], int] = {}

    def chunks(self) -> list[TextChunk]:
        parts = self._refine_parts(self._one_part_a_block())
        spans = self._pack_again(parts, self._counted_spans(pack(parts, self._budget)))
        # Tokenizers don't add up exactly, so a chunk of parts that fit may be over as a whole.
        while any(self._span_tokens(span) > self._budget for span in spans):
            spans = self._counted_spans(self._divided_spans(spans))
        return [self._make_chunk(span) for span in spans]

    def _one_part_a_block(self) -> list[_SplitPart]:
        ranks = (_cut_rank(before, block) for before, block in zip([None, *self._blocks], self._blocks, strict=False))
        ends = [*self._offsets[1:-1], len(self._text)]
        return [_SplitPart(n, self._offsets[n], ends[n], rank) for n, rank in enumerate(ranks)]

    def _refine_parts(self, parts: list[_SplitPart]) -> list[_SplitPart]:
        """Parts that all fit, each with its tokens; one call of the counter for each time that all are looked at."""
        while True:
            self._count_parts(parts)
            refined = [split_part for part in parts for split_part in self._divide_part(part)]
            if all(part.tokens >= 0 for part in refined):
                # A part that was just divided has no count yet (-1).
                return refined
            parts = refined

    def _count_parts(self, parts: Iterable[_SplitPart]) -> None:
        new = [part for part in parts if part.tokens < 0]
        counts = self._count([self._text[part.start : part.end] for part in new]) if new else ()
        for part, tokens in zip(new, counts, strict=True):
            part.tokens = tokens
            self._counts[part.start, part.end] = tokens

    def _divide_part(self, part: _SplitPart) -> list[_SplitPart]:
        """Return the part itself where it fits, or smaller ones, cut at the best kind of boundary that it has."""
        is_over = part.tokens > self._budget
        if not is_over and (part.is_settled or part.tokens <= LARGE * self._budget):
            return [part]
        text = self._text[part.start : part.end]
        # Its tokens are about even over the text; so many characters are an eighth of the budget.
        step = max(1, len(text) * self._budget // (max(part.tokens, self._budget) * PARTS))
        for rank in INSIDE[self._blocks[part.block].kind]:
            # What fits is only loosened at lines and sentences; words are cut only where a part would not fit at all.
            if not is_over and rank > CutRank.SENTENCE:
                break
            cuts = cuts_in(text, rank, step)
            if cuts:
                # All cuts of the best kind at once: each round is a call of the tokenizer.
                return self._cut_part(part, cuts, rank)
        if is_over:
            raise ValueError(f"{self._budget} tokens do not hold the character {text!r}, which takes {part.tokens}")
        # Has no boundary that is worth a cut, and fits.
        part.is_settled = True
        return [part]

    def _cut_part(self, part: _SplitPart, cuts: Sequence[int], rank: int) -> list[_SplitPart]:
        edges = [part.start, *(part.start + cut for cut in cuts), part.end]
        ranks = [part.rank] + [int(rank)] * len(cuts)
        return [
            _SplitPart(part.block, start, end, number)
            for start, end, number in zip(edges, edges[1:], ranks, strict=False)
        ]

    def _split_at_most(self, part: _SplitPart, most: int) -> list[_SplitPart]:
        """Return the part in two, the first of at most so many characters, or of one; one character stays as it is."""
        text = self._text[part.start : part.end]
        if is_one_character(text):
            return [part]
        for rank in INSIDE[self._blocks[part.block].kind]:
            cuts = [cut for cut in cuts_in(text, rank, max(1, most)) if cut <= max(1, most)]
            if cuts:
                return self._cut_part(part, cuts[-1:], rank)
        return [part]

    def _counted_spans(self, spans: list[_Span]) -> list[_Span]:
        """Return the same, all counted as a whole, in one call."""
        # One call for all: a tokenizer in another process costs more by call than by text.
        new = [key for key in map(_span_edges, spans) if key not in self._counts]
        counts = self._count([self._text[start:end] for start, end in new]) if new else ()
        self._counts.update(zip(new, counts, strict=True))
        return spans

    def _span_tokens(self, span: _Span) -> int:
        return self._counts[_span_edges(span)]

    def _pack_again(self, parts: list[_SplitPart], spans: list[_Span]) -> list[_Span]:
        """Pack again, counting the tokens added or saved where parts meet, if that matters."""
        # How much more or less a span takes than its parts, for each place where two of them meet.
        joined = [(span, _added_tokens(span)) for span in spans if len(span) > 1]
        if not joined:
            return spans
        # The largest one, so that no span of the second packing is over.
        joint = max((self._span_tokens(span) - added) / (len(span) - 1) for span, added in joined)
        is_over = any(self._span_tokens(span) > self._budget >= added for span, added in joined)
        is_loose = all(self._span_tokens(span) < WORTH_REPACKING * added for span, added in joined)
        if not is_over and not is_loose:
            return spans
        return self._counted_spans(pack(parts, self._budget, max(-1.0, min(MOST_JOINT_TOKENS, joint))))

    def _divided_spans(self, spans: list[_Span]) -> list[_Span]:
        over = [self._span_tokens(span) > self._budget for span in spans]
        spans = [self._with_cut(span) if is_over else span for span, is_over in zip(spans, over, strict=True)]
        self._count_parts(part for span in spans for part in span)
        found: list[_Span] = []
        for span, is_over in zip(spans, over, strict=True):
            found += _cut_in_two(span) if is_over else [span]
        return found

    def _with_cut(self, span: _Span) -> _Span:
        """Cut the text behind a heading where the two could only be parted, and room is left for some of it."""
        last, room = span[-1], self._budget - _added_tokens(span[:-1])
        is_heading = self._blocks[last.block].kind is BlockKind.HEADING
        if is_heading or room <= 0 or any(part.rank != CutRank.AFTER_HEADING for part in span[1:]):
            return span
        size = last.end - last.start
        # Nine tenths of the room: tokens are guessed from characters here.
        return (*span[:-1], *self._split_at_most(last, min(size // 2, size * room * 9 // (last.tokens * 10))))

    def _make_chunk(self, span: _Span) -> TextChunk:
        start, end = _span_edges(span)
        found = list(self._block_slices(start, end, range(span[0].block, span[-1].block + 1)))
        pages = [page for block, stretch in found for page in _slice_pages(block, stretch)]
        return TextChunk(
            self._text[start:end],
            tuple(stretch for _, stretch in found),
            found[0][0].heading_path,
            min(pages, default=None),
            max(pages, default=None),
            self._span_tokens(span),
        )

    def _block_slices(self, start: int, end: int, blocks: range) -> Iterator[tuple[Block, BlockSlice]]:
        """Yield each block's slice of a range, without blocks of which only the separator is inside."""
        for number in blocks:
            block, offset = self._blocks[number], self._offsets[number]
            first, last = max(start - offset, 0), min(end - offset, len(block.text))
            # An empty block belongs to a range as well, or its id would be in no chunk.
            if first < last or not block.text or len(blocks) == 1:
                yield block, BlockSlice(block.id, min(first, last), last)


def pack(parts: Sequence[_SplitPart], limit: float, joint: float = 0.0) -> list[_Span]:
    """Pack consecutive parts into spans of at most `limit` tokens, adding `joint` where two meet.

    A heading stays with the part after it whatever they take, unless headings alone fill the limit.
    """
    sums, ranks = _running_sums(parts, joint), [part.rank for part in parts]
    spans: list[_Span] = []
    begin = 0
    while begin < len(parts):
        # `joint` is added once too often: there is one place fewer than parts.
        end = _best_end(sums, ranks, begin, limit + joint)
        spans.append(tuple(parts[begin:end]))
        begin = end
    return spans


def _best_end(sums: Sequence[float], ranks: Sequence[int], begin: int, limit: float) -> int:
    """Return the end of the chunk that begins at a part: the best cut that doesn't make it needlessly small.

    What is left for the last two chunks is shared between them.
    """
    # The last chunk gets the rest, the last two share it, so that none is a scrap.
    rest = sums[-1] - sums[begin]
    if rest <= limit:
        return len(ranks)
    # Tried in this order: a good cut in the upper half, in the upper three quarters, then any cut there.
    windows = [
        (limit / 2, limit, CutRank.LIST),
        (limit / 4, limit, CutRank.LIST),
        (limit / 4, limit, CutRank.CHARACTER),
    ]
    windows.append((0.0, limit, CutRank.CHARACTER))
    if rest <= 2 * limit:
        windows.insert(0, (max(rest - limit, rest / 3), min(limit, rest * 2 / 3), CutRank.LIST))
    for least, most, worst in windows:
        low = max(begin + 1, bisect_left(sums, sums[begin] + least))
        high = min(len(ranks), bisect_right(sums, sums[begin] + most))
        best = min(ranks[low:high], default=worst + 1)
        if best <= worst:
            # Of equally good cuts the one nearest to the wanted size.
            aim = sums[begin] + min(most, rest / 2)
            return min((n for n in range(low, high) if ranks[n] == best), key=lambda n: abs(sums[n] - aim))
    # No cut but behind a heading: the chunk grows until the heading has its text, even over the limit.
    fits = bisect_right(sums, sums[begin] + limit) - 1
    stays = (n for n in range(begin + 1, fits + 2) if n == len(ranks) or ranks[n] != CutRank.AFTER_HEADING)
    return next(stays, max(begin + 1, fits))


def _cut_in_two(span: _Span) -> list[_Span]:
    """Cut a span in two at the best place near the middle."""
    ranks = [part.rank for part in span]
    cut = _best_end(_running_sums(span), ranks, 0, _added_tokens(span) * 2 / 3)
    if cut == len(span) or ranks[cut] == CutRank.AFTER_HEADING:
        # Headings alone that fill a chunk: they have to be parted somewhere.
        only_headings = max(1, len(span) - 2)
        cut = next((n for n in range(1, len(span)) if ranks[n] != CutRank.AFTER_HEADING), only_headings)
    return [span[:cut], span[cut:]]


def _running_sums(parts: Sequence[_SplitPart], joint: float = 0.0) -> list[float]:
    return list(accumulate((max(0.0, part.tokens + joint) for part in parts), initial=0.0))


def _cut_rank(before: Block | None, block: Block) -> int:
    """Return the rank of the place between two blocks."""
    if before is not None and before.kind is BlockKind.HEADING:
        return CutRank.AFTER_HEADING
    if block.kind is BlockKind.HEADING:
        return min(max(block.level, 1), 9)
    is_listed = (
        # A caption or a note belongs to what stands above it.
        before is not None and before.kind in (BlockKind.LIST_ITEM, block.kind) and block.kind is BlockKind.LIST_ITEM
    )
    return CutRank.LIST if is_listed or block.kind in (BlockKind.CAPTION, BlockKind.NOTE) else CutRank.BLOCK


def _span_edges(span: _Span) -> tuple[int, int]:
    return span[0].start, span[-1].end


def _added_tokens(parts: Sequence[_SplitPart]) -> int:
    return sum(part.tokens for part in parts)


def _slice_pages(block: Block, stretch: BlockSlice) -> list[int]:
    """Return the pages of a slice: a block of a PDF may go on overleaf, and its lines know their pages."""
    found = [box.page for box in block.place.boxes if box.start < stretch.end and box.end > stretch.start]
    return found or ([] if block.page is None else [block.page])
