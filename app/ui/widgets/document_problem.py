"""What stands in place of a page that cannot be shown."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QVBoxLayout, QWidget

from app.ui.shell.i18n import tr
from app.ui.theme import Theme
from app.ui.widgets.buttons import text_button


class DocumentProblem(QWidget):
    """Why a page is not shown, and the way out."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self.sentence = QLabel(textFormat=Qt.TextFormat.PlainText, wordWrap=True)
        self.sentence.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.text_button = text_button(tr("Show the text"))
        self._column = QVBoxLayout(self)
        self._column.addStretch(1)
        self._column.addWidget(self.sentence)
        self._column.addWidget(self.text_button, 0, Qt.AlignmentFlag.AlignHCenter)
        self._column.addStretch(2)
        theme.changed.connect(self._on_theme_changed)
        self._on_theme_changed()

    def show_sentence(self, text: str) -> None:
        """What happened."""
        self.sentence.setText(text)
        self.sentence.setAccessibleName(text)

    def _on_theme_changed(self) -> None:
        px = self._theme.px
        self._column.setContentsMargins(px(24), px(24), px(24), px(24))
        self._column.setSpacing(px(12))
        self.sentence.setFont(self._theme.font(14))
