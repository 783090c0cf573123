"""Menus stay short: at most eight entries in sight, none of them twice."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QContextMenuEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QMenu, QTextEdit

from app.core.events import Role
from app.ui.chat.chat_view import ChatView
from app.ui.chat.pasted import ATTACH_FOLDER, ATTACH_OTHER
from app.ui.models.models_tab import ModelsView
from app.ui.shared_labels import NAME_DELETED, SAVE_AS_PROMPT
from app.ui.widgets.input_fields import MOST_ENTRIES
from tests.helpers.desks.models import ModelsDesk
from tests.helpers.desks.window import Frame, open_window
from tests.helpers.dictionaries import use_dictionaries
from tests.helpers.models_on_disk import write_model
from tests.helpers.script import write_script


@pytest.fixture
def chatting(qapp: QApplication, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Frame]:
    """A window with the real chat and a second model."""
    monkeypatch.setenv("FIRESIDE_ENGINE_SCRIPT", str(write_script(tmp_path / "script")))
    with open_window(qapp, make_chat=ChatView) as frame:
        other = tmp_path / "Other-2B-Q8_0.gguf"
        write_model(other)
        frame.app.change_settings("engine", known_models=(str(other),))
        yield frame


def context_menu_of(edit: QTextEdit) -> QMenu:
    """As the right button shows it, above what is selected."""
    place = edit.cursorRect().center()
    event = QContextMenuEvent(QContextMenuEvent.Reason.Mouse, place, edit.viewport().mapToGlobal(place))
    QApplication.sendEvent(edit.viewport(), event)
    menu = QApplication.activePopupWidget()
    assert isinstance(menu, QMenu)
    return menu


def menus_of_chats(frame: Frame) -> dict[str, QMenu]:
    """Some of them open: of the chat list, the composer, and a message in which something is selected."""
    chat = frame.conversations.create(title="Kilns").id
    project = frame.window.tab("chat").sidebar.folders._projects.create("Pottery").id
    frame.conversations.update(chat, project_id=project)
    question = frame.conversations.add_message(chat, None, Role.USER, "How hot?")
    frame.conversations.add_message(chat, question.id, Role.ASSISTANT, "Very.")
    frame.chats.reload()
    edit = frame.chat.composer.field.edit
    frame.chat.focus_composer()
    QTest.keyClicks(edit, "How hot is a kiln? ")
    edit.selectAll()
    menus = {"message": context_menu_of(edit)}
    menus["composer"] = frame.chat.composer.plus.make_menu()
    return menus | {
        "chat": frame.chats.menu_of(chat),
        "project": frame.chats.menu_of(-project),
        "model picker": frame.model_menu,
    }


def entries_of(menu: QMenu, path: str) -> Iterator[tuple[str, list[str]]]:
    """The entries in sight, of the menu and of each submenu."""
    shown = [action for action in menu.actions() if not action.isSeparator() and action.isVisible()]
    yield path, [action.text().partition("\t")[0].replace("&", "") for action in shown]
    for action in shown:
        if isinstance(inside := action.menu(), QMenu):
            yield from entries_of(inside, f"{path} › {action.text()}")


def test_every_menu_is_short_and_has_nothing_twice(chatting: Frame) -> None:
    frame = chatting
    menus = menus_of_chats(frame)
    frame.show_tab("write")
    frame.write.edit.setFocus()
    QTest.keyClicks(frame.write.edit, "Once ")
    frame.write.edit.selectAll()
    menus["page"] = context_menu_of(frame.write.edit)
    frame.show_models("installed")
    models = ModelsDesk(frame.find_step(ModelsView), frame.app, frame.notify)
    models.wait(lambda: len(models.cards("installed")) == 2)
    for card in models.cards("installed"):
        menus[card.name.text()] = models.root.installed.menu_for(card)
    listed = dict(entry for name, menu in menus.items() for entry in entries_of(menu, name))
    assert {name: entries for name, entries in listed.items() if len(entries) > MOST_ENTRIES} == {}
    for name in menus:
        every = [entry for path, entries in listed.items() if path.split(" › ")[0] == name for entry in entries]
        assert len(every) == len(set(every)), (name, every)
    assert ATTACH_FOLDER in listed[f"composer › {ATTACH_OTHER}"]
    assert "Undo" in " ".join(listed["message › Edit"]), "nothing is lost that was folded away"
    for menu in menus.values():
        menu.close()


def test_on_a_misspelt_word_what_may_be_meant_is_in_sight_and_editing_is_in_a_submenu(
    chatting: Frame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    use_dictionaries(tmp_path / "hunspell", monkeypatch)
    edit = chatting.chat.composer.field.edit
    chatting.chat.focus_composer()
    QTest.keyClicks(edit, "the wrold is ")
    chatting.wait(lambda: [mark.cursor.selectedText() for mark in edit.extraSelections()] == ["wrold"])
    QTest.keyClick(edit, Qt.Key.Key_Left, Qt.KeyboardModifier.ControlModifier)
    QTest.keyClick(edit, Qt.Key.Key_Left)
    QTest.keyClick(edit, Qt.Key.Key_Left)
    menu = context_menu_of(edit)
    chatting.wait(lambda: "world" in dict(entries_of(menu, "menu"))["menu"])
    listed = dict(entries_of(menu, "menu"))
    assert len(listed["menu"]) <= MOST_ENTRIES
    assert [line.partition(" ")[0] for line in listed["menu"][-3:]] == ["Add", "Check", "Edit"]
    assert {"Paste", "Select All", SAVE_AS_PROMPT} <= set(listed["menu › Edit"])
    menu.close()


@pytest.mark.parametrize("key", [Qt.Key.Key_Delete, Qt.Key.Key_F2])
def test_del_and_f2_are_the_clicked_chats_until_something_else_is_pressed(chatting: Frame, key: Qt.Key) -> None:
    chat = chatting.conversations.create(title="Kilns").id
    chatting.conversations.add_message(chat, None, Role.USER, "How hot?")
    chatting.chats.reload()
    chatting.chats.open(chat)
    field = chatting.chat.composer.field.edit
    chatting.wait(field.hasFocus)
    QTest.keyClicks(field, "x")
    QTest.keyClick(field, Qt.Key.Key_Backspace)
    QTest.keyClick(field, key)
    assert chatting.conversations.find()
    assert chatting.chats.row_editor is None, "who has typed is in the message"
    chatting.chats.open(chat)
    QTest.keyClick(field, Qt.Key.Key_Shift)
    QTest.keyClick(field, key)
    if key == Qt.Key.Key_Delete:
        assert chatting.notices == [NAME_DELETED.format(name="Kilns")]
    else:
        chatting.wait(lambda: chatting.chats.row_editor is not None)
