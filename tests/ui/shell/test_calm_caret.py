"""The text cursor blinks while somebody types and rests afterwards."""

from __future__ import annotations

from PySide6.QtWidgets import QApplication, QPlainTextEdit
from pytestqt.qtbot import QtBot

from app.ui.shell.calm_caret import CalmCaret


def test_the_cursor_rests_and_wakes_with_the_next_key(qtbot: QtBot) -> None:
    usual_ms = QApplication.cursorFlashTime()
    field = QPlainTextEdit()
    qtbot.addWidget(field)
    with qtbot.waitExposed(field):
        field.show()
    field.setFocus()
    calm = CalmCaret(field, rest_after_ms=30)
    assert calm.parent() is field
    try:
        qtbot.waitUntil(lambda: QApplication.cursorFlashTime() == 0)
        with qtbot.waitActive(field):
            field.activateWindow()
        qtbot.keyClicks(field, "a")
        assert QApplication.cursorFlashTime() == usual_ms
        qtbot.waitUntil(lambda: QApplication.cursorFlashTime() == 0)
    finally:
        QApplication.setCursorFlashTime(usual_ms)
