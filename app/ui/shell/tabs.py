"""The tabs at the top of the window: what it can do, one of which is open, or none."""

from __future__ import annotations

from PySide6.QtCore import QSize, Signal
from PySide6.QtGui import QIcon
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QWidget

from app.ui.icons import icon
from app.ui.shell.i18n import tr
from app.ui.shell.shortcuts import keys_of, with_keys
from app.ui.theme import Theme
from app.ui.widgets.buttons import set_mark, text_button

CHAT, SUMMARIZE, TRANSLATE = "chat", "summarize", "translate"
ICON_PX, GAP_PX = 18, 6
PADDING_PX, NARROW_PADDING_PX = 14, 8
"""At either side of a tab, with a name or an icon, as the style sheet has it."""
_ICONS = {CHAT: "chat-circle-text", SUMMARIZE: "article", TRANSLATE: "translate"}


class Tabs(QWidget):
    """Says which tab is wanted; what is shown is `Views`' business, which marks it."""

    chosen = Signal(str)

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._has_names = True
        self._names = {CHAT: tr("Chat"), SUMMARIZE: tr("Summarize"), TRANSLATE: tr("Translate")}
        self._row = QHBoxLayout(self)
        self._row.setContentsMargins(0, 0, 0, 0)
        self._buttons: dict[str, QPushButton] = {}
        for name, words in self._names.items():
            button = text_button(words, "tab")
            button.setObjectName(f"tab_{name}")
            button.setCheckable(True)
            button.clicked.connect(lambda _=False, name=name: self.chosen.emit(name))
            self._buttons[name] = button
            self._row.addWidget(button)
        theme.changed.connect(self._on_theme_changed)
        self._on_theme_changed()

    @property
    def names_px(self) -> int:
        """How wide the tabs are with their names."""
        return self._width_with([button.fontMetrics().horizontalAdvance(self._names[name]) + 1
                                 for name, button in self._buttons.items()])  # fmt: skip

    @property
    def icons_px(self) -> int:
        """How wide they are with icons."""
        return self._width_with([self._theme.px(ICON_PX)] * len(self._buttons), NARROW_PADDING_PX)

    def show_names(self, *, shown: bool) -> None:
        """Names, or icons in their place; both are told to screen readers and as tool tips."""
        if shown != self._has_names:
            self._has_names = shown
            self._on_theme_changed()

    def mark(self, name: str) -> None:
        """Shows which one is open; "" none."""
        for known, button in self._buttons.items():
            button.setChecked(known == name)

    def _width_with(self, contents_px: list[int], padding_px: int = PADDING_PX) -> int:
        around = 2 * self._theme.px(padding_px) + 2
        return sum(width + around for width in contents_px) + self._theme.px(GAP_PX) * (len(contents_px) - 1)

    def _on_theme_changed(self) -> None:
        theme, size = self._theme, self._theme.px(ICON_PX)
        self._row.setSpacing(theme.px(GAP_PX))
        for name, button in self._buttons.items():
            button.setFont(theme.font(14, 600))
            set_mark(button, "narrow", not self._has_names)
            words = self._names[name]
            button.setText(words if self._has_names else "")
            button.setIcon(QIcon() if self._has_names else icon(_ICONS[name], theme.tokens.text))
            button.setIconSize(QSize(size, size))
            button.setToolTip(keys_of(f"tab_{name}") if self._has_names else with_keys(words, f"tab_{name}"))
