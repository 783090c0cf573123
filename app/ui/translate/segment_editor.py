"""Editor of a translation in its row, with the marks of its source as chips."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from PySide6.QtCore import QEvent, QMimeData, Qt
from PySide6.QtGui import QKeyEvent, QTextCharFormat, QTextCursor, QTextOption
from PySide6.QtWidgets import QApplication, QFrame, QTextEdit, QVBoxLayout, QWidget

from app.documents.segments import Content, marks
from app.features.translate.marking import same_marks
from app.ui.i18n import tr
from app.ui.locale_formats import join_list
from app.ui.screen_reader import read_as
from app.ui.shared_labels import TRANSLATION
from app.ui.text.formats import block_format, char_format, selected_text
from app.ui.text.keyboard_walk import ENTER
from app.ui.theme import Theme
from app.ui.translate.mark_chips import CHARACTER, CHIP_TYPE, MarkChips, chip, content_in
from app.ui.translate.missing_marks import labels, missing, put_back
from app.ui.translate.segment_layout import as_lines
from app.ui.widgets.buttons import set_mark, text_button
from app.ui.widgets.labels import plain_label, tell_problem
from app.ui.widgets.layouts import FoldingRow, fill_layout

MISSING_MARKS = "Missing: {marks}"

LINE_PERCENT = 145.0
EDGE_PX = 22
"""Same as the cells' edge, so that words don't move when editing starts."""
BORDER_PX = 2
"""Frame width set in the style sheet."""


class MarkedText(QTextEdit):
    """Editor in which each mark is one character. `left` carries the key that ended editing."""

    def __init__(self, theme: Theme, source: Content, *, is_rtl: bool, end: Callable[[QKeyEvent], object]) -> None:
        super().__init__()
        self.end = end
        self._theme, self._marks_by_key = theme, {mark.key: mark for mark in marks(source)}
        self._labels = labels(source)
        self.setObjectName("row_text")
        self.setProperty("kind", "bare")
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setAcceptRichText(False)
        self.setAcceptDrops(False)
        self.setTabChangesFocus(True)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.viewport().setAutoFillBackground(False)
        self.document().setDocumentMargin(0)
        # Kept in an attribute: the document's layout doesn't own its handlers.
        self._chips = MarkChips(theme, self.document())
        self.document().documentLayout().registerHandler(CHIP_TYPE, self._chips)
        option = QTextOption()
        option.setTextDirection(Qt.LayoutDirection.RightToLeft if is_rtl else Qt.LayoutDirection.LeftToRight)
        option.setWrapMode(QTextOption.WrapMode.WrapAtWordBoundaryOrAnywhere)
        self.document().setDefaultTextOption(option)

    @property
    def content(self) -> Content:
        return content_in(self.document(), self._marks_by_key)

    def load(self, content: Content) -> None:
        """Load a content and clear the undo history, so that Undo ends there."""
        self.setUndoRedoEnabled(False)
        self.clear()
        self.document().setDefaultFont(self._theme.font("body"))
        self._write(QTextCursor(self.document()), content)
        self.setUndoRedoEnabled(True)
        self.moveCursor(QTextCursor.MoveOperation.End)

    def replace(self, content: Content) -> None:
        """Replace the whole content as one step of undo."""
        cursor = self.textCursor()
        cursor.select(QTextCursor.SelectionType.Document)
        self._write(cursor, content)

    def insert(self, words: str) -> None:
        self.textCursor().insertText(words, self._plain())

    def _write(self, cursor: QTextCursor, content: Content) -> None:
        base = self._plain()
        cursor.beginEditBlock()
        cursor.removeSelectedText()
        cursor.setBlockFormat(block_format(LINE_PERCENT))
        for part in content:
            if isinstance(part, str):
                cursor.insertText(as_lines(part), base)
            else:
                cursor.insertText(CHARACTER, chip(part, self._labels.get(part.key, "?"), base))
        cursor.endEditBlock()
        # What is typed next has the text's format, not that of a chip.
        self.setCurrentCharFormat(base)

    def _plain(self) -> QTextCharFormat:
        return char_format(self._theme.font("body"), self._theme.tokens.text)

    def insertFromMimeData(self, source: QMimeData) -> None:
        # A segment is one paragraph, and a pasted object character would look like a mark.
        self.textCursor().insertText(" ".join(source.text().replace(CHARACTER, "").split("\n")), self._plain())

    def createMimeDataFromSelection(self) -> QMimeData:
        data = QMimeData()
        data.setText(selected_text(self.textCursor()).replace(CHARACTER, ""))
        return data

    def keyPressEvent(self, event: QKeyEvent) -> None:
        is_shifted = bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
        if event.key() in (Qt.Key.Key_Escape, Qt.Key.Key_F8) or (event.key() in ENTER and not is_shifted):
            self.end(event)
            return
        # Next to a chip, typed text would take the chip's format and become one, too.
        if self.currentCharFormat().objectType() == CHIP_TYPE:
            self.setCurrentCharFormat(self._plain())
        super().keyPressEvent(event)

    def event(self, event: QEvent) -> bool:
        # Claimed before shortcuts of the window get these keys.
        is_override = event.type() == QEvent.Type.ShortcutOverride and isinstance(event, QKeyEvent)
        if is_override and event.key() in (Qt.Key.Key_Escape, Qt.Key.Key_F8, *ENTER):  # type: ignore[attr-defined]
            event.accept()
            return True
        return super().event(event)


class RowEditor(QFrame):
    """Row editor; it only closes with all marks in place, or when cancelled."""

    def __init__(
        self,
        theme: Theme,
        source: Content,
        content: Content,
        *,
        is_rtl: bool,
        give_up: Callable[[], object],
        keep: Callable[[Any, bool], object],
        on_height: Callable[[], object],
    ) -> None:
        super().__init__()
        self.on_height, self.keep = on_height, keep
        """The content, and whether to go to the next flagged segment (Ctrl+Enter, which also accepts)."""
        self.give_up, self._theme, self._source, self._before = give_up, theme, source, content
        self._is_over = False
        self.setObjectName("row_editor_frame")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.text = read_as(MarkedText(theme, source, is_rtl=is_rtl, end=self._on_key))
        self.text.setAccessibleName(tr(TRANSLATION))
        self.text.setAccessibleDescription(self._description())
        self.words = plain_label(wraps=True)
        self.back = text_button(tr("Put marks back"), "plain", on_click=self.put_back, elides=True)
        self.setFocusProxy(self.text)
        foot = QWidget()
        self._foot = fill_layout(FoldingRow(foot), self.words, self.back)
        self._column = fill_layout(QVBoxLayout(self), (self.text, 1), foot)
        side = theme.px(EDGE_PX) - BORDER_PX
        self._column.setContentsMargins(side, theme.px(6), side, theme.px(8))
        theme.dress(self._column, spacing=4)
        theme.dress(self._foot, spacing=8)
        theme.dress(self.words, font="small")
        theme.dress(self.back, font="control")
        self.text.load(content)
        self.text.textChanged.connect(self._on_changed)
        self.text.document().documentLayout().documentSizeChanged.connect(lambda _size: self.on_height())
        self._show_words(is_leaving=False)
        application = QApplication.instance()
        if isinstance(application, QApplication):
            # `focusOutEvent` doesn't say where the focus goes, which decides whether editing ends.
            application.focusChanged.connect(self._on_focus_changed)

    @property
    def content(self) -> Content:
        return self.text.content

    @property
    def is_changed(self) -> bool:
        return self.content != self._before

    @property
    def is_whole(self) -> bool:
        return same_marks(self.content, self._source)

    def height_in(self, width_px: int) -> int:
        """Return the height needed at a width, with frame, margins and the line below."""
        margins = self._column.contentsMargins()
        room = max(1, width_px - margins.left() - margins.right() - 2 * BORDER_PX)
        self.text.document().setTextWidth(room)
        text = round(self.text.document().size().height()) + self._theme.px(4)
        foot = self._foot.heightForWidth(room)
        return text + foot + 2 * BORDER_PX + margins.top() + margins.bottom() + self._column.spacing()

    def end(self) -> None:
        """Silence the editor, which is removed next; nothing is emitted any more."""
        self._is_over = True
        # Losing the focus would emit a result.
        self.blockSignals(True)

    def put_back(self) -> None:
        """Restore missing marks at the end of the text, as a step of undo."""
        self.text.replace(put_back(self._source, self.content))
        self.text.setFocus(Qt.FocusReason.OtherFocusReason)

    def offer(self, words: str) -> None:
        """Append words, selected, for the user to move into place."""
        self.text.moveCursor(QTextCursor.MoveOperation.End)
        self.text.insert(f" {words}")
        self.text.moveCursor(QTextCursor.MoveOperation.End)
        # By cursor steps: positions count UTF-16 units, while letters may be two.
        for _ in words:
            self.text.moveCursor(QTextCursor.MoveOperation.PreviousCharacter, QTextCursor.MoveMode.KeepAnchor)

    def finish_edit(self, *, goes_on: bool = False) -> None:
        """Finish editing if all marks are in place, else show which are missing."""
        if self.is_whole:
            self.keep(self.content, goes_on)
        else:
            self._show_words(is_leaving=True)

    def _on_key(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.give_up()
        else:
            is_plain = event.key() in ENTER and not event.modifiers() & Qt.KeyboardModifier.ControlModifier
            self.finish_edit(goes_on=not is_plain)

    def _on_changed(self) -> None:
        self._show_words(is_leaving=False)
        self.on_height()

    def _on_focus_changed(self, old: QWidget | None, new: QWidget | None) -> None:
        if self._is_over or old is None or new is None or not self.isAncestorOf(old) or self.isAncestorOf(new):
            return
        # A menu, a dialog or another window doesn't end editing.
        if new.window() is self.window():
            self.finish_edit()

    def _show_words(self, *, is_leaving: bool) -> None:
        """Show which marks are missing, or what the keys do; `is_leaving` takes the focus back."""
        is_wrong = not self.is_whole
        words = tr("Ctrl+Enter accepts and moves on · Esc leaves it unchanged")
        if is_wrong:
            gone = missing(self._source, self.content)
            names = labels(self._source)
            words = tr("The formatting marks are in the wrong order.")
            if gone:
                words = tr(MISSING_MARKS, marks="  ".join(names[mark.key] for mark in gone))
        self.words.setText(words)
        set_mark(self.words, "kind", "warning" if is_wrong else "muted")
        self.words.setAccessibleName(words)
        self.back.setVisible(is_wrong)
        tell_problem(self.text, words if is_wrong and is_leaving else "")
        if is_leaving:
            self.text.setFocus(Qt.FocusReason.OtherFocusReason)
            self.on_height()

    def _description(self) -> str:
        names = labels(self._source)
        return tr("Marks: {marks}", marks=join_list(names.values())) if names else ""
