"""A document as text: a sliding window of ranges, whatever the document's length."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from typing import NamedTuple

from PySide6.QtCore import QMimeData, QObject, QPoint, QRectF, Qt, QTimer, Signal
from PySide6.QtGui import (
    QColor,
    QFontMetricsF,
    QKeyEvent,
    QPainter,
    QPaintEvent,
    QResizeEvent,
    QTextBlock,
    QTextBlockFormat,
    QTextCharFormat,
    QTextCursor,
    QTextDocument,
    QTextFormat,
    QTextOption,
)
from PySide6.QtWidgets import QFrame, QTextEdit, QWidget

from app.documents.blocks import Block, BlockKind
from app.features.document_library import ShownDocument, TextHighlight
from app.ui.document.marks import BY_LINE, BlockRange, Walk, marks_in, span_of
from app.ui.i18n import tr
from app.ui.text.formats import block_format, char_format, cursor_over, highlight, marker_of
from app.ui.theme import Theme
from app.ui.utf16 import utf16_length
from app.ui.widgets.buttons import set_mark, set_text_font

NO_TEXT_ON_PAGE = "This page has no text: it’s a picture or empty."

EMPTY_CHAPTER = "This chapter has no text."

MARGIN_PX = 20
MEASURE_PX = 620
MOST_SAID = 20_000


class DocumentText(QTextEdit):
    """Read-only text with a caret; the highlight is also the selection, so that screen readers find it."""

    turn_wanted = Signal(int)
    """Asks for the next (1) or previous (-1) page."""
    end_wanted = Signal(int)
    """Asks for the document's start (-1) or end (1)."""
    moved = Signal()
    """The first visible block changed."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._window = DocumentWindow(self.document(), DocumentLook(theme))
        self._marks = TextMarks(self, self._window, theme)
        self._walk: Walk | None = None
        self._words = ""
        self.setObjectName("document_text")
        self.setReadOnly(True)
        self.setUndoRedoEnabled(False)
        self.setTabChangesFocus(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setWordWrapMode(QTextOption.WrapMode.WrapAtWordBoundaryOrAnywhere)
        self.setTextInteractionFlags(
            Qt.TextInteractionFlag.TextSelectableByMouse | Qt.TextInteractionFlag.TextSelectableByKeyboard
        )
        self.document().setDocumentMargin(0)
        self._fill_later = QTimer(self, singleShot=True, interval=0)
        self._fill_later.timeout.connect(self._fill)
        self.verticalScrollBar().valueChanged.connect(self._on_scrolled)
        # Emitted for what the user does with the bar, not for scrolling by this program.
        self.verticalScrollBar().actionTriggered.connect(self._marks.let_go)
        theme.changed.connect(self._on_theme_changed)
        self._on_theme_changed()

    @property
    def loaded(self) -> int:
        return len(self._window.ranges)

    @property
    def top_block_id(self) -> int:
        """Id of the first visible block; 0 if there is none."""
        top = self._window.range_at(self.cursorForPosition(QPoint(1, 1)).position())
        return top.block.id if top is not None else 0

    def percent_of(self, block_count: int) -> int | None:
        """Return the position in percent of a document with so many blocks; None if all of it is visible."""
        bar, window = self.verticalScrollBar(), self._window
        if window.at_end and bar.value() == bar.maximum():
            return None if window.at_start and bar.maximum() == 0 else 100
        if window.at_start and bar.value() == 0:
            return 0
        return min(99, round(100 * self.top_block_id / max(1, block_count)))

    def show_range(self, document: ShownDocument, first_id: int, last_id: int, at: TextHighlight | None) -> None:
        """Show blocks first to last, scrolled to a mark; only text near it is laid out."""
        self._empty()
        self._walk = Walk(document, first_id, last_id)
        self._words = ""
        self._load(at)

    def show_words(self, words: str) -> None:
        """Show a muted message in place of text, such as for an empty page."""
        self._empty()
        self._walk, self._words = None, words
        QTextCursor(self.document()).insertText(words, char_format(self._theme.font(13.5), self._theme.tokens.muted))

    def show_marks(self, mark: TextHighlight | None, hits: Sequence[TextHighlight]) -> None:
        """Highlight the mark and the search hits, in order of blocks."""
        self._marks.show(mark, hits)

    def scroll_to_mark(self) -> None:
        """Scroll to the mark with some space above, laying out its surroundings, and select it."""
        mark = self._marks.mark
        if mark is None or self._walk is None or not self._walk.has(mark.block_id):
            return
        if self._window.span_of(mark) is None:
            self._empty()
            self._load(mark)
        self._marks.hold()

    def go_to_end(self, side: int) -> None:
        """Scroll to the start (-1) or end (1) of the range."""
        if self._walk is None:
            return
        if not (self._window.at_start if side < 0 else self._window.at_end):
            self._empty()
            last = self._walk.last_id
            self._load(None if side < 0 else TextHighlight(last, 10**9))  # beyond any text: the last range
        self._marks.let_go()
        bar = self.verticalScrollBar()
        bar.setValue(bar.minimum() if side < 0 else bar.maximum())
        self.moveCursor(QTextCursor.MoveOperation.Start if side < 0 else QTextCursor.MoveOperation.End)

    def _empty(self) -> None:
        self.setExtraSelections([])
        self._window.empty()
        # Clearing a document resets its font, indents and margins.
        self.document().setDefaultFont(self._theme.font(14.5))
        self.document().setIndentWidth(self._theme.px(24))
        frame = self.document().rootFrame().frameFormat()
        frame.setTopMargin(self._theme.px(14))
        frame.setBottomMargin(self._theme.px(20))
        self.document().rootFrame().setFrameFormat(frame)
        self.verticalScrollBar().setValue(0)

    def _load(self, at: TextHighlight | None) -> None:
        walk = self._walk
        assert walk is not None
        first = walk.place_of(at.block_id, at.start) if at is not None and walk.has(at.block_id) else None
        self._window.begin(walk, first)
        self._window.grow_down()
        if first is not None:
            self._window.grow_up()
        # Inserted text pushed the cursor and the view along; put them at the requested start.
        cursor = cursor_over(self.document(), self._window.position_of(first) if first is not None else 0)
        self.setTextCursor(cursor)
        bar = self.verticalScrollBar()
        bar.setValue(bar.value() + self.cursorRect(cursor).top() if first is not None else 0)
        self._marks.paint()
        self._fill_later.start()

    def _fill(self) -> None:
        """Lay out one more portion if the end of the laid-out text is near, until none is missing."""
        bar, room, window = self.verticalScrollBar(), 2 * self.viewport().height(), self._window
        with self._kept_in_place():
            has_grown = not window.at_end and bar.maximum() - bar.value() < room and window.grow_down()
            if not has_grown and not window.at_start and bar.value() < room:
                has_grown = window.grow_up()
        self.moved.emit()
        if not has_grown:
            return
        self._marks.paint()
        self._marks.stay()
        # By a timer, so that the window stays responsive.
        self._fill_later.start()

    @contextmanager
    def _kept_in_place(self) -> Iterator[None]:
        """Keep the top line in place while text is added or removed above it."""
        bar = self.verticalScrollBar()
        top = self.cursorForPosition(QPoint(1, 1))
        # At a line's start, so that it isn't moved by what is inserted there, only by text above.
        top.movePosition(QTextCursor.MoveOperation.StartOfLine)
        before = self.cursorRect(top).top()
        yield
        bar.setValue(bar.value() + self.cursorRect(top).top() - before)

    def _on_scrolled(self) -> None:
        self._fill_later.start()
        self.moved.emit()

    def _on_theme_changed(self) -> None:
        set_text_font(self, self._theme.font(14.5))
        self._set_margins()
        if self._words:
            self.show_words(self._words)
        elif self._window.ranges:
            top = self.top_block_id
            self._empty()
            self._load(self._marks.mark if self._marks.is_held else TextHighlight(top))
            self._marks.stay()

    def _set_margins(self) -> None:
        px = self._theme.px
        side = max(px(MARGIN_PX), (self.width() - px(MEASURE_PX)) // 2)
        self.setViewportMargins(side, 0, side, 0)

    def resizeEvent(self, event: QResizeEvent) -> None:
        self._set_margins()
        with self._kept_in_place():
            super().resizeEvent(event)
        self._marks.stay()
        self._fill_later.start()

    def wheelEvent(self, event: object) -> None:
        self._marks.let_go()
        super().wheelEvent(event)  # type: ignore[arg-type]

    def keyPressEvent(self, event: QKeyEvent) -> None:
        self._marks.let_go()
        bar, key = self.verticalScrollBar(), event.key()
        modifiers = event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier
        is_plain = modifiers == Qt.KeyboardModifier.NoModifier
        if is_plain and key == Qt.Key.Key_PageDown and self._window.at_end and bar.value() == bar.maximum():
            self.turn_wanted.emit(1)
        elif is_plain and key == Qt.Key.Key_PageUp and self._window.at_start and bar.value() == bar.minimum():
            self.turn_wanted.emit(-1)
        elif modifiers == Qt.KeyboardModifier.ControlModifier and key in (Qt.Key.Key_Home, Qt.Key.Key_End):
            self.end_wanted.emit(-1 if key == Qt.Key.Key_Home else 1)
        else:
            super().keyPressEvent(event)

    def createMimeDataFromSelection(self) -> QMimeData:
        # Plain text only: no markup and none of the view's fonts.
        data = QMimeData()
        data.setText(self.textCursor().selection().toPlainText())
        return data

    def paintEvent(self, event: QPaintEvent) -> None:
        # Behind the text, which Qt paints next.
        self._paint_grounds()
        super().paintEvent(event)

    def _paint_grounds(self) -> None:
        painter = QPainter(self.viewport())
        code, line = QColor(self._theme.tokens.code), QColor(self._theme.tokens.line)
        width, px5 = self.viewport().width(), self._theme.px(5)
        layout, down = self.document().documentLayout(), self.verticalScrollBar().value()
        block = self.cursorForPosition(QPoint(1, 1)).block()
        while block.isValid():
            box = layout.blockBoundingRect(block).translated(0, -down)
            if box.top() > self.viewport().height():
                return
            kind = block.blockFormat().intProperty(GROUND_PROPERTY)
            if kind == CODE_GROUND:
                top = box.top() - (0 if _is_code(block.previous()) else px5)
                after = block.next()  # boxes of code lines have gaps between them, their background must not
                below = layout.blockBoundingRect(after).top() - down if _is_code(after) else box.bottom() + px5
                painter.fillRect(QRectF(0, math.floor(top), width, math.ceil(below) - math.floor(top)), code)
            elif kind == ROW_GROUND:
                painter.fillRect(QRectF(0, round(box.bottom()) + px5 - 1, width, 1), line)
            block = block.next()


class TextMarks(QObject):
    """Mark and search hits in a text: painted, selected, and kept in view until the user moves.

    The mark is also selected, for screen readers; the style sheet paints that selection in the mark's colour.
    """

    def __init__(self, text: QTextEdit, window: DocumentWindow, theme: Theme) -> None:
        super().__init__(text)
        self._text, self._window, self._theme = text, window, theme
        self._hits: Sequence[TextHighlight] = ()
        self.mark: TextHighlight | None = None
        self.is_held = False
        text.selectionChanged.connect(self._show_kind_of_selection)

    def show(self, mark: TextHighlight | None, hits: Sequence[TextHighlight]) -> None:
        self.mark, self._hits = mark, hits
        self.paint()

    def paint(self) -> None:
        found: list[QTextEdit.ExtraSelection] = []
        if self._window.ranges:
            tokens = self._theme.tokens
            near = marks_in(self._hits, self._window.ranges[0].block.id, self._window.ranges[-1].block.id)
            found = [
                selection for hit in near if hit != self.mark and (selection := self._selection(hit, tokens.selection))
            ]
            if self.mark is not None and (selection := self._selection(self.mark, tokens.mark)):
                found.append(selection)
        self._text.setExtraSelections(found)

    def hold(self) -> None:
        """Select the mark and keep it in view until `let_go`."""
        cursor = self._cursor(self.mark)
        if cursor is not None:
            self._text.setTextCursor(cursor)
        self.is_held = True
        self.stay()

    def stay(self) -> None:
        """Scroll to the held mark, with some space above."""
        cursor = self._cursor(self.mark) if self.is_held else None
        if cursor is not None:
            bar = self._text.verticalScrollBar()
            bar.setValue(bar.value() + self._text.cursorRect(cursor).top() - self._text.viewport().height() // 4)

    def let_go(self) -> None:
        """Stop keeping the mark in view, because the user moved."""
        self.is_held = False

    def _selection(self, mark: TextHighlight, colour: str) -> QTextEdit.ExtraSelection | None:
        cursor = self._cursor(mark)
        return None if cursor is None else highlight(cursor, char_format(None, self._theme.tokens.text, colour))

    def _cursor(self, mark: TextHighlight | None) -> QTextCursor | None:
        span = self._window.span_of(mark) if mark is not None else None
        # From its end to its start, so that the caret is where reading begins.
        return cursor_over(self._text.document(), span[1], span[0]) if span is not None else None

    def _show_kind_of_selection(self) -> None:
        """Paint a selection that is the mark in its colour, others in the selection's."""
        cursor, mine = self._text.textCursor(), self._cursor(self.mark)
        is_mark = mine is not None and (cursor.selectionStart(), cursor.selectionEnd()) == (
            mine.selectionStart(),
            mine.selectionEnd(),
        )
        set_mark(self._text, "marked", is_mark)


def _is_code(block: QTextBlock) -> bool:
    return block.isValid() and block.blockFormat().intProperty(GROUND_PROPERTY) == CODE_GROUND


def no_text_words(unit: str) -> str:
    return {
        "slide": tr("This slide has no text."),
        "sheet": tr("This sheet has no text."),
        "chapter": tr(EMPTY_CHAPTER),
        "file": tr("This file has no text."),
        "minute": tr("No speech in this minute."),
    }.get(unit, tr(NO_TEXT_ON_PAGE))


def said_of(blocks: Sequence[Block], mark: TextHighlight | None) -> str:
    """Return a page for screen readers: the mark first, then the text, cut at a length nobody listens to."""
    said = []
    for block in blocks:
        if mark is not None and block.id == mark.block_id:
            start, end = span_of(block, mark)
            said.append(tr("Marked: {words}", words=block.text[start:end]))
    return "\n".join([*said, *(block.text for block in blocks)])[:MOST_SAID]


# The laid-out part of a document: grows at both ends and drops what is far away.

PORTION = 40
PORTION_CHARACTERS = 6000
MOST_RANGES = 800
MOST_UNITS = 120_000

PlacedRange = tuple[BlockRange, int, int, int]
"""A range, its position in the text document, the length of its bullet, and the total length."""


class DocumentWindow:
    """Write ranges into a text document and keep their positions, in UTF-16 units."""

    def __init__(self, document: QTextDocument, look: DocumentLook) -> None:
        self._document, self._look = document, look
        self._walk: Walk | None = None
        self._lengths: list[int] = []
        self._bullets: list[int] = []
        self._placements: dict[int, list[PlacedRange]] = {}
        self._down: Iterator[BlockRange] = iter(())
        self._up: Iterator[BlockRange] = iter(())
        self.ranges: list[BlockRange] = []

    @property
    def at_start(self) -> bool:
        """True if the first range of the walk is laid out, or if there is none."""
        first = self.ranges[0] if self.ranges else None
        return self._walk is None or first is None or (first.block.id, first.start) == (self._walk.first_id, 0)

    @property
    def at_end(self) -> bool:
        """True if the last range of the walk is laid out, or if there is none."""
        last = self.ranges[-1] if self.ranges else None
        if self._walk is None or last is None:
            return True
        return last.block.id >= self._walk.last_id and last.end == len(last.block.text)

    def empty(self) -> None:
        self._look.forget()
        self.ranges, self._lengths, self._bullets, self._placements = [], [], [], {}
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
        return sum(self._lengths[: self.ranges.index(block_range)])

    def range_at(self, position: int) -> BlockRange | None:
        """Return the range at a position, the last one for positions beyond it; None if there is none."""
        for block_range, length in zip(self.ranges, self._lengths, strict=True):
            if position < length:
                return block_range
            position -= length
        return self.ranges[-1] if self.ranges else None

    def span_of(self, mark: TextHighlight) -> tuple[int, int] | None:
        """Return start and end of a mark; None if no part of it is laid out."""
        begin, finish = -1, -1
        for block_range, position, bullet, length in self._index().get(mark.block_id, ()):
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

    def _index(self) -> dict[int, list[PlacedRange]]:
        if not self._placements:
            position = 0
            for block_range, length, bullet in zip(self.ranges, self._lengths, self._bullets, strict=True):
                self._placements.setdefault(block_range.block.id, []).append((block_range, position, bullet, length))
                position += length
        return self._placements

    def _is_full(self) -> bool:
        is_large = len(self.ranges) > MOST_RANGES or sum(self._lengths) > MOST_UNITS
        # Two portions stay in any case, or what was just added would be dropped at once.
        return is_large and len(self.ranges) > 2 * PORTION

    def _append(self, ranges: Sequence[BlockRange]) -> None:
        self._placements = {}
        cursor = QTextCursor(self._document)
        cursor.beginEditBlock()
        cursor.movePosition(QTextCursor.MoveOperation.End)
        for block_range in ranges:
            lines = self._look.lines_of(block_range)
            for line in lines:
                if self.ranges or line is not lines[0]:
                    cursor.insertBlock(line.paragraph, line.characters)
                else:
                    # An empty document has its first block already.
                    cursor.setBlockFormat(line.paragraph)
                _write(cursor, line)
            self.ranges.append(block_range)
            self._lengths.append(_length(lines))
            self._bullets.append(utf16_length(lines[0].mark))
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
        self.ranges[:0] = ranges
        self._lengths[:0] = [_length(lines) for lines in every]
        self._bullets[:0] = [utf16_length(lines[0].mark) for lines in every]

    def _drop_first(self, count: int) -> None:
        walk = self._walk
        assert walk is not None
        cursor = cursor_over(self._document, sum(self._lengths[:count]))
        look = cursor.blockFormat()
        cursor.setPosition(0, QTextCursor.MoveMode.KeepAnchor)
        cursor.beginEditBlock()
        cursor.removeSelectedText()
        cursor.setBlockFormat(look)  # Qt may have kept the format of the other block
        cursor.endEditBlock()
        del self.ranges[:count], self._lengths[:count], self._bullets[:count]
        self._placements = {}
        # The way up begins anew at what is first now.
        self._up = walk.backwards(self.ranges[0])

    def _drop_last(self, count: int) -> None:
        walk = self._walk
        assert walk is not None
        # Together with the break before the first dropped range.
        cursor = cursor_over(self._document, sum(self._lengths[:-count]) - 1)
        cursor.movePosition(QTextCursor.MoveOperation.End, QTextCursor.MoveMode.KeepAnchor)
        cursor.removeSelectedText()
        del self.ranges[-count:], self._lengths[-count:], self._bullets[-count:]
        self._placements = {}
        self._down = walk.onwards(self.ranges[-1])


def _write(cursor: QTextCursor, line: DocumentLine) -> None:
    """Insert a line's text as plain characters, never as markup.

    This is the only place where document text enters the view.
    """
    if line.mark:
        cursor.insertText(line.mark, line.mark_characters)
    cursor.insertText(line.text, line.characters)


def _length(lines: Sequence[DocumentLine]) -> int:
    return sum(utf16_length(line.mark) + utf16_length(line.text) + 1 for line in lines)


def _portion(ranges: Iterator[BlockRange]) -> list[BlockRange]:
    found, characters = [], 0
    for block_range in islice(ranges, PORTION):
        found.append(block_range)
        characters += block_range.end - block_range.start
        if characters > PORTION_CHARACTERS:
            break
    return found


# Formats of a document's blocks: weights, indents, bullets, and table columns.

GROUND_PROPERTY = QTextFormat.Property.UserProperty.value + 1
"""Background painted under a line: CODE_GROUND, or ROW_GROUND, the rule of a table row."""
CODE_GROUND, ROW_GROUND = 1, 2
LINE_PERCENT = 138
CODE_LINE_PERCENT = 126
INDENT_PX = 24
SAMPLED_ROWS = 200
WIDEST_CELL_PX = 480
HEADING_SIZES = {1: 18.0, 2: 16.5}
GAPS_PX = {BlockKind.HEADING: 18, BlockKind.LIST_ITEM: 5, BlockKind.NOTE: 8}
_SPOKEN = re.compile(r"(\d+:\d\d(?::\d\d)?) – ")
"""Time label of a passage in a recording."""
# Characters that structure Qt's documents, replaced by ones that are only displayed.
_ONLY_CHARACTERS = str.maketrans(
    {"\n": "\u2028", "\r": " ", "\u2029": "\u2028", "\0": "\ufffd", "\ufdd0": "\ufffd", "\ufdd1": "\ufffd"}
)


class DocumentLine(NamedTuple):
    """A paragraph of the text document. `mark` precedes the text and isn't part of it."""

    mark: str
    text: str
    paragraph: QTextBlockFormat
    characters: QTextCharFormat
    mark_characters: QTextCharFormat


class DocumentLook:
    """Format ranges as lines for a theme; caches the column widths of tables."""

    def __init__(self, theme: Theme) -> None:
        self._theme = theme
        self._tab_stops: dict[int, list[QTextOption.Tab]] = {}

    def forget(self) -> None:
        """Drop the cached columns, for another document or theme."""
        self._tab_stops.clear()

    def lines_of(self, block_range: BlockRange) -> list[DocumentLine]:
        """Return a range as paragraphs; their texts, joined by breaks, equal the range's characters."""
        block = block_range.block
        look = self._characters(block)
        if block.kind not in BY_LINE:
            mark = self._mark(block) if block_range.start == 0 else ""
            text = block_range.text.translate(_ONLY_CHARACTERS)
            return [DocumentLine(mark, text, self._paragraph(block, block_range, mark), look, self._muted(block))]
        # The break between two ranges becomes the end of Qt's block.
        lines = block_range.text.removesuffix("\n") if block_range.end < len(block.text) else block_range.text
        return [
            DocumentLine(
                "",
                line.translate(_ONLY_CHARACTERS),
                self._row(block, block_range, n),
                self._of_row(look, block_range, n),
                look,
            )
            for n, line in enumerate(lines.split("\n"))
        ]

    def _characters(self, block: Block) -> QTextCharFormat:
        theme, color = self._theme, self._theme.tokens.text
        match block.kind:
            case BlockKind.HEADING:
                font = theme.font(HEADING_SIZES.get(block.level, 15.0), 700 if block.level < 3 else 600)
            case BlockKind.CODE:
                font = theme.code_font(13)
            case BlockKind.TABLE:
                font = theme.font(13.5)
            case BlockKind.NOTE | BlockKind.CAPTION:
                font, color = theme.font(13), theme.tokens.muted
            case _:
                font = theme.font(14.5)
        return char_format(font, color)

    def _muted(self, block: Block) -> QTextCharFormat:
        return char_format(self._characters(block).font(), self._theme.tokens.muted)

    def _of_row(self, look: QTextCharFormat, block_range: BlockRange, number: int) -> QTextCharFormat:
        if block_range.block.kind is not BlockKind.TABLE or block_range.start > 0 or number > 0:
            return look
        head = QTextCharFormat(look)
        head.setFont(self._theme.font(13.5, 600))
        return head

    def _paragraph(self, block: Block, block_range: BlockRange, mark: str) -> QTextBlockFormat:
        px = self._theme.px
        look = block_format(LINE_PERCENT, px(GAPS_PX.get(block.kind, 12)) if block_range.start == 0 else 0)
        if block.kind is BlockKind.LIST_ITEM:
            look.setIndent(max(1, block.level))
            look.setTextIndent(-px(INDENT_PX) if mark else 0)
            look.setTabPositions([QTextOption.Tab(px(INDENT_PX), QTextOption.TabType.LeftTab)])
        return look

    def _row(self, block: Block, block_range: BlockRange, number: int) -> QTextBlockFormat:
        px = self._theme.px
        # Always left to right: tabs have no width in a right-to-left paragraph, and code is never written that way.
        look = block_format(CODE_LINE_PERCENT, px(14) if block_range.start == 0 and number == 0 else 0, is_rtl=False)
        look.setNonBreakableLines(True)
        if block.kind is BlockKind.CODE:
            look.setProperty(GROUND_PROPERTY, CODE_GROUND)
            look.setLeftMargin(px(10))
        else:
            look.setProperty(GROUND_PROPERTY, ROW_GROUND)
            look.setBottomMargin(px(8))
            look.setTabPositions(self._tab_stops_of(block))
        return look

    def _tab_stops_of(self, block: Block) -> list[QTextOption.Tab]:
        found = self._tab_stops.get(block.id)
        if found is None:
            # In the bold font of the header row, which is the wider one.
            metrics = QFontMetricsF(self._theme.font(13.5, 600))
            longest: list[str] = []
            # The first rows only, as a table may be a whole sheet.
            for line in block.text.split("\n", SAMPLED_ROWS)[:SAMPLED_ROWS]:
                for column, cell in enumerate(line.split("\t")):
                    if column == len(longest):
                        longest.append(cell)
                    elif len(cell) > len(longest[column]):
                        longest[column] = cell
            x, found = 0.0, []
            for cell in longest[:-1]:
                # The longest cell was chosen by its characters; another one may be a little wider.
                width = min(metrics.horizontalAdvance(cell[:200]) * 1.06, self._theme.px(WIDEST_CELL_PX))
                x += width + self._theme.px(18)
                found.append(QTextOption.Tab(x, QTextOption.TabType.LeftTab))
            self._tab_stops[block.id] = found
        return found

    def _mark(self, block: Block) -> str:
        if block.kind is BlockKind.LIST_ITEM:
            return marker_of(block.label.translate(_ONLY_CHARACTERS) or "•", block.text)
        spoken = _SPOKEN.match(block.label) if block.kind is BlockKind.PARAGRAPH else None
        if spoken is not None:
            return spoken[1] + 2 * "\u2002"
        words = {"comment": tr("Comment"), "speaker notes": tr("Speaker notes")}.get(block.label)
        return f"{words}: " if block.kind is BlockKind.NOTE and words else ""
