"""Assistants in the chat: chosen, begun with, saved from a chat, changed, deleted with Undo."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLineEdit, QPlainTextEdit, QPushButton

from app.features.assistants import ICONS
from app.ui.chat.assistant_dialog import NEW_CHAT_WITH_IT, AssistantDialog
from app.ui.chat.chat_assistants import (
    ALL_ASSISTANTS,
    ASSISTANT_CHANGED,
    CHAT_ASSISTANT,
    NO_ASSISTANT,
    SAVE_AS_ASSISTANT,
    WITH_ASSISTANT,
)
from app.ui.chat.chat_view import ChatView
from app.ui.chat.welcome import AssistantRow
from app.ui.icons import _charmap
from app.ui.shared_labels import CHOOSE_AN_ICON, COPY_OF, DELETE, DUPLICATE, NEW_ASSISTANT, UNDO
from app.ui.shell.notify import ACTION_LABELS
from app.ui.shell.palette import Palette
from app.ui.widgets.buttons import IconPopup
from tests.helpers.clipping import clipped_texts
from tests.helpers.desks.chat import ChatDesk
from tests.helpers.desks.desk import Desk
from tests.helpers.desks.window import open_window
from tests.helpers.script import write_script
from tests.ui.chat.conftest import Open


class AssistantsDesk(Desk):
    """The dialog of all assistants."""

    root: AssistantDialog

    @property
    def names(self) -> list[str]:
        return [one.name for one in self.root.rows.found]

    def name_it(self, name: str) -> None:
        QTest.keyClicks(self.root.name, name)  # all of what stood there is selected

    def instruct(self, text: str) -> None:
        field = self.find_step(QPlainTextEdit)
        field.selectAll()
        QTest.keyClicks(field, text)


def open_dialog(desk: ChatDesk) -> AssistantsDesk:
    desk.choose(desk.chat.models.assistants.menu(), ALL_ASSISTANTS)
    return AssistantsDesk(desk.find_step(AssistantDialog), desk.app, desk.notify)


def test_what_a_chat_sets_is_saved_as_an_assistant_and_begins_another_chat(open_chat: Open) -> None:
    desk = open_chat({"text": "Arr."})
    store = desk.app.assistants
    desk.ask("Hello")
    desk.chat.models.options._choose(system_prompt="Talk like a pirate.", max_tokens=200)
    desk.choose(desk.chat.models.assistants.menu(), SAVE_AS_ASSISTANT)
    dialog = AssistantsDesk(desk.find_step(AssistantDialog), desk.app, desk.notify)
    dialog.name_it("Pirate")
    dialog.root.close()
    (pirate,) = store.all()
    assert (pirate.name, pirate.instructions, pirate.sampling) == (
        "Pirate",
        "Talk like a pirate.",
        {"max_tokens": 200},
    )
    desk.chat.show_conversation(None)
    row = desk.find_step(AssistantRow)
    desk.click(next(one for one in row.findChildren(QPushButton) if one.isVisible()))
    assert desk.button(CHAT_ASSISTANT.format(name="Pirate")).isVisible()
    desk.ask("Where?")
    request = desk.requests()[-1]
    assert (request["messages"][0], request["max_tokens"]) == (["system", "Talk like a pirate."], 200)
    chat = desk.conversations.get(desk.chat.conversation_id)
    assert chat.assistant_id == pirate.id
    assert store.get(pirate.id).used_at is not None


def test_a_chat_keeps_what_it_took_until_somebody_takes_the_change_over(open_chat: Open) -> None:
    desk = open_chat({"text": "Yes."})
    made = desk.app.assistants.create("Tutor", instructions="One step at a time.")
    desk.chat.models.assistants.choose_assistant(made.id)
    desk.ask("First")
    dialog = open_dialog(desk)
    dialog.instruct("Two steps at a time.")
    dialog.root.close()
    desk.ask("Second")
    assert desk.prompts()[-1][0] == ("system", "One step at a time.")
    assert ASSISTANT_CHANGED.format(name="Tutor") in desk.notices
    desk.press_notice(ACTION_LABELS["take_over"])
    desk.ask("Third")
    assert desk.prompts()[-1][0] == ("system", "Two steps at a time.")
    desk.choose(desk.chat.models.assistants.menu(), NO_ASSISTANT)
    desk.ask("Fourth")
    assert desk.prompts()[-1][0] == ("user", "First")


def test_the_dialog_makes_copies_renames_and_deletes_with_undo(open_chat: Open) -> None:
    desk = open_chat()
    dialog = open_dialog(desk)
    assert not dialog.has(QLineEdit, "assistant_name"), "there is none yet"
    dialog.click(dialog.button(NEW_ASSISTANT))
    dialog.name_it("Cook")
    name = dialog.find_step(QLineEdit, "assistant_name")
    dialog.root.activateWindow()
    dialog.wait(name.hasFocus)
    QTest.keyClick(name, Qt.Key.Key_Tab)
    assert dialog.find_step(QPlainTextEdit).hasFocus(), "Tab goes on as one reads"
    dialog.instruct("Recipes only.")
    dialog.wait(lambda: dialog.names == ["Cook"])
    dialog.click(dialog.button(CHOOSE_AN_ICON))
    popup = dialog.find_step(IconPopup)
    QTest.keyClick(popup.buttons[0], Qt.Key.Key_Down)
    QTest.keyClick(popup.buttons[8], Qt.Key.Key_Return)
    assert desk.app.assistants.all()[0].icon == ICONS[8]
    dialog.click(dialog.button(DUPLICATE))
    assert dialog.names == ["Cook", COPY_OF.format(name="Cook")]
    assert dialog.find_step(QPlainTextEdit).toPlainText() == "Recipes only."
    assert clipped_texts(dialog.root) == []
    dialog.click(dialog.button(DELETE))
    assert dialog.names == ["Cook"]
    AssistantsDesk(dialog.root, desk.app, dialog.root.notify).press_notice(UNDO)
    assert dialog.names == ["Cook", COPY_OF.format(name="Cook")]
    with desk.hears(desk.chat.models.assistants.begin_wanted) as begun:
        dialog.click(dialog.button(NEW_CHAT_WITH_IT))
    assert begun[0][0].name == COPY_OF.format(name="Cook")


def test_where_there_is_none_an_example_makes_one_that_can_be_changed(open_chat: Open) -> None:
    desk = open_chat()
    dialog = open_dialog(desk)
    assert clipped_texts(dialog.root) == []
    dialog.click(dialog.button("Patient teacher"))
    assert dialog.names == ["Patient teacher"]
    assert "one step at a time" in desk.app.assistants.all()[0].instructions
    assert "one step at a time" in dialog.find_step(QPlainTextEdit).toPlainText()
    assert not dialog.root.examples.isVisible()
    dialog.click(dialog.button(DELETE))
    assert dialog.root.examples.isVisible()


def test_all_icons_are_there(qapp: QApplication) -> None:
    assert [name for name in ICONS if f'"{name}"' not in _charmap()] == []


@pytest.mark.parametrize("way", ["menu", "palette"])
def test_a_new_chat_begins_with_one_from_the_menu_and_the_palette(
    qapp: QApplication, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    monkeypatch.setenv("FIRESIDE_ENGINE_SCRIPT", str(write_script(tmp_path / "script")))
    with open_window(qapp, make_chat=ChatView) as frame:
        made = frame.app.assistants.create("Tutor", "student")
        chat = frame.conversations.create(title="Old").id
        frame.show_chat(chat)
        if way == "menu":
            menu = frame.window.tab("chat").sidebar.more_menu()
            inside = next(entry.menu() for entry in menu.actions() if entry.text() == WITH_ASSISTANT)
            frame.choose(inside, "Tutor")
        else:
            frame.do("palette")
            palette = frame.find_step(Palette)
            palette.field.setText("tuto")
            frame.wait(lambda: palette.chosen is not None and palette.chosen.title == "Tutor")
            QTest.keyClick(palette.field, Qt.Key.Key_Return)
        assert (frame.chat.conversation_id, frame.chat.models.options.assistant.id) == (None, made.id)
