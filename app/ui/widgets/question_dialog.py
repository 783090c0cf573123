"""One question above the window: a title, a few words, and what can be done."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialog, QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from app.ui.shell.i18n import tr
from app.ui.theme import Theme
from app.ui.widgets.buttons import text_button

WIDTH_PX = 460


class QuestionDialog(QDialog):
    """Closed without a choice, nothing happens; Cancel, or what `no` calls it, is the first button."""

    def __init__(self, theme: Theme, title: str, words: str, parent: QWidget, *, no: str = "") -> None:
        super().__init__(parent)
        self._theme = theme
        px = theme.px
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setFixedWidth(px(WIDTH_PX))
        head = QLabel(title, textFormat=Qt.TextFormat.PlainText, wordWrap=True)
        head.setFont(theme.font(15, 600))
        self.words = QLabel(words, textFormat=Qt.TextFormat.PlainText, wordWrap=True)
        self.words.setFont(theme.font(14))
        self.fields = QHBoxLayout()
        """What else is asked for, between the words and the buttons."""
        self.fields.setSpacing(px(10))
        self._row = QHBoxLayout()
        self._row.setSpacing(px(8))
        self._row.addStretch(1)
        column = QVBoxLayout(self)
        column.setContentsMargins(px(24), px(22), px(24), px(20))
        column.setSpacing(px(10))
        column.addWidget(head)
        column.addWidget(self.words)
        column.addLayout(self.fields)
        column.addSpacing(px(8))
        column.addLayout(self._row)
        self.add_choice(no or tr("Cancel"), None, "quiet")

    def add_choice(self, label: str, do: Callable[[], object] | None, kind: str = "plain") -> QPushButton:
        """A button that closes the dialog and then does something; a primary one is what Enter means."""
        button = text_button(label, kind)
        button.setFont(self._theme.font(14, 500))
        button.clicked.connect(lambda: self._close_with(do))
        self._row.addWidget(button)
        if kind == "primary":
            button.setDefault(True)
            button.setFocus()
        return button

    def _close_with(self, do: Callable[[], object] | None) -> None:
        if do is None:
            self.reject()
            return
        self.accept()
        do()
