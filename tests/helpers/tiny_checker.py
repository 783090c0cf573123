"""A claim checker of random weights in the Hub's files, and its logits computed in NumPy without llama.cpp."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from tests.helpers.tiny_models import _byte_letters

WIDTH, HEADS, LAYERS, FEED_FORWARD = 64, 4, 4, 96
WINDOW, EVERY = 16, 3
CONTEXT_TOKENS = 512
GLOBAL_THETA, LOCAL_THETA, EPSILON = 160_000.0, 10_000.0, 1e-5
FIRST, LAST, PAD = "[CLS]", "[SEP]", "[PAD]"
MERGES = ["t h", "th e", "Ġ the", "i n", "e r"]
WORDS = re.compile(r"'s|'t|'re|'ve|'m|'ll|'d| ?[^\W\d_]+| ?\d+| ?(?:[^\s\w]|_)+|\s+(?!\S)|\s+")
"""GPT-2's division into words."""
Tensors = dict[str, Any]


def make_checker(folder: Path, *, seed: int = 1, dtype: str = "F32", **config: Any) -> Path:
    """Writes the three files. `config` replaces what config.json says."""
    folder.mkdir(parents=True, exist_ok=True)
    tokens = _tokens()
    told = {
        "architectures": ["ModernBertForTokenClassification"], "hidden_size": WIDTH, "num_hidden_layers": LAYERS,
        "intermediate_size": FEED_FORWARD, "num_attention_heads": HEADS, "norm_eps": EPSILON,
        "local_attention": WINDOW, "global_attn_every_n_layers": EVERY, "global_rope_theta": GLOBAL_THETA,
        "local_rope_theta": LOCAL_THETA, "vocab_size": len(tokens), "max_position_embeddings": CONTEXT_TOKENS,
        "hidden_activation": "gelu", "cls_token_id": 0, "sep_token_id": 1, "pad_token_id": 2,
        "id2label": {"0": "supported", "1": "hallucinated"},
    }  # fmt: skip
    (folder / "config.json").write_text(json.dumps(told | config), "utf-8")
    added = [{"id": number, "content": tokens[number], "special": True} for number in range(3)]
    vocabulary = {text: number for number, text in enumerate(tokens) if number > 2}
    model = {"type": "BPE", "vocab": vocabulary, "merges": MERGES}
    (folder / "tokenizer.json").write_text(json.dumps({"model": model, "added_tokens": added}), "utf-8")
    write_safetensors(folder / "model.safetensors", _weights(len(tokens), seed), dtype)
    return folder


def _tokens() -> list[str]:
    return [FIRST, LAST, PAD, *_byte_letters(), *(merge.replace(" ", "") for merge in MERGES)]


def _weights(tokens: int, seed: int) -> Tensors:
    random = np.random.default_rng(seed)

    def matrix(*shape: int) -> Any:
        return (random.standard_normal(shape) / math.sqrt(shape[-1])).astype(np.float32)

    def norm() -> Any:
        return random.uniform(0.5, 1.5, WIDTH).astype(np.float32)

    found: Tensors = {"model.embeddings.tok_embeddings.weight": matrix(tokens, WIDTH) * math.sqrt(WIDTH)}
    found["model.embeddings.norm.weight"] = norm()
    for number in range(LAYERS):
        layer = f"model.layers.{number}"
        if number:
            found[f"{layer}.attn_norm.weight"] = norm()
        found[f"{layer}.attn.Wqkv.weight"] = matrix(3 * WIDTH, WIDTH)
        found[f"{layer}.attn.Wo.weight"] = matrix(WIDTH, WIDTH)
        found[f"{layer}.mlp_norm.weight"] = norm()
        found[f"{layer}.mlp.Wi.weight"] = matrix(2 * FEED_FORWARD, WIDTH)
        found[f"{layer}.mlp.Wo.weight"] = matrix(WIDTH, FEED_FORWARD)
    found["model.final_norm.weight"] = norm()
    found["head.dense.weight"], found["head.norm.weight"] = matrix(WIDTH, WIDTH), norm()
    found["classifier.weight"], found["classifier.bias"] = matrix(2, WIDTH), matrix(2)
    return found


def write_safetensors(path: Path, tensors: Tensors, dtype: str = "F32") -> None:
    """As the Hub's files are: a length, a header in JSON, and the numbers."""
    header: dict[str, Any] = {}
    parts: list[bytes] = []
    at = 0
    for name, values in tensors.items():
        if dtype == "BF16":
            data = (values.view(np.uint32) >> 16).astype(np.uint16).tobytes()
        else:
            data = values.astype(np.float16 if dtype == "F16" else np.float32).tobytes()
        header[name] = {"dtype": dtype, "shape": list(values.shape), "data_offsets": [at, at + len(data)]}
        parts.append(data)
        at += len(data)
    told = json.dumps(header).encode()
    path.write_bytes(len(told).to_bytes(8, "little") + told + b"".join(parts))


def encode_pair(source: str, text: str) -> tuple[list[int], slice]:
    """The tokens of both with what stands around them, and which of them are the text's."""
    first, second = _encode(source), _encode(text)
    return [0, *first, 1, *second, 1], slice(len(first) + 2, len(first) + len(second) + 2)


def bytes_of(tokens: Sequence[int]) -> list[bytes]:
    """Return the bytes that each token of a text stands for."""
    values = {letter: byte for byte, letter in enumerate(_byte_letters())}
    return [bytes(values[letter] for letter in _tokens()[token]) for token in tokens]


def _encode(text: str) -> list[int]:
    """Byte pairs, word by word, each with the space before it."""
    letters, numbers = _byte_letters(), {token: number for number, token in enumerate(_tokens())}
    order = {tuple(merge.split()): rank for rank, merge in enumerate(MERGES)}
    found: list[int] = []
    for word in WORDS.findall(text):
        parts = [letters[byte] for byte in word.encode()]
        while len(parts) > 1:
            rank, at = min((order.get((a, b), len(order)), n) for n, (a, b) in enumerate(pairwise(parts)))
            if rank == len(order):
                break
            parts[at : at + 2] = ["".join(parts[at : at + 2])]
        found += [numbers[part] for part in parts]
    return found


def reference_logits(tensors: Tensors, tokens: Sequence[int]) -> Any:
    """ModernBertForTokenClassification as its paper and its code say, in float64: a row of logits for each token."""
    w = {name: values.astype(np.float64) for name, values in tensors.items()}
    x = _norm(w["model.embeddings.tok_embeddings.weight"][list(tokens)], w["model.embeddings.norm.weight"])
    for number in range(LAYERS):
        layer = f"model.layers.{number}"
        is_global = number % EVERY == 0
        before = _norm(x, w[f"{layer}.attn_norm.weight"]) if number else x
        heads = (before @ w[f"{layer}.attn.Wqkv.weight"].T).reshape(len(tokens), 3, HEADS, WIDTH // HEADS)
        theta = GLOBAL_THETA if is_global else LOCAL_THETA
        query, key, value = _rotated(heads[:, 0], theta), _rotated(heads[:, 1], theta), heads[:, 2]
        scores = np.einsum("qhd,khd->hqk", query, key) / math.sqrt(WIDTH // HEADS)
        if not is_global:
            places = np.arange(len(tokens))
            scores = np.where(abs(places[:, None] - places[None]) <= WINDOW // 2, scores, -np.inf)
        shares = np.exp(scores - scores.max(axis=-1, keepdims=True))
        shares /= shares.sum(axis=-1, keepdims=True)
        attended = np.einsum("hqk,khd->qhd", shares, value).reshape(len(tokens), WIDTH)
        x = x + attended @ w[f"{layer}.attn.Wo.weight"].T
        wide = _norm(x, w[f"{layer}.mlp_norm.weight"]) @ w[f"{layer}.mlp.Wi.weight"].T
        x = x + (_tabled_gelu(wide[:, :FEED_FORWARD]) * wide[:, FEED_FORWARD:]) @ w[f"{layer}.mlp.Wo.weight"].T
    x = _norm(x, w["model.final_norm.weight"])
    hidden = _norm(_gelu(x @ w["head.dense.weight"].T), w["head.norm.weight"])
    return hidden @ w["classifier.weight"].T + w["classifier.bias"]


def _norm(x: Any, weight: Any) -> Any:
    centred = x - x.mean(axis=-1, keepdims=True)
    return centred / np.sqrt((centred**2).mean(axis=-1, keepdims=True) + EPSILON) * weight


def _gelu(x: Any) -> Any:
    return x * 0.5 * (1 + np.vectorize(math.erf)(x / math.sqrt(2)))


def _tabled_gelu(x: Any) -> Any:
    """As llama.cpp has it on a processor: by a hyperbolic tangent, looked up in a table of 16-bit numbers."""
    x = x.astype(np.float16).astype(np.float64)
    told = 0.5 * x * (1 + np.tanh(math.sqrt(2 / math.pi) * x * (1 + 0.044715 * x * x)))
    return told.astype(np.float16).astype(np.float64)


def _rotated(x: Any, theta: float) -> Any:
    half = x.shape[-1] // 2
    angles = np.arange(len(x))[:, None] * theta ** (-np.arange(half) / half)
    cosines, sines = np.cos(angles)[:, None], np.sin(angles)[:, None]
    first, second = x[..., :half], x[..., half:]
    return np.concatenate((first * cosines - second * sines, second * cosines + first * sines), axis=-1)
