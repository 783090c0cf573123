"""The table of meanings is made of the encoder in its package's own form, one row for all cases of a token."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest

SETUP = Path(__file__).resolve().parents[2] / "packaging" / "setup"
PIECES = [
    *(("<unk>", 0.0), ("<s>", 0.0), ("</s>", 0.0)),
    *(("\u2581Haus", -3.0), ("\u2581haus", -2.0), ("\u2581nh\u00e0\u0323", -4.0)),
    *(("\u2581\u0434\u043e\u043c", -5.0), ("(", -6.0), ("er", -7.0)),
]


def field(number: int, value: bytes) -> bytes:
    """A field of a length below 128 of Protocol Buffers."""
    return bytes([number << 3 | 2, len(value)]) + value


def pieces_file() -> bytes:
    """As SentencePiece writes it: pieces with scores, one with a kind besides, then what it was trained by."""
    told = [
        field(1, field(1, piece.encode()) + b"\x15" + struct.pack("<f", score) + (b"\x18\x03" if score == 0 else b""))
        for piece, score in PIECES
    ]
    return b"".join(told) + field(2, b"\x08\x96\x01")


def test_pieces_are_read_and_their_cases_are_joined() -> None:
    from embedding_table import fold_pieces, read_pieces

    assert read_pieces(pieces_file()) == PIECES
    cases = fold_pieces(read_pieces(pieces_file()))
    assert list(cases) == ["\u2581haus", "\u2581\u0434\u043e\u043c", "er"], "others are in no interface language"
    assert cases["\u2581haus"] == [(3, pytest.approx(np.exp(-3))), (4, pytest.approx(np.exp(-2)))]


def test_a_token_is_the_mean_of_its_spellings_by_how_frequent_they_are() -> None:
    from embedding_table import mean_of

    vectors: dict[int, Any] = {3: np.array([1, 0], np.float32), 4: np.array([0, 1], np.float32)}
    assert mean_of([(3, 0.2), (4, 0.6)], vectors) == pytest.approx([0.25, 0.75])


def tiny_encoder() -> dict[str, np.ndarray[Any, Any]]:
    """Random weights of the encoder's names and shapes, in small: 34 tokens."""
    random = np.random.default_rng(3)

    def some(*shape: int) -> np.ndarray[Any, Any]:
        return random.standard_normal(shape).astype(np.float32) / 16

    parts: dict[str, np.ndarray[Any, Any]] = {f"q{n}": random.integers(0, 64, (2, 512), np.uint8) for n in range(1, 18)}
    parts |= {"scale": np.abs(some(17)), "lo": some(17), "eps": np.float32(1e-6)}
    for size in (2, 3, 5):
        parts |= {f"proj{size}": some(512, 256), f"proj_b{size}": some(256)}
        parts |= {f"ln_g{size}": some(256), f"ln_b{size}": some(256)}
        for layer in (1, 2):
            parts |= {f"w{layer}_{size}": some(size * 256, 256), f"b{layer}_{size}": some(256)}
    parts |= {"ln_g": some(1280), "ln_b": some(1280), "cnn_W": some(1280, 320), "cnn_b": some(320)}
    return (
        parts
        | {"d0": some(320, 512), "d1": some(512, 512), "p1": some(320, 512), "d2": some(512, 512)}
        | {
            "d3": some(512, 512),
            "p3": some(512, 512),
        }
    )


def test_each_token_has_a_direction_of_its_own_whatever_is_encoded_beside_it() -> None:
    from embedding_table import Encoder

    encoder = Encoder(tiny_encoder())
    vectors = encoder.encode_tokens(np.arange(34))
    assert vectors.shape == (34, 512)
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(np.ones(34), abs=1e-5)
    assert encoder.encode_tokens(np.array([20, 3])) == pytest.approx(vectors[[20, 3]], abs=1e-5)
    assert (vectors @ vectors.T)[~np.eye(34, dtype=bool)].max() < 0.9999


def test_another_file_is_refused(tmp_path: Path) -> None:
    from embedding_table import PIECES as NAME
    from embedding_table import WEIGHTS, make

    (tmp_path / NAME).write_bytes(pieces_file())
    (tmp_path / WEIGHTS).write_bytes(b"another")
    with pytest.raises(SystemExit, match="is not the one"):
        make(tmp_path, tmp_path / "table.npz")
    assert not (tmp_path / "table.npz").exists()
