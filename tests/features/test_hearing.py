"""Recordings become documents: what the model says of each piece, with its seconds; and subtitles of it."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from app.core.child import own_command
from app.core.errors.model_errors import NoModel
from app.core.errors.request_errors import MediaRefused
from app.core.events import CancelToken
from app.documents.blocks import Block
from app.documents.formats.sound import is_sound
from app.documents.protocol import BlocksRead, Done, Event, Found, Read
from app.documents.source import Opened, PageRead
from app.engine.client import EngineClient
from app.features.document_library import DocumentLibrary, DocumentStored, Waits
from app.features.transcribe import RecordingTranscriber, SpokenSegment, cues_of, segment_of, segments_of, srt_of
from app.store.attachments import Attachments
from app.store.database import Database
from app.store.document_store import DocumentStore, PageReadings
from tests.helpers import tiny_eyes
from tests.helpers.engine import load, scripted_client
from tests.helpers.script import requests
from tests.helpers.sounds import spoken, write_sound

HEARS = {"any_path": True, "hears": True, "hearing_hz": 16_000}
Make = Callable[..., tuple[RecordingTranscriber, EngineClient]]


@pytest.fixture
def hearing(tmp_path: Path) -> Iterator[Make]:
    """What hears with a scripted model, which is loaded; all of them keep it in the same place."""
    engines, database = [], Database.in_memory()

    def make(*answers: dict[str, object], **rule: object) -> tuple[RecordingTranscriber, EngineClient]:
        script = {"log": "prompts.jsonl", "load": HEARS | rule, "answers": list(answers)}
        engine = scripted_client(tmp_path / "scripted", script)
        engines.append(engine)
        load(engine)
        return RecordingTranscriber(
            lambda: engine, tmp_path / "documents", tmp_path / "heard", PageReadings(database)
        ), engine

    yield make
    for engine in engines:
        engine.close()
    database.close()


def blocks_of(events: list[Event]) -> list[Block]:
    return [block for event in events if isinstance(event, BlocksRead) for block in event.blocks]


def test_a_recording_becomes_a_document_of_sentences_with_their_seconds(hearing: Make, tmp_path: Path) -> None:
    path = write_sound(tmp_path / "a.wav", spoken((20.0, 1.0), (60.0, 0.0), (10.0, 1.0)), 8000)
    hears, _ = hearing({"text": "Good morning. This is the first part.", "times": 1}, {"text": "And this the second."})
    events = list(hears.read_recording(Read(str(path)), CancelToken()))
    found, done = next(e for e in events if isinstance(e, Found)), events[-1]
    assert (found.format, found.opened) == ("sound", Opened("minute", 2, seconds=90.0))
    blocks = blocks_of(events)
    assert [(block.page, block.text) for block in blocks] == [
        (1, "Good morning."),
        (1, "This is the first part."),
        (2, "And this the second."),
    ]
    first, second, third = map(segment_of, blocks)
    assert first.start_s == 0.0
    assert second.end_s == pytest.approx(20.2, abs=0.1)
    assert first.end_s == second.start_s == pytest.approx(20.2 * 13 / 36, abs=0.2)
    assert third.start_s == pytest.approx(79.8, abs=0.1)
    assert third.end_s == pytest.approx(90.0, abs=0.1)
    assert blocks[2].label == "1:19 – 1:30"
    assert [(e.page, e.has_text) for e in events if isinstance(e, PageRead)] == [(1, True), (2, True)]
    assert isinstance(done, Done)
    assert (done.pages, done.pages_without_text, done.blocks, done.language) == (2, (), 3, "en")
    assert not list((tmp_path / "heard").iterdir()), "the pieces are gone"


def test_each_piece_is_shown_to_the_model_with_its_own_words(hearing: Make, tmp_path: Path) -> None:
    path = write_sound(tmp_path / "a.wav", spoken((1.0, 1.0)))
    hears, _ = hearing({"text": "language English<asr_text>Hello."}, name="Qwen3-ASR 0.6B")
    assert [block.text for block in blocks_of(list(hears.read_recording(Read(str(path)), CancelToken())))] == ["Hello."]
    (request,) = requests(tmp_path / "scripted" / "script.json")
    assert request["messages"] == [["user", ""]]
    assert request["background"]


def test_silence_is_a_document_without_text(hearing: Make, tmp_path: Path) -> None:
    path = write_sound(tmp_path / "a.wav", spoken((3.0, 0.0)))
    hears, _ = hearing()
    events = list(hears.read_recording(Read(str(path)), CancelToken()))
    assert blocks_of(events) == []
    done = events[-1]
    assert isinstance(done, Done)
    assert (done.pages, done.pages_without_text, done.blocks) == (1, (1,), 0)
    assert requests(tmp_path / "scripted" / "script.json") == [], "the model is not asked what it would invent"


def test_a_cancel_ends_it_between_two_words(hearing: Make, tmp_path: Path) -> None:
    path = write_sound(tmp_path / "a.wav", spoken((1.0, 1.0)))
    hears, _ = hearing({"text": "and so on and on ", "repeat": 1000, "delay_s": 0.01})
    cancel = CancelToken()
    seen = []
    for event in hears.read_recording(Read(str(path)), cancel):
        seen.append(event)
        if isinstance(event, Found):
            cancel.cancel()
    assert not any(isinstance(event, Done) for event in seen)


def test_one_that_is_broken_off_goes_on_where_it_was(hearing: Make, tmp_path: Path) -> None:
    path = write_sound(tmp_path / "a.wav", spoken((20.0, 1.0), (60.0, 0.0), (10.0, 1.0)), 8000)
    hears, engine = hearing({"text": "The first part."})
    cancel, asked = CancelToken(), tmp_path / "scripted" / "script.json"
    for event in hears.read_recording(Read(str(path)), cancel):
        if isinstance(event, BlocksRead) and event.blocks:
            cancel.cancel()
    engine.close()
    first = len(requests(asked))
    again, engine = hearing({"text": "And the second."})
    heard = [block.text for block in blocks_of(list(again.read_recording(Read(str(path)), CancelToken())))]
    assert heard == ["The first part.", "And the second."]
    assert len(requests(asked)) == first + 1
    engine.close()
    last, _ = hearing({"text": "Heard anew."})
    heard = [block.text for block in blocks_of(list(last.read_recording(Read(str(path)), CancelToken())))]
    assert heard == ["Heard anew."] * 2, "what is in a document is not kept beside it"


def test_other_documents_are_read_while_a_recording_is_heard(tmp_path: Path) -> None:
    def hear(request: Read, cancel: CancelToken) -> Generator[Event, None, None]:
        yield Found("sound", Opened("minute", 1))
        yield Done(1, (1,), 0, "", "ab")

    sound, text = write_sound(tmp_path / "a.wav", spoken((1.0, 1.0))), tmp_path / "b.txt"
    text.write_text("A letter.", "utf-8")
    with closing(Database.in_memory()) as database:
        store = DocumentStore(database)
        documents = DocumentLibrary(store, Attachments(database), tmp_path / "documents", hear=hear)
        listening = documents.read_file(sound, CancelToken())
        assert isinstance(next(listening), Found)
        assert isinstance(list(documents.read_file(text, CancelToken()))[-1], DocumentStored)
        second = write_sound(tmp_path / "c.wav", spoken((2.0, 1.0)))
        assert isinstance(next(documents.read_file(second, CancelToken())), Waits)
        listening.close()


def test_a_model_that_hears_nothing_is_told_of(hearing: Make, tmp_path: Path) -> None:
    path = write_sound(tmp_path / "a.wav", spoken((1.0, 1.0)))
    hears, engine = hearing(hears=False)
    with pytest.raises(MediaRefused) as caught:
        list(hears.read_recording(Read(str(path)), CancelToken()))
    assert (caught.value.kind, caught.value.reason) == ("sound", "deaf")
    engine.unload()
    with pytest.raises(NoModel):
        list(hears.read_recording(Read(str(path)), CancelToken()))


@pytest.mark.model
def test_a_real_model_with_a_tiny_ear_hears_each_piece(starter: Path, tmp_path: Path) -> None:
    low, high = (spoken((1.0, 1.0), tone_hz=tiny_eyes.TONES[name]) for name in ("low", "high"))
    engine = EngineClient(own_command("--engine-worker"), tmp_path / "engine")
    engine.folders = lambda: (tmp_path,)
    try:
        load(engine, starter, projector=str(tiny_eyes.make_ear(starter, tmp_path / "ear.gguf")), context_tokens=256)
        hears = RecordingTranscriber(lambda: engine, tmp_path / "documents", tmp_path / "heard")
        said = []
        for name, sound in (("low", low), ("high", high)):
            path = write_sound(tmp_path / f"{name}.wav", sound, 44_100, 2)
            said.append([block.text for block in blocks_of(list(hears.read_recording(Read(str(path)), CancelToken())))])
    finally:
        engine.close()

    assert said[0] != said[1], "it hears a difference"


def test_a_file_is_a_recording_by_what_it_begins_with(tmp_path: Path) -> None:
    assert is_sound(write_sound(tmp_path / "a.pdf", spoken((0.1, 1.0))))
    (tmp_path / "b.wav").write_text("no sound", "utf-8")
    assert not is_sound(tmp_path / "b.wav")
    assert not is_sound(tmp_path / "missing.wav")
    assert not is_sound(tmp_path)


def test_subtitles_are_two_short_lines_for_seven_seconds_at_most() -> None:
    said = segments_of(
        "Short. " + "A sentence that goes on for quite some while, longer than lines may be, " * 3, 0.0, 28.0
    )
    cues = list(cues_of(said))
    assert "".join(cue.text for cue in cues).replace(" ", "") == "".join(one.text for one in said).replace(" ", "")
    assert all(len(cue.text) <= 84 and cue.end_s - cue.start_s <= 7.01 for cue in cues)
    assert all(one.end_s == pytest.approx(two.start_s) for one, two in itertools.pairwise(cues))
    lines = srt_of([SpokenSegment(3661.5, 3663.0, "Hello.")]).splitlines()
    assert lines == ["1", "01:01:01,500 --> 01:01:03,000", "Hello."]
    assert all(len(line) <= 46 for line in srt_of(said).splitlines())


def test_unspaced_writing_is_divided_too() -> None:
    (segment,) = segments_of("今日は" * 40, 0.0, 10.0)
    cues = list(cues_of([segment]))
    assert len(cues) == 2
    assert "".join(cue.text for cue in cues) == segment.text
