"""A document as text: a sliding window of ranges, whatever the document's length."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from PySide6.QtCore import QMimeData, QObject, QPoint, QRectF, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QKeyEvent,
    QPainter,
    QPaintEvent,
    QResizeEvent,
    QTextBlock,
    QTextCharFormat,
    QTextCursor,
    QTextOption,
)
from PySide6.QtWidgets import QFrame, QTextEdit

from app.documents.blocks import Block
from app.features.shown_document import ShownDocument, TextHighlight
from app.ui.document.block_ranges import Walk
from app.ui.document.document_look import DocumentLook
from app.ui.document.document_window import DocumentWindow
from app.ui.document.marks import SaidPart, marks_in, span_of
from app.ui.i18n import tr
from app.ui.text.formats import char_format, cursor_over, highlight
from app.ui.theme import Theme
from app.ui.widgets.buttons import set_mark, set_text_font
from app.ui.widgets.spoken_views import CODE_GROUND, GROUND_PROPERTY, ROW_GROUND, LaidOutLater
from app.ui.widgets.timers import new_timer

NO_TEXT_ON_PAGE = "This page has no text: it’s a picture or empty."

EMPTY_CHAPTER = "This chapter has no text."

MARGIN_PX = 20
MEASURE_PX = 620
MOST_SAID = 20_000


class DocumentText(QTextEdit, LaidOutLater):
    """Read-only text with a caret; the highlight is also the selection, so that screen readers find it."""

    turn_wanted = Signal(int)
    """Asks for the next (1) or previous (-1) page."""
    end_wanted = Signal(int)
    """Asks for the document's start (-1) or end (1)."""
    moved = Signal()
    """The first visible block changed."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
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
        self._fill_later = new_timer(self, 0, self._fill)
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
        QTextCursor(self.document()).insertText(words, char_format(self._theme.font("small"), self._theme.tokens.muted))

    def show_marks(self, mark: TextHighlight | None, hits: Sequence[TextHighlight]) -> None:
        """Highlight the mark and the search hits, in order of blocks."""
        self._marks.show(mark, hits)

    def scroll_to_mark(self) -> None:
        """Scroll to the mark with some space above, laying out its surroundings, and select it."""
        if (mark := self._marks.mark) is None or self._walk is None or not self._walk.has(mark.block_id):
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

    def begin_reading(self) -> None:
        """Stop keeping the mark in view, as it is read aloud elsewhere."""
        self._marks.let_go()

    def read_on(self, cursor: QTextCursor) -> QTextCursor | None:
        """Lay out more below, or turn the page; return where reading goes on, None at the document's end."""
        if self._window.grow_down():
            self._marks.paint()
            return cursor
        while True:
            before = self.document().revision()
            self.turn_wanted.emit(1)
            if self.document().revision() == before:
                return None
            # Pages without a text are passed.
            if self._walk is not None:
                self._marks.let_go()
                return QTextCursor(self.document())

    def _empty(self) -> None:
        self.setExtraSelections([])
        self._window.empty()
        # Clearing a document resets its font, indents and margins.
        self.document().setDefaultFont(self._theme.font("row"))
        self.document().setIndentWidth(self._theme.px(24))
        # Not `rootFrame`: each clearing makes another one, and Python would keep them all.
        root = QTextCursor(self.document()).currentFrame()
        frame = root.frameFormat()
        frame.setTopMargin(self._theme.px(14))
        frame.setBottomMargin(self._theme.px(20))
        root.setFrameFormat(frame)
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
        set_text_font(self, self._theme.font("row"))
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
            if (kind := block.blockFormat().intProperty(GROUND_PROPERTY)) == CODE_GROUND:
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
            usual, strong = (char_format(None, tokens.text, ground) for ground in (tokens.selection, tokens.mark))
            near = marks_in(self._hits, self._window.ranges[0].block.id, self._window.ranges[-1].block.id)
            found = [selection for hit in near if hit != self.mark and (selection := self._selection(hit, usual))]
            if self.mark is not None and (selection := self._selection(self.mark, strong)):
                found.append(selection)
        self._text.setExtraSelections(found)

    def hold(self) -> None:
        """Select the mark and keep it in view until `let_go`."""
        if (cursor := self._cursor(self.mark)) is not None:
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

    def _selection(self, mark: TextHighlight, look: QTextCharFormat) -> QTextEdit.ExtraSelection | None:
        cursor = self._cursor(mark)
        return None if cursor is None else highlight(cursor, look)

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


def said_parts(blocks: Sequence[Block], mark: TextHighlight | None) -> list[SaidPart]:
    """Return what screen readers find on a page: the mark first, then the blocks."""
    said = []
    for block in blocks:
        if mark is not None and block.id == mark.block_id:
            start, end = span_of(block, mark)
            said.append(SaidPart(tr("Marked: {words}", words=block.text[start:end]), block, mark))
    return [*said, *(SaidPart(block.text, block, TextHighlight(block.id)) for block in blocks)]


def said_of(parts: Sequence[SaidPart]) -> str:
    """Return a page as one text for screen readers, cut at a length nobody listens to."""
    return "\n".join(part.words for part in parts)[:MOST_SAID]
