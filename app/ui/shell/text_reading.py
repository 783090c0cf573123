"""Reading aloud of whatever text the window shows: by key, menu or button, with the sentence marked."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QLocale, QObject, QTimer, Signal
from PySide6.QtWidgets import QApplication, QWidget

from app.features.error_messages import PersonMessage
from app.features.reading_aloud.sentence_reading import ReadingAloud, ReadingState
from app.features.reading_aloud.voice_messages import (
    NoVoice,
    SpeechEnded,
    VoiceEvent,
    VoiceLost,
    VoiceReady,
    has_voice_for,
)
from app.language.language_names import english_name
from app.ui.i18n import tr
from app.ui.shell import tasks
from app.ui.shell.readable_texts import ReadableTexts
from app.ui.shell.reading_bar import ReadingBar, bar_has
from app.ui.widgets.spoken_views import MarkedPlace, ReadingMark, SpokenText, as_spoken_view, text_from_here
from app.ui.widgets.timers import new_timer

if TYPE_CHECKING:
    from app.bootstrap import Fireside
    from app.ui.shell.field_dictation import FieldDictation
    from app.ui.shell.notify import Notify
    from app.ui.theme import Theme

NOTHING_TO_READ = PersonMessage("There’s no text to read here.", "Click into a text, then read aloud.")
_ADD_A_VOICE = "Add a voice in your system’s speech settings, then try again."
NO_SPEECH = PersonMessage("Fireside can’t read aloud: a part of Qt is missing.", "Install libpulse0, then try again.")
NO_SERVICE = PersonMessage(
    "This computer has no speech service.",
    "Install speech-dispatcher with a voice, such as espeak-ng, then try again."
    if sys.platform == "linux"
    else _ADD_A_VOICE,
)
NO_VOICES = PersonMessage("This computer has no voice.", _ADD_A_VOICE)
NO_VOICE_FOR = "This computer has no voice for {language}."
VOICE_LOST = PersonMessage("The voice stopped responding.", "Check your sound output, then read aloud again.")
_REASONS = {"module": NO_SPEECH, "engine": NO_SERVICE, "voice": NO_VOICES}

GROWING_MS = 250
"""How often a text that is still being written is asked for its next sentence."""
ENDS_WITHIN_S = 3.0


def can_read_aloud() -> bool:
    """Return whether this installation has what Qt speaks with; a voice may still be missing."""
    return importlib.util.find_spec("PySide6.QtTextToSpeech") is not None


class TextReading(QObject):
    """Reads one text at a time; `bar` has its buttons and is placed by the window."""

    changed = Signal()
    """It began, came to another sentence, was paused, went on or ended."""

    def __init__(
        self,
        app: Fireside,
        theme: Theme,
        notify: Notify,
        window: QWidget,
        dictation: FieldDictation | None,
        *,
        with_keys: Callable[[str, str], str],
    ) -> None:
        super().__init__(window)
        self._app, self._notify, self._window, self._dictation = app, notify, window, dictation
        self.bar = ReadingBar(theme, self, with_keys)
        self._mark = ReadingMark(theme)
        self._text: SpokenText | None = None
        self._reading: ReadingAloud | None = None
        self._task: tasks.BackgroundTask | None = None
        self._watched: QWidget | None = None
        self.texts = ReadableTexts(window, self.read_view)
        self._growing = new_timer(self, GROWING_MS, self._look_for_more, repeats=True)
        theme.changed.connect(self._mark.refresh)
        if dictation is not None:
            dictation.changed.connect(self._on_dictation)
            dictation.menu_wanted.connect(self.texts.add_to_menu)

    @property
    def is_on(self) -> bool:
        """True from the wish to hear a text until its end, also while paused."""
        return self._reading is not None

    @property
    def state(self) -> ReadingState:
        return self._reading.state if self._reading is not None else ReadingState.OVER

    def toggle(self) -> None:
        """Begin with what has the keyboard; or pause, or go on."""
        if (reading := self._reading) is None:
            self.read_here()
        elif reading.state is ReadingState.PAUSED:
            reading.resume()
        else:
            reading.pause()

    def read(self, text: SpokenText) -> None:
        """Read a text in place of what is being read."""
        self.stop()
        if self._dictation is not None and self._dictation.is_on:
            self._dictation.stop()
        voice = self._app.begin_voice()
        reading = ReadingAloud(
            text,
            speak=voice.speak,
            be_silent=voice.be_silent,
            on_change=self._on_changed,
            speed=self._app.settings.voice.reading_speed,
        )
        self._text, self._reading = text, reading
        sample = text.sample
        self._task = tasks.run(
            lambda cancel: voice.run(sample, cancel),
            self,
            on_event=partial(self._on_event, reading),
            on_failed=self._on_failed,
        )
        self.bar.show_speed(reading.speed)
        self.bar.show_sentence("", is_paused=False)
        self.bar.show()
        self.changed.emit()

    def read_view(self, view: QWidget) -> None:
        """Read a text view from its caret on, or what is selected in it."""
        found = as_spoken_view(view)
        text = text_from_here(found) if found is not None else None
        if text is None:
            self._notify.show_notice(NOTHING_TO_READ)
        else:
            self.read(text)

    def step(self, steps: int) -> None:
        """Go to the next (1) or previous (-1) sentence."""
        if self._reading is not None:
            self._reading.step(steps)

    def change_speed(self, speed: float) -> None:
        """Read at another speed from now on, and next time."""
        if self._reading is not None:
            self._reading.set_speed(speed)
        with self._notify.guard():
            self._app.change_settings("voice", reading_speed=speed)

    def stop(self) -> None:
        """Fall silent in the middle of a word, and forget where it was."""
        if self._reading is not None:
            self._reading.stop()

    def close(self) -> None:
        """Fall silent and wait for the voice's child because the window closes."""
        task = self._task
        self.stop()
        if task is not None:
            task.abandon()
            task.join(ENDS_WITHIN_S)

    def read_here(self) -> None:
        """Read what has the keyboard, from its caret on, or what the window shows."""
        focus = QApplication.focusWidget()
        focus = None if bar_has(focus) else focus
        if (text := self.texts.text_of(focus)) is None:
            self._notify.show_notice(NOTHING_TO_READ)
        else:
            self.read(text)

    def _on_event(self, reading: ReadingAloud, event: VoiceEvent) -> None:
        # What an earlier reading still tells concerns nobody.
        if reading is not self._reading:
            return
        if isinstance(event, SpeechEnded):
            reading.speech_ended(event.id)
        elif isinstance(event, VoiceReady):
            self._on_ready(reading, event)
        elif isinstance(event, NoVoice):
            self._fail(_REASONS.get(event.reason, NO_SERVICE))
        elif isinstance(event, VoiceLost):
            self._fail(VOICE_LOST)

    def _on_ready(self, reading: ReadingAloud, ready: VoiceReady) -> None:
        own = QLocale().name()
        known = self._text.language if self._text is not None else ""
        # A text whose language nobody can tell is probably in the window's.
        usual = own if has_voice_for(own, ready.voices) else ready.voices[0].language
        language = known or ready.language or usual
        if not has_voice_for(language, ready.voices):
            self._fail(PersonMessage(NO_VOICE_FOR, _ADD_A_VOICE, values={"language": tr(english_name(language))}))
            return
        voice = self._app.settings.voice.reading_voice
        reading.start(language, voice)
        if reading.state is ReadingState.OVER and reading.sentence is None:
            self._notify.show_notice(NOTHING_TO_READ)

    def _fail(self, message: PersonMessage) -> None:
        self.stop()
        self._notify.show_notice(message)

    def _on_failed(self, error: BaseException) -> None:
        self.stop()
        self._notify.error(error)

    def _on_changed(self) -> None:
        reading, text = self._reading, self._text
        if reading is None or text is None:
            return
        if reading.state is ReadingState.OVER:
            self._end()
            return
        sentence = reading.sentence
        place = sentence.place if sentence is not None else None
        if isinstance(place, MarkedPlace):
            self._mark.show(place)
            self._watch(place.view)
        self.bar.show_sentence(
            sentence.text if sentence is not None else "", is_paused=reading.state is ReadingState.PAUSED
        )
        if reading.state is ReadingState.WAITING:
            self._growing.start()
        else:
            self._growing.stop()
        self.changed.emit()

    def _end(self) -> None:
        text, task = self._text, self._task
        self._text = self._reading = self._task = None
        self._growing.stop()
        self._mark.show(None)
        if task is not None:
            # Its child has been told to be silent, and ends with it.
            task.cancel()
        if bar_has(QApplication.focusWidget()) and (view := self.texts.last_view) is not None:
            view.setFocus()
        self.bar.hide()
        if text is not None:
            text.on_over()
        self.changed.emit()

    def _look_for_more(self) -> None:
        if self._text is not None and not self._text.is_there:
            self.stop()
        elif self._reading is not None:
            self._reading.text_grew()

    def _watch(self, view: QWidget) -> None:
        # Where a chat is deleted or another one is opened, its texts go. Many sentences are of one view.
        if view is not self._watched:
            self._watched = view
            view.destroyed.connect(self._on_view_gone)

    def _on_view_gone(self) -> None:
        # A growing answer may only have made this view anew.
        QTimer.singleShot(0, self, self._stop_without_text)

    def _stop_without_text(self) -> None:
        if self._text is not None and not self._text.is_there:
            self.stop()

    def _on_dictation(self) -> None:
        if self._dictation is not None and self._dictation.is_on:
            self.stop()
