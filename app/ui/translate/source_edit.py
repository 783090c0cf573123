"""Editor of a text to translate: plain text, each paragraph in its own direction."""

from __future__ import annotations

from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtGui import QKeyEvent, QTextOption
from PySide6.QtWidgets import QTextEdit, QWidget

from app.core.visible import clean_text
from app.ui.i18n import tr
from app.ui.text.formats import block_format
from app.ui.text.keyboard_walk import ENTER
from app.ui.theme import Theme
from app.ui.widgets.input_fields import PlainEdit

TEXT_TO_TRANSLATE = "Text to translate"
LINE_PERCENT = 140


class SourceEdit(PlainEdit):
    """Source editor: Ctrl+Enter translates at once, Esc stops; dragged files go to the window."""

    wanted = Signal()
    stopped = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("text_source")
        self.setPlaceholderText(tr("Type or paste a text"))
        self.setAccessibleName(tr(TEXT_TO_TRANSLATE))
        follow_each_paragraph(self)
        set_line_height(self)
        theme.dress(self, text=("body", 4))

    @property
    def text(self) -> str:
        """The typed text without NUL characters and lone surrogates."""
        # The store can't keep NUL and lone surrogates.
        return clean_text(self.toPlainText())

    def show_text(self, text: str) -> None:
        """Set another text, such as a stored one, without emitting changes."""
        # It wasn't typed, so nothing is to follow from it.
        with QSignalBlocker(self):
            self.setPlainText(text)
            # setPlainText drops all formats of paragraphs.
            set_line_height(self)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        is_enter = event.key() in ENTER
        # While an input method composes, Enter and Escape are its keys.
        if is_enter and event.modifiers() & Qt.KeyboardModifier.ControlModifier and not self.is_composing:
            self.wanted.emit()
        elif event.key() == Qt.Key.Key_Escape and not self.is_composing:
            self.stopped.emit()
        else:
            super().keyPressEvent(event)


def follow_each_paragraph(edit: QTextEdit) -> None:
    """Detect the text direction of each paragraph by its first letters."""
    option = edit.document().defaultTextOption()
    option.setTextDirection(Qt.LayoutDirection.LayoutDirectionAuto)
    option.setWrapMode(QTextOption.WrapMode.WrapAtWordBoundaryOrAnywhere)
    edit.document().setDefaultTextOption(option)


def set_line_height(edit: QTextEdit) -> None:
    """Set the line height; paragraphs get no extra space."""
    cursor = edit.textCursor()
    cursor.select(cursor.SelectionType.Document)
    cursor.mergeBlockFormat(block_format(LINE_PERCENT))
