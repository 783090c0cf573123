"""The system's voices, in a child: where there is no sound, a call of theirs may never return."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path

from app.core.child import Child, own_command
from app.core.events import CancelToken
from app.core.wire import Caged, Ended, Wire, WireClient, WireInbox
from app.features.reading_aloud.voice_messages import (
    BeSilent,
    NoVoice,
    SpeakSentence,
    SpeechEnded,
    VoiceEvent,
    VoiceLost,
    VoiceReady,
    VoicesFound,
)

TRIAL_VARIABLE = "FIRESIDE_VOICE"
"""Name of Qt's engine of voices in place of the system's: "mock" is one that takes its time and is silent."""
_VARIABLES = (
    *(TRIAL_VARIABLE, "SPEECHD_ADDRESS", "PULSE_SERVER", "PIPEWIRE_REMOTE"),
    *("DBUS_SESSION_BUS_ADDRESS", "DISPLAY", "WAYLAND_DISPLAY"),
)
"""What the system's speech service needs besides, which the child may have to start."""
STARTS_WITHIN_S = 15.0
"""The system's speech service may have to be started first."""
PATIENCE_S, PATIENCE_A_CHARACTER_S = 20.0, 0.3
"""How long a text may take before the voice counts as hung: three times what a slow one takes."""


WIRE = Wire(1, (SpeakSentence, BeSilent), (Caged, VoicesFound, NoVoice, SpeechEnded))


class VoiceProcess:
    """The voices for one reading: `run` on a thread of its own, all else from another."""

    def __init__(self, child_folder: Path) -> None:
        self._child_folder = child_folder
        self._client: WireClient | None = None
        self._due_s = 0.0
        """When what was asked for has to be there; 0 for nothing."""

    def run(self, sample: str, cancel: CancelToken) -> Iterator[VoiceEvent]:
        """Yield what the voices tell, until `cancel`; `sample` is the text's beginning, for its language."""
        from app.language.language_detection import language_of  # not for a window that only offers it

        environment = {name: os.environ[name] for name in _VARIABLES if name in os.environ}
        inbox = WireInbox()
        child = Child(own_command("--voice-worker"), self._child_folder, environment, work="voice")
        self._due_s = time.monotonic() + STARTS_WITHIN_S
        try:
            self._client = WireClient(WIRE, child, inbox.add_item)
            language = language_of(sample)
            while not cancel.cancelled:
                if (event := inbox.next_item()) is not None:
                    self._due_s = 0.0
                if isinstance(event, VoicesFound):
                    yield VoiceReady(event.voices, language)
                elif self._due_s and time.monotonic() > self._due_s:
                    child.kill_tree()
                elif isinstance(event, NoVoice | SpeechEnded):
                    yield event
                elif isinstance(event, Ended):
                    yield VoiceLost()
                if isinstance(event, NoVoice | Ended):
                    return
        finally:
            self._client = None
            inbox.close()
            # It has to fall silent first, which it is asked for before; one that hangs is killed.
            child.close()

    def speak(self, request: SpeakSentence) -> None:
        """Say a text, in place of what is being said. `SpeechEnded` follows unless something else is asked for."""
        if self._client is not None:
            patience_s = PATIENCE_S + PATIENCE_A_CHARACTER_S * len(request.text) / request.speed
            self._due_s = time.monotonic() + patience_s
            self._client.send(request)

    def be_silent(self) -> None:
        self._due_s = 0.0
        if self._client is not None:
            self._client.send(BeSilent())
