"""Titles that come when nothing is asked for a moment, and give way when something is."""

from __future__ import annotations

import pytest
from PySide6.QtTest import QTest

from app.ui.chat.titling import ChatTitling
from tests.helpers.desks.chat import ChatDesk
from tests.ui.chat.conftest import Open

LARGE = {"weights": 3_000_000_000}
QUESTION = "Hi! Can you help me plan a vegetable garden for a small balcony?"
TITLE = {"when": "Write a title", "text": "Vegetable garden on a balcony"}


def title_of(desk: ChatDesk) -> str:
    number = desk.chat.conversation_id
    found = desk.conversations.get(number) if number is not None else None
    return found.title if found is not None else ""


def asked_for_titles(desk: ChatDesk) -> int:
    return sum("Write a title" in conversation[-1][1] for conversation in desk.prompts())


def test_a_title_comes_after_an_answer_and_is_told(open_chat: Open) -> None:
    desk = open_chat(TITLE, load=LARGE)
    titling = ChatTitling(desk.chat, desk.app, idle_ms=0)
    with desk.hears(titling.titled):
        desk.ask(QUESTION)
    assert title_of(desk) == "Vegetable garden on a balcony"
    with desk.hears(desk.chat.answer_finished):
        desk.ask("And which pots?")
    assert asked_for_titles(desk) == 1


def test_the_next_question_ends_it_and_it_is_asked_for_again_after_the_answer(open_chat: Open) -> None:
    desk = open_chat({**TITLE, "held_after": 1, "until": "go", "times": 1}, TITLE, load=LARGE)
    titling = ChatTitling(desk.chat, desk.app, idle_ms=0)
    desk.ask(QUESTION)
    desk.wait(lambda: asked_for_titles(desk) == 1)
    with desk.hears(titling.titled):
        desk.ask("And which pots?")
    assert title_of(desk) == "Vegetable garden on a balcony"
    assert asked_for_titles(desk) == 2


@pytest.mark.parametrize("is_temporary", [True, False])
def test_a_temporary_chat_gets_none_and_a_small_model_is_not_asked(open_chat: Open, is_temporary: bool) -> None:
    desk = open_chat(TITLE, load=LARGE if is_temporary else {"weights": 135_000_000})
    ChatTitling(desk.chat, desk.app, idle_ms=0)
    if is_temporary:
        desk.chat.show_temporary()
    desk.ask(QUESTION)
    desk.ask("And which pots?")
    QTest.qWait(50)
    assert asked_for_titles(desk) == 0
