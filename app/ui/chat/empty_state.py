"""What a new chat shows: a greeting and a few things to try that the loaded model can really do."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from app.ui.i18n import tr
from app.ui.theme import Theme
from app.ui.widgets.buttons import text_button

STARTER_IDEAS = (
    "Write a short poem about the sea.",
    "Explain what a rainbow is, in three sentences.",
    "Give me five names for a small black cat.",
)
IDEAS = (
    "Explain the difference between weather and climate in plain words.",
    "Write a friendly note that moves our meeting to Thursday.",
    "Write a Python function that finds duplicate files in a folder.",
)


class EmptyState(QWidget):
    """`chosen` carries the idea that was pressed; it fills the composer and is not sent."""

    chosen = Signal(str)
    model_wanted = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._is_starter: bool | None = None
        self._greeting = QLabel(tr("What shall we think about?"), alignment=Qt.AlignmentFlag.AlignCenter)
        self._greeting.setAccessibleName(self._greeting.text())
        self._label = QLabel(alignment=Qt.AlignmentFlag.AlignCenter, wordWrap=True)
        self._label.setProperty("kind", "muted")
        self._ideas = [text_button("", "idea") for _ in STARTER_IDEAS]
        self._open: QPushButton = text_button(tr("Open a model…"), "primary")
        self._open.clicked.connect(self.model_wanted)
        column = QVBoxLayout(self)
        column.addStretch(3)
        column.addWidget(self._greeting)
        column.addWidget(self._label)
        column.addSpacing(theme.px(18))
        for idea in self._ideas:
            idea.clicked.connect(lambda _checked=False, button=idea: self.chosen.emit(button.text()))
            column.addWidget(_centred(idea))
        column.addWidget(_centred(self._open))
        column.addStretch(4)
        column.setSpacing(theme.px(8))
        theme.changed.connect(self._on_theme_changed)
        self._on_theme_changed()
        self.set_model(is_starter=False, is_there=True)

    def set_model(self, *, is_starter: bool, is_there: bool) -> None:
        """Which model is in, for what it can do."""
        self._label.setText(
            tr("Starter: a very small English model, often wrong")
            if is_starter and is_there
            else tr("Everything stays on this computer.")
            if is_there
            else tr("No model is open yet.")
        )
        for button, text in zip(self._ideas, STARTER_IDEAS if is_starter else IDEAS, strict=True):
            button.setText(tr(text))
            button.setAccessibleName(tr(text))
            button.setVisible(is_there)
        self._open.setVisible(not is_there)

    def _on_theme_changed(self) -> None:
        self._greeting.setFont(self._theme.font(24, 600))
        self._label.setFont(self._theme.font(14))
        for idea in self._ideas:
            idea.setFont(self._theme.font(14))
            idea.setMinimumWidth(self._theme.px(420))


def _centred(widget: QWidget) -> QWidget:
    holder = QWidget()
    row = QHBoxLayout(holder)
    row.setContentsMargins(0, 0, 0, 0)
    row.addStretch(1)
    row.addWidget(widget)
    row.addStretch(1)
    return holder
