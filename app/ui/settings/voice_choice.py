"""Choice of the voice that reads aloud, of those that this computer has."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QLocale

from app.features.reading_aloud.voice_messages import NoVoice, VoiceEvent, VoiceLost, VoiceName, VoiceReady
from app.language.language_names import base_code, english_name
from app.ui.i18n import tr
from app.ui.settings.settings_pages import Save
from app.ui.shell import tasks
from app.ui.shell.settings_index import label_of
from app.ui.theme import Theme
from app.ui.widgets.buttons import ChoiceButton

if TYPE_CHECKING:
    from app.bootstrap import Fireside

BY_LANGUAGE = "The system’s"
LOOKING_FOR_VOICES = "Looking for voices…"
NO_VOICES_FOUND = "No voices found"


class VoiceChoice(ChoiceButton):
    """Voices in the window's language and in English, looked for when the menu is wanted: that takes up to a second."""

    def __init__(self, app: Fireside, theme: Theme, save: Save) -> None:
        self._app = app
        self._task: tasks.BackgroundTask | None = None
        self._is_complete = False
        name = app.settings.voice.reading_voice
        super().__init__(
            theme,
            label_of("reading_voice"),
            [("", tr(BY_LANGUAGE)), *([(name, name)] if name else [])],
            shows_change=False,
            on_change=lambda voice: save("voice", reading_voice=voice),
        )
        self.show_value(name)

    def show_menu(self) -> None:
        """Open the menu, once the voices of this computer are known."""
        if self._is_complete:
            super().show_menu()
        elif self._task is None:
            self.button.setText(tr(LOOKING_FOR_VOICES))
            self._task = tasks.run(
                lambda cancel: self._app.begin_voice().run("", cancel),
                self,
                on_event=self._on_event,
                on_failed=lambda _error: self._offer(()),
            )

    def _on_event(self, event: VoiceEvent) -> None:
        if isinstance(event, VoiceReady):
            self._offer(event.voices)
        elif isinstance(event, NoVoice | VoiceLost):
            self._offer(())

    def _offer(self, voices: tuple[VoiceName, ...]) -> None:
        if self._task is not None:
            self._task.cancel()
            self._task = None
        self._is_complete = bool(voices)
        languages = {base_code(QLocale().name()), "en"}
        found = sorted({(voice.name, base_code(voice.language)) for voice in voices})
        kept = [(self.value, self.value)] if self.value else []
        named = {name: _named(name, code) for name, code in found if code in languages}
        self.offer([("", tr(BY_LANGUAGE)), *(dict(kept) | named).items()])
        if voices and self.isVisible():
            super().show_menu()
        elif not voices:
            self.button.setText(tr(NO_VOICES_FOUND))


def _named(voice: str, language: str) -> str:
    """Return a voice with its language, unless its name says that already, as eSpeak's do."""
    spoken = english_name(language)
    return voice if voice.startswith(str(spoken)) else tr("{voice} ({language})", voice=voice, language=tr(spoken))
