"""Cuts documents into sections of numbered paragraphs, `[12] text`, and accounts for every block of them.

The numbers are the blocks' own, so that what the model cites leads back to the page. A section never reaches from
one document into the next.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from app.documents.blocks import Block, Kind
from app.documents.split import Chunk, Counter, Slice, split
from app.features.summary.events import InputDocument

CONTINUED_TOKENS = 12
"""More than the number takes that is put before the rest of a block whose beginning is in the section before."""
MOST_MARKED_LEVEL = 6
HALF = 6
"""Tenths: two parts of a text are seldom of the same length."""


@dataclass(frozen=True)
class Section:
    """A stretch of one document as the model reads it. `slices` are in the texts of its blocks.

    `number` counts the sections of its document from 1 to `of`; both 0 where there is only one.
    """

    document: int
    text: str
    slices: tuple[Slice, ...]
    heading_path: tuple[str, ...]
    first_page: int | None
    tokens: int
    number: int = 0
    of: int = 0

    @property
    def ids(self) -> tuple[int, ...]:
        """The blocks in it, in order."""
        return tuple(one.block_id for one in self.slices)


def sections_of(documents: Sequence[InputDocument], budget_tokens: int, count: Counter) -> list[Section]:
    """All of the documents in sections of at most so many tokens, numbers included."""
    found: list[Section] = []
    for place, document in enumerate(documents):
        mine = _cut(place, document.blocks, budget_tokens, count)
        found += [replace(one, number=n, of=len(mine)) for n, one in enumerate(mine, 1)] if len(mine) > 1 else mine
    return found


def whole(document: int, blocks: Sequence[Block], offset: int = 0) -> Section:
    """Blocks in one section, not counted. Their numbers are larger by `offset`: those of documents before them."""
    shown = [block for block in blocks if block.text.strip()]
    text = "\n\n".join(numbered(block, offset) for block in shown)
    slices = tuple(Slice(block.id, 0, len(block.text)) for block in shown)
    path, page = (shown[0].heading_path, shown[0].page) if shown else ((), None)
    return Section(document, text, slices, path, page, 0)


def halves_of(section: Section, blocks: Sequence[Block], count: Counter) -> list[Section]:
    """A section in two; in one where it cannot be cut."""
    by_id = {block.id: block for block in blocks}
    parts = [replace(by_id[one.block_id], text=by_id[one.block_id].text[one.start : one.end]) for one in section.slices]
    tokens = count([section.text])[0]
    found = _cut(section.document, parts, tokens * HALF // 10 + CONTINUED_TOKENS, count)
    starts = {one.block_id: one.start for one in section.slices}
    return [
        replace(half, slices=tuple(_moved(one, starts[one.block_id]) for one in half.slices), number=section.number,
                of=section.of)
        for half in found
    ]  # fmt: skip


def numbered(block: Block, offset: int = 0) -> str:
    """A block as the model reads it."""
    return f"{_mark(block, offset)}{block.text}"


def _mark(block: Block, offset: int = 0) -> str:
    number = f"[{block.id + offset}] "
    if block.kind is Kind.HEADING:
        return f"{number}{'#' * min(max(block.level, 1), MOST_MARKED_LEVEL)} "
    return f"{number}- " if block.kind is Kind.LIST_ITEM else number


def _cut(document: int, blocks: Sequence[Block], budget_tokens: int, count: Counter) -> list[Section]:
    shown = [replace(block, text=numbered(block)) for block in blocks if block.text.strip()]
    marks = {block.id: _mark(block) for block in shown}
    chunks = split(shown, max(1, budget_tokens - CONTINUED_TOKENS), count)
    return [found for chunk in chunks if (found := _section(document, chunk, marks)) is not None]


def _section(document: int, chunk: Chunk, marks: dict[int, str]) -> Section | None:
    """None where a chunk holds nothing but a number, as a tiny budget can cut it off."""
    first = chunk.slices[0]
    is_continued = first.start >= len(marks[first.block_id])
    text = f"{marks[first.block_id]}{chunk.text}" if is_continued else chunk.text
    slices = tuple(_moved(one, -len(marks[one.block_id])) for one in chunk.slices)
    slices = tuple(one for one in slices if one.end > one.start)
    if not slices:
        return None
    return Section(document, text.rstrip("\n"), slices, chunk.heading_path, chunk.first_page, chunk.tokens)


def _moved(one: Slice, by: int) -> Slice:
    return Slice(one.block_id, max(0, one.start + by), max(0, one.end + by))
