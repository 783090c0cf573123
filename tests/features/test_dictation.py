"""Dictation: words of a recording that is still being made, cut at pauses, heard by the model in its child."""

from __future__ import annotations

import threading
from array import array
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.core.errors.model_errors import NoModel
from app.core.errors.request_errors import MediaRefused
from app.core.events import CancelToken
from app.documents.formats.sound import STEP_S
from app.documents.microphone import RATE_HZ, TRIAL_VARIABLE
from app.engine.client import EngineClient
from app.features.dictation import MOST_PIECE_S, NEWS_S, LiveDictation, WordsHeard, _GrowingSound
from tests.helpers.engine import load, scripted_client
from tests.helpers.script import requests
from tests.helpers.sounds import spoken, write_sound


def pieces_of(path: Path) -> list[float]:
    """Seconds of each whole piece of a file."""
    sound = _GrowingSound(path)
    sound.read_new()
    found = []
    while True:
        piece, is_final = sound.next_piece(is_over=True)
        if not is_final:
            break
        found.append(len(piece) / RATE_HZ)
    sound.close()
    return found


def test_a_pause_ends_a_piece_and_a_rest_in_a_sentence_does_not(tmp_path: Path) -> None:
    sound = spoken((0.5, 0.0), (2.0, 1.0), (0.4, 0.0), (1.0, 1.0), (1.0, 0.0), (1.5, 1.0))
    assert pieces_of(write_sound(tmp_path / "a.wav", sound)) == pytest.approx([3.8, 1.7], abs=0.1)
    assert pieces_of(write_sound(tmp_path / "b.wav", spoken((3.0, 0.0)))) == []


def test_speech_without_a_pause_is_cut_where_it_is_quietest(tmp_path: Path) -> None:
    sound = spoken((MOST_PIECE_S - 3, 1.0), (0.2, 0.1), (5.0, 1.0))
    first, second = pieces_of(write_sound(tmp_path / "a.wav", sound))
    assert first == pytest.approx(MOST_PIECE_S - 3, abs=0.5)
    assert second == pytest.approx(5.2, abs=0.5)


def test_a_growing_piece_is_heard_again_when_there_is_more_of_it(tmp_path: Path) -> None:
    whole = write_sound(tmp_path / "whole.wav", spoken((5.0, 1.0))).read_bytes()
    path = tmp_path / "growing.wav"
    sound, lengths = _GrowingSound(path), list[float]()
    sound.read_new()
    assert sound.next_piece(is_over=False) == (array("h"), False), "the file isn't there yet"
    for seconds in (0.5, 1.5, 1.6, 3.0):
        path.write_bytes(whole[: 44 + 2 * round(seconds * RATE_HZ) - 1])
        sound.read_new()
        piece, is_final = sound.next_piece(is_over=False)
        assert not is_final
        lengths.append(len(piece) / RATE_HZ)
    assert lengths == pytest.approx([0, 1.5, 0, 3.0], abs=2 * STEP_S), f"not before {NEWS_S} s of news"
    sound.close()


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[EngineClient]:
    """A loaded model that hears; it says other words of the first two requests."""
    said = [{"text": text, "times": 1} for text in ("We meet", "We meet on Tuesday.")]
    load_rule = {"any_path": True, "hears": True, "hearing_hz": RATE_HZ}
    script = {"log": "prompts.jsonl", "load": load_rule, "answers": [*said, {"text": "Bring the keys."}]}
    client = scripted_client(tmp_path / "scripted", script)
    yield client
    client.close()


def dictation_of(folder: Path, engine: EngineClient, language: str = "") -> LiveDictation:
    return LiveDictation(folder / "child", folder / "heard", lambda: engine, lambda: language)


def test_words_come_while_it_is_recorded_and_are_confirmed_at_its_end(
    engine: EngineClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    load(engine)
    monkeypatch.setenv(TRIAL_VARIABLE, str(write_sound(tmp_path / "said.wav", spoken((2.5, 1.0)))))
    dictation, stop = dictation_of(tmp_path, engine, "de"), CancelToken()
    recording = threading.Thread(target=lambda: list(dictation.record(stop)))
    recording.start()
    heard = []
    for event in dictation.hear_words(CancelToken()):
        heard.append(event)
        if event.is_final:
            stop.cancel()
    recording.join()
    assert heard[0] == WordsHeard("We meet", is_final=False)
    assert [event for event in heard if event.is_final] == [heard[-1]]
    asked = requests(tmp_path / "scripted" / "script.json")
    assert all(request["messages"][0][1].endswith("The language is German.") for request in asked)
    dictation.close()
    assert list((tmp_path / "heard").iterdir()) == [], "nothing of the recording is kept"


def test_silence_is_not_heard(engine: EngineClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    load(engine)
    monkeypatch.setenv(TRIAL_VARIABLE, "null")
    dictation, stop = dictation_of(tmp_path, engine), CancelToken()
    for event in dictation.record(stop):
        if getattr(event, "seconds", 0) > 0.5:
            stop.cancel()
    assert list(dictation.hear_words(CancelToken())) == []
    dictation.close()


def test_without_a_model_that_hears_it_is_refused(tmp_path: Path) -> None:
    client = scripted_client(tmp_path / "scripted", {"load": {"any_path": True}})
    dictation = dictation_of(tmp_path, client)
    with pytest.raises(NoModel):
        list(dictation.hear_words(CancelToken()))
    load(client)
    with pytest.raises(MediaRefused):
        list(dictation.hear_words(CancelToken()))
    dictation.close()
    client.close()
