"""How much a model reads and writes at once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from app.core.events import ModelLoaded
from app.features.models.model_languages import weights_in, weights_of
from app.features.summarize.sections import budgets_for, length_words
from app.features.summarize.summary_result import Length
from tests.helpers.counting import lines_run


def loaded(billions: float = 0, context: int = 100_000, **more: Any) -> ModelLoaded:
    fields: dict[str, Any] = {"path": "/no/such.gguf", "name": "m", "size_bytes": int(billions * 0.6e9)}
    fields |= {"context_tokens": context, "trained_context_tokens": context, "can_chat": True, "layers": 1}
    return ModelLoaded(**fields | {"gpu_layers": 0, "device": "", "threads": 1} | more)


@pytest.mark.parametrize(
    ("billions", "sizes", "is_small"),
    [
        (0.135, (360, 120, 250, 300), True),
        (1.5, (1500, 200, 2500, 300), True),
        (4, (3000, 350, 6000, 450), False),
        (9, (7000, 600, 16000, 700), False),
        (27, (12000, 800, 32000, 1000), False),
    ],
)
def test_each_class_of_models_has_its_sizes(billions: float, sizes: tuple[int, ...], is_small: bool) -> None:
    found = budgets_for(loaded(billions))
    assert (found.section, found.points, found.single, found.merged) == sizes
    assert found.is_small is is_small
    assert 2 <= found.most_points <= 10
    assert found.only_chooses is (billions < 0.5)


@pytest.mark.parametrize("context", [2048, 4096, 8192, 32_768])
@pytest.mark.parametrize("billions", [0.135, 4, 9, 27])
def test_two_sections_with_their_answers_fit_side_by_side_whatever_the_context(billions: float, context: int) -> None:
    budgets = budgets_for(loaded(billions, context)).within_context(fixed_tokens=250)
    assert 2 * (250 + budgets.section + budgets.points_limit) <= context
    assert budgets.section >= 64


@pytest.mark.parametrize("length", list(Length))
@pytest.mark.parametrize("context", [2048, 8192, 32_768])
def test_what_is_read_in_one_pass_leaves_room_for_instructions_and_answer(length: Length, context: int) -> None:
    budgets = budgets_for(loaded(27, context))
    answer = budgets.writing_tokens(length, "de")
    assert 250 + budgets.section_room(250, answer) + answer <= context
    assert budgets.section_room(250, answer) <= 32_000


def test_the_number_of_weights_is_read_from_the_file(starter: Path) -> None:
    assert weights_in(starter) == 134_515_008
    assert weights_in(starter.with_name("none.gguf")) == 0
    assert lines_run(lambda: weights_in(starter)) < 1000, "the window asks all the time, and a header is long"
    assert weights_of(loaded(0.135, weights=134_515_008)) == 134_515_008
    assert weights_of(loaded(0.135)) == 135_000_000, "a guess"


def test_a_longer_summary_may_take_more_and_other_languages_too() -> None:
    budgets = budgets_for(loaded(9))
    sizes = [budgets.writing_tokens(length, "en") for length in Length]
    assert sizes == sorted(set(sizes))
    assert budgets.writing_tokens(Length.LONG, "th") > budgets.writing_tokens(Length.LONG, "en")


@pytest.mark.parametrize(
    ("length", "language", "share", "words"),
    [
        (Length.SHORT, "en", 1.0, "about 150 words"),
        (Length.MEDIUM, "", 1.0, "about 350 words"),
        (Length.LONG, "de", 1.0, "about 800 words"),
        (Length.LONG, "de", 0.001, "about 20 words"),
        (Length.SHORT, "ja", 1.0, "about 6 sentences"),
        (Length.SHORT, "zh-TW", 1.0, "about 6 sentences"),
        (Length.SHORT, "th", 0.1, "about 2 sentences"),
    ],
)
def test_length_is_asked_for_in_words_or_where_words_have_no_spaces_in_sentences(
    length: Length, language: str, share: float, words: str
) -> None:
    assert length_words(length, language, share) == words
