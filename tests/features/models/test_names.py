"""What a model is called: one name, whoever asks."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.core.paths import starter_model
from app.features.models.model_names import display_name, stated_parameters
from app.hub.catalog import load_catalog


@pytest.mark.parametrize(
    ("file", "name"),
    [
        ("qwen2.5-coder-0.5b-instruct-q4_k_m.gguf", "qwen2.5 coder 0.5b instruct"),
        ("Big_9B-Q8_0-00001-of-00002.gguf", "Big 9B"),
        ("Q4_K_M.gguf", "Q4 K M"),
    ],
)
def test_a_file_is_called_by_its_name_without_the_quantization(tmp_path: Path, file: str, name: str) -> None:
    assert display_name(tmp_path / file) == name
    assert display_name(tmp_path / file, "Mine") == "Mine"


def test_a_suggested_model_has_the_name_it_is_suggested_by(tmp_path: Path) -> None:
    entry = next(one for one in load_catalog() if one.file and one.name not in Path(one.file).stem.replace("-", " "))
    path = tmp_path / Path(entry.file).name
    with path.open("wb") as file:
        file.truncate(entry.size_bytes)
    assert display_name(path) == entry.name


def test_the_starter_is_called_so_under_its_answers_too() -> None:
    path = starter_model()
    assert path is not None
    assert display_name(path) == "Starter"


@pytest.mark.parametrize(
    ("name", "total", "active"),
    [
        ("Qwen3.5-0.8B-GGUF", 800_000_000, 800_000_000),
        ("gemma-3-270m-it-qat-GGUF", 270_000_000, 270_000_000),
        ("Qwen3.6-35B-A3B-GGUF", 35_000_000_000, 3_000_000_000),
        ("Mixtral-8x7B-Instruct-v0.1-GGUF", 56_000_000_000, 0),
        ("Qwen2.5-7B-Instruct-1M-GGUF", 7_000_000_000, 7_000_000_000),
        ("gemma-3n-E2B-it-GGUF", 0, 0),
        ("Phi-3.5-mini-instruct-4bit", 0, 0),
    ],
)
def test_what_a_name_says_of_a_models_size(name: str, total: int, active: int) -> None:
    assert stated_parameters(name) == (total, active)
