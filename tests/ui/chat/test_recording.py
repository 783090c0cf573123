"""Recordings in the chat: dropped ones become documents of what is said, and the button records one."""

from __future__ import annotations

import gc
from functools import partial
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from app.core.errors.document_errors import DocumentUnreadable
from app.documents.microphone import TRIAL_VARIABLE
from app.features.chat.session_messages import SaveDraft
from app.features.error_messages import sentence_for
from app.features.file_reading import ResumeFiles
from app.ui.chat.attaching import STILL_LISTENING
from app.ui.chat.attachment_row import LISTENING_TO_MINUTE, WAITS_FOR_MODEL
from app.ui.chat.chat_tab import ChatTab
from app.ui.chat.chat_view import ChatView
from app.ui.chat.recording import RECORD, STOP_RECORDING
from app.ui.document.document_details import size_words
from tests.helpers.desks.window import open_window
from tests.helpers.script import prompts, write_script
from tests.helpers.sounds import held_talk, spoken, write_sound
from tests.ui.chat.test_temporary import files_with


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
        tab = frame.find_step(ChatTab)
        microphone, chat = tab.microphone, tab.chat
        assert microphone.button.isHidden(), "no model that hears is loaded"
        frame.window.loader.start()
        frame.wait(lambda: not microphone.button.isHidden())

        chat.attaching.add([write_sound(tmp_path / "talk.wav", spoken((2.0, 1.0)))])
        frame.wait(lambda: [one.is_on_its_way for one in chat.attaching.shown] == [False])
        (document,) = [one.document for one in chat.attaching.shown]
        assert document is not None
        assert (document.format, document.unit, document.pages) == ("sound", "minute", 1)
        assert size_words(document).startswith("2 seconds · ")
        blocks = frame.app.documents.read_blocks(document.id)
        assert [block.text for block in blocks] == ["We meet on Tuesday.", "Bring the keys."]
        chat.composer.set_text("When do we meet?")
        QTest.keyClick(chat.composer.field.edit, Qt.Key.Key_Return)
        frame.wait(lambda: any("When do we meet?" in turn[-1][1] for turn in prompts(script)))
        assert "We meet on Tuesday." in prompts(script)[-1][-1][1]

        QTest.mouseClick(microphone.button, Qt.MouseButton.LeftButton)
        assert microphone.button.accessibleName() == STOP_RECORDING
        frame.wait(lambda: microphone.time.text() >= "0:01")
        QTest.mouseClick(microphone.button, Qt.MouseButton.LeftButton)
        frame.wait(lambda: not microphone.is_on)
        assert (microphone.button.accessibleName(), microphone.time.isHidden()) == (RECORD, True)
        (kept,) = (frame.app.paths.data / "recordings").iterdir()
        assert kept.stat().st_size > 16_000 * 2
        frame.wait(lambda: [one.error for one in chat.attaching.shown if one.error])
        (silent,) = chat.attaching.shown
        assert silent.error == sentence_for(DocumentUnreadable(silent.path.name, "no_speech")).text


def is_gone(path: Path) -> bool:
    gc.collect()  # as the window does from time to time
    return not path.exists()


def test_what_is_recorded_for_a_temporary_chat_goes_with_it_and_lies_where_it_was_ended(
    qtbot: QtBot, qapp: object, script: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(TRIAL_VARIABLE, "null")
    with open_window(qapp, make_chat=ChatView) as frame:  # type: ignore[arg-type]
        tab = frame.find_step(ChatTab)
        microphone, chat = tab.microphone, tab.chat
        frame.window.loader.start()
        frame.wait(lambda: not microphone.button.isHidden())
        for ends_elsewhere in (False, True):
            chat.show_temporary()
            QTest.mouseClick(microphone.button, Qt.MouseButton.LeftButton)
            frame.wait(lambda: microphone.time.text() >= "0:01")
            if ends_elsewhere:
                chat.show_conversation(None)
                gc.collect()  # as the window does from time to time
            QTest.mouseClick(microphone.button, Qt.MouseButton.LeftButton)
            frame.wait(lambda: not microphone.is_on)
            frame.wait(lambda: [one.error for one in chat.attaching.shown if one.error])
            path = chat.attaching.shown[0].path
            assert path.is_file()
            assert (path.parent == frame.app.paths.recordings) is ends_elsewhere
            if not ends_elsewhere:
                chat.show_conversation(None)
                frame.wait(partial(is_gone, path))


def test_one_that_is_being_heard_when_the_program_ends_is_there_at_the_next_start_and_goes_on(
    qtbot: QtBot, qapp: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script, talk = held_talk(tmp_path)
    monkeypatch.setenv("FIRESIDE_ENGINE_SCRIPT", str(script))
    with open_window(qapp, make_chat=ChatView) as frame:  # type: ignore[arg-type]
        chat = frame.find_step(ChatTab).chat
        chat.session.dispatch(ResumeFiles())
        chat.attaching.add([talk])
        frame.wait(lambda: [one.awaits_model for one in chat.attaching.shown] == [True])
        assert chat.composer.attachments.chips[0].accessibleDescription() == WAITS_FOR_MODEL
        frame.window.loader.start()
        frame.wait(lambda: len(prompts(script)) == 2)
        chip = chat.composer.attachments.chips[0]
        frame.wait(lambda: chip.accessibleDescription() == LISTENING_TO_MINUTE.format(page=1, pages=2))
        assert chat.attaching.reason_to_wait() == STILL_LISTENING.format(name="talk.wav")
    (script.parent / "go").touch()
    with open_window(qapp, make_chat=ChatView) as frame:  # type: ignore[arg-type]
        chat = frame.find_step(ChatTab).chat
        assert chat.attaching.shown == []
        chat.session.dispatch(ResumeFiles())
        assert [(one.name, one.is_on_its_way) for one in chat.attaching.shown] == [("talk.wav", True)]
        frame.window.loader.start()
        frame.wait(lambda: [one.is_on_its_way for one in chat.attaching.shown] == [False])
        (document,) = [one.document for one in chat.attaching.shown]
        assert document is not None
        texts = [block.text for block in frame.app.documents.read_blocks(document.id)]
        assert texts == ["We meet on Tuesday.", "Bring the keys."]
        assert len(prompts(script)) == 3, "what was heard before is kept"
        chat.session.dispatch(SaveDraft())
        assert frame.app.settings.window.unread_files == ()


def test_one_that_was_not_heard_is_heard_once_a_model_is_there_that_hears(
    qtbot: QtBot, qapp: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rule = {"when": "word for word", "text": "We meet on Tuesday."}
    deaf, hearing = {"hears": False, "times": 1}, {"hears": True, "name": "Ear 2B"}
    script = write_script(tmp_path / "script", rule, load=[deaf, hearing])
    monkeypatch.setenv("FIRESIDE_ENGINE_SCRIPT", str(script))
    with open_window(qapp, make_chat=ChatView) as frame:  # type: ignore[arg-type]
        chat = frame.find_step(ChatTab).chat
        frame.window.loader.load(Path("/any/deaf.gguf"))
        frame.wait(lambda: frame.window.loader.state == "ready")
        chat.attaching.add([write_sound(tmp_path / "talk.wav", spoken((1.0, 1.0)))])
        frame.wait(lambda: [one.is_unheard for one in chat.attaching.shown] == [True])
        assert chat.composer.attachments.not_heard.isVisible()
        chat.show_conversation(frame.app.conversations.create().id)
        chat.show_conversation(None)
        assert [one.is_unheard for one in chat.attaching.shown] == [True], "another chat takes it away from none"
        frame.window.loader.load(Path("/any/ear.gguf"))
        frame.wait(lambda: [one.document is not None for one in chat.attaching.shown] == [True])
        assert not chat.composer.attachments.not_heard.isVisible()


def test_of_a_temporary_chat_nothing_that_is_being_heard_is_kept(
    qtbot: QtBot, qapp: object, fresh_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script, talk = held_talk(tmp_path)
    monkeypatch.setenv("FIRESIDE_ENGINE_SCRIPT", str(script))
    with open_window(qapp, make_chat=ChatView) as frame:  # type: ignore[arg-type]
        chat = frame.find_step(ChatTab).chat
        chat.session.dispatch(ResumeFiles())
        frame.window.loader.start()
        frame.wait(lambda: frame.window.loader.state == "ready")
        chat.show_temporary()
        chat.attaching.add([talk])
        frame.wait(lambda: len(prompts(script)) == 2)
    for words in (b"on tuesday", b"talk.wav"):
        assert files_with(words, fresh_home) == []
