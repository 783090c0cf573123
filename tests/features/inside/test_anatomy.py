"""What a file says of its model, against the `gguf` library."""

from __future__ import annotations

from pathlib import Path

import gguf
import pytest

from app.core.gguf import BLOCKS
from app.features.inside.anatomy import TYPES, anatomy_of
from tests.helpers.gguf_files import header, padded
from tests.helpers.models_on_disk import F32, write_model
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
    license_ = dict(anatomy_of(path).about)["License"]
    assert "\x1b" not in license_
    assert len(license_) < 300


def test_the_ways_of_keeping_weights_are_called_as_everywhere() -> None:
    known = {int(kind): kind.name for kind in gguf.GGMLQuantizationType}
    assert known == TYPES
    assert set(known) <= set(BLOCKS)


def test_the_cost_of_a_token_is_one_product_where_all_layers_are_alike(tmp_path: Path) -> None:
    found = anatomy_of(make_tiny("llama", tmp_path / "tiny.gguf"))
    assert found.is_plain
    assert found.kv_bytes == found.kv_bytes_per_token * found.context_tokens
    assert found.types == (("F32", found.parameters),)
    assert not anatomy_of(make_tiny("mamba", tmp_path / "other.gguf")).is_plain


def test_all_parts_of_a_split_model_are_counted(tmp_path: Path) -> None:
    paths = [write_part(tmp_path / f"split-0000{number}-of-00002.gguf", number) for number in (1, 2)]
    found = anatomy_of(paths[0], paths)
    assert found.parameters == 96
    assert {part.name: part.parameters for part in found.parts} == {"embedding": 64, "attention": 32}


def test_what_a_file_does_not_say_is_nothing_and_no_guess(tmp_path: Path) -> None:
    path = tmp_path / "odd.gguf"
    write_model(path, "Odd", **{"llama.attention.head_count": "nine", "llama.context_length": "long"})
    found = anatomy_of(path)
    assert (found.heads, found.key_length, found.context_tokens, found.kv_bytes_per_token) == (0, 0, 0, 0)
    assert found.about == ()


def write_part(path: Path, number: int) -> Path:
    tensor = ("token_embd.weight", 64) if number == 1 else ("blk.0.attn_q.weight", 32)
    facts = {"general.architecture": "llama", "general.name": "Split"}
    path.write_bytes(padded(header(facts, [(tensor[0], (tensor[1],), F32, 0)])) + bytes(4 * tensor[1]))
    return path
