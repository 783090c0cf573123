"""Keys that walk through what a view lists: its rows, and the chips, links or tokens of a row."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeyEvent

ENTER = (Qt.Key.Key_Return, Qt.Key.Key_Enter)


def is_plain(event: QKeyEvent) -> bool:
    """Return whether a key was pressed without modifiers; those of the keypad, on macOS of all arrows, don't count."""
    return not event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier


def row_after(event: QKeyEvent, row: int, last: int) -> int | None:
    """Return the row to which Up, Down, Home or End leads from `row`, 0 to `last`; None for other keys."""
    rows = {Qt.Key.Key_Up: row - 1, Qt.Key.Key_Down: row + 1, Qt.Key.Key_Home: 0, Qt.Key.Key_End: last}
    found = rows.get(Qt.Key(event.key()))
    return None if found is None else min(max(found, 0), last)


def step_aside(event: QKeyEvent, *, is_rtl: bool) -> int:
    """Return 1 for the arrow in reading direction, -1 for the one against it, 0 for other keys."""
    side = {Qt.Key.Key_Right: 1, Qt.Key.Key_Left: -1}.get(Qt.Key(event.key()), 0)
    return -side if is_rtl else side
