"""Menus that are made for one opening."""

from __future__ import annotations

from PySide6.QtWidgets import QMenu, QWidget


def new_menu(parent: QWidget, name: str, accessible_name: str) -> QMenu:
    """Return a menu that is deleted once it is closed."""
    menu = QMenu(parent)
    menu.setObjectName(name)
    menu.setAccessibleName(accessible_name)
    # By the event loop, after the entry that closed the menu has run.
    menu.aboutToHide.connect(menu.deleteLater)
    return menu
