"""A document as text: a window of stretches that moves with the reader, whatever the document's length."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from PySide6.QtCore import QMimeData, QPoint, QRectF, Qt, QTimer, Signal
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
from PySide6.QtWidgets import QFrame, QTextEdit, QWidget

from app.documents.blocks import Block
from app.features.shown_document import Mark, ShownDocument
from app.ui.shell.i18n import tr
from app.ui.theme import Theme
from app.ui.widgets.buttons import set_text_font
from app.ui.widgets.document_look import CODE_GROUND, GROUND_PROPERTY, ROW_GROUND, DocumentLook
from app.ui.widgets.document_marks import marks_in, span_of
from app.ui.widgets.document_pieces import Walk
from app.ui.widgets.document_window import DocumentWindow

MARGIN_PX = 20
MEASURE_PX = 620
MOST_SAID = 20_000


class DocumentText(QTextEdit):
    """Read-only; the caret walks in it, and what is marked is also what is selected, for screen readers."""

    turn_wanted = Signal(int)
    """One page on (1) or back (-1)."""
    end_wanted = Signal(int)
    """To the document's beginning (-1) or end (1)."""
    moved = Signal()
    """Another block is the first in view."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._window = DocumentWindow(self.document(), DocumentLook(theme))
        self._walk: Walk | None = None
        self._mark: Mark | None = None
        self._hits: Sequence[Mark] = ()
        self._words = ""
        self._stays_at_mark = False
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
        self.verticalScrollBar().actionTriggered.connect(self._on_moved_by_hand)
        self.selectionChanged.connect(self._show_kind_of_selection)
        theme.changed.connect(self._on_theme_changed)
        self._on_theme_changed()

    @property
    def loaded(self) -> int:
        """How many stretches are laid out now."""
        return len(self._window.stretches)

    @property
    def top_block_id(self) -> int:
        """The first block in view; 0 without any."""
        top = self._window.stretch_at(self.cursorForPosition(QPoint(1, 1)).position())
        return top.block.id if top is not None else 0

    def percent_of(self, block_count: int) -> int | None:
        """How far the view is in a document of so many blocks; None where all of it is in view."""
        bar, window = self.verticalScrollBar(), self._window
        if window.at_end and bar.value() == bar.maximum():
            return None if window.at_start and bar.maximum() == 0 else 100
        if window.at_start and bar.value() == 0:
            return 0
        return min(99, round(100 * self.top_block_id / max(1, block_count)))

    def show_range(self, document: ShownDocument, first_id: int, last_id: int, at: Mark | None) -> None:
        """Shows blocks first to last, beginning in view at a mark; only what is near it is laid out."""
        self._empty()
        self._walk = Walk(document, first_id, last_id)
        self._words = ""
        self._load(at)

    def show_words(self, words: str) -> None:
        """A muted sentence in place of a text."""
        self._empty()
        self._walk, self._words = None, words
        look = QTextCharFormat()
        look.setForeground(QColor(self._theme.tokens.muted))
        look.setFont(self._theme.font(13.5))
        QTextCursor(self.document()).insertText(words, look)

    def show_marks(self, mark: Mark | None, hits: Sequence[Mark]) -> None:
        """What is marked, and what a search found beside it, in the order of their blocks."""
        self._mark, self._hits = mark, hits
        self._paint_marks()

    def scroll_to_mark(self) -> None:
        """Brings the mark into view with some air above, laying out what is around it; selects it."""
        if self._mark is None or self._walk is None or not self._walk.has(self._mark.block_id):
            return
        if self._window.span_of(self._mark) is None:
            self._empty()
            self._load(self._mark)
        self._select_mark()
        self._go_to_mark()
        self._stays_at_mark = True

    def go_to_end(self, side: int) -> None:
        """To the beginning (-1) or the end (1) of what can be shown."""
        if self._walk is None:
            return
        if not (self._window.at_start if side < 0 else self._window.at_end):
            self._empty()
            last = self._walk.last_id
            self._load(None if side < 0 else Mark(last, 10**9))
        self._stays_at_mark = False
        bar = self.verticalScrollBar()
        bar.setValue(bar.minimum() if side < 0 else bar.maximum())
        self.moveCursor(QTextCursor.MoveOperation.Start if side < 0 else QTextCursor.MoveOperation.End)

    def _empty(self) -> None:
        self.setExtraSelections([])
        self._window.empty()
        self.document().setDefaultFont(self._theme.font(14.5))
        self.document().setIndentWidth(self._theme.px(24))
        frame = self.document().rootFrame().frameFormat()
        frame.setTopMargin(self._theme.px(14))
        frame.setBottomMargin(self._theme.px(20))
        self.document().rootFrame().setFrameFormat(frame)
        self.verticalScrollBar().setValue(0)

    def _load(self, at: Mark | None) -> None:
        walk = self._walk
        assert walk is not None
        first = walk.place(at.block_id, at.start) if at is not None and walk.has(at.block_id) else None
        self._window.begin(walk, first)
        self._window.grow_down()
        if first is not None:
            self._window.grow_up()
        # The caret, which what was written has pushed before it, and the view begin with what was asked for.
        cursor = QTextCursor(self.document())
        cursor.setPosition(self._window.position_of(first) if first is not None else 0)
        self.setTextCursor(cursor)
        bar = self.verticalScrollBar()
        bar.setValue(bar.value() + self.cursorRect(cursor).top() if first is not None else 0)
        self._paint_marks()
        self._fill_later.start()

    def _fill(self) -> None:
        """Lays out more where the end of what is laid out comes near, a portion a turn."""
        bar, room, window = self.verticalScrollBar(), 2 * self.viewport().height(), self._window
        with self._kept_in_place():
            has_grown = not window.at_end and bar.maximum() - bar.value() < room and window.grow_down()
            if not has_grown and not window.at_start and bar.value() < room:
                has_grown = window.grow_up()
        self.moved.emit()
        if not has_grown:
            return
        self._paint_marks()
        if self._stays_at_mark:
            self._go_to_mark()
        self._fill_later.start()

    @contextmanager
    def _kept_in_place(self) -> Iterator[None]:
        """What is at the top of the view stays there while text comes or goes above it."""
        bar = self.verticalScrollBar()
        top = self.cursorForPosition(QPoint(1, 1))
        # At its line's beginning, so that nothing is written where it stands but what comes above.
        top.movePosition(QTextCursor.MoveOperation.StartOfLine)
        before = self.cursorRect(top).top()
        yield
        bar.setValue(bar.value() + self.cursorRect(top).top() - before)

    def _paint_marks(self) -> None:
        found: list[QTextEdit.ExtraSelection] = []
        if self._window.stretches:
            tokens = self._theme.tokens
            near = marks_in(self._hits, self._window.stretches[0].block.id, self._window.stretches[-1].block.id)
            found = [one for hit in near if hit != self._mark and (one := self._selection(hit, tokens.selection))]
            if self._mark is not None and (one := self._selection(self._mark, tokens.mark)):
                found.append(one)
        self.setExtraSelections(found)

    def _selection(self, mark: Mark, colour: str) -> QTextEdit.ExtraSelection | None:
        cursor = self._cursor(mark)
        if cursor is None:
            return None
        selection = QTextEdit.ExtraSelection()
        look = QTextCharFormat()
        look.setBackground(QColor(colour))
        look.setForeground(QColor(self._theme.tokens.text))
        selection.cursor, selection.format = cursor, look
        return selection

    def _cursor(self, mark: Mark) -> QTextCursor | None:
        span = self._window.span_of(mark)
        if span is None:
            return None
        cursor = QTextCursor(self.document())
        cursor.setPosition(span[1])
        cursor.setPosition(span[0], QTextCursor.MoveMode.KeepAnchor)
        return cursor

    def _select_mark(self) -> None:
        cursor = self._cursor(self._mark) if self._mark is not None else None
        if cursor is not None:
            self.setTextCursor(cursor)

    def _go_to_mark(self) -> None:
        cursor = self._cursor(self._mark) if self._mark is not None else None
        if cursor is not None:
            bar = self.verticalScrollBar()
            bar.setValue(bar.value() + self.cursorRect(cursor).top() - self.viewport().height() // 4)

    def _show_kind_of_selection(self) -> None:
        """A selection that is the mark has the mark's colour; one of the person's own has that of selections."""
        cursor, mine = self.textCursor(), self._cursor(self._mark) if self._mark is not None else None
        is_mark = mine is not None and (cursor.selectionStart(), cursor.selectionEnd()) == (
            mine.selectionStart(),
            mine.selectionEnd(),
        )
        if self.property("marked") is not is_mark:
            self.setProperty("marked", is_mark)
            self.style().unpolish(self)
            self.style().polish(self)

    def _on_scrolled(self) -> None:
        self._fill_later.start()
        self.moved.emit()

    def _on_moved_by_hand(self) -> None:
        self._stays_at_mark = False

    def _on_theme_changed(self) -> None:
        set_text_font(self, self._theme.font(14.5))
        self._set_margins()
        if self._words:
            self.show_words(self._words)
        elif self._window.stretches:
            top = self.top_block_id
            self._empty()
            self._load(self._mark if self._stays_at_mark else Mark(top))
            if self._stays_at_mark:
                self._go_to_mark()

    def _set_margins(self) -> None:
        px = self._theme.px
        side = max(px(MARGIN_PX), (self.width() - px(MEASURE_PX)) // 2)
        self.setViewportMargins(side, 0, side, 0)

    def resizeEvent(self, event: QResizeEvent) -> None:
        self._set_margins()
        with self._kept_in_place():
            super().resizeEvent(event)
        if self._stays_at_mark:
            self._go_to_mark()
        self._fill_later.start()

    def wheelEvent(self, event: object) -> None:
        self._stays_at_mark = False
        super().wheelEvent(event)  # type: ignore[arg-type]

    def keyPressEvent(self, event: QKeyEvent) -> None:
        self._stays_at_mark = False
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
        """Characters only: neither markup nor the view's fonts."""
        data = QMimeData()
        data.setText(self.textCursor().selection().toPlainText())
        return data

    def paintEvent(self, event: QPaintEvent) -> None:
        """The ground of code and the rules of tables, then the text."""
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
                after = block.next()  # lines of code have gaps between their boxes, their ground has none
                below = layout.blockBoundingRect(after).top() - down if _is_code(after) else box.bottom() + px5
                painter.fillRect(QRectF(0, math.floor(top), width, math.ceil(below) - math.floor(top)), code)
            elif kind == ROW_GROUND:
                painter.fillRect(QRectF(0, round(box.bottom()) + px5 - 1, width, 1), line)
            block = block.next()


def _is_code(block: QTextBlock) -> bool:
    return block.isValid() and block.blockFormat().intProperty(GROUND_PROPERTY) == CODE_GROUND


def no_text_words(unit: str) -> str:
    """What stands in place of a text that a page does not have."""
    return {
        "slide": tr("There is no text on this slide."),
        "sheet": tr("There is no text on this sheet."),
        "chapter": tr("There is no text in this chapter."),
        "file": tr("No text was found in this file."),
    }.get(unit, tr("There is no text on this page: it is a picture, or empty."))


def said_of(blocks: Sequence[Block], mark: Mark | None) -> str:
    """A page for a screen reader: what is marked on it, then all of its text, up to a length nobody listens to."""
    said = []
    for block in blocks:
        if mark is not None and block.id == mark.block_id:
            start, end = span_of(block, mark)
            said.append(tr("Marked: {words}", words=block.text[start:end]))
    return "\n".join([*said, *(block.text for block in blocks)])[:MOST_SAID]
