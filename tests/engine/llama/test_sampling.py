"""Where sampling values come from."""

from __future__ import annotations

import pytest

from app.engine.llama.sampling import Choice, choose
from app.engine.protocol import Sampling

SMOLLM = {"general.architecture": "llama", "general.basename": "smollm2"}


def test_the_librarys_defaults_are_last() -> None:
    assert choose(Sampling(), {}) == Choice()


def test_the_family_goes_before_the_library() -> None:
    choice = choose(Sampling(), SMOLLM)
    assert (choice.temperature, choice.top_p, choice.top_k, choice.min_p) == (0.7, 0.95, 40, 0.01)
    assert choice.repeat_penalty == 1.1


def test_only_the_family_that_needs_a_penalty_gets_one() -> None:
    assert choose(Sampling(), SMOLLM | {"general.basename": "smollm3"}).repeat_penalty == 1.0


def test_the_file_goes_before_the_family() -> None:
    choice = choose(Sampling(), SMOLLM | {"general.sampling.temp": 0.3, "general.sampling.penalty_repeat": 1.2})
    assert (choice.temperature, choice.repeat_penalty, choice.min_p) == (0.3, 1.2, 0.01)


def test_the_request_goes_before_everything() -> None:
    asked = Sampling(temperature=0.0, top_k=0, seed=7)
    choice = choose(asked, SMOLLM | {"general.sampling.temp": 0.3, "general.sampling.top_p": 0.5})
    assert (choice.temperature, choice.top_k, choice.seed, choice.top_p) == (0.0, 0, 7, 0.5)


def test_values_of_the_wrong_type_in_a_file_are_passed_over() -> None:
    assert choose(Sampling(), {"general.sampling.temp": "hot"}) == Choice()


@pytest.mark.parametrize(
    ("metadata", "temperature", "top_k"),
    [
        ({"general.architecture": "gemma3"}, 1.0, 64),
        ({"general.architecture": "qwen3", "general.name": "Qwen3 4B"}, 0.6, 20),
        ({"general.architecture": "qwen3", "general.name": "Qwen3 4B Instruct 2507"}, 0.7, 20),
        ({"general.architecture": "qwen2", "general.name": "DeepSeek R1 Distill Qwen 7B"}, 0.6, 40),
        ({"general.architecture": "llama", "general.name": "Llama 3.2 3B Instruct"}, 0.7, 40),
        ({"general.architecture": "gpt-oss"}, 1.0, 0),
        ({"general.architecture": "granite", "general.name": "Granite 4.0"}, 0.0, 0),
        ({"general.architecture": "llama", "general.name": "TinyLlama"}, 0.8, 40),
    ],
)
def test_families_are_known_by_architecture_and_name(metadata: dict[str, str], temperature: float, top_k: int) -> None:
    choice = choose(Sampling(), metadata)
    assert (choice.temperature, choice.top_k) == (temperature, top_k)
