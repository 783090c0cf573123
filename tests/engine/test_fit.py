"""What a model takes, and how it is made to fit."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.gguf import GgufHeader, TensorInfo, check_model, check_projector
from app.engine import fit
from app.engine.fit import (
    LEAST_CHECKPOINT_BYTES,
    MOST_CHECKPOINT_BYTES,
    DoesNotFit,
    GpuRoom,
    LoadPlan,
    MemoryRoom,
    checkpoint_budget_bytes,
    choose_plan,
    next_step,
)
from app.engine.model_shape import (
    EYES_BYTES,
    MOST_CHECKPOINTS,
    PLACES,
    TOKEN_BYTES,
    ModelLayout,
    ModelShape,
    shape_of,
    tokens_side_by_side,
)
from app.engine.protocol import Wish
from tests.helpers.tiny_eyes import make_random_eye

# Memory by formula, from headers alone.


LAYOUT = ModelLayout(4096)
MB, GB = 10**6, 10**9
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
    assert shape.memory_needs(LAYOUT).kv == 90 * 2**20
    assert shape.memory_needs(replace(LAYOUT, kv_type="q8_0")).kv == 90 * 2**20 * 34 // 64


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


def test_eyes_take_weights_and_scratch_and_their_pictures_are_read_at_once(tmp_path: Path) -> None:
    path = make_random_eye("gemma3", tmp_path / "eye.gguf", 64, image=560)
    eye = check_projector(path, "model.gguf")
    blind, seeing = shape_of(header()), shape_of(header(), eye)
    assert 0 < path.stat().st_size - seeing.eyes.weights < 10_000
    assert seeing.eyes.whole_tokens == 400
    before, after = blind.memory_needs(LAYOUT), seeing.memory_needs(LAYOUT)
    assert after.weights - before.weights == seeing.eyes.weights
    assert after.compute - before.compute == seeing.eyes.compute > EYES_BYTES
    on_gpu, on_cpu = (replace(LAYOUT, gpu_layers=5), shape_of(header(), eye, projector_on_cpu=True))
    assert seeing.memory_needs(on_gpu).gpu_weights == blind.memory_needs(on_gpu).gpu_weights + seeing.eyes.weights
    assert on_cpu.memory_needs(on_gpu).gpu == blind.memory_needs(on_gpu).gpu
    assert (
        on_cpu.memory_needs(on_gpu).main == blind.memory_needs(on_gpu).main + seeing.eyes.weights + seeing.eyes.compute
    )
    room = MemoryRoom(10 * 2**30, 12 * 2**30)
    assert choose_plan(seeing, Wish(), room).picture_tokens == 400
    measured = replace(before, weights=before.weights * 2)
    estimate = fit.corrected_estimate(seeing, LAYOUT, measured)
    assert estimate(LAYOUT).weights == 2 * before.weights + seeing.eyes.weights
    assert estimate(replace(LAYOUT, context_tokens=8192)).weights == 2 * before.weights + seeing.eyes.weights


def test_recurrent_layers_keep_a_state_for_each_sequence_instead() -> None:
    keys = {"attention__head_count_kv": [0, 8, 0, 8], "ssm__conv_kernel": 4, "ssm__inner_size": 1024}
    shape = shape_of(header("granitehybrid", **keys, ssm__state_size=128, ssm__group_count=1))
    state = 4 * (3 * (1024 + 2 * 128) + 128 * 1024)
    assert shape.kv_values == (0, 1024, 0, 1024)
    assert shape.state_bytes == (state, 0, state, 0)
    one, nine = (shape.memory_needs(replace(LAYOUT, sequences=count)).kv for count in (1, 9))
    assert nine - one == 8 * 2 * state


def test_contexts_grow_in_llama_cpps_steps() -> None:
    shape = shape_of(header())
    assert (
        shape.memory_needs(ModelLayout(257)).kv
        == shape.memory_needs(ModelLayout(512)).kv
        == 2 * shape.memory_needs(ModelLayout(256)).kv
    )


def test_what_the_gpu_takes_main_memory_does_not() -> None:
    tensors = tuple((f"blk.{layer}.attn_q.weight", 1000 + layer) for layer in range(4))
    tensors += (("token_embd.weight", 70), ("output.weight", 50), ("output_norm.weight", 3))
    shape = shape_of(header(tensors=tensors))
    places = [shape.memory_needs(replace(LAYOUT, gpu_layers=layers)) for layers in range(6)]
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
    layout = ModelLayout(4096, gpu_layers=5)
    assert shape.is_mixture
    assert shape.memory_needs(layout).gpu_weights == 4 * 217
    apart = shape.memory_needs(replace(layout, experts_on_cpu=True))
    assert (apart.gpu_weights, apart.weights) == (4 * 17, 4 * 200)


def mixture() -> ModelShape:
    """Four layers, each with three tensors of experts that are most of it."""
    sizes = (("attn_q", 10 * MB), ("ffn_up_exps", 100 * MB), ("ffn_down_exps", 120 * MB), ("ffn_gate_exps", 100 * MB))
    tensors = tuple((f"blk.{layer}.{name}.weight", size) for layer in range(4) for name, size in sizes)
    return shape_of(header(tensors=tensors, expert_count=8, context_length=8192))


@pytest.mark.parametrize("gpu_mb", range(1000, 2200, 130))
def test_only_as_many_expert_tensors_leave_a_gpu_as_have_to(gpu_mb: int) -> None:
    shape, room = mixture(), MemoryRoom(64 * GB, 64 * GB, (GpuRoom("GPU", "", gpu_mb * MB, gpu_mb * MB),))
    plan = choose_plan(shape, Wish(context_tokens=4096, kv_type="f16"), room)
    assert plan.gpu_layers == 5, "attention of all layers is on the GPU"
    assert plan.choice == ("experts_apart" if plan.cpu_experts else "asked")
    assert shape.memory_needs(plan.layout).gpu <= room.gpu_spare()
    if plan.cpu_experts:
        one_more_there = replace(plan.layout, cpu_experts=plan.cpu_experts - 1)
        assert shape.memory_needs(one_more_there).gpu > room.gpu_spare()


def test_experts_leave_the_first_layers_tensor_by_tensor() -> None:
    shape, layout = mixture(), ModelLayout(4096, gpu_layers=4, cpu_experts=4)
    names = [tensor.name for tensor in shape.experts_apart(layout)]
    assert names == [f"blk.1.ffn_{name}_exps.weight" for name in ("down", "gate", "up")] + [
        "blk.2.ffn_down_exps.weight"
    ]
    before, after = shape.memory_needs(replace(layout, cpu_experts=0)), shape.memory_needs(layout)
    assert before.gpu_weights - after.gpu_weights == after.weights - before.weights == 440 * MB


def test_where_not_even_experts_apart_help_fewer_layers_are_on_the_gpu() -> None:
    shape, small = mixture(), MemoryRoom(64 * GB, 64 * GB, (GpuRoom("GPU", "", 470 * MB, 470 * MB),))
    plan = choose_plan(shape, Wish(context_tokens=8192, kv_type="f16"), small)
    assert plan.choice in ("layers_reduced", "cpu_only")
    assert plan.cpu_experts == len(shape.movable_experts(plan.layout))


def test_a_mixture_without_a_gpu_is_placed_as_any_other() -> None:
    plan = choose_plan(mixture(), Wish(), MemoryRoom(64 * GB, 64 * GB))
    assert (plan.choice, plan.cpu_experts) == ("fits", 0)


def test_names_that_are_no_experts_of_llama_cpp_stay_with_their_layer() -> None:
    tensors = (("blk.0.ffn_up_exps.weight", 100), ("blk.0.ffn_up_exps.(a+)+$", 100), ("blk.0.ffn_up_shexp.weight", 7))
    names = [tensor.name for tensor in shape_of(header(tensors=tensors)).expert_tensors]
    assert names == ["blk.0.ffn_up_exps.weight"]


def test_embeddings_that_are_the_output_too_are_on_both_devices() -> None:
    shape = shape_of(header(tensors=(("token_embd.weight", 70),)))
    needs = shape.memory_needs(replace(LAYOUT, gpu_layers=1, repack=False))
    assert (needs.weights, needs.gpu_weights) == (70 + WORDS, 70)


def test_keys_that_no_block_divides_are_not_quantized() -> None:
    assert shape_of(header()).takes_q8
    assert not shape_of(header(attention__key_length=80)).takes_q8


KEYS = ("block_count", "embedding_length", "attention.head_count", "attention.head_count_kv", "attention.key_length")
KEYS += ("feed_forward_length", "ssm.inner_size", "context_length", "attention.sliding_window_pattern")
ODD = st.one_of(st.integers(), st.floats(), st.text(max_size=3), st.none(), st.lists(st.integers(), max_size=3))


@given(st.dictionaries(st.sampled_from(KEYS), ODD), st.sampled_from(["llama", "gemma3n", "mamba", "qwen35"]))
def test_no_header_is_too_odd(keys: dict[str, Any], architecture: str) -> None:
    needs = shape_of(header(architecture, **keys)).memory_needs(LAYOUT)
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


GIB = 2**30
LAYERS = 32


def shape(weights: int = 4 * GIB, *, state: int = 0, trained: int = 131072) -> ModelShape:
    """About an 8B model: 128 KiB a token in f16, 1 GiB for 8,192."""
    layer = weights // (LAYERS + 2)
    none = (0,) * LAYERS
    states = (state,) * LAYERS
    return ModelShape(LAYERS, (layer,) * LAYERS, none, layer, layer, 0, False, (2048,) * LAYERS, states, 4096, 14336,
                 128256, 1, trained, True)  # fmt: skip


def room(free: float, *gpus: float, total: float = 64, shared: bool = False) -> MemoryRoom:
    """Gibibytes free in main memory and on each GPU."""
    cards = tuple(GpuRoom(f"GPU{n}", "card", int(size * GIB), 24 * GIB, shared) for n, size in enumerate(gpus))
    return MemoryRoom(int(free * GIB), int(total * GIB), cards)


def summary(plan: LoadPlan) -> tuple[str, int, str, int]:
    return plan.choice, plan.context_tokens, plan.kv_type, plan.gpu_layers


def test_with_room_everything_is_as_wanted() -> None:
    plan = choose_plan(shape(), Wish(), room(32))
    assert summary(plan) == ("fits", 8192, "f16", 0)
    assert plan.sequences == 1 + fit.MOST_SEQUENCES
    assert plan.needed_bytes == shape().memory_needs(plan.layout).total
    assert plan.free_bytes == 32 * GIB


def test_what_was_asked_for_is_called_so() -> None:
    assert summary(choose_plan(shape(), Wish(16000), room(32))) == ("asked", 16128, "f16", 0)
    assert summary(choose_plan(shape(), Wish(0, "q8_0"), room(32))) == ("asked", 8192, "q8_0", 0)


def test_a_context_is_never_longer_than_the_model_was_trained_for() -> None:
    assert choose_plan(shape(trained=2048), Wish(), room(32)).context_tokens == 2048


def test_the_context_is_stored_smaller_before_it_gets_shorter() -> None:
    assert summary(choose_plan(shape(), Wish(), room(6.0))) == ("kv_reduced", 8192, "q8_0", 0)
    shorter = choose_plan(shape(), Wish(), room(5.5))
    assert (shorter.choice, shorter.kv_type) == ("context_reduced", "q8_0")
    assert 2048 <= shorter.context_tokens < 8192
    assert choose_plan(shape(), Wish(), room(5.18)).context_tokens < 2048


def test_the_longest_context_that_fits_is_taken() -> None:
    plan = choose_plan(shape(), Wish(), room(5.5))
    longer = replace(plan.layout, context_tokens=plan.context_tokens + 256)
    assert plan.needed_bytes <= room(5.5).spare() < shape().memory_needs(longer).total


def test_a_kv_type_that_was_asked_for_stays() -> None:
    plan = choose_plan(shape(), Wish(0, "f16"), room(6.0))
    assert (plan.choice, plan.kv_type) == ("context_reduced", "f16")


def test_weights_beyond_free_memory_are_read_from_the_file() -> None:
    plan = choose_plan(shape(20 * GIB), Wish(), room(8, total=32))
    assert (plan.choice, plan.context_tokens, plan.repack) == ("tight", 2048, False)


def test_weights_beyond_all_memory_are_refused() -> None:
    with pytest.raises(DoesNotFit) as caught:
        choose_plan(shape(40 * GIB), Wish(), room(24, total=32))
    assert caught.value.needed_bytes > 40 * GIB
    assert caught.value.free_bytes == 24 * GIB


def test_no_room_for_the_context_is_refused_too() -> None:
    with pytest.raises(DoesNotFit):
        choose_plan(shape(), Wish(), room(1.1, total=32))


def test_unknown_memory_limits_nothing() -> None:
    assert choose_plan(shape(), Wish(), MemoryRoom(0, 0)).choice == "fits"


def test_a_large_gpu_takes_it_all() -> None:
    plan = choose_plan(shape(), Wish(), room(16, 12))
    assert summary(plan) == ("fits", 8192, "f16", LAYERS + 1)
    assert plan.batch_tokens == fit.GPU_BATCH_TOKENS


def test_a_small_gpu_takes_the_layers_that_fit() -> None:
    plan = choose_plan(shape(), Wish(), room(16, 4))
    assert plan.choice == "layers_reduced"
    assert 0 < plan.gpu_layers < LAYERS
    more = shape().memory_needs(replace(plan.layout, gpu_layers=plan.gpu_layers + 1))
    assert more.gpu > room(16, 4).gpu_spare()


def test_two_gpus_take_more_than_one() -> None:
    one, two = choose_plan(shape(), Wish(), room(16, 4)), choose_plan(shape(), Wish(), room(16, 4, 4))
    assert two.gpu_layers > one.gpu_layers
    assert two.needed_bytes > shape().memory_needs(replace(two.layout, gpus=1)).total, (
        "each has scratch memory of its own"
    )


def test_a_gpu_without_room_is_left_alone_and_that_is_said() -> None:
    assert summary(choose_plan(shape(), Wish(), room(16, 1))) == ("cpu_only", 8192, "f16", 0)


def test_no_layers_means_no_gpu() -> None:
    assert summary(choose_plan(shape(), Wish(gpu_layers=0), room(16, 12))) == ("asked", 8192, "f16", 0)


def test_a_gpu_that_shares_main_memory_takes_from_it() -> None:
    assert choose_plan(shape(), Wish(), room(7, 7, shared=True)).choice == "fits"
    assert choose_plan(shape(), Wish(), room(5, 7, shared=True)).choice not in ("fits", "asked", "layers_reduced")


def test_checkpoints_of_what_cannot_be_rolled_back_are_counted() -> None:
    small, large, plain = (shape(state=state) for state in (2**16, 8 * 2**20, 0))
    plan = choose_plan(small, Wish(), room(16))
    assert plan.checkpoint_bytes == (MOST_CHECKPOINTS + PLACES * (plan.sequences - 1)) * LAYERS * 2**16
    assert plan.needed_bytes == small.memory_needs(plan.layout).total + plan.checkpoint_bytes
    plan = choose_plan(large, Wish(), room(16))
    assert plan.checkpoint_bytes == checkpoint_budget_bytes(16 * GIB - large.memory_needs(plan.layout).main) < 2 * GIB
    assert choose_plan(large, Wish(), MemoryRoom(0, 0)).checkpoint_bytes == LEAST_CHECKPOINT_BYTES
    assert choose_plan(plain, Wish(), room(16)).checkpoint_bytes == 0
    windows = replace(plain, window_values=512 * LAYERS * 2048)
    assert choose_plan(windows, Wish(), room(64)).checkpoint_bytes == MOST_CHECKPOINT_BYTES


def test_the_least_that_checkpoints_take_has_to_fit() -> None:
    recurrent, wish = shape(state=2**20), Wish(8192)
    needs = recurrent.memory_needs(choose_plan(recurrent, wish, MemoryRoom(0, 0)).layout)
    tight = needs.main + LEAST_CHECKPOINT_BYTES + 2**30
    assert choose_plan(recurrent, wish, MemoryRoom(tight, 64 * GIB)).choice == "asked"
    assert choose_plan(recurrent, wish, MemoryRoom(tight - 1, 64 * GIB)).choice != "asked"


def test_the_budget_of_checkpoints_is_a_share_of_what_is_free() -> None:
    assert checkpoint_budget_bytes(0) == checkpoint_budget_bytes(1 << 20) == LEAST_CHECKPOINT_BYTES
    assert checkpoint_budget_bytes(4 * GIB) == 512 << 20
    assert checkpoint_budget_bytes(1 << 40) == MOST_CHECKPOINT_BYTES


def test_states_of_many_sequences_take_a_part_only() -> None:
    plan = choose_plan(shape(state=8 * 2**20), Wish(), room(16))  # 256 MiB a sequence
    assert 1 < plan.sequences < 1 + fit.MOST_SEQUENCES
    assert plan.sequences * 256 * 2**20 <= room(16).spare() // fit.STATE_SHARE


def test_better_numbers_replace_the_formula() -> None:
    def twice(layout: ModelLayout):
        needs = shape().memory_needs(layout)
        return replace(needs, weights=2 * needs.weights)

    assert choose_plan(shape(), Wish(), room(8)).choice == "fits"
    assert choose_plan(shape(), Wish(), room(8), twice).choice == "tight"


@pytest.mark.parametrize(
    ("where", "near"),
    [
        (room(32), False),
        (room(7), True),
        (room(6), True),
        (room(32, 24), False),
        (room(32, 7), True),
        (room(9, 4), True),
    ],
)
def test_only_what_is_near_a_limit_or_reduced_is_measured(where: MemoryRoom, near: bool) -> None:
    plan = choose_plan(shape(), Wish(), where)
    assert fit.is_near(plan, shape().memory_needs(plan.layout), where) is near


def ladder(plan: LoadPlan, wish: Wish, where: MemoryRoom, *, had_model: bool) -> list[tuple[str, int, int]]:
    """All steps as (step, GPU layers, context)."""
    steps = []
    while (after := next_step(plan, shape(), wish, where, had_model=had_model)) is not None:
        plan = after
        steps.append((plan.steps[-1], plan.gpu_layers, plan.context_tokens))
        assert len(steps) < 20
    return steps


def test_the_ladder_gives_up_layers_then_context_then_the_gpu() -> None:
    plan = choose_plan(shape(), Wish(), room(16, 12))
    assert ladder(plan, Wish(), room(16, 12), had_model=True) == [
        ("fewer_layers", 16, 8192),
        ("smaller_context", 16, 4096),
        ("cpu", 0, 8192),
        ("smaller_context", 0, 4096),
        ("smaller_context", 0, 2048),
        ("smaller_context", 0, 1024),
        ("smaller_context", 0, 512),
    ]


def test_a_model_that_never_loaded_is_not_given_less_context() -> None:
    plan = choose_plan(shape(), Wish(), room(16, 12))
    assert [step for step, _, _ in ladder(plan, Wish(), room(16, 12), had_model=False)] == ["fewer_layers", "cpu"]
    assert ladder(choose_plan(shape(), Wish(), room(16)), Wish(), room(16), had_model=False) == []


def test_a_smaller_context_is_tried_in_the_type_every_device_knows() -> None:
    plan = choose_plan(shape(), Wish(), room(6.0))
    assert plan.kv_type == "q8_0"
    after = next_step(plan, shape(), Wish(), room(6.0), had_model=True)
    assert after is not None
    assert (after.kv_type, after.context_tokens, after.choice) == ("f16", 4096, "context_reduced")


SIZES = st.integers(0, 40 * GIB)


WISHES = st.builds(Wish, st.integers(0, 200_000), st.sampled_from(["", "f16", "q8_0"]), st.integers(-1, 40))


@given(weights=SIZES, free=SIZES, total=SIZES, card=SIZES, wish=WISHES)
def test_no_plan_needs_more_than_there_is(weights: int, free: int, total: int, card: int, wish: Wish) -> None:
    where = MemoryRoom(free, max(free, total), (GpuRoom("GPU0", "card", card, card),) if card else ())
    model = shape(weights)
    try:
        plan = choose_plan(model, wish, where)
    except DoesNotFit:
        return
    needs = model.memory_needs(plan.layout)
    assert needs.gpu <= where.gpu_spare()
    if plan.choice == "tight":
        assert needs.kv + needs.compute <= where.spare()
    elif free:
        assert needs.main <= where.spare()
    assert wish.kv_type in ("", plan.kv_type)
    # Nothing smaller is chosen in silence, however short memory is.
    assert plan.kv_type in ("f16", "q8_0")
    reduced = plan.context_tokens < min(wish.context_tokens or 8192, 131072)
    assert not reduced or plan.choice in ("context_reduced", "tight")
