"""The composer's thinking control: on and off, or the effort."""

from __future__ import annotations

from PySide6.QtCore import QPoint, Signal
from PySide6.QtGui import (
    QAction,
    QActionGroup,
)
from PySide6.QtWidgets import (
    QPushButton,
    QWidget,
)

from app.ui.i18n import tr
from app.ui.theme import Theme
from app.ui.widgets.buttons import set_mark, text_button
from app.ui.widgets.menus import Menu

THINKING_ON = "Thinking on"
THINKING_OFF = "Thinking off"
THINKING_MEDIUM = "Thinking: medium"
SHORT = "Short"
MEDIUM = "Medium"
LONG = "Long"

ICON_PX = 17


class ThinkingChoice(QWidget):
    """Switch for thinking, or a button with a menu of efforts; hidden if the model offers no choice."""

    chosen = Signal(str)
    """A value was chosen: on, off, low, medium or high."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._kind = "none"
        self.value = ""
        """The current value: on, off, low, medium or high; "" without a choice."""
        self.words_px = 0
        """Width of the label in addition to the icon."""
        self.has_words = True
        self.button: QPushButton = text_button("", "quiet", self, on_click=self._on_clicked, name="thinking_choice")
        theme.dress(self.button, font="control")
        theme.changed.connect(self._update)
        self._update()

    def show_choice(self, kind: str, value: str) -> None:
        """Show a kind of choice, "switch" (on or off), "effort" (low, medium, high) or "none", and its value."""
        self._kind, self.value = kind, value
        self._update()

    def show_words(self, has_words: bool) -> None:
        """Show or hide the label next to the icon."""
        if has_words != self.has_words:
            self.has_words = has_words
            self._update()

    def menu(self) -> Menu:
        """Return the menu of efforts with the current one checked."""
        menu = Menu(self)
        menu.setAccessibleName(tr("Thinking time"))
        group = QActionGroup(menu)
        for value, word in efforts().items():
            action = QAction(word, group, checkable=True, checked=value == self.value)
            action.triggered.connect(lambda _=False, value=value: self.chosen.emit(value))
            menu.addAction(action)
        return menu

    def _on_clicked(self) -> None:
        if self._kind == "switch":
            self.chosen.emit("off" if self.value == "on" else "on")
            return
        menu = self.menu()
        menu.aboutToHide.connect(menu.deleteLater)
        menu.popup(self.button.mapToGlobal(QPoint(0, -menu.sizeHint().height())))

    def _update(self) -> None:
        is_switch = self._kind == "switch"
        words = {"on": tr(THINKING_ON), "off": tr(THINKING_OFF)} if is_switch else _with_effort()
        about = tr("Let the model think before it answers") if is_switch else tr("Thinking time")
        said = words.get(self.value, "")
        self.button.setAccessibleName(said)
        self.button.setAccessibleDescription(about)
        self.button.setToolTip(about if self.has_words else f"{said}. {about}")
        glyph = ("brain", "muted" if self.value == "off" else "text", ICON_PX)
        self._theme.dress(self.button, glyph=glyph, glyph_size=(ICON_PX + 4, ICON_PX))
        set_mark(self.button, "on", self.value != "off")
        # Measured with and without words, since the row has room for one or the other.
        self.button.setText("")
        without_words = self.button.sizeHint().width()
        self.button.setText(said)
        self.words_px = self.button.sizeHint().width() - without_words if self._kind != "none" else 0
        self.button.setText(said if self.has_words else "")
        self.button.setFixedSize(self.button.sizeHint())
        self.setFixedSize(self.button.size())
        self.setVisible(self._kind != "none")


def efforts() -> dict[str, str]:
    """Return the names of the thinking efforts by value."""
    return {"low": tr(SHORT), "medium": tr(MEDIUM), "high": tr(LONG)}


def _with_effort() -> dict[str, str]:
    return {"low": tr("Thinking: short"), "medium": tr(THINKING_MEDIUM), "high": tr("Thinking: long")}
