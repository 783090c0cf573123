"""Reading aloud of whatever text the window shows: by key, menu or button, with the sentence marked."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QLocale, QObject, Qt, QTimer, Signal
from PySide6.QtGui import QContextMenuEvent
from PySide6.QtWidgets import QApplication, QMenu, QPlainTextEdit, QTextEdit, QWidget
from shiboken6 import isValid

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
from app.ui.shell.reading_bar import ReadingBar, bar_has
from app.ui.widgets.elevation import elevate
from app.ui.widgets.input_fields import PlainEdit
from app.ui.widgets.menus import popup_inside
from app.ui.widgets.spoken_views import (
    ReadingMark,
    SpokenPlace,
    SpokenText,
    SpokenWidget,
    TextEdit,
    as_spoken_view,
    text_from_here,
)
from app.ui.widgets.timers import new_timer

if TYPE_CHECKING:
    from app.bootstrap import Fireside
    from app.ui.shell.field_dictation import FieldDictation
    from app.ui.shell.notify import Notify
    from app.ui.theme import Theme

READ_FROM_HERE = "Read aloud from here"
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

MakeText = Callable[[QWidget | None], SpokenText | None]


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
        self._makers: list[tuple[QWidget, MakeText]] = []
        self._last_view: SpokenWidget | None = None
        self._growing = new_timer(self, GROWING_MS, self._look_for_more, repeats=True)
        application = QApplication.instance()
        assert isinstance(application, QApplication)
        application.focusChanged.connect(self._on_focus_changed)
        theme.changed.connect(self._mark.refresh)
        if dictation is not None:
            dictation.changed.connect(self._on_dictation)
            dictation.menu_wanted.connect(self._add_to_menu)

    @property
    def can_read(self) -> bool:
        """True unless this installation lacks what Qt speaks with; a voice may still be missing."""
        return importlib.util.find_spec("PySide6.QtTextToSpeech") is not None

    @property
    def is_on(self) -> bool:
        """True from the wish to hear a text until its end, also while paused."""
        return self._reading is not None

    @property
    def state(self) -> ReadingState:
        return self._reading.state if self._reading is not None else ReadingState.OVER

    def add_texts(self, owner: QWidget, make_text: MakeText) -> None:
        """Ask `make_text` for what is read while `owner` is visible: with the widget that has the focus in it, or None.

        One that returns None leaves it to the others, and to the text that has or had the keyboard.
        """
        self._makers.append((owner, make_text))

    def toggle(self) -> None:
        """Begin with what has the keyboard; or pause, or go on."""
        reading = self._reading
        if reading is None:
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
        text = self._text_of(focus)
        if text is None:
            self._notify.show_notice(NOTHING_TO_READ)
        else:
            self.read(text)

    def _text_of(self, focus: QWidget | None) -> SpokenText | None:
        self._makers = [(owner, make) for owner, make in self._makers if isValid(owner)]
        owners = [(owner, make) for owner, make in self._makers if owner.isVisible()]
        for owner, make in owners:
            if focus is not None and owner.isAncestorOf(focus) and (text := make(focus)) is not None:
                return text
        for view in (as_spoken_view(focus), self._usable_last_view()):
            if view is not None and (text := text_from_here(view)) is not None:
                return text
        made = next((text for _, make in owners if (text := make(None)) is not None), None)
        if made is None and (view := self._largest_view()) is not None:
            made = text_from_here(view)
        return made

    def _largest_view(self) -> TextEdit | None:
        """Return what a person probably looks at: the largest text of the window, one to be read before a field."""
        found: list[TextEdit] = [
            *self._window.findChildren(QTextEdit),
            *self._window.findChildren(QPlainTextEdit),
        ]
        shown = [view for view in found if view.isVisible() and view.toPlainText().strip()]
        return max(shown, key=lambda view: (view.isReadOnly(), view.width() * view.height()), default=None)

    def _usable_last_view(self) -> SpokenWidget | None:
        view = self._last_view
        return view if view is not None and isValid(view) and view.isVisible() else None

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
        # A text whose language nobody can tell is probably in the window's.
        language = ready.language or (own if has_voice_for(own, ready.voices) else ready.voices[0].language)
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
        if isinstance(place, SpokenPlace):
            self._mark.show(place)
            # Where a chat is deleted or another one is opened, its texts go.
            place.view.destroyed.connect(self._on_view_gone)
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
        if bar_has(QApplication.focusWidget()) and (view := self._usable_last_view()) is not None:
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

    def _on_view_gone(self) -> None:
        # A growing answer may only have made this view anew.
        QTimer.singleShot(0, self, self._stop_without_text)

    def _stop_without_text(self) -> None:
        if self._text is not None and not self._text.is_there:
            self.stop()

    def _on_dictation(self) -> None:
        if self._dictation is not None and self._dictation.is_on:
            self.stop()

    def _on_focus_changed(self, _old: QWidget | None, now: QWidget | None) -> None:
        view = as_spoken_view(now)
        if view is None:
            return
        self._last_view = view
        if view.property("is_read_aloud"):
            return
        view.setProperty("is_read_aloud", True)
        if isinstance(view, PlainEdit):
            view.menu_wanted.connect(lambda menu, _at: self._add_to_menu(menu, view))
        elif isinstance(view, QTextEdit):
            view.viewport().installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Show the menu of a text that has none of its own, with reading aloud in it."""
        view = watched.parent() if isinstance(event, QContextMenuEvent) else None
        if not isinstance(event, QContextMenuEvent) or not isinstance(view, QTextEdit) or not self.can_read:
            return False
        # In a chat the menu is that of the turn or the selection.
        if getattr(view, "is_shared", False) or view.contextMenuPolicy() != Qt.ContextMenuPolicy.DefaultContextMenu:
            return False
        menu = view.createStandardContextMenu()
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._add_to_menu(menu, view)
        elevate(menu)
        popup_inside(menu, event.globalPos())
        return True

    def _add_to_menu(self, menu: QMenu, view: SpokenWidget) -> None:
        if self.can_read and text_from_here(view) is not None:
            menu.addSeparator()
            action = menu.addAction(tr(READ_FROM_HERE))
            action.setObjectName("read_aloud")
            action.triggered.connect(lambda _=False: self.read_view(view))
