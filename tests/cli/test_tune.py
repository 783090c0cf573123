"""`tune` in the terminal, with its figures, and what forgets them."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.cli.tune import FORGOTTEN, NOTHING_TO_FORGET
from app.features.models.tuning_words import ON_PROCESSOR, THREADS_USED, TUNED
from tests.helpers.script import write_script
from tests.helpers.terminal import fireside, only_json

FIGURES = {
    "answer_threads": 2,
    "prompt_threads": 4,
    "answer_speed": 31.2,
    "answer_default_speed": 27.1,
    "prompt_speed": 110.4,
    "prompt_default_speed": 80.0,
    "is_faster": True,
    "day": "2026-12-02",
    "on_cpu": True,
    "cpu_answers": 1.4,
    "cpu_prompts": 1.2,
}


@pytest.fixture
def model(tmp_path: Path) -> Path:
    path = tmp_path / "m.gguf"
    path.write_bytes(b"weights")
    return path


def test_tuning_prints_a_sentence_or_its_figures_and_is_forgotten(tmp_path: Path, model: Path) -> None:
    environment = {"FIRESIDE_ENGINE_SCRIPT": str(write_script(tmp_path, tune={"fields": FIGURES}))}
    said = fireside("tune", "--model", str(model), environment=environment).stdout
    figures = TUNED.format(day="2026-12-02", answers="31", default_answers="27", prompts="110", default_prompts="80")
    assert said == f"{figures} {THREADS_USED.format(answers='2', prompts='4')} {ON_PROCESSOR}\n"
    body = only_json(fireside("tune", "--model", str(model), "--json", environment=environment))
    assert body == {
        "model": "m.gguf",
        "kv_type": "f16",
        "llama_cpp": "scripted",
        "device": "scripted",
        "faster": True,
        "answer_threads": 2,
        "prompt_threads": 4,
        "batch_tokens": 256,
        "flash_attention": "auto",
        "sequences": 0,
        "answer_tokens_per_s": 31.2,
        "answer_default_tokens_per_s": 27.1,
        "prompt_tokens_per_s": 110.4,
        "prompt_default_tokens_per_s": 80.0,
        "flash_off_answers": 0.0,
        "flash_off_prompts": 0.0,
        "on_processor": True,
        "processor_answers": 1.4,
        "processor_prompts": 1.2,
        "seconds": 0.0,
        "day": "2026-12-02",
    }
    forget = ("tune", "--model", str(model), "--forget")
    assert fireside(*forget).stdout == FORGOTTEN.format(name="m.gguf") + "\n"
    assert fireside(*forget).stdout == NOTHING_TO_FORGET.format(name="m.gguf") + "\n"
    assert only_json(fireside(*forget, "--json")) == {"model": "m.gguf", "forgotten": False}
