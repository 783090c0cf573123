"""The page of memories: kept, edited, moved into a project, deleted with a way back, each with what it costs."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QAbstractButton, QCheckBox, QLabel, QPushButton
from pytestqt.qtbot import QtBot

from app.ui.settings.memories import MEMORIES_OFF, MemoriesPage
from app.ui.shared_labels import ABOUT_TOKENS, UNDO
from app.ui.shell.settings_index import label_of
from tests.helpers.desks.settings import SettingsDesk
from tests.helpers.desks.window import Frame

LONG = "שלום 🌙 <b> " * 900


def open_page(frame: Frame) -> tuple[SettingsDesk, MemoriesPage]:
    desk = SettingsDesk(frame, "memories")
    return desk, desk.root.findChild(MemoriesPage)


def test_memories_are_added_edited_and_deleted_with_a_way_back(frame: Frame, qtbot: QtBot) -> None:
    memories = frame.app.preambles.memories
    desk, page = open_page(frame)
    assert not page.add.isEnabled()
    qtbot.keyClicks(page.new, "I live in Cologne.")
    qtbot.keyClick(page.new, Qt.Key.Key_Return)
    page.new.setText(LONG)
    page.add.click()
    assert [one.text for one in memories.all()] == ["I live in Cologne.", " ".join(LONG.split())]
    assert desk.root.isVisible(), "Return is not the dialog's"
    first = page.rows[0]
    first.field.setText("")
    first.field.editingFinished.emit()
    assert first.field.text() == "I live in Cologne.", "nothing is no memory"
    first.field.setText("I live in Bonn.")
    qtbot.keyClick(first.field, Qt.Key.Key_Return)
    assert memories.all()[0].text == "I live in Bonn."
    first.remove.click()
    assert len(page.rows) == len(memories.all()) == 1
    next(button for button in page.findChildren(QPushButton) if button.text() == UNDO).click()
    assert memories.all()[0].text == "I live in Bonn."
    assert len(page.rows) == 2


def test_they_are_told_in_every_chat_or_in_a_project_and_cost_what_is_said(frame: Frame, qtbot: QtBot) -> None:
    memories, flat = frame.app.preambles.memories, frame.app.preambles.projects.create("Flat " + "x" * 10_000)
    memories.add("x" * 38)
    memories.add("y" * 78)
    desk, page = open_page(frame)
    qtbot.waitUntil(lambda: ABOUT_TOKENS.format(count=30) in page.cost.text())
    assert [row.tokens.text() for row in page.rows] == ["~10", "~20"], "no model is loaded: an estimate"
    page.rows[0].scope.choose(str(flat.id))
    assert [one.text for one in memories.list_for_project(None)] == ["y" * 78]
    qtbot.waitUntil(lambda: ABOUT_TOKENS.format(count=20) in page.cost.text())
    desk.named(QCheckBox, label_of("use_memories")).click()
    assert not frame.app.settings.chat.memory
    qtbot.waitUntil(lambda: page.cost.text() == MEMORIES_OFF)
    names = [one.accessibleName() for one in page.findChildren(QAbstractButton) if one.isVisible()]
    assert all(names)
    assert page.findChild(QLabel, "memories_cost") is page.cost
