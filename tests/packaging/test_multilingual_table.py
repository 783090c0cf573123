"""The table of several languages is read out of the encoder's own form, one row for all cases of a token."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest

SETUP = Path(__file__).resolve().parents[2] / "packaging" / "setup"
PIECES = [
    "<s>",
    "<pad>",
    "</s>",
    "<unk>",
    "\u2581Haus",
    "\u2581haus",
    "\u2581nh\u00e0\u0323",
    "\u2581\u0434\u043e\u043c",
    "(",
    "er",
]
SCORES = [0.0, 0.0, 0.0, 0.0, -3.0, -2.0, -4.0, -5.0, -6.0, -7.0]


@pytest.fixture(autouse=True)
def setup_scripts(monkeypatch: pytest.MonkeyPatch) -> None:
    """They import each other as neighbours, as they do when they are run."""
    monkeypatch.syspath_prepend(str(SETUP))


def encoder_file(rows: bytes) -> bytes:
    """As the package writes it: numbers, pieces, a map of one letter, and a list of two tensors."""
    texts = [piece.encode() for piece in PIECES]
    offsets = np.cumsum([0, *map(len, texts)]).astype(np.uint32)
    head = b"E5S1" + bytes(40) + struct.pack("<5iQ", len(PIECES), 0, 2, 1, 3, int(offsets[-1]))
    head += offsets.tobytes() + np.array(SCORES, np.float32).tobytes() + b"".join(texts)
    letters = struct.pack("<IBI", 9, 1, 32)
    head += struct.pack("<iI", 1, len(letters)) + letters
    names = ("emb.pos", "emb.word")
    start = len(head) + 4 + sum(2 + len(name) + 21 for name in names)
    tensors = b"".join(
        struct.pack("<H", len(name)) + name.encode() + struct.pack("<BIQQ", 1, 1, start, len(rows)) for name in names
    )
    return head + struct.pack("<i", len(names)) + tensors + rows


def packed_row(value: int) -> bytes:
    """384 weights of this value between -8 and 7, with a factor of one half."""
    return (np.float16(0.5).tobytes() + bytes([(value + 8) * 17] * 16)) * 12


def test_pieces_and_their_vectors_are_read_and_cases_are_joined() -> None:
    from multilingual_table import fold_pieces, read_encoder

    values = [0, 0, 0, 0, 2, 6, 1, 4, 5, -8]
    encoder = read_encoder(encoder_file(b"".join(map(packed_row, values))))
    assert encoder.pieces == PIECES
    vocabulary, scores, rows = fold_pieces(encoder)
    assert vocabulary == ["\u2581haus", "\u2581\u0434\u043e\u043c", "er"], (
        "the others are in no language of the interface"
    )
    shares = np.exp([-3.0, -2.0])
    assert np.exp(scores) == pytest.approx([shares.sum(), np.exp(-5.0), np.exp(-7.0)])
    assert rows[:, 0] == pytest.approx([(shares @ [1.0, 3.0]) / shares.sum(), 2.0, -4.0])
    assert (rows == rows[:, :1]).all()


def test_another_file_is_refused(tmp_path: Path) -> None:
    from multilingual_table import make

    (tmp_path / "encoder.bin").write_bytes(encoder_file(packed_row(1) * len(PIECES)))
    with pytest.raises(SystemExit, match="is not the one"):
        make(tmp_path / "encoder.bin", tmp_path / "english.npz", tmp_path / "table.npz")
    assert not (tmp_path / "table.npz").exists()


def test_a_token_is_mixed_of_the_words_that_both_tables_have(monkeypatch: pytest.MonkeyPatch) -> None:
    import multilingual_table
    from multilingual_table import BEGINS_WORD, mix, shared_words

    monkeypatch.setattr(multilingual_table, "FIRST_WORD", 1)
    monkeypatch.setattr(multilingual_table, "MIXED", 2)
    monkeypatch.setattr(multilingual_table, "CROWDED", 1)
    monkeypatch.setattr(multilingual_table, "CROWD_SAMPLE", 1)
    vocabulary = [f"{BEGINS_WORD}haus", f"{BEGINS_WORD}house", f"{BEGINS_WORD}dog", "house", f"{BEGINS_WORD}cow"]
    places, numbers = shared_words(vocabulary, ["cow", "tree", "dog", "house"])
    assert (places.tolist(), numbers.tolist()) == ([1, 2], [3, 2]), "one is a piece, one stands among the signs"
    directions = np.array([[3, 1], [1, 0], [0, 1], [0, 1], [2, 3]], np.float32)
    mixed, shares = mix(directions, places, numbers)
    full = [
        {int(token): int(share) for token, share in zip(*row, strict=True)} for row in zip(mixed, shares, strict=True)
    ]
    assert full[0][3] == full[2][2] == 255
    assert full[0][2] < 10
    assert 10 < full[4][3] < full[4][2] == 255
