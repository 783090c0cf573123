"""The tabs at the top of the window: what it can do, one of which is open, or none."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QWidget

from app.ui.i18n import tr
from app.ui.shortcuts import keys_of
from app.ui.theme import Theme
from app.ui.widgets.buttons import text_button

CHAT, SUMMARIZE = "chat", "summarize"


class Tabs(QWidget):
    """Says which tab is wanted; what is shown is `Views`' business, which marks it."""

    chosen = Signal(str)

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._row = QHBoxLayout(self)
        self._row.setContentsMargins(0, 0, 0, 0)
        self._buttons: dict[str, QPushButton] = {}
        for name, words in ((CHAT, tr("Chat")), (SUMMARIZE, tr("Summarize"))):
            button = text_button(words, "tab")
            button.setObjectName(f"tab_{name}")
            button.setCheckable(True)
            button.setToolTip(keys_of(f"tab_{name}"))
            button.clicked.connect(lambda _=False, name=name: self.chosen.emit(name))
            self._buttons[name] = button
            self._row.addWidget(button)
        theme.changed.connect(self._on_theme_changed)
        self._on_theme_changed()

    def mark(self, name: str) -> None:
        """Shows which one is open; "" none."""
        for known, button in self._buttons.items():
            button.setChecked(known == name)

    def _on_theme_changed(self) -> None:
        self._row.setSpacing(self._theme.px(6))
        for button in self._buttons.values():
            button.setFont(self._theme.font(14, 600))
