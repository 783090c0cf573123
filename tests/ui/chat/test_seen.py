"""What the model saw: the exact parts of a prompt with their tokens, for each answer and for the next message."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QPlainTextEdit, QPushButton, QTreeWidget

from app.ui.chat.chat_context import ContextPanel
from app.ui.chat.details import AnswerDetails
from app.ui.chat.prompt_view import COPY_ALL, FROM_TEMPLATE, PROMPT_CHANGED_SINCE, SeenDialog
from app.ui.shared_labels import ABOUT_THIS_ANSWER, ANSWER_LINE, SYSTEM_PROMPT, THIS_MESSAGE, WHAT_MODEL_SEES, YOU_LINE
from tests.helpers.clipping import clipped_texts
from tests.helpers.desks.chat import ChatDesk
from tests.helpers.texts import shows
from tests.ui.chat.conftest import Open


def lines_of(dialog: SeenDialog) -> list[tuple[str, str]]:
    tree = dialog.findChild(QTreeWidget)
    assert tree is not None
    items = [tree.topLevelItem(number) for number in range(tree.topLevelItemCount())]
    return [(item.text(0), item.text(1)) for item in items if item is not None]


def shown_text(dialog: SeenDialog) -> str:
    found = dialog.findChild(QPlainTextEdit)
    assert found is not None
    return found.toPlainText()


def opened(desk: ChatDesk) -> SeenDialog:
    """The dialog, once its parts are there."""
    desk.wait(lambda: any(lines_of(one) for one in desk.chat.findChildren(SeenDialog)))
    return desk.chat.findChildren(SeenDialog)[-1]


def test_an_old_answer_leads_to_the_parts_of_its_own_prompt(open_chat: Open) -> None:
    desk = open_chat({"text": "Certainly."})
    desk.ask("How large is the sun?")
    first = desk.last
    desk.ask("And the moon?")
    desk.click_action(first, ABOUT_THIS_ANSWER)
    details = desk.find_step(AnswerDetails)
    details.seen.click()
    dialog = opened(desk)
    assert [name for name, _ in lines_of(dialog)] == [THIS_MESSAGE, FROM_TEMPLATE]
    assert shown_text(dialog) == "How large is the sun?"
    assert "And the moon?" not in dialog.sum.text()
    assert clipped_texts(dialog) == []
    tree = dialog.findChild(QTreeWidget)
    assert tree is not None
    desk.wait(tree.hasFocus)
    QTest.keyClick(tree, Qt.Key.Key_Down)
    assert "template" in shown_text(dialog)
    copy = next(button for button in dialog.findChildren(QPushButton) if button.text() == COPY_ALL)
    copy.click()
    assert QGuiApplication.clipboard().text() == "How large is the sun?"
    QTest.keyClick(dialog, Qt.Key.Key_Escape)
    desk.wait(lambda: desk.chat.findChildren(SeenDialog) == [])


def test_a_changed_chat_says_that_it_cannot_be_told_exactly(open_chat: Open) -> None:
    desk = open_chat({"text": "Certainly."})
    desk.ask("How large is the sun?")
    number = desk.chat.conversation_id
    assert number is not None
    desk.conversations.update(number, system_prompt="Speak like a pirate. " * 20)
    desk.click_action(desk.last, ABOUT_THIS_ANSWER)
    desk.find_step(AnswerDetails).seen.click()
    dialog = opened(desk)
    assert shows(PROMPT_CHANGED_SINCE, dialog.sum.text())
    assert lines_of(dialog)[0][0] == SYSTEM_PROMPT
    assert clipped_texts(dialog) == []


def test_the_next_prompt_is_told_with_what_is_being_written(open_chat: Open) -> None:
    desk = open_chat({"text": "Certainly."})
    desk.ask("How large is the sun?")
    desk.put_message("And the moon?")
    wanted: list[bool] = []
    panel = ContextPanel(desk.chat.transcript.theme, desk.chat, show_texts=lambda: wanted.append(True))
    desk.chat.memory.parts_changed.connect(panel.show_parts)
    desk.wait(desk.chat.memory.count_context)
    desk.wait(lambda: desk.chat.memory.parts is not None)
    look = desk.chat.memory.coming()
    assert look is not None
    SeenDialog(desk.chat.transcript.theme, look, WHAT_MODEL_SEES, desk.chat).open()
    dialog = opened(desk)
    assert [name for name, _ in lines_of(dialog)] == [
        YOU_LINE.format(words="How large is the sun?"),
        ANSWER_LINE.format(words="Certainly."),
        THIS_MESSAGE,
        FROM_TEMPLATE,
    ]
    assert desk.chat.memory.parts is not None
    assert dialog.sum.text() == f"{desk.chat.memory.parts.used_tokens} tokens"
    panel.findChild(QPushButton, "exact_texts").click()  # type: ignore[union-attr]
    assert wanted == [True]
