"""Memory that a model takes, by formula from its header: weights, context and scratch, in main memory and on GPUs.

The context's part equals llama.cpp's own number for plain, grouped, sliding-window and MLA attention and for
recurrent layers; scratch memory is a close upper estimate. `probe_file` asks llama.cpp itself.
"""

from __future__ import annotations

import dataclasses
import platform
import re
import sys
from collections.abc import Callable, Sequence
from typing import Any

from app.core.gguf import GgufHeader, SkippedArray, projector_kinds
from app.core.lazy_dataclasses import dataclass

VALUE_BYTES = {"f16": 2.0, "q8_0": 34 / 32}
Q8_BLOCK = 32
CELLS_STEP = 256  # llama.cpp rounds contexts up to this
MOST_LAYERS = 1024  # llama.cpp takes 512
MOST_DRAFTED_TOGETHER = 16  # tokens of a step with a draft; more gained little where it was measured
MOST_PREDICTED_TOKENS = 2  # by a layer for that: what llama.cpp guesses by default
PREDICTION_BATCH_TOKENS = 64  # that the layer reads at once
PREDICTING = ("qwen35", "qwen35moe")
"""Architectures whose layer for multi-token prediction is used: those whose memory llama.cpp can roll back."""
MOST_UNITS = 1 << 24  # no width, head count or vocabulary is larger; a header may say anything
STATE_VALUE_BYTES = 4
TOKEN_BYTES = 200  # of llama.cpp's tables for each token of the vocabulary; measured with 49,152 and 262,144 of them
FIRST_SHARING = {"gemma3n": 20}  # layers with a memory of their own, where the file does not say
LINEAR_EVERY = {"qwen3next": 4, "qwen35": 4, "qwen35moe": 4, "qwen4exp": 4, "minimax-01": 8}
DELTA_CHUNK = 64
"""Tokens that llama.cpp's gated delta nets read at once."""
MOST_CHECKPOINTS = 32  # of a sequence, as llama-server keeps
PLACES = 3  # of a prompt that are worth coming back to: see `PromptTokens`
USUAL_PARTS = ("down", "gate", "up")
MATRICES = len(USUAL_PARTS)  # of a feed-forward network, and of each expert
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
_EXPERT_NAME = re.compile(r"blk\.\d{1,4}\.ffn_(?:up|down|gate|gate_up)_(?:ch|)exps\.weight")


@dataclass(frozen=True)
class ModelLayout:
    """Placement of a model in memory. `gpu_layers` counts as llama.cpp does: the output first, then layers from the
    last.
    """

    context_tokens: int
    kv_type: str = "f16"
    gpu_layers: int = 0
    experts_on_cpu: bool = False
    cpu_experts: int = 0
    """Single tensors of experts, from the first layer on the GPU on, that stay in main memory nevertheless."""
    sequences: int = 1
    batch_tokens: int = 256
    repack: bool = True
    """True if weights may be copied into a faster arrangement; without it they stay mapped from the file."""
    gpus: int = 1
    """Number of devices that share the GPU layers. Each has scratch memory of its own."""
    picture_tokens: int = 0
    """Tokens of the largest image decoded at once, which may exceed `batch_tokens`."""
    predicts: bool = False
    """True if the model's layer for multi-token prediction is loaded, with a context of its own."""

    @property
    def outputs(self) -> int:
        """Rows of logits: one for each sequence, or for each token of a draft, when one sequence writes alone."""
        return max(self.sequences, MOST_DRAFTED_TOGETHER)


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
class PredictionLayer:
    """A layer for multi-token prediction: bytes of its weights, and values that it keeps for each token."""

    weights: int
    values: int


@dataclass(frozen=True)
class RecurrentLayer:
    """Sizes of a layer with a state, in values: of the state and, in gated delta nets alone, of each token read."""

    state: int
    token_values: int = 0
    inner: int = 0

    def scratch_bytes(self, others: int, rows: int, sequences: int) -> int:
        """Return the scratch bytes of reading so many tokens, where other layers take `others`.

        Measured on headers of Qwen3.5, Granite 4 H and Mamba with 1 to 9 sequences: llama.cpp takes 0.7 to 1.02 of it.
        """
        states = 4 * self.state * sequences
        if not self.token_values:
            return others + states
        # Each sequence is filled up to whole chunks.
        chunked = sequences * -(-rows // (sequences * DELTA_CHUNK)) * DELTA_CHUNK
        return max(others, states + 4 * (self.token_values * rows + 9 * self.inner * chunked // 4))


@dataclass(frozen=True)
class ExpertTensor:
    """A tensor with one part of all experts of a layer, which can be placed apart from the layer."""

    layer: int
    name: str
    size_bytes: int


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
    expert_tensors: tuple[ExpertTensor, ...] = ()
    """In the order in which they leave a GPU that is too small."""
    window_values: int = 0
    """Values of all tokens that a sliding window sees at once; an upper estimate."""
    unused_layers: int = 0
    """Layers for multi-token prediction in the file, whether one is used or not; llama.cpp counts them as layers."""
    predictor: PredictionLayer | None = None
    recurrent: RecurrentLayer | None = None

    @property
    def is_mixture(self) -> bool:
        """True for mixtures of experts, whose experts can be placed apart."""
        return any(self.expert_weights)

    def first_gpu_layer(self, layout: ModelLayout) -> int:
        """Return the first layer on a GPU. llama.cpp counts the output as the first there, the others from the last."""
        return max(0, self.layers - max(0, layout.gpu_layers - 1))

    def movable_experts(self, layout: ModelLayout) -> list[ExpertTensor]:
        """Return the expert tensors of layers on a GPU, which may be placed in main memory one by one."""
        first = self.first_gpu_layer(layout)
        return [tensor for tensor in self.expert_tensors if tensor.layer >= first]

    def experts_apart(self, layout: ModelLayout) -> list[ExpertTensor]:
        """Return the expert tensors that a layout keeps in main memory one by one, apart from their layers."""
        return [] if layout.experts_on_cpu else self.movable_experts(layout)[: layout.cpu_experts]

    def kv_bytes(self, layout: ModelLayout) -> tuple[int, ...]:
        """Return the KV cache's bytes of each layer, recurrent states included."""
        # Rounded as llama.cpp does it.
        cells = -(-layout.context_tokens // CELLS_STEP) * CELLS_STEP
        size = VALUE_BYTES[layout.kv_type]
        # Guesses that were wrong are taken back to a copy of the state before each.
        states = layout.sequences * (1 + MOST_PREDICTED_TOKENS * layout.predicts)
        kept = tuple(
            # A unified cache is shared by all sequences; a recurrent state is one for each.
            int(cells * values * size) + state * states
            for values, state in zip(self.kv_values, self.state_bytes, strict=True)
        )
        return (*kept, int(cells * self.predictor.values * size)) if layout.predicts and self.predictor else kept

    def checkpoint_bytes(self, layout: ModelLayout) -> int:
        """Return the bytes of what can't be rolled back of one sequence; 0 if all can."""
        return sum(self.state_bytes) + int(self.window_values * VALUE_BYTES[layout.kv_type])

    def most_checkpoint_bytes(self, layout: ModelLayout) -> int:
        """Return the bytes of all checkpoints of the open chat and some of answers beside it, whatever the memory."""
        return (MOST_CHECKPOINTS + PLACES * (layout.sequences - 1)) * self.checkpoint_bytes(layout)

    def compute_bytes(self, layout: ModelLayout) -> int:
        """Return scratch bytes of the largest decode: attention masks, plus the wider of activations and logits."""
        rows, masks, logits = self._scratch_sizes(layout)
        # Graph buffers are reused: the widest step of a layer counts, not the sum of all.
        activations = rows * 4 * (4 * self.inner_width + 2 * self.width)
        if self.recurrent is not None:
            activations = self.recurrent.scratch_bytes(activations, rows, layout.sequences)
        return masks + max(activations, logits + rows * 4 * 2 * self.width) + logits

    def beside_gpu_bytes(self, layout: ModelLayout) -> int:
        """Return what main memory keeps of that when a GPU computes, also for layers it does not hold: inputs and
        outputs.
        """
        rows, masks, logits = self._scratch_sizes(layout)
        return masks + logits + rows * 4 * 2 * self.width

    def prediction_context_bytes(self, layout: ModelLayout) -> int:
        """Return the bytes of the context for multi-token prediction: scratch memory and the layer's KV cache."""
        return self._prediction_scratch_bytes(layout) + self.kv_bytes(layout)[-1] if layout.predicts else 0

    def _prediction_scratch_bytes(self, layout: ModelLayout) -> int:
        own = dataclasses.replace(layout, batch_tokens=PREDICTION_BATCH_TOKENS, picture_tokens=0, sequences=1)
        # It attends to all tokens.
        alone = dataclasses.replace(self, recurrent=None)
        return alone.compute_bytes(own) - 4 * self.vocabulary * (own.outputs - 1)

    def _prediction_bytes(self, layout: ModelLayout) -> int:
        """Return scratch bytes of the context for multi-token prediction, and what the model's own takes for it."""
        if not layout.predicts:
            return 0
        rows = max(layout.batch_tokens, layout.picture_tokens)
        handed_out = 4 * rows * self.width
        # Recurrent layers with copies of their states use less of the scratch memory twice; measured.
        copying = 4 * rows * 2 * self.inner_width
        return self._prediction_scratch_bytes(layout) + handed_out + copying

    def _scratch_sizes(self, layout: ModelLayout) -> tuple[int, int, int]:
        """Tokens of the largest decode, bytes of the attention masks, bytes of the logits."""
        most = max(layout.batch_tokens, layout.picture_tokens)
        rows = -(-min(most, layout.context_tokens) // layout.sequences) * layout.sequences
        cells = -(-layout.context_tokens // CELLS_STEP) * CELLS_STEP
        return rows, self.masks * rows * cells * 2, 4 * self.vocabulary * layout.outputs

    def memory_needs(self, layout: ModelLayout) -> MemoryNeeds:
        """Return the bytes that a layout takes in main memory and on the GPUs, projector included."""
        first = self.first_gpu_layer(layout)
        apart = self.bytes_apart(layout)
        gpu_weights = sum(self.layer_weights[first:]) - apart
        output_on_gpu = layout.gpu_layers > 0
        if output_on_gpu:
            # Tied weights are uploaded once more as the output, and stay on the processor as the input.
            gpu_weights += self.output_weights + self.tied_weights
        weights = sum(self.layer_weights[:first]) + apart + self.input_weights
        weights += self.vocabulary * TOKEN_BYTES
        if not output_on_gpu:
            weights += self.output_weights + (self.tied_weights if layout.repack and self.tied_repacked else 0)
        kv, compute = self.kv_bytes(layout), self.compute_bytes(layout) + self._prediction_bytes(layout)
        if layout.predicts and self.predictor:
            weights += self.predictor.weights * (not output_on_gpu)
            gpu_weights += self.predictor.weights * output_on_gpu
        gpu_kv = sum(kv[first:]) if output_on_gpu else 0
        alone = MemoryNeeds(
            weights,
            sum(kv) - gpu_kv,
            self.beside_gpu_bytes(layout) if output_on_gpu else compute,
            gpu_weights,
            gpu_kv,
            # Each device has a scratch buffer of its own.
            layout.gpus * (compute + self._streamed_bytes(layout)) if output_on_gpu else 0,
        )
        return self.eyes.added_to(alone, layout)

    def bytes_apart(self, layout: ModelLayout) -> int:
        """Return the bytes of experts in main memory whose layers are on a GPU."""
        if layout.experts_on_cpu:
            return sum(self.expert_weights[self.first_gpu_layer(layout) :])
        return sum(tensor.size_bytes for tensor in self.experts_apart(layout))

    def _streamed_bytes(self, layout: ModelLayout) -> int:
        """Return the bytes of the largest part a GPU doesn't hold: prompts are read through its scratch memory."""
        tensors = [tensor.size_bytes for tensor in self.experts_apart(layout)]
        return max((*self.layer_weights[: self.first_gpu_layer(layout)], *tensors), default=0)


def expert_parts(expert_weights: Sequence[int]) -> tuple[ExpertTensor, ...]:
    """Return the tensors that llama.cpp usually makes of each layer's experts, for a file of which nothing else is
    known.
    """
    return tuple(
        ExpertTensor(layer, f"blk.{layer}.ffn_{part}_exps.weight", weights // len(USUAL_PARTS))
        for layer, weights in enumerate(expert_weights)
        for part in USUAL_PARTS
        if weights
    )


def spread_weights(header: GgufHeader, shape: ModelShape, weights: int) -> ModelShape:
    """Return a shape whose layers have so many bytes together, spread by what the header says of them.

    Evenly, but for mixtures of experts: there by the numbers of weights that their attention, experts and plain layers
    have. Experts are an estimate, too: most files have them in three tensors of a layer.
    """
    read = _HeaderReader(header)
    parts = [read.weight_counts(layer) for layer in range(shape.layers)]
    total = sum(map(sum, parts))
    if not total or not any(experts for _, experts in parts):
        even = weights // shape.layers if shape.layers else 0
        none = (0,) * shape.layers
        return dataclasses.replace(shape, layer_weights=(even,) * shape.layers, expert_weights=none, expert_tensors=())
    expert_weights = tuple(weights * experts // total for _, experts in parts)
    return dataclasses.replace(
        shape,
        layer_weights=tuple(weights * sum(counts) // total for counts in parts),
        expert_weights=expert_weights,
        expert_tensors=expert_parts(expert_weights),
    )


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
    # Layers for multi-token prediction come last in the file.
    unused = min(read.read_number("nextn_predict_layers"), layers)
    layers -= unused
    layer_weights, expert_weights = [0] * layers, [0] * layers
    expert_tensors: list[ExpertTensor] = []
    outside = {"input": 0, "output": 0}
    for tensor in header.tensors:
        block = _BLOCK.match(tensor.name)
        if block is None:
            outside["output" if tensor.name.startswith("output") else "input"] += tensor.size_bytes
        elif int(block[1]) < layers:
            layer_weights[int(block[1])] += tensor.size_bytes
            if _EXPERTS.search(tensor.name):
                expert_weights[int(block[1])] += tensor.size_bytes
            # The name becomes part of a regular expression, so an odd one is never placed apart.
            if _EXPERT_NAME.fullmatch(tensor.name):
                expert_tensors.append(ExpertTensor(int(block[1]), tensor.name, tensor.size_bytes))
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
        tuple(sorted(expert_tensors, key=lambda tensor: (tensor.layer, tensor.name))),
        read.read_number("attention.sliding_window") * read.windowed_values(kv_values),
        unused,
        read.prediction_layer(layers) if unused == 1 else None,
        read.recurrent_layer(),
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

    def prediction_layer(self, layer: int) -> PredictionLayer | None:
        """Return what the layer for multi-token prediction takes; None without one that is known."""
        sizes = {t.name: t.size_bytes for t in self._header.tensors if t.name.startswith(f"blk.{layer}.")}
        # llama.cpp ends the process where one of these is missing.
        if self.architecture not in PREDICTING or any(
            f"blk.{layer}.nextn.{name}.weight" not in sizes for name in ("eh_proj", "enorm", "hnorm")
        ):
            return None
        heads = self.read_number("attention.head_count_kv", self.read_number("attention.head_count", 0, layer), layer)
        return PredictionLayer(
            sum(sizes.values()), heads * (self.head_length("key", layer) + self.head_length("value", layer))
        )

    def weight_counts(self, layer: int) -> tuple[int, int]:
        """Return about how many weights a layer has beside its experts, and in them; 0 where the header doesn't say."""
        width, forward = self.read_number("embedding_length"), self.read_number("feed_forward_length", 0, layer)
        heads = self.read_number("attention.head_count", 0, layer)
        kv_heads = self.read_number("attention.head_count_kv", heads, layer)
        lengths = [self.head_length(which, layer) for which in ("key", "value")]
        attention = width * (heads + kv_heads) * sum(lengths)
        step = max(1, self.read_number("interleave_moe_layer_step", 1))
        is_mixed = layer >= self.read_number("leading_dense_block_count") and (layer + 1) % step == 0
        if not is_mixed or not (experts := self.read_number("expert_count", 0, layer)):
            return attention + MATRICES * width * forward, 0
        inner = self.read_number("expert_feed_forward_length", forward, layer)
        shared = self.read_number("expert_shared_feed_forward_length") or (
            self.read_number("expert_shared_count") * inner
        )
        return attention + MATRICES * width * shared, MATRICES * width * inner * experts

    def windowed_values(self, kv_values: Sequence[int]) -> int:
        """Return how many of a token's KV values layers with a sliding window keep, all where the file names none."""
        windowed = [values for layer, values in enumerate(kv_values) if self._has_sliding_window(layer)]
        return sum(windowed or kv_values)

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

    def recurrent_layer(self) -> RecurrentLayer | None:
        """Return the sizes of a state space or a gated delta net; None for a model without any."""
        inner, size = self.read_number("ssm.inner_size"), self.read_number("ssm.state_size")
        if not inner or not size:
            return None
        if self.architecture not in LINEAR_EVERY:
            return RecurrentLayer(size * inner)
        convolved = 2 * self.read_number("ssm.group_count") * size + inner
        return RecurrentLayer(size * inner, 3 * convolved + 2 * self.read_number("embedding_length"), inner)

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
