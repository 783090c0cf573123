"""The page itself: text that a person and a model write in turn, what the model wrote tinted until it is touched."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from PySide6.QtCore import QEvent, QMimeData, QPoint, QRect, Qt, QTimer, Signal
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
    QTextBlockFormat,
    QTextCharFormat,
    QTextCursor,
    QTextDocument,
    QTextOption,
    QWheelEvent,
)
from PySide6.QtWidgets import QMenu, QTextEdit, QToolTip, QWidget
from shiboken6 import isValid

from app.core.visible import clean_text
from app.ui.i18n import tr
from app.ui.theme import CODE_PX, EDGE_PX, Theme
from app.ui.widgets.buttons import set_text_font
from app.ui.widgets.fields import PlainEdit
from app.ui.write import indent
from app.ui.write.colours import LiveColours
from app.ui.write.written import Ranges, after_edit, places_of, range_at, units_of, with_run

TEXT_PX, MEASURE_PX, CODE_MEASURE_PX = 16, 576, 940
"""Letters, and how wide lines get: about 72 characters of prose."""
LINE_PERCENT = 148
EDGE_OF_LETTERS_PX = 2
ABOVE_PX = 22
KEYS = Qt.Key


@dataclass(frozen=True)
class PageState:
    """What is in the page, in characters: see `app.features.pages.Page`."""

    text: str = ""
    written: Ranges = ()
    cursor: int = 0


class PageEdit(PlainEdit):
    """Text with one look; `language` decides whether it is that of code. A continuation is one step of undo."""

    edited = Signal()
    """The text is another, whoever changed it."""
    touched = Signal()
    """A person changed it."""
    shown = Signal()
    """It is another page."""
    moved = Signal()
    """The cursor is elsewhere."""
    continue_wanted = Signal()
    cancelled = Signal()
    save_wanted = Signal()
    save_as_wanted = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self.setObjectName("page_text")
        self.setAccessibleName(tr("Page"))
        self.language = ""
        self.is_code = False
        self._unit = indent.USUAL
        self._may_leave = False
        """Whether Tab leaves code: after Escape."""
        self._ranges: Ranges = ()
        self._ranges_at: dict[int, Ranges] = {}
        """What was marked at each step of undo."""
        self._is_ours = False
        """Whether this class itself changes the text now."""
        self._run: QTextCursor | None = None
        self._run_start = 0
        self._has_grown = False
        self._reads_from: int | None = None
        self._colours = LiveColours(self, theme)
        self._tint_later = QTimer(self, singleShot=True, interval=0)
        self._tint_later.timeout.connect(self._tint)
        self._show_text("")
        self.cursorPositionChanged.connect(self._on_moved)
        self.verticalScrollBar().valueChanged.connect(lambda _value: self._tint())
        theme.changed.connect(self._dress)
        self._dress()

    # What is in it.

    @property
    def text(self) -> str:
        raw = self.document().toRawText()
        return raw.replace("\u2029", "\n").replace("\u2028", "\n")

    @property
    def state(self) -> PageState:
        text = self.text
        ends = [place for pair in self._ranges for place in pair]
        *places, cursor = places_of(text, [*ends, self.textCursor().position()])
        return PageState(text, tuple(zip(places[::2], places[1::2], strict=True)), cursor)

    @property
    def is_empty(self) -> bool:
        return self.document().isEmpty()

    @property
    def is_colouring(self) -> bool:
        """Whether colours of code are still to come."""
        return self._colours.is_busy

    def show_state(self, state: PageState, before: PageState | None = None) -> None:
        """Another page. All that can be taken back in it is its last change, to how it was `before`."""
        self._run = None
        first = before or state
        self._show_text(first.text)
        self._ranges_at = {}
        self._unit = indent.unit_of(state.text)
        self._reads_from = None
        self._mark(first)
        if before is not None:
            self._rewrite(first.text, state.text)
            self._mark(state)
        self._tint()
        self.edited.emit()
        self.shown.emit()

    def _show_text(self, text: str) -> None:
        """In a document of its own, which Qt lays out bit by bit: what is put into one that is seen it does at once."""
        before, look = self.document(), QTextBlockFormat()
        look.setLineHeight(LINE_PERCENT, QTextBlockFormat.LineHeightTypes.ProportionalHeight.value)
        document = QTextDocument(self)
        document.setUndoRedoEnabled(False)
        document.setDefaultFont(before.defaultFont())
        document.setDocumentMargin(EDGE_OF_LETTERS_PX)  # later it would be a step of undo
        document.setDefaultTextOption(before.defaultTextOption())
        cursor = QTextCursor(document)
        cursor.setBlockFormat(look)
        cursor.insertText(text)
        document.setUndoRedoEnabled(True)
        self.setDocument(document)
        document.contentsChange.connect(self._on_contents_change)
        document.contentsChanged.connect(self._on_contents_changed)
        document.documentLayout().documentSizeChanged.connect(lambda _size: self._tint_later.start())
        self._colours.follow(document)
        if isValid(before) and before.parent() is self:  # Qt's own first one goes by itself
            before.deleteLater()

    def _mark(self, state: PageState) -> None:
        """Its stretches and its cursor, in a text that is the same."""
        units = units_of(state.text, [place for pair in state.written for place in pair] + [state.cursor])
        self._ranges = tuple(zip(units[:-1:2], units[1:-1:2], strict=True))
        self._remember()
        self._place_cursor(units[-1])

    def _rewrite(self, text: str, other: str) -> None:
        """Makes another text of it, as one step: only what differs is written."""
        same = _common(text, other)
        behind = min(_common(text[::-1], other[::-1]), len(text) - same, len(other) - same)
        start, end = units_of(text, [same, len(text) - behind])
        cursor = QTextCursor(self.document())
        cursor.setPosition(start)
        cursor.setPosition(end, QTextCursor.MoveMode.KeepAnchor)
        self._is_ours = True
        cursor.insertText(other[same : len(other) - behind], QTextCharFormat())
        self._is_ours = False
        self.document().setModified(False)  # what is typed next is a step of its own

    def show_language(self, language: str, *, is_code: bool) -> None:
        """By Pygments' name, "" for prose."""
        self.language, self.is_code = language, is_code
        self.setLineWrapMode(QTextEdit.LineWrapMode.NoWrap if is_code else QTextEdit.LineWrapMode.WidgetWidth)
        bar = Qt.ScrollBarPolicy.ScrollBarAsNeeded if is_code else Qt.ScrollBarPolicy.ScrollBarAlwaysOff
        self.setHorizontalScrollBarPolicy(bar)
        option = self.document().defaultTextOption()
        option.setTextDirection(Qt.LayoutDirection.LeftToRight if is_code else Qt.LayoutDirection.LayoutDirectionAuto)
        modes = QTextOption.WrapMode
        option.setWrapMode(modes.NoWrap if is_code else modes.WrapAtWordBoundaryOrAnywhere)
        self.document().setDefaultTextOption(option)
        self.setTabChangesFocus(not is_code)
        self._colours.show_language(language)
        self._dress()

    # What the model writes.

    def leave_selection(self) -> None:
        """The cursor stands behind what was selected: there it goes on."""
        cursor = self.textCursor()
        if cursor.hasSelection():
            self._place_cursor(cursor.selectionEnd())

    def begin_run(self, instead_of: tuple[int, int] | None = None) -> None:
        """A continuation begins at the cursor, or in the place of an earlier one, whose units are given."""
        self.end_run()
        self.document().setModified(False)  # else Qt joins it to what was typed before
        run = QTextCursor(self.document())
        run.setPosition(self.textCursor().position() if instead_of is None else instead_of[0])
        if instead_of is not None:
            run.setPosition(instead_of[1], QTextCursor.MoveMode.KeepAnchor)
        else:
            self._place_cursor(run.position())
        self._run, self._run_start, self._has_grown = run, run.selectionStart(), False

    def grow_run(self, text: str) -> None:
        """More of it."""
        run, is_at_end = self._run, self._is_end_seen
        text = clean_text(text.replace("\r", ""))
        if run is None or not text:
            return
        if self._has_grown:
            run.joinPreviousEditBlock()
        else:
            run.beginEditBlock()
        self._has_grown = True
        start = run.selectionStart()
        self._is_ours = True
        if run.hasSelection():
            self._ranges = after_edit(self._ranges, start, run.selectionEnd() - start, 0)
        run.insertText(text, QTextCharFormat())
        others = tuple(one for one in self._ranges if one != (self._run_start, start))
        self._ranges = with_run(after_edit(others, start, 0, run.position() - start), self._run_start, run.position())
        run.endEditBlock()
        self._is_ours = False
        self._remember()
        self._tint()
        if is_at_end:
            self._show_place(run)
        self.edited.emit()

    def end_run(self) -> tuple[int, int]:
        """It is complete, or is to be: where it stands, in units."""
        run, self._run = self._run, None
        if run is None:
            return 0, 0
        self.document().setModified(False)  # what is typed next is a step of its own
        return self._run_start, run.position() if self._has_grown else self._run_start

    def between(self, start: int, end: int) -> str:
        """What stands between two places, in units; -1 is the end."""
        cursor = QTextCursor(self.document())
        cursor.setPosition(min(start, self._last))
        cursor.setPosition(self._last if end < 0 else min(end, self._last), QTextCursor.MoveMode.KeepAnchor)
        return cursor.selectedText().replace("\u2029", "\n").replace("\u2028", "\n")

    @property
    def is_growing(self) -> bool:
        """Whether a continuation comes in now."""
        return self._run is not None

    @property
    def is_in_run(self) -> bool:
        """Whether the cursor stands in what a model wrote."""
        return range_at(self._ranges, self.textCursor().position()) is not None

    def show_reading(self, start: int | None) -> None:
        """Where the model begins to read, in characters; None: at the beginning."""
        self._reads_from = None if not start else units_of(self.text, [start])[0]
        self.viewport().update()

    def show_reading_place(self) -> None:
        """Scrolls to where the model begins to read; the cursor stays, by which that is found."""
        if self._reads_from is not None:
            place = QTextCursor(self.document())
            place.setPosition(min(self._reads_from, self._last))
            bar = self.verticalScrollBar()
            bar.setValue(bar.value() + self.cursorRect(place).top() - self.viewport().height() // 3)

    # Taking back.

    def undo_last(self) -> None:
        """One step, of what was typed or of what a model wrote."""
        self._run = None
        if self.document().isUndoAvailable():
            self._step(QTextEdit.undo)

    def redo_last(self) -> None:
        self._run = None
        if self.document().isRedoAvailable():
            self._step(QTextEdit.redo)

    def _step(self, step: Callable[[PageEdit], None]) -> None:
        self._is_ours = True
        step(self)
        self._is_ours = False
        self._ranges = self._ranges_at.get(self.document().availableUndoSteps(), ())
        self._tint()
        self.ensureCursorVisible()
        self.edited.emit()
        self.touched.emit()

    # Keys.

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if self.is_composing or not self._takes(event):
            if self._is_typing(event):
                self._may_leave = False
            super().keyPressEvent(event)

    def _takes(self, event: QKeyEvent) -> bool:
        """Whether it is a key of the page's own, which is then done."""
        key, modifiers = event.key(), event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier
        if event.matches(QKeySequence.StandardKey.Undo):
            self.undo_last()
        elif event.matches(QKeySequence.StandardKey.Redo):
            self.redo_last()
        elif event.matches(QKeySequence.StandardKey.Save):
            self.save_wanted.emit()
        elif key == KEYS.Key_S and modifiers == Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier:
            self.save_as_wanted.emit()
        elif key in (KEYS.Key_Return, KEYS.Key_Enter):
            self._on_return(modifiers)
        elif key == KEYS.Key_Escape:
            self._may_leave = True
            self.cancelled.emit()
        elif self.is_code and key in (KEYS.Key_Tab, KEYS.Key_Backtab, KEYS.Key_Backspace):
            return self._on_code_key(key, modifiers)
        else:
            return False
        return True

    def _on_return(self, modifiers: Qt.KeyboardModifier) -> None:
        if modifiers & Qt.KeyboardModifier.ControlModifier:
            self.continue_wanted.emit()
            return
        cursor = self.textCursor()
        if self.is_code:
            indent.new_line(cursor, self._unit)
        else:
            cursor.insertBlock()
        self.setTextCursor(cursor)
        self.ensureCursorVisible()

    def _on_code_key(self, key: int, modifiers: Qt.KeyboardModifier) -> bool:
        cursor = self.textCursor()
        if key == KEYS.Key_Backspace:
            is_done = not modifiers and indent.step_back(cursor, self._unit)
        else:
            is_done = not modifiers & Qt.KeyboardModifier.ControlModifier
            if is_done:
                (indent.outdent if key == KEYS.Key_Backtab else indent.indent)(cursor, self._unit)
        if is_done:
            self.setTextCursor(cursor)
        return is_done

    def _is_typing(self, event: QKeyEvent) -> bool:
        return bool(event.text()) or event.key() in (KEYS.Key_Delete, KEYS.Key_Backspace)

    def focusNextPrevChild(self, is_next: bool) -> bool:
        return self.window().focusNextPrevChild(is_next) if not self.is_code or self._may_leave else False

    def insertFromMimeData(self, source: QMimeData) -> None:
        text = source.text().replace("\r\n", "\n").replace("\r", "\n").replace("\u2028", "\n")
        self.textCursor().insertText(clean_text(text), QTextCharFormat())
        self.ensureCursorVisible()

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        menu = self.menu_at(event.pos())
        menu.popup(event.globalPos())

    def menu_at(self, place: QPoint) -> QMenu:
        """Qt's own menu, in which Undo and Redo are this class's."""
        menu: QMenu = self.createStandardContextMenu(place)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        document = self.document()
        for name, is_there, do in (
            ("edit-undo", document.isUndoAvailable(), self.undo_last),
            ("edit-redo", document.isRedoAvailable(), self.redo_last),
        ):
            for action in menu.actions():
                if action.objectName() == name:
                    action.triggered.disconnect()
                    action.triggered.connect(lambda _checked=False, do=do: do())
                    action.setEnabled(is_there)
        return menu

    # What changes.

    def _on_contents_change(self, position: int, removed: int, added: int) -> None:
        if not self._is_ours:
            self._ranges = after_edit(self._ranges, position, removed, added)

    def _on_contents_changed(self) -> None:
        if self._is_ours:
            return
        self._remember()
        self._tint()
        self.edited.emit()
        self.touched.emit()

    def _remember(self) -> None:
        """What is marked at this step of undo; later ones cannot be come to any more."""
        steps = self.document().availableUndoSteps()
        self._ranges_at[steps] = self._ranges
        if not self.document().isRedoAvailable():
            for later in [one for one in self._ranges_at if one > steps]:
                del self._ranges_at[later]

    def _on_moved(self) -> None:
        what = tr("Tinted text was written by the model; it loses its tint where you change it.")
        here = tr("The model wrote this.")
        way_out = tr("Escape, then Tab, leaves the page.") if self.is_code else ""
        told = (here if self.is_in_run else "", what if self._ranges else "", way_out)
        self.setAccessibleDescription(" ".join(part for part in told if part))
        self.moved.emit()

    # How it looks.

    @property
    def _last(self) -> int:
        return self.document().characterCount() - 1

    @property
    def _is_end_seen(self) -> bool:
        """Whether the reader is where the continuation grows."""
        if self._run is None:
            return False
        room = self.viewport().rect().adjusted(0, -self._theme.px(40), 0, self._theme.px(40))
        return room.intersects(self.cursorRect(self._run))

    def _show_place(self, cursor: QTextCursor) -> None:
        """Scrolls no further than needed to see a place."""
        rect, bar = self.cursorRect(cursor), self.verticalScrollBar()
        below = rect.bottom() + self._theme.px(12) - self.viewport().height()
        if below > 0:
            bar.setValue(bar.value() + below)

    def _place_cursor(self, unit: int) -> None:
        cursor = self.textCursor()
        cursor.setPosition(min(max(0, unit), self._last))
        self.setTextCursor(cursor)
        self.ensureCursorVisible()

    def _dress(self) -> None:
        font: QFont = self._theme.code_font(CODE_PX + 0.5) if self.is_code else self._theme.font(TEXT_PX)
        set_text_font(self, font)
        self.document().setDefaultFont(font)
        self.setTabStopDistance(4 * self.fontMetrics().horizontalAdvance(" "))
        self._colours.look_soon()
        self._arrange()
        self._tint()

    def _arrange(self) -> None:
        px, room = self._theme.px, self.width()
        measure = min(px(CODE_MEASURE_PX if self.is_code else MEASURE_PX), room - 2 * px(EDGE_PX))
        side = max(0, (room - measure) // 2)
        bar = self.verticalScrollBar().sizeHint().width()
        self.setViewportMargins(side, px(ABOVE_PX), max(0, side - bar), 0)

    def _tint(self) -> None:
        """Only what can be seen is tinted: a long page costs as much as a short one."""
        room = self.viewport().rect()
        first = self.cursorForPosition(QPoint(0, 0)).position()
        last = self.cursorForPosition(QPoint(room.width(), room.height())).position()
        selections = []
        for start, end in self._ranges:
            if start > last or end < first:
                continue
            selection = QTextEdit.ExtraSelection()
            cursor = QTextCursor(self.document())
            cursor.setPosition(min(max(start, first), self._last))
            cursor.setPosition(min(end, last + 1, self._last), QTextCursor.MoveMode.KeepAnchor)
            selection.cursor = cursor
            selection.format.setBackground(QColor(self._theme.tokens.written))
            selections.append(selection)
        self.setExtraSelections(selections)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._arrange()
        self._tint()
        self._colours.look_soon()

    def wheelEvent(self, event: QWheelEvent) -> None:
        if event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            event.ignore()  # Qt would change the size of the letters
        else:
            super().wheelEvent(event)

    def viewportEvent(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            place = self.cursorForPosition(event.pos()).position()
            words = tr("Written by the model. Where you change it, the tint goes.")
            is_there = range_at(self._ranges, place) is not None
            QToolTip.showText(event.globalPos(), words if is_there else "", self)
            return True
        return super().viewportEvent(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        if self._reads_from is None or self._reads_from > self._last:
            return
        place = QTextCursor(self.document())
        place.setPosition(self._reads_from)
        y = self.cursorRect(place).top() - self._theme.px(8)
        if not -2 < y < self.viewport().height():
            return
        tokens, px = self._theme.tokens, self._theme.px
        painter = QPainter(self.viewport())
        painter.setPen(QPen(QColor(tokens.outline), 1, Qt.PenStyle.DashLine))
        painter.drawLine(0, y, self.viewport().width(), y)
        painter.setFont(self._theme.font(11.5, 500))
        words = tr("The model reads from here")
        width = painter.fontMetrics().horizontalAdvance(words) + px(12)
        x = 0 if self.isRightToLeft() else self.viewport().width() - width
        box = QRect(x, y - painter.fontMetrics().height() // 2, width, painter.fontMetrics().height())
        painter.fillRect(box, QColor(tokens.background))
        painter.setPen(QColor(tokens.muted))
        painter.drawText(box, Qt.AlignmentFlag.AlignCenter, words)


def _common(one: str, other: str) -> int:
    """How many characters both begin with; of a million without looking at each."""
    low, high = 0, min(len(one), len(other))
    while low < high:
        middle = (low + high + 1) // 2
        if one.startswith(other[:middle]):
            low = middle
        else:
            high = middle - 1
    return low
