"""“Remember this” keeps what somebody agrees to, for every chat or for a project; a chat can do without."""

from __future__ import annotations

from PySide6.QtWidgets import QPushButton
from pytestqt.qtbot import QtBot

from app.features.chat import session_messages as m
from app.ui.chat.chat_options import CHAT_SETTINGS_ENTRY, ChatSettings
from app.ui.chat.remembering import MEMORIES_TOKENS, RememberDialog
from app.ui.shared_labels import REMEMBER_ANSWER, SAVE, UNDO
from tests.helpers.desks.chat import ChatDesk
from tests.helpers.desks.window import Frame
from tests.helpers.script import prompts
from tests.helpers.texts import shows
from tests.ui.chat.conftest import Open


def dialog_of(frame: Frame) -> RememberDialog:
    return frame.window.findChild(RememberDialog)


def test_nothing_is_kept_before_somebody_agrees(frame: Frame, qtbot: QtBot) -> None:
    memories = frame.app.preambles.memories
    frame.chat.session.send_request(m.RememberText("  \n "))
    assert dialog_of(frame) is None
    frame.chat.session.send_request(m.RememberText("I live in\nCologne.\n"))
    dialog = dialog_of(frame)
    assert dialog.text == "I live in Cologne."
    qtbot.waitUntil(lambda: shows(MEMORIES_TOKENS, dialog.cost.text()))
    dialog.reject()
    assert memories.all() == []
    qtbot.waitUntil(lambda: dialog_of(frame) is None)
    frame.chat.session.send_request(m.RememberText("I live in Cologne."))
    dialog = dialog_of(frame)
    dialog.field.setPlainText("I live in Bonn.")
    dialog.keep.click()
    assert [(one.text, one.project_id) for one in memories.all()] == [("I live in Bonn.", None)]
    frame.press_notice(UNDO)
    assert memories.all() == []


def test_a_turn_offers_it_in_its_menu(open_chat: Open) -> None:
    desk = open_chat({"text": "Cologne has a cathedral."})
    desk.ask("What has Cologne?")
    heard = desk.hear_requests(m.RememberText)
    for turn in desk.turns:
        desk.choose(desk.open_menu(turn), REMEMBER_ANSWER)
    assert [asked.text for asked in heard] == ["What has Cologne?", "Cologne has a cathedral."]


def switch(desk: ChatDesk) -> None:
    """Memories off, or on again, in the chat's settings."""
    desk.choose_entry(CHAT_SETTINGS_ENTRY)
    dialog = desk.chat.findChild(ChatSettings)
    dialog._memories.click()
    next(one for one in dialog.findChildren(QPushButton) if one.text() == SAVE).click()
    desk.wait(lambda: desk.chat.findChild(ChatSettings) is None)


def test_a_chat_does_without_memories_and_a_temporary_one_is_told_them_only_if_wished(open_chat: Open) -> None:
    desk = open_chat({"text": "Hi."})
    desk.app.preambles.memories.add("I live in Cologne.")
    assert desk.script is not None

    def begins_with_memories() -> bool:
        return prompts(desk.script)[-1][0] == ("system", "What I want you to remember:\n- I live in Cologne.")  # type: ignore[arg-type]

    desk.ask("One")
    assert begins_with_memories()
    switch(desk)
    desk.ask("Two")
    assert not begins_with_memories()
    chat = desk.conversations.get(desk.chat.conversation_id)
    assert chat is not None
    assert chat.memory == "off"
    desk.chat.show_temporary()
    desk.ask("Three")
    assert not begins_with_memories()
    switch(desk)
    desk.ask("Four")
    assert begins_with_memories()
