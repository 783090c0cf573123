"""What a file says of its model, against the `gguf` library."""

from __future__ import annotations

from pathlib import Path

import gguf
import pytest

from app.features.inside.anatomy import anatomy_of
from tests.helpers.tiny_models import EXPERTS, HEAD, HEADS, KV_HEADS, LAYERS, WIDTH, make_tiny


@pytest.mark.parametrize("kind", ["llama", "sentencepiece", "experts", "gemma3", "mamba"])
def test_the_parts_are_all_of_the_model(tmp_path: Path, kind: str) -> None:
    path = make_tiny(kind, tmp_path / "tiny.gguf")
    found = anatomy_of(path)
    tensors = gguf.GGUFReader(path).tensors
    assert sum(part.parameters for part in found.parts) == found.parameters == sum(int(t.n_elements) for t in tensors)
    assert sum(part.size_bytes for part in found.parts) == found.size_bytes == sum(int(t.n_bytes) for t in tensors)
    assert "other" not in [part.name for part in found.parts]
    assert found.bits_per_weight == 32
    assert found.layers == LAYERS


def test_an_ordinary_model_in_numbers(tmp_path: Path) -> None:
    found = anatomy_of(make_tiny("llama", tmp_path / "tiny.gguf"))
    assert (found.heads, found.kv_heads, found.key_length, found.width) == (HEADS, KV_HEADS, HEAD, WIDTH)
    assert found.kv_bytes_per_token == 2 * LAYERS * KV_HEADS * HEAD * 2  # keys and values, two bytes each
    assert found.name == "Tiny llama"
    assert found.experts == 0


def test_experts_are_a_part_of_their_own(tmp_path: Path) -> None:
    found = anatomy_of(make_tiny("experts", tmp_path / "tiny.gguf"))
    assert (found.experts, found.experts_used) == (EXPERTS, 2)
    assert "experts" in [part.name for part in found.parts]


def test_hostile_facts_are_made_safe(tmp_path: Path) -> None:
    path = make_tiny("llama", tmp_path / "tiny.gguf", **{"general.license": "MIT\x1b[2J" + "x" * 5000})
    license_ = dict(anatomy_of(path).about)["Licence"]
    assert "\x1b" not in license_
    assert len(license_) < 300
