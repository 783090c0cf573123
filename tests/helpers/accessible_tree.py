"""Walks what a screen reader sees of a window, and finds names, roles, states and keyboard paths that are missing."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QAccessible, QAccessibleAnnouncementEvent, QAccessibleEvent, QAccessibleInterface
from PySide6.QtWidgets import QAbstractButton, QApplication, QCheckBox, QRadioButton, QWidget

from app.ui.screen_reader import install_interfaces
from app.ui.text.prose import ProseView
from tests.helpers.control_rules import control_faults

Role = QAccessible.Role
MOST_CHILDREN = 200
"""Of one list or table, of which the first rows stand for all."""
NAMED = {
    Role.Button,
    Role.ButtonMenu,
    Role.CheckBox,
    Role.Switch,
    Role.RadioButton,
    Role.PageTab,
    Role.EditableText,
    Role.ComboBox,
    Role.SpinBox,
    Role.Slider,
    Role.List,
    Role.Table,
    Role.Tree,
    Role.Heading,
    Role.Link,
    Role.Graphic,
    Role.Chart,
    Role.ProgressBar,
    Role.Dialog,
    Role.MenuItem,
    Role.ListItem,
}
SAYS_NOTHING = {Role.NoRole, Role.Client, Role.Border, Role.Pane, Role.Whitespace}
_MARKUP = re.compile(r"\*\*\S|`\S[^`]*`|^#{1,6} |\]\(http|<(b|i|p|br|span)\b", re.MULTILINE)


@contextmanager
def screen_reader_on() -> Iterator[None]:
    """Qt believes that a screen reader runs."""
    install_interfaces()
    QAccessible.setActive(True)
    try:
        yield
    finally:
        QAccessible.setActive(False)


def tree_of(widget: QWidget) -> Iterator[QAccessibleInterface]:
    """Every node at and below a widget that is shown, itself first."""
    top = QAccessible.queryAccessibleInterface(widget)
    waiting = [top] if top is not None else []
    while waiting:
        node = waiting.pop()
        if not node.isValid() or node.state().invisible:
            continue
        yield node
        count = min(node.childCount(), MOST_CHILDREN)
        children = [node.child(number) for number in range(count)]
        waiting += [child for child in reversed(children) if child is not None]


def name_of(node: QAccessibleInterface) -> str:
    return str(node.text(QAccessible.Text.Name)).strip()


def description_of(widget: QWidget) -> str:
    """What a reader says of a widget behind its name, such as what is wrong with it."""
    install_interfaces()
    return str(QAccessible.queryAccessibleInterface(widget).text(QAccessible.Text.Description))


def is_busy(widget: QWidget) -> bool:
    """Whether readers are told that what a widget shows is being made."""
    install_interfaces()
    return bool(QAccessible.queryAccessibleInterface(widget).state().busy)


def tree_faults(window: QWidget) -> list[str]:
    """One line for every node that says too little, something wrong, or can't be reached by the keyboard."""
    found = [f"{_where(node)}: {fault}" for node in tree_of(window) for fault in _faults(node)]
    return list(dict.fromkeys(found))


def _faults(node: QAccessibleInterface) -> Iterator[str]:
    role, state, widget = node.role(), node.state(), node.object()
    name = name_of(node)
    is_shown = isinstance(widget, QWidget) and not widget.visibleRegion().isEmpty()
    if state.focusable and role in SAYS_NOTHING and is_shown and _takes_focus(widget):
        yield "takes the focus and has no role"
    needs_name = role in NAMED or (state.focusable and is_shown and _takes_focus(widget))
    # As on the web: readers count the items of a list, and read the paragraphs of a text.
    if not name and needs_name and not (role == Role.List and widget is None) and not isinstance(widget, ProseView):
        yield "has no name"
    if _MARKUP.search(name):
        yield f"speaks markup: {name[:60]!r}"
    yield from control_faults(node)
    if not isinstance(widget, QAbstractButton) or not is_shown or role == Role.Whitespace:
        return
    if role == Role.CheckBox and not isinstance(widget, QCheckBox):
        yield "is called a check box"
    if widget.isCheckable() and not (state.checkable or state.expandable or state.selectable):
        yield "doesn't say whether it is on"
    if isinstance(widget, QRadioButton) and role != Role.RadioButton:
        yield "is no radio button"
    if widget.isEnabled() and node.actionInterface() is None:
        yield "can't be pressed"
    if widget.isEnabled() and not _is_reached(widget):
        yield "is out of the keyboard's reach"


def _takes_focus(widget: object) -> bool:
    return isinstance(widget, QWidget) and widget.isEnabled() and bool(widget.focusPolicy() & Qt.FocusPolicy.TabFocus)


def _is_reached(button: QAbstractButton) -> bool:
    """Tab comes to it, or arrows do, from another one of its group."""
    has_arrows = button.group() is not None or button.autoExclusive()
    return bool(button.focusPolicy() & Qt.FocusPolicy.TabFocus) or has_arrows


def _where(node: QAccessibleInterface) -> str:
    widget = node.object()
    kind = type(widget).__name__ if widget is not None else "part"
    name = widget.objectName() if widget is not None else ""
    return f"{kind}#{name} ({node.role().name}) {name_of(node)[:40]!r}"


@contextmanager
def announcements() -> Iterator[list[str]]:
    """What is announced meanwhile, in its order, while Qt believes that a screen reader runs."""
    heard: list[str] = []
    tell = QAccessible.updateAccessibility

    def listen(event: QAccessibleEvent) -> None:
        if isinstance(event, QAccessibleAnnouncementEvent):
            heard.append(event.message())
        tell(event)

    with screen_reader_on(), pytest.MonkeyPatch.context() as patch:
        patch.setattr(QAccessible, "updateAccessibility", listen)
        yield heard


@contextmanager
def focused_parts() -> Iterator[list[str]]:
    """Names of what the keyboard came to inside the widget that has the focus, such as links, in their order."""
    heard: list[str] = []
    tell = QAccessible.updateAccessibility

    def listen(event: QAccessibleEvent) -> None:
        if event.type() == QAccessible.Event.Focus and event.object() is not QApplication.focusWidget():
            heard.append(name_of(event.accessibleInterface()))
        tell(event)

    with screen_reader_on(), pytest.MonkeyPatch.context() as patch:
        patch.setattr(QAccessible, "updateAccessibility", listen)
        yield heard


@contextmanager
def taken_back() -> Iterator[list[str]]:
    """What readers were told of and can't ask for any more, though its widget is still there."""
    found: list[str] = []
    delete = QAccessible.deleteAccessibleInterface

    def listen(number: int) -> None:
        gone = QAccessible.accessibleInterface(number)
        if gone is not None and isinstance(gone.object(), QWidget):
            found.append(_where(gone))
        delete(number)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(QAccessible, "deleteAccessibleInterface", listen)
        yield found
