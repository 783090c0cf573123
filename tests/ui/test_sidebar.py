"""The left column: finding, opening, renaming, pinning, deleting with a way back."""

from __future__ import annotations

import time

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLineEdit, QPushButton
from pytestqt.qtbot import QtBot

from app.core.events import Role
from app.ui.row_list import ID_ROLE
from tests.helpers.ui import Frame


def add_chats(frame: Frame, *titles: str) -> list[int]:
    """Chats with one message each, the last one the newest."""
    ids = []
    for title in titles:
        conversation = frame.app.conversations.create(title=title)
        frame.app.conversations.add_message(conversation.id, None, Role.USER, title)
        ids.append(conversation.id)
    frame.window.sidebar.reload()
    return ids


def rows(frame: Frame) -> list[str]:
    model = frame.window.sidebar.model
    return [str(model.index(row).data()) for row in range(model.rowCount())]


def test_chats_are_listed_newest_first(frame: Frame) -> None:
    add_chats(frame, "Letter", "Garden", "Bread")
    assert rows(frame) == ["Today", "Bread", "Garden", "Letter"]


def test_searching_narrows_the_list_and_says_when_nothing_fits(frame: Frame, qtbot: QtBot) -> None:
    add_chats(frame, "Letter to the landlord", "Größe der Brötchen")
    sidebar = frame.window.sidebar
    qtbot.keyClicks(sidebar.search, "GRÖSSE")
    qtbot.waitUntil(lambda: rows(frame) == ["Today", "Größe der Brötchen"])
    sidebar.search.setText("zebra")
    qtbot.waitUntil(lambda: rows(frame) == [])
    assert sidebar._nothing.isVisible()
    sidebar.search.clear()
    qtbot.waitUntil(lambda: len(rows(frame)) == 3)


def test_a_click_opens_a_chat(frame: Frame, qtbot: QtBot) -> None:
    first, _ = add_chats(frame, "Letter", "Garden")
    sidebar = frame.window.sidebar
    place = sidebar.list.visualRect(sidebar.model.index_of(first)).center()
    qtbot.mouseClick(sidebar.list.viewport(), Qt.MouseButton.LeftButton, pos=place)
    assert frame.chat.conversation_id == first
    assert frame.window.windowTitle() == "Letter – Fireside"


def test_after_a_click_or_enter_the_message_has_the_keyboard_after_an_arrow_the_list_keeps_it(
    frame: Frame, qtbot: QtBot
) -> None:
    first, second = add_chats(frame, "Letter", "Garden")
    sidebar = frame.window.sidebar
    frame.window.activateWindow()
    place = sidebar.list.visualRect(sidebar.model.index_of(first)).center()
    qtbot.mouseClick(sidebar.list.viewport(), Qt.MouseButton.LeftButton, pos=place)
    assert frame.chat.composer.hasFocus()
    sidebar.list.setFocus()
    qtbot.keyClick(sidebar.list, Qt.Key.Key_Up)
    qtbot.waitUntil(lambda: frame.chat.conversation_id == second)
    assert sidebar.list.hasFocus()
    qtbot.keyClick(sidebar.list, Qt.Key.Key_Return)
    assert frame.chat.composer.hasFocus()


def test_escape_clears_the_search_and_then_goes_back_to_the_message(frame: Frame, qtbot: QtBot) -> None:
    add_chats(frame, "Letter", "Garden")
    search = frame.window.sidebar.search
    frame.window.actions_by_name["search"].trigger()
    qtbot.keyClicks(search, "letter")
    qtbot.waitUntil(lambda: rows(frame) == ["Today", "Letter"])
    qtbot.keyClick(search, Qt.Key.Key_Escape)
    qtbot.waitUntil(lambda: len(rows(frame)) == 3)
    assert (search.text(), search.hasFocus()) == ("", True)
    qtbot.keyClick(search, Qt.Key.Key_Escape)
    assert frame.chat.composer.hasFocus()


def test_down_goes_from_the_search_to_the_first_that_was_found(frame: Frame, qtbot: QtBot) -> None:
    letter, _garden = add_chats(frame, "Letter", "Garden")
    sidebar = frame.window.sidebar
    frame.window.actions_by_name["search"].trigger()
    qtbot.keyClicks(sidebar.search, "letter")
    qtbot.keyClick(sidebar.search, Qt.Key.Key_Down)
    qtbot.waitUntil(lambda: frame.chat.conversation_id == letter)
    assert sidebar.list.hasFocus()
    qtbot.keyClick(sidebar.list, Qt.Key.Key_Return)
    assert frame.chat.composer.hasFocus()


def test_a_new_chat_shows_while_a_search_is_set(frame: Frame, qtbot: QtBot) -> None:
    add_chats(frame, "Letter")
    sidebar = frame.window.sidebar
    sidebar.search.setText("letter")
    qtbot.waitUntil(lambda: rows(frame) == ["Today", "Letter"])
    frame.window.new_chat()
    (garden,) = (frame.app.conversations.create(title="Garden").id,)
    frame.chat.conversation_id = garden
    frame.chat.title_changed.emit(garden)
    assert (sidebar.search.text(), rows(frame)) == ("", ["Today", "Garden", "Letter"])
    assert sidebar.list.currentIndex().data(ID_ROLE) == garden


def test_arrows_move_over_the_headings_and_open_where_they_stop(frame: Frame, qtbot: QtBot) -> None:
    first, second = add_chats(frame, "Letter", "Garden")
    frame.window.show_chat(second)
    frame.window.sidebar.list.setFocus()
    qtbot.keyClick(frame.window.sidebar.list, Qt.Key.Key_Down)
    qtbot.waitUntil(lambda: frame.chat.conversation_id == first)


def test_f2_renames_in_the_row(frame: Frame, qtbot: QtBot) -> None:
    (first,) = add_chats(frame, "Letter")
    frame.window.show_chat(first)
    sidebar = frame.window.sidebar
    frame.window.activateWindow()
    sidebar.list.setFocus()
    qtbot.keyClick(sidebar.list, Qt.Key.Key_F2)
    editor = sidebar.list.findChild(QLineEdit, "row_editor")
    assert editor is not None
    editor.setText("A new title")
    qtbot.keyClick(editor, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: "A new title" in rows(frame))
    stored = frame.app.conversations.get(first)
    assert stored is not None
    assert stored.title == "A new title"
    assert frame.window.windowTitle() == "A new title – Fireside"


def test_delete_can_be_taken_back(frame: Frame, qtbot: QtBot) -> None:
    first, second = add_chats(frame, "Letter", "Garden")
    frame.window.show_chat(first)
    frame.window.sidebar.list.setFocus()
    qtbot.keyClick(frame.window.sidebar.list, Qt.Key.Key_Delete)
    assert rows(frame) == ["Today", "Garden"]
    assert frame.chat.conversation_id is None
    assert frame.notices() == ["“Letter” was deleted."]
    undo = next(b for b in frame.notify.bar.findChildren(QPushButton) if b.text() == "Undo")
    qtbot.mouseClick(undo, Qt.MouseButton.LeftButton)
    assert "Letter" in rows(frame)
    assert frame.chat.conversation_id == first
    assert frame.app.conversations.get(second) is not None


def test_a_chat_can_be_pinned_and_unpinned(frame: Frame, qtbot: QtBot) -> None:
    first, _ = add_chats(frame, "Letter", "Garden")
    sidebar = frame.window.sidebar
    for wanted, expected in (
        ("Pin", ["Pinned", "Letter", "Today", "Garden"]),
        ("Unpin", ["Today", "Garden", "Letter"]),
    ):
        menu = sidebar.menu_for(sidebar.model.index_of(first), first, pinned=wanted == "Unpin")
        next(action for action in menu.actions() if action.text() == wanted).trigger()
        menu.deleteLater()
        assert rows(frame) == expected


def test_a_touched_chat_moves_to_the_top_without_losing_the_selection(frame: Frame) -> None:
    first, _ = add_chats(frame, "Letter", "Garden")
    frame.window.show_chat(first)
    frame.app.conversations.add_message(first, None, Role.USER, "more")
    frame.chat.title_changed.emit(first)
    assert rows(frame) == ["Today", "Letter", "Garden"]
    assert frame.window.sidebar.list.currentIndex().data(ID_ROLE) == first


def test_a_chat_that_is_gone_is_no_error(frame: Frame) -> None:
    (first,) = add_chats(frame, "Letter")
    frame.app.conversations.delete(first)
    frame.window.sidebar.refresh(first)
    frame.window.sidebar.delete(first)
    assert rows(frame) == []


def test_ten_thousand_chats_stay_fast(frame: Frame, qtbot: QtBot) -> None:
    now = time.time()
    with frame.app.database.transaction() as connection:
        connection.executemany(
            "INSERT INTO conversations (title, system_prompt, model, created_at, updated_at) VALUES (?, '', '', ?, ?)",
            [(f"Chat {number}", now - number, now - number * 600) for number in range(10_000)],
        )
    sidebar = frame.window.sidebar
    begun_s = time.perf_counter()
    sidebar.reload()
    frame.window.grab()
    loaded_s = time.perf_counter() - begun_s
    begun_s = time.perf_counter()
    sidebar.refresh(1)
    frame.window.grab()
    refreshed_s = time.perf_counter() - begun_s
    assert loaded_s < 1
    assert refreshed_s < 0.3
