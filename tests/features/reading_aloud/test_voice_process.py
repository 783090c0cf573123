"""The voices' child, with Qt's own silent voice and with none."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from app.core.child import cage_reports, running_children
from app.core.events import CancelToken
from app.features.reading_aloud.voice_messages import (
    NoVoice,
    SpeakSentence,
    SpeechEnded,
    VoiceEvent,
    VoiceLost,
    VoiceReady,
    has_voice_for,
)
from app.features.reading_aloud.voice_process import TRIAL_VARIABLE, VoiceProcess

GERMAN = "Der Zug nach Hamburg fährt heute nicht, weil die Strecke gesperrt ist."


@pytest.fixture
def voice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> VoiceProcess:
    monkeypatch.setenv(TRIAL_VARIABLE, "mock")
    return VoiceProcess(tmp_path / "voice")


def begin(voice: VoiceProcess, sample: str) -> tuple[Iterator[VoiceEvent], CancelToken, VoiceReady]:
    cancel = CancelToken()
    events = voice.run(sample, cancel)
    ready = next(events)
    assert isinstance(ready, VoiceReady)
    return events, cancel, ready


def test_texts_are_said_one_after_the_other_and_the_child_ends(voice: VoiceProcess) -> None:
    events, cancel, ready = begin(voice, GERMAN)
    assert ready.language == "de"
    assert has_voice_for("en", ready.voices)
    assert not has_voice_for("de", ready.voices), "the silent engine speaks English, Norwegian and Finnish"
    for number, language in ((1, "en"), (2, "de"), (3, "fi")):
        voice.speak(SpeakSentence(number, "One two.", language, "", 2.0))
        assert next(events) == SpeechEnded(number)
    cancel.cancel()
    assert list(events) == []
    assert running_children() == []


def test_what_is_interrupted_does_not_end(voice: VoiceProcess) -> None:
    events, cancel, _ = begin(voice, "")
    voice.speak(SpeakSentence(1, "One two three four five.", "en", "Anne", 1.0))
    voice.be_silent()
    voice.speak(SpeakSentence(2, "Six seven eight.", "en", "Anne", 1.0))
    voice.speak(SpeakSentence(3, "Nine.", "nb", "", 1.0))
    assert next(events) == SpeechEnded(3)
    cancel.cancel()
    assert list(events) == []


def test_a_voice_that_hangs_is_given_up(voice: VoiceProcess, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.features.reading_aloud.voice_process.PATIENCE_S", 0.0)
    monkeypatch.setattr("app.features.reading_aloud.voice_process.PATIENCE_A_CHARACTER_S", 0.0)
    events, _, _ = begin(voice, "")
    voice.speak(SpeakSentence(1, "One two three four five six seven.", "en", "", 0.5))
    assert list(events) == [VoiceLost()]


def test_an_engine_that_is_not_there_says_so(voice: VoiceProcess, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(TRIAL_VARIABLE, "none such")
    (event,) = voice.run("", CancelToken())
    assert isinstance(event, NoVoice)
    assert event.reason == "engine"


def test_the_child_is_caged_before_it_is_given_a_text(voice: VoiceProcess) -> None:
    events, cancel, _ = begin(voice, "")
    cancel.cancel()
    assert list(events) == []
    assert "voice" in cage_reports()
    assert not cage_reports()["voice"].missing
