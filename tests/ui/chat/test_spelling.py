"""Misspelled words are underlined a moment after they were typed; the menu says what may be meant."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QTextCursor
from PySide6.QtWidgets import QMenu

from app.ui.shared_labels import UNDO
from app.ui.spell_check import ADD_TO_DICTIONARY, CHECK_SPELLING, MISSPELLED_WORDS
from tests.helpers.desks.chat import ChatDesk
from tests.helpers.dictionaries import lines, menu_at, underlined, use_dictionaries
from tests.helpers.texts import shows
from tests.ui.chat.conftest import Open


@pytest.fixture
def desk(open_chat: Open, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ChatDesk:
    use_dictionaries(tmp_path / "hunspell", monkeypatch)
    return open_chat({"text": "Fine."})


def test_a_word_is_underlined_once_it_is_written_and_corrected_from_the_menu(desk: ChatDesk) -> None:
    desk.field.insertPlainText("😀 ")
    desk.type("the wrold is teh")
    desk.wait(lambda: underlined(desk.field) == ["wrold"])
    assert MISSPELLED_WORDS.format(words="wrold") in desk.field.accessibleDescription()
    desk.type(" dog")
    desk.wait(lambda: underlined(desk.field) == ["wrold", "teh"])
    menu = menu_at(desk.field, "wrold")
    desk.wait(lambda: "world" in lines(menu))
    assert ADD_TO_DICTIONARY.format(name="wrold") in lines(menu)
    desk.choose(menu, "world")
    assert desk.message == "😀 the world is teh dog"
    desk.wait(lambda: underlined(desk.field) == ["teh"])
    desk.press(Qt.Key.Key_Z, modifier=Qt.KeyboardModifier.ControlModifier)
    assert desk.message == "😀 the wrold is teh dog"


def test_a_word_is_added_to_the_dictionary_and_taken_back(desk: ChatDesk) -> None:
    desk.type("Fireside is quick ")
    desk.wait(lambda: underlined(desk.field) == ["Fireside"])
    desk.choose(menu_at(desk.field, "Fireside"), "Add “Fireside”")
    desk.wait(lambda: underlined(desk.field) == [])
    assert desk.paths.own_words.read_text("utf-8") == "Fireside\n"
    desk.press_notice(UNDO)
    desk.wait(lambda: underlined(desk.field) == ["Fireside"])


def test_a_menu_at_the_foot_of_the_screen_grows_upwards(desk: ChatDesk) -> None:
    desk.type("this is ane dog")
    desk.wait(lambda: underlined(desk.field) == ["ane"])
    menu = menu_at(desk.field, "ane")
    before, bottom = len(lines(menu)), menu.screen().availableGeometry().bottom()
    menu.move(menu.x(), bottom + 1 - menu.sizeHint().height())
    desk.wait(lambda: len(lines(menu)) > before)
    assert menu.y() + menu.sizeHint().height() <= bottom + 1


def test_the_switch_in_the_menu_ends_it_and_what_is_right_has_no_suggestions(desk: ChatDesk) -> None:
    desk.type("the wrold is ")
    desk.wait(lambda: underlined(desk.field) == ["wrold"])
    menu = menu_at(desk.field, "the")
    assert not [line for line in lines(menu) if shows(ADD_TO_DICTIONARY, line)]
    desk.choose(menu, CHECK_SPELLING)
    assert underlined(desk.field) == []
    assert not desk.settings.composer.check_spelling
    assert desk.field.accessibleDescription() == ""


def test_in_a_long_message_only_what_is_seen_is_looked_at(desk: ChatDesk) -> None:
    desk.field.insertPlainText("the quick brown fox jumps over the lazy dog\n" * 400 + "teh end\n")
    cursor = desk.field.textCursor()
    cursor.movePosition(QTextCursor.MoveOperation.Start)
    desk.field.setTextCursor(cursor)
    desk.type("wrold ")
    desk.wait(lambda: underlined(desk.field) == ["wrold"])
    desk.field.verticalScrollBar().setValue(desk.field.verticalScrollBar().maximum())
    desk.wait(lambda: underlined(desk.field) == ["teh", "end"])


def test_without_a_dictionary_the_menu_says_so(
    open_chat: Open, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("DICPATH", "XDG_DATA_DIRS", "XDG_DATA_HOME"):
        monkeypatch.setenv(name, str(tmp_path / "none"))
    desk = open_chat()
    desk.type("teh wrold ")
    desk.wait(desk.field.hasFocus)
    menu = QMenu(desk.root)
    desk.field.menu_wanted.emit(menu, QPoint(2, 2))
    switch = next(action for action in menu.actions() if action.text().startswith(CHECK_SPELLING))
    assert (switch.isEnabled(), switch.isChecked()) == (False, False)
