"""Icons to choose from, in a small window below a button."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from PySide6.QtCore import QEvent, QObject, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QFrame, QGridLayout, QWidget

from app.ui.i18n import tr
from app.ui.theme import Theme
from app.ui.widgets.buttons import IconButton, set_mark

ICON_PX, ICON_COLUMNS = 20, 8


class IconPopup(QFrame):
    """All icons in rows; arrows move, Return takes one, Escape none."""

    chosen = Signal(str)

    def __init__(self, theme: Theme, icons: Sequence[str], parent: QWidget, *, now: str = "") -> None:
        """Phosphor's names; `now` is the one that is there, in the accent colour."""
        super().__init__(parent, Qt.WindowType.Popup)
        self.setObjectName("icon_popup")
        self.setProperty("kind", "sheet")
        self.setAccessibleName(tr("Choose an icon"))
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._icons = icons
        grid = QGridLayout(self)
        self.buttons = [
            IconButton(theme, name, name.replace("-", " "), size_px=ICON_PX, token="accent" if name == now else "muted")
            for name in icons
        ]
        for place, (name, button) in enumerate(zip(icons, self.buttons, strict=True)):
            set_mark(button, "kind", "icon")
            button.clicked.connect(partial(self._choose, name))
            button.installEventFilter(self)
            grid.addWidget(button, *divmod(place, ICON_COLUMNS))
        theme.dress(grid, margins=(10, 10, 10, 10), spacing=2)

    def show_below(self, button: QWidget) -> None:
        """With the keyboard on the first."""
        self.adjustSize()
        place = button.mapToGlobal(button.rect().bottomLeft())
        if self.isRightToLeft():
            place.setX(button.mapToGlobal(button.rect().bottomRight()).x() - self.width())
        self.move(place)
        self.show()
        self.buttons[0].setFocus(Qt.FocusReason.PopupFocusReason)

    def _choose(self, name: str, _checked: bool = False) -> None:
        self.close()
        self.chosen.emit(name)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """The arrows go through the rows, which a button alone does not know of."""
        if not isinstance(event, QKeyEvent) or event.type() != QEvent.Type.KeyPress:
            return False
        at = next((place for place, one in enumerate(self.buttons) if one is watched), 0)
        sideways = -1 if self.isRightToLeft() else 1
        steps = {
            Qt.Key.Key_Right: sideways,
            Qt.Key.Key_Left: -sideways,
            Qt.Key.Key_Down: ICON_COLUMNS,
            Qt.Key.Key_Up: -ICON_COLUMNS,
        }
        if event.key() in steps:
            self.buttons[(at + steps[Qt.Key(event.key())]) % len(self.buttons)].setFocus()
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self._choose(self._icons[at])
        else:
            return False
        return True
