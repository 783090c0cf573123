"""In every language that the program comes with, nothing is cut; one of them quickly, the others by make test-all."""

from __future__ import annotations

from itertools import chain
from pathlib import Path

import pytest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from app.core.catalogue import language_in_use
from app.core.installed_languages import ENGLISH, OWN_NAMES, built_in_file
from app.core.po_file import read_messages
from app.core.translation_faults import message_faults
from app.ui.chat.chat_view import ChatView
from tests.helpers.desks.window import open_window
from tests.helpers.script import write_script
from tests.helpers.window_tour import cut_texts, shown_in, wait_for_models, walk_settings, walk_tabs

QUICK = ("ar",)
"""From right to left; long words are those of the pseudo language."""
LANGUAGES = [
    pytest.param(language, marks=[] if language in QUICK else [pytest.mark.slow])
    for language in OWN_NAMES
    if language != ENGLISH and built_in_file(language).is_file()
]


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_view_has_room_for_the_language(
    language: str, qapp: QApplication, qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FIRESIDE_ENGINE_SCRIPT", str(write_script(tmp_path / "script")))
    with shown_in(qapp, language), open_window(qapp, make_chat=ChatView) as frame:
        assert language_in_use() == language
        wait_for_models(frame, qtbot)
        places = chain(walk_tabs(frame), walk_settings(frame))
        found = [f"{place}: {line}" for place in places for line in cut_texts()]
    assert not found, "\n".join(found)


@pytest.mark.parametrize("language", [param.values[0] for param in LANGUAGES])
def test_every_translation_can_be_shown(language: str) -> None:
    messages = read_messages(built_in_file(language).read_text("utf-8"))
    assert not [fault.format(text=message.text) for message in messages for fault in message_faults(message, language)]
