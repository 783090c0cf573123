"""The system's voices, in a child: where there is no sound, a call of theirs may never return."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from app.core.child import Child, own_command
from app.core.events import CancelToken
from app.core.wire import Caged, Ended, Wire, WireClient, WireInbox
from app.language.language_names import base_code

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


@dataclass(frozen=True)
class Speak:
    """Request to say a text in a language, by the named voice if it speaks it; `speed` 1 is the voice's usual one."""

    id: int
    text: str
    language: str
    voice: str
    speed: float


@dataclass(frozen=True)
class BeSilent:
    """Request to stop in the middle of a word; what was being said is not reported as ended."""


@dataclass(frozen=True)
class VoiceName:
    """A voice of the system and its language, such as "en_GB"."""

    name: str
    language: str


@dataclass(frozen=True)
class VoicesFound:
    """All voices of this computer, at least one; the child takes requests from now on."""

    voices: tuple[VoiceName, ...]


@dataclass(frozen=True)
class NoVoice:
    """Nothing can be said, and the child ends. `reason` is "module", "engine" or "voice"."""

    reason: str
    detail: str = ""


@dataclass(frozen=True)
class SpeechEnded:
    """The text of a request was said to its end."""

    id: int


WIRE = Wire(1, (Speak, BeSilent), (Caged, VoicesFound, NoVoice, SpeechEnded))


@dataclass(frozen=True)
class VoiceReady:
    """Event: the voices there are, and the language of the text that will be read; "" if unknown."""

    voices: tuple[VoiceName, ...]
    language: str


@dataclass(frozen=True)
class VoiceLost:
    """Event: the voices' child ended by itself, or was ended as it hung."""


VoiceEvent = VoiceReady | NoVoice | SpeechEnded | VoiceLost


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
                event = inbox.next_item()
                if event is not None:
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

    def speak(self, request: Speak) -> None:
        """Say a text, in place of what is being said. `SpeechEnded` follows unless something else is asked for."""
        if self._client is not None:
            patience_s = PATIENCE_S + PATIENCE_A_CHARACTER_S * len(request.text) / request.speed
            self._due_s = time.monotonic() + patience_s
            self._client.send(request)

    def be_silent(self) -> None:
        self._due_s = 0.0
        if self._client is not None:
            self._client.send(BeSilent())


def has_voice_for(language: str, voices: Sequence[VoiceName]) -> bool:
    """Return whether any voice speaks a language, in whichever country."""
    return any(base_code(voice.language) == base_code(language) for voice in voices)
