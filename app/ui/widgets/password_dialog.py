"""Asks for the password of a document."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QLineEdit, QWidget

from app.ui.shell.i18n import tr, window_title
from app.ui.theme import Theme
from app.ui.widgets.document_texts import short_name
from app.ui.widgets.question_dialog import QuestionDialog


class PasswordDialog(QuestionDialog):
    """`given` carries the password; closed otherwise, the document is not attached."""

    given = Signal(str)

    def __init__(self, theme: Theme, name: str, *, is_wrong: bool, parent: QWidget) -> None:
        name = short_name(name)
        words = tr("Wrong password for {name}. Try again.", name=name) if is_wrong else tr("It is not stored anywhere.")
        super().__init__(theme, tr("{name} needs a password.", name=name), words, parent)
        self.setObjectName("password_dialog")
        self.setWindowTitle(window_title(tr("Password")))
        self.words.setProperty("kind", "danger" if is_wrong else "muted")
        self.field = QLineEdit(echoMode=QLineEdit.EchoMode.Password)
        self.field.setFont(theme.font(14))
        self.field.setAccessibleName(tr("Password for {name}", name=name))
        self.field.setAccessibleDescription(words)
        self.fields.addWidget(self.field)
        self.open_button = self.add_choice(tr("Open document"), lambda: self.given.emit(self.field.text()), "primary")
        self.open_button.setEnabled(False)
        self.field.textChanged.connect(lambda text: self.open_button.setEnabled(bool(text)))
        self.field.setFocus()
