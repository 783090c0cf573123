"""Editor of Write: text by a user and a model in turn; generated text is tinted until it is edited."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator

from pygments.lexer import Lexer
from PySide6.QtCore import QEvent, QMimeData, QObject, QPoint, QRect, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QContextMenuEvent,
    QFont,
    QHelpEvent,
    QKeyEvent,
    QKeySequence,
    QPainter,
    QPaintEvent,
    QPen,
    QResizeEvent,
    QTextBlock,
    QTextCharFormat,
    QTextCursor,
    QTextDocument,
    QTextLayout,
    QTextOption,
    QWheelEvent,
)
from PySide6.QtWidgets import QMenu, QTextEdit, QToolTip, QWidget
from shiboken6 import isValid

from app.core.visible import clean_text
from app.ui.i18n import tr
from app.ui.text.code_colours import LONGEST_LINE, TURN_S, Colours, coloured_lines, find_lexer
from app.ui.text.formats import char_format, cursor_over, highlight
from app.ui.theme import EDGE_PX, PAGE_PX, Theme
from app.ui.theme_fonts import CODE_PX
from app.ui.utf16 import utf16_length
from app.ui.widgets.buttons import set_text_font
from app.ui.widgets.input_fields import PlainEdit
from app.ui.widgets.timers import new_timer
from app.ui.write.page_document import EDGE_OF_LETTERS_PX, PageContent, PageDocument, range_at, units_of

WRITTEN_BY_THE_MODEL = "The model wrote this."
TINTED_TEXT = "Tinted text was written by the model. Text you edit loses the tint."

TEXT_PX, MEASURE_PX, CODE_MEASURE_PX = 16, 640, PAGE_PX
"""Font size, and maximum widths of the column: of prose, and of code."""
ABOVE_PX = 22


class PageTypeface:
    """Typeface and line widths: readable columns for prose, unwrapped lines for code."""

    def __init__(self, edit: QTextEdit, theme: Theme) -> None:
        self._edit, self._theme, self._is_code = edit, theme, False

    def show_code(self, is_code: bool) -> None:
        edit, self._is_code = self._edit, is_code
        edit.setLineWrapMode(QTextEdit.LineWrapMode.NoWrap if is_code else QTextEdit.LineWrapMode.WidgetWidth)
        bar = Qt.ScrollBarPolicy.ScrollBarAsNeeded if is_code else Qt.ScrollBarPolicy.ScrollBarAlwaysOff
        edit.setHorizontalScrollBarPolicy(bar)
        option = edit.document().defaultTextOption()
        # Code runs from left to right in every language.
        option.setTextDirection(Qt.LayoutDirection.LeftToRight if is_code else Qt.LayoutDirection.LayoutDirectionAuto)
        modes = QTextOption.WrapMode
        option.setWrapMode(modes.NoWrap if is_code else modes.WrapAtWordBoundaryOrAnywhere)
        edit.document().setDefaultTextOption(option)
        self.dress()

    def dress(self) -> None:
        edit = self._edit
        font: QFont = self._theme.fonts.code(CODE_PX + 0.5) if self._is_code else self._theme.fonts.text(TEXT_PX)
        set_text_font(edit, font)
        edit.document().setDefaultFont(font)
        edit.setTabStopDistance(4 * edit.fontMetrics().horizontalAdvance(" "))
        self.arrange()

    def side_of(self, room_px: int) -> int:
        """Return the room at each side of the column."""
        px = self._theme.px
        measure = min(px(CODE_MEASURE_PX if self._is_code else MEASURE_PX), room_px - 2 * px(EDGE_PX))
        return max(0, (room_px - measure) // 2)

    def arrange(self) -> None:
        px, side = self._theme.px, self.side_of(self._edit.width())
        side = max(0, side - EDGE_OF_LETTERS_PX)  # so that the letters stand at the edge
        self._edit.setViewportMargins(side, px(ABOVE_PX), side, 0)
        document, width = self._edit.document(), self._edit.viewport().width()
        if not self._is_code and document.textWidth() != width:  # Qt wrapped at the width before the margins changed
            document.setTextWidth(width)


class Tint(QObject):
    """Tint and tooltip of generated text, updated by scrolling and changes."""

    def __init__(self, edit: PlainEdit, theme: Theme, page: PageDocument) -> None:
        super().__init__(edit)
        self._edit, self._theme, self._page = edit, theme, page
        self._later = new_timer(self, 0, self.update_visible)
        edit.verticalScrollBar().valueChanged.connect(lambda _value: self.update_visible())
        edit.viewport().installEventFilter(self)

    def follow_page(self, page: PageDocument) -> None:
        """Switch to another page's document and follow its changes and layout."""
        self._page = page
        page.edited.connect(self.update_visible)
        # Qt lays out a new document bit by bit, which moves what is visible.
        page.documentLayout().documentSizeChanged.connect(lambda _size: self._later.start())

    def update_visible(self) -> None:
        """Tint what is visible after scrolling or a change."""
        edit, page = self._edit, self._page
        room = edit.viewport().rect()
        first = edit.cursorForPosition(QPoint(0, 0)).position()
        last = edit.cursorForPosition(QPoint(room.width(), room.height())).position()
        selections = []
        for start, end in page.ranges:
            # Only what is visible, so that long pages cost no more than short ones.
            if start > last or end < first:
                continue
            cursor = cursor_over(page, min(max(start, first), page.last), min(end, last + 1, page.last))
            selections.append(highlight(cursor, char_format(None, background=self._theme.tokens.written)))
        edit.set_marks("written", selections)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            place = self._edit.cursorForPosition(event.pos()).position()
            words = tr("Written by the model. Text you edit loses the tint.")
            is_there = range_at(self._page.ranges, place) is not None
            QToolTip.showText(event.globalPos(), words if is_there else "", self._edit)
            return True
        return super().eventFilter(watched, event)


class ReadingLine:
    """Dashed line above the place where the model starts to read."""

    def __init__(self, edit: QTextEdit, theme: Theme) -> None:
        self._edit, self._theme = edit, theme
        self._place: int | None = None

    def show_at(self, start: int | None) -> None:
        """Set the place in characters; None if the model reads from the start, which needs no line."""
        self._place = None if not start else units_of(self._edit.document().toRawText(), [start])[0]
        self._edit.viewport().update()

    def scroll_to(self) -> None:
        """Scroll the line to a third of the view's height, without moving the cursor."""
        if self._place is not None:
            bar = self._edit.verticalScrollBar()
            # By the bar, as the line depends on where the cursor is.
            bar.setValue(bar.value() + self._top_of(self._place) - self._edit.viewport().height() // 3)

    def paint(self) -> None:
        room, px, tokens = self._edit.viewport().rect(), self._theme.px, self._theme.tokens
        if self._place is None or self._place >= self._edit.document().characterCount():
            return
        y = self._top_of(self._place) - px(8)
        if not -2 < y < room.height():
            return
        painter = QPainter(self._edit.viewport())
        painter.setPen(QPen(QColor(tokens.outline), 1, Qt.PenStyle.DashLine))
        painter.drawLine(0, y, room.width(), y)
        painter.setFont(self._theme.font("caption"))
        words = tr("The model reads from here")
        width, height = painter.fontMetrics().horizontalAdvance(words) + px(12), painter.fontMetrics().height()
        x = 0 if self._edit.isRightToLeft() else room.width() - width
        box = QRect(x, y - height // 2, width, height)
        painter.fillRect(box, QColor(tokens.background))
        painter.setPen(QColor(tokens.muted))
        painter.drawText(box, Qt.AlignmentFlag.AlignCenter, words)

    def _top_of(self, place: int) -> int:
        cursor = QTextCursor(self._edit.document())
        cursor.setPosition(min(place, self._edit.document().characterCount() - 1))
        return self._edit.cursorRect(cursor).top()


USUAL = "    "
LINES_LOOKED_AT = 400
OPENING = (":", "{", "[", "(")
"""Line ends after which the next line is indented further."""


class CodeKeys:
    """Indentation keys for code. After Escape (`may_leave`), Tab moves the focus until something is typed."""

    def __init__(self, edit: QTextEdit) -> None:
        self._edit = edit
        self.is_on = self.may_leave = False
        self.unit = USUAL
        """One step of indentation."""

    @property
    def keeps_tab(self) -> bool:
        """True if Tab indents now and doesn't move the focus."""
        return self.is_on and not self.may_leave

    def takes(self, event: QKeyEvent) -> bool:
        """Handle a key; return whether it was one of these."""
        key, cursor = event.key(), self._edit.textCursor()
        is_done = self.is_on and self._do(key, event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier, cursor)
        if is_done:
            self._edit.setTextCursor(cursor)
            if key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
                self._edit.ensureCursorVisible()
        elif event.text() or key in (Qt.Key.Key_Delete, Qt.Key.Key_Backspace):
            self.may_leave = False
        return is_done

    def _do(self, key: int, modifiers: Qt.KeyboardModifier, cursor: QTextCursor) -> bool:
        if key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            new_line(cursor, self.unit)
        elif key == Qt.Key.Key_Backspace:
            return not modifiers and step_back(cursor, self.unit)
        elif key in (Qt.Key.Key_Tab, Qt.Key.Key_Backtab) and not modifiers & Qt.KeyboardModifier.ControlModifier:
            (outdent if key == Qt.Key.Key_Backtab else indent)(cursor, self.unit)
        else:
            return False
        return True


def unit_of(text: str) -> str:
    """Detect a text's indentation step: a tab, or its least indent of 2 to 8 spaces."""
    spaces: set[int] = set()
    tabs = 0
    # A sample, as a page may have a million characters.
    for line in text[:40_000].split("\n")[:LINES_LOOKED_AT]:
        indent = _indent_of(line)
        if not line.strip() or not indent:
            continue
        if indent[0] == "\t":
            tabs += 1
        elif len(indent) > 1:
            spaces.add(len(indent))
    if tabs > len(spaces):
        return "\t"
    least = min(spaces, default=len(USUAL))
    # Widths that aren't multiples come from aligned lines, and tell no step.
    return " " * (least if least <= 8 and all(width % least == 0 for width in spaces) else len(USUAL))


def indent(cursor: QTextCursor, unit: str) -> None:
    """Indent the selected lines; without a multi-line selection insert blanks up to the next step."""
    if _spans_lines(cursor):
        cursor.beginEditBlock()
        for block in _lines(cursor):
            if block.text().strip():
                QTextCursor(block).insertText(unit)
        cursor.endEditBlock()
        return
    column = cursor.selectionStart() - cursor.document().findBlock(cursor.selectionStart()).position()
    cursor.insertText(unit if unit == "\t" else " " * (len(unit) - column % len(unit)))


def outdent(cursor: QTextCursor, unit: str) -> None:
    """Unindent the selected lines by one step, or by the spaces they have."""
    cursor.beginEditBlock()
    for block in _lines(cursor):
        line = block.text()
        width = 1 if line.startswith("\t") else min(len(unit.expandtabs(4)), len(line) - len(line.lstrip(" ")))
        place = QTextCursor(block)
        place.setPosition(block.position() + width, QTextCursor.MoveMode.KeepAnchor)
        place.removeSelectedText()
    cursor.endEditBlock()


def new_line(cursor: QTextCursor, unit: str) -> None:
    """Insert a line break with the current indent, one step deeper after an opening bracket."""
    block = cursor.document().findBlock(cursor.selectionStart())
    before = block.text()[: cursor.selectionStart() - block.position()]
    further = unit if before.rstrip().endswith(OPENING) else ""
    cursor.beginEditBlock()
    cursor.removeSelectedText()
    cursor.insertBlock()
    cursor.insertText(_indent_of(before) + further)
    cursor.endEditBlock()


def step_back(cursor: QTextCursor, unit: str) -> bool:
    """Delete one step of leading spaces; return False if the cursor isn't in them."""
    column = cursor.positionInBlock()
    before = cursor.block().text()[:column]
    if cursor.hasSelection() or not before or before.strip(" "):
        return False
    # To the step before, where the blanks aren't whole steps.
    width = (column - 1) % len(unit) + 1
    cursor.setPosition(cursor.position() - width, QTextCursor.MoveMode.KeepAnchor)
    cursor.removeSelectedText()
    return True


def _indent_of(line: str) -> str:
    return line[: len(line) - len(line.lstrip(" \t"))]


def _spans_lines(cursor: QTextCursor) -> bool:
    document = cursor.document()
    return document.findBlock(cursor.selectionStart()) != document.findBlock(cursor.selectionEnd())


def _lines(cursor: QTextCursor) -> list[QTextBlock]:
    """Return the selected blocks, without a last one of which nothing is selected."""
    document = cursor.document()
    block, last = document.findBlock(cursor.selectionStart()), document.findBlock(cursor.selectionEnd())
    if last != block and cursor.selectionEnd() == last.position():
        last = last.previous()
    found = [block]
    while block != last:
        block = block.next()
        found.append(block)
    return found


PAUSE_MS = 60
LINES_AHEAD = 300
"""Lines above the visible part where lexing starts, as a multi-line string may begin there."""
LINES_BELOW = 20


_HEADING = re.compile(r"(#{1,6})[ \t]+(?=\S)")
WITH_HEADINGS = ("", "text", "markdown")
"""Languages whose lines with marks are headings."""
HEADING_SIZE = QTextCharFormat.Property.FontPixelSize
HEADING_PX = (21, 17)
"""Font sizes of a heading with one mark, and with more."""


class LiveColours(QObject):
    """Highlight code shortly after edits and scrolling, in turns of the event loop; headings of prose at once."""

    def __init__(self, edit: QTextEdit, theme: Theme) -> None:
        super().__init__(edit)
        self._edit, self._theme = edit, theme
        self._lexer: Lexer | None = None
        self._language = ""
        self._has_headings = True
        self._reading: Iterator[tuple[int, Colours] | None] | None = None
        self._first = self._seen_from = 0
        self._later = new_timer(self, PAUSE_MS, self._begin)
        self._turn = new_timer(self, 0, self._on_turn, repeats=True)
        edit.verticalScrollBar().valueChanged.connect(lambda _value: self.highlight_soon())
        theme.changed.connect(self._on_theme_changed)

    @property
    def is_busy(self) -> bool:
        return self._later.isActive() or self._turn.isActive()

    def follow_document(self, document: QTextDocument) -> None:
        """Switch to another document and highlight its visible part."""
        document.contentsChange.connect(self._on_edited)
        self.highlight_soon()

    def show_language(self, language: str) -> None:
        """Set the language by its Pygments name; "" turns highlighting off."""
        if language == self._language:
            return
        self._language, self._lexer = language, find_lexer(language)
        had_headings, self._has_headings = self._has_headings, language in WITH_HEADINGS
        # A lexer's colours replace those of the one before; what no lexer replaces has to be taken off.
        is_stale = self._lexer is None or had_headings != self._has_headings
        block = self._edit.document().begin() if is_stale else QTextBlock()
        while block.isValid():
            self._put_on(block, ())
            block = block.next()
        self.highlight_soon()

    def highlight_soon(self) -> None:
        """Schedule highlighting after scrolling or a change; lexing in progress is dropped."""
        self._turn.stop()
        self._reading = None
        if self._lexer is not None:
            self._later.start()

    def _begin(self) -> None:
        if self._lexer is None:
            return
        room = self._edit.viewport().rect()
        seen = self._edit.cursorForPosition(QPoint(0, 0)).block()
        last = self._edit.cursorForPosition(QPoint(0, room.height())).blockNumber() + LINES_BELOW
        self._seen_from = seen.blockNumber()
        self._first = max(0, self._seen_from - LINES_AHEAD)
        block, lines = self._edit.document().findBlockByNumber(self._first), []
        while block.isValid() and block.blockNumber() <= last:
            line = block.text()
            # Some lexers take quadratic time for a long line; an empty one keeps the count of lines.
            lines.append(line if len(line) <= LONGEST_LINE else "")
            block = block.next()
        self._reading = coloured_lines(self._lexer, "\n".join(lines))
        self._turn.start()

    def _on_turn(self) -> None:
        until_s = time.perf_counter() + TURN_S
        for line in self._reading or ():
            if line is not None and self._first + line[0] >= self._seen_from:
                self._put_on(self._edit.document().findBlockByNumber(self._first + line[0]), line[1])
            if time.perf_counter() > until_s:
                return
        self._turn.stop()
        self._reading = None

    def _put_on(self, block: QTextBlock, colours: Colours) -> None:
        # As layout formats: character formats of the text would be steps of undo.
        if not block.isValid():
            return
        tokens = self._theme.tokens
        ranges = self._heading_formats(block.text()) or [
            _format_range(start, length, char_format(color=getattr(tokens, token))) for start, length, token in colours
        ]
        layout = block.layout()
        # Setting formats lays out the line again, so only if they differ.
        if _format_keys(layout.formats()) != _format_keys(ranges):
            layout.setFormats(ranges)
            self._edit.document().markContentsDirty(block.position(), block.length())

    def _heading_formats(self, line: str) -> list[QTextLayout.FormatRange]:
        """Return the look of a heading, with its marks muted; nothing for other lines."""
        found = _HEADING.match(line) if self._has_headings else None
        if found is None:
            return []
        font = self._theme.fonts.text(HEADING_PX[min(len(found[1]), len(HEADING_PX)) - 1], 600)
        marks = char_format(font, self._theme.tokens.muted)
        return [
            _format_range(0, found.end(), marks),
            _format_range(found.end(), utf16_length(line) - found.end(), char_format(font)),
        ]

    def set_headings(self, document: QTextDocument) -> None:
        """Set the headings of a whole document that isn't laid out yet."""
        lines = document.toRawText().split("\u2029") if self._has_headings else ()
        for number, line in enumerate(lines):
            if line.startswith("#") and (formats := self._heading_formats(line)):
                document.findBlockByNumber(number).layout().setFormats(formats)

    def _on_theme_changed(self) -> None:
        document = self._edit.document()
        self.set_headings(document)
        document.markContentsDirty(0, document.characterCount())  # once: line by line it would take minutes
        self.highlight_soon()

    def _show_edited_headings(self, block: QTextBlock, last: QTextBlock) -> None:
        """Set the lines of an edit that are headings now, and clear those that were."""
        while block.isValid() and block.blockNumber() <= last.blockNumber():
            is_styled = any(held.format.hasProperty(HEADING_SIZE) for held in block.layout().formats())
            if is_styled or block.text().startswith("#"):
                self._put_on(block, ())
            block = block.next()

    def _on_edited(self, position: int, removed: int, added: int) -> None:
        """Shift the colours behind an edit until its line is lexed again."""
        block = self._edit.document().findBlock(position)
        if self._has_headings:
            self._show_edited_headings(block, self._edit.document().findBlock(position + added))
        at, by = position - block.position(), added - removed
        if (ranges := block.layout().formats()) and self._lexer is not None and at + added <= block.length():
            for format_range in ranges:
                if format_range.start >= at:
                    format_range.start += by
                elif format_range.start + format_range.length > at:
                    format_range.length = max(0, format_range.length + by)
            block.layout().setFormats(
                [format_range for format_range in ranges if format_range.start >= 0 and format_range.length > 0]
            )
        self.highlight_soon()


def _format_range(start: int, length: int, look: QTextCharFormat) -> QTextLayout.FormatRange:
    found = QTextLayout.FormatRange()
    found.start, found.length, found.format = start, length, look
    return found


def _format_keys(ranges: list[QTextLayout.FormatRange]) -> list[tuple[int, int, str, int]]:
    return [
        (held.start, held.length, held.format.foreground().color().name(), held.format.intProperty(HEADING_SIZE))
        for held in ranges
    ]


KEYS = Qt.Key
RETURNS = (KEYS.Key_Return, KEYS.Key_Enter)


class PageEdit(PlainEdit):
    """Editor that shows one page at a time, as prose or as code with its keys."""

    edited = Signal()
    """The text changed, by the user or the model."""
    touched = Signal()
    """The user changed the text."""
    shown = Signal()
    """Another page is shown."""
    moved = Signal()
    """The cursor moved."""
    continue_wanted = Signal()
    cancelled = Signal()
    open_wanted = Signal()
    """Ctrl+O asks for a file here; elsewhere in the program it opens a model."""
    save_wanted = Signal()
    save_as_wanted = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self.setObjectName("page_text")
        self.setAccessibleName(tr("Page"))
        self.is_code = False
        self.page = PageDocument(PageContent(), self.document(), self)
        self.code_keys = CodeKeys(self)
        self.reading_line = ReadingLine(self, theme)
        self.colours = LiveColours(self, theme)
        self.typeface = PageTypeface(self, theme)
        self._tint = Tint(self, theme, self.page)
        self._show_page(self.page)
        self.cursorPositionChanged.connect(self._on_moved)
        theme.changed.connect(self._dress)
        self._dress()

    @property
    def text(self) -> str:
        return self.page.text

    @property
    def state(self) -> PageContent:
        return self.page.state_at(self.textCursor().position())

    def show_state(self, state: PageContent, before: PageContent | None = None) -> None:
        """Show another page. Undo reaches back only to `before`, its last change."""
        self._show_page(PageDocument(before or state, self.document(), self, is_code=self.is_code))
        self.code_keys.unit = unit_of(state.text)
        self.reading_line.show_at(None)
        if before is not None:
            self._place_cursor(units_of(before.text, [before.cursor])[0])
            self.page.rewrite(state)
        self._place_cursor(units_of(state.text, [state.cursor])[0])
        self._tint.update_visible()
        self.edited.emit()
        self.shown.emit()

    def _show_page(self, page: PageDocument) -> None:
        # A new document, which Qt lays out bit by bit: text set into a visible one is laid out at once.
        before, self.page = self.document(), page
        self.colours.set_headings(page)
        self.setDocument(page)
        page.markContentsDirty(0, 0)  # or the first key would count as a change of all, which was inserted before
        page.follow_changes()
        self._tint.follow_page(page)
        self.colours.follow_document(page)
        page.edited.connect(self.edited)
        page.touched.connect(self.touched)
        if isValid(before) and before.parent() is self:  # Qt deletes its own first document itself
            before.deleteLater()

    def show_language(self, language: str, *, is_code: bool) -> None:
        """Set the language by its Pygments name; "" for prose."""
        self.is_code = self.code_keys.is_on = is_code
        self.is_prose = not is_code
        self.setTabChangesFocus(not is_code)
        self.colours.show_language(language)
        self.typeface.show_code(is_code)
        self.page.space_lines(is_code=is_code)
        self._dress()

    def leave_selection(self) -> None:
        """Move the cursor behind the selection, where a continuation starts."""
        cursor = self.textCursor()
        if cursor.hasSelection():
            self._place_cursor(cursor.selectionEnd())

    def begin_run(self, instead_of: tuple[int, int] | None = None) -> None:
        """Start a continuation at the cursor, or over the range of an earlier one, in UTF-16 units."""
        place = self.textCursor().position()
        self.page.begin_run(*(instead_of or (place, place)))
        if instead_of is None:
            self._place_cursor(place)

    def grow_run(self, text: str) -> None:
        """Append text to the continuation; scroll along if its end is visible."""
        run, text = self.page.run, clean_text(text.replace("\r", ""))
        if run is None or not text:
            return
        room = self.viewport().rect().adjusted(0, -self._theme.px(40), 0, self._theme.px(40))
        is_seen = room.intersects(self.cursorRect(run))
        self.page.grow_run(text)
        if is_seen:
            self._show_place(self.cursorRect(run))

    def undo_last(self) -> None:
        if self.page.isUndoAvailable():
            self.page.step(self.undo)

    def redo_last(self) -> None:
        if self.page.isRedoAvailable():
            self.page.step(self.redo)

    def event(self, event: QEvent) -> bool:
        is_key = event.type() == QEvent.Type.ShortcutOverride and isinstance(event, QKeyEvent)
        if is_key and event.matches(QKeySequence.StandardKey.Open):  # type: ignore[attr-defined]
            event.accept()  # the window uses the key for something else
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        # While an input method composes, all keys are its own.
        if self.is_composing or not (self._takes(event) or self.code_keys.takes(event)):
            super().keyPressEvent(event)

    def _takes(self, event: QKeyEvent) -> bool:
        """Handle the page's own keys; return whether this was one."""
        key, modifiers = event.key(), event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier
        if event.matches(QKeySequence.StandardKey.Undo):
            self.undo_last()
        elif event.matches(QKeySequence.StandardKey.Redo):
            self.redo_last()
        elif event.matches(QKeySequence.StandardKey.Open):
            self.open_wanted.emit()
        elif event.matches(QKeySequence.StandardKey.Save):
            self.save_wanted.emit()
        elif key == KEYS.Key_S and modifiers == Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier:
            self.save_as_wanted.emit()
        elif key == KEYS.Key_Escape:
            self.code_keys.may_leave = True
            self.cancelled.emit()
        elif key in RETURNS and modifiers & Qt.KeyboardModifier.ControlModifier:
            self.continue_wanted.emit()
        elif key in RETURNS and not self.is_code:
            # With Shift, too, where Qt would break the line inside the paragraph.
            self.textCursor().insertBlock()
            self.ensureCursorVisible()
        else:
            return False
        return True

    def focusNextPrevChild(self, is_next: bool) -> bool:
        # Qt's editor never lets Tab leave while it could insert one.
        return False if self.code_keys.keeps_tab else self.window().focusNextPrevChild(is_next)

    def insertFromMimeData(self, source: QMimeData) -> None:
        # Line ends of every system, and Qt's break within a paragraph.
        text = source.text().replace("\r\n", "\n").replace("\r", "\n").replace("\u2028", "\n")
        self.textCursor().insertText(clean_text(text), QTextCharFormat())
        self.ensureCursorVisible()

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        self.show_menu(self.menu_at(event.pos()), event)

    def menu_at(self, place: QPoint) -> QMenu:
        """Return Qt's context menu with Undo and Redo replaced by this class's."""
        menu: QMenu = self.createStandardContextMenu(place)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        document = self.page
        for name, is_there, do in (
            ("edit-undo", document.isUndoAvailable(), self.undo_last),
            ("edit-redo", document.isRedoAvailable(), self.redo_last),
        ):
            for action in menu.actions():
                if action.objectName() == name:
                    # Qt's own undo doesn't know the ranges of generated text.
                    action.triggered.disconnect()
                    action.triggered.connect(lambda _checked=False, do=do: do())
                    action.setEnabled(is_there)
        return menu

    def _on_moved(self) -> None:
        what = tr(TINTED_TEXT)
        here = tr(WRITTEN_BY_THE_MODEL)
        way_out = tr("Press Escape, then Tab to leave the page.") if self.is_code else ""
        ranges = self.page.ranges
        is_there = range_at(ranges, self.textCursor().position()) is not None
        sentences = (here if is_there else "", what if ranges else "", way_out)
        self.describe("page", " ".join(part for part in sentences if part))
        self.moved.emit()

    def _show_place(self, rect: QRect) -> None:
        """Scroll down just enough to show the rectangle, with a little space below."""
        bar = self.verticalScrollBar()
        below = rect.bottom() + self._theme.px(12) - self.viewport().height()
        if below > 0:
            bar.setValue(bar.value() + below)

    def _place_cursor(self, unit: int) -> None:
        cursor = self.textCursor()
        cursor.setPosition(min(max(0, unit), self.page.last))
        self.setTextCursor(cursor)
        self.ensureCursorVisible()

    def _dress(self) -> None:
        self.typeface.dress()
        self.colours.highlight_soon()
        self._tint.update_visible()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.typeface.arrange()
        self._tint.update_visible()
        self.colours.highlight_soon()

    def wheelEvent(self, event: QWheelEvent) -> None:
        if event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            event.ignore()  # Qt would change the font size
        else:
            super().wheelEvent(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        self.reading_line.paint()
