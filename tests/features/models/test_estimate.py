"""What a model would take, from 64 KiB, from its header and by the probe, held against what loading it really tells."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.child import own_command
from app.core.errors.model_errors import ModelUnreadable
from app.core.events import ModelLoaded
from app.core.gguf import SkippedArray, check_model, read_beginning, read_header
from app.engine.client import EngineClient
from app.engine.fit import EXPERTS_APART, GpuRoom, MemoryRoom, choose_plan
from app.engine.memory_speed import writing_bytes_per_s
from app.engine.model_shape import shape_of
from app.engine.protocol import Wish
from app.features.models.estimate import (
    WELL,
    MemoryFit,
    by_size,
    estimate_fit,
    estimate_shape,
    fit_words,
    measure_fit,
    pace_words,
)
from app.features.models.machine_speed import MachineSpeed
from tests.helpers import gguf_files
from tests.helpers.gemma_model import fetched_gemma
from tests.helpers.tiny_models import KINDS, make_tiny

GB = 10**9
ROOM = MemoryRoom(64 * GB, 64 * GB)
FIRST_BYTES = 64 * 1024
WITHIN = 0.05
TINY_BYTES = 1_500_000
"""A tiny model has half a megabyte of weights; what llama.cpp uses beside them to compute, which the formula knows to
within some 40 %, is most of what it takes. In models that anybody downloads that part is small against the weights."""


def beginning(path: Path, size_bytes: int = FIRST_BYTES) -> bytes:
    with path.open("rb") as file:
        return file.read(size_bytes)


def whole_header(path: Path) -> bytes:
    return beginning(path, check_model(path).data_offset)


def cut_in_the_vocabulary(path: Path) -> bytes:
    """As 64 KiB of any larger model are: all about its architecture, then the first words."""
    metadata = read_header(whole_header(path)).metadata
    about = {key: item for key, item in metadata.items() if not key.startswith("tokenizer.")}
    tokens = metadata["tokenizer.ggml.tokens"]
    words = [""] * (tokens.items if isinstance(tokens, SkippedArray) else len(tokens))
    data = gguf_files.header(about | {"tokenizer.ggml.tokens": words})[: -4 * len(words)]
    assert not read_beginning(data).is_complete
    return data


def told_when_loaded(path: Path, folder: Path) -> ModelLoaded:
    """What the engine child reports, with as much memory free as there is."""
    client = EngineClient(own_command("--engine-worker"), folder)
    try:
        (loaded,) = (event for event in client.load(path, Wish(gpu_layers=0)) if isinstance(event, ModelLoaded))
        return loaded
    finally:
        client.close()


def check_all(path: Path, folder: Path, absolute_bytes: int = 0) -> None:
    """Every way of estimating, against llama.cpp's numbers and against what the child says."""
    size = path.stat().st_size
    probed = measure_fit(whole_header(path), size, ROOM, folder=folder / "probe")
    assert probed.is_exact
    loaded = told_when_loaded(path, folder / "engine")
    assert loaded.choice == "asked"  # for no GPU; else as it would be
    for data in (beginning(path), cut_in_the_vocabulary(path), whole_header(path)):
        guess = estimate_fit(data, size, ROOM)
        assert (guess.word, guess.is_exact, guess.context_tokens) == ("well", False, loaded.context_tokens)
        for real in (probed.needed_bytes, loaded.needed_bytes):
            assert guess.needed_bytes == pytest.approx(real, rel=WITHIN, abs=absolute_bytes)
    assert probed.needed_bytes == pytest.approx(loaded.needed_bytes, rel=WITHIN, abs=absolute_bytes)


@pytest.mark.model
def test_the_starter_takes_what_was_estimated(starter: Path, tmp_path: Path) -> None:
    check_all(starter, tmp_path)


@pytest.mark.gemma
def test_gemma_takes_what_was_estimated(tmp_path: Path) -> None:
    check_all(fetched_gemma(), tmp_path)


@pytest.mark.model
@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_model_takes_what_was_estimated(kind: str, tmp_path: Path) -> None:
    check_all(make_tiny(kind, tmp_path / "tiny.gguf"), tmp_path, TINY_BYTES)


@pytest.mark.model
def test_the_probe_decides_anew_with_its_own_numbers(starter: Path, tmp_path: Path) -> None:
    """In 350 MB the context has to be kept in 8 bit, of which llama.cpp is asked then."""
    room = MemoryRoom(850_000_000, 8 * GB)
    found = measure_fit(whole_header(starter), starter.stat().st_size, room, folder=tmp_path)
    assert (found.is_exact, found.word, found.context_tokens) == (True, "tight", 8192)
    formula = estimate_fit(whole_header(starter), starter.stat().st_size, room)
    assert found.needed_bytes != formula.needed_bytes
    assert found.needed_bytes == pytest.approx(formula.needed_bytes, rel=WITHIN)


@pytest.mark.model
def test_without_llama_cpps_numbers_there_is_the_estimate(starter: Path, tmp_path: Path) -> None:
    header, size = whole_header(starter), starter.stat().st_size
    assert measure_fit(header, size, ROOM, folder=tmp_path, cancelled=lambda: True) == estimate_fit(header, size, ROOM)
    odd = gguf_files.unknown_architecture()
    assert not measure_fit(odd, len(odd), ROOM, folder=tmp_path).is_exact


def test_of_a_split_the_sum_of_all_parts_counts(tmp_path: Path) -> None:
    path = make_tiny("llama", tmp_path / "first.gguf", **{"split.count": 2})
    data = path.read_bytes()
    more = estimate_fit(data, 10 * GB, ROOM).needed_bytes - estimate_fit(data, 5 * GB, ROOM).needed_bytes
    assert more == pytest.approx(5 * GB, abs=10)
    assert not measure_fit(data, 10 * GB, ROOM, folder=tmp_path).is_exact


def test_layers_for_guessing_ahead_are_not_loaded(tmp_path: Path) -> None:
    path = make_tiny("llama", tmp_path / "mtp.gguf", **{"llama.nextn_predict_layers": 1, "split.count": 2})
    ordinary = make_tiny("llama", tmp_path / "ordinary.gguf", **{"split.count": 2})
    sizes = [estimate_fit(each.read_bytes(), 4 * GB, ROOM).needed_bytes for each in (path, ordinary)]
    assert sizes[0] == pytest.approx(sizes[1] / 2, rel=0.01)


MIXTURE = {
    "general.architecture": "qwen3moe",
    "qwen3moe.block_count": 8,
    "qwen3moe.context_length": 8192,
    "qwen3moe.embedding_length": 2048,
    "qwen3moe.feed_forward_length": 6144,
    "qwen3moe.attention.head_count": 32,
    "qwen3moe.attention.head_count_kv": 4,
    "qwen3moe.attention.key_length": 128,
    "qwen3moe.attention.value_length": 128,
    "qwen3moe.expert_count": 64,
    "qwen3moe.expert_used_count": 8,
    "qwen3moe.expert_feed_forward_length": 768,
    "qwen3moe.leading_dense_block_count": 1,
    "tokenizer.ggml.tokens": [""] * 1000,
}
Q8_0 = 8


def mixture_header(**metadata: int) -> bytes:
    """A header of a mixture in 8 bits, the first layer plain, with the tensors that llama.cpp makes of such a one."""
    width, experts, inner = 2048, 64, 768
    shapes: dict[str, tuple[int, ...]] = {"token_embd": (width, 1000), "output": (width, 1000)}
    for layer in range(8):
        parts = {"attn_q": (width, 4096), "attn_output": (4096, width), "attn_k": (width, 512), "attn_v": (width, 512)}
        if layer:
            parts |= {f"ffn_{part}_exps": (width, inner, experts) for part in ("up", "gate", "down")}
        else:
            parts |= {f"ffn_{part}": (width, 6144) for part in ("up", "gate", "down")}
        shapes |= {f"blk.{layer}.{name}": shape for name, shape in parts.items()}
    tensors, offset = [], 0
    for name, shape in shapes.items():
        tensors.append((f"{name}.weight", shape, Q8_0, offset))
        offset += math.prod(shape) // 32 * 34
    return gguf_files.header(MIXTURE | metadata, tensors)


@pytest.mark.parametrize("gpu_mb", [1000, 1600, 2300])
@pytest.mark.parametrize("known", ["a beginning", "one of two parts"])
def test_experts_of_a_file_that_is_not_here_are_placed_as_if_it_were(gpu_mb: int, known: str) -> None:
    whole = read_header(mixture_header())
    size = sum(tensor.size_bytes for tensor in whole.tensors)
    data = gguf_files.header(MIXTURE)[:-100] if known == "a beginning" else mixture_header(**{"split.count": 2})
    guessed = estimate_shape(read_beginning(data), size)
    room = MemoryRoom(64 * GB, 64 * GB, (GpuRoom("GPU", "", gpu_mb * 10**6, gpu_mb * 10**6),))
    plan, guess = choose_plan(shape_of(whole), Wish(), room), choose_plan(guessed, Wish(), room)
    assert plan.choice == EXPERTS_APART
    assert (guess.choice, guess.gpu_layers) == (plan.choice, plan.gpu_layers)
    assert guess.cpu_experts == pytest.approx(plan.cpu_experts, abs=1)
    assert guess.needed_bytes == pytest.approx(plan.needed_bytes, rel=WITHIN)
    fits = [estimate_fit(each, size, room) for each in (mixture_header(), data)]
    assert 0 < fits[0].active_bytes < size / 3
    assert fits[1].active_bytes == pytest.approx(fits[0].active_bytes, rel=WITHIN)


def test_of_a_size_what_no_token_reads_is_experts_that_leave_a_small_card_first() -> None:
    """30 billion weights of which a token reads 3: all but the experts fit on the card."""
    card = GpuRoom("GPU0", "card", 6 * GB, 6 * GB)
    room = MemoryRoom(17_500_000_000, 20 * GB, (card,))
    found = {active: by_size(18 * GB, 100_000, room, active) for active in (0, 18 * GB, 2 * GB)}
    assert found[0].needed_bytes == found[18 * GB].needed_bytes
    assert found[2 * GB].needed_bytes < found[0].needed_bytes, "a layer less goes through the card's scratch memory"


@pytest.fixture
def rooms() -> Iterator[dict[str, MemoryRoom]]:
    yield {
        "well": MemoryRoom(12 * GB, 16 * GB),
        "tight": MemoryRoom(7_200_000_000, 16 * GB),
        "slow": MemoryRoom(4 * GB, 16 * GB),
        "too_large": MemoryRoom(3 * GB, 4 * GB),
    }


def test_a_size_alone_says_how_it_fits(rooms: dict[str, MemoryRoom]) -> None:
    """8 billion weights in 4 bits: 4.9 GB, 128 KiB for each token."""
    found = {word: by_size(4_900_000_000, 131_072, room) for word, room in rooms.items()}
    assert {word: fit.word for word, fit in found.items()} == {word: word for word in rooms}
    assert found["well"].needed_bytes == pytest.approx(4_900_000_000 + 131_072 * 8192, rel=0.05)
    assert all(fit.free_bytes == rooms[word].free_bytes for word, fit in found.items())
    assert by_size(4_900_000_000, 0, rooms["well"]).needed_bytes == pytest.approx(6 * GB, rel=0.05)


def test_fits_are_said_with_their_numbers(rooms: dict[str, MemoryRoom]) -> None:
    said = {word: str(fit_words(by_size(4_900_000_000, 131_072, room))) for word, room in rooms.items()}
    assert said["well"] == "Runs well · needs 6.1 GB"
    assert said["tight"] == "Just fits · needs 6.1 GB, 7.2 GB free"
    assert said["slow"].startswith("Slow · needs ")
    assert said["too_large"].startswith("Too large · needs ")
    assert said["too_large"].endswith(" GB, 3.0 GB free")


def test_where_nobody_knows_what_is_free_only_the_need_is_said() -> None:
    fit = by_size(4_900_000_000, 131_072, MemoryRoom(0, 0))
    assert str(fit_words(fit)) == "Needs 6.1 GB"


def test_a_context_that_has_to_be_kept_smaller_is_tight() -> None:
    whole = by_size(2 * GB, 500_000, MemoryRoom(32 * GB, 32 * GB))
    assert (whole.word, whole.context_tokens) == ("well", 8192)
    found = by_size(2 * GB, 500_000, MemoryRoom(4 * GB, 8 * GB))
    assert found.word == "tight"
    assert found.context_tokens < 8192


def test_a_gpu_with_room_for_some_layers_is_no_reason_to_worry() -> None:
    card = GpuRoom("GPU0", "card", 4 * GB, 4 * GB)
    room = MemoryRoom(32 * GB, 32 * GB, (card,))
    assert by_size(4_900_000_000, 131_072, room).word == "well"
    small = replace(room, free_bytes=3 * GB)
    assert by_size(4_900_000_000, 131_072, small).word != "well"


@pytest.mark.parametrize(
    ("data", "reason"), [(b"", "empty"), (b"<html>", "not_gguf"), (b"GGUF\x09\0\0\0" + bytes(16), "newer_format")]
)
def test_what_is_no_model_is_said(data: bytes, reason: str) -> None:
    with pytest.raises(ModelUnreadable) as caught:
        estimate_fit(data, 1000, ROOM, name="a.gguf")
    assert (caught.value.path, caught.value.reason) == ("a.gguf", reason)


@given(st.integers(0, 1 << 50), st.integers(8, 5000), st.binary(max_size=8))
def test_no_beginning_is_too_odd(total_bytes: int, kept: int, noise: bytes) -> None:
    metadata = {"general.architecture": "llama", "llama.block_count": 2, "llama.embedding_length": 64,
                "tokenizer.ggml.tokens": ["a"] * 100, "llama.context_length": 4096}  # fmt: skip
    data = gguf_files.header(metadata)[:kept] + noise
    try:
        fit = estimate_fit(data, total_bytes, ROOM)
    except ModelUnreadable:
        return
    assert isinstance(fit, MemoryFit)
    assert fit.needed_bytes >= 0


# How fast this computer is with models: what ran here decides, else a probe of its memory, made once.


CORES = 4


class Probe:
    """Stands in for the child that reads memory."""

    def __init__(self, bytes_per_s: float) -> None:
        self.bytes_per_s, self.asked = bytes_per_s, 0

    def __call__(self, cores: int, *, folder: Path, cancelled: Callable[[], bool]) -> float:
        self.asked += 1
        return self.bytes_per_s


@pytest.fixture
def four_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.features.models.machine_speed.physical_cores", lambda: CORES)


def test_memory_is_probed_once_and_bounds_what_cores_can_unpack(tmp_path: Path, four_cores: None) -> None:
    probe = Probe(20e9)
    expected = writing_bytes_per_s(20e9, CORES)
    assert MachineSpeed(tmp_path, tmp_path, probe).bytes_per_s([], on_gpu=False) == expected
    assert MachineSpeed(tmp_path, tmp_path, probe).bytes_per_s([], on_gpu=False) == expected
    assert probe.asked == 1
    assert writing_bytes_per_s(1e12, 2) < writing_bytes_per_s(1e12, 8)


def test_what_a_large_model_did_here_counts_more_than_a_probe_or_a_small_one(tmp_path: Path, four_cores: None) -> None:
    speed = MachineSpeed(tmp_path, tmp_path, Probe(100e9))
    answers = [(145_000_000, 100.0), (2_000_000_000, 3.0)]
    assert speed.bytes_per_s(answers, on_gpu=False) == 6e9
    small = MachineSpeed(tmp_path / "other", tmp_path, Probe(10e9))
    assert small.bytes_per_s(answers[:1], on_gpu=False) == 14.5e9, "it was faster than the probe said"


def test_the_figure_stays_until_another_is_far_from_it(tmp_path: Path) -> None:
    speed = MachineSpeed(tmp_path, tmp_path, Probe(0.0))
    told = [speed.bytes_per_s([(10**9, rate)], on_gpu=False) / 1e9 for rate in (10.0, 13.0, 8.0, 16.0, 11.0)]
    assert told == [10.0, 10.0, 10.0, 16.0, 16.0]


def test_a_card_on_which_nothing_ran_is_not_judged_by_the_processor(tmp_path: Path) -> None:
    probe = Probe(20e9)
    assert MachineSpeed(tmp_path, tmp_path, probe).bytes_per_s([], on_gpu=True) == 0.0
    assert probe.asked == 0


def test_a_probe_that_fails_says_nothing_and_is_tried_again(tmp_path: Path) -> None:
    probe = Probe(0.0)
    speed = MachineSpeed(tmp_path, tmp_path, probe)
    assert [speed.bytes_per_s([], on_gpu=False) for _ in range(2)] == [0.0, 0.0]
    assert probe.asked == 2


@pytest.mark.parametrize(
    ("tokens_per_s", "fits", "pace"),
    [
        (0.0, "Runs well", "None"),
        (1.24, "Fits", "about 1.2 tokens/s, very slow"),
        (6.0, "Fits", "about 6 tokens/s, slower than you read"),
        (9.0, "Runs well", "about 9 tokens/s, as fast as you read"),
        (40.0, "Runs well", "about 40 tokens/s, fast"),
    ],
)
def test_the_words_follow_the_number(tokens_per_s: float, fits: str, pace: str) -> None:
    fit = MemoryFit(WELL, 7_000_000_000, 9_000_000_000, 8192, active_bytes=10**9).at_speed(tokens_per_s * 1e9)
    assert str(fit_words(fit)) == f"{fits} · needs 7.0 GB"
    assert str(pace_words(fit)) == pace
    assert fit.runs_well == (fits == "Runs well")
    assert fit.is_usable == (pace != "about 1.2 tokens/s, very slow")
