"""A text that is too long for the message field, in a dialog of its own to be changed."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QTextCursor
from PySide6.QtWidgets import QDialog, QPlainTextEdit, QVBoxLayout, QWidget

from app.core.visible import clean_text
from app.ui.i18n import tr, window_title
from app.ui.theme import Theme
from app.ui.widgets.buttons import set_text_font
from app.ui.widgets.dialogs import cancel_or
from app.ui.widgets.layouts import within_screen

SIZE_PX = (720, 520)


class LongText(QDialog):
    """`saved` carries the text as it was changed; closed otherwise, it stays."""

    saved = Signal(str)

    def __init__(self, theme: Theme, text: str, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("long_text")
        self.setWindowTitle(window_title(tr("Pasted text")))
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.edit = QPlainTextEdit(text)  # lays out only what is seen
        self.edit.setAccessibleName(tr("Pasted text"))
        self.edit.setTabChangesFocus(True)
        set_text_font(self.edit, theme.font(14))
        self.edit.moveCursor(QTextCursor.MoveOperation.Start)
        column = QVBoxLayout(self)
        column.setContentsMargins(*(theme.px(16),) * 4)
        column.setSpacing(theme.px(12))
        column.addWidget(self.edit, 1)
        column.addLayout(cancel_or(self, tr("Save")))
        self.accepted.connect(lambda: self.saved.emit(clean_text(self.edit.toPlainText())))
        self.resize(within_screen(self, QSize(theme.px(SIZE_PX[0]), theme.px(SIZE_PX[1]))))
        self.edit.setFocus(Qt.FocusReason.OtherFocusReason)
