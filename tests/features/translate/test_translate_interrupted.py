"""Translations that are interrupted: an engine that ends, a person who stops or chats, and what is resumed."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.core.errors.engine_errors import EngineStopped
from app.core.events import CancelToken
from app.features.translate.live import translate_text
from app.features.translate.translate import translate_segments
from app.features.translate.translation_events import SegmentDone, SegmentGrows, TranslationEnded, TranslationEvent
from app.features.work.asking import TaskRests
from tests.features.translate.pipeline import (
    GERMAN,
    LARGE_BYTES,
    DictMemory,
    Scripted,
    events_of,
    results,
    scripted,
    segments,
    text_of,
)
from tests.helpers.engine import user

COUNT = 12
TEXTS = [f"The kiln of village {number} was fired for a whole day." for number in range(101, 101 + COUNT)]
ANSWERS = [f"Der Ofen des Dorfes {number} wurde einen ganzen Tag lang befeuert." for number in range(101, 101 + COUNT)]
GOOD = [
    {"when": f"village {number} [^\n]*$", "text": answer}
    for number, answer in zip(range(101, 101 + COUNT), ANSWERS, strict=True)
]


def asked_of(model: Scripted) -> list[int]:
    """How often each text was asked."""
    return [sum(text in one.partition("Text to translate")[2] for one in model.asked) for text in TEXTS]


def test_after_a_crash_in_the_middle_nothing_that_is_done_is_asked_again(tmp_path: Path) -> None:
    crash = {"when": "village 105 [^\n]*$", "text": "Der Ofen " * 9, "crash_after": 5, "times": 1}
    with scripted(tmp_path, crash, *GOOD) as model:
        found = results(events_of(model, segments(*TEXTS)))
        asked = asked_of(model)
    assert [text_of(found[number]) for number in range(1, COUNT + 1)] == ANSWERS
    assert asked == [1, 1, 1, 1, 2, *[1] * (COUNT - 5)]


def test_with_several_at_once_a_crash_costs_only_those_that_were_being_answered(tmp_path: Path) -> None:
    crash = {"when": "village 105 [^\n]*$", "text": "Der Ofen " * 9, "crash_after": 15, "times": 1}
    slow = [rule | {"delay_s": 0.001} for rule in GOOD]
    memory = DictMemory()
    with scripted(tmp_path, crash, *slow, sequences=4) as model:
        found = results(events_of(model, segments(*TEXTS), memory=memory))
        asked = asked_of(model)
    assert [text_of(found[number]) for number in range(1, COUNT + 1)] == ANSWERS
    assert asked[:4] == [1] * 4
    assert all(times <= 2 for times in asked)
    assert len(memory.kept) == COUNT


def test_an_engine_that_ends_again_and_again_is_told_and_what_was_done_is_kept(tmp_path: Path) -> None:
    crash = {"when": "village 105 [^\n]*$", "text": "Der Ofen " * 9, "crash_after": 5}
    memory = DictMemory()
    with scripted(tmp_path / "a", crash, *GOOD) as model, pytest.raises(EngineStopped):
        events_of(model, segments(*TEXTS), memory=memory)
    assert len(memory.kept) == 4
    with scripted(tmp_path / "b", *GOOD) as model:
        found = results(events_of(model, segments(*TEXTS), memory=memory))
        assert asked_of(model) == [0] * 4 + [1] * (COUNT - 4)
    assert len(found) == COUNT


def test_a_person_stops_and_a_later_run_goes_on_where_it_was(tmp_path: Path) -> None:
    cancel, memory = CancelToken(), DictMemory()
    slow = [rule | {"delay_s": 0.002} for rule in GOOD]
    with scripted(tmp_path, *slow) as model:
        first: list[TranslationEvent] = []
        for event in translate_segments(segments(*TEXTS), GERMAN, model.engine, memory, cancel):
            first.append(event)
            if isinstance(event, SegmentDone) and event.done == 3:
                cancel.cancel()
        done = results(first)
        assert first[-1] == TranslationEnded(is_partial=True)
        assert sorted(done) == [1, 2, 3]
        asked = asked_of(model)
        assert sum(asked) <= 4
        second = events_of(model, segments(*TEXTS), memory=DictMemory(), done=done)
        assert asked_of(model)[:3] == [1, 1, 1], "nothing that is done is asked twice"
    assert sorted(results(second)) == list(range(4, COUNT + 1))
    assert second[-1] == TranslationEnded()


def test_a_batch_that_is_stopped_in_the_middle_is_not_taken(tmp_path: Path) -> None:
    cancel = CancelToken()
    answer = "\n".join(f'<s n="{number}">{text}</s>' for number, text in enumerate(ANSWERS[:8], 1))
    slow = {"when": 'n="8"', "text": answer, "delay_s": 0.005}
    with scripted(tmp_path, slow, size_bytes=2_000_000_000) as model:
        seen: list[TranslationEvent] = []
        for event in translate_segments(segments(*TEXTS[:8]), GERMAN, model.engine, DictMemory(), cancel):
            seen.append(event)
            if isinstance(event, SegmentGrows) and event.id == 3:
                cancel.cancel()
    assert seen[-1] == TranslationEnded(is_partial=True)
    assert results(seen) == {}


def test_it_rests_while_somebody_chats_and_says_so(tmp_path: Path) -> None:
    slow = [rule | {"delay_s": 0.01} for rule in GOOD[:1]]
    chat = {"when": "^Hello$", "text": "word " * 30, "delay_s": 0.01}
    with scripted(tmp_path, chat, *slow, *GOOD) as model:
        rests: list[str] = []
        chatting: threading.Thread | None = None
        for event in translate_segments(segments(*TEXTS[:2]), GERMAN, model.engine, DictMemory(), CancelToken()):
            if isinstance(event, SegmentGrows) and chatting is None:
                chatting = threading.Thread(target=lambda: list(model.engine.generate([user("Hello")])))
                chatting.start()
            if isinstance(event, TaskRests):
                rests.append(event.reason)
        assert chatting is not None
        chatting.join()
    assert rests == ["interactive", ""]


def test_a_new_text_ends_the_old_one_at_once_and_unchanged_paragraphs_are_not_asked_again(tmp_path: Path) -> None:
    memory, cancel = DictMemory(), CancelToken()
    slow = {"when": "village 102 [^\n]*$", "text": "Der Ofen " * 400, "delay_s": 0.01, "times": 1}
    with scripted(tmp_path, slow, *GOOD) as model:
        running: Iterator[TranslationEvent] = translate_text(
            "\n\n".join(TEXTS[:2]), GERMAN, model.engine, memory, cancel
        )
        for event in running:
            if isinstance(event, SegmentGrows) and event.id == 2:
                cancel.cancel()
                break
        assert list(running)[-1] == TranslationEnded(is_partial=True)
        changed = "\n\n".join([TEXTS[0], TEXTS[2]])
        found = results(list(translate_text(changed, GERMAN, model.engine, memory, CancelToken())))
        assert asked_of(model)[:3] == [1, 1, 1]
    assert [text_of(found[number]) for number in (1, 2)] == [ANSWERS[0], ANSWERS[2]]


def test_after_a_crash_typed_text_is_asked_again(tmp_path: Path) -> None:
    crash = {"when": "village 101 [^\n]*$", "text": "Der Ofen " * 9, "crash_after": 5, "times": 1}
    with scripted(tmp_path, crash, *GOOD, size_bytes=LARGE_BYTES) as model:
        found = results(list(translate_text(TEXTS[0], GERMAN, model.engine, DictMemory(), CancelToken())))
        assert asked_of(model)[0] == 2
    assert text_of(found[1]) == ANSWERS[0]
