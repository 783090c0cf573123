"""Fields that cannot hold a wrong value."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QPoint, QPointF, QSize, Qt
from PySide6.QtGui import QAccessible, QColor, QWheelEvent
from PySide6.QtWidgets import QApplication, QLineEdit, QPushButton
from pytestqt.qtbot import QtBot

from app.ui.theme import Theme
from app.ui.widgets.buttons import IconButton
from app.ui.widgets.input_fields import CheckRow, RadioRow, SegmentedControl, Stepper, Switch


def test_a_stepper_steps_and_stays_in_its_range(qtbot: QtBot) -> None:
    stepper = Stepper(Theme("light"), "Threads", 1, lowest=0, highest=2, word_for_lowest="Automatic")
    qtbot.addWidget(stepper)
    less, more = stepper.findChildren(IconButton)
    assert (less.accessibleName(), more.accessibleName()) == ("Threads: less", "Threads: more")
    for _ in range(3):
        qtbot.mouseClick(more, Qt.MouseButton.LeftButton)
    assert stepper.number.value() == 2
    for _ in range(5):
        qtbot.mouseClick(less, Qt.MouseButton.LeftButton)
    assert stepper.number.text() == "Automatic"


def test_half_typed_numbers_are_not_told(qtbot: QtBot) -> None:
    stepper = Stepper(Theme("light"), "Zoom", 100, lowest=50, highest=300)
    qtbot.addWidget(stepper)
    told: list[float] = []
    stepper.changed.connect(told.append)
    stepper.number.selectAll()
    qtbot.keyClicks(stepper.number, "120")
    assert told == []
    qtbot.keyClick(stepper.number, Qt.Key.Key_Return)
    assert told == [120]


def test_the_wheel_over_a_field_that_has_no_focus_changes_nothing(qtbot: QtBot) -> None:
    stepper = Stepper(Theme("light"), "Zoom", 100, lowest=50, highest=300)
    qtbot.addWidget(stepper)
    stepper.show()
    stepper.number.clearFocus()
    turn = QWheelEvent(
        QPointF(5, 5),
        QPointF(5, 5),
        QPoint(0, 0),
        QPoint(0, 120),
        Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    QApplication.sendEvent(stepper.number, turn)
    assert stepper.number.value() == 100


def test_a_switch_is_pressed_by_mouse_and_space(qtbot: QtBot) -> None:
    switch = Switch(Theme("light"), "Use it", on=False)
    qtbot.addWidget(switch)
    switch.show()
    off = switch.grab().toImage()
    qtbot.mouseClick(switch, Qt.MouseButton.LeftButton, pos=QPoint(30, 10))
    assert switch.isChecked()
    assert switch.grab().toImage() != off
    qtbot.keyClick(switch, Qt.Key.Key_Space)
    assert not switch.isChecked()


def test_of_the_segments_exactly_one_is_chosen(qtbot: QtBot, theme: Theme) -> None:
    chosen: list[str] = []
    segments = SegmentedControl(theme, "Colours", [("a", "One"), ("b", "Two")], "a", chosen.append)
    qtbot.addWidget(segments)
    first, second = segments.findChildren(QPushButton)
    qtbot.mouseClick(second, Qt.MouseButton.LeftButton)
    assert chosen == ["b"]
    assert (first.isChecked(), second.isChecked()) == (False, True)
    assert second.accessibleName() == "Colours: Two"


def test_segments_stand_in_rows_of_as_many_where_one_row_is_too_wide(qtbot: QtBot, theme: Theme) -> None:
    words = ("Oaks", "Rhododendrons", "Hawthorns", "Birches")
    segments = SegmentedControl(theme, "Trees", [(word, word) for word in words], words[0], lambda _: None)
    qtbot.addWidget(segments)
    segments.show()
    whole = segments.sizeHint().width()
    for room, rows in ((whole, 1), (whole - 1, 2), (segments.fontMetrics().horizontalAdvance(words[1]), 4)):
        segments.fit_width(room)
        segments.adjustSize()
        assert len({button.y() for button in segments.findChildren(QPushButton)}) == rows
    segments.fit_width(whole)
    segments.adjustSize()
    assert segments.width() == whole


# Rows to choose from are real radio buttons and check boxes that are drawn in the theme's colours.


Row = type[CheckRow] | type[RadioRow]


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


def test_a_stepper_is_one_control_with_its_buttons_inside(qtbot: QtBot, qapp: QApplication) -> None:
    theme = Theme("light")
    theme.install(qapp)
    stepper = Stepper(theme, "Top-k", 4, lowest=0, highest=9, word_for_lowest="–")
    qtbot.addWidget(stepper)
    stepper.show()
    less, more = stepper.findChildren(IconButton)
    assert stepper.size() == QSize(theme.px(128), theme.px(32))
    assert (less.geometry().right() + 1, more.x() - 1) == (stepper.number.x(), stepper.number.geometry().right())
    picture, y = stepper.grab().toImage(), stepper.height() // 2
    edges = [picture.pixel(x, y) for x in (0, stepper.width() - 1)]
    lines = [picture.pixel(x, y) for x in (stepper.number.x(), stepper.number.geometry().right())]
    assert edges == [QColor(theme.tokens.outline).rgb()] * 2
    assert lines == [QColor(theme.tokens.line).rgb()] * 2
    more.click()
    assert stepper.number.value() == 5
    line = stepper.number.findChild(QLineEdit)
    for value in (9, 0, 4):  # the mark of a value that nobody set is another look
        stepper.number.setValue(value)
        assert line.font().pixelSize() == theme.font("control").pixelSize()


def test_a_slider_sets_its_number_wherever_it_is_pressed_and_clears_it(qtbot: QtBot, theme: Theme) -> None:
    field = Stepper(
        theme, "Temperature", -0.1, lowest=-0.1, highest=2, step=0.05, decimals=2, word_for_lowest="–", slides=(0, 2)
    )
    qtbot.addWidget(field)
    field.show()
    field.rest_slider(1)
    (clear,) = field.findChildren(IconButton)
    assert (field.number.text(), field.slider.property("unset"), clear.isVisible()) == ("–", True, False)
    middle = field.slider.rect().center()
    qtbot.mouseClick(field.slider, Qt.MouseButton.LeftButton, pos=middle)
    assert (field.number.value(), clear.isVisible()) == (pytest.approx(1, abs=0.06), True)
    qtbot.mouseClick(field.slider, Qt.MouseButton.LeftButton, pos=QPoint(field.slider.width() - 1, middle.y()))
    assert field.number.value() == 2
    field.number.setValue(0.5)
    assert field.slider.value() == 10
    qtbot.mouseClick(clear, Qt.MouseButton.LeftButton)
    assert (field.number.text(), clear.isVisible()) == ("–", False)
