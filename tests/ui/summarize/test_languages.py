"""The languages a summary can be written in are called what their speakers call them, as in Translate."""

from __future__ import annotations

from pytestqt.qtbot import QtBot

from app.ui.summarize.wish import WishChoices
from app.ui.theme import Theme


def test_a_language_is_called_what_its_speakers_call_it(qtbot: QtBot) -> None:
    choices = WishChoices(Theme())
    qtbot.addWidget(choices)
    choices.language.show_value("de")
    assert choices.language.button.accessibleName() == "Language: Deutsch"
