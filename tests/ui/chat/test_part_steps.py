"""Down and Up read an answer part by part while a screen reader runs, and scroll without one."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QAccessible
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from app.ui.chat.part_steps import read_parts
from app.ui.screen_reader import install_interfaces
from app.ui.shared_labels import ANSWER_LINE
from tests.helpers.accessible_tree import focused_parts, name_of
from tests.ui.chat.conftest import Open

ANSWER = "# Storms\n\nStay.\n\n- Count\n- Divide\n\n```py\na\nb\n```\n\n| Far | Near |\n| --- | --- |\n| 9 | 3 |\n"
PARTS = ["Storms", "Stay.", "Count", "Divide", "a", "b", "Far, Near", "9, 3"]


@pytest.fixture(autouse=True)
def interfaces(qapp: QApplication) -> None:
    install_interfaces()


def test_down_goes_from_part_to_part_and_up_back(open_chat: Open) -> None:
    with focused_parts() as told:
        desk = open_chat({"text": ANSWER})
        desk.ask("How far?")
        desk.last.setFocus()
        for _ in PARTS:
            QTest.keyClick(desk.last, Qt.Key.Key_Down)
        QTest.keyClick(desk.last, Qt.Key.Key_Up)
        assert told == [*PARTS, PARTS[-2]]
        parts = list(read_parts(desk.last))
        assert [name_of(part) for part in parts if part.state().focused] == [PARTS[-2]]
        assert parts[2].parent().role() == QAccessible.Role.List
        assert parts[0].textInterface().text(0, 6) == "Storms"
        desk.field.setFocus()
        assert not any(part.state().focused for part in read_parts(desk.last))


def test_without_a_screen_reader_nothing_is_told(open_chat: Open) -> None:
    desk = open_chat({"text": ANSWER})
    desk.ask("How far?")
    desk.last.setFocus()
    with focused_parts() as told:
        QAccessible.setActive(False)
        QTest.keyClick(desk.last, Qt.Key.Key_Down)
    assert told == []


def test_failed_answer_is_named_by_what_went_wrong(open_chat: Open) -> None:
    desk = open_chat({"error": "TemplateFailed", "fields": {"path": "/m.gguf", "detail": "x"}})
    desk.ask("How far?")
    assert desk.last.accessibleName() == ANSWER_LINE.format(words=desk.last_state)
