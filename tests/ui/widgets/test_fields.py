"""Fields that cannot hold a wrong value."""

from __future__ import annotations

from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QWheelEvent
from PySide6.QtWidgets import QApplication, QPushButton
from pytestqt.qtbot import QtBot

from app.ui.theme import Theme
from app.ui.widgets.buttons import IconButton
from app.ui.widgets.fields import Segments, Stepper, Switch


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


def test_of_the_segments_exactly_one_is_chosen(qtbot: QtBot) -> None:
    chosen: list[str] = []
    segments = Segments("Colours", [("a", "One"), ("b", "Two")], "a", chosen.append)
    qtbot.addWidget(segments)
    first, second = segments.findChildren(QPushButton)
    qtbot.mouseClick(second, Qt.MouseButton.LeftButton)
    assert chosen == ["b"]
    assert (first.isChecked(), second.isChecked()) == (False, True)
    assert second.accessibleName() == "Colours: Two"
