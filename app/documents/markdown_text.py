"""Blocks as plain Markdown with page marks, for people and for prompts."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from app.documents.blocks import Block, Kind, rows_of

PAGE_MARKS = {"page": "p.", "slide": "slide", "sheet": "sheet", "chapter": "ch.", "file": "file"}
"""What stands before the number, by what the document counts; see `Opened.unit`."""
_INDENT = "    "
"""Deeper than any list mark and its space, so that a list below a numbered item stays inside it."""
_DEEPEST_HEADING = 6
_LIST_MARK = re.compile(r"[\w().\[\]*§°-]{1,12}")
_LANGUAGE = re.compile(r"[\w.+#-]{1,30}")
_BACKTICKS = re.compile("`+")


def page_mark(unit: str, page: int) -> str:
    """Such as "[p. 3]" or "[slide 3]"."""
    return f"[{PAGE_MARKS.get(unit, unit)} {page}]"


def as_markdown(blocks: Iterable[Block], unit: str = "page") -> Iterator[str]:
    """The text of blocks, piece by piece as they come; joined, it ends with a line break.

    A mark on its own line says where a page (slide, sheet, chapter) begins. Only what would break a table is escaped:
    the rest is the document's own words.
    """
    page: int | None = None
    last: Kind | None = None
    for block in blocks:
        if block.page is not None and block.page != page and unit:
            page = block.page
            yield f"{chr(10) if last else ''}{page_mark(unit, page)}\n"
            last = Kind.PARAGRAPH
        is_same_list = last is Kind.LIST_ITEM and block.kind is Kind.LIST_ITEM
        yield f"{'' if last is None or is_same_list else chr(10)}{block_markdown(block)}\n"
        last = block.kind


def block_markdown(block: Block) -> str:
    """One block, without a line break at its end."""
    match block.kind:
        case Kind.HEADING:
            return f"{'#' * min(max(block.level, 1), _DEEPEST_HEADING)} {' '.join(block.text.split())}"
        case Kind.LIST_ITEM:
            return _list_item(block)
        case Kind.TABLE:
            return _table(block)
        case Kind.CODE:
            return _code(block)
        case Kind.NOTE:
            label = block.label or "note"
            return f"{label[0].upper()}{label[1:]}: {block.text}"
        case _:
            return block.text


def _list_item(block: Block) -> str:
    mark = block.label if _LIST_MARK.fullmatch(block.label) else "-"
    indent = _INDENT * (max(block.level, 1) - 1)
    return f"{indent}{mark} " + block.text.replace("\n", f"\n{indent}{' ' * (len(mark) + 1)}")


def _table(block: Block) -> str:
    rows = [[cell.replace("|", "\\|").strip() for cell in row] for row in rows_of(block)]
    width = max(len(row) for row in rows)
    lines = [f"| {' | '.join(row + [''] * (width - len(row)))} |" for row in rows]
    lines.insert(1, f"|{' --- |' * width}")
    return "\n".join(([f"Table: {block.label}", ""] if block.label else []) + lines)


def _code(block: Block) -> str:
    longest = max((len(run) for run in _BACKTICKS.findall(block.text)), default=0)
    fence = "`" * max(3, longest + 1)
    language = block.label if _LANGUAGE.fullmatch(block.label) else ""
    return f"{fence}{language}\n{block.text}\n{fence}"
