"""The line that says which forgotten turns were shown to the model again, and leads to them."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QPushButton

from app.core.events import Role
from app.ui.chat.question import ONE_TURN_RECALLED, RecalledLine
from tests.helpers.clipping import clipped_texts
from tests.helpers.desks.chat import ChatDesk
from tests.ui.chat.conftest import Open

LONG = "word " * 300
TOLD = "My sister Marit lives in Bergen, R&D is her work."
ASKED = "In which city does Marit live?"


@pytest.fixture
def desk(open_chat: Open) -> ChatDesk:
    desk = open_chat({"text": "Certainly."}, load={"context_tokens": 4000})
    desk.app.change_settings("chat", when_full="rolling")
    conversations = desk.conversations
    chat_id, parent = conversations.create(title="Long").id, None
    for text in (TOLD, *(f"Story {number}. {LONG}" for number in range(6))):
        question = conversations.add_message(chat_id, parent, Role.USER, text)
        parent = conversations.add_message(chat_id, question.id, Role.ASSISTANT, f"Answer. {LONG}").id
    desk.chat.show_conversation(chat_id)
    desk.wait(lambda: desk.is_settled)
    return desk


def line_of(desk: ChatDesk) -> RecalledLine | None:
    question = desk.transcript.last_question()
    return question.recalled if question is not None else None


def rows_of(line: RecalledLine) -> list[QPushButton]:
    return [row for row in line.findChildren(QPushButton, "recalled_turn") if row.isVisible()]


def test_a_line_below_the_question_opens_to_the_turns_and_each_leads_there(desk: ChatDesk) -> None:
    desk.ask(ASKED)
    assert TOLD in desk.prompts()[-1][-1][1]
    line = line_of(desk)
    assert line is not None
    assert line.opener.accessibleName() == ONE_TURN_RECALLED
    assert rows_of(line) == []
    line.opener.click()
    desk.wait(lambda: bool(line and rows_of(line)))
    (row,) = rows_of(line)
    assert row.accessibleName() == f"You: {TOLD}"
    assert clipped_texts(desk.chat) == []
    desk.wait(lambda: desk.is_settled)
    row.setFocus()
    QTest.keyClick(row, Qt.Key.Key_Space)
    first = desk.transcript.column.turn_at(0)
    assert first.hasFocus()
    assert not first.visibleRegion().isEmpty()


def test_a_question_about_nothing_earlier_has_no_line_and_the_line_is_there_again_after_a_restart(
    desk: ChatDesk,
) -> None:
    desk.ask("Thank you!")
    assert line_of(desk) is None
    desk.ask(ASKED)
    chat_id = desk.chat.conversation_id
    desk.chat.show_conversation(None)
    desk.chat.show_conversation(chat_id)
    desk.wait(lambda: desk.is_settled)
    line = line_of(desk)
    assert line is not None
    assert line.isVisible()
