"""The message field: growing, pasting, input methods."""

from __future__ import annotations

import time

import pytest
from PySide6.QtCore import QMimeData, QPoint, QRect, Qt
from PySide6.QtGui import QInputMethodEvent
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from app.ui.chat.chat_context import OLDEST_LEFT_OUT
from app.ui.chat.composer import Composer
from app.ui.chat.message_field import MOST_LINES, REMOVE_PASTED_TEXT
from app.ui.chat.thinking_choice import THINKING_ON
from app.ui.theme import Theme
from app.ui.widgets.buttons import IconButton
from tests.ui.chat.conftest import Open


@pytest.fixture
def composer(qtbot: QtBot, theme: Theme) -> Composer:
    made = Composer(theme, stop=lambda: None)
    qtbot.addWidget(made)
    made.resize(600, 100)
    made.show()
    made.field.edit.setFocus()
    return made


def test_it_grows_to_eight_lines_and_then_scrolls(composer: Composer, qtbot: QtBot) -> None:
    edit = composer.field.edit
    one = edit.height()
    heights = []
    for _ in range(MOST_LINES + 3):
        qtbot.keyClick(edit, Qt.Key.Key_Return, Qt.KeyboardModifier.ShiftModifier)
        heights.append(edit.height())
    assert heights[0] > one
    assert heights[-1] == heights[-2] == heights[-3]
    assert edit.verticalScrollBar().maximum() > 0
    edit.selectAll()
    qtbot.keyClick(edit, Qt.Key.Key_Delete)
    assert edit.height() == one


def test_a_very_long_paste_is_a_chip_and_quick(composer: Composer, qtbot: QtBot) -> None:
    paste = QMimeData()
    paste.setText("long words " * 100_000)
    qtbot.keyClicks(composer.field.edit, "Look:")
    begin_s = time.thread_time()
    composer.field.edit.insertFromMimeData(paste)
    print(f"pasting {len(paste.text()):,} characters took {(time.thread_time() - begin_s) * 1000:.0f} ms")
    assert composer.field.edit.toPlainText() == "Look:"
    assert composer.text == "Look:\n\n" + paste.text()
    with qtbot.waitSignal(composer.sent) as sent:
        qtbot.keyClick(composer.field.edit, Qt.Key.Key_Return)
    assert sent.args == [composer.text]
    remove = next(b for b in composer.findChildren(IconButton) if b.accessibleName() == REMOVE_PASTED_TEXT)
    qtbot.mouseClick(remove, Qt.MouseButton.LeftButton)
    assert composer.text == "Look:"


def test_pasted_text_is_plain_and_clean(composer: Composer) -> None:
    paste = QMimeData()
    paste.setHtml("<b>bold</b>")
    paste.setText("bo\0ld")
    composer.field.edit.insertFromMimeData(paste)
    assert composer.text == "bold"


def test_enter_belongs_to_the_input_method_while_it_composes(composer: Composer, qtbot: QtBot) -> None:
    edit = composer.field.edit
    sent: list[str] = []
    composer.sent.connect(sent.append)
    qtbot.keyClicks(edit, "a")
    QApplication.sendEvent(edit, QInputMethodEvent("かな", []))
    qtbot.keyClick(edit, Qt.Key.Key_Return)
    assert sent == []
    commit = QInputMethodEvent("", [])
    commit.setCommitString("仮名")
    QApplication.sendEvent(edit, commit)
    qtbot.keyClick(edit, Qt.Key.Key_Return)
    assert len(sent) == 1
    assert "仮名" in sent[0]


def test_what_is_said_again_of_the_model_is_no_change_of_the_message(composer: Composer) -> None:
    """A change wakes the model where a document waits to be counted, which says this again, and so on for ever."""
    told: list[object] = []
    composer.changed.connect(lambda: told.append(None))
    composer.set_can_send(True)
    assert told == []


def test_in_a_low_view_it_is_one_line_that_keeps_text_and_keyboard(composer: Composer, qtbot: QtBot) -> None:
    composer.set_text("Dear Ana")
    high = composer.sizeHint().height()
    composer.set_compact(True)
    QApplication.processEvents()
    assert composer.sizeHint().height() < high / 1.5
    assert not composer._more.isVisible()
    for part in (composer.plus, composer.field, composer.send):
        assert composer.rect().contains(part.geometry())
    assert composer.focusWidget() is composer.field.edit
    with qtbot.waitSignal(composer.sent) as sent:
        qtbot.keyClick(composer.field.edit, Qt.Key.Key_Return)
    assert sent.args == ["Dear Ana"]
    composer.set_compact(False)
    QApplication.processEvents()
    assert composer._more.isVisible()
    assert composer.sizeHint().height() == high
    assert composer.focusWidget() is composer.field.edit


def test_in_a_narrow_window_the_note_and_the_switch_for_thinking_leave_each_other_room(open_chat: Open) -> None:
    zoom = 2.0
    desk = open_chat({"text": "x"}, load={"thinking": "switch"})
    desk.chat.set_model_state("ready")
    composer = desk.composer
    # A count that ends later would have a note of its own.
    desk.wait(lambda: desk.chat.memory.parts is not None)
    composer.set_note(OLDEST_LEFT_OUT)
    desk.chat.transcript.theme.zoom = zoom
    lines = set()
    for width_px in (1000, 420, 300):
        composer.setFixedWidth(round(width_px * zoom))
        QApplication.processEvents()
        note, thinking, send = (
            QRect(one.mapTo(composer, QPoint(0, 0)), one.size())
            for one in (composer._note, desk.thinking_button, composer.send)
        )
        assert not note.intersects(thinking), width_px
        assert not thinking.intersects(send), width_px
        assert note.width() >= composer._note.minimumSizeHint().width()
        lines.add(note.y() < thinking.y() - note.height())
        assert desk.thinking_button.accessibleName() == THINKING_ON
    assert lines == {True, False}
