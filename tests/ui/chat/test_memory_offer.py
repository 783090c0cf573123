"""One line after a chat asks whether to remember a fact; off by default, and nothing is stored without the person."""

from __future__ import annotations

from typing import Any

import pytest
from PySide6.QtTest import QTest

from app.features.chat.memory_suggestions import clean_fact, is_fact
from app.features.chat.session_messages import RememberText
from app.ui.chat.chat_notices import REMEMBER_FACT
from app.ui.chat.offered_memories import OfferedMemories
from tests.helpers.desks.chat import ChatDesk
from tests.ui.chat.conftest import Open

EXACTLY_TWO = {"weights": 2_000_000_000}
LARGE = {"weights": 2_000_000_001}
QUESTION = "I live in Cologne with two cats. What can I see there on a rainy day?"
FACT = {"when": "lasting fact", "text": "I live in Cologne."}


def asked_for_facts(desk: ChatDesk) -> int:
    return sum("lasting fact" in conversation[-1][1] for conversation in desk.prompts())


def open_desk(open_chat: Open, *steps: Any, load: dict[str, int] | None = None, is_on: bool = True) -> ChatDesk:
    desk = open_chat(*(steps or (FACT,)), load=load or LARGE)
    if is_on:  # off by default
        desk.app.change_settings("chat", suggest_memories=True)
    OfferedMemories(desk.chat, desk.app, idle_ms=0)
    return desk


def test_one_line_asks_and_the_person_decides(open_chat: Open) -> None:
    desk = open_desk(open_chat)
    offer = desk.chat.memory_offer
    asked = desk.hear_requests(RememberText)
    desk.ask(QUESTION)
    desk.wait(offer.isVisible)
    assert offer.words.text() == REMEMBER_FACT.format(fact="I live in Cologne.")
    assert desk.app.preambles.memories.all() == []
    desk.click(offer.remember)
    assert [request.text for request in asked] == ["I live in Cologne."]
    assert not offer.isVisible()
    desk.ask("And in the evening?")
    QTest.qWait(50)
    assert (asked_for_facts(desk), offer.isVisible()) == (1, False), "once in a chat"


def test_a_chat_that_was_asked_about_is_not_asked_about_after_a_restart(open_chat: Open) -> None:
    desk = open_desk(open_chat)
    desk.ask(QUESTION)
    desk.wait(desk.chat.memory_offer.isVisible)
    number = desk.chat.conversation_id
    desk.wait(lambda: desk.conversations.get(number).was_offered_memory)
    desk.conversations.update(number, sampling={"seed": 3})
    assert desk.conversations.get(number).sampling == {"seed": 3}, "nothing of it is exported"
    desk.chat.stop()
    again = open_desk(open_chat)
    again.chat.show_conversation(number)
    again.ask("And in the evening?")
    QTest.qWait(50)
    assert (asked_for_facts(again), again.chat.memory_offer.isVisible()) == (0, False)
    again.chat.show_conversation(None)
    again.ask(QUESTION)
    again.wait(again.chat.memory_offer.isVisible)


def test_the_line_leaves_with_the_next_message_and_with_the_chat(open_chat: Open) -> None:
    desk = open_desk(open_chat)
    offer = desk.chat.memory_offer
    desk.ask(QUESTION)
    desk.wait(offer.isVisible)
    desk.chat.show_conversation(None)
    desk.wait(lambda: not offer.isVisible())
    desk.ask(QUESTION)
    desk.wait(offer.isVisible)
    desk.ask("And in the evening?")
    assert not offer.isVisible()


@pytest.mark.parametrize("case", ["as installed", "two billion", "temporary", "none found"])
def test_nothing_is_offered(open_chat: Open, case: str) -> None:
    steps = ({**FACT, "text": "NONE"},) if case == "none found" else (FACT,)
    load = EXACTLY_TWO if case == "two billion" else None
    desk = open_desk(open_chat, *steps, load=load, is_on=case != "as installed")
    if case == "temporary":
        desk.chat.show_temporary()
    desk.ask(QUESTION)
    if case == "none found":
        desk.wait(lambda: asked_for_facts(desk) == 1)
    QTest.qWait(50)
    assert not desk.chat.memory_offer.isVisible()
    assert asked_for_facts(desk) == int(case == "none found")


@pytest.mark.parametrize(
    ("fact", "is_new"),
    [
        ("I live in Cologne.", True),
        ("Ich wohne in Cologne.", False),
        ("I live in Hamburg and love sailing.", False),
        ("What can I see there on a rainy day?", False),
        ("The person lives in Cologne.", False),
        ("I have two cats.", False),
    ],
)
def test_only_what_the_person_stated_of_themselves_and_nobody_noted_counts(fact: str, is_new: bool) -> None:
    assert is_fact(fact, [QUESTION], ["My two cats are called Max and Moritz."]) is is_new


def test_only_the_first_sentence_of_an_answer_counts() -> None:
    assert clean_fact("“I am a vegetarian. Suggest a dinner.”\nMore") == "I am a vegetarian."
    assert clean_fact(" none.") == ""
