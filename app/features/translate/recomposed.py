"""A document that cannot be written back, as the segments of its blocks, and the blocks with their translations.

A paragraph, a heading, a list item is a segment; a table has one for each cell that holds something. Code stays as it
is. Line breaks inside a block are marks.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from html import escape

from app.core.catalogue import Translatable
from app.core.lazy_dataclasses import dataclass
from app.documents.blocks import Block, BlockKind, rows_of
from app.documents.segments import Content, Mark, Segment, SegmentKind, content_of
from app.features.document_frames import page_mark
from app.features.work.web_page import language_attributes, page_style, web_page

_KINDS = {
    BlockKind.HEADING: SegmentKind.HEADING,
    BlockKind.PARAGRAPH: SegmentKind.PARAGRAPH,
    BlockKind.LIST_ITEM: SegmentKind.LIST_ITEM,
    BlockKind.TABLE: SegmentKind.CELL,
    BlockKind.CAPTION: SegmentKind.CAPTION,
    BlockKind.NOTE: SegmentKind.NOTE,
}


@dataclass(frozen=True)
class Recomposed:
    """A block with its new text; a table has `rows` of cells in place of `text`."""

    block: Block
    text: str = ""
    rows: tuple[tuple[str, ...], ...] = ()


def segments_of(blocks: Iterable[Block]) -> Iterator[Segment]:
    """Yield what to translate, numbered from 1 in block order."""
    # The same walk numbers segments and puts translations in, so that both count alike.
    for block, ids, texts in _number_texts(blocks):
        for id_, text in zip(ids, texts, strict=True):
            if id_:
                yield Segment(id_, with_breaks(text), _KINDS[block.kind], block.page or 0, block.level)


def recompose_blocks(blocks: Iterable[Block], words: Mapping[int, Content]) -> Iterator[Recomposed]:
    """Yield the blocks with the translation of their segments from `words`, or their own text."""
    for block, ids, texts in _number_texts(blocks):
        said = [_content_text(words[id_]) if id_ in words else text for id_, text in zip(ids, texts, strict=True)]
        if block.kind is not BlockKind.TABLE:
            yield Recomposed(block, said[0])
            continue
        # A cell without words is no segment, but has its place in the row.
        cells, rows = iter(said), list(rows_of(block))
        yield Recomposed(block, rows=tuple(tuple(next(cells) for _ in row) for row in rows))


def as_plain(recomposed: Recomposed) -> str:
    """Return a block as plain text; table cells are separated by tabs."""
    return "\n".join(map("\t".join, recomposed.rows)) if recomposed.block.kind is BlockKind.TABLE else recomposed.text


def own_label(block: Block) -> str:
    """Return a list item's number or letter, "" for a bullet; it is kept, wherever its list begins."""
    # A bullet is drawn by the list; a number belongs to the text and stays.
    return block.label if any(character.isalnum() for character in block.label) else ""


def with_breaks(text: str) -> Content:
    """Turn a text's line breaks into marks."""
    parts: list[str | Mark] = []
    for number, line in enumerate(text.split("\n")):
        parts += [Mark("single", number, "break"), line] if number else [line]
    return content_of(parts)


def _content_text(content: Content) -> str:
    return "".join("\n" if isinstance(part, Mark) else part for part in content)


def _number_texts(blocks: Iterable[Block]) -> Iterator[tuple[Block, list[int], list[str]]]:
    """Yield each block with its texts and their segment numbers, 0 for texts that are no segment."""
    count = 0
    for block in blocks:
        # A table has a segment for each cell, so that a model can't move columns.
        texts = [cell for row in rows_of(block) for cell in row] if block.kind is BlockKind.TABLE else [block.text]
        ids = []
        for text in texts:
            is_segment = block.kind is not BlockKind.CODE and bool(text.strip())
            count += is_segment
            ids.append(count if is_segment else 0)
        yield block, ids, texts


_STYLE = page_style(
    """table { border-collapse: collapse }
td { border: 1px solid #CFC8C0; padding: .2em .5em; vertical-align: top }
.page, .note { color: #6B645D; font-size: .85em }
.own { list-style: none }
""",
    """  td { border-color: #4A443E }
  .page, .note { color: #A8A098 }
""",
)
MOST_HEADING_LEVELS = 6


def as_html(blocks: Iterable[Recomposed], *, title: str, language: str, is_rtl: bool, unit: str) -> Iterator[str]:
    side = "rtl" if is_rtl else "ltr"
    return web_page(_html_body(blocks, unit), title, _STYLE, language=language, direction=side)


def _html_body(blocks: Iterable[Recomposed], unit: str) -> Iterator[str]:
    page: int | None = None
    open_lists: list[str] = []
    for recomposed in blocks:
        block = recomposed.block
        # A list ends at a page's mark, which stands between paragraphs.
        if block.kind is not BlockKind.LIST_ITEM or block.page not in (None, page):
            yield from (f"</{open_lists.pop()}>" for _ in tuple(open_lists))
        if block.page is not None and block.page != page:
            page = block.page
            yield f'<p class="page" {language_attributes()} id="page-{page}">{escape(page_label(unit, page))}</p>'
        if block.kind is BlockKind.LIST_ITEM:
            yield from _into_list(block, open_lists)
        yield from _html_block(recomposed)
    yield from (f"</{open_lists.pop()}>" for _ in tuple(open_lists))


def _into_list(block: Block, open_lists: list[str]) -> Iterator[str]:
    """Open and close lists down to the item's level."""
    level = max(1, block.level)
    while len(open_lists) > level:
        yield f"</{open_lists.pop()}>"
    while len(open_lists) < level:
        open_lists.append("ul")
        yield '<ul class="own">' if own_label(block) else "<ul>"


def _html_block(recomposed: Recomposed) -> Iterator[str]:
    block, text = recomposed.block, "<br>".join(escape(line) for line in recomposed.text.split("\n"))
    match block.kind:
        case BlockKind.HEADING:
            level = min(max(1, block.level), MOST_HEADING_LEVELS)
            yield f"<h{level}>{text}</h{level}>"
        case BlockKind.LIST_ITEM:
            label = own_label(block)
            yield f"<li>{escape(label)} {text}</li>" if label else f"<li>{text}</li>"
        case BlockKind.CODE:
            # Code reads from left to right in every language.
            yield f'<pre dir="ltr"><code>{escape(recomposed.text)}</code></pre>'
        case BlockKind.TABLE:
            yield "<table>"
            for row in recomposed.rows:
                yield f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>"
            yield "</table>"
        case BlockKind.NOTE | BlockKind.CAPTION:
            yield f'<p class="note">{text}</p>'
        case _:
            yield f"<p>{text}</p>"


NOT_TRANSLATED: Translatable = "not translated"
"""In a document that is saved before all of it is translated, in front of each segment that is not."""


def page_label(unit: str, page: int) -> str:
    return page_mark(unit or "page", page)
