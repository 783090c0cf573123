"""Asks for the password of a document."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QDialog, QHBoxLayout, QLabel, QLineEdit, QVBoxLayout, QWidget

from app.ui.chat.document_words import short_name
from app.ui.i18n import tr
from app.ui.theme import Theme
from app.ui.widgets.buttons import text_button

WIDTH_PX = 440


class PasswordDialog(QDialog):
    """`given` carries the password; closed otherwise, the document is not attached."""

    given = Signal(str)

    def __init__(self, theme: Theme, name: str, *, is_wrong: bool, parent: QWidget) -> None:
        super().__init__(parent)
        px, name = theme.px, short_name(name)
        self.setObjectName("password_dialog")
        self.setWindowTitle(tr("Password"))
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setFixedWidth(px(WIDTH_PX))
        title = QLabel(tr("{name} needs a password.", name=name), textFormat=Qt.TextFormat.PlainText, wordWrap=True)
        title.setFont(theme.font(15, 600))
        words = tr("Wrong password for {name}. Try again.", name=name) if is_wrong else tr("It is not stored anywhere.")
        self.words = QLabel(words, textFormat=Qt.TextFormat.PlainText, wordWrap=True)
        self.words.setFont(theme.font(13.5))
        self.words.setProperty("kind", "danger" if is_wrong else "muted")
        self.field = QLineEdit(echoMode=QLineEdit.EchoMode.Password)
        self.field.setFont(theme.font(14))
        self.field.setAccessibleName(tr("Password for {name}", name=name))
        self.field.setAccessibleDescription(words)
        cancel, self.open_button = text_button(tr("Cancel"), "quiet"), text_button(tr("Open document"), "primary")
        self.open_button.setDefault(True)
        self.open_button.setEnabled(False)
        self.field.textChanged.connect(lambda text: self.open_button.setEnabled(bool(text)))
        cancel.clicked.connect(self.reject)
        self.open_button.clicked.connect(self._on_given)
        row = QHBoxLayout()
        row.setSpacing(px(8))
        row.addStretch(1)
        for button in (cancel, self.open_button):
            button.setFont(theme.font(14, 500))
            row.addWidget(button)
        column = QVBoxLayout(self)
        column.setContentsMargins(px(24), px(22), px(24), px(20))
        column.setSpacing(px(10))
        column.addWidget(title)
        column.addWidget(self.words)
        column.addWidget(self.field)
        column.addSpacing(px(6))
        column.addLayout(row)
        self.field.setFocus()

    def _on_given(self) -> None:
        self.given.emit(self.field.text())
        self.accept()
