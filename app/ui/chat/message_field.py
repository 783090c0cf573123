"""A field for a message that grows with it; a very long paste becomes a chip, so that typing stays quick."""

from __future__ import annotations

from PySide6.QtCore import QMimeData, Qt, Signal
from PySide6.QtGui import (
    QDragEnterEvent,
    QDragMoveEvent,
    QInputMethodEvent,
    QKeyEvent,
    QResizeEvent,
    QTextBlockFormat,
    QTextCursor,
    QTextOption,
)
from PySide6.QtWidgets import QHBoxLayout, QLabel, QTextEdit, QVBoxLayout, QWidget

from app.core.visible import clean_text
from app.ui.shell.i18n import tr
from app.ui.theme import Theme
from app.ui.widgets.buttons import IconButton, set_text_font

MOST_LINES = 8
LINE_PX = 24
LINE_PERCENT = 130
LONG_PASTE = 20_000


class MessageEdit(QTextEdit):
    """Plain text. Enter sends, Shift+Enter breaks the line, and an input method keeps its keys."""

    submitted = Signal()
    cancelled = Signal()
    up_pressed = Signal()
    height_changed = Signal()
    pasted = Signal(str)
    files_pasted = Signal(list)
    """Paths that were copied in a file manager; only where `takes_files` is set."""
    picture_pasted = Signal()
    """A picture without a file, which no message can carry yet."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._is_composing = False
        self.has_cancel = False
        self.takes_files = False
        self._placeholder = ""
        self.setProperty("kind", "bare")
        self.setAcceptRichText(False)
        self.setTabChangesFocus(True)
        self.setFrameShape(QTextEdit.Shape.NoFrame)
        self.setWordWrapMode(QTextOption.WrapMode.WrapAtWordBoundaryOrAnywhere)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.viewport().setAutoFillBackground(False)
        self.document().setDocumentMargin(0)
        self.document().documentLayout().documentSizeChanged.connect(lambda _size: self._fit())
        theme.changed.connect(self._on_theme_changed)
        self._on_theme_changed()

    def set_placeholder(self, text: str) -> None:
        """What stands in the empty field, in one line."""
        self._placeholder = text
        room = self.viewport().width()
        self.setPlaceholderText(self.fontMetrics().elidedText(text, Qt.TextElideMode.ElideRight, room))

    def set_text(self, text: str) -> None:
        """Replaces the text and puts the cursor at its end."""
        self.clear()
        self._set_line_height()
        self.textCursor().insertText(text)
        self.moveCursor(QTextCursor.MoveOperation.End)
        self._fit()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        key, modifiers = event.key(), event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier
        if key in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and not self._is_composing:
            if modifiers == Qt.KeyboardModifier.NoModifier:
                self.submitted.emit()
                return
            if modifiers == Qt.KeyboardModifier.ShiftModifier:
                self.textCursor().insertBlock()
                self.ensureCursorVisible()
                return
        if key == Qt.Key.Key_Up and not modifiers and self.document().isEmpty() and not self._is_composing:
            self.up_pressed.emit()
            return
        if key == Qt.Key.Key_Escape and not self._is_composing and self.has_cancel:
            self.cancelled.emit()
            return
        super().keyPressEvent(event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.set_placeholder(self._placeholder)
        # Growing while being laid out leaves the text at an older width.
        if self.document().textWidth() != self.viewport().width():
            self.document().setTextWidth(self.viewport().width())
            self._fit()

    def inputMethodEvent(self, event: QInputMethodEvent) -> None:
        super().inputMethodEvent(event)
        self._is_composing = bool(event.preeditString())

    def insertFromMimeData(self, source: QMimeData) -> None:
        """Text only; NUL and lone surrogates go, and what is very long is handed on, as files are."""
        files = local_files(source) if self.takes_files else []
        if files:
            self.files_pasted.emit(files)
            return
        text = clean_text(source.text())
        if source.hasImage() and not text.strip():
            self.picture_pasted.emit()
            return
        if len(text) > LONG_PASTE:
            self.pasted.emit(text)
        elif text:
            self.textCursor().insertText(text)
            self.ensureCursorVisible()

    def canInsertFromMimeData(self, source: QMimeData) -> bool:
        has_text = source.hasText() and not source.hasUrls()
        return has_text or source.hasImage() or (self.takes_files and bool(local_files(source)))

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """Files that are dragged are the window's, wherever they are let go."""
        if event.mimeData().hasUrls():
            event.ignore()
        else:
            super().dragEnterEvent(event)

    def dragMoveEvent(self, event: QDragMoveEvent) -> None:
        if event.mimeData().hasUrls():
            event.ignore()
        else:
            super().dragMoveEvent(event)

    def _fit(self) -> None:
        px = self._theme.px
        most = MOST_LINES * px(LINE_PX)
        wanted = min(max(round(self.document().size().height()), px(LINE_PX)), most)
        is_full = self.document().size().height() > most + 1
        self.setVerticalScrollBarPolicy(
            Qt.ScrollBarPolicy.ScrollBarAsNeeded if is_full else Qt.ScrollBarPolicy.ScrollBarAlwaysOff
        )
        if self.minimumHeight() != wanted or self.maximumHeight() != wanted:
            self.setFixedHeight(wanted)
            self.height_changed.emit()

    def _set_line_height(self) -> None:
        look = QTextBlockFormat()
        look.setLineHeight(LINE_PERCENT, QTextBlockFormat.LineHeightTypes.ProportionalHeight.value)
        cursor = self.textCursor()
        cursor.select(QTextCursor.SelectionType.Document)
        cursor.setBlockFormat(look)

    def _on_theme_changed(self) -> None:
        set_text_font(self, self._theme.font())
        self.document().setDefaultFont(self._theme.font())
        self._set_line_height()
        self.set_placeholder(self._placeholder)
        self._fit()


def local_files(data: QMimeData) -> list[str]:
    """The files of this computer that a clipboard or a drop names."""
    return [url.toLocalFile() for url in data.urls() if url.isLocalFile()]


class MessageField(QWidget):
    """The edit with its chips of long pastes; `text` is all of it."""

    changed = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._pastes: list[str] = []
        self.edit = MessageEdit(theme)
        self.edit.pasted.connect(self._on_pasted)
        self.edit.textChanged.connect(self.changed)
        self._chips = QHBoxLayout()
        self._chips.setContentsMargins(0, 0, 0, 0)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.edit)
        column.addLayout(self._chips)
        self.setFocusProxy(self.edit)

    @property
    def text(self) -> str:
        """What was typed and pasted, cleaned."""
        typed = clean_text(self.edit.toPlainText())
        return "\n\n".join(([typed] if typed.strip() else []) + self._pastes)

    def set_text(self, text: str) -> None:
        """Replaces everything; a very long text becomes a chip."""
        self._pastes = [text] if len(text) > LONG_PASTE else []
        self._show_chips()
        self.edit.set_text("" if self._pastes else text)

    def _on_pasted(self, text: str) -> None:
        self._pastes.append(text)
        self._show_chips()
        self.changed.emit()

    def _remove(self, index: int) -> None:
        del self._pastes[index]
        self._show_chips()
        self.edit.setFocus()
        self.changed.emit()

    def _show_chips(self) -> None:
        while (item := self._chips.takeAt(0)) is not None:
            if (chip := item.widget()) is not None:
                chip.hide()
                chip.deleteLater()
        for index, paste in enumerate(self._pastes):
            self._chips.addWidget(self._chip(index, paste))
        if self._pastes:
            self._chips.addStretch(1)
        self.edit.height_changed.emit()

    def _chip(self, index: int, paste: str) -> QWidget:
        chip = QWidget()
        chip.setObjectName("paste_chip")
        chip.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        row = QHBoxLayout(chip)
        px = self._theme.px
        row.setContentsMargins(px(10), px(2), px(4), px(2))
        label = QLabel(tr("Pasted text, {count} characters", count=f"{len(paste):,}"))
        label.setFont(self._theme.font(13))
        remove = IconButton(self._theme, "x", tr("Remove pasted text"), size_px=14)
        remove.clicked.connect(lambda: self._remove(index))
        row.addWidget(label)
        row.addWidget(remove)
        return chip
