"""Focus rings after Tab, arrows and shortcuts, never after a click; a field with the caret has a thin edge."""

from __future__ import annotations

import re
from dataclasses import dataclass

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QColor
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLineEdit, QListWidget, QPushButton, QVBoxLayout, QWidget
from pytestqt.qtbot import QtBot

from app.core.paths import resource_path
from app.ui.theme import Theme

KEY = Qt.Key


@dataclass
class Form:
    window: QWidget
    field: QLineEdit
    button: QPushButton
    rows: QListWidget
    theme: Theme

    def press(self, key: Qt.Key) -> None:
        QTest.keyClick(self.window.windowHandle(), key)

    def click(self, widget: QWidget) -> None:
        place = widget.mapTo(self.window, widget.rect().center() + QPoint(0, 2))
        QTest.mouseClick(self.window.windowHandle(), Qt.MouseButton.LeftButton, pos=place)

    def edge_px(self, widget: QWidget) -> int:
        """Width of a widget's edge in the colour of the focus, at the middle of its left side."""
        picture, wanted = widget.grab().toImage(), QColor(self.theme.tokens.focus).rgb()
        y = picture.height() // 2
        return next(x for x in range(9) if picture.pixel(x, y) != wanted)


@pytest.fixture
def form(qapp: QApplication, qtbot: QtBot) -> Form:
    theme = Theme("light")
    theme.install(qapp)
    window = QWidget()
    field, button, rows = QLineEdit("words"), QPushButton("Save"), QListWidget()
    rows.addItems(["one", "two"])
    rows.setCurrentRow(0)
    column = QVBoxLayout(window)
    for widget in (field, button, rows):
        column.addWidget(widget)
    qtbot.addWidget(window)
    window.show()
    qtbot.waitExposed(window)
    window.activateWindow()
    field.setFocus()
    qtbot.waitUntil(field.hasFocus)
    form = Form(window, field, button, rows, theme)
    form.click(field)
    return form


def test_a_field_with_the_caret_has_a_thin_edge_and_after_tab_the_ring(form: Form) -> None:
    assert form.edge_px(form.field) == 1
    form.press(KEY.Key_Right)
    assert form.edge_px(form.field) == 1, "the caret moves, and is where one is"
    form.press(KEY.Key_Tab)
    form.press(KEY.Key_Backtab)
    assert form.field.hasFocus()
    assert form.edge_px(form.field) == 2


def test_a_button_has_a_ring_after_tab_alone(form: Form) -> None:
    form.click(form.button)
    assert form.button.hasFocus()
    assert form.edge_px(form.button) == 0
    form.press(KEY.Key_Backtab)
    form.press(KEY.Key_Tab)
    assert form.button.hasFocus()
    assert form.edge_px(form.button) == 2
    form.click(form.field)
    form.button.setFocus()  # as when a dialog gives the focus back
    assert form.edge_px(form.button) == 0


def test_a_list_shows_its_current_row_and_no_ring_around_all(form: Form) -> None:
    form.click(form.rows)
    form.rows.setFocus()
    before = form.rows.viewport().grab().toImage()
    form.press(KEY.Key_Down)
    assert form.edge_px(form.rows) == 0
    row = form.rows.visualItemRect(form.rows.item(1))
    wanted = QColor(form.theme.tokens.focus).rgb()
    after = form.rows.viewport().grab().toImage()
    assert before.pixel(row.left(), row.center().y()) != wanted
    assert after.pixel(row.left(), row.center().y()) == wanted


def test_no_rule_of_the_style_sheet_draws_a_ring_that_nobody_asked_for() -> None:
    sheets = "\n".join(path.read_text("utf-8") for path in resource_path("styles").glob("*.qss"))
    rules = re.findall(r"([^{}]+)\{([^{}]*)\}", re.sub(r"/\*.*?\*/", "", sheets, flags=re.DOTALL))
    rings = [selectors for selectors, look in rules if re.search(r"border: 2px solid \$(focus|text)", look)]
    assert len(rings) > 10
    assert [one.strip() for selectors in rings for one in selectors.split(",") if '[ring="true"]' not in one] == []
