"""Where Tab goes in the window: through everything in the order it is read, whatever was built first.

Qt keeps a chain in the order widgets are made and moved; views that are built when they are wanted, and parts that
come and go, leave gaps in it. Here the order is what is seen: rows from the top, in each from the leading side.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol, runtime_checkable

from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QApplication, QWidget


@runtime_checkable
class TabGroup(Protocol):
    """A widget that knows the order inside itself, and says only where the keyboard comes in."""

    def tab_entry(self, is_next: bool) -> QWidget | None:
        """What gets the focus, coming from before or from behind; None where nothing can."""


def move_focus(window: QWidget, is_next: bool) -> bool:
    """To the next stop after the widget with the focus, or the one before it; whether there is one."""
    stops, focus = list(_stops(window)), QApplication.focusWidget()
    at = next((i for i, stop in enumerate(stops) if focus is not None and _holds(stop, focus)), None)
    if at is None:
        at = -1 if is_next else 0
    reason = Qt.FocusReason.TabFocusReason if is_next else Qt.FocusReason.BacktabFocusReason
    for step in range(1, len(stops) + 1):
        stop = stops[(at + (step if is_next else -step)) % len(stops)]
        target = stop.tab_entry(is_next) if isinstance(stop, TabGroup) else stop
        if target is not None and target is not focus:
            target.setFocus(reason)
            return True
    return False


def is_tab_stop(widget: QWidget) -> bool:
    """Whether Tab stops at a widget; on some systems buttons are left out, as the person chose there."""
    every = QGuiApplication.styleHints().tabFocusBehavior() == Qt.TabFocusBehavior.TabFocusAllControls
    wanted = Qt.FocusPolicy.TabFocus if every else Qt.FocusPolicy.StrongFocus
    return (
        widget.focusPolicy() & wanted == wanted
        and widget.isEnabled()
        and widget.isVisible()
        and widget.focusProxy() is None
    )


def in_reading_order(widgets: list[QWidget]) -> list[QWidget]:
    """Siblings by rows; one whose middle is above the foot of a row is in that row."""
    rows: list[list[QWidget]] = []
    for widget in sorted(widgets, key=lambda one: one.y()):
        if rows and widget.geometry().center().y() <= rows[-1][0].geometry().bottom():
            rows[-1].append(widget)
        else:
            rows.append([widget])
    return [one for row in rows for one in sorted(row, key=_from_leading)]


def _from_leading(widget: QWidget) -> int:
    parent = widget.parentWidget()
    return -widget.geometry().right() if parent is not None and parent.isRightToLeft() else widget.x()


def _stops(parent: QWidget) -> Iterator[QWidget]:
    children = [one for one in parent.children() if isinstance(one, QWidget) and one.isVisible()]
    focus = QApplication.focusWidget()
    for child in in_reading_order([one for one in children if not one.isWindow()]):
        if isinstance(child, TabGroup):
            yield child
            continue
        if child is focus or is_tab_stop(child):
            yield child
        yield from _stops(child)


def _holds(stop: QWidget, focus: QWidget) -> bool:
    return stop is focus or (isinstance(stop, TabGroup) and stop.isAncestorOf(focus))
