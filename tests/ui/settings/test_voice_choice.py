"""Settings of reading aloud: the speed, and a voice of those that Qt's silent engine has."""

from __future__ import annotations

import pytest
from PySide6.QtWidgets import QApplication, QMenu

from app.core.child import running_children
from app.features.reading_aloud.voice_process import TRIAL_VARIABLE
from app.ui.settings.chat_page import BY_LANGUAGE, NO_VOICES_FOUND, ChatPage, VoiceChoice
from app.ui.shared_labels import READING_SPEED
from app.ui.widgets.buttons import ChoiceButton
from tests.helpers.desks.settings import SettingsDesk
from tests.helpers.desks.window import Frame


def voice_choice(frame: Frame) -> VoiceChoice:
    desk = SettingsDesk(frame, "chat")
    return desk.find_step(VoiceChoice)


def menu_lines() -> list[str]:
    menu = QApplication.activePopupWidget()
    return [action.text() for action in menu.actions()] if isinstance(menu, QMenu) else []


def test_voices_of_the_window_language_are_looked_for_when_they_are_wanted(
    frame: Frame, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(TRIAL_VARIABLE, "mock")
    choice = voice_choice(frame)
    assert running_children() == [], "a page that is only looked at starts nothing"
    choice.button.click()
    frame.wait(menu_lines)
    lines = menu_lines()
    assert lines[0] == BY_LANGUAGE
    assert any("Anne" in line for line in lines)
    assert not any("Kjersti" in line for line in lines), "a voice that speaks Norwegian"
    menu = QApplication.activePopupWidget()
    assert isinstance(menu, QMenu)
    next(action for action in menu.actions() if "Anne" in action.text()).trigger()
    menu.close()
    assert frame.app.settings.voice.reading_voice == "Anne"
    assert "Anne" in choice.button.text()
    frame.wait(lambda: running_children() == [])


def test_a_computer_without_voices_says_so_and_keeps_the_choice(frame: Frame, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(TRIAL_VARIABLE, "none such")
    frame.app.change_settings("voice", reading_voice="Anne")
    choice = voice_choice(frame)
    assert choice.button.text() == "Anne"
    choice.button.click()
    frame.wait(lambda: choice.button.text() == NO_VOICES_FOUND)
    assert frame.app.settings.voice.reading_voice == "Anne"


def test_the_speed_is_saved(frame: Frame) -> None:
    page = SettingsDesk(frame, "chat").find_step(ChatPage)
    (speed,) = (button for button in page.findChildren(ChoiceButton) if READING_SPEED in button.button.accessibleName())
    speed.choose("1.75")
    assert frame.app.settings.voice.reading_speed == 1.75
