"""Dictation into fields: provisional words are no part of the text, confirmed ones go where it began, one undo."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QDialog, QLineEdit, QPlainTextEdit, QVBoxLayout, QWidget
from pytestqt.qtbot import QtBot

from app.documents.microphone import TRIAL_VARIABLE
from app.ui.chat.chat_tab import ChatTab
from app.ui.chat.chat_view import ChatView
from app.ui.shell.field_dictation import NO_MODEL_HEARS, WORDS_WITHOUT_PLACE, FieldDictation
from app.ui.widgets.dictated_text import TextField, as_text_field, dictated_text
from app.ui.widgets.input_fields import PlainEdit
from tests.helpers.desks.window import Frame, open_window
from tests.helpers.script import write_script
from tests.helpers.sounds import spoken, write_sound
from tests.helpers.texts import shows

KINDS = (PlainEdit, QPlainTextEdit, QLineEdit)


@pytest.fixture(params=KINDS)
def field(request: pytest.FixtureRequest, qtbot: QtBot) -> Iterator[TextField]:
    window = QWidget()
    field: TextField = request.param()
    layout = QVBoxLayout(window)
    layout.addWidget(field)
    layout.addWidget(QLineEdit())
    qtbot.addWidget(window)
    window.show()
    qtbot.waitUntil(window.isActiveWindow)
    field.setFocus()
    QTest.keyClicks(field, "Dear Ann,")
    yield field


def text_of(field: TextField) -> str:
    return field.text() if isinstance(field, QLineEdit) else field.toPlainText()


def preedit_of(field: TextField) -> str:
    """What is shown at the caret without being part of the text."""
    if isinstance(field, QLineEdit):
        return field.displayText().replace(field.text(), "", 1)
    return field.textCursor().block().layout().preeditAreaText()


def test_provisional_words_are_shown_and_not_part_of_the_text(field: TextField) -> None:
    text = dictated_text(field)
    text.show_provisional("we met")
    assert text_of(field) == "Dear Ann,"
    if not isinstance(field, QLineEdit):
        assert preedit_of(field) == " we met"
    text.show_provisional("we meet on")
    assert text.confirm("We meet on Tuesday.")
    assert text_of(field) == "Dear Ann, We meet on Tuesday."
    if not isinstance(field, QLineEdit):
        assert preedit_of(field) == ""


def test_one_undo_takes_back_all_that_was_dictated_and_nothing_else(field: TextField) -> None:
    text = dictated_text(field)
    for words in ("We meet on Tuesday.", "Bring the keys."):
        text.show_provisional(words[:5])
        text.confirm(words)
    assert text_of(field) == "Dear Ann, We meet on Tuesday. Bring the keys."
    field.undo()
    assert text_of(field) == "Dear Ann,"
    field.redo()
    assert text_of(field) == "Dear Ann, We meet on Tuesday. Bring the keys."


def test_words_go_where_dictation_began_though_the_caret_has_moved(field: TextField) -> None:
    text = dictated_text(field)
    text.show_provisional("we")
    text.settle()
    assert text_of(field) == "Dear Ann, we", "what is shown is there when the caret moves"
    QTest.keyClick(field, Qt.Key.Key_Home)
    QTest.keyClicks(field, "My ")
    assert text.confirm("We meet.")
    assert text_of(field) == "My Dear Ann, We meet."
    QTest.keyClicks(field, "very ")
    assert text_of(field) == "My very Dear Ann, We meet."
    assert text.confirm("Bye.")
    assert text_of(field) == "My very Dear Ann, We meet. Bye."


def test_words_replace_what_is_selected(field: TextField) -> None:
    field.selectAll()
    assert dictated_text(field).confirm("Hello.")
    assert text_of(field) == "Hello."


def test_no_space_is_written_in_japanese(field: TextField) -> None:
    text = dictated_text(field)
    text.confirm("火曜日に会います。")
    text.confirm("鍵を持ってきて。")
    assert text_of(field).endswith("火曜日に会います。鍵を持ってきて。")


def test_fields_that_hide_or_keep_their_text_take_none(qtbot: QtBot) -> None:
    password, read = QLineEdit(echoMode=QLineEdit.EchoMode.Password), QPlainTextEdit(readOnly=True)
    for field in (password, read):
        qtbot.addWidget(field)
        assert as_text_field(field) is None
    assert as_text_field(None) is None


@pytest.fixture
def frame(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, qapp: object) -> Iterator[Frame]:
    """A window with a model that hears; what is said lasts longer than any of these tests should."""
    script = write_script(
        tmp_path / "script", {"when": "word for word", "text": "We meet on Tuesday."}, load={"hears": True}
    )
    monkeypatch.setenv("FIRESIDE_ENGINE_SCRIPT", str(script))
    monkeypatch.setenv(TRIAL_VARIABLE, str(write_sound(tmp_path / "said.wav", spoken((19.0, 1.0)))))
    with open_window(qapp, make_chat=ChatView) as frame:  # type: ignore[arg-type]
        yield frame


def dictation_of(frame: Frame) -> FieldDictation:
    dictation = frame.window.ui.dictation
    assert dictation is not None
    return dictation


def load_model(frame: Frame) -> None:
    frame.window.loader.start()
    frame.wait(lambda: dictation_of(frame).can_hear)


def press(frame: Frame, *, release: bool = True) -> None:
    window = frame.window.windowHandle()
    QTest.keyPress(window, Qt.Key.Key_F9)
    if release:
        QTest.keyRelease(window, Qt.Key.Key_F9)


def test_the_key_writes_what_is_said_into_the_message(frame: Frame) -> None:
    dictation, edit = dictation_of(frame), frame.find_step(ChatTab).chat.composer.field.edit
    load_model(frame)
    edit.setFocus()
    press(frame)
    assert dictation.is_listening
    frame.wait(lambda: edit.textCursor().block().layout().preeditAreaText() == "We meet on Tuesday.")
    assert edit.toPlainText() == "", "it may change yet"
    QTest.keyClick(edit, Qt.Key.Key_Return)
    frame.wait(lambda: not dictation.is_on)
    assert edit.toPlainText() == "We meet on Tuesday.", "Enter ended it and sent nothing"
    assert list(frame.app.paths.heard.iterdir()) == []
    edit.undo()
    assert edit.toPlainText() == ""


def test_a_key_that_is_held_ends_it_when_it_is_released(frame: Frame, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.ui.shell.field_dictation.HOLD_S", 0.0)
    dictation, edit = dictation_of(frame), frame.find_step(ChatTab).chat.composer.field.edit
    load_model(frame)
    edit.setFocus()
    press(frame, release=False)
    frame.wait(lambda: bool(edit.textCursor().block().layout().preeditAreaText()))
    QTest.keyRelease(frame.window.windowHandle(), Qt.Key.Key_F9)
    frame.wait(lambda: not dictation.is_on)
    assert edit.toPlainText() == "We meet on Tuesday."


def test_leaving_the_field_ends_it_and_keeps_what_is_shown(frame: Frame) -> None:
    dictation, edit = dictation_of(frame), frame.find_step(ChatTab).chat.composer.field.edit
    load_model(frame)
    edit.setFocus()
    dictation.toggle()
    frame.wait(lambda: bool(edit.textCursor().block().layout().preeditAreaText()))
    edit.clearFocus()
    assert edit.toPlainText() == "We meet on Tuesday."
    frame.wait(lambda: not dictation.is_on)
    assert edit.toPlainText() == "We meet on Tuesday."


def test_without_a_field_or_a_model_that_hears_it_says_so(frame: Frame) -> None:
    dictation = dictation_of(frame)
    frame.find_step(ChatTab).chat.composer.field.edit.setFocus()
    dictation.toggle()
    assert NO_MODEL_HEARS in frame.notices
    assert not dictation.is_on


def test_the_key_works_in_a_dialog_and_its_words_outlive_the_dialog(frame: Frame) -> None:
    dictation, dialog = dictation_of(frame), QDialog(frame.window)
    load_model(frame)
    line = QLineEdit("Keys:")
    QVBoxLayout(dialog).addWidget(line)
    dialog.open()
    line.setFocus()
    frame.wait(line.hasFocus)
    QTest.keyPress(dialog.windowHandle(), Qt.Key.Key_F9)
    QTest.keyRelease(dialog.windowHandle(), Qt.Key.Key_F9)
    assert dictation.is_listening
    frame.wait(lambda: dictation.provisional_words == "We meet on Tuesday.")
    assert line.text() == "Keys:", "it may change yet"
    dialog.close()
    assert line.text() == "Keys: We meet on Tuesday."
    dialog.deleteLater()
    frame.wait(lambda: not dictation.is_on)
    assert shows(WORDS_WITHOUT_PLACE, frame.notices[-1])
