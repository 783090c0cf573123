"""The thinking before an answer, and how measured numbers are said."""

from __future__ import annotations

import re

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QPushButton
from pytestqt.qtbot import QtBot

from app.core.events import AnswerStats, FinishReason, Role
from app.store.conversations import MessageState
from app.ui.chat import answer_view
from app.ui.chat.actions import PREVIOUS_VERSION
from app.ui.chat.answer_view import (
    THINKING,
    THOUGHT_A_MOMENT,
    THOUGHT_FOR_MINUTES,
    THOUGHT_FOR_SECONDS,
    THOUGHT_WITHOUT_ANSWER,
    THOUGHTS,
    TOOK_TIME,
    AnswerView,
    ThinkingView,
    stats_text,
    thought_for,
    time_text,
)
from app.ui.chat.details import THOUGHT_FOR
from app.ui.chat.folded_text import ThoughtText
from app.ui.chat.thinking_choice import LONG, MEDIUM, SHORT, THINKING_MEDIUM, THINKING_ON, ThinkingChoice
from app.ui.shared_labels import MINUTES_AND_SECONDS, STOPPED_LABEL
from app.ui.shared_labels import THINKING as THINKING_LABEL
from app.ui.theme import Theme
from app.ui.widgets.menus import Menu
from tests.helpers.desks.chat import ChatDesk
from tests.ui.chat.conftest import Open


def test_text_that_streams_waits_while_something_fades_or_slides(qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> None:
    view = AnswerView(Theme("light"))
    qtbot.addWidget(view)
    monkeypatch.setattr(answer_view, "is_moving", lambda: True)
    view.append("Some words")
    view.append(" and more.")
    assert (view.text, view.body.views, view.written.is_settled) == ("Some words and more.", [], False)
    qtbot.waitUntil(lambda: view.written.is_settled)
    assert len(view.body.views) == 1
    monkeypatch.undo()
    view.append("\n\n```\nx = 1\n")
    assert len(view.body.views) == 2


def test_numbers_under_an_answer() -> None:
    stats = AnswerStats(10, 0, 1212, 0.31, 41.2, FinishReason.STOP)
    assert stats_text(stats) == "1,212 tokens · 41 tokens/s · first token 0.3 s"
    slow = AnswerStats(10, 0, 2, 1.0, 4.26, FinishReason.STOP)
    assert stats_text(slow) == "2 tokens · 4.3 tokens/s · first token 1.0 s"


def test_the_line_under_an_answer_says_how_long_it_took_and_nothing_of_tokens(open_chat: Open) -> None:
    desk = open_chat({"text": "Hello there."})
    desk.ask("Hi")
    name, took = desk.last.note().split(" · ")
    assert name == desk.last_message.model and re.fullmatch(TOOK_TIME.format(time="\\d+\\.\\d s"), took)
    assert time_text(64.2) == MINUTES_AND_SECONDS.format(minutes=1, seconds=4)


# What the model thought: the line above an answer, and the composer's control.


THOUGHT = "The person greets.\nI greet back."


def line(desk: ChatDesk) -> QPushButton:
    """The line of the last answer."""
    found = desk.last.findChild(QPushButton, "thinking")
    assert isinstance(found, QPushButton)
    return found


def thoughts(desk: ChatDesk) -> str:
    """The text of the open thinking."""
    found = desk.last.findChild(ThoughtText)
    assert isinstance(found, ThoughtText)
    return found.toPlainText()


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (None, THOUGHTS),
        (0.4, THOUGHT_A_MOMENT),
        (1.0, THOUGHT_FOR_SECONDS.format(seconds=1)),
        (12.3, THOUGHT_FOR_SECONDS.format(seconds=12)),
        (59.9, THOUGHT_FOR_SECONDS.format(seconds=59)),
        (60.0, THOUGHT_FOR_MINUTES.format(minutes=1, seconds=0)),
        (125.2, THOUGHT_FOR_MINUTES.format(minutes=2, seconds=5)),
    ],
)
def test_the_time_is_said_in_words(seconds: float | None, words: str) -> None:
    assert thought_for(seconds) == words


def test_thinking_is_one_line_that_opens_to_the_text(open_chat: Open) -> None:
    desk = open_chat({"thinking": THOUGHT, "text": "Hello you."})
    desk.ask("Hi")
    assert desk.last_text == "Hello you."
    assert line(desk).isVisible()
    assert line(desk).text() == THOUGHT_A_MOMENT
    assert desk.last.findChild(ThoughtText) is None
    closed_height = desk.last.height()
    QTest.mouseClick(line(desk), Qt.MouseButton.LeftButton)
    assert thoughts(desk) == THOUGHT
    assert desk.last.height() > closed_height
    line(desk).setFocus()
    QTest.keyClick(line(desk), Qt.Key.Key_Tab)
    assert isinstance(QApplication.focusWidget(), ThoughtText)
    QTest.mouseClick(line(desk), Qt.MouseButton.LeftButton)
    assert not desk.thinking.is_open
    assert desk.last.height() == closed_height


def test_while_it_thinks_the_line_says_so_and_grows_when_open(open_chat: Open) -> None:
    desk = open_chat({"thinking": "one two " * 5000, "text": "Done.", "delay_s": 0.01})
    desk.type("Hi")
    desk.press(Qt.Key.Key_Return)
    desk.wait(lambda: len(desk.turns) == 2 and desk.thinking_line == THINKING)
    QTest.mouseClick(line(desk), Qt.MouseButton.LeftButton)
    before = len(thoughts(desk))
    desk.wait(lambda: len(thoughts(desk)) > before)
    with desk.hears(desk.chat.answer_finished):
        desk.chat.stop()
    assert desk.thinking_line.startswith(THOUGHT_FOR)
    assert desk.last_state == STOPPED_LABEL
    stored = desk.conversations.find()[0]
    assert desk.conversations.read_branch(stored.id)[-1].thinking == thoughts(desk)


def test_thinking_is_never_sent_back(open_chat: Open) -> None:
    desk = open_chat({"thinking": "A secret.", "text": "Hello you."})
    desk.ask("Hi")
    desk.ask("And?")
    assert desk.prompts()[-1] == [("user", "Hi"), ("assistant", "Hello you."), ("user", "And?")]


def test_stored_thinking_is_shown_again_and_each_version_has_its_own(open_chat: Open) -> None:
    desk = open_chat({"text": "x"})
    store = desk.conversations
    chat = store.create()
    question = store.add_message(chat.id, None, Role.USER, "Hi")
    for text, thinking, seconds in (("First.", "Old thoughts.", 12.0), ("Second.", "", None)):
        answer = store.add_message(chat.id, question.id, Role.ASSISTANT, "", state=MessageState.WRITING)
        store.finish_message(answer.id, text, MessageState.COMPLETE, thinking=thinking, thinking_s=seconds)
    desk.chat.show_conversation(chat.id)
    assert desk.last_text == "Second."
    assert not desk.thinking.isVisible()
    desk.click_action(desk.last, PREVIOUS_VERSION)
    desk.wait(lambda: desk.last_text == "First.")
    assert line(desk).text() == THOUGHT_FOR_SECONDS.format(seconds=12)


def test_a_model_that_only_thought_says_so(open_chat: Open) -> None:
    desk = open_chat({"thinking": THOUGHT, "text": ""})
    desk.ask("Hi")
    assert desk.last_state == THOUGHT_WITHOUT_ANSWER


def test_right_to_left_and_other_colours_lay_it_out_again(qtbot: QtBot, theme: Theme) -> None:
    view = ThinkingView(theme, on_opened=lambda: None, on_resized=lambda: None)
    qtbot.addWidget(view)
    view.set_text("One\ntwo", 3.0)
    view.set_open(True)
    view.resize(300, view.arrange(300))
    text = view.findChild(ThoughtText)
    assert isinstance(text, ThoughtText)
    assert text.x() > 0
    view.setLayoutDirection(Qt.LayoutDirection.RightToLeft)
    view.arrange(300)
    assert text.x() == 0
    theme.scheme = "dark"
    assert text.toPlainText() == "One\ntwo"


@pytest.mark.parametrize(("kind", "is_shown"), [("always", False), ("effort", True)])
def test_the_composer_offers_only_what_the_model_can(open_chat: Open, kind: str, is_shown: bool) -> None:
    desk = open_chat({"text": "x"}, load={"thinking": kind})
    desk.chat.set_model_state("ready")
    assert desk.is_thinking_model is is_shown


def test_thinking_is_switched_for_this_chat_and_the_model_is_told(open_chat: Open) -> None:
    desk = open_chat({"text": "x"}, load={"thinking": "switch"})
    desk.chat.set_model_state("ready")
    chip = desk.thinking_choice
    assert (chip.button.text(), chip.button.accessibleName()) == (THINKING_LABEL, THINKING_ON)
    desk.click(chip.cross)
    assert not chip.isVisible()
    desk.ask("Hi")
    assert desk.requests()[-1]["template_variables"]["enable_thinking"] is False
    assert desk.conversations.find()[0].thinking == "off"
    desk.choose_entry(THINKING_LABEL)
    desk.ask("And?")
    assert desk.requests()[-1]["template_variables"]["enable_thinking"] is True
    desk.chat.show_conversation(None)
    assert chip.isVisible()


def test_the_control_follows_the_settings_where_the_chat_says_nothing(open_chat: Open) -> None:
    desk = open_chat({"text": "x"}, load={"thinking": "switch_off"})
    desk.chat.set_model_state("ready")
    assert not desk.thinking_choice.isVisible()
    desk.app.change_settings("chat", thinking="on")
    with desk.hears(desk.composer.entered):
        desk.chat.focus_composer()
    assert desk.thinking_choice.isVisible()
    desk.ask("Hi")
    assert desk.requests()[-1]["template_variables"]["enable_thinking"] is True


def test_an_effort_is_chosen_from_a_menu(qtbot: QtBot, theme: Theme) -> None:
    choice = ThinkingChoice(theme)
    qtbot.addWidget(choice)
    choice.show_choice("effort", "medium")
    assert choice.button.text() == THINKING_MEDIUM
    menu = choice.fill_menu(Menu(choice))
    assert [(action.text(), action.isChecked()) for action in menu.actions()] == [
        (SHORT, False),
        (MEDIUM, True),
        (LONG, False),
    ]
    with qtbot.waitSignal(choice.chosen) as chosen:
        menu.actions()[2].trigger()
    assert chosen.args == ["high"]
