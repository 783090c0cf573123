"""Reading a text aloud: which sentence a voice is asked for, and by what."""

from __future__ import annotations

import pytest

from app.features.reading_aloud.sentence_reading import ReadingAloud, ReadingState, SpokenSentence
from app.features.reading_aloud.voice_messages import SpeakSentence


class WrittenText:
    """Sentences that may still be written, and what was asked of the voice."""

    def __init__(self, *sentences: str, is_growing: bool = False) -> None:
        self.waiting, self.is_growing = list(sentences), is_growing
        self.asked: list[SpeakSentence | None] = []
        self.changes = 0

    def next_sentence(self) -> SpokenSentence | None:
        return SpokenSentence(self.waiting.pop(0), None) if self.waiting else None

    def note_change(self) -> None:
        self.changes += 1

    def reading(self) -> ReadingAloud:
        return ReadingAloud(
            self,
            speak=self.asked.append,
            be_silent=lambda: self.asked.append(None),
            on_change=self.note_change,
        )

    @property
    def said(self) -> list[str]:
        """What was asked for; "" for silence."""
        return [request.text if request is not None else "" for request in self.asked]

    @property
    def number(self) -> int:
        last = self.asked[-1]
        assert last is not None
        return last.id


@pytest.fixture
def text() -> WrittenText:
    return WrittenText("One.", "Two.", "Three.")


def test_sentences_follow_each_other_to_the_end(text: WrittenText) -> None:
    reading = text.reading()
    reading.start("en", "Anne")
    while reading.state is ReadingState.SPEAKING:
        reading.speech_ended(text.number)
    assert text.said == ["One.", "Two.", "Three."]
    assert reading.state is ReadingState.OVER
    assert reading.sentence == SpokenSentence("Three.", None)
    assert {(request.language, request.voice) for request in text.asked if request} == {("en", "Anne")}


def test_a_paused_reading_goes_on_with_its_sentence(text: WrittenText) -> None:
    reading = text.reading()
    reading.start("en", "")
    number = text.number
    reading.pause()
    assert reading.state is ReadingState.PAUSED
    reading.speech_ended(number)
    assert text.said == ["One.", ""], "the end of what was interrupted moves nothing on"
    reading.resume()
    assert text.said == ["One.", "", "One."]
    reading.speech_ended(number)
    assert reading.sentence == SpokenSentence("One.", None), "an older request has ended"


def test_steps_go_to_the_sentences_before_and_behind(text: WrittenText) -> None:
    reading = text.reading()
    reading.start("en", "")
    reading.step(-1)
    reading.step(1)
    reading.step(1)
    reading.step(-1)
    assert text.said == ["One.", "", "One.", "", "Two.", "", "Three.", "", "Two."]
    reading.step(1)
    reading.step(1)
    assert reading.state is ReadingState.OVER


def test_another_speed_begins_the_sentence_again(text: WrittenText) -> None:
    reading = text.reading()
    reading.set_speed(1.5)
    reading.start("en", "")
    reading.set_speed(2.0)
    assert [request and request.speed for request in text.asked] == [1.5, None, 2.0]
    reading.pause()
    reading.set_speed(1.0)
    assert text.said[-1] == "", "a paused reading stays silent"


def test_a_growing_text_is_waited_for_and_then_ends() -> None:
    text = WrittenText("One.", is_growing=True)
    reading = text.reading()
    reading.start("en", "")
    reading.speech_ended(text.number)
    assert reading.state is ReadingState.WAITING
    reading.text_grew()
    assert reading.state is ReadingState.WAITING
    text.waiting.append("Two.")
    reading.text_grew()
    assert text.said == ["One.", "Two."]
    reading.speech_ended(text.number)
    reading.step(-1)
    assert text.said[-2:] == ["", "Two."], "the last one, which was over"
    reading.speech_ended(text.number)
    text.is_growing = False
    reading.text_grew()
    assert reading.state is ReadingState.OVER


def test_what_was_stopped_says_nothing_any_more(text: WrittenText) -> None:
    reading = text.reading()
    reading.start("en", "")
    reading.stop()
    changes = text.changes
    reading.stop()
    reading.step(1)
    reading.resume()
    reading.text_grew()
    assert (text.said, text.changes) == (["One.", ""], changes)
