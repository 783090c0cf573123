"""The page itself: text that a person and a model write in turn, what the model wrote tinted until it is touched."""

from __future__ import annotations

from PySide6.QtCore import QMimeData, QPoint, QRect, Qt, Signal
from PySide6.QtGui import (
    QContextMenuEvent,
    QKeyEvent,
    QKeySequence,
    QPaintEvent,
    QResizeEvent,
    QTextCharFormat,
    QWheelEvent,
)
from PySide6.QtWidgets import QMenu, QWidget
from shiboken6 import isValid

from app.core.visible import clean_text
from app.ui.i18n import tr
from app.ui.theme import Theme
from app.ui.widgets.fields import PlainEdit
from app.ui.write.colours import LiveColours
from app.ui.write.indent import CodeKeys, unit_of
from app.ui.write.page_document import PageDocument, PageState, range_at, units_of
from app.ui.write.page_look import Letters, ReadingLine, Tint

KEYS = Qt.Key
RETURNS = (KEYS.Key_Return, KEYS.Key_Enter)


class PageEdit(PlainEdit):
    """Shows one page after another; the language decides whether it looks as code, and has its keys."""

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
        self.is_code = False
        self.page = PageDocument(PageState(), self.document(), self)
        self.code_keys = CodeKeys(self)
        self.reading_line = ReadingLine(self, theme)
        self.colours = LiveColours(self, theme)
        self._letters = Letters(self, theme)
        self._tint = Tint(self, theme, self.page)
        self._show_page(self.page)
        self.cursorPositionChanged.connect(self._on_moved)
        theme.changed.connect(self._dress)
        self._dress()

    # What is in it.

    @property
    def text(self) -> str:
        return self.page.text

    @property
    def state(self) -> PageState:
        return self.page.state_at(self.textCursor().position())

    def show_state(self, state: PageState, before: PageState | None = None) -> None:
        """Another page. All that can be taken back in it is its last change, to how it was `before`."""
        self._show_page(PageDocument(before or state, self.document(), self))
        self.code_keys.unit = unit_of(state.text)
        self.reading_line.show_at(None)
        if before is not None:
            self._place_cursor(units_of(before.text, [before.cursor])[0])
            self.page.rewrite(state)
        self._place_cursor(units_of(state.text, [state.cursor])[0])
        self._tint.look()
        self.edited.emit()
        self.shown.emit()

    def _show_page(self, page: PageDocument) -> None:
        """In a document of its own, which Qt lays out bit by bit: what is put into one that is seen it does at once."""
        before, self.page = self.document(), page
        self.setDocument(page)
        page.follow_changes()
        self._tint.follow(page)
        self.colours.follow(page)
        page.edited.connect(self.edited)
        page.touched.connect(self.touched)
        if isValid(before) and before.parent() is self:  # Qt's own first one goes by itself
            before.deleteLater()

    def show_language(self, language: str, *, is_code: bool) -> None:
        """By Pygments' name, "" for prose."""
        self.is_code = self.code_keys.is_on = is_code
        self.is_prose = not is_code
        self.setTabChangesFocus(not is_code)
        self.colours.show_language(language)
        self._letters.show_code(is_code)
        self._dress()

    # What the model writes.

    def leave_selection(self) -> None:
        """The cursor stands behind what was selected: there it goes on."""
        cursor = self.textCursor()
        if cursor.hasSelection():
            self._place_cursor(cursor.selectionEnd())

    def begin_run(self, instead_of: tuple[int, int] | None = None) -> None:
        """A continuation begins at the cursor, or in the place of an earlier one, whose units are given."""
        place = self.textCursor().position()
        self.page.begin_run(*(instead_of or (place, place)))
        if instead_of is None:
            self._place_cursor(place)

    def grow_run(self, text: str) -> None:
        """More of it; where a person sees its end, the page goes along."""
        run, text = self.page.run, clean_text(text.replace("\r", ""))
        if run is None or not text:
            return
        room = self.viewport().rect().adjusted(0, -self._theme.px(40), 0, self._theme.px(40))
        is_seen = room.intersects(self.cursorRect(run))
        self.page.grow_run(text)
        if is_seen:
            self._show_place(self.cursorRect(run))

    # Taking back.

    def undo_last(self) -> None:
        if self.page.isUndoAvailable():
            self.page.step(self.undo)

    def redo_last(self) -> None:
        if self.page.isRedoAvailable():
            self.page.step(self.redo)

    # Keys.

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if self.is_composing or not (self._takes(event) or self.code_keys.takes(event)):
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
        elif key == KEYS.Key_Escape:
            self.code_keys.may_leave = True
            self.cancelled.emit()
        elif key in RETURNS and modifiers & Qt.KeyboardModifier.ControlModifier:
            self.continue_wanted.emit()
        elif key in RETURNS and not self.is_code:
            self.textCursor().insertBlock()
            self.ensureCursorVisible()
        else:
            return False
        return True

    def focusNextPrevChild(self, is_next: bool) -> bool:
        return False if self.code_keys.keeps_tab else self.window().focusNextPrevChild(is_next)

    def insertFromMimeData(self, source: QMimeData) -> None:
        text = source.text().replace("\r\n", "\n").replace("\r", "\n").replace("\u2028", "\n")
        self.textCursor().insertText(clean_text(text), QTextCharFormat())
        self.ensureCursorVisible()

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        menu = self.menu_at(event.pos())
        self.menu_wanted.emit(menu, event.pos())
        menu.popup(event.globalPos())

    def menu_at(self, place: QPoint) -> QMenu:
        """Qt's own menu, in which Undo and Redo are this class's."""
        menu: QMenu = self.createStandardContextMenu(place)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        document = self.page
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

    # How it looks.

    def _on_moved(self) -> None:
        what = tr("Tinted text was written by the model; it loses its tint where you change it.")
        here = tr("The model wrote this.")
        way_out = tr("Escape, then Tab, leaves the page.") if self.is_code else ""
        ranges = self.page.ranges
        is_there = range_at(ranges, self.textCursor().position()) is not None
        told = (here if is_there else "", what if ranges else "", way_out)
        self.describe("page", " ".join(part for part in told if part))
        self.moved.emit()

    def _show_place(self, rect: QRect) -> None:
        """Scrolls no further than needed to see it."""
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
        self._letters.dress()
        self.colours.look_soon()
        self._tint.look()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._letters.arrange()
        self._tint.look()
        self.colours.look_soon()

    def wheelEvent(self, event: QWheelEvent) -> None:
        if event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            event.ignore()  # Qt would change the size of the letters
        else:
            super().wheelEvent(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        self.reading_line.paint()
