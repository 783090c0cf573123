"""Menus with the shadow of everything that floats, and those made for one opening."""

from __future__ import annotations

from PySide6.QtCore import QPoint
from PySide6.QtGui import QIcon
from PySide6.QtWidgets import QMenu, QWidget

from app.ui.widgets.elevation import elevate


class Menu(QMenu):
    """Menu as used everywhere."""

    def __init__(self, parent: QWidget | None = None, title: str = "") -> None:
        super().__init__(title, parent)
        elevate(self)

    def add_submenu(self, title: str, glyph: QIcon | None = None) -> Menu:
        """Add an entry that opens a menu of its own."""
        inside = Menu(self, title)
        if glyph is not None:
            inside.setIcon(glyph)
        self.addMenu(inside)
        return inside


def new_menu(parent: QWidget, name: str, accessible_name: str) -> Menu:
    """Return a menu that is deleted once it is closed."""
    menu = Menu(parent)
    menu.setObjectName(name)
    menu.setAccessibleName(accessible_name)
    # By the event loop, after the entry that closed the menu has run.
    menu.aboutToHide.connect(menu.deleteLater)
    return menu


def popup_at(button: QWidget, menu: QMenu) -> None:
    """Open a menu below a button, or above it if the window ends there; aligned to its leading edge."""
    size, window = menu.sizeHint(), button.window()
    below = button.mapTo(window, QPoint(0, button.height())).y() + size.height()
    x = button.width() - size.width() if button.isRightToLeft() else 0
    menu.popup(button.mapToGlobal(QPoint(x, button.height() if below <= window.height() else -size.height())))
