"""The composer's thinking control: on and off, or the effort."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtGui import QAction, QActionGroup

from app.ui.i18n import tr
from app.ui.icons import icon
from app.ui.screen_reader import read_as
from app.ui.shared_labels import THINKING
from app.ui.theme import Theme
from app.ui.widgets.buttons import OptionChip
from app.ui.widgets.menus import Menu, new_menu

THINKING_ON = "Thinking on"
THINKING_OFF = "Turn thinking off"
THINKING_TIME = "Thinking time"
THINKING_MEDIUM = "Thinking: medium"
SHORT = "Short"
MEDIUM = "Medium"
LONG = "Long"


class ThinkingChoice(OptionChip):
    """Chip of thinking that is on, or of its effort; hidden if the model offers no choice."""

    chosen = Signal(str)
    """A value was chosen: on, off, low, medium or high."""

    def __init__(self, theme: Theme) -> None:
        super().__init__(
            theme, "thinking_choice", "brain", about=self._explain, off=tr(THINKING_OFF), words=self._label, most_px=180
        )
        self._kind = "none"
        self.value = ""
        """The current value: on, off, low, medium or high; "" without a choice."""
        self.pressed.connect(self._on_pressed)
        self.removed.connect(lambda: self.chosen.emit("off"))

    def show_choice(self, kind: str, value: str) -> None:
        """Show a kind of choice, "switch" (on or off), "effort" (low, medium, high) or "none", and its value."""
        self._kind, self.value = kind, value
        read_as(self.button, has_menu=kind == "effort")
        # An effort can be chosen, not left out.
        self.cross.setVisible(kind == "switch")
        self.show_name(value if kind != "none" and value != "off" else "")

    def add_to_menu(self, menu: Menu) -> None:
        """Add the switch, or the choice of efforts, if the model offers one."""
        if self._kind == "switch":
            is_on = self.value == "on"
            other = "off" if is_on else "on"
            self.add_switch(menu, tr(THINKING), is_on=is_on, on_choice=lambda: self.chosen.emit(other))
        elif self._kind == "effort":
            self.fill_menu(menu.add_submenu(tr(THINKING_TIME), icon("brain", self._theme.tokens.muted)))

    def fill_menu(self, menu: Menu) -> Menu:
        """Add the efforts, the current one checked. Return the menu."""
        group = QActionGroup(menu)
        for value, word in efforts().items():
            action = QAction(word, group, checkable=True, checked=value == self.value)
            action.triggered.connect(lambda _=False, value=value: self.chosen.emit(value))
            menu.addAction(action)
        return menu

    def _on_pressed(self) -> None:
        if self._kind == "switch":
            self.chosen.emit("off")
        else:
            self.fill_menu(new_menu(self, "effort_menu", tr(THINKING_TIME))).popup_at(self)

    def _label(self, value: str) -> str:
        return tr(THINKING) if value == "on" else _with_effort().get(value, "")

    def _explain(self, value: str) -> str:
        return tr(THINKING_ON) if value == "on" else self._label(value)


def efforts() -> dict[str, str]:
    """Return the names of the thinking efforts by value."""
    return {"low": tr(SHORT), "medium": tr(MEDIUM), "high": tr(LONG)}


def _with_effort() -> dict[str, str]:
    return {"low": tr("Thinking: short"), "medium": tr(THINKING_MEDIUM), "high": tr("Thinking: long")}
