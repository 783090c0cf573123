"""llama.cpp's own numbers, asked for in a process of their own, beside the formula's."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from app.core.gguf import check_model
from app.engine import memory_probe
from app.engine.llama.fit_probe import needs_from_log
from app.engine.memory_probe import probe_file, probe_header
from app.engine.model_shape import MemoryNeeds, ModelLayout, ModelShape, shape_of
from tests.helpers import gguf_files, tiny_models
from tests.helpers.tiny_models import KINDS, make_tiny

pytestmark = pytest.mark.model

MIB = 2**20
LAYOUT = ModelLayout(4096, sequences=9)


def test_the_starters_numbers_are_the_formulas(starter: Path, tmp_path: Path) -> None:
    needs = probe_file(starter, LAYOUT, folder=tmp_path)
    formula = shape_of(check_model(starter)).memory_needs(LAYOUT)
    assert needs is not None
    assert needs.kv == formula.kv == 90 * MIB
    assert needs.weights == formula.weights
    # Rows for a draft are made at the first one.
    later = 4 * shape_of(check_model(starter)).vocabulary * (LAYOUT.outputs - LAYOUT.sequences)
    assert 0.9 < (needs.compute + later) / formula.compute < 1.02


def test_a_header_alone_is_enough(starter: Path, tmp_path: Path) -> None:
    header = check_model(starter)
    with starter.open("rb") as file:
        beginning = file.read(header.data_offset)
    layout = ModelLayout(8192, "q8_0", sequences=9)
    assert probe_header(beginning, starter.stat().st_size, layout, folder=tmp_path) == probe_file(
        starter, layout, folder=tmp_path
    )
    assert not list(tmp_path.iterdir())


def test_a_file_far_larger_than_the_disk_is_asked_about_in_a_moment(tmp_path: Path) -> None:
    """4,096 wide, 80 layers, a terabyte of weights: the size of its context is known before a byte is fetched."""
    width, layers = 4096, 80
    tensors = [("token_embd.weight", (width, 64), 0), ("output_norm.weight", (width,), 0)]
    for layer in range(layers):
        tensors += [(f"blk.{layer}.{name}.weight", (width, 1024 if name in ("attn_k", "attn_v") else width), 1)
                    for name in ("attn_q", "attn_k", "attn_v", "attn_output")]  # fmt: skip
        tensors += [(f"blk.{layer}.{name}.weight", (width,), 0) for name in ("attn_norm", "ffn_norm")]
        tensors += [(f"blk.{layer}.ffn_{name}.weight", (width, 1 << 19), 1) for name in ("gate", "up")]
        tensors += [(f"blk.{layer}.ffn_down.weight", (1 << 19, width), 1)]
    keys = {"context_length": 8192, "embedding_length": width, "block_count": layers, "feed_forward_length": 1 << 19,
            "attention.head_count": 32, "attention.head_count_kv": 8, "vocab_size": 64,
            "attention.layer_norm_rms_epsilon": 1e-5}  # fmt: skip
    metadata = {"general.architecture": "llama", "tokenizer.ggml.model": "no_vocab"}
    metadata |= {f"llama.{key}": value for key, value in keys.items()}
    placed, offset = [], 0
    for name, shape, kind in tensors:
        placed.append((name, shape, kind, offset))
        size = shape[0] * (shape[1] if len(shape) > 1 else 1) * (4 if kind == 0 else 2)
        offset += -(-size // 32) * 32
    needs = probe_header(gguf_files.padded(gguf_files.header(metadata, placed)), offset + MIB, LAYOUT, folder=tmp_path)
    assert needs is not None
    assert needs.kv == layers * 8 * 128 * 2 * 2 * 4096
    assert needs.weights > 10**12
    path = tmp_path / "model.gguf"
    path.write_bytes(gguf_files.padded(gguf_files.header(metadata, placed)))
    with path.open("r+b") as file:
        file.truncate(offset + MIB)
    formula = shape_of(check_model(path)).memory_needs(LAYOUT)
    assert 0.6 < needs.compute / formula.compute < 1.02


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_memory_is_counted_right(kind: str, tmp_path: Path) -> None:
    path = make_tiny(kind, tmp_path / "tiny.gguf")
    layout = ModelLayout(512, sequences=5)
    needs = probe_file(path, layout, folder=tmp_path)
    assert needs is not None
    assert needs.kv == pytest.approx(shape_of(check_model(path)).memory_needs(layout).kv, abs=2 * 0.01 * MIB)


@pytest.mark.parametrize("sequences", [1, 9])
def test_scratch_of_gated_delta_nets_grows_with_the_sequences(
    sequences: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a state as large beside its layer as those of real models."""
    state, groups, heads = 64, 4, 8
    for name, value in {"STATE": state, "KEY_GROUPS": groups, "VALUE_HEADS": heads}.items():
        monkeypatch.setattr(tiny_models, name, value)
    keys = {"state_size": state, "inner_size": heads * state, "group_count": groups, "time_step_rank": heads}
    path = make_tiny("qwen35", tmp_path / "tiny.gguf", **{f"qwen35.ssm.{key}": value for key, value in keys.items()})
    layout = ModelLayout(512, sequences=sequences)
    needs = probe_file(path, layout, folder=tmp_path)
    assert needs is not None
    assert 0.65 < needs.compute / shape_of(check_model(path)).memory_needs(layout).compute < 1.02


def test_a_file_that_is_refused_has_no_numbers(tmp_path: Path) -> None:
    path = tmp_path / "odd.gguf"
    path.write_bytes(gguf_files.unknown_architecture())
    assert probe_file(path, LAYOUT, folder=tmp_path) is None


def test_a_process_that_crashes_or_hangs_has_no_numbers(
    starter: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    crash, hang = "import os; os.abort()", "import sys; sys.stdin.read()"
    for program, limit_s in ((crash, 10.0), (hang, 0.2)):
        monkeypatch.setattr(memory_probe, "own_command", lambda flag, program=program: [sys.executable, "-c", program])
        assert probe_file(starter, LAYOUT, folder=tmp_path, timeout_s=limit_s) is None


def test_a_cancel_is_heard(starter: Path, tmp_path: Path) -> None:
    assert probe_file(starter, LAYOUT, folder=tmp_path, cancelled=lambda: True) is None


LOG = """load_tensors: layer   0 assigned to device CPU, is_swa = 0
load_tensors: layer   1 assigned to device CUDA0, is_swa = 0
load_tensors: layer   2 assigned to device CUDA0, is_swa = 0
llama_context:  CUDA_Host  output buffer size =     1.00 MiB
llama_kv_cache: size =   40.00 MiB (  4096 cells,   2 layers,  9/1 seqs), K (f16):   20.00 MiB, V (f16):   20.00 MiB
llama_memory_recurrent: size =    8.00 MiB (     9 cells,   2 layers,  9 seqs  0 rs_seq), R (f32):    1.00 MiB
sched_reserve:      CUDA0 compute buffer size =    30.00 MiB
sched_reserve:  CUDA_Host compute buffer size =     4.00 MiB
"""


def test_a_log_is_summed_up_by_device() -> None:
    shape = ModelShape(2, (100, 200), (0, 50), 10, 20, 0, False, (1, 1), (0, 0), 1, 1, 0, 1, 0, True)
    layout = ModelLayout(4096, gpu_layers=2)
    assert needs_from_log(LOG, shape, layout, ["CUDA0"]) == MemoryNeeds(110, 24 * MIB, 5 * MIB, 220, 24 * MIB, 30 * MIB)
    apart = ModelLayout(4096, gpu_layers=2, experts_on_cpu=True)
    assert needs_from_log(LOG, shape, apart, ["CUDA0"]).gpu_weights == 170


@pytest.mark.slow
def test_the_speed_of_memory_is_read_by_a_child_of_its_own(tmp_path: Path) -> None:
    for cores in (1, 2):
        assert 100e6 < memory_probe.probe_memory(cores, folder=tmp_path) < 1e12, "no core reads a terabyte a second"
    assert memory_probe.probe_memory(1, folder=tmp_path, cancelled=lambda: True) == 0.0
