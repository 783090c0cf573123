"""Rules for single controls of a reader's tree: where they stand, what they say of themselves, what presses them.

`tests.helpers.accessible_tree` asks them of every node; names, markup and the way of the focus are its own.
"""

from __future__ import annotations

from collections.abc import Iterator

from PySide6.QtCore import QCoreApplication, QEvent, Qt
from PySide6.QtGui import QAccessible, QAccessibleInterface, QKeyEvent
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractSlider,
    QAbstractSpinBox,
    QLineEdit,
    QMenu,
    QPlainTextEdit,
    QProgressBar,
    QPushButton,
    QScrollBar,
    QTextEdit,
    QToolButton,
    QWidget,
)

from app.ui.screen_reader import SPOKEN, ControlInterface

Role = QAccessible.Role
AROUND = {
    Role.PageTab: {Role.PageTabList},
    Role.TreeItem: {Role.Tree},
    Role.Cell: {Role.Table, Role.Tree},
    Role.MenuItem: {Role.PopupMenu, Role.MenuBar},
    Role.ListItem: {Role.List, Role.ComboBox, Role.Document, Role.StaticText, Role.Chart},
}
"""What a node with the role on the left has to be in, at any depth: readers say how many there are. A text says itself
where its lists are."""
ONE_OF_SEVERAL = {Role.RadioButton, Role.PageTab}
"""Roles of a button that goes out when another one is pressed."""
OPENERS = {"caret-down-bold", "dots-three-bold"}
"""Icons of buttons that open a menu; see `tests/ui/test_icon_meanings.py`."""


def control_faults(node: QAccessibleInterface) -> Iterator[str]:
    """Yield what a node says too little or wrongly of its place, its state and its keys."""
    role, state, widget = node.role(), node.state(), node.object()
    if role in AROUND and not _is_in(node, AROUND[role]):
        yield "is in no " + " or ".join(sorted(outer.name for outer in AROUND[role]))
    if not isinstance(widget, QWidget) or widget.visibleRegion().isEmpty():
        return
    if widget.property(SPOKEN) is not None and not isinstance(node, ControlInterface):
        yield "was named before it was given its role, of which nobody is told"
    if widget.isEnabled() == bool(state.disabled):
        yield "is said to be " + ("disabled" if state.disabled else "enabled") + ", and is not"
    if isinstance(widget, QLineEdit | QTextEdit | QPlainTextEdit) and bool(state.readOnly) != widget.isReadOnly():
        yield "doesn't say whether it can be written to"
    has_value = isinstance(widget, QAbstractSlider | QAbstractSpinBox | QProgressBar)
    if has_value and not isinstance(widget, QScrollBar) and node.valueInterface() is None:
        yield "doesn't say its value"
    if isinstance(widget, QAbstractButton) and role != Role.Whitespace:
        yield from _button_faults(node, widget)


def _button_faults(node: QAccessibleInterface, button: QAbstractButton) -> Iterator[str]:
    role, state, group = node.role(), node.state(), button.group()
    if opens_menu(button) and not state.hasPopup:
        yield "doesn't say that it opens a menu"
    if button.isCheckable() and group is not None and group.exclusive() and role not in ONE_OF_SEVERAL:
        yield "is one of several, and doesn't say so"
    if button.isCheckable() and bool(state.checked or state.selected or state.expanded) != button.isChecked():
        yield "is said to be on while it is off, or off while it is on"
    if button.isEnabled() and not _is_pressed_by_space(button):
        yield "isn't pressed by Space"


def _is_in(node: QAccessibleInterface, outer: set[QAccessible.Role]) -> bool:
    around = node.parent()
    while around is not None and around.isValid():
        if around.role() in outer:
            return True
        around = around.parent()
    return False


def opens_menu(button: QAbstractButton) -> bool:
    """Return whether a button opens a menu, by its icon or by the menu that it has."""
    is_given = isinstance(button, QPushButton | QToolButton) and isinstance(button.menu(), QMenu)
    return is_given or button.icon().name() in OPENERS


def _is_pressed_by_space(button: QAbstractButton) -> bool:
    """Press Space and never let it go, so that nothing is done."""
    was_blocked = button.blockSignals(True)
    key = QKeyEvent(QEvent.Type.KeyPress, Qt.Key.Key_Space, Qt.KeyboardModifier.NoModifier, " ")
    QCoreApplication.sendEvent(button, key)
    is_down = button.isDown()
    button.setDown(False)
    button.blockSignals(was_blocked)
    return is_down
