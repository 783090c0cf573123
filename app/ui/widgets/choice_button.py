"""One of several values as a button that opens a menu of them."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QActionGroup
from PySide6.QtWidgets import QHBoxLayout, QMenu, QWidget

from app.ui.icons import icon
from app.ui.shell.i18n import tr
from app.ui.theme import Theme
from app.ui.widgets.buttons import set_mark, text_button


class ChoiceButton(QWidget):
    """One of several values, chosen in a menu; the first one is what holds when nothing was chosen.

    `shows_change`: the button looks pressed while another one than the first holds.
    """

    changed = Signal(str)

    def __init__(
        self, theme: Theme, name: str, choices: Sequence[tuple[str, str]], *, shows_change: bool = True
    ) -> None:
        super().__init__()
        self._theme, self._name, self._choices = theme, name, choices
        self._shows_change = shows_change
        self.value = choices[0][0]
        self.button = text_button("", "filter", self)
        # The caret belongs behind the words, so the button's two ends are exchanged.
        self.button.setLayoutDirection(Qt.LayoutDirection.RightToLeft)
        self.button.clicked.connect(self.show_menu)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self.button)
        theme.changed.connect(self._on_theme_changed)
        self._on_theme_changed()

    def offer(self, choices: Sequence[tuple[str, str]]) -> None:
        """Other values to choose from; where the one that holds is not among them, the first one does."""
        self._choices = choices
        if self.value not in dict(choices):
            self.value = choices[0][0]
        self._on_theme_changed()

    def show_value(self, value: str) -> None:
        """Takes a value without telling it."""
        self.value = value
        self._on_theme_changed()

    def choose(self, value: str) -> None:
        """Takes another value."""
        if value != self.value:
            self.value = value
            self._on_theme_changed()
            self.changed.emit(value)

    def menu_now(self) -> QMenu:
        """All values, the one that holds ticked."""
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        group = QActionGroup(menu)
        tokens = self._theme.tokens
        for value, word in self._choices:
            action = menu.addAction(tr(word), partial(self.choose, value))
            action.setIcon(icon("check", tokens.accent if value == self.value else "#00000000"))
            action.setCheckable(True)
            action.setChecked(value == self.value)
            group.addAction(action)
        return menu

    def show_menu(self) -> None:
        """Opens it below the button, with the keyboard on what holds."""
        menu = self.menu_now()
        menu.setActiveAction(next(action for action in menu.actions() if action.isChecked()))
        menu.popup(self.mapToGlobal(self.rect().bottomLeft()))

    def _on_theme_changed(self) -> None:
        theme = self._theme
        word = tr(dict(self._choices)[self.value])
        self.button.setText(word)
        self.button.setAccessibleName(f"{self._name}: {word}")
        self.button.setFont(theme.font(13.5, 500))
        set_mark(self.button, "on", self._shows_change and self.value != self._choices[0][0])
        self.button.setIcon(icon("caret-down-bold", theme.tokens.muted))
        self.button.setIconSize(QSize(theme.px(20), theme.px(11)))  # wider than the glyph, which gives it air
