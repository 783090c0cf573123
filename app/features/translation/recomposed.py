"""A document that cannot be written back, as the segments of its blocks, and the blocks with their translations.

A paragraph, a heading, a list item is a segment; a table has one for each cell that holds something. Code stays as it
is. Line breaks inside a block are marks.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from app.documents.blocks import Block, Kind, rows_of
from app.documents.segments import Content, Mark, Segment, SegmentKind, content_of

_KINDS = {
    Kind.HEADING: SegmentKind.HEADING,
    Kind.PARAGRAPH: SegmentKind.PARAGRAPH,
    Kind.LIST_ITEM: SegmentKind.LIST_ITEM,
    Kind.TABLE: SegmentKind.CELL,
    Kind.CAPTION: SegmentKind.CAPTION,
    Kind.NOTE: SegmentKind.NOTE,
}


@dataclass(frozen=True)
class Recomposed:
    """A block with its text as it is to stand in the new document; a table has `rows` of cells in place of `text`."""

    block: Block
    text: str = ""
    rows: tuple[tuple[str, ...], ...] = ()


def segments_of(blocks: Iterable[Block]) -> Iterator[Segment]:
    """What there is to translate, numbered from 1 in the order of the blocks."""
    for block, ids, texts in _numbered(blocks):
        for id_, text in zip(ids, texts, strict=True):
            if id_:
                yield Segment(id_, with_breaks(text), _KINDS[block.kind], block.page or 0, block.level)


def recomposed(blocks: Iterable[Block], words: Mapping[int, Content]) -> Iterator[Recomposed]:
    """The blocks with what stands in `words` for their segments, or with their own text."""
    for block, ids, texts in _numbered(blocks):
        said = [_shown(words[id_]) if id_ in words else text for id_, text in zip(ids, texts, strict=True)]
        if block.kind is not Kind.TABLE:
            yield Recomposed(block, said[0])
            continue
        cells, rows = iter(said), list(rows_of(block))
        yield Recomposed(block, rows=tuple(tuple(next(cells) for _ in row) for row in rows))


def own_label(block: Block) -> str:
    """The number or letter of a list item, "" for a bullet: it stays as it was, wherever its list begins."""
    return block.label if any(character.isalnum() for character in block.label) else ""


def with_breaks(text: str) -> Content:
    """A text whose line breaks are marks."""
    parts: list[str | Mark] = []
    for number, line in enumerate(text.split("\n")):
        parts += [Mark("single", number, "break"), line] if number else [line]
    return content_of(parts)


def _shown(content: Content) -> str:
    return "".join("\n" if isinstance(part, Mark) else part for part in content)


def _numbered(blocks: Iterable[Block]) -> Iterator[tuple[Block, list[int], list[str]]]:
    """Each block with its texts and their segments' numbers, 0 for a text that is none."""
    count = 0
    for block in blocks:
        texts = [cell for row in rows_of(block) for cell in row] if block.kind is Kind.TABLE else [block.text]
        ids = []
        for text in texts:
            is_segment = block.kind is not Kind.CODE and bool(text.strip())
            count += is_segment
            ids.append(count if is_segment else 0)
        yield block, ids, texts
