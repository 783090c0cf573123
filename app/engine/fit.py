"""Memory estimate and layout: choose context, KV type and GPU layers so that a model fits.

Figures come from a formula over the model's header, or from llama.cpp itself in a throw-away process. `LoadPlan.choice`
gives the reason for the layout.
"""

from __future__ import annotations

import dataclasses
import platform
import re
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app.core.child import Child, own_command
from app.core.errors import ProtocolViolation
from app.core.gguf import GgufHeader, SkippedArray, projector_kinds
from app.core.paths import make_folder
from app.core.wire import Ended, Wire, WireClient, WireInbox
from app.engine.protocol import Wish

# How much memory a model takes, by formula from its header: weights, context and scratch, in main memory and on GPUs.
#
# The context's part equals llama.cpp's own number for plain, grouped, sliding-window and MLA attention and for
# recurrent layers; scratch memory is a close upper estimate. `probe_file` asks llama.cpp itself.


VALUE_BYTES = {"f16": 2.0, "q8_0": 34 / 32}
KV_TYPES = tuple(VALUE_BYTES)
Q8_BLOCK = 32
CELLS_STEP = 256  # llama.cpp rounds contexts up to this
MOST_LAYERS = 1024  # llama.cpp takes 512
MOST_UNITS = 1 << 24  # no width, head count or vocabulary is larger; a header may say anything
STATE_VALUE_BYTES = 4
TOKEN_BYTES = 200  # of llama.cpp's tables for each token of the vocabulary; measured with 49,152 and 262,144 of them
FIRST_SHARING = {"gemma3n": 20}  # layers with a memory of their own, where the file does not say
LINEAR_EVERY = {"qwen3next": 4, "qwen35": 4, "qwen35moe": 4, "qwen4exp": 4, "minimax-01": 8}
SAMPLE_TOKENS = 4096
SMALL_BESIDE_WEIGHTS = 0.5
RECURRENT = ("mamba", "mamba2", "rwkv6", "rwkv6qwen2", "rwkv7", "arwkv7")
# Weight types (ggml's numbers) that llama.cpp copies into an arrangement for the processor.
REPACKED_X86 = (2, 10, 12, 20, 39)
REPACKED_ARM = (*REPACKED_X86, 8, 13, 14)
EXPERTS = r"\.ffn_(up|down|gate|gate_up)_(ch|)exps"
# Of projectors whose pictures have any size, how many patches the largest has: libmtmd's own limits of tokens, times
# what is merged into one. `MERGED` are those whose merging the file tells.
MOST_PATCHES = {
    **dict.fromkeys(("qwen2vl_merger", "qwen2.5vl_merger", "qwen3vl_merger"), 4096 * 4),
    "pixtral": 1024,
    "lightonocr": 1024,
    "gemma4v": 1120 * 9,
    "gemma4uv": 1120,
}
MERGED = ("pixtral", "lightonocr")
GEMMA4_TOKENS = 1120
GEMMA4_CAUSAL = (1536, 2560)  # widths of E2B and E4B, which read pictures as text
SOUND_PLACES = 1500  # of half a minute, which encoders hear at once
EYES_BYTES = 64 * 2**20  # of libmtmd itself, whatever the picture
_BLOCK = re.compile(r"blk\.(\d+)\.")
_EXPERTS = re.compile(EXPERTS)


@dataclass(frozen=True)
class ModelLayout:
    """Placement of a model in memory. `gpu_layers` counts as llama.cpp does: the output first, then layers from the
    last.
    """

    context_tokens: int
    kv_type: str = "f16"
    gpu_layers: int = 0
    experts_on_cpu: bool = False
    sequences: int = 1
    batch_tokens: int = 256
    repack: bool = True
    """True if weights may be copied into a faster arrangement; without it they stay mapped from the file."""
    gpus: int = 1
    """Number of devices that share the GPU layers. Each has scratch memory of its own."""
    picture_tokens: int = 0
    """Tokens of the largest image decoded at once, which may exceed `batch_tokens`."""


@dataclass(frozen=True)
class MemoryNeeds:
    """Bytes, in main memory and on all GPUs together. The vocabulary's tables count as weights."""

    weights: int = 0
    kv: int = 0
    compute: int = 0
    gpu_weights: int = 0
    gpu_kv: int = 0
    gpu_compute: int = 0

    @property
    def main(self) -> int:
        return self.weights + self.kv + self.compute

    @property
    def gpu(self) -> int:
        return self.gpu_weights + self.gpu_kv + self.gpu_compute

    @property
    def total(self) -> int:
        """Main memory and that of all GPUs together, in bytes."""
        return self.main + self.gpu


@dataclass(frozen=True)
class ProjectorSize:
    """Memory a projector needs in addition to its model: weights, and scratch for the largest image, in bytes.

    `whole_tokens`: tokens of the largest image that must be decoded at once. `on_cpu`: stays in main memory even if the
    model is on a GPU.
    """

    weights: int = 0
    compute: int = 0
    whole_tokens: int = 0
    on_cpu: bool = False

    def added_to(self, needs: MemoryNeeds, layout: ModelLayout) -> MemoryNeeds:
        """Return the needs of model and projector together, each in the memory that its parts go to."""
        if layout.gpu_layers > 0 and not self.on_cpu:
            return dataclasses.replace(
                needs, gpu_weights=needs.gpu_weights + self.weights, gpu_compute=needs.gpu_compute + self.compute
            )
        return dataclasses.replace(needs, weights=needs.weights + self.weights, compute=needs.compute + self.compute)


BLIND = ProjectorSize()


@dataclass(frozen=True)
class ModelShape:
    """Values of a GGUF header that decide about memory. Tuples have one item per layer."""

    layers: int
    layer_weights: tuple[int, ...]
    expert_weights: tuple[int, ...]
    input_weights: int
    output_weights: int
    tied_weights: int
    """The embeddings, where they are the output as well: a GPU holds them a second time."""
    tied_repacked: bool
    """True if repacking for the processor copies the tied weights too."""
    kv_values: tuple[int, ...]
    """Values kept for each token."""
    state_bytes: tuple[int, ...]
    """Kept for each sequence, however long it is."""
    width: int
    inner_width: int
    vocabulary: int
    masks: int
    trained_context_tokens: int
    takes_q8: bool
    eyes: ProjectorSize = BLIND

    @property
    def is_mixture(self) -> bool:
        """True for mixtures of experts, whose experts can be placed apart."""
        return any(self.expert_weights)

    def kv_bytes(self, layout: ModelLayout) -> tuple[int, ...]:
        """Return the KV cache's bytes of each layer, recurrent states included."""
        # Rounded as llama.cpp does it.
        cells = -(-layout.context_tokens // CELLS_STEP) * CELLS_STEP
        size = VALUE_BYTES[layout.kv_type]
        return tuple(
            # A unified cache is shared by all sequences; a recurrent state is one for each.
            int(cells * values * size) + state * layout.sequences
            for values, state in zip(self.kv_values, self.state_bytes, strict=True)
        )

    def compute_bytes(self, layout: ModelLayout) -> int:
        """Return scratch bytes of the largest decode: attention masks, plus the wider of activations and logits."""
        rows, masks, logits = self._scratch_sizes(layout)
        # Graph buffers are reused: the widest step of a layer counts, not the sum of all.
        activations = rows * 4 * (4 * self.inner_width + 2 * self.width)
        return masks + max(activations, logits + rows * 4 * 2 * self.width) + logits

    def beside_gpu_bytes(self, layout: ModelLayout) -> int:
        """Return what main memory keeps of that when a GPU computes, also for layers it does not hold: inputs and
        outputs.
        """
        rows, masks, logits = self._scratch_sizes(layout)
        return masks + logits + rows * 4 * 2 * self.width

    def _scratch_sizes(self, layout: ModelLayout) -> tuple[int, int, int]:
        """Tokens of the largest decode, bytes of the attention masks, bytes of the logits."""
        most = max(layout.batch_tokens, layout.picture_tokens)
        rows = -(-min(most, layout.context_tokens) // layout.sequences) * layout.sequences
        cells = -(-layout.context_tokens // CELLS_STEP) * CELLS_STEP
        return rows, self.masks * rows * cells * 2, 4 * self.vocabulary * layout.sequences

    def memory_needs(self, layout: ModelLayout) -> MemoryNeeds:
        """Return the bytes that a layout takes in main memory and on the GPUs, projector included."""
        # llama.cpp counts the output as the first layer on a GPU, and takes the others from the last one on.
        on_gpu = max(0, layout.gpu_layers - 1)  # the output is the first
        first = max(0, self.layers - on_gpu)
        experts = self.expert_weights if layout.experts_on_cpu else (0,) * self.layers
        gpu_weights = sum(self.layer_weights[first:]) - sum(experts[first:])
        output_on_gpu = layout.gpu_layers > 0
        if output_on_gpu:
            # Tied weights are uploaded once more as the output, and stay on the processor as the input.
            gpu_weights += self.output_weights + self.tied_weights
        weights = sum(self.layer_weights[:first]) + sum(experts[first:]) + self.input_weights
        weights += self.vocabulary * TOKEN_BYTES
        if not output_on_gpu:
            weights += self.output_weights + (self.tied_weights if layout.repack and self.tied_repacked else 0)
        kv, compute = self.kv_bytes(layout), self.compute_bytes(layout)
        alone = MemoryNeeds(
            weights,
            sum(kv[:first]),
            self.beside_gpu_bytes(layout) if output_on_gpu else compute,
            gpu_weights,
            sum(kv[first:]),
            # Each device has a scratch buffer of its own.
            layout.gpus * (compute + self._streamed_bytes(first)) if output_on_gpu else 0,
        )
        return self.eyes.added_to(alone, layout)

    def _streamed_bytes(self, first: int) -> int:
        """Return the bytes of the largest layer a GPU doesn't hold: prompts are read through its scratch memory."""
        return max(self.layer_weights[:first], default=0)


def tokens_side_by_side(shape: ModelShape, kv_type: str) -> int:
    """Return how many tokens answers may hold together on a processor before side by side costs more than it saves.

    Writing together reads the weights once for all, but every token looks at the memory of all of them (one unified
    cache), and so does what is read of the next prompt. It pays off while that memory is small beside the weights: with
    the starter, sections of 1,400 tokens took 1.15 times as long together as one after another, and prompts of 450
    tokens wrote 1.8 times as fast. A GPU skips what is masked.
    """
    needs = shape.memory_needs(ModelLayout(SAMPLE_TOKENS, kv_type=kv_type))
    return int(SMALL_BESIDE_WEIGHTS * needs.weights * SAMPLE_TOKENS / needs.kv) if needs.kv else sys.maxsize


def number_of(header: GgufHeader, key: str) -> int:
    """Return a number of a header; 0 where there is none."""
    value = header.metadata.get(key)
    return int(min(max(value, 0), MOST_UNITS)) if isinstance(value, int | float) and value == value else 0  # noqa: PLR0124 - NaN


def eyes_of(header: GgufHeader, width: int, *, on_cpu: bool = False) -> ProjectorSize:
    """Return the memory that a projector with this header adds to a model of this width.

    Scratch is that of the widest step for all patches of the largest image at once, an upper estimate: 210 MB for Gemma
    3's (145 measured), 90 for a SigLIP-B with 512 pixels (92 measured).
    """
    kinds = projector_kinds(header.metadata)
    known = next((kind for kind in kinds if kind in MOST_PATCHES), "")
    # An encoder sees a grid of patches, square for most families.
    side = number_of(header, "clip.vision.image_size") // (number_of(header, "clip.vision.patch_size") or 1)
    merge = number_of(header, "clip.vision.spatial_merge_size") or 1
    patches = MOST_PATCHES[known] * (merge**2 if known in MERGED else 1) if known else side**2

    def widest(part: str) -> int:
        inner, outer = (number_of(header, f"clip.{part}.{name}_length") for name in ("feed_forward", "embedding"))
        return inner + 4 * outer

    compute = 4 * max(patches * widest("vision"), SOUND_PLACES * widest("audio")) + EYES_BYTES
    weights = sum(tensor.size_bytes for tensor in header.tensors)
    whole = 0
    # Gemma's pictures attend to all of themselves, so they can't be cut into batches.
    if "gemma3" in kinds:
        whole = (side // (number_of(header, "clip.vision.projector.scale_factor") or 4)) ** 2
    elif kinds & {"gemma4uv", "deepseek4v"} or ("gemma4v" in kinds and width not in GEMMA4_CAUSAL):
        whole = GEMMA4_TOKENS
    return ProjectorSize(weights, compute, whole, on_cpu)


def shape_of(header: GgufHeader, projector: GgufHeader | None = None, *, projector_on_cpu: bool = False) -> ModelShape:
    """Read the shape from a model's header and its projector's. Missing or impossible values count as 0."""
    read = _HeaderReader(header)
    layers = min(read.read_number("block_count"), MOST_LAYERS)
    # Layers for multi-token prediction are in the file, but never loaded.
    layers -= min(read.read_number("nextn_predict_layers"), layers)
    layer_weights, expert_weights = [0] * layers, [0] * layers
    outside = {"input": 0, "output": 0}
    for tensor in header.tensors:
        block = _BLOCK.match(tensor.name)
        if block is None:
            outside["output" if tensor.name.startswith("output") else "input"] += tensor.size_bytes
        elif int(block[1]) < layers:
            layer_weights[int(block[1])] += tensor.size_bytes
            if _EXPERTS.search(tensor.name):
                expert_weights[int(block[1])] += tensor.size_bytes
    embeddings = next((t for t in header.tensors if t.name == "token_embd.weight"), None)
    # Without an output of its own the model uses the embeddings, which a GPU then holds as well.
    tied = embeddings if embeddings and all(t.name != "output.weight" for t in header.tensors) else None
    repacked = REPACKED_X86 if platform.machine().lower() in ("x86_64", "amd64") else REPACKED_ARM
    width = read.read_number("embedding_length")
    kv_values = tuple(read.kv_values(layer, layers) for layer in range(layers))
    return ModelShape(
        layers,
        tuple(layer_weights),
        tuple(expert_weights),
        outside["input"],
        outside["output"],
        tied.size_bytes if tied else 0,
        tied is not None and tied.type in repacked,
        kv_values,
        tuple(read.state_bytes(layer) for layer in range(layers)),
        width,
        read.inner_width(layers),
        min(embeddings.shape[1], MOST_UNITS) if embeddings and len(embeddings.shape) > 1 else 0,
        # With a sliding window there is a mask for each kind of layer.
        (2 if read.read_number("attention.sliding_window") else 1) if any(kv_values) else 0,
        read.read_number("context_length", most=1 << 40),
        all(read.head_length(name, layer) % Q8_BLOCK == 0 for name in ("key", "value") for layer in range(layers)),
        eyes_of(projector, width, on_cpu=projector_on_cpu) if projector is not None else BLIND,
    )


class _HeaderReader:
    """Numbers of a header, all of which may be missing, wrong or hostile."""

    def __init__(self, header: GgufHeader) -> None:
        self._header = header
        architecture = header.metadata.get("general.architecture")
        self.architecture = architecture if isinstance(architecture, str) else ""

    def read_number(self, key: str, default: int = 0, layer: int = 0, most: int = MOST_UNITS) -> int:
        """Return a number, or that of a layer where the file has a list."""
        value: Any = self._header.architecture_value(key)
        if isinstance(value, list):
            value = value[layer] if layer < len(value) else None
        if isinstance(value, SkippedArray) or not isinstance(value, int | float) or value != value:  # noqa: PLR0124 - NaN
            return default
        return int(min(max(value, 0), most))

    def head_length(self, which: str, layer: int) -> int:
        """Return the length of a head's key or value."""
        heads = self.read_number("attention.head_count")
        length = self.read_number(
            f"attention.{which}_length", self.read_number("embedding_length") // heads if heads else 0
        )
        # Gemma 4 and others have shorter heads in layers with a window.
        if self._header.architecture_value(f"attention.{which}_length_swa") is not None and self._has_sliding_window(
            layer
        ):
            return self.read_number(f"attention.{which}_length_swa")
        return length

    def kv_values(self, layer: int, layers: int) -> int:
        """Return how many KV values a layer stores per token."""
        shared = self.read_number("attention.shared_kv_layers")
        own = layers - shared if shared else FIRST_SHARING.get(self.architecture, layers)
        # The last layers of these models look into the memory of an earlier one.
        if layer >= own or (self._is_recurrent(layer) and self.architecture != "falcon-h1"):
            return 0
        heads = self.read_number("attention.head_count_kv", self.read_number("attention.head_count", 0, layer), layer)
        # MLA keeps compressed keys, from which values are computed.
        keys_only = self.read_number("attention.key_length_mla") and self.read_number("attention.value_length_mla")
        values = 0 if keys_only else self.head_length("value", layer)
        return heads * (self.head_length("key", layer) + values)

    def state_bytes(self, layer: int) -> int:
        """Return what a recurrent layer keeps of each sequence."""
        if not self._is_recurrent(layer):
            return 0
        width, heads = self.read_number("embedding_length"), self.read_number("attention.head_count")
        head = self.read_number("wkv.head_size")
        # RWKV: its state is a matrix for each head, and the tokens that are shifted.
        if head:
            return STATE_VALUE_BYTES * width * (self.read_number("token_shift_count", 2) + head)
        # LFM2: short convolutions keep their last inputs.
        if short := self.read_number("shortconv.l_cache"):
            return STATE_VALUE_BYTES * width * (short - 1)
        kernel = max(self.read_number("ssm.conv_kernel") - 1, 0)
        # Kimi Delta Attention has three convolutions and a state for each head.
        if head := self.read_number("kda.head_dim"):
            return STATE_VALUE_BYTES * heads * head * (3 * (kernel or 3) + head)
        # Mamba: a convolution and a state space; groups widen the former.
        inner, state = self.read_number("ssm.inner_size"), self.read_number("ssm.state_size")
        groups = self.read_number("ssm.group_count")
        return STATE_VALUE_BYTES * (kernel * (inner + 2 * groups * state) + state * inner)

    def inner_width(self, layers: int) -> int:
        """Return the widest activation inside a layer, in values per token."""

        def widest(of: Callable[[int], int]) -> int:
            return max(map(of, range(layers)), default=0)

        forward = widest(lambda layer: self.read_number("feed_forward_length", 0, layer))
        used = widest(lambda layer: self.read_number("expert_used_count", 0, layer))
        experts = used * widest(lambda layer: self.read_number("expert_feed_forward_length", forward, layer))
        heads = widest(lambda layer: self.read_number("attention.head_count", 0, layer))
        attention = heads * widest(lambda layer: self.head_length("key", layer))
        return max(forward, experts, attention, 2 * self.read_number("ssm.inner_size"))

    def _is_recurrent(self, layer: int) -> bool:
        if self.architecture in RECURRENT or self.architecture == "falcon-h1":
            return True
        if self.architecture in LINEAR_EVERY:
            return (layer + 1) % (
                self.read_number("full_attention_interval", LINEAR_EVERY[self.architecture]) or 1
            ) != 0
        listed = isinstance(self._header.architecture_value("attention.head_count_kv"), list)
        no_heads = listed and self.read_number("attention.head_count_kv", 1, layer) == 0
        # Nemotron-H has layers of only a feed-forward network, which keep nothing.
        return no_heads and not (
            self.architecture.startswith("nemotron_h") and self.read_number("feed_forward_length", 0, layer)
        )

    def _has_sliding_window(self, layer: int) -> bool:
        pattern = self._header.architecture_value("attention.sliding_window_pattern")
        if isinstance(pattern, list):
            return layer < len(pattern) and bool(pattern[layer])
        # A number n means: each n-th layer looks at all, the others through the window.
        return isinstance(pattern, int) and pattern > 1 and layer % pattern < pattern - 1


# Asks what a model would take here, and how fast memory is, in the throw-away process of `llama.fit_probe`.


@dataclass(frozen=True)
class FitProbe:
    """Ask llama.cpp what a file would take, on these GPUs in these shares."""

    path: str
    layout: ModelLayout
    gpus: tuple[str, ...]
    split: tuple[float, ...]


@dataclass(frozen=True)
class ProbeMemory:
    """Request to measure how fast this many cores read memory; answered by `MemorySpeed`."""

    cores: int


@dataclass(frozen=True)
class MemorySpeed:
    """Answers `ProbeMemory`: how much so many cores read in a second."""

    bytes_per_s: float


PROBE_WIRE = Wire(2, (FitProbe, ProbeMemory), (MemoryNeeds, MemorySpeed))
TIMEOUT_S = 10.0


def probe_file(
    path: Path,
    layout: ModelLayout,
    gpus: Sequence[str] = (),
    split: Sequence[float] = (),
    *,
    folder: Path,
    cancelled: Callable[[], bool] = lambda: False,
    timeout_s: float = TIMEOUT_S,
) -> MemoryNeeds | None:
    """Ask llama.cpp for a file's memory needs, in about a second. None if it fails, times out or is cancelled.

    `folder` becomes the process's working directory.
    """
    answer = _ask_probe(FitProbe(str(path), layout, tuple(gpus), tuple(split)), folder, cancelled, timeout_s)
    return answer if isinstance(answer, MemoryNeeds) else None


def probe_memory(
    cores: int, *, folder: Path, cancelled: Callable[[], bool] = lambda: False, timeout_s: float = TIMEOUT_S
) -> float:
    """Measure memory bandwidth with `cores` cores, in bytes per second; 0 if that fails. Takes about a second."""
    answer = _ask_probe(ProbeMemory(cores), folder, cancelled, timeout_s)
    return answer.bytes_per_s if isinstance(answer, MemorySpeed) else 0.0


def probe_header(
    header: bytes,
    total_bytes: int,
    layout: ModelLayout,
    gpus: Sequence[str] = (),
    *,
    folder: Path,
    cancelled: Callable[[], bool] = lambda: False,
) -> MemoryNeeds | None:
    """Like `probe_file`, for a file not downloaded yet: its bytes up to the weights and its total size suffice."""
    make_folder(folder)
    with tempfile.TemporaryDirectory(prefix="header-", dir=folder) as scratch:
        path = Path(scratch) / "model.gguf"
        with path.open("wb") as file:
            file.write(header)
            file.truncate(max(total_bytes, len(header)))  # a hole: it takes no room on the disk
        return probe_file(path, layout, gpus, folder=folder, cancelled=cancelled)


def _ask_probe(
    request: FitProbe | ProbeMemory, folder: Path, cancelled: Callable[[], bool], timeout_s: float
) -> MemoryNeeds | MemorySpeed | Ended | None:
    """Send one request to a separate child. None if it times out, is cancelled or answers nonsense."""
    try:
        # A process of its own: llama.cpp ends it where an assertion fails, and takes its memory along.
        child = Child(own_command("--fit-probe"), folder)
    except OSError:
        return None
    said, deadline_s, answer = WireInbox(), time.monotonic() + timeout_s, None
    try:
        WireClient(PROBE_WIRE, child, said.add_item).send(request)
        while answer is None and not cancelled() and time.monotonic() < deadline_s:
            answer = said.next_item()
    except ProtocolViolation:
        return None
    finally:
        child.kill_tree()
        child.close()
    return answer


MOST_SEQUENCES = 8  # beside the chat's own, which is sequence 0
BATCH_TOKENS, GPU_BATCH_TOKENS = 256, 512  # 256 is as fast on processors, with finer progress and half the scratch
DEFAULT_CONTEXT_TOKENS = 8192
# Below 512 tokens a question with its answer has no room.
CONTEXT_FLOORS = (2048, 512)  # a useful conversation; the least that answers a question
NEAR = 0.8  # of what may be used; the formula is within a few percent, its scratch memory within 40
STATE_SHARE = 8  # recurrent states of all sequences take at most this part of what is free

# Left to everybody else: a sixteenth of the memory, but at least what a browser tab takes when it wakes up (the
# answer grows nothing after loading), and not more than a gigabyte, which is llama.cpp's own margin for a device.
RESERVE_PART, LEAST_RESERVE_BYTES, MOST_RESERVE_BYTES = 16, 256 * 2**20, 2**30

FITS, ASKED, REMEMBERED, TIGHT = "fits", "asked", "remembered", "tight"
KV_REDUCED, CONTEXT_REDUCED = "kv_reduced", "context_reduced"
LAYERS_REDUCED, CPU_ONLY = "layers_reduced", "cpu_only"
FEWER_LAYERS, SMALLER_CONTEXT, CPU = "fewer_layers", "smaller_context", "cpu"

Estimate = Callable[[ModelLayout], MemoryNeeds]


class DoesNotFit(Exception):
    """Not even the smallest form fits, with what is left to others; the caller knows which file it is."""

    def __init__(self, needed_bytes: int, free_bytes: int, layout: ModelLayout) -> None:
        super().__init__(f"{needed_bytes} bytes needed, {free_bytes} free")
        self.needed_bytes = needed_bytes
        self.free_bytes = free_bytes
        self.layout = layout


@dataclass(frozen=True)
class GpuRoom:
    """A GPU that may be used. `shared`: its memory is the main memory."""

    name: str
    # "free" as the system says; what of it a model may take is `spare`.
    description: str
    free_bytes: int
    total_bytes: int
    shared: bool = False


@dataclass(frozen=True)
class MemoryRoom:
    """Free and all memory; 0 where it is not known, which then limits nothing."""

    free_bytes: int
    total_bytes: int
    gpus: tuple[GpuRoom, ...] = ()

    def spare(self) -> int:
        """Return the bytes of main memory a model may use."""
        return _spare_bytes(self.free_bytes, self.total_bytes)

    def reserve(self) -> int:
        """Return the bytes of main memory left to other programs."""
        return _reserve_bytes(self.total_bytes or self.free_bytes)

    def gpu_spare(self) -> int:
        """Return the bytes a model may use on all GPUs together."""
        return sum(_spare_bytes(gpu.free_bytes, gpu.total_bytes) for gpu in self.gpus)

    @property
    def shares(self) -> bool:
        """True if a GPU's memory is part of main memory."""
        return any(gpu.shared for gpu in self.gpus)


@dataclass(frozen=True)
class LoadPlan(ModelLayout):
    """Layout a model is loaded with, and why.

    `choice` is one of fits, asked, remembered, kv_reduced, layers_reduced, cpu_only, context_reduced and tight (weights
    exceed free memory and are read from disk again and again: works, slowly). `gpu_layers` counts as llama.cpp does:
    layers + 1 is everything. `gpu_missed` is empty, or why a requested GPU isn't used: no_device, no_memory or
    load_failed. `steps` lists the fallbacks taken: fewer_layers, smaller_context, cpu.
    """

    needed_bytes: int = 0
    free_bytes: int = 0
    choice: str = FITS
    steps: tuple[str, ...] = ()
    gpu_missed: str = ""
    device: str = ""
    threads: int = 0

    @property
    def layout(self) -> ModelLayout:
        """The layout alone: what is loaded how, without why."""
        return ModelLayout(**{field.name: getattr(self, field.name) for field in dataclasses.fields(ModelLayout)})


def plan_layout(layout: ModelLayout, needed_bytes: int, free_bytes: int, choice: str) -> LoadPlan:
    """Return a layout as a plan, with its needs, the free memory and the reason for the choice."""
    return LoadPlan(**vars(layout), needed_bytes=needed_bytes, free_bytes=free_bytes, choice=choice)


def choose_plan(shape: ModelShape, wish: Wish, room: MemoryRoom, estimate: Estimate | None = None) -> LoadPlan:
    """Return the best plan that fits; raises DoesNotFit. `estimate` replaces the formula where better numbers are
    known.
    """
    return _LayoutChooser(shape, wish, room, estimate or shape.memory_needs).choose()


def corrected_estimate(shape: ModelShape, asked: ModelLayout, measured: MemoryNeeds) -> Estimate:
    """Return an estimate that scales the formula by its error for the layout llama.cpp was asked about."""
    alone = dataclasses.replace(shape, eyes=BLIND)  # llama.cpp was asked about the model
    formula = dataclasses.asdict(alone.memory_needs(asked))
    # Part by part: the formula may be right about weights and wrong about scratch memory.
    off = {name: getattr(measured, name) / value if value else 1.0 for name, value in formula.items()}

    def estimate(layout: ModelLayout) -> MemoryNeeds:
        if layout == asked:
            return shape.eyes.added_to(measured, layout)
        scaled = {
            name: int(value * off[name]) for name, value in dataclasses.asdict(alone.memory_needs(layout)).items()
        }
        return shape.eyes.added_to(MemoryNeeds(**scaled), layout)

    return estimate


def is_near(plan: LoadPlan, needs: MemoryNeeds, room: MemoryRoom) -> bool:
    """Return whether a plan is so near to a limit, or so changed, that llama.cpp's own numbers should be asked."""
    if plan.choice not in (FITS, ASKED):
        return True
    main = needs.total if room.shares else needs.main
    near_main = bool(room.free_bytes) and main > NEAR * room.spare()
    return near_main or (plan.gpu_layers > 0 and needs.gpu > NEAR * room.gpu_spare())


def next_step(plan: LoadPlan, shape: ModelShape, wish: Wish, room: MemoryRoom, *, had_model: bool) -> LoadPlan | None:
    """Return what to try after llama.cpp refused `plan`; None when there is nothing left.

    GPU, then half of its layers, then a smaller context, then no GPU, then smaller contexts there. `had_model` tells
    that the weights were loaded and only the context was refused: without it, its size was not the reason.
    """
    if plan.gpu_layers > 0:
        # Half of the layers once, and no further: each attempt takes as long as loading.
        if FEWER_LAYERS not in plan.steps and plan.gpu_layers > 1:
            return _changed_plan(plan, shape, FEWER_LAYERS, gpu_layers=plan.gpu_layers // 2)
        if had_model and SMALLER_CONTEXT not in plan.steps and plan.context_tokens > CONTEXT_FLOORS[-1]:
            return _smaller_plan(plan, shape, wish)
        try:
            # Planned anew for main memory: the plan for the GPU says nothing about it.
            on_cpu = choose_plan(shape, dataclasses.replace(wish, gpu_layers=0), dataclasses.replace(room, gpus=()))
        except DoesNotFit:
            return None
        return dataclasses.replace(on_cpu, choice=CPU_ONLY, steps=(*plan.steps, CPU))
    if had_model and plan.context_tokens > CONTEXT_FLOORS[-1]:
        return _smaller_plan(plan, shape, wish)
    return None


def _smaller_plan(plan: LoadPlan, shape: ModelShape, wish: Wish) -> LoadPlan:
    """Halve the context, and go back to f16 if q8_0 was our own choice: the device may not support it."""
    context = max(_round_context(plan.context_tokens // 2), CONTEXT_FLOORS[-1])
    return _changed_plan(plan, shape, SMALLER_CONTEXT, context_tokens=context, kv_type=wish.kv_type or KV_TYPES[0])


def _changed_plan(plan: LoadPlan, shape: ModelShape, step: str, **changes: object) -> LoadPlan:
    # A step that is taken again is told once.
    steps = plan.steps if step in plan.steps[-1:] else (*plan.steps, step)
    choice = LAYERS_REDUCED if step == FEWER_LAYERS else CONTEXT_REDUCED
    changed = dataclasses.replace(plan, steps=steps, choice=choice, **changes)  # type: ignore[arg-type]
    return dataclasses.replace(changed, needed_bytes=shape.memory_needs(changed.layout).total)


class _LayoutChooser:
    """The order of preference. `_all` is how many layers would go to the GPU if everything fitted."""

    def __init__(self, shape: ModelShape, wish: Wish, room: MemoryRoom, estimate: Estimate) -> None:
        self._shape, self._wish, self._room, self._estimate = shape, wish, room, estimate
        # One more than layers: the output.
        asked = wish.gpu_layers if wish.gpu_layers >= 0 else shape.layers + 1
        self._all = min(asked, shape.layers + 1) if room.gpus else 0
        wanted = wish.context_tokens or DEFAULT_CONTEXT_TOKENS
        # A context beyond what the model was trained with gives nonsense.
        self._wanted = min(
            _round_context(wanted), _round_context(shape.trained_context_tokens) or _round_context(wanted)
        )
        offered = KV_TYPES if shape.takes_q8 and any(shape.kv_values) else KV_TYPES[:1]
        self._kv_types = (wish.kv_type,) if wish.kv_type in KV_TYPES else offered
        self._sequences = self._affordable_sequences()

    def choose(self) -> LoadPlan:
        return (
            self._plan_as_wanted()
            or self._fewer_layers()
            or self._without_gpu()
            or self._plan_shorter_context()
            or self._plan_mapped_weights()
        )

    def _plan_as_wanted(self) -> LoadPlan | None:
        """Return the requested layout, with a smaller KV type if needed; None if it doesn't fit."""
        # Before fewer layers: q8_0 costs hardly any quality, a layer on the processor much speed.
        for kv_type in self._kv_types:
            if self._fits(layout := self._make_layout(self._wanted, kv_type, self._all)):
                chosen = ASKED if not self._wish.is_open else FITS
                return self._make_plan(layout, chosen if kv_type == self._kv_types[0] else KV_REDUCED)
        return None

    def _fewer_layers(self) -> LoadPlan | None:
        for kv_type in self._kv_types:
            for layers in range(self._all - 1, 0, -1):
                if self._fits(layout := self._make_layout(self._wanted, kv_type, layers)):
                    return self._make_plan(layout, LAYERS_REDUCED)
        return None

    def _without_gpu(self) -> LoadPlan | None:
        for kv_type in self._kv_types if self._all else ():
            if self._fits(layout := self._make_layout(self._wanted, kv_type, 0)):
                return self._make_plan(layout, CPU_ONLY)
        return None

    def _plan_shorter_context(self) -> LoadPlan | None:
        """Return the longest context that fits, in the smallest KV type; layers on the GPU before length."""
        # Longest in the first floor: a usable conversation on the processor beats a short one on the GPU.
        for floor in CONTEXT_FLOORS:
            for layers in range(self._all, -1, -1):
                if (layout := self._longest_layout(floor, layers)) is not None:
                    return self._make_plan(layout, CONTEXT_REDUCED)
        return None

    def _longest_layout(self, floor: int, layers: int) -> ModelLayout | None:
        low, high = min(floor, self._wanted) // CELLS_STEP, self._wanted // CELLS_STEP
        # Not even the floor fits: the next one is tried.
        if not self._fits(self._make_layout(low * CELLS_STEP, self._kv_types[-1], layers)):
            return None
        while low < high:  # the needs grow with the length
            middle = (low + high + 1) // 2
            if self._fits(self._make_layout(middle * CELLS_STEP, self._kv_types[-1], layers)):
                low = middle
            else:
                high = middle - 1
        return self._make_layout(low * CELLS_STEP, self._kv_types[-1], layers)

    def _plan_mapped_weights(self) -> LoadPlan:
        """Weights that stay in the file and are read as they are needed; only the rest must really fit."""
        smallest = self._make_layout(min(CONTEXT_FLOORS[-1], self._wanted), self._kv_types[-1], 0)
        mapped = dataclasses.replace(smallest, repack=False)
        # Mapped weights can be dropped and read again, so they have to fit into all memory, not into what is free.
        total = self._room.total_bytes
        if total and self._estimate(mapped).weights <= total - _reserve_bytes(total):
            for floor in CONTEXT_FLOORS:
                layout = dataclasses.replace(mapped, context_tokens=min(floor, self._wanted))
                needs = self._estimate(layout)
                if needs.kv + needs.compute + self._shape.eyes.weights <= self._room.spare():
                    return self._make_plan(layout, TIGHT)
        needed = self._estimate(smallest).total + self._room.reserve()
        raise DoesNotFit(needed, self._room.free_bytes, smallest)

    def _fits(self, layout: ModelLayout) -> bool:
        needs, room = self._estimate(layout), self._room
        main = needs.total if room.shares else needs.main
        fits = not room.free_bytes or main <= room.spare()
        return fits and (not layout.gpu_layers or needs.gpu <= room.gpu_spare())

    def _make_layout(self, context_tokens: int, kv_type: str, gpu_layers: int) -> ModelLayout:
        batch = GPU_BATCH_TOKENS if gpu_layers else BATCH_TOKENS
        experts = self._wish.experts_on_cpu and self._shape.is_mixture and gpu_layers > 0
        gpus = len(self._room.gpus) if gpu_layers else 1
        whole = self._shape.eyes.whole_tokens
        return ModelLayout(
            context_tokens, kv_type, gpu_layers, experts, self._sequences, batch, gpus=gpus, picture_tokens=whole
        )

    def _make_plan(self, layout: ModelLayout, choice: str) -> LoadPlan:
        room = self._room
        free = room.free_bytes
        if layout.gpu_layers and not room.shares:
            free += sum(gpu.free_bytes for gpu in room.gpus)
        return plan_layout(layout, self._estimate(layout).total, free, choice)

    def _affordable_sequences(self) -> int:
        """Return how many sequences fit. Recurrent layers hold a state for each, used or not."""
        state = sum(self._shape.state_bytes)
        # From all down to two; one is what is left.
        counts = range(1 + MOST_SEQUENCES, 1, -1)
        limit = self._room.spare() // STATE_SHARE if self._room.free_bytes else state * counts[0]
        return next((count for count in counts if count * state <= limit), 1)


def _round_context(tokens: int) -> int:
    """Round a context up to whole steps of cells, as llama.cpp does."""
    return -(-tokens // CELLS_STEP) * CELLS_STEP


def _reserve_bytes(total_bytes: int) -> int:
    return min(max(total_bytes // RESERVE_PART, LEAST_RESERVE_BYTES), MOST_RESERVE_BYTES)


def _spare_bytes(free_bytes: int, total_bytes: int) -> int:
    return max(0, free_bytes - _reserve_bytes(total_bytes or free_bytes))
