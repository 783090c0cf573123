"""A real voice is heard: the words that were asked for, sentence by sentence, each marked while it is said."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from app.core.events import CancelToken
from app.features.reading_aloud.voice_messages import SpeakSentence, SpeechEnded, VoiceReady, has_voice_for
from app.features.reading_aloud.voice_process import VoiceProcess
from app.ui.widgets.input_fields import PlainEdit
from tests.helpers.desks.window import open_window
from tests.helpers.spoken_sound import difference, recorded_speech, recorded_speech_of, reference_speech

pytestmark = [pytest.mark.orca, pytest.mark.timeout(300)]

TEXTS = {
    "Seven trains leave for the coast tomorrow morning.": "en",
    "Nobody knew why, and it rained all week.": "en",
    "Morgen früh fahren sieben Züge an die Küste.": "de",
    "Niemand wusste, warum es die ganze Woche regnete.": "de",
}


@pytest.fixture
def sound(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    with recorded_speech(tmp_path, monkeypatch) as sound:
        yield sound


def heard(sound: Path, first: int, last: int) -> str:
    """Which of the texts was said between two bytes of the recording."""
    spoken = recorded_speech_of(sound, first, last)
    return min(TEXTS, key=lambda text: difference(spoken, reference_speech(text, TEXTS[text])))


def test_the_words_that_were_asked_for_are_heard_in_their_language(sound: Path, tmp_path: Path) -> None:
    cancel, said, first = CancelToken(), list[str](), 0
    voice = VoiceProcess(tmp_path / "voice")
    for event in voice.run("", cancel):
        if isinstance(event, VoiceReady):
            assert all(has_voice_for(language, event.voices) for language in TEXTS.values())
        else:
            assert event == SpeechEnded(len(said))
            said.append(heard(sound, first, sound.stat().st_size))
        if len(said) == len(TEXTS):
            cancel.cancel()
            continue
        text, first = list(TEXTS)[len(said)], sound.stat().st_size
        voice.speak(SpeakSentence(len(said), text, TEXTS[text], "", 1.0))
    assert said == list(TEXTS)


def test_each_sentence_is_marked_while_it_is_heard(sound: Path, qapp: QApplication) -> None:
    sentences = list(TEXTS)[:2]
    with open_window(qapp) as frame:
        reading = frame.window.ui.reading
        assert reading is not None
        frame.activate()
        frame.show_tab("write")
        page = next(field for field in frame.middle.findChildren(PlainEdit) if field.isVisible())
        page.setPlainText(" ".join(sentences))
        page.setFocus()
        marks: dict[str, int] = {}

        def note() -> None:
            for mark in page.extraSelections():
                marks.setdefault(mark.cursor.selectedText(), sound.stat().st_size)

        reading.changed.connect(note)
        QTest.keyClick(page, Qt.Key.Key_F9, Qt.KeyboardModifier.ShiftModifier)
        assert reading.is_on
        frame.wait(lambda: not reading.is_on)
        assert not frame.notices
        ends = [*list(marks.values())[1:], sound.stat().st_size]
        assert {text: heard(sound, first, last) for (text, first), last in zip(marks.items(), ends, strict=True)} == {
            text: text for text in sentences
        }
