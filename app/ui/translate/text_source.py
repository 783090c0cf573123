"""Where the text to translate is typed: plain text, each paragraph in its own direction."""

from __future__ import annotations

from PySide6.QtCore import QMimeData, Qt, Signal
from PySide6.QtGui import QDragEnterEvent, QDragMoveEvent, QInputMethodEvent, QKeyEvent, QTextBlockFormat, QTextOption
from PySide6.QtWidgets import QFrame, QTextEdit, QWidget

from app.core.visible import clean_text
from app.ui.shell.i18n import tr
from app.ui.theme import Theme
from app.ui.widgets.buttons import set_text_font

LINE_PERCENT = 140
INSET_PX = 22


class SourceEdit(QTextEdit):
    """Ctrl+Enter translates at once, Esc stops; files that are dragged are the window's."""

    wanted = Signal()
    stopped = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._is_composing = False
        self.setObjectName("text_source")
        self.setProperty("kind", "bare")
        self.setAcceptRichText(False)
        self.setTabChangesFocus(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setPlaceholderText(tr("Type or paste a text"))
        self.setAccessibleName(tr("Text to translate"))
        self.setWordWrapMode(QTextOption.WrapMode.WrapAtWordBoundaryOrAnywhere)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.viewport().setAutoFillBackground(False)
        follow_each_paragraph(self)
        theme.changed.connect(self._on_theme_changed)
        self._on_theme_changed()

    @property
    def text(self) -> str:
        """All of it; without what no text may hold."""
        return clean_text(self.toPlainText())

    def show_text(self, text: str) -> None:
        """Another text, from its beginning on."""
        self.setPlainText(text)
        self._set_lines()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        is_enter = event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter)
        if is_enter and event.modifiers() & Qt.KeyboardModifier.ControlModifier and not self._is_composing:
            self.wanted.emit()
        elif event.key() == Qt.Key.Key_Escape and not self._is_composing:
            self.stopped.emit()
        else:
            super().keyPressEvent(event)

    def inputMethodEvent(self, event: QInputMethodEvent) -> None:
        super().inputMethodEvent(event)
        self._is_composing = bool(event.preeditString())

    def insertFromMimeData(self, source: QMimeData) -> None:
        self.textCursor().insertText(clean_text(source.text()))
        self.ensureCursorVisible()

    def canInsertFromMimeData(self, source: QMimeData) -> bool:
        return source.hasText() and not source.hasUrls()

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if event.mimeData().hasUrls():
            event.ignore()
        else:
            super().dragEnterEvent(event)

    def dragMoveEvent(self, event: QDragMoveEvent) -> None:
        if event.mimeData().hasUrls():
            event.ignore()
        else:
            super().dragMoveEvent(event)

    def _set_lines(self) -> None:
        set_line_height(self)

    def _on_theme_changed(self) -> None:
        set_text_font(self, self._theme.font())
        self.document().setDefaultFont(self._theme.font())
        self.document().setDocumentMargin(self._theme.px(4))
        was_blocked = self.blockSignals(True)  # another height of lines is no other text
        self._set_lines()
        self.blockSignals(was_blocked)


def follow_each_paragraph(edit: QTextEdit) -> None:
    """Each paragraph is laid out in the direction of its first letters."""
    option = edit.document().defaultTextOption()
    option.setTextDirection(Qt.LayoutDirection.LayoutDirectionAuto)
    option.setWrapMode(QTextOption.WrapMode.WrapAtWordBoundaryOrAnywhere)
    edit.document().setDefaultTextOption(option)


def set_line_height(edit: QTextEdit) -> None:
    """Air between the lines, and between the paragraphs none but what is typed."""
    look = QTextBlockFormat()
    look.setLineHeight(LINE_PERCENT, QTextBlockFormat.LineHeightTypes.ProportionalHeight.value)
    cursor = edit.textCursor()
    cursor.select(cursor.SelectionType.Document)
    cursor.mergeBlockFormat(look)
