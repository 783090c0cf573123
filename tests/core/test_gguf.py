"""GGUF headers: what is read, and how every kind of bad file is told apart."""

from __future__ import annotations

import ctypes
import importlib.util
import io
import os
import struct
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.core.errors import ModelMissing, ModelUnreadable
from app.core.gguf import BLOCKS, GgufProblem, SkippedArray, check_model, read_complete, read_header
from tests.helpers import gguf_files as make

METADATA = {
    "general.architecture": "llama",
    "llama.block_count": 2,
    "llama.rope.freq_base": 0.5,
    "tokenizer.ggml.add_bos_token": True,
    "tokenizer.ggml.tokens": ["a", "é"],
    "numbers": [1, 2, 3],
}
TENSORS = [("first", (32, 2), 8, 0), ("second", (4,), 0, 96)]
GOOD = make.padded(make.header(METADATA, TENSORS)) + bytes(112)


def reason_of(path: Path) -> str:
    with pytest.raises(ModelUnreadable) as caught:
        check_model(path)
    assert caught.value.path == str(path)
    return caught.value.reason


def write(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path


def test_a_good_file_tells_its_metadata_and_tensors(tmp_path: Path) -> None:
    header = check_model(write(tmp_path / "good.gguf", GOOD))
    assert header.version == 3
    assert header.metadata == METADATA
    assert header.architecture_value("block_count") == 2
    assert header.architecture_value("context_length") is None
    assert [(t.name, t.shape, t.size_bytes) for t in header.tensors] == [("first", (32, 2), 68), ("second", (4,), 16)]
    assert header.needed_bytes == len(GOOD)


def test_the_first_bytes_of_a_file_are_enough_for_the_header() -> None:
    assert read_header(GOOD[:-112]).metadata == METADATA


def test_long_arrays_are_counted_and_not_kept() -> None:
    words = [f"word {n}" for n in range(5000)]
    header = read_header(make.header({"words": words, "after": 7, "kinds": list(range(5000))}))
    assert header.metadata == {"words": SkippedArray(5000), "after": 7, "kinds": SkippedArray(5000)}


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "empty"),
        (b"GG", "truncated"),
        (b"PK\x03\x04 some zip archive", "not_gguf"),
        (GOOD[:20], "truncated"),
        (GOOD[:150], "truncated"),
        (GOOD[:-1], "truncated"),
        (make.header(METADATA, TENSORS, version=4), "newer_format"),
        (make.header(METADATA, TENSORS, version=1), "damaged"),
        (b"GGUF" + struct.pack(">I", 3) + bytes(64), "damaged"),
        (b"GGUF" + struct.pack("<IQQ", 3, 1 << 60, 1), "damaged"),
        (b"GGUF" + struct.pack("<IQQ", 3, 1, 1 << 60), "damaged"),
        (b"GGUF" + struct.pack("<IQQ", 3, 1, 1) + struct.pack("<Q", 1 << 50), "damaged"),
        (make.header({"general.alignment": 7}, TENSORS) + bytes(512), "damaged"),
        (make.header(METADATA, [("odd", (33,), 8, 0)]) + bytes(512), "damaged"),
        (make.header(METADATA, [("deep", (1,) * 5, 0, 0)]) + bytes(512), "damaged"),
        (make.vocabulary_only(), "vocabulary_only"),
    ],
)
def test_a_bad_file_is_told_apart(tmp_path: Path, data: bytes, reason: str) -> None:
    assert reason_of(write(tmp_path / "bad.gguf", data)) == reason


def test_a_missing_file_is_missing(tmp_path: Path) -> None:
    for path in (tmp_path / "none.gguf", write(tmp_path / "file", b"x") / "below.gguf", tmp_path / "nul\0.gguf"):
        with pytest.raises(ModelMissing):
            check_model(path)


def test_a_folder_or_a_pipe_is_not_a_file(tmp_path: Path) -> None:
    assert reason_of(tmp_path) == "not_a_file"
    os.mkfifo(tmp_path / "pipe.gguf")
    assert reason_of(tmp_path / "pipe.gguf") == "not_a_file"


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read_says_so(tmp_path: Path) -> None:
    path = write(tmp_path / "closed.gguf", GOOD)
    path.chmod(0)
    assert reason_of(path) == "denied"


def test_the_starter_model_is_complete(starter: Path) -> None:
    header = check_model(starter)
    assert header.needed_bytes == starter.stat().st_size
    assert header.architecture_value("context_length") == 8192


def test_block_sizes_are_those_of_the_library() -> None:
    package = importlib.util.find_spec("llama_cpp")
    assert package is not None
    assert package.origin is not None
    base = ctypes.CDLL(str(next((Path(package.origin).parent / "lib").glob("*ggml-base.*"))))
    for kind, (weights, size) in BLOCKS.items():
        assert (base.ggml_blck_size(kind), base.ggml_type_size(kind)) == (weights, size), kind


@settings(deadline=None, max_examples=300)
@given(st.integers(0, len(GOOD) - 1), st.binary(min_size=1, max_size=8))
def test_changed_bytes_give_a_header_or_a_reason(at: int, noise: bytes) -> None:
    data = GOOD[:at] + noise + GOOD[at + len(noise) :]
    try:
        header = read_complete(io.BytesIO(data), len(data))
    except GgufProblem as problem:
        assert problem.reason in ("not_gguf", "truncated", "newer_format", "damaged", "vocabulary_only")
    else:
        assert header.needed_bytes <= len(data)
