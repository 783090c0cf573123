"""The part of a document that is laid out as text: it grows at both ends, and loses what is far away."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice

from PySide6.QtGui import QTextCursor, QTextDocument

from app.features.shown_document import Mark
from app.ui.widgets.document_look import DocumentLook, Line, units
from app.ui.widgets.document_marks import span_of
from app.ui.widgets.document_pieces import Stretch, Walk

PORTION = 40
PORTION_CHARACTERS = 6000
MOST_STRETCHES = 800
MOST_UNITS = 120_000

Placed = tuple[Stretch, int, int, int]
"""A stretch, where it begins in the text document, how long its bullet is, and how long it is with both."""


class DocumentWindow:
    """Writes stretches into a text document and knows where each of them is. Lengths count as Qt does, in UTF-16."""

    def __init__(self, document: QTextDocument, look: DocumentLook) -> None:
        self._document, self._look = document, look
        self._walk: Walk | None = None
        self._lengths: list[int] = []
        self._bullets: list[int] = []
        self._places: dict[int, list[Placed]] = {}
        self._down: Iterator[Stretch] = iter(())
        self._up: Iterator[Stretch] = iter(())
        self.stretches: list[Stretch] = []

    @property
    def at_start(self) -> bool:
        """Whether the first of all stretches is laid out."""
        first = self.stretches[0] if self.stretches else None
        return self._walk is None or first is None or (first.block.id, first.start) == (self._walk.first_id, 0)

    @property
    def at_end(self) -> bool:
        """Whether the last of all stretches is laid out."""
        last = self.stretches[-1] if self.stretches else None
        if self._walk is None or last is None:
            return True
        return last.block.id >= self._walk.last_id and last.end == len(last.block.text)

    def empty(self) -> None:
        """Takes everything out."""
        self._look.forget()
        self.stretches, self._lengths, self._bullets, self._places = [], [], [], {}
        self._down, self._up = iter(()), iter(())
        self._walk = None
        self._document.clear()

    def begin(self, walk: Walk, first: Stretch | None) -> None:
        """Starts at a stretch, or at the beginning; the text document is empty before."""
        self._walk, self._down = walk, walk.onwards(first)
        if first is not None:
            self._up = walk.backwards(first)
            self._append([first])

    def grow_down(self) -> bool:
        """A portion more at the end; whether there was any."""
        portion = _portion(self._down)
        self._append(portion)
        while self._is_full():
            self._drop_first(PORTION)
        return bool(portion)

    def grow_up(self) -> bool:
        """A portion more at the beginning; whether there was any."""
        portion = _portion(self._up)[::-1]
        self._prepend(portion)
        while self._is_full():
            self._drop_last(PORTION)
        return bool(portion)

    def position_of(self, stretch: Stretch) -> int:
        """Where a stretch begins in the text document; raises ValueError when it is not laid out."""
        return sum(self._lengths[: self.stretches.index(stretch)])

    def stretch_at(self, position: int) -> Stretch | None:
        """The stretch of a position in the text document."""
        for stretch, length in zip(self.stretches, self._lengths, strict=True):
            if position < length:
                return stretch
            position -= length
        return self.stretches[-1] if self.stretches else None

    def span_of(self, mark: Mark) -> tuple[int, int] | None:
        """Where a mark begins and ends in the text document; None where no part of it is laid out."""
        begin, finish = -1, -1
        for stretch, position, bullet, length in self._index().get(mark.block_id, ()):
            start, end = span_of(stretch.block, mark)
            low, high = max(start, stretch.start), min(end, stretch.end)
            if low < high:
                text = stretch.text
                first = position + bullet + units(text[: low - stretch.start])
                begin = first if begin < 0 else begin
                finish = min(first + units(text[low - stretch.start : high - stretch.start]), position + length - 1)
        return None if begin < 0 else (begin, finish)

    def _index(self) -> dict[int, list[Placed]]:
        if not self._places:
            position = 0
            for stretch, length, bullet in zip(self.stretches, self._lengths, self._bullets, strict=True):
                self._places.setdefault(stretch.block.id, []).append((stretch, position, bullet, length))
                position += length
        return self._places

    def _is_full(self) -> bool:
        is_large = len(self.stretches) > MOST_STRETCHES or sum(self._lengths) > MOST_UNITS
        return is_large and len(self.stretches) > 2 * PORTION

    def _append(self, stretches: Sequence[Stretch]) -> None:
        self._places = {}
        cursor = QTextCursor(self._document)
        cursor.beginEditBlock()
        cursor.movePosition(QTextCursor.MoveOperation.End)
        for stretch in stretches:
            lines = self._look.lines_of(stretch)
            for line in lines:
                if self.stretches or line is not lines[0]:
                    cursor.insertBlock(line.paragraph, line.characters)
                else:
                    cursor.setBlockFormat(line.paragraph)
                _write(cursor, line)
            self.stretches.append(stretch)
            self._lengths.append(_length(lines))
            self._bullets.append(units(lines[0].mark))
        cursor.endEditBlock()

    def _prepend(self, stretches: Sequence[Stretch]) -> None:
        if not stretches:
            return
        cursor = QTextCursor(self._document)
        old = self._document.firstBlock().blockFormat()
        every = [self._look.lines_of(stretch) for stretch in stretches]
        cursor.beginEditBlock()
        for number, line in enumerate(line for lines in every for line in lines):
            if number:
                cursor.insertBlock(line.paragraph, line.characters)
            else:
                cursor.setBlockFormat(line.paragraph)
            _write(cursor, line)
        cursor.insertBlock(old)
        cursor.endEditBlock()
        self._places = {}
        self.stretches[:0] = stretches
        self._lengths[:0] = [_length(lines) for lines in every]
        self._bullets[:0] = [units(lines[0].mark) for lines in every]

    def _drop_first(self, count: int) -> None:
        walk = self._walk
        assert walk is not None
        cursor = QTextCursor(self._document)
        cursor.setPosition(sum(self._lengths[:count]))
        look = cursor.blockFormat()
        cursor.setPosition(0, QTextCursor.MoveMode.KeepAnchor)
        cursor.beginEditBlock()
        cursor.removeSelectedText()
        cursor.setBlockFormat(look)  # Qt may keep the one of the other block
        cursor.endEditBlock()
        del self.stretches[:count], self._lengths[:count], self._bullets[:count]
        self._places = {}
        self._up = walk.backwards(self.stretches[0])

    def _drop_last(self, count: int) -> None:
        walk = self._walk
        assert walk is not None
        cursor = QTextCursor(self._document)
        cursor.setPosition(sum(self._lengths[:-count]) - 1)
        cursor.movePosition(QTextCursor.MoveOperation.End, QTextCursor.MoveMode.KeepAnchor)
        cursor.removeSelectedText()
        del self.stretches[-count:], self._lengths[-count:], self._bullets[-count:]
        self._places = {}
        self._down = walk.onwards(self.stretches[-1])


def _write(cursor: QTextCursor, line: Line) -> None:
    """The one door by which a document's text comes in: characters, never markup."""
    if line.mark:
        cursor.insertText(line.mark, line.mark_characters)
    cursor.insertText(line.text, line.characters)


def _length(lines: Sequence[Line]) -> int:
    return sum(units(line.mark) + units(line.text) + 1 for line in lines)


def _portion(stretches: Iterator[Stretch]) -> list[Stretch]:
    found, characters = [], 0
    for stretch in islice(stretches, PORTION):
        found.append(stretch)
        characters += stretch.end - stretch.start
        if characters > PORTION_CHARACTERS:
            break
    return found
