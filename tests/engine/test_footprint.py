"""Memory by formula, from headers alone."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.gguf import GgufHeader, TensorInfo, check_model
from app.engine.footprint import TOKEN_BYTES, Layout, shape_of, tokens_side_by_side

LAYOUT = Layout(4096)
WORDS = 1000 * TOKEN_BYTES  # tables for the vocabulary of the headers made here


def header(architecture: str = "llama", tensors: tuple[tuple[str, int], ...] = (), **keys: Any) -> GgufHeader:
    """A header of four layers; in keys, `__` stands for a dot."""
    defaults = {"block_count": 4, "embedding_length": 512, "attention.head_count": 8}
    keys = defaults | {key.replace("__", "."): value for key, value in keys.items()}
    metadata = {"general.architecture": architecture} | {f"{architecture}.{key}": item for key, item in keys.items()}
    infos = tuple(TensorInfo(name, (512, 1000), 8, 0, size) for name, size in tensors)
    return GgufHeader(3, metadata, infos, 0)


def values(**keys: Any) -> tuple[int, ...]:
    """Values kept for each token, layer by layer."""
    return shape_of(header(**keys)).kv_values


def test_the_starter_takes_what_llama_cpp_says(starter: Path) -> None:
    shape = shape_of(check_model(starter))
    assert shape.needs(LAYOUT).kv == 90 * 2**20
    assert shape.needs(replace(LAYOUT, kv_type="q8_0")).kv == 90 * 2**20 * 34 // 64


def test_every_head_keeps_a_key_and_a_value() -> None:
    assert values() == (2 * 512,) * 4
    assert values(attention__head_count_kv=2) == (2 * 2 * 64,) * 4
    assert values(attention__head_count_kv=2, attention__key_length=128, attention__value_length=32) == (320,) * 4


def test_lists_of_heads_count_layer_by_layer() -> None:
    assert values(attention__head_count_kv=[2, 1, 4, 2]) == (256, 128, 512, 256)


def test_latent_attention_keeps_keys_only() -> None:
    keys = {"attention__key_length": 576, "attention__value_length": 512, "attention__head_count_kv": 1}
    assert values(**keys, attention__key_length_mla=192, attention__value_length_mla=128) == (576,) * 4


def test_layers_that_share_a_memory_have_none_of_their_own() -> None:
    assert values(attention__shared_kv_layers=3) == (1024, 0, 0, 0)


def test_sliding_layers_may_have_heads_of_another_length() -> None:
    keys = {"attention__key_length_swa": 32, "attention__value_length_swa": 32}
    pattern = [True, True, True, False]
    assert values(**keys, attention__sliding_window_pattern=pattern) == (512, 512, 512, 1024)


def test_recurrent_layers_keep_a_state_for_each_sequence_instead() -> None:
    keys = {"attention__head_count_kv": [0, 8, 0, 8], "ssm__conv_kernel": 4, "ssm__inner_size": 1024}
    shape = shape_of(header("granitehybrid", **keys, ssm__state_size=128, ssm__group_count=1))
    state = 4 * (3 * (1024 + 2 * 128) + 128 * 1024)
    assert shape.kv_values == (0, 1024, 0, 1024)
    assert shape.state_bytes == (state, 0, state, 0)
    one, nine = (shape.needs(replace(LAYOUT, sequences=count)).kv for count in (1, 9))
    assert nine - one == 8 * 2 * state


def test_contexts_grow_in_llama_cpps_steps() -> None:
    shape = shape_of(header())
    assert shape.needs(Layout(257)).kv == shape.needs(Layout(512)).kv == 2 * shape.needs(Layout(256)).kv


def test_what_the_gpu_takes_main_memory_does_not() -> None:
    tensors = tuple((f"blk.{layer}.attn_q.weight", 1000 + layer) for layer in range(4))
    tensors += (("token_embd.weight", 70), ("output.weight", 50), ("output_norm.weight", 3))
    shape = shape_of(header(tensors=tensors))
    places = [shape.needs(replace(LAYOUT, gpu_layers=layers)) for layers in range(6)]
    assert [place.gpu_weights for place in places] == [0, 53, 1056, 2058, 3059, 4059]
    assert {place.weights + place.gpu_weights for place in places} == {4006 + 70 + 53 + WORDS}
    assert [place.gpu_kv * 4 // places[0].kv for place in places] == [0, 0, 1, 2, 3, 4]
    assert places[0].gpu == 0 < places[1].gpu_compute


def test_experts_can_stay_in_main_memory() -> None:
    tensors = tuple(
        (f"blk.{layer}.{name}.weight", size)
        for layer in range(4)
        for name, size in (("attn_q", 10), ("ffn_up_exps", 100), ("ffn_down_exps", 100), ("ffn_up_shexp", 7))
    )
    shape = shape_of(header(tensors=tensors, expert_count=8))
    layout = Layout(4096, gpu_layers=5)
    assert shape.is_mixture
    assert shape.needs(layout).gpu_weights == 4 * 217
    apart = shape.needs(replace(layout, experts_on_cpu=True))
    assert (apart.gpu_weights, apart.weights) == (4 * 17, 4 * 200)


def test_embeddings_that_are_the_output_too_are_on_both_devices() -> None:
    shape = shape_of(header(tensors=(("token_embd.weight", 70),)))
    needs = shape.needs(replace(LAYOUT, gpu_layers=1, repack=False))
    assert (needs.weights, needs.gpu_weights) == (70 + WORDS, 70)


def test_keys_that_no_block_divides_are_not_quantized() -> None:
    assert shape_of(header()).takes_q8
    assert not shape_of(header(attention__key_length=80)).takes_q8


KEYS = ("block_count", "embedding_length", "attention.head_count", "attention.head_count_kv", "attention.key_length")
KEYS += ("feed_forward_length", "ssm.inner_size", "context_length", "attention.sliding_window_pattern")
ODD = st.one_of(st.integers(), st.floats(), st.text(max_size=3), st.none(), st.lists(st.integers(), max_size=3))


@given(st.dictionaries(st.sampled_from(KEYS), ODD), st.sampled_from(["llama", "gemma3n", "mamba", "qwen35"]))
def test_no_header_is_too_odd(keys: dict[str, Any], architecture: str) -> None:
    needs = shape_of(header(architecture, **keys)).needs(LAYOUT)
    assert needs.main >= 0


@pytest.mark.parametrize("layers", [0, 1 << 62])
def test_impossible_numbers_of_layers_cost_nothing(layers: int) -> None:
    assert shape_of(header(block_count=layers)).layers <= 1024


def test_answers_go_side_by_side_while_their_memory_is_small_beside_the_weights(starter: Path) -> None:
    tokens = tokens_side_by_side(shape_of(check_model(starter)), "f16")
    assert 2500 < tokens < 3600, "eight short prompts together, sections of 1,500 tokens one after another"
    assert tokens_side_by_side(shape_of(check_model(starter)), "q8_0") > 1.8 * tokens
    large = header(tensors=(("blk.0.attn_q.weight", 8 * 10**9),))
    assert tokens_side_by_side(shape_of(large), "f16") > 100_000
    nothing_kept = header(architecture="mamba2", tensors=(("blk.0.ssm_in.weight", 10**6),))
    assert tokens_side_by_side(shape_of(nothing_kept), "f16") == sys.maxsize
