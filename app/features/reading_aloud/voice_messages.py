"""What a window and the voices' child tell each other, and what is known of voices; imports nothing heavy."""

from __future__ import annotations

from collections.abc import Sequence

from app.core.lazy_dataclasses import dataclass
from app.language.language_names import base_code


@dataclass(frozen=True)
class SpeakSentence:
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


@dataclass(frozen=True)
class VoiceReady:
    """Event: the voices there are, and the language of the text that will be read; "" if unknown."""

    voices: tuple[VoiceName, ...]
    language: str


@dataclass(frozen=True)
class VoiceLost:
    """Event: the voices' child ended by itself, or was ended as it hung."""


VoiceEvent = VoiceReady | NoVoice | SpeechEnded | VoiceLost


def has_voice_for(language: str, voices: Sequence[VoiceName]) -> bool:
    """Return whether any voice speaks a language, in whichever country."""
    return any(base_code(voice.language) == base_code(language) for voice in voices)
