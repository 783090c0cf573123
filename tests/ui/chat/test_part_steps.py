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
TABLE = "Table, 2 rows, 2 columns"
PARTS = ["Storms", "Stay.", "Count", "Divide", "a", "b", TABLE, "Far, Near", "9, 3"]


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


def test_right_and_left_go_through_the_cells_of_a_row_and_up_stays_in_the_column(open_chat: Open) -> None:
    keys = Qt.Key
    with focused_parts() as told:
        desk = open_chat({"text": ANSWER})
        desk.ask("How far?")
        desk.last.setFocus()
        for _ in PARTS:
            QTest.keyClick(desk.last, keys.Key_Down)
        told.clear()
        for key in (keys.Key_Right, keys.Key_Right, keys.Key_Right, keys.Key_Up, keys.Key_Left, keys.Key_Left):
            QTest.keyClick(desk.last, key)
        assert told == ["9", "3", "3", "Near", "Far", "Far, Near"]
        QTest.keyClick(desk.last, keys.Key_Right)
        QTest.keyClick(desk.last, keys.Key_Up)
        assert told[-2:] == ["Far", TABLE]
        QTest.keyClick(desk.last, keys.Key_Right)
        assert told[-1] == TABLE, "nothing else has cells"


def test_cell_says_its_place_and_its_header(open_chat: Open) -> None:
    desk = open_chat({"text": ANSWER})
    desk.ask("How far?")
    rows = [part for part in read_parts(desk.last) if part.role() == QAccessible.Role.Row]
    far, cell = rows[0].child(0), rows[1].child(1)
    assert (far.role(), cell.role()) == (QAccessible.Role.ColumnHeader, QAccessible.Role.Cell)
    place = cell.tableCellInterface()
    assert (place.rowIndex(), place.columnIndex(), place.isSelected()) == (1, 1, False)
    assert [name_of(header) for header in place.columnHeaderCells()] == ["Near"]
    assert name_of(place.table()) == TABLE
    assert far.tableCellInterface().columnHeaderCells() == []


def test_table_in_several_views_has_its_headers_in_the_first(open_chat: Open) -> None:
    desk = open_chat({"text": "| Far | Near |\n| --- | --- |\n" + "| 9 | 3 |\n" * 300})
    desk.ask("How far?")
    rows = [part for part in read_parts(desk.last) if part.role() == QAccessible.Role.Row]
    assert rows[-1].parent() is not rows[0].parent()
    assert [name_of(header) for header in rows[-1].child(1).tableCellInterface().columnHeaderCells()] == ["Near"]


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
