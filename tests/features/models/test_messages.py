"""What is said about a model follows from how it was loaded."""

from __future__ import annotations

from dataclasses import replace

import pytest

from app.core.events import ModelLoaded, Placed
from app.engine import fit
from app.features.models.model_messages import (
    LOADED_ON_CPU,
    choice_words,
    format_gigabytes,
    model_facts,
    short_count,
    surprise_words,
    trying_words,
    why_words,
)

GB = 10**9
CHOICES = (
    fit.FITS,
    fit.ASKED,
    fit.REMEMBERED,
    fit.TIGHT,
    fit.KV_REDUCED,
    fit.CONTEXT_REDUCED,
    fit.EXPERTS_APART,
    fit.LAYERS_REDUCED,
    fit.CPU_ONLY,
)
LOADED = ModelLoaded(
    "/models/a.gguf", "a", 3 * GB, 8192, 32768, True, 33, 0, "CPU", 4,
    needed_bytes=1_200_000_000, free_bytes=9_800_000_000, choice="fits",
)  # fmt: skip


def said(model: ModelLoaded) -> str:
    words = choice_words(model)
    return "" if words is None else str(words)


def surprise(**fields: object) -> str:
    words = surprise_words(replace(LOADED, **fields))  # type: ignore[arg-type]
    return "" if words is None else str(words)


def facts_of(model: ModelLoaded) -> dict[str, str]:
    return {str(name): str(value) for name, value in model_facts(model)}


@pytest.mark.parametrize(("size_bytes", "text"), [(0, "0"), (1, "0.1"), (149_000_000, "0.1"), (9_760_000_000, "9.8")])
def test_gigabytes_have_one_decimal_and_nothing_that_is_there_is_zero(size_bytes: int, text: str) -> None:
    assert format_gigabytes(size_bytes) == text


@pytest.mark.parametrize(("tokens", "text"), [(950, "950"), (1200, "1.2k"), (8192, "8k"), (10_200, "10.2k")])
def test_token_counts_are_short(tokens: int, text: str) -> None:
    assert short_count(tokens) == text


def test_a_model_that_fits_says_what_it_needs_and_what_is_free() -> None:
    assert said(LOADED) == "Fits: needs 1.2 GB of 9.8 GB free, context 8k."


def test_a_smaller_context_says_why() -> None:
    reduced = replace(LOADED, choice="context_reduced", context_tokens=4096, free_bytes=3_100_000_000)
    assert said(reduced) == ("Context limited to 4k, because more doesn’t fit in the 3.1 GB free.")


def test_fewer_layers_say_how_many() -> None:
    assert said(replace(LOADED, choice="layers_reduced", gpu_layers=12)).startswith("12 of 33 layers are on the GPU")


@pytest.mark.parametrize("choice", CHOICES)
def test_every_choice_has_its_own_sentence(choice: str) -> None:
    text = said(replace(LOADED, choice=choice))
    assert text.endswith(".")
    assert "{" not in text
    assert [other for other in CHOICES if said(replace(LOADED, choice=other)) == text] == [choice]


@pytest.mark.parametrize("choice", [choice for choice in CHOICES if choice != fit.FITS])
def test_without_known_sizes_no_size_is_said(choice: str) -> None:
    text = said(replace(LOADED, choice=choice, needed_bytes=0, free_bytes=0))
    assert text
    assert "GB" not in text


def test_nothing_is_said_where_nobody_chose_or_nobody_knows() -> None:
    assert choice_words(replace(LOADED, choice="")) is None
    assert choice_words(replace(LOADED, choice="from the future")) is None
    assert choice_words(replace(LOADED, free_bytes=0)) is None


@pytest.mark.parametrize("step", [fit.FEWER_LAYERS, fit.SMALLER_CONTEXT, fit.CPU])
def test_every_step_of_the_ladder_is_said_while_it_is_tried_and_afterwards(step: str) -> None:
    assert "another way" not in str(trying_words(step))
    assert str(trying_words(step)).endswith("…")
    assert surprise(steps=(step,), gpu_layers=12).startswith("Loaded ")


def test_an_unknown_step_is_said_too() -> None:
    assert str(trying_words("from the future")) == "Trying another way…"


def test_the_last_step_that_counts_is_said() -> None:
    assert surprise(steps=("fewer_layers", "cpu")) == LOADED_ON_CPU
    both = surprise(steps=("fewer_layers", "smaller_context"), gpu_layers=12, context_tokens=4096)
    assert "12 of 33 layers" in both
    assert "context of 4k" in both


@pytest.mark.parametrize("reason", ["no_device", "no_memory", "load_failed"])
def test_a_gpu_that_is_not_used_is_said_with_its_reason(reason: str) -> None:
    text = surprise(gpu_missed=reason)
    assert "CPU" in text
    assert "{" not in text
    assert reason not in text


def test_a_reason_nobody_knows_is_shown_as_it_is() -> None:
    assert surprise(gpu_missed="driver 12 is too old").endswith("the GPU isn’t used: driver 12 is too old")


def test_a_model_larger_than_memory_is_a_surprise_and_one_that_fits_is_none() -> None:
    assert "slow" in surprise(choice="tight")
    assert surprise() == ""


def test_the_surprise_explains_more_than_the_choice() -> None:
    assert str(why_words(replace(LOADED, gpu_missed="load_failed"))) == surprise(gpu_missed="load_failed")
    assert str(why_words(LOADED)) == said(LOADED)


def test_facts_of_a_model_on_the_cpu() -> None:
    assert facts_of(replace(LOADED, kv_type="f16", sequences=8)) == {
        "Context": "8k of the 32k it was trained for",
        "Runs on": "CPU, 4 threads",
        "Layers": "all 33 on the CPU",
        "Memory": "needs 1.2 GB, 9.8 GB were free",
        "Context precision": "16-bit, exact",
        "In parallel": "up to 8 answers",
        "Thinking": "no",
    }


def test_facts_of_a_model_on_a_gpu() -> None:
    # llama.cpp counts the output as one more layer
    on_gpu = replace(LOADED, gpu_layers=34, device="Radeon 780M", kv_type="q8_0", thinking="effort")
    found = facts_of(replace(on_gpu, context_tokens=32768))
    assert found["Runs on"] == "Radeon 780M"
    assert found["Layers"] == "33 of 33 on the GPU"
    shared = replace(LOADED, gpu_layers=20, device="10.0.0.7:50052", placement=(Placed("10.0.0.7:50052", 20, 1),))
    assert facts_of(shared)["Layers"] == "20 of 33 there, the rest here"
    why = str(why_words(replace(shared, choice="layers_reduced")))
    assert why.startswith("20 of 33 layers are on 10.0.0.7:50052, because")
    assert found["Context"] == "32k, all it was trained for"
    assert found["Context precision"] == "8-bit, half the memory"
    assert found["Thinking"] == "low, medium or high"
    assert "In parallel" not in found
