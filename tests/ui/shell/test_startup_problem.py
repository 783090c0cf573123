"""What keeps Fireside from starting is told in a small window, with things to do."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QDialog, QLabel, QPushButton
from pytestqt.qtbot import QtBot

from app.core.errors import AppError, DatabaseNewer, DiskFull, FolderNotWritable
from app.ui.shell.startup_problem import StartupProblem
from app.ui.theme import Theme
from tests.helpers.clipping import clipped_texts

PROBLEMS = [DatabaseNewer("/d/fireside.db", 9, 1), FolderNotWritable("/a/very/long/path" * 6), DiskFull("/d")]


@pytest.mark.parametrize("error", PROBLEMS, ids=lambda error: type(error).__name__)
def test_the_sentence_is_there_and_nothing_is_clipped(error: AppError, qtbot: QtBot, tmp_path: Path) -> None:
    window = StartupProblem(Theme("light"), error, tmp_path)
    qtbot.addWidget(window)
    window.show()
    assert all(label.text() for label in window.findChildren(QLabel) if label.isVisible())
    assert clipped_texts(window) == []


@pytest.mark.parametrize(
    ("button", "result"), [("Try again", QDialog.DialogCode.Accepted), ("Quit", QDialog.DialogCode.Rejected)]
)
def test_its_buttons_try_again_or_quit(button: str, result: QDialog.DialogCode, qtbot: QtBot, tmp_path: Path) -> None:
    window = StartupProblem(Theme("light"), DiskFull("/d"), tmp_path)
    qtbot.addWidget(window)
    window.show()
    named = {one.text(): one for one in window.findChildren(QPushButton)}
    qtbot.mouseClick(named["Copy details"], Qt.MouseButton.LeftButton)
    assert "DiskFull" in QGuiApplication.clipboard().text()
    qtbot.mouseClick(named[button], Qt.MouseButton.LeftButton)
    assert window.result() == result
