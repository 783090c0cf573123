"""Typed text: its paragraphs, its white space, other wordings of a sentence, and the way back."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.events import CancelToken
from app.features.translate.live import (
    join_paragraphs,
    segments_of,
    suggest_alternatives,
    translate_back,
    translate_text,
)
from app.features.translate.translation_events import TranslationWish
from tests.features.translate.pipeline import GERMAN, DictMemory, results, scripted, text_of

HUND = "Der Hund schläft im alten Haus."


@given(st.text())
def test_paragraphs_and_the_space_between_them_are_the_text(text: str) -> None:
    given_segments = segments_of(text)
    assert [segment.id for segment in given_segments] == list(range(1, len(given_segments) + 1))
    assert join_paragraphs(text, {}) == text
    assert join_paragraphs(text, {segment.id: segment.content for segment in given_segments}) == text


def test_white_space_stays_and_what_is_not_translated_yet_stays_too() -> None:
    text = "  One.\n\n\tTwo. \r\nThree.\n"
    assert [segment.text for segment in segments_of(text)] == ["One.", "Two.", "Three."]
    assert join_paragraphs(text, {1: ("Eins.",), 3: ("Drei.",)}) == "  Eins.\n\n\tTwo. \r\nDrei.\n"
    assert segments_of(" \n\t\n") == []


def test_each_paragraph_is_translated_before_all_background_work(tmp_path: Path) -> None:
    with scripted(tmp_path, {"text": HUND}) as model:
        events = list(translate_text("The dog sleeps in the old house.\n\n42", GERMAN, model.engine, DictMemory(),
                                     CancelToken()))  # fmt: skip
        assert [request["background"] for request in model.requests] == [False]
    assert {number: text_of(one) for number, one in results(events).items()} == {1: HUND, 2: "42"}


def test_alternatives_are_different_from_each_other(tmp_path: Path) -> None:
    rules = [
        {"text": "Er ist müde.", "times": 1},
        {"text": "Er ist müde.", "times": 1},
        {"text": "", "times": 1},
        {"text": "Er hat keine Kraft mehr.", "times": 1},
        {"text": "Ihm fehlt die Kraft."},
    ]
    with scripted(tmp_path, *rules) as model:
        found = list(
            suggest_alternatives("He is tired.", "He ran all day. He is tired.", GERMAN, model.engine, CancelToken())
        )
        requests = model.requests
    assert found == ["Er ist müde.", "Er hat keine Kraft mehr.", "Ihm fehlt die Kraft."]
    assert "He ran all day. He is tired." in requests[0]["messages"][-1][1]
    assert "Translate it in another way than:\n- Er ist müde." in requests[1]["messages"][-1][1]
    assert len({request["task_sampling"]["seed"] for request in requests}) == len(requests)
    assert not any(request["background"] for request in requests)


def test_the_wording_that_is_there_is_no_alternative(tmp_path: Path) -> None:
    with scripted(tmp_path, {"text": "Er ist müde.", "times": 2}, {"text": "Ihm fehlt die Kraft."}) as model:
        asked = ("He is tired.", "", GERMAN, model.engine, CancelToken())
        assert list(suggest_alternatives(*asked, count=1, current="Er ist müde. ")) == []
        assert list(suggest_alternatives(*asked, count=1, current="Er ist müde. ")) == ["Ihm fehlt die Kraft."]
        assert "Translate it in another way than:\n- Er ist müde." in model.requests[0]["messages"][-1][1]


def test_a_model_that_finds_no_other_wording_is_not_asked_for_ever(tmp_path: Path) -> None:
    with scripted(tmp_path, {"text": "Er ist müde."}) as model:
        assert list(suggest_alternatives("He is tired.", "", GERMAN, model.engine, CancelToken())) == ["Er ist müde."]
        assert len(model.requests) == 6
        cancel = CancelToken()
        cancel.cancel()
        assert list(suggest_alternatives("He is tired.", "", GERMAN, model.engine, cancel)) == []


@pytest.mark.parametrize(("source", "language"), [("en", "English"), ("", "English"), ("fr", "French")])
def test_the_way_back_grows_and_goes_into_the_source_language(tmp_path: Path, source: str, language: str) -> None:
    rules = [{"when": r"Hund[^\n]*$", "text": "The dog sleeps."}, {"when": r"Katze[^\n]*$", "text": "The cat eats."}]
    with scripted(tmp_path, *rules) as model:
        wish = TranslationWish("de", source)
        found = list(translate_back("Der Hund schläft.\n\nDie Katze frisst.", wish, model.engine, CancelToken()))
        assert f"from German to {language}" in model.requests[0]["messages"][0][1]
    assert found[0] == "The"
    assert found[-1] == "The dog sleeps.\n\nThe cat eats."
    assert all("Katze" not in text for text in found)
    assert all(len(one) <= len(other) for one, other in pairwise(found))
