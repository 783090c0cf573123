"""The composer's thinking control: on or off, or how much, in words."""

from __future__ import annotations

from PySide6.QtCore import QPoint, QSize, Signal
from PySide6.QtGui import QAction, QActionGroup
from PySide6.QtWidgets import QMenu, QPushButton, QWidget

from app.ui.icons import icon
from app.ui.shell.i18n import tr
from app.ui.theme import Theme
from app.ui.widgets.buttons import set_mark, text_button

ICON_PX = 17


class ThinkingChoice(QWidget):
    """A button that switches, or one that opens a menu of efforts; hidden where there is nothing to choose."""

    chosen = Signal(str)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._kind, self._value = "none", ""
        self.button: QPushButton = text_button("", "quiet", self)
        self.button.setObjectName("thinking_choice")
        self.button.clicked.connect(self._on_clicked)
        theme.changed.connect(self._update)
        self._update()

    @property
    def value(self) -> str:
        """on, off, low, medium or high; empty where there is nothing to choose."""
        return self._value

    def show_choice(self, kind: str, value: str) -> None:
        """Offers what a model can: switch, effort or none."""
        self._kind, self._value = kind, value
        self._update()

    def menu(self) -> QMenu:
        """The efforts, the chosen one marked."""
        menu = QMenu(self)
        menu.setAccessibleName(tr("How long the model thinks"))
        group = QActionGroup(menu)
        for value, word in efforts().items():
            action = QAction(word, group, checkable=True, checked=value == self._value)
            action.triggered.connect(lambda _=False, value=value: self.chosen.emit(value))
            menu.addAction(action)
        return menu

    def _on_clicked(self) -> None:
        if self._kind == "switch":
            self.chosen.emit("off" if self._value == "on" else "on")
            return
        menu = self.menu()
        menu.aboutToHide.connect(menu.deleteLater)
        menu.popup(self.button.mapToGlobal(QPoint(0, -menu.sizeHint().height())))

    def _update(self) -> None:
        is_switch = self._kind == "switch"
        words = {"on": tr("Thinking on"), "off": tr("Thinking off")} if is_switch else _with_effort()
        about = tr("Whether the model thinks before it answers") if is_switch else tr("How long the model thinks")
        tokens, size = self._theme.tokens, self._theme.px(ICON_PX)
        self.button.setText(words.get(self._value, ""))
        self.button.setAccessibleName(self.button.text())
        self.button.setAccessibleDescription(about)
        self.button.setToolTip(about)
        self.button.setIcon(icon("brain", tokens.muted if self._value == "off" else tokens.text, size))
        self.button.setIconSize(QSize(size + self._theme.px(4), size))
        self.button.setFont(self._theme.font(13, 500))
        set_mark(self.button, "on", self._value != "off")
        self.button.setFixedSize(self.button.sizeHint())
        self.setFixedSize(self.button.size())
        self.setVisible(self._kind != "none")


def efforts() -> dict[str, str]:
    """How much a model can think, with the words for it."""
    return {"low": tr("Short"), "medium": tr("Medium"), "high": tr("Long")}


def _with_effort() -> dict[str, str]:
    return {"low": tr("Thinking: short"), "medium": tr("Thinking: medium"), "high": tr("Thinking: long")}
