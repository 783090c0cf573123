"""How much memory a model takes, by formula from its header: weights, context and scratch, in main memory and on GPUs.

The context's part equals llama.cpp's own number for plain, grouped, sliding-window and MLA attention and for recurrent
layers; scratch memory is a close upper estimate. `app.engine.probe_request` asks llama.cpp itself.
"""

from __future__ import annotations

import platform
import re
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from app.core.gguf import GgufHeader, SkippedArray

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
_BLOCK = re.compile(r"blk\.(\d+)\.")
_EXPERTS = re.compile(EXPERTS)


@dataclass(frozen=True)
class Layout:
    """How a model is placed. `gpu_layers` counts as llama.cpp does: the output first, then layers from the last."""

    context_tokens: int
    kv_type: str = "f16"
    gpu_layers: int = 0
    experts_on_cpu: bool = False
    sequences: int = 1
    batch_tokens: int = 256
    repack: bool = True
    """Whether weights may be copied into a faster arrangement; without it they stay mapped from the file."""
    gpus: int = 1
    """Over how many devices the GPU layers are spread; each has scratch memory of its own."""


@dataclass(frozen=True)
class Needs:
    """Bytes, in main memory and on all GPUs together. The vocabulary's tables count as weights."""

    weights: int = 0
    kv: int = 0
    compute: int = 0
    gpu_weights: int = 0
    gpu_kv: int = 0
    gpu_compute: int = 0

    @property
    def main(self) -> int:
        """Main memory."""
        return self.weights + self.kv + self.compute

    @property
    def gpu(self) -> int:
        """Memory of the GPUs."""
        return self.gpu_weights + self.gpu_kv + self.gpu_compute

    @property
    def total(self) -> int:
        """Everything."""
        return self.main + self.gpu


@dataclass(frozen=True)
class Shape:
    """What of a header decides about memory. Tuples have one item a layer."""

    layers: int
    layer_weights: tuple[int, ...]
    expert_weights: tuple[int, ...]
    input_weights: int
    output_weights: int
    tied_weights: int
    """The embeddings, where they are the output as well: a GPU holds them a second time."""
    tied_repacked: bool
    """Whether the processor's arrangement is a second copy of those too."""
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

    @property
    def is_mixture(self) -> bool:
        """Whether there are experts to place apart."""
        return any(self.expert_weights)

    def kv_bytes(self, layout: Layout) -> tuple[int, ...]:
        """The context's memory, for each layer."""
        cells = -(-layout.context_tokens // CELLS_STEP) * CELLS_STEP
        size = VALUE_BYTES[layout.kv_type]
        return tuple(
            int(cells * values * size) + state * layout.sequences
            for values, state in zip(self.kv_values, self.state_bytes, strict=True)
        )

    def compute_bytes(self, layout: Layout) -> int:
        """Scratch memory of the largest decode: attention masks, and the widest of activations and logits."""
        rows, masks, logits = self._scratch(layout)
        activations = rows * 4 * (4 * self.inner_width + 2 * self.width)
        return masks + max(activations, logits + rows * 4 * 2 * self.width) + logits

    def beside_gpu_bytes(self, layout: Layout) -> int:
        """What main memory keeps of that when a GPU computes, also for layers it does not hold: inputs and outputs."""
        rows, masks, logits = self._scratch(layout)
        return masks + logits + rows * 4 * 2 * self.width

    def _scratch(self, layout: Layout) -> tuple[int, int, int]:
        """Tokens of the largest decode, bytes of the attention masks, bytes of the logits."""
        rows = -(-min(layout.batch_tokens, layout.context_tokens) // layout.sequences) * layout.sequences
        cells = -(-layout.context_tokens // CELLS_STEP) * CELLS_STEP
        return rows, self.masks * rows * cells * 2, 4 * self.vocabulary * layout.sequences

    def needs(self, layout: Layout) -> Needs:
        """The whole, for a layout."""
        on_gpu = max(0, layout.gpu_layers - 1)  # the output is the first
        first = max(0, self.layers - on_gpu)
        experts = self.expert_weights if layout.experts_on_cpu else (0,) * self.layers
        gpu_weights = sum(self.layer_weights[first:]) - sum(experts[first:])
        output_on_gpu = layout.gpu_layers > 0
        if output_on_gpu:
            gpu_weights += self.output_weights + self.tied_weights
        weights = sum(self.layer_weights[:first]) + sum(experts[first:]) + self.input_weights
        weights += self.vocabulary * TOKEN_BYTES
        if not output_on_gpu:
            weights += self.output_weights + (self.tied_weights if layout.repack and self.tied_repacked else 0)
        kv, compute = self.kv_bytes(layout), self.compute_bytes(layout)
        return Needs(
            weights,
            sum(kv[:first]),
            self.beside_gpu_bytes(layout) if output_on_gpu else compute,
            gpu_weights,
            sum(kv[first:]),
            layout.gpus * (compute + self._streamed_bytes(first)) if output_on_gpu else 0,
        )

    def _streamed_bytes(self, first: int) -> int:
        """A GPU reads prompts through layers it does not hold: their weights pass through its scratch memory."""
        return max(self.layer_weights[:first], default=0)


def tokens_side_by_side(shape: Shape, kv_type: str) -> int:
    """How many tokens answers may hold together on a processor before side by side costs more than it saves.

    Writing together reads the weights once for all, but every token looks at the memory of all of them (one unified
    cache), and so does what is read of the next prompt. It pays off while that memory is small beside the weights: with
    the starter, sections of 1,400 tokens took 1.15 times as long together as one after another, and prompts of 450
    tokens wrote 1.8 times as fast. A GPU skips what is masked.
    """
    needs = shape.needs(Layout(SAMPLE_TOKENS, kv_type=kv_type))
    return int(SMALL_BESIDE_WEIGHTS * needs.weights * SAMPLE_TOKENS / needs.kv) if needs.kv else sys.maxsize


def shape_of(header: GgufHeader) -> Shape:
    """Reads a header; whatever is missing or impossible in it counts as nothing."""
    read = _Reader(header)
    layers = min(read.number("block_count"), MOST_LAYERS)
    layers -= min(read.number("nextn_predict_layers"), layers)
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
    tied = embeddings if embeddings and all(t.name != "output.weight" for t in header.tensors) else None
    repacked = REPACKED_X86 if platform.machine().lower() in ("x86_64", "amd64") else REPACKED_ARM
    width = read.number("embedding_length")
    kv_values = tuple(read.kv_values(layer, layers) for layer in range(layers))
    return Shape(
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
        (2 if read.number("attention.sliding_window") else 1) if any(kv_values) else 0,
        read.number("context_length", most=1 << 40),
        all(read.head_length(name, layer) % Q8_BLOCK == 0 for name in ("key", "value") for layer in range(layers)),
    )


class _Reader:
    """Numbers of a header, all of which may be missing, wrong or hostile."""

    def __init__(self, header: GgufHeader) -> None:
        self._header = header
        architecture = header.metadata.get("general.architecture")
        self.architecture = architecture if isinstance(architecture, str) else ""

    def number(self, key: str, default: int = 0, layer: int = 0, most: int = MOST_UNITS) -> int:
        """A number, or that of a layer where the file has a list."""
        value: Any = self._header.architecture_value(key)
        if isinstance(value, list):
            value = value[layer] if layer < len(value) else None
        if isinstance(value, SkippedArray) or not isinstance(value, int | float) or value != value:  # noqa: PLR0124 - NaN
            return default
        return int(min(max(value, 0), most))

    def head_length(self, which: str, layer: int) -> int:
        """The length of a head's key or value."""
        heads = self.number("attention.head_count")
        length = self.number(f"attention.{which}_length", self.number("embedding_length") // heads if heads else 0)
        if self._header.architecture_value(f"attention.{which}_length_swa") is not None and self._slides(layer):
            return self.number(f"attention.{which}_length_swa")
        return length

    def kv_values(self, layer: int, layers: int) -> int:
        """Values a layer keeps of each token."""
        shared = self.number("attention.shared_kv_layers")
        own = layers - shared if shared else FIRST_SHARING.get(self.architecture, layers)
        if layer >= own or (self._is_recurrent(layer) and self.architecture != "falcon-h1"):
            return 0
        heads = self.number("attention.head_count_kv", self.number("attention.head_count", 0, layer), layer)
        keys_only = self.number("attention.key_length_mla") and self.number("attention.value_length_mla")
        values = 0 if keys_only else self.head_length("value", layer)
        return heads * (self.head_length("key", layer) + values)

    def state_bytes(self, layer: int) -> int:
        """What a recurrent layer keeps of each sequence."""
        if not self._is_recurrent(layer):
            return 0
        width, heads = self.number("embedding_length"), self.number("attention.head_count")
        head = self.number("wkv.head_size")
        if head:
            return STATE_VALUE_BYTES * width * (self.number("token_shift_count", 2) + head)
        if short := self.number("shortconv.l_cache"):
            return STATE_VALUE_BYTES * width * (short - 1)
        kernel = max(self.number("ssm.conv_kernel") - 1, 0)
        if head := self.number("kda.head_dim"):
            return STATE_VALUE_BYTES * heads * head * (3 * (kernel or 3) + head)
        inner, state = self.number("ssm.inner_size"), self.number("ssm.state_size")
        groups = self.number("ssm.group_count")
        return STATE_VALUE_BYTES * (kernel * (inner + 2 * groups * state) + state * inner)

    def inner_width(self, layers: int) -> int:
        """The widest of what a token is turned into inside a layer."""

        def widest(of: Callable[[int], int]) -> int:
            return max(map(of, range(layers)), default=0)

        forward = widest(lambda layer: self.number("feed_forward_length", 0, layer))
        used = widest(lambda layer: self.number("expert_used_count", 0, layer))
        experts = used * widest(lambda layer: self.number("expert_feed_forward_length", forward, layer))
        heads = widest(lambda layer: self.number("attention.head_count", 0, layer))
        attention = heads * widest(lambda layer: self.head_length("key", layer))
        return max(forward, experts, attention, 2 * self.number("ssm.inner_size"))

    def _is_recurrent(self, layer: int) -> bool:
        if self.architecture in RECURRENT or self.architecture == "falcon-h1":
            return True
        if self.architecture in LINEAR_EVERY:
            return (layer + 1) % (self.number("full_attention_interval", LINEAR_EVERY[self.architecture]) or 1) != 0
        listed = isinstance(self._header.architecture_value("attention.head_count_kv"), list)
        no_heads = listed and self.number("attention.head_count_kv", 1, layer) == 0
        return no_heads and not (
            self.architecture.startswith("nemotron_h") and self.number("feed_forward_length", 0, layer)
        )

    def _slides(self, layer: int) -> bool:
        pattern = self._header.architecture_value("attention.sliding_window_pattern")
        if isinstance(pattern, list):
            return layer < len(pattern) and bool(pattern[layer])
        return isinstance(pattern, int) and pattern > 1 and layer % pattern < pattern - 1
