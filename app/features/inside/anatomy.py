"""The parts of a model, from its file alone: what they are for, how many weights they have, and what they cost."""

from __future__ import annotations

import math
import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from app.core.catalogue import Translatable
from app.core.gguf import GgufHeader, check_model
from app.core.joined_texts import join_entries
from app.core.lazy_dataclasses import dataclass, replace
from app.core.visible import visible_name
from app.engine.model_shape import VALUE_BYTES, shape_of

PARTS: tuple[tuple[str, str, str], ...] = (
    (
        "experts",
        r"\.ffn_(gate|up|down|gate_up)_(ch)?exps|\.ffn_gate_inp",
        "Feed-forward networks; each token uses only a few of them.",
    ),
    ("feed_forward", r"\.ffn_", "Processes each token separately between attention steps."),
    ("attention", r"\.(attn|ssm|shortconv|time_mix|wkv)", "Lets each token look at the ones before it."),
    ("norms", r"norm", "Keeps the numbers between layers in range."),
    ("embedding", r"^(token_embd|position_embd|token_types|per_layer_token_embd)", "One vector for each token."),
    ("output", r"^output", "Turns the last vector into a score for each token."),
    ("other", r"", "Everything else."),
)
"""Name, the tensors' names that belong to it (the first that fits counts), and a sentence. Norms come before their
neighbours, see `_part_of`."""
_NORM = re.compile(r"norm")
ABOUT = (
    ("license", "License"), ("author", "Made by"), ("organization", "Organization"), ("languages", "Languages"),
    ("datasets", "Trained on"), ("tags", "Tags"), ("base_model.0.name", "Made from"), ("quantized_by", "Quantized by"),
    ("size_label", "Size as its makers say it"),
)  # fmt: skip
MOST_ABOUT = 200
# fmt: off
TYPES = {
    0: "F32", 1: "F16", 2: "Q4_0", 3: "Q4_1", 6: "Q5_0", 7: "Q5_1", 8: "Q8_0", 9: "Q8_1", 10: "Q2_K", 11: "Q3_K",
    12: "Q4_K", 13: "Q5_K", 14: "Q6_K", 15: "Q8_K", 16: "IQ2_XXS", 17: "IQ2_XS", 18: "IQ3_XXS", 19: "IQ1_S",
    20: "IQ4_NL", 21: "IQ3_S", 22: "IQ2_S", 23: "IQ4_XS", 24: "I8", 25: "I16", 26: "I32", 27: "I64", 28: "F64",
    29: "IQ1_M", 30: "BF16", 34: "TQ1_0", 35: "TQ2_0", 39: "MXFP4", 40: "NVFP4", 41: "Q1_0",
}
"""ggml's names of tensor types; a test compares them with the `gguf` library's."""
# fmt: on


@dataclass(frozen=True)
class TensorGroup:
    name: str
    parameters: int
    size_bytes: int
    explanation: Translatable

    @property
    def bits_per_weight(self) -> float:
        return 8 * self.size_bytes / self.parameters


@dataclass(frozen=True)
class ModelAnatomy:
    """A model as its file describes it; numbers that the file does not name are 0.

    `key_length` is d_k of softmax(QKᵀ/√d_k)V. `kv_bytes_per_token` is what the context takes for each token as f16.
    """

    name: str
    architecture: str
    parameters: int
    size_bytes: int
    layers: int
    heads: int
    kv_heads: int
    key_length: int
    width: int
    feed_forward: int
    experts: int
    experts_used: int
    vocabulary: int
    context_tokens: int
    kv_bytes_per_token: int
    parts: tuple[TensorGroup, ...]
    about: tuple[tuple[Translatable, str], ...]
    """Statements of its makers from the metadata."""
    types: tuple[tuple[str, int], ...] = ()
    """Tensor types such as Q8_0 with numbers of weights, most first."""

    @property
    def kv_bytes(self) -> int:
        """Size of the KV cache when the context is full."""
        return self.kv_bytes_per_token * self.context_tokens

    @property
    def is_plain(self) -> bool:
        """True if every layer has the same number of KV heads, so that a token's cost is one product."""
        # Twice for keys and values, twice for two bytes each.
        return self.kv_bytes_per_token == 2 * 2 * self.layers * self.kv_heads * self.key_length > 0

    @property
    def bits_per_weight(self) -> float:
        return 8 * self.size_bytes / self.parameters if self.parameters else 0.0


def anatomy_of(path: Path, others: Sequence[Path] = ()) -> ModelAnatomy:
    """Read a file's header, and those of a split model's `others`. Raises ModelMissing or ModelUnreadable."""
    header = check_model(path)
    # Tensors of a split model lie in all its files.
    tensors = [tensor for part in others if part != path for tensor in check_model(part).tensors]
    header = replace(header, tensors=(*header.tensors, *tensors))
    shape = shape_of(header)
    read = _HeaderNumbers(header)
    # Without grouped-query attention a file names only the heads.
    heads = read.read_number("attention.head_count")
    kv_heads = read.read_number("attention.head_count_kv") or heads
    key_length = read.read_number("attention.key_length") or (shape.width // heads if heads else 0)
    name = header.metadata.get("general.name")
    return ModelAnatomy(
        # A file's name field may be empty or blank.
        visible_name(name if isinstance(name, str) and name.strip() else path.stem),
        visible_name(str(header.metadata.get("general.architecture", ""))),
        header.weights,
        sum(tensor.size_bytes for tensor in header.tensors),
        shape.layers,
        heads,
        kv_heads,
        key_length,
        shape.width,
        read.read_number("feed_forward_length"),
        read.read_number("expert_count"),
        read.read_number("expert_used_count"),
        shape.vocabulary,
        shape.trained_context_tokens,
        int(sum(shape.kv_values) * VALUE_BYTES["f16"]),
        _tensor_groups(header),
        tuple(_about_rows(header)),
        _weight_types(header),
    )


def _tensor_groups(header: GgufHeader) -> tuple[TensorGroup, ...]:
    weights: defaultdict[str, int] = defaultdict(int)
    size_bytes: defaultdict[str, int] = defaultdict(int)
    for tensor in header.tensors:
        part = _part_of(tensor.name)
        weights[part] += math.prod(tensor.shape)
        size_bytes[part] += tensor.size_bytes
    return tuple(TensorGroup(name, weights[name], size_bytes[name], words) for name, _, words in PARTS if weights[name])


def _weight_types(header: GgufHeader) -> tuple[tuple[str, int], ...]:
    weights: defaultdict[str, int] = defaultdict(int)
    for tensor in header.tensors:
        weights[TYPES.get(tensor.type, f"type {tensor.type}")] += math.prod(tensor.shape)
    # Most weights first.
    return tuple(sorted(weights.items(), key=lambda each: -each[1]))


def _part_of(tensor: str) -> str:
    # Norms are called after their neighbours (attn_norm), so they are told first.
    if _NORM.search(tensor):
        return "norms"
    return next(name for name, pattern, _ in PARTS if re.search(pattern, tensor))


def _about_rows(header: GgufHeader) -> Iterator[tuple[str, str]]:
    for key, words in ABOUT:
        value = header.metadata.get(f"general.{key}")
        texts = [text for text in (value if isinstance(value, list) else [value]) if isinstance(text, str)]
        text = visible_name(join_entries(texts)[:MOST_ABOUT])
        if text.strip():
            yield words, text


class _HeaderNumbers:
    """Numbers of a header, which may be missing or hostile; of a list of one for each layer the largest."""

    def __init__(self, header: GgufHeader) -> None:
        self._header = header

    def read_number(self, key: str) -> int:
        value: Any = self._header.architecture_value(key)
        values = value if isinstance(value, list) else [value]
        # A header by a stranger may hold any number.
        return max((value for value in values if isinstance(value, int) and 0 <= value < 1 << 40), default=0)
