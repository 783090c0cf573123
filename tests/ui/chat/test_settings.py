"""Chat settings: what is set, what is left to the model, and that it reaches the engine."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QDialog, QPushButton
from pytestqt.qtbot import QtBot

from app.features.assistants import AssistantChoice
from app.ui.chat.chat_options import (
    CHAT_SETTINGS_ENTRY,
    LONGEST_ANSWER,
    THINK_AT_MOST,
    ChatSettings,
    longest_answer,
    thinking_budget,
)
from app.ui.sampling_fields import (
    DRY_LABEL,
    MORE_SAMPLING_SETTINGS,
    PRESENCE_PENALTY,
    SEED,
    TOP_K,
    KnobStepper,
    knobs,
)
from app.ui.settings.chat_page import NO_LIMIT
from app.ui.shared_labels import SAVE, TEMPERATURE, UNSET
from app.ui.theme import Theme
from tests.ui.chat.conftest import Open


def stepper(dialog: QDialog, name: str) -> KnobStepper:
    return next(s for s in dialog.findChildren(KnobStepper) if s.number.accessibleName() == name)


def press(dialog: QDialog, name: str) -> None:
    button = next(b for b in dialog.findChildren(QPushButton) if name in (b.text(), b.accessibleName()))
    QTest.mouseClick(button, Qt.MouseButton.LeftButton)


def test_nothing_is_set_until_somebody_sets_it(qtbot: QtBot, theme: Theme) -> None:
    dialog = ChatSettings(theme, AssistantChoice(" Be brief. "))
    qtbot.addWidget(dialog)
    assert dialog.chosen == AssistantChoice("Be brief.")
    assert {s.number.text() for s in dialog.findChildren(KnobStepper)} == {UNSET, NO_LIMIT, "Random"}


@pytest.mark.parametrize("name", [knob.name for knob in (longest_answer(), thinking_budget(), *knobs())])
def test_the_first_step_up_leads_somewhere_sensible_and_back_again(qtbot: QtBot, theme: Theme, name: str) -> None:
    knob = next(k for k in (longest_answer(), thinking_budget(), *knobs()) if k.name == name)
    number = KnobStepper(theme, knob, None, is_in_settings=False)
    qtbot.addWidget(number)
    number.number.stepUp()
    assert number.chosen == knob.start
    number.number.setValue(knob.least)
    assert number.chosen == knob.least
    number.number.stepDown()
    assert number.chosen is None
    number.number.stepUp()
    assert number.chosen == knob.start


def test_more_is_closed_unless_something_in_it_is_set(qtbot: QtBot, theme: Theme) -> None:
    calm, busy = (
        ChatSettings(theme, AssistantChoice(sampling={"temperature": 0.5})),
        ChatSettings(theme, AssistantChoice(sampling={"top_k": 5})),
    )
    for dialog, is_open in ((calm, False), (busy, True)):
        qtbot.addWidget(dialog)
        dialog.show()
        assert stepper(dialog, TEMPERATURE).isVisible()
        assert stepper(dialog, TOP_K).isVisible() is is_open
    press(calm, MORE_SAMPLING_SETTINGS)
    assert stepper(calm, SEED).isVisible()
    assert busy.chosen.sampling == {"top_k": 5}


def test_what_is_set_reaches_the_engine_and_comes_back(open_chat: Open) -> None:
    desk = open_chat({"text": "Arr."})
    desk.ask("Hello")
    desk.choose_entry(CHAT_SETTINGS_ENTRY)
    dialog = desk.chat.findChild(ChatSettings)
    assert isinstance(dialog, ChatSettings)
    press(dialog, MORE_SAMPLING_SETTINGS)
    for name, value in (
        (TOP_K, 12),
        (PRESENCE_PENALTY, 1.5),
        (DRY_LABEL, 0.8),
        (SEED, 4_294_967_295),
        (LONGEST_ANSWER, 300),
        (THINK_AT_MOST, 128),
    ):
        stepper(dialog, name).number.setValue(value)
    with desk.hears(dialog.finished):
        press(dialog, SAVE)
    desk.ask("Again")
    sampling = {name: value for name, value in desk.requests()[-1]["sampling"].items() if value is not None}
    chosen = {"top_k": 12, "presence_penalty": 1.5, "dry_multiplier": 0.8, "seed": 4_294_967_295}
    assert sampling == chosen
    assert [request["max_tokens"] for request in desk.requests()] == [-1, 300]
    assert [request["thinking_budget"] for request in desk.requests()] == [-1, 128]
    conversation_id = desk.chat.conversation_id
    desk.chat.show_conversation(None)
    desk.chat.show_conversation(conversation_id)
    assert desk.conversations.find()[0].sampling == chosen | {"max_tokens": 300, "thinking_budget": 128}
