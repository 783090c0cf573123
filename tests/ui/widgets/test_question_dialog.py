"""A question closes with one choice; Escape and Cancel are none."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QPushButton, QWidget
from pytestqt.qtbot import QtBot

from app.ui.theme import Theme
from app.ui.widgets.question_dialog import QuestionDialog


@pytest.fixture
def window(qtbot: QtBot) -> QWidget:
    window = QWidget()
    qtbot.addWidget(window)
    window.show()
    return window


def opened(window: QWidget, said: list[str]) -> QuestionDialog:
    theme = Theme("light", 1.0)
    application = QApplication.instance()
    assert isinstance(application, QApplication)
    dialog = QuestionDialog(theme, "Really?", "It cannot be undone.", window)
    dialog.add_choice("Maybe", lambda: said.append("maybe"))
    dialog.add_choice("Yes", lambda: said.append("yes"), "primary")
    dialog.open()
    return dialog


def test_enter_means_the_primary_choice(qtbot: QtBot, window: QWidget) -> None:
    said: list[str] = []
    dialog = opened(window, said)
    qtbot.keyClick(dialog, Qt.Key.Key_Return)
    assert said == ["yes"]
    assert not dialog.isVisible()


def test_another_choice_is_pressed(qtbot: QtBot, window: QWidget) -> None:
    said: list[str] = []
    dialog = opened(window, said)
    button = next(one for one in dialog.findChildren(QPushButton) if one.text() == "Maybe")
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    assert said == ["maybe"]


@pytest.mark.parametrize("way", ["escape", "cancel"])
def test_no_choice_does_nothing_and_says_so(qtbot: QtBot, window: QWidget, way: str) -> None:
    said: list[str] = []
    dialog = opened(window, said)
    dialog.rejected.connect(lambda: said.append("rejected"))
    if way == "escape":
        qtbot.keyClick(dialog, Qt.Key.Key_Escape)
    else:
        qtbot.mouseClick(dialog.findChildren(QPushButton)[0], Qt.MouseButton.LeftButton)
    assert said == ["rejected"]
