"""Blocks of text that documents are read into, each with its place in the source."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from enum import StrEnum
from typing import Any, NamedTuple

from app.core.lazy_dataclasses import dataclass


class BlockKind(StrEnum):
    HEADING = "heading"
    PARAGRAPH = "paragraph"
    LIST_ITEM = "list_item"
    TABLE = "table"
    """A row a line, cells divided by tabs; a cell has neither inside."""
    CODE = "code"
    CAPTION = "caption"
    NOTE = "note"
    """A footnote, an endnote, a comment, a speaker's note."""


class LineBox(NamedTuple):
    """Place of one line of a block on its page, in points from the top left, and its part of the text.

    `start` and `end` are offsets in the block's text; `page` counts from 1.
    """

    page: int
    left: float
    top: float
    right: float
    bottom: float
    start: int
    end: int


class BlockPlace(NamedTuple):
    """Place of a block: boxes of its lines in a PDF, a part and offsets everywhere else."""

    # A member of an archive or the name of a sheet; "" is the file itself.
    part: str = ""
    # Offsets are characters of the decoded text in text formats and HTML. In XML parts they are numbers of elements in
    # document order, so that `list(root.iter())[start:end]` is the block's element and its descendants.
    start: int = 0
    end: int = 0
    # One a line, in the order of the text; only a PDF has them.
    boxes: tuple[LineBox, ...] = ()


_NOWHERE = BlockPlace()


class BlockPiece(NamedTuple):
    """A block as a reader finds it, before it has its number and its headings.

    `page` counts from 1 what the format counts: pages, slides, sheets or chapters; None where it has none of these.
    `level` is 1 to 9 for a heading, and how deep for a list item (from 1). `label` is a word more: a list item's mark
    ("•", "3."), a code block's language, a table's or a sheet's name, "footnote", "comment" or "speaker notes".
    """

    kind: BlockKind
    text: str
    page: int | None = None
    place: BlockPlace = _NOWHERE
    level: int = 0
    label: str = ""
    origin: str = ""


READ_BY = TESSERACT, MODEL, PERSON = "tesseract", "model", "person"
"""Origins of a block read from an image; person: corrected by the user."""


@dataclass(frozen=True)
class Block:
    """A block. `id` counts from 1 in its document; `heading_path` holds the headings above it, outermost first.

    A heading's own text isn't in its path. `origin` is "" for text of the source, else what read it from an image
    (`READ_BY`).
    """

    id: int
    kind: BlockKind
    text: str
    page: int | None = None
    heading_path: tuple[str, ...] = ()
    place: BlockPlace = _NOWHERE
    level: int = 0
    label: str = ""
    origin: str = ""

    @property
    def characters(self) -> int:
        """Characters of the block with its label and headings."""
        return len(self.text) + len(self.label) + sum(map(len, self.heading_path))


class BlockNumbering:
    """Assign numbers and heading paths to the pieces of one document."""

    def __init__(self) -> None:
        self.count = 0
        self._path: list[tuple[int, str]] = []

    def block(self, piece: BlockPiece) -> Block:
        self.count += 1
        if piece.kind is BlockKind.HEADING:
            # A heading ends all sections of its own level and below; levels may be skipped (an h3 right after an h1).
            while self._path and self._path[-1][0] >= piece.level:
                self._path.pop()
        # Before the heading itself is pushed: its own text isn't in its path.
        path = tuple(text for _, text in self._path)
        if piece.kind is BlockKind.HEADING:
            self._path.append((piece.level, piece.text))
        return Block(
            self.count, piece.kind, piece.text, piece.page, path, piece.place, piece.level, piece.label, piece.origin
        )


def piece_of(block: Block) -> BlockPiece:
    """Return a block without number and headings, to be numbered among others."""
    return BlockPiece(block.kind, block.text, block.page, block.place, block.level, block.label, block.origin)


def block_to_fields(block: Block) -> dict[str, Any]:
    """Return a block as plain JSON values; what is empty is left out."""
    place = block.place
    fields: dict[str, Any] = {"id": block.id, "kind": block.kind.value, "text": block.text}
    fields |= {"page": block.page, "heading_path": list(block.heading_path)}
    if place.boxes:
        fields["boxes"] = [list(box) for box in place.boxes]
    # A place at offset 0 of the file itself has neither part nor end, and means no place at all.
    if place.part or place.end:
        fields |= {"part": place.part, "start": place.start, "end": place.end}
    if block.level:
        fields["level"] = block.level
    if block.label:
        fields["label"] = block.label
    if block.origin:
        fields["origin"] = block.origin
    return fields


def block_from_fields(fields: dict[str, Any]) -> Block:
    """Return the block of such values; raises KeyError, TypeError or ValueError for any others."""
    boxes = tuple(LineBox(*box) for box in fields.get("boxes", ()))
    return Block(
        int(fields["id"]),
        BlockKind(fields["kind"]),
        str(fields["text"]),
        fields["page"],
        tuple(fields["heading_path"]),
        BlockPlace(fields.get("part", ""), fields.get("start", 0), fields.get("end", 0), boxes),
        fields.get("level", 0),
        fields.get("label", ""),
        fields.get("origin", ""),
    )


def rows_of(block: Block | BlockPiece) -> Iterator[list[str]]:
    """Yield the cells of a table block row by row; the inverse of `table_text`."""
    for line in block.text.split("\n"):
        yield line.split("\t")


def table_text(rows: list[list[str]]) -> str:
    """Return a table's text; line breaks and tabs inside a cell become spaces."""
    return "\n".join("\t".join(" ".join(cell.split()) for cell in row) for row in rows)


MOST_LINES = 200


def code_joined(pieces: Iterable[BlockPiece]) -> Iterator[BlockPiece]:
    """Join consecutive pieces of code; empty ones become empty lines, dropped at the ends."""
    lines: list[BlockPiece] = []
    for piece in pieces:
        if piece.kind is BlockKind.CODE:
            # Blocks are what is searched, cited and cut by; one of 10,000 lines would be useless for all three.
            if len(lines) == MOST_LINES:
                yield from _join_code_lines(lines)
                lines = []
            lines.append(piece)
        elif lines:
            yield from _join_code_lines(lines)
            lines = []
            yield piece
        else:
            yield piece
    yield from _join_code_lines(lines)


def _join_code_lines(lines: list[BlockPiece]) -> Iterator[BlockPiece]:
    filled = [number for number, line in enumerate(lines) if line.text]
    # Blank lines at the ends come from the gap between two paragraphs, not from the program that is shown.
    if filled:
        lines = lines[filled[0] : filled[-1] + 1]
        first, last = lines[0], lines[-1]
        place = BlockPlace(first.place.part, first.place.start, last.place.end)
        yield BlockPiece(BlockKind.CODE, "\n".join(line.text for line in lines), first.page, place, label=first.label)


PAGE_MARKS = {"page": "p.", "slide": "slide", "sheet": "sheet", "chapter": "ch.", "file": "file", "minute": "min."}
"""Prefix of a page number by the document's unit; see `Opened.unit`."""
_INDENT = "    "  # deeper than any list mark and its space, so that a list below "1." stays inside that item
_DEEPEST_HEADING = 6
_LIST_MARK = re.compile(r"[\w().\[\]*§°-]{1,12}")
_LANGUAGE = re.compile(r"[\w.+#-]{1,30}")
_BACKTICKS = re.compile("`+")


def page_mark(unit: str, page: int) -> str:
    """Return a mark such as "[p. 3]" or "[slide 3]"."""
    return f"[{PAGE_MARKS.get(unit, unit)} {page}]"


def as_markdown(blocks: Iterable[Block], unit: str = "page") -> Iterator[str]:
    """Yield the text of blocks, piece by piece as they come; joined, it ends with a line break.

    A mark on its own line says where a page (slide, sheet, chapter) begins. Only what would break a table is escaped:
    the rest is the document's own words.
    """
    page: int | None = None
    last: BlockKind | None = None
    for block in blocks:
        # A format without pages has blocks without a number, and a unit of "" turns the marks off.
        if block.page is not None and block.page != page and unit:
            page = block.page
            yield f"{chr(10) if last else ''}{page_mark(unit, page)}\n"
            last = BlockKind.PARAGRAPH
        # A blank line between items would make a loose list of them, and Markdown ends a table or paragraph only by
        # one.
        is_same_list = last is BlockKind.LIST_ITEM and block.kind is BlockKind.LIST_ITEM
        yield f"{'' if last is None or is_same_list else chr(10)}{block_markdown(block)}\n"
        last = block.kind


def block_markdown(block: Block) -> str:
    """Return a block as Markdown without a final line break."""
    match block.kind:
        case BlockKind.HEADING:
            # Markdown knows six levels; a line break inside a heading would end it.
            return f"{'#' * min(max(block.level, 1), _DEEPEST_HEADING)} {' '.join(block.text.split())}"
        case BlockKind.LIST_ITEM:
            return _list_item(block)
        case BlockKind.TABLE:
            return _table(block)
        case BlockKind.CODE:
            return _code(block)
        case BlockKind.NOTE:
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
    # A ragged row is filled up: a header with fewer cells than the line of dashes makes it no table (GFM).
    lines = [f"| {' | '.join(row + [''] * (width - len(row)))} |" for row in rows]
    # The first row is taken for the header, since a table in Markdown has to have one.
    lines.insert(1, f"|{' --- |' * width}")
    return "\n".join(([f"Table: {block.label}", ""] if block.label else []) + lines)


def _code(block: Block) -> str:
    # A fence has to be longer than any run of backticks in the code (CommonMark 4.5).
    longest = max((len(run) for run in _BACKTICKS.findall(block.text)), default=0)
    fence = "`" * max(3, longest + 1)
    # The label may be a whole sentence from the document; only what looks like a language goes behind the fence.
    language = block.label if _LANGUAGE.fullmatch(block.label) else ""
    return f"{fence}{language}\n{block.text}\n{fence}"
