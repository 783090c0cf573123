"""The editor of one translation, in its place in the table: text with chips for marks, and what is missing of them."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QMimeData, Qt, Signal
from PySide6.QtGui import QColor, QKeyEvent, QTextBlockFormat, QTextCharFormat, QTextCursor, QTextOption
from PySide6.QtWidgets import QApplication, QFrame, QHBoxLayout, QLabel, QTextEdit, QVBoxLayout, QWidget

from app.documents.segments import Content, marks
from app.ui.shell.i18n import tr
from app.ui.theme import Theme
from app.ui.translate.marked_text import (
    CHARACTER,
    CHIP_TYPE,
    TEXT_PX,
    Chips,
    chip,
    content_in,
    is_whole,
    labels,
    missing,
    put_back,
)
from app.ui.widgets.buttons import set_mark, text_button

LINE_PERCENT = 145.0
EDGE_PX = 22
"""As that of the cells: the words stay where they are."""
BORDER_PX = 2
"""Of the frame, in the style sheet."""
ENTER = (Qt.Key.Key_Return, Qt.Key.Key_Enter)


class MarkedText(QTextEdit):
    """Text in which each mark is one character. `left` carries a key that ends the editing."""

    ended = Signal(QKeyEvent)

    def __init__(self, theme: Theme, source: Content, *, is_rtl: bool) -> None:
        super().__init__()
        self._theme, self._own = theme, {mark.key: mark for mark in marks(source)}
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
        self._chips = Chips(theme, self.document())
        self.document().documentLayout().registerHandler(CHIP_TYPE, self._chips)
        option = QTextOption()
        option.setTextDirection(Qt.LayoutDirection.RightToLeft if is_rtl else Qt.LayoutDirection.LeftToRight)
        option.setWrapMode(QTextOption.WrapMode.WrapAtWordBoundaryOrAnywhere)
        self.document().setDefaultTextOption(option)

    @property
    def content(self) -> Content:
        """What is there now."""
        return content_in(self.document(), self._own)

    def load(self, content: Content) -> None:
        """Another content; what was done before cannot be undone."""
        self.setUndoRedoEnabled(False)
        self.clear()
        self.document().setDefaultFont(self._theme.font(TEXT_PX))
        self._write(QTextCursor(self.document()), content)
        self.setUndoRedoEnabled(True)
        self.moveCursor(QTextCursor.MoveOperation.End)

    def replace(self, content: Content) -> None:
        """Another content, which can be undone."""
        cursor = self.textCursor()
        cursor.select(QTextCursor.SelectionType.Document)
        self._write(cursor, content)

    def insert(self, words: str) -> None:
        """Writes words where the cursor is."""
        self.textCursor().insertText(words, self._plain())

    def _write(self, cursor: QTextCursor, content: Content) -> None:
        base = self._plain()
        cursor.beginEditBlock()
        cursor.removeSelectedText()
        lines = QTextBlockFormat()
        lines.setLineHeight(LINE_PERCENT, QTextBlockFormat.LineHeightTypes.ProportionalHeight.value)
        cursor.setBlockFormat(lines)
        for part in content:
            if isinstance(part, str):
                cursor.insertText(part.replace("\n", "\u2028"), base)
            else:
                cursor.insertText(CHARACTER, chip(part, self._labels.get(part.key, "?"), base))
        cursor.endEditBlock()
        self.setCurrentCharFormat(base)

    def _plain(self) -> QTextCharFormat:
        look = QTextCharFormat()
        look.setFont(self._theme.font(TEXT_PX))
        look.setForeground(QColor(self._theme.tokens.text))
        return look

    def insertFromMimeData(self, source: QMimeData) -> None:
        self.textCursor().insertText(" ".join(source.text().replace(CHARACTER, "").split("\n")), self._plain())

    def createMimeDataFromSelection(self) -> QMimeData:
        data = QMimeData()
        data.setText(self.textCursor().selectedText().replace(CHARACTER, "").replace("\u2028", "\n"))
        return data

    def keyPressEvent(self, event: QKeyEvent) -> None:
        is_shifted = bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
        if event.key() in (Qt.Key.Key_Escape, Qt.Key.Key_F8) or (event.key() in ENTER and not is_shifted):
            self.ended.emit(event)
            return
        # Beside a chip the cursor would write in the chip's format, and what is typed would be one, too.
        if self.currentCharFormat().objectType() == CHIP_TYPE:
            self.setCurrentCharFormat(self._plain())
        super().keyPressEvent(event)

    def event(self, event: QEvent) -> bool:
        is_override = event.type() == QEvent.Type.ShortcutOverride and isinstance(event, QKeyEvent)
        if is_override and event.key() in (Qt.Key.Key_Escape, Qt.Key.Key_F8, *ENTER):  # type: ignore[attr-defined]
            event.accept()
            return True
        return super().event(event)


class RowEditor(QFrame):
    """Only ends with all marks in their places, or given up."""

    kept = Signal(object, bool)
    """The content, and whether the next flagged one is wanted (Ctrl+Enter: it is accepted, too)."""
    given_up = Signal()
    height_changed = Signal()

    def __init__(self, theme: Theme, source: Content, content: Content, *, is_rtl: bool) -> None:
        super().__init__()
        self._theme, self._source, self._before = theme, source, content
        self._is_over = False
        self.setObjectName("row_editor_frame")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.text = MarkedText(theme, source, is_rtl=is_rtl)
        self.text.setAccessibleName(tr("Translation"))
        self.text.setAccessibleDescription(self._description())
        self.text.ended.connect(self._on_key)
        self.words = QLabel(textFormat=Qt.TextFormat.PlainText, wordWrap=True)
        self.back = text_button(tr("Put them back"), "plain")
        self.back.clicked.connect(self.put_back)
        self.setFocusProxy(self.text)
        self._foot = QHBoxLayout()
        self._foot.addWidget(self.words, 1)
        self._foot.addWidget(self.back, 0, Qt.AlignmentFlag.AlignTop)
        self._column = QVBoxLayout(self)
        self._column.addWidget(self.text, 1)
        self._column.addLayout(self._foot)
        self._fit()
        self.text.load(content)
        self.text.textChanged.connect(self._on_changed)
        self.text.document().documentLayout().documentSizeChanged.connect(lambda _size: self.height_changed.emit())
        self._show_words(is_leaving=False)
        application = QApplication.instance()
        if isinstance(application, QApplication):
            application.focusChanged.connect(self._on_focus_changed)

    @property
    def content(self) -> Content:
        """What is there now."""
        return self.text.content

    @property
    def is_changed(self) -> bool:
        """Whether it is another one than at the beginning."""
        return self.content != self._before

    @property
    def is_whole(self) -> bool:
        """Whether the marks are all there."""
        return is_whole(self._source, self.content)

    def height_in(self, width_px: int) -> int:
        """How high it wants to be in a width."""
        margins = self._column.contentsMargins()
        room = max(1, width_px - margins.left() - margins.right() - 2 * BORDER_PX)
        self.text.document().setTextWidth(room)
        text = round(self.text.document().size().height()) + self._theme.px(4)
        side = self.back.sizeHint().width() + self._foot.spacing() if not self.back.isHidden() else 0
        foot = max(self.words.heightForWidth(max(1, room - side)), self.back.sizeHint().height() if side else 0)
        return text + foot + 2 * BORDER_PX + margins.top() + margins.bottom() + self._column.spacing()

    def end(self) -> None:
        """It is about to go: nothing is told any more, whoever takes the keyboard."""
        self._is_over = True
        self.blockSignals(True)

    def put_back(self) -> None:
        """All marks are there again."""
        self.text.replace(put_back(self._source, self.content))
        self.text.setFocus(Qt.FocusReason.OtherFocusReason)

    def offer(self, words: str) -> None:
        """Puts words at the end, selected: they are to be moved to their place."""
        self.text.moveCursor(QTextCursor.MoveOperation.End)
        self.text.insert(f" {words}")
        self.text.moveCursor(QTextCursor.MoveOperation.End)
        for _ in words:
            self.text.moveCursor(QTextCursor.MoveOperation.PreviousCharacter, QTextCursor.MoveMode.KeepAnchor)

    def keep(self, *, goes_on: bool = False) -> None:
        """Ends with what is there, if that is whole."""
        if self.is_whole:
            self.kept.emit(self.content, goes_on)
        else:
            self._show_words(is_leaving=True)

    def _on_key(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.given_up.emit()
        else:
            is_plain = event.key() in ENTER and not event.modifiers() & Qt.KeyboardModifier.ControlModifier
            self.keep(goes_on=not is_plain)

    def _on_changed(self) -> None:
        self._show_words(is_leaving=False)
        self.height_changed.emit()

    def _on_focus_changed(self, old: QWidget | None, new: QWidget | None) -> None:
        if self._is_over or old is None or new is None or not self.isAncestorOf(old) or self.isAncestorOf(new):
            return
        if new.window() is self.window():
            self.keep()

    def _show_words(self, *, is_leaving: bool) -> None:
        """What is missing, or what the keys do."""
        is_wrong = not self.is_whole
        words = tr("Ctrl+Enter accepts it and goes on · Esc leaves it as it was")
        if is_wrong:
            gone = missing(self._source, self.content)
            names = labels(self._source)
            words = tr("The formatting marks are in the wrong order.")
            if gone:
                words = tr("Missing: {marks}", marks="  ".join(names[mark.key] for mark in gone))
        self.words.setText(words)
        set_mark(self.words, "kind", "warning" if is_wrong else "muted")
        self.words.setAccessibleName(words)
        self.back.setVisible(is_wrong)
        if is_leaving:
            self.text.setFocus(Qt.FocusReason.OtherFocusReason)
            self.height_changed.emit()

    def _description(self) -> str:
        names = labels(self._source)
        return tr("Marks: {marks}", marks=", ".join(names.values())) if names else ""

    def _fit(self) -> None:
        px = self._theme.px
        self._column.setContentsMargins(px(EDGE_PX) - BORDER_PX, px(6), px(EDGE_PX) - BORDER_PX, px(8))
        self._column.setSpacing(px(4))
        self._foot.setSpacing(px(8))
        self.words.setFont(self._theme.font(12.5))
        self.back.setFont(self._theme.font(13, 500))
