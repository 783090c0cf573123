"""Misspelled words of a page of prose are underlined, beside what is tinted; code and other pages are left alone."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtGui import QTextCursor
from PySide6.QtTest import QTest

from app.ui.spell_check import CHECK_SPELLING, MISSPELLED_WORDS
from app.ui.write.page_edit import TINTED_TEXT
from tests.helpers.desks.write import WriteDesk
from tests.helpers.dictionaries import lines, menu_at, underlined, use_dictionaries
from tests.helpers.texts import shows
from tests.ui.write.conftest import Open


@pytest.fixture
def desk(open_page: Open, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> WriteDesk:
    use_dictionaries(tmp_path / "hunspell", monkeypatch)
    opened = open_page()
    opened.edit.setFocus()
    return opened


def test_a_word_of_a_page_is_underlined_and_corrected_in_one_step(desk: WriteDesk) -> None:
    QTest.keyClicks(desk.edit, "this is ")
    desk.edit.begin_run()
    desk.edit.grow_run("teh dog")
    desk.edit.page.end_run()
    desk.edit.moveCursor(QTextCursor.MoveOperation.End)
    QTest.keyClicks(desk.edit, " and the wrold ")
    desk.wait(lambda: underlined(desk.edit) == ["teh", "wrold"])
    assert desk.tinted == ["teh dog"], "both are seen"
    assert MISSPELLED_WORDS.format(words="teh, wrold") in desk.edit.accessibleDescription()
    assert shows(TINTED_TEXT, desk.edit.accessibleDescription())
    menu = menu_at(desk.edit, "wrold")
    desk.wait(lambda: "world" in lines(menu))
    next(action for action in menu.actions() if action.text() == "world").trigger()
    menu.close()
    assert desk.text == "this is teh dog and the world "
    desk.wait(lambda: underlined(desk.edit) == ["teh"])
    desk.edit.undo_last()
    assert desk.text == "this is teh dog and the wrold "


def test_code_is_left_alone_and_so_is_a_page_that_was_only_opened(desk: WriteDesk) -> None:
    QTest.keyClicks(desk.edit, "the wrold is a state ")
    desk.wait(lambda: underlined(desk.edit) == ["wrold"])
    desk.root.choose_language("python")
    assert underlined(desk.edit) == []
    assert CHECK_SPELLING not in lines(menu_at(desk.edit, "state"))
    desk.root.choose_language("text")
    QTest.keyClicks(desk.edit, "and ")
    desk.wait(lambda: underlined(desk.edit) == ["wrold"])
    desk.root.show_page(None, "teh dog ")
    assert underlined(desk.edit) == []


def test_the_end_of_a_very_long_page_is_looked_at_where_it_is_seen(desk: WriteDesk) -> None:
    desk.root.show_page(None, "\U0001f600 the quick brown fox jumps over the lazy dog\n" * 5000)
    desk.edit.moveCursor(QTextCursor.MoveOperation.End)
    QTest.keyClicks(desk.edit, "this is teh world ")
    desk.wait(lambda: underlined(desk.edit) == ["teh"])
