"""The checks of pictures find what they are for, and nothing else."""

from __future__ import annotations

from PySide6.QtWidgets import QFrame, QLabel, QPushButton, QWidget
from pytestqt.qtbot import QtBot

from app.ui.theme import LIGHT
from tests.helpers.screen_checks import controls_outside, faint_texts, near_misses, undressed_buttons


def a_window(qtbot: QtBot) -> QWidget:
    window = QWidget()
    window.setStyleSheet(f"* {{ background: {LIGHT.background}; color: {LIGHT.text}; border: 0; }}")
    qtbot.addWidget(window)
    window.resize(400, 300)
    window.show()
    return window


def placed(part: QWidget, x: int, y: int) -> None:
    part.move(x, y)
    part.show()


def test_text_too_pale_to_be_read_is_found(qtbot: QtBot) -> None:
    window = a_window(qtbot)
    placed(QLabel("Read me", window), 20, 20)
    pale, disabled = QLabel("Too pale", window), QLabel("Not for now", window)
    for label, y in ((pale, 60), (disabled, 100)):
        label.setStyleSheet(f"color: {LIGHT.line}")
        placed(label, 20, y)
    disabled.setEnabled(False)
    assert [line.split(":")[0] for line in faint_texts(window, window.grab().toImage())] == ["QLabel “Too pale”"]


def test_a_button_outside_the_screen_is_found_and_one_to_scroll_to_is_not(qtbot: QtBot) -> None:
    window = a_window(qtbot)
    window.move(window.screen().geometry().bottomLeft())
    placed(QPushButton("Save", window), 20, 200)
    assert [line.split(" at ")[0] for line in controls_outside(window)] == ["QPushButton “Save”"]
    window.move(0, 0)
    assert controls_outside(window) == []


def test_lines_that_begin_beside_a_column_are_found(qtbot: QtBot) -> None:
    window = a_window(qtbot)
    content = QFrame(window)
    content.resize(window.size())
    content.show()
    for words, x, y in (("In line", 40, 10), ("Beside it", 45, 50), ("Inset", 60, 90), ("After the first", 134, 10)):
        placed(QLabel(words, content), x, y)
    picture = window.grab().toImage()
    assert [line.split(" begins")[0] for line in near_misses(content, picture, (40, 130))] == ["QLabel “Beside it”"]


def test_a_button_in_the_font_of_messages_is_found(qtbot: QtBot) -> None:
    window = a_window(qtbot)
    placed(QPushButton("One", window), 20, 20)
    dressed = QPushButton("Two", window)
    font = dressed.font()
    font.setWeight(font.Weight.Medium)
    dressed.setFont(font)
    placed(dressed, 20, 60)
    assert [line.split(" is ")[0] for line in undressed_buttons(window)] == ["QPushButton “One”"]
