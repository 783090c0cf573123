"""Recordings in the chat: dropped ones become documents of what is said, and the button records one."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from app.documents.microphone import TRIAL_VARIABLE
from app.ui.chat.pictures import NotSensed
from app.ui.chat.tab import ChatTab
from app.ui.chat.view import ChatView
from app.ui.document.files import size_words
from tests.helpers.desks.window import open_window
from tests.helpers.script import prompts, write_script
from tests.helpers.sounds import spoken, write_sound
from tests.ui.chat.conftest import Open


@pytest.fixture
def script(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = write_script(
        tmp_path / "script",
        {"when": "word for word", "text": "We meet on Tuesday. Bring the keys."},
        load={"hears": True},
    )
    monkeypatch.setenv("FIRESIDE_ENGINE_SCRIPT", str(path))
    return path


def test_a_dropped_recording_becomes_a_document_and_the_button_records_one(
    qtbot: QtBot, qapp: object, script: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(TRIAL_VARIABLE, "null")
    with open_window(qapp, make_chat=ChatView) as frame:  # type: ignore[arg-type]
        tab = frame.find(ChatTab)
        microphone, chat = tab.microphone, tab.chat
        assert microphone.button.isHidden(), "no model that hears is loaded"
        frame.window.loader.start()
        frame.wait(lambda: not microphone.button.isHidden())

        chat.attaching.add([write_sound(tmp_path / "talk.wav", spoken((2.0, 1.0)))])
        frame.wait(lambda: [one.document for one in chat.attaching.shown if one.document])
        (document,) = [one.document for one in chat.attaching.shown]
        assert document is not None
        assert (document.format, document.unit, document.pages) == ("sound", "minute", 1)
        assert size_words(document).startswith("2 seconds · ")
        blocks = frame.app.documents.blocks(document.id)
        assert [block.text for block in blocks] == ["We meet on Tuesday.", "Bring the keys."]
        chat.composer.set_text("When do we meet?")
        QTest.keyClick(chat.composer.field.edit, Qt.Key.Key_Return)
        frame.wait(lambda: any("When do we meet?" in turn[-1][1] for turn in prompts(script)))
        assert "We meet on Tuesday." in prompts(script)[-1][-1][1]

        QTest.mouseClick(microphone.button, Qt.MouseButton.LeftButton)
        assert microphone.button.accessibleName() == "Stop recording"
        frame.wait(lambda: microphone.time.text() == "0:01")
        QTest.mouseClick(microphone.button, Qt.MouseButton.LeftButton)
        frame.wait(lambda: not microphone.is_on)
        assert (microphone.button.accessibleName(), microphone.time.isHidden()) == ("Record", True)
        (kept,) = (frame.app.paths.data / "recordings").iterdir()
        assert kept.stat().st_size > 16_000 * 2
        frame.wait(lambda: [one.error for one in chat.attaching.shown if one.error])
        (silent,) = chat.attaching.shown
        assert "Nothing is said in" in silent.error


def test_a_model_that_does_not_hear_says_so_in_a_line_with_a_way_to_those_that_do(
    open_chat: Open, tmp_path: Path
) -> None:
    desk = open_chat()
    desk.attaching.add([write_sound(tmp_path / "talk.wav", spoken((1.0, 1.0)))])
    desk.wait(lambda: [one.is_unheard for one in desk.attaching.shown] == [True])
    (line,) = [one for one in desk.every(NotSensed) if one.isVisible()]
    wanted = desk.heard(line.models_wanted)
    desk.click(line.models)
    assert wanted
    desk.attaching.remove(desk.attaching.shown[0])
    assert not line.isVisible()
