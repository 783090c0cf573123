"""BERT in NumPy, read from the GGUF file that llama.cpp reads, to compare vectors with; and a tiny one to read."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import gguf
import numpy as np

from app.core.gguf import check_model
from tests.helpers.gguf_files import read_tokens

Floats = np.ndarray[Any, np.dtype[np.float32]]
BEGINS_WORD = "▁"
SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
NORMAL, CONTROL = 1, 3  # llama.cpp's kinds of tokens
WIDTH, INNER, HEADS, LAYERS, TOKENS = 32, 64, 4, 2, 64
EPSILON = 1e-12
KINDS = {0: np.float32, 1: np.float16}
"""By GGUF's numbers of tensor types."""


def write_tiny_bert(path: Path, pieces: list[str], **metadata: str) -> Path:
    """A model with random weights that knows these pieces; those that go on in a word have no mark."""
    random = np.random.default_rng(3)
    writer = gguf.GGUFWriter(path, "bert")
    writer.add_name(metadata.get("name", "Tiny BERT"))
    writer.add_context_length(TOKENS)
    writer.add_embedding_length(WIDTH)
    writer.add_feed_forward_length(INNER)
    writer.add_block_count(LAYERS)
    writer.add_head_count(HEADS)
    writer.add_layer_norm_eps(EPSILON)
    writer.add_causal_attention(False)
    writer.add_pooling_type(gguf.PoolingType.MEAN)
    _add_tokens(writer, pieces)
    shapes = {
        "token_embd.weight": (len(SPECIAL) + len(pieces), WIDTH),
        "position_embd.weight": (TOKENS, WIDTH),
        "token_types.weight": (2, WIDTH),
        "token_embd_norm.weight": (WIDTH,),
        "token_embd_norm.bias": (WIDTH,),
    }
    for layer in range(LAYERS):
        for part, outputs, inputs in (
            ("attn_q", WIDTH, WIDTH),
            ("attn_k", WIDTH, WIDTH),
            ("attn_v", WIDTH, WIDTH),
            ("attn_output", WIDTH, WIDTH),
            ("ffn_up", INNER, WIDTH),
            ("ffn_down", WIDTH, INNER),
        ):
            shapes[f"blk.{layer}.{part}.weight"], shapes[f"blk.{layer}.{part}.bias"] = (outputs, inputs), (outputs,)
        for part in ("attn_output_norm", "layer_output_norm"):
            shapes[f"blk.{layer}.{part}.weight"] = shapes[f"blk.{layer}.{part}.bias"] = (WIDTH,)
    for name, shape in shapes.items():
        middle = 1.0 if name.endswith("norm.weight") else 0.0
        writer.add_tensor(name, (middle + random.normal(0, 0.3, shape)).astype(np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def write_tiny_modern_bert(path: Path, pieces: list[str], **metadata: int) -> Path:
    """ModernBERT with random weights (Warner and others, 2024): no biases, most layers look at near tokens only."""
    random = np.random.default_rng(4)
    writer = gguf.GGUFWriter(path, "modern-bert")
    writer.add_name("Granite tiny")
    writer.add_context_length(8 * TOKENS)
    writer.add_embedding_length(WIDTH)
    writer.add_feed_forward_length(INNER)
    writer.add_block_count(3)
    writer.add_head_count(HEADS)
    writer.add_layer_norm_eps(1e-5)
    writer.add_causal_attention(False)
    writer.add_sliding_window(8)
    writer.add_rope_freq_base(160_000.0)
    for key, value in metadata.items():
        writer.add_uint32(f"modern-bert.{key}", value)
    _add_tokens(writer, pieces)
    shapes = {"token_embd.weight": (len(SPECIAL) + len(pieces), WIDTH)}
    shapes |= {"token_embd_norm.weight": (WIDTH,), "output_norm.weight": (WIDTH,)}
    for layer in range(3):
        shapes |= {f"blk.{layer}.attn_norm.weight": (WIDTH,)} if layer else {}
        shapes[f"blk.{layer}.attn_qkv.weight"] = (3 * WIDTH, WIDTH)
        shapes[f"blk.{layer}.attn_output.weight"] = (WIDTH, WIDTH)
        shapes[f"blk.{layer}.ffn_up.weight"] = (2 * INNER, WIDTH)
        shapes[f"blk.{layer}.ffn_down.weight"] = (WIDTH, INNER)
        shapes[f"blk.{layer}.ffn_norm.weight"] = (WIDTH,)
    for name, shape in shapes.items():
        middle = 1.0 if name.endswith("norm.weight") else 0.0
        writer.add_tensor(name, (middle + random.normal(0, 0.3, shape)).astype(np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def _add_tokens(writer: gguf.GGUFWriter, pieces: list[str]) -> None:
    writer.add_tokenizer_model("bert")
    writer.add_token_list([*SPECIAL, *pieces])
    writer.add_token_types([CONTROL] * len(SPECIAL) + [NORMAL] * len(pieces))
    writer.add_token_type_count(2)
    for name, number in (("pad", 0), ("unk", 1), ("bos", 2), ("sep", 3), ("mask", 4)):
        getattr(writer, f"add_{name}_token_id")(number)


class NumpyBert:
    """Devlin and others, 2019, for one text at a time; the mean of what it reads, of length 1."""

    def __init__(self, path: Path) -> None:
        header = check_model(path)
        self._parts = {
            tensor.name: np.memmap(
                path, KINDS[tensor.type], "r", header.data_offset + tensor.offset, tensor.shape[::-1]
            ).astype(np.float32)
            for tensor in header.tensors
        }
        self._layers, self._heads = (
            int(header.metadata[f"bert.{key}"]) for key in ("block_count", "attention.head_count")
        )
        self._numbers = read_tokens(path, header.data_offset)

    def tokenize(self, text: str) -> list[int]:
        """WordPiece, longest match first, of a text of plain words."""
        found = [self._numbers["[CLS]"]]
        for word in text.lower().split():
            rest = BEGINS_WORD + word
            while rest:
                end = next(end for end in range(len(rest), 0, -1) if rest[:end] in self._numbers)
                found.append(self._numbers[rest[:end]])
                rest = rest[end:]
        return [*found, self._numbers["[SEP]"]]

    def encode(self, text: str) -> Floats:
        tokens = self.tokenize(text)
        parts = self._parts
        states = parts["token_embd.weight"][tokens] + parts["position_embd.weight"][: len(tokens)]
        states = self._normalized(states + parts["token_types.weight"][0], "token_embd_norm")
        for layer in range(self._layers):
            states = self._layer(states, f"blk.{layer}.")
        mean = states.mean(axis=0)
        vector: Floats = mean / np.linalg.norm(mean)
        return vector

    def _layer(self, states: Floats, name: str) -> Floats:
        query, key, value = (
            self._linear(states, f"{name}attn_{part}").reshape(len(states), self._heads, -1).transpose(1, 0, 2)
            for part in "qkv"
        )
        scores = query @ key.transpose(0, 2, 1) / math.sqrt(query.shape[-1])
        shares = np.exp(scores - scores.max(axis=-1, keepdims=True))
        shares /= shares.sum(axis=-1, keepdims=True)
        seen = (shares @ value).transpose(1, 0, 2).reshape(states.shape)
        states = self._normalized(states + self._linear(seen, f"{name}attn_output"), f"{name}attn_output_norm")
        inner = self._linear(states, f"{name}ffn_up")
        inner = inner * (1 + np.vectorize(math.erf)(inner / math.sqrt(2))) / 2
        return self._normalized(states + self._linear(inner, f"{name}ffn_down"), f"{name}layer_output_norm")

    def _linear(self, values: Floats, name: str) -> Floats:
        found: Floats = values @ self._parts[f"{name}.weight"].T + self._parts[f"{name}.bias"]
        return found

    def _normalized(self, values: Floats, name: str) -> Floats:
        centred = values - values.mean(axis=-1, keepdims=True)
        spread = np.sqrt((centred**2).mean(axis=-1, keepdims=True) + EPSILON)
        found: Floats = centred / spread * self._parts[f"{name}.weight"] + self._parts[f"{name}.bias"]
        return found
