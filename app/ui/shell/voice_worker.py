"""The child that has the system's voices (`--voice-worker`), by Qt's text to speech.

A voice's calls may block, where there is no sound even for ever; then the parent ends this process, not the window.
"""

from __future__ import annotations

import math
import os
import shutil
import socket
import subprocess
import sys
import threading
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QCoreApplication, QLocale, QObject, Qt, QTimer, Signal

from app.core.cage import enter_cage
from app.core.child import claim_wire, run_in_heart
from app.core.landlock import ThreadGrant, program_places
from app.core.wire import Caged, ParentSide, check_request
from app.features.reading_aloud.voice_messages import (
    BeSilent,
    NoVoice,
    SpeakSentence,
    SpeechEnded,
    VoiceName,
    VoicesFound,
)
from app.features.reading_aloud.voice_process import TRIAL_VARIABLE, WIRE
from app.language.language_names import base_code

if TYPE_CHECKING:
    from PySide6.QtTextToSpeech import QTextToSpeech

SILENCE_MS = 300
"""How long a voice may take to report that it fell silent, before it is asked for something else all the same."""
STARTS_WITHIN_S = 10


def main(_arguments: list[str]) -> int:
    """Say what the parent asks for until it lets go."""
    parent = ParentSide(WIRE, *claim_wire())
    parent.send_greeting()
    try:
        from PySide6.QtTextToSpeech import QTextToSpeech
    except ImportError as error:
        parent.send_reply(NoVoice("module", str(error)))
        return 1
    application = QCoreApplication([])
    if (engine := _system_engine(QTextToSpeech)) is None or engine.state() is QTextToSpeech.State.Error:
        parent.send_reply(NoVoice("engine", engine.errorString() if engine is not None else ""))
        return 1
    if not (voices := _voices_of(engine)):
        parent.send_reply(NoVoice("voice"))
        return 1
    # Connected by now: a speech service that had to be started must not be in our cage.
    _enter_cage(parent)
    speaker = _SentenceSpeaker(parent, engine)
    parent.send_reply(VoicesFound(voices))

    def listen() -> None:
        for request in parent.read_requests():
            speaker.asked.emit(check_request(request))
        speaker.asked.emit(None)

    threading.Thread(target=listen, name="parent", daemon=True).start()
    application.exec()
    # At once: the engine's threads may be in the middle of anything.
    os._exit(0)


class _SentenceSpeaker(QObject):
    """Says one text at a time, and tells when it was said."""

    asked = Signal(object)

    def __init__(self, parent: ParentSide, engine: QTextToSpeech) -> None:
        super().__init__()
        self._parent, self._engine = parent, engine
        self._now: SpeakSentence | None = None
        self._next: SpeakSentence | None = None
        self._has_begun = False
        self._patience = QTimer(self, interval=SILENCE_MS, singleShot=True)
        self._patience.timeout.connect(self._say_next)
        engine.stateChanged.connect(self._on_state)
        self.asked.connect(self._on_asked, Qt.ConnectionType.QueuedConnection)

    def _on_asked(self, request: SpeakSentence | BeSilent | None) -> None:
        self._now = self._next = None
        if self._is_busy:
            self._engine.stop()
        if request is None:
            QCoreApplication.quit()
        elif isinstance(request, SpeakSentence):
            self._next = request
            # Some engines report the end of what was interrupted later, which must not be taken for the next one's.
            if self._is_busy:
                self._patience.start()
            else:
                self._say_next()

    @property
    def _is_busy(self) -> bool:
        return self._engine.state() in (self._engine.State.Speaking, self._engine.State.Synthesizing)

    def _say_next(self) -> None:
        self._patience.stop()
        request, self._next = self._next, None
        if request is None:
            return
        self._choose_voice(request.language, request.voice)
        # Qt's rates go from -1 to 1, which most engines take for half and double the usual speed.
        self._engine.setRate(max(-1.0, min(1.0, math.log2(request.speed))))
        self._now, self._has_begun = request, False
        self._engine.say(request.text)

    def _choose_voice(self, language: str, name: str) -> None:
        if base_code(self._engine.locale().name()) != base_code(language):
            locale = _locale_for(language, self._engine.availableLocales())
            if locale is not None:
                self._engine.setLocale(locale)
        if not name or self._engine.voice().name() == name:
            return
        for locale in self._engine.availableLocales():
            if base_code(locale.name()) == base_code(language):
                self._engine.setLocale(locale)
                if named := [voice for voice in self._engine.availableVoices() if voice.name() == name]:
                    self._engine.setVoice(named[0])
                    return

    def _on_state(self, state: QTextToSpeech.State) -> None:
        if state is self._engine.State.Error:
            self._parent.send_reply(NoVoice("engine", self._engine.errorString()))
            QCoreApplication.quit()
        elif state is self._engine.State.Speaking:
            self._has_begun = True
        elif state is self._engine.State.Ready and self._next is not None:
            self._say_next()
        elif state is self._engine.State.Ready and self._now is not None and self._has_begun:
            said, self._now = self._now, None
            self._parent.send_reply(SpeechEnded(said.id))


def _system_engine(kind: type[QTextToSpeech]) -> QTextToSpeech | None:
    """Return the system's engine, or the one that a trial names; None if there is only Qt's silent one."""
    if trial := os.environ.get(TRIAL_VARIABLE, ""):
        return kind(trial)
    # Left to itself, Qt takes the silent one where the other fails.
    _start_service()
    names = [name for name in kind.availableEngines() if name != "mock"]
    preferred = [name for name in ("speechd", "winrt", "sapi", "darwin") if name in names]
    return kind(next(iter([*preferred, *names]))) if names else None


def _start_service() -> None:
    """Start Linux's speech service unless it runs. What Qt starts has parts in our process group and ends with us."""
    program = shutil.which("speech-dispatcher")
    if sys.platform != "linux" or program is None or "SPEECHD_ADDRESS" in os.environ:
        return
    home = Path(os.environ.get("HOME") or "/nonexistent")
    runtime = Path(os.environ.get("XDG_RUNTIME_DIR") or os.environ.get("XDG_CACHE_HOME") or home / ".cache")
    with closing(socket.socket(socket.AF_UNIX)) as trial:
        try:
            trial.connect(str(runtime / "speech-dispatcher" / "speechd.sock"))
        except OSError:
            subprocess.run(
                [program, "--spawn"],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
                timeout=STARTS_WITHIN_S,
                check=False,
            )


def _voices_of(engine: QTextToSpeech) -> tuple[VoiceName, ...]:
    """Return all voices but eSpeak's hundred variants of each, "English (America)+Anna"."""
    usual, found = engine.locale(), list[VoiceName]()
    for locale in engine.availableLocales():
        engine.setLocale(locale)
        found += [
            VoiceName(voice.name(), locale.name()) for voice in engine.availableVoices() if "+" not in voice.name()
        ]
    engine.setLocale(usual)
    return tuple(found)


def _locale_for(language: str, locales: list[QLocale]) -> QLocale | None:
    """Return the locale of a language's voices: this computer's own if it is one, else the language's usual one."""
    fitting = {locale.name(): locale for locale in locales if base_code(locale.name()) == base_code(language)}
    for wanted in (QLocale.system().name(), QLocale(language).name()):
        if wanted in fitting:
            return fitting[wanted]
    return next(iter(fitting.values()), None)


def _enter_cage(parent: ParentSide) -> None:
    """Give up files, programs and new sockets; elsewhere than on Linux voices are a part of the system, and untried."""
    if sys.platform == "linux":
        grant = ThreadGrant(program_places(), programs=(), ports=())
        parent.send_reply(Caged(enter_cage(grant, other_threads=(run_in_heart,))))
