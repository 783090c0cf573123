"""Files on their way: one after the other, but nothing waits behind a recording, and what failed is tried again."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from app.core.errors.engine_errors import EngineStopped
from app.core.events import CancelToken
from app.documents.protocol import Found
from app.documents.source import Opened
from app.features.file_reading import ReadAgain
from app.features.files_to_read import FileToRead, Stage
from app.features.work.job_draft import AddFiles, JobDraftSession, RemoveFiles
from app.ui.shell.notify import Notify
from app.ui.theme import Theme
from app.ui.work.intake import Intake
from tests.helpers.desks.window import open_window
from tests.helpers.script import prompts
from tests.helpers.sounds import held_talk, spoken, write_sound


def test_others_are_read_while_a_recording_is_heard_and_one_that_broke_off_is_tried_again(
    qtbot: QtBot, qapp: QApplication, tmp_path: Path
) -> None:
    may_end = threading.Event()

    def read(one: FileToRead, cancel: CancelToken) -> Iterator[object]:
        yield Found("", Opened("minute", 1))
        if one.path.suffix == ".wav":
            while not may_end.wait(0.01) and not cancel.cancelled:
                pass
            raise EngineStopped(None, "it broke off")

    theme = Theme("light")
    window = QWidget()
    qtbot.addWidget(window)
    session = JobDraftSession({})
    Intake(session, read, theme, Notify(theme), window=window)
    sounds = [write_sound(tmp_path / name, spoken((0.1, 1.0))) for name in ("a.wav", "b.wav")]
    text = tmp_path / "c.txt"
    text.write_text("A letter.", "utf-8")
    session.dispatch(AddFiles((*sounds, text)))
    qtbot.waitUntil(lambda: len(session.state.files) == 3 and session.state.files[2].unit == "minute")
    heard, waits, _ = session.state.files
    assert (heard.stage, waits.stage) == (Stage.READING, Stage.WAITS), "recordings are heard one after the other"
    may_end.set()
    qtbot.waitUntil(lambda: [one.stage for one in session.state.files] == [Stage.FAILED] * 3)
    assert all(one.error for one in session.state.files)
    may_end.clear()
    session.dispatch(ReadAgain(heard.key))
    heard = session.state.find(heard.key)
    assert (heard.stage, heard.error) == (Stage.READING, "")
    session.dispatch(RemoveFiles((heard.key,)))
    qtbot.waitUntil(lambda: not session.state.readings)


@pytest.mark.parametrize("name", ["summarize", "translate"])
def test_what_a_tab_was_listening_to_when_the_program_ended_is_there_at_the_next_start_and_goes_on(
    qapp: QApplication, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    script, talk = held_talk(tmp_path)
    monkeypatch.setenv("FIRESIDE_ENGINE_SCRIPT", str(script))
    with open_window(qapp) as frame:
        frame.window.loader.start()
        frame.wait(lambda: frame.window.loader.state == "ready")
        frame.window.show_tab(name).take_files([talk])
        frame.wait(lambda: len(prompts(script)) == 2)
    (script.parent / "go").touch()
    with open_window(qapp) as frame:
        field = "unread_summarized" if name == "summarize" else "unread_translated"
        assert getattr(frame.app.settings.window, field) == (str(talk),)
        view: Any = frame.window.show_tab(name).view
        files = view.files if name == "summarize" else view.document.drafts.files
        (one,) = files.files
        assert (one.name, one.is_on_its_way, one.error) == ("talk.wav", True, "")
        assert view.pages.currentWidget() is (view.draft if name == "summarize" else view.document)
        # The model comes for it.
        frame.wait(lambda: view.draft.ids if name == "summarize" else view.open_id)
        assert len(prompts(script)) == 3, "what was heard before is kept"
        frame.wait(lambda: getattr(frame.app.settings.window, field) == ())
