"""The left column: finding, opening, renaming, pinning, deleting with a way back."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from PySide6.QtCore import QEvent, QMimeData, QModelIndex, QPoint, QPointF, Qt
from PySide6.QtGui import QDragEnterEvent, QDragLeaveEvent, QDragMoveEvent, QDropEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QMenu
from pytestqt.modeltest import ModelTester
from pytestqt.qtbot import QtBot

from app.core.events import Role
from app.language.static_embeddings import load_table
from app.store.conversation_row import Conversation
from app.store.projects import Project, Tags
from app.ui.chat.chat_list import CHAT_ASKS, PROJECTS, SIMILAR_IN_MEANING, ChatDelegate, ChatListModel, group_of
from app.ui.chat.chat_projects import INSTRUCTIONS_DOCUMENTS, PROJECT_DELETED
from app.ui.chat.chat_tags import CHAT_TYPE, COLOURS, TAG_TYPE, TAGS, ColourButton
from app.ui.chat.turn_column import NO_CHAT_WITH_TAGS
from app.ui.shared_labels import (
    LAST_SEVEN_DAYS,
    NAME_DELETED,
    NEW_CHAT,
    OLDER,
    PIN,
    PINNED,
    TODAY,
    UNDO,
    UNPIN,
    YESTERDAY,
)
from app.ui.theme import DARK, HIGH_DARK, HIGH_LIGHT, LIGHT
from tests.helpers.counting import lines_run
from tests.helpers.desks.window import Frame
from tests.ui.test_theme import contrast


def add_chats(frame: Frame, *titles: str) -> list[int]:
    """Chats with one message each, the last one the newest."""
    ids = []
    for title in titles:
        conversation = frame.conversations.create(title=title)
        frame.conversations.add_message(conversation.id, None, Role.USER, "Hello")
        ids.append(conversation.id)
    frame.chats.root.reload()
    return ids


def test_searching_narrows_the_list_and_says_when_nothing_fits(frame: Frame, qtbot: QtBot) -> None:
    add_chats(frame, "Letter to the landlord", "Größe der Brötchen")
    chats = frame.chats
    qtbot.keyClicks(chats.search_text, "GRÖSSE")
    qtbot.waitUntil(lambda: frame.chats.rows == [TODAY, "Größe der Brötchen"])
    chats.search_text.setText("zebra")
    qtbot.waitUntil(chats.nothing.isVisible)
    assert frame.chats.rows == []
    chats.search_text.clear()
    qtbot.waitUntil(lambda: len(frame.chats.rows) == 3)


def test_after_a_click_or_enter_the_message_has_the_keyboard_after_an_arrow_the_list_keeps_it(
    frame: Frame, qtbot: QtBot
) -> None:
    first, second = add_chats(frame, "Letter", "Garden")
    chats = frame.chats
    frame.activate()
    chats.open(first)
    assert frame.is_typing
    chats.press_in_list(Qt.Key.Key_Up)
    qtbot.waitUntil(lambda: frame.chat.conversation_id == second)
    assert chats.list.hasFocus()
    qtbot.keyClick(chats.list, Qt.Key.Key_Return)
    assert frame.is_typing


def test_f2_renames_in_the_row(frame: Frame, qtbot: QtBot) -> None:
    (first,) = add_chats(frame, "Letter")
    frame.show_chat(first)
    chats = frame.chats
    frame.activate()
    chats.press_in_list(Qt.Key.Key_F2)
    editor = chats.row_editor
    editor.setText("A new title")
    qtbot.keyClick(editor, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: "A new title" in frame.chats.rows)
    stored = frame.conversations.get(first)
    assert stored is not None
    assert stored.title == "A new title"
    assert frame.window.windowTitle() == "A new title – Fireside"


def test_delete_can_be_taken_back(frame: Frame, qtbot: QtBot) -> None:
    first, second = add_chats(frame, "Letter", "Garden")
    frame.show_chat(first)
    frame.chats.press_in_list(Qt.Key.Key_Delete)
    assert frame.chats.rows == [TODAY, "Garden"]
    assert frame.chat.conversation_id is None
    assert frame.notices == [NAME_DELETED.format(name="Letter")]
    frame.press_notice(UNDO)
    assert "Letter" in frame.chats.rows
    assert frame.chat.conversation_id == first
    assert frame.conversations.get(second) is not None


def test_a_chat_can_be_pinned_and_unpinned(frame: Frame, qtbot: QtBot) -> None:
    first, _ = add_chats(frame, "Letter", "Garden")
    chats = frame.chats
    for wanted, expected in (
        (PIN, [PINNED, "Letter", TODAY, "Garden"]),
        (UNPIN, [TODAY, "Garden", "Letter"]),
    ):
        chats.choose_for(first, wanted)
        assert frame.chats.rows == expected


def test_of_ten_thousand_chats_only_those_in_view_are_work_for_the_screen(frame: Frame, qtbot: QtBot) -> None:
    now = time.time()
    with frame.database.transaction() as connection:
        connection.executemany(
            "INSERT INTO conversations (title, system_prompt, model, created_at, updated_at) VALUES (?, '', '', ?, ?)",
            [(f"Chat {number}", now - number, now - number * 600) for number in range(10_000)],
        )
    sidebar = frame.chats.root
    assert lines_run(sidebar.reload) < 100 * 10_000
    assert lines_run(frame.window.grab) < 5 * 10_000
    assert lines_run(lambda: sidebar.refresh(1)) < 30 * 10_000
    assert lines_run(frame.window.grab) < 5 * 10_000


# Chats as rows in groups by age.


NOW = datetime(2026, 11, 24, 16, 0)


def chat(number: int, age: timedelta = timedelta(0), *, pinned: bool = False) -> Conversation:
    seen = (NOW - age).timestamp()
    return Conversation(number, f"Chat {number}", "", None, "", "", seen, seen, None, pinned)


def rows(model: ChatListModel) -> list[str]:
    return [str(model.index(row).data()) for row in range(model.rowCount())]


def test_groups_go_by_calendar_days() -> None:
    ages = {TODAY: 15, YESTERDAY: 17, LAST_SEVEN_DAYS: 24 * 6, OLDER: 24 * 7}
    assert [group_of(chat(1, timedelta(hours=hours)), NOW) for hours in ages.values()] == list(ages)
    assert group_of(chat(1, timedelta(days=400), pinned=True), NOW) == PINNED
    assert group_of(chat(1, timedelta(hours=-30)), NOW) == TODAY, "by a clock that was set back"


def test_headings_stand_above_their_chats_and_cannot_be_chosen(qtmodeltester: ModelTester) -> None:
    model = ChatListModel()
    model.show([chat(1), chat(2), chat(3, timedelta(days=1)), chat(4, timedelta(days=30), pinned=True)], NOW)
    qtmodeltester.check(model)
    assert rows(model) == [PINNED, "Chat 4", TODAY, "Chat 1", "Chat 2", YESTERDAY, "Chat 3"]
    assert model.flags(model.index(0)) == Qt.ItemFlag.NoItemFlags
    assert model.flags(model.index(1)) & Qt.ItemFlag.ItemIsSelectable


def test_renaming_cleans_the_title_and_refuses_an_empty_one(qtbot: QtBot) -> None:
    model = ChatListModel()
    model.show([chat(1)], NOW)
    with qtbot.waitSignal(model.renamed) as told:
        assert model.setData(model.index(1), "  A \n better   title ")
    assert told.args == [1, "A better title"]
    assert not model.setData(model.index(1), "  \n ")


def say(frame: Frame, number: int, *texts: str) -> list[int]:
    """More messages of a chat, under each other; returns their ids."""
    parent, ids = frame.conversations.read_branch(number)[-1].id, []
    for text in texts:
        parent = frame.conversations.add_message(number, parent, Role.ASSISTANT, text).id
        ids.append(parent)
    return ids


def test_words_in_messages_are_found_below_their_chat_and_opened_there(frame: Frame, qtbot: QtBot) -> None:
    _, garden, bread = add_chats(frame, "The kiln", "Garden", "Bread")
    inside, _ = say(frame, garden, "Roses beside the kiln.", "Nothing")
    many = say(frame, bread, *(f"Loaf {n}, from a kiln" for n in range(5)))
    chats = frame.chats
    frame.activate()
    chats.search_text.setFocus()
    qtbot.keyClicks(chats.search_text, "kiln")
    found = [
        TODAY,
        "Bread",
        *(f"Loaf {n}, from a kiln" for n in (4, 3, 2)),
        "Garden",
        "Roses beside the kiln.",
        "The kiln",
    ]
    qtbot.waitUntil(lambda: chats.rows == found)
    assert chats.index_of(garden).row() == 5, "of a chat and what is below it the chat"
    qtbot.keyClick(chats.search_text, Qt.Key.Key_Down)
    qtbot.waitUntil(lambda: frame.chat.conversation_id == bread)
    qtbot.keyClick(chats.list, Qt.Key.Key_Down)
    qtbot.waitUntil(lambda: frame.chat.shown_message == (many[4], "kiln"))
    assert chats.list.currentIndex().row() == 2, "it stays where the person is"
    assert chats.list.hasFocus()
    for key in (Qt.Key.Key_Delete, Qt.Key.Key_F2):
        qtbot.keyClick(chats.list, key)
    assert (chats.rows, chats.row_editor) == (found, None), "a place is neither deleted nor renamed"
    chats.click_at(chats.list, chats.list.visualRect(chats.model.index(6, 0)).center())
    assert (frame.chat.conversation_id, frame.chat.shown_message) == (garden, (inside, "kiln"))
    assert frame.is_typing
    chats.search_text.setFocus()
    qtbot.keyClick(chats.search_text, Qt.Key.Key_Escape)
    qtbot.waitUntil(lambda: chats.rows == [TODAY, "Bread", "Garden", "The kiln"])
    assert (chats.current, chats.search_text.hasFocus()) == (garden, True)
    qtbot.keyClick(chats.search_text, Qt.Key.Key_Escape)
    assert frame.is_typing


def test_what_is_only_similar_in_meaning_comes_after_what_has_the_words(frame: Frame, qtbot: QtBot) -> None:
    if load_table() is None:
        pytest.skip("set-up could not fetch the encoder, so there is no table")
    garden, house = add_chats(frame, "Garden", "Keeping pets")
    similar = "Dogs and cats are allowed as long as the neighbours do not complain."
    (inside,) = say(frame, garden, similar)
    chats = frame.chats
    chats.find_words("keeping pets")
    qtbot.waitUntil(lambda: chats.rows == [TODAY, "Keeping pets", SIMILAR_IN_MEANING, "Garden", similar])
    chats.click_at(chats.list, chats.list.visualRect(chats.model.index(4, 0)).center())
    assert (frame.chat.conversation_id, frame.chat.shown_message) == (garden, (inside, ""))
    chats.search_text.clear()
    qtbot.waitUntil(lambda: chats.rows == [TODAY, "Garden", "Keeping pets"])
    assert chats.current == garden
    assert house in [row.id for row in chats.model.found]


def test_while_one_types_what_still_fits_stays_and_what_is_gone_does_not_come_back(frame: Frame, qtbot: QtBot) -> None:
    (garden,) = add_chats(frame, "Garden")
    (inside,) = say(frame, garden, "Roses beside the kiln.")
    chats = frame.chats
    chats.find_words("ros")
    qtbot.waitUntil(lambda: "Roses beside the kiln." in chats.rows)
    chats.find_words("roses ki")
    chats.reload()
    assert chats.rows == [TODAY, "Garden", "Roses beside the kiln."]
    chats.find_words("roses kxqz")
    chats.reload()
    assert chats.rows == []
    qtbot.waitUntil(chats.nothing.isVisible)
    chats.find_words("roses")
    qtbot.waitUntil(lambda: "Roses beside the kiln." in chats.rows)
    frame.conversations.delete_message(inside)
    chats.reload()
    qtbot.waitUntil(chats.nothing.isVisible)


# Projects and tags.


def begin_project(frame: Frame, name: str, *chats: int) -> int:
    """A project with these chats."""
    project = frame.app.preambles.projects.create(name)
    for number in chats:
        frame.conversations.update(number, project_id=project.id)
    frame.chats.reload()
    return project.id


def drop(frame: Frame, kind: str, number: int, index: QModelIndex | QPoint) -> bool:
    """Something is dragged above a row, or a place of the list, and let go there; whether it was taken."""
    view = frame.chats.list
    at = QPointF(index if isinstance(index, QPoint) else view.visualRect(index).center())
    data = QMimeData()
    data.setData(kind, str(number).encode())
    common = (Qt.DropAction.MoveAction, data, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier)
    QApplication.sendEvent(view.viewport(), QDragEnterEvent(at, *common))
    move = QDragMoveEvent(at, *common)
    QApplication.sendEvent(view.viewport(), move)
    if not move.isAccepted():
        QApplication.sendEvent(view.viewport(), QDragLeaveEvent())
        return False
    QApplication.sendEvent(view.viewport(), QDropEvent(at, *common, QEvent.Type.Drop))
    return True


def project_of(frame: Frame, number: int) -> int | None:
    chat = frame.conversations.get(number)
    assert chat is not None
    return chat.project_id


def test_projects_stand_above_the_chats_and_are_folded_by_click_and_by_key(frame: Frame, qtbot: QtBot) -> None:
    letter, garden, _ = add_chats(frame, "Letter", "Garden", "Bread")
    flat = begin_project(frame, "Flat", letter)
    begin_project(frame, "אבן 🏺")
    chats = frame.chats
    assert chats.rows == [PROJECTS, "Flat", "Letter", "אבן 🏺", TODAY, "Bread", "Garden"]
    chats.open(letter)
    chats.click_at(chats.list, chats.list.visualRect(chats.index_of(-flat)).center())
    assert chats.rows == [PROJECTS, "Flat", "אבן 🏺", TODAY, "Bread", "Garden"]
    assert frame.chat.conversation_id == letter, "folding opens nothing"
    frame.show_chat(garden)
    chats.list.setCurrentIndex(chats.index_of(-flat))
    for key, is_open in ((Qt.Key.Key_Right, True), (Qt.Key.Key_Left, False), (Qt.Key.Key_Return, True)):
        chats.press_in_list(key)
        assert ("Letter" in chats.rows) == is_open
        assert chats.list.currentIndex() == chats.index_of(-flat), "the keyboard stays there"
    chats.press_in_list(Qt.Key.Key_Down)
    qtbot.waitUntil(lambda: frame.chat.conversation_id == letter)
    chats.press_in_list(Qt.Key.Key_Left)
    assert chats.list.currentIndex() == chats.index_of(-flat)
    row = chats.index_of(-flat).data(Qt.ItemDataRole.AccessibleTextRole)
    assert row == "Project Flat, 1 chat, open"
    QTest.keyClick(chats.list, Qt.Key.Key_F10, Qt.KeyboardModifier.ShiftModifier)
    (menu,) = [one for one in frame.window.findChildren(QMenu) if one.isVisible()]
    assert [action.text() for action in menu.actions()][:2] == [NEW_CHAT, INSTRUCTIONS_DOCUMENTS]
    menu.close()


def test_a_chat_is_dragged_into_a_project_and_out_and_that_can_be_taken_back(frame: Frame) -> None:
    letter, garden = add_chats(frame, "Letter", "Garden")
    flat = begin_project(frame, "Flat", garden)
    chats = frame.chats
    assert drop(frame, CHAT_TYPE, letter, chats.index_of(-flat))
    assert (project_of(frame, letter), chats.rows) == (flat, [PROJECTS, "Flat", "Garden", "Letter"])
    frame.press_notice(UNDO)
    assert project_of(frame, letter) is None
    assert drop(frame, CHAT_TYPE, letter, chats.index_of(garden)), "a chat of the project stands for it"
    assert not drop(frame, CHAT_TYPE, letter, chats.index_of(garden)), "it is there already"
    assert drop(frame, CHAT_TYPE, letter, chats.list.viewport().rect().bottomLeft() - QPoint(-20, 10))
    assert (project_of(frame, letter), project_of(frame, garden)) == (None, flat)
    assert chats.rows == [PROJECTS, "Flat", "Garden", TODAY, "Letter"]


def test_a_deleted_project_leaves_its_chats_and_comes_back_with_them(frame: Frame) -> None:
    letter, garden = add_chats(frame, "Letter", "Garden")
    flat = begin_project(frame, "Flat", letter)
    chats = frame.chats
    chats.list.setCurrentIndex(chats.index_of(-flat))
    chats.press_in_list(Qt.Key.Key_Delete)
    assert chats.rows == [TODAY, "Garden", "Letter"]
    assert frame.notices == [PROJECT_DELETED.format(title="Flat")]
    frame.press_notice(UNDO)
    assert chats.rows == [PROJECTS, "Flat", "Letter", TODAY, "Garden"]
    assert frame.conversations.get(garden) is not None


def test_a_new_chat_in_a_project_is_in_it_from_its_first_message(frame: Frame, qtbot: QtBot) -> None:
    flat = begin_project(frame, "Flat")
    chats = frame.chats
    chats.choose_for(-flat, NEW_CHAT)
    assert frame.chat.session.state.project_id == flat
    number = frame.conversations.create(title="Letter", project_id=flat).id
    frame.app.preambles.projects.update(flat, is_open=False)
    frame.chat.conversation_id = number
    frame.chat.tell_title(number)
    assert chats.rows == [PROJECTS, "Flat", "Letter"], "it is seen where it is"
    assert chats.current == number


def test_tags_are_put_on_by_drag_and_menu_and_narrow_the_list(frame: Frame, qtbot: QtBot) -> None:
    letter, garden, bread = add_chats(frame, "Letter", "Garden", "Bread")
    begin_project(frame, "Flat", letter)
    begin_project(frame, "Empty")
    tags, chats = Tags(frame.app.database), frame.chats
    work, home = tags.create("Work", "blue"), tags.create("Home", "green")
    chats.reload()
    bar = chats.root.tags
    assert [chip.tag.name for chip in bar.chips] == ["Home", "Work"]
    assert drop(frame, TAG_TYPE, work.id, chats.index_of(letter))
    assert not drop(frame, TAG_TYPE, work.id, chats.list.viewport().rect().bottomLeft() - QPoint(-20, 10))
    bar.chips[0].drop(letter)
    inside = next(action.menu() for action in chats.menu_of(garden).actions() if action.text() == TAGS)
    chats.choose(inside, "Home")
    assert tags.of_chats() == {letter: (work.id, home.id), garden: (home.id,)}
    assert chats.index_of(letter).data(Qt.ItemDataRole.AccessibleTextRole) == "Letter\nTags: Home, Work"
    bar.chips[0].click()
    assert chats.rows == [PROJECTS, "Flat", "Letter", TODAY, "Garden"]
    bar.chips[1].click()
    assert chats.rows == [PROJECTS, "Flat", "Letter"]
    bar.set_tag(work.id, letter, is_on=False)
    assert (chats.rows, chats.nothing.text()) == ([], NO_CHAT_WITH_TAGS)
    bar.chips[1].click()
    chats.find_words("gard")
    qtbot.waitUntil(lambda: chats.rows == [TODAY, "Garden"])
    chats.root.show_new(bread)
    assert "Bread" in chats.rows
    chats.find_words("tag:home gard")
    qtbot.waitUntil(lambda: chats.rows == [TODAY, "Garden"])
    chats.find_words("project:flat")
    qtbot.waitUntil(lambda: chats.rows == [PROJECTS, "Flat", "Letter"])


def test_a_tag_is_renamed_coloured_and_deleted_with_a_way_back(frame: Frame, qtbot: QtBot) -> None:
    (letter,) = add_chats(frame, "Letter")
    chats, bar, tags = frame.chats, frame.chats.root.tags, Tags(frame.app.database)
    assert bar.isHidden()
    dialog = bar.begin(letter)
    assert not dialog.save.isEnabled()
    dialog.name.setText("Work 🏺")
    qtbot.keyClick(dialog.name, Qt.Key.Key_Return)
    (work,) = tags.all()
    assert (work.name, tags.of_chats()) == ("Work 🏺", {letter: (work.id,)})
    assert not bar.isHidden()
    dialog = bar.edit(work)
    dialog.findChildren(ColourButton)[1].click()
    dialog.name.setText("Arbeit")
    dialog.save.click()
    (work,) = tags.all()
    assert (work.name, work.colour) == ("Arbeit", "red")
    bar.chips[0].click()
    qtbot.keyClick(bar.chips[0], Qt.Key.Key_Delete)
    assert (bar.isHidden(), bar.chosen, chats.rows) == (True, frozenset(), [TODAY, "Letter"])
    frame.press_notice(UNDO)
    assert tags.of_chats() == {letter: (work.id,)}


def test_tag_colours_can_be_told_from_what_is_behind_them() -> None:
    for tokens, place in ((LIGHT, 1), (DARK, 2), (HIGH_LIGHT, 1), (HIGH_DARK, 2)):
        for colour in COLOURS.values():
            for ground in (tokens.sidebar, tokens.surface, tokens.bubble, tokens.chip, tokens.background):
                assert contrast(colour[place], ground) >= 3, (colour, ground)


def test_five_hundred_chats_of_a_project_among_ten_thousand_are_a_few_lines_of_work_each(qtbot: QtBot) -> None:
    model = ChatListModel()
    model.projects = [Project(1, "Flat", "", "", "", True, 0, 0)]
    many = [chat(number, timedelta(hours=number)) for number in range(1, 10_001)]
    many = [replace(one, project_id=1 if one.id % 20 == 0 else None, pinned=one.id == 9_980) for one in many]
    assert lines_run(lambda: model.show(many, NOW)) < 35 * len(many)
    assert rows(model)[:3] == [PROJECTS, "Flat", "Chat 9980"], "what is pinned in a project is its first"
    assert model.rowCount() == 10_000 + 2 + 4


def test_a_chat_that_waits_for_the_person_is_marked(frame: Frame) -> None:
    waits, other = add_chats(frame, "Groceries", "Garden")

    def room_taken(number: int) -> int:
        delegate = frame.chats.list.itemDelegate()
        assert isinstance(delegate, ChatDelegate)
        return delegate.kept_px(frame.chats.index_of(number))

    frame.chats.root.show_asking(frozenset({waits}))
    spoken = frame.chats.index_of(waits).data(Qt.ItemDataRole.AccessibleTextRole)
    assert spoken == f"Groceries\n{CHAT_ASKS}"
    assert room_taken(waits) > room_taken(other) == 0
    frame.chats.root.show_asking(frozenset())
    assert room_taken(waits) == 0
