"""The parts of a model, from its file alone: what they are for, how many weights they have, and what they cost."""

from __future__ import annotations

import math
import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app.core.gguf import GgufHeader, check_model
from app.core.visible import visible_name
from app.engine.fit import VALUE_BYTES, shape_of

PARTS: tuple[tuple[str, str, str], ...] = (
    (
        "experts",
        r"\.ffn_(gate|up|down|gate_up)_(ch)?exps|\.ffn_gate_inp",
        "Feed-forward networks; a few of them work on each token.",
    ),
    ("feed_forward", r"\.ffn_", "Works on each token by itself, between looks at the others."),
    ("attention", r"\.(attn|ssm|shortconv|time_mix|wkv)", "Lets each token look at those before it."),
    ("norms", r"norm", "Keep the numbers between layers in range."),
    (
        "embedding",
        r"^(token_embd|position_embd|token_types|per_layer_token_embd)",
        "A vector for each token that can be read.",
    ),
    ("output", r"^output", "Turns the last vector into a number for each token that can be written."),
    ("other", r"", "What belongs to none of these."),
)
"""Name, the tensors' names that belong to it (the first that fits counts), and a sentence. Norms come before their
neighbours, see `_part_of`."""
_NORM = re.compile(r"norm")
ABOUT = (
    ("license", "Licence"), ("author", "Made by"), ("organization", "Organization"), ("languages", "Languages"),
    ("datasets", "Trained on"), ("tags", "Tags"), ("base_model.0.name", "Made from"), ("quantized_by", "Quantized by"),
    ("size_label", "Size as its makers say it"),
)  # fmt: skip
MOST_ABOUT = 200


@dataclass(frozen=True)
class Part:
    """All tensors of one kind."""

    name: str
    parameters: int
    size_bytes: int
    explanation: str

    @property
    def bits_per_weight(self) -> float:
        """How exactly its numbers are kept."""
        return 8 * self.size_bytes / self.parameters


@dataclass(frozen=True)
class Anatomy:
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
    parts: tuple[Part, ...]
    about: tuple[tuple[str, str], ...]
    """What its makers say of it."""

    @property
    def bits_per_weight(self) -> float:
        """Over all tensors."""
        return 8 * self.size_bytes / self.parameters if self.parameters else 0.0


def anatomy_of(path: Path) -> Anatomy:
    """Reads the head of a file; raises ModelMissing or ModelUnreadable."""
    header = check_model(path)
    shape = shape_of(header)
    read = _Numbers(header)
    heads = read.number("attention.head_count")
    kv_heads = read.number("attention.head_count_kv") or heads
    key_length = read.number("attention.key_length") or (shape.width // heads if heads else 0)
    name = header.metadata.get("general.name")
    return Anatomy(
        visible_name(name if isinstance(name, str) and name.strip() else path.stem),
        visible_name(str(header.metadata.get("general.architecture", ""))),
        header.weights,
        sum(tensor.size_bytes for tensor in header.tensors),
        shape.layers,
        heads,
        kv_heads,
        key_length,
        shape.width,
        read.number("feed_forward_length"),
        read.number("expert_count"),
        read.number("expert_used_count"),
        shape.vocabulary,
        shape.trained_context_tokens,
        int(sum(shape.kv_values) * VALUE_BYTES["f16"]),
        _parts(header),
        tuple(_about(header)),
    )


def _parts(header: GgufHeader) -> tuple[Part, ...]:
    weights: defaultdict[str, int] = defaultdict(int)
    size_bytes: defaultdict[str, int] = defaultdict(int)
    for tensor in header.tensors:
        part = _part_of(tensor.name)
        weights[part] += math.prod(tensor.shape)
        size_bytes[part] += tensor.size_bytes
    return tuple(Part(name, weights[name], size_bytes[name], words) for name, _, words in PARTS if weights[name])


def _part_of(tensor: str) -> str:
    if _NORM.search(tensor):
        return "norms"
    return next(name for name, pattern, _ in PARTS if re.search(pattern, tensor))


def _about(header: GgufHeader) -> Iterator[tuple[str, str]]:
    for key, words in ABOUT:
        value = header.metadata.get(f"general.{key}")
        texts = [each for each in (value if isinstance(value, list) else [value]) if isinstance(each, str)]
        text = visible_name(", ".join(texts)[:MOST_ABOUT])
        if text.strip():
            yield words, text


class _Numbers:
    """Numbers of a header, which may be missing or hostile; of a list of one for each layer the largest."""

    def __init__(self, header: GgufHeader) -> None:
        self._header = header

    def number(self, key: str) -> int:
        value: Any = self._header.architecture_value(key)
        values = value if isinstance(value, list) else [value]
        return max((each for each in values if isinstance(each, int) and 0 <= each < 1 << 40), default=0)
