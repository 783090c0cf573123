"""What screen readers are told of a widget: its role, its state, and the parts that it paints."""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterator

import pytest
from PySide6.QtCore import QEvent, QRect
from PySide6.QtGui import QAccessible, QAccessibleEvent, QAccessibleInterface, QAccessibleStateChangeEvent
from PySide6.QtWidgets import QApplication, QLabel, QLineEdit, QPushButton, QTextEdit, QVBoxLayout, QWidget
from pytestqt.qtbot import QtBot

from app.ui.screen_reader import PartKeeper, SpokenPart, install_interfaces, read_as, tell_busy
from app.ui.widgets.labels import tell_problem
from tests.helpers.accessible_tree import announcements, description_of, name_of, screen_reader_on

Role = QAccessible.Role


@pytest.fixture(autouse=True)
def listening(qapp: QApplication) -> Iterator[None]:
    install_interfaces()
    with screen_reader_on():
        yield


def told(widget: QWidget) -> QAccessibleInterface:
    return QAccessible.queryAccessibleInterface(widget)


def checkable(words: str) -> QPushButton:
    button = QPushButton(words)
    button.setCheckable(True)
    return button


class PaintedRow(QWidget):
    """Paints two words, the second of which is a list of one."""

    def __init__(self) -> None:
        super().__init__()
        self.words = ["one", "two"]

    def spoken_count(self) -> int:
        return len(self.words)

    def spoken_part(self, number: int) -> SpokenPart:
        inner = SpokenPart(Role.ListItem, "inner", QRect(12, 0, 4, 10))
        return SpokenPart(
            Role.Heading, self.words[number], QRect(10 * number, 0, 10, 10), level=2, parts=(inner,) * number
        )


def test_tab_is_a_page_tab_and_selected_while_it_is_open() -> None:
    tab = read_as(checkable("x"), Role.PageTab)
    assert (told(tab).role(), name_of(told(tab))) == (Role.PageTab, "x")
    assert not told(tab).state().selected
    tab.setChecked(True)
    assert told(tab).state().selected
    assert not told(tab).state().checkable


def test_fold_says_whether_it_is_open() -> None:
    fold = read_as(checkable("Ways"), Role.Button, folds=True)
    assert (told(fold).role(), told(fold).state().expandable, told(fold).state().expanded) == (Role.Button, 1, 0)
    fold.click()
    assert told(fold).state().expanded


def test_what_is_being_made_is_busy_and_readers_are_told_once(monkeypatch: pytest.MonkeyPatch) -> None:
    told_events: list[QAccessibleEvent] = []
    monkeypatch.setattr(QAccessible, "updateAccessibility", told_events.append)
    answer = read_as(QWidget(), Role.Section)
    tell_busy(answer, True)
    tell_busy(answer, True)
    assert told(answer).state().busy
    (event,) = told_events
    assert isinstance(event, QAccessibleStateChangeEvent)
    assert event.changedStates().busy
    tell_busy(answer, False)
    assert (told(answer).state().busy, told(answer).role(), len(told_events)) == (0, Role.Section, 2)


def test_field_says_what_is_wrong_with_it_before_what_it_is_for_until_it_is_mended() -> None:
    field = QLineEdit("ftp")
    field.setAccessibleName("Address")
    field.setAccessibleDescription("For example http://one.")
    told(field)  # a reader has been there
    with announcements() as heard:
        tell_problem(field, "It must start with http.")
        tell_problem(field, "It must start with http.")
    assert heard == ["It must start with http."]
    assert description_of(field) == "It must start with http. For example http://one."
    assert (told(field).textInterface().text(0, 3), told(field).editableTextInterface() is None) == ("ftp", False)
    tell_problem(field, "")
    assert description_of(field) == "For example http://one."


def test_field_with_a_problem_is_never_called_invalid() -> None:
    """macOS would hide it from readers."""
    field = QLineEdit()
    tell_problem(field, "No.")
    assert not told(field).state().invalid


def test_button_with_a_menu_says_so_and_can_be_pressed(qtbot: QtBot) -> None:
    button, pressed = read_as(QPushButton("Ways"), has_menu=True), []
    button.clicked.connect(lambda: pressed.append(button))
    qtbot.addWidget(button)
    button.show()
    assert (told(button).role(), told(button).state().hasPopup) == (Role.Button, 1)
    action = told(button).actionInterface()
    action.doAction(action.actionNames()[0])
    qtbot.waitUntil(lambda: len(pressed) == 1)


def test_role_set_after_a_reader_has_asked_counts() -> None:
    label = QLabel("A heading")
    assert told(label).role() == Role.StaticText
    read_as(label, Role.Heading, level=3)
    assert told(label).role() == Role.Heading
    assert told(label).attributesInterface().attributeValue(QAccessible.Attribute.Level) == 3


def test_field_keeps_its_text_under_another_role() -> None:
    field = read_as(QTextEdit(), Role.Document)
    field.setPlainText("Thunder is there at once.")
    assert told(field).role() == Role.Document
    assert told(field).textInterface().text(0, 7) == "Thunder"
    assert told(field).valueInterface() is None


def test_painted_parts_are_children_with_places() -> None:
    row = PaintedRow()
    parts = [told(row).child(number) for number in range(told(row).childCount())]
    assert [name_of(part) for part in parts] == ["one", "two"]
    assert [part.role() for part in parts] == [Role.Heading] * 2
    assert parts[1].rect().topLeft() == row.mapToGlobal(QRect(10, 0, 1, 1).topLeft())
    assert parts[1].attributesInterface().attributeValue(QAccessible.Attribute.Level) == 2
    assert name_of(parts[1].child(0)) == "inner"
    assert told(row).child(1) is parts[1]


def test_parts_of_a_view_that_is_deleted_can_still_be_asked(qapp: QApplication) -> None:
    """Qt does while it deletes them, and what then raises ends the process."""
    row = PaintedRow()
    keeper = PartKeeper(told(row), row, lambda number: row.spoken_part(number) if row.width() else None)
    part = keeper.interface(1)
    keeper.silence()
    row.deleteLater()
    qapp.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    assert (part.isValid(), part.window(), part.childCount()) == (False, None, 0)
    assert (part.state().invisible, part.role(), part.rect()) == (1, Role.NoRole, QRect())
    keeper.forget()


def test_interfaces_go_with_their_widgets_and_take_nothing_along(qapp: QApplication) -> None:
    nones = sys.getrefcount(None)
    for _ in range(200):
        around = QWidget()
        column = QVBoxLayout(around)
        for widget in (
            PaintedRow(),
            read_as(checkable("x"), Role.PageTab),
            read_as(QLabel("x"), Role.Heading, level=1),
        ):
            column.addWidget(widget)
            told(widget).childCount()
        told(column.itemAt(0).widget()).child(1).child(0)
        number = QAccessible.uniqueId(told(column.itemAt(1).widget()))
        around.deleteLater()
        qapp.sendPostedEvents(None, QEvent.Type.DeferredDelete)
        assert QAccessible.accessibleInterface(number) is None
    gc.collect()
    # A reference of None lost in each of them ends the process at last.
    assert sys.getrefcount(None) > nones - 200
