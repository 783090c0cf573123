"""The laid-out part of a document: grows at both ends and drops what is far away."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import NamedTuple

from PySide6.QtGui import QTextCursor, QTextDocument

from app.features.shown_document import TextHighlight
from app.ui.document.block_ranges import BlockRange, Walk
from app.ui.document.document_look import DocumentLine, DocumentLook
from app.ui.document.marks import span_of
from app.ui.text.formats import cursor_over
from app.ui.utf16 import utf16_length

PORTION = 40
PORTION_CHARACTERS = 6000
MOST_RANGES = 800
MOST_UNITS = 120_000


class LaidRange(NamedTuple):
    """A range in the text document: the units of its bullet, and of all of it with the break behind."""

    block_range: BlockRange
    bullet: int
    length: int


class DocumentWindow:
    """Write ranges into a text document and keep their positions, in UTF-16 units."""

    def __init__(self, document: QTextDocument, look: DocumentLook) -> None:
        self._document, self._look = document, look
        self._walk: Walk | None = None
        self._laid: list[LaidRange] = []
        self._placements: dict[int, list[tuple[LaidRange, int]]] = {}
        """Laid-out ranges and their positions by block."""
        self._down: Iterator[BlockRange] = iter(())
        self._up: Iterator[BlockRange] = iter(())

    @property
    def ranges(self) -> list[BlockRange]:
        return [laid.block_range for laid in self._laid]

    @property
    def at_start(self) -> bool:
        """True if the first range of the walk is laid out, or if there is none."""
        first = self._laid[0].block_range if self._laid else None
        return self._walk is None or first is None or (first.block.id, first.start) == (self._walk.first_id, 0)

    @property
    def at_end(self) -> bool:
        """True if the last range of the walk is laid out, or if there is none."""
        last = self._laid[-1].block_range if self._laid else None
        if self._walk is None or last is None:
            return True
        return last.block.id >= self._walk.last_id and last.end == len(last.block.text)

    def empty(self) -> None:
        self._look.forget()
        self._laid, self._placements = [], {}
        self._down, self._up = iter(()), iter(())
        self._walk = None
        self._document.clear()

    def begin(self, walk: Walk, first: BlockRange | None) -> None:
        """Start at a range, or at the beginning; the text document must be empty."""
        self._walk, self._down = walk, walk.onwards(first)
        if first is not None:
            self._up = walk.backwards(first)
            self._append([first])

    def grow_down(self) -> bool:
        """Append a portion; return False if there was none."""
        portion = _portion(self._down)
        self._append(portion)
        while self._is_full():
            self._drop_first(PORTION)
        return bool(portion)

    def grow_up(self) -> bool:
        """Prepend a portion; return False if there was none."""
        portion = _portion(self._up)[::-1]
        self._prepend(portion)
        while self._is_full():
            self._drop_last(PORTION)
        return bool(portion)

    def position_of(self, block_range: BlockRange) -> int:
        """Return a range's position; raises ValueError if it isn't laid out."""
        return _units(self._laid[: self.ranges.index(block_range)])

    def range_at(self, position: int) -> BlockRange | None:
        """Return the range at a position, the last one for positions beyond it; None if there is none."""
        for laid in self._laid:
            if position < laid.length:
                return laid.block_range
            position -= laid.length
        return self._laid[-1].block_range if self._laid else None

    def span_of(self, mark: TextHighlight) -> tuple[int, int] | None:
        """Return start and end of a mark; None if no part of it is laid out."""
        begin, finish = -1, -1
        for (block_range, bullet, length), position in self._index().get(mark.block_id, ()):
            start, end = span_of(block_range.block, mark)
            low, high = max(start, block_range.start), min(end, block_range.end)
            if low < high:
                text = block_range.text
                first = position + bullet + utf16_length(text[: low - block_range.start])
                begin = first if begin < 0 else begin
                finish = min(
                    first + utf16_length(text[low - block_range.start : high - block_range.start]),
                    position + length - 1,
                )
        return None if begin < 0 else (begin, finish)

    def _index(self) -> dict[int, list[tuple[LaidRange, int]]]:
        if not self._placements:
            position = 0
            for laid in self._laid:
                self._placements.setdefault(laid.block_range.block.id, []).append((laid, position))
                position += laid.length
        return self._placements

    def _is_full(self) -> bool:
        is_large = len(self._laid) > MOST_RANGES or _units(self._laid) > MOST_UNITS
        # Two portions stay in any case, or what was just added would be dropped at once.
        return is_large and len(self._laid) > 2 * PORTION

    def _append(self, ranges: Sequence[BlockRange]) -> None:
        self._placements = {}
        cursor = QTextCursor(self._document)
        cursor.beginEditBlock()
        cursor.movePosition(QTextCursor.MoveOperation.End)
        for block_range in ranges:
            lines = self._look.lines_of(block_range)
            for line in lines:
                if self._laid or line is not lines[0]:
                    cursor.insertBlock(line.paragraph, line.characters)
                else:
                    # An empty document has its first block already.
                    cursor.setBlockFormat(line.paragraph)
                _write(cursor, line)
            self._laid.append(_laid_out(block_range, lines))
        cursor.endEditBlock()

    def _prepend(self, ranges: Sequence[BlockRange]) -> None:
        if not ranges:
            return
        cursor = QTextCursor(self._document)
        # The first line that is inserted takes over the first block, whose own format is put back behind.
        old = self._document.firstBlock().blockFormat()
        every = [self._look.lines_of(block_range) for block_range in ranges]
        cursor.beginEditBlock()
        for number, line in enumerate(line for lines in every for line in lines):
            if number:
                cursor.insertBlock(line.paragraph, line.characters)
            else:
                cursor.setBlockFormat(line.paragraph)
            _write(cursor, line)
        cursor.insertBlock(old)
        cursor.endEditBlock()
        self._placements = {}
        self._laid[:0] = map(_laid_out, ranges, every)

    def _drop_first(self, count: int) -> None:
        walk = self._walk
        assert walk is not None
        cursor = cursor_over(self._document, _units(self._laid[:count]))
        look = cursor.blockFormat()
        cursor.setPosition(0, QTextCursor.MoveMode.KeepAnchor)
        cursor.beginEditBlock()
        cursor.removeSelectedText()
        cursor.setBlockFormat(look)  # Qt may have kept the format of the other block
        cursor.endEditBlock()
        del self._laid[:count]
        self._placements = {}
        # The way up begins anew at what is first now.
        self._up = walk.backwards(self._laid[0].block_range)

    def _drop_last(self, count: int) -> None:
        walk = self._walk
        assert walk is not None
        # Together with the break before the first dropped range.
        cursor = cursor_over(self._document, _units(self._laid[:-count]) - 1)
        cursor.movePosition(QTextCursor.MoveOperation.End, QTextCursor.MoveMode.KeepAnchor)
        cursor.removeSelectedText()
        del self._laid[-count:]
        self._placements = {}
        self._down = walk.onwards(self._laid[-1].block_range)


def _write(cursor: QTextCursor, line: DocumentLine) -> None:
    """Insert a line's text as plain characters, never as markup.

    This is the only place where document text enters the view.
    """
    if line.mark:
        cursor.insertText(line.mark, line.mark_characters)
    cursor.insertText(line.text, line.characters)


def _laid_out(block_range: BlockRange, lines: Sequence[DocumentLine]) -> LaidRange:
    length = sum(utf16_length(line.mark) + utf16_length(line.text) + 1 for line in lines)
    return LaidRange(block_range, utf16_length(lines[0].mark), length)


def _units(laid: Sequence[LaidRange]) -> int:
    return sum(laid_range.length for laid_range in laid)


def _portion(ranges: Iterator[BlockRange]) -> list[BlockRange]:
    found, characters = [], 0
    for block_range in islice(ranges, PORTION):
        found.append(block_range)
        characters += block_range.end - block_range.start
        if characters > PORTION_CHARACTERS:
            break
    return found
