"""Rows to choose from are real radio buttons and check boxes that are drawn in the theme's colours."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QAccessible, QColor
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from app.ui.theme import Theme
from app.ui.widgets.choice import CheckRow, RadioRow

Row = type[CheckRow] | type[RadioRow]


@pytest.mark.parametrize("kind", [CheckRow, RadioRow])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_chosen_row_shows_the_accent_and_an_open_one_does_not(
    qtbot: QtBot, qapp: QApplication, kind: Row, scheme: str
) -> None:
    theme = Theme(scheme)
    row = kind(theme, "Radeon 780M", "7 of 8 GB free")
    qtbot.addWidget(row)
    row.resize(300, row.sizeHint().height())

    def accents() -> int:
        image = row.grab().toImage()
        accent = QColor(theme.tokens.accent)
        return sum(image.pixelColor(x, y) == accent for x in range(40) for y in range(image.height()))

    assert accents() == 0
    row.setChecked(True)
    assert accents() > 60


@pytest.mark.parametrize(
    ("kind", "role"), [(CheckRow, QAccessible.Role.CheckBox), (RadioRow, QAccessible.Role.RadioButton)]
)
def test_a_screen_reader_hears_kind_name_and_detail(qtbot: QtBot, kind: Row, role: QAccessible.Role) -> None:
    row = kind(Theme("light"), "Radeon 780M", "7 of 8 GB free")
    qtbot.addWidget(row)
    heard = QAccessible.queryAccessibleInterface(row)
    assert heard.role() == role
    assert heard.text(QAccessible.Text.Name) == "Radeon 780M"
    assert heard.text(QAccessible.Text.Description) == "7 of 8 GB free"


@pytest.mark.parametrize("kind", [CheckRow, RadioRow])
def test_all_of_a_row_can_be_pressed_and_space_presses_it(qtbot: QtBot, kind: Row) -> None:
    row = kind(Theme("light"), "Radeon 780M")
    qtbot.addWidget(row)
    row.resize(300, 40)
    pressed: list[bool] = []
    row.clicked.connect(lambda: pressed.append(True))
    row.show()
    qtbot.mouseClick(row, Qt.MouseButton.LeftButton, pos=row.rect().bottomRight())
    row.setFocus()
    qtbot.keyClick(row, Qt.Key.Key_Space)
    assert len(pressed) == 2


def test_a_mirrored_row_has_its_mark_at_the_other_side(qtbot: QtBot) -> None:
    theme = Theme("light")
    row = RadioRow(theme, "Radeon 780M")
    qtbot.addWidget(row)
    row.resize(300, 40)
    row.setChecked(True)
    row.setLayoutDirection(Qt.LayoutDirection.RightToLeft)
    image, accent = row.grab().toImage(), QColor(theme.tokens.accent)
    columns = [x for x in range(300) for y in range(40) if image.pixelColor(x, y) == accent]
    assert min(columns) > 250
