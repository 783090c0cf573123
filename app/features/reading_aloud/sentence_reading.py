"""Which sentence is read aloud now: one state for whatever text, with the voices behind two functions."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from typing import Protocol

from app.core.lazy_dataclasses import dataclass
from app.features.reading_aloud.voice_messages import SpeakSentence

SPEEDS = (0.5, 0.75, 1.0, 1.25, 1.5, 1.75, 2.0)


@dataclass(frozen=True)
class SpokenSentence:
    """A sentence as it is said, and where its text is, which only its source knows."""

    text: str
    place: object


class SentenceSource(Protocol):
    """A text that is read sentence by sentence, while more of it may still be written."""

    def next_sentence(self) -> SpokenSentence | None:
        """Return the sentence behind the last one; None at the end, or where the next one isn't whole yet."""

    @property
    def is_growing(self) -> bool:
        """Return whether there may be more later; `ReadingAloud.text_grew` is called then."""


class ReadingState(Enum):
    """What a reading does; `WAITING` is for more text."""

    READY = "ready"
    SPEAKING = "speaking"
    PAUSED = "paused"
    WAITING = "waiting"
    OVER = "over"


class ReadingAloud:
    """One text on its way through a voice. `on_change` is called when the sentence or the state changed."""

    def __init__(
        self,
        source: SentenceSource,
        *,
        speak: Callable[[SpeakSentence], object],
        be_silent: Callable[[], object],
        on_change: Callable[[], object],
        speed: float = 1.0,
    ) -> None:
        self._source, self._speak, self._be_silent, self._on_change = source, speak, be_silent, on_change
        self.state = ReadingState.READY
        self.speed = speed
        self.language = self.voice = ""
        self._read: list[SpokenSentence] = []
        self._at = -1
        self._request = 0

    @property
    def sentence(self) -> SpokenSentence | None:
        """The sentence that is read, or that a paused reading goes on with."""
        return self._read[self._at] if 0 <= self._at < len(self._read) else None

    def start(self, language: str, voice: str) -> None:
        """Begin with the first sentence, in this language and by this voice ("" for the language's own)."""
        self.language, self.voice = language, voice
        self._move_on()

    def pause(self) -> None:
        if self.state in (ReadingState.SPEAKING, ReadingState.WAITING):
            self._be_silent()
            self._set_state(ReadingState.PAUSED)

    def resume(self) -> None:
        """Go on with the sentence that was interrupted, from its beginning."""
        if self.state is ReadingState.PAUSED:
            self._say_again()

    def stop(self) -> None:
        if self.state is not ReadingState.OVER:
            self._be_silent()
            self._set_state(ReadingState.OVER)

    def step(self, steps: int) -> None:
        """Go to the next (1) or previous (-1) sentence, and read it; before the first one that is read again."""
        if self.state in (ReadingState.READY, ReadingState.OVER):
            return
        self._be_silent()
        if steps < 0:
            # Where it waits for more text, the last sentence is over already.
            self._at = max(0, self._at - (0 if self.state is ReadingState.WAITING else 1))
            self._say_again()
        else:
            self._move_on()

    def set_speed(self, speed: float) -> None:
        """Change the speed; the sentence that is being said begins again with it."""
        self.speed = speed
        if self.state is ReadingState.SPEAKING:
            self._be_silent()
            self._say_again()

    def speech_ended(self, request: int) -> None:
        """Go on, as the voice has come to the end of what it was asked for by this number."""
        if request == self._request and self.state is ReadingState.SPEAKING:
            self._move_on()

    def text_grew(self) -> None:
        """Look whether there is another sentence now, or the end of the text."""
        if self.state is ReadingState.WAITING:
            self._move_on()

    def _move_on(self) -> None:
        if self._at + 1 >= len(self._read):
            if (following := self._source.next_sentence()) is None:
                self._set_state(ReadingState.WAITING if self._source.is_growing else ReadingState.OVER)
                return
            self._read.append(following)
        self._at += 1
        self._say_again()

    def _say_again(self) -> None:
        if (sentence := self.sentence) is None:
            self._move_on()
            return
        self._request += 1
        self._set_state(ReadingState.SPEAKING)
        self._speak(SpeakSentence(self._request, sentence.text, self.language, self.voice, self.speed))

    def _set_state(self, state: ReadingState) -> None:
        self.state = state
        self._on_change()
