"""Segments side by side: source and translation in two columns that scroll as one, edited in place."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import QRect, QSize, Qt, Signal
from PySide6.QtGui import (
    QAccessible,
    QAccessibleAnnouncementEvent,
    QColor,
    QContextMenuEvent,
    QFocusEvent,
    QKeyEvent,
    QPainter,
    QPaintEvent,
    QPen,
)
from PySide6.QtWidgets import QApplication, QMenu, QWidget

from app.documents.segments import Content
from app.ui.shell.i18n import tr
from app.ui.theme import Theme
from app.ui.translate.flag_texts import Remedy
from app.ui.translate.side_by_side_editor import ENTER, RowEditor
from app.ui.translate.side_by_side_marks import put_back
from app.ui.translate.side_by_side_model import TARGET, RowSource
from app.ui.translate.side_by_side_rows import Link
from app.ui.translate.side_by_side_selecting import SelectableRows

CONTROL = Qt.KeyboardModifier.ControlModifier


class SideBySide(SelectableRows):
    """Arrows move between rows and their remedies, Enter edits, F8 goes to the next flagged one."""

    edited = Signal(int, object)
    """A segment's id and its new content."""
    accepted = Signal(int)
    next_wanted = Signal(int)
    """The next flagged segment after this one."""
    remedy_wanted = Signal(int, object)
    """A segment's id and the `Link` that was followed."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(theme, parent)
        self.editor: RowEditor | None = None
        self.link_followed.connect(self._follow)
        self.edit_wanted.connect(self.edit_row)
        self._on_theme_changed()

    def show_source(
        self, source: RowSource | None, names: tuple[str, str], rtl: tuple[bool | None, bool | None]
    ) -> None:
        """Other rows, from the top."""
        self.close_editor()
        self.hits = {}
        self.select(None)
        self.painted.chosen = self.painted.hovered = None
        self.laid.rtl = rtl
        self.rows.show_source(source, names)
        self.begin()
        if self.rows.rowCount():
            self.setCurrentIndex(self.rows.index(0, TARGET))

    def height_of(self, row: int) -> int:
        high = super().height_of(row)
        if self.editor is not None and row == self.painted.edited:
            high = max(high, self.editor.height_in(self.columnWidth(TARGET)) + self._theme.px(4))
        return high

    def go_to(self, row: int) -> None:
        """Moves the keyboard's place to a row and brings it into view."""
        if 0 <= row < self.rows.rowCount():
            self.painted.chosen = None
            self.setCurrentIndex(self.rows.index(row, TARGET))
            self.reveal(row)
            self.viewport().update()

    # Editing.

    def edit_row(self, row: int, content: Content | None = None) -> None:
        """Opens the editor of a row's translation; `content` is in it instead of what is there."""
        found = self.rows.row(row)
        if found is None or (self.editor is not None and self.painted.edited == row):
            return
        self.close_editor()
        self.go_to(row)
        source = found.segment.content
        before = found.translated.content if found.translated is not None else source
        editor = RowEditor(self._theme, source, before, is_rtl=bool(self.laid.rtl[TARGET]))
        if content is not None:
            editor.text.replace(content)
        editor.kept.connect(self._on_kept)
        editor.given_up.connect(self._on_given_up)
        editor.height_changed.connect(self.fit)
        self.editor, self.painted.edited = editor, row
        self.setIndexWidget(self.rows.index(row, TARGET), editor)
        editor.setFocus(Qt.FocusReason.OtherFocusReason)
        self.fit()
        self.reveal(row)

    def close_editor(self) -> None:
        """Ends the editing and keeps what was typed; marks that are missing are put back."""
        if self.editor is None:
            return
        editor, row = self.editor, self.painted.edited
        found = self.rows.row(row)
        content = put_back(found.segment.content, editor.content) if found is not None else editor.content
        is_changed = editor.is_changed
        self._end_editing()
        if is_changed:
            self.edited.emit(row + 1, content)

    def _end_editing(self) -> None:
        editor, row = self.editor, self.painted.edited
        self.editor, self.painted.edited = None, -1
        if editor is not None:
            focus = QApplication.focusWidget()
            had_focus = focus is not None and editor.isAncestorOf(focus)
            editor.end()
            self.setIndexWidget(self.rows.index(row, TARGET), None)  # type: ignore[arg-type]
            if had_focus:
                self.setFocus(Qt.FocusReason.OtherFocusReason)
        self.fit()

    def _on_kept(self, content: Content, goes_on: bool) -> None:
        editor, row = self.editor, self.painted.edited
        if editor is None:
            return
        is_changed = editor.is_changed
        self._end_editing()
        if is_changed:
            self.edited.emit(row + 1, content)
        if goes_on:
            self._accept(row)

    def _on_given_up(self) -> None:
        self._end_editing()

    def _accept(self, row: int) -> None:
        self.accepted.emit(row + 1)
        self.next_wanted.emit(row + 1)

    # Keys.

    def keyPressEvent(self, event: QKeyEvent) -> None:
        key, row, last = Qt.Key(event.key()), max(0, self.current), self.rows.rowCount() - 1
        has_control = bool(event.modifiers() & CONTROL)
        side = {Qt.Key.Key_Right: 1, Qt.Key.Key_Left: -1}.get(key, 0)
        page = {Qt.Key.Key_PageDown: 1, Qt.Key.Key_PageUp: -1}.get(key, 0)
        if last < 0:
            event.ignore()
        elif has_control and key == Qt.Key.Key_C:
            self.copy()
        elif has_control and key == Qt.Key.Key_A:
            self.select_row(row)
        elif has_control and key in ENTER:
            self._accept(row)
        elif key in (Qt.Key.Key_Down, Qt.Key.Key_Up) and not has_control:
            self.go_to(min(max(row + (1 if key == Qt.Key.Key_Down else -1), 0), last))
        elif page:
            self._turn(page)
        elif key in (Qt.Key.Key_Home, Qt.Key.Key_End):
            self.go_to(0 if key == Qt.Key.Key_Home else last)
        elif side and not has_control:
            self._choose_link(row, -side if self.isRightToLeft() else side)
        elif key == Qt.Key.Key_F8:
            self.next_wanted.emit(row + 1)
        elif key in (*ENTER, Qt.Key.Key_Space, Qt.Key.Key_F2):
            self._follow_or_edit(row, key)
        elif key == Qt.Key.Key_Escape and self._selection is not None:
            self.select(None)
        else:
            event.ignore()

    def _turn(self, pages: int) -> None:
        """A page on or back, and the keyboard to what is at its top."""
        bar = self.verticalScrollBar()
        before = bar.value()
        bar.setValue(before + pages * (self.viewport().height() - self._theme.px(40)))
        at_end = bar.value() == before
        row = (self.rows.rowCount() - 1 if pages > 0 else 0) if at_end else self._anchor
        self.setCurrentIndex(self.rows.index(row, TARGET))
        self.viewport().update()

    def _choose_link(self, row: int, step: int) -> None:
        links = self.laid.row(row).links
        chosen = self.painted.chosen
        at = links.index(chosen[1]) if chosen is not None and chosen[0] == row and chosen[1] in links else -1
        at = min(at + step, len(links) - 1)
        self.painted.chosen = (row, links[at]) if at >= 0 else None
        self.viewport().update()
        if at >= 0:
            self.say(f"{links[at].told.reason} {links[at].words}")

    def _follow_or_edit(self, row: int, key: Qt.Key) -> None:
        chosen = self.painted.chosen
        if chosen is not None and chosen[0] == row and key != Qt.Key.Key_F2:
            self._follow(row, chosen[1])
        elif key != Qt.Key.Key_Space:
            self.edit_row(row)

    def _follow(self, row: int, link: Link) -> None:
        self.painted.chosen = None
        if link.remedy is Remedy.EDIT:
            self.edit_row(row)
        else:
            self.remedy_wanted.emit(row + 1, link)

    def say(self, text: str) -> None:
        """For screen readers."""
        if QAccessible.isActive():
            QAccessible.updateAccessibility(QAccessibleAnnouncementEvent(self, text))

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        index = self.indexAt(event.pos()) if event.reason() == event.Reason.Mouse else self.currentIndex()
        row = index.row()
        if row < 0:
            return
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.addAction(tr("Copy"), self.copy)
        menu.addAction(tr("Edit"), lambda: self.edit_row(row))
        for link in self.laid.row(row).links:
            if link.remedy is not Remedy.EDIT:
                menu.addAction(link.words, partial(self._follow, row, link))
        menu.popup(event.globalPos())

    # Painting.

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        if self.current < 0 or not self.hasFocus() or self.editor is not None:
            return
        painter = QPainter(self.viewport())
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(QColor(self._theme.tokens.focus), 1))
        px = self._theme.px
        top, high = self.rowViewportPosition(self.current), self.rowHeight(self.current)
        ring = QRect(px(8), top + 1, self.viewport().width() - px(16), high - 2)
        painter.drawRoundedRect(ring, px(8), px(8))
        painter.end()

    def sizeHint(self) -> QSize:
        return self.minimumSize()  # it takes what is left

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        if event.reason() in (Qt.FocusReason.TabFocusReason, Qt.FocusReason.BacktabFocusReason) and self.current >= 0:
            self.reveal(self.current)
        self.viewport().update()
