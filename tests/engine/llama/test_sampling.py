"""Where sampling values come from."""

from __future__ import annotations

import pytest

from app.engine.llama.sampling import Choice, choose
from app.engine.protocol import Sampling

SMOLLM = {"general.architecture": "llama", "general.basename": "smollm2"}


def test_the_librarys_defaults_are_last() -> None:
    assert choose(Sampling(), Sampling(), {}) == Choice()


def test_the_family_goes_before_the_library() -> None:
    choice = choose(Sampling(), Sampling(), SMOLLM)
    assert (choice.temperature, choice.top_p, choice.top_k, choice.min_p) == (0.7, 0.95, 40, 0.01)
    assert choice.repeat_penalty == 1.1


def test_only_the_family_that_needs_a_penalty_gets_one() -> None:
    assert choose(Sampling(), Sampling(), SMOLLM | {"general.basename": "smollm3"}).repeat_penalty == 1.0


def test_the_file_goes_before_the_family() -> None:
    choice = choose(
        Sampling(), Sampling(), SMOLLM | {"general.sampling.temp": 0.3, "general.sampling.penalty_repeat": 1.2}
    )
    assert (choice.temperature, choice.repeat_penalty, choice.min_p) == (0.3, 1.2, 0.01)


def test_the_request_goes_before_everything() -> None:
    asked = Sampling(temperature=0.0, top_k=0, seed=7)
    choice = choose(asked, Sampling(), SMOLLM | {"general.sampling.temp": 0.3, "general.sampling.top_p": 0.5})
    assert (choice.temperature, choice.top_k, choice.seed, choice.top_p) == (0.0, 0, 7, 0.5)


def test_a_tasks_preset_goes_between_chat_and_file() -> None:
    task = Sampling(temperature=0.2, top_p=0.9, presence_penalty=0.0)
    choice = choose(Sampling(temperature=0.5), task, SMOLLM | {"general.sampling.top_p": 0.5})
    assert (choice.temperature, choice.top_p, choice.presence_penalty, choice.min_p) == (0.5, 0.9, 0.0, 0.01)


def test_each_source_goes_before_the_next() -> None:
    metadata = SMOLLM | {"general.sampling.temp": 0.3, "general.sampling.top_k": 30}
    choice = choose(Sampling(seed=1), Sampling(temperature=0.2), metadata)
    assert choice.seed == 1  # the chat
    assert choice.temperature == 0.2  # the task, before the file
    assert choice.top_k == 30  # the file, before the library
    assert choice.min_p == 0.01  # the family, before the library
    assert choice.dry_multiplier == Choice().dry_multiplier


def test_values_in_a_file_may_be_written_as_text() -> None:
    written = {"temp": "0.3", "top_k": "30", "penalty_last_n": "-1", "xtc_probability": "0.5", "min_p": " 0.1 "}
    choice = choose(Sampling(), Sampling(), {f"general.sampling.{key}": value for key, value in written.items()})
    assert (choice.temperature, choice.top_k, choice.penalty_last_tokens, choice.xtc_probability) == (0.3, 30, -1, 0.5)
    assert isinstance(choice.top_k, int)
    assert choice.min_p == 0.1


@pytest.mark.parametrize("value", ["hot", "", "nan", "inf", "1e999", True, [1], None, "0x10"])
def test_values_in_a_file_that_are_no_numbers_are_passed_over(value: object) -> None:
    assert choose(Sampling(), Sampling(), {"general.sampling.temp": value}) == Choice()


def test_values_of_the_wrong_type_in_a_file_are_passed_over() -> None:
    assert choose(Sampling(), Sampling(), {"general.sampling.temp": "hot"}) == Choice()


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
    choice = choose(Sampling(), Sampling(), metadata)
    assert (choice.temperature, choice.top_k) == (temperature, top_k)
