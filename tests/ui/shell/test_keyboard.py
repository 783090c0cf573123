"""Shortcuts: one table, no key twice, one sheet."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from PySide6.QtCore import QPoint, QRect
from PySide6.QtGui import QKeySequence
from PySide6.QtWidgets import QApplication, QDialog, QLabel, QPushButton
from pytestqt.qtbot import QtBot

from app.features.assistants import AssistantChoice
from app.ui.chat.chat_options import ChatSettings
from app.ui.shell.keyboard import WINDOW_SHORTCUTS, ShortcutSheet, lines_of
from app.ui.tab_list import TABS
from app.ui.theme import Theme
from app.ui.widgets.dialogs import ScrollBox
from tests.helpers.clipping import clipped_texts


def test_no_key_does_two_things() -> None:
    keys = [QKeySequence(key).toString() for line in (*lines_of(TABS), *WINDOW_SHORTCUTS) for key in line.keys]
    assert len(keys) == len(set(keys))
    assert all(keys)


def test_the_sheet_shows_every_shortcut(qtbot: QtBot) -> None:
    sheet = ShortcutSheet(Theme("light"), TABS)
    qtbot.addWidget(sheet)
    sheet.show()
    shown = {label.text() for label in sheet.findChildren(QLabel)}
    assert {line.words for line in WINDOW_SHORTCUTS if line.keys} <= shown
    assert {words for spec in TABS for _, words in spec.shortcuts} <= shown
    assert {spec.label for spec in TABS} <= shown
    assert "Ctrl+," in shown
    assert clipped_texts(sheet) == []
    assert sheet.sizeHint().height() <= 600 - 40, "it fits a window of 900 by 600"
    assert sheet.sizeHint().width() <= 900


@pytest.mark.parametrize(
    "make", [lambda theme: ShortcutSheet(theme, TABS), lambda theme: ChatSettings(theme, AssistantChoice())]
)
def test_a_dialog_is_never_larger_than_the_screen_and_scrolls(qtbot: QtBot, make: Callable[[Theme], QDialog]) -> None:
    dialog = make(Theme("light", zoom=3))
    qtbot.addWidget(dialog)
    dialog.show()
    QApplication.processEvents()
    room = dialog.screen().availableGeometry().size()
    assert dialog.width() <= room.width()
    assert dialog.height() <= room.height()
    box = dialog.findChild(ScrollBox)
    assert box is not None
    assert box.verticalScrollBar().maximum() > 0
    last = dialog.findChildren(QPushButton)[-1]
    assert dialog.rect().contains(QRect(last.mapTo(dialog, QPoint(0, 0)), last.size()))
