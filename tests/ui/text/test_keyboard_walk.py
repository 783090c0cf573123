"""Keys that walk through rows, and through the chips or links of a row."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QKeyEvent

from app.ui.text.keyboard_walk import is_plain, row_after, step_aside

Key, Modifier = Qt.Key, Qt.KeyboardModifier


def pressed(key: Qt.Key, modifier: Qt.KeyboardModifier = Modifier.NoModifier) -> QKeyEvent:
    return QKeyEvent(QKeyEvent.Type.KeyPress, key, modifier)


@pytest.mark.parametrize(
    ("key", "rows"),
    [
        (Key.Key_Down, [0, 1, 3, 3]),
        (Key.Key_Up, [0, 0, 1, 2]),
        (Key.Key_Home, [0, 0, 0, 0]),
        (Key.Key_End, [3, 3, 3, 3]),
        (Key.Key_Right, [None] * 4),
    ],
)
def test_rows_are_walked_and_never_left(key: Qt.Key, rows: list[int | None]) -> None:
    assert [row_after(pressed(key), row, 3) for row in (-1, 0, 2, 3)] == rows


def test_arrows_at_the_sides_follow_the_reading_direction() -> None:
    keys = (Key.Key_Right, Key.Key_Left, Key.Key_Up)
    assert [step_aside(pressed(key), is_rtl=False) for key in keys] == [1, -1, 0]
    assert [step_aside(pressed(key), is_rtl=True) for key in keys] == [-1, 1, 0]


def test_the_keypad_is_no_modifier() -> None:
    modifiers = (Modifier.NoModifier, Modifier.KeypadModifier, Modifier.ShiftModifier)
    assert [is_plain(pressed(Key.Key_Up, modifier)) for modifier in modifiers] == [True, True, False]
