"""Buttons next to the attach button, for models with audio: one dictates the message, one attaches a recording."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject

from app.features.chat.session_messages import ExpectFile, FileMade
from app.features.error_messages import PersonMessage
from app.ui.chat.chat_view import ChatView
from app.ui.i18n import tr
from app.ui.locale_formats import format_clock
from app.ui.shell import tasks
from app.ui.shell.field_dictation import DICTATE, STOP_DICTATION, FieldDictation
from app.ui.shell.keyboard import with_keys
from app.ui.shell.tab_spec import UiContext
from app.ui.widgets.buttons import IconButton
from app.ui.widgets.labels import plain_label

if TYPE_CHECKING:
    from app.bootstrap import Fireside
    from app.features.chat.answer_service import AnswerService

STOP_RECORDING = "Stop recording"
RECORD = "Record"


ENDS_WITHIN_S = 2.0
"""Most seconds to wait for a recording to end when the window closes."""


class DictationButton(QObject):
    """Button that dictates into the message field, for models that hear."""

    def __init__(self, ui: UiContext, chat: ChatView, dictation: FieldDictation) -> None:
        super().__init__(chat)
        self._chat, self._dictation = chat, dictation
        self.button = IconButton(ui.theme, "microphone", tr(DICTATE), on_click=self._on_clicked, name="dictate")
        chat.composer.add_way(self.button)
        dictation.changed.connect(self._refresh)
        ui.loader.changed.connect(self._refresh)
        self._refresh()

    def _refresh(self) -> None:
        is_on = self._dictation.is_listening
        self.button.set_glyph("stop" if is_on else "microphone", "danger" if is_on else "muted")
        name = tr(STOP_DICTATION) if is_on else with_keys(tr(DICTATE), "dictate")
        self.button.set_name(tr(STOP_DICTATION) if is_on else tr(DICTATE))
        self.button.setToolTip(name)
        self.button.setVisible(self._dictation.is_on or self._dictation.can_hear)

    def _on_clicked(self) -> None:
        if not self._dictation.is_on:
            self._chat.focus_composer()
        self._dictation.toggle()


class MicrophoneButton(QObject):
    """Record button with the elapsed time. The microphone is opened only when it is pressed."""

    def __init__(self, app: Fireside, ui: UiContext, chat: ChatView) -> None:
        super().__init__(chat)
        self._app, self._ui, self._chat = app, ui, chat
        self._task: tasks.BackgroundTask | None = None
        self._begun_for: AnswerService | None = None
        self._expected: tuple[int, AnswerService] | None = None
        """Key of what waits in a draft for the recording to be saved, and that draft's service."""
        self.button = IconButton(ui.theme, "record", tr(RECORD), on_click=self._on_clicked, name="record")
        self.time = plain_label(kind="danger")
        self.time.setObjectName("recorded_time")
        self.time.hide()
        ui.theme.dress(self.time, font="caption")
        chat.composer.add_way(self.time)
        chat.composer.add_way(self.button)
        # Whether the model hears is known once it is loaded.
        ui.loader.changed.connect(self._refresh_button)
        self._refresh_button()

    @property
    def is_on(self) -> bool:
        return self._task is not None

    def toggle(self) -> None:
        """Start or stop recording, or tell the user that the model has no audio input."""
        if self.button.isHidden():
            self._ui.notify.show_notice(
                PersonMessage("The loaded model can’t hear. Choose one that can.", action="models")
            )
        else:
            self._on_clicked()

    def close(self) -> None:
        """Stop recording because the window closes; what was recorded is in its draft at the next start."""
        if (task := self._task) is not None:
            self._stop(task)
            # Not longer: closing must not wait for a device that hangs.
            if task.join(ENDS_WITHIN_S):
                # Delivered here: the event loop doesn't run again before drafts are stored.
                while not task.done:
                    task.deliver()

    def _refresh_button(self) -> None:
        loaded = self._app.loaded
        # Another model may be loaded while the microphone is open, and stopping must stay possible.
        self.button.setVisible(self.is_on or (loaded is not None and loaded.hears))

    def _on_clicked(self) -> None:
        if self._task is not None:
            # The button stays as it is until that is done, with the keyboard on it.
            self._stop(self._task)
            return
        # The reference keeps a temporary chat's folder until the recording ends.
        talk = self._begun_for = self._chat.open_chat.talk
        folder = self._folder_of(talk)
        self._task = tasks.run(
            lambda stop: self._app.recorder.record(folder, stop),
            self._chat,
            on_event=self._on_event,
            on_failed=self._ui.notify.error,
            on_over=self._on_over,
        )
        self._show_lit()

    def _folder_of(self, talk: AnswerService) -> Path:
        return self._app.temporary.recordings_of(talk) or self._app.paths.recordings

    def _stop(self, task: tasks.BackgroundTask) -> None:
        task.cancel()
        # A chip stands in the draft at once, so that a message sent now waits for the recording.
        if self._expected is None:
            session = self._chat.session
            self._expected = (session.new_key(), session.state.place.talk)
            session.dispatch(ExpectFile(f"{tr('Recording')}.wav", self._expected[0]))

    def _on_event(self, event: object) -> None:
        from app.features.transcribe import RecordingDone, moved_into

        if isinstance(event, RecordingDone):
            expected, self._expected = self._expected, None
            talk, path = self._chat.open_chat.talk if expected is None else expected[1], None
            # It may be ended in another chat, which keeps the file.
            with self._ui.notify.guard():
                path = moved_into(self._folder_of(talk), event.path)
            if expected is not None:
                self._chat.session.dispatch(FileMade(expected[0], path))
            elif path is not None:
                self._chat.attaching.add([path])
        else:
            seconds = int(getattr(event, "seconds", 0))
            self.time.setText(format_clock(seconds))

    def _on_over(self) -> None:
        self._task = self._begun_for = None
        # Too short, or the microphone was removed.
        if self._expected is not None:
            key, self._expected = self._expected[0], None
            self._chat.session.dispatch(FileMade(key, None))
        self._show_lit()
        self._refresh_button()

    def _show_lit(self) -> None:
        self.button.set_glyph("stop" if self.is_on else "record", "danger" if self.is_on else "muted")
        self.button.set_name(tr(STOP_RECORDING) if self.is_on else tr(RECORD))
        self.time.setText("0:00")
        self.time.setVisible(self.is_on)
